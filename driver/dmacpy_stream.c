// SPDX-License-Identifier: GPL-2.0-only
/* One open file: a table of handles, and the order of its jobs. */
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/slab.h>

#include "dmacpy_buf.h"
#include "dmacpy_chan.h"
#include "dmacpy_device.h"
#include "dmacpy_job.h"
#include "dmacpy_stream.h"

static struct dmacpy_chan *stream_pick_channel(struct dmacpy_device *dev)
{
	struct dmacpy_chan *best = dev->chans[0];
	unsigned int i;

	for (i = 1; i < dev->nchans; i++)
		if (dev->chans[i]->streams < best->streams)
			best = dev->chans[i];
	best->streams++;
	return best;
}

/**
 * dmacpy_stream_open() - a new stream, on the channel with the fewest
 * @dev: the instance
 *
 * Context: Process.
 * Return: the stream (dmacpy_stream_close()), or an ERR_PTR() of -ENOMEM or
 * -ENODEV.
 */
struct dmacpy_stream *dmacpy_stream_open(struct dmacpy_device *dev)
{
	struct dmacpy_stream *stream;
	int idx, ret = 0;

	stream = kzalloc(sizeof(*stream), GFP_KERNEL_ACCOUNT);
	if (!stream)
		return ERR_PTR(-ENOMEM);
	xa_init_flags(&stream->bufs, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	mutex_init(&stream->submit);
	stream->context = dma_fence_context_alloc(1);
	stream->dev = dev;

	if (!dmacpy_device_enter(dev, &idx)) {
		ret = -ENODEV;
		goto out_leave;
	}
	dmacpy_device_get(dev);
	mutex_lock(&dev->lock);
	stream->chan = stream_pick_channel(dev);
	list_add(&stream->node, &dev->streams);
	mutex_unlock(&dev->lock);
out_leave:
	dmacpy_device_leave(dev, idx);
	if (ret) {
		kfree(stream);
		return ERR_PTR(ret);
	}
	return stream;
}

/**
 * dmacpy_stream_drop_buffers() - let go of all that is behind handles
 * @stream: the stream
 *
 * The handles stay, so that RELEASE succeeds after an unbind too.
 *
 * Context: Process, inside the gate or with it closed.
 */
void dmacpy_stream_drop_buffers(struct dmacpy_stream *stream)
{
	struct dmacpy_buf *buf;
	unsigned long handle;

	xa_for_each(&stream->bufs, handle, buf)
		if (!xa_is_value(buf) &&
		    xa_cmpxchg(&stream->bufs, handle, buf, xa_mk_value(0),
			       GFP_KERNEL) == buf)
			dmacpy_buf_put(buf);
}

/**
 * dmacpy_stream_close() - end a stream; its jobs go on
 * @stream: the stream
 *
 * Context: Process.
 */
void dmacpy_stream_close(struct dmacpy_stream *stream)
{
	struct dmacpy_device *dev = stream->dev;
	bool alive;
	int idx;

	/* Also when unbound, as that waits for those who drop handles. */
	alive = dmacpy_device_enter(dev, &idx);
	dmacpy_stream_drop_buffers(stream);
	mutex_lock(&dev->lock);
	list_del(&stream->node);
	if (alive)
		stream->chan->streams--;
	mutex_unlock(&dev->lock);
	dmacpy_device_leave(dev, idx);

	xa_destroy(&stream->bufs);
	kfree(stream);
	dmacpy_device_put(dev);
}

/* The reference is the handle's, or given back. */
static int stream_add(struct dmacpy_stream *stream, struct dmacpy_buf *buf,
		      u32 *handle)
{
	int ret;

	ret = xa_alloc(&stream->bufs, handle, buf,
		       XA_LIMIT(1, DMACPY_MAX_HANDLES), GFP_KERNEL);
	if (ret)
		dmacpy_buf_put(buf);
	return ret == -EBUSY ? -EDQUOT : ret;
}

/**
 * dmacpy_stream_import() - a handle for a dma-buf
 * @stream: the stream
 * @dmabuf: the dma-buf
 * @access: DMACPY_ACCESS_*
 * @handle: set to the handle
 *
 * Context: Process. Undone by dmacpy_stream_release().
 * Return: 0, -ENODEV, -EDQUOT, or as dmacpy_buf_import().
 */
int dmacpy_stream_import(struct dmacpy_stream *stream, struct dma_buf *dmabuf,
			 u32 access, u32 *handle)
{
	struct dmacpy_buf *buf;
	int idx, ret;

	if (!dmacpy_device_enter(stream->dev, &idx)) {
		ret = -ENODEV;
		goto out_leave;
	}
	buf = dmacpy_buf_import(stream->chan, dmabuf, access);
	if (IS_ERR(buf)) {
		ret = PTR_ERR(buf);
		goto out_leave;
	}
	ret = stream_add(stream, buf, handle);
out_leave:
	dmacpy_device_leave(stream->dev, idx);
	return ret;
}

/**
 * dmacpy_stream_register() - a handle for memory of the calling process
 * @stream: the stream
 * @addr: its address
 * @length: bytes, not 0, not wrapping
 * @access: DMACPY_ACCESS_*
 * @handle: set to the handle
 *
 * Context: Process. Undone by dmacpy_stream_release().
 * Return: 0, -ENODEV, -EDQUOT, or as dmacpy_buf_pin(), dmacpy_buf_map_user().
 */
int dmacpy_stream_register(struct dmacpy_stream *stream, unsigned long addr,
			   size_t length, u32 access, u32 *handle)
{
	struct dmacpy_buf *buf;
	int idx, ret = -ENODEV;

	buf = dmacpy_buf_pin(addr, length, access);
	if (IS_ERR(buf))
		return PTR_ERR(buf);

	if (dmacpy_device_enter(stream->dev, &idx))
		ret = dmacpy_buf_map_user(buf, stream->chan);
	if (ret)
		dmacpy_buf_put(buf);
	else
		ret = stream_add(stream, buf, handle);
	dmacpy_device_leave(stream->dev, idx);
	return ret;
}

/**
 * dmacpy_stream_release() - forget a handle
 * @stream: the stream
 * @handle: the handle
 *
 * Context: Process.
 * Return: 0 or -ENOENT.
 */
int dmacpy_stream_release(struct dmacpy_stream *stream, u32 handle)
{
	struct dmacpy_buf *buf;
	int idx;

	/* Also when unbound, as that waits for those who drop handles. */
	dmacpy_device_enter(stream->dev, &idx);
	buf = xa_erase(&stream->bufs, handle);
	if (buf && !xa_is_value(buf))
		dmacpy_buf_put(buf);
	dmacpy_device_leave(stream->dev, idx);
	return buf ? 0 : -ENOENT;
}

static struct dmacpy_buf *stream_get(struct dmacpy_stream *stream, u32 handle)
{
	struct dmacpy_buf *buf;

	xa_lock(&stream->bufs);
	buf = xa_load(&stream->bufs, handle);
	if (buf)
		dmacpy_buf_get(buf);
	xa_unlock(&stream->bufs);
	return buf;
}

static int stream_resolve(struct dmacpy_stream *stream, struct dmacpy_job *job)
{
	unsigned int i;

	for (i = 0; i < job->nops; i++) {
		const struct dmacpy_op *op = &job->ops[i];
		struct dmacpy_job_ends *ends = &job->ends[i];

		ends->dst = stream_get(stream, op->dst);
		if (!ends->dst)
			return -ENOENT;
		if (op->opcode == DMACPY_OP_FILL)
			continue;
		ends->src = stream_get(stream, op->src);
		if (!ends->src)
			return -ENOENT;
	}
	return 0;
}

static int stream_prepare(struct dmacpy_stream *stream, struct dmacpy_job *job)
{
	int ret;

	ret = stream_resolve(stream, job);
	if (ret)
		return ret;
	ret = dmacpy_job_check_ends(job, stream->chan);
	if (ret)
		return ret;
	if (!dmacpy_chan_ready(stream->chan))
		return -EAGAIN;
	return dmacpy_job_prepare(job, stream->chan);
}

/**
 * dmacpy_stream_submit() - run a job, after those submitted before it
 * @stream: the stream
 * @job: a job, dmacpy_job_check_ops() was happy with; gone in any case
 *
 * Context: Process.
 * Return: the job's fence with a reference (dma_fence_put()), or an ERR_PTR():
 * -ENODEV, -ENOENT, -EAGAIN while the channel is being recovered, or as
 * dmacpy_job_check_ends(), dmacpy_job_prepare(). Nothing was started then.
 */
struct dma_fence *dmacpy_stream_submit(struct dmacpy_stream *stream,
				       struct dmacpy_job *job)
{
	struct dma_fence *fence;
	int idx, ret = -ENODEV;

	if (dmacpy_device_enter(stream->dev, &idx))
		ret = stream_prepare(stream, job);
	if (ret) {
		dmacpy_job_free(job);
		fence = ERR_PTR(ret);
	} else {
		mutex_lock(&stream->submit);
		fence = dmacpy_job_commit(job, stream->chan, stream->context,
					  ++stream->seqno);
		mutex_unlock(&stream->submit);
	}
	dmacpy_device_leave(stream->dev, idx);
	return fence;
}
