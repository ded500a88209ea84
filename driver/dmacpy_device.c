// SPDX-License-Identifier: GPL-2.0-only
/* The lifetime of an instance, and the gate that is closed by an unbind */
#include <linux/device.h>
#include <linux/slab.h>

#include "dmacpy_chan.h"
#include "dmacpy_device.h"
#include "dmacpy_pool.h"

static void dmacpy_device_release(struct kref *ref)
{
	struct dmacpy_device *dev =
		container_of(ref, struct dmacpy_device, ref);

	dmacpy_pool_put(dev->pool);
	kfree(dev->chans);
	cleanup_srcu_struct(&dev->gate);
	put_device(dev->parent);
	kfree(dev);
}

/**
 * dmacpy_device_create() - create an instance, without SRAM and channels yet
 * @parent: the platform device that is being bound
 *
 * Context: Process.
 * Return: the instance with one reference (dmacpy_device_put()), or an
 * ERR_PTR() of -ENOMEM.
 */
struct dmacpy_device *dmacpy_device_create(struct device *parent)
{
	struct dmacpy_device *dev;
	int ret;

	dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	if (!dev)
		return ERR_PTR(-ENOMEM);

	kref_init(&dev->ref);
	mutex_init(&dev->lock);
	INIT_LIST_HEAD(&dev->streams);
	INIT_LIST_HEAD(&dev->exports);
	init_waitqueue_head(&dev->ready);
	dmacpy_report_init(&dev->report, parent);

	ret = init_srcu_struct(&dev->gate);
	if (ret) {
		kfree(dev);
		return ERR_PTR(ret);
	}
	dev->parent = get_device(parent);
	return dev;
}

/**
 * dmacpy_device_get() - take a reference
 * @dev: the instance
 *
 * Context: Any. Undone by dmacpy_device_put().
 */
void dmacpy_device_get(struct dmacpy_device *dev)
{
	kref_get(&dev->ref);
}

/**
 * dmacpy_device_put() - drop a reference
 * @dev: the instance
 *
 * Context: Process, outside of the gate.
 */
void dmacpy_device_put(struct dmacpy_device *dev)
{
	kref_put(&dev->ref, dmacpy_device_release);
}

/**
 * dmacpy_device_unplug() - close the gate and wait until no task is inside
 * @dev: the instance
 *
 * Context: Process.
 */
void dmacpy_device_unplug(struct dmacpy_device *dev)
{
	WRITE_ONCE(dev->unplugged, true);
	synchronize_srcu(&dev->gate);
}
