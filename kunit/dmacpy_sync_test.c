// SPDX-License-Identifier: GPL-2.0-only
/* Tests of dmacpy_sync.c. */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence-array.h>
#include <linux/dma-resv.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "dmacpy_buf.h"
#include "dmacpy_compat.h"
#include "dmacpy_fence.h"
#include "dmacpy_sync.h"
#include "dmacpy_test_buf.h"

#include <linux/dmacpy.h>

#define SYNC_ROUNDS	1000

/**
 * struct sync_test - two memories, the first with two handles
 * @resv: reservation objects of the memories
 * @bufs: the first memory twice, then the second
 * @points: the same, as buffers of a job
 * @context: first of two fence contexts
 */
struct sync_test {
	struct dma_resv *resv[2];
	struct dmacpy_buf *bufs[3];
	struct dmacpy_job_buf points[3];
	u64 context;
};

static void sync_fence_put(void *fence)
{
	dma_fence_signal(fence);
	dma_fence_put(fence);
}

static struct dma_fence *sync_fence(struct kunit *test, u64 context)
{
	struct dma_fence *fence = dmacpy_fence_new();

	KUNIT_ASSERT_NOT_NULL(test, fence);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, sync_fence_put,
							   fence));
	dmacpy_fence_publish(fence, context, 1);
	return fence;
}

static void sync_publish(struct kunit *test, struct dma_fence *fence)
{
	struct sync_test *st = test->priv;
	struct ww_acquire_ctx ctx;

	KUNIT_ASSERT_EQ(test, 0,
			dmacpy_sync_lock(st->points, ARRAY_SIZE(st->points),
					 &ctx));
	dmacpy_sync_publish(st->points, ARRAY_SIZE(st->points), fence);
	dmacpy_sync_unlock(st->points, ARRAY_SIZE(st->points), &ctx);
}

/* Returns the number of fences that a job on the first memory waits for. */
static unsigned int sync_count_deps(struct kunit *test, bool write, u64 context)
{
	struct sync_test *st = test->priv;
	struct dmacpy_job_buf point = { .buf = st->bufs[0], .write = write };
	struct dmacpy_deps deps = { };
	struct ww_acquire_ctx ctx;
	unsigned int count;

	KUNIT_ASSERT_EQ(test, 0, dmacpy_sync_lock(&point, 1, &ctx));
	KUNIT_EXPECT_EQ(test, 0,
			dmacpy_sync_collect(&point, 1, context, &deps));
	dmacpy_sync_unlock(&point, 1, &ctx);
	count = deps.count;
	KUNIT_EXPECT_EQ(test, 0, deps.explicit);
	dmacpy_deps_free(&deps);
	return count;
}

/* Catches: a memory with two handles that is locked twice, or not at all. */
static void sync_locks_each_once(struct kunit *test)
{
	struct sync_test *st = test->priv;
	struct ww_acquire_ctx ctx;
	unsigned int i;

	st->points[1].write = true;
	KUNIT_ASSERT_EQ(test, 0,
			dmacpy_sync_lock(st->points, ARRAY_SIZE(st->points),
					 &ctx));
	for (i = 0; i < ARRAY_SIZE(st->resv); i++)
		KUNIT_EXPECT_PTR_EQ(test, &ctx,
				    dma_resv_locking_ctx(st->resv[i]));
	KUNIT_EXPECT_TRUE(test, st->points[0].locked);
	KUNIT_EXPECT_FALSE(test, st->points[1].locked);
	KUNIT_EXPECT_TRUE(test, st->points[0].write);
	KUNIT_EXPECT_FALSE(test, st->points[2].write);
	dmacpy_sync_unlock(st->points, ARRAY_SIZE(st->points), &ctx);
	for (i = 0; i < ARRAY_SIZE(st->resv); i++)
		KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(st->resv[i]));
}

/*
 * Catches: a job that keeps a reference for each of its buffers to the same
 * fence: a thousand buffers with 250 users each would take megabytes.
 */
static void sync_keeps_each_fence_once(struct kunit *test)
{
	struct sync_test *st = test->priv;
	struct dmacpy_job_buf point = { .buf = st->bufs[0], .write = true };
	struct dma_fence *fences[2], *in_fence;
	struct dmacpy_deps deps = { };
	struct ww_acquire_ctx ctx;
	unsigned int i, found = 0, before;

	in_fence = sync_fence(test, st->context + 1);
	KUNIT_ASSERT_EQ(test, 0, dmacpy_deps_add_in_fence(&deps, in_fence));
	for (i = 0; i < ARRAY_SIZE(fences); i++) {
		fences[i] = sync_fence(test, st->context + i);
		sync_publish(test, fences[i]);
	}
	before = kref_read(&fences[1]->refcount);
	KUNIT_ASSERT_EQ(test, 0, dmacpy_sync_lock(&point, 1, &ctx));
	for (i = 0; i < SYNC_ROUNDS; i++)
		KUNIT_EXPECT_EQ(test, 0,
				dmacpy_sync_collect(&point, 1, U64_MAX, &deps));
	dmacpy_sync_unlock(&point, 1, &ctx);

	KUNIT_EXPECT_LE(test, deps.room, 16);
	KUNIT_EXPECT_EQ(test, 1, deps.explicit);
	KUNIT_EXPECT_PTR_EQ(test, in_fence, deps.fences[0]);
	for (i = 1; i < deps.count; i++)
		found |= 1 << (deps.fences[i] == fences[1]);
	KUNIT_EXPECT_EQ(test, 3, found);
	dmacpy_deps_free(&deps);
	KUNIT_EXPECT_EQ(test, before, kref_read(&fences[1]->refcount));
}

/* Catches: other drivers that do not wait for a job, or wait needlessly. */
static void sync_adds_fences(struct kunit *test)
{
	struct sync_test *st = test->priv;
	struct dma_fence *fence = sync_fence(test, st->context);

	st->points[1].write = true;
	sync_publish(test, fence);
	KUNIT_EXPECT_FALSE(test, dma_resv_test_signaled(st->resv[0],
							DMA_RESV_USAGE_WRITE));
	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(st->resv[1],
						       DMA_RESV_USAGE_WRITE));
	KUNIT_EXPECT_FALSE(test, dma_resv_test_signaled(st->resv[1],
							DMA_RESV_USAGE_READ));
}

/* Catches: a reader that waits for readers; a writer that does not wait. */
static void sync_waits_for_others(struct kunit *test)
{
	struct sync_test *st = test->priv;
	struct dma_fence *reader = sync_fence(test, st->context);
	struct dma_fence *writer = sync_fence(test, st->context + 1);
	u64 other = dma_fence_context_alloc(1);

	sync_publish(test, reader);
	KUNIT_EXPECT_EQ(test, 0, sync_count_deps(test, false, other));
	KUNIT_EXPECT_EQ(test, 1, sync_count_deps(test, true, other));
	st->points[0].write = true;
	sync_publish(test, writer);
	KUNIT_EXPECT_EQ(test, 1, sync_count_deps(test, false, other));
	KUNIT_EXPECT_EQ(test, 2, sync_count_deps(test, true, other));

	/* Jobs of the same stream are in order anyway. */
	KUNIT_EXPECT_EQ(test, 0, sync_count_deps(test, false, st->context + 1));
	KUNIT_EXPECT_EQ(test, 1, sync_count_deps(test, true, st->context));
	dma_fence_signal(writer);
	KUNIT_EXPECT_EQ(test, 1, sync_count_deps(test, true, other));
}

/* Catches: an error in a part of a merged fence that is overlooked. */
static void sync_unwraps_fences(struct kunit *test)
{
	struct sync_test *st = test->priv;
	struct dmacpy_deps deps = { };
	struct dma_fence **parts;
	struct dma_fence_array *all;
	unsigned int i;

	/* The merged fence owns the array and its references. */
	parts = kmalloc_array(6, sizeof(*parts), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, parts);
	for (i = 0; i < 6; i++)
		parts[i] = dma_fence_get(sync_fence(test, st->context));
	all = dmacpy_fence_array(6, parts, st->context + 1, 1);
	KUNIT_ASSERT_NOT_NULL(test, all);

	KUNIT_EXPECT_EQ(test, 0, dmacpy_deps_add_in_fence(&deps, &all->base));
	KUNIT_EXPECT_EQ(test, 6, deps.count);
	KUNIT_EXPECT_EQ(test, 6, deps.explicit);
	for (i = 0; i < deps.count; i++)
		KUNIT_EXPECT_PTR_EQ(test, parts[i], deps.fences[i]);
	dmacpy_deps_free(&deps);
	dma_fence_put(&all->base);
}

struct sync_locker {
	struct work_struct work;
	struct dmacpy_job_buf points[2];
	unsigned int *inside;
	int result;
};

static void sync_lock_often(struct work_struct *work)
{
	struct sync_locker *locker =
		container_of(work, struct sync_locker, work);
	struct ww_acquire_ctx ctx;
	unsigned int i;

	for (i = 0; i < SYNC_ROUNDS && !locker->result; i++) {
		locker->result = dmacpy_sync_lock(locker->points, 2, &ctx);
		if (locker->result)
			break;
		if (READ_ONCE(*locker->inside))
			locker->result = -EBUSY;
		WRITE_ONCE(*locker->inside, 1);
		cond_resched();
		WRITE_ONCE(*locker->inside, 0);
		dmacpy_sync_unlock(locker->points, 2, &ctx);
	}
}

/* Catches: a deadlock of two jobs with the same buffers in reverse order. */
static void sync_backs_off(struct kunit *test)
{
	struct sync_test *st = test->priv;
	struct sync_locker *lockers;
	unsigned int i, *inside;

	lockers = kunit_kcalloc(test, 2, sizeof(*lockers), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, lockers);
	inside = kunit_kzalloc(test, sizeof(*inside), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, inside);
	for (i = 0; i < 2; i++) {
		INIT_WORK(&lockers[i].work, sync_lock_often);
		lockers[i].inside = inside;
		lockers[i].points[i].buf = st->bufs[1];
		lockers[i].points[!i].buf = st->bufs[2];
		queue_work(system_unbound_wq, &lockers[i].work);
	}
	for (i = 0; i < 2; i++) {
		flush_work(&lockers[i].work);
		KUNIT_EXPECT_EQ(test, 0, lockers[i].result);
	}
}

static int sync_init(struct kunit *test)
{
	static const struct test_seg seg = { 0x1000, 16 };
	static const struct test_layout layout = { 16, 1, &seg };
	struct dmacpy_chan *chan = test_buf_chan(test);
	struct dma_buf *dmabuf = NULL;
	struct sync_test *st;
	unsigned int i;

	st = kunit_kzalloc(test, sizeof(*st), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, st);
	for (i = 0; i < ARRAY_SIZE(st->bufs); i++) {
		if (i != 1)
			dmabuf = test_dmabuf_new(test, &layout);
		st->bufs[i] = test_buf_import(test, chan, dmabuf,
					      DMACPY_ACCESS_READ);
		st->points[i].buf = st->bufs[i];
	}
	st->resv[0] = dmacpy_buf_resv(st->bufs[0]);
	st->resv[1] = dmacpy_buf_resv(st->bufs[2]);
	st->context = dma_fence_context_alloc(2);
	test->priv = st;
	return 0;
}

static struct kunit_case sync_cases[] = {
	KUNIT_CASE(sync_locks_each_once),
	KUNIT_CASE(sync_keeps_each_fence_once),
	KUNIT_CASE(sync_adds_fences),
	KUNIT_CASE(sync_waits_for_others),
	KUNIT_CASE(sync_unwraps_fences),
	KUNIT_CASE(sync_backs_off),
	{ }
};

static struct kunit_suite sync_suite = {
	.name = "dmacpy_sync",
	.init = sync_init,
	.test_cases = sync_cases,
};

kunit_test_suites(&sync_suite);
