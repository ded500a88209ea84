/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_BUF_H
#define DMACPY_BUF_H

#include <linux/dma-buf.h>
#include <linux/dma-direction.h>
#include <linux/kref.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "dmacpy_account.h"
#include "dmacpy_chan.h"

struct device;
struct dma_buf;
struct dma_fence;
struct dma_resv;
struct dmacpy_device;
struct mm_struct;
struct page;

/**
 * struct dmacpy_seg - a range that is contiguous for the engine
 * @start: offset in the buffer; the segment ends at @start of the next one
 * @addr: address for the engine
 */
struct dmacpy_seg {
	u64 start;
	dma_addr_t addr;
};

/**
 * struct dmacpy_buf - a buffer that an engine reads or writes
 * @ref: held by the handle and by each job
 * @account: a reference to the account of the stream's opener
 * @handles: number of handles charged to @account
 * @access: DMACPY_ACCESS_*
 * @length: in bytes
 * @dma_dev: a reference to the engine's device, for which it is mapped: a part
 *	of a job may stay in the quarantine of a channel of another device
 * @power: the device whose power is on for it, NULL before it is mapped
 * @segs: the segments, in order, and a terminating one that starts at @length
 * @nsegs: number of segments, without the terminating one
 * @visit: the last job that used it, see dmacpy_buf_slot()
 * @index: its index among the buffers of that job
 * @work: frees it, when the last reference is dropped in atomic context
 * @sgt: the mapping, NULL if there is none
 * @dmabuf: a reference to the dma-buf, NULL for memory of a process
 * @attach: the attachment to @dmabuf
 * @explicit_sync: memory of a process, which the program syncs
 * @incoherent: memory of a process, with an engine or a mapping that is not
 *	coherent; a dma-buf is synced by its exporter and its users
 * @needs_sync: @incoherent, and jobs sync it
 * @bounces: @needs_sync, and the engine may access a bounce buffer
 * @writer: a reference to the fence of the last job that writes to it if it
 *	@bounces, or NULL; under dmacpy_stream.submit
 * @table: the scatter list of a process's memory
 * @pages: its pages, pinned
 * @npages: number of @pages that are pinned
 * @offset: of the memory in the first page
 * @mm: a reference to the address space that shows @charged as VmPin
 * @charged: number of pages charged to @account
 */
struct dmacpy_buf {
	struct kref ref;
	struct dmacpy_account *account;
	unsigned int handles;
	u32 access;
	u64 length;
	struct device *dma_dev;
	struct device *power;
	struct dmacpy_seg *segs;
	unsigned int nsegs;
	u64 visit;
	unsigned int index;
	struct work_struct work;
	struct sg_table *sgt;

	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;

	bool explicit_sync;
	bool incoherent;
	bool needs_sync;
	bool bounces;
	struct dma_fence *writer;
	struct sg_table table;
	struct page **pages;
	unsigned long npages;
	unsigned int offset;
	struct mm_struct *mm;
	unsigned long charged;
};

extern struct workqueue_struct *dmacpy_buf_wq;

void dmacpy_buf_flush(void);
int dmacpy_buf_charge_user(struct dmacpy_account *account,
			   enum dmacpy_resource resource, unsigned long amount);

struct dma_buf *dmacpy_buf_alloc(struct dmacpy_device *dev,
				 struct dmacpy_account *account, u64 length,
				 int flags);
struct dmacpy_buf *dmacpy_buf_import(struct dmacpy_account *account,
				     struct dmacpy_chan *chan,
				     struct dma_buf *dmabuf, u32 access);
struct dmacpy_buf *dmacpy_buf_pin(struct dmacpy_account *account,
				  unsigned long addr, size_t length,
				  u32 access);
int dmacpy_buf_map_user(struct dmacpy_buf *buf, struct dmacpy_chan *chan,
			bool explicit_sync);
void dmacpy_buf_put(struct dmacpy_buf *buf);
void dmacpy_buf_release_later(struct kref *ref);

unsigned int dmacpy_buf_find_seg(const struct dmacpy_buf *buf, u64 offset);
void dmacpy_buf_sync_part(struct device *dev, dma_addr_t addr, size_t size,
			  enum dma_data_direction dir, bool for_cpu);
void dmacpy_buf_sync_for_device(const struct dmacpy_buf *buf, u64 offset,
				u64 length);
void dmacpy_buf_sync_for_cpu(const struct dmacpy_buf *buf, u64 offset,
			     u64 length);
int dmacpy_buf_check_sync(const struct dmacpy_buf *buf,
			  const struct dmacpy_chan *chan, u64 offset,
			  u64 length, bool for_cpu);
void dmacpy_buf_sync(const struct dmacpy_buf *buf, u64 offset, u64 length,
		     bool for_cpu);

static inline bool dmacpy_seg_has(const struct dmacpy_seg *seg, u64 offset)
{
	return offset >= seg->start && offset < seg[1].start;
}

/* Undone by dmacpy_buf_put() or dmacpy_buf_put_atomic(). */
static inline void dmacpy_buf_get(struct dmacpy_buf *buf)
{
	kref_get(&buf->ref);
}

/**
 * dmacpy_buf_put_atomic() - drop a reference in atomic context
 * @buf: the buffer; see dmacpy_buf_flush()
 *
 * Context: Any.
 */
static inline void dmacpy_buf_put_atomic(struct dmacpy_buf *buf)
{
	kref_put(&buf->ref, dmacpy_buf_release_later);
}

/* Returns NULL for memory of a process, which only its own stream can use. */
static inline struct dma_resv *dmacpy_buf_resv(const struct dmacpy_buf *buf)
{
	return buf->dmabuf ? buf->dmabuf->resv : NULL;
}

/* Returns the bytes of pinned memory, in whole pages. */
static inline u64 dmacpy_buf_pinned(const struct dmacpy_buf *buf)
{
	return (u64)buf->npages << PAGE_SHIFT;
}

/* Returns true if the buffer was created with all of the access. */
static inline bool dmacpy_buf_allows(const struct dmacpy_buf *buf, u32 access)
{
	return (buf->access & access) == access;
}

/* Returns true if both are the same object, or refer to the same dma-buf. */
static inline bool dmacpy_buf_same(const struct dmacpy_buf *a,
				   const struct dmacpy_buf *b)
{
	return a == b || (a->dmabuf && a->dmabuf == b->dmabuf);
}

/**
 * dmacpy_buf_aligned() - check if the engine can write to a range safely
 * @buf: the buffer
 * @chan: whose engine writes
 * @offset: first byte
 * @others: lengths and strides, combined with OR
 *
 * Context: Any.
 * Return: false if a write would lose bytes beside it.
 */
static inline bool dmacpy_buf_aligned(const struct dmacpy_buf *buf,
				      const struct dmacpy_chan *chan,
				      u64 offset, u64 others)
{
	return buf->dmabuf || !(((buf->offset + offset) | others) &
				(chan->user_align - 1));
}

/**
 * dmacpy_buf_slot() - get the index of a buffer among those of a job
 * @buf: the buffer
 * @visit: a number that the stream uses for one job only
 * @index: the index for a buffer that has none in this job yet
 *
 * Context: Under dmacpy_stream.submit.
 * Return: its index, which is @index the first time.
 */
static inline unsigned int dmacpy_buf_slot(struct dmacpy_buf *buf, u64 visit,
					   unsigned int index)
{
	if (buf->visit != visit) {
		buf->visit = visit;
		buf->index = index;
	}
	return buf->index;
}

/**
 * dmacpy_buf_addr() - get the engine's address of an offset
 * @buf: the buffer
 * @offset: less than its length
 * @hint: index of the segment of the last call, 0 at first, or that of another
 *	buffer; updated
 * @length: reduced to the contiguous range at the offset
 *
 * Context: Any.
 * Return: the address.
 */
static inline dma_addr_t dmacpy_buf_addr(const struct dmacpy_buf *buf,
					 u64 offset, unsigned int *hint,
					 size_t *length)
{
	const struct dmacpy_seg *seg = &buf->segs[*hint];

	/* Usually it is the segment of the last call, or the next one. */
	if (*hint >= buf->nsegs || !dmacpy_seg_has(seg, offset)) {
		if (*hint + 1 < buf->nsegs && dmacpy_seg_has(seg + 1, offset))
			++*hint;
		else
			*hint = dmacpy_buf_find_seg(buf, offset);
		seg = &buf->segs[*hint];
	}
	*length = min_t(u64, *length, seg[1].start - offset);
	return seg->addr + (offset - seg->start);
}

#endif /* DMACPY_BUF_H */
