// SPDX-License-Identifier: GPL-2.0-only
/* An instance without SRAM, on an engine for tests. */
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/device.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "dmacpy_buf.h"
#include "dmacpy_chan.h"
#include "dmacpy_device.h"
#include "dmacpy_handle.h"
#include "dmacpy_queue.h"
#include "dmacpy_recovery.h"
#include "dmacpy_stream.h"
#include "dmacpy_test_device.h"
#include "dmacpy_test_engine.h"

#include <linux/dmacpy.h>

/**
 * test_device_unbind() - unbind an instance as the driver does
 * @dev: from test_device_new(); may be unbound already
 *
 * Context: Process.
 */
void test_device_unbind(struct dmacpy_device *dev)
{
	struct dmacpy_stream *stream;

	dmacpy_device_unplug(dev);
	mutex_lock(&dev->lock);
	list_for_each_entry(stream, &dev->streams, node)
		dmacpy_queue_stop(stream);
	while (dev->nchans)
		dmacpy_chan_close(dev->chans[--dev->nchans]);
	list_for_each_entry(stream, &dev->streams, node)
		dmacpy_handle_drop_all(stream);
	mutex_unlock(&dev->lock);
	dmacpy_buf_flush();
}

static void device_end(void *data)
{
	test_device_unbind(data);
	dmacpy_device_put(data);
}

/**
 * test_device_new() - create an instance with one channel
 * @test: unbinds it at its end
 * @engine: the engine, registered
 *
 * Context: Process.
 * Return: the instance.
 */
struct dmacpy_device *test_device_new(struct kunit *test,
				      struct test_engine *engine)
{
	struct dmacpy_device *dev = dmacpy_device_create(engine->client);
	struct dmacpy_chan *chan;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, device_end, dev));
	dev->chans = kcalloc(1, sizeof(*dev->chans), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, dev->chans);
	chan = dmacpy_chan_open(dev->parent, TEST_ENGINE_CHANNEL, &dev->ready,
				&dev->report);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, chan);
	dev->chans[dev->nchans++] = chan;
	return dev;
}

/**
 * test_power_uses() - get the usage count of a device's runtime PM
 * @dev: the device
 *
 * Context: Any.
 * Return: the count; 0 in a kernel that does not count.
 */
int test_power_uses(struct device *dev)
{
#ifdef CONFIG_PM
	return atomic_read(&dev->power.usage_count);
#else
	return 0;
#endif
}

static void stream_close(void *stream)
{
	dmacpy_stream_close(stream);
}

/* Jobs of a stream have to complete before it is closed. */
static void stream_release_engine(void *engine)
{
	test_engine_release(engine);
}

/**
 * test_stream_open() - open a stream
 * @test: closes it at its end
 * @dev: from test_device_new()
 * @engine: engine of @dev
 *
 * Context: Process.
 * Return: the stream.
 */
struct dmacpy_stream *test_stream_open(struct kunit *test,
				       struct dmacpy_device *dev,
				       struct test_engine *engine)
{
	struct dmacpy_stream *stream = dmacpy_stream_open(dev);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, stream);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, stream_close, stream));
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, stream_release_engine,
						  engine));
	return stream;
}

/**
 * test_stream_import() - create a handle with all access
 * @test: fails if there is an error
 * @stream: the stream
 * @dmabuf: the dma-buf
 *
 * Context: Process.
 * Return: the handle.
 */
u32 test_stream_import(struct kunit *test, struct dmacpy_stream *stream,
		       struct dma_buf *dmabuf)
{
	u32 handle = 0;

	KUNIT_ASSERT_EQ(test, 0,
			dmacpy_handle_import(stream, dmabuf,
					     DMACPY_ACCESS_READ |
					     DMACPY_ACCESS_WRITE, &handle));
	return handle;
}
