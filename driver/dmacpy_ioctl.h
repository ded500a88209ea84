/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_IOCTL_H
#define DMACPY_IOCTL_H

#include <linux/stddef.h>
#include <linux/types.h>

#include <linux/dmacpy.h>

#define DMACPY_SUBMIT_FLAGS	(DMACPY_SUBMIT_WAIT |			\
				 DMACPY_SUBMIT_OUT_FENCE |		\
				 DMACPY_SUBMIT_IN_FENCE |		\
				 DMACPY_SUBMIT_EVENT |			\
				 DMACPY_SUBMIT_NO_IMPLICIT |		\
				 DMACPY_SUBMIT_MORE |			\
				 DMACPY_SUBMIT_SPREAD)

#define DMACPY_RUN_FLAGS	(DMACPY_SUBMIT_FLAGS & ~DMACPY_SUBMIT_SPREAD)

#define DMACPY_REGISTER_FLAGS	DMACPY_REGISTER_EXPLICIT_SYNC

/* The structure of SUBMIT in its first version, which is always accepted */
#define DMACPY_SUBMIT_MIN_SIZE	offsetofend(struct dmacpy_submit, out_fence)

struct dmacpy_job;
struct dmacpy_stream;

long dmacpy_ioctl(struct dmacpy_stream *stream, unsigned int cmd,
		  unsigned long arg, bool nonblock);
int dmacpy_ioctl_read_submit(const void __user *user,
			     struct dmacpy_submit *args);
struct dmacpy_job *dmacpy_ioctl_new_job(struct dmacpy_stream *stream,
					struct dmacpy_submit *args);
struct dmacpy_job *dmacpy_ioctl_new_run(struct dmacpy_stream *stream,
					u32 handle, u32 flags, s32 in_fence,
					u64 user_data);
void dmacpy_ioctl_submit_failed(void __user *user,
				const struct dmacpy_submit *args);

#endif /* DMACPY_IOCTL_H */
