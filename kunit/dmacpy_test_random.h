/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_TEST_RANDOM_H
#define DMACPY_TEST_RANDOM_H

#include <linux/types.h>

struct kunit;
struct rnd_state;

void test_random_start(struct kunit *test, struct rnd_state *random);
u32 test_random_below(struct rnd_state *random, u32 limit);

#endif /* DMACPY_TEST_RANDOM_H */
