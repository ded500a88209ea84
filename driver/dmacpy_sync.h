/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_SYNC_H
#define DMACPY_SYNC_H

#include <linux/types.h>
#include <linux/ww_mutex.h>

struct dma_fence;
struct dmacpy_buf;

/**
 * struct dmacpy_job_buf - a buffer of a job
 * @buf: a reference
 * @write: the job writes to it
 * @locked: its dma_resv is locked, on behalf of all entries that share it
 */
struct dmacpy_job_buf {
	struct dmacpy_buf *buf;
	bool write;
	bool locked;
};

/**
 * struct dmacpy_deps - fences that a job waits for
 * @fences: a reference to each
 * @count: number of @fences
 * @room: number of fences that @fences has memory for
 * @explicit: number of fences, at the start, that are from the in-fence
 * @next: the first fence that may not have signalled
 */
struct dmacpy_deps {
	struct dma_fence **fences;
	unsigned int count;
	unsigned int room;
	unsigned int explicit;
	unsigned int next;
};

int dmacpy_deps_add_in_fence(struct dmacpy_deps *deps, struct dma_fence *fence);
void dmacpy_deps_put_all(struct dmacpy_deps *deps);

/* Usually there are no fences. */
static inline void dmacpy_deps_free(struct dmacpy_deps *deps)
{
	if (deps->fences)
		dmacpy_deps_put_all(deps);
}

int dmacpy_sync_lock(struct dmacpy_job_buf *points, unsigned int count,
		     struct ww_acquire_ctx *ctx);
void dmacpy_sync_unlock(struct dmacpy_job_buf *points, unsigned int count,
			struct ww_acquire_ctx *ctx);
int dmacpy_sync_collect(struct dmacpy_job_buf *points, unsigned int count,
			u64 context, struct dmacpy_deps *deps);
void dmacpy_sync_publish(struct dmacpy_job_buf *points, unsigned int count,
			 struct dma_fence *fence);

#endif /* DMACPY_SYNC_H */
