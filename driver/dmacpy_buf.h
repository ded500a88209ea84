/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_BUF_H
#define DMACPY_BUF_H

#include <linux/types.h>

struct dma_buf;
struct dma_resv;
struct dmacpy_buf;
struct dmacpy_chan;

int dmacpy_buf_init(void);
void dmacpy_buf_exit(void);
void dmacpy_buf_flush(void);

struct dmacpy_buf *dmacpy_buf_import(struct dmacpy_chan *chan,
				     struct dma_buf *dmabuf, u32 access);
struct dmacpy_buf *dmacpy_buf_pin(unsigned long addr, size_t length,
				  u32 access);
int dmacpy_buf_map_user(struct dmacpy_buf *buf, struct dmacpy_chan *chan);
void dmacpy_buf_get(struct dmacpy_buf *buf);
void dmacpy_buf_put(struct dmacpy_buf *buf);
void dmacpy_buf_put_atomic(struct dmacpy_buf *buf);

struct dma_resv *dmacpy_buf_resv(const struct dmacpy_buf *buf);
unsigned int dmacpy_buf_visit(struct dmacpy_buf *buf, u64 visit,
			      unsigned int index);
u64 dmacpy_buf_length(const struct dmacpy_buf *buf);
bool dmacpy_buf_allows(const struct dmacpy_buf *buf, u32 access);
bool dmacpy_buf_same(const struct dmacpy_buf *a, const struct dmacpy_buf *b);
bool dmacpy_buf_aligned(const struct dmacpy_buf *buf,
			const struct dmacpy_chan *chan, u64 offset, u64 others);
dma_addr_t dmacpy_buf_addr(const struct dmacpy_buf *buf, u64 offset,
			   unsigned int *hint, u64 *length);
bool dmacpy_buf_needs_sync(const struct dmacpy_buf *buf);
void dmacpy_buf_sync_for_device(const struct dmacpy_buf *buf, u64 offset,
				u64 length);
void dmacpy_buf_sync_for_cpu(const struct dmacpy_buf *buf, u64 offset,
			     u64 length);

#endif /* DMACPY_BUF_H */
