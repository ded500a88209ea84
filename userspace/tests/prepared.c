// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations that are prepared once and run many times: RUN has the same effect
 * as SUBMIT. On the fake engine, which is slow, fails and hangs; without it, on
 * the first device, but for the tests that set the engine.
 */
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "common.h"
#include "engine.h"

#define LENGTH		(4 * KIB)
#define JOBS		16
#define MANY		40
#define NO_HANDLE	12345
#define TIMEOUT_MS	100

FIXTURE(prepared)
{
	struct instance instance;
	bool fake;			/* it is that of the fake engine */
	int stream, sram, user, fill, out;
	uint8_t *mem;
};

static int prepare(int stream, const struct dmacpy_op *ops, size_t count)
{
	struct dmacpy_prepare args = { };

	return prepare_with(stream, ops, count, &args);
}

static int run(int stream, uint32_t handle, uint32_t flags)
{
	struct dmacpy_run_job job = { .handle = handle };
	struct dmacpy_run args = { .flags = flags };

	return run_many(stream, &job, 1, &args);
}

static int run_and_wait(int stream, uint32_t handle)
{
	int ret = run(stream, handle, DMACPY_SUBMIT_WAIT);

	return ret == 1 ? 0 : ret ? ret : -EBADMSG;
}

static struct dmacpy_op fill_op(uint32_t dst, uint8_t value)
{
	return (struct dmacpy_op){
		.opcode = DMACPY_OP_FILL,
		.dst = dst,
		.length = LENGTH,
		.pattern = 0x01010101 * value,
	};
}

static struct dmacpy_op copy_op(uint32_t dst, uint32_t src)
{
	return (struct dmacpy_op){ .dst = dst, .src = src, .length = LENGTH };
}

FIXTURE_SETUP(prepared)
{
	struct dmacpy_op op;
	int fd;

	self->fake = !engine_find(&self->instance);
	ASSERT_TRUE(!self->fake || engine_reset());
	if (!self->fake)
		snprintf(self->instance.node, sizeof(self->instance.node),
			 DEVICE);
	self->stream = stream_open(self->instance.node);
	ASSERT_LE(0, self->stream);
	fd = sram_alloc(self->stream, LENGTH);
	self->sram = dmabuf_import(self->stream, fd, ACCESS_BOTH);
	ASSERT_LT(0, self->sram);
	close(fd);
	self->mem = memory_map(LENGTH);
	self->user = memory_register(self->stream, self->mem, LENGTH,
				     ACCESS_BOTH);
	ASSERT_LT(0, self->user);
	op = fill_op(self->sram, 7);
	self->fill = prepare(self->stream, &op, 1);
	ASSERT_LT(0, self->fill);
	op = copy_op(self->user, self->sram);
	self->out = prepare(self->stream, &op, 1);
	ASSERT_LT(0, self->out);
}

FIXTURE_TEARDOWN_PARENT(prepared)
{
	EXPECT_TRUE(!self->fake || engine_reset());
	EXPECT_EQ(0, sram_leaked());
}

/* Catches: a run that omits operations, or that works only once. */
TEST_F(prepared, runs_again_and_again)
{
	struct dmacpy_op ops[2] = {
		fill_op(self->sram, 9), copy_op(self->user, self->sram),
	};
	int both = prepare(self->stream, ops, 2), i;

	ASSERT_LT(0, both);
	for (i = 0; i < 3; i++) {
		memset(self->mem, 0, LENGTH);
		ASSERT_EQ(0, run_and_wait(self->stream, both));
		ASSERT_TRUE(all_bytes_are(self->mem, 9, LENGTH));
		ASSERT_EQ(0, run_and_wait(self->stream, self->fill));
		ASSERT_EQ(0, run_and_wait(self->stream, self->out));
		ASSERT_TRUE(all_bytes_are(self->mem, 7, LENGTH));
	}
}

/* Catches: the state of one run in another, or records that are mixed up. */
TEST_F(prepared, in_flight_many_times)
{
	struct dmacpy_run args = { .flags = DMACPY_SUBMIT_EVENT };
	struct dmacpy_run_job jobs[JOBS];
	struct dmacpy_event event;
	unsigned int i;

	if (!self->fake)
		SKIP(return, NO_ENGINE);
	ASSERT_TRUE(engine_set("delay_us", 1000));
	for (i = 0; i < JOBS; i++)
		jobs[i] = (struct dmacpy_run_job){
			.handle = i % 2 ? self->out : self->fill,
			.user_data = 100 + i,
		};
	ASSERT_EQ(JOBS, run_many(self->stream, jobs, JOBS, &args));
	for (i = 0; i < JOBS; i++) {
		ASSERT_EQ(0, read_event(self->stream, &event));
		EXPECT_EQ(100 + i, event.user_data);
		EXPECT_EQ(0, event.result);
		EXPECT_EQ(LENGTH, event.length);
	}
	EXPECT_TRUE(all_bytes_are(self->mem, 7, LENGTH));
}

/*
 * Runs an array of which only the first @count entries are valid. The driver
 * reads and starts some at a time, and must not start any after these.
 */
static bool starts_only(int stream, const struct dmacpy_run_job *jobs,
			unsigned int count)
{
	struct dmacpy_run args = { .flags = DMACPY_SUBMIT_EVENT };
	struct pollfd pollfd = { .fd = stream, .events = POLLIN };
	struct dmacpy_event event;
	unsigned int i;

	if (run_many(stream, jobs, MANY, &args) != (int)count || fsync(stream))
		return false;
	for (i = 0; i < count; i++)
		if (read_event(stream, &event) || event.user_data != i ||
		    event.result)
			return false;
	return poll(&pollfd, 1, 0) == 0;
}

/* Catches: an array that ends too early, or not at an invalid entry. */
TEST_F(prepared, starts_all_before_a_bad_one)
{
	static const unsigned int good[] = { 1, 15, 16, 17, 31, 32, 33 };
	struct dmacpy_run_job jobs[MANY], *last;
	size_t page = sysconf(_SC_PAGESIZE);
	unsigned int i;
	uint8_t *mem;

	for (i = 0; i < MANY; i++)
		jobs[i] = (struct dmacpy_run_job){
			.handle = self->fill,
			.user_data = i,
		};
	EXPECT_TRUE(starts_only(self->stream, jobs, MANY));
	mem = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, mem);
	ASSERT_EQ(0, mprotect(mem + page, page, PROT_NONE));
	for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
		jobs[good[i]].handle = NO_HANDLE;
		EXPECT_TRUE(starts_only(self->stream, jobs, good[i]));
		jobs[good[i]].handle = self->fill;
		jobs[good[i]].__reserved = 1;
		EXPECT_TRUE(starts_only(self->stream, jobs, good[i]));
		jobs[good[i]].__reserved = 0;
		last = (struct dmacpy_run_job *)(mem + page) - good[i];
		memcpy(last, jobs, good[i] * sizeof(*jobs));
		EXPECT_TRUE(starts_only(self->stream, last, good[i]));
	}
	munmap(mem, 2 * page);
}

/* Catches: a job that only SUBMIT refuses; a wrong refused operation. */
TEST_F(prepared, refuses_operations)
{
	struct dmacpy_op ops[3] = {
		fill_op(self->sram, 1), copy_op(self->user, NO_HANDLE),
		fill_op(self->sram, 1),
	};
	struct dmacpy_prepare args = { .handle = 77 };

	EXPECT_EQ(-ENOENT, prepare_with(self->stream, ops, 3, &args));
	EXPECT_EQ(2, args.refused_op);
	EXPECT_EQ(77, args.handle);
	ops[1] = copy_op(self->user, self->sram);
	ops[2].length = LENGTH + 1;
	EXPECT_EQ(-EINVAL, prepare_with(self->stream, ops, 3, &args));
	EXPECT_EQ(3, args.refused_op);
	ops[0].flags = 1;
	EXPECT_EQ(-EOPNOTSUPP, prepare_with(self->stream, ops, 3, &args));
	EXPECT_EQ(1, args.refused_op);
	EXPECT_EQ(-EINVAL, prepare_with(self->stream, ops, 0, &args));
	EXPECT_EQ(-EFAULT, prepare_with(self->stream, (void *)8, 1, &args));
	EXPECT_EQ(-E2BIG, prepare_with(self->stream, ops, 1U << 30, &args));
	args.flags = 1;
	EXPECT_EQ(-EOPNOTSUPP, prepare_with(self->stream, ops, 1, &args));
	EXPECT_EQ(77, args.handle);
}

/* Catches: a handle of one kind that is accepted as the other. */
TEST_F(prepared, handles_are_apart)
{
	struct dmacpy_op op = fill_op(self->fill, 1);

	EXPECT_EQ(-ENOENT, run(self->stream, self->sram, 0));
	EXPECT_EQ(-ENOENT, run(self->stream, NO_HANDLE, 0));
	EXPECT_EQ(-ENOENT, run(self->stream, self->out + 1, 0));
	EXPECT_EQ(-ENOENT, run(self->stream, UINT32_MAX, 0));
	EXPECT_EQ(-ENOENT, run(self->stream, 0, 0));
	EXPECT_EQ(-ENOENT, submit(self->stream, &op, 1));
	EXPECT_EQ(-ENOENT, prepare(self->stream, &op, 1));
	EXPECT_EQ(0, handle_release(self->stream, self->fill));
	EXPECT_EQ(-ENOENT, handle_release(self->stream, self->fill));
	EXPECT_EQ(-ENOENT, run(self->stream, self->fill, 0));
	EXPECT_EQ(0, run_and_wait(self->stream, self->out));
}

/* Catches: invalid arguments of RUN, or of a later kernel, accepted. */
TEST_F(prepared, refuses_runs)
{
	struct dmacpy_run_job jobs[2] = {
		{ .handle = self->fill }, { .handle = self->out },
	};
	struct dmacpy_run args = { };

	EXPECT_EQ(-EINVAL, run_many(self->stream, jobs, 0, &args));
	EXPECT_EQ(-E2BIG, run_many(self->stream, jobs, 1U << 30, &args));
	EXPECT_EQ(-EFAULT, run_many(self->stream, (void *)8, 1, &args));
	args.flags = DMACPY_SUBMIT_WAIT;
	EXPECT_EQ(-EINVAL, run_many(self->stream, jobs, 2, &args));
	args.flags = DMACPY_SUBMIT_OUT_FENCE;
	EXPECT_EQ(-EINVAL, run_many(self->stream, jobs, 2, &args));
	args.flags = 1U << 31;
	EXPECT_EQ(-EOPNOTSUPP, run_many(self->stream, jobs, 1, &args));
	args.flags = 0;
	args.in_fence = 1;
	EXPECT_EQ(-EINVAL, run_many(self->stream, jobs, 1, &args));
	args.in_fence = 0;
	jobs[0].__reserved = 1;
	EXPECT_EQ(-EINVAL, run_many(self->stream, jobs, 1, &args));
	jobs[0].__reserved = 0;
	/* The first is started, and the next call returns the reason. */
	jobs[1].handle = NO_HANDLE;
	EXPECT_EQ(1, run_many(self->stream, jobs, 2, &args));
	EXPECT_EQ(-ENOENT, run_many(self->stream, jobs + 1, 1, &args));
	EXPECT_EQ(0, fsync(self->stream));
}

/* Catches: jobs of a RUN that are not issued as a later one is refused. */
TEST_F(prepared, runs_before_refused)
{
	struct dmacpy_run_job jobs[3] = {
		{ .handle = self->fill }, { .handle = self->out },
		{ .handle = NO_HANDLE },
	};
	struct dmacpy_run args = { };

	if (!self->fake)
		SKIP(return, NO_ENGINE);
	ASSERT_TRUE(engine_set("hang", 1));
	EXPECT_EQ(2, run_many(self->stream, jobs, 3, &args));
	/* The watchdog would issue them, too, but a moment later. */
	EXPECT_LT(0, instance_in_flight(&self->instance));
	ASSERT_TRUE(engine_set("hang", 0));
	EXPECT_EQ(0, fsync(self->stream));
	EXPECT_TRUE(all_bytes_are(self->mem, 7, LENGTH));
}

/* Catches: several runs with one in-fence, for which RUN has no room. */
TEST_F(prepared, in_fence_is_of_one_run)
{
	struct dmacpy_run_job jobs[2] = {
		{ .handle = self->fill }, { .handle = self->out },
	};
	struct dmacpy_run args = { .flags = DMACPY_SUBMIT_OUT_FENCE };

	ASSERT_EQ(1, run_many(self->stream, jobs, 1, &args));
	args.in_fence = args.out_fence;
	args.flags = DMACPY_SUBMIT_IN_FENCE;
	EXPECT_EQ(-EINVAL, run_many(self->stream, jobs, 2, &args));
	EXPECT_EQ(1, run_many(self->stream, jobs, 1, &args));
	EXPECT_EQ(0, fsync(self->stream));
}

/* Catches: a fence, or its file, of a run that was refused. */
TEST_F(prepared, refused_run_has_no_fence)
{
	struct dmacpy_run_job job = { .handle = NO_HANDLE };
	struct dmacpy_run args = {
		.flags = DMACPY_SUBMIT_OUT_FENCE,
		.out_fence = 77,
	};
	unsigned int files = open_files();

	EXPECT_EQ(-ENOENT, run_many(self->stream, &job, 1, &args));
	EXPECT_EQ(77, args.out_fence);
	EXPECT_EQ(files, open_files());
}

/* Catches: a handle that is kept although it cannot be returned. */
TEST_F(prepared, handle_cannot_be_written)
{
	struct dmacpy_prepare *args = memory_map(getpagesize());
	struct dmacpy_op op = copy_op(self->user, self->sram);
	int next = prepare(self->stream, &op, 1);

	ASSERT_LT(0, next);
	ASSERT_EQ(0, handle_release(self->stream, next));
	*args = (struct dmacpy_prepare){
		.size = sizeof(*args),
		.ops = (uintptr_t)&op,
		.op_count = 1,
		.op_size = sizeof(op),
	};
	ASSERT_EQ(0, mprotect(args, getpagesize(), PROT_READ));
	EXPECT_EQ(-EFAULT, command(self->stream, DMACPY_PREPARE, args));
	EXPECT_EQ(next, prepare(self->stream, &op, 1));
}

/* Catches: runs that reserve no place for their record, or leak it. */
TEST_F(prepared, have_room_for_events)
{
	unsigned int i, max = stream_info(self->stream).max_events;
	struct dmacpy_event event;

	for (i = 0; i < max; i++)
		ASSERT_EQ(1, run(self->stream, self->fill,
				 DMACPY_SUBMIT_EVENT));
	EXPECT_EQ(-EAGAIN, run(self->stream, self->fill, DMACPY_SUBMIT_EVENT));
	EXPECT_EQ(1, run(self->stream, self->fill, 0));
	for (i = 0; i < max; i++)
		ASSERT_EQ(0, read_event(self->stream, &event));
	EXPECT_EQ(1, run(self->stream, self->fill, DMACPY_SUBMIT_EVENT));
	EXPECT_EQ(0, read_event(self->stream, &event));
	EXPECT_EQ(0, poll_for(self->stream, POLLIN, 0));
}

/* Catches: memory that is freed while it is prepared, or leaked. */
TEST_F(prepared, keeps_what_it_names)
{
	struct dmacpy_get_info info;
	long pinned[2], left;

	if (!self->fake)
		SKIP(return, NO_ENGINE);
	ASSERT_EQ(0, handle_release(self->stream, self->user));
	ASSERT_EQ(0, handle_release(self->stream, self->sram));
	pinned[0] = pinned_pages();
	info = stream_info(self->stream);
	EXPECT_LE(LENGTH, info.sram_total - info.sram_free);
	EXPECT_EQ(0, run_and_wait(self->stream, self->fill));
	EXPECT_EQ(0, run_and_wait(self->stream, self->out));
	EXPECT_TRUE(all_bytes_are(self->mem, 7, LENGTH));

	/* After that the job in flight has the last reference. */
	ASSERT_TRUE(engine_set("hang", 1));
	ASSERT_EQ(1, run(self->stream, self->out, 0));
	ASSERT_EQ(0, handle_release(self->stream, self->out));
	ASSERT_EQ(0, handle_release(self->stream, self->fill));
	pinned[1] = pinned_pages();
	ASSERT_TRUE(engine_set("hang", 0));
	EXPECT_EQ(0, fsync(self->stream));
	EXPECT_EQ(0, sram_leaked());
	EXPECT_EQ(0, wait_locked(0));
	/* The kernel may also have unpinned pages of earlier tests. */
	left = pinned_pages();
	EXPECT_LT(left, pinned[0]);
	EXPECT_LT(left, pinned[1]);
}

/* Catches: prepared jobs without a limit, or one that is not returned. */
TEST_F_TIMEOUT(prepared, are_limited, 2 * SLOW)
{
	struct dmacpy_op op = copy_op(self->user, self->sram);
	int ret, last = 0, count;

	for (count = 0; count <= 16384; count++) {
		ret = prepare(self->stream, &op, 1);
		if (ret < 0)
			break;
		last = ret;
	}
	EXPECT_EQ(-EDQUOT, ret);
	EXPECT_LE(16384 - 2, count);
	EXPECT_EQ(0, run_and_wait(self->stream, last));
	EXPECT_EQ(0, handle_release(self->stream, last));
	EXPECT_EQ(last, prepare(self->stream, &op, 1));
}

/* Catches: a run that an earlier failure does not cancel, or the next one. */
TEST_F(prepared, is_cancelled)
{
	struct dmacpy_run_job jobs[3] = {
		{ .handle = self->fill, .user_data = 1 },
		{ .handle = self->out, .user_data = 2 },
		{ .handle = self->fill, .user_data = 3 },
	};
	struct dmacpy_run args = { .flags = DMACPY_SUBMIT_EVENT };
	struct dmacpy_event event;
	int i;

	if (!self->fake)
		SKIP(return, NO_ENGINE);
	/* All jobs are submitted before the first one fails. */
	ASSERT_TRUE(engine_set("hang", 1));
	ASSERT_TRUE(engine_set("next_failed", 1));
	ASSERT_EQ(3, run_many(self->stream, jobs, 3, &args));
	ASSERT_TRUE(engine_set("hang", 0));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, read_event(self->stream, &event));
		EXPECT_EQ(i ? -ECANCELED : -EIO, event.result);
	}
	EXPECT_TRUE(all_bytes_are(self->mem, 0, LENGTH));
	EXPECT_EQ(-1, fsync(self->stream));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(0, run_and_wait(self->stream, self->fill));
	EXPECT_EQ(0, run_and_wait(self->stream, self->out));
	EXPECT_TRUE(all_bytes_are(self->mem, 7, LENGTH));
}

/* Retries until the channel works again, about a thousand times. */
static int run_again(int stream, uint32_t handle)
{
	int ret, tries;

	for (tries = 0; tries < 1000; tries++) {
		ret = run_and_wait(stream, handle);
		if (ret != -EAGAIN && ret != -ETIMEDOUT && ret != -ECANCELED)
			break;
		usleep(10 * 1000);
	}
	return ret;
}

/*
 * Registers and releases memory, and waits until it is unpinned, which happens
 * in the order of the releases. Returns the KiB that are still locked.
 */
static long locked_after_releases(int stream)
{
	uint8_t *mem = memory_map(2 * LENGTH);
	long before = locked_kib();
	int handle = memory_register(stream, mem, 2 * LENGTH, ACCESS_BOTH);

	handle_release(stream, handle);
	return wait_locked(before);
}

/*
 * Catches: a run that waits for a hung engine for ever; memory of the run that
 * is freed before the engine has stopped; an engine that no run can use again.
 */
TEST_F_TIMEOUT(prepared, times_out, SLOW)
{
	const long locked = LENGTH / KIB;

	if (!self->fake)
		SKIP(return, NO_ENGINE);
	ASSERT_TRUE(set_number(TIMEOUT, TIMEOUT_MS));
	ASSERT_TRUE(engine_set("hang", 1));
	EXPECT_EQ(-ETIMEDOUT, run_and_wait(self->stream, self->out));
	EXPECT_EQ(0, handle_release(self->stream, self->out));
	EXPECT_EQ(0, handle_release(self->stream, self->user));
	EXPECT_EQ(-ENOENT, run(self->stream, self->out, 0));
	EXPECT_EQ(locked, locked_after_releases(self->stream));
	ASSERT_TRUE(engine_set("hang", 0));
	EXPECT_EQ(0, run_again(self->stream, self->fill));
	EXPECT_EQ(0, wait_locked(0));
}

/*
 * Catches: jobs of one RUN that time out one after the other, or whose memory
 * is freed before the engine has stopped.
 */
TEST_F_TIMEOUT(prepared, several_time_out, SLOW)
{
	struct dmacpy_run_job jobs[3] = {
		{ .handle = self->fill, .user_data = 1 },
		{ .handle = self->out, .user_data = 2 },
		{ .handle = self->fill, .user_data = 3 },
	};
	struct dmacpy_run args = { .flags = DMACPY_SUBMIT_EVENT };
	uint64_t left = stream_info(self->stream).sram_free;
	struct dmacpy_event event;
	int i;

	if (!self->fake)
		SKIP(return, NO_ENGINE);
	ASSERT_TRUE(set_number(TIMEOUT, TIMEOUT_MS));
	ASSERT_TRUE(engine_set("hang", 1));
	ASSERT_EQ(3, run_many(self->stream, jobs, 3, &args));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, read_event(self->stream, &event));
		EXPECT_EQ(i + 1, event.user_data);
		EXPECT_EQ(i ? -ECANCELED : -ETIMEDOUT, event.result);
	}
	EXPECT_EQ(0, handle_release(self->stream, self->fill));
	EXPECT_EQ(0, handle_release(self->stream, self->out));
	EXPECT_EQ(0, handle_release(self->stream, self->sram));
	/* The handle of the memory still pins it; the SRAM has none. */
	EXPECT_EQ(LENGTH / KIB, locked_after_releases(self->stream));
	EXPECT_EQ(left, stream_info(self->stream).sram_free);
	ASSERT_TRUE(engine_set("hang", 0));
	EXPECT_EQ(left + LENGTH,
		  sram_free_becomes(self->stream, left + LENGTH));
}

/* Catches: fences that RUN does not wait for, or that do not signal. */
TEST_F(prepared, has_fences)
{
	struct dmacpy_run_job job = { .handle = self->fill };
	struct dmacpy_run args = { .flags = DMACPY_SUBMIT_OUT_FENCE };
	struct dmacpy_run second = { .flags = DMACPY_SUBMIT_IN_FENCE |
					      DMACPY_SUBMIT_WAIT };
	int other = stream_open(self->instance.node);

	if (!self->fake)
		SKIP(return, NO_ENGINE);
	ASSERT_LE(0, other);
	ASSERT_TRUE(engine_set("hang", 1));
	ASSERT_EQ(1, run_many(self->stream, &job, 1, &args));
	EXPECT_EQ(0, fence_status(args.out_fence));
	EXPECT_EQ(0, poll_for(args.out_fence, POLLIN, 0));
	ASSERT_TRUE(engine_set("hang", 0));
	job.handle = self->out;
	second.in_fence = args.out_fence;
	EXPECT_EQ(1, run_many(self->stream, &job, 1, &second));
	EXPECT_EQ(1, fence_status(args.out_fence));
	EXPECT_TRUE(all_bytes_are(self->mem, 7, LENGTH));
}

/* Catches: an unbind that waits for prepared memory, or that leaves it. */
TEST_F(prepared, is_unbound)
{
	struct dmacpy_run_job job = { .handle = self->out };
	struct dmacpy_run args = { .flags = DMACPY_SUBMIT_EVENT };
	struct dmacpy_event event;

	if (!self->fake)
		SKIP(return, NO_ENGINE);
	ASSERT_TRUE(engine_set("hang", 1));
	ASSERT_EQ(1, run_many(self->stream, &job, 1, &args));
	ASSERT_EQ(0, instance_unbind(&self->instance));
	ASSERT_TRUE(engine_set("hang", 0));
	ASSERT_EQ(0, read_event(self->stream, &event));
	EXPECT_GT(0, event.result);
	EXPECT_EQ(-ENODEV, run(self->stream, self->out, 0));
	EXPECT_EQ(0, handle_release(self->stream, self->out));
	EXPECT_EQ(-ENOENT, handle_release(self->stream, self->out));
	ASSERT_EQ(0, instance_bind_again(&self->instance));
	EXPECT_EQ(-ENODEV, run(self->stream, self->fill, 0));
}

TEST_HARNESS_MAIN
