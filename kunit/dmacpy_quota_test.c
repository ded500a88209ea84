// SPDX-License-Identifier: GPL-2.0-only
/* Tests of dmacpy_quota.c. */
#include <kunit/test.h>
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "dmacpy_param.h"
#include "dmacpy_quota.h"

#define QUOTA_PAGES	4

/**
 * struct quota_test - a quota, and who asks for SRAM
 * @quota: the quota
 * @limit_kib: what the parameter was before
 * @nobody: without any rights
 */
struct quota_test {
	struct dmacpy_quota quota;
	unsigned int limit_kib;
	struct cred *nobody;
};

/* By somebody without rights. */
static int quota_charge(struct kunit *test, uid_t uid, unsigned int pages)
{
	struct quota_test *qt = test->priv;
	const struct cred *old = override_creds(qt->nobody);
	int ret = dmacpy_quota_charge(&qt->quota, KUIDT_INIT(uid),
				      pages * PAGE_SIZE);

	revert_creds(old);
	return ret;
}

static void quota_uncharge(struct kunit *test, uid_t uid, unsigned int pages)
{
	struct quota_test *qt = test->priv;

	dmacpy_quota_uncharge(&qt->quota, KUIDT_INIT(uid), pages * PAGE_SIZE);
}

/* Catches: a page too much or too few, or what is given back and stays. */
static void quota_limits(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, 0, quota_charge(test, 1, QUOTA_PAGES - 1));
	KUNIT_EXPECT_EQ(test, -EDQUOT, quota_charge(test, 1, 2));
	KUNIT_EXPECT_EQ(test, 0, quota_charge(test, 1, 1));
	KUNIT_EXPECT_EQ(test, -EDQUOT, quota_charge(test, 1, 1));
	quota_uncharge(test, 1, 1);
	KUNIT_EXPECT_EQ(test, 0, quota_charge(test, 1, 1));
	quota_uncharge(test, 1, QUOTA_PAGES);
	KUNIT_EXPECT_EQ(test, 0, quota_charge(test, 1, QUOTA_PAGES));
	quota_uncharge(test, 1, QUOTA_PAGES);
}

/* Catches: a user who takes from the quota of another, as root is one. */
static void quota_is_of_one_user(struct kunit *test)
{
	struct quota_test *qt = test->priv;
	uid_t uid;

	for (uid = 0; uid < 3; uid++)
		KUNIT_EXPECT_EQ(test, 0, quota_charge(test, uid, QUOTA_PAGES));
	for (uid = 0; uid < 3; uid++)
		KUNIT_EXPECT_EQ(test, -EDQUOT, quota_charge(test, uid, 1));
	for (uid = 0; uid < 3; uid++)
		quota_uncharge(test, uid, QUOTA_PAGES);
	KUNIT_EXPECT_TRUE(test, xa_empty(&qt->quota.pages));
}

/* Catches: a limit of nothing that lets nobody have anything. */
static void quota_may_be_off(struct kunit *test)
{
	dmacpy_sram_quota.value = 0;
	KUNIT_EXPECT_EQ(test, 0, quota_charge(test, 1, 100 * QUOTA_PAGES));
	quota_uncharge(test, 1, 100 * QUOTA_PAGES);
}

/* Catches: an administrator who is held up. */
static void quota_is_not_for_the_mighty(struct kunit *test)
{
	struct quota_test *qt = test->priv;

	KUNIT_EXPECT_EQ(test, 0,
			dmacpy_quota_charge(&qt->quota, KUIDT_INIT(1),
					    2 * QUOTA_PAGES * PAGE_SIZE));
	quota_uncharge(test, 1, 2 * QUOTA_PAGES);
}

static int quota_init(struct kunit *test)
{
	struct quota_test *qt;

	qt = kunit_kzalloc(test, sizeof(*qt), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, qt);
	qt->nobody = prepare_creds();
	KUNIT_ASSERT_NOT_NULL(test, qt->nobody);
	qt->nobody->cap_effective = CAP_EMPTY_SET;
	dmacpy_quota_init(&qt->quota);
	qt->limit_kib = dmacpy_sram_quota.value;
	dmacpy_sram_quota.value = QUOTA_PAGES * PAGE_SIZE / 1024;
	test->priv = qt;
	return 0;
}

static void quota_exit(struct kunit *test)
{
	struct quota_test *qt = test->priv;

	if (!qt)
		return;
	put_cred(qt->nobody);
	dmacpy_quota_destroy(&qt->quota);
	dmacpy_sram_quota.value = qt->limit_kib;
}

static struct kunit_case quota_cases[] = {
	KUNIT_CASE(quota_limits),
	KUNIT_CASE(quota_is_of_one_user),
	KUNIT_CASE(quota_may_be_off),
	KUNIT_CASE(quota_is_not_for_the_mighty),
	{ }
};

static struct kunit_suite quota_suite = {
	.name = "dmacpy_quota",
	.init = quota_init,
	.exit = quota_exit,
	.test_cases = quota_cases,
};

kunit_test_suites(&quota_suite);
