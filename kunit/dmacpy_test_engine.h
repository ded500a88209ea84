/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_TEST_ENGINE_H
#define DMACPY_TEST_ENGINE_H

#include <linux/dmaengine.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

struct kunit;

/* The name of a channel among its client's. */
#define TEST_ENGINE_CHANNEL	"copy0"

/**
 * enum test_outcome - what becomes of a descriptor
 * @TEST_COPY: it is copied, and calls back
 * @TEST_FAIL: it is not copied, and says so
 * @TEST_SHORT: it is copied in part, and says so
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
 * struct test_engine - a DMA engine with a channel, whose hardware is a test
 * @client: the device that may request TEST_ENGINE_CHANNEL
 * @device: what dmaengine sees
 * @chan: the channel
 * @other: one that copies nothing
 * @map: how a client finds a channel
 * @running: a descriptor is being copied, or called back for
 * @work: runs all that is issued, as it comes
 * @lock: protects the rest
 * @submitted: descriptors to be issued
 * @issued: descriptors to be copied
 * @terminated: descriptors to be copied although the client has forgotten them
 * @used: number of descriptors that are not free
 * @ring: number of descriptors that there are
 * @hold: nothing runs but by test_engine_run()
 * @at_once: all is copied and called back for when it is issued
 * @requested: @chan has a client
 * @swap: TEST_ENGINE_CHANNEL stands for @other
 * @no_request: so many requests of @chan fail
 * @no_prep: so many preparations give no descriptor
 * @no_submit: so many submissions fail
 * @no_terminate: terminating is refused
 * @cb_terminate: what is terminated calls back, with success
 * @releases: output, number of times that @chan was released
 * @prepared: output, number of descriptors prepared
 * @fills: output, number of those that fill, for a test that sets DMA_MEMSET
 * @interrupts: output, number of those that asked for an interrupt
 * @fences: output, number of those that the next one has to wait for
 * @issues: output, number of times that something was issued
 * @misused: output, number of calls for @chan while it has no client
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
	unsigned int no_submit;
	bool no_terminate;
	bool cb_terminate;
	unsigned int releases;
	unsigned int prepared;
	unsigned int fills;
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
