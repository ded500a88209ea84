/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Common declarations of the files of dmacpy bench; dmacpy tune uses them for
 * its measurements, too.
 *
 * A round is the unit of measurement: a thread submits a number of jobs to each
 * of its streams, and waits for all of them. Each job has the same number of
 * operations, called copies here, even if they are fills.
 */
#ifndef _DMACPY_BENCH_H
#define _DMACPY_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tool.h"

#define BENCH_MAX_THREADS 64

#define BENCH_SECOND 1000000000ULL

/* Far larger than the useful part of any buffer. */
#define BENCH_MAX_GAP (1ULL << 30)

/* The minimum that dmacpy_copier_set_min_part() accepts */
#define BENCH_MIN_PART 256

/* The value of each byte, as for memset() */
#define BENCH_FILL 0x5a

/**
 * enum bench_kind - type of memory
 * @BENCH_SRAM: DMACPY_ALLOC
 * @BENCH_USER: memory of the program, registered
 * @BENCH_UDMABUF: /dev/udmabuf
 * @BENCH_HEAP: /dev/dma_heap/system
 * @BENCH_KINDS: number of types
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
 * struct bench_layout - the position of a copy in its slot of the memory
 * @guard: bytes before the rows, which must stay unchanged
 * @row: bytes of a row
 * @rows: number of rows; a copy or a fill has one
 * @stride: bytes from the start of a row to the next
 * @slot: bytes from the start of a slot to the next
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
 * @name: argument of --mode
 * @flags: flags of SUBMIT
 * @one_job: at most one job is in flight
 * @no_jobs: the engine is not used
 * @no_copies: the jobs neither copy nor fill
 * @only_copies: neither fills nor copies of rows
 * @no_dmabufs: source and destination are of %BENCH_USER or %BENCH_SRAM
 * @no_explicit: no memory with DMACPY_REGISTER_EXPLICIT_SYNC is used
 * @copier: the jobs are those of a copier, which has its own streams
 * @polls: the ring has %IORING_SETUP_IOPOLL
 * @takes_more: DMACPY_SUBMIT_MORE has an effect
 * @takes_many: one RUN starts as many prepared jobs as it may
 * @begin: allocate the resources of @round, or NULL if it has none
 * @round: submit the jobs of all streams of a worker, and wait for them; NULL
 *	if the tool was built without the library that the mode needs
 * @end: undo @begin, also after a failure of @begin
 *
 * The functions return 0 or a negative errno.
 */
struct bench_mode {
	const char *name;
	uint32_t flags;
	bool one_job;
	bool no_jobs;
	bool no_copies;
	bool only_copies;
	bool no_dmabufs;
	bool no_explicit;
	bool copier;
	bool polls;
	bool takes_more;
	bool takes_many;
	int (*begin)(struct bench_worker *worker);
	int (*round)(struct bench_worker *worker);
	void (*end)(struct bench_worker *worker);
};

/**
 * struct bench - parameters of a benchmark
 * @device: its name, or NULL for the first device
 * @size: bytes of each copy
 * @depth: jobs in flight per stream
 * @batch: copies in a job
 * @threads: number of threads
 * @streams: total number of streams
 * @handles: number of additional handles of each stream
 * @segments: number of pages of registered memory, no two of which are
 *	physically adjacent, or 0
 * @gap: bytes after each copy, or after each row of a copy
 * @rows: number of rows of a COPY_2D
 * @mode: the way to run jobs
 * @src: memory to copy from, BENCH_KINDS for a fill
 * @dst: memory to copy or fill to
 * @opcode: operation of the jobs
 * @explicit_sync: register with DMACPY_REGISTER_EXPLICIT_SYNC
 * @no_implicit: submit with DMACPY_SUBMIT_NO_IMPLICIT
 * @more: submit with DMACPY_SUBMIT_MORE, except for the last job of a round
 * @prepared: prepare the jobs once, then run them
 * @verify: check each byte after each round
 * @cold: fill the CPU's caches with other memory before each round
 * @min_part: minimum length of a part of a copier's copy, or 0 for the
 *	library's default
 * @rounds: number of rounds of each thread, or 0
 * @duration: nanoseconds after which no round is started, or 0
 * @quiet: show no progress
 * @format: output format of the result
 * @session: the device, without a stream
 * @layout: layout of all memory
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
	uint64_t rows;
	const struct bench_mode *mode;
	enum bench_kind src;
	enum bench_kind dst;
	enum dmacpy_opcode opcode;
	bool explicit_sync;
	bool no_implicit;
	bool more;
	bool prepared;
	bool verify;
	bool cold;
	uint64_t min_part;
	uint64_t rounds;
	uint64_t duration;
	bool quiet;
	enum bench_format format;

	struct session session;
	struct bench_layout layout;
};

/**
 * struct bench_memory - source or destination memory of a stream
 * @kind: type of the memory
 * @buffer: buffer of the library, or NULL
 * @data: address for the CPU
 * @length: length of the memory
 * @mapped: length of the mapping that starts at @data, for BENCH_USER
 * @base: offset of the first slot
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
 * struct bench_stream - an open stream with the resources of its jobs
 * @stream: the stream
 * @fd: file descriptor of @stream
 * @src: source of the copies; empty for fills
 * @dst: destination
 * @more: additional handles, or NULL
 * @ops: operations of all jobs of a round
 * @submits: the jobs of a round
 * @pointers: pointers to @submits, for io_uring
 * @runs: the prepared jobs of a round, or NULL
 * @calls: arguments of RUN: one for each of @runs, or a single one for all of
 *	them
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
 * struct bench_mismatch - a byte with a wrong value
 * @in_src: the byte is in the source, which must not change
 * @offset: offset in the memory
 * @wanted: expected value
 * @found: actual value
 */
struct bench_mismatch {
	bool in_src;
	size_t offset;
	uint8_t wanted;
	uint8_t found;
};

/**
 * struct bench_worker - a thread
 * @bench: parameters of the benchmark
 * @streams: all streams; the thread uses every @bench->threads-th
 * @first: index of the thread's first stream
 * @mine: number of the thread's streams
 * @private: data of @bench->mode
 * @other: memory that fills the caches if @bench->cold, or NULL
 * @other_size: its size in bytes
 * @samples: nanoseconds of the most recent rounds
 * @capacity: length of @samples
 * @done: number of rounds
 * @total: total nanoseconds of all rounds
 * @cpu_time: total CPU nanoseconds of the thread for all rounds, without
 *	those that fill the caches
 * @failures: number of incorrect copies
 * @mismatch: the first wrong byte, if there are @failures
 * @ret: 0, or the negative errno that stopped the thread
 */
struct bench_worker {
	const struct bench *bench;
	struct bench_stream *streams;
	unsigned int first;
	unsigned int mine;
	void *private;
	uint8_t *other;
	size_t other_size;
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
 * bench_calls() - get the number of calls that start the jobs of a round
 * @bench: the benchmark
 *
 * Return: the number of system calls that start the jobs of a stream.
 */
unsigned int bench_calls(const struct bench *bench);

/**
 * struct bench_result - results of a measurement
 * @copies: total number of copies
 * @ns_median: median of the nanoseconds per copy of a round
 * @ns_mean: mean of the same, over all rounds
 * @ns_min: minimum of the same
 * @ns_p99: 99th percentile of the same
 * @ns_cpu: CPU nanoseconds of the threads per copy
 * @bytes_per_s: throughput of all threads together
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

/* Returns the @i-th stream of a worker. */
static inline struct bench_stream *bench_stream(struct bench_worker *worker,
						unsigned int i)
{
	return &worker->streams[worker->first + i * worker->bench->threads];
}

/* Streams import buffers of these kinds, and the CPU never copies them. */
static inline bool bench_is_dmabuf(enum bench_kind kind)
{
	return kind == BENCH_UDMABUF || kind == BENCH_HEAP;
}

/* Returns the library's name of another kind. */
static inline enum dmacpy_memory bench_memory_of(enum bench_kind kind)
{
	return kind == BENCH_SRAM ? DMACPY_MEMORY_SRAM : DMACPY_MEMORY_USER;
}

/* Returns the number of copies of a stream in a round. */
static inline unsigned int bench_copies(const struct bench *bench)
{
	return bench->depth * bench->batch;
}

extern const char * const bench_kind_names[BENCH_KINDS];

/* Returns 0, or an exit status after printing a usage error of @command. */
int bench_parse_kind(const char *command, const char *name,
		     enum bench_kind *kind);

/*
 * Return 0, or EXIT_USAGE after a message. The second needs a session and a
 * layout.
 */
int bench_check_options(const struct bench *bench);
int bench_check_device(const struct bench *bench);

/* Returns NULL if there is no mode of this name. */
const struct bench_mode *bench_mode_find(const char *name);

/* Returns 0, or -1 after a message. A zeroed stream can be closed. */
int bench_stream_open(const struct bench *bench, struct bench_stream *stream);
void bench_stream_close(struct bench_stream *stream);

/*
 * Returns 0, or -1 after a message. Zeroed memory can be freed. The memory has
 * a slot for each copy of a round, or as many as fit.
 */
int bench_memory_new(const struct bench *bench, enum bench_kind kind,
		     struct dmacpy_stream *stream, uint32_t access,
		     struct bench_memory *mem);
void bench_memory_free(struct bench_memory *mem);

/*
 * Write the memory before a round, and check it after the round, each between
 * the two calls of DMA_BUF_IOCTL_SYNC. Both return 0 or a negative errno.
 */
int bench_data_reset(const struct bench *bench, struct bench_stream *stream);
int bench_data_check(struct bench_worker *worker, struct bench_stream *stream);

/* Sets the layout of the copies in memory, which depends on the device. */
void bench_make_layout(struct bench *bench);

/*
 * Runs a benchmark that has a session and a layout, and calls @inspect with the
 * workers before it frees them. Returns 0, or -1 after a message or if @inspect
 * fails.
 */
int bench_measure(const struct bench *bench,
		  int (*inspect)(const struct bench_worker *workers,
				 unsigned int count, void *arg),
		  void *arg);

/* Runs a thread for each worker. Returns 0, or -1 after a message. */
int bench_run(struct bench_worker *workers, unsigned int count);

/* Returns 0, or -1 after a message. */
int bench_get_result(const struct bench_worker *workers, unsigned int count,
		     struct bench_result *result);

/* Returns true if half of the copies took far longer than the fastest. */
bool bench_is_unsteady(const struct bench_result *result);

/* Prints the result of @count workers. Returns 0, or -1 after a message. */
int bench_report(const struct bench_worker *workers, unsigned int count);

/*
 * Allocate the memory that fills the caches, and fill them. The first returns 0
 * or a negative errno; the last may be called after it has failed, too.
 */
int bench_cold_begin(struct bench_worker *worker);
void bench_cold_fill(struct bench_worker *worker);
void bench_cold_end(struct bench_worker *worker);

int bench_uring_begin(struct bench_worker *worker);
int bench_uring_round(struct bench_worker *worker);
void bench_uring_end(struct bench_worker *worker);

int bench_copier_begin(struct bench_worker *worker);
int bench_copier_round(struct bench_worker *worker);
void bench_copier_end(struct bench_worker *worker);

#endif /* _DMACPY_BENCH_H */
