/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_TEST_ENGINE_H
#define DMACPY_TEST_ENGINE_H

#include <linux/dmaengine.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

struct kunit;

/* The client's name of the channel */
#define TEST_ENGINE_CHANNEL	"copy0"

/**
 * enum test_outcome - the result of a descriptor
 * @TEST_COPY: it is copied, and calls back
 * @TEST_FAIL: it is not copied, and reports an error
 * @TEST_SHORT: it is copied in part, and reports a residue
 * @TEST_LOSE: it is copied, but does not call back
 * @TEST_DROP: it vanishes
 */
enum test_outcome {
	TEST_COPY,
	TEST_FAIL,
	TEST_SHORT,
	TEST_LOSE,
	TEST_DROP,
};

/**
 * struct test_engine - a DMA engine with a channel, controlled by a test
 * @client: the device that may request TEST_ENGINE_CHANNEL
 * @device: device of the dmaengine core
 * @chan: the channel
 * @other: a channel that copies nothing
 * @map: map that gives the client its channel
 * @running: a descriptor is being copied, or its callback runs
 * @work: runs all descriptors that are issued, continuously
 * @lock: protects the following members
 * @submitted: descriptors to be issued
 * @issued: descriptors to be copied
 * @terminated: terminated descriptors that may be copied nevertheless
 * @used: number of descriptors in use
 * @ring: total number of descriptors
 * @hold: descriptors only run by test_engine_run()
 * @at_once: descriptors are copied, and call back, when they are issued
 * @requested: @chan has a client
 * @swap: TEST_ENGINE_CHANNEL refers to @other
 * @no_request: number of requests of @chan that fail
 * @no_prep: number of preparations that return no descriptor
 * @no_tile: one in this many preparations of a tile returns no descriptor, 0
 *	for none
 * @no_submit: number of submissions that fail
 * @no_terminate: refuse to terminate
 * @cb_terminate: terminated descriptors call back, with success
 * @lingers: time in ms that a tasklet runs after it has called back
 * @in_tasklet: a tasklet runs
 * @releases: output, number of times that @chan was released
 * @terminations: output, number of times that @chan was terminated
 * @prepared: output, number of prepared descriptors
 * @fills: output, number of descriptors that fill, if a test sets DMA_MEMSET
 * @tiles: output, number of preparations of a tile, if a test sets
 *	DMA_INTERLEAVE
 * @interrupts: output, number of descriptors that request an interrupt
 * @fences: output, number of descriptors that the next one has to wait for
 * @issues: output, number of times that descriptors were issued
 * @misused: output, number of calls for @chan while it has no client, and of
 *	terminations and releases while a tasklet runs
 */
struct test_engine {
	struct device *client;
	struct dma_device device;
	struct dma_chan chan;
	struct dma_chan other;
	struct dma_slave_map map;
	struct mutex running;
	struct work_struct work;

	spinlock_t lock;
	struct list_head submitted;
	struct list_head issued;
	struct list_head terminated;
	unsigned int used;
	unsigned int ring;
	bool hold;
	bool at_once;
	bool requested;
	bool swap;
	unsigned int no_request;
	unsigned int no_prep;
	unsigned int no_tile;
	unsigned int no_submit;
	bool no_terminate;
	bool cb_terminate;
	unsigned int lingers;
	bool in_tasklet;
	unsigned int releases;
	unsigned int terminations;
	unsigned int prepared;
	unsigned int fills;
	unsigned int tiles;
	unsigned int interrupts;
	unsigned int fences;
	unsigned int issues;
	unsigned int misused;
};

struct test_engine *test_engine_new(struct kunit *test);
void test_engine_register(struct kunit *test, struct test_engine *engine);
bool test_engine_run(struct test_engine *engine, enum test_outcome outcome);
bool test_engine_run_last(struct test_engine *engine);
bool test_engine_run_terminated(struct test_engine *engine);
void test_engine_release(struct test_engine *engine);
dma_addr_t test_engine_addr(struct test_engine *engine, void *vaddr);

#endif /* DMACPY_TEST_ENGINE_H */
