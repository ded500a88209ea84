// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmacpy test: rows that check which bytes jobs write.
 */
#include <inttypes.h>
#include <string.h>

#include "test.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/*
 * Rounds of writing, copying and reading memory, to detect a stale cache. On a
 * slow board there are fewer, as many as fit into this time, in seconds.
 */
#define CACHE_ROUNDS 1000
#define CACHE_LEAST_ROUNDS 100
#define CACHE_SECONDS 0.1

#define CACHE_LENGTH 2048

#define PATTERN 0x64636261

static enum test_verdict check_copy(struct test *test, size_t dst_offset,
				    size_t src_offset, size_t length)
{
	struct dmacpy_submit how = { .flags = DMACPY_SUBMIT_WAIT };
	size_t dst_length = dst_offset + length + TEST_GUARD;
	enum test_verdict verdict;

	verdict = test_prepare(test, src_offset + length, dst_length);
	if (!verdict)
		verdict = test_copy(test, dst_offset, src_offset, length, &how);
	if (!verdict)
		verdict = test_compare(test, dst_length,
				       "%zu bytes copied from %zu to %zu",
				       length, src_offset, dst_offset);

	return verdict;
}

/* In units of the alignment, or in bytes if that is longer */
static const size_t lengths[] = {
	1, 2, 3, 4, 7, 8, 9, 15, 16, 31, 33, 63, 64, 65, 127, 129, 255, 257,
	4095, 4096, 4097, 10007, TEST_AREA,
};

static const size_t starts[] = { 0, 1, 2, 3, 5, 7, 11, 13 };

#define LAST_START 13

static size_t nth_length(size_t i, size_t unit, size_t most)
{
	size_t length = lengths[i] < 4095 ? lengths[i] * unit : lengths[i];

	length = least(length, most);
	return length - length % unit;
}

enum test_verdict test_row_copy(struct test *test)
{
	size_t dst_unit = test_dst_unit(test), src_unit = test_src_unit(test);
	enum test_verdict verdict = TEST_PASS;
	size_t most, dst, src, i;

	most = least(test->dst.length - 2 * TEST_GUARD - LAST_START * dst_unit,
		     test->src.length - LAST_START * src_unit);
	most = least(most, test->info.max_bytes);
	for (i = 0; i < COUNT(lengths) && !verdict; i++) {
		dst = TEST_GUARD + starts[i % COUNT(starts)] * dst_unit;
		src = starts[i * 3 % COUNT(starts)] * src_unit;
		verdict = check_copy(test, dst, src,
				     nth_length(i, dst_unit, most));
	}

	return verdict;
}

/* Uses the library, which copies the partial cache lines by the CPU. */
static enum test_verdict check_edges(struct test *test, size_t dst_offset,
				     size_t src_offset, size_t length)
{
	size_t dst_length = dst_offset + length + TEST_GUARD;
	enum test_verdict verdict;
	int ret;

	verdict = test_prepare(test, src_offset + length, dst_length);
	if (verdict)
		return verdict;

	ret = dmacpy_stream_copy(test->channel->stream, test->dst.buffer,
				 dst_offset, test->src.buffer, src_offset,
				 length);
	if (ret)
		return test_error(test, "a copy failed", ret);

	test_expect(test, dst_offset, src_offset, length);
	return test_compare(test, dst_length,
			    "%zu bytes copied from %zu to %zu", length,
			    src_offset, dst_offset);
}

enum test_verdict test_row_edges(struct test *test)
{
	enum test_verdict verdict = TEST_PASS;
	size_t unit = test->info.copy_align, i;

	for (i = 0; i < 128 && !verdict; i++)
		verdict = check_edges(test, TEST_GUARD + i * unit,
				      (i * 7 % 64) * unit,
				      (i * 5 % 97 + 1) * unit);

	return verdict;
}

enum test_verdict test_row_cache(struct test *test)
{
	double end = seconds_now() + CACHE_SECONDS;
	enum test_verdict verdict = TEST_PASS;
	int round;

	for (round = 0; round < CACHE_ROUNDS && !verdict; round++) {
		if (round >= CACHE_LEAST_ROUNDS && seconds_now() > end)
			break;
		verdict = check_copy(test, TEST_GUARD, 0, CACHE_LENGTH);
	}

	return verdict;
}

/* A word of the longest copy: no two are the same, and none is 0. */
static uint32_t nth_word(size_t i)
{
	return (i + 1) * 2654435761U;
}

static enum test_verdict check_longest(struct test *test, size_t length)
{
	static const char suspect[] =
		"Does the engine copy all parts of a long job?";
	const uint32_t *data = (const uint32_t *)test->dst.data;
	size_t i;

	for (i = 0; i < length / sizeof(*data); i++)
		if (data[i] != nth_word(i))
			return test_fail(test, "%zu bytes copied: 0x%" PRIx32
					 " at %zu, not 0x%" PRIx32 ". %s",
					 length, data[i], i * sizeof(*data),
					 nth_word(i), suspect);

	return TEST_PASS;
}

/* The arrays of struct test are too short for this. */
enum test_verdict test_row_longest(struct test *test)
{
	size_t unit = round_up_to(sizeof(uint32_t), test_dst_unit(test)), i;
	struct dmacpy_submit how = { .flags = DMACPY_SUBMIT_WAIT };
	struct dmacpy_job *job = test->channel->job;
	uint32_t *data = (uint32_t *)test->src.data;
	size_t length = test->src.length;
	enum test_verdict verdict;
	int ret;

	length -= length % unit;
	for (i = 0; i < length / sizeof(*data); i++)
		data[i] = nth_word(i);

	dmacpy_job_reset(job);
	ret = dmacpy_job_add_copy(job, test->dst.buffer, 0, test->src.buffer, 0,
				  length);
	if (ret)
		return test_error(test, "a copy is refused", ret);

	verdict = test_submit(test, test->channel, &how);

	return verdict ? verdict : check_longest(test, length);
}

enum test_verdict test_row_fill(struct test *test)
{
	struct dmacpy_submit how = { .flags = DMACPY_SUBMIT_WAIT };
	size_t unit = test_dst_unit(test), length, i;
	struct dmacpy_job *job = test->channel->job;
	const uint32_t pattern = PATTERN;
	const uint8_t *bytes = (const uint8_t *)&pattern;
	enum test_verdict verdict;
	int ret;

	length = 501 * unit;
	if (length > CACHE_LENGTH)
		length = round_up_to(CACHE_LENGTH, unit);
	verdict = test_prepare(test, 0, length + 2 * TEST_GUARD);
	if (verdict)
		return verdict;

	dmacpy_job_reset(job);
	ret = dmacpy_job_add_fill(job, test->dst.buffer, TEST_GUARD, length,
				  pattern);
	if (ret)
		return test_error(test, "a fill is refused", ret);

	for (i = 0; i < length; i++)
		test->wanted[TEST_GUARD + i] = bytes[i % 4];
	verdict = test_submit(test, test->channel, &how);
	if (verdict)
		return verdict;

	return test_compare(test, length + 2 * TEST_GUARD, "%zu bytes filled",
			    length);
}

#define ROWS 6U

enum test_verdict test_row_copy_2d(struct test *test)
{
	size_t unit = test_dst_unit(test), i;
	unsigned int rows = least(ROWS, test->info.max_rows);
	struct dmacpy_plane dst = { test->dst.buffer, TEST_GUARD, 5 * unit };
	struct dmacpy_plane src = { test->src.buffer, unit, 7 * unit };
	struct dmacpy_submit how = { .flags = DMACPY_SUBMIT_WAIT };
	size_t dst_length = 2 * TEST_GUARD + rows * dst.stride;
	struct dmacpy_job *job = test->channel->job;
	enum test_verdict verdict;
	int ret;

	verdict = test_prepare(test, unit + rows * src.stride, dst_length);
	if (verdict)
		return verdict;

	dmacpy_job_reset(job);
	ret = dmacpy_job_add_copy_2d(job, &dst, &src, 3 * unit, rows);
	if (ret)
		return test_error(test, "a copy is refused", ret);

	for (i = 0; i < rows; i++)
		test_expect(test, dst.offset + i * dst.stride,
			    src.offset + i * src.stride, 3 * unit);
	verdict = test_submit(test, test->channel, &how);
	if (verdict)
		return verdict;

	return test_compare(test, dst_length, "%u rows copied", rows);
}

/* Submits a job with the maximum of copies, more than an engine can queue. */
enum test_verdict test_row_batch(struct test *test)
{
	struct dmacpy_submit how = { .flags = DMACPY_SUBMIT_WAIT };
	size_t unit = round_up_to(16, test_dst_unit(test)), count, i, from;
	struct dmacpy_job *job = test->channel->job;
	enum test_verdict verdict;
	int ret = 0;

	count = least(test->info.max_ops, test->info.max_rows);
	count = least(count, least(TEST_AREA, test->info.max_bytes) / unit);
	verdict = test_prepare(test, count * unit, count * unit);
	if (verdict)
		return verdict;

	dmacpy_job_reset(job);
	for (i = 0; i < count && !ret; i++) {
		from = (i * 7 + 3) % count * unit;
		ret = dmacpy_job_add_copy(job, test->dst.buffer, i * unit,
					  test->src.buffer, from, unit);
		test_expect(test, i * unit, from, unit);
	}
	if (ret)
		return test_error(test, "a copy is refused", ret);
	verdict = test_submit(test, test->channel, &how);
	if (verdict)
		return verdict;

	return test_compare(test, count * unit, "a job of %zu copies", count);
}
