// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmacpy bench: jobs through io_uring, one SQE per job, one system call per
 * round.
 */
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

static unsigned int count_jobs(const struct bench_worker *worker)
{
	return worker->bench->depth * worker->mine;
}

/* Kernels before 6.1 lack the flags that make a ring of one thread cheaper. */
int bench_uring_begin(struct bench_worker *worker)
{
	unsigned int flags = worker->bench->mode->polls ? IORING_SETUP_IOPOLL :
							  0;
	struct io_uring *ring;
	int ret;

	ring = calloc(1, sizeof(*ring));
	if (!ring)
		return -ENOMEM;

	ret = io_uring_queue_init(count_jobs(worker), ring,
				  flags | IORING_SETUP_SINGLE_ISSUER |
				  IORING_SETUP_DEFER_TASKRUN);
	if (ret == -EINVAL)
		ret = io_uring_queue_init(count_jobs(worker), ring, flags);
	if (ret)
		free(ring);
	else
		worker->private = ring;

	return ret;
}

static void queue(struct io_uring *ring, struct bench_stream *stream,
		  unsigned int job)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

	io_uring_prep_rw(IORING_OP_URING_CMD, sqe, stream->fd, NULL, 0, 0);
	if (stream->runs) {
		struct dmacpy_run_command run = {
			.handle = stream->runs[job].handle,
			.flags = stream->calls[job].flags,
		};

		sqe->cmd_op = DMACPY_RUN;
		memcpy(sqe->cmd, &run, sizeof(run));
		return;
	}
	sqe->cmd_op = DMACPY_SUBMIT;
	memcpy(sqe->cmd, &stream->pointers[job], sizeof(*stream->pointers));
}

/* Returns the number of completed jobs, or the error of one of them. */
static int take_completed(struct io_uring *ring)
{
	struct io_uring_cqe *cqe;
	unsigned int head;
	int count = 0, ret = 0;

	io_uring_for_each_cqe(ring, head, cqe) {
		ret = cqe->res ? cqe->res : ret;
		count++;
	}
	io_uring_cq_advance(ring, count);

	return ret ? ret : count;
}

int bench_uring_round(struct bench_worker *worker)
{
	struct io_uring *ring = worker->private;
	unsigned int i, job;
	int left = count_jobs(worker), ret;

	for (job = 0; job < worker->bench->depth; job++)
		for (i = 0; i < worker->mine; i++)
			queue(ring, bench_stream(worker, i), job);

	while (left) {
		ret = io_uring_submit_and_wait(ring, left);
		if (ret < 0)
			return ret;
		ret = take_completed(ring);
		if (ret < 0)
			return ret;
		left -= ret;
	}

	return 0;
}

void bench_uring_end(struct bench_worker *worker)
{
	if (!worker->private)
		return;

	io_uring_queue_exit(worker->private);
	free(worker->private);
}
