/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dmacpy tune: common declarations of its files.
 */
#ifndef _DMACPY_TUNE_H
#define _DMACPY_TUNE_H

#include "bench.h"

/* Copies per job in batches */
#define TUNE_BATCH 32

/* Sizes from 64 bytes to 1 MiB, by doubling */
#define TUNE_ROWS 15
/* Pairs of three kinds of memory */
#define TUNE_PAIRS 9

/* Returned if there is no break-even */
#define TUNE_NEVER -1

/**
 * struct tune_row - copies of one size
 * @size: in bytes
 * @cpu: copies by the CPU
 * @one: copies by the engine, one per job
 * @batch: copies by the engine, TUNE_BATCH per job; or the same as @one, if
 *	that takes too long to measure
 */
struct tune_row {
	uint64_t size;
	struct bench_result cpu;
	struct bench_result one;
	struct bench_result batch;
};

/**
 * struct tune_pair - copies from one kind of memory to another
 * @src: kind of the source
 * @dst: kind of the destination
 * @cpu_below: the length that dmacpy_stream_tune() found; 0 with dma-bufs
 * @count: number of @rows
 * @rows: results by size
 */
struct tune_pair {
	enum bench_kind src;
	enum bench_kind dst;
	uint64_t cpu_below;
	unsigned int count;
	struct tune_row rows[TUNE_ROWS];
};

/**
 * struct tune - parameters and results of all measurements
 * @bench: the current measurement
 * @seconds: time for all measurements
 * @json: print JSON
 * @src: measure only copies from this kind, or all if BENCH_KINDS
 * @dst: measure only copies to this kind, or all if BENCH_KINDS
 * @deadline: time at which to finish, in seconds
 * @left: maximum number of remaining measurements
 * @all: initial value of @left
 * @measured: number of measurements so far
 * @unsteady: number of these whose median far exceeds the minimum
 * @count: number of @pairs
 * @pairs: pairs of the available kinds of memory, of which enough is free
 * @ns_part: cost of an additional part of a copier's copy; 0 if there is one
 *	channel, too little SRAM, or if the measurements vary by more than this
 * @min_part: minimum length of a part that pays, or 0 if none does
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

/* Returns true if the engine makes all copies of the library. */
static inline bool tune_has_dmabuf(const struct tune_pair *pair)
{
	return bench_is_dmabuf(pair->src) || bench_is_dmabuf(pair->dst);
}

/*
 * Returns the number of bytes from which on the engine, with one or with
 * TUNE_BATCH copies in a job, takes less time than the CPU: 0, a number, or
 * TUNE_NEVER.
 */
double tune_break_even(const struct tune_pair *pair, bool batch);

/* Returns the time per byte, without the fixed cost of a job. */
double tune_ns_per_byte(const struct tune_pair *pair, bool cpu);

void tune_report(const struct tune *tune);

#endif /* _DMACPY_TUNE_H */
