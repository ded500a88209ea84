// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Copiers: long copies by all channels of a device at once.
 *
 * A copy is one job, which the driver spreads over the channels. If the driver
 * does not support that, or if the copy is longer than a job may be, the
 * library splits the copy into parts, each of them a job of a stream of its
 * own. A copy that is too short to gain from several channels runs on one.
 * Copies do not wait for each other: each is a job of the next stream, and only
 * explicit fences are used, one to wait for, and one that signals when the
 * whole copy has completed.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "internal.h"

/* Sufficient for the alignment of any engine and any cache */
#define CUT_ALIGN 256

/* Derived from the cost of a part, with some margin: see guide.rst */
#define DEFAULT_MIN_PART (64 * 1024)

/**
 * struct dmacpy_copier - a stream for each channel of a device
 * @min_part: minimum number of bytes for a channel, if a copy uses several
 * @spreads: the driver spreads a job over the channels
 * @next: counts the parts, to distribute them over all streams
 * @count: number of @streams
 * @streams: the streams
 */
struct dmacpy_copier {
	uint64_t min_part;
	int spreads;
	unsigned int next;
	unsigned int count;
	struct dmacpy_stream *streams[];
};

/**
 * struct dmacpy_copier_buffer - a buffer of a copier's copies
 * @copier: the copier
 * @count: length of @in
 * @in: the same memory as a buffer of each of the streams
 */
struct dmacpy_copier_buffer {
	struct dmacpy_copier *copier;
	unsigned int count;
	struct dmacpy_buffer *in[];
};

/**
 * struct split_copy - a copy in preparation
 * @copier: the copier
 * @dst: destination
 * @dst_offset: offset in @dst
 * @src: source
 * @src_offset: offset in @src
 * @length: in bytes
 * @in_fence: fence that each part waits for, or negative
 * @parts: number of parts
 */
struct split_copy {
	struct dmacpy_copier *copier;
	const struct dmacpy_copier_buffer *dst;
	uint64_t dst_offset;
	const struct dmacpy_copier_buffer *src;
	uint64_t src_offset;
	uint64_t length;
	int in_fence;
	unsigned int parts;
};

DMACPY_API int dmacpy_copier_open(struct dmacpy_device *device,
				  struct dmacpy_copier **copier)
{
	struct dmacpy_get_info info;
	struct dmacpy_copier *new;
	int ret;

	ret = dmacpy_device_info(device, &info, sizeof(info));
	if (ret)
		return ret;

	new = calloc(1, sizeof(*new) + info.channels * sizeof(*new->streams));
	if (!new)
		return -ENOMEM;

	new->min_part = DEFAULT_MIN_PART;
	new->spreads = !!(info.submit_flags & DMACPY_SUBMIT_SPREAD);
	for (; new->count < info.channels; new->count++) {
		ret = dmacpy_stream_open(device, &new->streams[new->count]);
		if (ret) {
			dmacpy_copier_close(new);
			return ret;
		}
	}

	*copier = new;
	return 0;
}

DMACPY_API void dmacpy_copier_close(struct dmacpy_copier *copier)
{
	if (!copier)
		return;

	while (copier->count)
		dmacpy_stream_close(copier->streams[--copier->count]);
	free(copier);
}

DMACPY_API int dmacpy_copier_set_min_part(struct dmacpy_copier *copier,
					  uint64_t length)
{
	if (length < CUT_ALIGN)
		return -EINVAL;

	copier->min_part = length;
	return 0;
}

static struct dmacpy_copier_buffer *buffer_new(struct dmacpy_copier *copier)
{
	struct dmacpy_copier_buffer *new;

	new = calloc(1, sizeof(*new) + copier->count * sizeof(*new->in));
	if (new)
		new->copier = copier;

	return new;
}

DMACPY_API int dmacpy_copier_import(struct dmacpy_copier *copier, int fd,
				    uint32_t access,
				    struct dmacpy_copier_buffer **buffer)
{
	struct dmacpy_copier_buffer *new = buffer_new(copier);
	int ret;

	if (!new)
		return -ENOMEM;

	for (; new->count < copier->count; new->count++) {
		ret = dmacpy_buffer_import(copier->streams[new->count], fd,
					   access, &new->in[new->count]);
		if (ret) {
			dmacpy_copier_buffer_free(new);
			return ret;
		}
	}

	*buffer = new;
	return 0;
}

DMACPY_API int dmacpy_copier_register(struct dmacpy_copier *copier, void *addr,
				      size_t length, uint32_t access,
				      struct dmacpy_copier_buffer **buffer)
{
	struct dmacpy_copier_buffer *new = buffer_new(copier);
	int ret;

	if (!new)
		return -ENOMEM;

	for (; new->count < copier->count; new->count++) {
		ret = dmacpy_buffer_register(copier->streams[new->count], addr,
					     length, access,
					     &new->in[new->count]);
		if (ret) {
			dmacpy_copier_buffer_free(new);
			return ret;
		}
	}

	*buffer = new;
	return 0;
}

DMACPY_API void dmacpy_copier_buffer_free(struct dmacpy_copier_buffer *buffer)
{
	if (!buffer)
		return;

	while (buffer->count)
		dmacpy_buffer_free(buffer->in[--buffer->count]);
	free(buffer);
}

/*
 * Returns the number of streams, unless the parts would become too short or too
 * long.
 */
static unsigned int count_parts(const struct dmacpy_copier *copier,
				uint64_t length)
{
	uint64_t max_part = copier->streams[0]->limits.max_bytes - CUT_ALIGN;
	uint64_t needed = length / max_part + 1;
	uint64_t count = length / copier->min_part;

	if (count > copier->count)
		count = copier->count;

	return count > needed ? count : needed;
}

/* Returns the end of a part: about its share, aligned in the destination. */
static uint64_t part_end(const struct split_copy *copy, unsigned int index)
{
	const struct dmacpy_buffer *dst = copy->dst->in[0];
	uint64_t addr = copy->dst_offset;
	uint64_t end;

	if (index == copy->parts - 1)
		return copy->length;

	if (dmacpy_buffer_is_user(dst))
		addr += (uintptr_t)dst->memory;
	end = copy->length / copy->parts * (index + 1) +
	      copy->length % copy->parts * (index + 1) / copy->parts;

	return end - (addr + end) % CUT_ALIGN;
}

/* Submits a part on @channels channels, or on a stream's own if that is 0. */
static int submit_part(const struct split_copy *copy, uint64_t start,
		       uint64_t end, unsigned int channels, int *fence)
{
	unsigned int stream = copy->copier->next++ % copy->copier->count;
	struct dmacpy_op op = {
		.opcode = DMACPY_OP_COPY,
		.dst = copy->dst->in[stream]->handle,
		.src = copy->src->in[stream]->handle,
		.dst_offset = copy->dst_offset + start,
		.src_offset = copy->src_offset + start,
		.length = end - start,
	};
	struct dmacpy_submit submit = {
		.size = sizeof(submit),
		.flags = DMACPY_SUBMIT_OUT_FENCE | DMACPY_SUBMIT_NO_IMPLICIT,
		.ops = (uintptr_t)&op,
		.op_count = 1,
		.op_size = sizeof(op),
		.channels = channels,
	};
	int ret;

	if (channels)
		submit.flags |= DMACPY_SUBMIT_SPREAD;
	if (copy->in_fence >= 0) {
		submit.flags |= DMACPY_SUBMIT_IN_FENCE;
		submit.in_fence = copy->in_fence;
	}

	ret = dmacpy_ioctl(copy->copier->streams[stream]->fd, DMACPY_SUBMIT,
			   &submit);
	if (!ret)
		*fence = submit.out_fence;

	return ret;
}

/* After a failure, the first @submitted parts have a fence, and may run. */
static int submit_parts(const struct split_copy *copy, int *fences,
			unsigned int *submitted)
{
	uint64_t start = 0, end;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < copy->parts; i++) {
		end = part_end(copy, i);
		ret = submit_part(copy, start, end, 0, &fences[i]);
		if (ret)
			break;
		start = end;
	}

	*submitted = i;
	return ret;
}

/* Ignores signals: the jobs complete, or the kernel's deadlines cancel them. */
static void wait_for_all(const int *fences, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		while (dmacpy_fence_wait(fences[i], -1) == -EINTR)
			;
}

static int merge_all(const int *fences, unsigned int count, int *merged)
{
	unsigned int i;
	int last, ret;

	ret = dmacpy_fence_merge(fences[0], fences[1], merged);
	for (i = 2; i < count && !ret; i++) {
		last = *merged;
		ret = dmacpy_fence_merge(last, fences[i], merged);
		close(last);
	}

	return ret;
}

/*
 * Joins all fences into one. When the kernel merges fences, it omits those that
 * have signalled already, even with an error. So each part is checked
 * afterwards: if it has not failed by now, it is in the merged fence, or has
 * succeeded. If a part has failed, its own fence is returned, which has the
 * error, after a wait for the other parts.
 */
static int copier_join_fences(int *fences, unsigned int count, int *joined)
{
	unsigned int i;
	int merged, ret;

	ret = merge_all(fences, count, &merged);
	if (ret)
		return ret;

	for (i = 0; i < count; i++)
		if (dmacpy_fence_status(fences[i]) < 0)
			break;
	if (i < count) {
		wait_for_all(fences, count);
		close(merged);
		merged = fences[i];
		fences[i] = -1;
	}

	*joined = merged;
	return 0;
}

static int run_parts(const struct split_copy *copy, int *out_fence)
{
	unsigned int submitted, i;
	int *fences, ret;

	fences = calloc(copy->parts, sizeof(*fences));
	if (!fences)
		return -ENOMEM;

	ret = submit_parts(copy, fences, &submitted);
	if (!ret)
		ret = copier_join_fences(fences, submitted, out_fence);
	if (ret)
		wait_for_all(fences, submitted);

	for (i = 0; i < submitted; i++)
		close(fences[i]);
	free(fences);

	return ret;
}

DMACPY_API int dmacpy_copier_copy(struct dmacpy_copier *copier,
				  struct dmacpy_copier_buffer *dst,
				  uint64_t dst_offset,
				  struct dmacpy_copier_buffer *src,
				  uint64_t src_offset, uint64_t length,
				  int in_fence, int *out_fence)
{
	struct split_copy copy = {
		.copier = copier,
		.dst = dst,
		.dst_offset = dst_offset,
		.src = src,
		.src_offset = src_offset,
		.length = length,
		.in_fence = in_fence,
	};
	int ret;

	if (dst->copier != copier || src->copier != copier)
		return -EINVAL;

	ret = dmacpy_buffer_check_copy(dst->in[0], dst_offset, src->in[0],
				       src_offset, length);
	if (ret)
		return ret;

	copy.parts = count_parts(copier, length);
	if (copy.parts == 1)
		return submit_part(&copy, 0, length, 0, out_fence);
	if (copier->spreads && length <= copier->streams[0]->limits.max_bytes)
		return submit_part(&copy, 0, length, copy.parts, out_fence);

	/* The kernel compares the ranges of each part only. */
	if (dmacpy_buffer_overlaps(dst->in[0], dst_offset, src->in[0],
				   src_offset, length))
		return -EINVAL;
	return run_parts(&copy, out_fence);
}
