/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_TEST_USER_H
#define DMACPY_TEST_USER_H

#include <linux/compiler.h>
#include <linux/types.h>

struct file;
struct kunit;

void __user *test_user_map(struct kunit *test, struct file *file, size_t size);
void test_user_end(void);

#endif /* DMACPY_TEST_USER_H */
