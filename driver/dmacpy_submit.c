// SPDX-License-Identifier: GPL-2.0-only
/*
 * The path of a job from the program to the queue of its stream. All steps that
 * can fail come before submit_publish(), and have no effect if they fail.
 */
#include <linux/atomic.h>
#include <linux/dma-fence.h>
#include <linux/llist.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/ww_mutex.h>
#include <linux/xarray.h>

#include "dmacpy_account.h"
#include "dmacpy_buf.h"
#include "dmacpy_chan.h"
#include "dmacpy_device.h"
#include "dmacpy_event.h"
#include "dmacpy_fence.h"
#include "dmacpy_handle.h"
#include "dmacpy_job.h"
#include "dmacpy_param.h"
#include "dmacpy_plan.h"
#include "dmacpy_queue.h"
#include "dmacpy_spread.h"
#include "dmacpy_stream.h"
#include "dmacpy_submit.h"
#include "dmacpy_sync.h"
#include "dmacpy_trace.h"

#include <linux/dmacpy.h>

/* Puts the unused spare jobs back. Usually no job was added in between. */
static void submit_put_spares(struct dmacpy_stream *stream,
			      struct llist_node *spare)
{
	struct llist_node *last = spare;

	if (!spare || !cmpxchg(&stream->spares.first, NULL, spare))
		return;
	while (last->next)
		last = last->next;
	llist_add_batch(spare, last, &stream->spares);
}

/**
 * dmacpy_submit_new_jobs() - make jobs for a stream
 * @stream: the stream
 * @count: number of jobs, at least 1
 * @nops: number of operations of each, 1 to dmacpy_max_ops; 0 for jobs that run
 *	prepared operations
 *
 * Spare jobs are used again. The task takes the whole list of them, as other
 * tasks may take jobs at the same time, and puts unused ones back.
 *
 * Context: Process.
 * Return: the first of a list of jobs for dmacpy_submit_list(), or
 * dmacpy_submit_free_list(), or NULL.
 */
struct dmacpy_job *dmacpy_submit_new_jobs(struct dmacpy_stream *stream,
					  unsigned int count, unsigned int nops)
{
	struct llist_node *spare = llist_del_all(&stream->spares);
	struct dmacpy_job *job, *first = NULL;
	unsigned int taken = 0;

	while (count--) {
		job = NULL;
		if (spare) {
			job = llist_entry(spare, struct dmacpy_job, spare);
			spare = spare->next;
			taken++;
		}
		job = dmacpy_job_new(job, nops);
		if (!job) {
			dmacpy_submit_free_list(first);
			first = NULL;
			break;
		}
		job->next = first;
		first = job;
	}
	atomic_sub(taken, &stream->nspares);
	submit_put_spares(stream, spare);
	return first;
}

/**
 * dmacpy_submit_free_list() - free jobs that were not submitted
 * @job: the first of a list, or NULL
 *
 * Context: Any.
 */
void dmacpy_submit_free_list(struct dmacpy_job *job)
{
	struct dmacpy_job *next;

	for (; job; job = next) {
		next = job->next;
		dmacpy_job_free(job);
	}
}

/*
 * Returns -EBUSY if there is room as soon as a job completes, -EAGAIN if the
 * program has to read events first.
 */
static int submit_check_room(struct dmacpy_stream *stream,
			     const struct dmacpy_job *job)
{
	if (job->event &&
	    dmacpy_event_places(stream) >= dmacpy_max_events.value)
		return -EAGAIN;
	if (dmacpy_stream_jobs(stream) >= dmacpy_max_jobs.value)
		return -EBUSY;
	return 0;
}

/* Most jobs use the same handles as the one before. */
static struct dmacpy_buf *submit_find(struct dmacpy_stream *stream,
				      struct dmacpy_handle_cache *cache,
				      u32 handle)
{
	struct dmacpy_buf *buf;

	/* Handles are only removed under this mutex. */
	lockdep_assert_held(&stream->submit);
	if (cache->handle == handle)
		return cache->buf;
	buf = xa_load(&stream->bufs, handle);
	if (buf)
		*cache = (struct dmacpy_handle_cache){
			.handle = handle,
			.buf = buf,
		};
	return buf;
}

/* Finds the buffer, and adds it to the plan unless the plan has it. */
static __always_inline struct dmacpy_buf *
submit_use(struct dmacpy_stream *stream, struct dmacpy_plan *plan,
	   struct dmacpy_handle_cache *cache, u32 handle, bool write)
{
	struct dmacpy_buf *buf = submit_find(stream, cache, handle);
	unsigned int i;

	if (!buf)
		return NULL;
	i = dmacpy_buf_slot(buf, stream->visits, plan->npoints);
	dmacpy_plan_use(plan, buf, i, write);
	return buf;
}

/*
 * One pass over the operations: finds the buffers of each operation, checks the
 * operation against them, and plans it for the engine.
 */
static int submit_plan(struct dmacpy_stream *stream, struct dmacpy_plan *plan)
{
	const struct dmacpy_op *op = plan->op, *end = op + plan->nops;
	struct dmacpy_op_bufs ends;
	int ret;

	stream->visits++;
	dmacpy_plan_begin(plan, stream->chan);
	while (op < end) {
		ends.dst = submit_use(stream, plan, &stream->dst, op->dst,
				      true);
		ends.src = submit_use(stream, plan, &stream->src, op->src,
				      false);
		if (!ends.dst || (!ends.src && op->opcode != DMACPY_OP_FILL))
			ret = -ENOENT;
		else
			ret = dmacpy_plan_add(plan, &op, end, &ends,
					      stream->chan);
		if (ret)
			return dmacpy_plan_refuse(plan, op - plan->op, ret);
	}
	return dmacpy_plan_complete(plan, stream->chan);
}

/* RELEASE of the plan takes the mutex, too. */
static int submit_take_plan(struct dmacpy_stream *stream,
			    struct dmacpy_job *job)
{
	struct dmacpy_plan *plan;

	lockdep_assert_held(&stream->submit);
	plan = dmacpy_handle_find_plan(stream, job->handle);
	if (!plan)
		return -ENOENT;
	dmacpy_job_take_plan(job, plan);
	return 0;
}

/*
 * The point of no return: the job gets its number in the stream, and others can
 * see its fence, which must signal. From here on the failure of an earlier job
 * cancels this one.
 */
static void submit_publish(struct dmacpy_stream *stream, struct dmacpy_job *job)
{
	dmacpy_stream_get(stream);
	job->stream = stream;

	job->seqno = atomic64_read(&stream->seqno) + 1;
	atomic64_set(&stream->seqno, job->seqno);
	job->after = job->spread ? job->seqno - 1 : stream->spread;
	if (job->spread)
		stream->spread = job->seqno;
	WRITE_ONCE(stream->events, stream->events + job->event);

	if (job->fence) {
		dmacpy_fence_publish(job->fence, stream->context, job->seqno);
		dmacpy_sync_publish(job->plan->points, job->plan->npoints,
				    job->fence);
	}
	trace_dmacpy_job_submit(stream->context, job->seqno, job->length,
				job->plan->nops, job->deps.count);
}

/* Dispatches the job to the channel, or has it wait for its fences. */
static void submit_queue(struct dmacpy_stream *stream, struct dmacpy_job *job)
{
	bool signalling = dma_fence_begin_signalling();

	dmacpy_queue_job(stream, job);
	dma_fence_end_signalling(signalling);
}

/* Gives a lazy job a fence, and returns it, unless the job has completed. */
static struct dma_fence *
submit_fence_deferred(struct dmacpy_stream *stream,
		      const struct dmacpy_waiter *waiter)
{
	struct dma_fence *fence = NULL;
	struct dmacpy_job *job;

	spin_lock_irq(&stream->lock);
	job = waiter->job;
	if (job) {
		fence = stream->fence;
		stream->fence = NULL;
		dmacpy_fence_publish(fence, stream->context, job->seqno);
		job->fence = dma_fence_get(fence);
	}
	spin_unlock_irq(&stream->lock);
	return fence;
}

/*
 * As long as the dma-bufs are locked, no other task can see whether they have a
 * fence. A job that completes before they are unlocked needs none, which saves
 * most of the cost of implicit synchronization. The buffers outlive the job: no
 * handle is removed under this mutex.
 */
static void submit_queue_lazily(struct dmacpy_stream *stream,
				struct dmacpy_job *job,
				struct ww_acquire_ctx *ctx)
{
	struct dmacpy_job_buf points[DMACPY_LAZY_POINTS];
	const struct dmacpy_waiter *waiter = job->waiter;
	unsigned int i, npoints = job->plan->npoints;
	struct dma_fence *fence;

	lockdep_assert_held(&stream->submit);
	/* The next job locks the buffers of a prepared plan again. */
	for (i = 0; i < npoints; i++) {
		points[i] = job->plan->points[i];
		job->plan->points[i].locked = false;
	}
	submit_queue(stream, job);
	fence = submit_fence_deferred(stream, waiter);
	if (fence)
		dmacpy_sync_publish(points, npoints, fence);
	dmacpy_sync_unlock(points, npoints, ctx);
	dma_fence_put(fence);
}

/* Checks the operations, plans them for the engine, and allocates memory. */
static int submit_prepare(struct dmacpy_stream *stream, struct dmacpy_job *job)
{
	int ret = 0;

	lockdep_assert_held(&stream->submit);
	if (!job->handle)
		ret = submit_plan(stream, job->plan);
	if (ret)
		return ret;
	if (!dmacpy_chan_ready(stream->chan))
		return -EAGAIN;
	ret = dmacpy_job_prepare(job);
	if (!ret && job->channels > 1)
		ret = dmacpy_spread_prepare(stream, job);
	if (!ret && job->lazy && !stream->fence) {
		stream->fence = dmacpy_fence_new();
		if (!stream->fence)
			ret = -ENOMEM;
	}
	return ret;
}

/* Submits one job. After a failure the caller still owns it. */
static int submit_locked(struct dmacpy_stream *stream, struct dmacpy_job *job)
{
	struct ww_acquire_ctx ctx;
	struct dmacpy_plan *plan;
	u64 length;
	int ret;

	lockdep_assert_held(&stream->submit);

	/* Check that the stream has room for the job, and charge the user. */
	ret = submit_check_room(stream, job);
	if (!ret && job->handle)
		ret = submit_take_plan(stream, job);
	if (ret)
		return ret;
	plan = job->plan;
	/* A longer job is refused below: it must not take others' room. */
	length = min_t(u64, plan->length, dmacpy_max_bytes.value);
	if (!dmacpy_account_begin_job(stream->account, length)) {
		ret = -EBUSY;
		goto err_put_plan;
	}

	ret = submit_prepare(stream, job);
	if (ret)
		goto err_end_job;

	/* Order the job among all users of its buffers, in one step. */
	if (job->implicit) {
		ret = dmacpy_sync_lock(plan->points, plan->npoints, &ctx);
		if (ret)
			goto err_end_job;
	}
	if (job->implicit || plan->needs_sync)
		ret = dmacpy_sync_collect(plan->points, plan->npoints,
					  stream->context, &job->deps);
	if (ret)
		goto err_unlock;
	submit_publish(stream, job);
	if (job->lazy) {
		submit_queue_lazily(stream, job, &ctx);
		return 0;
	}
	if (job->implicit)
		dmacpy_sync_unlock(plan->points, plan->npoints, &ctx);
	submit_queue(stream, job);
	return 0;

err_unlock:
	if (job->implicit)
		dmacpy_sync_unlock(plan->points, plan->npoints, &ctx);
err_end_job:
	dmacpy_account_end_job(stream->account, length);
err_put_plan:
	if (job->handle)
		dmacpy_job_put_plan(job);
	return ret;
}

/* Submits the jobs of a list in order. Returns the number of these. */
static unsigned int submit_list_locked(struct dmacpy_stream *stream,
				       struct dmacpy_job **first, int *error)
{
	unsigned int count = 0;
	struct dmacpy_job *job, *next;

	for (job = *first; job; job = next) {
		/* A job that was submitted may be freed at once. */
		next = job->next;
		*error = submit_locked(stream, job);
		if (*error)
			break;
		count++;
	}
	*first = job;
	return count;
}

/*
 * Sets @first to the first job that was not submitted. The error is -EBUSY if
 * there is no room for it now; after other errors the jobs left are freed.
 * There is no need to enter the gate: an unbind closes it, and then waits for
 * this mutex, too.
 */
static unsigned int submit_try(struct dmacpy_stream *stream,
			       struct dmacpy_job **first, int *error)
{
	unsigned int count = 0;

	/* Usually no other task submits, and a trylock is cheaper. */
	*error = mutex_trylock(&stream->submit) ||
		 !mutex_lock_interruptible(&stream->submit) ? 0 : -ERESTARTSYS;
	if (*error) {
		/* Not under the mutex, as the jobs have no buffers yet. */
		dmacpy_submit_free_list(*first);
		return 0;
	}
	/* Pairs with the mutex in dmacpy_queue_stop(). */
	if (READ_ONCE(stream->dev->unplugged))
		*error = -ENODEV;
	else
		count = submit_list_locked(stream, first, error);
	/* Under the mutex: an unbind then waits until all is unmapped. */
	if (*error && *error != -EBUSY)
		dmacpy_submit_free_list(*first);
	mutex_unlock(&stream->submit);
	return count;
}

/* Returns false as long as a submission would have to wait. */
static bool submit_may_succeed(struct dmacpy_stream *stream,
			       const struct dmacpy_job *job)
{
	int ret = submit_check_room(stream, job);

	if (!ret && !dmacpy_account_has_room(stream->account))
		ret = -EBUSY;
	return ret != -EBUSY || READ_ONCE(stream->dev->unplugged);
}

/**
 * dmacpy_submit_unplug() - start the jobs that were submitted plugged
 * @stream: the stream
 * @atomic: the task is about to sleep
 *
 * Context: Process.
 */
void dmacpy_submit_unplug(struct dmacpy_stream *stream, bool atomic)
{
	int idx;

	if (dmacpy_device_enter(stream->dev, &idx))
		dmacpy_chan_unplug(stream->chan, atomic);
	dmacpy_device_exit(stream->dev, idx);
}

static noinline_for_stack int submit_wait_for_room(struct dmacpy_stream *stream,
						   const struct dmacpy_job *job,
						   bool nonblock)
{
	/* Plugged jobs have to run, and then make room. */
	dmacpy_submit_unplug(stream, false);
	if (nonblock)
		return -EAGAIN;
	return wait_event_interruptible(stream->wait,
					submit_may_succeed(stream, job));
}

static int submit_prepare_locked(struct dmacpy_stream *stream,
				 struct dmacpy_plan *plan)
{
	int ret;

	if (mutex_lock_interruptible(&stream->submit))
		return -ERESTARTSYS;
	ret = submit_plan(stream, plan);
	mutex_unlock(&stream->submit);
	return ret;
}

/**
 * dmacpy_submit_prepare() - check operations once, for many jobs
 * @stream: the stream
 * @plan: operations that dmacpy_plan_check() has passed; the reference becomes
 *	that of the handle, or is put
 * @handle: set to a handle of them
 *
 * Context: Process. Undone by dmacpy_handle_release().
 * Return: 0, -ENODEV, -ENOENT, -ERESTARTSYS, or as dmacpy_plan_add(),
 * dmacpy_plan_complete(), dmacpy_handle_add_plan().
 */
int dmacpy_submit_prepare(struct dmacpy_stream *stream,
			  struct dmacpy_plan *plan, u32 *handle)
{
	int idx, ret = -ENODEV;

	if (dmacpy_device_enter(stream->dev, &idx))
		ret = submit_prepare_locked(stream, plan);
	if (!ret)
		ret = dmacpy_handle_add_plan(stream, plan, handle);
	/* Inside the gate: an unbind then waits until all is unmapped. */
	if (ret)
		dmacpy_plan_put(plan);
	dmacpy_device_exit(stream->dev, idx);
	return ret;
}

/* Not under dmacpy_stream.submit: dmacpy_device.lock is taken before that. */
static noinline_for_stack int submit_widen(struct dmacpy_stream *stream)
{
	int idx, ret = -ENODEV;

	if (dmacpy_device_enter(stream->dev, &idx))
		ret = dmacpy_stream_widen(stream);
	dmacpy_device_exit(stream->dev, idx);
	return ret;
}

/**
 * dmacpy_submit_list() - run jobs, after those submitted before them
 * @stream: the stream
 * @job: the first of a list, whose own plans dmacpy_plan_check() has passed;
 *	all but the last one are plugged; no longer the caller's in any case
 * @nonblock: do not wait until there is room for them
 *
 * Context: Process.
 * Return: number of jobs that were submitted, or the error of the first one:
 * -ENODEV, -ENOENT, -EAGAIN, -ERESTARTSYS, or as dmacpy_plan_add(),
 * dmacpy_plan_complete(), dmacpy_sync_lock().
 */
int dmacpy_submit_list(struct dmacpy_stream *stream, struct dmacpy_job *job,
		       bool nonblock)
{
	unsigned int count = 0;
	int error;

	if (unlikely(job->channels > 1)) {
		error = submit_widen(stream);
		if (error) {
			dmacpy_submit_free_list(job);
			return error;
		}
	}
	for (;;) {
		count += submit_try(stream, &job, &error);
		if (error != -EBUSY)
			break;
		/* Another task may take the room first. */
		error = submit_wait_for_room(stream, job, nonblock);
		if (error) {
			dmacpy_submit_free_list(job);
			break;
		}
	}
	if (error && count)
		dmacpy_submit_unplug(stream, false);
	return count ?: error;
}
