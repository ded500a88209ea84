// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test copies on an otherwise idle channel. Some engines call back too early,
 * and interrupts may be lost: a copy has to arrive and to call back.
 */
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/jiffies.h>
#include <linux/random.h>
#include <linux/string.h>

#include "dmacpy_compat.h"
#include "dmacpy_map.h"
#include "dmacpy_param.h"
#include "dmacpy_pool.h"
#include "dmacpy_testcopy.h"

/* Bytes of a copy, aligned for any engine */
#define TESTCOPY_SIZE	256
/* A chain has one piece less: about twice the depth of an engine. */
#define TESTCOPY_BLOCKS	64
#define TESTCOPY_SCRATCH	(TESTCOPY_BLOCKS * TESTCOPY_SIZE)
/* Rows of a tile, of a block each, and the first block of their destination */
#define TESTCOPY_ROWS	10
#define TESTCOPY_TILE	(2 * TESTCOPY_ROWS)
/* After a full ring, a chain gets new pieces up to this time, in jiffies. */
#define TESTCOPY_CHAIN	(HZ / 2)
/* Time in jiffies that a test waits for callbacks before it issues again */
#define TESTCOPY_ISSUE	(HZ / 10UL)
/*
 * Time in jiffies that other channels may hold a token, not counting the time
 * to detect that one of them hangs
 */
#define TESTCOPY_BATCH_TIME	(60UL * HZ)

static void testcopy_callback(struct dmacpy_client *client, bool failed)
{
	struct dmacpy_testcopy *copy =
		container_of(client, struct dmacpy_testcopy, client);

	if (failed)
		WRITE_ONCE(copy->failed, true);
	atomic_dec_return_release(&copy->in_flight);
	wake_up(&copy->called_back);
}

/* After a copy has completed the caller sees the data that it wrote. */
static int testcopy_in_flight(const struct dmacpy_testcopy *copy)
{
	return atomic_read_acquire(&copy->in_flight);
}

/*
 * Not in the callback: the next copy, which relies on the token, may be
 * submitted before the callback returns.
 */
static void testcopy_release_token(struct dmacpy_testcopy *copy)
{
	if (!testcopy_in_flight(copy))
		dmacpy_token_release(&copy->bearer);
}

/**
 * dmacpy_testcopy_init() - allocate the memory of test copies
 * @copy: filled in
 * @engine: the channel, which must outlive @copy
 *
 * Context: Process. Undone by dmacpy_testcopy_free().
 * Return: 0 or -ENOMEM.
 */
int dmacpy_testcopy_init(struct dmacpy_testcopy *copy,
			 const struct dmacpy_engine *engine)
{
	copy->client.called_back = testcopy_callback;
	copy->engine = engine;
	init_waitqueue_head(&copy->called_back);
	if (engine->quirks & DMACPY_QUIRK_EXCLUSIVE &&
	    dmacpy_token_open(&copy->bearer, engine->dev))
		return -ENOMEM;
	copy->scratch = dma_alloc_coherent(copy->engine->dev, TESTCOPY_SCRATCH,
					   &copy->addr, GFP_KERNEL);
	return copy->scratch ? 0 : -ENOMEM;
}

/**
 * dmacpy_testcopy_free() - undo dmacpy_testcopy_init()
 * @copy: the test copies; may be zero
 *
 * Context: Process. The engine does not write to the scratch memory.
 */
void dmacpy_testcopy_free(struct dmacpy_testcopy *copy)
{
	dmacpy_token_close(&copy->bearer);
	if (copy->scratch)
		dma_free_coherent(copy->engine->dev, TESTCOPY_SCRATCH,
				  copy->scratch, copy->addr);
}

/* The caller has to call dmacpy_engine_issue() next. */
static bool testcopy_submit(struct dmacpy_testcopy *copy,
			    const struct dmacpy_piece *piece)
{
	unsigned long hang = msecs_to_jiffies(READ_ONCE(dmacpy_timeout.value));

	if (!dmacpy_token_wait(&copy->bearer, TESTCOPY_BATCH_TIME + 2 * hang))
		return false;
	atomic_inc(&copy->in_flight);
	if (!dmacpy_engine_submit(copy->engine, piece, &copy->client))
		return true;
	atomic_dec(&copy->in_flight);
	testcopy_release_token(copy);
	return false;
}

static bool testcopy_submit_block(struct dmacpy_testcopy *copy, dma_addr_t dst,
				  dma_addr_t src)
{
	const struct dmacpy_piece piece = {
		.dst = dst,
		.src = src,
		.length = TESTCOPY_SIZE,
	};

	return testcopy_submit(copy, &piece);
}

/*
 * Wait until less than @count copies are in flight. The driver of the engine
 * may have ignored an issue while it was busy, so this issues again.
 */
static bool testcopy_wait(struct dmacpy_testcopy *copy, int count,
			  unsigned long timeout)
{
	bool again = !(copy->engine->quirks & DMACPY_QUIRK_WARN_ISSUE);
	unsigned long issue = min(timeout / 2, TESTCOPY_ISSUE);

	if (wait_event_timeout(copy->called_back,
			       testcopy_in_flight(copy) < count, issue)) {
		testcopy_release_token(copy);
		return true;
	}
	if (again)
		dmacpy_engine_issue(copy->engine);
	if (wait_event_timeout(copy->called_back,
			       testcopy_in_flight(copy) < count,
			       timeout - issue)) {
		copy->stalls += again;
		testcopy_release_token(copy);
		return true;
	}
	/* Other channels must not wait for one that has hung. */
	if (copy->bearer.token) {
		dmacpy_engine_terminate(copy->engine);
		dmacpy_token_release(&copy->bearer);
	}
	return false;
}

/**
 * dmacpy_testcopy_run() - copy in RAM
 * @copy: the test copies
 * @timeout: maximum time of the copy, in jiffies
 * @result: set to the result of the copy
 *
 * Context: Process.
 */
void dmacpy_testcopy_run(struct dmacpy_testcopy *copy, unsigned long timeout,
			 struct dmacpy_testcopy_result *result)
{
	u8 seed = ++copy->seed;

	*result = (struct dmacpy_testcopy_result){ };
	memset(copy->scratch, seed, TESTCOPY_SIZE);
	memset(copy->scratch + TESTCOPY_SIZE, ~seed, TESTCOPY_SIZE);
	copy->failed = false;
	result->submitted = testcopy_submit_block(copy, copy->addr +
						  TESTCOPY_SIZE, copy->addr);
	if (!result->submitted)
		return;
	dmacpy_engine_issue(copy->engine);
	result->called_back = testcopy_wait(copy, 1, timeout);
	result->failed = READ_ONCE(copy->failed);
	result->arrived = !memchr_inv(copy->scratch, seed, 2 * TESTCOPY_SIZE);
}

/*
 * Submit as much of a chain as the engine accepts. Each piece copies the output
 * of the one before. Returns the number of pieces submitted so far.
 */
static unsigned int testcopy_submit_chain(struct dmacpy_testcopy *copy,
					  unsigned int at, unsigned int last)
{
	const struct dmacpy_engine *engine = copy->engine;
	unsigned int first = at;
	dma_addr_t src;

	while (at < last && testcopy_in_flight(copy) < engine->depth) {
		src = copy->addr + at * TESTCOPY_SIZE;
		if (!testcopy_submit_block(copy, src + TESTCOPY_SIZE, src))
			break;
		at++;
	}
	if (at != first || dmacpy_testcopy_needs_reissue(copy))
		dmacpy_engine_issue(engine);
	return at;
}

/* Runs the chain to its end. Returns NULL or a description of the failure. */
static const char *testcopy_run_chain(struct dmacpy_testcopy *copy,
				      unsigned long timeout)
{
	unsigned int at = 0, fed, last = TESTCOPY_BLOCKS - 1;
	unsigned long took = jiffies, end = took + TESTCOPY_CHAIN;
	int in_flight;

	while (at < last || testcopy_in_flight(copy)) {
		fed = testcopy_submit_chain(copy, at, last) - at;
		at += fed;
		in_flight = testcopy_in_flight(copy);
		if (!in_flight)
			testcopy_release_token(copy);
		/* A channel with a token submits when none is in flight. */
		if (in_flight &&
		    !testcopy_wait(copy, copy->bearer.token ? 1 : in_flight,
				   timeout))
			return "does not call back for several descriptors";
		if (fed || in_flight) {
			took = jiffies;
			if (at > copy->engine->depth && !time_before(took, end))
				last = at;
		} else if (at < last) {
			if (time_after(jiffies, took + timeout))
				return "takes no more descriptors";
			usleep_range(100, 1000);
		}
	}
	if (READ_ONCE(copy->failed))
		return "reports errors for several descriptors";
	if (memcmp(copy->scratch, copy->scratch + TESTCOPY_SIZE,
		   at * TESTCOPY_SIZE))
		return "does not copy in order";
	return NULL;
}

/**
 * dmacpy_testcopy_chain() - fill the ring of a channel, and add descriptors
 * @copy: the test copies
 * @timeout: time that the engine may make no progress, in jiffies
 *
 * The descriptors depend on each other.
 *
 * Context: Process.
 * Return: NULL, or a description of the failure of the channel.
 */
const char *dmacpy_testcopy_chain(struct dmacpy_testcopy *copy,
				  unsigned long timeout)
{
	get_random_bytes(copy->scratch, TESTCOPY_SIZE);
	memset(copy->scratch + TESTCOPY_SIZE, 0,
	       TESTCOPY_SCRATCH - TESTCOPY_SIZE);
	copy->failed = false;
	return testcopy_run_chain(copy, timeout);
}

/* Returns false if it does not call back. @done: it completed without error. */
static bool testcopy_try(struct dmacpy_testcopy *copy, unsigned long timeout,
			 const struct dmacpy_piece *piece, bool *done)
{
	copy->failed = false;
	*done = testcopy_submit(copy, piece);
	if (!*done)
		return true;
	dmacpy_engine_issue(copy->engine);
	if (!testcopy_wait(copy, 1, timeout))
		return false;
	*done = !READ_ONCE(copy->failed);
	return true;
}

/**
 * dmacpy_testcopy_fill() - have the engine fill memory by itself
 * @copy: the test copies
 * @timeout: maximum time of the fill, in jiffies
 * @correct: set to true if it has filled the right bytes, and no others
 *
 * Context: Process.
 * Return: false if it did not call back.
 */
bool dmacpy_testcopy_fill(struct dmacpy_testcopy *copy, unsigned long timeout,
			  bool *correct)
{
	const struct dmacpy_piece piece = {
		.dst = copy->addr + DMACPY_FILL_ALIGN,
		.length = TESTCOPY_SIZE - DMACPY_FILL_ALIGN,
		.kind = DMACPY_PIECE_FILL,
		.pattern = 0x5a5a5a5a,
	};
	u8 *mem = copy->scratch;

	memset(mem, 0, 2 * TESTCOPY_SIZE);
	if (!testcopy_try(copy, timeout, &piece, correct))
		return false;
	*correct = *correct &&
		   !memchr_inv(mem, 0, DMACPY_FILL_ALIGN) &&
		   !memchr_inv(mem + DMACPY_FILL_ALIGN, 0x5a, piece.length) &&
		   !memchr_inv(mem + TESTCOPY_SIZE, 0, TESTCOPY_SIZE);
	return true;
}

/* Returns true if the rows were copied, and no other byte was written. */
static bool testcopy_tile_is_correct(const struct dmacpy_testcopy *copy,
				     unsigned int dst_step,
				     unsigned int src_step)
{
	const u8 *dst = copy->scratch + TESTCOPY_TILE * TESTCOPY_SIZE;
	const u8 *src = copy->scratch;
	unsigned int i;

	for (i = 0; i < TESTCOPY_BLOCKS - TESTCOPY_TILE; i++) {
		if (i % dst_step || i / dst_step >= TESTCOPY_ROWS) {
			if (memchr_inv(dst, 0, TESTCOPY_SIZE))
				return false;
		} else {
			if (memcmp(dst, src, TESTCOPY_SIZE))
				return false;
			src += src_step * TESTCOPY_SIZE;
		}
		dst += TESTCOPY_SIZE;
	}
	return true;
}

static bool testcopy_tile(struct dmacpy_testcopy *copy, unsigned long timeout,
			  unsigned int dst_step, unsigned int src_step,
			  bool *correct)
{
	const struct dmacpy_piece piece = {
		.dst = copy->addr + TESTCOPY_TILE * TESTCOPY_SIZE,
		.src = copy->addr,
		.length = TESTCOPY_ROWS * TESTCOPY_SIZE,
		.kind = DMACPY_PIECE_TILE,
		.rows = TESTCOPY_ROWS,
		.row = TESTCOPY_SIZE,
		.dst_stride = dst_step * TESTCOPY_SIZE,
		.src_stride = src_step * TESTCOPY_SIZE,
	};

	get_random_bytes(copy->scratch, TESTCOPY_TILE * TESTCOPY_SIZE);
	memset(copy->scratch + TESTCOPY_TILE * TESTCOPY_SIZE, 0,
	       TESTCOPY_SCRATCH - TESTCOPY_TILE * TESTCOPY_SIZE);
	if (!testcopy_try(copy, timeout, &piece, correct))
		return false;
	*correct = *correct &&
		   testcopy_tile_is_correct(copy, dst_step, src_step);
	return true;
}

/**
 * dmacpy_testcopy_tile() - have the engine copy rows with gaps between them
 * @copy: the test copies
 * @timeout: maximum time of each of three tiles, in jiffies
 * @correct: set to true if it has copied the rows, and written nothing else
 *
 * The first tile has gaps in the source, the second one in the destination, and
 * the third one has gaps of different lengths in both.
 *
 * Context: Process.
 * Return: false if it did not call back.
 */
bool dmacpy_testcopy_tile(struct dmacpy_testcopy *copy, unsigned long timeout,
			  bool *correct)
{
	static const struct {
		u8 dst;
		u8 src;
	} steps[] = { { 1, 2 }, { 2, 1 }, { 3, 2 } };
	unsigned int i;

	*correct = true;
	for (i = 0; i < ARRAY_SIZE(steps) && *correct; i++)
		if (!testcopy_tile(copy, timeout, steps[i].dst, steps[i].src,
				   correct))
			return false;
	return true;
}

static bool testcopy_done(struct dmacpy_testcopy *copy, unsigned long timeout,
			  dma_addr_t dst, dma_addr_t src)
{
	if (!testcopy_submit_block(copy, dst, src))
		return false;
	dmacpy_engine_issue(copy->engine);
	return testcopy_wait(copy, 1, timeout);
}

/*
 * The engine first reads data that the CPU has written to SRAM, and only writes
 * to SRAM if that data was right: a read at a wrong address does less harm.
 */
static int testcopy_test_at(struct dmacpy_testcopy *copy,
			    unsigned long timeout,
			    const struct dmacpy_sram *sram, dma_addr_t addr)
{
	struct device *parent = copy->engine->parent;
	const char *name = copy->engine->dma_name;
	u8 *second = copy->scratch + TESTCOPY_SIZE;

	get_random_bytes(copy->scratch, TESTCOPY_SIZE);
	memset(second, 0, TESTCOPY_SIZE);
	memcpy(sram->vaddr, copy->scratch, TESTCOPY_SIZE);
	/* Before the engine reads it. */
	dmacpy_pool_barrier();
	if (memcmp(sram->vaddr, copy->scratch, TESTCOPY_SIZE))
		return dev_err_probe(parent, -EIO,
				     "no memory at %pa: the CPU does not read what it has written (clock?)\n",
				     &sram->phys);
	if (!testcopy_done(copy, timeout, copy->addr + TESTCOPY_SIZE, addr) ||
	    memcmp(second, copy->scratch, TESTCOPY_SIZE))
		return dev_err_probe(parent, -EIO,
				     "channel %s does not read at %pad what the CPU writes at %pa (CPU-private? firewall? dma-ranges?)\n",
				     name, &addr, &sram->phys);

	get_random_bytes(copy->scratch, TESTCOPY_SIZE);
	if (!testcopy_done(copy, timeout, addr, copy->addr))
		return dev_err_probe(parent, -ETIMEDOUT,
				     "channel %s does not end a copy to SRAM at %pa (firewall?)\n",
				     name, &sram->phys);
	if (memcmp(sram->vaddr, copy->scratch, TESTCOPY_SIZE))
		return dev_err_probe(parent, -EIO,
				     "channel %s reads SRAM at %pa, but does not write it (firewall?)\n",
				     name, &sram->phys);
	return 0;
}

/**
 * dmacpy_testcopy_test_sram() - check that a channel reads and writes SRAM
 * @copy: the test copies
 * @timeout: maximum time of each of the two copies, in jiffies
 * @sram: SRAM that is not used
 *
 * Context: Process. @sram has no clock and no power domain that is off.
 * Return: 0, or with the reason in the log: -EIO if it does not, -ETIMEDOUT if
 * it may still write to @sram.
 */
int dmacpy_testcopy_test_sram(struct dmacpy_testcopy *copy,
			      unsigned long timeout,
			      const struct dmacpy_sram *sram)
{
	dma_addr_t addr;
	int ret;

	addr = dmacpy_map_sram(copy->engine->dev, sram, DMA_BIDIRECTIONAL);
	if (addr == DMA_MAPPING_ERROR)
		return dev_err_probe(copy->engine->parent, -EIO,
				     "channel %s cannot address SRAM at %pa\n",
				     copy->engine->dma_name,
				     &sram->phys);
	ret = testcopy_test_at(copy, timeout, sram, addr);
	dmacpy_unmap_sram(copy->engine->dev, sram, addr, DMA_BIDIRECTIONAL);
	return ret;
}
