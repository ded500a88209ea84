/* SPDX-License-Identifier: GPL-2.0-only */
/* What differs between the kernels that the module is built for. */
#ifndef DMACPY_COMPAT_H
#define DMACPY_COMPAT_H

#include <linux/backing-dev.h>
#include <linux/dma-buf.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
/* A pin for reading must break copy-on-write itself. */
#define DMACPY_FOLL_READ	(FOLL_WRITE | FOLL_FORCE)
#else
#define DMACPY_FOLL_READ	0
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}
#endif

/*
 * A file system does not expect its pages to be written to at any time. Since
 * 6.5 such pages cannot be pinned for writing in the first place.
 */
static inline bool dmacpy_may_write_pages(struct page **pages,
					  unsigned long npages)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
	struct address_space *mapping;
	unsigned long i;

	for (i = 0; i < npages; i++) {
		mapping = page_mapping(pages[i]);
		if (!PageAnon(pages[i]) && mapping &&
		    mapping_can_writeback(mapping))
			return false;
	}
#endif
	return true;
}

/* For a list that does not own the dma-bufs in it: false if on its way out. */
static inline bool dmacpy_get_dma_buf_unless_zero(struct dma_buf *dmabuf)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
	return atomic_long_inc_not_zero(&dmabuf->file->f_count);
#else
	return file_ref_get(&dmabuf->file->f_ref);
#endif
}

#endif /* DMACPY_COMPAT_H */
