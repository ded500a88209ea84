/* SPDX-License-Identifier: GPL-2.0-only */
/* The path of a job from the program to the queue of its stream. */
#ifndef DMACPY_SUBMIT_H
#define DMACPY_SUBMIT_H

#include <linux/minmax.h>
#include <linux/types.h>

struct dmacpy_job;
struct dmacpy_plan;
struct dmacpy_stream;

struct dmacpy_job *dmacpy_submit_new_jobs(struct dmacpy_stream *stream,
					  unsigned int count,
					  unsigned int nops);
void dmacpy_submit_free_list(struct dmacpy_job *job);
int dmacpy_submit_prepare(struct dmacpy_stream *stream,
			  struct dmacpy_plan *plan, u32 *handle);
int dmacpy_submit_list(struct dmacpy_stream *stream, struct dmacpy_job *job,
		       bool nonblock);
void dmacpy_submit_unplug(struct dmacpy_stream *stream, bool atomic);

/* Returns one job from dmacpy_submit_new_jobs(), or NULL. */
static inline struct dmacpy_job *
dmacpy_submit_new_job(struct dmacpy_stream *stream, unsigned int nops)
{
	return dmacpy_submit_new_jobs(stream, 1, nops);
}

/**
 * dmacpy_submit() - run a job, after those submitted before it
 * @stream: the stream
 * @job: as dmacpy_submit_list(), just one
 * @nonblock: do not wait until there is room for it
 *
 * Context: Process.
 * Return: 0, or as dmacpy_submit_list().
 */
static inline int dmacpy_submit(struct dmacpy_stream *stream,
				struct dmacpy_job *job, bool nonblock)
{
	return min(dmacpy_submit_list(stream, job, nonblock), 0);
}

#endif /* DMACPY_SUBMIT_H */
