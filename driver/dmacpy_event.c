// SPDX-License-Identifier: GPL-2.0-only
/*
 * The events of a stream: records of completed jobs, for read(). A job with an
 * event takes a place in the ring when it is submitted, and the reader of the
 * record frees it: no record is ever lost.
 */
#include <linux/atomic.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "dmacpy_event.h"
#include "dmacpy_job.h"
#include "dmacpy_param.h"
#include "dmacpy_stream.h"

#include <linux/dmacpy.h>

/**
 * dmacpy_event_make_ring() - allocate the room for the events of a stream
 * @stream: the stream
 *
 * Context: Process.
 * Return: 0 or -ENOMEM.
 */
int dmacpy_event_make_ring(struct dmacpy_stream *stream)
{
	struct dmacpy_event *ring;

	ring = kvcalloc(dmacpy_max_events.value, sizeof(*ring),
			GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!ring)
		return -ENOMEM;
	if (cmpxchg(&stream->ring, NULL, ring))
		kvfree(ring);
	return 0;
}

/* The device was unbound, and all jobs have completed: no event will follow. */
static bool event_is_final(struct dmacpy_stream *stream)
{
	/* Read @stopped first: once it is set, no job is submitted. */
	return smp_load_acquire(&stream->stopped) &&
	       atomic64_read_acquire(&stream->ended) ==
	       atomic64_read(&stream->seqno);
}

static unsigned int event_take(struct dmacpy_stream *stream,
			       struct dmacpy_event *events, unsigned int max)
{
	unsigned int i;

	spin_lock_irq(&stream->lock);
	max = min(max, dmacpy_event_count(stream));
	for (i = 0; i < max; i++) {
		events[i] = stream->ring[stream->first];
		if (++stream->first == dmacpy_max_events.value)
			stream->first = 0;
	}
	WRITE_ONCE(stream->taken, stream->taken + max);
	spin_unlock_irq(&stream->lock);
	return max;
}

/**
 * dmacpy_event_take() - take the oldest events
 * @stream: the stream
 * @events: array for the events
 * @max: the maximum number, at least 1
 * @nonblock: do not wait for the first one
 *
 * Context: Process.
 * Return: the number of events, whose places are reserved until
 * dmacpy_event_end_read(); -EAGAIN, -ERESTARTSYS, or -ENODEV when no event will
 * follow.
 */
int dmacpy_event_take(struct dmacpy_stream *stream,
		      struct dmacpy_event *events, unsigned int max,
		      bool nonblock)
{
	unsigned int count;
	bool last;
	int ret;

	for (;;) {
		/* Check this first: the last job may complete in between. */
		last = event_is_final(stream);
		count = event_take(stream, events, max);
		if (count)
			return count;
		if (last)
			return -ENODEV;
		if (nonblock)
			return -EAGAIN;
		ret = wait_event_interruptible(stream->wait,
					       dmacpy_event_count(stream) ||
					       event_is_final(stream));
		if (ret)
			return ret;
	}
}

/**
 * dmacpy_event_end_read() - free places, or put back events that were not read
 * @stream: the stream
 * @events: from dmacpy_event_take()
 * @count: their number
 * @unread: number of events, at the end, that were not read and are read next
 *
 * Context: Process.
 */
void dmacpy_event_end_read(struct dmacpy_stream *stream,
			   const struct dmacpy_event *events,
			   unsigned int count, unsigned int unread)
{
	unsigned int i;

	spin_lock_irq(&stream->lock);
	for (i = 1; i <= unread; i++) {
		if (!stream->first)
			stream->first = dmacpy_max_events.value;
		stream->ring[--stream->first] = events[count - i];
	}
	WRITE_ONCE(stream->taken, stream->taken - unread);
	/* The records were read before their places are used again. */
	smp_store_release(&stream->freed, stream->freed + count - unread);
	spin_unlock_irq(&stream->lock);
	if (unread)
		wake_up_all(&stream->wait);
}
