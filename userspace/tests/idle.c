// SPDX-License-Identifier: GPL-2.0-only
/*
 * A task that waits for a job uses no CPU time. If a processor runs one
 * instruction per ns, as under "qemu -icount shift=0", the time counts
 * instructions.
 */
#include <inttypes.h>
#include <poll.h>
#include <time.h>

#include "kselftest_harness.h"
#include "common.h"
#include "engine.h"

#define LENGTH		(4 * KIB)
#define WAIT_US		(2 * 1000 * 1000)	/* the watchdog allows more */
#define TRIES		3
#define NS_PER_US	1000ULL

FIXTURE(idle)
{
	int stream, handle;
};

FIXTURE_SETUP(idle)
{
	struct instance instance;
	int fd;

	ASSERT_EQ(0, engine_find(&instance));
	ASSERT_TRUE(engine_reset());
	self->stream = stream_open(instance.node);
	fd = sram_alloc(self->stream, LENGTH);
	self->handle = dmabuf_import(self->stream, fd, ACCESS_BOTH);
	ASSERT_LT(0, self->handle);
}

FIXTURE_TEARDOWN_PARENT(idle)
{
	EXPECT_TRUE(engine_reset());
	EXPECT_EQ(0, sram_leaked());
}

/* CPU time in ns of this process, including system time. */
static uint64_t own_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * 1000 * 1000 * NS_PER_US + now.tv_nsec;
}

/* Submits a job that takes some seconds, and waits for it in poll(). */
static int wait_for_slow_job(struct _test_data_idle *self)
{
	const struct dmacpy_op op = {
		.opcode = DMACPY_OP_FILL,
		.dst = self->handle,
		.length = LENGTH,
	};
	struct dmacpy_submit args = { .flags = DMACPY_SUBMIT_EVENT };

	return submit_with(self->stream, &op, 1, &args) ?:
	       poll_for(self->stream, POLLIN, 10000);
}

/* Returns the busy time of all processors, in 1/100 s. */
static unsigned int busy_ticks(void)
{
	unsigned int user = 0, nice = 0, kernel = 0, irq = 0, softirq = 0;
	FILE *stat = fopen("/proc/stat", "re");

	if (!stat)
		return 0;
	if (fscanf(stat, "cpu %u %u %u %*u %*u %u %u", &user, &nice, &kernel,
		   &irq, &softirq) != 5)
		user = 0;
	fclose(stat);
	return user + nice + kernel + irq + softirq;
}

/*
 * Catches: a watchdog that polls. Other busy tasks, such as the leak detector
 * of a debug kernel, do not disturb each try.
 */
TEST_F(idle, kernel)
{
	unsigned int tries = TRIES, ticks;

	ASSERT_TRUE(engine_set("delay_us", WAIT_US));
	do {
		ticks = busy_ticks();
		ASSERT_EQ(POLLIN, wait_for_slow_job(self));
		ticks = busy_ticks() - ticks;
		TH_LOG("busy for %u ms of %u ms", ticks * 10, WAIT_US / 1000);
	} while (ticks * 10 >= WAIT_US / 1000 / 4 && --tries);
	EXPECT_LT(0, tries);
}

/*
 * Catches: a wait that polls, in each try. Time that the host takes from the
 * guest counts as well.
 */
TEST_F(idle, poll_uses_no_cpu)
{
	unsigned int tries = TRIES, start, took;
	uint64_t ns;

	ASSERT_TRUE(engine_set("delay_us", WAIT_US));
	do {
		start = milliseconds();
		ns = own_time();
		ASSERT_EQ(POLLIN, wait_for_slow_job(self));
		ns = own_time() - ns;
		took = milliseconds() - start;
		TH_LOG("%" PRIu64 " ns of %u ms", ns, took);
		EXPECT_LE(WAIT_US / 1000, took);
	} while (ns >= WAIT_US * NS_PER_US / 100 && --tries);
	EXPECT_LT(0, tries);
}

TEST_HARNESS_MAIN
