// SPDX-License-Identifier: GPL-2.0-only
/* Each way in which engines and their drivers behave. */
#include <poll.h>
#include <sys/mman.h>

#include "personality.h"

#define LENGTH		(4 * KIB)
#define OPS		1024
#define JOBS		60
#define TIMEOUT_MS	1000

static int open_stream(struct _test_data_engines *self)
{
	self->stream = stream_open(self->instance.node);
	self->in_mem = memory_map(LENGTH);
	self->out_mem = memory_map(LENGTH);
	self->in = memory_register(self->stream, self->in_mem, LENGTH,
				   DMACPY_ACCESS_READ);
	self->out = memory_register(self->stream, self->out_mem, LENGTH,
				    DMACPY_ACCESS_WRITE);
	return self->in > 0 && self->out > 0 ? 0 : -ENODEV;
}

FIXTURE_SETUP(engines)
{
	const char *reason = is_impossible(variant, &self->instance);

	if (reason)
		SKIP(return, "%s", reason);
	ASSERT_EQ(0, behave_like(variant, &self->instance));
	self->races = engine_get("races");
	ASSERT_EQ(0, open_stream(self));
	self->sram = dmabuf_import(self->stream,
				   sram_alloc(self->stream, LENGTH),
				   ACCESS_BOTH);
	ASSERT_LE(1, self->sram);
}

FIXTURE_TEARDOWN_PARENT(engines)
{
	EXPECT_EQ(0, behave_again(&self->instance));
	EXPECT_EQ(0, sram_leaked());
}

/*
 * Copies to the SRAM and back, in @count operations, from the last to the
 * first, as adjacent ones would be joined. Returns -EBADMSG for wrong data.
 */
static int copy_round_trip(struct _test_data_engines *self, unsigned int count)
{
	static uint8_t round;
	struct dmacpy_op ops[OPS];
	unsigned int half = count / 2, i, at, length = LENGTH / half;
	int ret;

	for (i = 0; i < half; i++) {
		at = (half - 1 - i) * length;
		ops[i] = (struct dmacpy_op){
			.dst = self->sram,
			.dst_offset = at,
			.src = self->in,
			.src_offset = at,
			.length = length,
		};
		ops[half + i] = ops[i];
		ops[half + i].dst = self->out;
		ops[half + i].src = self->sram;
	}
	round++;
	for (i = 0; i < LENGTH; i++)
		self->in_mem[i] = round + i + i / 256;
	memset(self->out_mem, 0, LENGTH);
	ret = submit(self->stream, ops, 2 * half);
	if (!ret && memcmp(self->in_mem, self->out_mem, half * length))
		return -EBADMSG;
	return ret;
}

static int pass_again(struct _test_data_engines *self, unsigned int count)
{
	unsigned int start = milliseconds();
	int ret;

	do {
		ret = copy_round_trip(self, count);
		if (ret != -EAGAIN && ret != -ECANCELED)
			break;
		usleep(1000);
	} while (milliseconds() - start < BOUND_MS);
	return ret;
}

static int start_job(struct _test_data_engines *self, int dst, uint64_t number)
{
	const struct dmacpy_op op = {
		.dst = dst, .src = self->in, .length = LENGTH,
	};
	struct dmacpy_submit args = {
		.flags = DMACPY_SUBMIT_EVENT,
		.user_data = number,
	};

	return submit_with(self->stream, &op, 1, &args);
}

/* Catches: two concurrent channels of a driver that lacks the locking. */
static void check_races(struct __test_metadata *_metadata,
			struct _test_data_engines *self)
{
	EXPECT_EQ(self->races, engine_get("races"));
}

/* Catches: an engine that cannot be used; wrong data. */
TEST_F_TIMEOUT(engines, copies, SLOW)
{
	EXPECT_EQ(0, copy_round_trip(self, 2));
	EXPECT_EQ(0, copy_round_trip(self, 34));
	EXPECT_EQ(0, copy_round_trip(self, OPS));
	check_races(_metadata, self);
}

/*
 * Catches: a channel that never gets the token of its engine, or copies without
 * it; a copy by one channel that fails because of another.
 */
TEST_F_TIMEOUT(engines, channels, SLOW)
{
	struct _test_data_engines all[CHANNELS];
	struct dmacpy_event event;
	unsigned int i, k;

	for (k = 0; k < CHANNELS; k++) {
		all[k] = *self;
		ASSERT_EQ(0, open_stream(&all[k]));
		memset(all[k].in_mem, k + 1, LENGTH);
	}
	ASSERT_TRUE(engine_set("delay_us", 200));
	for (i = 0; i < JOBS; i++)
		for (k = 0; k < CHANNELS; k++)
			ASSERT_EQ(0, start_job(&all[k], all[k].out, i));
	for (i = 0; i < JOBS; i++)
		for (k = 0; k < CHANNELS; k++) {
			ASSERT_EQ(0, read_event(all[k].stream, &event));
			EXPECT_EQ(i, event.user_data);
			EXPECT_EQ(0, event.result);
		}
	for (k = 0; k < CHANNELS; k++)
		EXPECT_TRUE(all_bytes_are(all[k].out_mem, k + 1, LENGTH));
	check_races(_metadata, self);
}

/* Catches: a deadlock, or a stall, of jobs that are queued behind others. */
TEST_F_TIMEOUT(engines, queues, SLOW)
{
	struct dmacpy_event event;
	unsigned int i;

	ASSERT_TRUE(engine_set("delay_us", 1000));
	for (i = 0; i < JOBS; i++)
		ASSERT_EQ(0, start_job(self, self->sram, i));
	for (i = 0; i < JOBS; i++) {
		ASSERT_EQ(0, read_event(self->stream, &event));
		EXPECT_EQ(i, event.user_data);
		EXPECT_EQ(0, event.result);
	}
	EXPECT_EQ(0, copy_round_trip(self, 34));
	check_races(_metadata, self);
}

/*
 * Catches: a terminated job that is reported as a success; a channel
 * that does not recover, as lost descriptors never call back.
 */
TEST_F_TIMEOUT(engines, recovers, SLOW)
{
	struct dmacpy_event event;
	unsigned int i;
	int ret;

	if (keeps_memory(variant))
		SKIP(return, "the memory of a job that times out stays kept");
	/* All jobs are submitted before the first one times out. */
	ASSERT_TRUE(engine_set("hang", 1));
	for (i = 0; i < JOBS; i++)
		ASSERT_EQ(0, start_job(self, self->sram, i));
	ASSERT_TRUE(set_number(TIMEOUT, TIMEOUT_MS));
	for (i = 0; i < JOBS; i++) {
		ASSERT_EQ(0, read_event(self->stream, &event));
		EXPECT_EQ(i ? -ECANCELED : -ETIMEDOUT, event.result);
	}
	ASSERT_TRUE(engine_set("hang", 0));
	ret = pass_again(self, OPS);
	/* A busy host may stop the engine for a second. */
	if (ret == -ETIMEDOUT)
		ret = pass_again(self, OPS);
	EXPECT_EQ(0, ret);
}

/* Catches: an unbind that never returns, or does not wait for the engine. */
TEST_F_TIMEOUT(engines, unbinds, SLOW)
{
	struct dmacpy_event event;
	unsigned int i;

	ASSERT_TRUE(engine_set("delay_us", 10 * 1000));
	for (i = 0; i < JOBS; i++)
		ASSERT_EQ(0, start_job(self, self->sram, i));
	ASSERT_EQ(0, instance_unbind(&self->instance));
	for (i = 0; i < JOBS; i++) {
		ASSERT_EQ(0, read_event(self->stream, &event));
		EXPECT_TRUE(!event.result || event.result == -ENODEV);
	}
	/* The test of a slow engine would take seconds. */
	ASSERT_TRUE(engine_set("delay_us", 0));
	ASSERT_EQ(0, instance_bind(&self->instance));
}

static int start_spread(struct _test_data_engines *self, int dst, int src,
			uint32_t flags)
{
	const struct dmacpy_op op = {
		.dst = dst, .src = src, .length = LENGTH,
	};
	struct dmacpy_submit args = {
		.flags = DMACPY_SUBMIT_SPREAD | flags,
		.channels = CHANNELS,
	};

	return submit_with(self->stream, &op, 1, &args);
}

/*
 * Catches: a job that waits for ever for a part, or that completes before it; a
 * part that completes a job in a context that must not call the engine.
 */
TEST_F_TIMEOUT(engines, spreads, SLOW)
{
	struct dmacpy_event event;
	unsigned int i;

	if (!(stream_info(self->stream).submit_flags & DMACPY_SUBMIT_SPREAD))
		SKIP(return, "does not spread jobs");
	for (i = 0; i < JOBS; i++) {
		memset(self->in_mem, i + 1, LENGTH);
		ASSERT_EQ(0, start_spread(self, self->sram, self->in, 0));
		ASSERT_EQ(0, start_spread(self, self->out, self->sram,
					  DMACPY_SUBMIT_WAIT));
		ASSERT_TRUE(all_bytes_are(self->out_mem, i + 1, LENGTH));
	}
	ASSERT_TRUE(engine_set("delay_us", 5000));
	for (i = 0; i < JOBS; i++)
		ASSERT_EQ(0, start_spread(self, self->sram, self->in,
					  DMACPY_SUBMIT_EVENT));
	ASSERT_EQ(0, instance_unbind(&self->instance));
	for (i = 0; i < JOBS; i++) {
		ASSERT_EQ(0, read_event(self->stream, &event));
		EXPECT_TRUE(!event.result || event.result == -ENODEV);
	}
	ASSERT_TRUE(engine_set("delay_us", 0));
	ASSERT_EQ(0, instance_bind(&self->instance));
	check_races(_metadata, self);
}

/* Catches: a job whose parts are terminated, and that does not complete. */
TEST_F_TIMEOUT(engines, spread_job_times_out, SLOW)
{
	struct dmacpy_event event;
	unsigned int i;

	if (!(stream_info(self->stream).submit_flags & DMACPY_SUBMIT_SPREAD))
		SKIP(return, "does not spread jobs");
	if (keeps_memory(variant))
		SKIP(return, "keeps the memory of a job that times out");
	ASSERT_TRUE(engine_set("hang", 1));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, start_spread(self, self->sram, self->in,
					  DMACPY_SUBMIT_EVENT));
	ASSERT_TRUE(set_number(TIMEOUT, TIMEOUT_MS));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, read_event(self->stream, &event));
		EXPECT_EQ(i ? -ECANCELED : -ETIMEDOUT, event.result);
	}
	ASSERT_TRUE(engine_set("hang", 0));
	EXPECT_EQ(0, pass_again(self, OPS));
}

/* Fills a part of the SRAM. Returns the number of descriptors that fill. */
static int fill_part(struct _test_data_engines *self, uint32_t pattern,
		     unsigned int offset, unsigned int length)
{
	const struct dmacpy_op ops[] = {
		{ .dst = self->sram, .src = self->in, .length = LENGTH },
		{
			.opcode = DMACPY_OP_FILL,
			.dst = self->sram,
			.dst_offset = offset,
			.length = length,
			.pattern = pattern,
		},
		{ .dst = self->out, .src = self->sram, .length = LENGTH },
	};
	unsigned int before = engine_get("filled"), i;
	int ret;

	memset(self->in_mem, 0xee, LENGTH);
	ret = submit(self->stream, ops, 3);
	if (ret)
		return ret;
	for (i = 0; i < length; i++)
		self->in_mem[offset + i] = pattern >> i % 4 * 8;
	if (memcmp(self->in_mem, self->out_mem, LENGTH))
		return -EBADMSG;
	return engine_get("filled") - before;
}

/*
 * Catches: DMA_MEMSET that is not used, that is used for patterns beyond its
 * ability, or although it writes wrong data.
 */
TEST_F_TIMEOUT(engines, fills, SLOW)
{
	const struct {
		uint32_t pattern;
		unsigned int offset, length;
		bool by_itself;
	} fills[] = {
		{ 0x5a5a5a5a, 0, LENGTH, true },
		{ 0, 512, 1024, true },
		{ 0xa5a5a5a5, 256, 999, true },
		{ 0xa5a5a5a5, 257, 1000, false },
		{ 0x5a5a5a5a, 8, 7, false },
		{ 0x12345678, 0, LENGTH, false },
		{ 0x5a5a5a00, 64, 333, false },
	};
	bool able = !strcmp(variant->knob ?: "", "memset") &&
		    variant->value == 1;
	size_t i;

	for (i = 0; i < sizeof(fills) / sizeof(*fills); i++) {
		EXPECT_EQ(able && fills[i].by_itself,
			  fill_part(self, fills[i].pattern, fills[i].offset,
				    fills[i].length))
			TH_LOG("fill %zu", i);
	}
}

struct tile {
	unsigned int rows, length;	/* of a row */
	unsigned int dst_stride, src_stride;
	unsigned int dst_offset, src_offset;
	bool by_itself;
};

static struct dmacpy_op tile_op(const struct _test_data_engines *self,
				const struct tile *tile)
{
	return (struct dmacpy_op){
		.opcode = DMACPY_OP_COPY_2D,
		.dst = self->sram,
		.src = self->in,
		.dst_offset = tile->dst_offset,
		.src_offset = tile->src_offset,
		.dst_stride = tile->dst_stride,
		.src_stride = tile->src_stride,
		.length = tile->length,
		.rows = tile->rows,
	};
}

/* Copies memory to SRAM and back. Returns the tiles that the engine copied. */
static int copy_tile(struct _test_data_engines *self, const struct tile *tile)
{
	const struct dmacpy_op ops[] = {
		{
			.opcode = DMACPY_OP_FILL,
			.dst = self->sram,
			.length = LENGTH,
			.pattern = 0xeeeeeeee,
		},
		tile_op(self, tile),
		{ .dst = self->out, .src = self->sram, .length = LENGTH },
	};
	unsigned int before = engine_get("tiled"), i;
	uint8_t model[LENGTH];
	int ret;

	memset(model, 0xee, LENGTH);
	for (i = 0; i < LENGTH; i++)
		self->in_mem[i] = i + i / 251;
	for (i = 0; i < tile->rows; i++)
		memcpy(model + tile->dst_offset + i * tile->dst_stride,
		       self->in_mem + tile->src_offset + i * tile->src_stride,
		       tile->length);
	ret = submit(self->stream, ops, 3);
	if (ret)
		return ret;
	if (memcmp(model, self->out_mem, LENGTH))
		return -EBADMSG;
	return engine_get("tiled") - before;
}

static bool copies_tiles(const struct _fixture_variant_engines *variant)
{
	return variant->tiles == 1 && !variant->driver;
}

/*
 * Catches: a descriptor for each row although the engine can copy all rows with
 * one; rows copied to wrong places, as the tile exceeds the engine's abilities.
 */
TEST_F_TIMEOUT(engines, tiles, SLOW)
{
	const struct tile tiles[] = {
		{ 16, 64, 256, 256, 0, 0, true },
		{ 16, 64, 64, 256, 0, 32, true },
		{ 16, 64, 256, 64, 8, 0, true },
		{ 30, 16, 32, 128, 1024, 256, true },
		{ 100, 1, 3, 40, 1, 2, true },
		{ 2, 1000, 2048, 1024, 48, 16, true },
		{ 7, 12, 36, 44, 4, 0, true },
		{ 16, 64, 64, 64, 0, 0, false },
		{ 1, 64, 256, 256, 0, 0, false },
		/* The first row separately, as the others are less aligned. */
		{ 16, 64, 68, 256, 0, 0, true },
		{ 16, 64, 256, 65, 0, 0, true },
		{ 2, 64, 68, 256, 0, 0, false },
		{ 16, 64, 64, 0, 0, 0, false },
	};
	bool able = copies_tiles(variant);
	size_t i;

	for (i = 0; i < sizeof(tiles) / sizeof(*tiles); i++) {
		EXPECT_EQ(able && tiles[i].by_itself,
			  copy_tile(self, &tiles[i]))
			TH_LOG("tile %zu", i);
	}
}

/*
 * The engine refuses a tile at first, or all tiles down to the last two rows.
 * Catches: rows that are not copied, or are copied twice; the rest of a tile
 * that is submitted although its strides are less aligned than its first row.
 */
TEST_F_TIMEOUT(engines, refuses_tiles, SLOW)
{
	const struct tile tile = { 16, 64, 128, 256, 64, 0, true };
	const struct tile narrow = { 4, 16, 36, 36, 4, 4, true };
	unsigned int refused;

	if (!copies_tiles(variant))
		SKIP(return, "this engine copies no tiles");
	for (refused = 0; refused <= 16; refused++) {
		ASSERT_TRUE(engine_set("next_no_tile", refused));
		EXPECT_EQ(refused < 15, copy_tile(self, &tile))
			TH_LOG("after %u refusals", refused);
	}
	ASSERT_TRUE(engine_set("next_no_tile", 1));
	EXPECT_EQ(1, copy_tile(self, &narrow));
}

/*
 * Catches: a tile that counts as copied although the engine failed, copied a
 * part of it, or hung; an engine that is not used for tiles after that.
 */
TEST_F_TIMEOUT(engines, fails_tiles, SLOW)
{
	const struct tile tile = { 16, 64, 128, 256, 64, 0, true };
	const struct dmacpy_op op = tile_op(self, &tile);

	if (!copies_tiles(variant))
		SKIP(return, "this engine copies no tiles");
	ASSERT_TRUE(engine_set("next_failed", 1));
	EXPECT_EQ(-EIO, submit(self->stream, &op, 1));
	ASSERT_TRUE(engine_set("next_short", 1));
	EXPECT_EQ(-EIO, submit(self->stream, &op, 1));
	EXPECT_EQ(1, copy_tile(self, &tile));
	ASSERT_TRUE(set_number(TIMEOUT, TIMEOUT_MS));
	ASSERT_TRUE(engine_set("hang", 1));
	EXPECT_EQ(-ETIMEDOUT, submit(self->stream, &op, 1));
	ASSERT_TRUE(engine_set("hang", 0));
	EXPECT_EQ(0, pass_again(self, 2));
	EXPECT_EQ(1, copy_tile(self, &tile));
}

/* Returns true if a new line of the kernel's log ends with @end. */
static bool was_logged(int log, const char *end)
{
	char record[8192];
	bool found = false;
	ssize_t size;

	while ((size = read(log, record, sizeof(record) - 1)) > 0) {
		record[size] = 0;
		found |= !!strstr(record, end);
	}
	return found;
}

/* The last fixture: it gives the engine its own name back. */
FIXTURE(refused)
{
	struct instance instance;
};

FIXTURE_SETUP(refused)
{
	if (engine_find(&self->instance))
		SKIP(return, "no instance on the fake DMA engine");
	if (access(MODULES "dmacpy.ko", F_OK))
		SKIP(return, "the driver is not a module here");
}

FIXTURE_TEARDOWN_PARENT(refused)
{
	if (!access(MODULES "dmacpy.ko", F_OK))
		EXPECT_EQ(0, rename_engine(FAKE_ENGINE));
}

/* Catches: an engine that is used although its driver cannot serve jobs. */
TEST_F_TIMEOUT(refused, by_name, SLOW)
{
	int log;

	/* Not in the setup: without one, there would be no teardown. */
	if (driver_exists("mv_xor"))
		SKIP(return, "this board has the engine itself");
	log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	lseek(log, 0, SEEK_END);
	EXPECT_EQ(0, rename_engine("mv_xor"));
	EXPECT_EQ(-ENOENT, instance_find_node(&self->instance));
	EXPECT_TRUE(was_logged(log, " does not copy less than 128 bytes\n"));
	close(log);
}

TEST_HARNESS_MAIN
