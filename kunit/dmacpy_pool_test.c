// SPDX-License-Identifier: GPL-2.0-only
/* Tests of dmacpy_pool.c. */
#include <kunit/platform_device.h>
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/of.h>
#include <linux/platform_device.h>
#include <linux/string.h>

#include "dmacpy_pool.h"

/* A region that no code accesses */
#define POOL_ADDR	0xffe00000ULL
#define POOL_SIZE	(16 * PAGE_SIZE)

/* The node is not in the device tree, and has no references. */
static void pool_forget_node(void *data)
{
	struct platform_device *pdev = data;

	pdev->dev.of_node = NULL;
}

/* Creates a node with a region of its own and this "reserved". */
static struct platform_device *pool_node(struct kunit *test, void *reserved,
					 size_t size)
{
	struct resource res = DEFINE_RES_MEM(POOL_ADDR, POOL_SIZE);
	struct platform_device *pdev;
	struct device_node *np;
	struct property *prop;

	np = kunit_kzalloc(test, sizeof(*np), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, np);
	prop = kunit_kzalloc(test, sizeof(*prop), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, prop);
	prop->name = "reserved";
	prop->length = size;
	prop->value = reserved;
	fwnode_init(&np->fwnode, &of_fwnode_ops);
	np->full_name = "dmacpy-pool-test";
	if (reserved)
		np->properties = prop;

	pdev = kunit_platform_device_alloc(test, "dmacpy-pool-test",
					   PLATFORM_DEVID_NONE);
	KUNIT_ASSERT_NOT_NULL(test, pdev);
	KUNIT_ASSERT_EQ(test, 0, platform_device_add_resources(pdev, &res, 1));
	pdev->dev.of_node = np;
	kunit_add_action(test, pool_forget_node, pdev);
	return pdev;
}

struct pool_reserved_case {
	const char *name;
	unsigned int ncells;
	u32 cells[4];
	int result;
	u64 total;
	u64 largest;
};

static const struct pool_reserved_case pool_reserved_cases[] = {
	{ "nothing", 0, { }, 0, POOL_SIZE, POOL_SIZE },
	{ "the first page", 2, { 0, PAGE_SIZE },
	  0, POOL_SIZE - PAGE_SIZE, POOL_SIZE - PAGE_SIZE },
	{ "a byte", 2, { 4 * PAGE_SIZE + 5, 1 },
	  0, POOL_SIZE - PAGE_SIZE, POOL_SIZE - 5 * PAGE_SIZE },
	{ "both ends", 4, { 0, 1, POOL_SIZE - 1, 1 },
	  0, POOL_SIZE - 2 * PAGE_SIZE, POOL_SIZE - 2 * PAGE_SIZE },
	{ "neighbours", 4, { PAGE_SIZE, 10, PAGE_SIZE + 10, 10 },
	  0, POOL_SIZE - PAGE_SIZE, POOL_SIZE - 2 * PAGE_SIZE },
	{ "all", 2, { 0, POOL_SIZE }, -EINVAL },
	{ "an odd number of cells", 3, { 0, PAGE_SIZE, 0 }, -EINVAL },
	{ "descending order", 4, { PAGE_SIZE, 1, 0, 1 }, -EINVAL },
	{ "overlapping", 4, { 0, 11, 10, 1 }, -EINVAL },
	{ "beginning outside", 2, { POOL_SIZE + 1, 0 }, -EINVAL },
	{ "ending outside", 2, { POOL_SIZE - 1, 2 }, -EINVAL },
	{ "wrapping", 2, { PAGE_SIZE, U32_MAX }, -EINVAL },
};

static void pool_reserved_name(const struct pool_reserved_case *reserved,
			       char *name)
{
	strscpy(name, reserved->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(pool_reserved, pool_reserved_cases, pool_reserved_name);

/*
 * Catches: memory of the firmware that is allocated, or free memory that is
 * not.
 */
static void pool_reserves(struct kunit *test)
{
	const struct pool_reserved_case *reserved = test->param_value;
	struct platform_device *pdev;
	struct dmacpy_pool_stat stat;
	struct dmacpy_pool *pool;
	__be32 cells[4];
	unsigned int i;

	for (i = 0; i < reserved->ncells; i++)
		cells[i] = cpu_to_be32(reserved->cells[i]);
	pdev = pool_node(test, reserved->ncells ? cells : NULL,
			 reserved->ncells * sizeof(*cells));
	pool = dmacpy_pool_open(pdev);
	KUNIT_EXPECT_EQ(test, reserved->result, PTR_ERR_OR_ZERO(pool));
	if (IS_ERR(pool))
		return;
	dmacpy_pool_stat(pool, &stat);
	KUNIT_EXPECT_EQ(test, reserved->total, stat.total);
	KUNIT_EXPECT_EQ(test, reserved->total, stat.free);
	KUNIT_EXPECT_EQ(test, reserved->largest, stat.largest);
	dmacpy_pool_put(pool);
}

/* Catches: a region that two instances allocate from, or that is leaked. */
static void pool_is_adopted(struct kunit *test)
{
	struct platform_device *pdev = pool_node(test, NULL, 0);
	struct dmacpy_pool *pool, *same;
	struct resource *res;

	pool = dmacpy_pool_open(pdev);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pool);
	KUNIT_EXPECT_NULL(test, request_mem_region(POOL_ADDR, PAGE_SIZE, "x"));
	same = dmacpy_pool_open(pdev);
	KUNIT_EXPECT_PTR_EQ(test, pool, same);
	dmacpy_pool_put(pool);
	KUNIT_EXPECT_NULL(test, request_mem_region(POOL_ADDR, PAGE_SIZE, "x"));
	dmacpy_pool_put(same);

	res = request_mem_region(POOL_ADDR, PAGE_SIZE, "x");
	KUNIT_ASSERT_NOT_NULL(test, res);
	pool = dmacpy_pool_open(pdev);
	KUNIT_EXPECT_EQ(test, -EBUSY, PTR_ERR_OR_ZERO(pool));
	release_mem_region(POOL_ADDR, PAGE_SIZE);
}

/* Catches: a length that overflows when it is rounded up. */
static void pool_refuses_lengths(struct kunit *test)
{
	static const struct {
		u64 length;
		int result;
	} cases[] = {
		{ 0, -EINVAL },
		{ POOL_SIZE + 1, -ENOSPC },
		{ (u64)U32_MAX + 2, -ENOSPC },
		{ U64_MAX - PAGE_SIZE + 2, -ENOSPC },
		{ U64_MAX, -ENOSPC },
	};
	struct dmacpy_pool_stat stat;
	struct dmacpy_pool *pool;
	struct dmacpy_sram sram;
	unsigned int i;

	pool = dmacpy_pool_open(pool_node(test, NULL, 0));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pool);
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ(test, cases[i].result,
				dmacpy_pool_alloc(pool, cases[i].length,
						  &sram));
	dmacpy_pool_stat(pool, &stat);
	KUNIT_EXPECT_EQ(test, POOL_SIZE, stat.free);
	dmacpy_pool_put(pool);
}

static struct kunit_case pool_cases[] = {
	KUNIT_CASE(pool_refuses_lengths),
	KUNIT_CASE_PARAM(pool_reserves, pool_reserved_gen_params),
	KUNIT_CASE(pool_is_adopted),
	{ }
};

static struct kunit_suite pool_suite = {
	.name = "dmacpy_pool",
	.test_cases = pool_cases,
};

kunit_test_suites(&pool_suite);
