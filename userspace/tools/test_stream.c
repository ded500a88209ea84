// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmacpy test: rows that test order, two channels at once, latency, and all
 * ways to wait.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

/* Jobs in flight; the row that tests the order has two per part. */
#define PARTS 8

#define PART_LENGTH 512U

#define WAIT_ROUNDS 10

#define LATENCY_ROUNDS 30

/* A longer latency is not due to a slow engine, but to a missing interrupt. */
#define LATENCY_LIMIT 0.1

/* Returns a channel other than the one under test, or NULL. */
static struct test_channel *other_channel(struct test *test)
{
	unsigned int next = test->channel - test->channels + 1, i;
	struct test_channel *other;

	for (i = 0; i < test->channel_count; i++) {
		other = &test->channels[(next + i) % test->channel_count];
		if (!other->stopped && other != test->channel)
			return other;
	}

	return NULL;
}

/* Opens a second stream on the only channel. */
static enum test_verdict new_stream(struct test *test,
				    struct test_channel *second)
{
	int ret;

	snprintf(second->name, sizeof(second->name), "another stream");
	ret = dmacpy_stream_open(test->device, &second->stream);
	if (!ret)
		ret = dmacpy_job_new(second->stream, &second->job);

	return ret ? test_error(test, "cannot open a stream", ret) : TEST_PASS;
}

/**
 * struct side - one of two streams that copy at the same time
 * @channel: channel of the stream
 * @dst: memory to copy to
 * @src: memory to copy from
 */
struct side {
	struct test_channel *channel;
	struct dmacpy_buffer *dst;
	struct dmacpy_buffer *src;
};

static enum test_verdict submit_part(struct test *test, struct side *side,
				     unsigned int part)
{
	struct dmacpy_submit how = {
		.flags = DMACPY_SUBMIT_EVENT | DMACPY_SUBMIT_NO_IMPLICIT,
		.user_data = part,
	};
	size_t offset = part * PART_LENGTH;
	int ret;

	dmacpy_job_reset(side->channel->job);
	ret = dmacpy_job_add_copy(side->channel->job, side->dst, offset,
				  side->src, offset, PART_LENGTH);
	if (ret)
		return test_error(test, "a copy is refused", ret);

	test_expect(test, offset, offset, PART_LENGTH);
	return test_submit(test, side->channel, &how);
}

static enum test_verdict copy_at_once(struct test *test, struct side sides[2])
{
	unsigned int parts = least(PARTS, 2 * test->info.max_events), i;
	enum test_verdict verdict;

	verdict = test_prepare(test, parts * PART_LENGTH, parts * PART_LENGTH);
	for (i = 0; i < parts && !verdict; i++)
		verdict = submit_part(test, &sides[i % 2], i);
	for (i = 0; i < parts && !verdict; i++)
		verdict = test_event(test, sides[i % 2].channel, i);
	if (verdict)
		return verdict;

	return test_compare(test, parts * PART_LENGTH, "copies of %s and %s",
			    sides[0].channel->name, sides[1].channel->name);
}

static enum test_verdict import_both(struct test *test, struct side *side)
{
	uint32_t access = DMACPY_ACCESS_READ | DMACPY_ACCESS_WRITE;
	int ret;

	ret = dmacpy_buffer_import(side->channel->stream,
				   dmacpy_buffer_fd(test->src.buffer), access,
				   &side->src);
	if (!ret)
		ret = dmacpy_buffer_import(side->channel->stream,
					   dmacpy_buffer_fd(test->dst.buffer),
					   access, &side->dst);

	return ret ? test_error(test, "cannot import SRAM", ret) : TEST_PASS;
}

enum test_verdict test_row_at_once(struct test *test)
{
	struct side sides[2] = {
		{ test->channel, test->dst.buffer, test->src.buffer },
		{ other_channel(test), NULL, NULL },
	};
	enum test_verdict verdict = TEST_PASS;
	struct test_channel second = { };

	if (!sides[1].channel) {
		sides[1].channel = &second;
		verdict = new_stream(test, &second);
	}
	if (!verdict)
		verdict = import_both(test, &sides[1]);
	if (!verdict)
		verdict = copy_at_once(test, sides);
	dmacpy_buffer_free(sides[1].dst);
	dmacpy_buffer_free(sides[1].src);
	dmacpy_job_free(second.job);
	dmacpy_stream_close(second.stream);

	return verdict;
}

/* Copies through the first part of @dst, which each later job overwrites. */
static enum test_verdict copy_through_first(struct test *test,
					    unsigned int part)
{
	struct dmacpy_submit how = {
		.flags = DMACPY_SUBMIT_EVENT,
		.user_data = 2 * part,
	};
	struct dmacpy_job *job = test->channel->job;
	enum test_verdict verdict;
	int ret;

	verdict = test_copy(test, 0, part * PART_LENGTH, PART_LENGTH, &how);
	if (verdict)
		return verdict;

	dmacpy_job_reset(job);
	ret = dmacpy_job_add_copy(job, test->dst.buffer,
				  (part + 1) * PART_LENGTH, test->dst.buffer, 0,
				  PART_LENGTH);
	if (ret)
		return test_error(test, "a copy is refused", ret);

	test_expect(test, (part + 1) * PART_LENGTH, part * PART_LENGTH,
		    PART_LENGTH);
	how.user_data++;
	return test_submit(test, test->channel, &how);
}

enum test_verdict test_row_order(struct test *test)
{
	unsigned int parts = least(PARTS, test->info.max_events / 2), i;
	enum test_verdict verdict;

	if (!parts)
		return test_skip(test, "a stream can have only one event");

	verdict = test_prepare(test, parts * PART_LENGTH,
			       (parts + 1) * PART_LENGTH);
	for (i = 0; i < parts && !verdict; i++)
		verdict = copy_through_first(test, i);
	for (i = 0; i < 2 * parts && !verdict; i++)
		verdict = test_event(test, test->channel, i);
	if (verdict)
		return verdict;

	return test_compare(test, (parts + 1) * PART_LENGTH,
			    "jobs out of order, or one that copied nothing");
}

static int compare_times(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;

	return (first > second) - (first < second);
}

enum test_verdict test_row_latency(struct test *test)
{
	struct dmacpy_submit how = { .flags = DMACPY_SUBMIT_WAIT };
	double times[LATENCY_ROUNDS], median;
	enum test_verdict verdict;
	int i;

	verdict = test_prepare(test, PART_LENGTH, PART_LENGTH);
	for (i = 0; i < LATENCY_ROUNDS && !verdict; i++) {
		times[i] = seconds_now();
		verdict = test_copy(test, 0, 0, PART_LENGTH, &how);
		times[i] = seconds_now() - times[i];
	}
	if (verdict)
		return verdict;

	qsort(times, LATENCY_ROUNDS, sizeof(*times), compare_times);
	median = times[LATENCY_ROUNDS / 2];
	if (median > LATENCY_LIMIT)
		return test_fail(test, "%.0f ms for %u bytes: %s", median * 1e3,
				 PART_LENGTH, test_interrupt);

	snprintf(test->detail, sizeof(test->detail),
		 "%.0f us for %u bytes, at most %.0f us", median * 1e6,
		 PART_LENGTH, times[LATENCY_ROUNDS - 1] * 1e6);
	return TEST_PASS;
}

/*
 * In each round the function submits a copy with @flags and calls @wait_for,
 * and then the data has to be there.
 */
static enum test_verdict
check_waiting(struct test *test, uint32_t flags,
	      enum test_verdict (*wait_for)(struct test *test, int fence))
{
	size_t length = round_up_to(PART_LENGTH, test_dst_unit(test));
	enum test_verdict verdict = TEST_PASS;
	struct dmacpy_submit how;
	int round;

	for (round = 0; round < WAIT_ROUNDS && !verdict; round++) {
		how = (struct dmacpy_submit){ .flags = flags, .out_fence = -1 };
		verdict = test_prepare(test, length, length + TEST_GUARD);
		if (!verdict)
			verdict = test_copy(test, 0, 0, length, &how);
		if (!verdict && wait_for)
			verdict = wait_for(test, how.out_fence);
		if (how.out_fence >= 0)
			close(how.out_fence);
		if (!verdict)
			verdict = test_compare(test, length + TEST_GUARD,
					       "%zu bytes, at the job's end",
					       length);
	}

	return verdict;
}

static enum test_verdict poll_for_input(struct test *test, int fd,
					const char *what)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	int count;

	count = poll(&poll_fd, 1, TEST_PATIENCE);
	if (count < 0)
		return test_error(test, "poll", -errno);
	if (!count) {
		test->channel->stopped = test->row->name;
		return test_fail(test, "no %s within %d s: %s", what,
				 TEST_PATIENCE / 1000, test_interrupt);
	}

	return TEST_PASS;
}

static enum test_verdict wait_event(struct test *test, int fence)
{
	(void)fence;
	return test_event(test, test->channel, 0);
}

static enum test_verdict wait_poll(struct test *test, int fence)
{
	enum test_verdict verdict;

	verdict = poll_for_input(test,
				 dmacpy_stream_fd(test->channel->stream),
				 "event");

	return verdict ? verdict : wait_event(test, fence);
}

static enum test_verdict wait_fence(struct test *test, int fence)
{
	int ret;

	ret = dmacpy_fence_wait(fence, TEST_PATIENCE);

	return ret ? test_error(test, "the fence of a job", ret) : TEST_PASS;
}

static enum test_verdict wait_flush(struct test *test, int fence)
{
	int ret;

	(void)fence;
	ret = dmacpy_stream_flush(test->channel->stream);

	return ret ? test_error(test, "the flush of a stream", ret) : TEST_PASS;
}

/* Checks only the data: poll() does not report a failure. */
static enum test_verdict wait_dmabuf(struct test *test, int fence)
{
	(void)fence;
	return poll_for_input(test, dmacpy_buffer_fd(test->dst.buffer),
			      "end of the copy in the fences of a dma-buf");
}

enum test_verdict test_row_wait(struct test *test)
{
	return check_waiting(test, DMACPY_SUBMIT_WAIT, NULL);
}

enum test_verdict test_row_event(struct test *test)
{
	return check_waiting(test, DMACPY_SUBMIT_EVENT, wait_event);
}

enum test_verdict test_row_poll(struct test *test)
{
	return check_waiting(test, DMACPY_SUBMIT_EVENT, wait_poll);
}

enum test_verdict test_row_fence(struct test *test)
{
	return check_waiting(test, DMACPY_SUBMIT_OUT_FENCE, wait_fence);
}

enum test_verdict test_row_flush(struct test *test)
{
	return check_waiting(test, 0, wait_flush);
}

enum test_verdict test_row_dmabuf(struct test *test)
{
	return check_waiting(test, 0, wait_dmabuf);
}
