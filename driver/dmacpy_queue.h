/* SPDX-License-Identifier: GPL-2.0-only */
/* The jobs of a stream: their dependencies, and their completion */
#ifndef DMACPY_QUEUE_H
#define DMACPY_QUEUE_H

#include <asm/barrier.h>
#include <linux/lockdep.h>
#include <linux/types.h>

#include "dmacpy_job.h"
#include "dmacpy_stream.h"

struct work_struct;

/**
 * struct dmacpy_waiter - a system call or a request that awaits a job
 * @job: the job; NULL when it has completed, or the wait was cancelled
 * @result: result of the job after that
 * @armed: the stream has to call @wake
 * @wake: called when the job has completed; the stream does not use the waiter
 *	after this. Atomic.
 *
 * The waiter must exist until dmacpy_queue_arm_waiter() or
 * dmacpy_queue_cancel_waiter() reports that @wake is not called, or until @wake
 * was called.
 * dmacpy_stream.lock protects all members. Without it, a task may check that
 * @job is NULL, and may read @result after that.
 */
struct dmacpy_waiter {
	struct dmacpy_job *job;
	int result;
	bool armed;
	void (*wake)(struct dmacpy_waiter *waiter);
};

extern const struct dmacpy_xfer_ops dmacpy_queue_xfer_ops;

void dmacpy_queue_hold(struct dmacpy_stream *stream, struct dmacpy_job *job);
void dmacpy_queue_advance(struct work_struct *work);
void dmacpy_queue_stop(struct dmacpy_stream *stream);
bool dmacpy_queue_spin(struct dmacpy_stream *stream,
		       const struct dmacpy_waiter *waiter, u64 start);
void dmacpy_queue_note_latency(struct dmacpy_stream *stream, u64 ns);
bool dmacpy_queue_arm_waiter(struct dmacpy_stream *stream,
			     struct dmacpy_waiter *waiter);
bool dmacpy_queue_cancel_waiter(struct dmacpy_stream *stream,
				struct dmacpy_waiter *waiter);

/* True if the job of a waiter that is not armed has completed with a result */
static inline bool dmacpy_queue_is_done(const struct dmacpy_waiter *waiter)
{
	/* Pairs with the release in queue_complete_waiter(). */
	return !smp_load_acquire(&waiter->job);
}

/**
 * dmacpy_queue_job() - run a job, after those submitted before it
 * @stream: the stream
 * @job: the job, after submit_publish(): its submission cannot fail any more
 *
 * Context: Process, under dmacpy_stream.submit of a stream that is not stopped.
 */
static inline void dmacpy_queue_job(struct dmacpy_stream *stream,
				    struct dmacpy_job *job)
{
	/* Pairs with the release in queue_first(). */
	bool holds = smp_load_acquire(&stream->holds);

	lockdep_assert_held(&stream->submit);
	if (holds || job->deps.count || job->after || job->spread)
		dmacpy_queue_hold(stream, job);
	else
		dmacpy_job_run(job, stream->chan, &stream->lane,
			       &dmacpy_queue_xfer_ops, 0);
}

#endif /* DMACPY_QUEUE_H */
