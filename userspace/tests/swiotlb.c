// SPDX-License-Identifier: GPL-2.0-only
/*
 * With "swiotlb=force" on the kernel's command line the engine never sees the
 * memory itself but a copy of it, made when it is synced: what is not synced
 * shows as old data, as it would with caches.
 */
#include <limits.h>

#include "kselftest_harness.h"
#include "common.h"
#include "engine.h"

#define LENGTH		(64 * KIB)
#define PART		(4 * KIB)
#define SWIOTLB		"/sys/kernel/debug/swiotlb/"

FIXTURE(swiotlb)
{
	int stream, fd, sram;
	uint8_t *sram_mem;
	unsigned int used;	/* slots of bounce buffers, at first */
};

static bool swiotlb_is_forced(void)
{
	char line[4096] = "";
	FILE *file = fopen("/proc/cmdline", "re");

	if (file && !fgets(line, sizeof(line), file))
		*line = 0;
	if (file)
		fclose(file);
	return strstr(line, "swiotlb=force");
}

static unsigned int slots_used(void)
{
	return get_number(SWIOTLB "io_tlb_used");
}

FIXTURE_SETUP(swiotlb)
{
	if (!swiotlb_is_forced())
		SKIP(return, "the kernel runs without swiotlb=force");
	self->used = slots_used();
	ASSERT_NE(UINT_MAX, self->used);
	self->stream = stream_open(DEVICE);
	self->fd = sram_alloc(self->stream, LENGTH);
	self->sram = dmabuf_import(self->stream, self->fd, ACCESS_BOTH);
	ASSERT_LT(0, self->sram);
	self->sram_mem = dmabuf_map(self->fd, LENGTH);
	ASSERT_NE(NULL, self->sram_mem);
	random_start();
}

FIXTURE_TEARDOWN_PARENT(swiotlb)
{
	EXPECT_EQ(0, sram_leaked());
}

/* Is the SRAM what is in memory? */
static bool is_copied(FIXTURE_DATA(swiotlb) *self, const uint8_t *mem)
{
	bool same;

	dmabuf_sync(self->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	same = !memcmp(self->sram_mem, mem, LENGTH);
	dmabuf_sync(self->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	return same;
}

/* Catches: dma_sync_single_for_device() that is missing in the driver. */
TEST_F(swiotlb, registered_source)
{
	uint8_t *mem = memory_map(LENGTH);
	int handle, round;

	handle = memory_register(self->stream, mem, LENGTH, DMACPY_ACCESS_READ);
	ASSERT_LT(0, handle);
	EXPECT_LT(self->used, slots_used());
	for (round = 0; round < 3; round++) {
		random_fill(mem, LENGTH);
		ASSERT_EQ(0, copy(self->stream, self->sram, handle, LENGTH));
		EXPECT_TRUE(is_copied(self, mem));
	}
}

/* Catches: dma_sync_single_for_cpu() that is missing in the driver. */
TEST_F(swiotlb, registered_destination)
{
	uint8_t *mem = memory_map(LENGTH);
	int handle, round;

	handle = memory_register(self->stream, mem, LENGTH,
				 DMACPY_ACCESS_WRITE);
	ASSERT_LT(0, handle);
	EXPECT_LT(self->used, slots_used());
	for (round = 0; round < 3; round++) {
		random_fill(self->sram_mem, LENGTH);
		ASSERT_EQ(0, copy(self->stream, handle, self->sram, LENGTH));
		EXPECT_TRUE(is_copied(self, mem));
	}
}

/* Catches: a sync of more than is copied, over what the CPU has written. */
TEST_F(swiotlb, rest_of_registered_destination)
{
	uint8_t *mem = memory_map(LENGTH);
	struct dmacpy_op op = {
		.opcode = DMACPY_OP_COPY,
		.src = self->sram,
		.dst_offset = PART,
		.length = PART,
	};

	op.dst = memory_register(self->stream, mem, LENGTH, ACCESS_BOTH);
	ASSERT_LT(0, (int)op.dst);
	memset(self->sram_mem, 0x22, PART);
	memset(mem, 0x11, LENGTH);
	ASSERT_EQ(0, submit(self->stream, &op, 1));
	EXPECT_TRUE(all_bytes_are(mem, 0x11, PART));
	EXPECT_TRUE(all_bytes_are(mem + PART, 0x22, PART));
	EXPECT_TRUE(all_bytes_are(mem + 2 * PART, 0x11, LENGTH - 2 * PART));
}

/* Catches: brackets that do not reach the engine's mapping of the heap. */
TEST_F(swiotlb, system_heap)
{
	int fd = system_heap_alloc(LENGTH), handle;
	uint8_t *mem;

	if (fd == -ENOENT)
		SKIP(return, "this kernel has no system heap");
	mem = dmabuf_map(fd, LENGTH);
	ASSERT_NE(NULL, mem);
	handle = dmabuf_import(self->stream, fd, ACCESS_BOTH);
	ASSERT_LT(0, handle);
	EXPECT_LT(self->used, slots_used());

	dmabuf_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
	random_fill(mem, LENGTH);
	ASSERT_EQ(0, copy(self->stream, self->sram, handle, LENGTH));
	EXPECT_FALSE(is_copied(self, mem));
	dmabuf_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);
	ASSERT_EQ(0, copy(self->stream, self->sram, handle, LENGTH));
	EXPECT_TRUE(is_copied(self, mem));

	random_fill(self->sram_mem, LENGTH);
	ASSERT_EQ(0, copy(self->stream, handle, self->sram, LENGTH));
	EXPECT_FALSE(is_copied(self, mem));
	dmabuf_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
	EXPECT_TRUE(is_copied(self, mem));
	dmabuf_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);
}

/* Catches: documentation of udmabuf, whose brackets are in vain, gone stale. */
TEST_F(swiotlb, udmabuf)
{
	int fd = udmabuf_scattered(LENGTH), handle;
	uint8_t *mem = dmabuf_map(fd, LENGTH);

	if (fd == -ENOENT)
		SKIP(return, "this kernel has no udmabuf");
	ASSERT_NE(NULL, mem);
	handle = dmabuf_import(self->stream, fd, ACCESS_BOTH);
	ASSERT_LT(0, handle);
	dmabuf_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
	random_fill(mem, LENGTH);
	dmabuf_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);
	ASSERT_EQ(0, copy(self->stream, self->sram, handle, LENGTH));
	EXPECT_FALSE(is_copied(self, mem));
}

/* Catches: SRAM that is mapped as if it were memory, and so is bounced. */
TEST_F(swiotlb, sram_is_not_bounced)
{
	int fd = sram_alloc(self->stream, LENGTH);
	int handle = dmabuf_import(self->stream, fd, ACCESS_BOTH);

	ASSERT_LT(0, handle);
	ASSERT_TRUE(set_number(SWIOTLB "io_tlb_used_hiwater", 0));
	random_fill(self->sram_mem, LENGTH);
	ASSERT_EQ(0, copy(self->stream, handle, self->sram, LENGTH));
	EXPECT_TRUE(is_copied(self, dmabuf_map(fd, LENGTH)));
	EXPECT_EQ(self->used, slots_used());
	EXPECT_GE(self->used, get_number(SWIOTLB "io_tlb_used_hiwater"));
}

/*
 * Catches: a source that is synced for the engine, from what the CPU had, when
 * a job before has already written a part of it; a deadline for that job.
 */
TEST_F_TIMEOUT(swiotlb, source_is_being_written, SLOW)
{
	struct dmacpy_submit args = { };
	struct dmacpy_op ops[LENGTH / PART];
	unsigned int deadline = get_number(DEPENDENCY_TIMEOUT);
	struct instance instance;
	uint8_t *mem = memory_map(LENGTH), *to_mem;
	int stream, from, to, handle, to_fd;
	size_t i;

	ASSERT_EQ(0, engine_find(&instance));
	ASSERT_TRUE(engine_reset());
	stream = stream_open(instance.node);
	from = dmabuf_import(stream, self->fd, ACCESS_BOTH);
	to_fd = sram_alloc(stream, LENGTH);
	to = dmabuf_import(stream, to_fd, ACCESS_BOTH);
	to_mem = dmabuf_map(to_fd, LENGTH);
	handle = memory_register(stream, mem, LENGTH, ACCESS_BOTH);
	ASSERT_LT(0, handle);
	memset(self->sram_mem, 0x22, LENGTH);
	memset(mem, 0x11, LENGTH);
	for (i = 0; i < LENGTH / PART; i++)
		ops[i] = (struct dmacpy_op){
			.dst = handle,
			.dst_offset = i * PART,
			.src = from,
			.src_offset = i * PART,
			.length = PART,
		};
	ASSERT_TRUE(set_number(DEPENDENCY_TIMEOUT, 100));
	ASSERT_TRUE(engine_set("delay_us", SLOW_US));
	ASSERT_EQ(0, submit_with(stream, ops, LENGTH / PART, &args));
	usleep(LENGTH / PART / 2 * SLOW_US);
	EXPECT_EQ(0, copy(stream, to, handle, LENGTH));
	EXPECT_TRUE(all_bytes_are(mem, 0x22, LENGTH));
	EXPECT_TRUE(all_bytes_are(to_mem, 0x22, LENGTH));
	EXPECT_TRUE(set_number(DEPENDENCY_TIMEOUT, deadline));
	close(stream);
	close(to_fd);
	ASSERT_TRUE(engine_reset());
}

TEST_HARNESS_MAIN
