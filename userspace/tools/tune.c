// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmacpy tune: measures from what size on the engine pays, with dmacpy bench.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tune.h"

#define DEFAULT_SECONDS 10
#define MAX_SECONDS 3600

#define MIN_SIZE 64
#define MAX_SIZE (1U << 20)

/* The longest copy that the library times */
#define MAX_CPU_SIZE (64U << 10)

/* More rounds do not improve the median. */
#define ROUNDS 1001

/* Channels that a device needs to gain from a copier */
#define MIN_CHANNELS 2

static const char help[] =
	"usage: dmacpy tune [OPTION...]\n\n"
	"Measure from what size on the engine is faster than the CPU, for each pair of\n"
	"kinds of memory, which copies of the library the CPU should make, and how long\n"
	"the parts of a copy by several channels should be. End other programs first.\n\n"
	"options:\n"
	"  -d, --device DEVICE  this device, not the first: /dev/dmacpy1 or 1\n"
	"      --src MEMORY         only from user, sram, udmabuf or heap\n"
	"      --dst MEMORY         only to user, sram, udmabuf or heap\n"
	"      --seconds N      take about N seconds, 10\n"
	"      --cold           fill the CPU's caches with other memory before each\n"
	"                       copy, or 32 copies, that is timed\n"
	"  -j, --json           print a JSON object, with all that was measured\n"
	"  -h, --help           show this\n";

static const char no_sram[] =
	"too little SRAM is free: %u of %u pairs of memory are left out.\n"
	"End programs that hold buffers, which root sees in\n"
	"/sys/kernel/debug/dmacpy/*/sram.";

enum {
	OPTION_SECONDS = 256,
	OPTION_COLD,
	OPTION_SRC,
	OPTION_DST,
};

/*
 * Finds the requested kind, or all available ones, of which only one has
 * dma-bufs.
 */
static unsigned int find_kinds(enum bench_kind kinds[BENCH_KINDS],
			       enum bench_kind only)
{
	unsigned int count = 0;

	if (only != BENCH_KINDS) {
		kinds[0] = only;
		return 1;
	}

	kinds[count++] = BENCH_USER;
	kinds[count++] = BENCH_SRAM;
	if (!access(HEAP, R_OK))
		kinds[count++] = BENCH_HEAP;
	else if (!access(UDMABUF, R_OK | W_OK))
		kinds[count++] = BENCH_UDMABUF;

	return count;
}

/* Returns the longest copy that the memory and the limits of a job allow. */
static uint64_t max_size(const struct tune *tune, enum bench_kind src,
			 enum bench_kind dst)
{
	const struct dmacpy_get_info *info = &tune->bench.session.info;
	unsigned int ends = (src == BENCH_SRAM) + (dst == BENCH_SRAM);
	uint64_t size = MAX_SIZE, share = size;

	if (ends)
		share = info->sram_free / ends;
	share -= share % info->granule;
	while (size > info->max_bytes || size > share)
		size /= 2;

	return size;
}

static uint64_t min_size(const struct tune *tune)
{
	const struct dmacpy_get_info *info = &tune->bench.session.info;
	uint64_t size = MIN_SIZE;

	while (size < info->copy_align || size < info->user_align)
		size *= 2;

	return size;
}

static void find_pairs(struct tune *tune)
{
	enum bench_kind from[BENCH_KINDS], to[BENCH_KINDS];
	unsigned int sources = find_kinds(from, tune->src);
	unsigned int targets = find_kinds(to, tune->dst), i;
	struct tune_pair *pair = tune->pairs;

	for (i = 0; i < sources * targets; i++) {
		pair->src = from[i / targets];
		pair->dst = to[i % targets];
		if (max_size(tune, pair->src, pair->dst) >= min_size(tune))
			pair++;
	}
	tune->count = pair - tune->pairs;
	if (tune->count < sources * targets)
		print_error(no_sram, sources * targets - tune->count,
			    sources * targets);
}

static int inspect(const struct bench_worker *workers, unsigned int count,
		   void *result)
{
	return bench_get_result(workers, count, result);
}

/*
 * Returns an equal share of the remaining time, in nanoseconds, but at least a
 * quarter of the initial share, as one or two rounds give no useful figure.
 */
static uint64_t share_of_time(const struct tune *tune)
{
	double least = (double)tune->seconds / tune->all / 4;
	double share = (tune->deadline - seconds_now()) / tune->left;

	return (share > least ? share : least) * BENCH_SECOND;
}

static int measure(struct tune *tune, const char *mode, uint64_t batch,
		   uint64_t size, struct bench_result *result)
{
	struct bench *bench = &tune->bench;

	bench->mode = bench_mode_find(mode);
	bench->batch = batch;
	bench->size = size;
	bench->duration = share_of_time(tune);
	bench_make_layout(bench);
	if (bench_measure(bench, inspect, result))
		return -1;

	tune->left--;
	tune->measured++;
	tune->unsteady += bench_is_unsteady(result);
	progress_show(tune->all - tune->left, tune->all);

	return 0;
}

static int measure_row(struct tune *tune, struct tune_row *row)
{
	const struct dmacpy_get_info *info = &tune->bench.session.info;

	if (measure(tune, "cpu", 1, row->size, &row->cpu) ||
	    measure(tune, "sync", 1, row->size, &row->one))
		return -1;

	row->batch = row->one;
	if (TUNE_BATCH <= info->max_ops && TUNE_BATCH <= info->max_rows &&
	    TUNE_BATCH * row->size <= info->max_bytes &&
	    TUNE_BATCH * row->one.ns_min <= tune->bench.duration)
		return measure(tune, "sync", TUNE_BATCH, row->size,
			       &row->batch);

	tune->left--;
	return 0;
}

/* The library doubles the length each time, which takes little time. */
static int measure_cpu_below(struct tune *tune, struct tune_pair *pair)
{
	struct bench_stream stream = { };
	struct bench *bench = &tune->bench;
	uint64_t max = max_size(tune, pair->src, pair->dst);
	int ret;

	bench->batch = 1;
	bench->size = max < MAX_CPU_SIZE ? max : MAX_CPU_SIZE;
	bench_make_layout(bench);
	ret = bench_stream_open(bench, &stream);
	if (!ret) {
		ret = dmacpy_stream_tune(stream.stream, stream.dst.buffer,
					 stream.src.buffer,
					 share_of_time(tune) / 1000000 + 1,
					 &pair->cpu_below);
		/* Too slow to time: the engine makes all copies. */
		if (ret == -ETIME)
			ret = 0;
		if (ret)
			device_error("cannot time copies of the library", ret);
	}
	bench_stream_close(&stream);

	return ret;
}

/* Stops when a copy takes longer than its share of the time. */
static int measure_pair(struct tune *tune, struct tune_pair *pair)
{
	uint64_t max = max_size(tune, pair->src, pair->dst);
	uint64_t size = min_size(tune);
	unsigned int left = tune->left;
	struct tune_row *row;
	int ret = 0;

	tune->bench.src = pair->src;
	tune->bench.dst = pair->dst;
	for (; size <= max && pair->count < TUNE_ROWS; size *= 2) {
		row = &pair->rows[pair->count];
		row->size = size;
		if (measure_row(tune, row))
			return -1;
		pair->count++;
		if (row->one.ns_min > tune->bench.duration)
			break;
	}
	tune->left = left - 3 * TUNE_ROWS;

	if (!tune_has_dmabuf(pair))
		ret = measure_cpu_below(tune, pair);
	tune->left--;

	return ret;
}

/* The fastest channel needs the longest parts. */
static double least_ns_per_byte(const struct tune *tune)
{
	double least = tune_ns_per_byte(&tune->pairs[0], false), next;
	unsigned int i;

	for (i = 1; i < tune->count; i++) {
		next = tune_ns_per_byte(&tune->pairs[i], false);
		if (next < least)
			least = next;
	}

	return least;
}

/*
 * Measures the CPU time per part, by short copies in one part and in many. A
 * part pays if the engine takes longer for it than the CPU takes to start it;
 * twice that is safe.
 */
static int measure_parts(struct tune *tune)
{
	const struct dmacpy_get_info *info = &tune->bench.session.info;
	uint64_t parts = info->channels, size = parts * min_size(tune);
	struct bench_result one, many;
	double ns_per_byte = least_ns_per_byte(tune);

	if (size < parts * BENCH_MIN_PART)
		size = parts * BENCH_MIN_PART;
	if (parts < MIN_CHANNELS ||
	    size > max_size(tune, BENCH_SRAM, BENCH_SRAM))
		return 0;

	tune->bench.src = BENCH_SRAM;
	tune->bench.dst = BENCH_SRAM;
	tune->bench.min_part = size;
	if (measure(tune, "copier", 1, size, &one))
		return -1;
	tune->bench.min_part = size / parts;
	if (measure(tune, "copier", 1, size, &many))
		return -1;

	if (many.ns_median <= one.ns_median)
		return 0;
	tune->ns_part = (many.ns_median - one.ns_median) / (parts - 1);
	if (ns_per_byte * info->max_bytes > 2 * tune->ns_part)
		tune->min_part = round_up(2 * tune->ns_part / ns_per_byte,
					  BENCH_MIN_PART);

	return 0;
}

/*
 * Only one piece of the SRAM is used, as both buffers fit there for certain;
 * and only half of it, unless that is too short for both, as memory that was
 * freed a moment ago may not be available yet.
 */
static void limit_sram(struct dmacpy_get_info *info)
{
	info->sram_free = info->sram_largest / 2;
	if (info->sram_free < 2 * info->granule)
		info->sram_free = info->sram_largest;
}

static int measure_all(struct tune *tune)
{
	unsigned int i;

	limit_sram(&tune->bench.session.info);
	find_pairs(tune);
	if (!tune->count)
		return -1;

	tune->all = (3 * TUNE_ROWS + 1) * tune->count + 2;
	tune->left = tune->all;
	tune->deadline = seconds_now() + tune->seconds;

	for (i = 0; i < tune->count; i++)
		if (measure_pair(tune, &tune->pairs[i]))
			return -1;

	return measure_parts(tune);
}

static int run(struct tune *tune)
{
	int ret;

	if (session_open_device(&tune->bench.session, tune->bench.device))
		return EXIT_FAILURE;

	ret = measure_all(tune);
	progress_end();
	if (!ret)
		tune_report(tune);
	session_close(&tune->bench.session);

	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int parse_option(struct tune *tune, int option)
{
	switch (option) {
	case 'd':
		tune->bench.device = optarg;
		return 0;
	case 'j':
		tune->json = true;
		return 0;
	case OPTION_SECONDS:
		if (!parse_number(optarg, MAX_SECONDS, &tune->seconds) &&
		    tune->seconds)
			return 0;
		return usage_error("tune",
				   "--seconds has to be a number from 1 to %u, not '%s'",
				   MAX_SECONDS, optarg);
	case OPTION_COLD:
		tune->bench.cold = true;
		return 0;
	case OPTION_SRC:
		return bench_parse_kind("tune", optarg, &tune->src);
	case OPTION_DST:
		return bench_parse_kind("tune", optarg, &tune->dst);
	default:
		return usage_error("tune", NULL);
	}
}

int cmd_tune(const char *device, int argc, char **argv)
{
	static const struct option options[] = {
		{ "device", required_argument, NULL, 'd' },
		{ "src", required_argument, NULL, OPTION_SRC },
		{ "dst", required_argument, NULL, OPTION_DST },
		{ "seconds", required_argument, NULL, OPTION_SECONDS },
		{ "cold", no_argument, NULL, OPTION_COLD },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ },
	};
	struct tune tune = {
		.bench = {
			.device = device,
			.depth = 1,
			.threads = 1,
			.streams = 1,
			.rounds = ROUNDS,
			.quiet = true,
		},
		.seconds = DEFAULT_SECONDS,
		.src = BENCH_KINDS,
		.dst = BENCH_KINDS,
	};
	int option, ret;

	while ((option = getopt_long(argc, argv, "d:jh", options,
				     NULL)) != -1) {
		if (option == 'h') {
			fputs(help, stdout);
			return EXIT_SUCCESS;
		}
		ret = parse_option(&tune, option);
		if (ret)
			return ret;
	}
	if (optind < argc)
		return usage_error("tune", "unexpected argument '%s'",
				   argv[optind]);

	catch_signals();

	return run(&tune);
}
