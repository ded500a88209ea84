/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A thread of the stress test: it does at random everything that a program can
 * do to a stream, and keeps a model of the data in its memory.
 */
#ifndef DMACPY_TESTS_WORKER_H
#define DMACPY_TESTS_WORKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "model.h"

#define THREADS		3	/* threads per family */
#define PUBLIC_BUFFERS	3
#define PUBLIC_FENCES	8

/* Counters of all processes */
enum count {
	JOBS_DONE,
	JOBS_FAILED,		/* errors of the engine */
	JOBS_TIMED_OUT,
	JOBS_CANCELLED,
	JOBS_REFUSED,		/* during a recovery of the channel */
	RUNS,			/* jobs that were prepared */
	IN_FENCES,
	REQUESTS_DONE,		/* jobs by io_uring */
	REQUESTS_CANCELLED,	/* before their start */
	REQUESTS_FORGOTTEN,	/* the ring was closed first */
	MISTAKES,		/* jobs and commands that had to be refused */
	BYTES_COMPARED,
	REPLACEMENTS,		/* possibly of memory in use */
	REOPENINGS,
	KILLS,
	COUNTS,
};

/* Shared by all processes */
struct statistics {
	uint64_t counts[COUNTS];
	bool stop;
};

/*
 * A process. In the public buffers each thread has a part of its own, which its
 * neighbours read. All processes share the scratch buffer, whose data is
 * unknown.
 */
struct family {
	struct statistics *statistics;
	uint32_t seed;
	unsigned int number, generation;
	const char *devices[THREADS];
	int scratch;
	int buffers[PUBLIC_BUFFERS];
	uint8_t *maps[PUBLIC_BUFFERS];
	pthread_mutex_t lock;
	int fences[PUBLIC_FENCES];	/* shared by all threads, under @lock */
};

struct worker_start {
	struct family *family;
	unsigned int thread;
	pthread_t id;
};

uint32_t mix(uint32_t hash, uint32_t value);
void count(struct statistics *statistics, enum count what, uint64_t number);
void *worker_run(void *start);

#endif
