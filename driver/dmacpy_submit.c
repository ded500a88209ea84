// SPDX-License-Identifier: GPL-2.0-only
/*
 * The path of a job from the program to the queue of its stream. All that can
 * fail comes before submit_publish(), and leaves no trace if it does.
 */
#include <linux/atomic.h>
#include <linux/dma-fence.h>
#include <linux/llist.h>
#include <linux/lockdep.h>
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

/*
 * Returns a completed job for reuse, or NULL. The task takes the whole list, as
 * other tasks may do the same concurrently, and puts the other jobs back.
 * Usually no job was added in between.
 */
static struct dmacpy_job *submit_take_spare(struct dmacpy_stream *stream)
{
	struct llist_node *spare = llist_del_all(&stream->spares), *last;

	if (!spare)
		return NULL;
	atomic_dec(&stream->nspares);
	if (spare->next && cmpxchg(&stream->spares.first, NULL, spare->next)) {
		for (last = spare->next; last->next; last = last->next)
			;
		llist_add_batch(spare->next, last, &stream->spares);
	}
	return llist_entry(spare, struct dmacpy_job, spare);
}

/**
 * dmacpy_submit_new_job() - make a job for a stream
 * @stream: the stream
 * @nops: number of operations, 1 to dmacpy_max_ops; 0 if it has a handle of
 *	prepared ones instead
 *
 * Context: Process.
 * Return: a job for dmacpy_submit(), or dmacpy_job_free(), or NULL.
 */
struct dmacpy_job *dmacpy_submit_new_job(struct dmacpy_stream *stream,
					 unsigned int nops)
{
	return dmacpy_job_new(submit_take_spare(stream), nops);
}

/*
 * Returns -EBUSY if there will be room by itself, -EAGAIN if the program has to
 * read events first.
 */
static int submit_check_room(struct dmacpy_stream *stream,
			     const struct dmacpy_job *job)
{
	if (job->event && READ_ONCE(stream->events) >= dmacpy_max_events.value)
		return -EAGAIN;
	if (READ_ONCE(stream->jobs) >= dmacpy_max_jobs.value)
		return -EBUSY;
	return 0;
}

/* Most handles are the ones of the last time. */
static struct dmacpy_buf *submit_find(struct dmacpy_stream *stream,
				      struct dmacpy_handle_cache *cache,
				      u32 handle)
{
	struct dmacpy_buf *buf;

	/* No handle is removed, and no buffer put, under this mutex. */
	lockdep_assert_held(&stream->submit);
	if (cache->handle == handle)
		return cache->buf;
	buf = xa_load(&stream->bufs, handle);
	if (buf)
		*cache = (struct dmacpy_handle_cache){ handle, buf };
	return buf;
}

/* Finds the buffer, and adds it to those of the plan, each once. */
static struct dmacpy_buf *submit_use(struct dmacpy_stream *stream,
				     struct dmacpy_plan *plan,
				     struct dmacpy_handle_cache *cache,
				     u32 handle, bool write)
{
	struct dmacpy_buf *buf = submit_find(stream, cache, handle);
	unsigned int i;

	if (!buf)
		return NULL;
	i = dmacpy_buf_visit(buf, stream->visits, plan->npoints);
	if (i == plan->npoints) {
		dmacpy_buf_get(buf);
		plan->points[i] = (struct dmacpy_sync_point){ .buf = buf };
		plan->npoints++;
	}
	plan->points[i].write |= write;
	return buf;
}

/*
 * One pass over the operations: finds the buffers of each, checks it against
 * them, and adds it to what the engine gets.
 */
static int submit_plan(struct dmacpy_stream *stream, struct dmacpy_plan *plan)
{
	const struct dmacpy_op *op = plan->op, *end = op + plan->nops;
	struct dmacpy_plan_ends ends;
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

/* A job that was prepared has a plan only inside of the gate, and then on. */
static int submit_take_plan(struct dmacpy_stream *stream,
			    struct dmacpy_job *job)
{
	struct dmacpy_plan *plan;

	plan = dmacpy_handle_find_plan(stream, job->handle);
	if (!plan)
		return -ENOENT;
	dmacpy_job_take_plan(job, plan);
	return 0;
}

/*
 * The point of no return: the job has its number in the stream, and others can
 * see its fence, which must signal. From here on a failure of an earlier job
 * cancels this one.
 */
static void submit_publish(struct dmacpy_stream *stream, struct dmacpy_job *job)
{
	dmacpy_stream_get(stream);
	job->stream = stream;

	spin_lock_irq(&stream->lock);
	job->seqno = ++stream->seqno;
	job->after = job->spread ? job->seqno - 1 : stream->spread;
	if (job->spread)
		stream->spread = job->seqno;
	WRITE_ONCE(stream->jobs, stream->jobs + 1);
	WRITE_ONCE(stream->events, stream->events + job->event);
	spin_unlock_irq(&stream->lock);

	if (job->fence) {
		dmacpy_fence_publish(job->fence, stream->context, job->seqno);
		dmacpy_sync_publish(job->plan->points, job->plan->npoints,
				    job->fence);
	}
	trace_dmacpy_job_submit(stream->context, job->seqno, job->length,
				job->plan->nops, job->deps.count);
}

/* To the channel, or behind the fences that it waits for. */
static void submit_queue(struct dmacpy_stream *stream, struct dmacpy_job *job)
{
	bool signalling = dma_fence_begin_signalling();

	dmacpy_queue_job(stream, job);
	dma_fence_end_signalling(signalling);
}

/* A fence for a lazy job, unless it has completed. */
static struct dma_fence *submit_fence_late(struct dmacpy_stream *stream,
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
 * fence. A job that has completed by then needs none, and that is most of what
 * implicit synchronization costs. When the job is gone, its buffers are not:
 * no handle is removed under this mutex.
 */
static void submit_queue_lazily(struct dmacpy_stream *stream,
				struct dmacpy_job *job,
				struct ww_acquire_ctx *ctx)
{
	struct dmacpy_sync_point points[DMACPY_LAZY_POINTS];
	const struct dmacpy_waiter *waiter = job->waiter;
	unsigned int i, npoints = job->plan->npoints;
	struct dma_fence *fence;

	lockdep_assert_held(&stream->submit);
	/* A plan that was prepared is locked again by the next job. */
	for (i = 0; i < npoints; i++) {
		points[i] = job->plan->points[i];
		job->plan->points[i].locked = false;
	}
	submit_queue(stream, job);
	fence = submit_fence_late(stream, waiter);
	if (fence)
		dmacpy_sync_publish(points, npoints, fence);
	dmacpy_sync_unlock(points, npoints, ctx);
	dma_fence_put(fence);
}

/* The whole way. After a failure the job is still the caller's. */
static int submit_locked(struct dmacpy_stream *stream, struct dmacpy_job *job)
{
	struct ww_acquire_ctx ctx;
	struct dmacpy_plan *plan;
	int ret;

	lockdep_assert_held(&stream->submit);

	/* Room in the stream, taken by submit_publish(), and of the user. */
	ret = submit_check_room(stream, job);
	if (!ret && job->handle)
		ret = submit_take_plan(stream, job);
	if (ret)
		return ret;
	plan = job->plan;
	if (!dmacpy_account_begin_job(stream->account, plan->length)) {
		ret = -EBUSY;
		goto err_put_plan;
	}

	/* What the engine is to do, if the operations may do so. */
	if (!job->handle)
		ret = submit_plan(stream, plan);
	if (ret)
		goto err_end_job;
	if (!dmacpy_chan_ready(stream->chan)) {
		ret = -EAGAIN;
		goto err_end_job;
	}
	ret = dmacpy_job_prepare(job);
	if (!ret && job->channels > 1)
		ret = dmacpy_spread_prepare(stream, job);
	if (ret)
		goto err_end_job;
	if (job->lazy && !stream->fence) {
		stream->fence = dmacpy_fence_new();
		if (!stream->fence) {
			ret = -ENOMEM;
			goto err_end_job;
		}
	}

	/* Its place among all users of the buffers, in one step. */
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
	dmacpy_account_end_job(stream->account, plan->length);
err_put_plan:
	if (job->handle)
		dmacpy_job_put_plan(job);
	return ret;
}

/* Returns -EBUSY if there is no room now; other failures free the job. */
static int submit_try(struct dmacpy_stream *stream, struct dmacpy_job *job)
{
	int idx, ret = -ENODEV;

	if (dmacpy_device_enter(stream->dev, &idx))
		ret = job->channels > 1 ? dmacpy_stream_widen(stream) : 0;
	if (!ret) {
		/* Usually no other task submits, which is cheaper to try. */
		ret = mutex_trylock(&stream->submit) ? 0 :
		      mutex_lock_interruptible(&stream->submit);
		if (!ret) {
			ret = submit_locked(stream, job);
			mutex_unlock(&stream->submit);
		}
	}
	/* Inside the gate: an unbind then waits until all is unmapped. */
	if (ret && ret != -EBUSY)
		dmacpy_job_free(job);
	dmacpy_device_leave(stream->dev, idx);
	return ret;
}

/* False as long as a submission would have to wait. */
static bool submit_may_succeed(struct dmacpy_stream *stream,
			       const struct dmacpy_job *job)
{
	int ret = submit_check_room(stream, job);

	if (!ret && !dmacpy_account_has_room(stream->account))
		ret = -EBUSY;
	return ret != -EBUSY || READ_ONCE(stream->dev->unplugged);
}

/**
 * dmacpy_submit_unplug() - begin with jobs that were submitted plugged
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
	dmacpy_device_leave(stream->dev, idx);
}

static int submit_prepare_locked(struct dmacpy_stream *stream,
				 struct dmacpy_plan *plan)
{
	int ret;

	ret = mutex_lock_interruptible(&stream->submit);
	if (ret)
		return ret;
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
 * Return: 0, -ENODEV, -ENOENT, -EINTR, or as dmacpy_plan_add(),
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
	dmacpy_device_leave(stream->dev, idx);
	return ret;
}

/**
 * dmacpy_submit() - run a job, after those submitted before it
 * @stream: the stream
 * @job: a job, whose own plan dmacpy_plan_check() has passed; gone in any case
 * @nonblock: do not wait until there is room for it
 *
 * Context: Process.
 * Return: 0, or what keeps it from being started: -ENODEV, -ENOENT, -EAGAIN,
 * -ERESTARTSYS, -EINTR, or as dmacpy_plan_add(), dmacpy_plan_complete(),
 * dmacpy_sync_lock().
 */
int dmacpy_submit(struct dmacpy_stream *stream, struct dmacpy_job *job,
		  bool nonblock)
{
	int ret;

	/* Other tasks may be faster to take what there is room for. */
	while ((ret = submit_try(stream, job)) == -EBUSY) {
		/* What is plugged makes room. */
		dmacpy_submit_unplug(stream, false);
		ret = nonblock ? -EAGAIN :
		      wait_event_interruptible(stream->wait,
					       submit_may_succeed(stream, job));
		if (ret) {
			dmacpy_job_free(job);
			break;
		}
	}
	return ret;
}
