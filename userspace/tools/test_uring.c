// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmacpy test: the row that submits and waits by io_uring.
 */
#include <string.h>

#include "test.h"

#ifndef HAVE_LIBURING

enum test_verdict test_row_uring(struct test *test)
{
	return test_skip(test, "this tool was built without liburing");
}

#else

#include <errno.h>
#include <liburing.h>

#define ROUNDS 10

#define LENGTH 512

/* Returns the result of a job, or the error of io_uring. */
static int run_job(struct io_uring *ring, struct test_channel *channel)
{
	struct dmacpy_submit submit = { .size = sizeof(submit) };
	struct dmacpy_submit_pointer pointer = {
		.submit = (uintptr_t)&submit,
	};
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
	struct io_uring_cqe *cqe;
	int ret;

	dmacpy_job_describe(channel->job, &submit);
	io_uring_prep_rw(IORING_OP_URING_CMD, sqe,
			 dmacpy_stream_fd(channel->stream), NULL, 0, 0);
	sqe->cmd_op = DMACPY_SUBMIT;
	memcpy(sqe->cmd, &pointer, sizeof(pointer));

	ret = io_uring_submit(ring);
	if (ret < 0)
		return ret;
	/* A signal does not end the job, which refers to @submit. */
	do
		ret = io_uring_wait_cqe(ring, &cqe);
	while (ret == -EINTR);
	if (ret)
		return ret;

	ret = cqe->res;
	io_uring_cqe_seen(ring, cqe);
	return ret;
}

static enum test_verdict copy_by_uring(struct test *test, struct io_uring *ring)
{
	size_t length = round_up_to(LENGTH, test_dst_unit(test));
	enum test_verdict verdict;
	int ret;

	verdict = test_prepare(test, length, length + TEST_GUARD);
	if (!verdict)
		verdict = test_add_copy(test, 0, 0, length);
	if (verdict)
		return verdict;

	ret = run_job(ring, test->channel);
	if (ret)
		return test_error(test, "a job of io_uring failed", ret);

	return test_compare(test, length + TEST_GUARD,
			    "%zu bytes, at the job's end", length);
}

enum test_verdict test_row_uring(struct test *test)
{
	enum test_verdict verdict = TEST_PASS;
	struct io_uring ring;
	int round, ret;

	ret = io_uring_queue_init(1, &ring, 0);
	if (ret)
		return test_skip(test, "io_uring: %s. %s", strerror(-ret),
				 "See sysctl kernel.io_uring_disabled.");

	for (round = 0; round < ROUNDS && !verdict; round++)
		verdict = copy_by_uring(test, &ring);
	io_uring_queue_exit(&ring);

	return verdict;
}

#endif /* HAVE_LIBURING */
