// SPDX-License-Identifier: GPL-2.0-only
/* Tests of dmacpy_spread.c. userspace/tests/spread.c runs jobs. */
#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/dma-mapping.h>

#include "dmacpy_chan.h"
#include "dmacpy_spread.h"

/**
 * struct spread_test - two channels that are equal
 * @masks: DMA masks of their devices
 * @a: the first channel
 * @b: the second channel
 */
struct spread_test {
	u64 masks[2];
	struct dmacpy_chan a;
	struct dmacpy_chan b;
};

static void spread_init_chan(struct kunit *test, struct dmacpy_chan *chan,
			     const char *name, u64 *mask)
{
	chan->dma_dev = kunit_device_register(test, name);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, chan->dma_dev);
	*mask = DMA_BIT_MASK(64);
	chan->dma_dev->dma_mask = mask;
	chan->copy_align = 4;
	chan->user_align = 64;
}

static int spread_init(struct kunit *test)
{
	struct spread_test *st = kunit_kzalloc(test, sizeof(*st), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, st);
	spread_init_chan(test, &st->a, "dmacpy_spread_a", &st->masks[0]);
	spread_init_chan(test, &st->b, "dmacpy_spread_b", &st->masks[1]);
	test->priv = st;
	return 0;
}

static bool spread_allowed(const struct spread_test *st)
{
	bool allowed = dmacpy_spread_allowed(&st->a, &st->b);

	return allowed && dmacpy_spread_allowed(&st->b, &st->a);
}

/* Catches: an engine of several devices that runs each job on one channel. */
static void spread_allows_equals(struct kunit *test)
{
	struct spread_test *st = test->priv;

	KUNIT_EXPECT_TRUE(test, spread_allowed(st));
	KUNIT_EXPECT_TRUE(test, dmacpy_spread_allowed(&st->a, &st->a));
}

/* Catches: a share whose address is wrong for its channel. */
static void spread_compares_mappings(struct kunit *test)
{
	struct spread_test *st = test->priv;

	st->masks[1] = DMA_BIT_MASK(32);
	KUNIT_EXPECT_FALSE(test, spread_allowed(st));
	st->masks[1] = st->masks[0];
	st->b.dma_dev->bus_dma_limit = DMA_BIT_MASK(32);
	KUNIT_EXPECT_FALSE(test, spread_allowed(st));
	st->b.dma_dev->bus_dma_limit = 0;
	KUNIT_EXPECT_TRUE(test, spread_allowed(st));
}

/* Catches: a share that its channel cannot copy. */
static void spread_compares_channels(struct kunit *test)
{
	struct spread_test *st = test->priv;

	st->b.copy_align = 8;
	KUNIT_EXPECT_FALSE(test, spread_allowed(st));
	st->b.copy_align = 4;
	st->b.user_align = 128;
	KUNIT_EXPECT_FALSE(test, spread_allowed(st));
	st->b.user_align = 64;
	st->b.engine.fills = true;
	KUNIT_EXPECT_FALSE(test, spread_allowed(st));
	st->b.engine.fills = false;
	st->b.engine.tiles = true;
	KUNIT_EXPECT_FALSE(test, spread_allowed(st));
}

static struct kunit_case spread_cases[] = {
	KUNIT_CASE(spread_allows_equals),
	KUNIT_CASE(spread_compares_mappings),
	KUNIT_CASE(spread_compares_channels),
	{ }
};

static struct kunit_suite spread_suite = {
	.name = "dmacpy_spread",
	.init = spread_init,
	.test_cases = spread_cases,
};

kunit_test_suites(&spread_suite);
