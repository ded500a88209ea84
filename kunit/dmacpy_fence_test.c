// SPDX-License-Identifier: GPL-2.0-only
/* Tests of dmacpy_fence.c. */
#include <kunit/test.h>
#include <linux/dma-fence.h>
#include <linux/module.h>
#include <linux/rcupdate.h>

#include "dmacpy_fence.h"

struct fence_watch {
	struct dma_fence_cb cb;
	unsigned int calls;
};

static void fence_called(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	container_of(cb, struct fence_watch, cb)->calls++;
}

/* Catches: a result that is lost, or that is signalled twice or too early. */
static void fence_reports_result(struct kunit *test)
{
	static const int results[] = { 0, -EIO, -ETIMEDOUT };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(results); i++) {
		struct dma_fence *fence = dmacpy_fence_new();
		struct fence_watch watch = { };

		KUNIT_ASSERT_NOT_NULL(test, fence);
		KUNIT_EXPECT_EQ(test, 0, dma_fence_get_status(fence));
		KUNIT_EXPECT_EQ(test, 0, dma_fence_add_callback(fence,
								&watch.cb,
								fence_called));
		KUNIT_EXPECT_EQ(test, 0, watch.calls);
		if (results[i])
			dma_fence_set_error(fence, results[i]);
		dma_fence_signal(fence);
		KUNIT_EXPECT_EQ(test, 1, watch.calls);
		KUNIT_EXPECT_EQ(test, results[i] ?: 1,
				dma_fence_get_status(fence));
		dma_fence_put(fence);
	}
}

/* Catches: a fence with a wrong timeline or sequence number. */
static void fence_has_seqno(struct kunit *test)
{
	u64 context = dma_fence_context_alloc(1);
	struct dma_fence *fences[2];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fences); i++) {
		fences[i] = dmacpy_fence_new();
		KUNIT_ASSERT_NOT_NULL(test, fences[i]);
	}
	/* dmacpy_fence_publish() assigns the number, not dmacpy_fence_new(). */
	dmacpy_fence_publish(fences[1], context, U32_MAX);
	dmacpy_fence_publish(fences[0], context, (u64)U32_MAX + 1);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_later(fences[0], fences[1]));
	KUNIT_EXPECT_STREQ(test, KBUILD_MODNAME,
			   fences[0]->ops->get_driver_name(fences[0]));
	KUNIT_EXPECT_STREQ(test, "stream",
			   fences[0]->ops->get_timeline_name(fences[0]));
	for (i = 0; i < ARRAY_SIZE(fences); i++) {
		dma_fence_signal(fences[i]);
		dma_fence_put(fences[i]);
	}
}

#if IS_MODULE(CONFIG_DMACPY) && IS_ENABLED(CONFIG_MODULE_UNLOAD)
/* Catches: a module that can be removed while a fence exists, or never. */
static void fence_holds_module(struct kunit *test)
{
	struct dma_fence *fence;
	int users;

	/* Callbacks of earlier fences may still be pending. */
	rcu_barrier();
	users = module_refcount(THIS_MODULE);
	fence = dmacpy_fence_new();
	KUNIT_ASSERT_NOT_NULL(test, fence);
	KUNIT_EXPECT_EQ(test, users + 1, module_refcount(THIS_MODULE));
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, users + 1, module_refcount(THIS_MODULE));
	dma_fence_put(fence);
	rcu_barrier();
	KUNIT_EXPECT_EQ(test, users, module_refcount(THIS_MODULE));
}
#else
static void fence_holds_module(struct kunit *test)
{
	kunit_skip(test, "nothing to hold, as it cannot be removed");
}
#endif

static struct kunit_case fence_cases[] = {
	KUNIT_CASE(fence_reports_result),
	KUNIT_CASE(fence_has_seqno),
	KUNIT_CASE(fence_holds_module),
	{ }
};

static struct kunit_suite fence_suite = {
	.name = "dmacpy_fence",
	.test_cases = fence_cases,
};

kunit_test_suites(&fence_suite);
