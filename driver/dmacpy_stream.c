// SPDX-License-Identifier: GPL-2.0-only
/* One open file: a table of handles, and the order of its jobs. */
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/atomic.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>

#include "dmacpy_account.h"
#include "dmacpy_buf.h"
#include "dmacpy_chan.h"
#include "dmacpy_device.h"
#include "dmacpy_export.h"
#include "dmacpy_fence.h"
#include "dmacpy_job.h"
#include "dmacpy_param.h"
#include "dmacpy_stream.h"
#include "dmacpy_sync.h"
#include "dmacpy_trace.h"

#define STREAM_MAX_HANDLES	16384

/* A job of no more operations than this is kept to be used again. */
#define STREAM_SPARE_OPS	64

static struct workqueue_struct *stream_wq;
/* Not the one above, on which jobs complete: to free a stream takes a mutex. */
static struct workqueue_struct *stream_free_wq;

static void stream_advance(struct work_struct *work);

/*
 * The channel with the least to do. Idle ones, as when a program opens all its
 * streams at first, are told apart by their streams.
 */
static struct dmacpy_chan *stream_pick_channel(struct dmacpy_device *dev)
{
	struct dmacpy_chan *chan, *best = dev->chans[0];
	u64 backlog, least = dmacpy_chan_backlog(best);
	unsigned int i;

	for (i = 1; i < dev->nchans; i++) {
		chan = dev->chans[i];
		backlog = dmacpy_chan_backlog(chan);
		if (backlog > least ||
		    (backlog == least && chan->streams >= best->streams))
			continue;
		best = chan;
		least = backlog;
	}
	return best;
}

/* The share of the user on the channel, which its streams there have too. */
static struct dmacpy_share *stream_get_share(const struct dmacpy_stream *stream)
{
	struct dmacpy_share *share;
	struct dmacpy_stream *other;

	list_for_each_entry(other, &stream->dev->streams, node) {
		if (other->account != stream->account ||
		    other->chan != stream->chan)
			continue;
		refcount_inc(&other->lane.share->ref);
		return other->lane.share;
	}
	share = kzalloc(sizeof(*share), GFP_KERNEL_ACCOUNT);
	if (share)
		refcount_set(&share->ref, 1);
	return share;
}

static void stream_put_share(struct dmacpy_stream *stream)
{
	if (refcount_dec_and_test(&stream->lane.share->ref))
		kfree(stream->lane.share);
}

/* Give a stream its channel, for life. */
static int stream_place(struct dmacpy_stream *stream)
{
	struct dmacpy_device *dev = stream->dev;
	int ret = -ENOMEM;

	mutex_lock(&dev->lock);
	stream->chan = stream_pick_channel(dev);
	stream->lane.share = stream_get_share(stream);
	if (stream->lane.share) {
		stream->chan->streams++;
		list_add(&stream->node, &dev->streams);
		ret = 0;
	}
	mutex_unlock(&dev->lock);
	return ret;
}

/* The user has room for a job again: wake all that wait for the stream. */
static int stream_user_has_room(struct wait_queue_entry *entry,
				unsigned int mode, int flags, void *key)
{
	struct dmacpy_stream *stream =
		container_of(entry, struct dmacpy_stream, room);

	if (wq_has_sleeper(&stream->wait))
		wake_up_all(&stream->wait);
	return 0;
}

static void stream_leave_account(struct dmacpy_stream *stream)
{
	remove_wait_queue(&stream->account->wait, &stream->room);
	dmacpy_account_put(stream->account);
}

/*
 * The file is closed, and all jobs have ended. Module exit waits for the end of
 * this function.
 */
static void stream_free(struct work_struct *work)
{
	struct dmacpy_stream *stream =
		container_of(work, struct dmacpy_stream, free);
	struct dmacpy_device *dev = stream->dev;

	cancel_delayed_work_sync(&stream->advance);
	mutex_lock(&dev->lock);
	list_del(&stream->node);
	mutex_unlock(&dev->lock);
	stream_put_share(stream);
	kvfree(stream->ring);
	kvfree(stream->spare);
	xa_destroy(&stream->bufs);
	stream_leave_account(stream);
	kfree(stream);
	dmacpy_device_put(dev);
	module_put(THIS_MODULE);
}

static void stream_release(struct kref *ref)
{
	struct dmacpy_stream *stream =
		container_of(ref, struct dmacpy_stream, ref);

	/* At once: the user may open the next one. */
	dmacpy_account_uncharge(stream->account, DMACPY_STREAMS, 1);
	queue_work(stream_free_wq, &stream->free);
}

static int stream_charge(struct dmacpy_stream *stream)
{
	int ret;

	stream->account = dmacpy_account_get_current();
	if (!stream->account)
		return -ENOMEM;
	ret = dmacpy_account_charge(stream->account, DMACPY_STREAMS, 1);
	if (ret)
		dmacpy_account_put(stream->account);
	return ret;
}

static void stream_uncharge(struct dmacpy_stream *stream)
{
	dmacpy_account_uncharge(stream->account, DMACPY_STREAMS, 1);
	stream_leave_account(stream);
}

static struct dmacpy_stream *stream_new(struct dmacpy_device *dev)
{
	struct dmacpy_stream *stream;
	int ret;

	stream = kzalloc(sizeof(*stream), GFP_KERNEL_ACCOUNT);
	if (!stream)
		return ERR_PTR(-ENOMEM);
	ret = stream_charge(stream);
	if (ret) {
		kfree(stream);
		return ERR_PTR(ret);
	}
	kref_init(&stream->ref);
	xa_init_flags(&stream->bufs, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	mutex_init(&stream->submit);
	spin_lock_init(&stream->lock);
	INIT_LIST_HEAD(&stream->waiting);
	INIT_WORK(&stream->free, stream_free);
	INIT_DELAYED_WORK(&stream->advance, stream_advance);
	init_waitqueue_head(&stream->wait);
	init_waitqueue_func_entry(&stream->room, stream_user_has_room);
	add_wait_queue(&stream->account->wait, &stream->room);
	stream->context = dma_fence_context_alloc(1);
	stream->dev = dev;
	return stream;
}

/**
 * dmacpy_stream_open() - a new stream, on the channel with the least to do
 * @dev: the instance
 *
 * Context: Process.
 * Return: the stream (dmacpy_stream_close()), or an ERR_PTR() of -ENOMEM,
 * -EDQUOT or -ENODEV.
 */
struct dmacpy_stream *dmacpy_stream_open(struct dmacpy_device *dev)
{
	struct dmacpy_stream *stream;
	int idx, ret = -ENODEV;

	stream = stream_new(dev);
	if (IS_ERR(stream))
		return stream;

	if (dmacpy_device_enter(dev, &idx))
		ret = stream_place(stream);
	if (!ret) {
		/* Its jobs may outlive its file, even the driver's binding. */
		__module_get(THIS_MODULE);
		dmacpy_device_get(dev);
	}
	dmacpy_device_leave(dev, idx);
	if (ret) {
		stream_uncharge(stream);
		kfree(stream);
		return ERR_PTR(ret);
	}
	return stream;
}

/* The reference of a handle is the caller's now. Under the mutex. */
static void stream_forget_name(struct dmacpy_stream *stream, u32 handle)
{
	if (stream->dst.handle == handle)
		stream->dst = (struct dmacpy_name){ };
	if (stream->src.handle == handle)
		stream->src = (struct dmacpy_name){ };
}

/**
 * dmacpy_stream_drop_buffers() - let go of all that is behind handles
 * @stream: the stream
 *
 * The handles stay, so that RELEASE succeeds after an unbind too.
 *
 * Context: Process, inside the gate or with it closed.
 */
void dmacpy_stream_drop_buffers(struct dmacpy_stream *stream)
{
	struct dmacpy_buf *buf;
	unsigned long handle;
	bool dropped;

	xa_for_each(&stream->bufs, handle, buf) {
		if (xa_is_value(buf))
			continue;
		mutex_lock(&stream->submit);
		dropped = xa_cmpxchg(&stream->bufs, handle, buf,
				     xa_mk_value(0), GFP_KERNEL) == buf;
		stream_forget_name(stream, handle);
		mutex_unlock(&stream->submit);
		if (dropped)
			dmacpy_buf_put(buf);
	}
}

/**
 * dmacpy_stream_close() - end a stream, when its jobs have ended
 * @stream: the stream
 *
 * Context: Process.
 */
void dmacpy_stream_close(struct dmacpy_stream *stream)
{
	struct dmacpy_device *dev = stream->dev;
	bool alive;
	int idx;

	/* Also when unbound, as that waits for those who drop handles. */
	alive = dmacpy_device_enter(dev, &idx);
	dmacpy_stream_drop_buffers(stream);
	mutex_lock(&dev->lock);
	if (alive)
		stream->chan->streams--;
	mutex_unlock(&dev->lock);
	dmacpy_device_leave(dev, idx);
	kref_put(&stream->ref, stream_release);
}

/* The reference is the handle's, or given back. */
static int stream_add(struct dmacpy_stream *stream, struct dmacpy_buf *buf,
		      u32 *handle)
{
	int ret;

	ret = xa_alloc(&stream->bufs, handle, buf,
		       XA_LIMIT(1, STREAM_MAX_HANDLES), GFP_KERNEL);
	if (ret)
		dmacpy_buf_put(buf);
	return ret == -EBUSY ? -EDQUOT : ret;
}

/**
 * dmacpy_stream_import() - a handle for a dma-buf
 * @stream: the stream
 * @dmabuf: the dma-buf
 * @access: DMACPY_ACCESS_*
 * @handle: set to the handle
 *
 * Context: Process. Undone by dmacpy_stream_release().
 * Return: 0, -ENODEV, -EDQUOT, or as dmacpy_buf_import().
 */
int dmacpy_stream_import(struct dmacpy_stream *stream, struct dma_buf *dmabuf,
			 u32 access, u32 *handle)
{
	struct dmacpy_buf *buf;
	int idx, ret;

	if (!dmacpy_device_enter(stream->dev, &idx)) {
		ret = -ENODEV;
		goto out_leave;
	}
	buf = dmacpy_buf_import(stream->account, stream->chan, dmabuf, access);
	if (IS_ERR(buf)) {
		ret = PTR_ERR(buf);
		goto out_leave;
	}
	ret = stream_add(stream, buf, handle);
out_leave:
	dmacpy_device_leave(stream->dev, idx);
	return ret;
}

/**
 * dmacpy_stream_register() - a handle for memory of the calling process
 * @stream: the stream
 * @addr: its address
 * @length: bytes, not 0, not wrapping
 * @access: DMACPY_ACCESS_*
 * @handle: set to the handle
 *
 * Context: Process. Undone by dmacpy_stream_release().
 * Return: 0, -ENODEV, -EDQUOT, or as dmacpy_buf_pin(), dmacpy_buf_map_user().
 */
int dmacpy_stream_register(struct dmacpy_stream *stream, unsigned long addr,
			   size_t length, u32 access, u32 *handle)
{
	struct dmacpy_buf *buf;
	int idx, ret = -ENODEV;

	buf = dmacpy_buf_pin(stream->account, addr, length, access);
	if (IS_ERR(buf))
		return PTR_ERR(buf);

	if (dmacpy_device_enter(stream->dev, &idx))
		ret = dmacpy_buf_map_user(buf, stream->chan);
	if (ret)
		dmacpy_buf_put(buf);
	else
		ret = stream_add(stream, buf, handle);
	dmacpy_device_leave(stream->dev, idx);
	return ret;
}

/**
 * dmacpy_stream_release() - forget a handle
 * @stream: the stream
 * @handle: the handle
 *
 * Context: Process.
 * Return: 0, -ENOENT, or -EINTR for a fatal signal.
 */
int dmacpy_stream_release(struct dmacpy_stream *stream, u32 handle)
{
	struct dmacpy_buf *buf;
	int idx, ret;

	/* Also when unbound, as that waits for those who drop handles. */
	dmacpy_device_enter(stream->dev, &idx);
	ret = mutex_lock_killable(&stream->submit);
	if (ret)
		goto out_leave;
	buf = xa_erase(&stream->bufs, handle);
	stream_forget_name(stream, handle);
	mutex_unlock(&stream->submit);
	if (!buf)
		ret = -ENOENT;
	else if (!xa_is_value(buf))
		dmacpy_buf_put(buf);
out_leave:
	dmacpy_device_leave(stream->dev, idx);
	return ret;
}

/*
 * Finds the buffer, which mostly is that of the last time. Nobody can put it
 * meanwhile, who would need the mutex.
 */
static struct dmacpy_buf *stream_find(struct dmacpy_stream *stream,
				      struct dmacpy_name *name, u32 handle)
{
	struct dmacpy_buf *buf;

	if (name->handle == handle)
		return name->buf;
	buf = xa_load(&stream->bufs, handle);
	if (buf)
		*name = (struct dmacpy_name){ handle, buf };
	return buf;
}

/* Finds the buffer, and makes it a point of the job if it is none yet. */
static struct dmacpy_buf *stream_use(struct dmacpy_stream *stream,
				     struct dmacpy_job *job,
				     struct dmacpy_name *name, u32 handle,
				     bool write)
{
	struct dmacpy_buf *buf = stream_find(stream, name, handle);
	unsigned int i;

	if (!buf)
		return NULL;
	i = dmacpy_buf_visit(buf, stream->visits, job->npoints);
	if (i == job->npoints) {
		dmacpy_buf_get(buf);
		job->points[i] = (struct dmacpy_sync_point){ .buf = buf };
		job->npoints++;
	}
	job->points[i].write |= write;
	return buf;
}

/* Mostly the handles of an operation are those of the one before it. */
static int stream_resolve(struct dmacpy_stream *stream, struct dmacpy_job *job)
{
	const struct dmacpy_op *op = job->op, *last = NULL;
	struct dmacpy_job_ends *ends = job->ends;

	stream->visits++;
	for (; op < job->op + job->nops; last = op++, ends++) {
		ends->dst = last && op->dst == last->dst ? ends[-1].dst :
			    stream_use(stream, job, &stream->dst, op->dst,
				       true);
		if (!ends->dst)
			return dmacpy_job_refuse(job, op - job->op, -ENOENT);
		ends->src = NULL;
		if (op->opcode == DMACPY_OP_FILL)
			continue;
		ends->src = last && op->src == last->src ? ends[-1].src :
			    stream_use(stream, job, &stream->src, op->src,
				       false);
		if (!ends->src)
			return dmacpy_job_refuse(job, op - job->op, -ENOENT);
	}
	return 0;
}

static int stream_prepare(struct dmacpy_stream *stream, struct dmacpy_job *job)
{
	int ret;

	ret = stream_resolve(stream, job);
	if (ret)
		return ret;
	ret = dmacpy_job_check_ends(job, stream->chan);
	if (ret)
		return ret;
	if (!dmacpy_chan_ready(stream->chan))
		return -EAGAIN;
	return dmacpy_job_prepare(job, stream->chan);
}

/* Its turn on the channel: does a failure before it take it along? */
static int stream_job_start(struct dmacpy_job *job)
{
	struct dmacpy_stream *stream = job->stream;
	int ret = 0;

	if (job->seqno <= atomic64_read(&stream->cancelled))
		ret = -ECANCELED;
	trace_dmacpy_job_start(stream->context, job->seqno, ret);
	return ret;
}

/*
 * A failure takes those along that are in the stream now, and no later one, for
 * which see stream_job_fails(). Holds the lock.
 */
static int stream_note_result(struct dmacpy_stream *stream,
			      const struct dmacpy_job *job, int result)
{
	if (job->seqno <= atomic64_read(&stream->cancelled))
		result = result ?: -ECANCELED;
	else if (result)
		atomic64_set(&stream->cancelled, stream->seqno);
	if (!result)
		return 0;
	if (job->fence)
		dma_fence_set_error(job->fence, result);
	if (!stream->error)
		stream->error = result;
	stream->failed++;
	return result;
}

/* There is room: it was taken when the job was submitted. Holds the lock. */
static void stream_add_record(struct dmacpy_stream *stream,
			      const struct dmacpy_job *job, int result)
{
	unsigned int i = stream->first + stream->records;

	if (i >= dmacpy_max_events.value)
		i -= dmacpy_max_events.value;
	stream->ring[i] = (struct dmacpy_event){
		.user_data = job->user_data,
		.result = result,
		.length = job->length,
		.timestamp = ktime_get_ns(),
	};
	WRITE_ONCE(stream->records, stream->records + 1);
}

/*
 * Tells the result to who waits for it. Holds the lock. Returns who is to be
 * woken: who is not may be gone as soon as he sees that the job has ended.
 */
static struct dmacpy_waiter *stream_tell_waiter(struct dmacpy_job *job,
						int result)
{
	struct dmacpy_waiter *waiter = job->waiter;
	bool awaits;

	if (!waiter)
		return NULL;
	awaits = waiter->awaits;
	waiter->result = result;
	/* The result is there for who sees this in dmacpy_stream_await(). */
	smp_store_release(&waiter->job, NULL);
	return awaits ? waiter : NULL;
}

/* Who has waited for it finds its record, and room for the next one. */
static void stream_job_done(struct dmacpy_job *job, int result)
{
	struct dmacpy_stream *stream = job->stream;
	struct dmacpy_waiter *waiter = NULL;
	unsigned long flags;

	/* First: a program that sees the result finds room for the next job. */
	dmacpy_account_end_job(stream->account, job->length);
	spin_lock_irqsave(&stream->lock, flags);
	result = stream_note_result(stream, job, result);
	if (job->event)
		stream_add_record(stream, job, result);
	WRITE_ONCE(stream->jobs, stream->jobs - 1);
	if (!job->fence)
		waiter = stream_tell_waiter(job, result);
	spin_unlock_irqrestore(&stream->lock, flags);
	trace_dmacpy_job_done(stream->context, job->seqno, result);
	if (job->fence) {
		dmacpy_fence_signal(job->fence);
		if (READ_ONCE(job->waiter)) {
			spin_lock_irqsave(&stream->lock, flags);
			waiter = stream_tell_waiter(job, result);
			spin_unlock_irqrestore(&stream->lock, flags);
		}
	}
	atomic64_set_release(&stream->ended, job->seqno);
	if (wq_has_sleeper(&stream->wait))
		wake_up_all(&stream->wait);
	if (waiter)
		waiter->wake(waiter);
}

static void stream_job_release(struct dmacpy_job *job)
{
	struct dmacpy_stream *stream = job->stream;

	if (job->room <= STREAM_SPARE_OPS)
		job = xchg(&stream->spare, job);
	/* Mostly there was none, and kvfree() has other questions first. */
	if (job)
		kvfree(job);
	kref_put(&stream->ref, stream_release);
}

static const struct dmacpy_job_ops stream_job_ops = {
	.start = stream_job_start,
	.done = stream_job_done,
	.release = stream_job_release,
};

/*
 * Has an earlier job failed, or is it taken along by one that has? If neither,
 * its failure will take those along that are in the stream by then.
 */
static bool stream_job_fails(struct dmacpy_stream *stream,
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
 * 0 if there is nothing to wait for any more, -EINPROGRESS, -ECANCELED if the
 * in-fence failed. A job of the stream itself is before this one anyway, and
 * only waited for by who must not be synced before it has ended.
 */
static int stream_look_at_deps(struct dmacpy_stream *stream,
			       struct dmacpy_job *job)
{
	struct dmacpy_deps *deps = &job->deps;
	struct dma_fence *fence;
	bool explicit;

	for (; deps->next < deps->count; deps->next++) {
		fence = deps->fences[deps->next];
		explicit = deps->next < deps->explicit;
		if (explicit && !job->needs_sync &&
		    fence->context == stream->context) {
			if (stream_job_fails(stream, fence))
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

static void stream_dep_signalled(struct dma_fence *fence,
				 struct dma_fence_cb *cb)
{
	struct dmacpy_stream *stream =
		container_of(cb, struct dmacpy_stream, dep_cb);

	mod_delayed_work(stream_wq, &stream->advance, 0);
}

static void stream_forget_dep(struct dmacpy_stream *stream)
{
	if (stream->dep)
		dma_fence_remove_callback(stream->dep, &stream->dep_cb);
	stream->dep = NULL;
}

/*
 * Have a callback at the next dependency, one at a time. A callback that comes
 * at once has queued the work already, and the deadline does not delay it. The
 * deadline is for fences of other drivers. Our own jobs complete by themselves,
 * late as they may be on a channel with much to do.
 */
static int stream_check_deps(struct dmacpy_stream *stream,
			     struct dmacpy_job *job)
{
	struct dmacpy_deps *deps = &job->deps;
	unsigned long now = jiffies;
	bool late = !time_before(now, job->deadline);
	struct dma_fence *fence;
	int ret;

	while ((ret = stream_look_at_deps(stream, job)) == -EINPROGRESS) {
		fence = deps->fences[deps->next];
		if (late && !dmacpy_fence_is_own(fence)) {
			ret = -ETIMEDOUT;
			break;
		}
		if (stream->dep != fence) {
			stream_forget_dep(stream);
			if (dma_fence_add_callback(fence, &stream->dep_cb,
						   stream_dep_signalled))
				continue;
			stream->dep = fence;
		}
		if (!late)
			queue_delayed_work(stream_wq, &stream->advance,
					   job->deadline - now);
		return ret;
	}
	stream_forget_dep(stream);
	return ret;
}

static struct dmacpy_job *stream_first_waiting(struct dmacpy_stream *stream)
{
	struct dmacpy_job *job;

	spin_lock_irq(&stream->lock);
	job = list_first_entry_or_null(&stream->waiting, struct dmacpy_job,
				       node);
	if (!job)
		stream->moving = false;
	spin_unlock_irq(&stream->lock);
	return job;
}

static void stream_move(struct dmacpy_stream *stream, struct dmacpy_job *job,
			int result)
{
	spin_lock_irq(&stream->lock);
	list_del(&job->node);
	stream->moving = true;
	spin_unlock_irq(&stream->lock);
	dmacpy_job_enter(job, stream->chan, &stream->lane, result);
}

/*
 * Outside of the gate: an unbind may wait for who is inside and waits for one
 * of our fences. The channel is open until the stream is stopped.
 */
static void stream_advance(struct work_struct *work)
{
	struct dmacpy_stream *stream =
		container_of(work, struct dmacpy_stream, advance.work);
	bool signalling = dma_fence_begin_signalling();
	struct dmacpy_job *job;
	int result;

	while (!READ_ONCE(stream->stopped) &&
	       (job = stream_first_waiting(stream))) {
		result = stream_check_deps(stream, job);
		if (result == -EINPROGRESS)
			break;
		stream_move(stream, job, result);
	}
	dma_fence_end_signalling(signalling);
}

/**
 * dmacpy_stream_stop() - end the jobs that wait, and those who wait
 * @stream: a stream of a device that is being unbound; its gate is closed
 *
 * Context: Process, under dmacpy_device.lock. The channel is still open.
 */
void dmacpy_stream_stop(struct dmacpy_stream *stream)
{
	struct dmacpy_job *job;

	/* Who sees this sees all jobs as well, in stream_is_over(). */
	smp_store_release(&stream->stopped, true);
	cancel_delayed_work_sync(&stream->advance);
	stream_forget_dep(stream);
	while ((job = stream_first_waiting(stream)))
		stream_move(stream, job, -ENODEV);
	wake_up_all(&stream->wait);
}

/* Straight to the channel, if nothing is in the way. */
static void stream_enter(struct dmacpy_stream *stream, struct dmacpy_job *job)
{
	unsigned int timeout;
	int result = 0;
	bool wait;

	if (job->deps.count)
		result = stream_look_at_deps(stream, job);

	spin_lock_irq(&stream->lock);
	wait = result == -EINPROGRESS || stream->moving ||
	       !list_empty(&stream->waiting);
	if (wait) {
		timeout = READ_ONCE(dmacpy_dependency_timeout.value);
		job->deadline = jiffies + msecs_to_jiffies(timeout);
		list_add_tail(&job->node, &stream->waiting);
	}
	spin_unlock_irq(&stream->lock);

	if (wait)
		mod_delayed_work(stream_wq, &stream->advance, 0);
	else
		dmacpy_job_enter(job, stream->chan, &stream->lane, result);
}

/* The point of no return: from here the fence can be seen, and must signal. */
static void stream_publish(struct dmacpy_stream *stream, struct dmacpy_job *job)
{
	kref_get(&stream->ref);
	job->stream = stream;
	job->ops = &stream_job_ops;

	/* From here an earlier job that fails takes it along. */
	spin_lock_irq(&stream->lock);
	job->seqno = ++stream->seqno;
	WRITE_ONCE(stream->jobs, stream->jobs + 1);
	WRITE_ONCE(stream->events, stream->events + job->event);
	spin_unlock_irq(&stream->lock);

	if (job->fence) {
		dmacpy_fence_publish(job->fence, stream->context, job->seqno);
		dmacpy_sync_publish(job->points, job->npoints, job->fence);
	}
	trace_dmacpy_job_submit(stream->context, job->seqno, job->length,
				job->nops, job->deps.count);
}

static int stream_order(struct dmacpy_stream *stream, struct dmacpy_job *job)
{
	struct ww_acquire_ctx ctx;
	int ret = 0;

	if (job->implicit)
		ret = dmacpy_sync_lock(job->points, job->npoints, &ctx);
	if (ret)
		return ret;
	if (job->implicit || job->needs_sync)
		ret = dmacpy_sync_collect(job->points, job->npoints,
					  stream->context, &job->deps);
	if (!ret)
		stream_publish(stream, job);
	if (job->implicit)
		dmacpy_sync_unlock(job->points, job->npoints, &ctx);
	return ret;
}

/*
 * -EBUSY if there is room later, -EAGAIN if somebody has to read first. It is
 * taken by stream_publish(), under the same mutex.
 */
static int stream_check_room(struct dmacpy_stream *stream,
			     const struct dmacpy_job *job)
{
	if (job->event && READ_ONCE(stream->events) >= dmacpy_max_events.value)
		return -EAGAIN;
	if (READ_ONCE(stream->jobs) >= dmacpy_max_jobs.value)
		return -EBUSY;
	return 0;
}

/* Under the mutex. After a failure the job is still the caller's. */
static int stream_commit(struct dmacpy_stream *stream, struct dmacpy_job *job)
{
	bool signalling;
	int ret;

	ret = stream_check_room(stream, job);
	if (ret)
		return ret;
	if (!dmacpy_account_begin_job(stream->account, job->length))
		return -EBUSY;
	ret = stream_prepare(stream, job);
	if (!ret)
		ret = stream_order(stream, job);
	if (ret) {
		dmacpy_account_end_job(stream->account, job->length);
		return ret;
	}

	signalling = dma_fence_begin_signalling();
	stream_enter(stream, job);
	dma_fence_end_signalling(signalling);
	return 0;
}

/**
 * dmacpy_stream_new_job() - make a job for a stream
 * @stream: the stream
 * @nops: number of operations, 1 to dmacpy_max_ops
 *
 * Context: Process.
 * Return: a job for dmacpy_stream_submit(), or dmacpy_job_free(), or NULL.
 */
struct dmacpy_job *dmacpy_stream_new_job(struct dmacpy_stream *stream,
					 unsigned int nops)
{
	return dmacpy_job_new(xchg(&stream->spare, NULL), nops);
}

/* -EBUSY if there is no room now; after any other failure the job is gone. */
static int stream_try_submit(struct dmacpy_stream *stream,
			     struct dmacpy_job *job)
{
	int idx, ret = -ENODEV;

	if (dmacpy_device_enter(stream->dev, &idx)) {
		ret = mutex_lock_interruptible(&stream->submit);
		if (!ret) {
			ret = stream_commit(stream, job);
			mutex_unlock(&stream->submit);
		}
	}
	/* Inside, as an unbind then waits until all is unmapped. */
	if (ret && ret != -EBUSY)
		dmacpy_job_free(job);
	dmacpy_device_leave(stream->dev, idx);
	return ret;
}

/* False as long as a submission would have to wait. */
static bool stream_may_submit(struct dmacpy_stream *stream,
			      const struct dmacpy_job *job)
{
	int ret = stream_check_room(stream, job);

	if (!ret && !dmacpy_account_has_room(stream->account))
		ret = -EBUSY;
	return ret != -EBUSY || READ_ONCE(stream->dev->unplugged);
}

/**
 * dmacpy_stream_submit() - run a job, after those submitted before it
 * @stream: the stream
 * @job: a job, dmacpy_job_check_ops() was happy with; gone in any case
 * @nonblock: do not wait until there is room for it
 *
 * Context: Process.
 * Return: 0, or what keeps it from being started: -ENODEV, -ENOENT, -EAGAIN,
 * -ERESTARTSYS, -EINTR, or as dmacpy_job_check_ends(), dmacpy_job_prepare(),
 * dmacpy_sync_lock().
 */
int dmacpy_stream_submit(struct dmacpy_stream *stream, struct dmacpy_job *job,
			 bool nonblock)
{
	int ret;

	/* Others may be faster to take what there is room for. */
	while ((ret = stream_try_submit(stream, job)) == -EBUSY) {
		ret = nonblock ? -EAGAIN :
		      wait_event_interruptible(stream->wait,
					       stream_may_submit(stream, job));
		if (ret) {
			dmacpy_job_free(job);
			break;
		}
	}
	return ret;
}

/**
 * dmacpy_stream_await() - have a waiter woken at the end of his job
 * @stream: the stream
 * @waiter: with its @job, whose @waiter this was when it was submitted
 *
 * Context: Process.
 * Return: false if the job has ended: the result is there, and nobody woken.
 */
bool dmacpy_stream_await(struct dmacpy_stream *stream,
			 struct dmacpy_waiter *waiter)
{
	bool awaits;

	/* Then stream_tell_waiter() has left the result. */
	if (!smp_load_acquire(&waiter->job))
		return false;
	spin_lock_irq(&stream->lock);
	awaits = waiter->job;
	waiter->awaits = awaits;
	spin_unlock_irq(&stream->lock);
	return awaits;
}

/**
 * dmacpy_stream_forget() - undo dmacpy_stream_await()
 * @stream: the stream
 * @waiter: the same
 *
 * Context: Process.
 * Return: false if there is nothing to undo: the waiter is, or was woken, or
 * awaits nothing yet.
 */
bool dmacpy_stream_forget(struct dmacpy_stream *stream,
			  struct dmacpy_waiter *waiter)
{
	bool forgotten;

	spin_lock_irq(&stream->lock);
	forgotten = waiter->awaits && waiter->job;
	if (forgotten) {
		WRITE_ONCE(waiter->job->waiter, NULL);
		waiter->job = NULL;
	}
	spin_unlock_irq(&stream->lock);
	return forgotten;
}

/**
 * dmacpy_stream_want_event() - have a job make a record
 * @stream: the stream
 * @job: a job for it, not yet submitted
 *
 * Context: Process.
 * Return: 0 or -ENOMEM.
 */
int dmacpy_stream_want_event(struct dmacpy_stream *stream,
			     struct dmacpy_job *job)
{
	struct dmacpy_event *ring;

	if (!READ_ONCE(stream->ring)) {
		ring = kvcalloc(dmacpy_max_events.value, sizeof(*ring),
				GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
		if (!ring)
			return -ENOMEM;
		if (cmpxchg(&stream->ring, NULL, ring))
			kvfree(ring);
	}
	job->event = true;
	return 0;
}

/* No record will be made any more. */
static bool stream_is_over(struct dmacpy_stream *stream)
{
	/* In this order: there are no new ones when it is stopped. */
	return smp_load_acquire(&stream->stopped) && !READ_ONCE(stream->jobs);
}

static unsigned int stream_take_records(struct dmacpy_stream *stream,
					struct dmacpy_event *events,
					unsigned int max)
{
	unsigned int i;

	spin_lock_irq(&stream->lock);
	max = min(max, stream->records);
	for (i = 0; i < max; i++) {
		events[i] = stream->ring[stream->first];
		if (++stream->first == dmacpy_max_events.value)
			stream->first = 0;
	}
	WRITE_ONCE(stream->records, stream->records - max);
	spin_unlock_irq(&stream->lock);
	return max;
}

/**
 * dmacpy_stream_take_events() - take the oldest records
 * @stream: the stream
 * @events: where they go
 * @max: how many at most, at least 1
 * @nonblock: do not wait for the first one
 *
 * Context: Process.
 * Return: how many were taken, whose places are kept until
 * dmacpy_stream_end_read(), or -EAGAIN, -ERESTARTSYS, -ENODEV when there will
 * be no more.
 */
int dmacpy_stream_take_events(struct dmacpy_stream *stream,
			      struct dmacpy_event *events, unsigned int max,
			      bool nonblock)
{
	unsigned int count;
	bool over;
	int ret;

	for (;;) {
		/* In this order: the last job may end meanwhile. */
		over = stream_is_over(stream);
		count = stream_take_records(stream, events, max);
		if (count)
			return count;
		if (over)
			return -ENODEV;
		if (nonblock)
			return -EAGAIN;
		ret = wait_event_interruptible(stream->wait,
					       READ_ONCE(stream->records) ||
					       stream_is_over(stream));
		if (ret)
			return ret;
	}
}

/**
 * dmacpy_stream_end_read() - give places back, or records that nobody has got
 * @stream: the stream
 * @events: from dmacpy_stream_take_events()
 * @count: how many these were
 * @unread: so many of them, the last ones, are to be read next
 *
 * Context: Process.
 */
void dmacpy_stream_end_read(struct dmacpy_stream *stream,
			    const struct dmacpy_event *events,
			    unsigned int count, unsigned int unread)
{
	unsigned int i;

	spin_lock_irq(&stream->lock);
	WRITE_ONCE(stream->events, stream->events - (count - unread));
	for (i = 1; i <= unread; i++) {
		if (!stream->first)
			stream->first = dmacpy_max_events.value;
		stream->ring[--stream->first] = events[count - i];
	}
	WRITE_ONCE(stream->records, stream->records + unread);
	spin_unlock_irq(&stream->lock);
	if (unread)
		wake_up_all(&stream->wait);
}

/**
 * dmacpy_stream_poll() - what can be done without waiting
 * @stream: the stream
 * @file: its file
 * @table: of the one who polls
 *
 * Context: Process.
 * Return: EPOLLIN when there is a record, EPOLLOUT when there is room for a job
 * of the stream and of the user and the channel takes it, EPOLLHUP and EPOLLERR
 * when the device was unbound.
 */
__poll_t dmacpy_stream_poll(struct dmacpy_stream *stream, struct file *file,
			    poll_table *table)
{
	struct dmacpy_device *dev = stream->dev;
	bool alive, ready;
	__poll_t mask = 0;
	int idx;

	/* No more than two: io_uring cannot poll a file with three. */
	poll_wait(file, &stream->wait, table);
	poll_wait(file, &dev->ready, table);
	alive = dmacpy_device_enter(dev, &idx);
	ready = alive && dmacpy_chan_ready(stream->chan) &&
		dmacpy_account_has_room(stream->account);
	dmacpy_device_leave(dev, idx);

	spin_lock_irq(&stream->lock);
	if (stream->records)
		mask |= EPOLLIN | EPOLLRDNORM;
	if (!alive)
		mask |= EPOLLHUP | EPOLLERR;
	else if (ready && stream->jobs < dmacpy_max_jobs.value)
		mask |= EPOLLOUT | EPOLLWRNORM;
	spin_unlock_irq(&stream->lock);
	return mask;
}

/**
 * dmacpy_stream_is_idle() - have all jobs ended
 * @stream: the stream
 *
 * Context: Any.
 * Return: true if they have, or are about to signal.
 */
bool dmacpy_stream_is_idle(struct dmacpy_stream *stream)
{
	return !READ_ONCE(stream->jobs);
}

/**
 * dmacpy_stream_flush() - wait for all jobs that were submitted by now
 * @stream: the stream
 *
 * Context: Process.
 * Return: 0, the first error of a job since the last call, or -EINTR for a
 * fatal signal.
 */
int dmacpy_stream_flush(struct dmacpy_stream *stream)
{
	u64 last;
	int ret;

	spin_lock_irq(&stream->lock);
	last = stream->seqno;
	spin_unlock_irq(&stream->lock);
	if (wait_event_state(stream->wait,
			     atomic64_read_acquire(&stream->ended) >= last,
			     (TASK_KILLABLE | TASK_FREEZABLE)))
		return -EINTR;

	spin_lock_irq(&stream->lock);
	ret = stream->error;
	stream->error = 0;
	spin_unlock_irq(&stream->lock);
	return ret;
}

static void stream_stat_channel(struct dmacpy_stream *stream,
				struct dmacpy_stream_stat *stat)
{
	struct dmacpy_chan_stat chan = { .dma_name = "none" };
	int idx;

	if (dmacpy_device_enter(stream->dev, &idx))
		dmacpy_chan_stat(stream->chan, &chan);
	strscpy(stat->channel, chan.dma_name, sizeof(stat->channel));
	dmacpy_device_leave(stream->dev, idx);
}

/**
 * dmacpy_stream_stat() - the state of a stream
 * @stream: the stream
 * @stat: filled in
 *
 * Context: Process.
 * Return: 0, or -EINTR for a fatal signal.
 */
int dmacpy_stream_stat(struct dmacpy_stream *stream,
		       struct dmacpy_stream_stat *stat)
{
	const struct dmacpy_buf *buf;
	unsigned long handle;

	*stat = (struct dmacpy_stream_stat){ };
	stream_stat_channel(stream, stat);
	/* Handles are only taken away under this mutex. */
	if (mutex_lock_killable(&stream->submit))
		return -EINTR;
	xa_for_each(&stream->bufs, handle, buf) {
		stat->handles++;
		if (xa_is_value(buf))
			continue;
		stat->pinned += dmacpy_buf_pinned(buf);
		if (buf->dmabuf && dmacpy_export_is_sram(buf->dmabuf))
			stat->sram += buf->length;
	}
	mutex_unlock(&stream->submit);

	spin_lock_irq(&stream->lock);
	stat->jobs = stream->jobs;
	stat->failed = stream->failed;
	stat->records = stream->records;
	spin_unlock_irq(&stream->lock);
	return 0;
}

/**
 * dmacpy_stream_init() - what all streams need
 *
 * Context: Process.
 * Return: 0 or -ENOMEM.
 */
int dmacpy_stream_init(void)
{
	stream_wq = alloc_workqueue("dmacpy_stream",
				    WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	if (!stream_wq)
		return -ENOMEM;
	stream_free_wq = alloc_workqueue("dmacpy_free", WQ_UNBOUND, 0);
	if (!stream_free_wq) {
		destroy_workqueue(stream_wq);
		return -ENOMEM;
	}
	return 0;
}

/**
 * dmacpy_stream_exit() - undo dmacpy_stream_init()
 *
 * Context: Process.
 */
void dmacpy_stream_exit(void)
{
	destroy_workqueue(stream_free_wq);
	destroy_workqueue(stream_wq);
}
