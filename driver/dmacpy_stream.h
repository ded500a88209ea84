/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_STREAM_H
#define DMACPY_STREAM_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/xarray.h>

struct dma_buf;
struct dma_fence;
struct dmacpy_buf;
struct dmacpy_chan;
struct dmacpy_device;
struct dmacpy_job;

/* Limit of the handles of a stream. */
#define DMACPY_MAX_HANDLES	16384

/**
 * struct dmacpy_stream - an open file
 * @dev: a reference to the instance
 * @chan: the channel for its life; only inside the gate
 * @node: in dmacpy_device.streams, under dmacpy_device.lock
 * @bufs: the handles: struct dmacpy_buf by number, each a reference; a value
 *	where the device was unbound
 * @submit: makes the order of commits that of @seqno
 * @context: the timeline of its fences
 * @seqno: of the last job, under @submit
 */
struct dmacpy_stream {
	struct dmacpy_device *dev;
	struct dmacpy_chan *chan;
	struct list_head node;
	struct xarray bufs;
	struct mutex submit;
	u64 context;
	u64 seqno;
};

struct dmacpy_stream *dmacpy_stream_open(struct dmacpy_device *dev);
void dmacpy_stream_close(struct dmacpy_stream *stream);
void dmacpy_stream_drop_buffers(struct dmacpy_stream *stream);
int dmacpy_stream_import(struct dmacpy_stream *stream, struct dma_buf *dmabuf,
			 u32 access, u32 *handle);
int dmacpy_stream_register(struct dmacpy_stream *stream, unsigned long addr,
			   size_t length, u32 access, u32 *handle);
int dmacpy_stream_release(struct dmacpy_stream *stream, u32 handle);
struct dma_fence *dmacpy_stream_submit(struct dmacpy_stream *stream,
				       struct dmacpy_job *job);

#endif /* DMACPY_STREAM_H */
