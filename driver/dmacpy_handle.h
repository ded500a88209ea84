/* SPDX-License-Identifier: GPL-2.0-only */
/* The handles of a stream: numbers of buffers and of prepared operations */
#ifndef DMACPY_HANDLE_H
#define DMACPY_HANDLE_H

#include <linux/lockdep.h>
#include <linux/types.h>

#include "dmacpy_stream.h"

struct dma_buf;
struct dmacpy_buf;
struct dmacpy_plan;

int dmacpy_handle_import(struct dmacpy_stream *stream, struct dma_buf *dmabuf,
			 u32 access, u32 *handle);
int dmacpy_handle_register(struct dmacpy_stream *stream, unsigned long addr,
			   size_t length, u32 access, bool explicit_sync,
			   u32 *handle);
int dmacpy_handle_sync(struct dmacpy_stream *stream, u32 handle, u64 offset,
		       u64 length, bool for_cpu);
int dmacpy_handle_add_plan(struct dmacpy_stream *stream,
			   struct dmacpy_plan *plan, u32 *handle);
struct dmacpy_plan *dmacpy_handle_load_plan(struct dmacpy_stream *stream,
					    u32 handle);
int dmacpy_handle_release(struct dmacpy_stream *stream, u32 handle);
void dmacpy_handle_drop_all(struct dmacpy_stream *stream);
int dmacpy_handle_stat(struct dmacpy_stream *stream,
		       struct dmacpy_stream_stat *stat);

static inline struct dmacpy_handle_cache *
dmacpy_handle_plan_cache(struct dmacpy_stream *stream, u32 handle)
{
	return &stream->plan[handle % DMACPY_STREAM_PLANS];
}

/**
 * dmacpy_handle_find_plan() - look up the operations of a handle
 * @stream: the stream
 * @handle: from dmacpy_handle_add_plan(), or any other than 0
 *
 * Context: Under dmacpy_stream.submit; the handle keeps its reference while
 * that mutex is held.
 * Return: the operations, or NULL if there is no such handle.
 */
static inline struct dmacpy_plan *
dmacpy_handle_find_plan(struct dmacpy_stream *stream, u32 handle)
{
	const struct dmacpy_handle_cache *cache =
		dmacpy_handle_plan_cache(stream, handle);

	lockdep_assert_held(&stream->submit);
	return cache->handle == handle ? cache->plan :
	       dmacpy_handle_load_plan(stream, handle);
}

#endif /* DMACPY_HANDLE_H */
