// SPDX-License-Identifier: GPL-2.0-only
/*
 * With "swiotlb=4096,force" on the kernel's command line the engine accesses a
 * copy of the memory, which is updated by syncs: unsynced data shows as old
 * data, as it would with caches.
 */
#include <limits.h>
#include <sys/ioctl.h>

#include "kselftest_harness.h"
#include "common.h"
#include "engine.h"

#define LENGTH		(64 * KIB)
#define PART		(4 * KIB)
#define DEADLINE_MS	100
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
	return strstr(line, "swiotlb=") && strstr(line, ",force");
}

static unsigned int slots_used(void)
{
	return get_number(SWIOTLB "io_tlb_used");
}

FIXTURE_SETUP(swiotlb)
{
	if (!swiotlb_is_forced())
		SKIP(return, "the kernel runs without swiotlb=N,force");
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

/* Returns true if the SRAM has the same data as the memory. */
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

/* Catches: a release that syncs memory, which overwrites data of the CPU. */
TEST_F(swiotlb, released_memory)
{
	const uint32_t flags[] = { 0, DMACPY_REGISTER_EXPLICIT_SYNC };
	uint8_t *mem = memory_map(LENGTH);
	unsigned int i;
	int handle;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		handle = memory_register_flags(self->stream, mem, LENGTH,
					       ACCESS_BOTH, flags[i]);
		ASSERT_LT(0, handle);
		memset(mem, 0x11, LENGTH);
		ASSERT_EQ(0, handle_release(self->stream, handle));
		EXPECT_TRUE(all_bytes_are(mem, 0x11, LENGTH));
		memset(mem, 0, LENGTH);
	}
}

/* Catches: a sync of more than is copied, which overwrites data of the CPU. */
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

/* Returns a copy of every second part, as rows. */
static struct dmacpy_op rows_op(uint32_t dst, uint32_t src)
{
	return (struct dmacpy_op){
		.opcode = DMACPY_OP_COPY_2D,
		.dst = dst,
		.src = src,
		.dst_stride = 2 * PART,
		.src_stride = 2 * PART,
		.length = PART,
		.rows = LENGTH / (2 * PART),
	};
}

/* Checks that the rows have one byte, and the gaps between them another. */
static bool rows_are(const uint8_t *mem, uint8_t in, uint8_t between)
{
	size_t at;

	for (at = 0; at < LENGTH; at += 2 * PART)
		if (!all_bytes_are(mem + at, in, PART) ||
		    !all_bytes_are(mem + at + PART, between, PART))
			return false;
	return true;
}

/* Catches: a sync of the first row only, or of rows without their gaps. */
TEST_F(swiotlb, rows_of_registered_memory)
{
	uint8_t *mem = memory_map(LENGTH);
	struct dmacpy_op op;
	int handle;

	handle = memory_register(self->stream, mem, LENGTH, ACCESS_BOTH);
	ASSERT_LT(0, handle);
	memset(self->sram_mem, 0x11, LENGTH);
	memset(mem, 0x22, LENGTH);
	op = rows_op(self->sram, handle);
	ASSERT_EQ(0, submit(self->stream, &op, 1));
	EXPECT_TRUE(rows_are(self->sram_mem, 0x22, 0x11));

	memset(self->sram_mem, 0x33, LENGTH);
	op = rows_op(handle, self->sram);
	ASSERT_EQ(0, submit(self->stream, &op, 1));
	EXPECT_TRUE(rows_are(mem, 0x33, 0x22));
}

/* Catches: runs of prepared operations that do not sync their memory. */
TEST_F(swiotlb, runs_of_prepared_copy)
{
	uint8_t *to_mem = memory_map(LENGTH), *from_mem = memory_map(LENGTH);
	struct dmacpy_op op = { .length = LENGTH };
	struct dmacpy_prepare args = {
		.size = sizeof(args),
		.ops = (uintptr_t)&op,
		.op_count = 1,
		.op_size = sizeof(op),
	};
	struct dmacpy_run_job job = { };
	struct dmacpy_run run = {
		.size = sizeof(run),
		.flags = DMACPY_SUBMIT_WAIT,
		.jobs = (uintptr_t)&job,
		.job_count = 1,
		.job_size = sizeof(job),
	};
	int round;

	op.dst = memory_register(self->stream, to_mem, LENGTH, ACCESS_BOTH);
	op.src = memory_register(self->stream, from_mem, LENGTH, ACCESS_BOTH);
	ASSERT_EQ(0, command(self->stream, DMACPY_PREPARE, &args));
	job.handle = args.handle;
	for (round = 0; round < 3; round++) {
		random_fill(from_mem, LENGTH);
		ASSERT_EQ(1, ioctl(self->stream, DMACPY_RUN, &run));
		EXPECT_EQ(0, memcmp(to_mem, from_mem, LENGTH));
	}
}

/* Catches: a pattern that stays mapped when its job has completed. */
TEST_F(swiotlb, pattern_is_unmapped)
{
	ASSERT_EQ(0, fill(self->stream, self->sram, LENGTH, 0x01020304));
	EXPECT_EQ(self->used, slots_used());
}

/* Registers memory that the program syncs, with data unknown to the engine. */
static int register_synced(int stream, uint8_t *mem)
{
	return memory_register_flags(stream, mem, LENGTH, ACCESS_BOTH,
				     DMACPY_REGISTER_EXPLICIT_SYNC);
}

/* Catches: a bounce buffer that starts with data of others. */
TEST_F(swiotlb, synced_when_registered)
{
	uint8_t *mem = memory_map(LENGTH);
	int handle;

	random_fill(mem, LENGTH);
	handle = register_synced(self->stream, mem);
	ASSERT_LT(0, handle);
	ASSERT_EQ(0, copy(self->stream, self->sram, handle, LENGTH));
	EXPECT_TRUE(is_copied(self, mem));
}

/* Catches: a copy that syncs; a SYNC of nothing, or of more than its range. */
TEST_F(swiotlb, synced_source)
{
	const size_t start = PART + 3, length = PART + 10;
	uint8_t *mem = memory_map(LENGTH), *before = memory_map(LENGTH);
	int handle = register_synced(self->stream, mem);

	ASSERT_LT(0, handle);
	random_fill(mem, LENGTH);
	ASSERT_EQ(0, copy(self->stream, self->sram, handle, LENGTH));
	EXPECT_TRUE(is_copied(self, before));
	ASSERT_EQ(0, memory_sync(self->stream, handle, start, length,
				 DMACPY_SYNC_FOR_DEVICE));
	memcpy(before + start, mem + start, length);
	ASSERT_EQ(0, copy(self->stream, self->sram, handle, LENGTH));
	EXPECT_TRUE(is_copied(self, before));
	ASSERT_EQ(0, memory_sync(self->stream, handle, 0, LENGTH,
				 DMACPY_SYNC_FOR_DEVICE));
	ASSERT_EQ(0, copy(self->stream, self->sram, handle, LENGTH));
	EXPECT_TRUE(is_copied(self, mem));
}

/* Catches: the same for destinations. */
TEST_F(swiotlb, synced_destination)
{
	uint8_t *mem = memory_map(LENGTH);
	int handle = register_synced(self->stream, mem);

	ASSERT_LT(0, handle);
	memset(mem, 0x11, LENGTH);
	memset(self->sram_mem, 0x22, LENGTH);
	ASSERT_EQ(0, copy(self->stream, handle, self->sram, LENGTH));
	EXPECT_TRUE(all_bytes_are(mem, 0x11, LENGTH));
	ASSERT_EQ(0, memory_sync(self->stream, handle, PART, PART,
				 DMACPY_SYNC_FOR_CPU));
	EXPECT_TRUE(all_bytes_are(mem, 0x11, PART));
	EXPECT_TRUE(all_bytes_are(mem + PART, 0x22, PART));
	EXPECT_TRUE(all_bytes_are(mem + 2 * PART, 0x11, LENGTH - 2 * PART));
	ASSERT_EQ(0, memory_sync(self->stream, handle, 0, LENGTH,
				 DMACPY_SYNC_FOR_CPU));
	EXPECT_TRUE(all_bytes_are(mem, 0x22, LENGTH));
}

/*
 * Catches: a SYNC of a long range, which the driver makes in steps of 1 MiB,
 * that ends early, or that repeats its first step.
 */
TEST_F(swiotlb, synced_in_steps)
{
	const size_t size = 2048 * KIB + LENGTH;
	uint8_t *mem = memory_map(size);
	int handle = memory_register_flags(self->stream, mem, size, ACCESS_BOTH,
					   DMACPY_REGISTER_EXPLICIT_SYNC);
	struct dmacpy_op out = {
		.opcode = DMACPY_OP_COPY,
		.dst = self->sram,
		.length = LENGTH,
	};
	struct dmacpy_op in = {
		.opcode = DMACPY_OP_COPY,
		.src = self->sram,
		.length = LENGTH,
	};

	ASSERT_LT(0, handle);
	in.dst = handle;
	out.src = handle;
	random_fill(mem, size);
	ASSERT_EQ(0, memory_sync(self->stream, handle, 0, size,
				 DMACPY_SYNC_FOR_DEVICE));
	for (; out.src_offset < size; out.src_offset += LENGTH) {
		ASSERT_EQ(0, submit(self->stream, &out, 1));
		EXPECT_TRUE(is_copied(self, mem + out.src_offset));
	}
	for (; in.dst_offset < size; in.dst_offset += LENGTH)
		ASSERT_EQ(0, submit(self->stream, &in, 1));
	ASSERT_EQ(0, memory_sync(self->stream, handle, 0, size,
				 DMACPY_SYNC_FOR_CPU));
	while (in.dst_offset) {
		in.dst_offset -= LENGTH;
		EXPECT_TRUE(is_copied(self, mem + in.dst_offset));
	}
}

/* Catches: a job with both kinds of memory that syncs both, or neither. */
TEST_F(swiotlb, synced_beside_registered)
{
	uint8_t *mem = memory_map(LENGTH), *synced = memory_map(LENGTH);
	int handle = memory_register(self->stream, mem, LENGTH, ACCESS_BOTH);
	int synced_handle = register_synced(self->stream, synced);

	ASSERT_LT(0, handle);
	ASSERT_LT(0, synced_handle);
	random_fill(mem, LENGTH);
	ASSERT_EQ(0, copy(self->stream, synced_handle, handle, LENGTH));
	EXPECT_TRUE(all_bytes_are(synced, 0, LENGTH));
	ASSERT_EQ(0, copy(self->stream, self->sram, synced_handle, LENGTH));
	EXPECT_TRUE(is_copied(self, mem));
}

/* Catches: DMA_BUF_IOCTL_SYNC that ignores the engine's mapping of the heap. */
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

/* Catches: outdated documentation of udmabuf, whose syncs have no effect. */
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

/* Catches: SRAM that is mapped like memory, and so is bounced. */
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

/* A slow engine fills memory from SRAM, part by part, in one job. */
FIXTURE(in_flight)
{
	int stream, from, to, memory;	/* handles of the buffers */
	uint8_t *to_mem, *mem;
};

FIXTURE_VARIANT(in_flight)
{
	uint32_t flags;			/* flags of each job */
};

FIXTURE_VARIANT_ADD(in_flight, implicit)
{
};

FIXTURE_VARIANT_ADD(in_flight, no_implicit)
{
	.flags = DMACPY_SUBMIT_NO_IMPLICIT,
};

FIXTURE_SETUP(in_flight)
{
	struct instance instance;
	uint8_t *from_mem;
	int fds[2];

	if (!swiotlb_is_forced())
		SKIP(return, "the kernel runs without swiotlb=N,force");
	ASSERT_EQ(0, engine_find(&instance));
	ASSERT_TRUE(engine_reset());
	self->stream = stream_open(instance.node);
	fds[0] = sram_alloc(self->stream, LENGTH);
	fds[1] = sram_alloc(self->stream, LENGTH);
	self->from = dmabuf_import(self->stream, fds[0], ACCESS_BOTH);
	self->to = dmabuf_import(self->stream, fds[1], ACCESS_BOTH);
	ASSERT_LT(0, self->to);
	from_mem = dmabuf_map(fds[0], LENGTH);
	self->to_mem = dmabuf_map(fds[1], LENGTH);
	self->mem = memory_map(LENGTH);
	self->memory = memory_register(self->stream, self->mem, LENGTH,
				       ACCESS_BOTH);
	ASSERT_LT(0, self->memory);
	memset(from_mem, 0x22, LENGTH);
	memset(self->mem, 0x11, LENGTH);
	/* Dependencies in the same stream have no deadline. */
	ASSERT_TRUE(set_number(DEPENDENCY_TIMEOUT, DEADLINE_MS));
	ASSERT_TRUE(engine_set("delay_us", SLOW_US));
}

FIXTURE_TEARDOWN_PARENT(in_flight)
{
	if (!swiotlb_is_forced())
		return;
	EXPECT_TRUE(engine_reset());
	EXPECT_EQ(0, sram_leaked());
}

/* Starts the fill, and hangs the engine after a part. Returns its fence. */
static int write_memory(FIXTURE_DATA(in_flight) *self, uint32_t flags,
			bool read_at_last)
{
	struct dmacpy_submit args = {
		.flags = flags | DMACPY_SUBMIT_OUT_FENCE,
	};
	struct dmacpy_op ops[LENGTH / PART + 1] = { };
	unsigned int count = LENGTH / PART, copied = engine_get("copied"), i;
	int ret;

	for (i = 0; i < count; i++)
		ops[i] = (struct dmacpy_op){
			.dst = self->memory,
			.dst_offset = i * PART,
			.src = self->from,
			.src_offset = i * PART,
			.length = PART,
		};
	ops[count] = (struct dmacpy_op){
		.dst = self->to,
		.src = self->memory,
		.length = PART,
	};
	engine_set("hang", copied + 2);
	ret = submit_with(self->stream, ops, count + read_at_last, &args);
	while (!ret && engine_get("copied") - copied < 2)
		usleep(1000);
	return ret ?: args.out_fence;
}

/* The job waits for a hung job for longer than the deadline of dependencies. */
static int run_behind(int stream, const struct dmacpy_op *op, uint32_t flags)
{
	struct dmacpy_submit args = { .flags = flags | DMACPY_SUBMIT_EVENT };
	struct dmacpy_event event;
	int ret;

	ret = submit_with(stream, op, 1, &args);
	usleep(2 * DEADLINE_MS * 1000);
	engine_set("hang", 0);
	return ret ?: read_event(stream, &event) ?: event.result;
}

/*
 * Catches: a source that is synced for the engine, with stale data of the CPU,
 * after an earlier job has written a part of it; a deadline for that job.
 */
TEST_F_TIMEOUT(in_flight, memory_is_read, SLOW)
{
	struct dmacpy_op op = {
		.dst = self->to,
		.src = self->memory,
		.length = LENGTH,
	};
	int fence = write_memory(self, variant->flags, false);

	ASSERT_EQ(0, fence_status(fence));
	EXPECT_EQ(0, run_behind(self->stream, &op, variant->flags));
	EXPECT_TRUE(all_bytes_are(self->mem, 0x22, LENGTH));
	EXPECT_TRUE(all_bytes_are(self->to_mem, 0x22, LENGTH));
}

/* Catches: the same behind a job whose fence no program has requested. */
TEST_F_TIMEOUT(in_flight, memory_without_fence_is_read, SLOW)
{
	struct dmacpy_op op = rows_op(self->memory, self->from);
	struct dmacpy_submit args = { .flags = variant->flags };
	unsigned int copied = engine_get("copied");

	ASSERT_TRUE(engine_set("hang", copied + op.rows / 2));
	ASSERT_EQ(0, submit_with(self->stream, &op, 1, &args));
	while (engine_get("copied") - copied < op.rows / 2)
		usleep(1000);
	op = rows_op(self->to, self->memory);
	EXPECT_EQ(0, run_behind(self->stream, &op, variant->flags));
	EXPECT_TRUE(rows_are(self->mem, 0x22, 0x11));
	EXPECT_TRUE(rows_are(self->to_mem, 0x22, 0));
}

/* Catches: the same for a destination that the earlier job has yet to read. */
TEST_F_TIMEOUT(in_flight, memory_is_written, SLOW)
{
	struct dmacpy_op op = {
		.opcode = DMACPY_OP_FILL,
		.dst = self->memory,
		.length = PART,
		.pattern = 0x33333333,
	};
	int fence = write_memory(self, variant->flags, true);

	ASSERT_EQ(0, fence_status(fence));
	EXPECT_EQ(0, run_behind(self->stream, &op, variant->flags));
	EXPECT_TRUE(all_bytes_are(self->to_mem, 0x22, PART));
	EXPECT_TRUE(all_bytes_are(self->mem, 0x33, PART));
	EXPECT_TRUE(all_bytes_are(self->mem + PART, 0x22, LENGTH - PART));
}

TEST_HARNESS_MAIN
