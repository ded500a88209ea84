// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmacpy bench: the pattern of the bytes, similar to that of dmatest. One bit
 * differs between source and destination, another between bytes that are copied
 * and those that are not, and the other bits depend on the offset. So a byte
 * that was omitted, that was wrongly written, or that comes from elsewhere
 * cannot be correct by chance.
 */
#include "bench.h"

#define SOURCE 0x80	/* set in a source only */
#define COPIED 0x40	/* set in the copied bytes of a source */
#define POISON 0x20	/* set in bytes of a destination to be overwritten */

#define BOTH (DMACPY_ACCESS_READ | DMACPY_ACCESS_WRITE)

/* Returns 5 bits that differ between adjacent bytes and adjacent slots. */
static uint8_t noise(size_t at)
{
	return (uint32_t)at * 2654435769U >> 27;
}

/* Bytes before the first slot belong to it, those after the last do not. */
static unsigned int slot_of(const struct bench_layout *layout,
			    const struct bench_memory *mem, size_t at)
{
	return at < mem->base ? 0 : (at - mem->base) / layout->slot;
}

/* Returns the offset of a byte in its slot. */
static size_t offset_in_slot(const struct bench_layout *layout,
			     const struct bench_memory *mem, size_t at)
{
	return (at - mem->base) % layout->slot;
}

/* Returns true if the byte is copied. */
static bool in_row(const struct bench_layout *layout,
		   const struct bench_memory *mem, size_t at)
{
	size_t offset;

	if (at < mem->base || slot_of(layout, mem, at) >= mem->slots)
		return false;

	offset = offset_in_slot(layout, mem, at);
	if (offset < layout->guard)
		return false;

	offset -= layout->guard;
	return offset / layout->stride < layout->rows &&
	       offset % layout->stride < layout->row;
}

static uint8_t source_byte(const struct bench *bench,
			   const struct bench_stream *stream, size_t at)
{
	return SOURCE | noise(at) |
	       (in_row(&bench->layout, &stream->src, at) ? COPIED : 0);
}

static uint8_t poison_byte(const struct bench *bench,
			   const struct bench_stream *stream, size_t at)
{
	return noise(at) |
	       (in_row(&bench->layout, &stream->dst, at) ? POISON : 0);
}

static uint8_t result_byte(const struct bench *bench,
			   const struct bench_stream *stream, size_t at)
{
	const struct bench_layout *layout = &bench->layout;
	const struct bench_memory *src = &stream->src;
	unsigned int slot;

	if (!in_row(layout, &stream->dst, at))
		return noise(at);
	if (bench->opcode == DMACPY_OP_FILL)
		return BENCH_FILL;

	slot = slot_of(layout, &stream->dst, at) % src->slots;
	at = offset_in_slot(layout, &stream->dst, at);
	return source_byte(bench, stream,
			   src->base + slot * layout->slot + at);
}

typedef uint8_t (*byte_at)(const struct bench *bench,
			   const struct bench_stream *stream, size_t at);

static int reset(const struct bench *bench, const struct bench_stream *stream,
		 const struct bench_memory *mem, byte_at byte)
{
	size_t at;
	int ret;

	ret = dmacpy_buffer_begin_access(mem->buffer, BOTH);
	if (ret)
		return ret;

	for (at = 0; at < mem->length; at++)
		mem->data[at] = byte(bench, stream, at);

	return dmacpy_buffer_end_access(mem->buffer, BOTH);
}

/* Syncs both directions: a udmabuf keeps that of its first mapping. */
int bench_data_reset(const struct bench *bench, struct bench_stream *stream)
{
	int ret;

	ret = reset(bench, stream, &stream->dst, poison_byte);
	if (!ret && stream->src.buffer)
		ret = reset(bench, stream, &stream->src, source_byte);

	return ret;
}

static void note_mismatch(struct bench_worker *worker, bool in_src, size_t at,
			  uint8_t wanted, uint8_t found)
{
	if (worker->failures++)
		return;

	worker->mismatch = (struct bench_mismatch){
		.in_src = in_src,
		.offset = at,
		.wanted = wanted,
		.found = found,
	};
}

/* Counts one failure per slot, however many of its bytes are wrong. */
static int check(struct bench_worker *worker, const struct bench_stream *stream,
		 const struct bench_memory *mem, byte_at byte)
{
	const struct bench *bench = worker->bench;
	unsigned int slot, wrong = UINT32_MAX;
	uint8_t wanted, found;
	size_t at;
	int ret;

	ret = dmacpy_buffer_begin_access(mem->buffer, DMACPY_ACCESS_READ);
	if (ret)
		return ret;

	for (at = 0; at < mem->length; at++) {
		wanted = byte(bench, stream, at);
		found = mem->data[at];
		if (found == wanted)
			continue;
		slot = slot_of(&bench->layout, mem, at);
		if (slot != wrong)
			note_mismatch(worker, mem == &stream->src, at, wanted,
				      found);
		wrong = slot;
	}

	return dmacpy_buffer_end_access(mem->buffer, DMACPY_ACCESS_READ);
}

int bench_data_check(struct bench_worker *worker, struct bench_stream *stream)
{
	int ret;

	ret = check(worker, stream, &stream->dst, result_byte);
	if (!ret && stream->src.buffer)
		ret = check(worker, stream, &stream->src, source_byte);

	return ret;
}
