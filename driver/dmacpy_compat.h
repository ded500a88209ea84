/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The differences between the kernels that the module is built for. It is the
 * only file of the tree that checks versions.
 */
#ifndef DMACPY_COMPAT_H
#define DMACPY_COMPAT_H

#include <linux/backing-dev.h>
#include <linux/device.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/string.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
/* A pin for reading must break copy-on-write itself. */
#define DMACPY_FOLL_READ	(FOLL_WRITE | FOLL_FORCE)

/* FOLL_FORCE pins memory that the process cannot read, too. */
static inline bool dmacpy_may_read(unsigned long addr, size_t length)
{
	return !fault_in_readable(u64_to_user_ptr((u64)addr), length);
}
#else
#define DMACPY_FOLL_READ	0

static inline bool dmacpy_may_read(unsigned long addr, size_t length)
{
	return true;
}
#endif

/* The member of struct platform_driver for a function that returns nothing. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
#define DMACPY_REMOVE		remove_new
#else
#define DMACPY_REMOVE		remove
#endif

/* The bounce buffers for memory that a device cannot reach */
static inline const void *dmacpy_bounce_pool(const struct device *dev)
{
#ifdef CONFIG_SWIOTLB
	return dev->dma_io_tlb_mem;
#else
	return NULL;
#endif
}

/* The name of the namespace has become a string. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define DMACPY_IMPORT_NS(name)	MODULE_IMPORT_NS(name)
#else
#define DMACPY_IMPORT_NS(name)	MODULE_IMPORT_NS(#name)
#endif

/* For the tests: an array that signals when all of its fences have. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 1, 0)
#define dmacpy_fence_array(count, fences, context, seqno)	\
	dma_fence_array_create(count, fences, context, seqno, false)
#else
#define dmacpy_fence_array(count, fences, context, seqno)	\
	dma_fence_array_create(count, fences, context, seqno)
#endif

/* Before 6.14 the thread was awake when it was created. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 14, 0)
#include <linux/kthread.h>

#define kthread_run_worker	kthread_create_worker
#endif

/* For the tests. Before 6.13 the function was a member to be set. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#include <linux/hrtimer.h>

static inline void
hrtimer_setup(struct hrtimer *timer,
	      enum hrtimer_restart (*function)(struct hrtimer *timer),
	      clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void vm_flags_mod(struct vm_area_struct *vma, vm_flags_t set,
				vm_flags_t clear)
{
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
}
#endif

/*
 * Returns true if a page can have lines in the data cache at several addresses.
 * The DMA API only cleans those of the kernel's own mapping.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
#include <linux/cacheinfo.h>
#elif defined(CONFIG_ARM)
#include <asm/cachetype.h>

#define cpu_dcache_is_aliasing() \
	(cache_is_vivt() || cache_is_vipt_aliasing())
#else
#define cpu_dcache_is_aliasing()	false
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
	bool may = true;
	unsigned long i;

	/* The file may be freed concurrently. */
	rcu_read_lock();
	for (i = 0; i < npages && may; i++) {
		mapping = page_mapping(pages[i]);
		may = PageAnon(pages[i]) || !mapping ||
		      !mapping_can_writeback(mapping);
	}
	rcu_read_unlock();
	return may;
#else
	return true;
#endif
}

/*
 * Returns true if our callback_result stays in descriptors that other clients
 * of this engine use later. The PL330's driver calls it then, without a result.
 * Fixed in 6.12.
 */
static inline bool dmacpy_result_sticks(struct device *engine)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
	return !strcmp(dev_driver_string(engine), "dma-pl330");
#else
	return false;
#endif
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#include <linux/io_uring.h>
#else
#include <linux/io_uring/cmd.h>
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
/* Requests cannot be cancelled: closing a ring, or exiting, waits for them. */
#define IO_URING_F_CANCEL	0

static inline void io_uring_cmd_mark_cancelable(struct io_uring_cmd *cmd,
						unsigned int issue_flags)
{
}
#endif

/*
 * The command area of a request. io_uring_sqe_cmd() asks for the type of the
 * area since 7.1.
 */
static inline const void *dmacpy_uring_area(const struct io_uring_cmd *cmd)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
	return cmd->cmd;
#else
	return (const void *)cmd->sqe + offsetof(struct io_uring_sqe, cmd);
#endif
}

/*
 * Called before a request is retried later, when its entry in the ring may have
 * been reused: from 6.10 to 6.13.3 io_uring has a copy by then, but does not
 * use it. Other kernels make a copy and use it.
 */
static inline void dmacpy_uring_keep_area(struct io_uring_cmd *cmd,
					  unsigned int issue_flags)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0) && \
	LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 4)
	void *copy = cmd_to_io_kiocb(cmd)->async_data;

	if (cmd->sqe != copy)
		memcpy(copy, cmd->sqe, sizeof(*cmd->sqe) <<
		       !!(issue_flags & IO_URING_F_SQE128));
	cmd->sqe = copy;
#endif
}

static inline void dmacpy_uring_done(struct io_uring_cmd *cmd, s32 result,
				     unsigned int issue_flags)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
	io_uring_cmd_done(cmd, result, 0, issue_flags);
#else
	io_uring_cmd_done(cmd, result, issue_flags);
#endif
}

/*
 * DMACPY_URING_TASK_WORK(name, complete): defines the function @name for
 * io_uring_cmd_complete_in_task(), which calls complete(cmd, issue_flags).
 * io_uring passes it the request itself since 6.19.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
#define DMACPY_URING_TASK_WORK(name, complete)				\
static void name(struct io_uring_cmd *cmd, unsigned int issue_flags)	\
{									\
	complete(cmd, issue_flags);					\
}
#else
#define DMACPY_URING_TASK_WORK(name, complete)				\
static void name(struct io_tw_req request, io_tw_token_t token)		\
{									\
	complete(io_uring_cmd_from_tw(request),				\
		 IO_URING_CMD_TASK_WORK_ISSUE_FLAGS);			\
}
#endif

#endif /* DMACPY_COMPAT_H */
