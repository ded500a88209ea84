/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The expected contents of memory that only one thread and its jobs write. A
 * byte is in doubt if a job that writes it has failed, or if it was copied from
 * memory that others write.
 */
#ifndef DMACPY_TESTS_MODEL_H
#define DMACPY_TESTS_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/dmacpy.h>

#define MODEL_SIZE	8192

enum doubt {
	CERTAIN,
	IN_DOUBT,
	FOR_EVER_IN_DOUBT,	/* a lost job may write to it at any time */
};

/* @base: offset in the buffer that operations refer to */
struct model {
	uint64_t base;
	uint8_t bytes[MODEL_SIZE];
	uint8_t doubts[MODEL_SIZE];
};

void model_start(struct model *model, uint64_t base);
void model_write(struct model *model, size_t offset, size_t length,
		 uint8_t value, bool late);
void model_apply(struct model *dst, const struct model *src,
		 const struct dmacpy_op *op);
void model_doubt(struct model *dst, const struct dmacpy_op *op,
		 enum doubt doubt);
void model_doubt_for_ever(struct model *model);
void model_mark(const struct model *dst, const struct dmacpy_op *op,
		bool *marks);
size_t model_compare(const struct model *model, const uint8_t *mem,
		     const bool *except, size_t *compared);

#endif
