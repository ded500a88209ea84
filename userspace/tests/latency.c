// SPDX-License-Identifier: GPL-2.0-only
/*
 * The latency of a thread with a real-time priority during a storm of jobs, on
 * the CPU that runs them and takes the engine's interrupts. For a guest whose
 * clock counts instructions, see count() in qemu/boot.sh: in others, the host
 * adds latency. So the figures are those of the kernel and of the driver,
 * without the effects of real memory, caches and buses. The reference is the
 * same guest with an equal load without jobs: both alternate.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "common.h"
#include "engine.h"

#define LENGTH		(16 * KIB)
#define OPS		64
#define WORKERS		4
#define WINDOWS		10
#define WINDOW		200	/* wake-ups */
#define SAMPLES		(WINDOWS * WINDOW)
#define PERIOD_NS	1037000	/* not a multiple or fraction of a tick */
/* Above the threads of interrupts, which have 50 */
#define PRIORITY	80
/* As many users as are needed for the streams, as max_user_jobs is 16384. */
#define USERS		6
#define STREAMS		(4 * USERS)
#define FIRST_USER	10000
#define QUEUED		96000
/* Maximum additional latency of a thread while that many jobs are cancelled */
#define CANCEL_BOUND_NS	5000000

enum load { IDLE, BUSY, STORM, LOADS };

static const char * const load_names[] = { "idle", "busy", "jobs" };

/* A thread without a real-time priority that keeps the guest busy */
struct worker {
	pthread_t thread;
	enum load *load;
	unsigned long jobs;
	int error;
	bool stop;
};

FIXTURE(latency)
{
	struct worker workers[WORKERS];
	enum load load;
	int stream, handle;
};

FIXTURE_VARIANT(latency)
{
	bool job;		/* measure a job, or else a wake-up */
	unsigned int bound_ns;	/* maximum additional latency beside jobs */
};

FIXTURE_VARIANT_ADD(latency, of_a_wake_up) {
	.bound_ns = 20000,
};

/* The job has to wait for descriptors of the engine, and for its turn. */
FIXTURE_VARIANT_ADD(latency, of_a_job) {
	.job = true, .bound_ns = 500000,
};

static void be_busy(void)
{
	static __thread uint8_t from[LENGTH], to[LENGTH];

	memcpy(to, from, sizeof(to));
	__asm__ volatile("" : : "r" (to) : "memory");
}

/* Prepares copies of 128 bytes in SRAM. */
static void prepare_ops(struct dmacpy_op *ops, int handle)
{
	size_t i;

	for (i = 0; i < OPS; i++)
		ops[i] = (struct dmacpy_op){
			.dst = handle,
			.dst_offset = i * 128,
			.src = handle,
			.src_offset = LENGTH / 2 + i * 128,
			.length = 128,
		};
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct dmacpy_op ops[OPS];
	int stream, fd;

	stream = stream_open(DEVICE);
	fd = sram_alloc(stream, LENGTH);
	prepare_ops(ops, dmabuf_import(stream, fd, ACCESS_BOTH));
	while (!w->error && !__atomic_load_n(&w->stop, __ATOMIC_RELAXED)) {
		switch (__atomic_load_n(w->load, __ATOMIC_RELAXED)) {
		case STORM:
			w->error = submit(stream, ops, OPS);
			w->jobs++;
			break;
		case BUSY:
			be_busy();
			break;
		default:
			usleep(1000);
		}
	}
	close(fd);
	close(stream);
	return NULL;
}

/* Sets the calling thread's priority, on the first CPU; 0 is none. */
static bool set_real_time(int priority)
{
	struct sched_param param = { .sched_priority = priority };
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	return !sched_setaffinity(0, sizeof(first), &first) &&
	       !sched_setscheduler(0, priority ? SCHED_FIFO : SCHED_OTHER,
				   &param);
}

FIXTURE_SETUP(latency)
{
	size_t i;

	for (i = 0; i < WORKERS; i++) {
		self->workers[i].load = &self->load;
		ASSERT_EQ(0, pthread_create(&self->workers[i].thread, NULL,
					    work, &self->workers[i]));
	}
	self->stream = stream_open(DEVICE);
	self->handle = dmabuf_import(self->stream,
				     sram_alloc(self->stream, LENGTH),
				     ACCESS_BOTH);
	ASSERT_LT(0, self->handle);
	ASSERT_TRUE(set_real_time(PRIORITY));
}

FIXTURE_TEARDOWN(latency)
{
	size_t i;

	for (i = 0; i < WORKERS; i++)
		__atomic_store_n(&self->workers[i].stop, true,
				 __ATOMIC_RELAXED);
	for (i = 0; i < WORKERS; i++) {
		pthread_join(self->workers[i].thread, NULL);
		EXPECT_EQ(0, self->workers[i].error);
		EXPECT_LT(0, self->workers[i].jobs);
	}
}

static int compare(const void *a, const void *b)
{
	const unsigned int *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static void sleep_until(uint64_t due)
{
	struct timespec at = {
		.tv_sec = due / 1000000000,
		.tv_nsec = due % 1000000000,
	};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

/* Measures the latency of each wake-up, or the time of each job, in ns. */
static bool measure_window(const struct _test_data_latency *self, bool job,
			   unsigned int *samples)
{
	uint64_t due, start;
	size_t i;

	for (i = 0; i < WINDOW; i++) {
		due = now_ns() + PERIOD_NS;
		sleep_until(due);
		start = job ? now_ns() : due;
		if (job && fill(self->stream, self->handle, 64, i))
			return false;
		samples[i] = now_ns() - start;
	}
	return true;
}

/*
 * Catches: jobs that keep the CPU from a thread of higher priority; jobs of
 * such a thread that wait for a thread that does not run.
 */
TEST_F_TIMEOUT(latency, beside_a_storm, SLOW)
{
	static unsigned int samples[LOADS][SAMPLES];
	unsigned int i;
	enum load load;

	for (i = 0; i < SAMPLES; i += WINDOW)
		for (load = IDLE; load < LOADS; load++) {
			__atomic_store_n(&self->load, load, __ATOMIC_RELAXED);
			ASSERT_TRUE(measure_window(self, variant->job,
						   &samples[load][i]));
		}
	for (load = IDLE; load < LOADS; load++) {
		qsort(samples[load], SAMPLES, sizeof(**samples), compare);
		TH_LOG("%s: median %u, 99%% %u, longest %u ns",
		       load_names[load], samples[load][SAMPLES / 2],
		       samples[load][SAMPLES * 99 / 100],
		       samples[load][SAMPLES - 1]);
	}
	EXPECT_GE(samples[BUSY][SAMPLES - 1] + variant->bound_ns,
		  samples[STORM][SAMPLES - 1]);
}

FIXTURE(cancelled)
{
	struct instance instance;
	int streams[STREAMS];
	struct dmacpy_op ops[STREAMS];
	bool complete;
};

FIXTURE_SETUP(cancelled)
{
	int fd = -1, i;

	ASSERT_EQ(0, engine_find(&self->instance));
	ASSERT_TRUE(engine_reset());
	for (i = 0; i < STREAMS; i++) {
		self->streams[i] = open_as(self->instance.node,
					   FIRST_USER + i % USERS);
		if (!i)
			fd = sram_alloc(self->streams[i], 4 * KIB);
		self->ops[i] = (struct dmacpy_op){
			.opcode = DMACPY_OP_FILL,
			.dst = dmabuf_import(self->streams[i], fd, ACCESS_BOTH),
			.length = 64,
		};
		ASSERT_LT(0, (int)self->ops[i].dst);
	}
	/* qemu/guest/measure raises the limits of jobs. */
	ASSERT_LE(QUEUED / STREAMS, stream_info(self->streams[0]).max_jobs);
}

FIXTURE_TEARDOWN_PARENT(cancelled)
{
	EXPECT_TRUE(engine_reset());
}

/* Returns a description of the failure, or NULL. */
static void *wait_for_all(void *arg)
{
	struct _test_data_cancelled *self = arg;
	void *error = NULL;
	size_t i;

	for (i = 0; i < STREAMS; i++)
		if (!fsync(self->streams[i]) ||
		    (errno != ECANCELED && errno != ETIMEDOUT))
			error = "jobs were not cancelled";
	__atomic_store_n(&self->complete, true, __ATOMIC_RELAXED);
	return error;
}

/* Returns the maximum latency until all jobs are cancelled, in ns, or 0. */
static unsigned int latest_wake_up(struct _test_data_cancelled *self)
{
	unsigned int late, latest = 0;
	pthread_t waiter;
	uint64_t due;
	void *error;

	self->complete = false;
	if (pthread_create(&waiter, NULL, wait_for_all, self) ||
	    !set_real_time(PRIORITY) || !set_number(TIMEOUT, 10))
		return 0;
	while (!__atomic_load_n(&self->complete, __ATOMIC_RELAXED)) {
		due = now_ns() + PERIOD_NS;
		sleep_until(due);
		late = now_ns() - due;
		if (late > latest)
			latest = late;
	}
	pthread_join(waiter, &error);
	return error || !set_real_time(0) ? 0 : latest;
}

/* Starts jobs on a hung engine, and measures while they are cancelled. */
static unsigned int measure_beside(struct __test_metadata *_metadata,
				   struct _test_data_cancelled *self,
				   unsigned int jobs)
{
	struct dmacpy_submit args = { .flags = DMACPY_SUBMIT_NO_IMPLICIT };
	unsigned int i, latest;

	ASSERT_TRUE(engine_reset());
	ASSERT_TRUE(engine_set("hang", 1));
	for (i = 0; i < jobs; i++)
		ASSERT_EQ(0, submit_with(self->streams[i % STREAMS],
					 &self->ops[i % STREAMS], 1, &args));
	latest = latest_wake_up(self);
	TH_LOG("beside %u cancelled jobs: longest %u ns", jobs, latest);
	EXPECT_LT(0, latest);
	return latest;
}

/* Catches: a CPU that is unavailable until all jobs are cancelled. */
TEST_F_TIMEOUT(cancelled, at_once, SLOW)
{
	unsigned int few = measure_beside(_metadata, self, STREAMS);
	unsigned int many = measure_beside(_metadata, self, QUEUED);

	EXPECT_GT(few + CANCEL_BOUND_NS, many);
}

TEST_HARNESS_MAIN
