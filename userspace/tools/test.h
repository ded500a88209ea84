/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dmacpy test: what its files share.
 */
#ifndef _DMACPY_TEST_H
#define _DMACPY_TEST_H

#include "tool.h"

/* The longest memory of a row, and what around a copy must not change. */
#define TEST_AREA	(64U << 10)
#define TEST_GUARD	256U

/* The longest that is waited for a job, in ms. */
#define TEST_PATIENCE	10000

enum test_kind { TEST_SRAM, TEST_USER, TEST_HEAP };

enum test_verdict { TEST_PASS, TEST_FAIL, TEST_SKIP };

enum test_format { TEST_TABLE, TEST_JSON, TEST_TAP };

struct test;

/**
 * struct test_row - one thing that is tested, on each channel
 * @name: on the command line and in the report
 * @run: returns a verdict; a reason for it is in @detail of struct test
 * @src: what @src of struct test is
 * @dst: what @dst of struct test is
 */
struct test_row {
	const char *name;
	enum test_verdict (*run)(struct test *test);
	enum test_kind src;
	enum test_kind dst;
};

/**
 * struct test_channel - a channel, by a stream on it
 * @name: in the kernel
 * @stream: on it
 * @job: of @stream; a job that was submitted does not need it any more
 * @stopped: the row that the channel did not come back from, or NULL
 */
struct test_channel {
	char name[32];
	struct dmacpy_stream *stream;
	struct dmacpy_job *job;
	const char *stopped;
};

/**
 * struct test_memory - memory that the CPU and a channel reach
 * @kind: of the memory
 * @buffer: for the library
 * @data: for the CPU
 * @length: of both
 */
struct test_memory {
	enum test_kind kind;
	struct dmacpy_buffer *buffer;
	uint8_t *data;
	size_t length;
};

/**
 * struct test - a device under test
 * @device: the device
 * @info: its properties
 * @channels: its channels
 * @channel_count: number of @channels
 * @channel: the one under test
 * @row: that is run
 * @src: memory of the row, to copy from
 * @dst: memory of the row, to copy to
 * @seed: of the next pattern
 * @fresh: what the CPU has written to @src
 * @previous: what it had written there before
 * @old: what the CPU has written to @dst
 * @stale: what @dst has after copies of @previous
 * @wanted: what @dst has after copies of @fresh
 * @seen: what @dst has
 * @detail: why the row failed or was skipped, or what it has measured
 */
struct test {
	struct dmacpy_device *device;
	struct dmacpy_get_info info;
	struct test_channel *channels;
	unsigned int channel_count;
	struct test_channel *channel;
	const struct test_row *row;
	struct test_memory src;
	struct test_memory dst;
	uint32_t seed;
	uint8_t fresh[TEST_AREA];
	uint8_t previous[TEST_AREA];
	uint8_t old[TEST_AREA];
	uint8_t stale[TEST_AREA];
	uint8_t wanted[TEST_AREA];
	uint8_t seen[TEST_AREA];
	char detail[256];
};

/* Suspects, and reasons */
extern const char test_interrupt[];
extern const char test_no_sram[];

/* Each gives the reason, and returns that verdict. */
enum test_verdict test_fail(struct test *test, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
enum test_verdict test_skip(struct test *test, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The same for an error of the library: @err is a negative errno. */
enum test_verdict test_error(struct test *test, const char *what, int err);

/* Memory of a stream. test_memory_free() takes zeroed memory, too. */
enum test_verdict test_memory_new(struct test *test,
				  struct dmacpy_stream *stream,
				  enum test_kind kind,
				  struct test_memory *memory);
void test_memory_free(struct test_memory *memory);

/*
 * Write patterns to so much of @src and @dst. A row reports what it copies to
 * test_expect(), and test_compare() checks @dst, up to @dst_length, against it.
 * @what was done is for the message.
 */
enum test_verdict test_prepare(struct test *test, size_t src_length,
			       size_t dst_length);
void test_expect(struct test *test, size_t dst_offset, size_t src_offset,
		 size_t length);
enum test_verdict test_compare(struct test *test, size_t dst_length,
			       const char *what, ...)
	__attribute__((format(printf, 3, 4)));

/* What offsets and lengths in @dst, and in @src, are multiples of */
size_t test_dst_unit(const struct test *test);
size_t test_src_unit(const struct test *test);

size_t round_up_to(size_t value, size_t unit);

/* Submit the channel's job; wait for a channel that is being recovered. */
enum test_verdict test_submit(struct test *test, struct test_channel *channel,
			      struct dmacpy_submit *how);

/* Copy from @src to @dst by one job. */
enum test_verdict test_copy(struct test *test, size_t dst_offset,
			    size_t src_offset, size_t length,
			    struct dmacpy_submit *how);

/* Read an event, and check that it is the one with @user_data. */
enum test_verdict test_event(struct test *test, struct test_channel *channel,
			     uint64_t user_data);

/* The rows */
enum test_verdict test_row_copy(struct test *test);
enum test_verdict test_row_edges(struct test *test);
enum test_verdict test_row_cache(struct test *test);
enum test_verdict test_row_fill(struct test *test);
enum test_verdict test_row_copy_2d(struct test *test);
enum test_verdict test_row_batch(struct test *test);
enum test_verdict test_row_aliases(struct test *test);
enum test_verdict test_row_at_once(struct test *test);
enum test_verdict test_row_order(struct test *test);
enum test_verdict test_row_latency(struct test *test);
enum test_verdict test_row_wait(struct test *test);
enum test_verdict test_row_event(struct test *test);
enum test_verdict test_row_poll(struct test *test);
enum test_verdict test_row_fence(struct test *test);
enum test_verdict test_row_flush(struct test *test);
enum test_verdict test_row_dmabuf(struct test *test);

/* @channel is NULL for a row of the whole device. */
void test_report_begin(enum test_format format);
void test_report_device(const char *path, const struct dmacpy_get_info *info);
void test_report_row(const char *path, const char *channel, const char *row,
		     enum test_verdict verdict, const char *detail);

/* Prints the sums. Returns the exit code. */
int test_report_end(void);

#endif /* _DMACPY_TEST_H */
