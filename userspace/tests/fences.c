// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fences of other drivers that signal late, or never: those of the kernel's
 * sw_sync, which the test signals. On the fake engine, all of whose channels
 * are known.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

#include <linux/sync_file.h>

#include "kselftest_harness.h"
#include "common.h"
#include "engine.h"

#define LENGTH		(4 * KIB)
#define BOUND_MS	5000	/* allows for a busy host */
#define MANY		32

/* A stream with a buffer of SRAM that it can fill */
struct user {
	int stream, fd, handle;
	uint8_t *mem;
};

FIXTURE(fences)
{
	struct instance instance;
	struct user user, other;	/* share a channel */
	int timeline;
};

static int user_open(struct user *user, const struct instance *instance)
{
	user->stream = stream_open(instance->node);
	user->fd = sram_alloc(user->stream, LENGTH);
	user->handle = dmabuf_import(user->stream, user->fd, ACCESS_BOTH);
	user->mem = dmabuf_map(user->fd, LENGTH);
	return user->mem ? user->handle : -ENOMEM;
}

/* Opens a stream per other channel, so that the next one is on the first's. */
static int fill_other_channels(const struct user *first,
			       const struct instance *instance)
{
	unsigned int i, channels = stream_info(first->stream).channels;
	int stream = 0;

	for (i = 1; i < channels && stream >= 0; i++)
		stream = stream_open(instance->node);
	return stream;
}

FIXTURE_SETUP(fences)
{
	self->timeline = timeline_create();
	if (self->timeline < 0)
		SKIP(return, "this kernel has no sw_sync");
	ASSERT_EQ(0, engine_find(&self->instance));
	ASSERT_TRUE(engine_reset());
	ASSERT_LT(0, user_open(&self->user, &self->instance));
	ASSERT_LE(0, fill_other_channels(&self->user, &self->instance));
	ASSERT_LT(0, user_open(&self->other, &self->instance));
}

FIXTURE_TEARDOWN_PARENT(fences)
{
	EXPECT_TRUE(engine_reset());
	EXPECT_EQ(0, sram_leaked());
}

/* Returns a new file descriptor; those of the parts stay open. */
static int fence_merge(int first, int second)
{
	struct sync_merge_data data = { .fd2 = second };
	int ret = command(first, SYNC_IOC_MERGE, &data);

	return ret ?: data.fence;
}

/* Starts a fill with a byte. Returns the file descriptor of the job's fence. */
static int start(const struct user *user, uint8_t byte, int in_fence)
{
	struct dmacpy_submit args = {
		.flags = DMACPY_SUBMIT_OUT_FENCE |
			 (in_fence ? DMACPY_SUBMIT_IN_FENCE : 0),
		.in_fence = in_fence,
	};
	const struct dmacpy_op op = {
		.opcode = DMACPY_OP_FILL,
		.dst = user->handle,
		.length = LENGTH,
		.pattern = byte * 0x01010101U,
	};
	int ret = submit_with(user->stream, &op, 1, &args);

	return ret ?: args.out_fence;
}

/* Returns the result of the fence once it has signalled; 0 if it does not. */
static int outcome(int fence)
{
	poll_for(fence, POLLIN, BOUND_MS);
	return fence_status(fence);
}

/* Catches: a job that starts before its fence has signalled, or not after. */
TEST_F(fences, signalled_later)
{
	int fence, job;

	fence = timeline_fence(self->timeline, 1);
	job = start(&self->user, 0x11, fence);
	ASSERT_LE(0, job);
	usleep(SLOW_US);
	EXPECT_EQ(0, fence_status(job));
	EXPECT_TRUE(all_bytes_are(self->user.mem, 0, LENGTH));
	ASSERT_EQ(0, timeline_advance(self->timeline));
	EXPECT_EQ(1, outcome(job));
	EXPECT_TRUE(all_bytes_are(self->user.mem, 0x11, LENGTH));
}

/* Catches: a job that waits in the channel, and blocks others. */
TEST_F(fences, stalled_holds_up_no_other_stream)
{
	int job, i;

	job = start(&self->user, 0x11, timeline_fence(self->timeline, 1));
	ASSERT_LE(0, job);
	for (i = 1; i <= MANY; i++) {
		EXPECT_EQ(1, outcome(start(&self->other, i, 0)));
		EXPECT_TRUE(all_bytes_are(self->other.mem, i, LENGTH));
	}
	EXPECT_EQ(0, fence_status(job));
	ASSERT_EQ(0, timeline_advance(self->timeline));
	EXPECT_EQ(1, outcome(job));
}

/* Catches: jobs that pass a stalled one in their own stream. */
TEST_F(fences, stalled_holds_up_its_stream)
{
	int job[MANY], i;

	job[0] = start(&self->user, 0, timeline_fence(self->timeline, 1));
	for (i = 1; i < MANY; i++)
		job[i] = start(&self->user, i, 0);
	usleep(SLOW_US);
	for (i = 0; i < MANY; i++)
		EXPECT_EQ(0, fence_status(job[i]));
	ASSERT_EQ(0, timeline_advance(self->timeline));
	for (i = 0; i < MANY; i++)
		EXPECT_EQ(1, outcome(job[i]));
	EXPECT_TRUE(all_bytes_are(self->user.mem, MANY - 1, LENGTH));
}

/* Catches: a close that waits for jobs, or cancels them. */
TEST_F(fences, stalled_does_not_hold_up_close)
{
	unsigned int start_ms = milliseconds();
	int job;

	job = start(&self->user, 0x11, timeline_fence(self->timeline, 1));
	ASSERT_LE(0, job);
	EXPECT_EQ(0, close(self->user.stream));
	EXPECT_GE(BOUND_MS, milliseconds() - start_ms);
	EXPECT_EQ(0, fence_status(job));
	ASSERT_EQ(0, timeline_advance(self->timeline));
	EXPECT_EQ(1, outcome(job));
	EXPECT_TRUE(all_bytes_are(self->user.mem, 0x11, LENGTH));
}

/* Runs in a child: jobs that no task waits for, and one that it waits for. */
static void wait_in_child(struct _test_data_fences *self, int started)
{
	struct user mine;

	user_open(&mine, &self->instance);
	mine.handle = dmabuf_import(mine.stream, self->user.fd, ACCESS_BOTH);
	start(&mine, 0x11, timeline_fence(self->timeline, 1));
	if (write(started, "", 1) == 1)
		fsync(mine.stream);
	_exit(1);
}

/* Catches: a process that cannot be killed; a job that is lost with it. */
TEST_F(fences, stalled_does_not_hold_up_exit)
{
	unsigned int start_ms;
	int started[2], status;
	pid_t pid;
	char byte;

	ASSERT_EQ(0, pipe(started));
	pid = fork();
	if (!pid)
		wait_in_child(self, started[1]);
	ASSERT_EQ(1, read(started[0], &byte, 1));
	usleep(SLOW_US);
	start_ms = milliseconds();
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_GE(BOUND_MS, milliseconds() - start_ms);
	EXPECT_TRUE(all_bytes_are(self->user.mem, 0, LENGTH));
	ASSERT_EQ(0, timeline_advance(self->timeline));
	EXPECT_EQ(0, dmabuf_sync(self->user.fd, DMA_BUF_SYNC_START |
				 DMA_BUF_SYNC_READ));
	EXPECT_TRUE(all_bytes_are(self->user.mem, 0x11, LENGTH));
}

/* Catches: an unbind that waits for fences of others; a use after free. */
TEST_F_TIMEOUT(fences, stalled_does_not_hold_up_unbind, SLOW)
{
	unsigned int start_ms;
	int job[MANY], i;

	for (i = 0; i < MANY; i++) {
		job[i] = start(i % 2 ? &self->user : &self->other, i,
			       timeline_fence(self->timeline, 1 + i % 3));
		ASSERT_LE(0, job[i]);
	}
	start_ms = milliseconds();
	ASSERT_EQ(0, instance_unbind(&self->instance));
	EXPECT_GE(BOUND_MS, milliseconds() - start_ms);
	for (i = 0; i < MANY; i++)
		EXPECT_EQ(-ENODEV, fence_status(job[i]));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, timeline_advance(self->timeline));
	EXPECT_EQ(0, instance_bind(&self->instance));
}

/* Catches: a job that runs although its dependency has failed. */
TEST_F(fences, error)
{
	int job, next;

	job = start(&self->user, 0x11, timeline_fence(self->timeline, 1));
	next = start(&self->user, 0x22, 0);
	ASSERT_LE(0, next);
	/* The close signals its fences with an error. */
	ASSERT_EQ(0, close(self->timeline));
	EXPECT_EQ(-ECANCELED, outcome(job));
	EXPECT_EQ(-ECANCELED, outcome(next));
	EXPECT_TRUE(all_bytes_are(self->user.mem, 0, LENGTH));
	EXPECT_EQ(1, outcome(start(&self->user, 0x33, 0)));
}

/* Catches: a merged fence of which not all parts are waited for. */
TEST_F(fences, merged)
{
	int second = timeline_create(), fence, job;

	fence = fence_merge(timeline_fence(self->timeline, 1),
			    timeline_fence(second, 1));
	ASSERT_LE(0, fence);
	job = start(&self->user, 0x11, fence);
	ASSERT_LE(0, job);
	ASSERT_EQ(0, timeline_advance(self->timeline));
	usleep(SLOW_US);
	EXPECT_EQ(0, fence_status(job));
	ASSERT_EQ(0, timeline_advance(second));
	EXPECT_EQ(1, outcome(job));
}

/* Catches: an error in the first or last of several that is overlooked. */
TEST_F(fences, merged_error)
{
	int second, fence, job, i;

	for (i = 0; i < 2; i++) {
		second = timeline_create();
		fence = fence_merge(timeline_fence(self->timeline, i + 1),
				    timeline_fence(second, 1));
		if (i)
			ASSERT_EQ(0, timeline_advance(self->timeline));
		job = start(&self->user, 0x11, fence);
		ASSERT_LE(0, job);
		ASSERT_EQ(0, close(second));
		ASSERT_EQ(0, timeline_advance(self->timeline));
		EXPECT_EQ(-ECANCELED, outcome(job));
	}
	EXPECT_TRUE(all_bytes_are(self->user.mem, 0, LENGTH));
}

/* Catches: an unbounded wait; a job that runs after its deadline. */
TEST_F(fences, never)
{
	unsigned int start_ms = milliseconds();
	int job, next;

	ASSERT_TRUE(set_number(DEPENDENCY_TIMEOUT, 1000));
	job = start(&self->user, 0x11, timeline_fence(self->timeline, 1));
	next = start(&self->user, 0x22, 0);
	ASSERT_LE(0, next);
	EXPECT_EQ(-ETIMEDOUT, outcome(job));
	/* The kernel counts in ticks, some of which are late. */
	EXPECT_LE(900, milliseconds() - start_ms);
	EXPECT_EQ(-ECANCELED, outcome(next));
	ASSERT_EQ(0, timeline_advance(self->timeline));
	usleep(SLOW_US);
	EXPECT_TRUE(all_bytes_are(self->user.mem, 0, LENGTH));
	EXPECT_EQ(1, outcome(start(&self->user, 0x33, 0)));
}

/* Simulates another user of a buffer, which writes to it, or reads from it. */
static int dmabuf_add_fence(int dmabuf, int fence, uint32_t flags)
{
	struct dma_buf_import_sync_file import = {
		.flags = flags,
		.fd = fence,
	};

	return command(dmabuf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &import);
}

/* Returns a merged fence of all users that a writer or reader waits for. */
static int dmabuf_fence(int dmabuf, uint32_t flags)
{
	struct dma_buf_export_sync_file export = { .flags = flags };
	int ret = command(dmabuf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &export);

	return ret ?: export.fd;
}

/* Catches: a fence added to one of our buffers that is overlooked. */
TEST_F(fences, imported)
{
	int fence, job, next, i;
	const uint32_t flags[] = { DMA_BUF_SYNC_READ, DMA_BUF_SYNC_WRITE };

	for (i = 0; i < 2; i++) {
		fence = timeline_fence(self->timeline, i + 1);
		ASSERT_EQ(0, dmabuf_add_fence(self->user.fd, fence, flags[i]));
		job = start(&self->user, 0x11 + i, 0);
		ASSERT_LE(0, job);
		next = dmabuf_fence(self->user.fd, DMA_BUF_SYNC_WRITE);
		ASSERT_LE(0, next);
		usleep(SLOW_US);
		EXPECT_EQ(0, fence_status(job));
		EXPECT_EQ(0, fence_status(next));
		ASSERT_EQ(0, timeline_advance(self->timeline));
		EXPECT_EQ(1, outcome(job));
		EXPECT_EQ(1, outcome(next));
		EXPECT_TRUE(all_bytes_are(self->user.mem, 0x11 + i, LENGTH));
	}
}

/* Catches: copies from a buffer that wait for a reader of it. */
TEST_F(fences, imported_of_reader)
{
	uint8_t *mem = memory_map(LENGTH);
	int handle = memory_register(self->user.stream, mem, LENGTH,
				     DMACPY_ACCESS_WRITE);

	ASSERT_LT(0, handle);
	memset(self->user.mem, 0x44, LENGTH);
	ASSERT_EQ(0, dmabuf_add_fence(self->user.fd,
				      timeline_fence(self->timeline, 1),
				      DMA_BUF_SYNC_READ));
	EXPECT_EQ(0, copy(self->user.stream, handle, self->user.handle,
			  LENGTH));
	EXPECT_TRUE(all_bytes_are(mem, 0x44, LENGTH));
	EXPECT_EQ(0, fence_status(dmabuf_fence(self->user.fd,
					       DMA_BUF_SYNC_WRITE)));
	ASSERT_EQ(0, timeline_advance(self->timeline));
}

/* A thread that signals the next fence repeatedly. */
static void *advance_thread(void *timeline)
{
	while (!timeline_advance(*(int *)timeline))
		usleep(200);
	return NULL;
}

/* Catches: a wait for a fence that signals while it is checked. */
TEST_F_TIMEOUT(fences, signalled_while_checked, SLOW)
{
	struct user *user;
	pthread_t thread;
	int i, fence, job;

	ASSERT_EQ(0, pthread_create(&thread, NULL, advance_thread,
				    &self->timeline));
	for (i = 1; i <= 2000; i++) {
		user = i % 2 ? &self->user : &self->other;
		fence = timeline_fence(self->timeline, i);
		job = start(user, i, fence);
		ASSERT_LE(0, job);
		if (i % 8 == 0)
			EXPECT_EQ(1, outcome(job));
		close(job);
		close(fence);
	}
	EXPECT_EQ(0, fsync(self->user.stream));
	EXPECT_EQ(0, fsync(self->other.stream));
	EXPECT_TRUE(all_bytes_are(self->other.mem, 2000 & 0xff, LENGTH));
}

TEST_HARNESS_MAIN
