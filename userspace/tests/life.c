// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects that are freed in any order, processes that exit at any time, threads
 * that do everything concurrently.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <linux/capability.h>

#include "kselftest_harness.h"
#include "common.h"

#define LENGTH		(16 * KIB)
#define WORKERS		8

/* A buffer, everything that can hold it, and a handle of it */
struct buffer {
	int stream, fd, handle;
	uint8_t *mem;
};

static int buffer_open(struct buffer *buffer)
{
	buffer->stream = stream_open(DEVICE);
	buffer->fd = sram_alloc(buffer->stream, LENGTH);
	buffer->mem = dmabuf_map(buffer->fd, LENGTH);
	buffer->handle = dmabuf_import(buffer->stream, buffer->fd, ACCESS_BOTH);
	return buffer->mem ? buffer->handle : -ENOMEM;
}

static bool sram_in_use(void)
{
	int stream = stream_open(DEVICE);
	struct dmacpy_get_info info = stream_info(stream);

	close(stream);
	return info.sram_free < info.sram_total;
}

FIXTURE(order)
{
	struct buffer buffer;
};

FIXTURE_VARIANT(order)
{
	const char *letters;	/* stream, fd, mapping */
};

FIXTURE_VARIANT_ADD(order, sfm)
{
	.letters = "sfm",
};

FIXTURE_VARIANT_ADD(order, smf)
{
	.letters = "smf",
};

FIXTURE_VARIANT_ADD(order, fsm)
{
	.letters = "fsm",
};

FIXTURE_VARIANT_ADD(order, fms)
{
	.letters = "fms",
};

FIXTURE_VARIANT_ADD(order, msf)
{
	.letters = "msf",
};

FIXTURE_VARIANT_ADD(order, mfs)
{
	.letters = "mfs",
};

FIXTURE_SETUP(order)
{
	ASSERT_LT(0, buffer_open(&self->buffer));
}

FIXTURE_TEARDOWN_PARENT(order)
{
	EXPECT_EQ(0, sram_leaked());
}

static void free_in_any_order(struct buffer *buffer, char what)
{
	if (what == 's')
		close(buffer->stream);
	if (what == 'f')
		close(buffer->fd);
	if (what == 'm')
		munmap(buffer->mem, LENGTH);
}

/* Catches: memory that is freed while referenced, or leaked. */
TEST_F(order, free_in_any_order)
{
	struct buffer *buffer = &self->buffer;
	const char *letter;
	bool mapped = true, stream = true;

	memset(buffer->mem, 0x5a, LENGTH);
	for (letter = variant->letters; *letter; letter++) {
		ASSERT_TRUE(sram_in_use());
		free_in_any_order(buffer, *letter);
		mapped = mapped && *letter != 'm';
		stream = stream && *letter != 's';
		EXPECT_TRUE(!mapped ||
			    all_bytes_are(buffer->mem, 0x5a, LENGTH));
		EXPECT_EQ(stream ? 0 : -EBADF,
			  fill(buffer->stream, buffer->handle, LENGTH,
			       0x5a5a5a5a));
	}
	EXPECT_EQ(0, sram_leaked());
}

FIXTURE(life)
{
	struct buffer buffer;
	uint8_t *memory;
};

FIXTURE_SETUP(life)
{
	random_start();
	ASSERT_LT(0, buffer_open(&self->buffer));
	self->memory = memory_map(LENGTH);
	ASSERT_NE(NULL, self->memory);
}

FIXTURE_TEARDOWN_PARENT(life)
{
	EXPECT_EQ(0, sram_leaked());
}

static void reap(struct __test_metadata *_metadata)
{
	int status;

	while (wait(&status) > 0)
		EXPECT_EQ(0, status);
}

/* Catches: a child whose exit closes the parent's stream or its handles. */
TEST_F(life, fork_with_a_stream)
{
	struct buffer *b = &self->buffer;
	int i;

	for (i = 0; i < 4; i++) {
		if (!fork()) {
			EXPECT_EQ(0, fill(b->stream, b->handle, LENGTH, ~0));
			close(b->stream);
			_exit(0);
		}
	}
	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, fill(b->stream, b->handle, LENGTH, ~0));
	reap(_metadata);
	EXPECT_EQ(0, fill(b->stream, b->handle, LENGTH, 0x01010101));
	EXPECT_TRUE(all_bytes_are(b->mem, 1, LENGTH));
}

/* Catches: a registration that belongs to the forking process, not its mm. */
TEST_F(life, memory_of_a_process_that_is_gone)
{
	struct buffer *b = &self->buffer;
	int handle, ready[2];

	ASSERT_EQ(0, pipe(ready));
	if (!fork()) {
		memset(self->memory, 0x77, LENGTH);
		handle = memory_register(b->stream, self->memory, LENGTH,
					 DMACPY_ACCESS_READ);
		EXPECT_EQ(sizeof(handle),
			  write(ready[1], &handle, sizeof(handle)));
		_exit(0);
	}
	ASSERT_EQ(sizeof(handle), read(ready[0], &handle, sizeof(handle)));
	reap(_metadata);
	ASSERT_LT(0, handle);
	EXPECT_EQ(0, copy(b->stream, b->handle, handle, LENGTH));
	EXPECT_TRUE(all_bytes_are(b->mem, 0x77, LENGTH));
	EXPECT_EQ(0, handle_release(b->stream, handle));
}

/* Catches: pinned pages that are reused when they are unmapped. */
TEST_F(life, unmapped_while_registered)
{
	uint32_t align = stream_info(self->buffer.stream).user_align;
	struct buffer *b = &self->buffer;
	size_t length = LENGTH / align * align;
	int round, handle;
	void *other;

	for (round = 0; round < 20; round++) {
		handle = memory_register(b->stream, self->memory, LENGTH,
					 ACCESS_BOTH);
		ASSERT_LT(0, handle);
		memset(self->memory, 0x33, LENGTH);
		ASSERT_EQ(0, munmap(self->memory, LENGTH));
		other = mmap(self->memory, LENGTH, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		ASSERT_EQ(self->memory, other);
		memset(other, 0x44, LENGTH);
		EXPECT_EQ(0, copy(b->stream, b->handle, handle, LENGTH));
		EXPECT_TRUE(all_bytes_are(b->mem, 0x33, LENGTH));
		EXPECT_EQ(0, fill(b->stream, handle, length, ~0));
		EXPECT_TRUE(all_bytes_are(other, 0x44, LENGTH));
		EXPECT_EQ(0, handle_release(b->stream, handle));
	}
}

/*
 * Catches: pages that a fork leaves to the child while the engine has them
 * pinned, so that the parent's writes and the engine's go to different pages.
 */
TEST_F(life, fork_with_registered_memory)
{
	static const uint32_t accesses[] = { DMACPY_ACCESS_READ, ACCESS_BOTH };
	uint32_t align = stream_info(self->buffer.stream).user_align;
	size_t length = LENGTH / align * align, i;
	struct buffer *b = &self->buffer;
	int handle, go[2];
	uint8_t *memory;
	char byte = 0;

	for (i = 0; i < ARRAY_SIZE(accesses); i++) {
		ASSERT_EQ(0, pipe(go));
		memory = memory_map(LENGTH);
		handle = memory_register(b->stream, memory, LENGTH,
					 accesses[i]);
		ASSERT_LT(0, handle);
		memset(memory, 0x11, LENGTH);
		if (!fork())
			_exit(read(go[0], &byte, 1) != 1 ||
			      !all_bytes_are(memory, 0x11, LENGTH));
		memset(memory, 0x22, LENGTH);
		EXPECT_EQ(0, copy(b->stream, b->handle, handle, LENGTH));
		EXPECT_TRUE(all_bytes_are(b->mem, 0x22, LENGTH));
		if (accesses[i] == ACCESS_BOTH) {
			EXPECT_EQ(0, fill(b->stream, handle, length,
					  0x33333333));
			EXPECT_TRUE(all_bytes_are(memory, 0x33, length));
		}
		EXPECT_EQ(1, write(go[1], &byte, 1));
		reap(_metadata);
		EXPECT_EQ(0, handle_release(b->stream, handle));
	}
}

/* Uses the device until the process is killed. */
static void run_until_killed(void)
{
	static struct dmacpy_op ops[1024];
	int other, handle, fd;
	struct buffer b;
	uint8_t *memory;
	size_t i;

	while (buffer_open(&b) > 0) {
		memory = memory_map(LENGTH);
		handle = memory_register(b.stream, memory, LENGTH, ACCESS_BOTH);
		for (i = 0; i < ARRAY_SIZE(ops); i++)
			ops[i] = (struct dmacpy_op){
				.dst = b.handle, .src = handle, .length = 1 + i,
			};
		submit(b.stream, ops, ARRAY_SIZE(ops));
		fd = sram_alloc(b.stream, LENGTH);
		other = dmabuf_import(b.stream, fd, ACCESS_BOTH);
		copy(b.stream, b.handle, other, LENGTH);
		close(b.stream);
		munmap(b.mem, LENGTH);
		munmap(memory, LENGTH);
		close(b.fd);
		close(fd);
	}
	_exit(1);
}

/* Catches: memory of a killed process's jobs that is never freed. */
TEST_F_TIMEOUT(life, kill_in_a_copy, SLOW)
{
	struct buffer *b = &self->buffer;
	int round, status;
	pid_t pid;

	for (round = 0; round < 60; round++) {
		pid = fork();
		if (!pid)
			run_until_killed();
		usleep(random_below(40 * 1000));
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_TRUE(WIFSIGNALED(status))
			TH_LOG("the process exited by itself: %#x", status);
		ASSERT_EQ(0, fill(b->stream, b->handle, LENGTH, ~round));
	}
}

/* A thread, with a part of a buffer that no other thread writes */
struct worker {
	pthread_t thread;
	int stream, handle, number, failures;
	uint8_t *mem;
};

#define PART	(LENGTH / WORKERS)

static void *fill_own_part(void *arg)
{
	struct worker *w = arg;
	struct dmacpy_op op = {
		.opcode = DMACPY_OP_FILL,
		.dst = w->handle,
		.dst_offset = w->number * PART,
		.length = PART,
	};
	int round;

	for (round = 0; round < 200; round++) {
		op.pattern = 0x01010101 * ((round + w->number) & 0xff);
		w->failures += submit(w->stream, &op, 1) != 0;
		w->failures += !all_bytes_are(w->mem + op.dst_offset,
					      op.pattern & 0xff, PART);
	}
	return NULL;
}

static void run_workers(struct __test_metadata *_metadata,
			struct worker *workers)
{
	int i;

	for (i = 0; i < WORKERS; i++)
		ASSERT_EQ(0, pthread_create(&workers[i].thread, NULL,
					    fill_own_part, &workers[i]));
	for (i = 0; i < WORKERS; i++) {
		pthread_join(workers[i].thread, NULL);
		EXPECT_EQ(0, workers[i].failures)
			TH_LOG("worker %d", i);
	}
}

/* Catches: jobs of one stream that exchange their events or results. */
TEST_F_TIMEOUT(life, threads_on_one_stream, SLOW)
{
	struct worker workers[WORKERS];
	int i;

	for (i = 0; i < WORKERS; i++)
		workers[i] = (struct worker){
			.stream = self->buffer.stream,
			.handle = self->buffer.handle,
			.mem = self->buffer.mem,
			.number = i,
		};
	run_workers(_metadata, workers);
}

/* Catches: jobs of several streams mixed up on one channel. */
TEST_F_TIMEOUT(life, threads_on_several_streams, SLOW)
{
	struct worker workers[WORKERS];
	int i;

	for (i = 0; i < WORKERS; i++) {
		workers[i] = (struct worker){
			.stream = stream_open(DEVICE),
			.mem = self->buffer.mem,
			.number = i,
		};
		workers[i].handle = dmabuf_import(workers[i].stream,
						  self->buffer.fd,
						  ACCESS_BOTH);
	}
	run_workers(_metadata, workers);
}

struct releaser {
	int stream, fd;
	int handle;		/* read by others while it changes */
	bool stop;
};

static void *import_and_release(void *arg)
{
	struct releaser *r = arg;
	int handle;

	while (!__atomic_load_n(&r->stop, __ATOMIC_RELAXED)) {
		handle = dmabuf_import(r->stream, r->fd, ACCESS_BOTH);
		__atomic_store_n(&r->handle, handle, __ATOMIC_RELAXED);
		sched_yield();
		handle_release(r->stream, handle);
	}
	return NULL;
}

/* Catches: a handle freed between its lookup and the completion of the job. */
TEST_F_TIMEOUT(life, release_while_used, SLOW)
{
	struct buffer *b = &self->buffer;
	struct releaser r = { .stream = b->stream };
	int ret, used = 0;
	pthread_t thread;

	r.fd = sram_alloc(b->stream, LENGTH);
	ASSERT_LE(0, r.fd);
	ASSERT_EQ(0, pthread_create(&thread, NULL, import_and_release, &r));
	while (used < 200) {
		ret = copy(b->stream, b->handle,
			   __atomic_load_n(&r.handle, __ATOMIC_RELAXED),
			   LENGTH);
		ASSERT_TRUE(!ret || ret == -ENOENT)
			TH_LOG("copy: %d", ret);
		used += !ret;
	}
	__atomic_store_n(&r.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
}

/* Catches: descriptors, handles or SRAM that each round leaks. */
TEST_F_TIMEOUT(life, nothing_grows, SLOW)
{
	uint64_t sram_free = stream_info(self->buffer.stream).sram_free;
	unsigned int files = open_files();
	struct buffer b;
	int round;

	for (round = 0; round < 1000; round++) {
		ASSERT_LT(0, buffer_open(&b));
		ASSERT_EQ(0, copy(b.stream, b.handle,
				  memory_register(b.stream, self->memory,
						  LENGTH, DMACPY_ACCESS_READ),
				  LENGTH));
		munmap(b.mem, LENGTH);
		close(b.fd);
		close(b.stream);
	}
	EXPECT_EQ(files, open_files());
	EXPECT_EQ(sram_free, sram_free_becomes(self->buffer.stream, sram_free));
}

/* Catches: a process that fills the kernel's memory with handles. */
TEST_F_TIMEOUT(life, handle_limit, SLOW)
{
	struct buffer *b = &self->buffer;
	int handle, last = b->handle;

	while ((handle = dmabuf_import(b->stream, b->fd, ACCESS_BOTH)) > 0)
		last = handle;
	EXPECT_EQ(-EDQUOT, handle);
	EXPECT_EQ(-EDQUOT, memory_register(b->stream, self->memory, LENGTH,
					   ACCESS_BOTH));
	EXPECT_EQ(0, fill(b->stream, last, LENGTH, ~0));
	EXPECT_EQ(0, handle_release(b->stream, last));
	EXPECT_LT(0, dmabuf_import(b->stream, b->fd, ACCESS_BOTH));
}

static int drop_ipc_lock(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return -errno;
	data[0].effective &= ~(1U << CAP_IPC_LOCK);
	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

/* Catches: pinned memory that is never charged, or charged for ever. */
TEST_F(life, memory_is_charged)
{
	int stream = self->buffer.stream, handle, other;
	long before = locked_kib(), kib = LENGTH / KIB;

	handle = memory_register(stream, self->memory, LENGTH, ACCESS_BOTH);
	ASSERT_LT(0, handle);
	EXPECT_EQ(before + kib, locked_kib());
	other = memory_register(stream, self->memory, 1, DMACPY_ACCESS_READ);
	EXPECT_EQ(before + kib + 4, locked_kib());
	EXPECT_EQ(0, handle_release(stream, other));
	EXPECT_EQ(before + kib, wait_locked(before + kib));

	/* The release by another process is credited to the charged user. */
	if (!fork()) {
		EXPECT_EQ(0, handle_release(stream, handle));
		_exit(0);
	}
	reap(_metadata);
	EXPECT_EQ(before, wait_locked(before));

	handle = memory_register(stream, self->memory, LENGTH, ACCESS_BOTH);
	EXPECT_EQ(before + kib, locked_kib());
	ASSERT_EQ(0, close(stream));
	EXPECT_EQ(before, wait_locked(before));
}

/* Catches: an unprivileged user that pins all memory; a limit that sticks. */
TEST_F(life, memory_limit)
{
	struct rlimit limit = { 2 * LENGTH, 2 * LENGTH };
	int stream = self->buffer.stream, handle[2], round;
	uint8_t *more = memory_map(4 * LENGTH);

	ASSERT_EQ(0, setrlimit(RLIMIT_MEMLOCK, &limit));
	ASSERT_EQ(0, drop_ipc_lock());
	for (round = 0; round < 3; round++) {
		EXPECT_EQ(-EDQUOT, memory_register(stream, more, 4 * LENGTH,
						   ACCESS_BOTH));
		handle[0] = memory_register(stream, more, LENGTH, ACCESS_BOTH);
		handle[1] = memory_register(stream, more, LENGTH, ACCESS_BOTH);
		EXPECT_LT(0, handle[0]);
		EXPECT_LT(0, handle[1]);
		EXPECT_EQ(-EDQUOT, memory_register(stream, more, 1,
						   ACCESS_BOTH));
		EXPECT_EQ(0, handle_release(stream, handle[0]));
		EXPECT_EQ(0, handle_release(stream, handle[1]));
		EXPECT_EQ(0, wait_locked(0));
	}
}

TEST_HARNESS_MAIN
