// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver is repeatedly unbound and bound, while processes use it in all
 * ways and are killed at random. DMACPY_CYCLES sets the number of cycles.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "common.h"
#include "engine.h"

#define LENGTH		(16 * KIB)
#define PROCESSES	4
#define BUFFERS		3
#define JOBS		8
#define BOUND_MS	30000	/* allows for a busy host */

FIXTURE(storm)
{
	struct instance instance;
	pid_t pid[PROCESSES];
};

FIXTURE_VARIANT(storm)
{
	const char *property;	/* NULL for the instance on the fake engine */
};

FIXTURE_VARIANT_ADD(storm, shared_pool) { WITH_SHARED_POOL };
FIXTURE_VARIANT_ADD(storm, own_region) { WITH_OWN_REGION };
FIXTURE_VARIANT_ADD(storm, slow_engine) { NULL };

FIXTURE_SETUP(storm)
{
	int ret;

	random_start();
	ret = variant->property ?
	      instance_find(&self->instance, variant->property) :
	      engine_find(&self->instance);
	if (ret)
		SKIP(return, "this board has no such instance");
	ASSERT_TRUE(engine_reset());
	ASSERT_TRUE(engine_set("delay_us", 500));
}

FIXTURE_TEARDOWN_PARENT(storm)
{
	EXPECT_TRUE(engine_reset());
	instance_unbind(&self->instance);
	EXPECT_EQ(0, instance_bind(&self->instance));
	EXPECT_EQ(0, sram_leaked());
}

/* Objects of a process; any of them may be invalid. */
struct objects {
	int stream;
	int fd[BUFFERS], handle[BUFFERS + 1];	/* one more for memory */
	uint8_t *mem[BUFFERS], *memory;
};

/*
 * The memory is new each time. Memory that was registered may still be mapped
 * for jobs in flight; and if memory is mapped twice, the kernel's check of the
 * DMA API reports an unmapped address when a part of it is synced.
 */
static void open_objects(struct objects *t, const struct instance *instance)
{
	int i;

	t->memory = memory_map(LENGTH);

	t->stream = open(instance->node, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	for (i = 0; i < BUFFERS; i++) {
		t->fd[i] = sram_alloc(t->stream, LENGTH);
		t->mem[i] = dmabuf_map(t->fd[i], LENGTH);
		t->handle[i] = dmabuf_import(t->stream, t->fd[i], ACCESS_BOTH);
	}
	t->handle[i] = memory_register(t->stream, t->memory, LENGTH,
				       ACCESS_BOTH);
}

/* Prepares and runs what SUBMIT would do, and returns the same. */
static int run_op(int stream, const struct dmacpy_op *op,
		  struct dmacpy_submit *args)
{
	struct dmacpy_prepare prepared = { };
	struct dmacpy_run_job job = { };
	struct dmacpy_run run = {
		.flags = args->flags,
		.in_fence = args->in_fence,
	};
	int ret = prepare_with(stream, op, 1, &prepared);

	if (ret < 0)
		return ret;
	job.handle = ret;
	ret = run_many(stream, &job, 1, &run);
	args->out_fence = run.out_fence;
	if (random_below(2))
		handle_release(stream, job.handle);
	return ret == 1 ? 0 : ret;
}

static void submit_something(const struct objects *t)
{
	struct dmacpy_submit args = { .flags = random_next() % 32 };
	const struct dmacpy_op op = {
		.dst = t->handle[random_below(BUFFERS + 1)],
		.src = t->handle[random_below(BUFFERS + 1)],
		.length = LENGTH,
	};
	static int last_fence = -1;
	int ret;

	if (args.flags & DMACPY_SUBMIT_IN_FENCE)
		args.in_fence = last_fence;
	ret = random_below(3) ? submit_with(t->stream, &op, 1, &args) :
				run_op(t->stream, &op, &args);
	if (ret || !(args.flags & DMACPY_SUBMIT_OUT_FENCE))
		return;
	close(last_fence);
	last_fence = args.out_fence;
}

static void wait_for_something(const struct objects *t)
{
	struct dmacpy_event event;
	int i = random_below(BUFFERS);

	poll_for(t->stream, POLLIN, random_below(4));
	read_event(t->stream, &event);
	poll_for(t->fd[i], POLLIN | POLLOUT, random_below(4));
	if (!random_below(4))
		dmabuf_sync(t->fd[i], DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
	if (!random_below(4))
		fsync(t->stream);
	if (t->mem[i])
		touch(t->mem[i] + random_below(LENGTH), random_below(2));
}

static void close_objects(struct objects *t)
{
	int i;

	for (i = 0; i < BUFFERS; i++) {
		if (t->mem[i])
			munmap(t->mem[i], LENGTH);
		if (random_below(2))
			handle_release(t->stream, t->handle[i]);
		close(t->fd[i]);
	}
	munmap(t->memory, LENGTH);
	close(t->stream);
}

static void use_thread(struct instance instance)
{
	struct objects things;
	int i;

	for (;;) {
		if (instance_find_node(&instance))
			continue;
		open_objects(&things, &instance);
		for (i = 0; i < JOBS; i++) {
			submit_something(&things);
			wait_for_something(&things);
		}
		close_objects(&things);
	}
}

static pid_t start_process(const struct instance *instance)
{
	pid_t pid = fork();

	if (!pid)
		use_thread(*instance);
	/* The next process makes other calls. */
	random_next();
	return pid;
}

static bool kill_process(pid_t pid)
{
	return !kill(pid, SIGKILL) && waitpid(pid, NULL, 0) == pid;
}

/* Returns the time of the unbind, in ms, or -errno. */
static int unbind_and_bind(struct instance *instance)
{
	unsigned int start = milliseconds(), took;
	int ret;

	ret = instance_unbind(instance);
	if (ret)
		return ret;
	took = milliseconds() - start;
	usleep(random_below(5 * 1000));
	return instance_bind(instance) ?: (int)took;
}

/*
 * Catches: any race of unbind and bind with open, close, exit, with mapping,
 * copying, waiting, and with jobs of processes that have exited.
 */
TEST_F_TIMEOUT(storm, unbind_and_bind, 30 * SLOW)
{
	unsigned int cycles = environment("DMACPY_CYCLES", 100), cycle;
	int i, took, slowest = 0;

	for (i = 0; i < PROCESSES; i++)
		self->pid[i] = start_process(&self->instance);
	for (cycle = 0; cycle < cycles; cycle++) {
		usleep(random_below(50 * 1000));
		took = unbind_and_bind(&self->instance);
		ASSERT_LE(0, took);
		if (took > slowest)
			slowest = took;
		i = random_below(PROCESSES);
		ASSERT_TRUE(kill_process(self->pid[i]));
		self->pid[i] = start_process(&self->instance);
	}
	for (i = 0; i < PROCESSES; i++)
		EXPECT_TRUE(kill_process(self->pid[i]));
	EXPECT_GE(BOUND_MS, slowest);
	TH_LOG("%u times, the slowest unbind took %d ms", cycles, slowest);
}

TEST_HARNESS_MAIN
