// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SRAM as a DMA-BUF heap, /dev/dma_heap/sram-<device>, for programs that
 * use heaps and not this driver. A heap cannot be removed: it outlives its
 * instance, and the next instance of the same name takes it over.
 */
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/err.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "dmacpy_account.h"
#include "dmacpy_buf.h"
#include "dmacpy_device.h"
#include "dmacpy_heap.h"

/**
 * struct dmacpy_heap - a heap
 * @node: in heaps
 * @name: of the platform device
 * @dev: the instance while it is bound, or NULL
 */
struct dmacpy_heap {
	struct list_head node;
	const char *name;
	struct dmacpy_device *dev;
};

/* The lock protects the list and dmacpy_heap.dev. */
static LIST_HEAD(heaps);
static DEFINE_MUTEX(heaps_lock);

static struct dmacpy_device *heap_get_device(struct dmacpy_heap *heap)
{
	struct dmacpy_device *dev;

	mutex_lock(&heaps_lock);
	dev = heap->dev;
	if (dev)
		dmacpy_device_get(dev);
	mutex_unlock(&heaps_lock);
	return dev;
}

static struct dma_buf *heap_allocate(struct dma_heap *dma_heap,
				     unsigned long length, u32 fd_flags,
				     u64 heap_flags)
{
	struct dma_buf *dmabuf = ERR_PTR(-ENODEV);
	struct dmacpy_account *account;
	struct dmacpy_device *dev;

	/* A heap does not know the opener of its file: charge the caller. */
	account = dmacpy_account_get_current();
	if (!account)
		return ERR_PTR(-ENOMEM);
	dev = heap_get_device(dma_heap_get_drvdata(dma_heap));
	if (!dev)
		goto out_put_account;
	dmabuf = dmacpy_buf_alloc(dev, account, length, fd_flags);
	dmacpy_device_put(dev);
out_put_account:
	dmacpy_account_put(account);
	return dmabuf;
}

static const struct dma_heap_ops heap_ops = {
	.allocate = heap_allocate,
};

/* The heap keeps a pointer to the name. */
static int heap_register(struct dmacpy_heap *heap)
{
	struct dma_heap_export_info info = {
		.ops = &heap_ops,
		.priv = heap,
	};
	struct dma_heap *dma_heap;

	info.name = kasprintf(GFP_KERNEL, "sram-%s", heap->name);
	if (!info.name)
		return -ENOMEM;
	dma_heap = dma_heap_add(&info);
	if (IS_ERR(dma_heap))
		kfree(info.name);
	return PTR_ERR_OR_ZERO(dma_heap);
}

static struct dmacpy_heap *heap_new(const char *name)
{
	struct dmacpy_heap *heap;
	int ret;

	heap = kzalloc(sizeof(*heap), GFP_KERNEL);
	if (!heap)
		return ERR_PTR(-ENOMEM);
	heap->name = kstrdup(name, GFP_KERNEL);
	ret = heap->name ? heap_register(heap) : -ENOMEM;
	if (ret) {
		kfree(heap->name);
		kfree(heap);
		return ERR_PTR(ret);
	}
	list_add(&heap->node, &heaps);
	return heap;
}

static struct dmacpy_heap *heap_find(const char *name)
{
	struct dmacpy_heap *heap;

	list_for_each_entry(heap, &heaps, node)
		if (!strcmp(heap->name, name))
			return heap;
	return NULL;
}

/**
 * dmacpy_heap_get() - get the heap of a device, or create it
 * @parent: the platform device
 *
 * Context: Process.
 * Return: the heap, which is never freed, or an ERR_PTR(): -ENOMEM, or the
 * -errno of dma_heap_add().
 */
struct dmacpy_heap *dmacpy_heap_get(const struct device *parent)
{
	struct dmacpy_heap *heap;

	mutex_lock(&heaps_lock);
	heap = heap_find(dev_name(parent)) ?: heap_new(dev_name(parent));
	mutex_unlock(&heaps_lock);
	return heap;
}

/**
 * dmacpy_heap_attach() - let a heap allocate from the SRAM of an instance
 * @heap: the heap
 * @dev: the instance, until the next call; or NULL for none
 *
 * Context: Process.
 */
void dmacpy_heap_attach(struct dmacpy_heap *heap, struct dmacpy_device *dev)
{
	mutex_lock(&heaps_lock);
	heap->dev = dev;
	mutex_unlock(&heaps_lock);
}
