// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measures the minimum cost of a copy: the shortest way to a DMA engine and
 * back, in the kernel, with memory that was mapped before. It also measures the
 * cost of a dma-buf without memory.
 *
 * The measurements run when the module is loaded. Its parameters hold the
 * medians, in ns; an emulator may run one instruction per ns.
 */
#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "dmacpy_compat.h"

#define FLOOR_ROUNDS	501
#define FLOOR_BATCH	32
#define FLOOR_SIZE	64
#define FLOOR_TIMEOUT	(5 * HZ)

static unsigned int single;
module_param(single, uint, 0444);
MODULE_PARM_DESC(single, "ns of a copy by itself");

static unsigned int batched;
module_param(batched, uint, 0444);
MODULE_PARM_DESC(batched, "ns of one of 32 copies that are issued together");

static unsigned int export;
module_param(export, uint, 0444);
MODULE_PARM_DESC(export, "ns to export a dma-buf and to close it");

/**
 * struct floor - resources of the measurements
 * @chan: the channel
 * @dev: the device to map memory for
 * @memory: source and destination
 * @addr: their addresses for the engine, 0 if they are not mapped
 * @done: completed by the callback of the last copy of a round
 * @ns: duration of each round
 */
struct floor {
	struct dma_chan *chan;
	struct device *dev;
	void *memory[2];
	dma_addr_t addr[2];
	struct completion done;
	u64 ns[FLOOR_ROUNDS];
};

static void floor_called_back(void *data)
{
	complete(data);
}

static int floor_start(struct floor *floor, bool last)
{
	struct dma_async_tx_descriptor *desc;

	desc = dmaengine_prep_dma_memcpy(floor->chan, floor->addr[0],
					 floor->addr[1], FLOOR_SIZE,
					 DMA_CTRL_ACK |
					 (last ? DMA_PREP_INTERRUPT : 0));
	if (!desc)
		return -ENOMEM;
	desc->callback = last ? floor_called_back : NULL;
	desc->callback_result = NULL;
	desc->callback_param = &floor->done;
	return dma_submit_error(dmaengine_submit(desc));
}

static int floor_copy(struct floor *floor, unsigned int count)
{
	unsigned int i;
	int ret;

	reinit_completion(&floor->done);
	for (i = 0; i < count; i++) {
		ret = floor_start(floor, i + 1 == count);
		if (ret)
			return ret;
	}
	dma_async_issue_pending(floor->chan);
	if (!wait_for_completion_timeout(&floor->done, FLOOR_TIMEOUT))
		return -ETIMEDOUT;
	return 0;
}

static struct sg_table *floor_map_dma_buf(struct dma_buf_attachment *attach,
					  enum dma_data_direction direction)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static void floor_unmap_dma_buf(struct dma_buf_attachment *attach,
				struct sg_table *sgt,
				enum dma_data_direction direction)
{
}

static void floor_release(struct dma_buf *dmabuf)
{
}

static const struct dma_buf_ops floor_dma_buf_ops = {
	.map_dma_buf = floor_map_dma_buf,
	.unmap_dma_buf = floor_unmap_dma_buf,
	.release = floor_release,
};

/* Closes the file at once, and not on the return to user space. */
static int floor_export(struct floor *floor, unsigned int unused)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	info.ops = &floor_dma_buf_ops;
	info.size = PAGE_SIZE;
	info.priv = floor;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	__fput_sync(dmabuf->file);
	return 0;
}

static int floor_compare(const void *a, const void *b)
{
	u64 left = *(const u64 *)a, right = *(const u64 *)b;

	return left < right ? -1 : left > right;
}

static int floor_measure(struct floor *floor, unsigned int *median,
			 int (*round)(struct floor *floor, unsigned int count),
			 unsigned int count)
{
	unsigned int i;
	u64 start;
	int ret;

	for (i = 0; i < FLOOR_ROUNDS; i++) {
		start = ktime_get_ns();
		ret = round(floor, count);
		floor->ns[i] = ktime_get_ns() - start;
		if (ret)
			return ret;
	}
	sort(floor->ns, FLOOR_ROUNDS, sizeof(*floor->ns), floor_compare, NULL);
	*median = (unsigned int)floor->ns[FLOOR_ROUNDS / 2] / count;
	return 0;
}

static void floor_unmap(struct floor *floor)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(floor->addr); i++) {
		if (floor->addr[i])
			dma_unmap_single(floor->dev, floor->addr[i], FLOOR_SIZE,
					 DMA_BIDIRECTIONAL);
		kfree(floor->memory[i]);
	}
}

static int floor_map(struct floor *floor)
{
	dma_addr_t addr;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(floor->addr); i++) {
		floor->memory[i] = kzalloc(FLOOR_SIZE, GFP_KERNEL);
		if (!floor->memory[i])
			return -ENOMEM;
		addr = dma_map_single(floor->dev, floor->memory[i], FLOOR_SIZE,
				      DMA_BIDIRECTIONAL);
		if (dma_mapping_error(floor->dev, addr))
			return -EIO;
		floor->addr[i] = addr;
	}
	return 0;
}

static int floor_measure_all(struct floor *floor)
{
	int ret;

	ret = floor_map(floor);
	if (!ret)
		ret = floor_measure(floor, &single, floor_copy, 1);
	if (!ret)
		ret = floor_measure(floor, &batched, floor_copy, FLOOR_BATCH);
	/* After a timeout the engine may still write. */
	dmaengine_terminate_sync(floor->chan);
	if (ret != -ETIMEDOUT)
		floor_unmap(floor);
	return ret ?: floor_measure(floor, &export, floor_export, 1);
}

static int __init floor_init(void)
{
	dma_cap_mask_t mask;
	struct floor *floor;
	int ret;

	floor = kvzalloc(sizeof(*floor), GFP_KERNEL);
	if (!floor)
		return -ENOMEM;
	init_completion(&floor->done);
	dma_cap_zero(mask);
	dma_cap_set(DMA_MEMCPY, mask);
	floor->chan = dma_request_chan_by_mask(&mask);
	if (IS_ERR(floor->chan)) {
		ret = PTR_ERR(floor->chan);
		goto out_free;
	}
	floor->dev = dmaengine_get_dma_device(floor->chan);
	sched_set_fifo(current);
	ret = floor_measure_all(floor);
	sched_set_normal(current, 0);
	dma_release_channel(floor->chan);
out_free:
	kvfree(floor);
	return ret;
}
module_init(floor_init);

/* Without an exit function the module could not be removed. */
static void __exit floor_exit(void)
{
}
module_exit(floor_exit);

MODULE_DESCRIPTION("What copies by a DMA engine cost at least");
MODULE_LICENSE("GPL");
DMACPY_IMPORT_NS(DMA_BUF);
