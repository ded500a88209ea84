// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Jobs: lists of operations that run as one.
 */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

#define INITIAL_CAPACITY 8

DMACPY_API int dmacpy_job_new(struct dmacpy_stream *stream,
			      struct dmacpy_job **job)
{
	*job = calloc(1, sizeof(**job));
	if (!*job)
		return -ENOMEM;

	(*job)->stream = stream;
	return 0;
}

DMACPY_API void dmacpy_job_free(struct dmacpy_job *job)
{
	if (!job)
		return;

	free(job->ops);
	free(job);
}

DMACPY_API void dmacpy_job_reset(struct dmacpy_job *job)
{
	job->count = 0;
	job->bytes = 0;
	job->rows = 0;
}

static int job_grow(struct dmacpy_job *job)
{
	uint32_t capacity = job->capacity ? 2 * job->capacity :
					    INITIAL_CAPACITY;
	struct dmacpy_op *ops;

	ops = reallocarray(job->ops, capacity, sizeof(*ops));
	if (!ops)
		return -ENOMEM;

	job->ops = ops;
	job->capacity = capacity;
	return 0;
}

static int job_add_op(struct dmacpy_job *job, const struct dmacpy_op *op)
{
	const struct dmacpy_get_info *limits = &job->stream->limits;
	uint32_t rows = op->rows ? op->rows : 1;
	uint64_t bytes;
	int ret;

	if (job->count >= limits->max_ops)
		return -E2BIG;
	if (__builtin_mul_overflow(op->length, rows, &bytes) ||
	    bytes > limits->max_bytes - job->bytes)
		return -EFBIG;
	if (rows > limits->max_rows - job->rows)
		return -ERANGE;

	if (job->count == job->capacity) {
		ret = job_grow(job);
		if (ret)
			return ret;
	}

	job->ops[job->count++] = *op;
	job->bytes += bytes;
	job->rows += rows;
	return 0;
}

DMACPY_API int dmacpy_job_add_copy(struct dmacpy_job *job,
				   struct dmacpy_buffer *dst,
				   uint64_t dst_offset,
				   struct dmacpy_buffer *src,
				   uint64_t src_offset, uint64_t length)
{
	struct dmacpy_op op = {
		.opcode = DMACPY_OP_COPY,
		.dst = dst->handle,
		.src = src->handle,
		.dst_offset = dst_offset,
		.src_offset = src_offset,
		.length = length,
	};

	if (dst->stream != job->stream || src->stream != job->stream)
		return -EINVAL;

	return job_add_op(job, &op);
}

DMACPY_API int dmacpy_job_add_copy_2d(struct dmacpy_job *job,
				      const struct dmacpy_plane *dst,
				      const struct dmacpy_plane *src,
				      uint64_t row_length, uint32_t rows)
{
	struct dmacpy_op op = {
		.opcode = DMACPY_OP_COPY_2D,
		.dst = dst->buffer->handle,
		.src = src->buffer->handle,
		.dst_offset = dst->offset,
		.src_offset = src->offset,
		.length = row_length,
		.dst_stride = dst->stride,
		.src_stride = src->stride,
		.rows = rows,
	};

	if (dst->buffer->stream != job->stream ||
	    src->buffer->stream != job->stream)
		return -EINVAL;

	return job_add_op(job, &op);
}

DMACPY_API int dmacpy_job_add_fill(struct dmacpy_job *job,
				   struct dmacpy_buffer *dst,
				   uint64_t dst_offset, uint64_t length,
				   uint32_t pattern)
{
	struct dmacpy_op op = {
		.opcode = DMACPY_OP_FILL,
		.dst = dst->handle,
		.dst_offset = dst_offset,
		.length = length,
		.pattern = pattern,
	};

	if (dst->stream != job->stream)
		return -EINVAL;

	return job_add_op(job, &op);
}

DMACPY_API void dmacpy_job_describe(const struct dmacpy_job *job,
				    struct dmacpy_submit *submit)
{
	submit->ops = (uintptr_t)job->ops;
	submit->op_count = job->count;
	submit->op_size = sizeof(*job->ops);
}

DMACPY_API int dmacpy_job_submit(struct dmacpy_job *job,
				 struct dmacpy_submit *submit)
{
	size_t known = offsetof(struct dmacpy_submit, refused_op) +
		       sizeof(submit->refused_op);
	int ret;

	/* The program may be built with an older, shorter structure. */
	if (submit->size >= known)
		submit->refused_op = 0;
	dmacpy_job_describe(job, submit);
	ret = dmacpy_ioctl(job->stream->fd, DMACPY_SUBMIT, submit);
	job->refused_op = ret && submit->size >= known ? submit->refused_op : 0;
	dmacpy_stream_note_submit(job->stream, submit->flags, ret);

	return ret;
}

DMACPY_API uint32_t dmacpy_job_refused_op(const struct dmacpy_job *job)
{
	return job->refused_op;
}

DMACPY_API int dmacpy_job_run(struct dmacpy_job *job)
{
	struct dmacpy_submit submit = {
		.size = sizeof(submit),
		.flags = DMACPY_SUBMIT_WAIT,
	};

	return dmacpy_job_submit(job, &submit);
}
