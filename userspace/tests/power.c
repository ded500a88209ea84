// SPDX-License-Identifier: GPL-2.0-only
/*
 * The power is on while a buffer exists, and off otherwise; jobs survive a
 * system suspend. On the instance with the fake engine, which is slow.
 */
#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>

#include "kselftest_harness.h"
#include "common.h"
#include "engine.h"
#include "instance.h"

#define LENGTH		(4 * KIB)
#define JOBS		64
#define BOUND_MS	5000
/* The kernel's waiting time in its test of suspending devices */
#define SUSPENDED_NS	4000000000ULL

FIXTURE(power)
{
	struct instance instance;
	char status[128];
	int stream;
};

/* Reads the first line of a file. */
static void read_line(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "re");

	*line = 0;
	if (!file)
		return;
	if (fgets(line, size, file))
		line[strcspn(line, "\n")] = 0;
	fclose(file);
}

/* Waits for the status: the device is switched off some time after its use. */
static bool wait_status(const char *path, const char *status)
{
	unsigned int start = milliseconds();
	char line[32];

	do {
		read_line(path, line, sizeof(line));
		if (!strcmp(line, status))
			return true;
		usleep(1000);
	} while (milliseconds() - start < BOUND_MS);
	return false;
}

static unsigned int clock_users(void)
{
	return get_number("/sys/kernel/debug/clk/sram-clock/clk_enable_count");
}

FIXTURE_SETUP(power)
{
	if (engine_find(&self->instance))
		SKIP(return, "no instance on the fake DMA engine");
	snprintf(self->status, sizeof(self->status),
		 "/sys/bus/platform/devices/%s/power/runtime_status",
		 self->instance.name);
	if (access(self->status, F_OK))
		SKIP(return, "this kernel has no power management");
	ASSERT_TRUE(engine_reset());
	self->stream = stream_open(self->instance.node);
	ASSERT_LE(0, self->stream);
}

FIXTURE_TEARDOWN_PARENT(power)
{
	EXPECT_TRUE(engine_reset());
	instance_unbind(&self->instance);
	EXPECT_EQ(0, instance_bind(&self->instance));
	EXPECT_EQ(0, sram_leaked());
}

/* Catches: a device that is never switched off, or too early. */
TEST_F(power, follows_buffers)
{
	int fd, other;

	ASSERT_TRUE(wait_status(self->status, "suspended"));
	fd = sram_alloc(self->stream, LENGTH);
	ASSERT_LE(0, fd);
	EXPECT_TRUE(wait_status(self->status, "active"));
	other = sram_alloc(self->stream, LENGTH);
	close(fd);
	usleep(500 * 1000);
	EXPECT_TRUE(wait_status(self->status, "active"));
	close(other);
	EXPECT_TRUE(wait_status(self->status, "suspended"));
}

/* Catches: memory mapped for an engine that has no power. */
TEST_F(power, follows_handles)
{
	void *mem = memory_map(LENGTH);
	int handle;

	ASSERT_TRUE(wait_status(self->status, "suspended"));
	handle = memory_register(self->stream, mem, LENGTH, ACCESS_BOTH);
	ASSERT_LT(0, handle);
	usleep(500 * 1000);
	EXPECT_TRUE(wait_status(self->status, "active"));
	EXPECT_EQ(0, fill(self->stream, handle, LENGTH, 0x01020304));
	EXPECT_EQ(0, handle_release(self->stream, handle));
	EXPECT_TRUE(wait_status(self->status, "suspended"));
}

/* Returns a copy of a page, in newly allocated SRAM. */
static struct dmacpy_op new_copy(int stream)
{
	int fd = sram_alloc(stream, 2 * LENGTH);
	int handle = dmabuf_import(stream, fd, ACCESS_BOTH);

	close(fd);
	return (struct dmacpy_op){
		.opcode = DMACPY_OP_COPY,
		.dst = handle,
		.src = handle,
		.src_offset = LENGTH,
		.length = LENGTH,
	};
}

/* Every other job is spread over the channels. */
static void set_spread(struct dmacpy_submit *args, uint32_t supported)
{
	args->channels = args->user_data % 2 &&
			 supported & DMACPY_SUBMIT_SPREAD ? UINT32_MAX : 0;
	args->flags = DMACPY_SUBMIT_EVENT |
		      (args->channels ? DMACPY_SUBMIT_SPREAD : 0);
}

/* Starts @count jobs, numbered in their user data. */
static int start_jobs(int stream, unsigned int count)
{
	uint32_t supported = stream_info(stream).submit_flags;
	struct dmacpy_op op = new_copy(stream);
	struct dmacpy_submit args = { };
	int ret = 0;

	for (; args.user_data < count && !ret; args.user_data++) {
		set_spread(&args, supported);
		ret = submit_with(stream, &op, 1, &args);
	}
	return ret;
}

/* Starts jobs of two streams: that of @other waits for that of @stream. */
static int start_chain(int stream, int other)
{
	struct dmacpy_submit args = { .flags = DMACPY_SUBMIT_OUT_FENCE };
	struct dmacpy_op op = new_copy(stream);
	int ret;

	ret = submit_with(stream, &op, 1, &args);
	if (ret)
		return ret;
	args.flags = DMACPY_SUBMIT_IN_FENCE | DMACPY_SUBMIT_EVENT;
	args.in_fence = args.out_fence;
	op = new_copy(other);
	ret = submit_with(other, &op, 1, &args);
	close(args.in_fence);
	return ret;
}

/* Starts a job whose in-fence never signals; -ENOENT without sw_sync. */
static int start_stalled(int stream)
{
	struct dmacpy_submit args = {
		.flags = DMACPY_SUBMIT_IN_FENCE | DMACPY_SUBMIT_EVENT,
		.in_fence = timeline_fence(timeline_create(), 1),
	};
	struct dmacpy_op op = new_copy(stream);

	if (args.in_fence < 0)
		return -ENOENT;
	return submit_with(stream, &op, 1, &args);
}

/* Catches: power that is put with the last handle, while a job still runs. */
TEST_F(power, follows_jobs)
{
	ASSERT_TRUE(wait_status(self->status, "suspended"));
	ASSERT_TRUE(engine_set("hang", 1));
	ASSERT_EQ(0, start_jobs(self->stream, 1));
	ASSERT_EQ(0, close(self->stream));
	usleep(500 * 1000);
	EXPECT_TRUE(wait_status(self->status, "active"));
	ASSERT_TRUE(engine_set("hang", 0));
	EXPECT_TRUE(wait_status(self->status, "suspended"));
}

/* Catches: a clock that stays on, or is off when the SRAM is cleared. */
TEST_F(power, clock_follows_buffers)
{
	int fd;

	if (clock_users() == UINT_MAX)
		SKIP(return, "this board has no clock for its SRAM");
	ASSERT_EQ(0, clock_users());
	fd = sram_alloc(self->stream, LENGTH);
	EXPECT_EQ(1, clock_users());
	EXPECT_GT(0, sram_alloc(self->stream, 1 << 30));
	EXPECT_EQ(1, clock_users());
	close(fd);
	EXPECT_EQ(0, clock_users());
}

/* Catches: a clock that stays on when an allocation finds no room. */
TEST_F(power, clock_is_off_without_room)
{
	uint64_t total = stream_info(self->stream).sram_total;
	int fd;

	if (clock_users() == UINT_MAX)
		SKIP(return, "this board has no clock for its SRAM");
	fd = sram_alloc(self->stream, LENGTH);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-ENOSPC, sram_alloc(self->stream, total));
	close(fd);
	EXPECT_EQ(0, clock_users());
}

/* Returns the bytes of the instance's region that the kernel has mapped. */
static uint64_t mapped_bytes(const struct instance *instance)
{
	unsigned long long size, phys, sum = 0, start, end;
	FILE *file = fopen("/proc/vmallocinfo", "re");
	char line[512], *where;
	uint32_t reg[4];
	int cells;

	cells = instance_cells(instance, WITH_OWN_REGION, reg, ARRAY_SIZE(reg));
	start = cells == 2 ? reg[0] : (uint64_t)reg[0] << 32 | reg[1];
	end = start + reg[cells - 1];
	while (file && fgets(line, sizeof(line), file)) {
		where = strstr(line, "phys=");
		/* The addresses may be hidden. */
		if (where && sscanf(line, "%*s %llu", &size) == 1 &&
		    sscanf(where, "phys=%llx", &phys) == 1 && phys >= start &&
		    phys < end)
			sum += size;
	}
	if (file)
		fclose(file);
	return sum;
}

/* Catches: SRAM without clock or power that the CPU may prefetch from. */
TEST_F(power, mapping_follows_buffers)
{
	int fd;

	if (access("/proc/vmallocinfo", F_OK))
		SKIP(return, "this kernel has no list of its mappings");
	EXPECT_EQ(0, mapped_bytes(&self->instance));
	fd = sram_alloc(self->stream, LENGTH);
	ASSERT_LE(0, fd);
	EXPECT_LE(LENGTH, mapped_bytes(&self->instance));
	close(fd);
	EXPECT_EQ(0, mapped_bytes(&self->instance));
}

/* Catches: an allocation that maps its memory, which is slow, without need. */
TEST(region_that_is_always_on_is_mapped_once)
{
	struct instance instance;
	uint64_t mapped;
	int stream, fd;

	if (instance_find(&instance, "reserved"))
		SKIP(return, "this board has no instance without a clock");
	if (access("/proc/vmallocinfo", F_OK))
		SKIP(return, "this kernel has no list of its mappings");
	stream = stream_open(instance.node);
	mapped = mapped_bytes(&instance);
	EXPECT_LE(stream_info(stream).sram_total, mapped);
	fd = sram_alloc(stream, LENGTH);
	EXPECT_LE(0, fd);
	EXPECT_EQ(mapped, mapped_bytes(&instance));
	close(fd);
	close(stream);
}

/* Catches: SRAM without a clock that another driver still has mapped. */
TEST_F(power, clock_outlives_unbind)
{
	int fd;

	if (clock_users() == UINT_MAX)
		SKIP(return, "this board has no clock for its SRAM");
	fd = sram_alloc(self->stream, LENGTH);
	ASSERT_EQ(0, instance_unbind(&self->instance));
	EXPECT_EQ(1, clock_users());
	close(fd);
	EXPECT_EQ(0, clock_users());
}

/* Catches: a usage count that is wrong for ever after an unbind. */
TEST_F(power, is_balanced_after_unbind)
{
	int fd, other;

	fd = sram_alloc(self->stream, LENGTH);
	close(self->stream);
	ASSERT_EQ(0, instance_unbind(&self->instance));
	ASSERT_EQ(0, instance_bind(&self->instance));
	self->stream = stream_open(self->instance.node);
	other = sram_alloc(self->stream, LENGTH);
	EXPECT_TRUE(wait_status(self->status, "active"));
	close(fd);
	usleep(500 * 1000);
	EXPECT_TRUE(wait_status(self->status, "active"));
	close(other);
	EXPECT_TRUE(wait_status(self->status, "suspended"));
}

static bool write_line(const char *path, const char *line)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = write(fd, line, strlen(line)) == (ssize_t)strlen(line);

	close(fd);
	return done;
}

/* Suspends all devices, and resumes them after some seconds. */
static bool suspend_devices(void)
{
	return write_line("/sys/power/pm_test", "devices") &&
	       write_line("/sys/power/state", "freeze");
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* Catches: an engine that runs while it is suspended, a job that is lost. */
TEST_F_TIMEOUT(power, jobs_end_before_suspend, SLOW)
{
	struct dmacpy_event event = { };
	unsigned int i;
	uint64_t resumed;

	if (access("/sys/power/pm_test", F_OK))
		SKIP(return, "this kernel cannot test suspending devices");
	ASSERT_TRUE(engine_set("delay_us", SLOW_US));
	ASSERT_EQ(0, start_jobs(self->stream, JOBS));
	ASSERT_TRUE(suspend_devices());
	resumed = now_ns();
	for (i = 0; i < JOBS; i++) {
		ASSERT_EQ(0, read_event(self->stream, &event));
		EXPECT_EQ(i, event.user_data);
		EXPECT_EQ(0, event.result);
	}
	EXPECT_LT(event.timestamp, resumed - SUSPENDED_NS);
	EXPECT_EQ(0, start_jobs(self->stream, 1));
	EXPECT_EQ(0, read_event(self->stream, &event));
	EXPECT_EQ(0, event.result);
}

/* Catches: a suspend that waits for ever, or that cancels jobs. */
TEST_F_TIMEOUT(power, refuses_when_busy_for_long, SLOW)
{
	struct dmacpy_event event;
	unsigned int i;

	if (access("/sys/power/pm_test", F_OK))
		SKIP(return, "this kernel cannot test suspending devices");
	/* It waits for two timeouts, and the jobs take longer than that. */
	ASSERT_TRUE(set_number(TIMEOUT, 4000));
	ASSERT_TRUE(set_number(DEPENDENCY_TIMEOUT, 10));
	ASSERT_TRUE(engine_set("delay_us", 4 * SLOW_US));
	ASSERT_EQ(0, start_jobs(self->stream, JOBS));
	EXPECT_FALSE(suspend_devices());
	for (i = 0; i < JOBS; i++) {
		ASSERT_EQ(0, read_event(self->stream, &event));
		EXPECT_EQ(0, event.result);
	}
}

/* Catches: a task in the kernel that cannot be frozen. */
TEST_F_TIMEOUT(power, waiting_program_can_be_frozen, SLOW)
{
	int status;
	pid_t child;

	if (access("/sys/power/pm_test", F_OK))
		SKIP(return, "this kernel cannot test suspending devices");
	/* The kernel's test keeps a CPU busy for some seconds. */
	ASSERT_TRUE(set_number(TIMEOUT, 20000));
	ASSERT_TRUE(engine_set("hang", 1));
	child = fork();
	if (!child)
		_exit(start_jobs(self->stream, JOBS) || fsync(self->stream));
	usleep(500 * 1000);
	ASSERT_TRUE(write_line("/sys/power/pm_test", "freezer"));
	EXPECT_TRUE(write_line("/sys/power/state", "freeze"));
	/* The child was frozen while it waited, and continues. */
	EXPECT_EQ(0, waitpid(child, &status, WNOHANG));
	ASSERT_TRUE(engine_set("hang", 0));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

/* Catches: a suspend that waits for ever, or a channel that stays down. */
TEST_F_TIMEOUT(power, hung_engine_can_suspend, SLOW)
{
	struct dmacpy_event event;
	unsigned int start;
	int ret;

	if (access("/sys/power/pm_test", F_OK))
		SKIP(return, "this kernel cannot test suspending devices");
	ASSERT_TRUE(set_number(TIMEOUT, 500));
	ASSERT_TRUE(engine_set("hang", 1));
	ASSERT_EQ(0, start_jobs(self->stream, 1));
	ASSERT_TRUE(suspend_devices());
	ASSERT_EQ(0, read_event(self->stream, &event));
	EXPECT_EQ(-ETIMEDOUT, event.result);

	ASSERT_TRUE(engine_reset());
	start = milliseconds();
	while ((ret = start_jobs(self->stream, 1)) == -EAGAIN &&
	       milliseconds() - start < 4 * BOUND_MS)
		usleep(1000);
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, read_event(self->stream, &event));
	EXPECT_EQ(0, event.result);
}

/* Suspends with a waiting job, which has to complete before. */
static void suspend_waiting_job(struct __test_metadata *_metadata, int stream,
				int result)
{
	unsigned int bound = SUSPENDED_NS / 1000000 + 4 * BOUND_MS, start;
	struct dmacpy_event event = { };
	uint64_t resumed;

	start = milliseconds();
	ASSERT_TRUE(suspend_devices());
	resumed = now_ns();
	EXPECT_GE(bound, milliseconds() - start);
	ASSERT_EQ(0, read_event(stream, &event));
	EXPECT_EQ(result, event.result);
	EXPECT_LT(event.timestamp, resumed - SUSPENDED_NS);
}

/* Catches: a job that depends on a failed one, and is not waited for. */
TEST_F_TIMEOUT(power, waiting_job_is_cancelled, SLOW)
{
	int other = stream_open(self->instance.node);

	if (access("/sys/power/pm_test", F_OK))
		SKIP(return, "this kernel cannot test suspending devices");
	ASSERT_TRUE(set_number(TIMEOUT, 500));
	ASSERT_TRUE(engine_set("hang", 1));
	ASSERT_EQ(0, start_chain(self->stream, other));
	suspend_waiting_job(_metadata, other, -ECANCELED);
}

/* Catches: a deadline of dependencies that is frozen, or suspended. */
TEST_F_TIMEOUT(power, waiting_job_has_deadline, SLOW)
{
	int ret;

	if (access("/sys/power/pm_test", F_OK))
		SKIP(return, "this kernel cannot test suspending devices");
	ASSERT_TRUE(set_number(DEPENDENCY_TIMEOUT, 1000));
	ret = start_stalled(self->stream);
	if (ret == -ENOENT)
		SKIP(return, "this kernel has no sw_sync");
	ASSERT_EQ(0, ret);
	suspend_waiting_job(_metadata, self->stream, -ETIMEDOUT);
}

TEST_HARNESS_MAIN
