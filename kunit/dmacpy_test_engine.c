// SPDX-License-Identifier: GPL-2.0-only
/*
 * A deterministic DMA engine for unit tests: a test has descriptors copied,
 * fail or vanish one by one, or lets all of them run.
 */
#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/bottom_half.h>
#include <linux/delay.h>
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "dmacpy_power.h"
#include "dmacpy_test_engine.h"

/**
 * struct test_desc - a descriptor
 * @tx: descriptor for the client
 * @node: entry in one of the engine's lists
 * @dst: destination
 * @src: source
 * @fill: fill @dst instead
 * @value: value to fill with
 * @length: bytes
 * @rows: number of rows
 * @dst_stride: bytes from row to row of the destination
 * @src_stride: bytes from row to row of the source
 */
struct test_desc {
	struct dma_async_tx_descriptor tx;
	struct list_head node;
	dma_addr_t dst;
	dma_addr_t src;
	bool fill;
	u8 value;
	size_t length;
	size_t rows;
	size_t dst_stride;
	size_t src_stride;
};

static struct test_engine *to_test_engine(struct dma_chan *chan)
{
	return container_of(chan->device, struct test_engine, device);
}

static void *engine_memory(struct test_engine *engine, dma_addr_t addr)
{
	return phys_to_virt(dma_to_phys(engine->device.dev, addr));
}

/* Calls back in softirq context, like a tasklet. */
static void engine_call_back(struct dma_async_tx_descriptor *tx,
			     const struct dmaengine_result *result)
{
	struct test_engine *engine = to_test_engine(tx->chan);

	local_bh_disable();
	WRITE_ONCE(engine->in_tasklet, engine->lingers);
	if (tx->callback_result)
		tx->callback_result(tx->callback_param, result);
	else
		tx->callback(tx->callback_param);
	mdelay(engine->lingers);
	WRITE_ONCE(engine->in_tasklet, false);
	local_bh_enable();
}

/* Copies @length bytes; of a tile, an equal part of each row. */
static void engine_copy(struct test_engine *engine,
			const struct test_desc *desc, size_t length)
{
	void *dst = engine_memory(engine, desc->dst);
	void *src = engine_memory(engine, desc->src);
	size_t row;

	for (row = 0; row < desc->rows; row++)
		memcpy(dst + row * desc->dst_stride,
		       src + row * desc->src_stride, length / desc->rows);
}

static void engine_execute(struct test_engine *engine, struct test_desc *desc,
			   enum test_outcome outcome)
{
	struct dmaengine_result result = { .result = DMA_TRANS_NOERROR };
	size_t length = desc->length;

	if (outcome == TEST_SHORT)
		length /= 2;
	else if (outcome == TEST_FAIL || outcome == TEST_DROP)
		length = 0;
	if (desc->fill)
		memset(engine_memory(engine, desc->dst), desc->value, length);
	else
		engine_copy(engine, desc, length);
	if (outcome == TEST_FAIL)
		result.result = DMA_TRANS_WRITE_FAILED;
	else
		result.residue = desc->length - length;
	if (outcome != TEST_LOSE && outcome != TEST_DROP)
		engine_call_back(&desc->tx, &result);
}

static struct test_desc *engine_take(struct test_engine *engine,
				     struct list_head *list, bool last)
{
	struct test_desc *desc = NULL;

	spin_lock_irq(&engine->lock);
	if (!list_empty(list)) {
		desc = last ? list_last_entry(list, struct test_desc, node) :
			      list_first_entry(list, struct test_desc, node);
		list_del(&desc->node);
		engine->used -= list != &engine->terminated;
	}
	spin_unlock_irq(&engine->lock);
	return desc;
}

static bool engine_run(struct test_engine *engine, struct list_head *list,
		       bool last, enum test_outcome outcome)
{
	struct test_desc *desc;

	mutex_lock(&engine->running);
	desc = engine_take(engine, list, last);
	if (desc)
		engine_execute(engine, desc, outcome);
	mutex_unlock(&engine->running);
	kfree(desc);
	return desc;
}

/**
 * test_engine_run() - run the oldest descriptor
 * @engine: an engine on hold
 * @outcome: result of the descriptor
 *
 * Context: Process.
 * Return: false if there is none.
 */
bool test_engine_run(struct test_engine *engine, enum test_outcome outcome)
{
	return engine_run(engine, &engine->issued, false, outcome);
}

/**
 * test_engine_run_last() - copy the latest descriptor, and call back for it
 * @engine: an engine on hold
 *
 * Context: Process.
 * Return: false if there is none.
 */
bool test_engine_run_last(struct test_engine *engine)
{
	return engine_run(engine, &engine->issued, true, TEST_COPY);
}

/**
 * test_engine_run_terminated() - copy a descriptor that was terminated
 * @engine: an engine on hold
 *
 * Context: Process.
 * Return: false if there is none.
 */
bool test_engine_run_terminated(struct test_engine *engine)
{
	return engine_run(engine, &engine->terminated, false, TEST_LOSE);
}

/**
 * test_engine_release() - let an engine run by itself
 * @engine: an engine on hold
 *
 * Context: Any.
 */
void test_engine_release(struct test_engine *engine)
{
	WRITE_ONCE(engine->hold, false);
	schedule_work(&engine->work);
}

static void engine_work(struct work_struct *work)
{
	struct test_engine *engine =
		container_of(work, struct test_engine, work);

	while (test_engine_run_terminated(engine))
		;
	while (!READ_ONCE(engine->hold) && test_engine_run(engine, TEST_COPY))
		;
}

static bool engine_next(unsigned int *times)
{
	if (!*times)
		return false;
	--*times;
	return true;
}

static dma_cookie_t engine_submit(struct dma_async_tx_descriptor *tx)
{
	struct test_engine *engine = to_test_engine(tx->chan);
	struct test_desc *desc = container_of(tx, struct test_desc, tx);
	dma_cookie_t cookie = -EIO;
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	if (engine_next(&engine->no_submit)) {
		engine->used--;
		kfree(desc);
	} else {
		cookie = ++engine->chan.cookie;
		tx->cookie = cookie;
		list_add_tail(&desc->node, &engine->submitted);
	}
	spin_unlock_irqrestore(&engine->lock, flags);
	return cookie;
}

static struct test_desc *engine_new_desc(struct test_engine *engine)
{
	if (engine_next(&engine->no_prep) || engine->used >= engine->ring)
		return NULL;
	return kzalloc(sizeof(struct test_desc), GFP_NOWAIT);
}

static struct dma_async_tx_descriptor *
engine_prep_memcpy(struct dma_chan *chan, dma_addr_t dst, dma_addr_t src,
		   size_t length, unsigned long tx_flags)
{
	struct test_engine *engine = to_test_engine(chan);
	struct test_desc *desc;
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	engine->misused += !engine->requested;
	desc = engine_new_desc(engine);
	if (desc) {
		engine->used++;
		engine->prepared++;
		engine->interrupts += !!(tx_flags & DMA_PREP_INTERRUPT);
		engine->fences += !!(tx_flags & DMA_PREP_FENCE);
		dma_async_tx_descriptor_init(&desc->tx, chan);
		desc->tx.tx_submit = engine_submit;
		desc->tx.flags = tx_flags;
		desc->dst = dst;
		desc->src = src;
		desc->length = length;
		desc->rows = 1;
	}
	spin_unlock_irqrestore(&engine->lock, flags);
	return desc ? &desc->tx : NULL;
}

static struct dma_async_tx_descriptor *
engine_prep_memset(struct dma_chan *chan, dma_addr_t dst, int value,
		   size_t length, unsigned long tx_flags)
{
	struct dma_async_tx_descriptor *tx;
	struct test_desc *desc;

	tx = engine_prep_memcpy(chan, dst, dst, length, tx_flags);
	if (!tx)
		return NULL;
	desc = container_of(tx, struct test_desc, tx);
	desc->fill = true;
	desc->value = value;
	to_test_engine(chan)->fills++;
	return tx;
}

static struct dma_async_tx_descriptor *
engine_prep_interleaved(struct dma_chan *chan,
			struct dma_interleaved_template *tile,
			unsigned long tx_flags)
{
	struct test_engine *engine = to_test_engine(chan);
	const struct data_chunk *row = tile->sgl;
	struct dma_async_tx_descriptor *tx;
	struct test_desc *desc;

	engine->tiles++;
	if (engine->no_tile && !(engine->tiles % engine->no_tile))
		return NULL;
	tx = engine_prep_memcpy(chan, tile->dst_start, tile->src_start,
				tile->numf * row->size, tx_flags);
	if (!tx)
		return NULL;
	desc = container_of(tx, struct test_desc, tx);
	desc->rows = tile->numf;
	desc->dst_stride = row->size + row->dst_icg;
	desc->src_stride = row->size + row->src_icg;
	return tx;
}

static void engine_run_at_once(struct test_engine *engine)
{
	struct test_desc *desc;

	while ((desc = engine_take(engine, &engine->issued, false))) {
		engine_execute(engine, desc, TEST_COPY);
		kfree(desc);
	}
}

static void engine_issue_pending(struct dma_chan *chan)
{
	struct test_engine *engine = to_test_engine(chan);
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	list_splice_tail_init(&engine->submitted, &engine->issued);
	engine->issues++;
	spin_unlock_irqrestore(&engine->lock, flags);
	if (engine->at_once)
		engine_run_at_once(engine);
	else if (!READ_ONCE(engine->hold))
		schedule_work(&engine->work);
}

static enum dma_status engine_tx_status(struct dma_chan *chan,
					dma_cookie_t cookie,
					struct dma_tx_state *state)
{
	return DMA_IN_PROGRESS;
}

static int engine_terminate_all(struct dma_chan *chan)
{
	static const struct dmaengine_result success;
	struct test_engine *engine = to_test_engine(chan);
	struct test_desc *desc;
	unsigned long flags;

	if (engine->no_terminate)
		return -EBUSY;
	spin_lock_irqsave(&engine->lock, flags);
	engine->misused += !engine->requested + READ_ONCE(engine->in_tasklet);
	engine->terminations++;
	list_splice_tail_init(&engine->submitted, &engine->issued);
	engine->used -= list_count_nodes(&engine->issued);
	list_splice_tail_init(&engine->issued, &engine->terminated);
	spin_unlock_irqrestore(&engine->lock, flags);
	/* The test that sets this does not run any of them concurrently. */
	if (engine->cb_terminate)
		list_for_each_entry(desc, &engine->terminated, node)
			engine_call_back(&desc->tx, &success);
	return 0;
}

static void engine_synchronize(struct dma_chan *chan)
{
	struct test_engine *engine = to_test_engine(chan);

	mutex_lock(&engine->running);
	mutex_unlock(&engine->running);
}

static int engine_alloc_chan_resources(struct dma_chan *chan)
{
	struct test_engine *engine = to_test_engine(chan);

	if (chan == &engine->other)
		return 0;
	if (engine_next(&engine->no_request))
		return -EBUSY;
	engine->requested = true;
	return 0;
}

/*
 * The engine drops its descriptors: none calls back later, even if a
 * termination was refused.
 */
static void engine_free_chan_resources(struct dma_chan *chan)
{
	struct test_engine *engine = to_test_engine(chan);

	if (chan == &engine->other)
		return;
	engine->misused += READ_ONCE(engine->in_tasklet);
	spin_lock_irq(&engine->lock);
	engine->requested = false;
	engine->releases++;
	engine->used = 0;
	list_splice_tail_init(&engine->submitted, &engine->terminated);
	list_splice_tail_init(&engine->issued, &engine->terminated);
	spin_unlock_irq(&engine->lock);
	engine_synchronize(chan);
}

/**
 * test_engine_addr() - get the address of memory for an engine
 * @engine: the engine
 * @vaddr: RAM, for example from kmalloc()
 *
 * Context: Any.
 * Return: the address.
 */
dma_addr_t test_engine_addr(struct test_engine *engine, void *vaddr)
{
	return phys_to_dma(engine->device.dev, virt_to_phys(vaddr));
}

static void engine_disable_power(void *client)
{
	dmacpy_power_disable(client);
}

/* The client is removed first, as it should be. */
static void engine_add_devices(struct kunit *test, struct test_engine *engine)
{
	struct device *dev;

	dev = kunit_device_register(test, "dmacpy-test-engine");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	KUNIT_ASSERT_EQ(test, 0,
			dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64)));
	engine->device.dev = dev;

	dev = kunit_device_register(test, "dmacpy-test-client");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	dmacpy_power_enable(dev);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, engine_disable_power,
						  dev));
	engine->client = dev;
}

/**
 * test_engine_new() - create an engine that is not registered yet, and its
 * client
 * @test: frees it at its end
 *
 * Context: Process.
 * Return: the engine, which the test may change.
 */
struct test_engine *test_engine_new(struct kunit *test)
{
	struct test_engine *engine;
	struct dma_device *device;

	engine = kunit_kzalloc(test, sizeof(*engine), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, engine);
	mutex_init(&engine->running);
	spin_lock_init(&engine->lock);
	INIT_WORK(&engine->work, engine_work);
	INIT_LIST_HEAD(&engine->submitted);
	INIT_LIST_HEAD(&engine->issued);
	INIT_LIST_HEAD(&engine->terminated);
	engine->ring = UINT_MAX;
	engine_add_devices(test, engine);

	device = &engine->device;
	dma_cap_set(DMA_MEMCPY, device->cap_mask);
	/* A channel is found by name only if it has this capability, too. */
	dma_cap_set(DMA_SLAVE, device->cap_mask);
	dma_cap_set(DMA_PRIVATE, device->cap_mask);
	device->device_alloc_chan_resources = engine_alloc_chan_resources;
	device->device_free_chan_resources = engine_free_chan_resources;
	device->device_prep_dma_memcpy = engine_prep_memcpy;
	device->device_prep_dma_memset = engine_prep_memset;
	device->device_prep_interleaved_dma = engine_prep_interleaved;
	device->device_issue_pending = engine_issue_pending;
	device->device_tx_status = engine_tx_status;
	device->device_terminate_all = engine_terminate_all;
	device->device_synchronize = engine_synchronize;
	return engine;
}

static void engine_unregister(void *data)
{
	struct test_engine *engine = data;

	dma_async_device_unregister(&engine->device);
	test_engine_release(engine);
	flush_work(&engine->work);
}

static bool engine_filter(struct dma_chan *chan, void *param)
{
	struct test_engine *engine = param;

	return chan == (engine->swap ? &engine->other : &engine->chan);
}

static void engine_add_chan(struct test_engine *engine, struct dma_chan *chan)
{
	chan->device = &engine->device;
	chan->cookie = DMA_MIN_COOKIE;
	list_add_tail(&chan->device_node, &engine->device.channels);
}

/**
 * test_engine_register() - register an engine, and its channel with the client
 * @test: unregisters it at its end
 * @engine: the engine
 *
 * Context: Process.
 */
void test_engine_register(struct kunit *test, struct test_engine *engine)
{
	struct dma_device *device = &engine->device;

	INIT_LIST_HEAD(&device->channels);
	engine_add_chan(engine, &engine->chan);
	engine_add_chan(engine, &engine->other);

	engine->map = (struct dma_slave_map){
		.devname = dev_name(engine->client),
		.slave = TEST_ENGINE_CHANNEL,
		.param = engine,
	};
	device->filter.map = &engine->map;
	device->filter.mapcnt = 1;
	device->filter.fn = engine_filter;
	KUNIT_ASSERT_EQ(test, 0, dma_async_device_register(device));
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, engine_unregister,
						  engine));
}
