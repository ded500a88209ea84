// SPDX-License-Identifier: GPL-2.0-only
/* Tests of dmacpy_report.c. */
#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/jiffies.h>

#include "dmacpy_report.h"

/* At most the number that fits */
#define FAILURES	30	/* more than twice the limit of notifications */

struct report_test {
	struct dmacpy_report report;
	struct device *node;
};

static bool report_one(struct report_test *rt)
{
	return dmacpy_report_failure(&rt->report, DMACPY_NO_PROGRESS,
				     "a channel with a very long name", 0);
}

static unsigned int report_many(struct report_test *rt)
{
	unsigned int reported = 0, i;

	for (i = 0; i < FAILURES; i++)
		reported += report_one(rt);
	return reported;
}

/* Catches: a count that depends on the listeners. */
static void report_counts(struct kunit *test)
{
	struct report_test *rt = test->priv;
	struct dmacpy_report_stat stat;

	KUNIT_EXPECT_EQ(test, 0, report_many(rt));
	dmacpy_report_attach(&rt->report, rt->node);
	report_many(rt);
	dmacpy_report_failure(&rt->report, DMACPY_ENGINE_ERROR, "", jiffies);
	dmacpy_report_state(&rt->report, DMACPY_RECOVERED, "", jiffies, false);
	dmacpy_report_state(&rt->report, DMACPY_NO_COPY, "", jiffies, false);
	dmacpy_report_detach(&rt->report);
	report_many(rt);
	dmacpy_report_stat(&rt->report, &stat);
	KUNIT_EXPECT_EQ(test, 3 * FAILURES, stat.timeouts);
	KUNIT_EXPECT_EQ(test, 1, stat.errors);
	KUNIT_EXPECT_EQ(test, 1, stat.recoveries);
}

/*
 * Catches: a flood of notifications; one that is pending when the node is
 * removed.
 */
static void report_bounds(struct kunit *test)
{
	struct report_test *rt = test->priv;
	unsigned int reported, i;

	dmacpy_report_attach(&rt->report, rt->node);
	reported = report_many(rt);
	KUNIT_EXPECT_LE(test, 1, reported);
	/*
	 * The limit, 10, applies twice if five seconds pass in between, on a
	 * busy host.
	 */
	KUNIT_EXPECT_LE(test, reported, 20);
	KUNIT_EXPECT_EQ(test, FAILURES - reported, rt->report.missed);
	for (i = 0; i < 2 * DMACPY_REPORT_PENDING; i++)
		dmacpy_report_state(&rt->report, DMACPY_RECOVERED, "", jiffies,
				    true);
	KUNIT_EXPECT_GE(test, DMACPY_REPORT_PENDING, rt->report.count);
	dmacpy_report_detach(&rt->report);
	KUNIT_EXPECT_EQ(test, 0, rt->report.count);
	KUNIT_EXPECT_FALSE(test, work_pending(&rt->report.work));
	KUNIT_EXPECT_FALSE(test, report_one(rt));
}

static int report_init(struct kunit *test)
{
	struct report_test *rt;

	rt = kunit_kzalloc(test, sizeof(*rt), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, rt);
	rt->node = kunit_device_register(test, "dmacpy-report-test");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, rt->node);
	dmacpy_report_init(&rt->report, rt->node);
	test->priv = rt;
	return 0;
}

static struct kunit_case report_cases[] = {
	KUNIT_CASE(report_counts),
	KUNIT_CASE(report_bounds),
	{ }
};

static struct kunit_suite report_suite = {
	.name = "dmacpy_report",
	.init = report_init,
	.test_cases = report_cases,
};

kunit_test_suites(&report_suite);
