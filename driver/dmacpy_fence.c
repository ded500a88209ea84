// SPDX-License-Identifier: GPL-2.0-only
/* The fence of a job, which others may keep long after the job is freed. */
#include <linux/dma-fence.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "dmacpy_fence.h"

/**
 * struct dmacpy_fence - a fence that depends on no other object but the module
 * @base: the fence
 * @lock: protects @base
 */
struct dmacpy_fence {
	struct dma_fence base;
	spinlock_t lock;
};

static const char *fence_driver_name(struct dma_fence *base)
{
	return KBUILD_MODNAME;
}

static const char *fence_timeline_name(struct dma_fence *base)
{
	return "stream";
}

/*
 * Puts the module last. Module exit may run from then on: its rcu_barrier()
 * waits until this function has returned.
 */
static void fence_free_rcu(struct rcu_head *rcu)
{
	struct dma_fence *base = container_of(rcu, struct dma_fence, rcu);

	kfree(container_of(base, struct dmacpy_fence, base));
	module_put(THIS_MODULE);
}

static void fence_release(struct dma_fence *base)
{
	call_rcu(&base->rcu, fence_free_rcu);
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = fence_driver_name,
	.get_timeline_name = fence_timeline_name,
	.release = fence_release,
};

/**
 * dmacpy_fence_new() - allocate a fence for dmacpy_fence_publish()
 *
 * It has one reference (dma_fence_put()), and holds the module. Nothing may
 * wait for it before it is published.
 *
 * Context: Process.
 * Return: the fence, or NULL.
 */
struct dma_fence *dmacpy_fence_new(void)
{
	struct dmacpy_fence *fence;

	fence = kzalloc(sizeof(*fence), GFP_KERNEL_ACCOUNT);
	if (!fence)
		return NULL;
	__module_get(THIS_MODULE);
	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->base, &fence_ops, &fence->lock, 0, 0);
	return &fence->base;
}

/**
 * dmacpy_fence_publish() - set the timeline of a fence, before others see it
 * @base: from dmacpy_fence_new()
 * @context: the stream's timeline
 * @seqno: the number of the job, which is only known after the last step that
 *	can fail
 *
 * Context: Any. The caller must signal it.
 */
void dmacpy_fence_publish(struct dma_fence *base, u64 context, u64 seqno)
{
	base->context = context;
	base->seqno = seqno;
}

/**
 * dmacpy_fence_is_own() - check if a fence is that of a job
 * @base: any fence
 *
 * Such a fence signals in bounded time: the watchdog bounds the engine, and a
 * deadline bounds the fences that the job waits for.
 *
 * Context: Any.
 * Return: true for a fence from dmacpy_fence_new().
 */
bool dmacpy_fence_is_own(const struct dma_fence *base)
{
	return base->ops == &fence_ops;
}
