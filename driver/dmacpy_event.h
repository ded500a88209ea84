/* SPDX-License-Identifier: GPL-2.0-only */
/* The events of a stream: records of completed jobs, for read(). */
#ifndef DMACPY_EVENT_H
#define DMACPY_EVENT_H

#include <linux/lockdep.h>
#include <linux/timekeeping.h>
#include <linux/types.h>

#include <linux/dmacpy.h>

#include "dmacpy_job.h"
#include "dmacpy_param.h"
#include "dmacpy_stream.h"

int dmacpy_event_want(struct dmacpy_stream *stream, struct dmacpy_job *job);
int dmacpy_event_take(struct dmacpy_stream *stream,
		      struct dmacpy_event *events, unsigned int max,
		      bool nonblock);
void dmacpy_event_end_read(struct dmacpy_stream *stream,
			   const struct dmacpy_event *events,
			   unsigned int count, unsigned int unread);

/*
 * Add the event of a completed job. There is room, as a place was reserved when
 * the job was submitted.
 */
static inline void dmacpy_event_add(struct dmacpy_stream *stream,
				    const struct dmacpy_job *job, int result)
{
	unsigned int i = stream->first + stream->records;

	lockdep_assert_held(&stream->lock);
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

#endif /* DMACPY_EVENT_H */
