/* SPDX-License-Identifier: GPL-2.0-only */
/* The events of a stream: records of completed jobs, for read(). */
#ifndef DMACPY_EVENT_H
#define DMACPY_EVENT_H

#include <linux/types.h>

#include "dmacpy_stream.h"

struct dmacpy_event;
struct dmacpy_job;

int dmacpy_event_want(struct dmacpy_stream *stream, struct dmacpy_job *job);
void dmacpy_event_add(struct dmacpy_stream *stream,
		      const struct dmacpy_job *job, int result);
int dmacpy_event_take(struct dmacpy_stream *stream,
		      struct dmacpy_event *events, unsigned int max,
		      bool nonblock);
void dmacpy_event_end_read(struct dmacpy_stream *stream,
			   const struct dmacpy_event *events,
			   unsigned int count, unsigned int unread);

#endif /* DMACPY_EVENT_H */
