/* SPDX-License-Identifier: GPL-2.0-only */
/* The path of a job from the program to the queue of its stream. */
#ifndef DMACPY_SUBMIT_H
#define DMACPY_SUBMIT_H

#include <linux/types.h>

struct dmacpy_job;
struct dmacpy_plan;
struct dmacpy_stream;

struct dmacpy_job *dmacpy_submit_new_job(struct dmacpy_stream *stream,
					 unsigned int nops);
int dmacpy_submit_prepare(struct dmacpy_stream *stream,
			  struct dmacpy_plan *plan, u32 *handle);
int dmacpy_submit(struct dmacpy_stream *stream, struct dmacpy_job *job,
		  bool nonblock);
void dmacpy_submit_unplug(struct dmacpy_stream *stream, bool atomic);

#endif /* DMACPY_SUBMIT_H */
