/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dmacpy tune: what its files share.
 */
#ifndef _DMACPY_TUNE_H
#define _DMACPY_TUNE_H

#include "bench.h"

/* Copies in the jobs that have several */
#define TUNE_BATCH 32

/* From 64 bytes to 1 MiB, by doubling */
#define TUNE_ROWS 15
/* Any of three kinds of memory to any */
#define TUNE_PAIRS 9

/* Instead of a break-even */
#define TUNE_NEVER -1

/**
 * struct tune_row - copies of one size
 * @size: in bytes
 * @cpu: by the CPU
 * @one: by the engine, one in a job
 * @batch: by the engine, TUNE_BATCH in a job; or the same as @one, where that
 *	takes too long to measure
 */
struct tune_row {
	uint64_t size;
	struct bench_result cpu;
	struct bench_result one;
	struct bench_result batch;
};

/**
 * struct tune_pair - copies from one kind of memory to another
 * @src: from where
 * @dst: to where
 * @count: number of @rows
 * @rows: by size
 */
struct tune_pair {
	enum bench_kind src;
	enum bench_kind dst;
	unsigned int count;
	struct tune_row rows[TUNE_ROWS];
};

/**
 * struct tune - all that is measured
 * @bench: what is measured now
 * @seconds: how long all of it is to take
 * @json: how it is to be shown
 * @src: only from this, or BENCH_KINDS
 * @dst: only to this, or BENCH_KINDS
 * @deadline: when it is to be over, in seconds
 * @left: number of measurements that are left, at most
 * @all: what @left was first
 * @measured: number of measurements
 * @unsteady: number of these whose median is far from the least
 * @count: number of @pairs
 * @pairs: of the kinds of memory that there are
 * @ns_part: what a part more costs a copier, or 0 if there is one channel, or
 *	the measurements differ by more than that
 * @min_part: from how many bytes on a part pays, or 0 if it never does
 */
struct tune {
	struct bench bench;
	uint64_t seconds;
	bool json;
	enum bench_kind src;
	enum bench_kind dst;
	double deadline;
	unsigned int left;
	unsigned int all;
	unsigned int measured;
	unsigned int unsteady;
	unsigned int count;
	struct tune_pair pairs[TUNE_PAIRS];
	double ns_part;
	uint64_t min_part;
};

/*
 * From how many bytes on the engine, with one or with TUNE_BATCH copies in a
 * job, takes less time than the CPU: 0, a number, or TUNE_NEVER.
 */
double tune_break_even(const struct tune_pair *pair, bool batch);

/* The time that a byte takes, without what a job takes. */
double tune_ns_per_byte(const struct tune_pair *pair, bool cpu);

void tune_report(const struct tune *tune);

#endif /* _DMACPY_TUNE_H */
