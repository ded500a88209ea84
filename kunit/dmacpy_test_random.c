// SPDX-License-Identifier: GPL-2.0-only
/* Reproducible random numbers. */
#include <kunit/test.h>
#include <linux/moduleparam.h>
#include <linux/prandom.h>
#include <linux/random.h>

#include "dmacpy_test_random.h"

static unsigned long long test_seed;
module_param(test_seed, ullong, 0444);
MODULE_PARM_DESC(test_seed,
		 "What a test has printed, to repeat it; 0 is another each time");

/**
 * test_random_start() - seed random numbers, and print the seed
 * @test: the test that uses them
 * @random: the generator
 *
 * Context: Process.
 */
void test_random_start(struct kunit *test, struct rnd_state *random)
{
	u64 seed = test_seed ?: get_random_u64();

	kunit_info(test, "test_seed=%llu\n", seed);
	prandom_seed_state(random, seed);
}

/**
 * test_random_below() - get a random number
 * @random: the generator
 * @limit: upper bound, exclusive
 *
 * Context: Any.
 * Return: the number.
 */
u32 test_random_below(struct rnd_state *random, u32 limit)
{
	return prandom_u32_state(random) % limit;
}
