// SPDX-License-Identifier: GPL-2.0-only
/* Tests of dmacpy_turns.h. */
#include <kunit/test.h>
#include <linux/container_of.h>
#include <linux/string.h>

#include "dmacpy_turns.h"

#define USERS	3
#define LANES	2
#define XFERS	16

/**
 * struct turns_xfer - a transfer
 * @link: entry in its lane
 * @name: name of its user and lane, and its number
 */
struct turns_xfer {
	struct dmacpy_link link;
	char name[4];
};

/**
 * struct turns_test - users, each with several lanes
 * @turns: the queue
 * @shares: shares of the users
 * @lanes: lanes of the users
 * @xfers: the transfers, in the order of their submission
 * @count: number of @xfers
 */
struct turns_test {
	struct dmacpy_turns turns;
	struct dmacpy_share shares[USERS];
	struct dmacpy_lane lanes[USERS][LANES];
	struct turns_xfer xfers[XFERS];
	unsigned int count;
};

/* The name "Ba1" is the first transfer of the first lane of the second user. */
static void turns_submit(struct kunit *test, const char *name)
{
	struct turns_test *tt = test->priv;
	struct turns_xfer *xfer = &tt->xfers[tt->count++];

	KUNIT_ASSERT_LE(test, tt->count, XFERS);
	strscpy(xfer->name, name, sizeof(xfer->name));
	dmacpy_turns_push(&tt->turns, &tt->lanes[name[0] - 'A'][name[1] - 'a'],
			  &xfer->link);
}

static void turns_expect(struct kunit *test, const char *name)
{
	struct turns_test *tt = test->priv;
	struct dmacpy_link *link = dmacpy_turns_first(&tt->turns);

	KUNIT_ASSERT_NOT_NULL(test, link);
	KUNIT_EXPECT_STREQ(test, name,
			   container_of(link, struct turns_xfer, link)->name);
	dmacpy_turns_pop(&tt->turns);
}

static void turns_expect_none(struct kunit *test)
{
	struct turns_test *tt = test->priv;

	KUNIT_EXPECT_NULL(test, dmacpy_turns_first(&tt->turns));
	KUNIT_EXPECT_TRUE(test, dmacpy_turns_empty(&tt->turns));
}

/* Catches: a lane that is out of order, or one that is starved by another. */
static void turns_rotate_lanes(struct kunit *test)
{
	turns_expect_none(test);
	turns_submit(test, "Aa1");
	turns_submit(test, "Aa2");
	turns_submit(test, "Aa3");
	turns_submit(test, "Ab1");
	turns_expect(test, "Aa1");
	turns_expect(test, "Ab1");
	turns_expect(test, "Aa2");
	turns_submit(test, "Ab2");
	turns_expect(test, "Aa3");
	turns_expect(test, "Ab2");
	turns_expect_none(test);
}

/* Catches: turns that rotate among lanes, so that two lanes have two turns. */
static void turns_rotate_users(struct kunit *test)
{
	turns_submit(test, "Aa1");
	turns_submit(test, "Aa2");
	turns_submit(test, "Ab1");
	turns_submit(test, "Ba1");
	turns_submit(test, "Ba2");
	turns_submit(test, "Ca1");
	turns_expect(test, "Aa1");
	turns_expect(test, "Ba1");
	turns_expect(test, "Ca1");
	turns_expect(test, "Ab1");
	turns_expect(test, "Ba2");
	turns_expect(test, "Aa2");
	turns_expect_none(test);
}

/* Catches: a user that returns and passes the waiting users. */
static void turns_add_returning_users(struct kunit *test)
{
	turns_submit(test, "Aa1");
	turns_submit(test, "Ba1");
	turns_submit(test, "Ba2");
	turns_expect(test, "Aa1");
	turns_submit(test, "Ca1");
	turns_submit(test, "Ab1");
	turns_expect(test, "Ba1");
	turns_expect(test, "Ca1");
	turns_expect(test, "Ab1");
	turns_expect(test, "Ba2");
	turns_expect_none(test);
}

static int turns_init(struct kunit *test)
{
	struct turns_test *tt;
	unsigned int i;

	tt = kunit_kzalloc(test, sizeof(*tt), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, tt);
	for (i = 0; i < USERS * LANES; i++)
		tt->lanes[i / LANES][i % LANES].share = &tt->shares[i / LANES];
	test->priv = tt;
	return 0;
}

static struct kunit_case turns_cases[] = {
	KUNIT_CASE(turns_rotate_lanes),
	KUNIT_CASE(turns_rotate_users),
	KUNIT_CASE(turns_add_returning_users),
	{ }
};

static struct kunit_suite turns_suite = {
	.name = "dmacpy_turns",
	.init = turns_init,
	.test_cases = turns_cases,
};

kunit_test_suites(&turns_suite);
