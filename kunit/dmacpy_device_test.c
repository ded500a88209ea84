// SPDX-License-Identifier: GPL-2.0-only
/* Tests of dmacpy_device.c. */
#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kref.h>
#include <linux/workqueue.h>

#include "dmacpy_device.h"

/* Far longer than any operation takes */
#define PATIENCE	(60 * HZ)

/**
 * struct device_unplug - a work item that unbinds a device concurrently
 * @work: the work item
 * @dev: the device
 * @done: completed when the device is unbound
 */
struct device_unplug {
	struct work_struct work;
	struct dmacpy_device *dev;
	struct completion done;
};

static void device_unplug(struct work_struct *work)
{
	struct device_unplug *unplug =
		container_of(work, struct device_unplug, work);

	dmacpy_device_unplug(unplug->dev);
	complete(&unplug->done);
}

static void device_put(void *dev)
{
	dmacpy_device_put(dev);
}

static struct dmacpy_device *device_new(struct kunit *test)
{
	struct dmacpy_device *dev = dmacpy_device_create(test->priv);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, device_put, dev));
	return dev;
}

static bool device_is_open(struct dmacpy_device *dev)
{
	bool alive;
	int idx;

	alive = dmacpy_device_enter(dev, &idx);
	dmacpy_device_exit(dev, idx);
	return alive;
}

/* Catches: a gate that is closed too early, or not at all. */
static void device_gate_closes(struct kunit *test)
{
	struct dmacpy_device *dev = device_new(test);

	KUNIT_EXPECT_TRUE(test, device_is_open(dev));
	KUNIT_EXPECT_TRUE(test, device_is_open(dev));
	dmacpy_device_unplug(dev);
	KUNIT_EXPECT_FALSE(test, device_is_open(dev));
	KUNIT_EXPECT_FALSE(test, device_is_open(dev));
}

/* Catches: hardware that is removed while a task is inside the gate. */
static void device_waits_for_users(struct kunit *test)
{
	struct dmacpy_device *dev = device_new(test);
	unsigned long deadline = jiffies + PATIENCE;
	struct device_unplug unplug = { .dev = dev };
	int idx;

	INIT_WORK_ONSTACK(&unplug.work, device_unplug);
	init_completion(&unplug.done);
	KUNIT_EXPECT_TRUE(test, dmacpy_device_enter(dev, &idx));
	schedule_work(&unplug.work);
	while (!READ_ONCE(dev->unplugged) && time_before(jiffies, deadline))
		msleep(20);
	/* The gate refuses new tasks; the unbind waits for the task inside. */
	KUNIT_EXPECT_FALSE(test, device_is_open(dev));
	KUNIT_EXPECT_EQ(test, 0, wait_for_completion_timeout(&unplug.done,
							     HZ / 2));
	dmacpy_device_exit(dev, idx);
	KUNIT_EXPECT_NE(test, 0, wait_for_completion_timeout(&unplug.done,
							     PATIENCE));
	flush_work(&unplug.work);
	destroy_work_on_stack(&unplug.work);
}

/* Catches: a structure that is freed with the driver while a file is open. */
static void device_outlives_driver(struct kunit *test)
{
	struct device *parent = test->priv;
	unsigned int refs = kref_read(&parent->kobj.kref);
	struct dmacpy_device *dev = dmacpy_device_create(parent);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	KUNIT_EXPECT_EQ(test, refs + 1, kref_read(&parent->kobj.kref));
	dmacpy_device_get(dev);
	dmacpy_device_unplug(dev);
	dmacpy_device_put(dev);
	KUNIT_EXPECT_EQ(test, refs + 1, kref_read(&parent->kobj.kref));
	KUNIT_EXPECT_FALSE(test, device_is_open(dev));
	dmacpy_device_put(dev);
	KUNIT_EXPECT_EQ(test, refs, kref_read(&parent->kobj.kref));
}

static int device_init(struct kunit *test)
{
	test->priv = kunit_device_register(test, "dmacpy-device-test");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, test->priv);
	return 0;
}

static struct kunit_case device_cases[] = {
	KUNIT_CASE(device_gate_closes),
	KUNIT_CASE(device_waits_for_users),
	KUNIT_CASE(device_outlives_driver),
	{ }
};

static struct kunit_suite device_suite = {
	.name = "dmacpy_device",
	.init = device_init,
	.test_cases = device_cases,
};

kunit_test_suites(&device_suite);
