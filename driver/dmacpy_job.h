/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_JOB_H
#define DMACPY_JOB_H

#include <linux/types.h>

#include <linux/dmacpy.h>

#include "dmacpy_chan.h"

/* Limits of one job, that others wait behind. */
#define DMACPY_MAX_OPS		1024
#define DMACPY_MAX_ROWS		16384
#define DMACPY_MAX_BYTES	(16ULL << 20)

struct dma_fence;
struct dmacpy_buf;

/**
 * struct dmacpy_job_ends - what the handles of an operation stand for
 * @dst: a reference to the destination
 * @src: a reference to the source; NULL for FILL
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
 * @fence: a reference to its completion
 * @cursor: the place in @ops
 * @dma_dev: the engine's device, for which @pattern is mapped
 * @pattern: what FILL copies from: a block for each, in order
 * @pattern_addr: its address for the engine
 * @pattern_size: bytes of it, 0 if nothing is filled
 * @block_size: bytes of a block, a power of two
 * @ops: the operations as submitted, but COPY and FILL are made one row, and
 *	the source offset of a FILL is that of its block
 * @nops: number of @ops and @ends
 * @ends: their buffers
 */
struct dmacpy_job {
	struct dmacpy_xfer xfer;
	struct dma_fence *fence;
	struct dmacpy_job_cursor cursor;
	struct device *dma_dev;
	void *pattern;
	dma_addr_t pattern_addr;
	size_t pattern_size;
	size_t block_size;
	struct dmacpy_op *ops;
	unsigned int nops;
	struct dmacpy_job_ends ends[];
};

struct dmacpy_job *dmacpy_job_alloc(unsigned int nops);
void dmacpy_job_free(struct dmacpy_job *job);
int dmacpy_job_check_ops(struct dmacpy_job *job);
int dmacpy_job_check_ends(struct dmacpy_job *job,
			  const struct dmacpy_chan *chan);
int dmacpy_job_prepare(struct dmacpy_job *job, const struct dmacpy_chan *chan);
struct dma_fence *dmacpy_job_commit(struct dmacpy_job *job,
				    struct dmacpy_chan *chan, u64 context,
				    u64 seqno);

#endif /* DMACPY_JOB_H */
