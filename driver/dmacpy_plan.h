/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_PLAN_H
#define DMACPY_PLAN_H

#include <linux/kref.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

#include <linux/dmacpy.h>

#include "dmacpy_engine.h"
#include "dmacpy_sync.h"

struct device;
struct dmacpy_account;
struct dmacpy_buf;
struct dmacpy_chan;

/**
 * struct dmacpy_plan_ends - what the handles of an operation stand for
 * @dst: the destination
 * @src: the source; NULL for FILL
 */
struct dmacpy_plan_ends {
	struct dmacpy_buf *dst;
	struct dmacpy_buf *src;
};

/**
 * struct dmacpy_plan_cursor - what the channel gets next
 * @op: index of the operation
 * @row: in the operation
 * @done: bytes in the row
 * @dst_hint: segment of the destination
 * @src_hint: segment of the source
 */
struct dmacpy_plan_cursor {
	unsigned int op;
	unsigned int row;
	u64 done;
	unsigned int dst_hint;
	unsigned int src_hint;
};

/**
 * struct dmacpy_plan - what a job does: operations, checked, and their buffers
 * @ref: of a prepared one: held by its handle, and by each job that runs it
 * @account: of a prepared one: a reference to the user that it is charged to
 * @charged: as so many handles
 * @rcu: frees memory where that must not sleep
 * @refused_op: where dmacpy_plan_refuse() stores the number of an operation, or
 *	NULL; not used once it is complete
 * @length: bytes that it moves
 * @planned: bytes of the operations that were added
 * @rows: their rows, as they count for the limit
 * @shared: others may use its buffers, too
 * @bounces: it writes to memory that bounces
 * @needs_sync: the caches are to be made ready for the engine
 * @nfills: number of operations that fill, set when they are checked
 * @fills: the engine can fill by itself, with a byte
 * @tiles: the engine can copy rows with gaps by itself
 * @dma_dev: the engine's device, for which @pattern is mapped
 * @pattern: what FILL copies from: a block for each, in order
 * @pattern_addr: its address for the engine
 * @pattern_size: bytes of it, 0 if nothing is filled
 * @block_size: bytes of a block, a power of two
 * @op: the operations as submitted, but COPY and FILL are made one row, what
 *	touches is one operation once it was added, and the source offset of a
 *	FILL is that of its block
 * @points: all buffers, each once, with a reference
 * @npoints: number of @points
 * @nops: number of @op and @ends; fewer once they were added
 * @room: for how many there is memory
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
	struct dmacpy_sync_point *points;
	unsigned int npoints;
	unsigned int nops;
	unsigned int room;
	struct dmacpy_plan_ends ends[] __aligned(__alignof__(struct dmacpy_op));
};

size_t dmacpy_plan_memory(unsigned int room);
void dmacpy_plan_place(struct dmacpy_plan *plan, unsigned int room);
void dmacpy_plan_clear(struct dmacpy_plan *plan);

struct dmacpy_plan *dmacpy_plan_new(struct dmacpy_account *account,
				    unsigned int nops);
void dmacpy_plan_put(struct dmacpy_plan *plan);
void dmacpy_plan_release(struct dmacpy_plan *plan);

int dmacpy_plan_refuse(struct dmacpy_plan *plan, unsigned int index, int error);
int dmacpy_plan_check(struct dmacpy_plan *plan);
void dmacpy_plan_begin(struct dmacpy_plan *plan,
		       const struct dmacpy_chan *chan);
int dmacpy_plan_add(struct dmacpy_plan *plan, const struct dmacpy_op **op,
		    const struct dmacpy_op *end,
		    const struct dmacpy_plan_ends *ends,
		    const struct dmacpy_chan *chan);
int dmacpy_plan_complete(struct dmacpy_plan *plan,
			 const struct dmacpy_chan *chan);
bool dmacpy_plan_is_parallel(const struct dmacpy_plan *plan);

void dmacpy_plan_sync_for_device(const struct dmacpy_plan *plan);
void dmacpy_plan_sync_for_cpu(const struct dmacpy_plan *plan);
void dmacpy_plan_seek(const struct dmacpy_plan *plan,
		      struct dmacpy_plan_cursor *at, u64 bytes);
void dmacpy_plan_cut(const struct dmacpy_plan *plan,
		     struct dmacpy_plan_cursor *at, size_t max,
		     struct dmacpy_piece *piece);

/* Undone by dmacpy_plan_put(); only of a prepared one. */
static inline void dmacpy_plan_get(struct dmacpy_plan *plan)
{
	kref_get(&plan->ref);
}

#endif /* DMACPY_PLAN_H */
