// SPDX-License-Identifier: GPL-2.0-only
/* Buffers: dma-bufs of another driver, of any segments that a test needs. */
#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/fcntl.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "dmacpy_account.h"
#include "dmacpy_buf.h"
#include "dmacpy_chan.h"
#include "dmacpy_power.h"
#include "dmacpy_test_buf.h"
#include "dmacpy_test_engine.h"

/**
 * struct test_dmabuf - the private data of a dma-buf
 * @layout: its segments
 * @mappings: number of mappings
 * @direction: direction of the last map or unmap
 * @released: it has been freed
 */
struct test_dmabuf {
	struct test_layout layout;
	unsigned int mappings;
	enum dma_data_direction direction;
	struct completion released;
};

static void account_put(void *account)
{
	dmacpy_account_put(account);
}

/**
 * test_account() - get the account of the user that runs the tests
 * @test: drops the reference at its end
 *
 * Context: Process.
 * Return: the account; @test owns the reference.
 */
struct dmacpy_account *test_account(struct kunit *test)
{
	struct dmacpy_account *account = dmacpy_account_get_current();

	KUNIT_ASSERT_NOT_NULL(test, account);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, account_put, account));
	return account;
}

static void buf_disable_power(void *dev)
{
	dmacpy_power_disable(dev);
}

/**
 * test_buf_chan() - create a channel that is sufficient for buffers
 * @test: frees it at its end
 *
 * There is no engine behind it.
 *
 * Context: Process.
 * Return: the channel, which the test may change.
 */
struct dmacpy_chan *test_buf_chan(struct kunit *test)
{
	struct dmacpy_chan *chan;
	struct device *dev;

	dev = kunit_device_register(test, "dmacpy-test-buf");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	dmacpy_power_enable(dev);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, buf_disable_power,
						  dev));
	chan = kunit_kzalloc(test, sizeof(*chan), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, chan);
	chan->parent = dev;
	chan->dma_dev = dev;
	chan->copy_align = 1;
	chan->user_align = 1;
	spin_lock_init(&chan->lock);
	return chan;
}

/* An exporter need not have pages. */
static void dmabuf_fill_table(struct sg_table *sgt,
			      const struct test_layout *layout)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sg(sgt->sgl, sg, layout->nsegs, i) {
		sg_set_page(sg, NULL, layout->segs[i].length, 0);
		sg_dma_address(sg) = layout->segs[i].addr;
		sg_dma_len(sg) = layout->segs[i].length;
	}
}

static struct sg_table *dmabuf_map(struct dma_buf_attachment *attach,
				   enum dma_data_direction dir)
{
	struct test_dmabuf *priv = attach->dmabuf->priv;
	struct sg_table *sgt;

	if (priv->layout.error)
		return ERR_PTR(priv->layout.error);
	sgt = kmalloc(sizeof(*sgt), GFP_KERNEL);
	if (!sgt)
		return ERR_PTR(-ENOMEM);
	if (sg_alloc_table(sgt, priv->layout.nsegs, GFP_KERNEL)) {
		kfree(sgt);
		return ERR_PTR(-ENOMEM);
	}
	dmabuf_fill_table(sgt, &priv->layout);
	priv->mappings++;
	priv->direction = dir;
	return sgt;
}

static void dmabuf_unmap(struct dma_buf_attachment *attach,
			 struct sg_table *sgt, enum dma_data_direction dir)
{
	struct test_dmabuf *priv = attach->dmabuf->priv;

	sg_free_table(sgt);
	kfree(sgt);
	priv->mappings--;
	priv->direction = dir;
}

static void dmabuf_release(struct dma_buf *dmabuf)
{
	struct test_dmabuf *priv = dmabuf->priv;

	complete(&priv->released);
}

static const struct dma_buf_ops dmabuf_ops = {
	.map_dma_buf = dmabuf_map,
	.unmap_dma_buf = dmabuf_unmap,
	.release = dmabuf_release,
};

/* A kernel thread's last fput() is delayed, and runs in another thread. */
static void dmabuf_put(void *data)
{
	struct dma_buf *dmabuf = data;
	struct test_dmabuf *priv = dmabuf->priv;

	dma_buf_put(dmabuf);
	wait_for_completion(&priv->released);
}

/**
 * test_dmabuf_new() - create a dma-buf
 * @test: frees it at its end
 * @layout: its segments; have to exist for as long as @test
 *
 * Context: Process.
 * Return: the dma-buf; @test owns the reference.
 */
struct dma_buf *test_dmabuf_new(struct kunit *test,
				const struct test_layout *layout)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct test_dmabuf *priv;
	struct dma_buf *dmabuf;

	priv = kunit_kzalloc(test, sizeof(*priv), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, priv);
	priv->layout = *layout;
	init_completion(&priv->released);
	info.ops = &dmabuf_ops;
	info.size = layout->size;
	info.flags = O_RDWR;
	info.priv = priv;
	dmabuf = dma_buf_export(&info);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, dmabuf_put, dmabuf));
	return dmabuf;
}

/**
 * test_dmabuf_of() - create a contiguous dma-buf
 * @test: frees it at its end
 * @engine: an engine that may access it
 * @memory: its memory, for example from kmalloc()
 * @size: bytes
 *
 * Context: Process.
 * Return: the dma-buf, as from test_dmabuf_new().
 */
struct dma_buf *test_dmabuf_of(struct kunit *test, struct test_engine *engine,
			       void *memory, size_t size)
{
	struct test_layout layout = { .size = size, .nsegs = 1 };
	struct test_seg *seg;

	seg = kunit_kzalloc(test, sizeof(*seg), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, seg);
	seg->addr = test_engine_addr(engine, memory);
	seg->length = size;
	layout.segs = seg;
	return test_dmabuf_new(test, &layout);
}

/**
 * test_dmabuf_mappings() - get the number of mappings
 * @dmabuf: from test_dmabuf_new()
 *
 * Context: Any.
 * Return: number of mappings.
 */
unsigned int test_dmabuf_mappings(const struct dma_buf *dmabuf)
{
	const struct test_dmabuf *priv = dmabuf->priv;

	return priv->mappings;
}

/**
 * test_dmabuf_direction() - get the direction of the last map or unmap
 * @dmabuf: from test_dmabuf_new(), mapped at least once
 *
 * Context: Any.
 * Return: the direction.
 */
enum dma_data_direction test_dmabuf_direction(const struct dma_buf *dmabuf)
{
	const struct test_dmabuf *priv = dmabuf->priv;

	return priv->direction;
}

static void buf_put(void *buf)
{
	dmacpy_buf_put(buf);
}

/**
 * test_buf_import() - create a buffer from a dma-buf
 * @test: frees it at its end
 * @chan: channel to whose engine it is mapped
 * @dmabuf: from test_dmabuf_new()
 * @access: DMACPY_ACCESS_*
 *
 * Context: Process.
 * Return: the buffer; @test owns the reference.
 */
struct dmacpy_buf *test_buf_import(struct kunit *test, struct dmacpy_chan *chan,
				   struct dma_buf *dmabuf, u32 access)
{
	struct dmacpy_buf *buf;

	buf = dmacpy_buf_import(test_account(test), chan, dmabuf, access);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, buf_put, buf));
	return buf;
}
