// SPDX-License-Identifier: GPL-2.0-only
/* Tests of dmacpy_power.c. */
#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kref.h>
#include <linux/pm_runtime.h>

#include "dmacpy_power.h"
#include "dmacpy_test_device.h"

/* Far longer than any operation takes */
#define PATIENCE	(60 * HZ)

static unsigned int power_refs(struct device *dev)
{
	return kref_read(&dev->kobj.kref);
}

static void power_expect_off(struct kunit *test, struct device *dev)
{
	unsigned long deadline = jiffies + PATIENCE;

	while (!pm_runtime_suspended(dev) && time_before(jiffies, deadline))
		msleep(20);
	KUNIT_EXPECT_TRUE(test, pm_runtime_suspended(dev));
}

/* Catches: power that is put with the first of two buffers, or never. */
static void power_is_counted(struct kunit *test)
{
	struct device *dev = test->priv;

	dmacpy_power_enable(dev);
	KUNIT_EXPECT_TRUE(test, pm_runtime_suspended(dev));
	KUNIT_EXPECT_EQ(test, 0, dmacpy_power_get(dev));
	KUNIT_EXPECT_EQ(test, 0, dmacpy_power_get(dev));
	KUNIT_EXPECT_EQ(test, 2, test_power_uses(dev));
	dmacpy_power_put(dev);
	msleep(500);
	KUNIT_EXPECT_TRUE(test, pm_runtime_active(dev));
	dmacpy_power_put(dev);
	power_expect_off(test, dev);
	KUNIT_EXPECT_EQ(test, 0, test_power_uses(dev));
	dmacpy_power_disable(dev);
}

/* Catches: a device that is freed before the last buffer puts its power. */
static void power_keeps_device(struct kunit *test)
{
	struct device *dev = test->priv;
	unsigned int refs = power_refs(dev);

	dmacpy_power_enable(dev);
	KUNIT_EXPECT_EQ(test, 0, dmacpy_power_get(dev));
	KUNIT_EXPECT_EQ(test, refs + 1, power_refs(dev));
	dmacpy_power_disable(dev);
	KUNIT_EXPECT_EQ(test, refs + 1, power_refs(dev));
	KUNIT_EXPECT_EQ(test, 1, test_power_uses(dev));
	dmacpy_power_put(dev);
	KUNIT_EXPECT_EQ(test, refs, power_refs(dev));
	KUNIT_EXPECT_EQ(test, 0, test_power_uses(dev));
}

/* Catches: a count or a reference that remains when the resume has failed. */
static void power_may_fail(struct kunit *test)
{
	struct device *dev = test->priv;
	unsigned int refs = power_refs(dev);

	KUNIT_EXPECT_EQ(test, -EACCES, dmacpy_power_get(dev));
	KUNIT_EXPECT_EQ(test, refs, power_refs(dev));
	KUNIT_EXPECT_EQ(test, 0, test_power_uses(dev));
}

static int power_init(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_PM))
		kunit_skip(test, "the power is always on");
	test->priv = kunit_device_register(test, "dmacpy-power-test");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, test->priv);
	return 0;
}

static struct kunit_case power_cases[] = {
	KUNIT_CASE(power_is_counted),
	KUNIT_CASE(power_keeps_device),
	KUNIT_CASE(power_may_fail),
	{ }
};

static struct kunit_suite power_suite = {
	.name = "dmacpy_power",
	.init = power_init,
	.test_cases = power_cases,
};

kunit_test_suites(&power_suite);
