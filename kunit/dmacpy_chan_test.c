// SPDX-License-Identifier: GPL-2.0-only
/* Tests of dmacpy_chan.c, dmacpy_recovery.c and dmacpy_engine.c. */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/list.h>
#include <linux/preempt.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "dmacpy_chan.h"
#include "dmacpy_param.h"
#include "dmacpy_recovery.h"
#include "dmacpy_test_engine.h"

#define XFER_SIZE	1024U
#define XFER_PIECE	256U
#define XFER_PIECES	(XFER_SIZE / XFER_PIECE)
/* More transfers than a task starts for others in one call */
#define XFER_CHAIN	100

/* Far longer than any operation takes */
#define PATIENCE	(60 * HZ)
/* In ms, if a channel hangs: a busy host may exceed it for a healthy one. */
#define CHAN_TIMEOUT	200

/**
 * struct test_xfer - a transfer that records its progress
 * @base: the transfer of the channel
 * @node: entry in chan_test.xfers
 * @dst: memory that it writes
 * @src: memory that it reads
 * @dst_addr: address of @dst
 * @src_addr: address of @src
 * @at: bytes in pieces so far
 * @piece: maximum length of a piece
 * @refuse: error that its start returns, or 0
 * @result: its result
 * @place: number of its completion, in order
 * @by: the task that has completed it
 * @terminations: how often the engine had been terminated at its completion
 * @lane: the lane that it was submitted to
 * @next: a transfer that its completion submits, or NULL
 * @starts: number of its starts
 * @dones: number of its completions
 * @releases: number of its releases
 * @done: completed by its completion
 * @released: completed by its release
 */
struct test_xfer {
	struct dmacpy_xfer base;
	struct list_head node;
	u8 *dst;
	u8 *src;
	dma_addr_t dst_addr;
	dma_addr_t src_addr;
	size_t at;
	size_t piece;
	int refuse;
	int result;
	int place;
	struct task_struct *by;
	unsigned int terminations;
	struct dmacpy_lane *lane;
	struct test_xfer *next;
	unsigned int starts;
	unsigned int dones;
	unsigned int releases;
	struct completion done;
	struct completion released;
};

/**
 * struct chan_test - a channel under test
 * @engine: its engine
 * @chan: the channel
 * @shares: shares of two users
 * @lanes: lanes, the last one of the second user
 * @xfers: all transfers
 * @ready: woken when @chan has recovered
 * @report: counts its failures
 * @release: lets @engine run
 * @timeout_ms: previous value of the parameter
 */
struct chan_test {
	struct test_engine *engine;
	struct dmacpy_chan *chan;
	struct dmacpy_share shares[2];
	struct dmacpy_lane lanes[3];
	struct list_head xfers;
	wait_queue_head_t ready;
	struct dmacpy_report report;
	struct delayed_work release;
	unsigned int timeout_ms;
};

static atomic_t xfer_places;

static struct test_xfer *to_test_xfer(struct dmacpy_xfer *base)
{
	return container_of(base, struct test_xfer, base);
}

static int xfer_start(struct dmacpy_xfer *base)
{
	struct test_xfer *xfer = to_test_xfer(base);

	xfer->starts++;
	return xfer->refuse;
}

static void xfer_next(struct dmacpy_xfer *base, size_t max,
		      struct dmacpy_piece *piece)
{
	struct test_xfer *xfer = to_test_xfer(base);

	piece->dst = xfer->dst_addr + xfer->at;
	piece->src = xfer->src_addr + xfer->at;
	piece->length = min3(max, xfer->piece, XFER_SIZE - xfer->at);
	xfer->at += piece->length;
}

static void xfer_done(struct dmacpy_xfer *base, int result)
{
	struct test_xfer *xfer = to_test_xfer(base);

	xfer->dones++;
	xfer->result = result;
	xfer->place = atomic_inc_return(&xfer_places);
	xfer->by = current;
	xfer->terminations = container_of(base->chan->engine.dma,
					  struct test_engine,
					  chan)->terminations;
	if (xfer->next) {
		xfer->next->lane = xfer->lane;
		dmacpy_chan_submit(base->chan, xfer->lane, &xfer->next->base);
	}
	complete_all(&xfer->done);
}

static void xfer_release(struct dmacpy_xfer *base)
{
	struct test_xfer *xfer = to_test_xfer(base);

	xfer->releases++;
	complete_all(&xfer->released);
}

static const struct dmacpy_xfer_ops xfer_ops = {
	.start = xfer_start,
	.next = xfer_next,
	.done = xfer_done,
	.release = xfer_release,
};

/*
 * Runs after the channel and the engine are gone: a failed test may end before
 * its transfers.
 */
static void chan_free_xfers(void *data)
{
	struct chan_test *ct = data;
	struct test_xfer *xfer, *next;

	list_for_each_entry_safe(xfer, next, &ct->xfers, node) {
		kfree(xfer->dst);
		kfree(xfer->src);
		kfree(xfer);
	}
}

static struct test_xfer *xfer_new(struct kunit *test)
{
	struct chan_test *ct = test->priv;
	struct test_xfer *xfer;

	xfer = kzalloc(sizeof(*xfer), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, xfer);
	list_add(&xfer->node, &ct->xfers);
	xfer->dst = kzalloc(XFER_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, xfer->dst);
	xfer->src = kmalloc(XFER_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, xfer->src);
	get_random_bytes(xfer->src, XFER_SIZE);
	xfer->dst_addr = test_engine_addr(ct->engine, xfer->dst);
	xfer->src_addr = test_engine_addr(ct->engine, xfer->src);
	xfer->piece = XFER_PIECE;
	xfer->base.ops = &xfer_ops;
	xfer->base.bytes_left = XFER_SIZE;
	init_completion(&xfer->done);
	init_completion(&xfer->released);
	return xfer;
}

static void xfer_submit(struct kunit *test, unsigned int lane,
			struct test_xfer *xfer)
{
	struct chan_test *ct = test->priv;

	xfer->lane = &ct->lanes[lane];
	dmacpy_chan_submit(ct->chan, xfer->lane, &xfer->base);
}

static struct test_xfer *xfer_submit_new(struct kunit *test, unsigned int lane)
{
	struct test_xfer *xfer = xfer_new(test);

	xfer_submit(test, lane, xfer);
	return xfer;
}

static void xfer_expect(struct kunit *test, struct test_xfer *xfer, int result)
{
	KUNIT_ASSERT_NE(test, 0,
			wait_for_completion_timeout(&xfer->done, PATIENCE));
	KUNIT_EXPECT_EQ(test, result, xfer->result);
	KUNIT_EXPECT_EQ(test, 1, xfer->dones);
	if (!result)
		KUNIT_EXPECT_EQ(test, 0,
				memcmp(xfer->dst, xfer->src, XFER_SIZE));
}

static void xfer_expect_release(struct kunit *test, struct test_xfer *xfer)
{
	KUNIT_ASSERT_NE(test, 0,
			wait_for_completion_timeout(&xfer->released, PATIENCE));
	KUNIT_EXPECT_EQ(test, 1, xfer->releases);
}

/* The worker submits when a callback has freed descriptors. */
static void chan_expect_prepared(struct kunit *test, unsigned int prepared)
{
	struct chan_test *ct = test->priv;
	unsigned long deadline = jiffies + PATIENCE;

	while (READ_ONCE(ct->engine->prepared) < prepared &&
	       time_before(jiffies, deadline))
		usleep_range(100, 1000);
	KUNIT_EXPECT_EQ(test, prepared, ct->engine->prepared);
}

/* The engine gets submitted descriptors only when they are issued. */
static void chan_expect_issues(struct kunit *test, unsigned int issues)
{
	struct chan_test *ct = test->priv;
	unsigned long deadline = jiffies + PATIENCE;

	while (READ_ONCE(ct->engine->issues) < issues &&
	       time_before(jiffies, deadline))
		usleep_range(100, 1000);
	KUNIT_EXPECT_EQ(test, issues, ct->engine->issues);
}

/* Expects that the channel has recovered and copies. */
static void chan_expect_alive(struct kunit *test)
{
	struct chan_test *ct = test->priv;
	struct test_xfer *xfer;

	dmacpy_timeout.value = ct->timeout_ms;
	KUNIT_ASSERT_NE(test, 0,
			wait_event_timeout(ct->ready,
					   dmacpy_chan_ready(ct->chan),
					   PATIENCE));
	xfer = xfer_submit_new(test, 0);
	xfer_expect(test, xfer, 0);
	xfer_expect_release(test, xfer);
}

static void chan_close(void *data)
{
	struct chan_test *ct = data;

	test_engine_release(ct->engine);
	flush_delayed_work(&ct->release);
	if (ct->chan)
		dmacpy_chan_close(ct->chan);
}

static void chan_release_engine(struct work_struct *work)
{
	struct chan_test *ct = container_of(work, struct chan_test,
					    release.work);

	test_engine_release(ct->engine);
}

static struct dmacpy_chan *chan_open(struct chan_test *ct)
{
	return dmacpy_chan_open(ct->engine->client, TEST_ENGINE_CHANNEL,
				&ct->ready, &ct->report);
}

/* Opens the channel, unless the test opens it. */
static void chan_begin(struct kunit *test)
{
	struct chan_test *ct = test->priv;

	test_engine_register(test, ct->engine);
	ct->chan = chan_open(ct);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ct->chan);
	kunit_add_action(test, chan_close, ct);
	ct->engine->releases = 0;
	ct->engine->terminations = 0;
	ct->engine->prepared = 0;
	ct->engine->interrupts = 0;
	ct->engine->fences = 0;
	ct->engine->issues = 0;
}

/* The engine only runs on request. */
static void chan_hold(struct kunit *test)
{
	struct chan_test *ct = test->priv;

	chan_begin(test);
	ct->engine->hold = true;
}

static void chan_hang(struct kunit *test)
{
	chan_hold(test);
	dmacpy_timeout.value = CHAN_TIMEOUT;
}

/*
 * Catches: data that is lost, or a completion that is not reported, or reported
 * twice; an engine that may read data that an earlier piece has not written
 * yet.
 */
static void chan_copies(struct kunit *test)
{
	struct chan_test *ct = test->priv;
	struct test_xfer *xfer;

	chan_begin(test);
	xfer = xfer_submit_new(test, 0);
	xfer_expect(test, xfer, 0);
	xfer_expect_release(test, xfer);
	KUNIT_EXPECT_EQ(test, 1, xfer->starts);
	KUNIT_EXPECT_EQ(test, XFER_PIECES, ct->engine->prepared);
	KUNIT_EXPECT_EQ(test, XFER_PIECES, ct->engine->fences);
}

enum chan_unplug { UNPLUG_TASK, UNPLUG_WORKER, UNPLUG_OTHER, UNPLUG_NONE };

static const struct chan_unplug_case {
	const char *name;
	enum chan_unplug by;
} chan_unplug_cases[] = {
	{ "by the task", UNPLUG_TASK },
	{ "by the worker", UNPLUG_WORKER },
	{ "by another transfer", UNPLUG_OTHER },
	{ "by the watchdog", UNPLUG_NONE },
};

KUNIT_ARRAY_PARAM_DESC(chan_unplug, chan_unplug_cases, name);

/* Catches: transfers that are issued one by one, or never. */
static void chan_plugs(struct kunit *test)
{
	const struct chan_unplug_case *param = test->param_value;
	struct chan_test *ct = test->priv;
	struct test_xfer *xfers[3];
	unsigned int prepared, i;

	chan_begin(test);
	for (i = 0; i < 3; i++) {
		xfers[i] = xfer_new(test);
		xfers[i]->base.plugged = true;
	}
	/* Before the watchdog; with PREEMPT_RT the locks may sleep. */
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		preempt_disable();
	for (i = 0; i < 3; i++)
		xfer_submit(test, i, xfers[i]);
	prepared = ct->engine->prepared;
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		preempt_enable();
	KUNIT_EXPECT_EQ(test, 0, prepared);
	if (param->by == UNPLUG_TASK)
		dmacpy_chan_unplug(ct->chan, false);
	else if (param->by == UNPLUG_WORKER)
		dmacpy_chan_unplug(ct->chan, true);
	else if (param->by == UNPLUG_OTHER)
		xfer_expect(test, xfer_submit_new(test, 0), 0);
	for (i = 0; i < 3; i++)
		xfer_expect(test, xfers[i], 0);
	if (param->by != UNPLUG_OTHER)
		KUNIT_EXPECT_EQ(test, 1, ct->engine->issues);
	dmacpy_chan_unplug(ct->chan, false);
}

/* Catches: a close that loses a plugged transfer, or hangs. */
static void chan_closes_plugged(struct kunit *test)
{
	struct chan_test *ct = test->priv;
	struct test_xfer *xfer;

	chan_begin(test);
	xfer = xfer_new(test);
	xfer->base.plugged = true;
	xfer_submit(test, 0, xfer);
	dmacpy_chan_close(ct->chan);
	ct->chan = NULL;
	KUNIT_ASSERT_NE(test, 0,
			wait_for_completion_timeout(&xfer->done, PATIENCE));
	KUNIT_EXPECT_TRUE(test, !xfer->result || xfer->result == -ENODEV);
	xfer_expect_release(test, xfer);
}

/* Catches: a completion before the last descriptor's, or out of order. */
static void chan_keeps_order(struct kunit *test)
{
	struct chan_test *ct = test->priv;
	struct test_xfer *first, *second;
	unsigned int i;

	chan_hold(test);
	first = xfer_submit_new(test, 0);
	second = xfer_submit_new(test, 0);
	for (i = 0; i < 2 * XFER_PIECES - 1; i++) {
		KUNIT_EXPECT_TRUE(test, test_engine_run_last(ct->engine));
		KUNIT_EXPECT_EQ(test, 0, first->dones + second->dones);
	}
	KUNIT_EXPECT_TRUE(test, test_engine_run_last(ct->engine));
	xfer_expect(test, first, 0);
	xfer_expect(test, second, 0);
	KUNIT_EXPECT_LT(test, first->place, second->place);
}

/* Catches: a transfer, or a later one, that does not wait for its parts. */
static void chan_waits_for_parts(struct kunit *test)
{
	struct test_xfer *first, *second;

	chan_begin(test);
	first = xfer_new(test);
	first->base.parts = 2;
	xfer_submit(test, 0, first);
	second = xfer_submit_new(test, 0);
	xfer_expect(test, xfer_submit_new(test, 1), 0);
	KUNIT_EXPECT_EQ(test, 0, first->dones + second->dones);
	dmacpy_chan_part_done(&first->base);
	KUNIT_EXPECT_EQ(test, 0, first->dones + second->dones);
	dmacpy_chan_part_done(&first->base);
	xfer_expect(test, first, 0);
	xfer_expect(test, second, 0);
	KUNIT_EXPECT_LT(test, first->place, second->place);
}

/*
 * Catches: memory that is kept for ever when the last part completes after the
 * channel has recovered.
 */
static void chan_recovers_before_parts(struct kunit *test)
{
	struct chan_test *ct = test->priv;
	struct test_xfer *stuck;

	chan_hang(test);
	stuck = xfer_new(test);
	stuck->base.parts = 1;
	xfer_submit(test, 0, stuck);
	xfer_expect(test, xfer_submit_new(test, 1), -ECANCELED);
	test_engine_release(ct->engine);
	dmacpy_timeout.value = ct->timeout_ms;
	KUNIT_ASSERT_NE(test, 0,
			wait_event_timeout(ct->ready,
					   dmacpy_chan_ready(ct->chan),
					   PATIENCE));
	KUNIT_EXPECT_EQ(test, 0, stuck->dones);
	dmacpy_chan_part_done(&stuck->base);
	xfer_expect(test, stuck, -ETIMEDOUT);
	xfer_expect_release(test, stuck);
	chan_expect_alive(test);
}

/* Catches: a stream that starves the others on its channel. */
static void chan_schedules_fairly(struct kunit *test)
{
	struct chan_test *ct = test->priv;
	struct test_xfer *busy[4], *other;
	unsigned int i;

	chan_hold(test);
	ct->engine->ring = 1;
	for (i = 0; i < ARRAY_SIZE(busy); i++)
		busy[i] = xfer_submit_new(test, 0);
	other = xfer_submit_new(test, 1);
	test_engine_release(ct->engine);
	xfer_expect(test, other, 0);
	for (i = 0; i < ARRAY_SIZE(busy); i++)
		xfer_expect(test, busy[i], 0);
	KUNIT_EXPECT_GT(test, other->place, busy[0]->place);
	KUNIT_EXPECT_LT(test, other->place, busy[2]->place);
}

/* Catches: a user that gets more of the channel by having more streams. */
static void chan_schedules_users_fairly(struct kunit *test)
{
	struct chan_test *ct = test->priv;
	struct test_xfer *greedy[6], *other[2];
	unsigned int i;

	chan_hold(test);
	ct->engine->ring = 1;
	for (i = 0; i < ARRAY_SIZE(greedy); i++)
		greedy[i] = xfer_submit_new(test, i % 2);
	for (i = 0; i < ARRAY_SIZE(other); i++)
		other[i] = xfer_submit_new(test, 2);
	test_engine_release(ct->engine);
	for (i = 0; i < ARRAY_SIZE(greedy); i++)
		xfer_expect(test, greedy[i], 0);
	/* Greedy, other, greedy, other, and the rest. */
	for (i = 0; i < ARRAY_SIZE(other); i++) {
		xfer_expect(test, other[i], 0);
		KUNIT_EXPECT_EQ(test, greedy[i]->place + 1, other[i]->place);
		KUNIT_EXPECT_GT(test, greedy[i + 1]->place, other[i]->place);
	}
}

/* Catches: a backlog that is kept, or is decreased too early, or twice. */
static void chan_counts_backlog(struct kunit *test)
{
	struct chan_test *ct = test->priv;
	struct test_xfer *xfers[2];
	unsigned int i;

	chan_hold(test);
	for (i = 0; i < 2; i++)
		xfers[i] = xfer_submit_new(test, i);
	KUNIT_EXPECT_EQ(test, 2 * XFER_SIZE, dmacpy_chan_backlog(ct->chan));
	for (i = 0; i < XFER_PIECES - 1; i++)
		KUNIT_EXPECT_TRUE(test, test_engine_run(ct->engine, TEST_COPY));
	KUNIT_EXPECT_EQ(test, 2 * XFER_SIZE, dmacpy_chan_backlog(ct->chan));
	KUNIT_EXPECT_TRUE(test, test_engine_run(ct->engine, TEST_COPY));
	KUNIT_EXPECT_EQ(test, XFER_SIZE, dmacpy_chan_backlog(ct->chan));
	/* A failed transfer drops its remaining pieces. */
	KUNIT_EXPECT_TRUE(test, test_engine_run(ct->engine, TEST_FAIL));
	test_engine_release(ct->engine);
	xfer_expect(test, xfers[1], -EIO);
	KUNIT_EXPECT_EQ(test, 0, dmacpy_chan_backlog(ct->chan));
}

/* Catches: a full ring that fails a transfer, or is refilled too often. */
static void chan_refills_ring(struct kunit *test)
{
	struct chan_test *ct = test->priv;
	struct test_xfer *xfer;

	chan_begin(test);
	ct->engine->ring = 8;
	xfer = xfer_new(test);
	xfer->piece = 8;
	xfer_submit(test, 0, xfer);
	xfer_expect(test, xfer, 0);
	KUNIT_EXPECT_EQ(test, XFER_SIZE / 8, ct->engine->prepared);
	KUNIT_EXPECT_EQ(test, XFER_SIZE / 8, ct->engine->interrupts);
	KUNIT_EXPECT_GE(test, XFER_SIZE / 8 / 4, ct->engine->issues);
}

static struct test_xfer *xfer_submit_pieces(struct kunit *test,
					    unsigned int piece)
{
	struct test_xfer *xfer = xfer_new(test);

	xfer->piece = piece;
	xfer_submit(test, 0, xfer);
	return xfer;
}

/* The worker of the channel may be about to submit more to the engine. */
static void chan_run_all(struct chan_test *ct)
{
	while (test_engine_run(ct->engine, TEST_COPY) ||
	       dmacpy_chan_backlog(ct->chan))
		cond_resched();
}

/* Catches: a last callback that leaves the completion to another task. */
static void chan_ends_in_reverse_order(struct kunit *test)
{
	struct chan_test *ct = test->priv;
	struct test_xfer *xfer;

	chan_hold(test);
	xfer_submit_pieces(test, XFER_PIECE / 4);
	chan_run_all(ct);
	xfer = xfer_submit_pieces(test, XFER_PIECE / 4);
	while (test_engine_run_last(ct->engine))
		;
	xfer_expect(test, xfer, 0);
	KUNIT_EXPECT_PTR_EQ(test, current, xfer->by);
}

/* Catches: pieces of a failed transfer that are copied; a stalled queue. */
static void chan_continues_after_failure(struct kunit *test)
{
	struct chan_test *ct = test->priv;
	struct test_xfer *failed, *next;

	chan_hold(test);
	ct->engine->ring = 8;
	failed = xfer_submit_pieces(test, 8);
	next = xfer_submit_new(test, 1);
	KUNIT_EXPECT_TRUE(test, test_engine_run(ct->engine, TEST_FAIL));
	chan_expect_prepared(test, ct->engine->ring + 1);
	test_engine_release(ct->engine);
	xfer_expect(test, failed, -EIO);
	xfer_expect(test, next, 0);
}

/* Catches: operations that depend on each other, but run concurrently. */
static void chan_runs_one_by_one(struct kunit *test)
{
	struct chan_test *ct = test->priv;
	struct test_xfer *xfer;
	unsigned int i;

	dma_cap_set(DMA_COMPLETION_NO_ORDER, ct->engine->device.cap_mask);
	chan_hold(test);
	xfer = xfer_submit_new(test, 0);
	for (i = 1; i <= XFER_PIECES; i++) {
		chan_expect_prepared(test, i);
		chan_expect_issues(test, i);
		KUNIT_EXPECT_TRUE(test, test_engine_run(ct->engine, TEST_COPY));
	}
	xfer_expect(test, xfer, 0);
}

/* Catches: an error of the engine that is reported as a success. */
static void chan_reports_failure(struct kunit *test)
{
	static const enum test_outcome outcomes[] = { TEST_FAIL, TEST_SHORT };
	struct chan_test *ct = test->priv;
	struct test_xfer *failed, *next;
	unsigned int i;

	chan_hold(test);
	for (i = 0; i < ARRAY_SIZE(outcomes); i++) {
		failed = xfer_submit_new(test, 0);
		next = xfer_submit_new(test, 0);
		KUNIT_EXPECT_TRUE(test, test_engine_run(ct->engine,
							outcomes[i]));
		while (test_engine_run(ct->engine, TEST_COPY))
			;
		xfer_expect(test, failed, -EIO);
		xfer_expect(test, next, 0);
		xfer_expect_release(test, failed);
	}
}

/* Catches: a wait for a descriptor that was not submitted. */
static void chan_survives_refused_submit(struct kunit *test)
{
	struct chan_test *ct = test->priv;
	struct test_xfer *xfer;

	chan_begin(test);
	ct->engine->no_submit = 1;
	xfer = xfer_submit_new(test, 0);
	xfer_expect(test, xfer, -EIO);
	KUNIT_EXPECT_EQ(test, 1, ct->engine->prepared);
	chan_expect_alive(test);
}

/* Catches: a transfer that waits for a callback that never comes. */
static void chan_retries_refused(struct kunit *test)
{
	struct chan_test *ct = test->priv;

	chan_begin(test);
	ct->engine->no_prep = 3;
	xfer_expect(test, xfer_submit_new(test, 0), 0);
	KUNIT_EXPECT_EQ(test, 0, ct->engine->no_prep);
}

/* Catches: a transfer of a failed stream that the engine gets. */
static void chan_skips_cancelled(struct kunit *test)
{
	struct chan_test *ct = test->priv;
	struct test_xfer *refused, *failed;

	chan_begin(test);
	refused = xfer_new(test);
	refused->refuse = -ECANCELED;
	xfer_submit(test, 0, refused);
	xfer_expect(test, refused, -ECANCELED);
	failed = xfer_new(test);
	failed->base.result = -ETIMEDOUT;
	xfer_submit(test, 0, failed);
	xfer_expect(test, failed, -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, 0, failed->starts);
	KUNIT_EXPECT_EQ(test, 0, ct->engine->prepared);
	chan_expect_alive(test);
}

/* Catches: a deadline for the whole of a transfer that makes progress. */
static void chan_timeout_is_per_progress(struct kunit *test)
{
	struct chan_test *ct = test->priv;
	struct test_xfer *xfer;
	unsigned int i;

	chan_hold(test);
	/* A busy host may double the time of a sleep. */
	dmacpy_timeout.value = 3000;
	xfer = xfer_submit_new(test, 0);
	for (i = 0; i < XFER_PIECES; i++) {
		msleep(900);
		KUNIT_EXPECT_TRUE(test, test_engine_run(ct->engine, TEST_COPY));
	}
	xfer_expect(test, xfer, 0);
}

static const enum test_outcome chan_silent_outcomes[] = {
	TEST_LOSE, TEST_DROP,
};

static void chan_silent_name(const enum test_outcome *outcome, char *name)
{
	strscpy(name, *outcome == TEST_LOSE ? "lost interrupt" :
		"dropped descriptor", KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(chan_silent, chan_silent_outcomes, chan_silent_name);

/*
 * Catches: a last callback that counts for all; an unbounded wait; other lanes
 * that wait for one whose callback is lost.
 */
static void chan_counts(struct kunit *test)
{
	const enum test_outcome *outcome = test->param_value;
	struct chan_test *ct = test->priv;
	struct test_xfer *stuck, *other, *waiting;

	chan_hold(test);
	ct->engine->ring = 2 * XFER_PIECES;
	stuck = xfer_submit_new(test, 0);
	other = xfer_submit_new(test, 1);
	waiting = xfer_submit_new(test, 2);
	KUNIT_EXPECT_TRUE(test, test_engine_run(ct->engine, *outcome));
	test_engine_release(ct->engine);
	xfer_expect(test, other, 0);
	xfer_expect(test, waiting, 0);
	KUNIT_EXPECT_EQ(test, 0, stuck->dones);
	/* Set it only now, or the others would be cancelled with it. */
	dmacpy_timeout.value = CHAN_TIMEOUT;
	xfer_expect(test, stuck, -ETIMEDOUT);
	xfer_expect_release(test, stuck);
	chan_expect_alive(test);
}

/* Catches: memory that is freed while a hung engine may write to it. */
static void chan_keeps_quarantine(struct kunit *test)
{
	struct chan_test *ct = test->priv;
	struct test_xfer *stuck, *other, *late;

	chan_hang(test);
	ct->engine->ring = XFER_PIECES;
	stuck = xfer_submit_new(test, 0);
	other = xfer_submit_new(test, 1);
	xfer_expect(test, stuck, -ETIMEDOUT);
	xfer_expect(test, other, -ECANCELED);
	xfer_expect_release(test, other);

	/* The recovery is retried, but the engine still hangs. */
	msleep(5 * dmacpy_timeout.value);
	KUNIT_EXPECT_FALSE(test, dmacpy_chan_ready(ct->chan));
	late = xfer_submit_new(test, 0);
	xfer_expect(test, late, -ECANCELED);
	KUNIT_EXPECT_EQ(test, 0, stuck->releases);

	test_engine_release(ct->engine);
	xfer_expect_release(test, stuck);
	KUNIT_EXPECT_EQ(test, 0, memcmp(stuck->dst, stuck->src, XFER_SIZE));
	chan_expect_alive(test);
}

/*
 * Catches: a callback for a terminated descriptor that counts as a success;
 * memory that is freed then.
 */
static void chan_ignores_callbacks_of_terminated(struct kunit *test)
{
	struct chan_test *ct = test->priv;
	struct test_xfer *stuck, *other;

	chan_hang(test);
	ct->engine->cb_terminate = true;
	stuck = xfer_submit_new(test, 0);
	other = xfer_submit_new(test, 1);
	xfer_expect(test, stuck, -ETIMEDOUT);
	xfer_expect(test, other, -ECANCELED);
	KUNIT_EXPECT_EQ(test, 0, stuck->releases);
	KUNIT_EXPECT_EQ(test, 0, other->releases);
	ct->engine->cb_terminate = false;
	test_engine_release(ct->engine);
	xfer_expect_release(test, stuck);
	xfer_expect_release(test, other);
	chan_expect_alive(test);
}

/*
 * Catches: a program that can cause interrupts, as it knows of the failure,
 * while the engine is being terminated: drivers corrupt their lists then.
 */
static void chan_terminates_first(struct kunit *test)
{
	struct chan_test *ct = test->priv;
	struct test_xfer *stuck;

	chan_hang(test);
	stuck = xfer_submit_new(test, 0);
	xfer_expect(test, stuck, -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, 1, stuck->terminations);
	test_engine_release(ct->engine);
	xfer_expect_release(test, stuck);
}

/*
 * Catches: progress of one lane that counts for another, which then waits for a
 * lost callback as long as other lanes are busy.
 */
static void chan_watches_the_oldest(struct kunit *test)
{
	struct chan_test *ct = test->priv;
	struct test_xfer *stuck, *others[20];
	unsigned long start = jiffies;
	unsigned int i;

	chan_hold(test);
	stuck = xfer_submit_new(test, 0);
	for (i = 0; i < ARRAY_SIZE(others); i++)
		others[i] = xfer_submit_new(test, 1);
	KUNIT_EXPECT_TRUE(test, test_engine_run(ct->engine, TEST_LOSE));
	for (i = 1; i < XFER_PIECES; i++)
		KUNIT_EXPECT_TRUE(test, test_engine_run(ct->engine, TEST_COPY));
	dmacpy_timeout.value = CHAN_TIMEOUT;
	while (!try_wait_for_completion(&stuck->done) &&
	       time_before(jiffies, start + PATIENCE) &&
	       test_engine_run(ct->engine, TEST_COPY))
		msleep(CHAN_TIMEOUT / 10);
	xfer_expect(test, stuck, -ETIMEDOUT);
	xfer_expect(test, others[0], 0);
	xfer_expect(test, others[ARRAY_SIZE(others) / 2], -ECANCELED);
	test_engine_release(ct->engine);
	xfer_expect_release(test, stuck);
	chan_expect_alive(test);
}

/*
 * Catches: memory that is released although the engine refused to terminate; a
 * channel that does not recover after that.
 */
static void chan_survives_refused_terminate(struct kunit *test)
{
	struct chan_test *ct = test->priv;
	struct test_xfer *stuck;

	chan_hang(test);
	ct->engine->no_terminate = true;
	stuck = xfer_submit_new(test, 0);
	xfer_expect(test, stuck, -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, 0, stuck->releases);
	test_engine_release(ct->engine);
	xfer_expect_release(test, stuck);
	chan_expect_alive(test);
}

/* Catches: a refusal that is forgotten if the channel cannot be requested. */
static void chan_keeps_refused_terminate(struct kunit *test)
{
	struct chan_test *ct = test->priv;
	struct test_xfer *stuck;
	unsigned int i;

	chan_hang(test);
	ct->engine->no_terminate = true;
	ct->engine->no_request = UINT_MAX;
	stuck = xfer_submit_new(test, 0);
	xfer_expect(test, stuck, -ETIMEDOUT);
	msleep(5 * dmacpy_timeout.value);
	KUNIT_EXPECT_FALSE(test, ct->engine->requested);

	/* It can be requested, and copies, but does not call back. */
	ct->engine->no_request = 0;
	for (i = 0; i < 5 * dmacpy_timeout.value; i++) {
		while (test_engine_run(ct->engine, TEST_LOSE))
			;
		usleep_range(1000, 2000);
	}
	KUNIT_EXPECT_TRUE(test, ct->engine->requested);
	KUNIT_EXPECT_EQ(test, 0, stuck->releases);

	test_engine_release(ct->engine);
	xfer_expect_release(test, stuck);
	chan_expect_alive(test);
}

static const bool chan_gone_swaps[] = { false, true };

static void chan_gone_name(const bool *swap, char *name)
{
	strscpy(name, *swap ? "another for its name" : "refused",
		KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(chan_gone, chan_gone_swaps, chan_gone_name);

/* Lets the channel hang, and another client get it when it is released. */
static struct test_xfer *chan_fail_request(struct kunit *test)
{
	struct chan_test *ct = test->priv;
	const bool *swap = test->param_value;
	struct test_xfer *stuck;

	chan_hang(test);
	ct->engine->swap = *swap;
	ct->engine->no_request = UINT_MAX;
	stuck = xfer_submit_new(test, 0);
	xfer_expect(test, stuck, -ETIMEDOUT);
	msleep(5 * dmacpy_timeout.value);
	KUNIT_EXPECT_FALSE(test, ct->engine->requested);
	KUNIT_EXPECT_FALSE(test, dmacpy_chan_ready(ct->chan));
	return stuck;
}

static void chan_can_be_requested(struct chan_test *ct)
{
	ct->engine->swap = false;
	ct->engine->no_request = 0;
	test_engine_release(ct->engine);
}

/* Catches: a channel that is used, or given up, while another client has it. */
static void chan_waits_for_request(struct kunit *test)
{
	struct chan_test *ct = test->priv;
	struct test_xfer *stuck, *late;

	stuck = chan_fail_request(test);
	late = xfer_submit_new(test, 0);
	xfer_expect(test, late, -ECANCELED);
	KUNIT_EXPECT_EQ(test, 0, stuck->releases);

	chan_can_be_requested(ct);
	xfer_expect_release(test, stuck);
	chan_expect_alive(test);
	KUNIT_EXPECT_EQ(test, 0, ct->engine->misused);
}

/* Catches: a channel that is released although another client has it. */
static void chan_closes_without_request(struct kunit *test)
{
	struct chan_test *ct = test->priv;
	struct test_xfer *stuck;

	stuck = chan_fail_request(test);
	dmacpy_chan_close(ct->chan);
	ct->chan = NULL;
	KUNIT_EXPECT_EQ(test, 0, stuck->releases);
	KUNIT_EXPECT_EQ(test, 0, ct->engine->misused);

	chan_can_be_requested(ct);
	dmacpy_timeout.value = ct->timeout_ms;
	ct->chan = chan_open(ct);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ct->chan);
	KUNIT_EXPECT_EQ(test, 1, stuck->releases);
	chan_expect_alive(test);
}

/* Catches: an unbind that fails healthy transfers, or waits for others. */
static void chan_closes(struct kunit *test)
{
	struct chan_test *ct = test->priv;
	struct test_xfer *flying, *waiting;

	chan_hold(test);
	ct->engine->ring = XFER_PIECES;
	flying = xfer_submit_new(test, 0);
	waiting = xfer_submit_new(test, 1);
	dmacpy_timeout.value = 10000;
	schedule_delayed_work(&ct->release, HZ / 20);
	dmacpy_chan_close(ct->chan);
	ct->chan = NULL;
	xfer_expect(test, flying, 0);
	xfer_expect(test, waiting, -ENODEV);
	xfer_expect_release(test, flying);
	xfer_expect_release(test, waiting);
	KUNIT_EXPECT_EQ(test, XFER_PIECES, ct->engine->prepared);
}

/* Catches: an engine that is terminated while its tasklet uses its lists. */
static void chan_waits_for_the_tasklet(struct kunit *test)
{
	struct chan_test *ct = test->priv;
	struct test_xfer *xfer;

	chan_begin(test);
	ct->engine->lingers = 50;
	xfer = xfer_submit_new(test, 0);
	xfer_expect(test, xfer, 0);
	dmacpy_chan_close(ct->chan);
	ct->chan = NULL;
	KUNIT_EXPECT_EQ(test, 1, ct->engine->terminations);
	KUNIT_EXPECT_EQ(test, 0, ct->engine->misused);
}

/* Catches: memory of a closed channel that is freed under a hung engine. */
static void chan_is_parked_and_reclaimed(struct kunit *test)
{
	struct chan_test *ct = test->priv;
	struct test_xfer *stuck;

	chan_hang(test);
	stuck = xfer_submit_new(test, 0);
	dmacpy_chan_close(ct->chan);
	ct->chan = NULL;
	xfer_expect(test, stuck, -ENODEV);
	KUNIT_EXPECT_EQ(test, 0, stuck->releases);

	KUNIT_EXPECT_EQ(test, -EIO, PTR_ERR_OR_ZERO(chan_open(ct)));
	KUNIT_EXPECT_EQ(test, 0, stuck->releases);
	test_engine_release(ct->engine);
	dmacpy_timeout.value = ct->timeout_ms;
	ct->chan = chan_open(ct);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ct->chan);
	KUNIT_EXPECT_EQ(test, 1, stuck->releases);
	chan_expect_alive(test);
}

/* Catches: an engine that frees descriptors its hardware still uses. */
static void chan_waits_without_terminate(struct kunit *test)
{
	struct chan_test *ct = test->priv;
	struct test_xfer *stuck;

	ct->engine->device.device_terminate_all = NULL;
	chan_hang(test);
	stuck = xfer_submit_new(test, 0);
	xfer_expect(test, stuck, -ETIMEDOUT);
	msleep(3 * CHAN_TIMEOUT);
	KUNIT_EXPECT_EQ(test, 0, ct->engine->releases);
	KUNIT_EXPECT_EQ(test, 0, stuck->releases);
	test_engine_release(ct->engine);
	chan_expect_alive(test);
	KUNIT_EXPECT_EQ(test, 1, stuck->releases);
}

/* Catches: a channel that is accepted although it cannot be used. */
static void chan_refuses_to_open(struct kunit *test)
{
	struct chan_test *ct = test->priv;
	struct dma_device *device = &ct->engine->device;

	device->copy_align = 3;
	test_engine_register(test, ct->engine);
	dma_cap_clear(DMA_MEMCPY, device->cap_mask);
	KUNIT_EXPECT_EQ(test, -EINVAL, PTR_ERR_OR_ZERO(chan_open(ct)));
	dma_cap_set(DMA_MEMCPY, device->cap_mask);
	ct->engine->no_prep = 1;
	KUNIT_EXPECT_EQ(test, -EIO, PTR_ERR_OR_ZERO(chan_open(ct)));

	ct->chan = chan_open(ct);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ct->chan);
	kunit_add_action(test, chan_close, ct);
	KUNIT_EXPECT_EQ(test, 8, ct->chan->copy_align);
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED(ct->chan->max_piece, 8));
}

static const int chan_chain_results[] = { 0, -ECANCELED };

static void chan_chain_name(const int *result, char *name)
{
	strscpy(name, *result ? "refused" : "copied", KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(chan_chain, chan_chain_results, chan_chain_name);

/* Catches: a task that is kept busy while its transfers submit others. */
static void chan_worker_takes_over(struct kunit *test)
{
	const int *result = test->param_value;
	struct test_xfer *first, *last = NULL;
	struct chan_test *ct = test->priv;
	unsigned int i;

	chan_begin(test);
	ct->engine->at_once = true;
	for (i = 0; i < XFER_CHAIN; i++) {
		first = xfer_new(test);
		first->next = last;
		first->refuse = *result;
		last = first;
	}
	xfer_submit(test, 0, first);
	KUNIT_EXPECT_PTR_EQ(test, current, first->by);
	for (; first; last = first, first = first->next)
		xfer_expect(test, first, *result);
	KUNIT_EXPECT_PTR_NE(test, current, last->by);
}

/*
 * Catches: megabytes that are synced in a callback, with interrupts off; a
 * transfer that overtakes a slow one.
 */
static void chan_completes_slow_in_worker(struct kunit *test)
{
	struct chan_test *ct = test->priv;
	struct test_xfer *quick, *slow, *behind;

	chan_begin(test);
	ct->engine->at_once = true;
	quick = xfer_submit_new(test, 0);
	xfer_expect(test, quick, 0);
	KUNIT_EXPECT_PTR_EQ(test, current, quick->by);
	slow = xfer_new(test);
	slow->base.slow = true;
	behind = xfer_new(test);
	slow->next = behind;
	xfer_submit(test, 0, slow);
	xfer_expect(test, behind, 0);
	xfer_expect(test, slow, 0);
	KUNIT_EXPECT_PTR_EQ(test, ct->chan->worker->task, slow->by);
	KUNIT_EXPECT_LT(test, slow->place, behind->place);
}

static int chan_init(struct kunit *test)
{
	struct chan_test *ct;

	ct = kunit_kzalloc(test, sizeof(*ct), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ct);
	INIT_LIST_HEAD(&ct->xfers);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action(test, chan_free_xfers, ct));
	ct->engine = test_engine_new(test);
	ct->lanes[0].share = &ct->shares[0];
	ct->lanes[1].share = &ct->shares[0];
	ct->lanes[2].share = &ct->shares[1];
	init_waitqueue_head(&ct->ready);
	dmacpy_report_init(&ct->report, ct->engine->client);
	INIT_DELAYED_WORK(&ct->release, chan_release_engine);
	ct->timeout_ms = dmacpy_timeout.value;
	test->priv = ct;
	return 0;
}

static void chan_exit(struct kunit *test)
{
	struct chan_test *ct = test->priv;

	if (ct)
		dmacpy_timeout.value = ct->timeout_ms;
}

static struct kunit_case chan_cases[] = {
	KUNIT_CASE(chan_copies),
	KUNIT_CASE_PARAM(chan_plugs, chan_unplug_gen_params),
	KUNIT_CASE(chan_closes_plugged),
	KUNIT_CASE(chan_keeps_order),
	KUNIT_CASE(chan_waits_for_parts),
	KUNIT_CASE(chan_recovers_before_parts),
	KUNIT_CASE(chan_schedules_fairly),
	KUNIT_CASE(chan_schedules_users_fairly),
	KUNIT_CASE(chan_counts_backlog),
	KUNIT_CASE(chan_refills_ring),
	KUNIT_CASE(chan_ends_in_reverse_order),
	KUNIT_CASE(chan_continues_after_failure),
	KUNIT_CASE(chan_runs_one_by_one),
	KUNIT_CASE(chan_reports_failure),
	KUNIT_CASE(chan_survives_refused_submit),
	KUNIT_CASE(chan_retries_refused),
	KUNIT_CASE(chan_skips_cancelled),
	KUNIT_CASE(chan_timeout_is_per_progress),
	KUNIT_CASE_PARAM(chan_counts, chan_silent_gen_params),
	KUNIT_CASE(chan_keeps_quarantine),
	KUNIT_CASE(chan_ignores_callbacks_of_terminated),
	KUNIT_CASE(chan_terminates_first),
	KUNIT_CASE(chan_watches_the_oldest),
	KUNIT_CASE(chan_survives_refused_terminate),
	KUNIT_CASE(chan_keeps_refused_terminate),
	KUNIT_CASE(chan_waits_without_terminate),
	KUNIT_CASE_PARAM(chan_waits_for_request, chan_gone_gen_params),
	KUNIT_CASE_PARAM(chan_closes_without_request, chan_gone_gen_params),
	KUNIT_CASE(chan_closes),
	KUNIT_CASE(chan_waits_for_the_tasklet),
	KUNIT_CASE(chan_is_parked_and_reclaimed),
	KUNIT_CASE_PARAM(chan_worker_takes_over, chan_chain_gen_params),
	KUNIT_CASE(chan_completes_slow_in_worker),
	KUNIT_CASE(chan_refuses_to_open),
	{ }
};

static struct kunit_suite chan_suite = {
	.name = "dmacpy_chan",
	.init = chan_init,
	.exit = chan_exit,
	.test_cases = chan_cases,
};

kunit_test_suites(&chan_suite);
