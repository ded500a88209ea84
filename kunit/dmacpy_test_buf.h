/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_TEST_BUF_H
#define DMACPY_TEST_BUF_H

#include <linux/dma-direction.h>
#include <linux/types.h>

struct dma_buf;
struct dmacpy_account;
struct dmacpy_buf;
struct dmacpy_chan;
struct kunit;
struct test_engine;

/**
 * struct test_seg - a segment of a dma-buf, as the engine sees it
 * @addr: its DMA address
 * @length: bytes
 */
struct test_seg {
	dma_addr_t addr;
	unsigned int length;
};

/**
 * struct test_layout - the segments of a dma-buf of a test
 * @size: bytes; the segments may be longer, or shorter
 * @nsegs: number of @segs
 * @segs: the segments
 * @error: error that mapping fails with, or 0
 */
struct test_layout {
	size_t size;
	unsigned int nsegs;
	const struct test_seg *segs;
	int error;
};

struct dmacpy_account *test_account(struct kunit *test);
struct dmacpy_chan *test_buf_chan(struct kunit *test);
struct dma_buf *test_dmabuf_new(struct kunit *test,
				const struct test_layout *layout);
struct dma_buf *test_dmabuf_of(struct kunit *test, struct test_engine *engine,
			       void *memory, size_t size);
unsigned int test_dmabuf_mappings(const struct dma_buf *dmabuf);
enum dma_data_direction test_dmabuf_direction(const struct dma_buf *dmabuf);
struct dmacpy_buf *test_buf_import(struct kunit *test, struct dmacpy_chan *chan,
				   struct dma_buf *dmabuf, u32 access);

#endif /* DMACPY_TEST_BUF_H */
