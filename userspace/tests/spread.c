// SPDX-License-Identifier: GPL-2.0-only
/*
 * Jobs that run on several channels (DMACPY_SUBMIT_SPREAD), on the fake engine,
 * whose four channels copy concurrently, and fail on command.
 */
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "common.h"
#include "engine.h"

#define CHANNELS	4
#define LENGTH		(64 * KIB)
#define MIN_SHARE	256
#define BUFFERS		4
#define SHORT_MS	100
#define LONG_MS		10000
#define SPREAD		"/sys/module/dmacpy/parameters/spread"

FIXTURE(spread)
{
	struct instance instance;
	int stream, fd[BUFFERS], handle[BUFFERS];
	uint8_t *mem[BUFFERS];
};

static int buffer_add(struct _test_data_spread *self, int i)
{
	self->fd[i] = sram_alloc(self->stream, LENGTH);
	if (self->fd[i] < 0)
		return self->fd[i];
	self->mem[i] = dmabuf_map(self->fd[i], LENGTH);
	random_fill(self->mem[i], LENGTH);
	self->handle[i] = dmabuf_import(self->stream, self->fd[i], ACCESS_BOTH);
	return self->handle[i];
}

FIXTURE_SETUP(spread)
{
	struct dmacpy_get_info info;
	int i;

	random_start();
	if (engine_find(&self->instance))
		SKIP(return, "no instance with the fake engine");
	ASSERT_TRUE(engine_reset());
	self->stream = stream_open(self->instance.node);
	ASSERT_LE(0, self->stream);
	info = stream_info(self->stream);
	if (info.channels != CHANNELS)
		SKIP(return, "the fake engine has %u channels here",
		     info.channels);
	ASSERT_NE(0, info.submit_flags & DMACPY_SUBMIT_SPREAD);
	for (i = 0; i < BUFFERS; i++)
		ASSERT_LT(0, buffer_add(self, i));
}

FIXTURE_TEARDOWN_PARENT(spread)
{
	EXPECT_TRUE(engine_reset());
	EXPECT_EQ(0, sram_leaked());
}

static struct dmacpy_op copy_op(const struct _test_data_spread *self, int dst,
				int src)
{
	return (struct dmacpy_op){
		.opcode = DMACPY_OP_COPY,
		.dst = self->handle[dst],
		.src = self->handle[src],
		.length = LENGTH,
	};
}

static int spread(int stream, const struct dmacpy_op *ops, size_t count,
		  uint32_t channels, uint32_t flags)
{
	struct dmacpy_submit args = {
		.flags = DMACPY_SUBMIT_SPREAD | flags,
		.user_data = 1,
		.channels = channels,
	};

	return submit_with(stream, ops, count, &args) ?:
	       flags & DMACPY_SUBMIT_OUT_FENCE ? args.out_fence : 0;
}

/* Starts a job that is not spread, after the others. */
static int follow(const struct _test_data_spread *self,
		  const struct dmacpy_op *op, uint32_t flags)
{
	struct dmacpy_submit args = { .flags = flags, .user_data = 2 };

	return submit_with(self->stream, op, 1, &args) ?:
	       flags & DMACPY_SUBMIT_OUT_FENCE ? args.out_fence : 0;
}

/* A stream that keeps another channel busy */
struct other {
	int stream, dst, src;
};

static int other_start(const struct _test_data_spread *self,
		       struct other *other)
{
	struct dmacpy_submit args = { .flags = DMACPY_SUBMIT_NO_IMPLICIT };
	struct dmacpy_op op;
	int fd;

	other->stream = stream_open(self->instance.node);
	fd = sram_alloc(other->stream, LENGTH);
	other->dst = dmabuf_import(other->stream, fd, ACCESS_BOTH);
	close(fd);
	other->src = dmabuf_import(other->stream, self->fd[0],
				   DMACPY_ACCESS_READ);
	op = (struct dmacpy_op){
		.opcode = DMACPY_OP_COPY,
		.dst = other->dst,
		.src = other->src,
		.length = LENGTH,
	};
	return submit_with(other->stream, &op, 1, &args);
}

/* Keeps all channels busy but that of the stream, which has fewest streams. */
static int others_start(const struct _test_data_spread *self)
{
	struct other other;
	int i, ret = 0;

	for (i = 0; i < CHANNELS - 1 && !ret; i++)
		ret = other_start(self, &other);
	return ret;
}

/* Catches: a part that starts before earlier jobs have completed. */
TEST_F_TIMEOUT(spread, waits_for_those_before, SLOW)
{
	struct dmacpy_op first = copy_op(self, 1, 0);
	struct dmacpy_op second = copy_op(self, 2, 1);

	ASSERT_TRUE(engine_set("bytes_per_us", 1));
	ASSERT_EQ(0, follow(self, &first, DMACPY_SUBMIT_NO_IMPLICIT));
	ASSERT_EQ(0, spread(self->stream, &second, 1, CHANNELS,
			    DMACPY_SUBMIT_NO_IMPLICIT));
	ASSERT_EQ(0, fsync(self->stream));
	EXPECT_EQ(0, memcmp(self->mem[0], self->mem[2], LENGTH));
}

/*
 * Catches: a job that starts before all parts of the job before it have
 * completed. The other channels are busy, so that the parts there are late.
 */
TEST_F_TIMEOUT(spread, those_behind_wait, SLOW)
{
	struct dmacpy_op first = copy_op(self, 1, 0);
	struct dmacpy_op second = copy_op(self, 2, 1);
	const size_t tail = LENGTH - KIB;

	ASSERT_TRUE(engine_set("bytes_per_us", 1));
	ASSERT_EQ(0, others_start(self));
	ASSERT_EQ(0, spread(self->stream, &first, 1, CHANNELS,
			    DMACPY_SUBMIT_NO_IMPLICIT));
	second.src_offset = tail;
	second.dst_offset = tail;
	second.length = KIB;
	ASSERT_EQ(0, follow(self, &second, DMACPY_SUBMIT_NO_IMPLICIT));
	ASSERT_EQ(0, spread(self->stream, &first, 1, CHANNELS,
			    DMACPY_SUBMIT_NO_IMPLICIT));
	ASSERT_EQ(0, fsync(self->stream));
	EXPECT_EQ(0, memcmp(self->mem[0] + tail, self->mem[2] + tail, KIB));
}

/* Catches: a spread job that starts before a plugged job. */
TEST_F_TIMEOUT(spread, behind_plugged, SLOW)
{
	struct dmacpy_op first = copy_op(self, 1, 0);
	struct dmacpy_op second = copy_op(self, 2, 1);
	int i;

	for (i = 0; i < 100; i++) {
		random_fill(self->mem[0], LENGTH);
		ASSERT_EQ(0, follow(self, &first, DMACPY_SUBMIT_MORE));
		ASSERT_EQ(0, spread(self->stream, &second, 1, CHANNELS,
				    DMACPY_SUBMIT_WAIT));
		ASSERT_EQ(0, memcmp(self->mem[0], self->mem[2], LENGTH));
	}
}

/* Catches: a record or a fence for each part, or one that is too early. */
TEST_F_TIMEOUT(spread, one_completion, SLOW)
{
	struct dmacpy_op op = copy_op(self, 1, 0);
	unsigned int copied = engine_get("copied");
	struct dmacpy_event event;
	int fence;

	ASSERT_TRUE(engine_set("bytes_per_us", 1));
	ASSERT_EQ(0, others_start(self));
	fence = spread(self->stream, &op, 1, CHANNELS, DMACPY_SUBMIT_EVENT |
		       DMACPY_SUBMIT_OUT_FENCE | DMACPY_SUBMIT_NO_IMPLICIT);
	ASSERT_LE(0, fence);
	ASSERT_EQ(0, read_event(self->stream, &event));
	EXPECT_EQ(1, fence_status(fence));
	EXPECT_EQ(0, memcmp(self->mem[0], self->mem[1], LENGTH));
	EXPECT_EQ(copied + 2 * CHANNELS - 1, engine_get("copied"));
	EXPECT_EQ(1, event.user_data);
	EXPECT_EQ(0, event.result);
	EXPECT_EQ(LENGTH, event.length);
	EXPECT_EQ(0, poll_for(self->stream, POLLIN, 50));
}

/* Catches: implicit fences that signal with the first part. */
TEST_F_TIMEOUT(spread, others_wait_for_all, SLOW)
{
	struct dmacpy_op op = copy_op(self, 1, 0);

	ASSERT_TRUE(engine_set("bytes_per_us", 1));
	ASSERT_EQ(0, others_start(self));
	ASSERT_EQ(0, spread(self->stream, &op, 1, CHANNELS, 0));
	EXPECT_EQ(POLLIN, poll_for(self->fd[1], POLLIN, 10 * 1000));
	EXPECT_EQ(0, memcmp(self->mem[0], self->mem[1], LENGTH));
}

/* Catches: shares that are too short, too many, or depend on each other. */
TEST_F(spread, shares)
{
	static const struct {
		uint32_t length, channels, parts;
	} cases[] = {
		{ 1, CHANNELS, 1 }, { 2 * MIN_SHARE - 1, CHANNELS, 1 },
		{ 2 * MIN_SHARE, CHANNELS, 2 }, { LENGTH, 1, 1 },
		{ LENGTH, 3, 3 }, { LENGTH, CHANNELS, CHANNELS },
		{ LENGTH, ~0U, CHANNELS },
	};
	struct dmacpy_op ops[2] = { copy_op(self, 1, 0), copy_op(self, 2, 1) };
	unsigned int copied, i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		copied = engine_get("copied");
		ops[0].length = cases[i].length;
		ASSERT_EQ(0, spread(self->stream, ops, 1, cases[i].channels,
				    DMACPY_SUBMIT_WAIT));
		EXPECT_EQ(copied + cases[i].parts, engine_get("copied"))
			TH_LOG("%u bytes by %u", cases[i].length,
			       cases[i].channels);
	}
	copied = engine_get("copied");
	ASSERT_EQ(0, spread(self->stream, ops, 2, CHANNELS,
			    DMACPY_SUBMIT_WAIT));
	EXPECT_EQ(copied + 2, engine_get("copied"));
	EXPECT_EQ(0, memcmp(self->mem[0], self->mem[2], LENGTH));
}

static void model_op(struct _test_data_spread *self, uint8_t *expected,
		     const struct dmacpy_op *op)
{
	uint32_t row;
	uint64_t i;

	for (row = 0; row < (op->rows ?: 1); row++)
		for (i = 0; i < op->length; i++)
			expected[op->dst_offset + row * op->dst_stride + i] =
				op->opcode == DMACPY_OP_FILL ?
				op->pattern >> i % 4 * 8 :
				self->mem[0][op->src_offset +
					     row * op->src_stride + i];
}

static struct dmacpy_op random_op(const struct _test_data_spread *self)
{
	struct dmacpy_op op = copy_op(self, 1, 0);

	op.opcode = random_below(3);
	op.dst_offset = random_below(KIB);
	op.src_offset = random_below(KIB);
	op.length = 1 + random_below(LENGTH - KIB);
	switch (op.opcode) {
	case DMACPY_OP_COPY_2D:
		op.length = 1 + random_below(2 * KIB);
		op.dst_stride = op.length + random_below(2) * random_below(64);
		op.src_stride = random_below(2 * KIB);
		op.rows = 1 + random_below(30);
		break;
	case DMACPY_OP_FILL:
		op.src = 0;
		op.src_offset = 0;
		op.pattern = random_next();
		break;
	}
	return op;
}

/* Catches: bytes lost, doubled or displaced where one share ends. */
TEST_F_TIMEOUT(spread, random_operations, SLOW)
{
	uint8_t *expected = memory_map(LENGTH);
	struct dmacpy_op op;
	int i;

	ASSERT_NE(NULL, expected);
	memcpy(expected, self->mem[1], LENGTH);
	for (i = 0; i < 500; i++) {
		op = random_op(self);
		model_op(self, expected, &op);
		ASSERT_EQ(0, spread(self->stream, &op, 1,
				    1 + random_below(CHANNELS),
				    DMACPY_SUBMIT_WAIT));
		ASSERT_EQ(0, memcmp(expected, self->mem[1], LENGTH))
			TH_LOG("opcode %u, length %llu, %u rows", op.opcode,
			       op.length, op.rows);
	}
}

/* After an unbind and a bind: opens a new stream with its first two buffers. */
static int start_again(struct _test_data_spread *self)
{
	int i, ret = 0;

	close(self->stream);
	self->stream = stream_open(self->instance.node);
	if (self->stream < 0)
		return self->stream;
	for (i = 0; i < 2 && ret >= 0; i++) {
		munmap(self->mem[i], LENGTH);
		close(self->fd[i]);
		ret = buffer_add(self, i);
	}
	return ret;
}

static struct dmacpy_op random_tile(const struct _test_data_spread *self)
{
	const unsigned int align = 1 << random_below(4);
	struct dmacpy_op op = copy_op(self, 1, 0);

	op.opcode = DMACPY_OP_COPY_2D;
	op.dst_offset = random_below(64) * align;
	op.src_offset = random_below(64) * align;
	op.length = (1 + random_below(100)) * align;
	op.dst_stride = op.length + random_below(16) * align;
	op.src_stride = op.length + random_below(16) * align;
	op.rows = 2 + random_below(60);
	return op;
}

/*
 * Catches: a tile that the engine copies beyond the end of a share, or from
 * within a row; rows lost or doubled if it refuses a tile.
 */
TEST_F_TIMEOUT(spread, tiles, SLOW)
{
	uint8_t *expected = memory_map(LENGTH);
	unsigned int tiled;
	struct dmacpy_op op;
	int i;

	ASSERT_NE(NULL, expected);
	ASSERT_EQ(0, instance_unbind(&self->instance));
	ASSERT_TRUE(engine_set("tiles", 1));
	ASSERT_EQ(0, instance_bind(&self->instance));
	ASSERT_LT(0, start_again(self));
	tiled = engine_get("tiled");
	memcpy(expected, self->mem[1], LENGTH);
	for (i = 0; i < 300; i++) {
		op = random_tile(self);
		model_op(self, expected, &op);
		ASSERT_TRUE(engine_set("next_no_tile", random_below(4)));
		ASSERT_EQ(0, spread(self->stream, &op, 1,
				    2 + random_below(CHANNELS - 1),
				    DMACPY_SUBMIT_WAIT));
		ASSERT_EQ(0, memcmp(expected, self->mem[1], LENGTH))
			TH_LOG("length %llu, strides %llu and %llu, %u rows",
			       op.length, op.dst_stride, op.src_stride,
			       op.rows);
	}
	EXPECT_LT(tiled, engine_get("tiled"));
	ASSERT_EQ(0, instance_unbind(&self->instance));
	ASSERT_TRUE(engine_set("tiles", 0));
	ASSERT_EQ(0, instance_bind(&self->instance));
}

/* Catches: a list of copies that is cut at a wrong place. */
TEST_F_TIMEOUT(spread, random_lists, SLOW)
{
	uint8_t *expected = memory_map(LENGTH);
	struct dmacpy_op ops[16];
	unsigned int count, at;
	int i;

	ASSERT_NE(NULL, expected);
	memcpy(expected, self->mem[1], LENGTH);
	for (i = 0; i < 200; i++) {
		at = 0;
		for (count = 0; count < ARRAY_SIZE(ops); count++) {
			ops[count] = copy_op(self, 1, 0);
			ops[count].dst_offset = at += random_below(64);
			ops[count].length = 1 + random_below(4000);
			ops[count].src_offset =
				random_below(LENGTH - ops[count].length);
			at += ops[count].length;
			model_op(self, expected, &ops[count]);
		}
		ASSERT_EQ(0, spread(self->stream, ops, count, CHANNELS,
				    DMACPY_SUBMIT_WAIT));
		ASSERT_EQ(0, memcmp(expected, self->mem[1], LENGTH));
	}
}

/* Catches: a failure of a part that the job, or the next one, ignores. */
TEST_F_TIMEOUT(spread, part_fails, SLOW)
{
	struct dmacpy_op op = copy_op(self, 1, 0);
	struct dmacpy_event event;
	unsigned int copied, i;

	for (i = 0; i < 20; i++) {
		copied = engine_get("copied");
		ASSERT_TRUE(engine_set("hang", 1));
		ASSERT_TRUE(engine_set("next_failed", 1));
		ASSERT_EQ(0, spread(self->stream, &op, 1, CHANNELS,
				    DMACPY_SUBMIT_EVENT));
		ASSERT_EQ(0, follow(self, &op, DMACPY_SUBMIT_EVENT));
		ASSERT_TRUE(engine_set("hang", 0));
		ASSERT_EQ(0, read_event(self->stream, &event));
		EXPECT_EQ(1, event.user_data);
		EXPECT_EQ(-EIO, event.result);
		EXPECT_EQ(copied + CHANNELS - 1, engine_get("copied"));
		ASSERT_EQ(0, read_event(self->stream, &event));
		EXPECT_EQ(2, event.user_data);
		EXPECT_EQ(-ECANCELED, event.result);
		EXPECT_EQ(-EIO, fsync(self->stream) ? -errno : 0);
		EXPECT_EQ(0, spread(self->stream, &op, 1, CHANNELS,
				    DMACPY_SUBMIT_WAIT));
	}
}

/* Catches: parts that run although a job before them has failed. */
TEST_F_TIMEOUT(spread, cancelled, SLOW)
{
	struct dmacpy_op op = copy_op(self, 1, 0);
	unsigned int copied = engine_get("copied");
	struct dmacpy_event event;

	ASSERT_TRUE(engine_set("hang", 1));
	ASSERT_TRUE(engine_set("next_failed", 1));
	ASSERT_EQ(0, follow(self, &op, 0));
	ASSERT_EQ(0, spread(self->stream, &op, 1, CHANNELS,
			    DMACPY_SUBMIT_EVENT));
	ASSERT_TRUE(engine_set("hang", 0));
	ASSERT_EQ(0, read_event(self->stream, &event));
	EXPECT_EQ(-ECANCELED, event.result);
	EXPECT_EQ(copied, engine_get("copied"));
}

/*
 * Catches: a job that waits for ever for its part on a hung channel, or for the
 * recovery of the channel; one that does not use the other channels until then.
 */
TEST_F_TIMEOUT(spread, channel_hangs, SLOW)
{
	struct dmacpy_op op = copy_op(self, 1, 0);
	int i, ret;

	for (i = 0; i < 5; i++) {
		ASSERT_TRUE(set_number(TIMEOUT, SHORT_MS));
		ASSERT_TRUE(engine_set("next_dropped", 1));
		EXPECT_EQ(-ETIMEDOUT, spread(self->stream, &op, 1, CHANNELS,
					     DMACPY_SUBMIT_WAIT));
		ASSERT_TRUE(set_number(TIMEOUT, LONG_MS));
		/* Retry while the stream's own channel is recovering. */
		while ((ret = spread(self->stream, &op, 1, CHANNELS,
				     DMACPY_SUBMIT_WAIT)) == -EAGAIN)
			usleep(1000);
		EXPECT_EQ(0, ret);
		EXPECT_EQ(0, memcmp(self->mem[0], self->mem[1], LENGTH));
		ASSERT_TRUE(engine_reset());
	}
}

static uint64_t free_sram(const struct _test_data_spread *self)
{
	return stream_info(self->stream).sram_free;
}

/* Hangs all channels, or has one lose its share; all hang in the recovery. */
static void time_out(struct __test_metadata *_metadata,
		     struct _test_data_spread *self, bool all)
{
	struct dmacpy_op op = copy_op(self, 1, 0);
	unsigned int copied = engine_get("copied");
	struct dmacpy_event event;

	ASSERT_TRUE(set_number(TIMEOUT, all ? SHORT_MS : LONG_MS));
	ASSERT_TRUE(engine_set("hang", 1));
	ASSERT_EQ(0, spread(self->stream, &op, 1, CHANNELS,
			    DMACPY_SUBMIT_EVENT));
	if (!all) {
		ASSERT_TRUE(engine_set("next_dropped", 1));
		ASSERT_TRUE(engine_set("hang", 0));
		while (engine_get("copied") < copied + CHANNELS - 1)
			usleep(1000);
		ASSERT_TRUE(engine_set("hang", 1));
		ASSERT_TRUE(set_number(TIMEOUT, SHORT_MS));
	}
	ASSERT_EQ(0, read_event(self->stream, &event));
	EXPECT_EQ(-ETIMEDOUT, event.result);
}

/*
 * Catches: memory that is used again while the engine may still write a part,
 * or that is never used again.
 */
TEST_F_TIMEOUT(spread, quarantine, SLOW)
{
	uint64_t before, after;
	unsigned int round, i;

	for (round = 0; round < 3; round++) {
		before = free_sram(self);
		time_out(_metadata, self, !round);
		for (i = 0; i < 2; i++) {
			ASSERT_EQ(0, handle_release(self->stream,
						    self->handle[i]));
			munmap(self->mem[i], LENGTH);
			close(self->fd[i]);
		}
		usleep(2 * SHORT_MS * 1000);
		EXPECT_EQ(before, free_sram(self));
		ASSERT_TRUE(engine_reset());
		do {
			usleep(1000);
			after = free_sram(self);
		} while (after < before + 2 * LENGTH);
		for (i = 0; i < 2; i++)
			ASSERT_LT(0, buffer_add(self, i));
	}
}

/*
 * Catches: a part that completes on a channel that was freed, a later job that
 * completes before it, memory that is not freed; if all channels hang, if one
 * has lost its descriptors, and if all work.
 */
TEST_F_TIMEOUT(spread, unbind_in_flight, SLOW)
{
	static const struct {
		unsigned int hang, dropped, delay_us;
		int result;
	} cases[] = {
		{ 1, 0, 0, -ENODEV }, { 0, 1, 0, -ENODEV },
		{ 0, 0, SLOW_US, 0 }, { 0, 0, 0, 0 },
	};
	struct dmacpy_op op = copy_op(self, 1, 0);
	struct dmacpy_event event;
	unsigned int i, round;

	for (round = 0; round < 2 * ARRAY_SIZE(cases); round++) {
		i = round % ARRAY_SIZE(cases);
		ASSERT_TRUE(engine_set("hang", cases[i].hang));
		ASSERT_TRUE(engine_set("next_dropped", cases[i].dropped));
		ASSERT_TRUE(engine_set("delay_us", cases[i].delay_us));
		ASSERT_TRUE(set_number(TIMEOUT, 5 * SHORT_MS));
		ASSERT_EQ(0, spread(self->stream, &op, 1, CHANNELS,
				    DMACPY_SUBMIT_EVENT));
		ASSERT_EQ(0, follow(self, &op, DMACPY_SUBMIT_EVENT));
		ASSERT_EQ(0, spread(self->stream, &op, 1, CHANNELS,
				    DMACPY_SUBMIT_EVENT));
		ASSERT_EQ(0, instance_unbind(&self->instance));
		ASSERT_EQ(0, read_event(self->stream, &event));
		EXPECT_EQ(1, event.user_data);
		if (event.result != -ETIMEDOUT || !cases[i].result)
			EXPECT_EQ(cases[i].result, event.result);
		ASSERT_EQ(0, read_event(self->stream, &event));
		EXPECT_EQ(2, event.user_data);
		ASSERT_EQ(0, read_event(self->stream, &event));
		EXPECT_EQ(-ENODEV, read_event(self->stream, &event));
		ASSERT_TRUE(engine_behave());
		ASSERT_EQ(0, instance_bind(&self->instance));
		ASSERT_LT(0, start_again(self));
		op = copy_op(self, 1, 0);
		ASSERT_EQ(0, spread(self->stream, &op, 1, CHANNELS,
				    DMACPY_SUBMIT_WAIT));
	}
}

/* Catches: a stream that is freed while parts of its jobs are in flight. */
TEST_F_TIMEOUT(spread, close_in_flight, SLOW)
{
	struct dmacpy_op op = copy_op(self, 1, 0);
	int fence;

	ASSERT_TRUE(engine_set("hang", 1));
	ASSERT_EQ(0, spread(self->stream, &op, 1, CHANNELS, 0));
	fence = spread(self->stream, &op, 1, CHANNELS, DMACPY_SUBMIT_OUT_FENCE);
	ASSERT_LE(0, fence);
	ASSERT_EQ(0, close(self->stream));
	EXPECT_EQ(0, fence_status(fence));
	ASSERT_TRUE(engine_set("hang", 0));
	EXPECT_EQ(POLLIN, poll_for(fence, POLLIN, 10 * 1000));
	EXPECT_EQ(1, fence_status(fence));
	EXPECT_EQ(0, memcmp(self->mem[0], self->mem[1], LENGTH));
}

/* Catches: an invalid use of the flag that is accepted. */
TEST_F(spread, mistakes)
{
	struct dmacpy_op op = copy_op(self, 1, 0);
	struct dmacpy_submit args = { .channels = CHANNELS };
	struct dmacpy_run run = {
		.size = sizeof(run),
		.flags = DMACPY_SUBMIT_SPREAD,
	};

	EXPECT_EQ(-EINVAL, spread(self->stream, &op, 1, 0, 0));
	EXPECT_EQ(-EINVAL, submit_with(self->stream, &op, 1, &args));
	EXPECT_EQ(-EOPNOTSUPP, command(self->stream, DMACPY_RUN, &run));
	op.length++;
	EXPECT_EQ(-EINVAL, spread(self->stream, &op, 1, CHANNELS, 0));
}

/* Catches: a job that is spread although spreading is disabled. */
TEST_F(spread, turned_off)
{
	struct dmacpy_op op = copy_op(self, 1, 0);
	struct dmacpy_get_info info;
	int stream;

	ASSERT_TRUE(set_number(SPREAD, 0));
	EXPECT_EQ(0, instance_unbind(&self->instance) ?:
		     instance_bind(&self->instance));
	stream = stream_open(self->instance.node);
	info = stream_info(stream);
	EXPECT_EQ(0, info.submit_flags & DMACPY_SUBMIT_SPREAD);
	EXPECT_EQ(-EOPNOTSUPP, spread(stream, &op, 1, CHANNELS, 0));
	EXPECT_TRUE(set_number(SPREAD, 1));
	EXPECT_EQ(0, instance_unbind(&self->instance) ?:
		     instance_bind(&self->instance));
}

TEST_HARNESS_MAIN
