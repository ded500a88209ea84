// SPDX-License-Identifier: GPL-2.0-only
/*
 * Jobs that are not waited for: what tells of their end, what they wait for,
 * and what becomes of those behind one that fails. On the fake engine, which
 * takes as long as it is told to, as QEMU's are done before SUBMIT returns.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sync_file.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "common.h"
#include "instance.h"

#define LENGTH		(4 * KIB)
#define MANY		16
#define PIECES		16
#define CROSSINGS	500
#define SLOW_US		(50 * 1000)	/* of a descriptor of the engine */
#define FAKE		"3fe00000.dmacpy-fake"
#define KNOBS		"/sys/kernel/debug/dmacpy_fake_dma/"
#define PARAMETERS	"/sys/module/dmacpy/parameters/"

static void write_number(const char *directory, const char *name,
			 unsigned int value)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s%s", directory, name);
	file = fopen(path, "w");
	if (!file || fprintf(file, "%u\n", value) < 0 || fclose(file))
		perror(path);
}

static void knob(const char *name, unsigned int value)
{
	write_number(KNOBS, name, value);
}

FIXTURE(async)
{
	struct instance instance;
	int stream, other;		/* on channels of their own */
	int fd[3], handle[3], others[3];	/* three buffers in both */
	uint8_t *mem[3];
};

/* Fills buffer i with i + 1. */
FIXTURE_SETUP(async)
{
	int i;

	self->instance = (struct instance){ .name = FAKE };
	ASSERT_EQ(0, instance_find_node(&self->instance));
	knob("delay_us", 0);
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
	knob("delay_us", 0);
	knob("hang", 0);
	knob("next_failed", 0);
	write_number(PARAMETERS, "dependency_timeout_ms", 10000);
}

/* A copy of buffer @src to @dst in pieces, in flight when this returns. */
static int start_pieces(int stream, const int *handle, int dst, int src,
			struct dmacpy_submit *args, unsigned int pieces)
{
	struct dmacpy_op ops[PIECES];
	unsigned int i;

	for (i = 0; i < pieces; i++)
		ops[i] = (struct dmacpy_op){
			.dst = handle[dst],
			.dst_offset = i * LENGTH / pieces,
			.src = handle[src],
			.src_offset = i * LENGTH / pieces,
			.length = LENGTH / pieces,
		};
	args->size = sizeof(*args);
	args->ops = (uintptr_t)ops;
	args->op_count = pieces;
	args->op_size = sizeof(*ops);
	return command(stream, DMACPY_SUBMIT, args);
}

static int start(int stream, const int *handle, int dst, int src,
		 uint32_t flags, struct dmacpy_submit *args)
{
	args->flags = flags;
	return start_pieces(stream, handle, dst, src, args, 1);
}

static int start_with(int stream, const int *handle, int dst, int src,
		      uint32_t flags, uint64_t user_data)
{
	struct dmacpy_submit args = { .user_data = user_data };

	return start(stream, handle, dst, src, flags, &args);
}

/* The file descriptor of the job's fence. */
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

static short poll_now(int fd, short events, int timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	poll(&pfd, 1, timeout_ms);
	return pfd.revents;
}

/* 1 if it has signalled, 0 if not, or the error it has signalled with. */
static int fence_status(int fd)
{
	struct sync_file_info info = { };

	return ioctl(fd, SYNC_IOC_FILE_INFO, &info) ? -errno : info.status;
}

static int read_event(int stream, struct dmacpy_event *event)
{
	ssize_t ret = read(stream, event, sizeof(*event));

	return ret == sizeof(*event) ? 0 : -errno;
}

/* Catches: an event before the data, a wrong one, or POLLIN without one. */
TEST_F(async, event)
{
	struct dmacpy_event event;

	knob("delay_us", SLOW_US);
	ASSERT_EQ(0, start_with(self->stream, self->handle, 0, 1,
				DMACPY_SUBMIT_EVENT, 0x1234567890abcdefULL));
	EXPECT_EQ(POLLOUT, poll_now(self->stream, POLLIN | POLLOUT, 0));
	EXPECT_EQ(POLLIN, poll_now(self->stream, POLLIN, 5000));
	EXPECT_TRUE(all_bytes_are(self->mem[0], 2, LENGTH));
	ASSERT_EQ(0, read_event(self->stream, &event));
	EXPECT_EQ(0x1234567890abcdefULL, event.user_data);
	EXPECT_EQ(0, event.result);
	EXPECT_EQ(LENGTH, event.length);
	EXPECT_LT(0, event.timestamp);
	EXPECT_EQ(POLLOUT, poll_now(self->stream, POLLIN | POLLOUT, 0));
}

/* Catches: a record that is cut, or lost to a bad pointer. */
TEST_F(async, read_arguments)
{
	void *hole = memory_map(LENGTH);
	struct dmacpy_event event;

	ASSERT_EQ(0, munmap(hole, LENGTH));
	ASSERT_EQ(0, fcntl(self->stream, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, read_event(self->stream, &event));
	ASSERT_EQ(0, start_with(self->stream, self->handle, 0, 1,
				DMACPY_SUBMIT_EVENT, 7));
	EXPECT_EQ(POLLIN, poll_now(self->stream, POLLIN, 5000));
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

	knob("delay_us", SLOW_US);
	fence = start_fenced(self->stream, self->handle, 0, 1, 0);
	ASSERT_LE(0, fence);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fence, F_GETFD));
	EXPECT_EQ(0, fence_status(fence));
	EXPECT_EQ(POLLIN, poll_now(fence, POLLIN, 5000));
	EXPECT_EQ(1, fence_status(fence));
	EXPECT_TRUE(all_bytes_are(self->mem[0], 2, LENGTH));
}

/* Catches: any file taken for a fence, or a fence that is ignored. */
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

/*
 * A copy 1 -> 0 in the one stream, that takes so long as many in the other,
 * where 0 -> 2 is copied at the same time. The last piece tells the order.
 */
static int copy_in_two_streams(struct _test_data_async *self, uint32_t flags,
			       bool in_fence)
{
	struct dmacpy_submit slow = {
		.flags = flags | DMACPY_SUBMIT_OUT_FENCE,
	};
	int ret;

	knob("delay_us", SLOW_US);
	ret = start_pieces(self->stream, self->handle, 0, 1, &slow, PIECES);
	if (ret)
		return ret;
	flags |= DMACPY_SUBMIT_WAIT;
	if (in_fence)
		ret = start_behind(self->other, self->others, 2, 0, flags,
				   slow.out_fence);
	else
		ret = start_with(self->other, self->others, 2, 0, flags, 0);
	poll_now(slow.out_fence, POLLIN, 10000);
	close(slow.out_fence);
	return ret ?: self->mem[2][LENGTH - 1];
}

/* Catches: nothing, but shows that the next two can fail. */
TEST_F(async, streams_have_no_order)
{
	EXPECT_EQ(1, copy_in_two_streams(self, DMACPY_SUBMIT_NO_IMPLICIT,
					 false));
}

/* Catches: a job that does not wait for who writes to its source. */
TEST_F(async, order_by_implicit_fence)
{
	EXPECT_EQ(2, copy_in_two_streams(self, 0, false));
}

/* Catches: a job that does not wait for its in-fence. */
TEST_F(async, order_by_in_fence)
{
	EXPECT_EQ(2, copy_in_two_streams(self, DMACPY_SUBMIT_NO_IMPLICIT,
					 true));
}

/* Catches: a CPU access, or a poll() of the dma-buf, that misses a job. */
TEST_F(async, dma_buf_waits)
{
	struct dma_buf_export_sync_file export = { .flags = DMA_BUF_SYNC_READ };

	knob("delay_us", SLOW_US);
	ASSERT_EQ(0, start_with(self->stream, self->handle, 0, 1, 0, 0));
	EXPECT_EQ(0, poll_now(self->fd[0], POLLIN, 0));
	EXPECT_EQ(0, poll_now(self->fd[1], POLLOUT, 0));
	EXPECT_EQ(POLLIN, poll_now(self->fd[1], POLLIN, 0));
	ASSERT_EQ(0, ioctl(self->fd[0], DMA_BUF_IOCTL_EXPORT_SYNC_FILE,
			   &export));
	EXPECT_EQ(0, fence_status(export.fd));
	EXPECT_EQ(0, dmabuf_sync(self->fd[0], DMA_BUF_SYNC_START |
				 DMA_BUF_SYNC_READ));
	EXPECT_TRUE(all_bytes_are(self->mem[0], 2, LENGTH));
	EXPECT_EQ(1, fence_status(export.fd));
}

/* Catches: jobs of one stream that pass each other. */
TEST_F(async, order_in_stream)
{
	struct dmacpy_event event;
	int i;

	knob("delay_us", SLOW_US / MANY);
	for (i = 0; i < MANY; i++)
		ASSERT_EQ(0, start_with(self->stream, self->handle, i % 2 * 2,
					1, DMACPY_SUBMIT_EVENT, i));
	for (i = 0; i < MANY; i++) {
		ASSERT_EQ(0, read_event(self->stream, &event));
		EXPECT_EQ(i, event.user_data);
		EXPECT_EQ(0, event.result);
	}
}

/* Catches: a failure that stops nobody, or for ever. */
TEST_F(async, failure_takes_the_stream_along)
{
	struct dmacpy_event event;
	int i;

	knob("delay_us", SLOW_US);
	knob("next_failed", 1);
	for (i = 0; i < MANY; i++)
		ASSERT_EQ(0, start_with(self->stream, self->handle, 0, 1,
					DMACPY_SUBMIT_EVENT, i));
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

/* Catches: a job that runs although what it depends on has failed. */
TEST_F(async, failed_in_fence)
{
	int fence;

	knob("delay_us", SLOW_US);
	knob("next_failed", 1);
	fence = start_fenced(self->stream, self->handle, 0, 1, 0);
	ASSERT_LE(0, fence);
	EXPECT_EQ(-ECANCELED, start_behind(self->other, self->others, 2, 0,
					   DMACPY_SUBMIT_WAIT, fence));
	EXPECT_EQ(-EIO, fence_status(fence));
	EXPECT_TRUE(all_bytes_are(self->mem[2], 3, LENGTH));
}

/* Catches: a wait without a bound, or one that holds the channel up. */
TEST_F(async, deadline_of_dependencies)
{
	int fence, stalled;

	write_number(PARAMETERS, "dependency_timeout_ms", 200);
	knob("hang", 1);
	fence = start_fenced(self->stream, self->handle, 0, 1, 0);
	ASSERT_LE(0, fence);
	EXPECT_EQ(-ETIMEDOUT, start_behind(self->other, self->others, 2, 0,
					   DMACPY_SUBMIT_WAIT, fence));
	EXPECT_TRUE(all_bytes_are(self->mem[2], 3, LENGTH));
	stalled = start_behind(self->other, self->others, 2, 0, 0, fence);
	EXPECT_EQ(0, stalled);
	knob("hang", 0);
	EXPECT_EQ(POLLIN, poll_now(fence, POLLIN, 5000));
	EXPECT_EQ(-1, fsync(self->other));
	EXPECT_EQ(ETIMEDOUT, errno);
}

struct crossing {
	pthread_t thread;
	int stream, dst, failed;
	const int *handle;
};

static void *copy_back_and_forth(void *arg)
{
	struct crossing *c = arg;
	int i;

	for (i = 0; i < CROSSINGS && !c->failed; i++, c->dst ^= 1)
		c->failed = start_with(c->stream, c->handle, c->dst,
				       !c->dst, 0, 0);
	return NULL;
}

/* Catches: two streams that wait for each other. */
TEST_F_TIMEOUT(async, crossing_dependencies, SLOW)
{
	struct crossing crossings[4];
	int i;

	for (i = 0; i < 4; i++) {
		crossings[i] = (struct crossing){
			.stream = i % 2 ? self->stream : self->other,
			.handle = i % 2 ? self->handle : self->others,
			.dst = i / 2,
		};
		ASSERT_EQ(0, pthread_create(&crossings[i].thread, NULL,
					    copy_back_and_forth,
					    &crossings[i]));
	}
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, pthread_join(crossings[i].thread, NULL));
		EXPECT_EQ(0, crossings[i].failed);
	}
	EXPECT_EQ(0, fsync(self->stream));
	EXPECT_EQ(0, fsync(self->other));
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

	knob("hang", 1);
	for (i = 0; i < max; i++)
		ASSERT_EQ(0, start_with(self->stream, self->handle, 0, 1, 0,
					0));
	EXPECT_EQ(0, poll_now(self->stream, POLLOUT, 0));
	ASSERT_EQ(0, fcntl(self->stream, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, start_with(self->stream, self->handle, 0, 1, 0, 0));
	ASSERT_EQ(0, fcntl(self->stream, F_SETFL, 0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, submit_one, self));
	usleep(SLOW_US);
	knob("hang", 0);
	ASSERT_EQ(0, pthread_join(thread, &ret));
	EXPECT_EQ(NULL, ret);
	EXPECT_EQ(POLLOUT, poll_now(self->stream, POLLOUT, 5000));
	EXPECT_EQ(0, fsync(self->stream));
}

/* Catches: records without a limit, or one that is dropped. */
TEST_F(async, room_for_events)
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

/* Catches: a job that ends with its stream, or takes it along. */
TEST_F(async, close_cancels_nothing)
{
	int fence;

	knob("delay_us", SLOW_US);
	fence = start_fenced(self->stream, self->handle, 0, 1, 0);
	ASSERT_LE(0, fence);
	ASSERT_EQ(0, close(self->stream));
	EXPECT_EQ(0, fence_status(fence));
	EXPECT_EQ(POLLIN, poll_now(fence, POLLIN, 5000));
	EXPECT_EQ(1, fence_status(fence));
	EXPECT_TRUE(all_bytes_are(self->mem[0], 2, LENGTH));
}

/* Catches: a fence that outlives its device and never signals. */
TEST_F_TIMEOUT(async, unbind, SLOW)
{
	struct dmacpy_event event;
	int running, waiting;

	knob("delay_us", SLOW_US);
	running = start_fenced(self->stream, self->handle, 0, 1,
			       DMACPY_SUBMIT_EVENT);
	ASSERT_LE(0, running);
	waiting = start_fenced(self->other, self->others, 2, 0, 0);
	ASSERT_LE(0, waiting);
	ASSERT_EQ(0, instance_unbind(&self->instance));
	EXPECT_NE(0, fence_status(running));
	EXPECT_EQ(-ENODEV, fence_status(waiting));
	EXPECT_EQ(POLLIN | POLLHUP | POLLERR,
		  poll_now(self->stream, POLLIN | POLLOUT, 0));
	EXPECT_EQ(0, read_event(self->stream, &event));
	EXPECT_EQ(-ENODEV, read_event(self->stream, &event));
	EXPECT_EQ(-ENODEV, start_with(self->other, self->others, 2, 0, 0, 0));
	EXPECT_EQ(0, instance_bind(&self->instance));
}

TEST_HARNESS_MAIN
