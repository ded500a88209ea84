/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_JOB_H
#define DMACPY_JOB_H

#include <linux/container_of.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/types.h>

#include <linux/dmacpy.h>

#include "dmacpy_chan.h"
#include "dmacpy_plan.h"
#include "dmacpy_sync.h"

struct dma_fence;
struct dmacpy_buf;
struct dmacpy_job;
struct dmacpy_spread;
struct dmacpy_stream;
struct dmacpy_waiter;

/* A lazy job has no more buffers than this. */
#define DMACPY_LAZY_POINTS	2

/**
 * struct dmacpy_job - a run of operations, which complete together
 * @xfer: what the channel knows of it; owns the job once it was submitted
 * @stream: a reference to the stream, once it was committed
 * @node: in dmacpy_stream.waiting
 * @spare: in dmacpy_stream.spares, when nothing but the memory is left
 * @seqno: its place in the stream
 * @fence: a reference to its completion, if others want to know it, or NULL
 * @deps: what it waits for
 * @deadline: when it stops waiting for fences of other drivers, in jiffies, if
 *	it has to wait
 * @waiter: awaits its result, or NULL; under dmacpy_stream.lock
 * @user_data: for the event
 * @event: leaves an event for read()
 * @implicit: waits for others that use its buffers, and has them wait for it;
 *	cleared when it is prepared, if there cannot be any
 * @lazy: its submitter waits for it, and it has a fence only if that takes
 *	long; cleared when it is prepared, if it needs none, or one at once
 * @length: bytes that it moves
 * @synced: the caches were made ready for the engine
 * @cursor: the place in @plan
 * @handle: of the prepared operations that it runs, or 0
 * @channels: the largest number of channels that may run it; 0 or 1 for only
 *	the channel of the stream
 * @part_terminated: at least one of its parts has completed without waiting for
 *	the engine, which may still write
 * @after: the jobs of the stream up to this place must complete before it runs
 * @spread: its parts on other channels, or NULL
 * @plan: what it does; NULL if it has no reference to it yet, or any more
 * @own: the plan of a job that was not prepared
 */
struct dmacpy_job {
	struct dmacpy_xfer xfer;
	struct dmacpy_stream *stream;
	struct list_head node;
	struct llist_node spare;
	u64 seqno;
	struct dma_fence *fence;
	struct dmacpy_deps deps;
	unsigned long deadline;
	struct dmacpy_waiter *waiter;
	u64 user_data;
	bool event;
	bool implicit;
	bool lazy;
	bool synced;
	u64 length;
	struct dmacpy_plan_cursor cursor;
	u32 handle;
	u32 channels;
	bool part_terminated;
	u64 after;
	struct dmacpy_spread *spread;
	struct dmacpy_plan *plan;
	struct dmacpy_plan own;
};

struct dmacpy_job *dmacpy_job_new(struct dmacpy_job *spare, unsigned int nops);
void dmacpy_job_take_plan(struct dmacpy_job *job, struct dmacpy_plan *plan);
void dmacpy_job_put_plan(struct dmacpy_job *job);
void dmacpy_job_free(struct dmacpy_job *job);
void dmacpy_job_free_memory(struct dmacpy_job *job);
int dmacpy_job_add_fence(struct dmacpy_job *job);
int dmacpy_job_prepare(struct dmacpy_job *job);
void dmacpy_job_run(struct dmacpy_job *job, struct dmacpy_chan *chan,
		    struct dmacpy_lane *lane, const struct dmacpy_xfer_ops *ops,
		    int result);
void dmacpy_job_next(struct dmacpy_xfer *xfer, size_t max,
		     struct dmacpy_piece *piece);
void dmacpy_job_complete(struct dmacpy_job *job);
void dmacpy_job_clear(struct dmacpy_job *job);

static inline struct dmacpy_job *dmacpy_job_of(struct dmacpy_xfer *xfer)
{
	return container_of(xfer, struct dmacpy_job, xfer);
}

#endif /* DMACPY_JOB_H */
