// SPDX-License-Identifier: GPL-2.0-only
/*
 * A batch of operations. Everything that can fail happens before it has its
 * place in the stream; what fails later is its result.
 */
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "dmacpy_buf.h"
#include "dmacpy_fence.h"
#include "dmacpy_job.h"
#include "dmacpy_param.h"

/* Blocks of a pattern: long for few descriptors, short for many patterns. */
#define JOB_BLOCK_MAX	4096U
#define JOB_BLOCKS_MAX	65536U
/* Bytes whose caches may be synced in an interrupt. */
#define JOB_QUICK_SYNC	65536U

static struct dmacpy_job *job_alloc(unsigned int room)
{
	struct dmacpy_job *job;
	size_t head = struct_size(job, ends, room);
	size_t ops = array_size(room, sizeof(*job->op));
	size_t points = array_size(2 * room, sizeof(*job->points));

	job = kvmalloc(size_add(head, size_add(ops, points)),
		       GFP_KERNEL_ACCOUNT);
	if (!job)
		return NULL;
	job->room = room;
	job->op = (void *)job + head;
	job->points = (void *)job + head + ops;
	return job;
}

/**
 * dmacpy_job_new() - make a job
 * @spare: one that was released, to use again if it has the room, or NULL
 * @nops: number of operations, 1 to dmacpy_max_ops
 *
 * Context: Process.
 * Return: a job (dmacpy_job_free()) whose operations are to be filled in, or
 * NULL.
 */
struct dmacpy_job *dmacpy_job_new(struct dmacpy_job *spare, unsigned int nops)
{
	struct dmacpy_job *job = spare;

	if (!job || job->room < nops) {
		kvfree(job);
		job = job_alloc(nops);
		if (!job)
			return NULL;
	}
	*job = (struct dmacpy_job){
		.op = job->op,
		.points = job->points,
		.nops = nops,
		.room = job->room,
	};
	return job;
}

static void job_put_memory(struct dmacpy_job *job)
{
	while (job->npoints)
		dmacpy_buf_put_atomic(job->points[--job->npoints].buf);
	if (!job->pattern)
		return;
	if (job->pattern_size)
		dma_unmap_single(job->dma_dev, job->pattern_addr,
				 job->pattern_size, DMA_TO_DEVICE);
	kfree(job->pattern);
	job->pattern = NULL;
}

/**
 * dmacpy_job_clear() - put all that a job has a reference to
 * @job: the job, of which only the memory is left after this
 *
 * Context: Any.
 */
void dmacpy_job_clear(struct dmacpy_job *job)
{
	job_put_memory(job);
	dmacpy_deps_free(&job->deps);
	dma_fence_put(job->fence);
}

/**
 * dmacpy_job_free() - free a job that was not submitted
 * @job: the job
 *
 * Context: Any.
 */
void dmacpy_job_free(struct dmacpy_job *job)
{
	dmacpy_job_clear(job);
	kvfree(job);
}

/**
 * dmacpy_job_add_fence() - have others know when a job has ended
 * @job: a job that was not submitted; it may have a fence
 *
 * Context: Process.
 * Return: 0 or -ENOMEM.
 */
int dmacpy_job_add_fence(struct dmacpy_job *job)
{
	if (!job->fence)
		job->fence = dmacpy_fence_new();
	return job->fence ? 0 : -ENOMEM;
}

/**
 * dmacpy_job_refuse() - note which operation is the reason of a refusal
 * @job: a job that was not submitted
 * @index: of the operation
 * @error: what is wrong with it
 *
 * Context: Any.
 * Return: @error.
 */
int dmacpy_job_refuse(struct dmacpy_job *job, unsigned int index, int error)
{
	if (job->refused_op)
		*job->refused_op = index + 1;
	return error;
}

static int job_check_op(const struct dmacpy_op *op)
{
	u64 unused;

	switch (op->opcode) {
	case DMACPY_OP_COPY:
		unused = op->dst_stride | op->src_stride | op->rows |
			 op->pattern;
		break;
	case DMACPY_OP_COPY_2D:
		if (!op->rows || op->dst_stride < op->length)
			return -EINVAL;
		unused = op->pattern;
		break;
	case DMACPY_OP_FILL:
		unused = op->src | op->src_offset | op->dst_stride |
			 op->src_stride | op->rows;
		break;
	default:
		return -EOPNOTSUPP;
	}
	if (op->flags)
		return -EOPNOTSUPP;
	return unused || !op->length ? -EINVAL : 0;
}

/* No more than the limit: dmacpy_job_plan_ops() refuses that job. */
static u64 job_op_bytes(const struct dmacpy_op *op)
{
	u64 max = dmacpy_max_bytes.value + 1ULL;

	return min(min(op->length, max) * op->rows, max);
}

/**
 * dmacpy_job_check_ops() - check what can be said without the buffers
 * @job: the job; it has its length then, and all its operations have rows
 *
 * Context: Any.
 * Return: 0, -EINVAL or -EOPNOTSUPP.
 */
int dmacpy_job_check_ops(struct dmacpy_job *job)
{
	struct dmacpy_op *op, *end = job->op + job->nops;
	unsigned int nfills = 0;
	u64 length = 0;
	int ret;

	for (op = job->op; op < end; op++) {
		ret = job_check_op(op);
		if (ret)
			return dmacpy_job_refuse(job, op - job->op, ret);
		if (!op->rows)
			op->rows = 1;
		length += job_op_bytes(op);
		nfills += op->opcode == DMACPY_OP_FILL;
	}
	job->length = length;
	job->nfills = nfills;
	return 0;
}

/* Where the last row ends. */
static bool job_end_overflows(const struct dmacpy_op *op, u64 offset,
			      u64 stride, u64 *end)
{
	if (check_add_overflow(offset, op->length, end))
		return true;
	if (op->rows == 1)
		return false;
	return check_mul_overflow((u64)(op->rows - 1), stride, &stride) ||
	       check_add_overflow(*end, stride, end);
}

static bool job_is_within(const struct dmacpy_op *op,
			  const struct dmacpy_buf *buf, u64 offset, u64 stride)
{
	u64 end;

	return !job_end_overflows(op, offset, stride, &end) &&
	       end <= buf->length;
}

/*
 * Row i of the one and row j of the other, in a picture with this stride, are
 * apart by the distance of the first rows less (i - j) strides.
 */
static bool job_tiles_overlap(const struct dmacpy_op *op)
{
	u64 rows, rest, stride = op->dst_stride;

	rows = div64_u64_rem(op->dst_offset > op->src_offset ?
			     op->dst_offset - op->src_offset :
			     op->src_offset - op->dst_offset, stride, &rest);
	return (rows < op->rows && rest < op->length) ||
	       (rows + 1 < op->rows && stride - rest < op->length);
}

/* Both ends are in the same buffer, and within it. */
static bool job_overlaps(const struct dmacpy_op *op)
{
	u64 dst_end, src_end;

	if (op->rows > 1 && op->dst_stride == op->src_stride)
		return job_tiles_overlap(op);

	job_end_overflows(op, op->dst_offset, op->dst_stride, &dst_end);
	job_end_overflows(op, op->src_offset, op->src_stride, &src_end);
	return op->dst_offset < src_end && op->src_offset < dst_end;
}

static int job_check_ends(const struct dmacpy_op *op,
			  const struct dmacpy_job_ends *ends,
			  const struct dmacpy_chan *chan)
{
	u64 dst_stride = op->rows > 1 ? op->dst_stride : 0;
	u64 src_stride = op->rows > 1 ? op->src_stride : 0;

	if (!job_is_within(op, ends->dst, op->dst_offset, op->dst_stride))
		return -EINVAL;
	if ((op->dst_offset | op->src_offset | op->length | dst_stride |
	     src_stride) & (chan->copy_align - 1))
		return -EINVAL;
	if (!dmacpy_buf_aligned(ends->dst, chan, op->dst_offset,
				op->length | dst_stride))
		return -EINVAL;
	if (!ends->src)
		return 0;

	if (!job_is_within(op, ends->src, op->src_offset, op->src_stride))
		return -EINVAL;
	if (dmacpy_buf_same(ends->dst, ends->src) && job_overlaps(op))
		return -EINVAL;
	return 0;
}

/* No longer than it is of use for the longest fill. */
static void job_choose_block_size(struct dmacpy_job *job, unsigned int align)
{
	unsigned int smallest = max_t(unsigned int, align, sizeof(u32));
	const struct dmacpy_op *op;
	u64 longest = smallest;

	for (op = job->op; op < job->op + job->nops; op++)
		if (op->opcode == DMACPY_OP_FILL)
			longest = max(longest, op->length);
	longest = min_t(u64, longest, JOB_BLOCK_MAX);
	job->block_size = min(rounddown_pow_of_two(JOB_BLOCKS_MAX /
						   job->nfills),
			      roundup_pow_of_two((unsigned int)longest));
	job->block_size = max_t(size_t, job->block_size, smallest);
}

/* What the engine needs a descriptor for, at least. */
static u64 job_count_rows(const struct dmacpy_job *job,
			  const struct dmacpy_op *op)
{
	if (op->opcode != DMACPY_OP_FILL)
		return op->rows;
	return div_u64(op->length - 1, job->block_size) + 1;
}

/**
 * dmacpy_job_plan() - begin to plan what the engine gets
 * @job: a job that dmacpy_job_check_ops() has passed; the caller plans each of
 *	its operations next, by dmacpy_job_plan_ops()
 * @chan: the channel that it will run on
 *
 * Context: Any.
 */
void dmacpy_job_plan(struct dmacpy_job *job, const struct dmacpy_chan *chan)
{
	if (job->nfills)
		job_choose_block_size(job, chan->copy_align);
	job->nops = 0;
}

/* The sums cannot wrap: what was added before is within the limits. */
static int job_check_limits(struct dmacpy_job *job, const struct dmacpy_op *op)
{
	u64 bytes;

	job->rows += job_count_rows(job, op);
	if (job->rows > dmacpy_max_rows.value ||
	    check_mul_overflow(op->length, (u64)op->rows, &bytes) ||
	    bytes > dmacpy_max_bytes.value - job->xfer.left)
		return -E2BIG;
	job->xfer.left += bytes;
	return 0;
}

static bool job_is_allowed(const struct dmacpy_job_ends *ends)
{
	return dmacpy_buf_allows(ends->dst, DMACPY_ACCESS_WRITE) &&
	       (!ends->src || dmacpy_buf_allows(ends->src, DMACPY_ACCESS_READ));
}

static int job_plan_op(struct dmacpy_job *job, const struct dmacpy_op *op,
		       const struct dmacpy_job_ends *ends,
		       const struct dmacpy_chan *chan)
{
	struct dmacpy_op *place = &job->op[job->nops];
	int ret;

	ret = job_check_ends(op, ends, chan) ?: job_check_limits(job, op);
	if (ret)
		return ret;
	/* No place is taken before its own operation was planned. */
	if (place != op)
		*place = *op;
	/* Rows that touch are one. */
	if (op->rows > 1 && op->dst_stride == op->length &&
	    op->src_stride == op->length) {
		place->length *= place->rows;
		place->rows = 1;
	}
	job->ends[job->nops++] = *ends;
	return 0;
}

/*
 * How many bytes copies may have that continue the last operation. Within one
 * buffer a copy may read what the one before it wrote.
 */
static u64 job_join_room(const struct dmacpy_job *job,
			 const struct dmacpy_op *last,
			 const struct dmacpy_job_ends *ends)
{
	if (!ends->src || last->rows > 1 ||
	    dmacpy_buf_same(ends->dst, ends->src))
		return 0;
	return min3(ends->dst->length - last->dst_offset - last->length,
		    ends->src->length - last->src_offset - last->length,
		    dmacpy_max_bytes.value - job->xfer.left);
}

/*
 * Joins the copies that continue the last operation at both ends, which need
 * no more checks than these. Returns the first one that does not join.
 */
static const struct dmacpy_op *job_join(struct dmacpy_job *job,
					const struct dmacpy_op *op,
					const struct dmacpy_op *end,
					const struct dmacpy_job_ends *ends,
					const struct dmacpy_chan *chan)
{
	struct dmacpy_op *last = &job->op[job->nops - 1];
	u64 dst = last->dst_offset + last->length;
	u64 src = last->src_offset + last->length;
	u64 room, rows, bytes;

	/* Most do not, if this one does not. */
	if (op->dst_offset != dst || op->src_offset != src)
		return op;
	room = job_join_room(job, last, ends);
	rows = dmacpy_max_rows.value - job->rows;
	for (bytes = 0; op < end && rows; op++, rows--) {
		if (op->opcode != DMACPY_OP_COPY || op->dst != last->dst ||
		    op->src != last->src || op->dst_offset != dst + bytes ||
		    op->src_offset != src + bytes ||
		    op->length > room - bytes ||
		    op->length & (chan->copy_align - 1) ||
		    !dmacpy_buf_aligned(ends->dst, chan, dst, op->length))
			break;
		bytes += op->length;
	}
	last->length += bytes;
	job->xfer.left += bytes;
	job->rows = dmacpy_max_rows.value - rows;
	return op;
}

/**
 * dmacpy_job_plan_ops() - check operations, and plan what the engine gets
 * @job: the job, after dmacpy_job_plan()
 * @op: the next one of those that were submitted; on return the next one that
 *	is not planned, which is at fault if this fails
 * @end: behind the last of these
 * @ends: the buffers of @op
 * @chan: the channel that it will run on
 *
 * It plans one and all that follow with the same handles. What touches becomes
 * one operation: the rows of each, and copies that continue the last one.
 *
 * Context: Any.
 * Return: 0, -EINVAL, -EACCES, -E2BIG.
 */
int dmacpy_job_plan_ops(struct dmacpy_job *job, const struct dmacpy_op **op,
			const struct dmacpy_op *end,
			const struct dmacpy_job_ends *ends,
			const struct dmacpy_chan *chan)
{
	const u32 dst = (*op)->dst, src = (*op)->src;
	int ret;

	if (!job_is_allowed(ends))
		return -EACCES;
	do {
		ret = job_plan_op(job, *op, ends, chan);
		if (ret)
			return ret;
		if (++*op < end)
			*op = job_join(job, *op, end, ends, chan);
	} while (src && *op < end && (*op)->dst == dst && (*op)->src == src);
	return 0;
}

/* All patterns share one mapping, each in a block that the engine repeats. */
static int job_prepare_patterns(struct dmacpy_job *job)
{
	size_t size = job->block_size * job->nfills, offset = 0;
	struct dmacpy_op *op;

	job->pattern = kmalloc(size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!job->pattern)
		return -ENOMEM;

	for (op = job->op; op < job->op + job->nops; op++) {
		if (op->opcode != DMACPY_OP_FILL)
			continue;
		op->src_offset = offset;
		memset32(job->pattern + offset, op->pattern,
			 job->block_size / sizeof(op->pattern));
		offset += job->block_size;
	}

	job->pattern_addr = dma_map_single_attrs(job->dma_dev, job->pattern,
						 size, DMA_TO_DEVICE,
						 DMA_ATTR_NO_WARN);
	if (dma_mapping_error(job->dma_dev, job->pattern_addr))
		return -ENOMEM;
	job->pattern_size = size;
	return 0;
}

static void job_sync_rows(const struct dmacpy_op *op,
			  const struct dmacpy_buf *buf, u64 offset, u64 stride,
			  void (*sync)(const struct dmacpy_buf *buf, u64 offset,
				       u64 length))
{
	u32 row;

	for (row = 0; row < op->rows; row++)
		sync(buf, offset + row * stride, op->length);
}

static void job_sync_for_device(struct dmacpy_job *job)
{
	const struct dmacpy_op *op = job->op;
	unsigned int i;

	job->synced = true;
	for (i = 0; i < job->nops; i++, op++) {
		job_sync_rows(op, job->ends[i].dst, op->dst_offset,
			      op->dst_stride, dmacpy_buf_sync_for_device);
		if (job->ends[i].src)
			job_sync_rows(op, job->ends[i].src, op->src_offset,
				      op->src_stride,
				      dmacpy_buf_sync_for_device);
	}
}

static void job_sync_for_cpu(const struct dmacpy_job *job)
{
	const struct dmacpy_op *op = job->op;
	unsigned int i;

	for (i = 0; i < job->nops; i++, op++)
		job_sync_rows(op, job->ends[i].dst, op->dst_offset,
			      op->dst_stride, dmacpy_buf_sync_for_cpu);
}

/**
 * dmacpy_job_prepare() - have what a job needs to run
 * @job: a job that was planned
 * @chan: the channel that it will run on
 *
 * Context: Process, inside the gate.
 * Return: 0 or -ENOMEM.
 */
int dmacpy_job_prepare(struct dmacpy_job *job, const struct dmacpy_chan *chan)
{
	bool shared = false, fenced;
	const struct dmacpy_buf *buf;
	unsigned int i;
	int ret = 0;

	job->dma_dev = chan->dma_dev;
	job->fills = chan->engine.fills;
	fenced = job->fence;
	for (i = 0; i < job->npoints; i++) {
		buf = job->points[i].buf;
		shared |= !!dmacpy_buf_resv(buf);
		fenced |= buf->bounces && job->points[i].write;
		job->needs_sync |= buf->needs_sync;
	}
	job->implicit &= shared;
	job->lazy &= job->implicit && !fenced &&
		     job->npoints <= DMACPY_LAZY_POINTS;
	if ((job->implicit && !job->lazy) || fenced)
		ret = dmacpy_job_add_fence(job);
	if (!ret && job->nfills)
		ret = job_prepare_patterns(job);
	return ret;
}

static dma_addr_t job_pattern_addr(const struct dmacpy_job *job,
				   const struct dmacpy_op *op, u64 done,
				   size_t *length)
{
	size_t offset = done & (job->block_size - 1);

	*length = min(*length, job->block_size - offset);
	return job->pattern_addr + op->src_offset + offset;
}

/* Does the engine fill the piece, or most of it, by itself? */
static bool job_cut_fill(const struct dmacpy_job *job,
			 const struct dmacpy_op *op, struct dmacpy_piece *piece)
{
	if (!job->fills || op->pattern != (op->pattern & 0xff) * 0x01010101U ||
	    !IS_ALIGNED(piece->dst, DMACPY_FILL_ALIGN) ||
	    piece->length < DMACPY_FILL_ALIGN)
		return false;
	piece->fill = true;
	piece->pattern = op->pattern;
	piece->length = round_down(piece->length, DMACPY_FILL_ALIGN);
	return true;
}

static void job_advance(struct dmacpy_job_cursor *at,
			const struct dmacpy_op *op, size_t length)
{
	at->done += length;
	if (at->done < op->length)
		return;
	at->done = 0;
	if (++at->row < op->rows)
		return;
	at->row = 0;
	at->op++;
}

static void job_cut_piece(struct dmacpy_job *job, size_t max,
			  struct dmacpy_piece *piece)
{
	struct dmacpy_job_cursor *at = &job->cursor;
	const struct dmacpy_job_ends *ends = &job->ends[at->op];
	const struct dmacpy_op *op = &job->op[at->op];

	piece->length = min_t(u64, op->length - at->done, max);
	piece->dst = dmacpy_buf_addr(ends->dst, op->dst_offset + at->done +
				     at->row * op->dst_stride, &at->dst_hint,
				     &piece->length);
	if (ends->src)
		piece->src = dmacpy_buf_addr(ends->src, op->src_offset +
					     at->done +
					     at->row * op->src_stride,
					     &at->src_hint, &piece->length);
	else if (!job_cut_fill(job, op, piece))
		piece->src = job_pattern_addr(job, op, at->done,
					      &piece->length);
	job_advance(at, op, piece->length);
}

/* Is the whole operation one piece, as it is from SRAM to SRAM? */
static bool job_is_piece(const struct dmacpy_op *op,
			 const struct dmacpy_job_ends *ends, size_t max)
{
	return op->rows == 1 && op->length <= max && ends->dst->nsegs == 1 &&
	       ends->src && ends->src->nsegs == 1;
}

/**
 * dmacpy_job_next() - cut the next piece off a job
 * @xfer: of the job, which has some left
 * @max: longest piece
 * @piece: set to the piece
 *
 * Context: Any.
 */
void dmacpy_job_next(struct dmacpy_xfer *xfer, size_t max,
		     struct dmacpy_piece *piece)
{
	struct dmacpy_job *job = dmacpy_job_of(xfer);
	const struct dmacpy_job_ends *ends = &job->ends[job->cursor.op];
	const struct dmacpy_op *op = &job->op[job->cursor.op];

	piece->fill = false;
	if (job->cursor.done || !job_is_piece(op, ends, max)) {
		job_cut_piece(job, max, piece);
	} else {
		job->cursor.op++;
		piece->dst = ends->dst->segs->addr + op->dst_offset;
		piece->src = ends->src->segs->addr + op->src_offset;
		piece->length = op->length;
	}
}

/**
 * dmacpy_job_complete() - give the buffers of a job back to the CPU
 * @job: a job that the channel has completed
 *
 * The references go before anything learns of the result: then the last RELEASE
 * or close after that frees a buffer. Those of a job that was terminated stay
 * as long as the engine may write to them.
 *
 * Context: Any.
 */
void dmacpy_job_complete(struct dmacpy_job *job)
{
	if (job->synced)
		job_sync_for_cpu(job);
	if (!job->xfer.terminated)
		job_put_memory(job);
}

/**
 * dmacpy_job_run() - hand a job to its channel, which owns it after this
 * @job: a job that was prepared, and whose fences have signalled
 * @chan: the channel
 * @lane: the stream's
 * @ops: what the channel calls
 * @result: 0, or the -errno that it is to complete with, without the engine
 *
 * A task may have written to its source by CPU before the fence that it waited
 * for has signalled: only now the caches hold what the engine is to read.
 *
 * Context: Any, while the channel is open.
 */
void dmacpy_job_run(struct dmacpy_job *job, struct dmacpy_chan *chan,
		    struct dmacpy_lane *lane, const struct dmacpy_xfer_ops *ops,
		    int result)
{
	dmacpy_deps_free(&job->deps);
	job->xfer.ops = ops;
	job->xfer.result = result;
	job->xfer.slow = job->needs_sync && job->length > JOB_QUICK_SYNC;
	if (!result && job->needs_sync)
		job_sync_for_device(job);
	dmacpy_chan_submit(chan, lane, &job->xfer);
}
