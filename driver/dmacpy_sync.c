// SPDX-License-Identifier: GPL-2.0-only
/* The fences that a job waits for, and its own fence in dma-bufs. */
#include <linux/dma-fence.h>
#include <linux/dma-fence-unwrap.h>
#include <linux/dma-resv.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "dmacpy_buf.h"
#include "dmacpy_sync.h"

/* Sorts by timeline, with the latest fence of each first. */
static int deps_compare(const void *a, const void *b)
{
	struct dma_fence *left = *(struct dma_fence **)a;
	struct dma_fence *right = *(struct dma_fence **)b;

	if (left == right)
		return 0;
	if (left->context != right->context)
		return left->context < right->context ? -1 : 1;
	return dma_fence_is_later(left, right) ? -1 : 1;
}

/*
 * The buffers of a job may all have the same fences. Fences of a timeline
 * signal in order: only the latest of each matters. Fences of the in-fence are
 * all kept, as the job fails with each of them.
 */
static void deps_keep_latest(struct dmacpy_deps *deps)
{
	struct dma_fence **fences = deps->fences + deps->explicit;
	unsigned int i, kept = 0, count = deps->count - deps->explicit;

	sort(fences, count, sizeof(*fences), deps_compare, NULL);
	for (i = 0; i < count; i++)
		if (kept && fences[kept - 1]->context == fences[i]->context)
			dma_fence_put(fences[i]);
		else
			fences[kept++] = fences[i];
	deps->count = deps->explicit + kept;
}

/* If no more than half is used, the next time is far enough away. */
static int deps_make_room(struct dmacpy_deps *deps)
{
	unsigned int room = max(2 * deps->room, 4U);
	struct dma_fence **fences;

	deps_keep_latest(deps);
	if (deps->room && deps->count <= deps->room / 2)
		return 0;
	fences = krealloc_array(deps->fences, room, sizeof(*fences),
				GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!fences)
		return -ENOMEM;
	deps->fences = fences;
	deps->room = room;
	return 0;
}

/* Consumes the reference, even on failure. */
static int deps_add(struct dmacpy_deps *deps, struct dma_fence *fence)
{
	int ret;

	if (deps->count == deps->room) {
		ret = deps_make_room(deps);
		if (ret) {
			dma_fence_put(fence);
			return ret;
		}
	}
	deps->fences[deps->count++] = fence;
	return 0;
}

/**
 * dmacpy_deps_add_in_fence() - have a job wait for a fence, and fail with it
 * @deps: the fences that the job waits for, none yet
 * @fence: the fence, which may be merged
 *
 * The job waits for each part of a merged fence separately, as the whole does
 * not report the errors of all parts.
 *
 * Context: Process.
 * Return: 0 or -ENOMEM.
 */
int dmacpy_deps_add_in_fence(struct dmacpy_deps *deps, struct dma_fence *fence)
{
	struct dma_fence_unwrap iter;
	struct dma_fence *part;
	int ret;

	dma_fence_unwrap_for_each(part, &iter, fence) {
		ret = deps_add(deps, dma_fence_get(part));
		if (ret) {
			dma_fence_put(iter.chain);
			return ret;
		}
		deps->explicit = deps->count;
	}
	return 0;
}

/**
 * dmacpy_deps_put_all() - drop the references to all fences
 * @deps: the fences that a job waited for, at least one
 *
 * Context: Any.
 */
void dmacpy_deps_put_all(struct dmacpy_deps *deps)
{
	while (deps->count)
		dma_fence_put(deps->fences[--deps->count]);
	kfree(deps->fences);
	deps->fences = NULL;
}

/* Finds the entry that holds the lock of this shared dma_resv. */
static struct dmacpy_job_buf *
sync_find_locked(struct dmacpy_job_buf *points, struct dma_resv *resv)
{
	while (!points->locked || dmacpy_buf_resv(points->buf) != resv)
		points++;
	return points;
}

static void sync_unlock_all(struct dmacpy_job_buf *points,
			    unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (points[i].locked) {
			dma_resv_unlock(dmacpy_buf_resv(points[i].buf));
			points[i].locked = false;
		}
}

/*
 * Locks all entries that are not locked. On failure, @contended is the entry
 * that failed.
 */
static int sync_try_lock(struct dmacpy_job_buf *points, unsigned int count,
			 struct ww_acquire_ctx *ctx,
			 struct dmacpy_job_buf **contended)
{
	struct dmacpy_job_buf *point;
	struct dma_resv *resv;
	int ret;

	for (point = points; point < points + count; point++) {
		resv = dmacpy_buf_resv(point->buf);
		if (!resv || point->locked)
			continue;
		ret = dma_resv_lock_interruptible(resv, ctx);
		if (ret == -EALREADY) {
			if (point->write)
				sync_find_locked(points, resv)->write = true;
			continue;
		}
		if (ret) {
			*contended = point;
			return ret;
		}
		point->locked = true;
	}
	return 0;
}

/**
 * dmacpy_sync_lock() - lock the dma_resv of all buffers, and reserve slots
 * @points: the buffers of a job
 * @count: number of @points
 * @ctx: for dmacpy_sync_unlock(); only if this succeeds
 *
 * Context: Process, under dmacpy_stream.submit.
 * Return: 0, -ERESTARTSYS, -ENOMEM.
 */
int dmacpy_sync_lock(struct dmacpy_job_buf *points, unsigned int count,
		     struct ww_acquire_ctx *ctx)
{
	struct dmacpy_job_buf *contended;
	struct dma_resv *resv;
	unsigned int i;
	int ret;

	ww_acquire_init(ctx, &reservation_ww_class);
	while ((ret = sync_try_lock(points, count, ctx, &contended)) ==
	       -EDEADLK) {
		sync_unlock_all(points, count);
		resv = dmacpy_buf_resv(contended->buf);
		ret = dma_resv_lock_slow_interruptible(resv, ctx);
		if (ret)
			break;
		contended->locked = true;
	}
	for (i = 0; i < count && !ret; i++) {
		resv = dmacpy_buf_resv(points[i].buf);
		if (points[i].locked)
			ret = dma_resv_reserve_fences(resv, 1);
	}
	if (!ret) {
		ww_acquire_done(ctx);
		return 0;
	}
	dmacpy_sync_unlock(points, count, ctx);
	return ret == -EINTR ? -ERESTARTSYS : ret;
}

/**
 * dmacpy_sync_unlock() - undo dmacpy_sync_lock()
 * @points: the buffers of a job
 * @count: number of @points
 * @ctx: from dmacpy_sync_lock()
 *
 * Context: Process.
 */
void dmacpy_sync_unlock(struct dmacpy_job_buf *points, unsigned int count,
			struct ww_acquire_ctx *ctx)
{
	sync_unlock_all(points, count);
	ww_acquire_fini(ctx);
}

static int sync_collect_one(struct dma_resv *resv, bool write, u64 context,
			    struct dmacpy_deps *deps)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	int ret;

	dma_resv_for_each_fence(&cursor, resv, dma_resv_usage_rw(write),
				fence) {
		if (fence->context == context || dma_fence_is_signaled(fence))
			continue;
		ret = deps_add(deps, dma_fence_get(fence));
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * A sync of memory that bounces overwrites the engine's data with the CPU's: a
 * job that syncs waits for the last job that writes, even in the same stream.
 */
static int sync_collect_writer(const struct dmacpy_buf *buf,
			       struct dmacpy_deps *deps)
{
	if (!buf->writer || dma_fence_is_signaled(buf->writer))
		return 0;
	return deps_add(deps, dma_fence_get(buf->writer));
}

/**
 * dmacpy_sync_collect() - have a job wait for all users of its buffers
 * @points: the buffers, locked if the job waits for their fences
 * @count: number of @points
 * @context: the timeline of the stream, whose jobs run in order anyway
 * @deps: the fences that the job waits for
 *
 * Context: Process.
 * Return: 0 or -ENOMEM.
 */
int dmacpy_sync_collect(struct dmacpy_job_buf *points, unsigned int count,
			u64 context, struct dmacpy_deps *deps)
{
	struct dmacpy_job_buf *point;
	int ret = 0;

	for (point = points; point < points + count; point++) {
		if (point->locked)
			ret = sync_collect_one(dmacpy_buf_resv(point->buf),
					       point->write, context, deps);
		else
			ret = sync_collect_writer(point->buf, deps);
		if (ret)
			return ret;
	}
	return 0;
}

static void sync_set_writer(struct dmacpy_buf *buf, struct dma_fence *fence)
{
	dma_fence_put(buf->writer);
	buf->writer = dma_fence_get(fence);
}

/**
 * dmacpy_sync_publish() - make the fence of a job visible in its buffers
 * @points: the buffers, locked if other users of these wait for the job
 * @count: number of @points
 * @fence: the fence of the job
 *
 * Context: Process. The fence must signal from now on.
 */
void dmacpy_sync_publish(struct dmacpy_job_buf *points, unsigned int count,
			 struct dma_fence *fence)
{
	struct dmacpy_job_buf *point;

	for (point = points; point < points + count; point++) {
		if (point->write && point->buf->bounces)
			sync_set_writer(point->buf, fence);
		if (point->locked)
			dma_resv_add_fence(dmacpy_buf_resv(point->buf), fence,
					   point->write ?
					   DMA_RESV_USAGE_WRITE :
					   DMA_RESV_USAGE_READ);
	}
}
