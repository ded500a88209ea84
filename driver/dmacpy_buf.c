// SPDX-License-Identifier: GPL-2.0-only
/*
 * A source or destination of copies: a dma-buf, of our SRAM or of any other
 * driver, or pinned memory of a process; mapped for one engine, and divided
 * into segments.
 */
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/kref.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "dmacpy_account.h"
#include "dmacpy_buf.h"
#include "dmacpy_chan.h"
#include "dmacpy_compat.h"
#include "dmacpy_export.h"
#include "dmacpy_power.h"
#include "dmacpy_stub.h"

#include <linux/dmacpy.h>

/*
 * Maximum number of pages pinned at once, with interrupts off: those of one
 * page table
 */
#define BUF_MAX_PINS	512

/* Maximum number of bytes synced at once */
#define BUF_SYNC_STEP	SZ_1M

/*
 * A destination is mapped bidirectionally. Before the engine writes, the caches
 * may have newer data than the memory, such as the zeros of a new page, or data
 * that the CPU wrote elsewhere in the buffer. On 32-bit Arm, DMA_FROM_DEVICE
 * would discard these lines before they are written back.
 */
static enum dma_data_direction buf_direction(const struct dmacpy_buf *buf)
{
	return buf->access == DMACPY_ACCESS_READ ? DMA_TO_DEVICE :
						   DMA_BIDIRECTIONAL;
}

static void buf_detach(struct dmacpy_buf *buf)
{
	if (buf->sgt)
		dma_buf_unmap_attachment_unlocked(buf->attach, buf->sgt,
						  buf_direction(buf));
	if (buf->attach)
		dma_buf_detach(buf->dmabuf, buf->attach);
	dma_buf_put(buf->dmabuf);
}

/* The CPU's caches may have newer data: skip their sync, as at mapping. */
static void buf_unpin(struct dmacpy_buf *buf)
{
	if (buf->sgt)
		dma_unmap_sgtable(buf->dma_dev, buf->sgt, buf_direction(buf),
				  DMA_ATTR_SKIP_CPU_SYNC);
	sg_free_table(&buf->table);
	unpin_user_pages_dirty_lock(buf->pages, buf->npages, buf->sgt &&
				    buf->access & DMACPY_ACCESS_WRITE);
	kvfree(buf->pages);
	dma_fence_put(buf->writer);
	dmacpy_account_uncharge(buf->account, DMACPY_PINNED_PAGES,
				buf->charged);
	atomic64_sub(buf->charged, &buf->mm->pinned_vm);
	mmdrop(buf->mm);
}

/* Prepare a mapping for the engine, whose device may have to be powered. */
static int buf_set_engine(struct dmacpy_buf *buf, struct dmacpy_chan *chan)
{
	int ret = dmacpy_power_get(chan->parent);

	if (ret)
		return ret;
	buf->power = chan->parent;
	buf->dma_dev = get_device(chan->dma_dev);
	return 0;
}

static void buf_free(struct dmacpy_buf *buf)
{
	kvfree(buf->segs);
	if (buf->dmabuf)
		buf_detach(buf);
	else
		buf_unpin(buf);
	put_device(buf->dma_dev);
	if (buf->power)
		dmacpy_power_put(buf->power);
	dmacpy_account_uncharge(buf->account, DMACPY_HANDLES, buf->handles);
	dmacpy_account_put(buf->account);
	kfree(buf);
}

static void buf_work(struct work_struct *work)
{
	struct dmacpy_buf *buf = container_of(work, struct dmacpy_buf, work);
	struct dma_buf *sram = NULL;

	if (buf->dmabuf && dmacpy_export_is_sram(buf->dmabuf)) {
		sram = buf->dmabuf;
		get_dma_buf(sram);
	}
	buf_free(buf);
	/* dma_buf_put() in a kernel thread frees it only a jiffy later. */
	if (sram)
		__fput_sync(sram->file);
}

static void buf_release(struct kref *ref)
{
	buf_free(container_of(ref, struct dmacpy_buf, ref));
}

/**
 * dmacpy_buf_release_later() - free a buffer in atomic context
 * @ref: dmacpy_buf.ref, after the last reference was dropped
 *
 * Context: Any.
 */
void dmacpy_buf_release_later(struct kref *ref)
{
	struct dmacpy_buf *buf = container_of(ref, struct dmacpy_buf, ref);

	queue_work(dmacpy_buf_wq, &buf->work);
}

/**
 * dmacpy_buf_charge_user() - charge a user, but not for completed jobs
 * @account: the user's account
 * @resource: what is charged
 * @amount: amount of it
 *
 * A job that completes may put the last reference to a buffer, which is charged
 * until a work item frees it. If the limit is reached, this waits for these.
 *
 * Context: Process. Undone by dmacpy_account_uncharge().
 * Return: 0 or -EDQUOT.
 */
int dmacpy_buf_charge_user(struct dmacpy_account *account,
			   enum dmacpy_resource resource, unsigned long amount)
{
	int ret = dmacpy_account_charge(account, resource, amount);

	if (!ret)
		return 0;
	dmacpy_buf_flush();
	return dmacpy_account_charge(account, resource, amount);
}

/**
 * dmacpy_buf_alloc() - allocate SRAM, also that of completed jobs
 * @dev: whose SRAM
 * @account: of the user, charged until the buffer is freed
 * @length: requested bytes, rounded up to whole pages
 * @flags: access mode and O_CLOEXEC of the future file descriptor
 *
 * As dmacpy_buf_charge_user(), this waits for buffers that a work item frees.
 *
 * Context: Process, outside of the gate.
 * Return: as dmacpy_export_alloc().
 */
struct dma_buf *dmacpy_buf_alloc(struct dmacpy_device *dev,
				 struct dmacpy_account *account, u64 length,
				 int flags)
{
	struct dma_buf *dmabuf;

	dmabuf = dmacpy_export_alloc(dev, account, length, flags);
	if (dmabuf != ERR_PTR(-ENOSPC) && dmabuf != ERR_PTR(-EDQUOT))
		return dmabuf;
	dmacpy_buf_flush();
	return dmacpy_export_alloc(dev, account, length, flags);
}

static struct dmacpy_buf *buf_new(struct dmacpy_account *account, u64 length,
				  u32 access)
{
	struct dmacpy_buf *buf;
	int ret;

	ret = dmacpy_buf_charge_user(account, DMACPY_HANDLES, 1);
	if (ret)
		return ERR_PTR(ret);
	buf = kzalloc(sizeof(*buf), GFP_KERNEL_ACCOUNT);
	if (!buf) {
		dmacpy_account_uncharge(account, DMACPY_HANDLES, 1);
		return ERR_PTR(-ENOMEM);
	}
	kref_init(&buf->ref);
	INIT_WORK(&buf->work, buf_work);
	dmacpy_account_get(account);
	buf->account = account;
	buf->handles = 1;
	buf->length = length;
	buf->access = access;
	return buf;
}

/*
 * Adjacent segments of a dma-buf are joined. Those of pinned memory are not:
 * they are the units in which the mapping has to be synced.
 */
static bool buf_joins(const struct dmacpy_buf *buf, u64 start, dma_addr_t addr)
{
	const struct dmacpy_seg *last;

	if (!buf->dmabuf || !buf->nsegs)
		return false;
	last = &buf->segs[buf->nsegs - 1];
	return last->addr + (start - last->start) == addr;
}

/*
 * Copies are cut at segment boundaries, which have to be aligned for the
 * engine. The mapping of pinned memory begins at the start of its first page,
 * the buffer at an offset in that page.
 */
static int buf_cut(struct dmacpy_buf *buf, const struct dmacpy_chan *chan)
{
	u64 mask = chan->copy_align - 1, start = 0;
	unsigned int skip = buf->offset;
	struct scatterlist *sg;
	dma_addr_t addr;
	int i;

	buf->segs = kvmalloc_array(buf->sgt->nents + 1, sizeof(*buf->segs),
				   GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!buf->segs)
		return -ENOMEM;

	for_each_sgtable_dma_sg(buf->sgt, sg, i) {
		if (start >= buf->length)
			break;
		addr = sg_dma_address(sg) + skip;
		if ((start | addr) & mask)
			return -EINVAL;
		if (!buf_joins(buf, start, addr))
			buf->segs[buf->nsegs++] =
				(struct dmacpy_seg){ start, addr };
		start += sg_dma_len(sg) - skip;
		skip = 0;
	}
	buf->segs[buf->nsegs].start = buf->length;
	return start < buf->length ? -EINVAL : 0;
}

static bool buf_segs_need_sync(const struct dmacpy_buf *buf)
{
	unsigned int i;

	for (i = 0; i < buf->nsegs; i++)
		if (dma_need_sync(buf->dma_dev, buf->segs[i].addr))
			return true;
	return false;
}

/*
 * If the engine has the memory's physical address, the memory does not bounce.
 * Another address, such as one from an IOMMU, proves nothing.
 */
static bool buf_may_bounce(const struct dmacpy_buf *buf)
{
	struct scatterlist *sg;
	int i;

	for_each_sgtable_dma_sg(buf->sgt, sg, i)
		if (sg_dma_address(sg) != sg_phys(sg))
			return true;
	return false;
}

/*
 * Only the exporter limits the number of segments: the user is charged for the
 * memory of its scatter list and of ours.
 */
static int buf_charge_segs(struct dmacpy_buf *buf)
{
	size_t size = array_size(buf->sgt->orig_nents,
				 sizeof(*buf->sgt->sgl) + sizeof(*buf->segs));
	unsigned int handles = size / DMACPY_HANDLE_MEMORY;
	int ret = dmacpy_buf_charge_user(buf->account, DMACPY_HANDLES, handles);

	if (!ret)
		buf->handles += handles;
	return ret;
}

/**
 * dmacpy_buf_import() - create a buffer from a dma-buf
 * @account: the account that the buffer is charged to
 * @chan: whose engine it is mapped for
 * @dmabuf: the dma-buf; the buffer takes its own reference
 * @access: DMACPY_ACCESS_*
 *
 * Context: Process, inside the gate. The exporter may make it wait.
 * Return: the buffer with a reference (dmacpy_buf_put()), or an ERR_PTR():
 * -EINVAL if the engine cannot use it, -EDQUOT, -ENOMEM, an error of the
 * exporter, or the -errno of a device that cannot be resumed.
 */
struct dmacpy_buf *dmacpy_buf_import(struct dmacpy_account *account,
				     struct dmacpy_chan *chan,
				     struct dma_buf *dmabuf, u32 access)
{
	struct dma_buf_attachment *attach;
	struct dmacpy_buf *buf;
	struct sg_table *sgt;
	int ret;

	buf = buf_new(account, dmabuf->size, access);
	if (IS_ERR(buf))
		return buf;
	get_dma_buf(dmabuf);
	buf->dmabuf = dmabuf;
	ret = buf_set_engine(buf, chan);
	if (ret)
		goto err_free;

	attach = dma_buf_attach(dmabuf, chan->dma_dev);
	if (IS_ERR(attach)) {
		ret = PTR_ERR(attach);
		goto err_free;
	}
	buf->attach = attach;

	sgt = dma_buf_map_attachment_unlocked(attach, buf_direction(buf));
	if (IS_ERR(sgt)) {
		ret = PTR_ERR(sgt);
		goto err_free;
	}
	buf->sgt = sgt;

	ret = buf_charge_segs(buf) ?: buf_cut(buf, chan);
	if (ret)
		goto err_free;
	return buf;

err_free:
	buf_free(buf);
	return ERR_PTR(ret);
}

/*
 * The pins outlive the process, so the user is charged. pinned_vm only shows
 * them in /proc.
 */
static int buf_charge(struct dmacpy_buf *buf, unsigned long npages)
{
	int ret = dmacpy_buf_charge_user(buf->account, DMACPY_PINNED_PAGES,
					 npages);

	if (ret)
		return ret;
	buf->charged = npages;
	atomic64_add(npages, &buf->mm->pinned_vm);
	return 0;
}

static int buf_pin_pages(struct dmacpy_buf *buf, unsigned long addr)
{
	unsigned int flags = FOLL_LONGTERM;
	unsigned long left;
	int ret;

	flags |= buf->access & DMACPY_ACCESS_WRITE ? FOLL_WRITE :
						     DMACPY_FOLL_READ;
	for (; (left = buf->charged - buf->npages); addr += ret * PAGE_SIZE) {
		left = min_t(unsigned long, left, BUF_MAX_PINS);
		if (buf->access == DMACPY_ACCESS_READ &&
		    !dmacpy_may_read(addr, left * PAGE_SIZE))
			return -EFAULT;
		ret = pin_user_pages_fast(addr, left, flags,
					  buf->pages + buf->npages);
		if (ret == -ENOMEM || ret == -EINTR)
			return ret;
		if (ret <= 0)
			return -EFAULT;
		buf->npages += ret;
	}
	if (buf->access & DMACPY_ACCESS_WRITE &&
	    !dmacpy_may_write_pages(buf->pages, buf->npages))
		return -EFAULT;
	return 0;
}

/**
 * dmacpy_buf_pin() - create a buffer from memory of the calling process
 * @account: the account that the buffer is charged to
 * @addr: its address
 * @length: bytes, not 0, not wrapping
 * @access: DMACPY_ACCESS_*
 *
 * The buffer cannot be used before dmacpy_buf_map_user().
 *
 * Context: Process, outside of the gate, as it may fault memory in.
 * Return: the buffer with a reference (dmacpy_buf_put()), or an ERR_PTR():
 * -EDQUOT for a limit of the user, -EFAULT if there is no such memory or it
 * cannot be pinned, -EOPNOTSUPP if the CPU's cache cannot be synced with it,
 * -ENOMEM, -EINTR.
 */
struct dmacpy_buf *dmacpy_buf_pin(struct dmacpy_account *account,
				  unsigned long addr, size_t length, u32 access)
{
	struct dmacpy_buf *buf;
	unsigned long npages;
	int ret;

	if (cpu_dcache_is_aliasing())
		return ERR_PTR(-EOPNOTSUPP);
	if (PHYS_PFN(length) > totalram_pages())
		return ERR_PTR(-ENOMEM);
	npages = PHYS_PFN(PAGE_ALIGN((u64)offset_in_page(addr) + length));
	buf = buf_new(account, length, access);
	if (IS_ERR(buf))
		return buf;
	buf->offset = offset_in_page(addr);
	buf->mm = current->mm;
	mmgrab(buf->mm);

	ret = buf_charge(buf, npages);
	if (ret)
		goto err_free;

	/* The user may cause an allocation that is too large: do not warn. */
	buf->pages = kvmalloc_array(npages, sizeof(*buf->pages),
				    GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!buf->pages) {
		ret = -ENOMEM;
		goto err_free;
	}
	ret = buf_pin_pages(buf, addr - buf->offset);
	if (ret)
		goto err_free;
	return buf;

err_free:
	buf_free(buf);
	return ERR_PTR(ret);
}

/**
 * dmacpy_buf_map_user() - map pinned memory for an engine
 * @buf: from dmacpy_buf_pin(); needs dmacpy_buf_put() after a failure, too
 * @chan: whose engine it is mapped for
 * @explicit_sync: jobs do not sync it
 *
 * If jobs do not sync it, it is synced now: data that is only in the caches,
 * such as the zeros of a new page, has to replace the data of an earlier owner
 * before the engine can read the memory.
 *
 * Whole pages are mapped: the DMA API treats a segment that ends within a cache
 * line as a kmalloc()ed object, and bounces it for an engine that is not
 * coherent, through a pool that all devices share.
 *
 * Context: Process, inside the gate.
 * Return: 0, -EINVAL if the engine cannot use it, -ENOMEM, -EIO, or the -errno
 * of a device that cannot be resumed.
 */
int dmacpy_buf_map_user(struct dmacpy_buf *buf, struct dmacpy_chan *chan,
			bool explicit_sync)
{
	unsigned long attrs = DMA_ATTR_NO_WARN;
	unsigned int max;
	int ret;

	ret = buf_set_engine(buf, chan);
	if (ret)
		return ret;
	max = min3((size_t)dma_get_max_seg_size(chan->dma_dev),
		   dma_max_mapping_size(chan->dma_dev), (size_t)UINT_MAX);
	ret = sg_alloc_table_from_pages_segment(&buf->table, buf->pages,
						buf->npages, 0,
						buf->npages << PAGE_SHIFT,
						max_t(unsigned int, max,
						      PAGE_SIZE),
						GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;

	/* Each copy syncs exactly the range that it needs. */
	if (!explicit_sync)
		attrs |= DMA_ATTR_SKIP_CPU_SYNC;
	ret = dma_map_sgtable(chan->dma_dev, &buf->table, buf_direction(buf),
			      attrs);
	if (ret)
		return ret;
	buf->sgt = &buf->table;
	ret = buf_cut(buf, chan);
	buf->explicit_sync = explicit_sync;
	buf->incoherent = buf_segs_need_sync(buf);
	buf->needs_sync = buf->incoherent && !explicit_sync;
	buf->bounces = buf->needs_sync && buf_may_bounce(buf);
	return ret;
}

/**
 * dmacpy_buf_put() - drop a reference
 * @buf: the buffer
 *
 * Context: Process.
 */
void dmacpy_buf_put(struct dmacpy_buf *buf)
{
	kref_put(&buf->ref, buf_release);
}

/**
 * dmacpy_buf_flush() - wait for the buffers that dmacpy_buf_put_atomic() frees
 *
 * Context: Process.
 */
void dmacpy_buf_flush(void)
{
	flush_workqueue(dmacpy_buf_wq);
}

/**
 * dmacpy_buf_find_seg() - find the segment of an offset
 * @buf: the buffer
 * @offset: less than its length
 *
 * Context: Any.
 * Return: the index of the segment.
 */
unsigned int dmacpy_buf_find_seg(const struct dmacpy_buf *buf, u64 offset)
{
	unsigned int low = 0, high = buf->nsegs, mid;

	while (high - low > 1) {
		mid = low + (high - low) / 2;
		if (buf->segs[mid].start <= offset)
			low = mid;
		else
			high = mid;
	}
	return low;
}

/**
 * dmacpy_buf_sync_part() - sync a contiguous range
 * @dev: the engine's device
 * @addr: DMA address of the range
 * @size: bytes
 * @dir: the direction of the mapping
 * @for_cpu: true to sync for the CPU, false for the engine
 *
 * Unit tests replace this function: QEMU models no caches.
 *
 * Context: Any.
 */
void dmacpy_buf_sync_part(struct device *dev, dma_addr_t addr, size_t size,
			  enum dma_data_direction dir, bool for_cpu)
{
	DMACPY_STUB(dmacpy_buf_sync_part, dev, addr, size, dir, for_cpu);
	if (for_cpu)
		dma_sync_single_for_cpu(dev, addr, size, dir);
	else
		dma_sync_single_for_device(dev, addr, size, dir);
}

/*
 * An IOMMU may have joined pages to a segment that is contiguous only for the
 * engine: a sync must be of a range that is contiguous for the CPU too.
 */
static void buf_sync(const struct dmacpy_buf *buf, u64 offset, u64 length,
		     bool for_cpu)
{
	const struct dmacpy_seg *seg =
		&buf->segs[dmacpy_buf_find_seg(buf, offset)];
	bool joined = buf->table.nents != buf->table.orig_nents;
	enum dma_data_direction dir = buf_direction(buf);
	u64 part;

	for (; length; offset += part, length -= part) {
		if (offset == seg[1].start)
			seg++;
		part = min(length, seg[1].start - offset);
		if (joined)
			part = min_t(u64, part, PAGE_SIZE -
				     offset_in_page(buf->offset + offset));
		dmacpy_buf_sync_part(buf->dma_dev,
				     seg->addr + (offset - seg->start), part,
				     dir, for_cpu);
	}
}

/**
 * dmacpy_buf_sync_for_device() - sync a range for the engine
 * @buf: the buffer; a dma-buf is synced by its exporter and its users
 * @offset: first byte
 * @length: bytes
 *
 * Context: Any.
 */
void dmacpy_buf_sync_for_device(const struct dmacpy_buf *buf, u64 offset,
				u64 length)
{
	if (buf->needs_sync)
		buf_sync(buf, offset, length, false);
}

/**
 * dmacpy_buf_sync_for_cpu() - sync a range that the engine wrote for the CPU
 * @buf: the buffer
 * @offset: first byte
 * @length: bytes
 *
 * Context: Any.
 */
void dmacpy_buf_sync_for_cpu(const struct dmacpy_buf *buf, u64 offset,
			     u64 length)
{
	if (buf->needs_sync)
		buf_sync(buf, offset, length, true);
}

/**
 * dmacpy_buf_check_sync() - check if a program may sync a range
 * @buf: the buffer
 * @chan: whose engine it is mapped for
 * @offset: first byte
 * @length: bytes
 * @for_cpu: true to sync for the CPU, false for the engine
 *
 * Context: Any.
 * Return: 0; -EINVAL if there is no such range, if the buffer is synced by jobs
 * or by its exporter, or if the sync would lose bytes beside the range;
 * -EACCES.
 */
int dmacpy_buf_check_sync(const struct dmacpy_buf *buf,
			  const struct dmacpy_chan *chan, u64 offset,
			  u64 length, bool for_cpu)
{
	u64 end;

	if (!buf->explicit_sync || !length ||
	    check_add_overflow(offset, length, &end) || end > buf->length)
		return -EINVAL;
	if (!for_cpu)
		return 0;
	if (!dmacpy_buf_allows(buf, DMACPY_ACCESS_WRITE))
		return -EACCES;
	return dmacpy_buf_aligned(buf, chan, offset, length) ? 0 : -EINVAL;
}

/**
 * dmacpy_buf_sync() - sync a range for a program
 * @buf: the buffer
 * @offset: first byte
 * @length: bytes; dmacpy_buf_check_sync() has accepted the range
 * @for_cpu: the same as for dmacpy_buf_check_sync()
 *
 * Context: Process, inside the gate.
 */
void dmacpy_buf_sync(const struct dmacpy_buf *buf, u64 offset, u64 length,
		     bool for_cpu)
{
	u64 part;

	for (; buf->incoherent && length; offset += part, length -= part) {
		part = min_t(u64, length, BUF_SYNC_STEP);
		buf_sync(buf, offset, part, for_cpu);
		cond_resched();
	}
}
