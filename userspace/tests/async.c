// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asynchronous jobs: the ways to learn of their completion, their dependencies,
 * and the effects of a failure on later jobs. The tests run on the fake engine,
 * whose speed is set, as QEMU's engines complete a job before SUBMIT returns.
 * DMACPY_SECONDS sets the number of jobs of tests that need many.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <linux/sync_file.h>

#include "kselftest_harness.h"
#include "common.h"
#include "engine.h"

#define LENGTH		(4 * KIB)
#define MANY		16
#define MODULE_USERS	"/sys/module/dmacpy/refcnt"

FIXTURE(async)
{
	struct instance instance;
	int stream, other;		/* on separate channels */
	int fd[3], handle[3], others[3];	/* three buffers in both */
	uint8_t *mem[3];
};

/* Fills buffer i with i + 1. */
FIXTURE_SETUP(async)
{
	int i;

	ASSERT_EQ(0, engine_find(&self->instance));
	ASSERT_TRUE(engine_reset());
	self->stream = stream_open(self->instance.node);
	self->other = stream_open(self->instance.node);
	ASSERT_LE(0, self->other);
	for (i = 0; i < 3; i++) {
		self->fd[i] = sram_alloc(self->stream, LENGTH);
		ASSERT_LE(0, self->fd[i]);
		self->handle[i] = dmabuf_import(self->stream, self->fd[i],
						ACCESS_BOTH);
		self->others[i] = dmabuf_import(self->other, self->fd[i],
						ACCESS_BOTH);
		ASSERT_LE(1, self->others[i]);
		self->mem[i] = dmabuf_map(self->fd[i], LENGTH);
		ASSERT_NE(NULL, self->mem[i]);
		memset(self->mem[i], i + 1, LENGTH);
	}
}

FIXTURE_TEARDOWN_PARENT(async)
{
	EXPECT_TRUE(engine_reset());
}

/* Starts a copy of buffer @src to @dst, which is in flight on return. */
static int start(int stream, const int *handle, int dst, int src,
		 uint32_t flags, struct dmacpy_submit *args)
{
	struct dmacpy_op op = {
		.dst = handle[dst],
		.src = handle[src],
		.length = LENGTH,
	};

	args->flags = flags;
	return submit_with(stream, &op, 1, args);
}

static int start_with(int stream, const int *handle, int dst, int src,
		      uint32_t flags, uint64_t user_data)
{
	struct dmacpy_submit args = { .user_data = user_data };

	return start(stream, handle, dst, src, flags, &args);
}

/* Returns the file descriptor of the job's fence. */
static int start_fenced(int stream, const int *handle, int dst, int src,
			uint32_t flags)
{
	struct dmacpy_submit args = { };
	int ret;

	ret = start(stream, handle, dst, src, flags | DMACPY_SUBMIT_OUT_FENCE,
		    &args);
	return ret ? ret : args.out_fence;
}

static int start_behind(int stream, const int *handle, int dst, int src,
			uint32_t flags, int in_fence)
{
	struct dmacpy_submit args = { .in_fence = in_fence };

	return start(stream, handle, dst, src, flags | DMACPY_SUBMIT_IN_FENCE,
		     &args);
}

/* Returns the time of the clock that records use. */
static uint64_t nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* Sets the clock of the day, which may start equal to the monotonic one. */
static void set_clock_forward(int seconds)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += seconds;
	clock_settime(CLOCK_REALTIME, &now);
}

/* Catches: an event before the data, a wrong one, or POLLIN without one. */
TEST_F(async, event)
{
	uint64_t before = nanoseconds();
	struct dmacpy_event event;

	set_clock_forward(3600);
	ASSERT_TRUE(engine_set("hang", 1));
	ASSERT_EQ(0, start_with(self->stream, self->handle, 0, 1,
				DMACPY_SUBMIT_EVENT, 0x1234567890abcdefULL));
	EXPECT_EQ(POLLOUT, poll_for(self->stream, POLLIN | POLLOUT, 0));
	ASSERT_TRUE(engine_set("hang", 0));
	EXPECT_EQ(POLLIN, poll_for(self->stream, POLLIN, 5000));
	EXPECT_TRUE(all_bytes_are(self->mem[0], 2, LENGTH));
	ASSERT_EQ(0, read_event(self->stream, &event));
	EXPECT_EQ(0x1234567890abcdefULL, event.user_data);
	EXPECT_EQ(0, event.result);
	EXPECT_EQ(LENGTH, event.length);
	EXPECT_LE(before, event.timestamp);
	EXPECT_GE(nanoseconds(), event.timestamp);
	set_clock_forward(-3600);
	EXPECT_EQ(POLLOUT, poll_for(self->stream, POLLIN | POLLOUT, 0));
}

/* Catches: a record that is truncated, or lost after a bad pointer. */
TEST_F(async, read_arguments)
{
	void *hole = memory_map(LENGTH);
	struct dmacpy_event event;

	ASSERT_EQ(0, munmap(hole, LENGTH));
	ASSERT_EQ(0, fcntl(self->stream, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, read_event(self->stream, &event));
	ASSERT_EQ(0, start_with(self->stream, self->handle, 0, 1,
				DMACPY_SUBMIT_EVENT, 7));
	EXPECT_EQ(POLLIN, poll_for(self->stream, POLLIN, 5000));
	EXPECT_EQ(-1, read(self->stream, &event, sizeof(event) - 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, read(self->stream, hole, sizeof(event)));
	EXPECT_EQ(EFAULT, errno);
	ASSERT_EQ(0, read_event(self->stream, &event));
	EXPECT_EQ(7, event.user_data);
}

/* Catches: a fence that signals early, never, or with the wrong status. */
TEST_F(async, out_fence)
{
	int fence;

	ASSERT_TRUE(engine_set("hang", 1));
	fence = start_fenced(self->stream, self->handle, 0, 1, 0);
	ASSERT_LE(0, fence);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fence, F_GETFD));
	EXPECT_EQ(0, fence_status(fence));
	ASSERT_TRUE(engine_set("hang", 0));
	EXPECT_EQ(POLLIN, poll_for(fence, POLLIN, 5000));
	EXPECT_EQ(1, fence_status(fence));
	EXPECT_TRUE(all_bytes_are(self->mem[0], 2, LENGTH));
}

/* Catches: another file accepted as a fence, or a fence that is ignored. */
TEST_F(async, in_fence_arguments)
{
	int null = open("/dev/null", O_RDWR);

	EXPECT_EQ(-EBADF, start_behind(self->stream, self->handle, 0, 1, 0,
				       -1));
	EXPECT_EQ(-EBADF, start_behind(self->stream, self->handle, 0, 1, 0,
				       null));
	EXPECT_EQ(-EBADF, start_behind(self->stream, self->handle, 0, 1, 0,
				       self->fd[0]));
}

/* Catches: a job that runs although its fence cannot be returned. */
TEST_F(async, no_room_for_a_file)
{
	struct rlimit few, limit;

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &limit));
	few = limit;
	few.rlim_cur = 0;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &few));
	EXPECT_EQ(-EMFILE, start_fenced(self->stream, self->handle, 0, 1, 0));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	EXPECT_EQ(0, fsync(self->stream));
	EXPECT_TRUE(all_bytes_are(self->mem[0], 1, LENGTH));
}

/* Catches: a buffer with two handles that deadlocks, or that is confused. */
TEST_F(async, two_handles_of_one_buffer)
{
	const struct dmacpy_op ops[] = { {
		.dst = self->handle[1],
		.src = self->handle[0],
		.length = LENGTH,
	}, {
		.dst = dmabuf_import(self->stream, self->fd[0], ACCESS_BOTH),
		.src = self->handle[2],
		.length = LENGTH,
	} };
	struct dmacpy_submit args = { };

	ASSERT_TRUE(engine_set("hang", 1));
	ASSERT_EQ(0, submit_with(self->stream, ops, 2, &args));
	EXPECT_EQ(0, poll_for(self->fd[0], POLLIN, 0));
	EXPECT_EQ(POLLIN, poll_for(self->fd[2], POLLIN, 0));
	ASSERT_TRUE(engine_set("hang", 0));
	EXPECT_EQ(0, fsync(self->stream));
	EXPECT_TRUE(all_bytes_are(self->mem[1], 1, LENGTH));
	EXPECT_TRUE(all_bytes_are(self->mem[0], 3, LENGTH));
}

static void *end_hang_later(void *unused)
{
	usleep(SLOW_US);
	engine_set("hang", 0);
	return NULL;
}

/* Catches: a CPU access, or a poll() of the dma-buf, that ignores a job. */
TEST_F(async, dma_buf_waits)
{
	struct dma_buf_export_sync_file export = { .flags = DMA_BUF_SYNC_READ };
	pthread_t thread;

	ASSERT_TRUE(engine_set("hang", 1));
	ASSERT_EQ(0, start_with(self->stream, self->handle, 0, 1, 0, 0));
	EXPECT_EQ(0, poll_for(self->fd[0], POLLIN, 0));
	EXPECT_EQ(0, poll_for(self->fd[1], POLLOUT, 0));
	EXPECT_EQ(POLLIN, poll_for(self->fd[1], POLLIN, 0));
	ASSERT_EQ(0, ioctl(self->fd[0], DMA_BUF_IOCTL_EXPORT_SYNC_FILE,
			   &export));
	EXPECT_EQ(0, fence_status(export.fd));
	ASSERT_EQ(0, pthread_create(&thread, NULL, end_hang_later, NULL));
	EXPECT_EQ(0, dmabuf_sync(self->fd[0], DMA_BUF_SYNC_START |
				 DMA_BUF_SYNC_READ));
	EXPECT_TRUE(all_bytes_are(self->mem[0], 2, LENGTH));
	EXPECT_EQ(1, fence_status(export.fd));
	ASSERT_EQ(0, pthread_join(thread, NULL));
}

static void *copy_and_wait(void *arg)
{
	struct _test_data_async *self = arg;

	return (void *)(long)start_with(self->stream, self->handle, 0, 1,
					DMACPY_SUBMIT_WAIT, 0);
}

/* Catches: a job with a waiter whose fence only one of its buffers gets. */
TEST_F(async, dma_bufs_wait_for_waiting_task)
{
	pthread_t thread;
	void *ret;

	ASSERT_TRUE(engine_set("hang", 1));
	ASSERT_EQ(0, pthread_create(&thread, NULL, copy_and_wait, self));
	instance_wait_in_flight(&self->instance, 1);
	EXPECT_EQ(0, poll_for(self->fd[0], POLLIN, 0));
	EXPECT_EQ(0, poll_for(self->fd[1], POLLOUT, 0));
	EXPECT_EQ(POLLIN, poll_for(self->fd[1], POLLIN, 0));
	ASSERT_TRUE(engine_set("hang", 0));
	EXPECT_EQ(POLLIN, poll_for(self->fd[0], POLLIN, 5000));
	EXPECT_EQ(POLLOUT, poll_for(self->fd[1], POLLOUT, 5000));
	ASSERT_EQ(0, pthread_join(thread, &ret));
	EXPECT_EQ(NULL, ret);
}

/* Catches: jobs of one stream that pass each other. */
TEST_F(async, order_in_stream)
{
	struct dmacpy_event event;
	int i;

	ASSERT_TRUE(engine_set("delay_us", SLOW_US / MANY));
	for (i = 0; i < MANY; i++)
		ASSERT_EQ(0, start_with(self->stream, self->handle, i % 2 * 2,
					1, DMACPY_SUBMIT_EVENT, i));
	for (i = 0; i < MANY; i++) {
		ASSERT_EQ(0, read_event(self->stream, &event));
		EXPECT_EQ(i, event.user_data);
		EXPECT_EQ(0, event.result);
	}
}

/* Catches: a job that is never issued, as no other follows; or is passed. */
TEST_F(async, more_follow)
{
	static const uint32_t flags[] = {
		DMACPY_SUBMIT_MORE, DMACPY_SUBMIT_MORE, 0, DMACPY_SUBMIT_MORE,
	};
	struct dmacpy_event event;
	unsigned int i, round;

	for (round = 0; round < 10; round++) {
		for (i = 0; i < ARRAY_SIZE(flags); i++)
			ASSERT_EQ(0, start_with(self->stream, self->handle,
						i % 2 * 2, 1, flags[i] |
						DMACPY_SUBMIT_EVENT, i));
		for (i = 0; i < ARRAY_SIZE(flags); i++) {
			ASSERT_EQ(0, read_event(self->stream, &event));
			EXPECT_EQ(i, event.user_data);
			EXPECT_EQ(0, event.result);
		}
	}
}

/*
 * Starts a job and then one that waits for a fence, that of a job with MORE on
 * another channel. Returns the time until the first one has a record, in ns, or
 * UINT64_MAX.
 */
static uint64_t time_before_a_job_that_waits(struct _test_data_async *self,
					     uint32_t flags)
{
	int fence = start_fenced(self->other, self->others, 2, 1,
				 DMACPY_SUBMIT_MORE);
	uint64_t before = nanoseconds(), took = UINT64_MAX;
	struct dmacpy_event event;

	if (fence >= 0 &&
	    !start_with(self->stream, self->handle, 0, 1,
			flags | DMACPY_SUBMIT_EVENT, 0) &&
	    !start_behind(self->stream, self->handle, 0, 1, 0, fence) &&
	    !read_event(self->stream, &event))
		took = nanoseconds() - before;
	fsync(self->stream);
	close(fence);
	return took;
}

/*
 * Catches: a job with MORE that only the watchdog starts, after a jiffy or two,
 * as the next job comes without MORE, but waits.
 */
TEST_F(async, more_before_a_job_that_waits)
{
	uint64_t plain = UINT64_MAX, more = UINT64_MAX, took;
	int round;

	for (round = 0; round < 20; round++) {
		took = time_before_a_job_that_waits(self, 0);
		plain = took < plain ? took : plain;
		took = time_before_a_job_that_waits(self, DMACPY_SUBMIT_MORE);
		more = took < more ? took : more;
	}
	/* In ns, less than a jiffy of 4 ms */
	EXPECT_LT(more, plain + 3000000)
		TH_LOG("%llu ns, without MORE %llu ns",
		       (unsigned long long)more, (unsigned long long)plain);
}

/* Catches: a full stream of jobs that wait for the next submission. */
TEST_F(async, more_than_fit)
{
	unsigned int i, count = 2 * stream_info(self->stream).max_jobs;

	for (i = 0; i < count; i++)
		ASSERT_EQ(0, start_with(self->stream, self->handle, 0, 1,
					DMACPY_SUBMIT_MORE, i));
	EXPECT_EQ(0, fsync(self->stream));
}

static unsigned int number_of_jobs(void)
{
	return 100 * environment("DMACPY_SECONDS", 5);
}

static void *submit_numbered(void *arg)
{
	struct _test_data_async *self = arg;
	unsigned int i, count = number_of_jobs();
	long ret = 0;

	for (i = 0; i < count && !ret; i++)
		do
			ret = start_with(self->stream, self->handle, 0, 1,
					 DMACPY_SUBMIT_EVENT, i);
		while (ret == -EAGAIN);
	return (void *)ret;
}

#define SHORT_RING	4	/* maximum of the engine's descriptors */
#define MAX_CHANNELS	64

/*
 * Catches: a stream that waits until another one of the same user, on the same
 * channel, is idle.
 */
TEST_F(async, streams_take_turns)
{
	unsigned int channels = stream_info(self->stream).channels, i;
	int streams[MAX_CHANNELS], handle[3] = { };
	struct dmacpy_event event, last;

	/* Each channel has a stream when the last of these is opened. */
	close(self->other);
	ASSERT_GE(MAX_CHANNELS, channels);
	for (i = 0; i < channels; i++)
		streams[i] = stream_open(self->instance.node);
	for (i = 0; i < 2; i++)
		handle[i] = dmabuf_import(streams[channels - 1], self->fd[i],
					  ACCESS_BOTH);
	ASSERT_LT(0, handle[1]);
	ASSERT_TRUE(engine_set("ring", SHORT_RING));
	ASSERT_TRUE(engine_set("hang", 1));
	for (i = 0; i < MANY; i++)
		ASSERT_EQ(0, start_with(self->stream, self->handle, 0, 1,
					DMACPY_SUBMIT_NO_IMPLICIT |
					DMACPY_SUBMIT_EVENT, i));
	ASSERT_EQ(0, start_with(streams[channels - 1], handle, 0, 1,
				DMACPY_SUBMIT_NO_IMPLICIT |
				DMACPY_SUBMIT_EVENT, 0));
	ASSERT_TRUE(engine_set("hang", 0));
	ASSERT_EQ(0, read_event(streams[channels - 1], &event));
	for (i = 0; i < MANY; i++)
		ASSERT_EQ(0, read_event(self->stream, &last));
	EXPECT_EQ(MANY - 1, last.user_data);
	EXPECT_GT(last.timestamp, event.timestamp);
}

/* Catches: a record that is lost, or passed, while others are added. */
TEST_F_TIMEOUT(async, concurrent_submit_and_read, 10 * SLOW)
{
	unsigned int i, count = number_of_jobs();
	struct dmacpy_event event;
	pthread_t thread;
	void *ret;

	ASSERT_EQ(0, pthread_create(&thread, NULL, submit_numbered, self));
	for (i = 0; i < count; i++) {
		ASSERT_EQ(0, read_event(self->stream, &event));
		ASSERT_EQ(i, event.user_data);
		EXPECT_EQ(0, event.result);
	}
	ASSERT_EQ(0, pthread_join(thread, &ret));
	EXPECT_EQ(NULL, ret);
}

/* Catches: a failure that cancels no job, or later ones, too. */
TEST_F(async, failure_cancels_the_stream)
{
	struct dmacpy_event event;
	int i;

	ASSERT_TRUE(engine_set("hang", 1));
	ASSERT_TRUE(engine_set("next_failed", 1));
	for (i = 0; i < MANY; i++)
		ASSERT_EQ(0, start_with(self->stream, self->handle, 0, 1,
					DMACPY_SUBMIT_EVENT, i));
	ASSERT_TRUE(engine_set("hang", 0));
	for (i = 0; i < MANY; i++) {
		ASSERT_EQ(0, read_event(self->stream, &event));
		EXPECT_EQ(i, event.user_data);
		EXPECT_EQ(i ? -ECANCELED : -EIO, event.result);
	}
	EXPECT_EQ(0, start_with(self->stream, self->handle, 0, 1,
				DMACPY_SUBMIT_WAIT, 0));
	EXPECT_EQ(-1, fsync(self->stream));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(0, fsync(self->stream));
}

/* Catches: a job that runs although its dependency has failed. */
TEST_F(async, failed_in_fence)
{
	int fence;

	ASSERT_TRUE(engine_set("delay_us", SLOW_US));
	ASSERT_TRUE(engine_set("next_failed", 1));
	fence = start_fenced(self->stream, self->handle, 0, 1, 0);
	ASSERT_LE(0, fence);
	EXPECT_EQ(-ECANCELED, start_behind(self->other, self->others, 2, 0,
					   DMACPY_SUBMIT_WAIT, fence));
	EXPECT_EQ(-EIO, fence_status(fence));
	EXPECT_TRUE(all_bytes_are(self->mem[2], 3, LENGTH));
}

/*
 * Catches: a job that runs although its in-fence, the previous job, is the last
 * one that a failure cancels, and has not completed yet.
 */
TEST_F(async, in_fence_is_cancelled)
{
	int failed, last, behind;
	struct dmacpy_submit args;
	struct dmacpy_op op;

	ASSERT_TRUE(engine_set("delay_us", SLOW_US));
	ASSERT_TRUE(engine_set("next_failed", 1));
	failed = start_fenced(self->stream, self->handle, 0, 1,
			      DMACPY_SUBMIT_NO_IMPLICIT);
	last = start_fenced(self->stream, self->handle, 0, 1,
			    DMACPY_SUBMIT_NO_IMPLICIT);
	ASSERT_LE(0, last);
	EXPECT_EQ(POLLIN, poll_for(failed, POLLIN, 5000));
	ASSERT_TRUE(engine_set("hang", 1));
	EXPECT_EQ(-EIO, fence_status(failed));
	if (fence_status(last))
		TH_LOG("the host is too slow for this case");

	args = (struct dmacpy_submit){
		.flags = DMACPY_SUBMIT_IN_FENCE | DMACPY_SUBMIT_OUT_FENCE |
			 DMACPY_SUBMIT_NO_IMPLICIT,
		.in_fence = last,
	};
	op = (struct dmacpy_op){
		.dst = self->handle[2],
		.src = self->handle[1],
		.length = LENGTH,
	};
	ASSERT_EQ(0, submit_with(self->stream, &op, 1, &args));
	behind = args.out_fence;
	ASSERT_TRUE(engine_set("hang", 0));
	EXPECT_EQ(POLLIN, poll_for(behind, POLLIN, 5000));
	EXPECT_EQ(-ECANCELED, fence_status(last));
	EXPECT_EQ(-ECANCELED, fence_status(behind));
	EXPECT_TRUE(all_bytes_are(self->mem[2], 3, LENGTH));
}

/* Starts a job that fails after the earlier jobs of its stream. */
static int start_failing(int stream, const int *handle, int failed)
{
	struct dmacpy_submit args = { .in_fence = failed };
	int ret = start(stream, handle, 2, 1, DMACPY_SUBMIT_IN_FENCE |
			DMACPY_SUBMIT_OUT_FENCE, &args);

	return ret ? ret : args.out_fence;
}

/* Catches: an error that is overlooked in one of several merged fences. */
TEST_F(async, failed_part_of_in_fence)
{
	struct sync_merge_data merge = { .name = "parts" };
	int failed, good, bad, third, round, handle[2];
	struct dmacpy_submit args;
	struct dmacpy_op op;

	ASSERT_TRUE(engine_set("next_failed", 1));
	failed = start_fenced(self->stream, self->handle, 0, 1, 0);
	EXPECT_EQ(POLLIN, poll_for(failed, POLLIN, 5000));
	ASSERT_EQ(-EIO, fence_status(failed));
	third = stream_open(self->instance.node);
	handle[0] = dmabuf_import(third, sram_alloc(third, LENGTH),
				  ACCESS_BOTH);
	ASSERT_LT(0, handle[0]);
	op = (struct dmacpy_op){
		.opcode = DMACPY_OP_FILL,
		.dst = handle[0],
		.length = LENGTH,
	};

	/* The parts are in the order of the streams, whichever fails. */
	for (round = 0; round < 2; round++) {
		const int *first = round ? self->others : self->handle;
		const int *second = round ? self->handle : self->others;
		int from = round ? self->other : self->stream;
		int to = round ? self->stream : self->other;

		ASSERT_TRUE(engine_set("hang", 1));
		good = start_fenced(from, first, 0, 1,
				    DMACPY_SUBMIT_NO_IMPLICIT);
		ASSERT_EQ(0, start_with(to, second, 2, 1,
					DMACPY_SUBMIT_NO_IMPLICIT, 0));
		bad = start_failing(to, second, failed);
		ASSERT_LE(0, bad);
		merge.fd2 = bad;
		ASSERT_EQ(0, ioctl(good, SYNC_IOC_MERGE, &merge));
		args = (struct dmacpy_submit){
			.flags = DMACPY_SUBMIT_IN_FENCE |
				 DMACPY_SUBMIT_OUT_FENCE,
			.in_fence = merge.fence,
		};
		ASSERT_EQ(0, submit_with(third, &op, 1, &args));
		ASSERT_TRUE(engine_set("hang", 0));
		EXPECT_EQ(POLLIN, poll_for(args.out_fence, POLLIN, 5000));
		EXPECT_EQ(POLLIN, poll_for(good, POLLIN, 5000));
		EXPECT_EQ(1, fence_status(good));
		EXPECT_EQ(-ECANCELED, fence_status(bad));
		EXPECT_EQ(-ECANCELED, fence_status(args.out_fence))
			TH_LOG("round %d", round);
	}
}

/* Catches: fences of jobs that must not add any to the dma-bufs. */
TEST_F(async, no_implicit_fences)
{
	struct dma_buf_export_sync_file export = { .flags = DMA_BUF_SYNC_RW };
	int fence;

	ASSERT_TRUE(engine_set("hang", 1));
	fence = start_fenced(self->stream, self->handle, 0, 1,
			     DMACPY_SUBMIT_NO_IMPLICIT);
	ASSERT_LE(0, fence);
	EXPECT_EQ(POLLIN | POLLOUT, poll_for(self->fd[0], POLLIN | POLLOUT, 0));
	EXPECT_EQ(POLLIN | POLLOUT, poll_for(self->fd[1], POLLIN | POLLOUT, 0));
	ASSERT_EQ(0, ioctl(self->fd[0], DMA_BUF_IOCTL_EXPORT_SYNC_FILE,
			   &export));
	EXPECT_EQ(1, fence_status(export.fd));
	EXPECT_EQ(0, fence_status(fence));
}

/* Catches: records that are put back in another order, or twice. */
TEST_F(async, partial_reads)
{
	size_t page = getpagesize(), size = sizeof(struct dmacpy_event);
	uint8_t *mem = memory_map(2 * page);
	struct dmacpy_event *event;
	int i, readable;
	ssize_t ret;

	ASSERT_NE(NULL, mem);
	ASSERT_EQ(0, mprotect(mem + page, page, PROT_READ));
	ASSERT_EQ(0, fcntl(self->stream, F_SETFL, O_NONBLOCK));
	for (readable = 0; readable < 5; readable++) {
		for (i = 0; i < 5; i++)
			ASSERT_EQ(0, start_with(self->stream, self->handle, 0,
						1, DMACPY_SUBMIT_EVENT, i));
		ASSERT_EQ(0, fsync(self->stream));
		/* A copy that faults may have copied more than it reports. */
		event = (void *)(mem + page - readable * size);
		ret = read(self->stream, event, 5 * size);
		EXPECT_GE((ssize_t)(readable * size), ret);
		for (i = 0; i < ret / (ssize_t)size; i++)
			EXPECT_EQ(i, event[i].user_data);
		for (; i < 5; i++) {
			ASSERT_EQ(0, read_event(self->stream, (void *)mem));
			EXPECT_EQ(i, ((struct dmacpy_event *)mem)->user_data);
		}
		EXPECT_EQ(-EAGAIN, read_event(self->stream, (void *)mem));
	}
}

/* Catches: records that overwrite others, when the ring wraps around. */
TEST_F_TIMEOUT(async, records_wrap, SLOW)
{
	struct dmacpy_get_info info = stream_info(self->stream);
	const struct dmacpy_op op = {
		.opcode = DMACPY_OP_FILL,
		.dst = self->handle[0],
		.length = 4,
	};
	struct dmacpy_submit args = { .flags = DMACPY_SUBMIT_EVENT };
	unsigned int made = 0, read = 0, round;
	struct dmacpy_event event;

	/* In the later rounds the ring wraps, at different records. */
	for (round = 0; round < 3; round++) {
		for (; made - read < info.max_events; made++) {
			args.user_data = made;
			ASSERT_EQ(0, submit_with(self->stream, &op, 1, &args));
		}
		ASSERT_EQ(0, fsync(self->stream));
		for (; read < made - 5; read++) {
			ASSERT_EQ(0, read_event(self->stream, &event));
			ASSERT_EQ(read, event.user_data);
		}
	}
}

/* Catches: an fsync() that returns with any job, not with the last one. */
TEST_F(async, fsync_waits_for_all)
{
	int fence[4], i;

	ASSERT_TRUE(engine_set("delay_us", SLOW_US));
	for (i = 0; i < 4; i++)
		fence[i] = start_fenced(self->stream, self->handle, 0, 1, 0);
	ASSERT_EQ(0, fsync(self->stream));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(1, fence_status(fence[i]));
}

/* Catches: a completion that wakes the job's waiter, but not an fsync(). */
TEST_F(async, fsync_beside_waiting_task)
{
	pthread_t waiter, releaser;
	void *ret;

	ASSERT_TRUE(engine_set("hang", 1));
	ASSERT_EQ(0, pthread_create(&waiter, NULL, copy_and_wait, self));
	instance_wait_in_flight(&self->instance, 1);
	ASSERT_EQ(0, pthread_create(&releaser, NULL, end_hang_later, NULL));
	EXPECT_EQ(0, fsync(self->stream));
	ASSERT_EQ(0, pthread_join(waiter, &ret));
	EXPECT_EQ(NULL, ret);
	ASSERT_EQ(0, pthread_join(releaser, NULL));
}

/* Catches: a hang that is not detected while jobs are submitted. */
TEST_F_TIMEOUT(async, submissions_are_no_progress, SLOW)
{
	struct dmacpy_get_info info = stream_info(self->stream);
	unsigned int i;
	int fence;

	ASSERT_TRUE(set_number(TIMEOUT, 300));
	ASSERT_TRUE(engine_set("hang", 1));
	fence = start_fenced(self->stream, self->handle, 0, 1, 0);
	ASSERT_LE(0, fence);
	/* Submit for at least six times the timeout. */
	for (i = 1; i < info.max_jobs && !fence_status(fence); i++) {
		usleep(6 * 300 * 1000 / info.max_jobs);
		start_with(self->stream, self->handle, 0, 1, 0, 0);
	}
	EXPECT_EQ(-ETIMEDOUT, fence_status(fence));
}

static void *end_hang_after_a_second(void *unused)
{
	sleep(1);
	engine_set("hang", 0);
	return NULL;
}

/* Catches: a waiter that is not woken when the channel has recovered. */
TEST_F_TIMEOUT(async, recovery_wakes_poll, SLOW)
{
	unsigned int start;
	pthread_t thread;

	ASSERT_TRUE(set_number(TIMEOUT, 100));
	ASSERT_TRUE(engine_set("hang", 1));
	EXPECT_EQ(-ETIMEDOUT, start_with(self->stream, self->handle, 0, 1,
					 DMACPY_SUBMIT_WAIT, 0));
	EXPECT_EQ(0, poll_for(self->stream, POLLOUT, 0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, end_hang_after_a_second,
				    NULL));
	start = milliseconds();
	EXPECT_EQ(POLLOUT, poll_for(self->stream, POLLOUT, 20 * 1000));
	EXPECT_GT(10 * 1000, milliseconds() - start);
	ASSERT_EQ(0, pthread_join(thread, NULL));
}

/* Catches: an unbounded wait for a job that hangs. */
TEST_F(async, dependency_hangs)
{
	int fence;

	ASSERT_TRUE(set_number(DEPENDENCY_TIMEOUT, 200));
	ASSERT_TRUE(set_number(TIMEOUT, 500));
	ASSERT_TRUE(engine_set("hang", 1));
	fence = start_fenced(self->stream, self->handle, 0, 1, 0);
	ASSERT_LE(0, fence);
	EXPECT_EQ(-ECANCELED, start_behind(self->other, self->others, 2, 0,
					   DMACPY_SUBMIT_WAIT, fence));
	EXPECT_EQ(-ETIMEDOUT, fence_status(fence));
	EXPECT_TRUE(all_bytes_are(self->mem[2], 3, LENGTH));
}

/* Catches: a fence that another driver adds to a buffer, and is overlooked. */
TEST_F(async, imported_fence)
{
	struct dma_buf_import_sync_file import = {
		.flags = DMA_BUF_SYNC_WRITE,
	};
	struct dmacpy_submit args = { .flags = DMACPY_SUBMIT_OUT_FENCE };
	struct dmacpy_op op = {
		.opcode = DMACPY_OP_FILL,
		.dst = self->others[2],
		.length = LENGTH,
		.pattern = 0x04040404,
	};
	unsigned int in_flight;

	ASSERT_TRUE(engine_set("hang", 1));
	/* The job does not use the last buffer. */
	import.fd = start_fenced(self->stream, self->handle, 0, 1, 0);
	ASSERT_LE(0, import.fd);
	ASSERT_EQ(0, command(self->fd[2], DMA_BUF_IOCTL_IMPORT_SYNC_FILE,
			     &import));
	EXPECT_EQ(0, poll_for(self->fd[2], POLLIN, 0));
	in_flight = instance_in_flight(&self->instance);
	EXPECT_LE(1, in_flight);
	ASSERT_EQ(0, submit_with(self->other, &op, 1, &args));
	usleep(SLOW_US);
	EXPECT_EQ(in_flight, instance_in_flight(&self->instance));
	ASSERT_TRUE(engine_set("hang", 0));
	EXPECT_EQ(POLLIN, poll_for(args.out_fence, POLLIN, 5000));
	EXPECT_EQ(1, fence_status(args.out_fence));
	EXPECT_EQ(1, fence_status(import.fd));
	EXPECT_TRUE(all_bytes_are(self->mem[2], 4, LENGTH));
}

static void *submit_one(void *arg)
{
	struct _test_data_async *self = arg;

	return (void *)(long)start_with(self->stream, self->handle, 0, 1, 0, 0);
}

/* Catches: more jobs than there is room for, or a wait that does not end. */
TEST_F(async, room_for_jobs)
{
	unsigned int i, max = stream_info(self->stream).max_jobs;
	pthread_t thread;
	void *ret;

	ASSERT_TRUE(engine_set("hang", 1));
	for (i = 0; i < max; i++)
		ASSERT_EQ(0, start_with(self->stream, self->handle, 0, 1, 0,
					0));
	EXPECT_EQ(0, poll_for(self->stream, POLLOUT, 0));
	ASSERT_EQ(0, fcntl(self->stream, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, start_with(self->stream, self->handle, 0, 1, 0, 0));
	ASSERT_EQ(0, fcntl(self->stream, F_SETFL, 0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, submit_one, self));
	usleep(SLOW_US);
	ASSERT_TRUE(engine_set("hang", 0));
	ASSERT_EQ(0, pthread_join(thread, &ret));
	EXPECT_EQ(NULL, ret);
	EXPECT_EQ(POLLOUT, poll_for(self->stream, POLLOUT, 5000));
	EXPECT_EQ(0, fsync(self->stream));
}

static void on_signal(int number)
{
}

/* Threads that wait for the lock of a stream most of the time */
struct preparer {
	struct _test_data_async *self;
	bool stop;
	unsigned int failed;
};

static void *prepare_often(void *arg)
{
	struct preparer *p = arg;
	struct dmacpy_op ops[LENGTH / 8];
	int handle;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ops); i++)
		ops[i] = (struct dmacpy_op){
			.dst = p->self->handle[0],
			.dst_offset = 8 * i,
			.src = p->self->handle[1],
			.src_offset = 8 * i,
			.length = 4,
		};
	while (!__atomic_load_n(&p->stop, __ATOMIC_RELAXED)) {
		struct dmacpy_prepare args = { };

		handle = prepare_with(p->self->stream, ops, ARRAY_SIZE(ops),
				      &args);
		if (handle < 0 || handle_release(p->self->stream, handle))
			__atomic_add_fetch(&p->failed, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Stops and continues the parent, as job control and debuggers do. */
static void stop_parent_often(void)
{
	pid_t parent = getppid();
	int i;

	for (i = 0; i < 200; i++) {
		usleep(2000);
		kill(parent, SIGSTOP);
		usleep(200);
		kill(parent, SIGCONT);
	}
}

/* Catches: EINTR where no signal is handled. */
TEST_F_TIMEOUT(async, stopped_process_is_not_interrupted, SLOW)
{
	struct preparer preparer = { .self = self };
	pthread_t threads[8];
	pid_t child = fork();
	size_t i;

	if (!child) {
		stop_parent_often();
		_exit(0);
	}
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, prepare_often,
					    &preparer));
	EXPECT_EQ(child, waitpid(child, NULL, 0));
	__atomic_store_n(&preparer.stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
	EXPECT_EQ(0, preparer.failed);
}

/* Sends signals that interrupt system calls. */
static void interrupt_often(void)
{
	const struct itimerval often = { { 0, SLOW_US }, { 0, SLOW_US } };
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
}

/* Catches: a wait that signals do not end, or that has started a job. */
TEST_F(async, waits_end_by_signals)
{
	unsigned int i, max = stream_info(self->stream).max_jobs;
	const struct itimerval never = { };
	struct dmacpy_event event;

	ASSERT_TRUE(engine_set("hang", 1));
	for (i = 0; i < max; i++)
		ASSERT_EQ(0, start_with(self->stream, self->handle, 0, 1, 0,
					0));
	interrupt_often();
	EXPECT_EQ(-EINTR, read_event(self->stream, &event));
	EXPECT_EQ(-EINTR, start_with(self->stream, self->handle, 0, 1,
				     DMACPY_SUBMIT_EVENT, 0));
	setitimer(ITIMER_REAL, &never, NULL);
	ASSERT_TRUE(engine_set("hang", 0));
	EXPECT_EQ(0, fsync(self->stream));
	EXPECT_EQ(POLLOUT, poll_for(self->stream, POLLIN | POLLOUT, 0));
}

/* Catches: records without a limit, or one that is dropped. */
TEST_F_TIMEOUT(async, room_for_events, SLOW)
{
	unsigned int i, max = stream_info(self->stream).max_events;
	struct dmacpy_event event;

	for (i = 0; i < max; i++)
		ASSERT_EQ(0, start_with(self->stream, self->handle, 0, 1,
					DMACPY_SUBMIT_EVENT, i));
	EXPECT_EQ(-EAGAIN, start_with(self->stream, self->handle, 0, 1,
				      DMACPY_SUBMIT_EVENT, 0));
	for (i = 0; i < max; i++) {
		ASSERT_EQ(0, read_event(self->stream, &event));
		EXPECT_EQ(i, event.user_data);
	}
	EXPECT_EQ(0, start_with(self->stream, self->handle, 0, 1,
				DMACPY_SUBMIT_EVENT, 0));
}

/* Catches: a job that is cancelled, or lost, when its stream is closed. */
TEST_F(async, close_cancels_nothing)
{
	int fence;

	ASSERT_TRUE(engine_set("hang", 1));
	fence = start_fenced(self->stream, self->handle, 0, 1, 0);
	ASSERT_LE(0, fence);
	ASSERT_EQ(0, close(self->stream));
	EXPECT_EQ(0, fence_status(fence));
	ASSERT_TRUE(engine_set("hang", 0));
	EXPECT_EQ(POLLIN, poll_for(fence, POLLIN, 5000));
	EXPECT_EQ(1, fence_status(fence));
	EXPECT_TRUE(all_bytes_are(self->mem[0], 2, LENGTH));
}

/* Waits until the module has at most @wanted users. Returns their number. */
static unsigned int module_users(unsigned int wanted)
{
	unsigned int start = milliseconds(), users;

	do {
		users = get_number(MODULE_USERS);
		if (users <= wanted)
			break;
		usleep(1000);
	} while (milliseconds() - start < 5000);
	return users;
}

/* Catches: a fence that outlives the code of its driver. */
TEST_F(async, fence_keeps_module)
{
	int fence, i;

	if (access(MODULE_USERS, F_OK))
		SKIP(return, "the driver is no module here");
	fence = start_fenced(self->stream, self->handle, 0, 1, 0);
	ASSERT_LE(0, fence);
	EXPECT_EQ(POLLIN, poll_for(fence, POLLIN, 5000));
	close(self->stream);
	close(self->other);
	for (i = 0; i < 3; i++) {
		munmap(self->mem[i], LENGTH);
		close(self->fd[i]);
	}
	EXPECT_EQ(1, module_users(1));
	EXPECT_EQ(-1, syscall(SYS_delete_module, "dmacpy", O_NONBLOCK));
	EXPECT_EQ(EWOULDBLOCK, errno);
	EXPECT_EQ(1, fence_status(fence));
	close(fence);
	EXPECT_EQ(0, module_users(0));
}

/* Catches: a fence that outlives its device and never signals. */
TEST_F_TIMEOUT(async, unbind, SLOW)
{
	struct dmacpy_event event;
	int running, waiting;

	/* Slow, but the unbind finishes before the watchdog acts. */
	ASSERT_TRUE(engine_set("delay_us", 60 * SLOW_US));
	running = start_fenced(self->stream, self->handle, 0, 1,
			       DMACPY_SUBMIT_EVENT);
	ASSERT_LE(0, running);
	waiting = start_fenced(self->other, self->others, 2, 0, 0);
	ASSERT_LE(0, waiting);
	ASSERT_EQ(0, instance_unbind(&self->instance));
	EXPECT_NE(0, fence_status(running));
	EXPECT_EQ(-ENODEV, fence_status(waiting));
	EXPECT_EQ(POLLIN | POLLHUP | POLLERR,
		  poll_for(self->stream, POLLIN | POLLOUT, 0));
	EXPECT_EQ(0, read_event(self->stream, &event));
	EXPECT_EQ(-ENODEV, read_event(self->stream, &event));
	EXPECT_EQ(-ENODEV, start_with(self->other, self->others, 2, 0, 0, 0));
	ASSERT_TRUE(engine_behave());
	EXPECT_EQ(0, instance_bind(&self->instance));
}

/* Catches: jobs that an unbind fails, but that are reported as cancelled. */
TEST_F_TIMEOUT(async, unbind_ends_all_jobs, SLOW)
{
	int fence[MANY], i;

	ASSERT_TRUE(set_number(TIMEOUT, 2000));
	ASSERT_TRUE(engine_set("hang", 1));
	for (i = 0; i < MANY; i++) {
		fence[i] = start_fenced(self->stream, self->handle, 0, 1, 0);
		ASSERT_LE(0, fence[i]);
	}
	/*
	 * Unbind before the watchdog fails them: unbind waits for as long
	 * itself.
	 */
	ASSERT_EQ(0, instance_unbind(&self->instance));
	for (i = 0; i < MANY; i++) {
		EXPECT_EQ(-ENODEV, fence_status(fence[i]))
			TH_LOG("job %d", i);
	}
	ASSERT_TRUE(engine_behave());
	EXPECT_EQ(0, instance_bind_again(&self->instance));
}

TEST_HARNESS_MAIN
