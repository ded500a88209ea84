// SPDX-License-Identifier: GPL-2.0-only
/*
 * The copier of libdmacpy, on an instance with eight channels of the fake
 * engine, whose speed is set.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <dmacpy.h>

#include "kselftest_harness.h"
#include "common.h"
#include "engine.h"

#define WIDE		"test-wide"
#define SPREAD		"/sys/module/dmacpy/parameters/spread"
#define CHANNELS	8
#define LENGTH		(2048 * KIB)
#define DESCS		4	/* descriptors per part, of 64 KiB each */
#define MIN_PART	256	/* minimum that can be set */
#define RUNS		200
#define TRIES		5	/* tries to find the host less busy */
#define BOUND_MS	5000	/* allows for a busy host */

FIXTURE(copier)
{
	struct instance instance;
	struct dmacpy_device *device;
	struct dmacpy_copier *copier;
	struct dmacpy_copier_buffer *src, *dst;
	int src_fd, dst_fd;
	uint8_t *src_mem, *dst_mem;
};

static int wide_alloc(struct _test_data_copier *self, int *fd, uint8_t **mem,
		      struct dmacpy_copier_buffer **buffer)
{
	int stream = stream_open(self->instance.node);

	*fd = sram_alloc(stream, LENGTH);
	close(stream);
	if (*fd < 0)
		return *fd;
	*mem = dmabuf_map(*fd, LENGTH);
	if (!*mem)
		return -ENOMEM;
	return dmacpy_copier_import(self->copier, *fd, ACCESS_BOTH, buffer);
}

FIXTURE_VARIANT(copier)
{
	bool spreads;		/* by the driver, or else by the library */
};

FIXTURE_VARIANT_ADD(copier, spread)
{
	.spreads = true,
};

FIXTURE_VARIANT_ADD(copier, parts) { };

FIXTURE_SETUP(copier)
{
	if (instance_named(&self->instance, WIDE))
		SKIP(return, "this board has no such node");
	random_start();
	ASSERT_TRUE(engine_reset());
	ASSERT_EQ(0, instance_override(&self->instance, "dmacpy"));
	ASSERT_TRUE(set_number(SPREAD, variant->spreads));
	ASSERT_EQ(0, instance_bind(&self->instance));
	ASSERT_TRUE(set_number(SPREAD, true));
	ASSERT_EQ(0, dmacpy_device_open(self->instance.node, &self->device));
	ASSERT_EQ(0, dmacpy_copier_open(self->device, &self->copier));
	ASSERT_EQ(0, wide_alloc(self, &self->src_fd, &self->src_mem,
				&self->src));
	ASSERT_EQ(0, wide_alloc(self, &self->dst_fd, &self->dst_mem,
				&self->dst));
	random_fill(self->src_mem, LENGTH);
}

FIXTURE_TEARDOWN_PARENT(copier)
{
	EXPECT_TRUE(engine_reset());
	EXPECT_EQ(0, sram_leaked());
	EXPECT_EQ(0, instance_unbind(&self->instance));
	EXPECT_EQ(0, instance_override(&self->instance, NULL));
}

/*
 * Starts a copy to the start of the destination. Returns the fence, or the
 * error, but INT_MIN if it returned an error and a fence.
 */
static int start(struct _test_data_copier *self, uint64_t length)
{
	int fence = -1, ret;

	ret = dmacpy_copier_copy(self->copier, self->dst, 0, self->src, 0,
				 length, -1, &fence);
	if (ret && fence != -1)
		return INT_MIN;
	return ret ?: fence;
}

static int finish(int fence)
{
	int ret = fence < 0 ? fence : dmacpy_fence_wait(fence, -1);

	close(fence);
	return ret;
}

static int copy_range(struct _test_data_copier *self, size_t dst, size_t src,
		      size_t length)
{
	int fence, ret;

	ret = dmacpy_copier_copy(self->copier, self->dst, dst, self->src, src,
				 length, -1, &fence);
	return finish(ret ?: fence);
}

/* Reads the completed jobs of each channel. Returns the number of channels. */
static int channels_ended(const struct instance *instance, unsigned int *ended)
{
	char path[128], line[128];
	int channels = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/kernel/debug/dmacpy/%s/channels",
		 instance->name);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (channels < CHANNELS &&
		    sscanf(line, " ended %u", &ended[channels]) == 1)
			channels++;
	if (file)
		fclose(file);
	return channels;
}

static unsigned int all_ended(const struct instance *instance)
{
	unsigned int ended[CHANNELS], sum = 0;
	int channels = channels_ended(instance, ended);

	while (channels--)
		sum += ended[channels];
	return sum;
}

/* Jobs are counted after they signal: wait for the expected number. */
static unsigned int wait_for_ended(const struct instance *instance,
				   unsigned int expected)
{
	unsigned int start_ms = milliseconds(), ended;

	while ((ended = all_ended(instance)) < expected &&
	       milliseconds() - start_ms < BOUND_MS)
		usleep(1000);
	return ended;
}

/* Catches: bytes lost, duplicated or displaced at the border of two parts. */
TEST_F_TIMEOUT(copier, odd_ranges, SLOW)
{
	uint8_t *expected = memory_map(LENGTH);
	size_t dst, src, length;
	int i;

	ASSERT_NE(NULL, expected);
	ASSERT_EQ(0, dmacpy_copier_set_min_part(self->copier, MIN_PART));
	for (i = 0; i < 200; i++) {
		length = 1 + random_below(i % 8 ? 16 * MIN_PART : LENGTH);
		dst = random_below(LENGTH - length + 1);
		src = random_below(LENGTH - length + 1);
		ASSERT_EQ(0, copy_range(self, dst, src, length));
		memcpy(expected + dst, self->src_mem + src, length);
		ASSERT_EQ(0, memcmp(expected, self->dst_mem, LENGTH))
			TH_LOG("to %zu from %zu length %zu", dst, src, length);
	}
	ASSERT_EQ(0, copy_range(self, 0, 0, LENGTH));
	EXPECT_EQ(0, memcmp(self->src_mem, self->dst_mem, LENGTH));
}

/* Catches: parts, or consecutive short copies, on the same channel. */
TEST_F(copier, every_channel)
{
	unsigned int ended[CHANNELS], i;

	ASSERT_EQ(0, finish(start(self, LENGTH)));
	for (i = 0; i < CHANNELS; i++)
		ASSERT_EQ(0, finish(start(self, 4 * KIB)));
	EXPECT_EQ(2 * CHANNELS, wait_for_ended(&self->instance, 2 * CHANNELS));
	ASSERT_EQ(CHANNELS, channels_ended(&self->instance, ended));
	for (i = 0; i < CHANNELS; i++)
		EXPECT_EQ(2, ended[i]);
}

/* Catches: a part that is shorter than the minimum, or one too many. */
TEST_F(copier, min_part)
{
	static const struct {
		unsigned int length, parts;
	} cases[] = {
		{ 1, 1 }, { 128 * KIB - 1, 1 }, { 128 * KIB, 2 },
		{ 192 * KIB, 3 }, { LENGTH, 8 },
	};
	unsigned int parts = 0, i;

	EXPECT_EQ(-EINVAL, dmacpy_copier_set_min_part(self->copier,
						      MIN_PART - 1));
	ASSERT_EQ(0, dmacpy_copier_set_min_part(self->copier, 64 * KIB));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		ASSERT_EQ(0, finish(start(self, cases[i].length)));
		parts += cases[i].parts;
		EXPECT_EQ(parts, wait_for_ended(&self->instance, parts));
	}
}

static uint64_t nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* The same copies by a single stream, for comparison. */
struct single {
	struct dmacpy_stream *stream;
	struct dmacpy_buffer *src, *dst;
};

static int single_open(struct _test_data_copier *self, struct single *single)
{
	int ret;

	ret = dmacpy_stream_open(self->device, &single->stream);
	if (!ret)
		ret = dmacpy_buffer_import(single->stream, self->src_fd,
					   DMACPY_ACCESS_READ, &single->src);
	if (!ret)
		ret = dmacpy_buffer_import(single->stream, self->dst_fd,
					   DMACPY_ACCESS_WRITE, &single->dst);
	return ret;
}

static int single_start(const struct single *single, uint64_t length)
{
	struct dmacpy_op op = {
		.opcode = DMACPY_OP_COPY,
		.dst = dmacpy_buffer_handle(single->dst),
		.src = dmacpy_buffer_handle(single->src),
		.length = length,
	};
	struct dmacpy_submit args = {
		.flags = DMACPY_SUBMIT_OUT_FENCE | DMACPY_SUBMIT_NO_IMPLICIT,
	};
	int ret;

	ret = submit_with(dmacpy_stream_fd(single->stream), &op, 1, &args);
	return ret ?: args.out_fence;
}

/* Durations in nanoseconds */
struct times {
	uint64_t single, copier;
};

static void keep_minimum(uint64_t *least, uint64_t start)
{
	uint64_t took = nanoseconds() - start;

	if (took < *least)
		*least = took;
}

/* Takes the minimum of some runs, as a busy host adds time. */
static int measure(struct _test_data_copier *self, const struct single *single,
		   uint64_t length, unsigned int runs, struct times *times)
{
	uint64_t start_ns;
	int ret = 0;

	*times = (struct times){ UINT64_MAX, UINT64_MAX };
	while (runs-- && !ret) {
		start_ns = nanoseconds();
		ret = finish(single_start(single, length));
		keep_minimum(&times->single, start_ns);
		start_ns = nanoseconds();
		ret = ret ?: finish(start(self, length));
		keep_minimum(&times->copier, start_ns);
	}
	return ret;
}

/*
 * Catches: parts of which two or more wait for each other: eight channels are
 * then at most four times as fast. The budgets tell how fast they are without.
 */
TEST_F_TIMEOUT(copier, long_copies_are_faster, SLOW)
{
	unsigned int tries = TRIES;
	struct single single;
	struct times times;

	ASSERT_EQ(0, single_open(self, &single));
	ASSERT_TRUE(engine_set("bytes_per_us", 1));
	do {
		ASSERT_EQ(0, measure(self, &single, LENGTH, 3, &times));
		TH_LOG("2 MiB: %llu us by a stream, %llu us by the copier",
		       (unsigned long long)times.single / 1000,
		       (unsigned long long)times.copier / 1000);
	} while (5 * times.copier > times.single && --tries);
	EXPECT_LT(0, tries);
}

/* Returns bytes per us, so that a part takes three times a short copy. */
static unsigned int bandwidth_for_parts(uint64_t cost_ns)
{
	uint64_t bandwidth = 64 * KIB * 1000ULL / (3 * cost_ns);

	return bandwidth > 100 ? 100 : bandwidth ?: 1;
}

/*
 * Catches: short copies with the costs of splitting, which only pays for long
 * ones. On a slow kernel the engine has to be as slow, or the CPU's time
 * dominates.
 */
TEST_F_TIMEOUT(copier, short_copies_are_as_fast, SLOW)
{
	static const unsigned int lengths[] = { 4 * KIB, 64 * KIB, 128 * KIB };
	unsigned int tries, copied, bandwidth, i;
	struct single single;
	struct times times;

	ASSERT_EQ(0, single_open(self, &single));
	ASSERT_TRUE(engine_set("bytes_per_us", 100));
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		tries = TRIES;
		do {
			copied = engine_get("copied");
			ASSERT_EQ(0, measure(self, &single, lengths[i], RUNS,
					     &times));
			TH_LOG("%u KiB: %llu ns, by the copier %llu ns",
			       lengths[i] / KIB,
			       (unsigned long long)times.single,
			       (unsigned long long)times.copier);
			if (lengths[i] == 4 * KIB)
				EXPECT_EQ(copied + 2 * RUNS,
					  engine_get("copied"));
		} while (times.single / 4 * 5 < times.copier && --tries);
		EXPECT_LT(0, tries);
		bandwidth = bandwidth_for_parts(times.single);
		if (lengths[i] == 4 * KIB)
			ASSERT_TRUE(engine_set("bytes_per_us", bandwidth));
	}
}

/* Catches: a part that costs far more than a copy of its own does. */
TEST_F_TIMEOUT(copier, cost_of_a_part, SLOW)
{
	struct single single;
	struct times times;

	ASSERT_EQ(0, single_open(self, &single));
	ASSERT_EQ(0, dmacpy_copier_set_min_part(self->copier, MIN_PART));
	ASSERT_EQ(0, measure(self, &single, CHANNELS * MIN_PART, RUNS, &times));
	TH_LOG("2 KiB: %llu ns in one part, %llu ns in %u parts",
	       (unsigned long long)times.single,
	       (unsigned long long)times.copier, CHANNELS);
	EXPECT_GE(4 * CHANNELS * times.single, times.copier);
}

/* Catches: a fence that signals with the first part that fails. */
TEST_F_TIMEOUT(copier, failure_is_signalled_last, SLOW)
{
	unsigned int copied = engine_get("copied");
	int fence;

	ASSERT_TRUE(engine_set("ring", 1));
	ASSERT_TRUE(engine_set("delay_us", SLOW_US));
	ASSERT_TRUE(engine_set("hang", 1));
	ASSERT_TRUE(engine_set("next_failed", 1));
	fence = start(self, LENGTH);
	ASSERT_LE(0, fence);
	EXPECT_EQ(-ETIME, dmacpy_fence_wait(fence, 0));
	ASSERT_TRUE(engine_set("hang", 0));
	EXPECT_EQ(-EIO, finish(fence));
	EXPECT_EQ(copied + (CHANNELS - 1) * DESCS, engine_get("copied"));
	ASSERT_TRUE(engine_behave());
	EXPECT_EQ(0, finish(start(self, LENGTH)));
}

/* Catches: an error that a merged fence has lost, as no task waited for it. */
TEST_F_TIMEOUT(copier, status_after_completion, SLOW)
{
	int fence;

	ASSERT_TRUE(engine_set("hang", 1));
	ASSERT_TRUE(engine_set("next_failed", 1));
	fence = start(self, LENGTH);
	ASSERT_LE(0, fence);
	ASSERT_TRUE(engine_set("hang", 0));
	EXPECT_EQ(CHANNELS, wait_for_ended(&self->instance, CHANNELS));
	EXPECT_EQ(-EIO, dmacpy_fence_wait(fence, 0));
	close(fence);
}

/* Catches: a lost error of a part that failed before the fences were merged. */
TEST_F_TIMEOUT(copier, fails_while_others_are_started, SLOW)
{
	unsigned int copied = engine_get("copied");
	int fence;

	ASSERT_TRUE(engine_set("delay_us", SLOW_US));
	ASSERT_TRUE(engine_set("next_no_submit", 1));
	fence = start(self, LENGTH);
	ASSERT_LE(0, fence);
	/* The library has waited for the others, the driver does not. */
	EXPECT_EQ(-EIO, dmacpy_fence_wait(fence, variant->spreads ? -1 : 0));
	EXPECT_EQ(copied + (CHANNELS - 1) * DESCS, engine_get("copied"));
	close(fence);
}

/*
 * Catches: parts, or their file descriptors, that remain after a copy that
 * could not be started as a whole.
 */
TEST_F_TIMEOUT(copier, too_few_file_descriptors, SLOW)
{
	unsigned int files = open_files(), copied, free_files, parts;
	struct rlimit limit, few;

	ASSERT_TRUE(engine_set("delay_us", SLOW_US / DESCS));
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &limit));
	/* A part needs one, and merging the fences of several two more. */
	for (free_files = 0; free_files < (variant->spreads ? 1 : CHANNELS + 2);
	     free_files++) {
		parts = free_files < CHANNELS ? free_files : CHANNELS;
		copied = engine_get("copied");
		few = limit;
		few.rlim_cur = dup(0);
		close(few.rlim_cur);
		few.rlim_cur += free_files;
		ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &few));
		EXPECT_EQ(-EMFILE, start(self, LENGTH));
		ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
		EXPECT_EQ(copied + parts * DESCS, engine_get("copied"));
		EXPECT_EQ(files, open_files());
	}
	EXPECT_EQ(0, finish(start(self, LENGTH)));
	EXPECT_EQ(files, open_files());
}

/* Catches: a copy that is lost with its copier; a fence that never signals. */
TEST_F_TIMEOUT(copier, close_in_flight, SLOW)
{
	int fence;

	ASSERT_TRUE(engine_set("hang", 1));
	fence = start(self, LENGTH);
	ASSERT_LE(0, fence);
	dmacpy_copier_buffer_free(self->src);
	dmacpy_copier_buffer_free(self->dst);
	dmacpy_copier_close(self->copier);
	EXPECT_EQ(-ETIME, dmacpy_fence_wait(fence, 10));
	ASSERT_TRUE(engine_set("hang", 0));
	EXPECT_EQ(0, finish(fence));
	EXPECT_EQ(0, memcmp(self->src_mem, self->dst_mem, LENGTH));
}

/* Catches: a part that ignores the in-fence, or its error. */
TEST_F_TIMEOUT(copier, in_fence, SLOW)
{
	const size_t half = LENGTH / 2;
	struct single single;
	int fail, in, out;

	ASSERT_EQ(0, single_open(self, &single));
	ASSERT_TRUE(engine_set("delay_us", SLOW_US / DESCS));
	for (fail = 0; fail <= 1; fail++) {
		ASSERT_TRUE(engine_set("next_failed", fail));
		in = single_start(&single, half);
		ASSERT_LE(0, in);
		ASSERT_EQ(0, dmacpy_copier_copy(self->copier, self->dst, half,
						self->dst, 0, half, in, &out));
		EXPECT_EQ(fail ? -ECANCELED : 0, finish(out));
		EXPECT_EQ(fail ? -EIO : 0, finish(in));
	}
	EXPECT_EQ(0, memcmp(self->src_mem, self->dst_mem + half, half));
}

/* Catches: an invalid copy that is refused after parts of it have started. */
TEST_F(copier, mistakes)
{
	struct dmacpy_copier_buffer *r, *w;
	struct dmacpy_copier *other;
	int fence;

	EXPECT_EQ(-EINVAL, copy_range(self, 0, 0, LENGTH + 1));
	EXPECT_EQ(-EINVAL, copy_range(self, 1, 0, LENGTH));
	EXPECT_EQ(-EINVAL, copy_range(self, 0, -1UL, 2));
	EXPECT_EQ(-EINVAL, copy_range(self, 0, 0, 0));
	/* No part overlaps itself. */
	EXPECT_EQ(-EINVAL, dmacpy_copier_copy(self->copier, self->dst, 0,
					      self->dst, LENGTH / 2,
					      LENGTH / 2 + 1, -1, &fence));
	ASSERT_EQ(0, dmacpy_copier_import(self->copier, self->src_fd,
					  DMACPY_ACCESS_READ, &r));
	ASSERT_EQ(0, dmacpy_copier_import(self->copier, self->dst_fd,
					  DMACPY_ACCESS_WRITE, &w));
	EXPECT_EQ(-EACCES, dmacpy_copier_copy(self->copier, r, 0, self->dst, 0,
					      LENGTH, -1, &fence));
	EXPECT_EQ(-EACCES, dmacpy_copier_copy(self->copier, self->dst, 0, w, 0,
					      LENGTH, -1, &fence));
	ASSERT_EQ(0, dmacpy_copier_open(self->device, &other));
	EXPECT_EQ(-EINVAL, dmacpy_copier_copy(other, w, 0, r, 0, LENGTH, -1,
					      &fence));
	EXPECT_EQ(-EBADF, dmacpy_copier_import(other, -1, ACCESS_BOTH, &r));
	EXPECT_EQ(-EFAULT, dmacpy_copier_register(other, NULL, 1, ACCESS_BOTH,
						  &r));
	dmacpy_copier_close(other);
	dmacpy_copier_close(NULL);
	dmacpy_copier_buffer_free(NULL);
	EXPECT_EQ(0, all_ended(&self->instance));
}

/*
 * Catches: a part that is longer than the limit of a job; a cut that loses data
 * in the cache lines next to it. The fake engine has no cache, so the board's
 * is used.
 */
TEST(long_copy_of_memory)
{
	struct dmacpy_copier_buffer *src, *dst;
	struct dmacpy_copier *copier;
	struct dmacpy_device *device;
	struct dmacpy_get_info info;
	size_t length, i;
	uint8_t *mem;
	int fence;

	/* See memory_register(). */
	if (!access("/sys/kernel/debug/dma-api", F_OK))
		SKIP(return, "this kernel reports two registrations as errors");
	ASSERT_EQ(0, dmacpy_device_open(DEVICE, &device));
	ASSERT_EQ(0, dmacpy_device_info(device, &info, sizeof(info)));
	ASSERT_EQ(0, dmacpy_copier_open(device, &copier));
	length = info.channels * info.max_bytes + info.user_align;
	mem = memory_map(2 * length);
	ASSERT_NE(NULL, mem);
	for (i = 0; i < length / sizeof(i); i++)
		((size_t *)mem)[i] = ~i;
	ASSERT_EQ(0, dmacpy_copier_register(copier, mem, length,
					    DMACPY_ACCESS_READ, &src));
	ASSERT_EQ(0, dmacpy_copier_register(copier, mem + length, length,
					    DMACPY_ACCESS_WRITE, &dst));
	ASSERT_EQ(0, dmacpy_copier_copy(copier, dst, 0, src, 0, length, -1,
					&fence));
	EXPECT_EQ(0, finish(fence));
	EXPECT_EQ(0, memcmp(mem, mem + length, length));
	dmacpy_copier_buffer_free(src);
	dmacpy_copier_buffer_free(dst);
	dmacpy_copier_close(copier);
}

TEST_HARNESS_MAIN
