// SPDX-License-Identifier: GPL-2.0-only
/*
 * Short copies that libdmacpy makes by the CPU: their selection, and that their
 * results are those of the engine. On the fake engine, whose speed the tests
 * set; each copy by the engine is a job.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <dmacpy.h>

#include "kselftest_harness.h"
#include "common.h"
#include "engine.h"

#define LENGTH		(8 * KIB)
#define ALWAYS		UINT64_MAX
#define KINDS		(DMACPY_MEMORY_SRAM + 1)
/* A buffer of which the engine makes all copies: imported SRAM */
#define IMPORTED	KINDS
#define BUFFERS		(KINDS + 1)
/* Sufficient time for all copies of a slow engine */
#define TUNE_MS		10000

FIXTURE(cpu)
{
	struct instance instance;
	struct dmacpy_device *device;
	struct dmacpy_stream *stream, *other;
	/* By kind, and the one that is imported */
	struct dmacpy_buffer *buffer[BUFFERS];
	uint8_t *mem[BUFFERS];
	uint64_t align;
};

static struct dmacpy_buffer *sram_import(struct dmacpy_stream *stream,
					 uint32_t fd_flags, uint32_t access)
{
	struct dmacpy_buffer *buffer = NULL;
	int fd;

	fd = sram_alloc_flags(dmacpy_stream_fd(stream), LENGTH, fd_flags);
	if (fd < 0 || dmacpy_buffer_import(stream, fd, access, &buffer))
		return NULL;
	close(fd);
	return buffer;
}

FIXTURE_SETUP(cpu)
{
	struct dmacpy_get_info info;
	void *mem;
	int i;

	random_start();
	ASSERT_EQ(0, engine_find(&self->instance));
	ASSERT_TRUE(engine_reset());
	ASSERT_EQ(0, dmacpy_device_open(self->instance.node, &self->device));
	ASSERT_EQ(0, dmacpy_device_info(self->device, &info, sizeof(info)));
	self->align = info.copy_align;
	ASSERT_EQ(0, dmacpy_stream_open(self->device, &self->stream));
	ASSERT_EQ(0, dmacpy_stream_open(self->device, &self->other));
	mem = memory_map(LENGTH);
	ASSERT_NE(NULL, mem);
	ASSERT_EQ(0, dmacpy_buffer_register(self->stream, mem, LENGTH,
					    ACCESS_BOTH, &self->buffer[0]));
	ASSERT_EQ(0, dmacpy_buffer_alloc(self->stream, LENGTH,
					 &self->buffer[1]));
	self->buffer[IMPORTED] = sram_import(self->stream, O_RDWR, ACCESS_BOTH);
	ASSERT_NE(NULL, self->buffer[IMPORTED]);
	for (i = 0; i < BUFFERS; i++) {
		ASSERT_EQ(0, dmacpy_buffer_map(self->buffer[i], &mem));
		self->mem[i] = mem;
		memset(mem, i + 1, LENGTH);
	}
}

FIXTURE_TEARDOWN_PARENT(cpu)
{
	EXPECT_TRUE(engine_reset());
	EXPECT_EQ(0, sram_leaked());
}

static void set_below(struct dmacpy_stream *stream, uint64_t length)
{
	int dst, src;

	for (dst = 0; dst < KINDS; dst++)
		for (src = 0; src < KINDS; src++)
			dmacpy_stream_set_cpu_below(stream, dst, src, length);
}

/* Returns the number of completed jobs of a stream; none may have failed. */
static uint64_t jobs_of(struct dmacpy_stream *stream)
{
	uint64_t ended = UINT64_MAX;
	char line[128];
	FILE *file;

	/* The waiter may return just before the driver counts the job. */
	if (dmacpy_stream_flush(stream))
		return ended;
	snprintf(line, sizeof(line), "/proc/self/fdinfo/%d",
		 dmacpy_stream_fd(stream));
	file = fopen(line, "r");
	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "dmacpy-ended: %" SCNu64, &ended);
	if (file)
		fclose(file);
	return ended;
}

/* Returns true if there is one more job than at the last call. */
static bool made_by_engine(struct dmacpy_stream *stream, uint64_t *jobs)
{
	uint64_t before = *jobs;

	*jobs = jobs_of(stream);
	return *jobs != before;
}

/* Catches: copies by the CPU for other kinds or lengths, or none at all. */
TEST_F(cpu, below_what_is_set)
{
	struct dmacpy_buffer **buffer = self->buffer;
	struct dmacpy_stream *stream = self->stream;
	uint64_t jobs = jobs_of(stream), below = 1024 + self->align;

	ASSERT_NE(UINT64_MAX, jobs);
	EXPECT_EQ(-EINVAL, dmacpy_stream_set_cpu_below(stream, KINDS, 0, 1));
	EXPECT_EQ(-EINVAL, dmacpy_stream_set_cpu_below(stream, 0, KINDS, 1));
	EXPECT_EQ(0, dmacpy_stream_copy(stream, buffer[1], 0, buffer[0], 0,
					1024));
	EXPECT_TRUE(made_by_engine(stream, &jobs));

	EXPECT_EQ(0, dmacpy_stream_set_cpu_below(stream, DMACPY_MEMORY_SRAM,
						 DMACPY_MEMORY_USER, below));
	EXPECT_EQ(0, dmacpy_stream_copy(stream, buffer[1], 0, buffer[0], 0,
					1024));
	EXPECT_FALSE(made_by_engine(stream, &jobs));
	EXPECT_EQ(0, dmacpy_stream_copy(stream, buffer[1], 0, buffer[0], 0,
					below));
	EXPECT_TRUE(made_by_engine(stream, &jobs));
	/* The other direction, and a dma-buf. */
	EXPECT_EQ(0, dmacpy_stream_copy(stream, buffer[0], 0, buffer[1], 0,
					1024));
	EXPECT_TRUE(made_by_engine(stream, &jobs));
	EXPECT_EQ(0, dmacpy_stream_copy(stream, buffer[IMPORTED], 0, buffer[0],
					0, 1024));
	EXPECT_TRUE(made_by_engine(stream, &jobs));

	dmacpy_stream_set_cpu_below(stream, DMACPY_MEMORY_SRAM,
				    DMACPY_MEMORY_USER, 0);
	EXPECT_EQ(0, dmacpy_stream_copy(stream, buffer[1], 0, buffer[0], 0,
					1024));
	EXPECT_TRUE(made_by_engine(stream, &jobs));
}

/*
 * Catches: wrong source bytes, or writes outside of the destination; a copy of
 * a dma-buf by the CPU.
 */
TEST_F(cpu, copies)
{
	bool imported;
	uint64_t jobs = jobs_of(self->stream), at, length;
	int dst, src, i;

	set_below(self->stream, ALWAYS);
	for (i = 0; i < 20 * BUFFERS * BUFFERS; i++) {
		dst = i % BUFFERS;
		src = i / BUFFERS % BUFFERS;
		imported = dst == IMPORTED || src == IMPORTED;
		at = random_below(LENGTH / 4) & -self->align;
		length = (random_below(LENGTH / 4) & -self->align) +
			 self->align;
		memset(self->mem[dst], 0x5a, LENGTH);
		random_fill(self->mem[src] + LENGTH / 2, LENGTH / 2);
		ASSERT_EQ(0, dmacpy_stream_copy(self->stream, self->buffer[dst],
						at, self->buffer[src],
						LENGTH / 2 + at, length));
		ASSERT_TRUE(all_bytes_are(self->mem[dst], 0x5a, at));
		ASSERT_EQ(0, memcmp(self->mem[dst] + at,
				    self->mem[src] + LENGTH / 2 + at, length));
		ASSERT_TRUE(all_bytes_are(self->mem[dst] + at + length, 0x5a,
					  LENGTH / 2 - at - length));
		ASSERT_EQ(imported, made_by_engine(self->stream, &jobs));
	}
	/* The library maps a buffer again that the program has unmapped. */
	dmacpy_buffer_unmap(self->buffer[1]);
	EXPECT_EQ(0, dmacpy_stream_copy(self->stream, self->buffer[1], 0,
					self->buffer[0], 0, LENGTH));
	EXPECT_FALSE(made_by_engine(self->stream, &jobs));
}

/* Starts a copy of all of @src to @dst, and does not wait for it. */
static int start(struct dmacpy_stream *stream, struct dmacpy_buffer *dst,
		 struct dmacpy_buffer *src, uint32_t flags)
{
	struct dmacpy_submit submit = {
		.size = sizeof(submit),
		.flags = flags,
	};
	struct dmacpy_job *job;
	int ret;

	ret = dmacpy_job_new(stream, &job) ?:
	      dmacpy_job_add_copy(job, dst, 0, src, 0, LENGTH) ?:
	      dmacpy_job_submit(job, &submit);
	dmacpy_job_free(job);
	return ret;
}

/* Starts it by SUBMIT, by RUN of one job, or by RUN of an array. */
static int start_any(struct dmacpy_stream *stream, struct dmacpy_buffer *dst,
		     struct dmacpy_buffer *src,
		     struct dmacpy_prepared *prepared, int way)
{
	struct dmacpy_run_job run = {
		.handle = dmacpy_prepared_handle(prepared),
	};
	struct dmacpy_run how = {
		.size = sizeof(how),
		.flags = DMACPY_SUBMIT_NO_IMPLICIT,
	};

	if (way == 0)
		return start(stream, dst, src, how.flags);
	if (way == 1)
		return dmacpy_prepared_submit(prepared, 0, &how);
	return dmacpy_stream_run(stream, &run, 1, how.flags) - 1;
}

/* Catches: a copy that overtakes a job; a CPU that is never used after one. */
TEST_F(cpu, after_jobs)
{
	uint64_t jobs = jobs_of(self->stream);
	struct dmacpy_prepared *prepared;
	struct dmacpy_buffer *sram;
	struct dmacpy_job *job;
	void *mem;
	int i;

	set_below(self->stream, ALWAYS);
	ASSERT_EQ(0, dmacpy_buffer_alloc(self->stream, LENGTH, &sram));
	ASSERT_EQ(0, dmacpy_buffer_map(sram, &mem));
	ASSERT_EQ(0, dmacpy_job_new(self->stream, &job));
	ASSERT_EQ(0, dmacpy_job_add_copy(job, self->buffer[0], 0,
					 self->buffer[1], 0, LENGTH));
	ASSERT_EQ(0, dmacpy_job_prepare(job, &prepared));
	ASSERT_TRUE(engine_set("delay_us", SLOW_US));
	for (i = 0; i < 3; i++) {
		memset(self->mem[1], 0x10 + i, LENGTH);
		ASSERT_EQ(0, start_any(self->stream, self->buffer[0],
				       self->buffer[1], prepared, i));
		ASSERT_EQ(0, dmacpy_stream_copy(self->stream, sram, 0,
						self->buffer[0], 0, LENGTH));
		EXPECT_TRUE(all_bytes_are(mem, 0x10 + i, LENGTH));
		EXPECT_TRUE(made_by_engine(self->stream, &jobs));
		ASSERT_EQ(0, dmacpy_stream_copy(self->stream, sram, 0,
						self->buffer[0], 0, LENGTH));
		EXPECT_FALSE(made_by_engine(self->stream, &jobs));
	}
	dmacpy_buffer_free(sram);
}

/* Catches: a copy that succeeds although an earlier job cancels it. */
TEST_F(cpu, after_a_failure)
{
	set_below(self->stream, ALWAYS);
	ASSERT_TRUE(engine_set("delay_us", 4 * SLOW_US));
	ASSERT_TRUE(engine_set("next_failed", 1));
	ASSERT_EQ(0, start(self->stream, self->buffer[0], self->buffer[1],
			   DMACPY_SUBMIT_NO_IMPLICIT));
	EXPECT_EQ(-ECANCELED, dmacpy_stream_copy(self->stream, self->buffer[1],
						 0, self->buffer[0], 0, 1024));
	EXPECT_EQ(0, dmacpy_stream_copy(self->stream, self->buffer[1], 0,
					self->buffer[0], 0, 1024));
	EXPECT_EQ(-EIO, dmacpy_stream_flush(self->stream));
}

/* Catches: a copy by the CPU while a failed job may still be in flight. */
TEST_F(cpu, after_a_failed_wait)
{
	uint64_t jobs;

	set_below(self->stream, ALWAYS);
	ASSERT_TRUE(engine_set("next_failed", 1));
	ASSERT_EQ(-EIO, start(self->stream, self->buffer[0], self->buffer[1],
			      DMACPY_SUBMIT_WAIT));
	dmacpy_stream_flush(self->stream);
	jobs = jobs_of(self->stream);
	ASSERT_NE(UINT64_MAX, jobs);
	EXPECT_EQ(0, dmacpy_stream_copy(self->stream, self->buffer[1], 0,
					self->buffer[0], 0, 1024));
	EXPECT_TRUE(made_by_engine(self->stream, &jobs));
	EXPECT_EQ(0, dmacpy_stream_copy(self->stream, self->buffer[1], 0,
					self->buffer[0], 0, 1024));
	EXPECT_FALSE(made_by_engine(self->stream, &jobs));
}

/* Catches: a copy from or to a buffer that another stream still uses. */
TEST_F(cpu, others_use_the_buffer)
{
	struct dmacpy_buffer *shared, *mine;

	set_below(self->stream, ALWAYS);
	ASSERT_EQ(0, dmacpy_buffer_import(self->other,
					  dmacpy_buffer_fd(self->buffer[1]),
					  ACCESS_BOTH, &shared));
	mine = sram_import(self->other, O_RDWR, ACCESS_BOTH);
	ASSERT_NE(NULL, mine);
	ASSERT_TRUE(engine_set("delay_us", SLOW_US));
	/* The other stream writes zeros, as new SRAM is cleared. */
	ASSERT_EQ(0, start(self->other, shared, mine, 0));
	EXPECT_EQ(0, dmacpy_stream_copy(self->stream, self->buffer[0], 0,
					self->buffer[1], 0, LENGTH));
	EXPECT_TRUE(all_bytes_are(self->mem[0], 0, LENGTH));

	ASSERT_EQ(0, start(self->other, mine, shared, 0));
	memset(self->mem[0], 0x77, LENGTH);
	EXPECT_EQ(0, dmacpy_stream_copy(self->stream, self->buffer[1], 0,
					self->buffer[0], 0, LENGTH));
	EXPECT_EQ(0, dmacpy_stream_flush(self->other));
	EXPECT_EQ(0, dmacpy_stream_copy(self->stream, self->buffer[0], 0,
					self->buffer[1], 0, LENGTH));
	EXPECT_TRUE(all_bytes_are(self->mem[0], 0x77, LENGTH));
	dmacpy_buffer_free(shared);
	dmacpy_buffer_free(mine);
}

/* Catches: an error of the engine that the CPU does not return. */
TEST_F(cpu, refuses_the_same)
{
	struct dmacpy_buffer *user = self->buffer[0], *sram = self->buffer[1];
	struct dmacpy_buffer *again, *r, *w;
	int fd = dmacpy_buffer_fd(sram), i;

	ASSERT_EQ(0, dmacpy_buffer_import(self->stream, fd, ACCESS_BOTH,
					  &again));
	ASSERT_EQ(0, dmacpy_buffer_import(self->stream, fd, DMACPY_ACCESS_READ,
					  &r));
	ASSERT_EQ(0, dmacpy_buffer_import(self->stream, fd, DMACPY_ACCESS_WRITE,
					  &w));
	const struct {
		struct dmacpy_buffer *dst, *src;
		uint64_t dst_offset, src_offset, length;
		int ret;
	} copies[] = {
		{ sram, user, 64, 0, LENGTH, -EINVAL },
		{ sram, user, 0, 64, LENGTH, -EINVAL },
		{ sram, user, 0, -64ULL, 128, -EINVAL },
		{ sram, sram, 0, 64, 128, -EINVAL },
		{ sram, sram, 0, 64, 64, 0 },
		/* Another handle of the same SRAM */
		{ again, sram, 0, 64, 128, -EINVAL },
		{ sram, again, 64, 0, 128, -EINVAL },
		{ w, r, 0, 64, 128, -EINVAL },
		{ w, r, 0, 64, 64, 0 },
		{ r, user, 0, 0, 64, -EACCES },
		{ user, w, 0, 0, 64, -EACCES },
		{ user, user, 0, 0, 64, -EINVAL },
		{ user, user, 0, 64, 64, 0 },
		{ sram, user, 0, 0, 0, 0 },
	};

	for (i = 0; i < 2 * (int)ARRAY_SIZE(copies); i++) {
		set_below(self->stream, i % 2 ? ALWAYS : 0);
		EXPECT_EQ(copies[i / 2].ret,
			  dmacpy_stream_copy(self->stream, copies[i / 2].dst,
					     copies[i / 2].dst_offset,
					     copies[i / 2].src,
					     copies[i / 2].src_offset,
					     copies[i / 2].length))
			TH_LOG("copy %d, by %s", i / 2,
			       i % 2 ? "the CPU" : "the engine");
	}
	set_below(self->other, ALWAYS);
	EXPECT_EQ(-EINVAL, dmacpy_stream_copy(self->other, sram, 0, user, 0,
					      64));
}

/* Catches: the same for ranges that the engine needs aligned. */
TEST_F(cpu, refuses_bytes)
{
	int ret, i;

	if (self->align == 1)
		SKIP(return, "this engine copies single bytes");
	for (i = 0; i < 2; i++) {
		set_below(self->stream, i ? ALWAYS : 0);
		ret = dmacpy_stream_copy(self->stream, self->buffer[1], 1,
					 self->buffer[0], 0, self->align);
		EXPECT_EQ(-EINVAL, ret);
		ret = dmacpy_stream_copy(self->stream, self->buffer[1], 0,
					 self->buffer[0], 1, self->align);
		EXPECT_EQ(-EINVAL, ret);
		ret = dmacpy_stream_copy(self->stream, self->buffer[1], 0,
					 self->buffer[0], 0, 1);
		EXPECT_EQ(-EINVAL, ret);
	}
}

/* Catches: a CPU copy of memory that it cannot map, or must not touch. */
TEST_F(cpu, leaves_to_the_engine)
{
	struct dmacpy_buffer *closed, *hidden;
	uint64_t jobs = jobs_of(self->stream);
	uint8_t *mem = memory_map(LENGTH);
	struct rlimit limit, old;
	int i;

	set_below(self->stream, ALWAYS);
	ASSERT_EQ(0, dmacpy_buffer_alloc(self->stream, LENGTH, &closed));
	ASSERT_NE(NULL, mem);
	ASSERT_EQ(0, dmacpy_buffer_register_flags(self->stream, mem, LENGTH,
						  ACCESS_BOTH,
						  DMACPY_REGISTER_EXPLICIT_SYNC,
						  &hidden));
	for (i = 0; i < 2; i++) {
		/* The mapping fails the first time, and is not tried again. */
		ASSERT_EQ(0, getrlimit(RLIMIT_AS, &limit));
		old = limit;
		limit.rlim_cur = i ? old.rlim_cur : 0;
		ASSERT_EQ(0, setrlimit(RLIMIT_AS, &limit));
		EXPECT_EQ(0, dmacpy_stream_copy(self->stream, closed, 0,
						self->buffer[0], 0, LENGTH));
		ASSERT_EQ(0, setrlimit(RLIMIT_AS, &old));
		EXPECT_TRUE(made_by_engine(self->stream, &jobs));
		EXPECT_EQ(0, dmacpy_stream_copy(self->stream, hidden, 0,
						self->buffer[1], 0, LENGTH));
		EXPECT_TRUE(made_by_engine(self->stream, &jobs));
		EXPECT_EQ(0, dmacpy_stream_copy(self->stream, self->buffer[1],
						0, hidden, 0, LENGTH));
		EXPECT_TRUE(made_by_engine(self->stream, &jobs));
	}
	EXPECT_EQ(-EOPNOTSUPP, dmacpy_stream_tune(self->stream, closed,
						  self->buffer[0], 10, NULL));
	EXPECT_EQ(-EOPNOTSUPP, dmacpy_stream_tune(self->stream, self->buffer[0],
						  hidden, 10, NULL));
	dmacpy_buffer_free(closed);
	dmacpy_buffer_free(hidden);
}

static int child_copies(FIXTURE_DATA(cpu) *self)
{
	memset(self->mem[0], 0x22, LENGTH);

	return dmacpy_stream_copy(self->stream, self->buffer[1], 0,
				  self->buffer[0], 0, LENGTH / 2) ||
	       dmacpy_stream_copy(self->stream, self->buffer[0], 0,
				  self->buffer[1], LENGTH / 2, LENGTH / 2) ||
	       dmacpy_stream_copy(self->stream, self->buffer[1], LENGTH / 2,
				  self->buffer[1], 0, LENGTH / 2);
}

/*
 * Catches: a CPU copy in a child, whose memory is not the registered one, and
 * which may lack the mapping of SRAM.
 */
TEST_F(cpu, child)
{
	int status;
	pid_t pid;

	set_below(self->stream, ALWAYS);
	memset(self->mem[0], 0x11, LENGTH);
	memset(self->mem[1], 0x33, LENGTH);
	ASSERT_EQ(0, madvise(self->mem[1], LENGTH, MADV_DONTFORK));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(child_copies(self));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(all_bytes_are(self->mem[1], 0x11, LENGTH));
	EXPECT_TRUE(all_bytes_are(self->mem[0], 0x33, LENGTH / 2));
	EXPECT_TRUE(all_bytes_are(self->mem[0] + LENGTH / 2, 0x11, LENGTH / 2));
}

/* Catches: a copy after the removal of the device that succeeds, or crashes. */
TEST_F(cpu, unbound)
{
	set_below(self->stream, ALWAYS);
	ASSERT_EQ(0, dmacpy_stream_copy(self->stream, self->buffer[1], 0,
					self->buffer[0], 0, LENGTH));
	ASSERT_EQ(0, instance_unbind(&self->instance));
	EXPECT_EQ(-ENODEV, dmacpy_stream_copy(self->stream, self->buffer[1], 0,
					      self->buffer[0], 0, LENGTH));
	EXPECT_EQ(-ENODEV, dmacpy_stream_copy(self->stream, self->buffer[0], 0,
					      self->buffer[0], 64, 64));
	EXPECT_EQ(0, instance_bind(&self->instance));
}

/* Catches: a length that does not fit the engine, or is not used. */
TEST_F(cpu, tune)
{
	uint64_t jobs, below = 0;
	int dst, src;

	for (dst = 0; dst < KINDS; dst++)
		for (src = 0; src < KINDS; src++) {
			if (src == dst)
				continue;
			/* So slow that the CPU is faster even on a busy host */
			ASSERT_TRUE(engine_set("delay_us", 2000));
			EXPECT_EQ(0, dmacpy_stream_tune(self->stream,
							self->buffer[dst],
							self->buffer[src],
							TUNE_MS, &below));
			EXPECT_EQ(LENGTH + 1, below);
			ASSERT_TRUE(engine_set("delay_us", 0));
			jobs = jobs_of(self->stream);
			EXPECT_EQ(0, dmacpy_stream_copy(self->stream,
							self->buffer[dst], 0,
							self->buffer[src], 0,
							LENGTH));
			EXPECT_FALSE(made_by_engine(self->stream, &jobs));
		}
	EXPECT_EQ(0, memcmp(self->mem[0], self->mem[1], LENGTH));
}

/* Catches: copies after the timeout, or a result of too few copies. */
TEST_F(cpu, tune_in_time)
{
	uint64_t jobs = jobs_of(self->stream), below = 42;
	unsigned int start, timeout;
	int ret;

	ASSERT_TRUE(engine_set("delay_us", 10000));
	start = milliseconds();
	EXPECT_EQ(-ETIME, dmacpy_stream_tune(self->stream, self->buffer[1],
					     self->buffer[0], 50, &below));
	EXPECT_GT(5000, milliseconds() - start);
	EXPECT_EQ(-ETIME, dmacpy_stream_tune(self->stream, self->buffer[1],
					     self->buffer[0], 0, &below));
	EXPECT_EQ(42, below);
	/* Time for the shortest of 8 lengths, 15 copies by each, not for all */
	for (timeout = 200, ret = -ETIME; ret == -ETIME; timeout *= 2)
		ret = dmacpy_stream_tune(self->stream, self->buffer[1],
					 self->buffer[0], timeout, &below);
	EXPECT_EQ(0, ret);
	EXPECT_LT(0, below);
	EXPECT_GT(LENGTH, below);
	made_by_engine(self->stream, &jobs);
	EXPECT_EQ(0, dmacpy_stream_copy(self->stream, self->buffer[1], 0,
					self->buffer[0], 0,
					below - 1));
	EXPECT_FALSE(made_by_engine(self->stream, &jobs));
}

/* Catches: bad arguments of tune that are accepted. */
TEST_F(cpu, tune_refused)
{
	struct dmacpy_buffer *sram = self->buffer[1], *r, *again;
	int fd = dmacpy_buffer_fd(sram);

	ASSERT_EQ(0, dmacpy_buffer_import(self->stream, fd, DMACPY_ACCESS_READ,
					  &r));
	ASSERT_EQ(0, dmacpy_buffer_import(self->stream, fd, ACCESS_BOTH,
					  &again));
	EXPECT_EQ(-EINVAL, dmacpy_stream_tune(self->stream, sram, sram, 100,
					      NULL));
	EXPECT_EQ(-EOPNOTSUPP, dmacpy_stream_tune(self->stream, sram, again,
						  100, NULL));
	EXPECT_EQ(-EOPNOTSUPP, dmacpy_stream_tune(self->stream, again,
						  self->buffer[0], 100, NULL));
	EXPECT_EQ(-EINVAL, dmacpy_stream_tune(self->other, self->buffer[0],
					      sram, 100, NULL));
	EXPECT_EQ(-EACCES, dmacpy_stream_tune(self->stream, r, self->buffer[0],
					      100, NULL));
}

TEST_HARNESS_MAIN
