// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Copies of any length, even where the cache requires an alignment.
 *
 * An engine that bypasses the CPU's caches cannot write a part of a cache line:
 * data that the CPU has written to the rest of the line would be lost. So the
 * engine only writes the whole lines in the middle of the destination. The CPU
 * writes the edges before and after them. It reads from the source if that is
 * memory of the program that CPU and engine see alike, else from a bounce
 * buffer, to which the engine copies whole lines with the edges.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

enum { HEAD, TAIL, EDGES };

/**
 * struct edge - bytes that the CPU copies after the job has completed
 * @dst: address in registered memory
 * @src: address in registered memory or in the bounce buffer
 * @length: number of bytes, less than a line
 */
struct edge {
	void *dst;
	const void *src;
	size_t length;
};

/**
 * struct copy - a copy in preparation
 * @stream: the stream that runs it
 * @job: operations that have not been submitted yet
 * @dst: destination
 * @src: source
 * @dst_offset: offset in @dst
 * @src_offset: offset in @src
 * @length: in bytes
 * @edges: empty unless @dst is registered memory
 */
struct copy {
	struct dmacpy_stream *stream;
	struct dmacpy_job *job;
	struct dmacpy_buffer *dst;
	struct dmacpy_buffer *src;
	uint64_t dst_offset;
	uint64_t src_offset;
	uint64_t length;
	struct edge edges[EDGES];
};

/* A child has neither the memory of its parent's nor a handle of its own. */
static void forget_parents_bounce(struct dmacpy_stream *stream)
{
	if (stream->bounce && stream->bounce->pid != getpid()) {
		free(stream->bounce);
		stream->bounce = NULL;
	}
}

static int prepare_bounce(struct dmacpy_stream *stream)
{
	size_t size = EDGES * stream->limits.user_align;
	void *memory;
	int ret;

	forget_parents_bounce(stream);
	if (stream->bounce)
		return 0;

	memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return -errno;

	/* A child could not use the pages, and would cause copies on write. */
	madvise(memory, size, MADV_DONTFORK);
	ret = dmacpy_buffer_register(stream, memory, size, DMACPY_ACCESS_WRITE,
				     &stream->bounce);
	if (ret)
		munmap(memory, size);

	return ret;
}

void dmacpy_stream_free_bounce(struct dmacpy_stream *stream)
{
	struct dmacpy_buffer *bounce;
	void *memory;
	size_t size;

	forget_parents_bounce(stream);
	bounce = stream->bounce;
	if (!bounce)
		return;

	memory = bounce->memory;
	size = bounce->size;
	dmacpy_buffer_free(bounce);
	munmap(memory, size);
	stream->bounce = NULL;
}

/* Returns -EINTR, without having run the job, only if it is @interruptible. */
static int copy_flush_job(struct dmacpy_job *job, int interruptible)
{
	int ret;

	if (!job->count)
		return 0;

	do
		ret = dmacpy_job_run(job);
	while (ret == -EINTR && !interruptible);
	dmacpy_job_reset(job);

	return ret;
}

/* Adds a copy that fits into an empty job; runs the job first if it is full. */
static int copy_add_op(struct dmacpy_job *job, int interruptible,
		       struct dmacpy_buffer *dst, uint64_t dst_offset,
		       struct dmacpy_buffer *src, uint64_t src_offset,
		       uint64_t length)
{
	int ret;

	ret = dmacpy_job_add_copy(job, dst, dst_offset, src, src_offset,
				  length);
	if (ret != -E2BIG && ret != -EFBIG && ret != -ERANGE)
		return ret;

	ret = copy_flush_job(job, interruptible);
	if (ret)
		return ret;

	return dmacpy_job_add_copy(job, dst, dst_offset, src, src_offset,
				   length);
}

static int add_middle(struct copy *copy)
{
	const struct dmacpy_get_info *limits = &copy->stream->limits;
	uint64_t max = limits->max_bytes - limits->max_bytes %
		       limits->user_align;
	uint64_t end = copy->length - copy->edges[TAIL].length;
	uint64_t offset = copy->edges[HEAD].length;
	uint64_t length;
	int ret;

	for (; offset < end; offset += length) {
		length = end - offset < max ? end - offset : max;
		ret = copy_add_op(copy->job, 1, copy->dst,
				  copy->dst_offset + offset, copy->src,
				  copy->src_offset + offset, length);
		if (ret)
			return ret;
	}

	return 0;
}

/* Adds a copy of a whole line of the source that contains the edge. */
static int add_bounced_edge(struct copy *copy, int which, uint64_t src_offset)
{
	const struct dmacpy_get_info *limits = &copy->stream->limits;
	uint64_t line = limits->user_align;
	struct dmacpy_buffer *bounce;
	uint64_t start;
	int ret;

	if (copy->src->size < line)
		return -EINVAL;

	ret = prepare_bounce(copy->stream);
	if (ret)
		return ret;

	bounce = copy->stream->bounce;
	start = copy->src->size - line;
	start -= start % limits->copy_align;
	if (start > src_offset)
		start = src_offset;
	if (src_offset + copy->edges[which].length > start + line)
		return -EINVAL;

	copy->edges[which].src = (char *)bounce->memory + which * line +
				 (src_offset - start);

	return copy_add_op(copy->job, 1, bounce, which * line, copy->src,
			   start, line);
}

static int add_edge(struct copy *copy, int which, uint64_t offset)
{
	struct edge *edge = &copy->edges[which];

	if (!edge->length)
		return 0;

	edge->dst = (char *)copy->dst->memory + copy->dst_offset + offset;
	if (!dmacpy_buffer_is_user(copy->src) || copy->src->explicit_sync)
		return add_bounced_edge(copy, which,
					copy->src_offset + offset);

	edge->src = (char *)copy->src->memory + copy->src_offset + offset;
	return 0;
}

static void find_edges(struct copy *copy)
{
	uint64_t line = copy->stream->limits.user_align;
	struct edge *head = &copy->edges[HEAD];
	struct edge *tail = &copy->edges[TAIL];
	uint64_t start;

	if (!dmacpy_buffer_is_user(copy->dst))
		return;

	start = ((uintptr_t)copy->dst->memory + copy->dst_offset) % line;
	if (start)
		head->length = line - start;
	if (head->length > copy->length)
		head->length = copy->length;
	if (copy->length > head->length)
		tail->length = (start + copy->length) % line;
}

/* The CPU alone makes the copy: it must not pass jobs that were submitted. */
static int add_barrier(struct copy *copy)
{
	int ret;

	ret = prepare_bounce(copy->stream);
	if (ret)
		return ret;

	return dmacpy_job_add_fill(copy->job, copy->stream->bounce, 0,
				   copy->stream->limits.user_align, 0);
}

static int run_copy(struct copy *copy)
{
	struct edge *edges = copy->edges;
	int ret;

	find_edges(copy);
	/*
	 * The cache may not have the data that the engine wrote to the line; a
	 * child has other memory at the address.
	 */
	if ((copy->dst->explicit_sync || copy->dst->pid != getpid()) &&
	    (edges[HEAD].length || edges[TAIL].length))
		return -EINVAL;

	ret = add_edge(copy, HEAD, 0);
	if (ret)
		return ret;

	ret = add_middle(copy);
	if (ret)
		return ret;

	ret = add_edge(copy, TAIL, copy->length - edges[TAIL].length);
	if (ret)
		return ret;

	if (!copy->job->count && copy->stream->busy) {
		ret = add_barrier(copy);
		if (ret)
			return ret;
	}

	ret = copy_flush_job(copy->job, 1);
	if (ret)
		return ret;

	if (edges[HEAD].length)
		memcpy(edges[HEAD].dst, edges[HEAD].src, edges[HEAD].length);
	if (edges[TAIL].length)
		memcpy(edges[TAIL].dst, edges[TAIL].src, edges[TAIL].length);

	return 0;
}

static int is_within(const struct dmacpy_buffer *buffer, uint64_t offset,
		     uint64_t length)
{
	return offset <= buffer->size && length <= buffer->size - offset;
}

int dmacpy_buffer_check_copy(const struct dmacpy_buffer *dst,
			     uint64_t dst_offset,
			     const struct dmacpy_buffer *src,
			     uint64_t src_offset, uint64_t length)
{
	if (!is_within(dst, dst_offset, length) ||
	    !is_within(src, src_offset, length))
		return -EINVAL;
	if (dst == src && dmacpy_buffer_overlaps(dst, dst_offset, src,
						 src_offset, length))
		return -EINVAL;
	if (!(dst->access & DMACPY_ACCESS_WRITE) ||
	    !(src->access & DMACPY_ACCESS_READ))
		return -EACCES;

	return 0;
}

static int is_same_dmabuf(const struct dmacpy_buffer *dst,
			  const struct dmacpy_buffer *src)
{
	struct stat a, b;

	return dst->fd >= 0 && src->fd >= 0 && !fstat(dst->fd, &a) &&
	       !fstat(src->fd, &b) && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

int dmacpy_buffer_overlaps(const struct dmacpy_buffer *dst, uint64_t dst_offset,
			   const struct dmacpy_buffer *src, uint64_t src_offset,
			   uint64_t length)
{
	return dst_offset < src_offset + length &&
	       src_offset < dst_offset + length &&
	       (dst == src || is_same_dmabuf(dst, src));
}

int dmacpy_engine_copy(struct dmacpy_buffer *dst, uint64_t dst_offset,
		       struct dmacpy_buffer *src, uint64_t src_offset,
		       uint64_t length)
{
	struct copy copy = {
		.stream = dst->stream,
		.dst = dst,
		.src = src,
		.dst_offset = dst_offset,
		.src_offset = src_offset,
		.length = length,
	};
	int ret;

	/* The kernel compares the ranges of each operation only. */
	if (length > copy.stream->limits.max_bytes &&
	    dmacpy_buffer_overlaps(dst, dst_offset, src, src_offset, length))
		return -EINVAL;

	ret = dmacpy_job_new(copy.stream, &copy.job);
	if (ret)
		return ret;

	ret = run_copy(&copy);
	/* The engine may still write to it. */
	if (ret && ret != -EINTR)
		dmacpy_stream_free_bounce(copy.stream);
	dmacpy_job_free(copy.job);

	return ret;
}

DMACPY_API int dmacpy_stream_copy(struct dmacpy_stream *stream,
				  struct dmacpy_buffer *dst,
				  uint64_t dst_offset,
				  struct dmacpy_buffer *src,
				  uint64_t src_offset, uint64_t length)
{
	int ret;

	if (dst->stream != stream || src->stream != stream)
		return -EINVAL;

	ret = dmacpy_buffer_check_copy(dst, dst_offset, src, src_offset,
				       length);
	if (ret)
		return ret;

	if (length < stream->cpu_below[dst->kind][src->kind] &&
	    dmacpy_cpu_copy(dst, dst_offset, src, src_offset, length))
		return 0;

	return dmacpy_engine_copy(dst, dst_offset, src, src_offset, length);
}

/* SRAM for a move: large enough for few jobs, a small part of a small SRAM */
#define TILE_SIZE (16 * 1024)

/**
 * struct move - a move in preparation
 * @stream: the stream that runs it
 * @job: operations that have not been submitted yet
 * @buffer: the buffer of both ranges
 * @dst_offset: destination offset
 * @src_offset: source offset
 * @tile: SRAM through which each piece is copied, or NULL
 * @piece: length of a piece
 */
struct move {
	struct dmacpy_stream *stream;
	struct dmacpy_job *job;
	struct dmacpy_buffer *buffer;
	uint64_t dst_offset;
	uint64_t src_offset;
	struct dmacpy_buffer *tile;
	uint64_t piece;
};

/*
 * Operations of a job see the writes of earlier operations of the job. No
 * signal ends a move: its source is overwritten, so it could not be repeated.
 */
static int move_part(struct move *move, struct dmacpy_buffer *dst,
		     uint64_t dst_offset, struct dmacpy_buffer *src,
		     uint64_t src_offset, uint64_t length)
{
	int ret;

	/* Run the whole job first, as the CPU may write edges afterwards. */
	if (dmacpy_buffer_is_user(dst)) {
		ret = copy_flush_job(move->job, 0);
		if (ret)
			return ret;
		do
			ret = dmacpy_stream_copy(move->stream, dst, dst_offset,
						 src, src_offset, length);
		while (ret == -EINTR);
		return ret;
	}

	return copy_add_op(move->job, 0, dst, dst_offset, src, src_offset,
			   length);
}

static int move_piece(struct move *move, uint64_t offset, uint64_t length)
{
	struct dmacpy_buffer *from = move->buffer;
	uint64_t from_offset = move->src_offset + offset;
	int ret;

	if (move->tile) {
		ret = move_part(move, move->tile, 0, from, from_offset, length);
		if (ret)
			return ret;
		from = move->tile;
		from_offset = 0;
	}

	return move_part(move, move->buffer, move->dst_offset + offset, from,
			 from_offset, length);
}

/* Moves in the direction that overwrites no data still to be moved. */
static int move_pieces(struct move *move, uint64_t length)
{
	int backwards = move->dst_offset > move->src_offset;
	uint64_t done, part, offset;
	int ret;

	for (done = 0; done < length; done += part) {
		part = length - done < move->piece ? length - done :
						     move->piece;
		offset = backwards ? length - done - part : done;
		ret = move_piece(move, offset, part);
		if (ret)
			return ret;
	}

	return copy_flush_job(move->job, 0);
}

/*
 * A piece is as long as the distance of the ranges, so that it does not overlap
 * itself. If that is short, longer pieces are copied through SRAM, if
 * available.
 */
static int choose_pieces(struct move *move, uint64_t distance)
{
	const struct dmacpy_get_info *limits = &move->stream->limits;
	int ret;

	move->piece = limits->max_bytes - limits->max_bytes %
		      limits->user_align;
	if (distance < TILE_SIZE / 2) {
		ret = dmacpy_buffer_alloc(move->stream, TILE_SIZE, &move->tile);
		if (!ret)
			distance = TILE_SIZE;
		else if (ret != -ENOSPC && ret != -EDQUOT)
			return ret;
	}
	if (move->piece > distance)
		move->piece = distance;

	return 0;
}

DMACPY_API int dmacpy_stream_move(struct dmacpy_stream *stream,
				  struct dmacpy_buffer *buffer,
				  uint64_t dst_offset, uint64_t src_offset,
				  uint64_t length)
{
	struct move move = {
		.stream = stream,
		.buffer = buffer,
		.dst_offset = dst_offset,
		.src_offset = src_offset,
	};
	uint64_t distance = dst_offset > src_offset ? dst_offset - src_offset :
						      src_offset - dst_offset;
	int ret;

	if (buffer->stream != stream ||
	    !is_within(buffer, dst_offset, length) ||
	    !is_within(buffer, src_offset, length))
		return -EINVAL;
	if (!distance)
		return 0;
	if (distance >= length)
		return dmacpy_stream_copy(stream, buffer, dst_offset, buffer,
					  src_offset, length);

	ret = dmacpy_job_new(stream, &move.job);
	if (ret)
		return ret;

	ret = choose_pieces(&move, distance);
	if (!ret)
		ret = move_pieces(&move, length);
	dmacpy_buffer_free(move.tile);
	dmacpy_job_free(move.job);

	return ret;
}
