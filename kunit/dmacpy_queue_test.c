// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of dmacpy_queue.c: spinning waiters. dmacpy_stream_test.c has the rest.
 */
#include <kunit/test.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/thread_info.h>

#include "dmacpy_compat.h"
#include "dmacpy_device.h"
#include "dmacpy_job.h"
#include "dmacpy_param.h"
#include "dmacpy_queue.h"
#include "dmacpy_stream.h"
#include "dmacpy_test_device.h"
#include "dmacpy_test_engine.h"

/* Maximum time for a waiter to spin: far longer than its job takes. */
#define SPIN_US		1000000
#define JOB_NS		(20 * NSEC_PER_USEC)
/* Retries, as the waiter yields the CPU to other tasks that need it. */
#define SPIN_TRIES	1000

#define QUICK_NS	3000
#define LIMIT_US	6
#define TRIES		20	/* the CPU may be taken away */
#define LIMIT_NS	(LIMIT_US * NSEC_PER_USEC)

/**
 * struct queue_test - a stream, and a waiter
 * @stream: the stream
 * @waiter: the waiter
 * @timer: completes the waiter's job
 * @spin: previous value of the parameter
 */
struct queue_test {
	struct dmacpy_stream *stream;
	struct dmacpy_waiter waiter;
	struct hrtimer timer;
	unsigned int spin;
};

static enum hrtimer_restart queue_complete(struct hrtimer *timer)
{
	struct queue_test *qt = container_of(timer, struct queue_test, timer);

	/* The same as in queue_complete_waiter(). */
	smp_store_release(&qt->waiter.job, NULL);
	return HRTIMER_NORESTART;
}

/* Spins for a job that an interrupt completes. The job itself is not used. */
static bool queue_spin(struct queue_test *qt)
{
	bool completed;

	qt->waiter.job = (struct dmacpy_job *)qt;
	hrtimer_start(&qt->timer, JOB_NS, HRTIMER_MODE_REL_HARD);
	completed = dmacpy_queue_spin(qt->stream, &qt->waiter, ktime_get_ns());
	hrtimer_cancel(&qt->timer);
	return completed;
}

static bool queue_spins_in_some_try(struct queue_test *qt)
{
	unsigned int i;

	for (i = 0; i < SPIN_TRIES; i++) {
		if (queue_spin(qt))
			return true;
		cond_resched();
	}
	return false;
}

/* Catches: a waiter that sleeps, or that misses the completion of its job. */
static void queue_spins(struct kunit *test)
{
	struct queue_test *qt = test->priv;

	KUNIT_EXPECT_TRUE(test, queue_spins_in_some_try(qt));
	qt->waiter.job = NULL;
	KUNIT_EXPECT_TRUE(test, dmacpy_queue_spin(qt->stream, &qt->waiter,
						  ktime_get_ns()));
}

/* Catches: a parameter of 0 that does not disable spinning. */
static void queue_spins_only_if_asked_for(struct kunit *test)
{
	struct queue_test *qt = test->priv;

	dmacpy_spin.value = 0;
	KUNIT_EXPECT_FALSE(test, queue_spin(qt));
}

/* Catches: a waiter that spins in vain. */
static void queue_sleeps_for_slow_jobs(struct kunit *test)
{
	struct queue_test *qt = test->priv;

	qt->stream->latency = SPIN_US * NSEC_PER_USEC + 1;
	KUNIT_EXPECT_FALSE(test, queue_spin(qt));
}

/* Catches: a waiter that spins for a fence of another driver. */
static void queue_sleeps_behind_fences(struct kunit *test)
{
	struct queue_test *qt = test->priv;
	LIST_HEAD(job);

	list_add(&job, &qt->stream->waiting);
	KUNIT_EXPECT_FALSE(test, queue_spin(qt));
	list_del(&job);
}

/* Returns true if a spin for an incomplete job ends before SPIN_US. */
static bool queue_gives_up_early(struct queue_test *qt)
{
	u64 start = ktime_get_ns();

	qt->waiter.job = (struct dmacpy_job *)qt;
	return !dmacpy_queue_spin(qt->stream, &qt->waiter, start) &&
	       ktime_get_ns() - start < SPIN_US * NSEC_PER_USEC;
}

/* Catches: a task that does not yield the CPU to another one. */
static void queue_spin_yields_cpu(struct kunit *test)
{
	struct queue_test *qt = test->priv;
	bool early;

	preempt_disable();
	set_tsk_need_resched(current);
	early = queue_gives_up_early(qt);
	preempt_enable();
	KUNIT_EXPECT_TRUE(test, early);
}

/* Catches: a signal that is not handled while the task spins. */
static void queue_spin_ends_by_signal(struct kunit *test)
{
	struct queue_test *qt = test->priv;
	bool early;

	set_thread_flag(TIF_SIGPENDING);
	early = queue_gives_up_early(qt);
	clear_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_TRUE(test, early);
}

/* Catches: a waiter that spins for longer than the limit. */
static void queue_spin_is_bounded(struct kunit *test)
{
	struct queue_test *qt = test->priv;
	u64 start, least = U64_MAX;
	unsigned int i;

	dmacpy_spin.value = LIMIT_US;
	qt->waiter.job = (struct dmacpy_job *)qt;
	for (i = 0; i < TRIES; i++) {
		start = ktime_get_ns();
		KUNIT_EXPECT_FALSE(test, dmacpy_queue_spin(qt->stream,
							   &qt->waiter, start));
		least = min(least, ktime_get_ns() - start);
	}
	/* The clock of some boards, and an emulated CPU, take some us. */
	KUNIT_EXPECT_LE(test, least, 20 * LIMIT_NS);
}

static void queue_note(struct queue_test *qt, u64 ns, unsigned int times)
{
	while (times--)
		dmacpy_queue_note_latency(qt->stream, ns);
}

/* Catches: a hung job that counts for all later ones; or for ever. */
static void queue_recovers_from_hang(struct kunit *test)
{
	struct queue_test *qt = test->priv;
	const unsigned int *latency = &qt->stream->latency;

	dmacpy_spin.value = LIMIT_US;
	queue_note(qt, QUICK_NS, 100);
	KUNIT_EXPECT_GE(test, *latency, QUICK_NS / 2);
	KUNIT_EXPECT_LE(test, *latency, QUICK_NS);
	queue_note(qt, U64_MAX, 1);
	KUNIT_EXPECT_LE(test, *latency, LIMIT_NS);
	queue_note(qt, U64_MAX, 100);
	KUNIT_EXPECT_GT(test, *latency, LIMIT_NS);
	queue_note(qt, QUICK_NS, 16);
	KUNIT_EXPECT_LE(test, *latency, LIMIT_NS);
}

static int queue_init(struct kunit *test)
{
	struct test_engine *engine;
	struct queue_test *qt;

	qt = kunit_kzalloc(test, sizeof(*qt), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, qt);
	qt->spin = dmacpy_spin.value;
	hrtimer_setup(&qt->timer, queue_complete, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_HARD);
	test->priv = qt;

	engine = test_engine_new(test);
	test_engine_register(test, engine);
	qt->stream = test_stream_open(test, test_device_new(test, engine),
				      engine);
	dmacpy_spin.value = SPIN_US;
	return 0;
}

static void queue_exit(struct kunit *test)
{
	struct queue_test *qt = test->priv;

	if (qt)
		dmacpy_spin.value = qt->spin;
}

static struct kunit_case queue_cases[] = {
	KUNIT_CASE(queue_spins),
	KUNIT_CASE(queue_spins_only_if_asked_for),
	KUNIT_CASE(queue_sleeps_for_slow_jobs),
	KUNIT_CASE(queue_sleeps_behind_fences),
	KUNIT_CASE(queue_spin_yields_cpu),
	KUNIT_CASE(queue_spin_ends_by_signal),
	KUNIT_CASE(queue_spin_is_bounded),
	KUNIT_CASE(queue_recovers_from_hang),
	{ }
};

static struct kunit_suite queue_suite = {
	.name = "dmacpy_queue",
	.init = queue_init,
	.exit = queue_exit,
	.test_cases = queue_cases,
};

kunit_test_suites(&queue_suite);
