// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "model.h"

static uint32_t rows(const struct dmacpy_op *op)
{
	return op->opcode == DMACPY_OP_COPY_2D ? op->rows : 1;
}

static size_t row_start(const struct model *model, uint64_t offset,
			uint64_t stride, uint32_t row)
{
	return offset + row * stride - model->base;
}

/* New memory is cleared. */
void model_start(struct model *model, uint64_t base)
{
	memset(model, 0, sizeof(*model));
	model->base = base;
}

/*
 * Writes by the CPU. With @late, a failed job may still write to doubtful
 * bytes.
 */
void model_write(struct model *model, size_t offset, size_t length,
		 uint8_t value, bool late)
{
	size_t i;

	for (i = offset; i < offset + length; i++) {
		model->bytes[i] = value;
		if (model->doubts[i] == IN_DOUBT && !late)
			model->doubts[i] = CERTAIN;
	}
}

static void fill_row(struct model *dst, size_t to, const struct dmacpy_op *op)
{
	const uint8_t *pattern = (const uint8_t *)&op->pattern;
	size_t i;

	for (i = 0; i < op->length; i++)
		model_write(dst, to + i, 1, pattern[i % sizeof(op->pattern)],
			    false);
}

static void copy_row(struct model *dst, size_t to, const struct model *src,
		     size_t from, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++) {
		model_write(dst, to + i, 1, src->bytes[from + i], false);
		if (src->doubts[from + i] && !dst->doubts[to + i])
			dst->doubts[to + i] = IN_DOUBT;
	}
}

/* Applies an operation that has succeeded. Its buffers must not overlap. */
void model_apply(struct model *dst, const struct model *src,
		 const struct dmacpy_op *op)
{
	uint32_t row;
	size_t to;

	for (row = 0; row < rows(op); row++) {
		to = row_start(dst, op->dst_offset, op->dst_stride, row);
		if (op->opcode == DMACPY_OP_FILL)
			fill_row(dst, to, op);
		else
			copy_row(dst, to, src,
				 row_start(src, op->src_offset, op->src_stride,
					   row), op->length);
	}
}

/* Marks the bytes of an operation that failed, or whose source is unknown. */
void model_doubt(struct model *dst, const struct dmacpy_op *op,
		 enum doubt doubt)
{
	uint32_t row;
	size_t to, i;

	for (row = 0; row < rows(op); row++) {
		to = row_start(dst, op->dst_offset, op->dst_stride, row);
		for (i = to; i < to + op->length; i++)
			if (dst->doubts[i] < doubt)
				dst->doubts[i] = doubt;
	}
}

/* The end of the writes of failed jobs can no longer be detected. */
void model_doubt_for_ever(struct model *model)
{
	size_t i;

	for (i = 0; i < MODEL_SIZE; i++)
		if (model->doubts[i])
			model->doubts[i] = FOR_EVER_IN_DOUBT;
}

/* Marks the bytes that an operation will write. */
void model_mark(const struct model *dst, const struct dmacpy_op *op,
		bool *marks)
{
	uint32_t row;

	for (row = 0; row < rows(op); row++)
		memset(marks + row_start(dst, op->dst_offset, op->dst_stride,
					 row), true, op->length);
}

/* Returns the first offset at which memory is wrong, or MODEL_SIZE. */
size_t model_compare(const struct model *model, const uint8_t *mem,
		     const bool *except, size_t *compared)
{
	size_t i;

	for (i = 0; i < MODEL_SIZE; i++) {
		if (except[i] || model->doubts[i])
			continue;
		if (mem[i] != model->bytes[i])
			break;
		++*compared;
	}
	return i;
}
