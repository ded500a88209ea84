/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dmacpy test: common declarations of its files.
 */
#ifndef _DMACPY_TEST_H
#define _DMACPY_TEST_H

#include "tool.h"

/* Maximum memory of most rows, and guard bytes around a copy */
#define TEST_AREA	(64U << 10)
#define TEST_GUARD	256U

/* Maximum length of the longest job: a parameter of the driver allows 1 GiB. */
#define TEST_LONGEST	(64U << 20)

/* Maximum time to wait for a job, in ms */
#define TEST_PATIENCE	10000

/* TEST_LONG is TEST_USER, as long as a job can be. */
enum test_kind { TEST_SRAM, TEST_USER, TEST_HEAP, TEST_LONG };

enum test_verdict { TEST_PASS, TEST_FAIL, TEST_SKIP };

enum test_format { TEST_TABLE, TEST_JSON, TEST_TAP };

struct test;

/**
 * struct test_row - a test that is run on each channel
 * @name: name on the command line and in the report
 * @run: returns a verdict; a reason for it is in @detail of struct test
 * @src: type of the source memory
 * @dst: type of the destination memory
 */
struct test_row {
	const char *name;
	enum test_verdict (*run)(struct test *test);
	enum test_kind src;
	enum test_kind dst;
};

/**
 * struct test_channel - a channel, with a stream on it
 * @name: the kernel's name
 * @stream: a stream on the channel
 * @job: a job of @stream; can be reused after each submission
 * @stopped: the row after which the channel did not recover, or NULL
 */
struct test_channel {
	char name[32];
	struct dmacpy_stream *stream;
	struct dmacpy_job *job;
	const char *stopped;
};

/**
 * struct test_memory - memory that the CPU and a channel can access
 * @kind: type of the memory, but not TEST_LONG
 * @udmabuf: TEST_HEAP is a udmabuf
 * @buffer: buffer of the library
 * @data: address for the CPU
 * @length: length of both
 */
struct test_memory {
	enum test_kind kind;
	bool udmabuf;
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
 * @channel: the channel under test
 * @row: the row that is run
 * @src: source memory of the row
 * @dst: destination memory of the row
 * @seed: seed of the next pattern
 * @fresh: current data of @src, written by the CPU
 * @previous: data that @fresh has replaced in @src
 * @old: data that the CPU has written to @dst
 * @stale: data of @dst if the copies read @previous
 * @wanted: data of @dst if the copies read @fresh
 * @seen: actual data of @dst
 * @detail: why the row failed or was skipped, or its measurement
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
	char detail[320];
};

/* Suspects, and reasons for a skip */
extern const char test_interrupt[];
extern const char test_no_sram[];
extern const char test_quota[];

/* Store the reason, and return the verdict of their name. */
enum test_verdict test_fail(struct test *test, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
enum test_verdict test_skip(struct test *test, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Fails with an error of the library: @err is a negative errno. */
enum test_verdict test_error(struct test *test, const char *what, int err);

/* Memory for a stream. test_memory_free() accepts zeroed memory. */
enum test_verdict test_memory_new(struct test *test,
				  struct dmacpy_stream *stream,
				  enum test_kind kind,
				  struct test_memory *memory);
void test_memory_free(struct test_memory *memory);

/*
 * Writes patterns to the start of @src and @dst. A row reports its copies to
 * test_expect(), and test_compare() checks the first @dst_length bytes of @dst.
 * @what describes the copies in the message.
 */
enum test_verdict test_prepare(struct test *test, size_t src_length,
			       size_t dst_length);
void test_expect(struct test *test, size_t dst_offset, size_t src_offset,
		 size_t length);
enum test_verdict test_compare(struct test *test, size_t dst_length,
			       const char *what, ...)
	__attribute__((format(printf, 3, 4)));

/* Return the alignment of offsets and lengths in @dst, and in @src. */
size_t test_dst_unit(const struct test *test);
size_t test_src_unit(const struct test *test);

size_t round_up_to(size_t value, size_t unit);

static inline size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Submits the channel's job; waits while the channel is being recovered. */
enum test_verdict test_submit(struct test *test, struct test_channel *channel,
			      struct dmacpy_submit *how);

/* Has the channel's job copy from @src to @dst, without submitting it. */
enum test_verdict test_add_copy(struct test *test, size_t dst_offset,
				size_t src_offset, size_t length);

/* Copies from @src to @dst by one job. */
enum test_verdict test_copy(struct test *test, size_t dst_offset,
			    size_t src_offset, size_t length,
			    struct dmacpy_submit *how);

/* Reads an event, and checks that it is the one with @user_data. */
enum test_verdict test_event(struct test *test, struct test_channel *channel,
			     uint64_t user_data);

/* The rows */
enum test_verdict test_row_copy(struct test *test);
enum test_verdict test_row_longest(struct test *test);
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
enum test_verdict test_row_uring(struct test *test);

/* @channel is NULL for a row that tests the whole device. */
void test_report_begin(enum test_format format);
void test_report_device(const char *path, const struct dmacpy_get_info *info);
void test_report_row(const char *path, const char *channel, const char *row,
		     enum test_verdict verdict, const char *detail);

/* Prints the totals. Returns the exit status. */
int test_report_end(void);

#endif /* _DMACPY_TEST_H */
