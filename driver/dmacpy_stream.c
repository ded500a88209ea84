// SPDX-License-Identifier: GPL-2.0-only
/* The lifetime of a stream, which is an open file: its channel and its user */
#include <linux/atomic.h>
#include <linux/dma-fence.h>
#include <linux/llist.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "dmacpy_account.h"
#include "dmacpy_chan.h"
#include "dmacpy_device.h"
#include "dmacpy_event.h"
#include "dmacpy_handle.h"
#include "dmacpy_job.h"
#include "dmacpy_param.h"
#include "dmacpy_queue.h"
#include "dmacpy_stream.h"

/*
 * Returns the channel with the smallest backlog. Of several such channels, as
 * when a program opens all its streams first, it is the one with the fewest
 * streams.
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

/* Returns the lane of a stream on a channel, or NULL. */
static struct dmacpy_lane *stream_find_lane(struct dmacpy_stream *stream,
					    const struct dmacpy_chan *chan)
{
	unsigned int i;

	if (stream->chan == chan)
		return &stream->lane;
	for (i = 0; i < stream->nsides; i++)
		if (stream->sides[i].chan == chan)
			return &stream->sides[i].lane;
	return NULL;
}

/* Returns the share of the user on the channel, common to its streams there. */
static struct dmacpy_share *stream_get_share(const struct dmacpy_stream *stream,
					     const struct dmacpy_chan *chan)
{
	struct dmacpy_share *share;
	struct dmacpy_stream *other;
	struct dmacpy_lane *lane;

	list_for_each_entry(other, &stream->dev->streams, node) {
		if (other->account != stream->account)
			continue;
		lane = stream_find_lane(other, chan);
		if (!lane)
			continue;
		refcount_inc(&lane->share->ref);
		return lane->share;
	}
	share = kzalloc(sizeof(*share), GFP_KERNEL_ACCOUNT);
	if (share)
		refcount_set(&share->ref, 1);
	return share;
}

static void stream_put_share(struct dmacpy_share *share)
{
	if (refcount_dec_and_test(&share->ref))
		kfree(share);
}

static void stream_free_sides(struct dmacpy_side *sides, unsigned int count)
{
	while (count)
		stream_put_share(sides[--count].lane.share);
	kfree(sides);
}

/*
 * The sides begin with the channel after the stream's own: streams that use
 * only some of the channels do not all use the same ones.
 */
static int stream_add_sides(struct dmacpy_stream *stream)
{
	struct dmacpy_device *dev = stream->dev;
	unsigned int i, own = 0, count = dev->nchans - 1;
	struct dmacpy_side *sides;

	lockdep_assert_held(&dev->lock);
	sides = kcalloc(count, sizeof(*sides), GFP_KERNEL_ACCOUNT);
	if (!sides)
		return -ENOMEM;
	while (dev->chans[own] != stream->chan)
		own++;
	for (i = 0; i < count; i++) {
		sides[i].chan = dev->chans[(own + 1 + i) % dev->nchans];
		sides[i].lane.share = stream_get_share(stream, sides[i].chan);
		if (!sides[i].lane.share) {
			stream_free_sides(sides, i);
			return -ENOMEM;
		}
	}
	stream->nsides = count;
	/* Pairs with the acquire in dmacpy_stream_widen(). */
	smp_store_release(&stream->sides, sides);
	return 0;
}

/* Assign the channel of a stream, for its lifetime. */
static int stream_assign_channel(struct dmacpy_stream *stream)
{
	struct dmacpy_device *dev = stream->dev;
	int ret = -ENOMEM;

	mutex_lock(&dev->lock);
	stream->chan = stream_pick_channel(dev);
	stream->lane.share = stream_get_share(stream, stream->chan);
	if (stream->lane.share) {
		stream->chan->streams++;
		list_add(&stream->node, &dev->streams);
		ret = 0;
	}
	mutex_unlock(&dev->lock);
	return ret;
}

/* The user has room for a job again: wake all that sleep on the stream. */
static int stream_user_has_room(struct wait_queue_entry *entry,
				unsigned int mode, int flags, void *key)
{
	struct dmacpy_stream *stream =
		container_of(entry, struct dmacpy_stream, room);

	if (wq_has_sleeper(&stream->wait))
		wake_up_all(&stream->wait);
	return 0;
}

static void stream_uncharge(struct dmacpy_stream *stream)
{
	remove_wait_queue(&stream->account->wait, &stream->room);
	dmacpy_account_uncharge(stream->account, DMACPY_STREAMS, 1);
	dmacpy_account_put(stream->account);
}

static void stream_free_spares(struct dmacpy_stream *stream)
{
	struct dmacpy_job *job, *next;

	llist_for_each_entry_safe(job, next, stream->spares.first, spare)
		kvfree(job);
}

/*
 * The file is closed, and all jobs have completed. Module exit waits for this
 * function to return.
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
	stream_put_share(stream->lane.share);
	stream_free_sides(stream->sides, stream->nsides);
	kvfree(stream->ring);
	stream_free_spares(stream);
	dma_fence_put(stream->fence);
	xa_destroy(&stream->bufs);
	xa_destroy(&stream->plans);
	stream_uncharge(stream);
	kfree(stream);
	dmacpy_device_put(dev);
	module_put(THIS_MODULE);
}

/**
 * dmacpy_stream_release() - free a stream
 * @ref: dmacpy_stream.ref, after the last reference was put
 *
 * Context: Any.
 */
void dmacpy_stream_release(struct kref *ref)
{
	struct dmacpy_stream *stream =
		container_of(ref, struct dmacpy_stream, ref);

	queue_work(dmacpy_free_wq, &stream->free);
}

static int stream_charge(struct dmacpy_stream *stream)
{
	int ret;

	stream->account = dmacpy_account_get_current();
	if (!stream->account)
		return -ENOMEM;
	ret = dmacpy_account_charge(stream->account, DMACPY_STREAMS, 1);
	if (ret) {
		/* Some may be closed and only have to be freed. */
		flush_workqueue(dmacpy_free_wq);
		ret = dmacpy_account_charge(stream->account, DMACPY_STREAMS, 1);
	}
	if (ret)
		dmacpy_account_put(stream->account);
	return ret;
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
	xa_init_flags(&stream->plans, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	mutex_init(&stream->submit);
	spin_lock_init(&stream->lock);
	INIT_LIST_HEAD(&stream->waiting);
	INIT_WORK(&stream->free, stream_free);
	INIT_DELAYED_WORK(&stream->advance, dmacpy_queue_advance);
	init_waitqueue_head(&stream->wait);
	init_waitqueue_func_entry(&stream->room, stream_user_has_room);
	add_wait_queue(&stream->account->wait, &stream->room);
	stream->context = dma_fence_context_alloc(1);
	stream->dev = dev;
	return stream;
}

/**
 * dmacpy_stream_open() - open a stream, on the channel with least backlog
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
		ret = stream_assign_channel(stream);
	if (!ret) {
		/* Its jobs may outlive its file, and even an unbind. */
		__module_get(THIS_MODULE);
		dmacpy_device_get(dev);
	}
	dmacpy_device_exit(dev, idx);
	if (ret) {
		stream_uncharge(stream);
		kfree(stream);
		return ERR_PTR(ret);
	}
	return stream;
}

/**
 * dmacpy_stream_widen() - give a stream a lane on each channel
 * @stream: the stream
 *
 * Context: Process, inside the gate of a device that spreads jobs.
 * Return: 0 or -ENOMEM.
 */
int dmacpy_stream_widen(struct dmacpy_stream *stream)
{
	int ret = 0;

	/* Pairs with the release in stream_add_sides(). */
	if (smp_load_acquire(&stream->sides))
		return 0;
	mutex_lock(&stream->dev->lock);
	if (!stream->sides)
		ret = stream_add_sides(stream);
	mutex_unlock(&stream->dev->lock);
	return ret;
}

/**
 * dmacpy_stream_close() - close a stream, which is freed after its last job
 * @stream: the stream
 *
 * Context: Process.
 */
void dmacpy_stream_close(struct dmacpy_stream *stream)
{
	struct dmacpy_device *dev = stream->dev;
	bool alive;
	int idx;

	/* Also after an unbind, which waits for the gate to empty. */
	alive = dmacpy_device_enter(dev, &idx);
	dmacpy_handle_drop_all(stream);
	mutex_lock(&dev->lock);
	if (alive)
		stream->chan->streams--;
	mutex_unlock(&dev->lock);
	dmacpy_device_exit(dev, idx);
	dmacpy_stream_put(stream);
}

/**
 * dmacpy_stream_poll() - report which operations would not wait
 * @stream: the stream
 * @file: its file
 * @table: poll table of the caller
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
	dmacpy_device_exit(dev, idx);

	spin_lock_irq(&stream->lock);
	if (dmacpy_event_count(stream))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (!alive)
		mask |= EPOLLHUP | EPOLLERR;
	else if (ready && dmacpy_stream_jobs(stream) < dmacpy_max_jobs.value)
		mask |= EPOLLOUT | EPOLLWRNORM;
	spin_unlock_irq(&stream->lock);
	return mask;
}

/**
 * dmacpy_stream_is_idle() - check whether all jobs have completed
 * @stream: the stream
 *
 * Context: Any.
 * Return: true if they have, or are about to signal their fences.
 */
bool dmacpy_stream_is_idle(struct dmacpy_stream *stream)
{
	return !dmacpy_stream_jobs(stream);
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
	u64 last = atomic64_read(&stream->seqno);
	int ret;

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
	dmacpy_device_exit(stream->dev, idx);
}

/**
 * dmacpy_stream_stat() - get the state of a stream
 * @stream: the stream
 * @stat: filled in
 *
 * Context: Process.
 * Return: 0, or -EINTR for a fatal signal.
 */
int dmacpy_stream_stat(struct dmacpy_stream *stream,
		       struct dmacpy_stream_stat *stat)
{
	int ret;

	*stat = (struct dmacpy_stream_stat){ };
	stream_stat_channel(stream, stat);
	ret = dmacpy_handle_stat(stream, stat);
	if (ret)
		return ret;

	/* Read @done before @seqno: the difference must not be negative. */
	stat->ended = atomic64_read_acquire(&stream->done);
	stat->jobs = atomic64_read(&stream->seqno) - stat->ended;
	stat->bytes = atomic64_read(&stream->bytes);
	spin_lock_irq(&stream->lock);
	stat->failed = stream->failed;
	stat->records = dmacpy_event_count(stream);
	spin_unlock_irq(&stream->lock);
	return 0;
}
