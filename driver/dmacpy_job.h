/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_JOB_H
#define DMACPY_JOB_H

#include <linux/container_of.h>
#include <linux/dma-fence.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/types.h>

#include <linux/dmacpy.h>

#include "dmacpy_chan.h"
#include "dmacpy_plan.h"
#include "dmacpy_sync.h"

struct dmacpy_buf;
struct dmacpy_job;
struct dmacpy_spread;
struct dmacpy_stream;
struct dmacpy_waiter;

/* A lazy job has no more buffers than this. */
#define DMACPY_LAZY_POINTS	2
/* Bytes whose caches may be synced in an interrupt. */
#define DMACPY_JOB_QUICK_SYNC	65536U

/**
 * struct dmacpy_job - a run of operations, which complete together
 * @xfer: what the channel knows of it; owns the job once it was submitted
 * @node: in dmacpy_stream.waiting
 * @spare: in dmacpy_stream.spares, when nothing but the memory is left
 * @stream: a reference to the stream, once it was committed
 * @next: to be submitted together with it, behind it, or NULL
 * @seqno: its place in the stream
 * @deadline: when it stops waiting for fences of other drivers, in jiffies, if
 *	it has to wait
 * @user_data: for the event
 * @length: bytes that it moves
 * @fence: a reference to its completion, if others want to know it, or NULL
 * @deps: what it waits for
 * @waiter: awaits its result, or NULL; under dmacpy_stream.lock
 * @event: leaves an event for read()
 * @implicit: waits for others that use its buffers, and has them wait for it;
 *	cleared when it is prepared, if there cannot be any
 * @lazy: its submitter waits for it, and it has a fence only if that takes
 *	long; cleared when it is prepared, if it needs none, or one at once
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
	struct list_head node;
	struct llist_node spare;
	struct dmacpy_stream *stream;
	struct dmacpy_job *next;
	u64 seqno;
	unsigned long deadline;
	u64 user_data;
	u64 length;
	struct dma_fence *fence;
	struct dmacpy_deps deps;
	struct dmacpy_waiter *waiter;
	bool event;
	bool implicit;
	bool lazy;
	bool synced;
	struct dmacpy_plan_cursor cursor;
	u32 handle;
	u32 channels;
	bool part_terminated;
	u64 after;
	struct dmacpy_spread *spread;
	struct dmacpy_plan *plan;
	struct dmacpy_plan own;
};

struct dmacpy_job *dmacpy_job_alloc(unsigned int room);
void dmacpy_job_free(struct dmacpy_job *job);
void dmacpy_job_free_memory(struct dmacpy_job *job);
int dmacpy_job_add_fence(struct dmacpy_job *job);
void dmacpy_job_next(struct dmacpy_xfer *xfer, size_t max,
		     struct dmacpy_piece *piece);

static inline struct dmacpy_job *dmacpy_job_of(struct dmacpy_xfer *xfer)
{
	return container_of(xfer, struct dmacpy_job, xfer);
}

/**
 * dmacpy_job_new() - make a job
 * @spare: one that was released, to use again if it has the room, or NULL
 * @nops: number of operations, 1 to dmacpy_max_ops, or 0 for
 *	dmacpy_job_take_plan()
 *
 * Context: Process.
 * Return: a job (dmacpy_job_free()) with operations to be filled in, or NULL.
 */
static inline struct dmacpy_job *dmacpy_job_new(struct dmacpy_job *spare,
						unsigned int nops)
{
	struct dmacpy_job *job = spare;

	if (!job || job->own.room < nops) {
		kvfree(job);
		job = dmacpy_job_alloc(nops);
		if (!job)
			return NULL;
	}
	/* What is not cleared here is set before it is used. */
	job->xfer.plugged = false;
	job->xfer.parts = 0;
	job->fence = NULL;
	job->deps = (struct dmacpy_deps){ };
	job->waiter = NULL;
	job->event = false;
	job->implicit = false;
	job->lazy = false;
	job->synced = false;
	job->cursor = (struct dmacpy_plan_cursor){ };
	job->handle = 0;
	job->channels = 0;
	job->part_terminated = false;
	job->spread = NULL;
	job->plan = NULL;
	if (nops) {
		job->plan = &job->own;
		dmacpy_plan_reset(job->plan, nops);
	}
	return job;
}

/**
 * dmacpy_job_take_plan() - have a job run what was prepared
 * @job: a job without operations
 * @plan: a complete plan, of which it takes a reference
 *
 * Context: Any. Undone by dmacpy_job_put_plan().
 */
static inline void dmacpy_job_take_plan(struct dmacpy_job *job,
					struct dmacpy_plan *plan)
{
	dmacpy_plan_get(plan);
	job->plan = plan;
}

/**
 * dmacpy_job_put_plan() - put all memory that a job is about
 * @job: the job, which has a plan
 *
 * Context: Any.
 */
static inline void dmacpy_job_put_plan(struct dmacpy_job *job)
{
	if (job->plan == &job->own)
		dmacpy_plan_clear(job->plan);
	else
		dmacpy_plan_put(job->plan);
	job->plan = NULL;
}

/**
 * dmacpy_job_clear() - put all that a job has a reference to
 * @job: the job, of which only the memory is left after this
 *
 * Context: Any.
 */
static inline void dmacpy_job_clear(struct dmacpy_job *job)
{
	if (job->plan)
		dmacpy_job_put_plan(job);
	dmacpy_deps_free(&job->deps);
	dma_fence_put(job->fence);
	kfree(job->spread);
}

/**
 * dmacpy_job_prepare() - have what a job needs to run
 * @job: a job with a complete plan
 *
 * Context: Process, while the device is bound.
 * Return: 0 or -ENOMEM.
 */
static inline int dmacpy_job_prepare(struct dmacpy_job *job)
{
	const struct dmacpy_plan *plan = job->plan;
	bool fenced = job->fence || plan->bounces;

	job->length = plan->length;
	job->xfer.bytes_left = plan->length;
	job->implicit &= plan->shared;
	/* Caches of much memory are not cleaned while dma-bufs are locked. */
	job->lazy &= job->implicit && !fenced &&
		     plan->npoints <= DMACPY_LAZY_POINTS &&
		     (!plan->needs_sync ||
		      plan->length <= DMACPY_JOB_QUICK_SYNC);
	if (!fenced && (!job->implicit || job->lazy))
		return 0;
	return dmacpy_job_add_fence(job);
}

/**
 * dmacpy_job_complete() - give the buffers of a job back to the CPU
 * @job: a job that the channel has completed
 *
 * The references go before anything learns of the result: then the last RELEASE
 * or close after that frees a buffer. Those of a job that was terminated stay
 * as long as the engine may write to them.
 *
 * Context: Any.
 */
static inline void dmacpy_job_complete(struct dmacpy_job *job)
{
	if (job->synced)
		dmacpy_plan_sync_for_cpu(job->plan);
	if (!job->xfer.terminated && !READ_ONCE(job->part_terminated))
		dmacpy_job_put_plan(job);
}

/**
 * dmacpy_job_run() - hand a job to its channel, which owns it after this
 * @job: a job that was prepared, and whose fences have signalled
 * @chan: the channel
 * @lane: the stream's
 * @ops: what the channel calls
 * @result: 0, or the -errno that it is to complete with, without the engine
 *
 * A task may have written to its source by CPU before the fence that it waited
 * for has signalled: only now the caches hold what the engine is to read.
 *
 * Context: Any, while the channel is open.
 */
static inline void dmacpy_job_run(struct dmacpy_job *job,
				  struct dmacpy_chan *chan,
				  struct dmacpy_lane *lane,
				  const struct dmacpy_xfer_ops *ops, int result)
{
	dmacpy_deps_free(&job->deps);
	job->xfer.ops = ops;
	job->xfer.result = result;
	job->xfer.slow = job->plan->needs_sync &&
			 job->length > DMACPY_JOB_QUICK_SYNC;
	job->synced = !result && job->plan->needs_sync;
	if (job->synced)
		dmacpy_plan_sync_for_device(job->plan);
	dmacpy_chan_submit(chan, lane, &job->xfer);
}

#endif /* DMACPY_JOB_H */
