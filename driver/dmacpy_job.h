/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_JOB_H
#define DMACPY_JOB_H

#include <linux/container_of.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/types.h>

#include <linux/dmacpy.h>

#include "dmacpy_chan.h"
#include "dmacpy_sync.h"

struct dma_fence;
struct dmacpy_buf;
struct dmacpy_job;
struct dmacpy_stream;
struct dmacpy_waiter;

/* A lazy job has no more buffers than this. */
#define DMACPY_LAZY_POINTS	2

/**
 * struct dmacpy_job_ends - what the handles of an operation stand for
 * @dst: the destination
 * @src: the source; NULL for FILL
 */
struct dmacpy_job_ends {
	struct dmacpy_buf *dst;
	struct dmacpy_buf *src;
};

/**
 * struct dmacpy_job_cursor - what the channel gets next
 * @op: index of the operation
 * @row: in the operation
 * @done: bytes in the row
 * @dst_hint: segment of the destination
 * @src_hint: segment of the source
 */
struct dmacpy_job_cursor {
	unsigned int op;
	unsigned int row;
	u64 done;
	unsigned int dst_hint;
	unsigned int src_hint;
};

/**
 * struct dmacpy_job - operations that are run and complete together
 * @xfer: what the channel knows of it; owns the job once it was submitted
 * @stream: a reference to the stream, once it was committed
 * @node: in dmacpy_stream.waiting
 * @spare: in dmacpy_stream.spares, when nothing but the memory is left
 * @seqno: its place in the stream
 * @fence: a reference to its completion, if others want to know it, or NULL
 * @deps: what it waits for
 * @deadline: when it stops waiting for fences of other drivers, in jiffies, if
 *	it has to wait
 * @waiter: awaits its result, or NULL; under dmacpy_stream.lock
 * @refused_op: where dmacpy_job_refuse() stores the number of an operation, or
 *	NULL; not used once the job was submitted
 * @user_data: for the event
 * @event: leaves an event for read()
 * @implicit: waits for others that use its buffers, and has them wait for it;
 *	cleared when it is prepared, if there cannot be any
 * @lazy: its submitter waits for it, and it has a fence only if that takes
 *	long; cleared when it is prepared, if it needs none, or one at once
 * @length: bytes that it moves
 * @rows: rows that it has, as they count for the limit, while it is planned
 * @needs_sync: the caches are to be made ready for the engine
 * @synced: the caches were made ready for the engine
 * @cursor: the place in @op
 * @nfills: number of operations that fill, set when they are checked
 * @fills: the engine can fill by itself, with a byte
 * @dma_dev: the engine's device, for which @pattern is mapped
 * @pattern: what FILL copies from: a block for each, in order
 * @pattern_addr: its address for the engine
 * @pattern_size: bytes of it, 0 if nothing is filled
 * @block_size: bytes of a block, a power of two
 * @op: the operations as submitted, but COPY and FILL are made one row, what
 *	touches is one operation once the job was planned, and the source offset
 *	of a FILL is that of its block
 * @points: all buffers, each once, with a reference
 * @npoints: number of @points
 * @nops: number of @op and @ends; fewer once the job was planned
 * @room: for how many there is memory
 * @ends: the buffers of each operation
 */
struct dmacpy_job {
	struct dmacpy_xfer xfer;
	struct dmacpy_stream *stream;
	struct list_head node;
	struct llist_node spare;
	u64 seqno;
	struct dma_fence *fence;
	struct dmacpy_deps deps;
	unsigned long deadline;
	struct dmacpy_waiter *waiter;
	u32 *refused_op;
	u64 user_data;
	bool event;
	bool implicit;
	bool lazy;
	u64 length;
	u64 rows;
	bool needs_sync;
	bool synced;
	struct dmacpy_job_cursor cursor;
	unsigned int nfills;
	bool fills;
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
	struct dmacpy_job_ends ends[];
};

struct dmacpy_job *dmacpy_job_new(struct dmacpy_job *spare, unsigned int nops);
void dmacpy_job_free(struct dmacpy_job *job);
int dmacpy_job_add_fence(struct dmacpy_job *job);
int dmacpy_job_refuse(struct dmacpy_job *job, unsigned int index, int error);
int dmacpy_job_check_ops(struct dmacpy_job *job);
void dmacpy_job_plan(struct dmacpy_job *job, const struct dmacpy_chan *chan);
int dmacpy_job_plan_ops(struct dmacpy_job *job, const struct dmacpy_op **op,
			const struct dmacpy_op *end,
			const struct dmacpy_job_ends *ends,
			const struct dmacpy_chan *chan);
int dmacpy_job_prepare(struct dmacpy_job *job, const struct dmacpy_chan *chan);
void dmacpy_job_run(struct dmacpy_job *job, struct dmacpy_chan *chan,
		    struct dmacpy_lane *lane, const struct dmacpy_xfer_ops *ops,
		    int result);
void dmacpy_job_next(struct dmacpy_xfer *xfer, size_t max,
		     struct dmacpy_piece *piece);
void dmacpy_job_complete(struct dmacpy_job *job);
void dmacpy_job_clear(struct dmacpy_job *job);

static inline struct dmacpy_job *dmacpy_job_of(struct dmacpy_xfer *xfer)
{
	return container_of(xfer, struct dmacpy_job, xfer);
}

#endif /* DMACPY_JOB_H */
