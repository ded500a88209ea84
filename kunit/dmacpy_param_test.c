// SPDX-License-Identifier: GPL-2.0-only
/* Tests of dmacpy_param.c. */
#include <kunit/test.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/string.h>

#include "dmacpy_param.h"

/* The parameters of the module, or of all that is built into the kernel */
#ifdef MODULE
#define PARAM_FIRST	(THIS_MODULE->kp)
#define PARAM_END	(PARAM_FIRST + THIS_MODULE->num_kp)
#else
#define PARAM_FIRST	__start___param
#define PARAM_END	__stop___param
#endif

/* Returns the parameter as the kernel knows it. */
static const struct kernel_param *
param_find(struct kunit *test, const struct dmacpy_param *param)
{
	const struct kernel_param *kp;

	for (kp = PARAM_FIRST; kp < PARAM_END; kp++)
		if (kp->arg == param)
			return kp;
	KUNIT_FAIL_AND_ABORT(test, "it cannot be set");
	return NULL;
}

static int param_write(const struct kernel_param *kp, long long value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld\n", value);
	return kp->ops->set(text, kp);
}

static void param_expect(struct kunit *test, struct dmacpy_param *param,
			 long long value, bool valid)
{
	const struct kernel_param *kp = param_find(test, param);
	unsigned int before = param->value;
	int ret = param_write(kp, value);

	KUNIT_EXPECT_EQ_MSG(test, valid, !ret, "%s=%lld", kp->name, value);
	KUNIT_EXPECT_EQ_MSG(test, valid ? value : before, param->value,
			    "%s=%lld", kp->name, value);
}

struct param_case {
	const char *name;
	struct dmacpy_param *param;
};

static const struct param_case param_all[] = {
	{ "timeout_ms", &dmacpy_timeout },
	{ "dependency_timeout_ms", &dmacpy_dependency_timeout },
	{ "spin_us", &dmacpy_spin },
	{ "spread", &dmacpy_spread },
	{ "max_channels", &dmacpy_max_channels },
	{ "sram_quota_kib", &dmacpy_sram_quota },
	{ "max_user_streams", &dmacpy_max_user_streams },
	{ "max_user_handles", &dmacpy_max_user_handles },
	{ "max_user_jobs", &dmacpy_max_user_jobs },
	{ "max_user_bytes", &dmacpy_max_user_bytes },
	{ "max_jobs", &dmacpy_max_jobs },
	{ "max_events", &dmacpy_max_events },
	{ "max_ops", &dmacpy_max_ops },
	{ "max_rows", &dmacpy_max_rows },
	{ "max_bytes", &dmacpy_max_bytes },
};

KUNIT_ARRAY_PARAM_DESC(param, param_all, name);

/* Catches: a value out of bounds that is accepted, or a bound that is not. */
static void param_keeps_bounds(struct kunit *test)
{
	const struct param_case *param_case = test->param_value;
	struct dmacpy_param *param = param_case->param;
	unsigned int before = param->value;

	KUNIT_EXPECT_GE(test, before, param->min);
	KUNIT_EXPECT_LE(test, before, param->max);
	param_expect(test, param, param->min, true);
	param_expect(test, param, param->max, true);
	param_expect(test, param, param->min - 1LL, false);
	param_expect(test, param, param->max + 1LL, false);
	param_expect(test, param, -1, false);
	param_expect(test, param, before, true);
}

/* Catches: text that is not a number and is accepted, or that does harm. */
static void param_refuses_text(struct kunit *test)
{
	static const char * const texts[] = {
		"", "\n", "many", "20 ", "20 30", "20x", "0x", "20.5",
		"18446744073709551636",
	};
	const struct kernel_param *kp = param_find(test, &dmacpy_timeout);
	unsigned int before = dmacpy_timeout.value, i;

	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		KUNIT_EXPECT_NE_MSG(test, 0, kp->ops->set(texts[i], kp), "%s",
				    texts[i]);
		KUNIT_EXPECT_EQ(test, before, dmacpy_timeout.value);
	}
}

/* Catches: a value that is read from another variable than was written. */
static void param_is_read_back(struct kunit *test)
{
	const struct kernel_param *kp = param_find(test, &dmacpy_timeout);
	unsigned int before = dmacpy_timeout.value;
	char *page = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, 0, kp->ops->set("0x7d0\n", kp));
	KUNIT_EXPECT_EQ(test, 5, kp->ops->get(page, kp));
	KUNIT_EXPECT_STREQ(test, "2000\n", page);
	dmacpy_timeout.value = before;
}

/* Catches: an address from root that a locked-down kernel accepts. */
static void param_with_addresses_is_locked_down(struct kunit *test)
{
	const struct kernel_param *kp;
	unsigned int found = 0;

	for (kp = PARAM_FIRST; kp < PARAM_END; kp++) {
		if (strcmp(kp->name, MODULE_PARAM_PREFIX "sram"))
			continue;
		found++;
		KUNIT_EXPECT_TRUE(test, kp->flags & KERNEL_PARAM_FL_HWPARAM);
		KUNIT_EXPECT_EQ(test, 0444, kp->perm);
	}
	KUNIT_EXPECT_EQ(test, 1, found);
}

static struct kunit_case param_cases[] = {
	KUNIT_CASE_PARAM(param_keeps_bounds, param_gen_params),
	KUNIT_CASE(param_refuses_text),
	KUNIT_CASE(param_is_read_back),
	KUNIT_CASE(param_with_addresses_is_locked_down),
	{ }
};

static struct kunit_suite param_suite = {
	.name = "dmacpy_param",
	.test_cases = param_cases,
};

kunit_test_suites(&param_suite);
