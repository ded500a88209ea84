// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SRAM as a heap: a program without support for dmacpy allocates from it,
 * and a dmacpy program copies. Each instance has its own heap, which stays
 * while the instance is unbound.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/dma-heap.h>

#include "kselftest_harness.h"
#include "common.h"
#include "engine.h"
#include "instance.h"

#define LENGTH		(8 * KIB)
#define QUOTA		"/sys/module/dmacpy/parameters/sram_quota_kib"
#define USER		12345
#define ROUNDS		50
#define BOUND_MS	60000	/* until the allocator has met both states */

FIXTURE(heap)
{
	struct instance instance;
	int heap, stream;
};

FIXTURE_VARIANT(heap)
{
	const char *property;	/* identifies the instance */
};

FIXTURE_VARIANT_ADD(heap, shared_pool)
{
	.property = WITH_SHARED_POOL,
};

FIXTURE_VARIANT_ADD(heap, reserved_ranges)
{
	.property = "reserved",
};

FIXTURE_VARIANT_ADD(heap, fake_engine)
{
	.property = "clocks",
};

static int heap_open(const struct instance *instance)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/dev/dma_heap/sram-%s", instance->name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Returns the file descriptor of a dma-buf, or -errno. */
static int heap_alloc(int heap, uint64_t length)
{
	struct dma_heap_allocation_data data = {
		.len = length,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	int ret = command(heap, DMA_HEAP_IOCTL_ALLOC, &data);

	return ret ?: (int)data.fd;
}

FIXTURE_SETUP(heap)
{
	if (access("/sys/module/dmacpy/initstate", F_OK) == 0)
		SKIP(return, "dmacpy is a module, which cannot have a heap");
	ASSERT_EQ(0, instance_find(&self->instance, variant->property));
	self->heap = heap_open(&self->instance);
	ASSERT_LE(0, self->heap);
	self->stream = stream_open(self->instance.node);
	ASSERT_LE(0, self->stream);
}

FIXTURE_TEARDOWN_PARENT(heap)
{
	EXPECT_TRUE(set_number(QUOTA, 0));
	EXPECT_EQ(0, sram_leaked());
}

/* Catches: a heap of other memory; lengths that are not rounded up. */
TEST_F(heap, is_the_sram)
{
	uint64_t before = stream_info(self->stream).sram_free;
	int fd = heap_alloc(self->heap, 1);

	ASSERT_LE(0, fd);
	EXPECT_EQ(before - getpagesize(), stream_info(self->stream).sram_free);
	EXPECT_EQ(getpagesize(), lseek(fd, 0, SEEK_END));
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(before, stream_info(self->stream).sram_free);
}

/* Catches: data of the previous owner. */
TEST_F(heap, buffers_are_cleared)
{
	uint8_t *mem;
	int round, fd;

	for (round = 0; round < 2; round++) {
		fd = heap_alloc(self->heap, LENGTH);
		mem = dmabuf_map(fd, LENGTH);
		ASSERT_NE(NULL, mem);
		EXPECT_TRUE(all_bytes_are(mem, 0, LENGTH));
		memset(mem, 0xff, LENGTH);
		munmap(mem, LENGTH);
		close(fd);
	}
}

/* Catches: too large a buffer; an empty one; a quota that is bypassed. */
TEST_F(heap, limits)
{
	uint64_t total = stream_info(self->stream).sram_total;

	EXPECT_EQ(-ENOSPC, heap_alloc(self->heap, total + 1));
	EXPECT_EQ(-EINVAL, heap_alloc(self->heap, 0));
	ASSERT_TRUE(set_number(QUOTA, LENGTH / KIB));
	ASSERT_EQ(0, setuid(USER));
	EXPECT_EQ(-EDQUOT, heap_alloc(self->heap, LENGTH + 1));
	EXPECT_LE(0, heap_alloc(self->heap, LENGTH));
	EXPECT_EQ(-EDQUOT, heap_alloc(self->heap, 1));
	EXPECT_EQ(-EDQUOT, sram_alloc(self->stream, 1));
}

/* Catches: a buffer that one of the engines cannot copy to or from. */
TEST_F(heap, copies)
{
	int fd = heap_alloc(self->heap, LENGTH), i, stream, from, to, handle;
	const char *const nodes[] = { DEVICE, "/dev/dmacpy1", "/dev/dmacpy2" };
	uint8_t *mem = dmabuf_map(fd, LENGTH);
	uint8_t *memory = memory_map(LENGTH);

	ASSERT_NE(NULL, mem);
	random_start();
	for (i = 0; i < 3; i++) {
		stream = stream_open(nodes[i]);
		handle = dmabuf_import(stream, fd, ACCESS_BOTH);
		from = memory_register(stream, memory, LENGTH,
				       DMACPY_ACCESS_READ);
		random_fill(memory, LENGTH);
		ASSERT_EQ(0, copy(stream, handle, from, LENGTH));
		dmabuf_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
		EXPECT_EQ(0, memcmp(mem, memory, LENGTH));
		dmabuf_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
		ASSERT_EQ(0, handle_release(stream, from));

		memset(memory, 0, LENGTH);
		to = memory_register(stream, memory, LENGTH,
				     DMACPY_ACCESS_WRITE);
		ASSERT_EQ(0, copy(stream, to, handle, LENGTH));
		EXPECT_EQ(0, memcmp(mem, memory, LENGTH));
		close(stream);
	}
}

/* Catches: allocation from unbound hardware; a heap that stays empty. */
TEST_F(heap, unbind_and_bind)
{
	int round, fd;
	uint8_t *mem;

	close(self->stream);
	for (round = 0; round < 3; round++) {
		fd = heap_alloc(self->heap, LENGTH);
		mem = dmabuf_map(fd, LENGTH);
		ASSERT_NE(NULL, mem);
		EXPECT_EQ(0, touch(mem, true));
		ASSERT_EQ(0, instance_unbind(&self->instance));
		EXPECT_EQ(-ENODEV, heap_alloc(self->heap, LENGTH));
		EXPECT_LE(0, heap_open(&self->instance));
		EXPECT_EQ(SIGBUS, touch(mem, true));
		ASSERT_EQ(0, instance_bind(&self->instance));
		/* Test also while the old buffer exists. */
		EXPECT_EQ(SIGBUS, touch(mem, false));
		close(fd);
	}
	EXPECT_LE(0, heap_alloc(self->heap, LENGTH));
}

/* Catches: SRAM that is allocated twice, as a buffer outlives the unbind. */
TEST_F(heap, old_buffers_keep_their_sram)
{
	uint64_t total = stream_info(self->stream).sram_total;
	int old = heap_alloc(self->heap, LENGTH);

	ASSERT_LE(0, old);
	close(self->stream);
	ASSERT_EQ(0, instance_unbind(&self->instance));
	ASSERT_EQ(0, instance_bind(&self->instance));
	self->stream = stream_open(self->instance.node);
	EXPECT_EQ(total - LENGTH, stream_info(self->stream).sram_free);
	close(old);
	EXPECT_EQ(total, stream_info(self->stream).sram_free);
}

/* A thread that allocates continuously, and its results */
struct allocator {
	int heap;
	bool end;
	int allocated, refused, failed;
};

static void *allocate_thread(void *data)
{
	struct allocator *allocator = data;
	int fd;

	while (!__atomic_load_n(&allocator->end, __ATOMIC_RELAXED)) {
		fd = heap_alloc(allocator->heap, LENGTH);
		if (fd >= 0)
			__atomic_add_fetch(&allocator->allocated, 1,
					   __ATOMIC_RELAXED);
		else if (fd == -ENODEV)
			__atomic_add_fetch(&allocator->refused, 1,
					   __ATOMIC_RELAXED);
		allocator->failed += fd < 0 && fd != -ENODEV;
		if (fd >= 0)
			close(fd);
	}
	return NULL;
}

static bool has_met_both(const struct allocator *allocator)
{
	return __atomic_load_n(&allocator->allocated, __ATOMIC_RELAXED) &&
	       __atomic_load_n(&allocator->refused, __ATOMIC_RELAXED);
}

/* Catches: an instance that is used during its unbind. */
TEST_F_TIMEOUT(heap, unbind_while_allocating, SLOW)
{
	struct allocator allocator = { .heap = self->heap };
	unsigned int start = milliseconds();
	pthread_t thread;
	int round;

	close(self->stream);
	ASSERT_EQ(0, pthread_create(&thread, NULL, allocate_thread,
				    &allocator));
	/* A busy host may run the allocator in only one of the two states. */
	for (round = 0; round < ROUNDS || (!has_met_both(&allocator) &&
					   milliseconds() - start < BOUND_MS);
	     round++) {
		ASSERT_EQ(0, instance_unbind(&self->instance));
		usleep(1000);
		ASSERT_EQ(0, instance_bind(&self->instance));
		usleep(1000);
	}
	__atomic_store_n(&allocator.end, true, __ATOMIC_RELAXED);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	TH_LOG("%d allocated, %d refused", allocator.allocated,
	       allocator.refused);
	EXPECT_LT(0, allocator.allocated);
	EXPECT_LT(0, allocator.refused);
	EXPECT_EQ(0, allocator.failed);
}

/* Catches: an instance that uses the heap of another. */
TEST_F(heap, other_heaps_are_unaffected)
{
	const char *property = strcmp(variant->property, WITH_SHARED_POOL) ?
			       WITH_SHARED_POOL : "reserved";
	struct instance other;
	uint64_t before;
	int heap, stream;

	ASSERT_EQ(0, instance_find(&other, property));
	heap = heap_open(&other);
	stream = stream_open(other.node);
	before = stream_info(stream).sram_free;
	close(self->stream);
	ASSERT_EQ(0, instance_unbind(&self->instance));
	EXPECT_LE(0, heap_alloc(heap, LENGTH));
	EXPECT_EQ(before - LENGTH, stream_info(stream).sram_free);
	ASSERT_EQ(0, instance_bind(&self->instance));
	EXPECT_LE(0, heap_alloc(self->heap, LENGTH));
	EXPECT_EQ(before - LENGTH, stream_info(stream).sram_free);
}

TEST_HARNESS_MAIN
