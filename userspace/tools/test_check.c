// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmacpy test: memory, jobs, and checks of their results.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "test.h"

#define ACCESS_BOTH (DMACPY_ACCESS_READ | DMACPY_ACCESS_WRITE)

enum test_verdict test_fail(struct test *test, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(test->detail, sizeof(test->detail), format, args);
	va_end(args);

	return TEST_FAIL;
}

enum test_verdict test_skip(struct test *test, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(test->detail, sizeof(test->detail), format, args);
	va_end(args);

	return TEST_SKIP;
}

const char test_interrupt[] =
	"does the engine's interrupt arrive? See /proc/interrupts";

static const char *suspect_of_error(int err)
{
	switch (-err) {
	case EIO:
		return "the engine reported an error, or copied a part only";
	case ETIMEDOUT:
		return test_interrupt;
	case EAGAIN:
		return "the channel is being recovered after a failure";
	case ECANCELED:
		return "an earlier job on the channel failed";
	default:
		return NULL;
	}
}

enum test_verdict test_error(struct test *test, const char *what, int err)
{
	const char *suspect = suspect_of_error(err);

	if (err == -ETIMEDOUT || err == -EAGAIN || err == -ENODEV)
		test->channel->stopped = test->row->name;

	return test_fail(test, "%s: %s%s%s", what, strerror(-err),
			 suspect ? ": " : "", suspect ? suspect : "");
}

const char test_no_sram[] =
	"too little SRAM is free: other programs hold it";
const char test_quota[] =
	"the user's quota of SRAM is too small, or used up";

/*
 * Use a quarter of the free SRAM: a row has two buffers, and may use two
 * channels.
 */
static enum test_verdict new_sram(struct test *test,
				  struct dmacpy_stream *stream,
				  struct test_memory *memory)
{
	struct dmacpy_get_info info;
	size_t length;
	int ret;

	ret = dmacpy_device_info(test->device, &info, sizeof(info));
	if (ret)
		return test_error(test, "no information", ret);
	length = info.sram_largest / 4;
	length -= length % info.granule;
	if (length > TEST_AREA)
		length = TEST_AREA;
	if (!length)
		return test_skip(test, "%s", test_no_sram);

	memory->length = length;
	ret = dmacpy_buffer_alloc(stream, length, &memory->buffer);
	if (ret == -EDQUOT || ret == -ENOSPC)
		return test_skip(test, "%s", ret == -EDQUOT ? test_quota :
							      test_no_sram);

	return ret ? test_error(test, "cannot allocate SRAM", ret) : TEST_PASS;
}

static enum test_verdict new_user(struct test *test,
				  struct dmacpy_stream *stream, size_t length,
				  struct test_memory *memory)
{
	struct rlimit limit = { };
	void *data;
	int ret;

	data = mmap(NULL, length, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED)
		return test_skip(test, "no memory: %s", strerror(errno));

	memory->data = data;
	memory->length = length;
	ret = dmacpy_buffer_register(stream, data, length, ACCESS_BOTH,
				     &memory->buffer);
	if (length > TEST_AREA && (ret == -ENOMEM || ret == -EIO))
		return test_skip(test, "too much to be mapped for the engine");
	if (ret == -EOPNOTSUPP)
		return test_skip(test, "%s",
				 "not on a CPU whose data cache has aliases");
	if (ret != -EDQUOT)
		return ret ? test_error(test, "cannot register memory", ret) :
			     TEST_PASS;

	getrlimit(RLIMIT_MEMLOCK, &limit);
	return test_skip(test, "only %" PRIu64
			 " KiB may be locked for the engine: raise ulimit -l",
			 (uint64_t)limit.rlim_cur / 1024);
}

/* Any driver's dma-buf serves: where there is no heap, that of a udmabuf. */
static enum test_verdict new_heap(struct test *test,
				  struct dmacpy_stream *stream,
				  struct test_memory *memory)
{
	int fd, err, ret;

	fd = heap_alloc(TEST_AREA);
	err = fd < 0 ? -fd : 0;
	if (err) {
		memory->udmabuf = true;
		fd = udmabuf_alloc(TEST_AREA);
	}
	if (fd < 0)
		return test_skip(test, HEAP ": %s, " UDMABUF ": %s",
				 strerror(err), strerror(-fd));

	memory->length = TEST_AREA;
	ret = dmacpy_buffer_import(stream, fd, ACCESS_BOTH, &memory->buffer);
	close(fd);

	return ret ? test_error(test, "cannot import a dma-buf", ret) :
		     TEST_PASS;
}

static size_t user_length(const struct test *test, enum test_kind kind)
{
	if (kind != TEST_LONG)
		return TEST_AREA;
	if (test->info.max_bytes > TEST_LONGEST)
		return TEST_LONGEST;

	return test->info.max_bytes;
}

enum test_verdict test_memory_new(struct test *test,
				  struct dmacpy_stream *stream,
				  enum test_kind kind,
				  struct test_memory *memory)
{
	enum test_verdict verdict;
	void *data;
	int ret;

	memory->kind = kind == TEST_LONG ? TEST_USER : kind;
	if (kind == TEST_SRAM)
		verdict = new_sram(test, stream, memory);
	else if (memory->kind == TEST_USER)
		verdict = new_user(test, stream, user_length(test, kind),
				   memory);
	else
		verdict = new_heap(test, stream, memory);
	if (verdict)
		return verdict;

	ret = dmacpy_buffer_map(memory->buffer, &data);
	if (ret)
		return test_error(test, "cannot map a buffer", ret);

	memory->data = data;
	return TEST_PASS;
}

void test_memory_free(struct test_memory *memory)
{
	dmacpy_buffer_free(memory->buffer);
	if (memory->kind == TEST_USER && memory->data)
		munmap(memory->data, memory->length);
	*memory = (struct test_memory){ };
}

size_t round_up_to(size_t value, size_t unit)
{
	return (value + unit - 1) / unit * unit;
}

size_t test_src_unit(const struct test *test)
{
	return test->info.copy_align;
}

size_t test_dst_unit(const struct test *test)
{
	if (test->dst.kind == TEST_USER &&
	    test->info.user_align > test->info.copy_align)
		return test->info.user_align;

	return test->info.copy_align;
}

/*
 * Makes odd bytes, or even ones: so no byte of a source is the same as one of a
 * destination. xorshift32; its state must not be 0.
 */
static void make_pattern(struct test *test, uint8_t *to, size_t length,
			 bool odd)
{
	uint32_t state = ++test->seed * 2654435761U | 1, word;
	const uint32_t low = 0x01010101;
	size_t at, part;

	for (at = 0; at < length; at += part) {
		state ^= state << 13;
		state ^= state >> 17;
		state ^= state << 5;
		word = odd ? state | low : state & ~low;
		part = length - at < sizeof(word) ? length - at : sizeof(word);
		memcpy(to + at, &word, part);
	}
}

static enum test_verdict write_memory(struct test *test,
				      struct test_memory *memory,
				      const uint8_t *from, size_t length)
{
	int ret;

	ret = dmacpy_buffer_begin_access(memory->buffer, DMACPY_ACCESS_WRITE);
	if (!ret) {
		memcpy(memory->data, from, length);
		ret = dmacpy_buffer_end_access(memory->buffer,
					       DMACPY_ACCESS_WRITE);
	}

	return ret ? test_error(test, "cannot write a buffer", ret) : TEST_PASS;
}

static enum test_verdict read_memory(struct test *test,
				     struct test_memory *memory,
				     uint8_t *to, size_t length)
{
	int ret;

	ret = dmacpy_buffer_begin_access(memory->buffer, DMACPY_ACCESS_READ);
	if (!ret) {
		memcpy(to, memory->data, length);
		ret = dmacpy_buffer_end_access(memory->buffer,
					       DMACPY_ACCESS_READ);
	}

	return ret ? test_error(test, "cannot read a buffer", ret) : TEST_PASS;
}

/* Reads the destination, so that it is in the cache. */
enum test_verdict test_prepare(struct test *test, size_t src_length,
			       size_t dst_length)
{
	enum test_verdict verdict;

	memcpy(test->previous, test->fresh, src_length);
	make_pattern(test, test->fresh, src_length, false);
	make_pattern(test, test->old, dst_length, true);
	memcpy(test->wanted, test->old, dst_length);
	memcpy(test->stale, test->old, dst_length);

	verdict = write_memory(test, &test->src, test->fresh, src_length);
	if (!verdict)
		verdict = write_memory(test, &test->dst, test->old, dst_length);
	if (!verdict)
		verdict = read_memory(test, &test->dst, test->seen, dst_length);
	if (!verdict && memcmp(test->seen, test->old, dst_length))
		return test_fail(test, "%s",
				 "the CPU does not read what it has written");

	return verdict;
}

void test_expect(struct test *test, size_t dst_offset, size_t src_offset,
		 size_t length)
{
	memcpy(test->wanted + dst_offset, test->fresh + src_offset, length);
	memcpy(test->stale + dst_offset, test->previous + src_offset, length);
}

/**
 * struct difference - bytes with wrong values
 * @first: offset of the first byte
 * @last: offset of the last byte
 * @zero: all of them are zero
 * @old: all of them are unchanged
 * @stale: all of them are the previous data of the source
 * @beside: all of them are outside the destination of the copies
 */
struct difference {
	size_t first;
	size_t last;
	bool zero;
	bool old;
	bool stale;
	bool beside;
};

static bool find_difference(const struct test *test, size_t length,
			    struct difference *found)
{
	bool any = false;
	size_t i;

	*found = (struct difference){ 0, 0, true, true, true, true };
	for (i = 0; i < length; i++) {
		if (test->seen[i] == test->wanted[i])
			continue;
		if (!any)
			found->first = i;
		any = true;
		found->last = i;
		found->zero &= !test->seen[i];
		found->old &= test->seen[i] == test->old[i];
		found->stale &= test->seen[i] == test->stale[i];
		found->beside &= test->wanted[i] == test->old[i];
	}

	return any;
}

/**
 * struct symptom - what wrong bytes have in common
 * @text: what they are
 * @suspect: the suspected cause
 * @memory: memory of which a cache can be the cause, or NULL
 */
struct symptom {
	const char *text;
	const char *suspect;
	const struct test_memory *memory;
};

static struct symptom find_symptom(const struct test *test,
				   const struct difference *found)
{
	if (found->beside)
		return (struct symptom){
			"were changed, though not to be written",
			"Does the engine write too much?", &test->dst,
		};
	if (found->zero)
		return (struct symptom){
			"are zero", "Does the engine reach the source?",
			&test->src,
		};
	if (found->old)
		return (struct symptom){
			"are as they were",
			"Did the engine omit them, or not reach them?",
			&test->dst,
		};
	if (found->stale)
		return (struct symptom){
			"are the previous data of the source",
			"Does the engine see what the CPU writes?", &test->src,
		};

	return (struct symptom){
		"are wrong", "Does the engine reach this memory, or other?",
		NULL,
	};
}

static const char suspect_coherent[] =
	" Or is \"dma-coherent\" in the device tree wrong?";
static const char suspect_udmabuf[] =
	" Or is \"dma-coherent\" wrong, or does a udmabuf bounce (swiotlb)?";

/* The CPU does not cache SRAM, so a wrong property does not show there. */
static const char *suspect_cache(const struct test_memory *memory)
{
	if (!memory || memory->kind == TEST_SRAM)
		return "";

	return memory->udmabuf ? suspect_udmabuf : suspect_coherent;
}

enum test_verdict test_compare(struct test *test, size_t dst_length,
			       const char *what, ...)
{
	struct difference found;
	enum test_verdict verdict;
	struct symptom symptom;
	char done[80];
	va_list args;

	verdict = read_memory(test, &test->dst, test->seen, dst_length);
	if (verdict)
		return verdict;
	if (!find_difference(test, dst_length, &found))
		return TEST_PASS;

	va_start(args, what);
	vsnprintf(done, sizeof(done), what, args);
	va_end(args);
	symptom = find_symptom(test, &found);
	return test_fail(test, "%s: bytes %zu to %zu %s. %s%s", done,
			 found.first, found.last, symptom.text, symptom.suspect,
			 suspect_cache(symptom.memory));
}

static bool recovers_in_time(struct test_channel *channel)
{
	struct pollfd poll_stream = {
		.fd = dmacpy_stream_fd(channel->stream),
		.events = POLLOUT,
	};

	return poll(&poll_stream, 1, TEST_PATIENCE) == 1 &&
	       poll_stream.revents & POLLOUT;
}

enum test_verdict test_submit(struct test *test, struct test_channel *channel,
			      struct dmacpy_submit *how)
{
	int ret;

	how->size = sizeof(*how);
	ret = dmacpy_job_submit(channel->job, how);
	if (ret == -EAGAIN && recovers_in_time(channel))
		ret = dmacpy_job_submit(channel->job, how);

	return ret ? test_error(test, "a job failed", ret) : TEST_PASS;
}

enum test_verdict test_add_copy(struct test *test, size_t dst_offset,
				size_t src_offset, size_t length)
{
	struct dmacpy_job *job = test->channel->job;
	int ret;

	dmacpy_job_reset(job);
	ret = dmacpy_job_add_copy(job, test->dst.buffer, dst_offset,
				  test->src.buffer, src_offset, length);
	if (ret)
		return test_error(test, "a copy is refused", ret);

	test_expect(test, dst_offset, src_offset, length);
	return TEST_PASS;
}

enum test_verdict test_copy(struct test *test, size_t dst_offset,
			    size_t src_offset, size_t length,
			    struct dmacpy_submit *how)
{
	enum test_verdict verdict;

	verdict = test_add_copy(test, dst_offset, src_offset, length);

	return verdict ? verdict : test_submit(test, test->channel, how);
}

enum test_verdict test_event(struct test *test, struct test_channel *channel,
			     uint64_t user_data)
{
	struct dmacpy_event event;
	int ret;

	ret = dmacpy_stream_read_events(channel->stream, &event, 1);
	if (ret < 0)
		return test_error(test, "cannot read an event", ret);
	if (event.user_data != user_data)
		return test_fail(test, "the event of job %" PRIu64
				 " came instead of that of job %" PRIu64,
				 (uint64_t)event.user_data, user_data);

	return event.result ? test_error(test, "a job failed", event.result) :
			      TEST_PASS;
}
