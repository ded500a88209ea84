// SPDX-License-Identifier: GPL-2.0-only
/*
 * One run of a plan. All steps that can fail come before the job has its number
 * in the stream; later failures are its result.
 */
#include <linux/dma-fence.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "dmacpy_fence.h"
#include "dmacpy_job.h"
#include "dmacpy_plan.h"

/**
 * dmacpy_job_alloc() - allocate the memory of a job
 * @room: maximum number of operations
 *
 * Context: Process.
 * Return: a job for dmacpy_job_new(), or NULL.
 */
struct dmacpy_job *dmacpy_job_alloc(unsigned int room)
{
	struct dmacpy_job *job;

	job = kvmalloc(size_add(offsetof(struct dmacpy_job, own),
				dmacpy_plan_memory(room)), GFP_KERNEL_ACCOUNT);
	if (job)
		dmacpy_plan_place(&job->own, room);
	return job;
}

/**
 * dmacpy_job_free_memory() - free the memory of a job after dmacpy_job_clear()
 * @job: the job
 *
 * Context: Any: the pump may call this, and vfree() may sleep.
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
 * dmacpy_job_add_fence() - give a job a fence
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
 * dmacpy_job_next() - cut the next piece off a job
 * @xfer: the transfer of the job, which is not at its end
 * @max: maximum length of the piece
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
