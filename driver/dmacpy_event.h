/* SPDX-License-Identifier: GPL-2.0-only */
/* The events of a stream: records of completed jobs, for read(). */
#ifndef DMACPY_EVENT_H
#define DMACPY_EVENT_H

#include <asm/barrier.h>
#include <linux/timekeeping.h>
#include <linux/types.h>

#include <linux/dmacpy.h>

#include "dmacpy_job.h"
#include "dmacpy_param.h"
#include "dmacpy_stream.h"

int dmacpy_event_make_ring(struct dmacpy_stream *stream);
int dmacpy_event_take(struct dmacpy_stream *stream,
		      struct dmacpy_event *events, unsigned int max,
		      bool nonblock);
void dmacpy_event_end_read(struct dmacpy_stream *stream,
			   const struct dmacpy_event *events,
			   unsigned int count, unsigned int unread);

/**
 * dmacpy_event_reserve() - reserve an event for a job
 * @stream: the stream
 * @job: a job for it, not yet submitted
 *
 * Context: Process.
 * Return: 0 or -ENOMEM.
 */
static inline int dmacpy_event_reserve(struct dmacpy_stream *stream,
				       struct dmacpy_job *job)
{
	job->event = true;
	return READ_ONCE(stream->ring) ? 0 : dmacpy_event_make_ring(stream);
}

/*
 * Returns the number of places in the ring that are taken: by records, until
 * they were read, and by jobs that will make one.
 */
static inline unsigned int dmacpy_event_places(struct dmacpy_stream *stream)
{
	/* Pairs with the release in dmacpy_event_end_read(). */
	unsigned int freed = smp_load_acquire(&stream->freed);

	return READ_ONCE(stream->events) - freed;
}

/* Returns the number of records to be read. */
static inline unsigned int dmacpy_event_count(struct dmacpy_stream *stream)
{
	/* Pairs with the release in dmacpy_event_add(). */
	return smp_load_acquire(&stream->added) - READ_ONCE(stream->taken);
}

/*
 * Add the event of a completed job. There is room, as a place was reserved when
 * the job was submitted. The jobs of a stream complete one at a time.
 */
static inline void dmacpy_event_add(struct dmacpy_stream *stream,
				    const struct dmacpy_job *job, int result)
{
	stream->ring[stream->end] = (struct dmacpy_event){
		.user_data = job->user_data,
		.result = result,
		.length = job->length,
		.timestamp = ktime_get_ns(),
	};
	if (++stream->end == dmacpy_max_events.value)
		stream->end = 0;
	/* Pairs with the acquire in dmacpy_event_count(). */
	smp_store_release(&stream->added, stream->added + 1);
}

#endif /* DMACPY_EVENT_H */
