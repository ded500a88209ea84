// SPDX-License-Identifier: GPL-2.0-only
/* A buffer of SRAM as a dma-buf. */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/fs.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/personality.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/user_namespace.h>

#include "dmacpy_account.h"
#include "dmacpy_compat.h"
#include "dmacpy_device.h"
#include "dmacpy_export.h"
#include "dmacpy_map.h"
#include "dmacpy_pool.h"
#include "dmacpy_power.h"

/* Lengths in scatter lists have 32 bits. */
#define EXPORT_MAX_ENTRY	SZ_2G

/**
 * struct dmacpy_export - the private data of a dma-buf of ours
 * @dev: a reference; the CPU can access the buffer only while it is bound
 * @node: in dmacpy_device.exports, under dmacpy_device.lock
 * @pool: a reference; outlives an unbind
 * @sram: the memory
 * @account: a reference to the account that @sram is charged to
 * @dmabuf: the dma-buf, which has the lifetime of this structure
 * @inode: a reference to the inode of user mappings
 */
struct dmacpy_export {
	struct dmacpy_device *dev;
	struct list_head node;
	struct dmacpy_pool *pool;
	struct dmacpy_sram sram;
	struct dmacpy_account *account;
	struct dma_buf *dmabuf;
	struct inode *inode;
};

/*
 * SRAM has no struct page, but some importers compute an address from the page
 * pointer of an entry, by sg_phys() or dma_map_sg(). If the computation only
 * uses the pointer's value, a pointer to a page that does not exist is
 * sufficient.
 */
static struct page *export_page(phys_addr_t phys)
{
	struct page *page;

	if (!IS_ENABLED(CONFIG_SPARSEMEM_VMEMMAP) &&
	    !IS_ENABLED(CONFIG_FLATMEM))
		return NULL;
	page = pfn_to_page(PHYS_PFN(phys));
	/* A pointer of 32 bits may have wrapped. */
	return page_to_pfn(page) == PHYS_PFN(phys) ? page : NULL;
}

/**
 * dmacpy_export_new_table() - create the scatter list of SRAM for an importer
 * @phys: the physical address of the SRAM
 * @addr: its address for the importer's device
 * @size: bytes
 *
 * Context: Process. Undone by sg_free_table() and kfree().
 * Return: the table, with the minimum number of entries, or an ERR_PTR() of
 * -ENOMEM.
 */
struct sg_table *dmacpy_export_new_table(phys_addr_t phys, dma_addr_t addr,
					 size_t size)
{
	struct scatterlist *sg;
	struct sg_table *sgt;
	u64 done = 0;
	size_t part;
	int i;

	sgt = kmalloc(sizeof(*sgt), GFP_KERNEL_ACCOUNT);
	if (!sgt)
		return ERR_PTR(-ENOMEM);
	if (sg_alloc_table(sgt, DIV_ROUND_UP(size, EXPORT_MAX_ENTRY),
			   GFP_KERNEL_ACCOUNT)) {
		kfree(sgt);
		return ERR_PTR(-ENOMEM);
	}
	for_each_sgtable_sg(sgt, sg, i) {
		part = min_t(size_t, size - done, EXPORT_MAX_ENTRY);
		sg_set_page(sg, export_page(phys + done), part, 0);
		sg_dma_address(sg) = addr + done;
		sg_dma_len(sg) = part;
		done += part;
	}
	return sgt;
}

static int export_attach(struct dma_buf *dmabuf,
			 struct dma_buf_attachment *attach)
{
	struct dmacpy_export *export = dmabuf->priv;

	return READ_ONCE(export->dev->unplugged) ? -ENODEV : 0;
}

/*
 * The SRAM is not cached, so it may be mapped any number of times, each time
 * with a separate table, which has the DMA address.
 */
static struct sg_table *export_map(struct dma_buf_attachment *attach,
				   enum dma_data_direction dir)
{
	struct dmacpy_export *export = attach->dmabuf->priv;
	struct sg_table *sgt;
	dma_addr_t addr;

	addr = dmacpy_map_sram(attach->dev, &export->sram, dir);
	if (addr == DMA_MAPPING_ERROR)
		return ERR_PTR(-EIO);
	sgt = dmacpy_export_new_table(export->sram.phys, addr,
				      export->sram.size);
	if (IS_ERR(sgt))
		dmacpy_unmap_sram(attach->dev, &export->sram, addr, dir);
	return sgt;
}

static void export_unmap(struct dma_buf_attachment *attach,
			 struct sg_table *sgt, enum dma_data_direction dir)
{
	struct dmacpy_export *export = attach->dmabuf->priv;

	dmacpy_unmap_sram(attach->dev, &export->sram, sg_dma_address(sgt->sgl),
			  dir);
	sg_free_table(sgt);
	kfree(sgt);
}

/* Returns the offset of an address in the buffer. */
static u64 export_offset(const struct vm_area_struct *vma, unsigned long addr)
{
	return ((u64)vma->vm_pgoff << PAGE_SHIFT) + (addr - vma->vm_start);
}

static vm_fault_t export_insert(struct vm_area_struct *vma, unsigned long addr)
{
	const struct dmacpy_export *export = vma->vm_private_data;
	u64 offset = export_offset(vma, addr);
	pgprot_t prot = vma->vm_page_prot;

	if (offset >= export->sram.size)
		return VM_FAULT_SIGBUS;
	/*
	 * Map the page dirty: otherwise the first write would fault, to set the
	 * dirty bit.
	 */
	if (vma->vm_flags & VM_WRITE)
		prot = __pgprot(pte_val(pte_mkdirty(pfn_pte(0, prot))));
	return vmf_insert_pfn_prot(vma, addr & PAGE_MASK,
				   PHYS_PFN(export->sram.phys + offset), prot);
}

/*
 * A fault costs as much as mapping many pages, and may hit a program at a bad
 * time, so the first fault maps all pages of the same page table. Pages that
 * are mapped already stay. Inside the gate, so that no page is mapped after
 * dmacpy_export_revoke().
 */
static vm_fault_t export_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct dmacpy_export *export = vma->vm_private_data;
	unsigned long addr = max(vmf->address & PMD_MASK, vma->vm_start);
	unsigned long end = pmd_addr_end(addr, vma->vm_end);
	vm_fault_t ret = VM_FAULT_SIGBUS;
	int idx;

	if (dmacpy_device_enter(export->dev, &idx))
		ret = export_insert(vma, vmf->address);
	for (; ret == VM_FAULT_NOPAGE && addr < end; addr += PAGE_SIZE)
		if (export_insert(vma, addr) != VM_FAULT_NOPAGE)
			break;
	dmacpy_device_exit(export->dev, idx);
	return ret;
}

/*
 * For debuggers, which cannot access memory without pages otherwise. They get
 * no more access than the process itself. Inside the gate, as export_fault().
 */
static int export_access(struct vm_area_struct *vma, unsigned long addr,
			 void *buf, int length, int write)
{
	struct dmacpy_export *export = vma->vm_private_data;
	u64 offset = export_offset(vma, addr);
	int idx, ret = -EIO;
	void *sram;

	if (!(vma->vm_flags & (write ? VM_WRITE : VM_READ)) ||
	    offset >= export->sram.size)
		return -EACCES;
	length = min3((u64)length, (u64)(vma->vm_end - addr),
		      export->sram.size - offset);

	if (dmacpy_device_enter(export->dev, &idx)) {
		sram = export->sram.vaddr + offset;
		memcpy(write ? sram : buf, write ? buf : sram, length);
		ret = length;
	}
	dmacpy_device_exit(export->dev, idx);
	return ret;
}

static const struct vm_operations_struct export_vm_ops = {
	.fault = export_fault,
	.access = export_access,
};

/*
 * A private mapping would be copied on write, which needs a struct page. A call
 * into an executable mapping would fault for ever, as no CPU fetches
 * instructions from such memory. The personality of some programs adds VM_EXEC
 * to all readable mappings.
 */
static int export_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct dmacpy_export *export = dmabuf->priv;

	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC &&
	    !(current->personality & READ_IMPLIES_EXEC))
		return -EPERM;
	if (READ_ONCE(export->dev->unplugged))
		return -ENODEV;

	vm_flags_mod(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP,
		     VM_EXEC | VM_MAYEXEC);
	vma->vm_page_prot =
		pgprot_writecombine(vm_get_page_prot(vma->vm_flags));
	vma->vm_private_data = export;
	vma->vm_ops = &export_vm_ops;
	return 0;
}

/*
 * Succeeds after dmacpy_export_revoke(), too: dma_buf_vmap() warns about
 * failures.
 */
static int export_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct dmacpy_export *export = dmabuf->priv;

	iosys_map_set_vaddr(map, export->sram.vaddr);
	return 0;
}

/*
 * The CPU's mapping is not cached. It is sufficient to order the CPU's
 * accesses, which it may combine and delay, against those of the engine.
 */
static int export_barrier(struct dmacpy_export *export)
{
	dmacpy_pool_barrier();
	return READ_ONCE(export->dev->unplugged) ? -ENODEV : 0;
}

/*
 * dma_buf_begin_cpu_access() waits only after this; wait here, before the
 * barrier.
 */
static int export_begin_cpu_access(struct dma_buf *dmabuf,
				   enum dma_data_direction dir)
{
	bool write = dir != DMA_FROM_DEVICE;
	long ret;

	ret = dma_resv_wait_timeout(dmabuf->resv, dma_resv_usage_rw(write),
				    true, MAX_SCHEDULE_TIMEOUT);
	return ret < 0 ? ret : export_barrier(dmabuf->priv);
}

static int export_end_cpu_access(struct dma_buf *dmabuf,
				 enum dma_data_direction dir)
{
	return export_barrier(dmabuf->priv);
}

static int export_alloc_sram(struct dmacpy_export *export, u64 length)
{
	struct dmacpy_device *dev = export->dev;
	size_t size = PAGE_ALIGN(min_t(u64, length, SIZE_MAX / 2));
	int ret;

	/* First: a user over the quota must not take SRAM even for a moment. */
	ret = dmacpy_account_charge(export->account, DMACPY_SRAM_PAGES,
				    size >> PAGE_SHIFT);
	if (ret)
		return ret;
	ret = dmacpy_power_get(dev->parent);
	if (ret)
		goto err_uncharge;
	ret = dmacpy_pool_alloc(export->pool, length, &export->sram);
	if (ret)
		goto err_put_power;
	dmacpy_account_get(export->account);
	return 0;

err_put_power:
	dmacpy_power_put(dev->parent);
err_uncharge:
	dmacpy_account_uncharge(export->account, DMACPY_SRAM_PAGES,
				size >> PAGE_SHIFT);
	return ret;
}

static void export_free_sram(struct dmacpy_export *export)
{
	struct dmacpy_device *dev = export->dev;

	dmacpy_account_uncharge(export->account, DMACPY_SRAM_PAGES,
				export->sram.size >> PAGE_SHIFT);
	dmacpy_account_put(export->account);
	dmacpy_pool_free(export->pool, &export->sram);
	dmacpy_power_put(dev->parent);
}

static void export_release(struct dma_buf *dmabuf)
{
	struct dmacpy_export *export = dmabuf->priv;
	struct dmacpy_device *dev = export->dev;

	mutex_lock(&dev->lock);
	list_del(&export->node);
	mutex_unlock(&dev->lock);
	iput(export->inode);
	export_free_sram(export);
	dmacpy_pool_put(export->pool);
	kfree(export);
	dmacpy_device_put(dev);
}

static const struct dma_buf_ops export_ops = {
	.attach = export_attach,
	.map_dma_buf = export_map,
	.unmap_dma_buf = export_unmap,
	.mmap = export_mmap,
	.vmap = export_vmap,
	.begin_cpu_access = export_begin_cpu_access,
	.end_cpu_access = export_end_cpu_access,
	.release = export_release,
};

/*
 * The buffer gets the name of the program, until a program sets another one,
 * for fdinfo, maps and debugfs. A failure does no harm.
 */
static void export_name(struct dma_buf *dmabuf)
{
	char comm[TASK_COMM_LEN];
	char *name;

	get_task_comm(comm, current);
	name = kstrdup(comm, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	spin_lock(&dmabuf->name_lock);
	dmabuf->name = name;
	spin_unlock(&dmabuf->name_lock);
}

static struct dma_buf *export_alloc(struct dmacpy_device *dev,
				    struct dmacpy_account *account, u64 length,
				    int flags)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dmacpy_export *export;
	struct dma_buf *dmabuf;
	int ret;

	export = kzalloc(sizeof(*export), GFP_KERNEL_ACCOUNT);
	if (!export)
		return ERR_PTR(-ENOMEM);
	export->dev = dev;
	export->pool = dev->pool;
	export->account = account;
	ret = export_alloc_sram(export, length);
	if (ret)
		goto err_free;

	info.ops = &export_ops;
	info.size = export->sram.size;
	info.flags = flags;
	info.priv = export;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf)) {
		ret = PTR_ERR(dmabuf);
		goto err_free_sram;
	}

	export_name(dmabuf);
	export->dmabuf = dmabuf;

	/* export_release() drops these references. */
	export->inode = file_inode(dmabuf->file);
	ihold(export->inode);
	dmacpy_device_get(dev);
	dmacpy_pool_get(export->pool);
	mutex_lock(&dev->lock);
	list_add(&export->node, &dev->exports);
	mutex_unlock(&dev->lock);
	return dmabuf;

err_free_sram:
	export_free_sram(export);
err_free:
	kfree(export);
	return ERR_PTR(ret);
}

/**
 * dmacpy_export_alloc() - allocate a buffer of SRAM and export it
 * @dev: whose SRAM
 * @account: of the user, charged until the buffer is freed
 * @length: requested bytes, rounded up to whole pages
 * @flags: access mode and O_CLOEXEC of the future file descriptor
 *
 * Context: Process, outside of the gate.
 * Return: the dma-buf with a reference (dma_buf_put()), or an ERR_PTR():
 * -EINVAL for a length of 0, -ENOSPC, -EDQUOT, -ENOMEM, -ENODEV after an
 * unbind, or the -errno of a device that cannot be resumed.
 */
struct dma_buf *dmacpy_export_alloc(struct dmacpy_device *dev,
				    struct dmacpy_account *account, u64 length,
				    int flags)
{
	struct dma_buf *dmabuf = ERR_PTR(-ENODEV);
	int idx;

	if (dmacpy_device_enter(dev, &idx))
		dmabuf = export_alloc(dev, account, length, flags);
	dmacpy_device_exit(dev, idx);
	return dmabuf;
}

/**
 * dmacpy_export_revoke() - unmap the SRAM from all user mappings
 * @dev: whose SRAM; its gate is closed, so the next access is a SIGBUS
 *
 * Mappings of other drivers stay, as these cannot be notified. Therefore the
 * memory is freed only with its last reference.
 *
 * Context: Process.
 */
void dmacpy_export_revoke(struct dmacpy_device *dev)
{
	struct dmacpy_export *export;

	mutex_lock(&dev->lock);
	list_for_each_entry(export, &dev->exports, node)
		unmap_mapping_range(export->inode->i_mapping, 0, 0, 1);
	mutex_unlock(&dev->lock);
}

/**
 * dmacpy_export_is_sram() - check if a dma-buf is one of ours
 * @dmabuf: the dma-buf, of any driver
 *
 * Context: Any.
 * Return: true if it is SRAM of any instance.
 */
bool dmacpy_export_is_sram(const struct dma_buf *dmabuf)
{
	return dmabuf->ops == &export_ops;
}

/**
 * dmacpy_export_show() - list the buffers and their owners
 * @dev: whose SRAM
 * @m: the output
 *
 * Context: Process.
 */
void dmacpy_export_show(struct dmacpy_device *dev, struct seq_file *m)
{
	struct dmacpy_export *export;

	mutex_lock(&dev->lock);
	list_for_each_entry(export, &dev->exports, node) {
		spin_lock(&export->dmabuf->name_lock);
		seq_printf(m, "buffer %zu user %u name %s\n",
			   export->sram.size,
			   from_kuid_munged(seq_user_ns(m),
					    export->account->user),
			   export->dmabuf->name ?: "none");
		spin_unlock(&export->dmabuf->name_lock);
	}
	mutex_unlock(&dev->lock);
}
