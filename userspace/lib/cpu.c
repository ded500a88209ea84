// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Short copies by the CPU, where it is faster than the engine.
 *
 * The CPU makes a copy only if the engine would accept it and start at once: no
 * job that the library knows of is in flight in the stream, and no other stream
 * or driver uses the buffers. All other copies are jobs: these wait, report
 * failures of earlier jobs, and are refused if they are invalid. So the results
 * are those of the engine.
 *
 * The CPU never copies from or to imported dma-bufs: if their memory is cached
 * and the engine is not coherent, a bracket of DMA_BUF_IOCTL_SYNC writes back
 * or discards lines of the whole buffer, including lines that the engine or
 * another thread is writing.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/dma-buf.h>

#include "internal.h"

/* The shortest and the longest copy that are timed */
#define MIN_TIMED 64
#define MAX_TIMED (64 * 1024)
/* Number of copies of a length by the CPU, and by the engine, for a median */
#define ROUNDS 15

/*
 * A mapping that fails once is not tried again. In a child of the process that
 * registered or mapped the memory, the address is that of other memory, or of
 * none.
 */
static bool is_mapped(struct dmacpy_buffer *buffer)
{
	void *addr;

	if (buffer->no_cpu)
		return false;
	if (buffer->memory)
		return getpid() == buffer->pid;

	buffer->no_cpu = dmacpy_buffer_map(buffer, &addr) < 0;

	return !buffer->no_cpu;
}

/* Returns true if a job with these buffers would start at once. */
static bool is_idle(const struct dmacpy_buffer *dst,
		    const struct dmacpy_buffer *src)
{
	struct pollfd fds[3] = { { .fd = dst->stream->fd } };
	nfds_t count = 1;

	if (!dmacpy_buffer_is_user(src))
		fds[count++] = (struct pollfd){ src->fd, POLLIN, 0 };
	if (!dmacpy_buffer_is_user(dst))
		fds[count++] = (struct pollfd){ dst->fd, POLLOUT, 0 };

	return poll(fds, count, 0) == (int)count - 1 && !fds[0].revents;
}

/* SRAM is not cached, but the CPU combines and delays writes to it. */
static bool end_writes(const struct dmacpy_buffer *buffer)
{
	return dmacpy_buffer_is_user(buffer) ||
	       !dmacpy_ioctl_sync(buffer->fd,
				  DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE);
}

bool dmacpy_cpu_copy(struct dmacpy_buffer *dst, uint64_t dst_offset,
		     struct dmacpy_buffer *src, uint64_t src_offset,
		     uint64_t length)
{
	uint64_t align = dst->stream->limits.copy_align;

	if (dst->stream->busy ||
	    (dst_offset | src_offset | length) & (align - 1) ||
	    !is_mapped(dst) || !is_mapped(src) || !is_idle(dst, src))
		return false;

	memcpy((char *)dst->memory + dst_offset,
	       (const char *)src->memory + src_offset, length);

	return end_writes(dst);
}

DMACPY_API int dmacpy_stream_set_cpu_below(struct dmacpy_stream *stream,
					   enum dmacpy_memory dst,
					   enum dmacpy_memory src,
					   uint64_t length)
{
	if (dst > DMACPY_MEMORY_SRAM || src > DMACPY_MEMORY_SRAM)
		return -EINVAL;

	stream->cpu_below[dst][src] = length;
	return 0;
}

/**
 * struct timing - times of copies between a pair of buffers
 * @dst: buffer to copy to
 * @src: buffer to copy from
 * @deadline: time after which no copy starts, in nanoseconds
 * @engine: durations of the copies by the engine, in nanoseconds
 * @cpu: durations of the copies by the CPU
 */
struct timing {
	struct dmacpy_buffer *dst;
	struct dmacpy_buffer *src;
	uint64_t deadline;
	uint64_t engine[ROUNDS];
	uint64_t cpu[ROUNDS];
};

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);

	return time.tv_sec * UINT64_C(1000000000) + time.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *first = a, *second = b;

	return (*first > *second) - (*first < *second);
}

static uint64_t median(uint64_t *times)
{
	qsort(times, ROUNDS, sizeof(*times), compare);

	return times[ROUNDS / 2];
}

/* Returns -ETIME after the deadline, -EBUSY if others use the buffers. */
static int time_round(struct timing *timing, unsigned int round,
		      uint64_t length)
{
	uint64_t start = now(), middle;
	int ret;

	if (start >= timing->deadline)
		return -ETIME;

	ret = dmacpy_engine_copy(timing->dst, 0, timing->src, 0, length);
	if (ret)
		return ret;

	middle = now();
	if (!dmacpy_cpu_copy(timing->dst, 0, timing->src, 0, length))
		return -EBUSY;

	timing->engine[round] = middle - start;
	timing->cpu[round] = now() - middle;
	return 0;
}

static int time_length(struct timing *timing, uint64_t length)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < ROUNDS && !ret; i++)
		ret = time_round(timing, i, length);

	return ret;
}

/* Stops at the first length at which the CPU is not faster. */
static int find_break_even(struct timing *timing, uint64_t *below)
{
	uint64_t align = timing->dst->stream->limits.copy_align;
	uint64_t length = align > MIN_TIMED ? align : MIN_TIMED;
	uint64_t max = MAX_TIMED;
	int ret;

	if (max > timing->dst->size)
		max = timing->dst->size;
	if (max > timing->src->size)
		max = timing->src->size;
	if (length > max)
		return -EINVAL;

	for (; length <= max; length *= 2) {
		ret = time_length(timing, length);
		if (ret)
			return ret;
		if (median(timing->cpu) >= median(timing->engine))
			break;
		*below = length + 1;
	}

	return 0;
}

DMACPY_API int dmacpy_stream_tune(struct dmacpy_stream *stream,
				  struct dmacpy_buffer *dst,
				  struct dmacpy_buffer *src,
				  unsigned int timeout_ms, uint64_t *below)
{
	struct timing timing = {
		.dst = dst,
		.src = src,
		.deadline = now() + timeout_ms * UINT64_C(1000000),
	};
	uint64_t found = 0;
	int ret;

	if (dst == src || dst->stream != stream || src->stream != stream)
		return -EINVAL;

	ret = dmacpy_buffer_check_copy(dst, 0, src, 0, 0);
	if (ret)
		return ret;

	if (!is_mapped(dst) || !is_mapped(src))
		return -EOPNOTSUPP;

	ret = find_break_even(&timing, &found);
	/* A length that was found before the deadline is valid. */
	if (ret && !(ret == -ETIME && found))
		return ret;

	stream->cpu_below[dst->kind][src->kind] = found;
	if (below)
		*below = found;
	return 0;
}
