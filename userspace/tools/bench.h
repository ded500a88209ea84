/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of dmacpy bench share; dmacpy tune measures by them, too.
 *
 * A round is what is measured: each stream of a thread is given a number of
 * jobs, and all of them are waited for. Each job has the same number of
 * operations, called copies here, also when they are fills.
 */
#ifndef _DMACPY_BENCH_H
#define _DMACPY_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tool.h"

#define BENCH_MAX_THREADS 64

#define BENCH_SECOND 1000000000ULL

/* Of COPY_2D */
#define BENCH_ROWS 16

/* The least that dmacpy_copier_set_min_part() takes */
#define BENCH_MIN_PART 256

/* All bytes are the same, as memset() has it. */
#define BENCH_FILL 0x5a

/**
 * enum bench_kind - where memory comes from
 * @BENCH_SRAM: DMACPY_ALLOC
 * @BENCH_USER: memory of the program, registered
 * @BENCH_UDMABUF: /dev/udmabuf
 * @BENCH_HEAP: /dev/dma_heap/system
 * @BENCH_KINDS: how many there are
 */
enum bench_kind {
	BENCH_SRAM,
	BENCH_USER,
	BENCH_UDMABUF,
	BENCH_HEAP,
	BENCH_KINDS,
};

enum bench_format {
	BENCH_TABLE,
	BENCH_JSON,
	BENCH_CSV,
};

/**
 * struct bench_layout - what a copy does in its slot of the memory
 * @guard: bytes before the rows, that nothing is to touch
 * @row: bytes of a row
 * @rows: number of rows; a copy or a fill is one
 * @stride: from row to row
 * @slot: from slot to slot
 */
struct bench_layout {
	size_t guard;
	size_t row;
	unsigned int rows;
	size_t stride;
	size_t slot;
};

struct bench_worker;

/**
 * struct bench_mode - a way to run jobs
 * @name: for --mode
 * @flags: of SUBMIT
 * @one_job: there is never more than one job in flight
 * @no_jobs: the engine has no part in it
 * @no_copies: nothing is copied or filled
 * @copier: jobs are those of a copier, which has streams of its own
 * @takes_more: DMACPY_SUBMIT_MORE is of use
 * @takes_many: one RUN starts all prepared jobs of a round
 * @begin: make what @round needs, or NULL if that is nothing
 * @round: give all streams of a worker their jobs, and wait for them; NULL if
 *	this was built without what it takes
 * @end: undo @begin, also if it has failed
 *
 * The functions return 0 or a negative errno.
 */
struct bench_mode {
	const char *name;
	uint32_t flags;
	bool one_job;
	bool no_jobs;
	bool no_copies;
	bool copier;
	bool takes_more;
	bool takes_many;
	int (*begin)(struct bench_worker *worker);
	int (*round)(struct bench_worker *worker);
	void (*end)(struct bench_worker *worker);
};

/**
 * struct bench - what was asked for
 * @device: its name, or NULL for the first
 * @size: bytes of each copy
 * @depth: jobs in flight of a stream
 * @batch: copies in a job
 * @threads: number of threads
 * @streams: number of streams of all threads
 * @handles: number of further handles of each stream
 * @segments: pages of registered memory, none beside another, or 0
 * @gap: bytes behind each copy, or behind each row of one
 * @mode: how jobs are run
 * @src: memory to copy from, BENCH_KINDS for a fill
 * @dst: memory to copy or fill to
 * @opcode: what a job does
 * @explicit_sync: with DMACPY_REGISTER_EXPLICIT_SYNC
 * @no_implicit: with DMACPY_SUBMIT_NO_IMPLICIT
 * @more: with DMACPY_SUBMIT_MORE, but for the last job of a round
 * @prepared: jobs are prepared, and run
 * @verify: look at each byte after each round
 * @min_part: of a copier's copies, or 0 for the library's
 * @rounds: number of rounds of each thread, or 0
 * @duration: nanoseconds after which no round is begun, or 0
 * @quiet: show no progress
 * @format: of the result
 * @session: the device, without a stream
 * @layout: of all memory
 */
struct bench {
	const char *device;
	uint64_t size;
	uint64_t depth;
	uint64_t batch;
	uint64_t threads;
	uint64_t streams;
	uint64_t handles;
	uint64_t segments;
	uint64_t gap;
	const struct bench_mode *mode;
	enum bench_kind src;
	enum bench_kind dst;
	enum dmacpy_opcode opcode;
	bool explicit_sync;
	bool no_implicit;
	bool more;
	bool prepared;
	bool verify;
	uint64_t min_part;
	uint64_t rounds;
	uint64_t duration;
	bool quiet;
	enum bench_format format;

	struct session session;
	struct bench_layout layout;
};

/**
 * struct bench_memory - one end of the copies of a stream
 * @kind: where it comes from
 * @buffer: for the library, or NULL
 * @data: for the CPU
 * @length: of all of it
 * @mapped: length of what @data is the start of, for user
 * @base: where the first slot is
 * @slots: number of slots
 */
struct bench_memory {
	enum bench_kind kind;
	struct dmacpy_buffer *buffer;
	uint8_t *data;
	size_t length;
	size_t mapped;
	size_t base;
	unsigned int slots;
};

/**
 * struct bench_stream - an open stream with all that its jobs need
 * @stream: the stream
 * @fd: of @stream
 * @src: what is copied; without memory when it is a fill
 * @dst: what is written
 * @more: further handles, or NULL
 * @ops: of all jobs of a round
 * @submits: the jobs of a round
 * @pointers: to @submits, for io_uring
 * @runs: the jobs of a round that are prepared, or NULL
 * @calls: each starts one of @runs, or the only one all of them
 */
struct bench_stream {
	struct dmacpy_stream *stream;
	int fd;
	struct bench_memory src;
	struct bench_memory dst;
	struct dmacpy_buffer **more;
	struct dmacpy_op *ops;
	struct dmacpy_submit *submits;
	struct dmacpy_submit_pointer *pointers;
	struct dmacpy_run_job *runs;
	struct dmacpy_run *calls;
};

/**
 * struct bench_mismatch - a byte that is not what it should be
 * @in_src: it is in the source, which nothing writes to
 * @offset: where in the memory
 * @wanted: what it should be
 * @found: what it is
 */
struct bench_mismatch {
	bool in_src;
	size_t offset;
	uint8_t wanted;
	uint8_t found;
};

/**
 * struct bench_worker - a thread
 * @bench: what to do
 * @streams: every @bench->threads-th is of this thread
 * @first: the first of them
 * @mine: how many they are
 * @private: of @bench->mode
 * @samples: nanoseconds of the last rounds
 * @capacity: of @samples
 * @done: number of rounds
 * @total: nanoseconds of all rounds
 * @cpu_time: nanoseconds of the thread on the CPU, for all rounds
 * @failures: number of copies that were wrong
 * @mismatch: the first that was seen, if there are @failures
 * @ret: 0 or the negative errno that has ended it
 */
struct bench_worker {
	const struct bench *bench;
	struct bench_stream *streams;
	unsigned int first;
	unsigned int mine;
	void *private;
	uint64_t *samples;
	size_t capacity;
	uint64_t done;
	uint64_t total;
	uint64_t cpu_time;
	uint64_t failures;
	struct bench_mismatch mismatch;
	int ret;
};

/**
 * bench_calls() - how often a stream is given jobs in a round
 * @bench: the benchmark
 *
 * Return: the number of system calls that start the jobs of a stream.
 */
unsigned int bench_calls(const struct bench *bench);

/**
 * struct bench_result - what was measured
 * @copies: number of all copies
 * @ns_median: of the nanoseconds of rounds, divided by the copies in each
 * @ns_mean: the same, of all rounds
 * @ns_min: the same
 * @ns_p99: the same
 * @ns_cpu: nanoseconds of a thread on the CPU for each copy
 * @bytes_per_s: of all threads together
 */
struct bench_result {
	uint64_t copies;
	double ns_median;
	double ns_mean;
	double ns_min;
	double ns_p99;
	double ns_cpu;
	double bytes_per_s;
};

static inline size_t round_up(size_t number, size_t multiple)
{
	return (number + multiple - 1) / multiple * multiple;
}

/* Stream @i of those that a worker has. */
static inline struct bench_stream *bench_stream(struct bench_worker *worker,
						unsigned int i)
{
	return &worker->streams[worker->first + i * worker->bench->threads];
}

/* Copies in a round of one stream. */
static inline unsigned int bench_copies(const struct bench *bench)
{
	return bench->depth * bench->batch;
}

extern const char * const bench_kind_names[BENCH_KINDS];

/* Returns 0, or an exit status after a message about the usage of a command. */
int bench_parse_kind(const char *command, const char *name,
		     enum bench_kind *kind);

/* NULL if there is none of that name. */
const struct bench_mode *bench_mode_find(const char *name);

/* Return 0, or -1 after a message. Zeroed streams can be closed. */
int bench_stream_open(const struct bench *bench, struct bench_stream *stream);
void bench_stream_close(struct bench_stream *stream);

/*
 * Return 0, or -1 after a message. Zeroed memory can be freed. It has a slot
 * for each copy of a round, or as many as there is room for.
 */
int bench_memory_new(const struct bench *bench, enum bench_kind kind,
		     struct dmacpy_stream *stream, uint32_t access,
		     struct bench_memory *mem);
void bench_memory_free(struct bench_memory *mem);

/*
 * What the bytes are before a round, and whether they are right after it, in
 * brackets of DMA_BUF_IOCTL_SYNC. Return 0 or a negative errno.
 */
int bench_data_reset(const struct bench *bench, struct bench_stream *stream);
int bench_data_check(struct bench_worker *worker, struct bench_stream *stream);

/* What depends on the device: where copies are in memory. */
void bench_make_layout(struct bench *bench);

/*
 * Run a bench that has a session and a layout, and have the workers looked at
 * before they go. Returns 0, or -1 after a message, also if @look does.
 */
int bench_measure(const struct bench *bench,
		  int (*look)(const struct bench_worker *workers,
			      unsigned int count, void *arg),
		  void *arg);

/* One thread for each worker. Returns 0, or -1 after a message. */
int bench_run(struct bench_worker *workers, unsigned int count);

/* Returns 0, or -1 after a message. */
int bench_get_result(const struct bench_worker *workers, unsigned int count,
		     struct bench_result *result);

/* Half of the copies took far longer than the quickest. */
bool bench_is_unsteady(const struct bench_result *result);

/* Prints the result of @count workers. Returns 0, or -1 after a message. */
int bench_report(const struct bench_worker *workers, unsigned int count);

int bench_uring_begin(struct bench_worker *worker);
int bench_uring_round(struct bench_worker *worker);
void bench_uring_end(struct bench_worker *worker);

int bench_copier_begin(struct bench_worker *worker);
int bench_copier_round(struct bench_worker *worker);
void bench_copier_end(struct bench_worker *worker);

#endif /* _DMACPY_BENCH_H */
