// SPDX-License-Identifier: GPL-2.0-only
/*
 * One run of a plan. Everything that can fail happens before it has its place
 * in the stream; what fails later is its result.
 */
#include <linux/dma-fence.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "dmacpy_fence.h"
#include "dmacpy_job.h"
#include "dmacpy_plan.h"

/* Bytes whose caches may be synced in an interrupt. */
#define JOB_QUICK_SYNC	65536U

static struct dmacpy_job *job_alloc(unsigned int room)
{
	struct dmacpy_job *job;

	job = kvmalloc(size_add(offsetof(struct dmacpy_job, own),
				dmacpy_plan_memory(room)), GFP_KERNEL_ACCOUNT);
	if (job)
		dmacpy_plan_place(&job->own, room);
	return job;
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
struct dmacpy_job *dmacpy_job_new(struct dmacpy_job *spare, unsigned int nops)
{
	struct dmacpy_job *job = spare;

	if (!job || job->own.room < nops) {
		kvfree(job);
		job = job_alloc(nops);
		if (!job)
			return NULL;
	}
	*job = (struct dmacpy_job){
		.plan = nops ? &job->own : NULL,
		.own = {
			.op = job->own.op,
			.points = job->own.points,
			.nops = nops,
			.room = job->own.room,
		},
	};
	return job;
}

/**
 * dmacpy_job_take_plan() - have a job run what was prepared
 * @job: a job without operations
 * @plan: a complete plan, of which it takes a reference
 *
 * Context: Any. Undone by dmacpy_job_put_plan().
 */
void dmacpy_job_take_plan(struct dmacpy_job *job, struct dmacpy_plan *plan)
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
void dmacpy_job_put_plan(struct dmacpy_job *job)
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
void dmacpy_job_clear(struct dmacpy_job *job)
{
	if (job->plan)
		dmacpy_job_put_plan(job);
	dmacpy_deps_free(&job->deps);
	dma_fence_put(job->fence);
	kfree(job->spread);
}

/**
 * dmacpy_job_free_memory() - free what is left after dmacpy_job_clear()
 * @job: the job
 *
 * Context: Any: the pump may get here, and vfree() may sleep.
 */
void dmacpy_job_free_memory(struct dmacpy_job *job)
{
	if (is_vmalloc_addr(job))
		kvfree_rcu(job, own.rcu);
	else
		kfree(job);
}

/**
 * dmacpy_job_free() - free a job that was not submitted
 * @job: the job
 *
 * Context: Any.
 */
void dmacpy_job_free(struct dmacpy_job *job)
{
	dmacpy_job_clear(job);
	kvfree(job);
}

/**
 * dmacpy_job_add_fence() - have others know when a job has ended
 * @job: a job that was not submitted; it may have a fence
 *
 * Context: Process.
 * Return: 0 or -ENOMEM.
 */
int dmacpy_job_add_fence(struct dmacpy_job *job)
{
	if (!job->fence)
		job->fence = dmacpy_fence_new();
	return job->fence ? 0 : -ENOMEM;
}

/**
 * dmacpy_job_prepare() - have what a job needs to run
 * @job: a job with a complete plan
 *
 * Context: Process, inside the gate.
 * Return: 0 or -ENOMEM.
 */
int dmacpy_job_prepare(struct dmacpy_job *job)
{
	const struct dmacpy_plan *plan = job->plan;
	bool fenced = job->fence || plan->bounces;

	job->length = plan->length;
	job->xfer.left = plan->length;
	job->implicit &= plan->shared;
	/* Caches of much memory are not cleaned while dma-bufs are locked. */
	job->lazy &= job->implicit && !fenced &&
		     plan->npoints <= DMACPY_LAZY_POINTS &&
		     (!plan->needs_sync || plan->length <= JOB_QUICK_SYNC);
	if (!fenced && (!job->implicit || job->lazy))
		return 0;
	return dmacpy_job_add_fence(job);
}

/**
 * dmacpy_job_next() - cut the next piece off a job
 * @xfer: of the job, which has some left
 * @max: longest piece
 * @piece: set to the piece
 *
 * Context: Any.
 */
void dmacpy_job_next(struct dmacpy_xfer *xfer, size_t max,
		     struct dmacpy_piece *piece)
{
	struct dmacpy_job *job = dmacpy_job_of(xfer);

	dmacpy_plan_cut(job->plan, &job->cursor, max, piece);
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
void dmacpy_job_complete(struct dmacpy_job *job)
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
void dmacpy_job_run(struct dmacpy_job *job, struct dmacpy_chan *chan,
		    struct dmacpy_lane *lane, const struct dmacpy_xfer_ops *ops,
		    int result)
{
	dmacpy_deps_free(&job->deps);
	job->xfer.ops = ops;
	job->xfer.result = result;
	job->xfer.slow = job->plan->needs_sync && job->length > JOB_QUICK_SYNC;
	job->synced = !result && job->plan->needs_sync;
	if (job->synced)
		dmacpy_plan_sync_for_device(job->plan);
	dmacpy_chan_submit(chan, lane, &job->xfer);
}
