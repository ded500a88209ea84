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
/* Bytes and rows whose caches may be synced in an interrupt. */
#define DMACPY_JOB_QUICK_SYNC	65536U
#define DMACPY_JOB_QUICK_ROWS	1024U

/**
 * struct dmacpy_job - a run of operations that complete together
 * @xfer: the transfer for the channel; owns the job once it was submitted
 * @node: entry in dmacpy_stream.waiting
 * @spare: entry in dmacpy_stream.spares, when only the memory is left
 * @stream: a reference to the stream, once the job was published
 * @next: the next job of a list to submit, or NULL
 * @seqno: its number in the stream
 * @deadline: time when it stops waiting for fences of other drivers, in
 *	jiffies, if it has to wait
 * @user_data: value for the event
 * @length: bytes that it copies or fills
 * @fence: a reference to its fence, or NULL if no other task or driver needs
 *	one
 * @deps: the fences that it waits for
 * @waiter: waits for its result, or NULL; under dmacpy_stream.lock
 * @event: it adds a record for read()
 * @implicit: it waits for other users of its buffers, and these wait for it;
 *	cleared in dmacpy_job_prepare() if there cannot be any
 * @lazy: its submitter waits for it, and it gets a fence only if it does not
 *	complete at once; cleared in dmacpy_job_prepare() if it needs no fence,
 *	or needs one at once
 * @synced: the caches were synced for the engine
 * @cursor: the place in @plan
 * @handle: handle of the prepared operations that it runs, or 0
 * @channels: the largest number of channels that may run it; 0 or 1 for only
 *	the channel of the stream
 * @part_terminated: at least one of its parts has completed without waiting for
 *	the engine, which may still write
 * @after: the jobs of the stream up to this number must complete before it runs
 * @spread: its parts on other channels, or NULL
 * @plan: its operations; NULL while it has no reference to them
 * @own: the plan of a job without prepared operations
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
 * @spare: a released job, which is used again if it has room for @nops, or NULL
 * @nops: number of operations, 1 to dmacpy_max_ops, or 0 for
 *	dmacpy_job_take_plan()
 *
 * Context: Process.
 * Return: a job (dmacpy_job_free()) whose operations the caller fills in, or
 * NULL.
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
	/* All other members are set before they are used. */
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
 * dmacpy_job_take_plan() - have a job run prepared operations
 * @job: a job without operations
 * @plan: a complete plan; the job gets a reference to it
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
 * dmacpy_job_put_plan() - put the buffers of a job, or its prepared plan
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
 * dmacpy_job_clear() - put all references of a job
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
	/* Spares nearly all jobs a call. */
	if (unlikely(job->spread))
		kfree(job->spread);
}

/* Each row is synced by a call of its own, however short it is. */
static inline bool dmacpy_job_syncs_slowly(const struct dmacpy_plan *plan)
{
	return plan->needs_sync && (plan->length > DMACPY_JOB_QUICK_SYNC ||
				    plan->rows > DMACPY_JOB_QUICK_ROWS);
}

/**
 * dmacpy_job_prepare() - decide which fence a job needs, and allocate it
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
		     !dmacpy_job_syncs_slowly(plan);
	if (!fenced && (!job->implicit || job->lazy))
		return 0;
	return dmacpy_job_add_fence(job);
}

/**
 * dmacpy_job_complete() - sync the buffers of a job for the CPU, and put them
 * @job: a job that the channel has completed
 *
 * The references are put before the result is reported: the last RELEASE or
 * close after that frees a buffer. A terminated job keeps its references as
 * long as the engine may write to the buffers.
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
 * dmacpy_job_run() - submit a job to its channel, which owns it after this
 * @job: a job after dmacpy_job_prepare(), whose fences have signalled
 * @chan: the channel
 * @lane: the lane of the stream
 * @ops: callbacks from the channel
 * @result: 0, or the -errno that it completes with, without the engine
 *
 * The caches are synced only now, as a task may write to the source by CPU
 * until the fences that the job waits for have signalled.
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
	job->xfer.slow = dmacpy_job_syncs_slowly(job->plan);
	job->synced = !result && job->plan->needs_sync;
	if (job->synced)
		dmacpy_plan_sync_for_device(job->plan);
	dmacpy_chan_submit(chan, lane, &job->xfer);
}

#endif /* DMACPY_JOB_H */
