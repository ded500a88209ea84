/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_IOCTL_H
#define DMACPY_IOCTL_H

#include <linux/types.h>

struct dmacpy_stream;

long dmacpy_ioctl(struct dmacpy_stream *stream, unsigned int cmd,
		  unsigned long arg, bool nonblock);

#endif /* DMACPY_IOCTL_H */
