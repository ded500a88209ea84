// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver is unbound from a device in use, and bound again: on an instance
 * of each kind of region.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "common.h"
#include "instance.h"

#define LENGTH		(16 * KIB)
#define THREADS		4

FIXTURE(unbind)
{
	struct instance instance;
	struct dmacpy_get_info info;
	int stream, fd, handle, user_handle;
	uint8_t *mem, *user;
};

FIXTURE_VARIANT(unbind)
{
	const char *property;
};

FIXTURE_VARIANT_ADD(unbind, shared_pool)
{
	.property = WITH_SHARED_POOL,
};

FIXTURE_VARIANT_ADD(unbind, own_region)
{
	.property = WITH_OWN_REGION,
};

FIXTURE_SETUP(unbind)
{
	random_start();
	if (instance_find(&self->instance, variant->property))
		SKIP(return, "this board has no such instance");
	self->stream = stream_open(self->instance.node);
	ASSERT_LE(0, self->stream);
	self->info = stream_info(self->stream);
	self->fd = sram_alloc(self->stream, LENGTH);
	ASSERT_LE(0, self->fd);
	self->mem = dmabuf_map(self->fd, LENGTH);
	ASSERT_NE(NULL, self->mem);
	memset(self->mem, 0x5a, LENGTH);
	self->handle = dmabuf_import(self->stream, self->fd, ACCESS_BOTH);
	ASSERT_LT(0, self->handle);
	self->user = memory_map(LENGTH);
	self->user_handle = memory_register(self->stream, self->user, LENGTH,
					    ACCESS_BOTH);
	ASSERT_LT(0, self->user_handle);
}

FIXTURE_TEARDOWN_PARENT(unbind)
{
	/* Bind once more, as objects of the test kept the number in use. */
	instance_unbind(&self->instance);
	EXPECT_EQ(0, instance_bind(&self->instance));
	EXPECT_EQ(0, sram_leaked());
	instance_unbind(&self->instance);
	EXPECT_EQ(0, instance_bind(&self->instance));
	EXPECT_EQ(0, access(DEVICE, F_OK));
}

/* Catches: a program that continues to use memory that was revoked. */
TEST_F(unbind, touching_gives_sigbus)
{
	uint8_t *fresh;

	ASSERT_EQ(0, touch(self->mem, true));
	ASSERT_EQ(0, instance_unbind(&self->instance));
	EXPECT_EQ(SIGBUS, touch(self->mem, false));
	EXPECT_EQ(SIGBUS, touch(self->mem, true));
	EXPECT_EQ(SIGBUS, touch(self->mem + LENGTH - 1, true));
	fresh = dmabuf_map(self->fd, LENGTH);
	EXPECT_TRUE(!fresh || touch(fresh, true) == SIGBUS);
	ASSERT_EQ(0, instance_bind(&self->instance));
	EXPECT_EQ(SIGBUS, touch(self->mem, false));
}

/* Catches: a mapping in another process that is not revoked. */
TEST_F(unbind, touching_gives_sigbus_in_a_child)
{
	int go[2], status;
	char byte = 0;

	ASSERT_EQ(0, pipe(go));
	if (!fork()) {
		close(self->fd);
		close(self->stream);
		EXPECT_EQ(1, read(go[0], &byte, 1));
		EXPECT_EQ(SIGBUS, touch(self->mem + 4 * KIB, true));
		_exit(0);
	}
	ASSERT_EQ(0, instance_unbind(&self->instance));
	ASSERT_EQ(1, write(go[1], &byte, 1));
	ASSERT_LT(0, wait(&status));
	EXPECT_EQ(0, status);
}

/* Catches: an oops or a hang in an old stream, or one that cannot be closed. */
TEST_F(unbind, old_stream)
{
	struct dmacpy_get_info info = { .size = sizeof(info) };

	ASSERT_EQ(0, instance_unbind(&self->instance));
	EXPECT_EQ(-ENODEV, command(self->stream, DMACPY_GET_INFO, &info));
	EXPECT_EQ(-ENODEV, sram_alloc(self->stream, LENGTH));
	EXPECT_EQ(-ENODEV, dmabuf_import(self->stream, self->fd, ACCESS_BOTH));
	EXPECT_EQ(-ENODEV, memory_register(self->stream, self->user, LENGTH,
					   ACCESS_BOTH));
	EXPECT_EQ(-ENODEV, copy(self->stream, self->handle, self->user_handle,
				LENGTH));
	EXPECT_EQ(-ENODEV, memory_sync(self->stream, self->user_handle, 0,
				       LENGTH, DMACPY_SYNC_FOR_DEVICE));
	EXPECT_GT(0, stream_open(self->instance.node));
	EXPECT_EQ(0, handle_release(self->stream, self->handle));
	EXPECT_EQ(-ENOENT, handle_release(self->stream, self->handle));
	ASSERT_EQ(0, instance_bind(&self->instance));
	EXPECT_EQ(-ENODEV, sram_alloc(self->stream, LENGTH));
	EXPECT_EQ(0, handle_release(self->stream, self->user_handle));
	EXPECT_EQ(0, close(self->stream));
}

/* Catches: an oops if the last reference is dropped after the removal. */
TEST_F(unbind, old_buffer)
{
	ASSERT_EQ(0, instance_unbind(&self->instance));
	EXPECT_EQ(-ENODEV, dmabuf_sync(self->fd, DMA_BUF_SYNC_START |
						 DMA_BUF_SYNC_RW));
	EXPECT_EQ(0, close(self->stream));
	EXPECT_EQ(LENGTH, lseek(self->fd, 0, SEEK_END));
	EXPECT_EQ(0, munmap(self->mem, LENGTH));
	EXPECT_EQ(0, close(self->fd));
	ASSERT_EQ(0, instance_bind(&self->instance));
	EXPECT_EQ(0, sram_leaked());
}

/* Catches: a region that is freed, or claimed twice, while a buffer exists. */
TEST_F(unbind, rebind_under_a_buffer)
{
	uint64_t total = self->info.sram_total, sum = 0;
	struct dmacpy_get_info info;
	int stream, fd, handle;

	ASSERT_EQ(0, instance_unbind(&self->instance));
	ASSERT_EQ(0, instance_bind(&self->instance));
	stream = stream_open(self->instance.node);
	ASSERT_LE(0, stream);
	info = stream_info(stream);
	EXPECT_EQ(total, info.sram_total);
	EXPECT_EQ(total - LENGTH, info.sram_free);
	while (info.sram_largest) {
		fd = sram_alloc(stream, info.sram_largest);
		ASSERT_LE(0, fd);
		handle = dmabuf_import(stream, fd, ACCESS_BOTH);
		ASSERT_LT(0, handle);
		EXPECT_EQ(0, fill(stream, handle, info.sram_largest, ~0));
		sum += info.sram_largest;
		info = stream_info(stream);
	}
	EXPECT_EQ(total - LENGTH, sum);

	/* The old buffer is the source, if the driver still accepts it. */
	handle = dmabuf_import(stream, self->fd, DMACPY_ACCESS_READ);
	if (handle > 0) {
		self->user_handle = memory_register(stream, self->user, LENGTH,
						    DMACPY_ACCESS_WRITE);
		EXPECT_EQ(0, copy(stream, self->user_handle, handle, LENGTH));
		EXPECT_TRUE(all_bytes_are(self->user, 0x5a, LENGTH));
	} else {
		EXPECT_EQ(-ENODEV, handle);
	}
}

/* Catches: a region that each unbind with a buffer makes smaller. */
TEST_F_TIMEOUT(unbind, again_and_again_under_buffers, SLOW)
{
	int round, stream, fd[8];

	for (round = 0; round < 8; round++) {
		stream = stream_open(self->instance.node);
		ASSERT_LE(0, stream);
		EXPECT_EQ(self->info.sram_total - LENGTH - round * 4 * KIB,
			  stream_info(stream).sram_free);
		fd[round] = sram_alloc(stream, 1);
		ASSERT_LE(0, fd[round]);
		if (round % 2)
			close(stream);
		ASSERT_EQ(0, instance_unbind(&self->instance));
		ASSERT_EQ(0, instance_bind(&self->instance));
	}
	while (round--)
		close(fd[round]);
}

struct submitter {
	struct _test_data_unbind *self;
	int last;
};

/* Submits jobs with so many operations that the engine gets them in parts. */
static void *submit_until_error(void *arg)
{
	struct submitter *s = arg;
	struct dmacpy_op ops[LENGTH / 64];
	unsigned int i;

	for (i = 0; i < LENGTH / 64; i++)
		ops[i] = (struct dmacpy_op){
			.dst = s->self->handle,
			.dst_offset = i * 64,
			.src = s->self->user_handle,
			.src_offset = i * 64,
			.length = 64,
		};
	while (!s->last)
		s->last = submit(s->self->stream, ops, LENGTH / 64);
	return NULL;
}

/*
 * Catches: a deadlock of an unbind and a waiting job, and an engine that is
 * removed while it completes descriptors.
 */
TEST_F_TIMEOUT(unbind, while_copies_run, SLOW)
{
	struct submitter submitters[THREADS];
	pthread_t thread[THREADS];
	int i;

	for (i = 0; i < THREADS; i++) {
		submitters[i] = (struct submitter){ .self = self };
		ASSERT_EQ(0, pthread_create(&thread[i], NULL,
					    submit_until_error,
					    &submitters[i]));
	}
	usleep(100 * 1000);
	ASSERT_EQ(0, instance_unbind(&self->instance));
	for (i = 0; i < THREADS; i++) {
		pthread_join(thread[i], NULL);
		EXPECT_EQ(-ENODEV, submitters[i].last);
	}
}

struct syncer {
	int stream, handle, last;
};

static void *sync_until_error(void *arg)
{
	struct syncer *s = arg;

	while (!s->last)
		s->last = memory_sync(s->stream, s->handle, 0, LENGTH,
				      DMACPY_SYNC_FOR_DEVICE);
	return NULL;
}

/* Catches: a SYNC of memory that is being unmapped from the engine. */
TEST_F_TIMEOUT(unbind, while_memory_is_synced, SLOW)
{
	struct syncer syncers[THREADS];
	pthread_t thread[THREADS];
	int i, handle;

	handle = memory_register_flags(self->stream, memory_map(LENGTH),
				       LENGTH, ACCESS_BOTH,
				       DMACPY_REGISTER_EXPLICIT_SYNC);
	ASSERT_LT(0, handle);
	for (i = 0; i < THREADS; i++) {
		syncers[i] = (struct syncer){ self->stream, handle, 0 };
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, sync_until_error,
					    &syncers[i]));
	}
	usleep(100 * 1000);
	ASSERT_EQ(0, instance_unbind(&self->instance));
	for (i = 0; i < THREADS; i++) {
		pthread_join(thread[i], NULL);
		EXPECT_EQ(-ENODEV, syncers[i].last);
	}
}

TEST_HARNESS_MAIN
