// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operations of a job. They are checked against their buffers once, and
 * then cut into pieces for the engine by each job that runs them.
 */
#include <linux/dma-mapping.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "dmacpy_account.h"
#include "dmacpy_buf.h"
#include "dmacpy_chan.h"
#include "dmacpy_param.h"
#include "dmacpy_plan.h"

/* Maximum bytes of a block of a pattern, which saves descriptors, and of all */
#define PLAN_BLOCK_MAX	4096U
#define PLAN_BLOCKS_MAX	65536U

/**
 * dmacpy_plan_memory() - compute the memory that a plan needs
 * @room: maximum number of operations
 *
 * Context: Any.
 * Return: its size in bytes, SIZE_MAX if that is too large.
 */
size_t dmacpy_plan_memory(unsigned int room)
{
	struct dmacpy_plan *plan;
	size_t ops = array_size(room, sizeof(*plan->op));
	size_t points = array_size(2 * room, sizeof(*plan->points));

	return size_add(struct_size(plan, ends, room), size_add(ops, points));
}

/**
 * dmacpy_plan_place() - lay out a plan in its memory
 * @plan: memory of dmacpy_plan_memory() bytes; set to zero except for @room and
 *	the pointers to the arrays
 * @room: maximum number of operations
 *
 * Context: Any.
 */
void dmacpy_plan_place(struct dmacpy_plan *plan, unsigned int room)
{
	BUILD_BUG_ON(sizeof(struct dmacpy_op_bufs) %
		     __alignof__(struct dmacpy_op));
	*plan = (struct dmacpy_plan){
		.room = room,
		.op = (void *)&plan->ends[room],
	};
	plan->points = (void *)&plan->op[room];
}

/**
 * dmacpy_plan_free_pattern() - free the source of FILL
 * @plan: the plan, which may have none
 *
 * Context: Any.
 */
void dmacpy_plan_free_pattern(struct dmacpy_plan *plan)
{
	if (plan->pattern_size)
		dma_unmap_single(plan->dma_dev, plan->pattern_addr,
				 plan->pattern_size, DMA_TO_DEVICE);
	kfree(plan->pattern);
	plan->pattern = NULL;
	plan->pattern_size = 0;
}

/* The charge includes patterns, as if all operations filled. */
static unsigned int plan_count_charge(unsigned int nops)
{
	size_t patterns = min_t(size_t, (size_t)nops * PLAN_BLOCK_MAX,
				PLAN_BLOCKS_MAX);

	return DIV_ROUND_UP(size_add(dmacpy_plan_memory(nops), patterns),
			    DMACPY_HANDLE_MEMORY);
}

/**
 * dmacpy_plan_new() - make a plan that many jobs can run
 * @account: the account of the user, which is charged handles for its memory
 * @nops: number of operations, 1 to dmacpy_max_ops
 *
 * Context: Process.
 * Return: a plan (dmacpy_plan_put()) whose operations the caller fills in, or
 * an ERR_PTR() of -EDQUOT or -ENOMEM.
 */
struct dmacpy_plan *dmacpy_plan_new(struct dmacpy_account *account,
				    unsigned int nops)
{
	unsigned int charged = plan_count_charge(nops);
	struct dmacpy_plan *plan;
	int ret;

	ret = dmacpy_buf_charge_user(account, DMACPY_HANDLES, charged);
	if (ret)
		return ERR_PTR(ret);
	plan = kvmalloc(dmacpy_plan_memory(nops), GFP_KERNEL_ACCOUNT);
	if (!plan) {
		dmacpy_account_uncharge(account, DMACPY_HANDLES, charged);
		return ERR_PTR(-ENOMEM);
	}
	dmacpy_plan_place(plan, nops);
	dmacpy_plan_reset(plan, nops);
	plan->account = account;
	plan->charged = charged;
	kref_init(&plan->ref);
	dmacpy_account_get(account);
	return plan;
}

/**
 * dmacpy_plan_free() - free a prepared plan
 * @ref: dmacpy_plan.ref, after the last reference was put
 *
 * Context: Any.
 */
void dmacpy_plan_free(struct kref *ref)
{
	struct dmacpy_plan *plan = container_of(ref, struct dmacpy_plan, ref);

	dmacpy_plan_clear(plan);
	dmacpy_account_uncharge(plan->account, DMACPY_HANDLES, plan->charged);
	dmacpy_account_put(plan->account);
	/* The pump may call this, and vfree() may sleep. */
	if (is_vmalloc_addr(plan))
		kvfree_rcu(plan, rcu);
	else
		kfree(plan);
}

static void plan_release(struct kref *ref)
{
	struct dmacpy_plan *plan = container_of(ref, struct dmacpy_plan, ref);

	/* First, as in dmacpy_plan_clear(). */
	dmacpy_plan_free_pattern(plan);
	while (plan->npoints)
		dmacpy_buf_put(plan->points[--plan->npoints].buf);
	dmacpy_plan_free(ref);
}

/**
 * dmacpy_plan_release() - put a reference, and free memory at once
 * @plan: from dmacpy_plan_new()
 *
 * After the last job that runs the plan has completed, its buffers are freed
 * when this returns.
 *
 * Context: Process, inside the gate or with it closed.
 */
void dmacpy_plan_release(struct dmacpy_plan *plan)
{
	kref_put(&plan->ref, plan_release);
}

/**
 * dmacpy_plan_refuse() - note which operation is the reason of an error
 * @plan: a plan that is not complete
 * @index: index of the operation
 * @error: the error
 *
 * Context: Any.
 * Return: @error.
 */
int dmacpy_plan_refuse(struct dmacpy_plan *plan, unsigned int index, int error)
{
	if (plan->refused_op)
		*plan->refused_op = index + 1;
	return error;
}

static int plan_check_op(const struct dmacpy_op *op)
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

/* Returns at most the limit plus 1, which dmacpy_plan_add() refuses. */
static u64 plan_op_bytes(const struct dmacpy_op *op)
{
	u64 max = dmacpy_max_bytes.value + 1ULL;

	return min(min(op->length, max) * op->rows, max);
}

/**
 * dmacpy_plan_check() - check operations as far as possible without buffers
 * @plan: the plan; on success its length and the rows of all operations are set
 *
 * Context: Any.
 * Return: 0, -EINVAL or -EOPNOTSUPP.
 */
int dmacpy_plan_check(struct dmacpy_plan *plan)
{
	struct dmacpy_op *op, *end = plan->op + plan->nops;
	unsigned int nfills = 0;
	u64 length = 0;
	int ret;

	for (op = plan->op; op < end; op++) {
		ret = plan_check_op(op);
		if (ret)
			return dmacpy_plan_refuse(plan, op - plan->op, ret);
		if (!op->rows)
			op->rows = 1;
		length += plan_op_bytes(op);
		nfills += op->opcode == DMACPY_OP_FILL;
	}
	plan->length = length;
	plan->nfills = nfills;
	return 0;
}

/* Sets @end to the end of the last row. */
static bool plan_range_overflows(const struct dmacpy_op *op, u64 offset,
				 u64 stride, u64 *end)
{
	if (check_add_overflow(offset, op->length, end))
		return true;
	if (op->rows == 1)
		return false;
	return check_mul_overflow((u64)(op->rows - 1), stride, &stride) ||
	       check_add_overflow(*end, stride, end);
}

static bool plan_is_within(const struct dmacpy_op *op,
			   const struct dmacpy_buf *buf, u64 offset, u64 stride)
{
	u64 end;

	return !plan_range_overflows(op, offset, stride, &end) &&
	       end <= buf->length;
}

/*
 * In an image with this stride, row i of one tile and row j of the other are
 * apart by the distance of the first rows less (i - j) strides.
 */
static bool plan_tiles_overlap(const struct dmacpy_op *op)
{
	u64 rows, rest, stride = op->dst_stride;

	rows = div64_u64_rem(op->dst_offset > op->src_offset ?
			     op->dst_offset - op->src_offset :
			     op->src_offset - op->dst_offset, stride, &rest);
	return (rows < op->rows && rest < op->length) ||
	       (rows + 1 < op->rows && stride - rest < op->length);
}

/* The source and the destination are within the same buffer. */
static bool plan_overlaps(const struct dmacpy_op *op)
{
	u64 dst_end, src_end;

	if (op->rows > 1 && op->dst_stride == op->src_stride)
		return plan_tiles_overlap(op);

	plan_range_overflows(op, op->dst_offset, op->dst_stride, &dst_end);
	plan_range_overflows(op, op->src_offset, op->src_stride, &src_end);
	return op->dst_offset < src_end && op->src_offset < dst_end;
}

static int plan_check_bufs(const struct dmacpy_op *op,
			   const struct dmacpy_op_bufs *ends,
			   const struct dmacpy_chan *chan)
{
	u64 dst_stride = op->rows > 1 ? op->dst_stride : 0;
	u64 src_stride = op->rows > 1 ? op->src_stride : 0;

	if (!plan_is_within(op, ends->dst, op->dst_offset, op->dst_stride))
		return -EINVAL;
	if ((op->dst_offset | op->src_offset | op->length | dst_stride |
	     src_stride) & (chan->copy_align - 1))
		return -EINVAL;
	if (!dmacpy_buf_aligned(ends->dst, chan, op->dst_offset,
				op->length | dst_stride))
		return -EINVAL;
	if (!ends->src)
		return 0;

	if (!plan_is_within(op, ends->src, op->src_offset, op->src_stride))
		return -EINVAL;
	if (dmacpy_buf_same(ends->dst, ends->src) && plan_overlaps(op))
		return -EINVAL;
	return 0;
}

/**
 * dmacpy_plan_choose_block_size() - choose the size of pattern blocks
 * @plan: a plan that fills
 * @align: alignment of addresses and lengths for the engine
 *
 * A block is at most as long as the longest fill, rounded up to a power of two.
 *
 * Context: Any.
 */
void dmacpy_plan_choose_block_size(struct dmacpy_plan *plan, unsigned int align)
{
	unsigned int smallest = max_t(unsigned int, align, sizeof(u32));
	const struct dmacpy_op *op;
	u64 longest = smallest;

	for (op = plan->op; op < plan->op + plan->nops; op++)
		if (op->opcode == DMACPY_OP_FILL)
			longest = max(longest, op->length);
	longest = min_t(u64, longest, PLAN_BLOCK_MAX);
	plan->block_size = min(rounddown_pow_of_two(PLAN_BLOCKS_MAX /
						   plan->nfills),
			      roundup_pow_of_two((unsigned int)longest));
	plan->block_size = max_t(size_t, plan->block_size, smallest);
}

/* Returns the minimum number of descriptors of an operation. */
static u64 plan_count_rows(const struct dmacpy_plan *plan,
			   const struct dmacpy_op *op)
{
	if (op->opcode != DMACPY_OP_FILL)
		return op->rows;
	return div_u64(op->length - 1, plan->block_size) + 1;
}

/* The sums cannot wrap: the operations added before are within the limits. */
static int plan_check_limits(struct dmacpy_plan *plan,
			     const struct dmacpy_op *op)
{
	u64 bytes;

	plan->rows += plan_count_rows(plan, op);
	if (plan->rows > dmacpy_max_rows.value ||
	    check_mul_overflow(op->length, (u64)op->rows, &bytes) ||
	    bytes > dmacpy_max_bytes.value - plan->planned)
		return -E2BIG;
	plan->planned += bytes;
	return 0;
}

static bool plan_is_allowed(const struct dmacpy_op_bufs *ends)
{
	return dmacpy_buf_allows(ends->dst, DMACPY_ACCESS_WRITE) &&
	       (!ends->src || dmacpy_buf_allows(ends->src, DMACPY_ACCESS_READ));
}

static int plan_add_op(struct dmacpy_plan *plan, const struct dmacpy_op *op,
		       const struct dmacpy_op_bufs *ends,
		       const struct dmacpy_chan *chan)
{
	struct dmacpy_op *place = &plan->op[plan->nops];
	int ret;

	ret = plan_check_bufs(op, ends, chan) ?: plan_check_limits(plan, op);
	if (ret)
		return ret;
	/* Places never pass @op: only planned operations are overwritten. */
	if (place != op)
		*place = *op;
	/* Join adjacent rows. */
	if (op->rows > 1 && op->dst_stride == op->length &&
	    op->src_stride == op->length) {
		place->length *= place->rows;
		place->rows = 1;
	}
	plan->ends[plan->nops++] = *ends;
	return 0;
}

/*
 * Plans the copies that follow the last operation, with the same two buffers,
 * and joins adjacent ones. Leaves two kinds to plan_add_op(): operations that
 * fail a check, as it finds the reason, and copies within one buffer, which may
 * read what the one before has written. Returns the first operation that is not
 * planned.
 */
static noinline_for_stack const struct dmacpy_op *
plan_add_copies(struct dmacpy_plan *plan, const struct dmacpy_op *op,
		const struct dmacpy_op *end,
		const struct dmacpy_op_bufs *ends,
		const struct dmacpy_chan *chan)
{
	struct dmacpy_op *last = &plan->op[plan->nops - 1];
	const struct dmacpy_buf *dst = ends->dst, *src = ends->src;
	const u64 mask = chan->copy_align - 1;
	u64 room = dmacpy_max_bytes.value - plan->planned;
	u64 rows = dmacpy_max_rows.value - plan->rows;
	u64 dst_end = last->dst_offset + last->length;
	u64 src_end = last->src_offset + last->length;
	bool joins = last->rows == 1;
	u64 length;

	if (!src || dmacpy_buf_same(dst, src))
		return op;
	for (; op < end && rows; op++, rows--) {
		length = op->length;
		if (op->opcode != DMACPY_OP_COPY || op->dst != last->dst ||
		    op->src != last->src || length > room ||
		    op->dst_offset > dst->length ||
		    length > dst->length - op->dst_offset ||
		    op->src_offset > src->length ||
		    length > src->length - op->src_offset ||
		    (op->dst_offset | op->src_offset | length) & mask ||
		    !dmacpy_buf_aligned(dst, chan, op->dst_offset, length))
			break;
		room -= length;
		joins = joins && op->dst_offset == dst_end &&
			op->src_offset == src_end;
		dst_end = op->dst_offset + length;
		src_end = op->src_offset + length;
		if (joins) {
			last->length += length;
			continue;
		}
		joins = true;
		if (++last != op)
			*last = *op;
		plan->ends[plan->nops++] = *ends;
	}
	plan->planned = dmacpy_max_bytes.value - room;
	plan->rows = dmacpy_max_rows.value - rows;
	return op;
}

/**
 * dmacpy_plan_add() - check operations, and plan them for the engine
 * @plan: the plan, after dmacpy_plan_begin()
 * @op: the next operation that was submitted; on return the next one that is
 *	not planned, which is at fault if this fails
 * @end: end of the array of operations
 * @ends: the buffers of @op
 * @chan: the channel that it will run on
 *
 * It plans one operation, and all that follow with the same handles. Adjacent
 * rows of an operation are joined, and copies that continue the last one, too.
 *
 * Context: Any.
 * Return: 0, -EINVAL, -EACCES, -E2BIG.
 */
int dmacpy_plan_add(struct dmacpy_plan *plan, const struct dmacpy_op **op,
		    const struct dmacpy_op *end,
		    const struct dmacpy_op_bufs *ends,
		    const struct dmacpy_chan *chan)
{
	const u32 dst = (*op)->dst, src = (*op)->src;
	int ret;

	if (!plan_is_allowed(ends))
		return -EACCES;
	do {
		ret = plan_add_op(plan, *op, ends, chan);
		if (ret)
			return ret;
		if (++*op < end)
			*op = plan_add_copies(plan, *op, end, ends, chan);
	} while (src && *op < end && (*op)->dst == dst && (*op)->src == src);
	return 0;
}

/**
 * dmacpy_plan_make_patterns() - make the source of FILL
 * @plan: a plan that fills
 *
 * All patterns share one mapping, each in a block that the engine repeats.
 *
 * Context: Process, while the device is bound.
 * Return: 0 or -ENOMEM.
 */
int dmacpy_plan_make_patterns(struct dmacpy_plan *plan)
{
	size_t size = plan->block_size * plan->nfills, offset = 0;
	struct dmacpy_op *op;

	/* Parts of cache lines would bounce as long as the plan exists. */
	size = ALIGN(size, dma_get_cache_alignment());
	plan->pattern = kmalloc(size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!plan->pattern)
		return -ENOMEM;

	for (op = plan->op; op < plan->op + plan->nops; op++) {
		if (op->opcode != DMACPY_OP_FILL)
			continue;
		op->src_offset = offset;
		memset32(plan->pattern + offset, op->pattern,
			 plan->block_size / sizeof(op->pattern));
		offset += plan->block_size;
	}

	plan->pattern_addr = dma_map_single_attrs(plan->dma_dev, plan->pattern,
						  size, DMA_TO_DEVICE,
						  DMA_ATTR_NO_WARN);
	if (dma_mapping_error(plan->dma_dev, plan->pattern_addr))
		return -ENOMEM;
	plan->pattern_size = size;
	return 0;
}

static void plan_sync_rows(const struct dmacpy_op *op,
			   const struct dmacpy_buf *buf, u64 offset, u64 stride,
			   void (*sync)(const struct dmacpy_buf *buf,
					u64 offset, u64 length))
{
	u32 row;

	for (row = 0; row < op->rows; row++)
		sync(buf, offset + row * stride, op->length);
}

/**
 * dmacpy_plan_sync_for_device() - sync the buffers of a plan for the engine
 * @plan: a plan that needs it
 *
 * Context: Any.
 */
void dmacpy_plan_sync_for_device(const struct dmacpy_plan *plan)
{
	const struct dmacpy_op *op = plan->op;
	unsigned int i;

	for (i = 0; i < plan->nops; i++, op++) {
		plan_sync_rows(op, plan->ends[i].dst, op->dst_offset,
			       op->dst_stride, dmacpy_buf_sync_for_device);
		if (plan->ends[i].src)
			plan_sync_rows(op, plan->ends[i].src, op->src_offset,
				       op->src_stride,
				       dmacpy_buf_sync_for_device);
	}
}

/**
 * dmacpy_plan_sync_for_cpu() - sync written buffers for the CPU
 * @plan: a plan that dmacpy_plan_sync_for_device() was called for
 *
 * Context: Any.
 */
void dmacpy_plan_sync_for_cpu(const struct dmacpy_plan *plan)
{
	const struct dmacpy_op *op = plan->op;
	unsigned int i;

	for (i = 0; i < plan->nops; i++, op++)
		plan_sync_rows(op, plan->ends[i].dst, op->dst_offset,
			       op->dst_stride, dmacpy_buf_sync_for_cpu);
}

/**
 * dmacpy_plan_is_parallel() - check whether bytes may be copied in any order
 * @plan: a complete plan
 *
 * The bytes of one operation always may.
 *
 * Context: Any.
 * Return: false if an operation may depend on another one.
 */
bool dmacpy_plan_is_parallel(const struct dmacpy_plan *plan)
{
	const struct dmacpy_op_bufs *first = plan->ends;
	const struct dmacpy_op *op;
	u64 dst_end = 0;
	unsigned int i;

	if (plan->nops == 1)
		return true;
	if (!first->src || dmacpy_buf_same(first->dst, first->src))
		return false;
	for (i = 0, op = plan->op; i < plan->nops; i++, op++) {
		if (op->rows > 1 || op->dst_offset < dst_end ||
		    plan->ends[i].dst != first->dst ||
		    plan->ends[i].src != first->src)
			return false;
		dst_end = op->dst_offset + op->length;
	}
	return true;
}

/**
 * dmacpy_plan_seek() - advance a place without cutting a piece off
 * @plan: a complete plan
 * @at: the place
 * @bytes: distance to advance, at most to the end of the plan
 *
 * Context: Any.
 */
void dmacpy_plan_seek(const struct dmacpy_plan *plan,
		      struct dmacpy_plan_cursor *at, u64 bytes)
{
	const struct dmacpy_op *op = &plan->op[at->op];
	u64 place = at->row * op->length + at->done + bytes;

	while (at->op < plan->nops && place >= op->rows * op->length) {
		place -= op->rows * op->length;
		at->op++;
		op++;
	}
	at->row = 0;
	at->done = place;
	if (place)
		at->row = div64_u64_rem(place, op->length, &at->done);
}

static dma_addr_t plan_pattern_addr(const struct dmacpy_plan *plan,
				    const struct dmacpy_op *op, u64 done,
				    size_t *length)
{
	size_t offset = done & (plan->block_size - 1);

	*length = min(*length, plan->block_size - offset);
	return plan->pattern_addr + op->src_offset + offset;
}

/* Makes the piece, or most of it, a fill by the engine, if that can fill. */
static bool plan_cut_fill(const struct dmacpy_plan *plan,
			  const struct dmacpy_op *op,
			  struct dmacpy_piece *piece)
{
	if (!plan->fills || op->pattern != (op->pattern & 0xff) * 0x01010101U ||
	    !IS_ALIGNED(piece->dst, DMACPY_FILL_ALIGN) ||
	    piece->length < DMACPY_FILL_ALIGN)
		return false;
	piece->kind = DMACPY_PIECE_FILL;
	piece->pattern = op->pattern;
	piece->length = round_down(piece->length, DMACPY_FILL_ALIGN);
	return true;
}

static void plan_advance(struct dmacpy_plan_cursor *at,
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

static size_t plan_tile_size(size_t row, size_t stride, unsigned int rows)
{
	return (rows - 1) * stride + row;
}

/* Returns the number of whole rows in the @size bytes from the first row on. */
static unsigned int plan_tile_rows(size_t row, size_t stride, size_t size)
{
	return size < row ? 0 : (size - row) / stride + 1;
}

/*
 * Cut a tile of as many rows as lie in one segment of the source and one of the
 * destination, if the engine can copy it with one descriptor.
 */
static bool plan_cut_tile(const struct dmacpy_plan *plan,
			  struct dmacpy_plan_cursor *at, size_t max,
			  struct dmacpy_piece *piece)
{
	const struct dmacpy_op_bufs *ends = &plan->ends[at->op];
	const struct dmacpy_op *op = &plan->op[at->op];
	size_t row = op->length, size;
	unsigned int rows;

	if (!plan->tiles || at->done || op->length > max ||
	    op->length > op->src_stride ||
	    op->src_stride > DMACPY_TILE_STRIDE ||
	    op->dst_stride > DMACPY_TILE_STRIDE)
		return false;

	rows = min3(op->rows - at->row, DMACPY_TILE_ROWS,
		    (unsigned int)(max / row));
	size = plan_tile_size(row, op->dst_stride, rows);
	piece->dst = dmacpy_buf_addr(ends->dst, op->dst_offset +
				     at->row * op->dst_stride, &at->dst_hint,
				     &size);
	rows = plan_tile_rows(row, op->dst_stride, size);
	if (rows < 2)
		return false;
	size = plan_tile_size(row, op->src_stride, rows);
	piece->src = dmacpy_buf_addr(ends->src, op->src_offset +
				     at->row * op->src_stride, &at->src_hint,
				     &size);
	rows = plan_tile_rows(row, op->src_stride, size);
	piece->row = row;
	piece->dst_stride = op->dst_stride;
	piece->src_stride = op->src_stride;
	if (rows < 2 || !dmacpy_tile_is_aligned(piece))
		return false;

	piece->kind = DMACPY_PIECE_TILE;
	piece->rows = rows;
	piece->length = rows * row;
	at->row += rows - 1;
	plan_advance(at, op, row);
	return true;
}

/**
 * dmacpy_plan_cut_part() - cut the next piece off, a part of an operation
 * @plan: the plan, which is not at its end
 * @at: the place of the piece; advanced to the next one
 * @max: maximum length of the piece
 * @piece: set to the piece
 *
 * Context: Any.
 */
void dmacpy_plan_cut_part(const struct dmacpy_plan *plan,
			  struct dmacpy_plan_cursor *at, size_t max,
			  struct dmacpy_piece *piece)
{
	const struct dmacpy_op_bufs *ends = &plan->ends[at->op];
	const struct dmacpy_op *op = &plan->op[at->op];

	piece->kind = DMACPY_PIECE_COPY;
	if (op->rows > 1 && plan_cut_tile(plan, at, max, piece))
		return;
	piece->length = min_t(u64, op->length - at->done, max);
	piece->dst = dmacpy_buf_addr(ends->dst, op->dst_offset + at->done +
				     at->row * op->dst_stride, &at->dst_hint,
				     &piece->length);
	if (ends->src)
		piece->src = dmacpy_buf_addr(ends->src, op->src_offset +
					     at->done +
					     at->row * op->src_stride,
					     &at->src_hint, &piece->length);
	else if (!plan_cut_fill(plan, op, piece))
		piece->src = plan_pattern_addr(plan, op, at->done,
					       &piece->length);
	plan_advance(at, op, piece->length);
}
