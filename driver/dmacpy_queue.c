// SPDX-License-Identifier: GPL-2.0-only
/*
 * The jobs of a stream: their dependencies, and their completion.
 *
 * A job is dispatched to the channel at once if neither it nor a job before it
 * waits for a fence. Otherwise it is queued behind these, and a work item
 * dispatches the first one when its fences have signalled: jobs start in order.
 */
#include <linux/atomic.h>
#include <linux/dma-fence.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/processor.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "dmacpy_account.h"
#include "dmacpy_chan.h"
#include "dmacpy_event.h"
#include "dmacpy_fence.h"
#include "dmacpy_job.h"
#include "dmacpy_param.h"
#include "dmacpy_queue.h"
#include "dmacpy_spread.h"
#include "dmacpy_stream.h"
#include "dmacpy_trace.h"

/* Maximum number of operations of the first spare job of a stream */
#define QUEUE_SPARE_OPS	64
/* Maximum number of spare jobs of a stream */
#define QUEUE_SPARES	32
/* Maximum number of operations of all spare jobs but the first */
#define QUEUE_SPARES_OPS	8
/* Limit of the latency that a job counts for, in units of the time to spin */
#define QUEUE_LATENCY_MAX	4

/* Cancels the job in its turn if an earlier job of the stream has failed. */
static int queue_start(struct dmacpy_xfer *xfer)
{
	struct dmacpy_job *job = dmacpy_job_of(xfer);
	struct dmacpy_stream *stream = job->stream;
	int ret = 0;

	if (job->seqno <= atomic64_read(&stream->cancelled))
		ret = -ECANCELED;
	trace_dmacpy_job_start(stream->context, job->seqno, ret);
	return ret;
}

/*
 * A failure cancels all jobs submitted before it was noted. For later jobs that
 * depend on the failed one, see queue_dep_fails().
 */
static int queue_note_result(struct dmacpy_stream *stream,
			     const struct dmacpy_job *job, int result)
{
	bool cancelled = job->seqno <= atomic64_read(&stream->cancelled);
	unsigned long flags;

	if (likely(!result && !cancelled))
		return 0;
	spin_lock_irqsave(&stream->lock, flags);
	if (!cancelled)
		atomic64_set(&stream->cancelled,
			     atomic64_read(&stream->seqno));
	result = result ?: -ECANCELED;
	if (!stream->error)
		stream->error = result;
	stream->failed++;
	spin_unlock_irqrestore(&stream->lock, flags);
	return result;
}

/*
 * Stores the result in the waiter. Returns the waiter if it has to be woken: a
 * waiter that is not armed may be freed as soon as waiter->job is NULL.
 */
static struct dmacpy_waiter *queue_complete_waiter(struct dmacpy_stream *stream,
						   struct dmacpy_job *job,
						   int result)
{
	struct dmacpy_waiter *waiter = job->waiter;
	bool armed;

	lockdep_assert_held(&stream->lock);
	if (!waiter)
		return NULL;
	armed = waiter->armed;
	waiter->result = result;
	/* Pairs with the acquire in dmacpy_queue_is_done(). */
	smp_store_release(&waiter->job, NULL);
	return armed ? waiter : NULL;
}

/* Under the lock: a lazy job may get a fence until its waiter has a result. */
static struct dmacpy_waiter *queue_set_result(struct dmacpy_stream *stream,
					      struct dmacpy_job *job,
					      int result)
{
	struct dmacpy_waiter *waiter = NULL;
	unsigned long flags;

	spin_lock_irqsave(&stream->lock, flags);
	if (!job->fence)
		waiter = queue_complete_waiter(stream, job, result);
	else if (result)
		dma_fence_set_error(job->fence, result);
	spin_unlock_irqrestore(&stream->lock, flags);
	return waiter;
}

static struct dmacpy_waiter *queue_signal(struct dmacpy_stream *stream,
					  struct dmacpy_job *job, int result)
{
	struct dmacpy_waiter *waiter;
	unsigned long flags;

	dma_fence_signal(job->fence);
	if (!READ_ONCE(job->waiter))
		return NULL;
	spin_lock_irqsave(&stream->lock, flags);
	waiter = queue_complete_waiter(stream, job, result);
	spin_unlock_irqrestore(&stream->lock, flags);
	return waiter;
}

/*
 * The order matters: a program that sees the result, by any means, also finds
 * the event, and room for the next job. No waiter and no fsync() returns before
 * the fence has signalled. The jobs of a stream complete one at a time: most of
 * this needs no lock.
 */
static void queue_done(struct dmacpy_xfer *xfer, int result)
{
	struct dmacpy_job *job = dmacpy_job_of(xfer);
	struct dmacpy_stream *stream = job->stream;
	struct dmacpy_waiter *waiter = NULL;

	if (unlikely(job->spread))
		result = result ?: job->spread->error;
	dmacpy_job_complete(job);
	dmacpy_account_end_job(stream->account, job->length);
	result = queue_note_result(stream, job, result);
	atomic64_set(&stream->bytes,
		     atomic64_read(&stream->bytes) + job->length);
	/* Pairs with the acquire in dmacpy_stream_jobs(). */
	atomic64_set_release(&stream->done, job->seqno);
	if (job->event)
		dmacpy_event_add(stream, job, result);
	trace_dmacpy_job_done(stream->context, job->seqno, result);
	/*
	 * A lazy job whose waiter was cancelled has a fence: pairs with the
	 * release in dmacpy_queue_cancel_waiter().
	 */
	if (smp_load_acquire(&job->waiter) || (job->fence && result))
		waiter = queue_set_result(stream, job, result);
	if (job->fence)
		waiter = queue_signal(stream, job, result);
	atomic64_set_release(&stream->ended, job->seqno);
	if (wq_has_sleeper(&stream->wait))
		wake_up_all(&stream->wait);
	/* Pairs with the barrier in queue_is_held_up(). */
	if (atomic64_read(&stream->awaited) == job->seqno)
		mod_delayed_work(dmacpy_stream_wq, &stream->advance, 0);
	if (waiter)
		waiter->wake(waiter);
}

/* The count is raised first, so that the list is never longer. */
static bool queue_keep_spare(struct dmacpy_stream *stream,
			     struct dmacpy_job *job)
{
	if (job->own.room > QUEUE_SPARE_OPS ||
	    (job->own.room > QUEUE_SPARES_OPS && atomic_read(&stream->nspares)))
		return false;
	if (atomic_inc_return(&stream->nspares) > QUEUE_SPARES) {
		atomic_dec(&stream->nspares);
		return false;
	}
	llist_add(&job->spare, &stream->spares);
	return true;
}

static void queue_release(struct dmacpy_xfer *xfer)
{
	struct dmacpy_job *job = dmacpy_job_of(xfer);
	struct dmacpy_stream *stream = job->stream;

	if (unlikely(job->spread) && !dmacpy_spread_release(job->spread))
		return;
	dmacpy_job_clear(job);
	if (!queue_keep_spare(stream, job))
		dmacpy_job_free_memory(job);
	dmacpy_stream_put(stream);
}

/* Callbacks from the channel for the transfer of a job */
const struct dmacpy_xfer_ops dmacpy_queue_xfer_ops = {
	.start = queue_start,
	.next = dmacpy_job_next,
	.done = queue_done,
	.release = queue_release,
};

/*
 * Has an earlier job of the stream failed, or will it be cancelled? If neither,
 * a later failure cancels the job that depends on it: see queue_note_result().
 */
static bool queue_dep_fails(struct dmacpy_stream *stream,
			    struct dma_fence *fence)
{
	u64 cancelled;
	bool fails;

	spin_lock_irq(&stream->lock);
	cancelled = atomic64_read(&stream->cancelled);
	fails = fence->error || (fence->seqno <= cancelled &&
				 !dma_fence_is_signaled(fence));
	spin_unlock_irq(&stream->lock);
	return fails;
}

/*
 * Returns 0 if all fences have signalled, -EINPROGRESS, or -ECANCELED if the
 * in-fence has failed. Jobs of one stream run in order: a job waits for another
 * one of its stream only if it must not sync the caches before that completes.
 */
static int queue_deps_status(struct dmacpy_stream *stream,
			     struct dmacpy_job *job)
{
	struct dmacpy_deps *deps = &job->deps;
	struct dma_fence *fence;
	bool explicit;

	for (; deps->next < deps->count; deps->next++) {
		fence = deps->fences[deps->next];
		explicit = deps->next < deps->explicit;
		if (explicit && !job->plan->needs_sync &&
		    fence->context == stream->context) {
			if (queue_dep_fails(stream, fence))
				return -ECANCELED;
			continue;
		}
		if (!dma_fence_is_signaled(fence))
			return -EINPROGRESS;
		if (explicit && dma_fence_get_status(fence) < 0)
			return -ECANCELED;
	}
	return 0;
}

static void queue_dep_signalled(struct dma_fence *fence,
				struct dma_fence_cb *cb)
{
	struct dmacpy_stream *stream =
		container_of(cb, struct dmacpy_stream, dep_cb);

	mod_delayed_work(dmacpy_stream_wq, &stream->advance, 0);
}

static void queue_disarm_dep(struct dmacpy_stream *stream)
{
	if (stream->dep)
		dma_fence_remove_callback(stream->dep, &stream->dep_cb);
	stream->dep = NULL;
}

/*
 * As queue_deps_status(). Arms a callback on the first fence that has not
 * signalled, one at a time, and queues the work for the deadline: if the
 * callback has queued it already, it runs at once all the same. The deadline
 * only applies to fences of other drivers: jobs of this one always complete, if
 * late on a busy channel.
 */
static int queue_arm_dep(struct dmacpy_stream *stream, struct dmacpy_job *job)
{
	struct dmacpy_deps *deps = &job->deps;
	unsigned long now = jiffies;
	bool late = !time_before(now, job->deadline);
	struct dma_fence *fence;
	int ret;

	while ((ret = queue_deps_status(stream, job)) == -EINPROGRESS) {
		fence = deps->fences[deps->next];
		if (late && !dmacpy_fence_is_own(fence)) {
			ret = -ETIMEDOUT;
			break;
		}
		if (stream->dep != fence) {
			queue_disarm_dep(stream);
			if (dma_fence_add_callback(fence, &stream->dep_cb,
						   queue_dep_signalled))
				continue;
			stream->dep = fence;
		}
		if (!late)
			queue_delayed_work(dmacpy_stream_wq, &stream->advance,
					   job->deadline - now);
		return ret;
	}
	queue_disarm_dep(stream);
	return ret;
}

/*
 * A lane keeps the order of jobs on one channel only. So a job that is spread
 * waits for all jobs before it, and the jobs behind it wait for it.
 */
static bool queue_must_wait(struct dmacpy_stream *stream,
			    const struct dmacpy_job *job)
{
	return job->after > atomic64_read_acquire(&stream->ended);
}

/* As queue_must_wait(). If true, queue_done() queues the work again. */
static bool queue_is_held_up(struct dmacpy_stream *stream,
			     const struct dmacpy_job *job)
{
	if (!queue_must_wait(stream, job))
		return false;
	atomic64_set(&stream->awaited, job->after);
	/* Pairs with that of wq_has_sleeper() in queue_done(). */
	smp_mb();
	return queue_must_wait(stream, job);
}

/* Dispatches the job. If @result is not 0, the job only completes with it. */
static void queue_run(struct dmacpy_stream *stream, struct dmacpy_job *job,
		      int result)
{
	struct dmacpy_spread *spread = job->spread;

	if (spread) {
		/* All jobs before it have completed, so this is final. */
		if (job->seqno <= atomic64_read(&stream->cancelled))
			result = result ?: -ECANCELED;
		dmacpy_spread_begin(spread, !result);
	}
	dmacpy_job_run(job, stream->chan, &stream->lane, &dmacpy_queue_xfer_ops,
		       result);
	if (spread && !result)
		dmacpy_spread_run(spread);
}

static struct dmacpy_job *queue_first(struct dmacpy_stream *stream)
{
	struct dmacpy_job *job;

	spin_lock_irq(&stream->lock);
	job = list_first_entry_or_null(&stream->waiting, struct dmacpy_job,
				       node);
	if (!job) {
		/* Jobs that were dispatched are in the lane by now. */
		smp_store_release(&stream->holds, false);
	}
	spin_unlock_irq(&stream->lock);
	return job;
}

static void queue_dispatch_first(struct dmacpy_stream *stream,
				 struct dmacpy_job *job, int result)
{
	spin_lock_irq(&stream->lock);
	list_del(&job->node);
	spin_unlock_irq(&stream->lock);
	queue_run(stream, job, result);
}

/**
 * dmacpy_queue_advance() - dispatch waiting jobs whose fences have signalled
 * @work: dmacpy_stream.advance
 *
 * Not inside the gate: an unbind waits for all tasks inside, and one of these
 * may wait for a fence of this stream. The channel is open until the stream is
 * stopped.
 *
 * Context: Process.
 */
void dmacpy_queue_advance(struct work_struct *work)
{
	struct dmacpy_stream *stream =
		container_of(work, struct dmacpy_stream, advance.work);
	bool signalling = dma_fence_begin_signalling();
	struct dmacpy_job *job;
	int result;

	while (!READ_ONCE(stream->stopped) && (job = queue_first(stream))) {
		result = queue_arm_dep(stream, job);
		if (result == -EINPROGRESS ||
		    (!result && queue_is_held_up(stream, job)))
			break;
		queue_dispatch_first(stream, job, result);
	}
	dma_fence_end_signalling(signalling);
}

/**
 * dmacpy_queue_stop() - complete the waiting jobs, and wake all sleepers
 * @stream: a stream of a device that is being unbound; its gate is closed
 *
 * Context: Process, under dmacpy_device.lock. The channel is still open.
 */
void dmacpy_queue_stop(struct dmacpy_stream *stream)
{
	struct dmacpy_job *job;

	/* A task that submits does not enter the gate. */
	mutex_lock(&stream->submit);
	/* Pairs with the acquire in event_is_final(). */
	smp_store_release(&stream->stopped, true);
	mutex_unlock(&stream->submit);
	cancel_delayed_work_sync(&stream->advance);
	queue_disarm_dep(stream);
	while ((job = queue_first(stream)))
		queue_dispatch_first(stream, job, -ENODEV);
	wake_up_all(&stream->wait);
}

/**
 * dmacpy_queue_hold() - run a job after its fences and the jobs before it
 * @stream: the stream
 * @job: the job
 *
 * Context: As dmacpy_queue_job().
 */
void dmacpy_queue_hold(struct dmacpy_stream *stream, struct dmacpy_job *job)
{
	int result = queue_deps_status(stream, job);
	bool wait = result == -EINPROGRESS ||
		    (!result && queue_must_wait(stream, job));
	unsigned int timeout;

	/* Pairs with the release in queue_first(). */
	if (!wait && !smp_load_acquire(&stream->holds)) {
		queue_run(stream, job, result);
		return;
	}

	timeout = READ_ONCE(dmacpy_dependency_timeout.value);
	job->deadline = jiffies + msecs_to_jiffies(timeout);
	/*
	 * The work that dispatches the job does not unplug the channel, and
	 * the job may wait for a plugged one: a spread job waits for all.
	 */
	if (job->spread ||
	    (!job->xfer.plugged && READ_ONCE(stream->chan->plugged)))
		dmacpy_chan_unplug(stream->chan, true);
	job->xfer.plugged = false;
	spin_lock_irq(&stream->lock);
	list_add_tail(&job->node, &stream->waiting);
	stream->holds = true;
	spin_unlock_irq(&stream->lock);
	mod_delayed_work(dmacpy_stream_wq, &stream->advance, 0);
}

static unsigned int queue_spin_ns(void)
{
	return READ_ONCE(dmacpy_spin.value) * NSEC_PER_USEC;
}

/**
 * dmacpy_queue_note_latency() - account for the time that a waiter has waited
 * @stream: the stream
 * @ns: the time
 *
 * A job counts for at most QUEUE_LATENCY_MAX times the time to spin: after an
 * engine has hung, waiters still spin, or soon spin again.
 *
 * Context: Process. Without a lock: of two waiters one may not be counted.
 */
void dmacpy_queue_note_latency(struct dmacpy_stream *stream, u64 ns)
{
	int sample = min_t(u64, ns, QUEUE_LATENCY_MAX * queue_spin_ns());
	int latency = READ_ONCE(stream->latency);

	WRITE_ONCE(stream->latency, latency + (sample - latency) / 8);
}

/* Is a job likely to complete before its waiter would fall asleep? */
static bool queue_may_spin(const struct dmacpy_stream *stream,
			   unsigned int limit)
{
	return READ_ONCE(stream->latency) <= limit &&
	       list_empty(&stream->waiting);
}

/**
 * dmacpy_queue_spin() - wait for a job that completes soon, without sleeping
 * @stream: the stream
 * @waiter: as for dmacpy_queue_arm_waiter()
 * @start: start of the wait, from ktime_get_ns()
 *
 * Sleeping and waking take longer than most copies. The spinning task can be
 * preempted, as in user space: interrupts, softirqs, and a thread that has to
 * complete the job still run.
 *
 * Context: Process.
 * Return: true if the job has completed, and @waiter has its result.
 */
bool dmacpy_queue_spin(struct dmacpy_stream *stream,
		       const struct dmacpy_waiter *waiter, u64 start)
{
	unsigned int limit = queue_spin_ns();

	if (!limit || !queue_may_spin(stream, limit))
		return false;
	while (!dmacpy_queue_is_done(waiter)) {
		if (need_resched() || signal_pending(current) ||
		    ktime_get_ns() - start >= limit)
			return false;
		cpu_relax();
	}
	return true;
}

/**
 * dmacpy_queue_arm_waiter() - have a waiter woken when its job completes
 * @stream: the stream
 * @waiter: the waiter that its job had when it was submitted
 *
 * Context: Process.
 * Return: false if the job has completed: @waiter has its result, and is not
 * woken.
 */
bool dmacpy_queue_arm_waiter(struct dmacpy_stream *stream,
			     struct dmacpy_waiter *waiter)
{
	bool armed;

	if (dmacpy_queue_is_done(waiter))
		return false;
	spin_lock_irq(&stream->lock);
	armed = waiter->job;
	waiter->armed = armed;
	spin_unlock_irq(&stream->lock);
	return armed;
}

/**
 * dmacpy_queue_cancel_waiter() - undo dmacpy_queue_arm_waiter()
 * @stream: the stream
 * @waiter: the same
 *
 * Context: Process.
 * Return: false if there is nothing to undo: the waiter was woken, or is being
 * woken, or is not armed yet.
 */
bool dmacpy_queue_cancel_waiter(struct dmacpy_stream *stream,
				struct dmacpy_waiter *waiter)
{
	bool cancelled;

	spin_lock_irq(&stream->lock);
	cancelled = waiter->armed && waiter->job;
	if (cancelled) {
		/* Pairs with the acquire in queue_done(). */
		smp_store_release(&waiter->job->waiter, NULL);
		waiter->job = NULL;
	}
	spin_unlock_irq(&stream->lock);
	return cancelled;
}
