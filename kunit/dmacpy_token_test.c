// SPDX-License-Identifier: GPL-2.0-only
/* Tests of dmacpy_token.c. */
#include <kunit/test.h>
#include <linux/jiffies.h>

#include "dmacpy_token.h"

#define CHANS	3

/**
 * struct token_chan - a channel
 * @bearer: the channel's bearer of the token
 * @retries: number of times that it got the token
 */
struct token_chan {
	struct dmacpy_bearer bearer;
	unsigned int retries;
};

static void token_retry(struct dmacpy_bearer *bearer)
{
	container_of(bearer, struct token_chan, bearer)->retries++;
}

static int token_init(struct kunit *test)
{
	struct token_chan *chans;
	unsigned int i;

	chans = kunit_kcalloc(test, CHANS, sizeof(*chans), GFP_KERNEL);
	if (!chans)
		return -ENOMEM;
	test->priv = chans;
	for (i = 0; i < CHANS; i++) {
		chans[i].bearer.retry = token_retry;
		if (dmacpy_token_open(&chans[i].bearer, chans))
			return -ENOMEM;
	}
	return 0;
}

static void token_exit(struct kunit *test)
{
	struct token_chan *chans = test->priv;
	unsigned int i;

	for (i = 0; chans && i < CHANS; i++)
		dmacpy_token_close(&chans[i].bearer);
}

/* Catches: two channels with the token; one that does not get it in order. */
static void token_is_passed_in_order(struct kunit *test)
{
	struct token_chan *chans = test->priv;

	KUNIT_EXPECT_TRUE(test, dmacpy_token_take(&chans[0].bearer));
	KUNIT_EXPECT_TRUE(test, dmacpy_token_take(&chans[0].bearer));
	KUNIT_EXPECT_FALSE(test, dmacpy_token_take(&chans[1].bearer));
	KUNIT_EXPECT_FALSE(test, dmacpy_token_take(&chans[2].bearer));
	KUNIT_EXPECT_EQ(test, chans[1].retries, 0);

	dmacpy_token_release(&chans[0].bearer);
	KUNIT_EXPECT_EQ(test, chans[1].retries, 1);
	KUNIT_EXPECT_FALSE(test, dmacpy_token_take(&chans[0].bearer));
	KUNIT_EXPECT_FALSE(test, dmacpy_token_take(&chans[2].bearer));
	KUNIT_EXPECT_TRUE(test, dmacpy_token_take(&chans[1].bearer));

	dmacpy_token_release(&chans[1].bearer);
	KUNIT_EXPECT_EQ(test, chans[2].retries, 1);
	KUNIT_EXPECT_TRUE(test, dmacpy_token_take(&chans[2].bearer));
	dmacpy_token_release(&chans[2].bearer);
	KUNIT_EXPECT_EQ(test, chans[0].retries, 1);
	KUNIT_EXPECT_TRUE(test, dmacpy_token_take(&chans[0].bearer));
}

/* Catches: a channel that is closed while it waits, and delays others. */
static void token_is_passed_at_close(struct kunit *test)
{
	struct token_chan *chans = test->priv;

	KUNIT_EXPECT_TRUE(test, dmacpy_token_take(&chans[0].bearer));
	KUNIT_EXPECT_FALSE(test, dmacpy_token_take(&chans[1].bearer));
	KUNIT_EXPECT_FALSE(test, dmacpy_token_take(&chans[2].bearer));
	dmacpy_token_release(&chans[0].bearer);
	KUNIT_EXPECT_EQ(test, chans[1].retries, 1);
	dmacpy_token_close(&chans[1].bearer);
	KUNIT_EXPECT_EQ(test, chans[2].retries, 1);
	KUNIT_EXPECT_TRUE(test, dmacpy_token_take(&chans[2].bearer));
}

/* Catches: a task that waits for ever, or is queued after its timeout. */
static void token_wait_is_bounded(struct kunit *test)
{
	struct token_chan *chans = test->priv;

	KUNIT_EXPECT_TRUE(test, dmacpy_token_take(&chans[0].bearer));
	KUNIT_EXPECT_FALSE(test, dmacpy_token_wait(&chans[1].bearer, 1));
	dmacpy_token_release(&chans[0].bearer);
	KUNIT_EXPECT_TRUE(test, dmacpy_token_take(&chans[2].bearer));
	dmacpy_token_release(&chans[2].bearer);
	KUNIT_EXPECT_TRUE(test, dmacpy_token_wait(&chans[1].bearer, 1));
}

/*
 * Catches: a channel of another engine, or of an engine without a token, that
 * has to wait.
 */
static void token_is_per_engine(struct kunit *test)
{
	struct token_chan *chans = test->priv;
	struct dmacpy_bearer free = { }, other = { };

	KUNIT_EXPECT_TRUE(test, dmacpy_token_take(&chans[0].bearer));
	KUNIT_EXPECT_TRUE(test, dmacpy_token_take(&free));
	KUNIT_EXPECT_TRUE(test, dmacpy_token_wait(&free, 1));
	dmacpy_token_release(&free);
	dmacpy_token_close(&free);
	KUNIT_ASSERT_EQ(test, 0, dmacpy_token_open(&other, &other));
	KUNIT_EXPECT_TRUE(test, dmacpy_token_take(&other));
	dmacpy_token_close(&other);
}

static struct kunit_case token_cases[] = {
	KUNIT_CASE(token_is_passed_in_order),
	KUNIT_CASE(token_is_passed_at_close),
	KUNIT_CASE(token_wait_is_bounded),
	KUNIT_CASE(token_is_per_engine),
	{ }
};

static struct kunit_suite token_suite = {
	.name = "dmacpy_token",
	.init = token_init,
	.exit = token_exit,
	.test_cases = token_cases,
};

kunit_test_suites(&token_suite);
