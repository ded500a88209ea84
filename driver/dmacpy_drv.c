// SPDX-License-Identifier: GPL-2.0-only
/* The platform driver: puts pool, channels and /dev/dmacpyN together. */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/platform_device.h>
#include <linux/pm.h>
#include <linux/property.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "dmacpy_board.h"
#include "dmacpy_buf.h"
#include "dmacpy_cdev.h"
#include "dmacpy_compat.h"
#include "dmacpy_debugfs.h"
#include "dmacpy_device.h"
#include "dmacpy_export.h"
#include "dmacpy_handle.h"
#include "dmacpy_heap.h"
#include "dmacpy_node.h"
#include "dmacpy_param.h"
#include "dmacpy_pool.h"
#include "dmacpy_power.h"
#include "dmacpy_queue.h"
#include "dmacpy_recovery.h"
#include "dmacpy_spread.h"
#include "dmacpy_stream.h"

/* Drain all first: the last part of a job may complete on another channel. */
static void dmacpy_close_channels(struct dmacpy_device *dev)
{
	unsigned int i;

	for (i = 0; dev->spreads && i < dev->nchans; i++)
		dmacpy_chan_drain(dev->chans[i]);
	while (dev->nchans)
		dmacpy_chan_close(dev->chans[--dev->nchans]);
}

/* All named channels must exist; without names, one channel is sufficient. */
static int dmacpy_open_channels(struct dmacpy_device *dev)
{
	struct dmacpy_chan *chan;
	const char **names;
	int i, named, n, ret = 0;

	named = device_property_string_array_count(dev->parent, "dma-names");
	n = named > 0 ? named : dmacpy_max_channels.value;
	dev->chans = kcalloc(n, sizeof(*dev->chans), GFP_KERNEL);
	names = kcalloc(n, sizeof(*names), GFP_KERNEL);
	if (!dev->chans || !names) {
		ret = -ENOMEM;
		goto out_free_names;
	}
	if (named > 0)
		device_property_read_string_array(dev->parent, "dma-names",
						  names, n);

	for (i = 0; i < n; i++) {
		chan = dmacpy_chan_open(dev->parent, names[i], &dev->ready,
					&dev->report);
		if (IS_ERR(chan) && named <= 0 && i)
			break;
		if (IS_ERR(chan)) {
			dmacpy_close_channels(dev);
			ret = PTR_ERR(chan);
			break;
		}
		dev->chans[dev->nchans++] = chan;
	}
out_free_names:
	kfree(names);
	return ret;
}

static bool dmacpy_can_spread(const struct dmacpy_device *dev)
{
	unsigned int i;

	for (i = 1; i < dev->nchans; i++)
		if (!dmacpy_spread_allowed(dev->chans[0], dev->chans[i]))
			return false;
	return dev->nchans > 1 && READ_ONCE(dmacpy_spread.value);
}

static int dmacpy_test_page(struct dmacpy_device *dev,
			    const struct dmacpy_sram *page)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < dev->nchans && !ret; i++)
		ret = dmacpy_chan_test_sram(dev->chans[i], page);
	return ret;
}

/*
 * Tests that all channels reach the SRAM. Buffers of an earlier binding may
 * occupy all of it: their owners must not be able to keep the device from being
 * bound.
 */
static int dmacpy_test_sram(struct dmacpy_device *dev)
{
	struct dmacpy_sram page;
	int ret;

	ret = dmacpy_power_get(dev->parent);
	if (ret)
		return dev_err_probe(dev->parent, ret, "no power\n");
	ret = dmacpy_pool_alloc(dev->pool, PAGE_SIZE, &page);
	if (ret == -ENOSPC) {
		dev_warn(dev->parent,
			 "no page is free: not tested whether the engine reaches the SRAM\n");
		ret = 0;
	} else if (ret) {
		dev_err_probe(dev->parent, ret, "cannot turn on the SRAM\n");
	} else {
		ret = dmacpy_test_page(dev, &page);
		/*
		 * The engine may still write there. A region of our own stays
		 * reserved, and its name is in the module.
		 */
		if (ret == -ETIMEDOUT) {
			dmacpy_pool_get(dev->pool);
			__module_get(THIS_MODULE);
		} else {
			dmacpy_pool_free(dev->pool, &page);
		}
	}
	dmacpy_power_put(dev->parent);
	return ret;
}

static int dmacpy_probe(struct platform_device *pdev)
{
	struct dmacpy_device *dev;
	struct dmacpy_heap *heap;
	struct dmacpy_pool *pool;
	int ret;

	ret = dmacpy_node_check(pdev);
	if (ret)
		return ret;
	dev = dmacpy_device_create(&pdev->dev);
	if (IS_ERR(dev))
		return PTR_ERR(dev);

	heap = dmacpy_heap_get(&pdev->dev);
	if (IS_ERR(heap)) {
		ret = PTR_ERR(heap);
		goto err_put_device;
	}
	dev->heap = heap;

	pool = dmacpy_pool_open(pdev);
	if (IS_ERR(pool)) {
		ret = PTR_ERR(pool);
		goto err_put_device;
	}
	dev->pool = pool;

	ret = dmacpy_open_channels(dev);
	if (ret)
		goto err_put_device;
	dev->spreads = dmacpy_can_spread(dev);
	dmacpy_power_enable(&pdev->dev);
	platform_set_drvdata(pdev, dev);
	ret = dmacpy_test_sram(dev);
	if (ret)
		goto err_disable_power;
	ret = dmacpy_cdev_add(dev);
	if (ret)
		goto err_disable_power;
	dmacpy_debugfs_add(dev);
	dmacpy_heap_attach(dev->heap, dev);
	return 0;

err_disable_power:
	dmacpy_power_disable(&pdev->dev);
	dmacpy_close_channels(dev);
err_put_device:
	dmacpy_device_put(dev);
	return ret;
}

static void dmacpy_stop_streams(struct dmacpy_device *dev)
{
	struct dmacpy_stream *stream;

	mutex_lock(&dev->lock);
	list_for_each_entry(stream, &dev->streams, node)
		dmacpy_queue_stop(stream);
	mutex_unlock(&dev->lock);
}

/*
 * Completes or cancels all jobs, and refuses new ones. Also before a shutdown:
 * an engine must not write to the memory of the next kernel.
 */
static void dmacpy_quiesce(struct dmacpy_device *dev)
{
	dmacpy_device_unplug(dev);
	dmacpy_stop_streams(dev);
	dmacpy_close_channels(dev);
}

static void dmacpy_release_streams(struct dmacpy_device *dev)
{
	struct dmacpy_stream *stream;

	mutex_lock(&dev->lock);
	list_for_each_entry(stream, &dev->streams, node)
		dmacpy_handle_drop_all(stream);
	mutex_unlock(&dev->lock);
	/* Wait for concurrent RELEASE calls to drop their references. */
	synchronize_srcu(&dev->gate);
	dmacpy_buf_flush();
}

/*
 * Users may keep files, mappings and buffers for ever, but not the hardware:
 * jobs complete or fail, mappings for the engine are removed, and an access to
 * a user mapping raises SIGBUS.
 */
static void dmacpy_remove(struct platform_device *pdev)
{
	struct dmacpy_device *dev = platform_get_drvdata(pdev);

	dmacpy_heap_attach(dev->heap, NULL);
	dmacpy_cdev_del(dev);
	dmacpy_debugfs_del(dev);
	dmacpy_quiesce(dev);
	dmacpy_release_streams(dev);
	dmacpy_export_revoke(dev);
	dmacpy_power_disable(dev->parent);
	dmacpy_device_put(dev);
}

static void dmacpy_shutdown(struct platform_device *pdev)
{
	struct dmacpy_device *dev = platform_get_drvdata(pdev);

	dmacpy_debugfs_del(dev);
	dmacpy_quiesce(dev);
}

static bool dmacpy_is_idle(struct dmacpy_device *dev)
{
	struct dmacpy_stream *stream;
	bool idle = true;

	mutex_lock(&dev->lock);
	list_for_each_entry(stream, &dev->streams, node)
		idle &= dmacpy_stream_is_idle(stream);
	mutex_unlock(&dev->lock);
	return idle;
}

/*
 * User space is frozen. A deadline bounds jobs that wait for fences, and the
 * watchdog bounds a hung engine. Other drivers may wait for our fences before
 * they suspend: all of them have to signal.
 */
static int dmacpy_suspend(struct device *parent)
{
	struct dmacpy_device *dev = dev_get_drvdata(parent);
	unsigned long deadline = jiffies +
		msecs_to_jiffies(READ_ONCE(dmacpy_dependency_timeout.value)) +
		msecs_to_jiffies(2 * READ_ONCE(dmacpy_timeout.value));
	unsigned int i;

	while (!dmacpy_is_idle(dev)) {
		if (time_after(jiffies, deadline))
			return -EBUSY;
		usleep_range(100, 1000);
	}
	for (i = 0; i < dev->nchans; i++)
		dmacpy_chan_suspend(dev->chans[i]);
	return 0;
}

static int dmacpy_resume(struct device *parent)
{
	struct dmacpy_device *dev = dev_get_drvdata(parent);
	unsigned int i;

	for (i = 0; i < dev->nchans; i++)
		dmacpy_chan_resume(dev->chans[i]);
	return 0;
}

static DEFINE_SIMPLE_DEV_PM_OPS(dmacpy_pm_ops, dmacpy_suspend, dmacpy_resume);

static const struct of_device_id dmacpy_of_match[] = {
	{ .compatible = "linux,sram-dmacpy" },
	{ }
};
MODULE_DEVICE_TABLE(of, dmacpy_of_match);

static struct platform_driver dmacpy_driver = {
	.probe = dmacpy_probe,
	.DMACPY_REMOVE = dmacpy_remove,
	.shutdown = dmacpy_shutdown,
	.driver = {
		.name = "dmacpy",
		.of_match_table = dmacpy_of_match,
		.pm = pm_sleep_ptr(&dmacpy_pm_ops),
	},
};

/* Frees buffers whose last reference was dropped in atomic context. */
struct workqueue_struct *dmacpy_buf_wq;
/* Dispatches jobs that waited for fences: reclaim may depend on it. */
struct workqueue_struct *dmacpy_stream_wq;
/* Frees closed streams, which takes a mutex. */
struct workqueue_struct *dmacpy_free_wq;

static void dmacpy_destroy_workqueues(void)
{
	if (dmacpy_free_wq)
		destroy_workqueue(dmacpy_free_wq);
	if (dmacpy_stream_wq)
		destroy_workqueue(dmacpy_stream_wq);
	if (dmacpy_buf_wq)
		destroy_workqueue(dmacpy_buf_wq);
}

static int __init dmacpy_alloc_workqueues(void)
{
	dmacpy_buf_wq = alloc_workqueue("dmacpy_buf", WQ_UNBOUND, 0);
	dmacpy_stream_wq = alloc_workqueue("dmacpy_stream",
					   WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	dmacpy_free_wq = alloc_workqueue("dmacpy_free", WQ_UNBOUND, 0);
	if (dmacpy_buf_wq && dmacpy_stream_wq && dmacpy_free_wq)
		return 0;
	dmacpy_destroy_workqueues();
	return -ENOMEM;
}

static int __init dmacpy_init(void)
{
	int ret;

	ret = dmacpy_alloc_workqueues();
	if (ret)
		return ret;
	dmacpy_debugfs_init();
	ret = dmacpy_board_add();
	if (ret)
		goto err_exit_debugfs;
	/* Register last: then programs can open files, and hold the module. */
	ret = platform_driver_register(&dmacpy_driver);
	if (ret)
		goto err_del_board;
	return 0;

err_del_board:
	dmacpy_board_del();
err_exit_debugfs:
	dmacpy_debugfs_exit();
	dmacpy_destroy_workqueues();
	return ret;
}
module_init(dmacpy_init);

static void __exit dmacpy_exit(void)
{
	dmacpy_board_del();
	platform_driver_unregister(&dmacpy_driver);
	dmacpy_debugfs_exit();
	dmacpy_destroy_workqueues();
	/* Fences are freed, and leave the module, in RCU callbacks. */
	rcu_barrier();
}
module_exit(dmacpy_exit);

MODULE_DESCRIPTION("On-chip SRAM as dma-bufs, and copies by a DMA engine");
MODULE_LICENSE("GPL");
#ifdef DMACPY_VERSION
MODULE_VERSION(DMACPY_VERSION);
#endif
DMACPY_IMPORT_NS(DMA_BUF);
