// SPDX-License-Identifier: GPL-2.0-only
/* The handles of a stream: numbers of buffers and of prepared operations. */
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/xarray.h>

#include "dmacpy_buf.h"
#include "dmacpy_device.h"
#include "dmacpy_export.h"
#include "dmacpy_handle.h"
#include "dmacpy_plan.h"
#include "dmacpy_stream.h"

/* Maximum handle of a buffer; prepared operations have as many above it. */
#define HANDLE_MAX	16384

/* Adds a buffer, whose reference becomes the handle's, or is dropped. */
static int handle_add(struct dmacpy_stream *stream, struct dmacpy_buf *buf,
		      u32 *handle)
{
	int ret;

	ret = xa_alloc(&stream->bufs, handle, buf, XA_LIMIT(1, HANDLE_MAX),
		       GFP_KERNEL);
	if (ret)
		dmacpy_buf_put(buf);
	return ret == -EBUSY ? -EDQUOT : ret;
}

/* Called before the reference of the handle is dropped */
static void handle_invalidate(struct dmacpy_stream *stream, u32 handle)
{
	struct dmacpy_handle_cache *plan =
		dmacpy_handle_plan_cache(stream, handle);

	lockdep_assert_held(&stream->submit);
	if (stream->dst.handle == handle)
		stream->dst = (struct dmacpy_handle_cache){ };
	if (stream->src.handle == handle)
		stream->src = (struct dmacpy_handle_cache){ };
	if (plan->handle == handle)
		*plan = (struct dmacpy_handle_cache){ };
}

/**
 * dmacpy_handle_import() - create a handle for a dma-buf
 * @stream: the stream
 * @dmabuf: the dma-buf
 * @access: DMACPY_ACCESS_*
 * @handle: set to the handle
 *
 * Context: Process. Undone by dmacpy_handle_release().
 * Return: 0, -ENODEV, -EDQUOT, or as dmacpy_buf_import().
 */
int dmacpy_handle_import(struct dmacpy_stream *stream, struct dma_buf *dmabuf,
			 u32 access, u32 *handle)
{
	struct dmacpy_buf *buf;
	int idx, ret;

	if (!dmacpy_device_enter(stream->dev, &idx)) {
		ret = -ENODEV;
		goto out_leave;
	}
	buf = dmacpy_buf_import(stream->account, stream->chan, dmabuf, access);
	if (IS_ERR(buf)) {
		ret = PTR_ERR(buf);
		goto out_leave;
	}
	ret = handle_add(stream, buf, handle);
out_leave:
	dmacpy_device_exit(stream->dev, idx);
	return ret;
}

/**
 * dmacpy_handle_register() - create a handle for memory of the calling process
 * @stream: the stream
 * @addr: its address
 * @length: bytes, not 0, not wrapping
 * @access: DMACPY_ACCESS_*
 * @explicit_sync: jobs do not sync it
 * @handle: set to the handle
 *
 * Context: Process. Undone by dmacpy_handle_release().
 * Return: 0, -ENODEV, -EDQUOT, or as dmacpy_buf_pin(), dmacpy_buf_map_user().
 */
int dmacpy_handle_register(struct dmacpy_stream *stream, unsigned long addr,
			   size_t length, u32 access, bool explicit_sync,
			   u32 *handle)
{
	struct dmacpy_buf *buf;
	int idx, ret = -ENODEV;

	buf = dmacpy_buf_pin(stream->account, addr, length, access);
	if (IS_ERR(buf))
		return PTR_ERR(buf);

	if (dmacpy_device_enter(stream->dev, &idx))
		ret = dmacpy_buf_map_user(buf, stream->chan, explicit_sync);
	if (ret)
		dmacpy_buf_put(buf);
	else
		ret = handle_add(stream, buf, handle);
	dmacpy_device_exit(stream->dev, idx);
	return ret;
}

/**
 * dmacpy_handle_sync() - sync a part of memory for a program
 * @stream: the stream
 * @handle: the handle of the memory
 * @offset: first byte
 * @length: bytes
 * @for_cpu: true to sync for the CPU, false for the engine
 *
 * Context: Process.
 * Return: 0, -ENODEV, -ERESTARTSYS, -ENOENT, or as dmacpy_buf_check_sync().
 */
int dmacpy_handle_sync(struct dmacpy_stream *stream, u32 handle, u64 offset,
		       u64 length, bool for_cpu)
{
	struct dmacpy_buf *buf;
	int idx, ret = -ENODEV;

	if (!dmacpy_device_enter(stream->dev, &idx))
		goto out_leave;
	ret = -ERESTARTSYS;
	if (mutex_lock_interruptible(&stream->submit))
		goto out_leave;
	buf = xa_load(&stream->bufs, handle);
	if (buf)
		dmacpy_buf_get(buf);
	mutex_unlock(&stream->submit);
	ret = -ENOENT;
	if (!buf)
		goto out_leave;
	ret = dmacpy_buf_check_sync(buf, stream->chan, offset, length,
				    for_cpu);
	if (!ret)
		dmacpy_buf_sync(buf, offset, length, for_cpu);
	dmacpy_buf_put(buf);
out_leave:
	dmacpy_device_exit(stream->dev, idx);
	return ret;
}

/**
 * dmacpy_handle_add_plan() - create a handle for operations that jobs will run
 * @stream: the stream
 * @plan: the operations; the reference becomes that of the handle
 * @handle: set to the handle
 *
 * Context: Process, inside the gate. Undone by dmacpy_handle_release().
 * Return: 0; or -EDQUOT, -ENOMEM, when the caller keeps the reference.
 */
int dmacpy_handle_add_plan(struct dmacpy_stream *stream,
			   struct dmacpy_plan *plan, u32 *handle)
{
	int ret;

	ret = xa_alloc(&stream->plans, handle, plan,
		       XA_LIMIT(HANDLE_MAX + 1, 2 * HANDLE_MAX), GFP_KERNEL);
	return ret == -EBUSY ? -EDQUOT : ret;
}

/**
 * dmacpy_handle_load_plan() - look up operations that are not in the cache
 * @stream: the stream
 * @handle: from dmacpy_handle_add_plan(), or any other than 0
 *
 * Context: As dmacpy_handle_find_plan().
 * Return: the operations, or NULL if there is no such handle.
 */
struct dmacpy_plan *dmacpy_handle_load_plan(struct dmacpy_stream *stream,
					    u32 handle)
{
	struct dmacpy_handle_cache *cache =
		dmacpy_handle_plan_cache(stream, handle);
	struct dmacpy_plan *plan;

	lockdep_assert_held(&stream->submit);
	plan = xa_load(&stream->plans, handle);
	if (!plan || xa_is_value(plan))
		return NULL;
	cache->handle = handle;
	cache->plan = plan;
	return plan;
}

/**
 * dmacpy_handle_release() - remove a handle
 * @stream: the stream
 * @handle: the handle
 *
 * Context: Process.
 * Return: 0, -ENOENT, or -EINTR for a fatal signal.
 */
int dmacpy_handle_release(struct dmacpy_stream *stream, u32 handle)
{
	bool prepared = handle > HANDLE_MAX;
	void *entry;
	int idx, ret;

	/* Enter even after an unbind, which waits for all tasks inside. */
	dmacpy_device_enter(stream->dev, &idx);
	ret = mutex_lock_killable(&stream->submit);
	if (ret)
		goto out_leave;
	entry = xa_erase(prepared ? &stream->plans : &stream->bufs, handle);
	handle_invalidate(stream, handle);
	mutex_unlock(&stream->submit);
	if (!entry)
		ret = -ENOENT;
	else if (!xa_is_value(entry) && prepared)
		dmacpy_plan_release(entry);
	else if (!xa_is_value(entry))
		dmacpy_buf_put(entry);
out_leave:
	dmacpy_device_exit(stream->dev, idx);
	return ret;
}

static void handle_drop_plans(struct dmacpy_stream *stream)
{
	struct dmacpy_plan *plan;
	unsigned long handle;

	mutex_lock(&stream->submit);
	xa_for_each(&stream->plans, handle, plan) {
		if (xa_is_value(plan))
			continue;
		xa_store(&stream->plans, handle, xa_mk_value(0), GFP_KERNEL);
		handle_invalidate(stream, handle);
		dmacpy_plan_release(plan);
		cond_resched();
	}
	mutex_unlock(&stream->submit);
}

/**
 * dmacpy_handle_drop_all() - drop the objects of all handles
 * @stream: the stream
 *
 * The handles stay, so that RELEASE succeeds after an unbind too.
 *
 * Context: Process, inside the gate or with it closed.
 */
void dmacpy_handle_drop_all(struct dmacpy_stream *stream)
{
	struct dmacpy_buf *buf;
	unsigned long handle;
	bool dropped;

	handle_drop_plans(stream);
	xa_for_each(&stream->bufs, handle, buf) {
		if (xa_is_value(buf))
			continue;
		mutex_lock(&stream->submit);
		dropped = xa_cmpxchg(&stream->bufs, handle, buf,
				     xa_mk_value(0), GFP_KERNEL) == buf;
		handle_invalidate(stream, handle);
		mutex_unlock(&stream->submit);
		if (dropped)
			dmacpy_buf_put(buf);
	}
}

/**
 * dmacpy_handle_stat() - count the handles of a stream and their memory
 * @stream: the stream
 * @stat: the function adds to its handles, pinned and sram
 *
 * Context: Process.
 * Return: 0, or -EINTR for a fatal signal.
 */
int dmacpy_handle_stat(struct dmacpy_stream *stream,
		       struct dmacpy_stream_stat *stat)
{
	const struct dmacpy_plan *plan;
	const struct dmacpy_buf *buf;
	unsigned long handle;

	/* Handles are only removed under this mutex. */
	if (mutex_lock_killable(&stream->submit))
		return -EINTR;
	xa_for_each(&stream->plans, handle, plan)
		stat->handles++;
	xa_for_each(&stream->bufs, handle, buf) {
		stat->handles++;
		if (xa_is_value(buf))
			continue;
		stat->pinned += dmacpy_buf_pinned(buf);
		if (buf->dmabuf && dmacpy_export_is_sram(buf->dmabuf))
			stat->sram += buf->length;
	}
	mutex_unlock(&stream->submit);
	return 0;
}
