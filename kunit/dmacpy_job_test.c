// SPDX-License-Identifier: GPL-2.0-only
/* Tests of dmacpy_job.c and dmacpy_plan.c. */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/jiffies.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/wait.h>

#include "dmacpy_account.h"
#include "dmacpy_buf.h"
#include "dmacpy_chan.h"
#include "dmacpy_job.h"
#include "dmacpy_param.h"
#include "dmacpy_recovery.h"
#include "dmacpy_test_buf.h"
#include "dmacpy_test_engine.h"
#include "dmacpy_test_random.h"

#include <linux/dmacpy.h>

#define JOB_READ_WRITE	(DMACPY_ACCESS_READ | DMACPY_ACCESS_WRITE)

/* Far longer than any operation takes */
#define PATIENCE	(60 * HZ)

struct job_op_case {
	const char *name;
	struct dmacpy_op op;
	int result;
};

static const struct job_op_case job_op_cases[] = {
	{ "copy", { .length = 1 }, 0 },
	{ "copy of nothing", { }, -EINVAL },
	{ "copy with rows", { .length = 1, .rows = 1 }, -EINVAL },
	{ "copy with a destination stride",
	  { .length = 1, .dst_stride = 1 }, -EINVAL },
	{ "copy with a source stride",
	  { .length = 1, .src_stride = 1 }, -EINVAL },
	{ "copy with a pattern", { .length = 1, .pattern = 1 }, -EINVAL },
	{ "flags", { .length = 1, .flags = 1 }, -EOPNOTSUPP },
	{ "2D", { .opcode = DMACPY_OP_COPY_2D, .length = 8, .rows = 2,
		  .dst_stride = 8 }, 0 },
	{ "2D without rows", { .opcode = DMACPY_OP_COPY_2D, .length = 8,
			       .dst_stride = 8 }, -EINVAL },
	{ "2D with rows that overlap",
	  { .opcode = DMACPY_OP_COPY_2D, .length = 8, .rows = 2,
	    .dst_stride = 7, .src_stride = 8 }, -EINVAL },
	{ "2D with a pattern", { .opcode = DMACPY_OP_COPY_2D, .length = 8,
				 .rows = 2, .dst_stride = 8, .pattern = 1 },
	  -EINVAL },
	{ "fill", { .opcode = DMACPY_OP_FILL, .length = 1, .pattern = 1 }, 0 },
	{ "fill from a source",
	  { .opcode = DMACPY_OP_FILL, .length = 1, .src = 1 }, -EINVAL },
	{ "fill from an offset",
	  { .opcode = DMACPY_OP_FILL, .length = 1, .src_offset = 1 }, -EINVAL },
	{ "fill of rows", { .opcode = DMACPY_OP_FILL, .length = 1, .rows = 1 },
	  -EINVAL },
	{ "no such operation", { .opcode = DMACPY_OP_FILL + 1, .length = 1 },
	  -EOPNOTSUPP },
};

KUNIT_ARRAY_PARAM_DESC(job_op, job_op_cases, name);

/* Catches: an operation that makes no sense, and is run. */
static void job_checks_operation(struct kunit *test)
{
	const struct job_op_case *param = test->param_value;
	struct dmacpy_job *job = dmacpy_job_new(NULL, 2);

	KUNIT_ASSERT_NOT_NULL(test, job);
	job->plan->op[0] = (struct dmacpy_op){ .length = 1 };
	job->plan->op[1] = param->op;
	KUNIT_EXPECT_EQ(test, param->result, dmacpy_plan_check(job->plan));
	if (!param->result)
		KUNIT_EXPECT_EQ(test, max(param->op.rows, 1U),
				job->plan->op[1].rows);
	dmacpy_job_free(job);
}

/*
 * Returns the bytes of a job, without the allocator's overhead, with those of
 * its record; but without the patterns of fills, of which there are 64 KiB at
 * most.
 */
static size_t job_memory(struct kunit *test, unsigned int nops)
{
	struct dmacpy_job *job = dmacpy_job_new(NULL, nops);
	size_t size;

	KUNIT_ASSERT_NOT_NULL(test, job);
	KUNIT_EXPECT_EQ(test, 0, dmacpy_job_add_fence(job));
	/* The struct dma_fence is at the start of our fence. */
	size = (void *)(job->own.points + 2 * job->own.room) - (void *)job +
	       ksize(job->fence) + sizeof(struct dmacpy_event);
	dmacpy_job_free(job);
	return size;
}

/* Catches: jobs that allow a program to exhaust the memory. */
static void job_memory_is_bounded(struct kunit *test)
{
	unsigned int nops;

	for (nops = 1; nops <= dmacpy_max_ops.value; nops++)
		KUNIT_EXPECT_LE(test, job_memory(test, nops),
				1024 + 160 * nops);
}

/*
 * Catches: prepared operations with which a user can fill the memory, as any
 * number of them is charged as one handle; a charge that is not returned.
 */
static void job_plan_is_charged(struct kunit *test)
{
	struct dmacpy_account *account = test_account(test);
	atomic_long_t *handles = &account->used[DMACPY_HANDLES];
	static const unsigned int counts[] = { 1, 16, 1024 };
	long before = atomic_long_read(handles), charged;
	struct dmacpy_plan *plan;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		plan = dmacpy_plan_new(account, counts[i]);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, plan);
		charged = atomic_long_read(handles) - before;
		KUNIT_EXPECT_LE(test, 1, charged);
		KUNIT_EXPECT_LE(test, dmacpy_plan_memory(counts[i]),
				charged * DMACPY_HANDLE_MEMORY);
		dmacpy_plan_put(plan);
		KUNIT_EXPECT_EQ(test, before, atomic_long_read(handles));
	}
}

/*
 * Returns a buffer that no engine accesses; it has two segments if the first
 * one is shorter than the buffer.
 */
static struct dmacpy_buf *job_untouched_in_two(struct kunit *test,
					       struct dmacpy_chan *chan,
					       unsigned int size,
					       unsigned int first, u32 access)
{
	struct test_layout layout = { .size = size, .nsegs = 1 };
	struct test_seg *segs;

	segs = kunit_kcalloc(test, 2, sizeof(*segs), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, segs);
	segs[0].addr = 0x1000;
	segs[0].length = first;
	segs[1].addr = 0x1000000;
	segs[1].length = size - first;
	layout.nsegs += first < size;
	layout.segs = segs;
	return test_buf_import(test, chan, test_dmabuf_new(test, &layout),
			       access);
}

static struct dmacpy_buf *job_untouched(struct kunit *test,
					struct dmacpy_chan *chan,
					unsigned int size, u32 access)
{
	return job_untouched_in_two(test, chan, size, size, access);
}

/* Plans like dmacpy_submit(); @ends has the buffers of the operations. */
static int job_plan(struct dmacpy_job *job, const struct dmacpy_chan *chan,
		    const struct dmacpy_op_bufs *ends)
{
	const struct dmacpy_op *op = job->plan->op, *end = op + job->plan->nops;
	int ret;

	ret = dmacpy_plan_check(job->plan);
	if (ret)
		return ret;
	dmacpy_plan_begin(job->plan, chan);
	while (op < end && !ret)
		ret = dmacpy_plan_add(job->plan, &op, end,
				      &ends[op - job->plan->op], chan);
	return ret;
}

static int job_check_one(struct kunit *test, const struct dmacpy_chan *chan,
			 const struct dmacpy_op *op,
			 const struct dmacpy_op_bufs *ends)
{
	struct dmacpy_job *job = dmacpy_job_new(NULL, 1);
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, job);
	job->plan->op[0] = *op;
	ret = job_plan(job, chan, ends);
	dmacpy_job_free(job);
	return ret;
}

#define OVERLAP_SIZE	64
#define OVERLAP_ROUNDS	1000

/* Marks the bytes of the rows; if the strides differ, of the gaps, too. */
static void job_mark(unsigned int *used, const struct dmacpy_op *op,
		     unsigned int offset, unsigned int stride)
{
	bool exact = op->dst_stride == op->src_stride;
	unsigned int row, at;

	for (row = 0; row < op->rows; row++)
		for (at = 0; at < op->length; at++)
			used[offset + row * stride + at]++;
	for (at = offset; !exact && at < offset + (op->rows - 1) * stride; at++)
		used[at]++;
}

static bool job_reference_overlaps(const struct dmacpy_op *op)
{
	unsigned int dst[OVERLAP_SIZE] = { }, src[OVERLAP_SIZE] = { }, at;

	job_mark(dst, op, op->dst_offset, op->dst_stride);
	job_mark(src, op, op->src_offset, op->src_stride);
	for (at = 0; at < OVERLAP_SIZE; at++)
		if (dst[at] && src[at])
			return true;
	return false;
}

static bool job_fits(const struct dmacpy_op *op, u64 offset, u64 stride,
		     u64 size)
{
	return offset + (op->rows - 1) * stride + op->length <= size;
}

/* Catches: tiles of one image that overlap, or are wrongly refused. */
static void job_finds_overlap(struct kunit *test)
{
	struct dmacpy_chan *chan = test_buf_chan(test);
	struct dmacpy_op_bufs ends;
	struct dmacpy_buf *buf;
	struct rnd_state random;
	struct dmacpy_op op;
	unsigned int i, valid = 0;
	int result;

	test_random_start(test, &random);
	buf = job_untouched(test, chan, OVERLAP_SIZE, JOB_READ_WRITE);
	ends = (struct dmacpy_op_bufs){ buf, buf };
	for (i = 0; i < OVERLAP_ROUNDS; i++) {
		op = (struct dmacpy_op){
			.opcode = DMACPY_OP_COPY_2D,
			.rows = 1 + test_random_below(&random, 5),
			.length = 1 + test_random_below(&random, 6),
			.dst_offset = test_random_below(&random, OVERLAP_SIZE),
			.src_offset = test_random_below(&random, OVERLAP_SIZE),
		};
		op.dst_stride = op.length + test_random_below(&random, 8);
		op.src_stride = op.dst_stride;
		if (!test_random_below(&random, 3))
			op.src_stride = test_random_below(&random, 12);
		result = -EINVAL;
		if (job_fits(&op, op.dst_offset, op.dst_stride, OVERLAP_SIZE) &&
		    job_fits(&op, op.src_offset, op.src_stride, OVERLAP_SIZE) &&
		    !job_reference_overlaps(&op))
			result = 0;
		valid += !result;
		KUNIT_EXPECT_EQ_MSG(test, result,
				    job_check_one(test, chan, &op, &ends),
				    "%u rows of %llu, %llu + n * %llu to %llu + n * %llu",
				    op.rows, op.length, op.src_offset,
				    op.src_stride, op.dst_offset,
				    op.dst_stride);
	}
	KUNIT_EXPECT_GT(test, valid, OVERLAP_ROUNDS / 20);
}

#define ENDS_SIZE	300

struct job_end_case {
	const char *name;
	struct dmacpy_op op;
	unsigned int align;
	u32 dst_access;
	u32 src_access;
	int result;
};

static const struct job_end_case job_end_cases[] = {
	{ "as much as the limit", { .length = 256 }, 1,
	  DMACPY_ACCESS_WRITE, DMACPY_ACCESS_READ, 0 },
	{ "no access to the destination", { .length = 1 }, 1,
	  DMACPY_ACCESS_READ, DMACPY_ACCESS_READ, -EACCES },
	{ "no access to the source", { .length = 1 }, 1,
	  DMACPY_ACCESS_WRITE, DMACPY_ACCESS_WRITE, -EACCES },
	{ "to the end", { .length = 8, .dst_offset = 292, .src_offset = 292 },
	  1, DMACPY_ACCESS_WRITE, DMACPY_ACCESS_READ, 0 },
	{ "behind the destination", { .length = 8, .dst_offset = 293 }, 1,
	  DMACPY_ACCESS_WRITE, DMACPY_ACCESS_READ, -EINVAL },
	{ "behind the source", { .length = 8, .src_offset = 293 }, 1,
	  DMACPY_ACCESS_WRITE, DMACPY_ACCESS_READ, -EINVAL },
	{ "an offset that wraps", { .length = 8, .dst_offset = -8 }, 1,
	  DMACPY_ACCESS_WRITE, DMACPY_ACCESS_READ, -EINVAL },
	{ "rows that wrap",
	  { .opcode = DMACPY_OP_COPY_2D, .length = 8, .rows = 3,
	    .dst_stride = 1ULL << 63, .src_stride = 8 }, 1,
	  DMACPY_ACCESS_WRITE, DMACPY_ACCESS_READ, -EINVAL },
	{ "aligned", { .length = 8, .dst_offset = 8, .src_offset = 16 }, 8,
	  DMACPY_ACCESS_WRITE, DMACPY_ACCESS_READ, 0 },
	{ "odd length", { .length = 9 }, 8,
	  DMACPY_ACCESS_WRITE, DMACPY_ACCESS_READ, -EINVAL },
	{ "odd destination", { .length = 8, .dst_offset = 4 }, 8,
	  DMACPY_ACCESS_WRITE, DMACPY_ACCESS_READ, -EINVAL },
	{ "odd source", { .length = 8, .src_offset = 1 }, 8,
	  DMACPY_ACCESS_WRITE, DMACPY_ACCESS_READ, -EINVAL },
	{ "odd stride",
	  { .opcode = DMACPY_OP_COPY_2D, .length = 8, .rows = 2,
	    .dst_stride = 12, .src_stride = 16 }, 8,
	  DMACPY_ACCESS_WRITE, DMACPY_ACCESS_READ, -EINVAL },
	{ "odd stride of one row",
	  { .opcode = DMACPY_OP_COPY_2D, .length = 8, .rows = 1,
	    .dst_stride = 12, .src_stride = 13 }, 8,
	  DMACPY_ACCESS_WRITE, DMACPY_ACCESS_READ, 0 },
	{ "more rows than the limit",
	  { .opcode = DMACPY_OP_COPY_2D, .length = 1, .rows = 5,
	    .dst_stride = 1, .src_stride = 1 }, 1,
	  DMACPY_ACCESS_WRITE, DMACPY_ACCESS_READ, -E2BIG },
	{ "more bytes than the limit", { .length = 257 }, 1,
	  DMACPY_ACCESS_WRITE, DMACPY_ACCESS_READ, -E2BIG },
};

KUNIT_ARRAY_PARAM_DESC(job_end, job_end_cases, name);

/* Catches: a copy outside of its buffers, or without the access. */
static void job_checks_ends(struct kunit *test)
{
	const struct job_end_case *param = test->param_value;
	struct dmacpy_chan *chan = test_buf_chan(test);
	unsigned int max_bytes = dmacpy_max_bytes.value;
	unsigned int max_rows = dmacpy_max_rows.value;
	struct dmacpy_op_bufs ends;

	ends.dst = job_untouched(test, chan, ENDS_SIZE, param->dst_access);
	ends.src = job_untouched(test, chan, ENDS_SIZE, param->src_access);
	chan->copy_align = param->align;
	dmacpy_max_bytes.value = 256;
	dmacpy_max_rows.value = 4;
	KUNIT_EXPECT_EQ(test, param->result,
			job_check_one(test, chan, &param->op, &ends));
	dmacpy_max_bytes.value = max_bytes;
	dmacpy_max_rows.value = max_rows;
}

#define PLAN_SIZE	4096
#define PLAN_OPS	4

/* Handles of the operations: @PLAN_ALIAS refers to the dma-buf of @PLAN_DST. */
enum { PLAN_NONE, PLAN_DST, PLAN_SRC, PLAN_OTHER, PLAN_ALIAS, PLAN_BUFS };

struct job_plan_case {
	const char *name;
	struct dmacpy_op ops[PLAN_OPS];
	u64 lengths[PLAN_OPS];	/* after joining */
	bool parallel;		/* although there are several */
};

#define PLAN_COPY(dst_at, src_at, bytes)				\
	{ .dst = PLAN_DST, .src = PLAN_SRC, .dst_offset = dst_at,	\
	  .src_offset = src_at, .length = bytes }
#define PLAN_ROWS(count, bytes, dst_step, src_step)			\
	{ .opcode = DMACPY_OP_COPY_2D, .dst = PLAN_DST, .src = PLAN_SRC, \
	  .length = bytes, .rows = count, .dst_stride = dst_step,	\
	  .src_stride = src_step }
#define PLAN_FILL(at, bytes)						\
	{ .opcode = DMACPY_OP_FILL, .dst = PLAN_DST, .dst_offset = at,	\
	  .length = bytes }

static const struct job_plan_case job_plan_cases[] = {
	{ "copies that touch",
	  { PLAN_COPY(0, 8, 4), PLAN_COPY(4, 12, 1), PLAN_COPY(5, 13, 9) },
	  { 14 } },
	{ "a gap in the destination",
	  { PLAN_COPY(0, 0, 4), PLAN_COPY(5, 4, 4) }, { 4, 4 }, true },
	{ "a gap in the source",
	  { PLAN_COPY(0, 0, 4), PLAN_COPY(4, 5, 4) }, { 4, 4 }, true },
	{ "a copy before the last one",
	  { PLAN_COPY(4, 4, 4), PLAN_COPY(0, 0, 4) }, { 4, 4 } },
	{ "the same copy twice",
	  { PLAN_COPY(0, 0, 4), PLAN_COPY(0, 0, 4) }, { 4, 4 } },
	{ "another destination",
	  { PLAN_COPY(0, 0, 4),
	    { .dst = PLAN_OTHER, .src = PLAN_SRC, .dst_offset = 4,
	      .src_offset = 4, .length = 4 } }, { 4, 4 } },
	{ "another source",
	  { PLAN_COPY(0, 0, 4),
	    { .dst = PLAN_DST, .src = PLAN_OTHER, .dst_offset = 4,
	      .src_offset = 4, .length = 4 } }, { 4, 4 } },
	{ "one buffer, where the second reads what the first wrote",
	  { { .dst = PLAN_DST, .src = PLAN_DST, .dst_offset = 4, .length = 4 },
	    { .dst = PLAN_DST, .src = PLAN_DST, .dst_offset = 8,
	      .src_offset = 4, .length = 4 } }, { 4, 4 } },
	{ "the same by two handles of a dma-buf",
	  { { .dst = PLAN_DST, .src = PLAN_ALIAS, .dst_offset = 4,
	      .length = 4 },
	    { .dst = PLAN_DST, .src = PLAN_ALIAS, .dst_offset = 8,
	      .src_offset = 4, .length = 4 } }, { 4, 4 } },
	{ "a fill between two copies",
	  { PLAN_COPY(0, 0, 4), PLAN_FILL(4, 4), PLAN_COPY(4, 4, 4),
	    PLAN_COPY(8, 8, 4) }, { 4, 4, 8 } },
	{ "fills that touch",
	  { PLAN_FILL(0, 4), PLAN_FILL(4, 4) }, { 4, 4 } },
	{ "two pairs", { PLAN_COPY(0, 0, 4), PLAN_COPY(4, 4, 4),
			 PLAN_COPY(9, 9, 4), PLAN_COPY(13, 13, 3) }, { 8, 7 },
	  true },
	{ "rows that touch", { PLAN_ROWS(64, 64, 64, 64) }, { 4096 } },
	{ "one row of any stride, and a copy",
	  { PLAN_ROWS(1, 4, 100, 0), PLAN_COPY(4, 4, 4) }, { 8 } },
	{ "rows that touch, and a copy",
	  { PLAN_ROWS(4, 4, 4, 4), PLAN_COPY(16, 16, 4) }, { 20 } },
	{ "rows with gaps, and a copy",
	  { PLAN_ROWS(4, 4, 8, 8), PLAN_COPY(4, 4, 4) }, { 4, 4 } },
	{ "a copy, and rows with gaps",
	  { PLAN_COPY(0, 4, 4),
	    { .opcode = DMACPY_OP_COPY_2D, .dst = PLAN_DST, .src = PLAN_SRC,
	      .dst_offset = 4, .src_offset = 8, .length = 4, .rows = 2,
	      .dst_stride = 8, .src_stride = 8 } }, { 4, 4 } },
	{ "a gap in the source only", { PLAN_ROWS(4, 4, 4, 8) }, { 4 } },
	{ "a gap in the destination only", { PLAN_ROWS(4, 4, 8, 4) }, { 4 } },
	{ "one row repeated", { PLAN_ROWS(4, 4, 4, 0) }, { 4 } },
};

KUNIT_ARRAY_PARAM_DESC(job_plan, job_plan_cases, name);

/*
 * Catches: operations joined that are not adjacent, or that depend on each
 * other; a descriptor for each of several adjacent ones; dependent operations
 * that may be spread.
 */
static void job_joins(struct kunit *test)
{
	const struct job_plan_case *param = test->param_value;
	struct dmacpy_chan *chan = test_buf_chan(test);
	struct dmacpy_job *job = dmacpy_job_new(NULL, PLAN_OPS);
	struct dmacpy_op_bufs ends[PLAN_OPS];
	struct dmacpy_buf *bufs[PLAN_BUFS] = { };
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, job);
	for (i = PLAN_DST; i < PLAN_ALIAS; i++)
		bufs[i] = job_untouched(test, chan, PLAN_SIZE, JOB_READ_WRITE);
	bufs[PLAN_ALIAS] = test_buf_import(test, chan, bufs[PLAN_DST]->dmabuf,
					   JOB_READ_WRITE);
	for (i = 0; i < PLAN_OPS && param->ops[i].length; i++) {
		job->plan->op[i] = param->ops[i];
		ends[i].dst = bufs[job->plan->op[i].dst];
		ends[i].src = bufs[job->plan->op[i].src];
	}
	job->plan->nops = i;
	KUNIT_EXPECT_EQ(test, 0, job_plan(job, chan, ends));
	KUNIT_EXPECT_EQ(test, job->plan->length, job->plan->planned);
	for (i = 0; i < PLAN_OPS && param->lengths[i]; i++)
		KUNIT_EXPECT_EQ(test, param->lengths[i],
				job->plan->op[i].length);
	KUNIT_EXPECT_EQ(test, i, job->plan->nops);
	KUNIT_EXPECT_EQ(test, i == 1 || param->parallel,
			dmacpy_plan_is_parallel(job->plan));
	dmacpy_job_free(job);
}

/* Catches: a share that does not begin where the one before it ends. */
static void job_seeks(struct kunit *test)
{
	struct dmacpy_chan *chan = test_buf_chan(test);
	struct dmacpy_job *job = dmacpy_job_new(NULL, 3);
	struct dmacpy_plan_cursor cut = { }, seek = { };
	struct dmacpy_op_bufs ends[3];
	struct dmacpy_piece piece;
	u64 place;

	KUNIT_ASSERT_NOT_NULL(test, job);
	ends[0].dst = job_untouched(test, chan, PLAN_SIZE, JOB_READ_WRITE);
	ends[0].src = job_untouched(test, chan, PLAN_SIZE, JOB_READ_WRITE);
	ends[1] = ends[0];
	ends[2] = ends[0];
	job->plan->op[0] = (struct dmacpy_op)PLAN_COPY(0, 0, 5);
	job->plan->op[1] = (struct dmacpy_op)PLAN_ROWS(4, 3, 8, 8);
	job->plan->op[2] = (struct dmacpy_op)PLAN_COPY(1, 0, 4);
	KUNIT_ASSERT_EQ(test, 0, job_plan(job, chan, ends));
	for (place = 0; place < job->plan->length; place++) {
		seek = (struct dmacpy_plan_cursor){ };
		dmacpy_plan_seek(job->plan, &seek, place);
		KUNIT_EXPECT_EQ(test, cut.op, seek.op);
		KUNIT_EXPECT_EQ(test, cut.row, seek.row);
		KUNIT_EXPECT_EQ(test, cut.done, seek.done);
		dmacpy_plan_cut(job->plan, &cut, 1, &piece);
	}
	dmacpy_plan_seek(job->plan, &seek, 1);
	KUNIT_EXPECT_EQ(test, job->plan->nops, seek.op);
	dmacpy_job_free(job);
}

/* Catches: joined operations that exceed a limit, or a wrong refused one. */
static void job_counts_joined_ops(struct kunit *test)
{
	struct dmacpy_chan *chan = test_buf_chan(test);
	struct dmacpy_job *job = dmacpy_job_new(NULL, 3);
	unsigned int max_rows = dmacpy_max_rows.value, i;
	struct dmacpy_op_bufs ends;
	const struct dmacpy_op *op;

	KUNIT_ASSERT_NOT_NULL(test, job);
	ends.dst = job_untouched(test, chan, PLAN_SIZE, JOB_READ_WRITE);
	ends.src = job_untouched(test, chan, PLAN_SIZE, JOB_READ_WRITE);
	op = job->plan->op;
	for (i = 0; i < 3; i++)
		job->plan->op[i] = (struct dmacpy_op)PLAN_COPY(i, i, 1);
	dmacpy_max_rows.value = 2;
	KUNIT_EXPECT_EQ(test, 0, dmacpy_plan_check(job->plan));
	dmacpy_plan_begin(job->plan, chan);
	KUNIT_EXPECT_EQ(test, -E2BIG, dmacpy_plan_add(job->plan, &op, op + 3,
						      &ends, chan));
	KUNIT_EXPECT_PTR_EQ(test, op, &job->plan->op[2]);
	dmacpy_max_rows.value = max_rows;
	dmacpy_job_free(job);
}

#define TILE_SIZE	(128 * 1024)
#define TILE_PIECES	6

struct job_tile_case {
	const char *name;
	unsigned int rows;
	u64 length;
	u64 dst_stride;
	u64 src_stride;
	u64 dst_offset;
	unsigned int dst_first;	/* length of the first of two segments, or 0 */
	unsigned int src_first;
	size_t max;
	bool unable;
	unsigned int pieces[TILE_PIECES];	/* rows of a tile, or 0 */
	size_t lengths[TILE_PIECES];
};

static const struct job_tile_case job_tile_cases[] = {
	{ "gaps at both ends", 4, 16, 32, 48,
	  .pieces = { 4 }, .lengths = { 64 } },
	{ "a gap in the source", 4, 16, 16, 48,
	  .pieces = { 4 }, .lengths = { 64 } },
	{ "a gap in the destination", 4, 16, 32, 16,
	  .pieces = { 4 }, .lengths = { 64 } },
	{ "no gap", 4, 16, 16, 16, .lengths = { 64 } },
	{ "one row", 1, 16, 32, 48, .lengths = { 16 } },
	{ "an engine that cannot", 3, 16, 32, 48, .unable = true,
	  .lengths = { 16, 16, 16 } },
	{ "a row of the destination in two segments", 6, 16, 32, 48,
	  .dst_first = 70,
	  .pieces = { 2, 0, 0, 3 }, .lengths = { 32, 6, 10, 48 } },
	{ "a row of the source in two segments", 6, 16, 32, 48,
	  .src_first = 152,
	  .pieces = { 3, 0, 0, 2 }, .lengths = { 48, 8, 8, 32 } },
	{ "a gap in two segments", 5, 16, 32, 48, .src_first = 120,
	  .pieces = { 3, 2 }, .lengths = { 48, 32 } },
	{ "a row that ends with its segment", 4, 16, 32, 48, .dst_first = 48,
	  .pieces = { 2, 2 }, .lengths = { 32, 32 } },
	{ "a row alone in its segment", 3, 16, 32, 48, .dst_first = 32,
	  .pieces = { 0, 2 }, .lengths = { 16, 32 } },
	{ "more rows than an engine has", 5000, 2, 4, 4,
	  .pieces = { 4096, 904 }, .lengths = { 8192, 1808 } },
	{ "the last row alone", 4097, 2, 4, 4,
	  .pieces = { 4096, 0 }, .lengths = { 8192, 2 } },
	{ "more bytes than a piece", 8, 16, 32, 48, .max = 111,
	  .pieces = { 6, 2 }, .lengths = { 96, 32 } },
	{ "a row as long as a piece", 2, 16, 32, 48, .max = 16,
	  .lengths = { 16, 16 } },
	{ "a row longer than a piece", 2, 200, 400, 400, .max = 128,
	  .lengths = { 128, 72, 128, 72 } },
	{ "the longest destination stride", 3, 1, 32767, 2,
	  .pieces = { 3 }, .lengths = { 3 } },
	{ "the longest source stride", 3, 1, 2, 32767,
	  .pieces = { 3 }, .lengths = { 3 } },
	{ "a longer destination stride", 3, 1, 32768, 2,
	  .lengths = { 1, 1, 1 } },
	{ "a longer source stride", 3, 1, 2, 32768, .lengths = { 1, 1, 1 } },
	{ "rows that overlap in the source", 3, 16, 32, 8,
	  .lengths = { 16, 16, 16 } },
	{ "one row repeated", 3, 16, 32, 0, .lengths = { 16, 16, 16 } },
	{ "a destination stride less aligned than the rows", 2, 16, 36, 48,
	  .lengths = { 16, 16 } },
	{ "a source stride less aligned than the rows", 2, 16, 32, 49,
	  .lengths = { 16, 16 } },
	{ "rows less aligned than the first", 4, 16, 36, 48,
	  .pieces = { 0, 3 }, .lengths = { 16, 48 } },
	{ "strides as aligned as the rows", 2, 12, 20, 28,
	  .pieces = { 2 }, .lengths = { 24 } },
	{ "strides as aligned as the destination", 2, 16, 36, 44,
	  .dst_offset = 4, .pieces = { 2 }, .lengths = { 32 } },
};

KUNIT_ARRAY_PARAM_DESC(job_tile, job_tile_cases, name);

static void job_expect_piece(struct kunit *test,
			     const struct dmacpy_piece *piece,
			     unsigned int rows, size_t length,
			     const struct dmacpy_op *op)
{
	KUNIT_EXPECT_EQ(test, length, piece->length);
	if (!rows) {
		KUNIT_EXPECT_EQ(test, DMACPY_PIECE_COPY, piece->kind);
		return;
	}
	KUNIT_EXPECT_EQ(test, DMACPY_PIECE_TILE, piece->kind);
	KUNIT_EXPECT_EQ(test, rows, piece->rows);
	KUNIT_EXPECT_EQ(test, op->length, piece->row);
	KUNIT_EXPECT_EQ(test, op->dst_stride, piece->dst_stride);
	KUNIT_EXPECT_EQ(test, op->src_stride, piece->src_stride);
}

/*
 * Catches: a descriptor for each row if one descriptor is sufficient, or one
 * that exceeds the abilities of some engine, which then copies wrong data.
 */
static void job_cuts_tiles(struct kunit *test)
{
	const struct job_tile_case *param = test->param_value;
	const struct dmacpy_op op = {
		.opcode = DMACPY_OP_COPY_2D,
		.rows = param->rows,
		.length = param->length,
		.dst_stride = param->dst_stride,
		.src_stride = param->src_stride,
		.dst_offset = param->dst_offset,
	};
	struct dmacpy_chan *chan = test_buf_chan(test);
	struct dmacpy_job *job = dmacpy_job_new(NULL, 1);
	struct dmacpy_plan_cursor at = { };
	struct dmacpy_op_bufs ends;
	struct dmacpy_piece piece;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, job);
	chan->engine.tiles = !param->unable;
	ends.dst = job_untouched_in_two(test, chan, TILE_SIZE,
					param->dst_first ?: TILE_SIZE,
					JOB_READ_WRITE);
	ends.src = job_untouched_in_two(test, chan, TILE_SIZE,
					param->src_first ?: TILE_SIZE,
					JOB_READ_WRITE);
	job->plan->op[0] = op;
	KUNIT_ASSERT_EQ(test, 0, job_plan(job, chan, &ends));
	KUNIT_ASSERT_EQ(test, 0, dmacpy_plan_complete(job->plan, chan));
	for (i = 0; i < TILE_PIECES && !at.op; i++) {
		dmacpy_plan_cut(job->plan, &at, param->max ?: 65536, &piece);
		job_expect_piece(test, &piece, param->pieces[i],
				 param->lengths[i], &op);
	}
	KUNIT_EXPECT_EQ(test, 1, at.op);
	KUNIT_EXPECT_TRUE(test, i == TILE_PIECES || !param->lengths[i]);
	dmacpy_job_free(job);
}

/* Cuts all pieces of a share; each tile has to begin with a whole row. */
static void job_cut_share(struct kunit *test, const struct dmacpy_plan *plan,
			  struct dmacpy_plan_cursor *at, u64 left)
{
	const dma_addr_t start = plan->ends->dst->segs->addr;
	struct dmacpy_piece piece;

	while (left) {
		dmacpy_plan_cut(plan, at, left, &piece);
		KUNIT_ASSERT_NE(test, 0, piece.length);
		KUNIT_ASSERT_LE(test, piece.length, left);
		left -= piece.length;
		if (piece.kind == DMACPY_PIECE_TILE)
			KUNIT_EXPECT_EQ(test, 0, (piece.dst - start) %
					piece.dst_stride);
	}
}

/* Catches: a tile beyond the end of a share, or that begins within a row. */
static void job_cuts_shares_of_tiles(struct kunit *test)
{
	const struct dmacpy_op op = {
		.opcode = DMACPY_OP_COPY_2D,
		.rows = 9,
		.length = 16,
		.dst_stride = 32,
		.src_stride = 48,
	};
	struct dmacpy_chan *chan = test_buf_chan(test);
	struct dmacpy_job *job = dmacpy_job_new(NULL, 1);
	struct dmacpy_plan_cursor cut, seek;
	struct dmacpy_op_bufs ends;
	u64 place;

	KUNIT_ASSERT_NOT_NULL(test, job);
	chan->engine.tiles = true;
	ends.dst = job_untouched(test, chan, TILE_SIZE, JOB_READ_WRITE);
	ends.src = job_untouched(test, chan, TILE_SIZE, JOB_READ_WRITE);
	job->plan->op[0] = op;
	KUNIT_ASSERT_EQ(test, 0, job_plan(job, chan, &ends));
	KUNIT_ASSERT_EQ(test, 0, dmacpy_plan_complete(job->plan, chan));
	for (place = 1; place < job->plan->length; place++) {
		cut = (struct dmacpy_plan_cursor){ };
		seek = cut;
		job_cut_share(test, job->plan, &cut, place);
		dmacpy_plan_seek(job->plan, &seek, place);
		KUNIT_EXPECT_EQ(test, cut.row, seek.row);
		KUNIT_EXPECT_EQ(test, cut.done, seek.done);
		job_cut_share(test, job->plan, &seek,
			      job->plan->length - place);
		KUNIT_EXPECT_EQ(test, 1, seek.op);
	}
	dmacpy_job_free(job);
}

#define MEMORY_SIZE	6000
#define MEMORY_SEGS	16	/* for every other memory; 1 for the rest */
#define MEMORIES	4
#define COPY_JOBS	40
#define COPY_OPS	6
#define JOB_TEST_TILES	3	/* in the conformance test */

/**
 * struct job_memory - a buffer of segments, and its expected contents
 * @buf: the buffer
 * @nsegs: number of @segs
 * @segs: its segments, all in @memory
 * @memory: memory that the engine accesses
 * @model: expected contents, in the order of the buffer
 */
struct job_memory {
	struct dmacpy_buf *buf;
	unsigned int nsegs;
	struct test_seg segs[MEMORY_SEGS];
	u8 *memory;
	u8 model[MEMORY_SIZE];
};

/**
 * struct job_test - jobs on an engine
 * @chan: the channel
 * @engine: its engine
 * @ready: argument of dmacpy_chan_open()
 * @report: argument of dmacpy_chan_open()
 * @share: share of a user
 * @lane: lane of a stream
 * @memories: source and destination memories
 * @random: generator of all other random numbers
 * @released: completed by the job's release
 * @result: result of the job
 */
struct job_test {
	struct dmacpy_chan *chan;
	struct test_engine *engine;
	wait_queue_head_t ready;
	struct dmacpy_report report;
	struct dmacpy_share share;
	struct dmacpy_lane lane;
	struct job_memory memories[MEMORIES];
	struct rnd_state random;
	struct completion released;
	int result;
};

/* Cuts the memory into random lengths, from its end to its start. */
static void job_cut_memory(struct kunit *test, struct job_memory *memory)
{
	struct job_test *jt = test->priv;
	unsigned int i, length, left = MEMORY_SIZE;

	for (i = 0; i < memory->nsegs; i++) {
		length = 1 + test_random_below(&jt->random, MEMORY_SIZE /
					       MEMORY_SEGS);
		if (i == memory->nsegs - 1)
			length = left;
		left -= length;
		memory->segs[i].length = length;
		memory->segs[i].addr = test_engine_addr(jt->engine,
							memory->memory + left);
	}
}

/* Copies the contents of a buffer, in its order. */
static void job_gather(const struct job_memory *memory, u8 *to)
{
	unsigned int i, at = MEMORY_SIZE;

	for (i = 0; i < memory->nsegs; i++) {
		at -= memory->segs[i].length;
		memcpy(to, memory->memory + at, memory->segs[i].length);
		to += memory->segs[i].length;
	}
}

static void job_make_memory(struct kunit *test, struct job_memory *memory)
{
	struct test_layout layout = {
		MEMORY_SIZE, memory->nsegs, memory->segs,
	};
	struct job_test *jt = test->priv;

	memory->memory = kunit_kmalloc(test, MEMORY_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, memory->memory);
	prandom_bytes_state(&jt->random, memory->memory, MEMORY_SIZE);
	job_cut_memory(test, memory);
	job_gather(memory, memory->model);
	memory->buf = test_buf_import(test, jt->chan,
				      test_dmabuf_new(test, &layout),
				      JOB_READ_WRITE);
}

static int job_test_start(struct dmacpy_xfer *xfer)
{
	return 0;
}

static struct job_test *job_test_of(struct dmacpy_job *job)
{
	return (void *)(unsigned long)job->user_data;
}

static void job_test_done(struct dmacpy_xfer *xfer, int result)
{
	struct dmacpy_job *job = dmacpy_job_of(xfer);

	dmacpy_job_complete(job);
	job_test_of(job)->result = result;
}

static void job_test_release(struct dmacpy_xfer *xfer)
{
	struct dmacpy_job *job = dmacpy_job_of(xfer);
	struct job_test *jt = job_test_of(job);

	dmacpy_job_clear(job);
	kvfree(job);
	complete(&jt->released);
}

static const struct dmacpy_xfer_ops job_test_ops = {
	.start = job_test_start,
	.next = dmacpy_job_next,
	.done = job_test_done,
	.release = job_test_release,
};

/* Draws an operation, which may exceed its buffers or overlap. */
static void job_random_op(struct job_test *jt, struct dmacpy_op *op)
{
	struct rnd_state *random = &jt->random;

	*op = (struct dmacpy_op){
		.opcode = test_random_below(random, DMACPY_OP_FILL + 1),
		.length = 1 + test_random_below(random, 600),
		.dst_offset = test_random_below(random, MEMORY_SIZE),
	};
	if (op->opcode == DMACPY_OP_FILL) {
		op->pattern = prandom_u32_state(random);
		if (test_random_below(random, 2))
			op->pattern = (op->pattern & 0xff) * 0x01010101U;
		return;
	}
	op->src_offset = test_random_below(random, MEMORY_SIZE);
	if (op->opcode == DMACPY_OP_COPY_2D) {
		op->rows = 1 + test_random_below(random, 8);
		op->dst_stride = op->length + test_random_below(random, 2) *
				 test_random_below(random, 200);
		op->src_stride = test_random_below(random, 2) ? op->length :
				 test_random_below(random, 800);
	}
}

/* Runs the operation on the model, byte by byte. */
static void job_model_op(const struct dmacpy_op *op, u8 *dst, const u8 *src)
{
	const u8 *pattern = (const u8 *)&op->pattern;
	u64 row, at;

	for (row = 0; row < max(op->rows, 1U); row++)
		for (at = 0; at < op->length; at++)
			dst[op->dst_offset + row * op->dst_stride + at] =
				op->opcode == DMACPY_OP_FILL ?
				pattern[at % sizeof(op->pattern)] :
				src[op->src_offset + row * op->src_stride + at];
}

/* Makes a copy that continues the last operation, if it was one row. */
static void job_next_op(const struct dmacpy_op *last, struct dmacpy_op *op)
{
	*op = (struct dmacpy_op){
		.dst_offset = last->dst_offset + last->length,
		.src_offset = last->src_offset + last->length,
		.length = op->length,
	};
}

static struct job_memory *job_random_memory(struct job_test *jt)
{
	return &jt->memories[test_random_below(&jt->random, MEMORIES)];
}

/* The same memory always has the same handle. */
static void job_name_memory(struct job_test *jt, struct dmacpy_op *op,
			    struct dmacpy_op_bufs *ends,
			    struct job_memory *dst, struct job_memory *src)
{
	bool fills = op->opcode == DMACPY_OP_FILL;

	op->dst = dst - jt->memories + 1;
	op->src = fills ? 0 : src - jt->memories + 1;
	ends->dst = dst->buf;
	ends->src = fills ? NULL : src->buf;
}

/* Half of them are adjacent to the last one, as far as there is room. */
static void job_random_ops(struct kunit *test, struct dmacpy_op *ops,
			   struct dmacpy_op_bufs *ends)
{
	struct job_test *jt = test->priv;
	struct job_memory *dst, *src;
	bool touches = false;
	unsigned int i;

	for (i = 0; i < COPY_OPS; i++) {
		if (!touches) {
			dst = job_random_memory(jt);
			src = job_random_memory(jt);
		}
		do {
			job_random_op(jt, &ops[i]);
			if (touches)
				job_next_op(&ops[i - 1], &ops[i]);
			touches = false;
			job_name_memory(jt, &ops[i], &ends[i], dst, src);
		} while (job_check_one(test, jt->chan, &ops[i], &ends[i]));
		job_model_op(&ops[i], dst->model, src->model);
		touches = test_random_below(&jt->random, 2);
	}
}

static void job_run_random(struct kunit *test)
{
	struct job_test *jt = test->priv;
	struct dmacpy_job *job = dmacpy_job_new(NULL, COPY_OPS);
	struct dmacpy_op_bufs ends[COPY_OPS];

	KUNIT_ASSERT_NOT_NULL(test, job);
	job->user_data = (unsigned long)jt;
	job_random_ops(test, job->plan->op, ends);
	reinit_completion(&jt->released);
	KUNIT_ASSERT_EQ(test, 0, job_plan(job, jt->chan, ends));
	KUNIT_ASSERT_EQ(test, 0, dmacpy_plan_complete(job->plan, jt->chan));
	KUNIT_ASSERT_EQ(test, 0, dmacpy_job_prepare(job));
	jt->lane.share = &jt->share;
	dmacpy_job_run(job, jt->chan, &jt->lane, &job_test_ops, 0);
	KUNIT_ASSERT_NE(test, 0, wait_for_completion_timeout(&jt->released,
							     PATIENCE));
	KUNIT_EXPECT_EQ(test, 0, jt->result);
}

static void job_expect_model(struct kunit *test, struct job_memory *memory)
{
	u8 *found = kunit_kmalloc(test, MEMORY_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, found);
	job_gather(memory, found);
	KUNIT_ASSERT_TRUE(test, !memcmp(found, memory->model, MEMORY_SIZE));
	kunit_kfree(test, found);
}

static void job_close_chan(void *chan)
{
	dmacpy_chan_close(chan);
}

/* Catches: caches of many short rows that are synced in an interrupt. */
static void job_syncs_many_rows_slowly(struct kunit *test)
{
	struct dmacpy_plan *plan;

	plan = kunit_kzalloc(test, sizeof(*plan), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, plan);
	plan->rows = DMACPY_JOB_QUICK_ROWS + 1;
	plan->length = plan->rows;
	KUNIT_EXPECT_FALSE(test, dmacpy_job_syncs_slowly(plan));
	plan->needs_sync = true;
	KUNIT_EXPECT_TRUE(test, dmacpy_job_syncs_slowly(plan));
	plan->rows--;
	KUNIT_EXPECT_FALSE(test, dmacpy_job_syncs_slowly(plan));
	plan->length = DMACPY_JOB_QUICK_SYNC + 1;
	KUNIT_EXPECT_TRUE(test, dmacpy_job_syncs_slowly(plan));
}

/* Catches: a byte that is not copied or filled, or at a wrong place. */
static void job_copies(struct kunit *test)
{
	struct job_test *jt;
	unsigned int i, j;

	jt = kunit_kzalloc(test, sizeof(*jt), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, jt);
	test->priv = jt;
	init_waitqueue_head(&jt->ready);
	jt->engine = test_engine_new(test);
	dmacpy_report_init(&jt->report, jt->engine->client);
	dma_cap_set(DMA_MEMSET, jt->engine->device.cap_mask);
	dma_cap_set(DMA_INTERLEAVE, jt->engine->device.cap_mask);
	test_engine_register(test, jt->engine);
	jt->chan = dmacpy_chan_open(jt->engine->client, TEST_ENGINE_CHANNEL,
				    &jt->ready, &jt->report);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, jt->chan);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, job_close_chan,
						  jt->chan));
	/* All tiles are those of the conformance test. */
	KUNIT_EXPECT_EQ(test, JOB_TEST_TILES, jt->engine->tiles);
	jt->engine->no_tile = 3;
	init_completion(&jt->released);
	test_random_start(test, &jt->random);
	for (i = 0; i < MEMORIES; i++) {
		jt->memories[i].nsegs = i % 2 ? 1 : MEMORY_SEGS;
		job_make_memory(test, &jt->memories[i]);
	}

	for (i = 0; i < COPY_JOBS; i++) {
		job_run_random(test);
		for (j = 0; j < MEMORIES; j++)
			job_expect_model(test, &jt->memories[j]);
	}
	/* One fill is that of the conformance test. */
	KUNIT_EXPECT_LT(test, 1, jt->engine->fills);
	KUNIT_EXPECT_LT(test, JOB_TEST_TILES, jt->engine->tiles);
}

static struct kunit_case job_cases[] = {
	KUNIT_CASE_PARAM(job_checks_operation, job_op_gen_params),
	KUNIT_CASE(job_memory_is_bounded),
	KUNIT_CASE(job_plan_is_charged),
	KUNIT_CASE_PARAM(job_checks_ends, job_end_gen_params),
	KUNIT_CASE_PARAM(job_joins, job_plan_gen_params),
	KUNIT_CASE(job_counts_joined_ops),
	KUNIT_CASE(job_seeks),
	KUNIT_CASE(job_finds_overlap),
	KUNIT_CASE_PARAM(job_cuts_tiles, job_tile_gen_params),
	KUNIT_CASE(job_cuts_shares_of_tiles),
	KUNIT_CASE(job_syncs_many_rows_slowly),
	KUNIT_CASE(job_copies),
	{ }
};

static struct kunit_suite job_suite = {
	.name = "dmacpy_job",
	.test_cases = job_cases,
};

kunit_test_suites(&job_suite);
