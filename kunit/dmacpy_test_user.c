// SPDX-License-Identifier: GPL-2.0-only
/* User memory for a test, which runs in a kernel thread. */
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>

#include "dmacpy_test_user.h"

/**
 * test_user_map() - map a file, or new memory, as mmap() does
 * @test: fails if there is an error
 * @file: file to map, shared, or NULL for anonymous memory
 * @size: bytes
 *
 * Context: Process; test_user_end() has to follow.
 * Return: the address. Only this function maps memory in the process.
 */
void __user *test_user_map(struct kunit *test, struct file *file, size_t size)
{
	unsigned long addr;

	addr = kunit_vm_mmap(test, file, 0, size, PROT_READ | PROT_WRITE,
			     file ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS,
			     0);
	KUNIT_ASSERT_NE(test, 0, addr);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	return (void __user *)addr;
}

/**
 * test_user_end() - unmap all
 *
 * A test that ends without this call leaks its page tables: a thread that exits
 * only frees its own.
 *
 * Context: Process, that of test_user_map().
 */
void test_user_end(void)
{
	struct mm_struct *mm = current->mm;

	kthread_unuse_mm(mm);
	mmput(mm);
}
