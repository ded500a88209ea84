// SPDX-License-Identifier: GPL-2.0-only
/*
 * A slow, hung, or wrong engine, or one short of descriptors: the one in
 * kunit/dmacpy_fake_dma.c, which has a driver instance of its own.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "common.h"
#include "engine.h"

#define LENGTH		(4 * KIB)	/* one page, one descriptor */
#define MAX_OPS		1024
#define TIMEOUT_MS	1000	/* few hosts delay the engine for so long */
#define BOUND_MS	5000	/* allows for a busy host */
#define BUSY_MS		60000	/* allows for a busy guest, too */
#define LOST_MS		400	/* limit for most jobs if TIMEOUT is far less */
#define STREAMS		8
#define CHANNELS	4	/* channels of the instance */
#define FREE_PAGES	(2048 * KIB)

/* A stream with a page of SRAM and two pages of memory */
struct fake_bench {
	int stream, fd, sram, in, out;
	uint8_t *in_mem, *out_mem, round;
};

static int bench_open(struct fake_bench *b, const struct instance *instance)
{
	b->stream = stream_open(instance->node);
	b->fd = sram_alloc(b->stream, LENGTH);
	b->sram = dmabuf_import(b->stream, b->fd, ACCESS_BOTH);
	b->in_mem = memory_map(LENGTH);
	b->out_mem = memory_map(LENGTH);
	b->in = memory_register(b->stream, b->in_mem, LENGTH,
				DMACPY_ACCESS_READ);
	b->out = memory_register(b->stream, b->out_mem, LENGTH,
				 DMACPY_ACCESS_WRITE);
	return b->in > 0 && b->out > 0 && b->sram > 0 ? 0 : -ENODEV;
}

static void bench_close(struct fake_bench *b)
{
	munmap(b->in_mem, LENGTH);
	munmap(b->out_mem, LENGTH);
	close(b->fd);
	close(b->stream);
}

/*
 * Copies to the SRAM and back, in one job of @count operations. The second half
 * of them depends on the first. The order is from the last piece to the first,
 * as adjacent operations would be joined. Returns -EBADMSG for success with
 * wrong data.
 */
static int copy_round_trip(struct fake_bench *b, unsigned int count)
{
	struct dmacpy_op ops[MAX_OPS];
	unsigned int half = count / 2, i, at, length = LENGTH / half;
	int ret;

	for (i = 0; i < half; i++) {
		at = (half - 1 - i) * length;
		ops[i] = (struct dmacpy_op){
			.dst = b->sram,
			.dst_offset = at,
			.src = b->in,
			.src_offset = at,
			.length = length,
		};
		ops[half + i] = ops[i];
		ops[half + i].dst = b->out;
		ops[half + i].src = b->sram;
	}
	b->round++;
	for (i = 0; i < LENGTH; i++)
		b->in_mem[i] = b->round + i + i / 256;
	memset(b->out_mem, 0, LENGTH);
	ret = submit(b->stream, ops, 2 * half);
	if (!ret && memcmp(b->in_mem, b->out_mem, half * length))
		return -EBADMSG;
	return ret;
}

/* Runs the next job, as soon as the channel has recovered. */
static int pass_again(struct fake_bench *b, unsigned int count)
{
	unsigned int start = milliseconds();
	int ret;

	do {
		ret = copy_round_trip(b, count);
		if (ret != -EAGAIN && ret != -ECANCELED)
			break;
		usleep(1000);
	} while (milliseconds() - start < BOUND_MS);
	return ret;
}

/* Starts numbered jobs with an event. Returns how many were accepted. */
static unsigned int start_jobs(struct fake_bench *b, unsigned int count)
{
	struct dmacpy_op op = {
		.dst = b->sram,
		.src = b->in,
		.length = LENGTH,
	};
	struct dmacpy_submit args = {
		.size = sizeof(args),
		.flags = DMACPY_SUBMIT_EVENT,
		.ops = (uintptr_t)&op,
		.op_count = 1,
		.op_size = sizeof(op),
	};

	while (args.user_data < count &&
	       !command(b->stream, DMACPY_SUBMIT, &args))
		args.user_data++;
	return args.user_data;
}

/* Returns the result of the next event; INT_MIN if it is not the nth job's. */
static int next_result(struct fake_bench *b, unsigned int n)
{
	struct dmacpy_event event;

	if (read(b->stream, &event, sizeof(event)) != sizeof(event) ||
	    event.user_data != n)
		return INT_MIN;
	return event.result;
}

static bool has_event(struct fake_bench *b)
{
	struct pollfd pfd = { .fd = b->stream, .events = POLLIN };

	return poll(&pfd, 1, 0) > 0;
}

static void set_up(struct __test_metadata *_metadata,
		   struct instance *instance, struct fake_bench *b)
{
	if (engine_find(instance))
		SKIP(return, "no instance on the fake DMA engine");
	ASSERT_TRUE(engine_reset());
	ASSERT_TRUE(set_number(TIMEOUT, TIMEOUT_MS));
	ASSERT_EQ(0, bench_open(b, instance));
}

/*
 * Runs in the parent, as the test may have died. The driver remembers the
 * engine's properties until it is unbound.
 */
static void tear_down(struct __test_metadata *_metadata,
		      struct instance *instance)
{
	EXPECT_TRUE(engine_reset());
	EXPECT_EQ(0, instance_override(instance, NULL));
	instance_unbind(instance);
	EXPECT_EQ(0, instance_bind(instance));
	EXPECT_EQ(0, sram_leaked());
}

FIXTURE(fault)
{
	struct instance instance;
	struct fake_bench bench;
};

/* The failure, its number of occurrences, and the result of the affected job */
FIXTURE_VARIANT(fault)
{
	const char *name;
	unsigned int count;
	int result;
};

FIXTURE_VARIANT_ADD(fault, failed) { "next_failed", 1, -EIO };
FIXTURE_VARIANT_ADD(fault, short) { "next_short", 1, -EIO };
FIXTURE_VARIANT_ADD(fault, dropped) { "next_dropped", 1, -ETIMEDOUT };
FIXTURE_VARIANT_ADD(fault, lost) { "next_lost", 1, -ETIMEDOUT };
FIXTURE_VARIANT_ADD(fault, no_submit) { "next_no_submit", 1, -EIO };
FIXTURE_VARIANT_ADD(fault, no_prep) { "next_no_prep", 5, 0 };
FIXTURE_VARIANT_ADD(fault, never_prep) {
	"next_no_prep", FOR_EVER, -ETIMEDOUT
};

FIXTURE_SETUP(fault)
{
	set_up(_metadata, &self->instance, &self->bench);
}

FIXTURE_TEARDOWN_PARENT(fault)
{
	tear_down(_metadata, &self->instance);
}

/* Catches: a failure that is not detected, or that is permanent. */
TEST_F_TIMEOUT(fault, single, SLOW)
{
	unsigned int start = milliseconds();

	ASSERT_TRUE(engine_set(variant->name, variant->count));
	EXPECT_EQ(variant->result, copy_round_trip(&self->bench, 2));
	EXPECT_GE(BOUND_MS, milliseconds() - start);
	if (variant->count != FOR_EVER)
		EXPECT_EQ(0, engine_get(variant->name));
	ASSERT_TRUE(engine_behave());
	EXPECT_EQ(0, pass_again(&self->bench, 2));
	EXPECT_EQ(0, pass_again(&self->bench, MAX_OPS));
}

static void *pass_many(void *arg)
{
	return (void *)(intptr_t)copy_round_trip(arg, MAX_OPS);
}

/* Catches: descriptors after the failed one that are lost, or that run. */
TEST_F_TIMEOUT(fault, in_a_batch, SLOW)
{
	pthread_t thread;
	void *result;

	/* Most are still in flight at the failure, even on a slow CPU. */
	ASSERT_TRUE(engine_set("delay_us", 20 * 1000));
	ASSERT_EQ(0, pthread_create(&thread, NULL, pass_many, &self->bench));
	usleep(50 * 1000);
	ASSERT_TRUE(engine_set(variant->name, variant->count));
	ASSERT_TRUE(engine_set("delay_us", 0));
	pthread_join(thread, &result);
	EXPECT_EQ(variant->result, (intptr_t)result);
	if (variant->count != FOR_EVER)
		EXPECT_EQ(0, engine_get(variant->name));
	ASSERT_TRUE(engine_behave());
	EXPECT_EQ(0, pass_again(&self->bench, MAX_OPS));
}

/* Catches: a job that completes at its last callback. */
TEST_F_TIMEOUT(fault, in_reverse_order, SLOW)
{
	ASSERT_TRUE(engine_set("reverse", 1));
	ASSERT_TRUE(engine_set(variant->name, variant->count));
	EXPECT_EQ(variant->result, copy_round_trip(&self->bench, 16));
	ASSERT_TRUE(engine_behave());
	EXPECT_EQ(0, pass_again(&self->bench, MAX_OPS));
}

/* Catches: a job without an event, with two, or with that of another. */
TEST_F_TIMEOUT(fault, each_job_has_an_event, SLOW)
{
	unsigned int count, i;
	int result;

	/* All are submitted before the first one fails. */
	ASSERT_TRUE(set_number(TIMEOUT, 4 * TIMEOUT_MS));
	ASSERT_TRUE(engine_set("hang", 1));
	ASSERT_TRUE(engine_set(variant->name, variant->count));
	count = start_jobs(&self->bench, 16);
	EXPECT_EQ(16, count);
	ASSERT_TRUE(engine_set("hang", 0));
	EXPECT_EQ(variant->result, next_result(&self->bench, 0));
	for (i = 1; i < count; i++) {
		result = next_result(&self->bench, i);
		EXPECT_TRUE(!result || result == -ECANCELED);
		if (variant->result == -ETIMEDOUT)
			EXPECT_EQ(-ECANCELED, result);
	}
	EXPECT_FALSE(has_event(&self->bench));
	ASSERT_TRUE(engine_behave());
	EXPECT_EQ(0, pass_again(&self->bench, MAX_OPS));
}

FIXTURE(fake)
{
	struct instance instance;
	struct fake_bench bench;
};

FIXTURE_SETUP(fake)
{
	set_up(_metadata, &self->instance, &self->bench);
}

FIXTURE_TEARDOWN_PARENT(fake)
{
	tear_down(_metadata, &self->instance);
}

/* Catches: a wait that ends before the copy has completed. */
TEST_F(fake, slow)
{
	unsigned int start = milliseconds();

	ASSERT_TRUE(engine_set("delay_us", 50000));
	EXPECT_EQ(0, copy_round_trip(&self->bench, 2));
	EXPECT_LE(100, milliseconds() - start);
}

/* Catches: a waiter that spins, or sleeps, beyond the completion of its job. */
TEST_F_TIMEOUT(fake, spins_or_sleeps, SLOW)
{
	const unsigned int spins[] = { 0, 1, 100, 1000 };
	const unsigned int delays[] = { 0, 10, 100, 1000, 10000 };
	unsigned int before = get_number(SPIN), i, j, round;

	for (i = 0; i < ARRAY_SIZE(spins); i++) {
		ASSERT_TRUE(set_number(SPIN, spins[i]));
		for (j = 0; j < ARRAY_SIZE(delays); j++) {
			ASSERT_TRUE(engine_set("delay_us", delays[j]));
			for (round = 0; round < 4; round++)
				EXPECT_EQ(0, copy_round_trip(&self->bench, 2));
		}
	}
	EXPECT_TRUE(set_number(SPIN, before));
}

/* Catches: a watchdog that checks the duration of a job, not its progress. */
TEST_F_TIMEOUT(fake, slow_but_healthy, SLOW)
{
	unsigned int start = milliseconds();

	ASSERT_TRUE(engine_set("delay_us", 1000));
	EXPECT_EQ(0, copy_round_trip(&self->bench, MAX_OPS));
	EXPECT_LE(MAX_OPS, milliseconds() - start);
}

/* Catches: a fake engine that does not limit its speed. */
TEST_F_TIMEOUT(fake, bandwidth, SLOW)
{
	unsigned int start = milliseconds(), took;
	int i;

	ASSERT_TRUE(engine_set("bytes_per_us", 1));
	for (i = 0; i < 20; i++)
		EXPECT_EQ(0, copy_round_trip(&self->bench, 16));
	took = milliseconds() - start;
	EXPECT_LE(20 * 2 * LENGTH / 1000, took);
	EXPECT_GE(20 * 2 * LENGTH / 1000 * 100, took);
}

/* Catches: a ring that is mistaken for a longer one, or is not used fully. */
TEST_F_TIMEOUT(fake, small_rings, SLOW)
{
	static const unsigned int sizes[] = { 1, 2, 3, 7, 32 };
	unsigned int i, copied;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		ASSERT_TRUE(engine_set("ring", sizes[i]));
		copied = engine_get("copied");
		EXPECT_EQ(0, copy_round_trip(&self->bench, MAX_OPS));
		EXPECT_EQ(copied + MAX_OPS, engine_get("copied"));
	}
}

/* The driver checks the engine's properties when it is bound. */
static void rebind(struct __test_metadata *_metadata,
		   struct instance *instance, struct fake_bench *b)
{
	bench_close(b);
	ASSERT_EQ(0, instance_unbind(instance));
	ASSERT_EQ(0, instance_bind(instance));
	ASSERT_EQ(0, bench_open(b, instance));
}

/* Catches: waiting for a callback that comes only with a later interrupt. */
TEST_F_TIMEOUT(fake, coalesced_interrupts, SLOW)
{
	static const unsigned int rings[] = { 2, 3, 7, 32 };
	unsigned int i;

	ASSERT_TRUE(engine_set("coalesce", 1));
	for (i = 0; i < ARRAY_SIZE(rings); i++) {
		ASSERT_TRUE(engine_set("ring", rings[i]));
		rebind(_metadata, &self->instance, &self->bench);
		EXPECT_EQ(0, copy_round_trip(&self->bench, 2));
		EXPECT_EQ(0, copy_round_trip(&self->bench, MAX_OPS));
	}
}

/* Catches: waiting for a callback of a descriptor without an interrupt. */
TEST_F_TIMEOUT(fake, callbacks_with_interrupts_only, SLOW)
{
	ASSERT_TRUE(engine_set("only_irq", 1));
	rebind(_metadata, &self->instance, &self->bench);
	EXPECT_EQ(0, copy_round_trip(&self->bench, 2));
	EXPECT_EQ(0, copy_round_trip(&self->bench, MAX_OPS));
}

/* Catches: a stale callback of a reused descriptor, or none. */
TEST_F_TIMEOUT(fake, callbacks_without_result, SLOW)
{
	ASSERT_TRUE(engine_set("no_result", 1));
	EXPECT_EQ(0, copy_round_trip(&self->bench, 2));
	EXPECT_EQ(0, copy_round_trip(&self->bench, MAX_OPS));
}

/* Catches: a later job that completes before an earlier one. */
TEST_F_TIMEOUT(fake, reverse_order, SLOW)
{
	unsigned int count, i;

	ASSERT_TRUE(engine_set("reverse", 1));
	ASSERT_TRUE(engine_set("delay_us", 10));
	EXPECT_EQ(0, copy_round_trip(&self->bench, MAX_OPS));
	ASSERT_TRUE(engine_set("ring", 7));
	EXPECT_EQ(0, copy_round_trip(&self->bench, MAX_OPS));

	count = start_jobs(&self->bench, 32);
	EXPECT_EQ(32, count);
	for (i = 0; i < count; i++)
		EXPECT_EQ(0, next_result(&self->bench, i));
}

/*
 * Submits @count jobs, all but the first while the engine is busy, and sleeps
 * for their events.
 */
static void expect_jobs(struct __test_metadata *_metadata, struct fake_bench *b,
			unsigned int count)
{
	unsigned int i;

	ASSERT_TRUE(engine_set("hang", 1));
	EXPECT_EQ(count, start_jobs(b, count));
	ASSERT_TRUE(engine_set("hang", 0));
	for (i = 0; i < count; i++)
		EXPECT_EQ(0, next_result(b, i));
	EXPECT_FALSE(has_event(b));
}

/*
 * Catches: a job that stays submitted for ever, as sf-pdma ignores descriptors
 * that are issued while it is busy; a batch whose last descriptor requests no
 * interrupt, so that no callback issues again after it.
 */
TEST_F_TIMEOUT(fake, ignores_issue_while_busy, SLOW)
{
	static const unsigned int rings[] = { 2, 3, 7, 32 };
	unsigned int i;

	ASSERT_TRUE(engine_set("forgetful", 1));
	for (i = 0; i < 2 * ARRAY_SIZE(rings); i++) {
		ASSERT_TRUE(engine_set("ring", rings[i / 2]));
		ASSERT_TRUE(engine_set("coalesce", i % 2));
		expect_jobs(_metadata, &self->bench, 2);
		expect_jobs(_metadata, &self->bench, 40);
		EXPECT_EQ(0, copy_round_trip(&self->bench, 34));
		EXPECT_EQ(0, copy_round_trip(&self->bench, MAX_OPS));
	}
}

/* Catches: a use after free by the callback of a terminated descriptor. */
TEST_F_TIMEOUT(fake, late_callbacks, SLOW)
{
	int round;

	for (round = 0; round < 10; round++) {
		ASSERT_TRUE(engine_set("next_late", 20));
		ASSERT_TRUE(engine_set("hang", 1));
		EXPECT_EQ(-ETIMEDOUT, copy_round_trip(&self->bench, 64));
		ASSERT_TRUE(engine_set("hang", 0));
		EXPECT_EQ(0, pass_again(&self->bench, MAX_OPS));
	}
	EXPECT_EQ(0, engine_get("next_late"));
}

/* Catches: memory that is freed although the engine could not be stopped. */
TEST_F_TIMEOUT(fake, refuses_to_terminate, SLOW)
{
	int round;

	for (round = 0; round < 10; round++) {
		ASSERT_TRUE(engine_set("no_terminate", 1));
		ASSERT_TRUE(engine_set("hang", 1));
		EXPECT_EQ(-ETIMEDOUT, copy_round_trip(&self->bench, 64));
		ASSERT_TRUE(engine_set("hang", 0));
		EXPECT_EQ(0, pass_again(&self->bench, MAX_OPS));
	}
}

/* Returns the time until the first event, in ms. */
static unsigned int wait_for_event(struct fake_bench *b, unsigned int start)
{
	poll_for(b->stream, POLLIN, BUSY_MS);
	return milliseconds() - start;
}

/*
 * Catches: a lost callback that delays the jobs of other streams, the longer,
 * the more streams there are.
 */
TEST_F_TIMEOUT(fake, lost_interrupt_delays_no_other_stream, SLOW)
{
	unsigned int start, i, j, took;
	struct fake_bench others[2 * CHANNELS];

	for (i = 0; i < ARRAY_SIZE(others); i++)
		ASSERT_EQ(0, bench_open(&others[i], &self->instance));
	ASSERT_TRUE(engine_set("delay_us", 50 * 1000));
	ASSERT_TRUE(engine_set("next_lost", 1));
	ASSERT_EQ(1, start_jobs(&self->bench, 1));
	while (engine_get("next_lost"))
		usleep(1000);
	start = milliseconds();
	for (i = 0; i < ARRAY_SIZE(others); i++)
		ASSERT_EQ(6, start_jobs(&others[i], 6));
	/*
	 * One of two streams on a channel has to wait for the other's jobs, for
	 * 0.35 s. A channel that is held up takes 1 s more than all its jobs,
	 * 1.6 s.
	 */
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		took = wait_for_event(&others[i], start);
		EXPECT_GE(TIMEOUT_MS * 12 / 10, took);
		EXPECT_EQ(0, next_result(&others[i], 0));
		TH_LOG("the first job of stream %u took %u ms", i, took);
	}
	EXPECT_EQ(-ETIMEDOUT, next_result(&self->bench, 0));
	EXPECT_GE(3 * TIMEOUT_MS, milliseconds() - start);
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		for (j = 1; j < 6; j++)
			EXPECT_NE(INT_MIN, next_result(&others[i], j));
		bench_close(&others[i]);
	}
}

/*
 * Catches: a channel that never recovers, as its name refers to another channel
 * each time: the first free one.
 */
TEST_F_TIMEOUT(fake, any_channel_for_a_name, SLOW)
{
	struct instance lower;

	snprintf(lower.name, sizeof(lower.name), "test-partition");
	if (!instance_exists(&lower))
		SKIP(return, "this board has no other node on the engine");
	bench_close(&self->bench);
	ASSERT_EQ(0, instance_unbind(&self->instance));
	ASSERT_TRUE(engine_set("any_slave", 1));
	/* That node has a channel before those of the instance. */
	ASSERT_EQ(0, instance_override(&lower, "dmacpy"));
	ASSERT_EQ(0, instance_bind(&lower));
	ASSERT_EQ(0, instance_bind(&self->instance));
	ASSERT_EQ(0, instance_unbind(&lower));
	ASSERT_EQ(0, bench_open(&self->bench, &self->instance));
	ASSERT_TRUE(engine_set("hang", 1));
	EXPECT_EQ(-ETIMEDOUT, copy_round_trip(&self->bench, 2));
	ASSERT_TRUE(engine_set("hang", 0));
	EXPECT_EQ(0, pass_again(&self->bench, MAX_OPS));
	EXPECT_EQ(0, instance_override(&lower, NULL));
}

/* A thread with a stream that submits until it is stopped */
struct worker {
	pthread_t thread;
	struct fake_bench bench;
	unsigned int done, timed_out, late, failed, slowest;
	int unexpected;
	bool stop;
};

static void note_time(struct worker *w, unsigned int took, int ret)
{
	if (took > w->slowest)
		w->slowest = took;
	w->late += ret == -ETIMEDOUT && took > LOST_MS;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	unsigned int start;
	int ret;

	while (!__atomic_load_n(&w->stop, __ATOMIC_RELAXED)) {
		start = milliseconds();
		ret = copy_round_trip(&w->bench, 8);
		note_time(w, milliseconds() - start, ret);
		if (!ret)
			__atomic_add_fetch(&w->done, 1, __ATOMIC_RELAXED);
		else if (ret == -ETIMEDOUT)
			__atomic_add_fetch(&w->timed_out, 1, __ATOMIC_RELAXED);
		else if (ret == -EAGAIN || ret == -ECANCELED)
			usleep(1000);
		else if (ret == -EIO)
			w->failed++;
		else
			w->unexpected = ret;
	}
	return NULL;
}

static int start_workers(struct worker *workers,
			 const struct instance *instance)
{
	int i;

	for (i = 0; i < STREAMS; i++)
		if (bench_open(&workers[i].bench, instance) ||
		    pthread_create(&workers[i].thread, NULL, work,
				   &workers[i]))
			return -ENOMEM;
	return 0;
}

static void stop_workers(struct worker *workers)
{
	int i;

	for (i = 0; i < STREAMS; i++)
		__atomic_store_n(&workers[i].stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < STREAMS; i++) {
		pthread_join(workers[i].thread, NULL);
		bench_close(&workers[i].bench);
	}
}

static unsigned int all_timed_out(const struct worker *workers)
{
	unsigned int sum = 0;
	int i;

	for (i = 0; i < STREAMS; i++)
		sum += __atomic_load_n(&workers[i].timed_out,
				       __ATOMIC_RELAXED);
	return sum;
}

/* Returns true if the engine has lost the interrupt. */
static bool wait_interrupt_lost(void)
{
	unsigned int start = milliseconds();

	while (engine_get("next_lost")) {
		if (milliseconds() - start > BOUND_MS)
			return false;
		usleep(100);
	}
	return true;
}

/* Returns true if each worker has completed another job: all channels work. */
static bool wait_all_working(const struct worker *workers)
{
	unsigned int done[STREAMS], start = milliseconds();
	int i;

	for (i = 0; i < STREAMS; i++)
		done[i] = __atomic_load_n(&workers[i].done, __ATOMIC_RELAXED);
	for (i = 0; i < STREAMS; i++)
		while (__atomic_load_n(&workers[i].done, __ATOMIC_RELAXED) ==
		       done[i]) {
			if (milliseconds() - start > BUSY_MS)
				return false;
			usleep(100);
		}
	return true;
}

/*
 * Loses an interrupt. If the channel is being tested after a recovery, no job
 * is affected. Returns true if a job times out.
 */
static bool lose_interrupt(struct __test_metadata *_metadata,
			   const struct worker *workers)
{
	unsigned int before = all_timed_out(workers);

	EXPECT_TRUE(engine_set("next_lost", 1));
	EXPECT_TRUE(wait_interrupt_lost());
	EXPECT_TRUE(wait_all_working(workers));
	return all_timed_out(workers) != before;
}

/* Returns the kB that are charged to RLIMIT_MEMLOCK as pinned. */
static unsigned int pinned(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	unsigned int kb = UINT_MAX;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "VmPin: %u", &kb);
	if (file)
		fclose(file);
	return kb;
}

/* A work item unpins the memory, after the engine has completed its jobs. */
static bool is_unpinned(unsigned int kb, long pages)
{
	unsigned int start = milliseconds();

	while (pinned() != kb || pinned_pages() > pages) {
		if (milliseconds() - start > BOUND_MS)
			return false;
		usleep(1000);
	}
	return true;
}

/* Returns true if this process has no pinned memory in the end. */
static bool wait_unpinned(void)
{
	unsigned int start = milliseconds();

	while (pinned()) {
		if (milliseconds() - start > BOUND_MS)
			return false;
		usleep(1000);
	}
	return true;
}

/*
 * Eight streams recover repeatedly, which is slow on one CPU. A busy host
 * delays some of them, but not most.
 */
static void expect_in_time(struct __test_metadata *_metadata,
			   const struct worker *workers)
{
	bool one_cpu = sysconf(_SC_NPROCESSORS_ONLN) == 1;
	unsigned int slowest = 0, late = 0;
	int i;

	for (i = 0; i < STREAMS; i++) {
		if (workers[i].slowest > slowest)
			slowest = workers[i].slowest;
		late += workers[i].late;
	}
	TH_LOG("%u jobs timed out, %u of them late, the slowest job took %u ms",
	       all_timed_out(workers), late, slowest);
	EXPECT_GE((one_cpu ? 4 : 2) * BOUND_MS, slowest);
	if (!one_cpu)
		EXPECT_GE(all_timed_out(workers) / 2, late);
}

/*
 * Catches: a race in the recovery; a leak; a job that is lost in it, or that
 * runs on an incomplete channel; a late completion.
 */
TEST_F_TIMEOUT(fake, repeated_lost_interrupts, 30 * SLOW)
{
	unsigned int times = environment("DMACPY_LOSSES", 300), lost = 0;
	struct worker workers[STREAMS] = { };
	unsigned int kb = pinned();
	long pages = pinned_pages();
	int i;

	ASSERT_TRUE(set_number(TIMEOUT, 20));
	ASSERT_EQ(0, start_workers(workers, &self->instance));
	while (lost < times && __test_passed(_metadata))
		lost += lose_interrupt(_metadata, workers);
	stop_workers(workers);
	for (i = 0; i < STREAMS; i++) {
		EXPECT_EQ(0, workers[i].unexpected);
		EXPECT_EQ(0, workers[i].failed);
	}
	EXPECT_LE(times, all_timed_out(workers));
	expect_in_time(_metadata, workers);
	EXPECT_TRUE(is_unpinned(kb, pages));
	TH_LOG("%u interrupts lost", lost);
}

/* Catches: a hand-over between submitters after which no task issues. */
TEST_F_TIMEOUT(fake, ignores_issue_of_many_streams, SLOW)
{
	struct worker workers[STREAMS] = { };
	unsigned int i;

	ASSERT_TRUE(engine_set("forgetful", 1));
	ASSERT_EQ(0, start_workers(workers, &self->instance));
	for (i = 0; i < 20; i++) {
		ASSERT_TRUE(engine_set("delay_us", i % 3 * 10));
		usleep(100 * 1000);
	}
	EXPECT_TRUE(wait_all_working(workers));
	stop_workers(workers);
	for (i = 0; i < STREAMS; i++) {
		EXPECT_EQ(0, workers[i].timed_out);
		EXPECT_EQ(0, workers[i].failed);
		EXPECT_EQ(0, workers[i].unexpected);
	}
}

/* Catches: bugs that need a combination of failures. */
TEST_F_TIMEOUT(fake, all_at_once, SLOW)
{
	struct worker workers[STREAMS] = { };
	unsigned int start = milliseconds(), number;
	const char *name;
	int i;

	random_start();
	ASSERT_TRUE(set_number(TIMEOUT, 20));
	ASSERT_EQ(0, start_workers(workers, &self->instance));
	while (milliseconds() - start < 10000) {
		for (i = 0; i < 3; i++) {
			name = engine_knobs[random_below(engine_knob_count)];
			number = strcmp(name, "bytes_per_us") ?
				 random_below(4) : 100;
			ASSERT_TRUE(engine_set(name, number));
		}
		usleep(random_below(60) * 1000);
		if (!random_below(2))
			ASSERT_TRUE(engine_behave());
	}
	ASSERT_TRUE(engine_behave());
	EXPECT_TRUE(wait_all_working(workers));
	stop_workers(workers);
	for (i = 0; i < STREAMS; i++)
		EXPECT_EQ(0, workers[i].unexpected);
}

/*
 * Maps and writes memory that would reuse the pinned pages if those had been
 * freed, as it has no huge pages.
 */
static uint8_t *take_pages(void)
{
	uint8_t *mem = memory_map(FREE_PAGES);

	madvise(mem, FREE_PAGES, MADV_NOHUGEPAGE);
	memset(mem, 0x77, FREE_PAGES);
	return mem;
}

/* Allocates and writes all free SRAM. NULL terminates the list. */
static void take_all(int stream, uint8_t **mem, uint64_t *length, int max)
{
	int i, fd;

	for (i = 0; i < max - 1; i++) {
		length[i] = stream_info(stream).sram_largest;
		fd = sram_alloc(stream, length[i]);
		if (fd < 0)
			break;
		mem[i] = dmabuf_map(fd, length[i]);
		memset(mem[i], 0x77, length[i]);
		close(fd);
	}
	mem[i] = NULL;
}

/*
 * Catches: memory of a job that timed out, given to another user while the
 * engine can still write to it; memory that is never freed.
 */
TEST_F_TIMEOUT(fake, hang_ends_later, SLOW)
{
	unsigned int before = pinned(), start = milliseconds();
	uint64_t length[16], total = 0;
	uint8_t *mem[16], *other;
	int stream, i;

	ASSERT_TRUE(engine_set("hang", 1));
	EXPECT_EQ(-ETIMEDOUT, copy_round_trip(&self->bench, 2));
	bench_close(&self->bench);
	EXPECT_GE(BOUND_MS, milliseconds() - start);

	other = take_pages();
	stream = stream_open(self->instance.node);
	ASSERT_LE(0, stream);
	take_all(stream, mem, length, ARRAY_SIZE(mem));
	for (i = 0; mem[i]; i++)
		total += length[i];
	EXPECT_EQ(stream_info(stream).sram_total - LENGTH, total);
	EXPECT_EQ(0, stream_info(stream).sram_free);
	EXPECT_EQ(before, pinned());

	ASSERT_TRUE(engine_set("hang", 0));
	start = milliseconds();
	while (milliseconds() - start < BOUND_MS &&
	       (stream_info(stream).sram_free < LENGTH || pinned()))
		usleep(1000);
	EXPECT_EQ(LENGTH, stream_info(stream).sram_free);
	EXPECT_EQ(0, pinned());
	EXPECT_TRUE(all_bytes_are(other, 0x77, FREE_PAGES));
	for (i = 0; mem[i]; i++)
		EXPECT_TRUE(all_bytes_are(mem[i], 0x77, length[i]));
}

/* Catches: memory of a job that is reused when it is unmapped. */
TEST_F_TIMEOUT(fake, unmap_in_flight, SLOW)
{
	struct fake_bench *b = &self->bench;
	const struct dmacpy_op ops[] = {
		{ .dst = b->sram, .src = b->in, .length = LENGTH },
		{ .dst = b->out, .src = b->sram, .length = LENGTH },
	};
	struct dmacpy_submit args = { .flags = DMACPY_SUBMIT_EVENT };
	uint8_t *other;

	ASSERT_TRUE(set_number(TIMEOUT, 20000));
	memset(b->in_mem, 0x5a, LENGTH);
	ASSERT_TRUE(engine_set("hang", 1));
	ASSERT_EQ(0, submit_with(b->stream, ops, ARRAY_SIZE(ops), &args));
	EXPECT_EQ(0, handle_release(b->stream, b->in));
	EXPECT_EQ(0, handle_release(b->stream, b->out));
	EXPECT_EQ(0, munmap(b->in_mem, LENGTH));
	EXPECT_EQ(0, munmap(b->out_mem, LENGTH));
	other = take_pages();
	ASSERT_TRUE(engine_set("hang", 0));
	EXPECT_EQ(0, next_result(b, 0));
	EXPECT_TRUE(all_bytes_are(dmabuf_map(b->fd, LENGTH), 0x5a, LENGTH));
	EXPECT_TRUE(all_bytes_are(other, 0x77, FREE_PAGES));
}

/* Catches: a process that cannot be killed; a job that is lost with it. */
TEST_F_TIMEOUT(fake, kill_while_hung, SLOW)
{
	unsigned int start, copied = engine_get("copied");
	pid_t pid;

	ASSERT_TRUE(set_number(TIMEOUT, 20000));
	ASSERT_TRUE(engine_set("hang", 1));
	pid = fork();
	if (!pid) {
		copy_round_trip(&self->bench, 2);
		_exit(0);
	}
	instance_wait_in_flight(&self->instance, 2);
	start = milliseconds();
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	EXPECT_GE(BOUND_MS, milliseconds() - start);
	EXPECT_EQ(copied, engine_get("copied"));
	ASSERT_TRUE(engine_set("hang", 0));
	EXPECT_EQ(0, copy_round_trip(&self->bench, 2));
	EXPECT_EQ(copied + 4, engine_get("copied"));
}

/*
 * Catches: an unbind that waits for a hung engine, and that abandons its memory
 * for ever; a device that can never be bound again.
 */
TEST_F_TIMEOUT(fake, unbind_while_hung, SLOW)
{
	struct fake_bench bench;
	unsigned int start;
	pthread_t thread;
	void *result;

	ASSERT_TRUE(set_number(TIMEOUT, 2 * TIMEOUT_MS));
	ASSERT_TRUE(engine_set("hang", 1));
	ASSERT_EQ(0, pthread_create(&thread, NULL, pass_many, &self->bench));
	instance_wait_in_flight(&self->instance, 32);
	start = milliseconds();
	ASSERT_EQ(0, instance_unbind(&self->instance));
	/* The unbind waits for it, and then tries once more. */
	EXPECT_GE(2 * 2 * TIMEOUT_MS + BOUND_MS, milliseconds() - start);
	pthread_join(thread, &result);
	EXPECT_EQ(-ENODEV, (intptr_t)result);

	start = milliseconds();
	EXPECT_GT(0, instance_bind(&self->instance));
	EXPECT_GE(2 * TIMEOUT_MS + BOUND_MS, milliseconds() - start);
	ASSERT_TRUE(engine_set("hang", 0));
	bench_close(&self->bench);
	ASSERT_EQ(0, instance_bind(&self->instance));
	ASSERT_EQ(0, bench_open(&bench, &self->instance));
	EXPECT_EQ(0, copy_round_trip(&bench, MAX_OPS));
	bench_close(&bench);
	EXPECT_EQ(0, sram_leaked());
	EXPECT_TRUE(wait_unpinned());
}

/*
 * Catches: an unbounded wait for channels, or one that exceeds the timeout;
 * abandoned memory that is not counted or not recovered.
 */
TEST_F_TIMEOUT(fake, unbind_while_several_hang, SLOW)
{
	struct fake_bench other;
	unsigned int start;

	ASSERT_EQ(0, bench_open(&other, &self->instance));
	ASSERT_TRUE(engine_set("hang", 1));
	EXPECT_EQ(1, start_jobs(&self->bench, 1));
	EXPECT_EQ(1, start_jobs(&other, 1));
	start = milliseconds();
	ASSERT_EQ(0, instance_unbind(&self->instance));
	/* The unbind waits for each of the two, and then tries once more. */
	EXPECT_GE(2 * 2 * TIMEOUT_MS + BOUND_MS, milliseconds() - start);
	EXPECT_EQ(2, get_number(LOST));
	bench_close(&self->bench);
	bench_close(&other);

	ASSERT_TRUE(engine_set("hang", 0));
	ASSERT_EQ(0, instance_bind(&self->instance));
	EXPECT_EQ(0, get_number(LOST));
	EXPECT_EQ(0, sram_leaked());
	EXPECT_TRUE(wait_unpinned());
}

/*
 * Catches: a device for another driver that is not released, or is taken again;
 * copies of the engine that are not waited for then; a device that cannot be
 * taken back.
 */
TEST_F_TIMEOUT(fake, driver_override, SLOW)
{
	struct fake_bench bench;
	unsigned int i;

	ASSERT_TRUE(engine_set("delay_us", SLOW_US));
	ASSERT_EQ(16, start_jobs(&self->bench, 16));
	ASSERT_EQ(0, instance_override(&self->instance, "another"));
	ASSERT_EQ(0, instance_unbind(&self->instance));
	for (i = 0; i < 16; i++)
		EXPECT_EQ(0, next_result(&self->bench, i));
	EXPECT_EQ(0, instance_probe(&self->instance));
	EXPECT_GT(0, instance_find_node(&self->instance));

	ASSERT_EQ(0, instance_override(&self->instance, "dmacpy"));
	ASSERT_EQ(0, instance_probe(&self->instance));
	ASSERT_EQ(0, instance_find_node(&self->instance));
	ASSERT_TRUE(engine_behave());
	ASSERT_EQ(0, bench_open(&bench, &self->instance));
	EXPECT_EQ(0, copy_round_trip(&bench, MAX_OPS));
	bench_close(&bench);
}

TEST_HARNESS_MAIN
