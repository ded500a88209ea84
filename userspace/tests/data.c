// SPDX-License-Identifier: GPL-2.0-only
/*
 * The engine's writes to memory, compared with a byte-wise reference: each
 * buffer of a copy has a shadow, on which the reference runs the same
 * operations. After each job the whole destination must equal its shadow, so
 * unrequested writes are detected as well as wrong bytes.
 */
#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "common.h"

/* Slots of bounce buffers in use, in the whole system */
#define SLOTS_USED	"/sys/kernel/debug/swiotlb/io_tlb_used"
#define SMALL_REGISTERS	512
/* Pages that are pinned at once, with interrupts off */
#define MAX_PINNED	512

/*
 * Length of each buffer. The system heap has no block of this size: it uses
 * several, of 64 KiB at most.
 */
#define LENGTH		(80 * KIB)
#define MAX_OPS		1024

enum kind { SRAM, USER, UDMABUF, HEAP };

/* The source or destination of the copies */
struct end {
	uint32_t handle;
	int fd;			/* dma-buf, or -1 */
	uint8_t *mem, *shadow;
	size_t align;		/* alignment of writes to it */
};

/* Two buffers, or one that is both, and the operations of the next job */
struct pair {
	int stream;
	size_t align;		/* alignment for the engine */
	struct end dst_end, src_end, *dst, *src;
	struct dmacpy_op ops[MAX_OPS];
	size_t count;
	size_t next;		/* free place in the destination */
};

FIXTURE(data)
{
	struct pair pair;
};

FIXTURE_VARIANT(data)
{
	enum kind dst, src;
	bool same;		/* one buffer is source and destination */
};

FIXTURE_VARIANT_ADD(data, sram_to_sram)
{
	.src = SRAM,
	.dst = SRAM,
};

FIXTURE_VARIANT_ADD(data, sram_to_user)
{
	.src = SRAM,
	.dst = USER,
};

FIXTURE_VARIANT_ADD(data, sram_to_udmabuf)
{
	.src = SRAM,
	.dst = UDMABUF,
};

FIXTURE_VARIANT_ADD(data, sram_to_heap)
{
	.src = SRAM,
	.dst = HEAP,
};

FIXTURE_VARIANT_ADD(data, user_to_sram)
{
	.src = USER,
	.dst = SRAM,
};

FIXTURE_VARIANT_ADD(data, user_to_user)
{
	.src = USER,
	.dst = USER,
};

FIXTURE_VARIANT_ADD(data, udmabuf_to_sram)
{
	.src = UDMABUF,
	.dst = SRAM,
};

FIXTURE_VARIANT_ADD(data, udmabuf_to_udmabuf)
{
	.src = UDMABUF,
	.dst = UDMABUF,
};

FIXTURE_VARIANT_ADD(data, heap_to_sram)
{
	.src = HEAP,
	.dst = SRAM,
};

FIXTURE_VARIANT_ADD(data, within_sram)
{
	.src = SRAM,
	.dst = SRAM,
	.same = true,
};

static int dmabuf_alloc(int stream, enum kind kind)
{
	switch (kind) {
	case UDMABUF:
		return udmabuf_scattered(LENGTH);
	case HEAP:
		return system_heap_alloc(LENGTH);
	default:
		return sram_alloc(stream, LENGTH);
	}
}

static int end_open(int stream, struct end *end, enum kind kind)
{
	int handle;

	end->fd = -1;
	end->align = stream_info(stream).copy_align;
	end->shadow = memory_map(LENGTH);
	if (kind == USER) {
		end->mem = memory_map(LENGTH);
		end->align = stream_info(stream).user_align;
		handle = memory_register(stream, end->mem, LENGTH, ACCESS_BOTH);
	} else {
		end->fd = dmabuf_alloc(stream, kind);
		if (end->fd < 0)
			return end->fd;
		end->mem = dmabuf_map(end->fd, LENGTH);
		handle = dmabuf_import(stream, end->fd, ACCESS_BOTH);
	}
	end->handle = handle;
	if (!end->shadow || !end->mem)
		return -ENOMEM;
	return handle < 0 ? handle : 0;
}

/* Memory of the process needs no sync for an access by the CPU. */
static int end_sync(const struct end *end, uint64_t flags)
{
	return end->fd < 0 ? 0 : dmabuf_sync(end->fd, flags);
}

static int end_randomize(struct end *end)
{
	int ret;

	random_fill(end->shadow, LENGTH);
	ret = end_sync(end, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE);
	memcpy(end->mem, end->shadow, LENGTH);
	return end_sync(end, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE) ?: ret;
}

/* Returns the offset of the first byte that differs, or LENGTH. */
static size_t end_differs(const struct end *end)
{
	size_t i = LENGTH;

	if (end_sync(end, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ))
		return 0;
	if (memcmp(end->mem, end->shadow, LENGTH))
		for (i = 0; end->mem[i] == end->shadow[i]; i++)
			;
	return end_sync(end, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ) ? 0 : i;
}

static int pair_open(struct pair *pair, enum kind dst, enum kind src, bool same)
{
	int ret;

	random_start();
	pair->stream = stream_open(DEVICE);
	if (pair->stream < 0)
		return pair->stream;
	pair->align = stream_info(pair->stream).copy_align;
	pair->dst = &pair->dst_end;
	pair->src = same ? pair->dst : &pair->src_end;
	ret = end_open(pair->stream, pair->dst, dst);
	if (!ret && !same)
		ret = end_open(pair->stream, pair->src, src);
	return ret ?: end_randomize(pair->dst) ?: end_randomize(pair->src);
}

/* Runs the same operation by the CPU on the shadows. */
static void reference(struct pair *pair, const struct dmacpy_op *op)
{
	uint8_t *dst = pair->dst->shadow + op->dst_offset;
	uint8_t *src = pair->src->shadow + op->src_offset;
	uint8_t pattern[4];
	uint64_t row, i;

	memcpy(pattern, &op->pattern, sizeof(pattern));
	for (row = 0; row < (op->rows ?: 1); row++) {
		for (i = 0; i < op->length; i++)
			dst[i] = op->opcode == DMACPY_OP_FILL ? pattern[i % 4] :
								src[i];
		dst += op->dst_stride;
		src += op->src_stride;
	}
}

/* Runs the operations that were added so far as one job, and checks it. */
static void run(struct __test_metadata *_metadata, struct pair *pair)
{
	size_t i;

	if (!pair->count)
		return;
	for (i = 0; i < pair->count; i++)
		reference(pair, &pair->ops[i]);
	ASSERT_EQ(0, submit(pair->stream, pair->ops, pair->count));
	ASSERT_EQ(LENGTH, end_differs(pair->dst)) {
		for (i = 0; i < pair->count && i < 8; i++)
			TH_LOG("op %zu: code %u to %llu from %llu length %llu",
			       i, pair->ops[i].opcode, pair->ops[i].dst_offset,
			       pair->ops[i].src_offset, pair->ops[i].length);
	}
	ASSERT_EQ(LENGTH, end_differs(pair->src));
	pair->count = 0;
	pair->next = 0;
}

/* Aligns for the destination, and the source for the engine. */
static void conform(const struct pair *pair, struct dmacpy_op *op)
{
	uint64_t mask = pair->dst->align - 1;

	op->dst_offset = (op->dst_offset + mask) & ~mask;
	op->length = (op->length + mask) & ~mask;
	op->dst_stride = (op->dst_stride + mask) & ~mask;
	op->src_offset &= ~(pair->align - 1);
	op->src_stride &= ~(pair->align - 1);
}

static void add(struct __test_metadata *_metadata, struct pair *pair,
		struct dmacpy_op op)
{
	op.dst = pair->dst->handle;
	if (op.opcode == DMACPY_OP_FILL)
		op.src_offset = 0;
	else
		op.src = pair->src->handle;
	conform(pair, &op);
	pair->ops[pair->count++] = op;
	if (pair->count == MAX_OPS)
		run(_metadata, pair);
}

/* A single buffer has the destination in one half, the source in the other. */
static size_t room(struct pair *pair)
{
	return pair->dst == pair->src ? LENGTH / 2 : LENGTH;
}

/*
 * Places an operation after the last one, with a gap that must not change, at
 * an offset of @phase above a multiple of 16.
 */
static void add_next(struct __test_metadata *_metadata,
		     struct pair *pair, struct dmacpy_op op,
		     size_t phase)
{
	size_t span = op.length + 2 * pair->dst->align + 32;

	if (pair->next + span > room(pair))
		run(_metadata, pair);
	op.dst_offset = ((pair->next + 15) & ~15) + phase;
	pair->next += span;
	if (pair->dst == pair->src)
		op.src_offset += LENGTH / 2;
	add(_metadata, pair, op);
}

/* Limits of engines, pages, segments and 16-bit counters */
static const uint32_t edges[] = {
	512, 1024, 4 * KIB, 8 * KIB, 16 * KIB, 32 * KIB, 64 * KIB,
};

FIXTURE_SETUP(data)
{
	int ret = pair_open(&self->pair, variant->dst, variant->src,
			    variant->same);

	if (ret == -ENOENT)
		SKIP(return, "this kernel has no such dma-bufs");
	if (ret == -ENOSPC &&
	    stream_info(self->pair.stream).sram_total < 2 * LENGTH)
		SKIP(return, "this SRAM is too small for two such buffers");
	ASSERT_EQ(0, ret);
}

FIXTURE_TEARDOWN_PARENT(data)
{
	EXPECT_EQ(0, sram_leaked());
}

/* Catches: first or last bytes lost or overwritten at some alignment. */
TEST_F_TIMEOUT(data, every_length_and_alignment, SLOW)
{
	struct pair *pair = &self->pair;
	uint32_t length, dst, src;

	/* All of the lengths up to two bursts of the engines, then some. */
	for (length = 1; length <= 300; length += length < 130 ? 1 : 17) {
		for (dst = 0; dst < 16; dst += pair->dst->align) {
			for (src = 0; src < 16; src += pair->align)
				add_next(_metadata, pair, (struct dmacpy_op){
					.length = length,
					.src_offset = 16 * length + src,
				}, dst);
		}
	}
	run(_metadata, pair);
}

/* Catches: one byte wrong at the edge of a page, segment or descriptor. */
TEST_F_TIMEOUT(data, long_copies, SLOW)
{
	struct pair *pair = &self->pair;
	size_t i, dst, src;
	int beside;

	for (i = 0; i < 5 * ARRAY_SIZE(edges); i++) {
		beside = i % 5 - 2;
		if (edges[i / 5] + 256 > room(pair))
			continue;
		for (dst = 0; dst < 16; dst += 3) {
			for (src = 0; src < 16; src += 3) {
				add_next(_metadata, pair, (struct dmacpy_op){
					.length = edges[i / 5] + beside,
					.src_offset = src,
				}, dst);
			}
		}
	}
	run(_metadata, pair);
}

/* Catches: a copy that starts or ends just at a page boundary, cut wrongly. */
TEST_F_TIMEOUT(data, short_copies_across_pages, SLOW)
{
	struct pair *pair = &self->pair;
	uint32_t before_dst, before_src, length;

	for (length = 1; length <= 300; length += 13) {
		for (before_dst = 0; before_dst <= 4; before_dst++) {
			for (before_src = 0; before_src <= 4; before_src++) {
				add(_metadata, pair, (struct dmacpy_op){
					.length = length,
					.dst_offset = 4 * KIB - before_dst,
					.src_offset = 48 * KIB - before_src,
				});
			}
		}
	}
	run(_metadata, pair);
}

/* Catches: descriptors of one batch mixed up, or the ring refilled wrongly. */
TEST_F_TIMEOUT(data, batch_of_different_sizes, SLOW)
{
	struct pair *pair = &self->pair;
	uint32_t i, round;

	for (round = 0; round < 4; round++) {
		for (i = 0; i < MAX_OPS; i++) {
			add(_metadata, pair, (struct dmacpy_op){
				.length = 1 + (i * 37 + round) % MAX_OPS,
				.dst_offset = random_below(38 * KIB),
				.src_offset = 40 * KIB + random_below(39 * KIB),
			});
		}
	}
	EXPECT_EQ(0, pair->count);
}

/*
 * Catches: adjacent copies, one of which is omitted or done twice when the
 * driver joins them; a gap that is copied, too; a length beyond a descriptor's
 * limit.
 */
TEST_F_TIMEOUT(data, touching_copies, SLOW)
{
	struct pair *pair = &self->pair;
	size_t align = pair->dst->align, most = room(pair) - 8 * KIB;
	size_t dst, src, length, base = pair->dst == pair->src ? LENGTH / 2 : 0;
	unsigned int round;

	for (round = 0; round < 40; round++) {
		dst = align * random_below(16);
		src = base + align * random_below(16);
		while (dst < most && src < base + most) {
			length = align * (1 + random_below(2000 / align));
			add(_metadata, pair, (struct dmacpy_op){
				.dst_offset = dst,
				.src_offset = src,
				.length = length,
			});
			dst += length + (random_below(30) ? 0 : align);
			src += length + (random_below(30) ? 0 : align);
		}
		run(_metadata, pair);
	}
}

/* Catches: the same for rows. */
TEST_F_TIMEOUT(data, touching_rows, SLOW)
{
	struct pair *pair = &self->pair;
	size_t align = pair->dst->align;
	size_t base = pair->dst == pair->src ? LENGTH / 2 : 0;
	unsigned int round;

	for (round = 0; round < 100; round++) {
		struct dmacpy_op op = {
			.opcode = DMACPY_OP_COPY_2D,
			.length = align * (1 + random_below(512 / align)),
			.dst_offset = align * random_below(16),
			.src_offset = base + align * random_below(16),
		};

		op.rows = 1 + random_below((room(pair) - 2 * KIB) /
					   (op.length + align));
		op.dst_stride = op.length + (random_below(4) ? 0 : align);
		op.src_stride = op.length + (random_below(4) ? 0 : align);
		add(_metadata, pair, op);
		run(_metadata, pair);
	}
}

/* Returns a random tile: one in four repeats a row or overlaps rows. */
static struct dmacpy_op random_tile(struct pair *pair)
{
	size_t align = pair->dst->align;
	struct dmacpy_op op = {
		.opcode = DMACPY_OP_COPY_2D,
		.rows = 1 + random_below(40),
		.length = 1 + random_below(400),
	};

	conform(pair, &op);
	op.dst_stride = op.length + random_below(500);
	op.src_stride = random_below(4) ? op.length + random_below(500) :
		random_below(2) * random_below(op.length);
	conform(pair, &op);
	op.dst_offset = random_below(LENGTH / 2 - align - op.length -
				     (op.rows - 1) * op.dst_stride);
	op.src_offset = LENGTH / 2 +
		random_below(LENGTH / 2 - op.length -
			     (op.rows - 1) * op.src_stride);
	return op;
}

/* Catches: a wrong stride, a row too many, rows that exceed their end. */
TEST_F_TIMEOUT(data, tiles, SLOW)
{
	struct pair *pair = &self->pair;
	unsigned int round, i;

	for (round = 0; round < 100; round++) {
		for (i = 0; i < 16; i++)
			add(_metadata, pair, random_tile(pair));
		run(_metadata, pair);
	}
}

/* Catches: a pattern that starts at the wrong byte, or a tail that is wrong. */
TEST_F_TIMEOUT(data, fills, SLOW)
{
	struct pair *pair = &self->pair;
	static const uint32_t patterns[] = {
		0x03020100, 0xa5a5a5a5, 0x000000ff, 0x80000000, 0
	};
	uint32_t length, phase;
	size_t i;

	for (length = 1; length <= 300; length++) {
		for (phase = 0; phase < 16; phase++) {
			add_next(_metadata, pair, (struct dmacpy_op){
				.opcode = DMACPY_OP_FILL,
				.length = length,
				.pattern = patterns[(length + phase) % 5],
			}, phase);
		}
	}
	for (i = 0; i < 5 * ARRAY_SIZE(edges); i++) {
		if (edges[i / 5] + 256 > room(pair))
			continue;
		add_next(_metadata, pair, (struct dmacpy_op){
			.opcode = DMACPY_OP_FILL,
			.length = edges[i / 5] + i % 5 - 2,
			.pattern = patterns[0] + i,
		}, i % 16);
	}
	run(_metadata, pair);
}

/* Catches: operations of different kinds in one job that disturb another. */
TEST_F_TIMEOUT(data, mixed_batch, SLOW)
{
	struct pair *pair = &self->pair;
	unsigned int round, i;

	for (round = 0; round < 20; round++) {
		for (i = 0; i < 300; i++) {
			add(_metadata, pair, random_tile(pair));
			add(_metadata, pair, (struct dmacpy_op){
				.opcode = DMACPY_OP_FILL,
				.dst_offset = random_below(LENGTH / 2 - 512),
				.length = 1 + random_below(300),
				.pattern = random_next(),
			});
			add(_metadata, pair, (struct dmacpy_op){
				.dst_offset = random_below(LENGTH / 2 - 512),
				.src_offset = LENGTH / 2 +
					      random_below(LENGTH / 2 - 512),
				.length = 1 + random_below(300),
			});
		}
		run(_metadata, pair);
	}
}

/* Source and destination are in one buffer that each operation changes. */
FIXTURE(one_buffer)
{
	struct pair pair;
};

FIXTURE_SETUP(one_buffer)
{
	ASSERT_EQ(0, pair_open(&self->pair, SRAM, SRAM, true));
}

FIXTURE_TEARDOWN_PARENT(one_buffer)
{
	EXPECT_EQ(0, sram_leaked());
}

/* Catches: an operation that starts before the previous one has written. */
TEST_F_TIMEOUT(one_buffer, dependent_operations, SLOW)
{
	struct pair *pair = &self->pair;
	uint32_t i, size = 256;

	for (i = 0; i < MAX_OPS; i++) {
		if (i % 64 == 0)
			run(_metadata, pair);
		add(_metadata, pair, (struct dmacpy_op){
			.length = size - i % 3,
			.src_offset = (i % 64) * size,
			.dst_offset = (i % 64 + 1) * size + i % 3,
		});
	}
	run(_metadata, pair);
}

/* Catches: joined operations that each depend on the previous one's writes. */
TEST_F_TIMEOUT(one_buffer, dependent_operations_that_touch, SLOW)
{
	struct pair *pair = &self->pair;
	uint32_t i, size;

	for (size = pair->align; size <= 1024; size *= 4) {
		for (i = 0; i < 64; i++)
			add(_metadata, pair, (struct dmacpy_op){
				.length = size,
				.src_offset = i * size,
				.dst_offset = (i + 1) * size,
			});
		run(_metadata, pair);
	}
}

/* Catches: overlapping tiles of equal strides accepted; valid ones refused. */
TEST_F_TIMEOUT(one_buffer, tiles_of_one_picture, SLOW)
{
	struct pair *pair = &self->pair;
	unsigned int i, width = 1024, tile = 128;

	for (i = 0; i < 64; i++) {
		add(_metadata, pair, (struct dmacpy_op){
			.opcode = DMACPY_OP_COPY_2D,
			.rows = 1 + i % 8,
			.length = tile,
			.dst_stride = width,
			.src_stride = width,
			.dst_offset = tile * (i % 8) + width * (i % 16),
			.src_offset = tile * ((i + 3) % 8) + width * (i % 32),
		});
	}
	run(_metadata, pair);
}

/* Memory registered at any address, in one page or across pages */
FIXTURE(registered)
{
	int stream, sram;
	uint32_t sram_handle;
	uint8_t *memory, *sram_memory;
	uint32_t align, copy_align;
};

FIXTURE_SETUP(registered)
{
	random_start();
	self->stream = stream_open(DEVICE);
	ASSERT_LE(0, self->stream);
	self->align = stream_info(self->stream).user_align;
	self->copy_align = stream_info(self->stream).copy_align;
	self->sram = sram_alloc(self->stream, LENGTH);
	ASSERT_LE(0, self->sram);
	self->sram_memory = dmabuf_map(self->sram, LENGTH);
	ASSERT_NE(NULL, self->sram_memory);
	self->sram_handle = dmabuf_import(self->stream, self->sram,
					  ACCESS_BOTH);
	ASSERT_LT(0, (int)self->sram_handle);
	self->memory = memory_map(LENGTH);
	ASSERT_NE(NULL, self->memory);
}

FIXTURE_TEARDOWN_PARENT(registered)
{
	EXPECT_EQ(0, sram_leaked());
}

/* Catches: the offset in the first page ignored, or added twice. */
TEST_F_TIMEOUT(registered, source_at_any_address, SLOW)
{
	size_t start, length, align = self->copy_align;
	int handle;

	random_fill(self->memory, LENGTH);
	for (start = 0; start < 4200; start += align * (1 + random_below(60))) {
		length = align * (1 + random_below((LENGTH - start) / align));
		handle = memory_register(self->stream, self->memory + start,
					 length, DMACPY_ACCESS_READ);
		ASSERT_LT(0, handle);
		ASSERT_EQ(0, copy(self->stream, self->sram_handle, handle,
				  length));
		ASSERT_EQ(0, memcmp(self->sram_memory, self->memory + start,
				    length));
		ASSERT_EQ(0, handle_release(self->stream, handle));
	}
}

/* Catches: a write outside of the registered range, also in its pages. */
TEST_F_TIMEOUT(registered, destination_at_any_address, SLOW)
{
	uint32_t align = self->align < 4 ? 1 : self->align;
	size_t start, length;
	int handle;

	random_fill(self->sram_memory, LENGTH);
	for (start = 0; start < 4200; start += align * (1 + start / 512)) {
		length = align * (1 + random_below((LENGTH - start) / align));
		memset(self->memory, 0x5a, LENGTH);
		handle = memory_register(self->stream, self->memory + start,
					 length, DMACPY_ACCESS_WRITE);
		ASSERT_LT(0, handle);
		ASSERT_EQ(0, copy(self->stream, handle, self->sram_handle,
				  length));
		ASSERT_TRUE(all_bytes_are(self->memory, 0x5a, start));
		ASSERT_EQ(0, memcmp(self->memory + start, self->sram_memory,
				    length));
		ASSERT_TRUE(all_bytes_are(self->memory + start + length, 0x5a,
					  LENGTH - start - length));
		ASSERT_EQ(0, handle_release(self->stream, handle));
	}
}

/* Catches: an unmap that discards data of the CPU next to the range. */
TEST_F_TIMEOUT(registered, release_keeps_other_bytes, SLOW)
{
	uint32_t align = self->align;
	int round, handle;

	for (round = 0; round < 50; round++) {
		handle = memory_register(self->stream, self->memory, 8 * KIB,
					 ACCESS_BOTH);
		ASSERT_LT(0, handle);
		memset(self->memory, round, 8 * KIB);
		ASSERT_EQ(0, fill(self->stream, handle, align, ~0));
		memset(self->memory + 4 * KIB, round + 1, 4 * KIB);
		ASSERT_EQ(0, handle_release(self->stream, handle));
		ASSERT_TRUE(all_bytes_are(self->memory, 0xff, align));
		ASSERT_TRUE(all_bytes_are(self->memory + align, round,
					  4 * KIB - align));
		ASSERT_TRUE(all_bytes_are(self->memory + 4 * KIB, round + 1,
					  4 * KIB));
	}
}

/*
 * Catches: a mapping of the registered bytes alone, which the DMA API treats as
 * a kmalloc()ed object that shares its cache line, and bounces. Each takes a
 * slot of a pool that all devices share, and that any user could exhaust.
 */
TEST_F_TIMEOUT(registered, small_pieces_are_not_bounced, SLOW)
{
	static const size_t lengths[] = { 8, 32, 72, 96, 4 * KIB + 16 };
	unsigned int used = get_number(SLOTS_USED), i;
	size_t length, offset;
	int handle;

	if (used == UINT_MAX)
		SKIP(return, "this kernel has no bounce buffers");
	for (i = 0; i < SMALL_REGISTERS; i++) {
		length = lengths[i % ARRAY_SIZE(lengths)];
		offset = i % 16 * 512 + i % 2 * 8;
		handle = memory_register(self->stream, self->memory + offset,
					 length, ACCESS_BOTH);
		ASSERT_LT(0, handle)
			TH_LOG("number %u of %zu bytes", i, length);
	}
	EXPECT_EQ(used, get_number(SLOTS_USED));

	random_fill(self->memory, LENGTH);
	ASSERT_EQ(0, copy(self->stream, self->sram_handle, handle, length));
	EXPECT_EQ(0, memcmp(self->sram_memory, self->memory + offset, length));
}

/* Returns the maximum of pages pinned by a call since the probe was set. */
static unsigned int most_pinned(unsigned int *calls)
{
	FILE *trace = fopen(TRACING "trace", "re");
	unsigned int pages, most = 0;
	char line[512], *found;

	*calls = 0;
	while (trace && fgets(line, sizeof(line), trace)) {
		found = strstr(line, "pages=");
		if (!found || sscanf(found, "pages=%u", &pages) != 1)
			continue;
		*calls += 1;
		most = pages > most ? pages : most;
	}
	if (trace)
		fclose(trace);
	return most;
}

/* Catches: all of a large memory pinned at once, with interrupts off. */
TEST_F_TIMEOUT(registered, pinned_in_bounded_pieces, SLOW)
{
	size_t length = 4 * MAX_PINNED * getpagesize();
	uint8_t *memory = memory_map(length);
	unsigned int calls, most;

	if (!append_text(TRACING "kprobe_events",
			 "p:dmacpy_pin pin_user_pages_fast pages=$arg2:u32\n"))
		SKIP(return, "this kernel cannot trace calls");
	ASSERT_NE(NULL, memory);
	memset(memory, 1, length);
	EXPECT_TRUE(set_number(TRACING "events/kprobes/dmacpy_pin/enable", 1));
	EXPECT_LT(0, memory_register(self->stream, memory, length,
				     ACCESS_BOTH));
	most = most_pinned(&calls);
	EXPECT_TRUE(set_number(TRACING "events/kprobes/dmacpy_pin/enable", 0));
	EXPECT_TRUE(append_text(TRACING "kprobe_events", "-:dmacpy_pin\n"));
	EXPECT_LE(4, calls);
	EXPECT_EQ(MAX_PINNED, most);
}

/* Catches: memory that its owner cannot read, but the engine reads. */
TEST_F(registered, unreadable_memory_is_refused)
{
	size_t page = getpagesize();
	uint8_t *memory = memory_map(3 * page);

	ASSERT_NE(NULL, memory);
	memset(memory, 0x5a, 3 * page);
	ASSERT_EQ(0, mprotect(memory + page, page, PROT_NONE));
	EXPECT_EQ(-EFAULT, memory_register(self->stream, memory + page, page,
					   DMACPY_ACCESS_READ));
	EXPECT_EQ(-EFAULT, memory_register(self->stream, memory + page / 2,
					   page, DMACPY_ACCESS_READ));
	EXPECT_EQ(-EFAULT, memory_register(self->stream, memory, 3 * page,
					   DMACPY_ACCESS_READ));
	EXPECT_EQ(-EFAULT, memory_register(self->stream, memory, 3 * page,
					   ACCESS_BOTH));
	ASSERT_EQ(0, mprotect(memory + page, page, PROT_READ));
	EXPECT_LT(0, memory_register(self->stream, memory, 3 * page,
				     DMACPY_ACCESS_READ));
	EXPECT_TRUE(all_bytes_are(memory, 0x5a, 3 * page));
}

TEST_HARNESS_MAIN
