// SPDX-License-Identifier: GPL-2.0-only
/*
 * An engine whose interrupts are lost: the real one. The test masks its lines
 * in the interrupt controller, without the kernel's knowledge.
 *
 * It does so by their priorities, as the enable bits belong to the kernel: on
 * PREEMPT_RT the kernel disables an interrupt until the handler, a thread, has
 * run. If a test enabled it before that, the line would still be asserted, and
 * would interrupt that thread for ever.
 */
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>

#include "kselftest_harness.h"
#include "common.h"
#include "instance.h"

#define LENGTH		(16 * KIB)
#define ROUNDS		20
#define WORKERS		6
#define LATE_JOBS	1000
#define TIMEOUT_MS	50
#define LATE_MS		500	/* rarely, on a busy host */
#define BOUND_MS	5000

/* An interrupt controller that has a priority register for each line */
static const struct controller {
	const char *name;	/* name in /proc/interrupts */
	const char *node;	/* name in the device tree */
	size_t registers;	/* offset of the first register */
	size_t width;		/* bytes of each register */
	uint32_t never;		/* the priority that interrupts no CPU */
} controllers[] = {
	{ " GIC", "/proc/device-tree/{gic,axi/interrupt-controller}@*", 0x400,
	  1, 0xff },
	{ " SiFive PLIC", "/proc/device-tree/soc/interrupt-controller@*", 0, 4,
	  0 },
};

/* The register of Zynq's PL330, with a bit for each event */
#define PL330_NODE	"/proc/device-tree/axi/dma-controller@f8003000"
#define PL330_INTCLR	(0x2c / 4)
/* Bytes of either that are mapped */
#define REGISTERS	0x1000

FIXTURE(watchdog)
{
	struct instance instance;
	const struct controller *controller;
	volatile uint8_t *registers;
	volatile uint32_t *pl330;
	unsigned int interrupt[32], interrupts;
	uint32_t priority;	/* original priority of all lines */
	unsigned int timeout;	/* original value of the parameter */
	int stream, fd, handle, user_handle;
	struct dmacpy_get_info info;
	uint8_t *mem, *user;
};

/* Returns the controller of this line's interrupt, and its number there. */
static const struct controller *engine_interrupt(const char *line,
						 unsigned int *number)
{
	const char *name;
	size_t i;

	if (!strstr(line, "zynqmp-dma") && !strstr(line, "dma-controller") &&
	    !strstr(line, "3000000.dma"))
		return NULL;
	for (i = 0; i < ARRAY_SIZE(controllers); i++) {
		name = strstr(line, controllers[i].name);
		if (!name)
			continue;
		name += strlen(controllers[i].name);
		/* A GIC's name ends with its version. */
		*number = strtoul(name + strcspn(name, " "), NULL, 10);
		return *number ? &controllers[i] : NULL;
	}
	return NULL;
}

static void find_interrupts(struct _test_data_watchdog *self)
{
	FILE *file = fopen("/proc/interrupts", "re");
	const struct controller *found;
	unsigned int number;
	char line[512];

	while (file && fgets(line, sizeof(line), file) &&
	       self->interrupts < ARRAY_SIZE(self->interrupt)) {
		found = engine_interrupt(line, &number);
		if (!found)
			continue;
		self->controller = found;
		self->interrupt[self->interrupts++] = number;
	}
	if (file)
		fclose(file);
}

/* Maps the registers of the first node of this name, or returns NULL. */
static volatile void *map_registers(const char *pattern)
{
	off_t address;
	glob_t found;
	void *mem;
	int fd;

	if (glob(pattern, GLOB_BRACE, NULL, &found))
		return NULL;
	address = strtoull(strchr(found.gl_pathv[0], '@') + 1, NULL, 16);
	globfree(&found);
	fd = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
	mem = mmap(NULL, REGISTERS, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		   address);
	close(fd);
	return mem == MAP_FAILED ? NULL : mem;
}

/* Returns NULL, or the reason why it is not possible. */
static const char *map_controllers(struct _test_data_watchdog *self)
{
	if (!self->interrupts)
		return "no interrupt of a DMA engine that is known here";
	self->registers = map_registers(self->controller->node);
	if (!self->registers)
		return "/dev/mem is denied, boot with iomem=relaxed";
	self->pl330 = map_registers(PL330_NODE);
	return NULL;
}

static uint32_t priority_of(struct _test_data_watchdog *self,
			    unsigned int interrupt)
{
	volatile uint8_t *at = self->registers + self->controller->registers +
			       interrupt * self->controller->width;

	return self->controller->width == 1 ? *at : *(volatile uint32_t *)at;
}

static void set_priority(struct _test_data_watchdog *self,
			 unsigned int interrupt, uint32_t priority)
{
	volatile uint8_t *at = self->registers + self->controller->registers +
			       interrupt * self->controller->width;

	if (self->controller->width == 1)
		*at = priority;
	else
		*(volatile uint32_t *)at = priority;
}

static void hold_interrupts(struct _test_data_watchdog *self, bool hold)
{
	unsigned int i;

	for (i = 0; i < self->interrupts; i++)
		set_priority(self, self->interrupt[i],
			     hold ? self->controller->never : self->priority);
}

/*
 * A PL330 keeps its events until they are cleared. They have to be lost for
 * good, as its driver attributes one of a released channel to another channel.
 */
static void lose_interrupts(struct _test_data_watchdog *self, bool lose)
{
	if (!lose && self->pl330)
		self->pl330[PL330_INTCLR] = ~0U;
	hold_interrupts(self, lose);
}

FIXTURE_SETUP(watchdog)
{
	const char *reason;

	find_interrupts(self);
	reason = map_controllers(self);
	if (reason)
		SKIP(return, "%s", reason);
	self->priority = priority_of(self, self->interrupt[0]);
	ASSERT_NE(self->controller->never, self->priority);
	/* Debian's kernels for RISC-V have no shared pools. */
	if (instance_find(&self->instance, WITH_SHARED_POOL))
		ASSERT_EQ(0, instance_find(&self->instance, WITH_OWN_REGION));
	self->stream = stream_open(self->instance.node);
	ASSERT_LE(0, self->stream);
	self->info = stream_info(self->stream);
	self->fd = sram_alloc(self->stream, LENGTH);
	ASSERT_LE(0, self->fd);
	self->mem = dmabuf_map(self->fd, LENGTH);
	ASSERT_NE(NULL, self->mem);
	self->handle = dmabuf_import(self->stream, self->fd, ACCESS_BOTH);
	ASSERT_LT(0, self->handle);
	self->user = memory_map(LENGTH);
	self->user_handle = memory_register(self->stream, self->user, LENGTH,
					    ACCESS_BOTH);
	ASSERT_LT(0, self->user_handle);
	self->timeout = get_number(TIMEOUT);
	ASSERT_TRUE(set_number(TIMEOUT, TIMEOUT_MS));
}

FIXTURE_TEARDOWN_PARENT(watchdog)
{
	/* The mapping was the test process's own. */
	EXPECT_EQ(NULL, map_controllers(self));
	lose_interrupts(self, false);
	EXPECT_TRUE(set_number(TIMEOUT, TIMEOUT_MS));
	EXPECT_EQ(0, sram_leaked());
	EXPECT_TRUE(set_number(TIMEOUT, self->timeout));
	/* A test that rebinds it leaves it with another number. */
	EXPECT_EQ(0, instance_unbind(&self->instance));
	EXPECT_EQ(0, instance_bind(&self->instance));
	EXPECT_EQ(0, access(DEVICE, F_OK));
}

/*
 * Retries until the channel works again: at most 5 s. It may fail once more
 * when lost interrupts arrive late.
 */
static int fill_again(int stream, int handle, uint32_t pattern)
{
	unsigned int start = milliseconds();
	int ret;

	do {
		ret = fill(stream, handle, LENGTH, pattern);
		if (ret != -EAGAIN && ret != -ETIMEDOUT && ret != -ECANCELED)
			break;
		usleep(1000);
	} while (milliseconds() - start < BOUND_MS);
	return ret;
}

/* Catches: a channel that recovers as another one that happens to be free. */
TEST_F_TIMEOUT(watchdog, channel_without_name, SLOW)
{
	struct instance any;
	int stream, handle;

	if (instance_find(&any, "reserved"))
		SKIP(return, "this board has no such instance");
	stream = stream_open(any.node);
	handle = dmabuf_import(stream, sram_alloc(stream, LENGTH), ACCESS_BOTH);
	ASSERT_EQ(0, instance_unbind(&self->instance));
	lose_interrupts(self, true);
	EXPECT_EQ(-ETIMEDOUT, fill(stream, handle, LENGTH, 1));
	lose_interrupts(self, false);
	EXPECT_EQ(0, fill_again(stream, handle, 2));
	/* A busy host may delay the copy at probe. */
	ASSERT_TRUE(set_number(TIMEOUT, self->timeout));
	EXPECT_EQ(0, instance_bind(&self->instance));
}

/* Catches: a job that waits for ever; a channel that never recovers. */
TEST_F_TIMEOUT(watchdog, lost_and_found, SLOW)
{
	unsigned int start, took, late = 0, early = 0;
	int round;

	for (round = 1; round <= ROUNDS; round++) {
		lose_interrupts(self, true);
		start = milliseconds();
		EXPECT_EQ(-ETIMEDOUT, copy(self->stream, self->handle,
					   self->user_handle, LENGTH));
		took = milliseconds() - start;
		/* A busy host may delay the tick that starts the timeout. */
		early += took + 20 < TIMEOUT_MS;
		EXPECT_GE(BOUND_MS, took);
		late += took > LATE_MS;
		lose_interrupts(self, false);
		ASSERT_EQ(0, fill_again(self->stream, self->handle,
					0x01010101 * round));
		ASSERT_TRUE(all_bytes_are(self->mem, round, LENGTH));
	}
	EXPECT_GE(ROUNDS / 2, late);
	EXPECT_GE(ROUNDS / 4, early);
}

/* Returns the number of interrupts of the engine's lines so far. */
static unsigned long count_line_interrupts(void)
{
	FILE *file = fopen("/proc/interrupts", "re");
	unsigned long count, sum = 0;
	char line[512], *at, *end;
	unsigned int number;

	while (file && fgets(line, sizeof(line), file)) {
		if (!engine_interrupt(line, &number))
			continue;
		for (at = strchr(line, ':') + 1;; at = end) {
			count = strtoul(at, &end, 10);
			if (end == at)
				break;
			sum += count;
		}
	}
	if (file)
		fclose(file);
	return sum;
}

/* Returns the interrupts of a number of fills, or ULONG_MAX if one fails. */
static unsigned long count_interrupts(struct _test_data_watchdog *self)
{
	unsigned long before = count_line_interrupts();
	unsigned int i;

	for (i = 0; i < LATE_JOBS; i++)
		if (fill(self->stream, self->handle, LENGTH, i) ||
		    memcmp(self->mem, &i, sizeof(i)))
			return ULONG_MAX;
	return count_line_interrupts() - before;
}

/* A thread that repeatedly holds the interrupts for a moment */
struct delayer {
	pthread_t thread;
	struct _test_data_watchdog *self;
	bool stop;
};

static void *delay_thread(void *arg)
{
	struct delayer *d = arg;

	while (!__atomic_load_n(&d->stop, __ATOMIC_RELAXED)) {
		hold_interrupts(d->self, true);
		if (!random_below(8))
			usleep(random_below(500));
		hold_interrupts(d->self, false);
		usleep(random_below(500));
	}
	return NULL;
}

/*
 * Catches: a late interrupt that counts as a lost one; interrupts held in a way
 * that undoes the kernel's own mask, so that they recur for ever.
 */
TEST_F_TIMEOUT(watchdog, late_interrupts_are_not_lost, SLOW)
{
	struct delayer delayer = { .self = self };
	unsigned long usual, delayed;

	ASSERT_TRUE(set_number(TIMEOUT, 20000));
	usual = count_interrupts(self);
	ASSERT_NE(ULONG_MAX, usual);
	ASSERT_LT(0, usual);
	ASSERT_EQ(0, pthread_create(&delayer.thread, NULL, delay_thread,
				    &delayer));
	delayed = count_interrupts(self);
	__atomic_store_n(&delayer.stop, true, __ATOMIC_RELAXED);
	pthread_join(delayer.thread, NULL);
	TH_LOG("%lu interrupts, %lu of delayed jobs", usual, delayed);
	EXPECT_GE(2 * usual, delayed);
}

/* Catches: a descriptor that the engine did not get, or lost, under load. */
TEST_F_TIMEOUT(watchdog, lost_in_a_batch, SLOW)
{
	static struct dmacpy_op ops[1024];
	size_t i, at;

	/* From the last to the first: adjacent ones would be joined. */
	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		at = 16 * (ARRAY_SIZE(ops) - 1 - i);
		ops[i] = (struct dmacpy_op){
			.dst = self->handle,
			.dst_offset = at,
			.src = self->user_handle,
			.src_offset = at,
			.length = 16,
		};
	}
	memset(self->user, 0x5a, LENGTH);
	lose_interrupts(self, true);
	EXPECT_EQ(-ETIMEDOUT, submit(self->stream, ops, ARRAY_SIZE(ops)));
	lose_interrupts(self, false);
	ASSERT_EQ(0, fill_again(self->stream, self->handle, 0));
	ASSERT_TRUE(set_number(TIMEOUT, self->timeout));
	EXPECT_EQ(0, submit(self->stream, ops, ARRAY_SIZE(ops)));
	EXPECT_TRUE(all_bytes_are(self->mem, 0x5a, LENGTH));
}

/* Catches: each SUBMIT to a dead channel waits, or is lost. */
TEST_F_TIMEOUT(watchdog, stays_dead_for_a_while, SLOW)
{
	unsigned int start, took, late = 0;
	int i, ret;

	lose_interrupts(self, true);
	for (i = 0; i < ROUNDS; i++) {
		start = milliseconds();
		ret = fill(self->stream, self->handle, LENGTH, ~0);
		EXPECT_TRUE(ret == -ETIMEDOUT || ret == -EAGAIN ||
			    ret == -ECANCELED)
			TH_LOG("result %d", ret);
		took = milliseconds() - start;
		EXPECT_GE(BOUND_MS, took);
		late += took > LATE_MS;
		usleep(10 * 1000);
	}
	EXPECT_GE(ROUNDS / 2, late);
	lose_interrupts(self, false);
	EXPECT_EQ(0, fill_again(self->stream, self->handle, 0x77777777));
	EXPECT_TRUE(all_bytes_are(self->mem, 0x77, LENGTH));
}

/* Catches: memory of a failed job that stays in quarantine for ever. */
TEST_F_TIMEOUT(watchdog, memory_comes_back, SLOW)
{
	lose_interrupts(self, true);
	EXPECT_EQ(-ETIMEDOUT, copy(self->stream, self->handle,
				   self->user_handle, LENGTH));
	EXPECT_EQ(0, close(self->stream));
	EXPECT_EQ(0, munmap(self->mem, LENGTH));
	EXPECT_EQ(0, close(self->fd));
	/*
	 * A PL330 copies nothing without interrupts, and an sf-pdma must not be
	 * stopped before its interrupts have arrived.
	 */
	if (self->pl330 || !strcmp(self->controller->name, " SiFive PLIC"))
		lose_interrupts(self, false);
	EXPECT_EQ(0, sram_leaked());
}

/* A thread with a stream that submits until it is stopped */
struct worker {
	pthread_t thread;
	int fd;
	int done, timed_out, cancelled, again, other;
	bool stop;
};

static void *submit_thread(void *arg)
{
	struct worker *w = arg;
	int stream = stream_open(DEVICE);
	int handle = dmabuf_import(stream, w->fd, ACCESS_BOTH);

	while (!__atomic_load_n(&w->stop, __ATOMIC_RELAXED)) {
		switch (fill(stream, handle, LENGTH, 0x5a5a5a5a)) {
		case 0:
			__atomic_add_fetch(&w->done, 1, __ATOMIC_RELAXED);
			break;
		case -ETIMEDOUT:
			w->timed_out++;
			break;
		case -ECANCELED:
			w->cancelled++;
			break;
		case -EAGAIN:
			w->again++;
			usleep(1000);
			break;
		default:
			w->other++;
		}
	}
	close(stream);
	return NULL;
}

/* A busy host may run the worker only while interrupts are lost. */
static bool has_done_some(const struct worker *w)
{
	unsigned int start = milliseconds();

	while (!__atomic_load_n(&w->done, __ATOMIC_RELAXED)) {
		if (milliseconds() - start > BOUND_MS)
			return false;
		usleep(1000);
	}
	return true;
}

/* Catches: a job behind the hung one that never completes. */
TEST_F_TIMEOUT(watchdog, streams_behind_it, SLOW)
{
	struct worker workers[WORKERS] = { };
	int i, round, timed_out = 0;

	for (i = 0; i < WORKERS; i++) {
		workers[i].fd = self->fd;
		ASSERT_EQ(0, pthread_create(&workers[i].thread, NULL,
					    submit_thread, &workers[i]));
	}
	for (round = 0; round < ROUNDS; round++) {
		usleep(20 * 1000);
		lose_interrupts(self, true);
		usleep(4 * TIMEOUT_MS * 1000);
		lose_interrupts(self, false);
		ASSERT_EQ(0, fill_again(self->stream, self->handle,
					0x5a5a5a5a));
	}
	for (i = 0; i < WORKERS; i++)
		EXPECT_TRUE(has_done_some(&workers[i]));
	for (i = 0; i < WORKERS; i++)
		__atomic_store_n(&workers[i].stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < WORKERS; i++) {
		pthread_join(workers[i].thread, NULL);
		EXPECT_EQ(0, workers[i].other);
		timed_out += workers[i].timed_out;
		TH_LOG("%d done, %d timed out, %d cancelled, %d refused",
		       workers[i].done, workers[i].timed_out,
		       workers[i].cancelled, workers[i].again);
	}
	EXPECT_LT(0, timed_out);
	EXPECT_TRUE(all_bytes_are(self->mem, 0x5a, LENGTH));
}

static void on_signal(int number)
{
}

/* Catches: a signal that ends the wait for a job that continues. */
TEST_F_TIMEOUT(watchdog, signals_do_not_end_the_wait, SLOW)
{
	const struct itimerval often = { { 0, 10000 }, { 0, 10000 } };
	const struct itimerval never = { };
	unsigned int start;

	ASSERT_TRUE(set_number(TIMEOUT, 500));
	signal(SIGALRM, on_signal);
	lose_interrupts(self, true);
	setitimer(ITIMER_REAL, &often, NULL);
	start = milliseconds();
	EXPECT_EQ(-ETIMEDOUT, fill(self->stream, self->handle, LENGTH, ~0));
	EXPECT_LE(400, milliseconds() - start);
	setitimer(ITIMER_REAL, &never, NULL);
}

/* Catches: a process that cannot be killed; a job that is lost with it. */
TEST_F_TIMEOUT(watchdog, kill_ends_the_wait, SLOW)
{
	unsigned int start;
	pid_t pid;

	ASSERT_TRUE(set_number(TIMEOUT, 20000));
	hold_interrupts(self, true);
	pid = fork();
	if (!pid) {
		fill(self->stream, self->handle, LENGTH, 0x33333333);
		_exit(0);
	}
	instance_wait_in_flight(&self->instance, 1);
	start = milliseconds();
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	EXPECT_GE(BOUND_MS, milliseconds() - start);
	hold_interrupts(self, false);
	ASSERT_EQ(0, copy(self->stream, self->handle, self->user_handle, 16));
	EXPECT_TRUE(all_bytes_are(self->mem, 0, 16));
	EXPECT_TRUE(all_bytes_are(self->mem + 16, 0x33, LENGTH - 16));
}

static void *fill_once(void *arg)
{
	struct _test_data_watchdog *self = arg;

	return (void *)(intptr_t)fill(self->stream, self->handle, LENGTH, ~0);
}

/* Catches: unbind that waits for an interrupt that never comes. */
TEST_F_TIMEOUT(watchdog, unbind_while_hung, SLOW)
{
	unsigned int start;
	pthread_t filler;
	int stream, handle;
	void *result;

	ASSERT_TRUE(set_number(TIMEOUT, 3000));
	lose_interrupts(self, true);
	ASSERT_EQ(0, pthread_create(&filler, NULL, fill_once, self));
	instance_wait_in_flight(&self->instance, 1);
	start = milliseconds();
	ASSERT_EQ(0, instance_unbind(&self->instance));
	EXPECT_GE(10 * 3000, milliseconds() - start);
	pthread_join(filler, &result);
	EXPECT_EQ(-ENODEV, (intptr_t)result);

	lose_interrupts(self, false);
	ASSERT_EQ(0, instance_bind(&self->instance));
	stream = stream_open(self->instance.node);
	ASSERT_LE(0, stream);
	handle = dmabuf_import(stream, sram_alloc(stream, LENGTH), ACCESS_BOTH);
	EXPECT_EQ(0, fill(stream, handle, LENGTH, ~0));
}

TEST_HARNESS_MAIN
