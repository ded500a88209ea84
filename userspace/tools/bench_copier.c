// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmacpy bench: rounds of a copier, which splits each copy into parts for all
 * channels. The copier's streams are used instead of the worker's.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"

/**
 * struct bench_copier - a worker's copier
 * @copier: the copier
 * @dst: destination memory, as a buffer of the copier
 * @src: source memory, as a buffer of the copier
 */
struct bench_copier {
	struct dmacpy_copier *copier;
	struct dmacpy_copier_buffer *dst;
	struct dmacpy_copier_buffer *src;
};

static int take_memory(struct dmacpy_copier *copier,
		       const struct bench_memory *mem, uint32_t access,
		       struct dmacpy_copier_buffer **buffer)
{
	if (mem->kind == BENCH_USER)
		return dmacpy_copier_register(copier, mem->data, mem->length,
					      access, buffer);

	return dmacpy_copier_import(copier, dmacpy_buffer_fd(mem->buffer),
				    access, buffer);
}

int bench_copier_begin(struct bench_worker *worker)
{
	const struct bench *bench = worker->bench;
	struct bench_stream *stream = bench_stream(worker, 0);
	struct bench_copier *copier;
	int ret;

	copier = calloc(1, sizeof(*copier));
	worker->private = copier;
	if (!copier)
		return -ENOMEM;

	ret = dmacpy_copier_open(bench->session.device, &copier->copier);
	if (!ret && bench->min_part)
		ret = dmacpy_copier_set_min_part(copier->copier,
						 bench->min_part);
	if (!ret)
		ret = take_memory(copier->copier, &stream->dst,
				  DMACPY_ACCESS_WRITE, &copier->dst);
	if (!ret)
		ret = take_memory(copier->copier, &stream->src,
				  DMACPY_ACCESS_READ, &copier->src);

	return ret;
}

int bench_copier_round(struct bench_worker *worker)
{
	const struct bench_stream *stream = bench_stream(worker, 0);
	const struct bench_copier *copier = worker->private;
	const struct dmacpy_op *op;
	unsigned int i;
	int fence, ret;

	for (i = 0; i < worker->bench->batch; i++) {
		op = &stream->ops[i];
		ret = dmacpy_copier_copy(copier->copier, copier->dst,
					 op->dst_offset, copier->src,
					 op->src_offset, op->length, -1,
					 &fence);
		if (ret)
			return ret;
		ret = dmacpy_fence_wait(fence, -1);
		close(fence);
		if (ret)
			return ret;
	}

	return 0;
}

void bench_copier_end(struct bench_worker *worker)
{
	struct bench_copier *copier = worker->private;

	if (!copier)
		return;

	dmacpy_copier_buffer_free(copier->src);
	dmacpy_copier_buffer_free(copier->dst);
	dmacpy_copier_close(copier->copier);
	free(copier);
}
