/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_PLAN_H
#define DMACPY_PLAN_H

#include <linux/kref.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

#include <linux/dmacpy.h>

#include "dmacpy_buf.h"
#include "dmacpy_chan.h"
#include "dmacpy_engine.h"
#include "dmacpy_sync.h"

struct device;
struct dmacpy_account;

/**
 * struct dmacpy_op_bufs - the buffers of an operation
 * @dst: the destination
 * @src: the source; NULL for FILL
 */
struct dmacpy_op_bufs {
	struct dmacpy_buf *dst;
	struct dmacpy_buf *src;
};

/**
 * struct dmacpy_plan_cursor - the place of the next piece in a plan
 * @op: index of the operation
 * @row: index of the row in the operation
 * @done: bytes of the row that were cut off
 * @dst_hint: segment of the destination that has the previous piece
 * @src_hint: segment of the source that has the previous piece
 */
struct dmacpy_plan_cursor {
	unsigned int op;
	unsigned int row;
	u64 done;
	unsigned int dst_hint;
	unsigned int src_hint;
};

/**
 * struct dmacpy_plan - the checked operations of a job, and their buffers
 * @ref: of a prepared plan: held by its handle, and by each job that runs it
 * @account: of a prepared plan: a reference to the user that is charged for it
 * @charged: number of handles that the user is charged
 * @rcu: frees memory where that must not sleep
 * @refused_op: where dmacpy_plan_refuse() stores the number of an operation, or
 *	NULL; not used once the plan is complete
 * @length: bytes that the plan copies or fills
 * @planned: bytes of the operations that were added
 * @rows: rows of these operations, as they count for the limit
 * @shared: other drivers or streams may use its buffers, too
 * @bounces: the plan writes to memory that bounces
 * @needs_sync: the caches have to be synced for the engine
 * @nfills: number of operations that fill, set when they are checked
 * @fills: the engine can fill with a byte
 * @tiles: the engine can copy rows with gaps
 * @dma_dev: the engine's device, for which @pattern is mapped
 * @pattern: source of FILL: a block for each, in order
 * @pattern_addr: its DMA address
 * @pattern_size: its size in bytes, 0 if it is not mapped
 * @block_size: bytes of a block, a power of two
 * @op: the operations as submitted, except that COPY and FILL have one row,
 *	adjacent rows and copies are joined when they are added, and the source
 *	offset of a FILL is that of its block
 * @points: all buffers, each once, with a reference
 * @npoints: number of @points
 * @nops: number of @op and @ends; decreases when operations are joined
 * @room: number of operations that there is memory for
 * @ends: the buffers of each operation
 */
struct dmacpy_plan {
	struct kref ref;
	struct dmacpy_account *account;
	unsigned int charged;
	struct rcu_head rcu;
	u32 *refused_op;
	u64 length;
	u64 planned;
	u64 rows;
	bool shared;
	bool bounces;
	bool needs_sync;
	unsigned int nfills;
	bool fills;
	bool tiles;
	struct device *dma_dev;
	void *pattern;
	dma_addr_t pattern_addr;
	size_t pattern_size;
	size_t block_size;
	struct dmacpy_op *op;
	struct dmacpy_job_buf *points;
	unsigned int npoints;
	unsigned int nops;
	unsigned int room;
	struct dmacpy_op_bufs ends[] __aligned(__alignof__(struct dmacpy_op));
};

size_t dmacpy_plan_memory(unsigned int room);
void dmacpy_plan_place(struct dmacpy_plan *plan, unsigned int room);
void dmacpy_plan_free_pattern(struct dmacpy_plan *plan);

struct dmacpy_plan *dmacpy_plan_new(struct dmacpy_account *account,
				    unsigned int nops);
void dmacpy_plan_free(struct kref *ref);
void dmacpy_plan_release(struct dmacpy_plan *plan);

int dmacpy_plan_refuse(struct dmacpy_plan *plan, unsigned int index, int error);
int dmacpy_plan_check(struct dmacpy_plan *plan);
void dmacpy_plan_choose_block_size(struct dmacpy_plan *plan,
				   unsigned int align);
int dmacpy_plan_add(struct dmacpy_plan *plan, const struct dmacpy_op **op,
		    const struct dmacpy_op *end,
		    const struct dmacpy_op_bufs *ends,
		    const struct dmacpy_chan *chan);
int dmacpy_plan_make_patterns(struct dmacpy_plan *plan);
bool dmacpy_plan_is_parallel(const struct dmacpy_plan *plan);

void dmacpy_plan_sync_for_device(const struct dmacpy_plan *plan);
void dmacpy_plan_sync_for_cpu(const struct dmacpy_plan *plan);
void dmacpy_plan_seek(const struct dmacpy_plan *plan,
		      struct dmacpy_plan_cursor *at, u64 bytes);
void dmacpy_plan_cut_part(const struct dmacpy_plan *plan,
			  struct dmacpy_plan_cursor *at, size_t max,
			  struct dmacpy_piece *piece);

/* Gets a reference to a prepared plan. Undone by dmacpy_plan_put(). */
static inline void dmacpy_plan_get(struct dmacpy_plan *plan)
{
	kref_get(&plan->ref);
}

/**
 * dmacpy_plan_put() - put a reference to a prepared plan
 * @plan: from dmacpy_plan_new()
 *
 * Context: Any.
 */
static inline void dmacpy_plan_put(struct dmacpy_plan *plan)
{
	kref_put(&plan->ref, dmacpy_plan_free);
}

/**
 * dmacpy_plan_reset() - reset a plan to one without checked operations
 * @plan: a plan that was never used, or after dmacpy_plan_clear()
 * @nops: number of operations, not more than it has room for
 *
 * Context: Any.
 */
static inline void dmacpy_plan_reset(struct dmacpy_plan *plan,
				     unsigned int nops)
{
	plan->refused_op = NULL;
	plan->planned = 0;
	plan->rows = 0;
	plan->shared = false;
	plan->bounces = false;
	plan->needs_sync = false;
	plan->nops = nops;
}

/**
 * dmacpy_plan_use() - add a buffer to those of a plan
 * @plan: the plan
 * @buf: the buffer; the first time, the plan gets a reference to it
 * @i: index of @buf in dmacpy_plan.points; dmacpy_plan.npoints the first time
 * @write: the plan writes to it
 *
 * Context: Any.
 */
static inline void dmacpy_plan_use(struct dmacpy_plan *plan,
				   struct dmacpy_buf *buf, unsigned int i,
				   bool write)
{
	if (i == plan->npoints) {
		dmacpy_buf_get(buf);
		plan->points[i] = (struct dmacpy_job_buf){ .buf = buf };
		plan->npoints++;
		plan->shared |= !!buf->dmabuf;
		plan->needs_sync |= buf->needs_sync;
	}
	plan->points[i].write |= write;
	plan->bounces |= write && buf->bounces;
}

/**
 * dmacpy_plan_begin() - begin to plan the operations for the engine
 * @plan: a plan that dmacpy_plan_check() has passed; the caller adds all of its
 *	operations next, by dmacpy_plan_add()
 * @chan: the channel that it will run on
 *
 * Context: Any.
 */
static inline void dmacpy_plan_begin(struct dmacpy_plan *plan,
				     const struct dmacpy_chan *chan)
{
	if (plan->nfills)
		dmacpy_plan_choose_block_size(plan, chan->copy_align);
	plan->nops = 0;
}

/**
 * dmacpy_plan_complete() - allocate what a plan needs to run
 * @plan: a plan that all operations were added to
 * @chan: the channel that it will run on
 *
 * Context: Process, while the device is bound.
 * Return: 0 or -ENOMEM.
 */
static inline int dmacpy_plan_complete(struct dmacpy_plan *plan,
				       const struct dmacpy_chan *chan)
{
	plan->dma_dev = chan->dma_dev;
	plan->fills = chan->engine.fills;
	plan->tiles = chan->engine.tiles;
	return plan->nfills ? dmacpy_plan_make_patterns(plan) : 0;
}

/**
 * dmacpy_plan_clear() - put all references of a plan
 * @plan: the plan, which may have none
 *
 * Context: Any.
 */
static inline void dmacpy_plan_clear(struct dmacpy_plan *plan)
{
	/* First: the buffers hold the device that @pattern is mapped for. */
	if (plan->pattern)
		dmacpy_plan_free_pattern(plan);
	while (plan->npoints)
		dmacpy_buf_put_atomic(plan->points[--plan->npoints].buf);
}

/* Is the whole operation one piece, as a copy between SRAM buffers is? */
static inline bool dmacpy_plan_is_piece(const struct dmacpy_op *op,
					const struct dmacpy_op_bufs *ends,
					size_t max)
{
	return op->rows == 1 && op->length <= max && ends->dst->nsegs == 1 &&
	       ends->src && ends->src->nsegs == 1;
}

/**
 * dmacpy_plan_cut() - cut the next piece off
 * @plan: the plan, which is not at its end
 * @at: the place of the piece; advanced to the next one
 * @max: maximum length of the piece
 * @piece: set to the piece
 *
 * Context: Any.
 */
static inline void dmacpy_plan_cut(const struct dmacpy_plan *plan,
				   struct dmacpy_plan_cursor *at, size_t max,
				   struct dmacpy_piece *piece)
{
	const struct dmacpy_op_bufs *ends = &plan->ends[at->op];
	const struct dmacpy_op *op = &plan->op[at->op];

	if (at->done || !dmacpy_plan_is_piece(op, ends, max)) {
		dmacpy_plan_cut_part(plan, at, max, piece);
		return;
	}
	*piece = (struct dmacpy_piece){
		.dst = ends->dst->segs->addr + op->dst_offset,
		.src = ends->src->segs->addr + op->src_offset,
		.length = op->length,
	};
	at->op++;
}

#endif /* DMACPY_PLAN_H */
