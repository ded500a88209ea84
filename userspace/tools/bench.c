// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmacpy bench: measures the cost of a copy, for each way to wait for it.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define DEFAULT_SIZE 4096
#define DEFAULT_ROUNDS 1000
#define DEFAULT_ROWS 16

/* Maximum number of samples of a thread: 2 MiB */
#define MAX_SAMPLES (1U << 18)

/* No two slots share a cache line. */
#define MIN_ALIGN 64

static const char help[] =
	"usage: dmacpy bench [OPTION...]\n\n"
	"Measure how long copies take, in rounds: jobs are submitted and waited for.\n\n"
	"options:\n"
	"  -d, --device DEVICE  this device, not the first: /dev/dmacpy1 or 1\n"
	"  -s, --size N         bytes of each copy, 4K; N can end with K, M or G\n"
	"      --op OP          copy, 2d or fill\n"
	"      --src MEMORY     copy from user, sram, udmabuf or heap\n"
	"      --dst MEMORY     copy or fill to sram, user, udmabuf or heap\n"
	"      --mode MODE      wait by sync, event, fence, uring or iopoll; or\n"
	"                       copier: by all channels; or cpu: without the engine,\n"
	"                       by memcpy() or memset(); or copy: by the library\n"
	"                       with the CPU; or alloc: only take SRAM and give it\n"
	"                       back\n"
	"      --depth N        jobs in flight of each stream, 1\n"
	"      --batch N        copies in each job, 1\n"
	"      --threads N      threads, 1\n"
	"      --streams N      streams of all threads, one for each\n"
	"      --handles N      further handles of each stream, 0\n"
	"      --segments N     make user N pages, none beside another\n"
	"      --min-part N     least bytes of a part in mode copier\n"
	"      --explicit-sync  user is not synced by each copy, but before and after\n"
	"      --gap N          bytes between copies, 0, or between rows of 2d,\n"
	"                       as many as a row has\n"
	"      --rows N         rows of 2d, 16\n"
	"      --no-implicit    without the fences in dma-bufs\n"
	"      --more           tell the engine once of all jobs of a round\n"
	"      --prepared       have jobs checked once, and run again and again\n"
	"      --verify         check all memory after each round\n"
	"      --cold           fill the CPU's caches with other memory before each\n"
	"                       round\n"
	"      --iterations N   rounds of each thread, 1000\n"
	"      --time N         run for N seconds instead\n"
	"  -j, --json           print a JSON object, not a table\n"
	"      --csv            print a line of names and one of values\n"
	"  -h, --help           show this\n"
	"The first of a choice is the default.\n";

enum {
	OPTION_OP = 256,
	OPTION_SRC,
	OPTION_DST,
	OPTION_MODE,
	OPTION_DEPTH,
	OPTION_BATCH,
	OPTION_THREADS,
	OPTION_STREAMS,
	OPTION_HANDLES,
	OPTION_SEGMENTS,
	OPTION_MIN_PART,
	OPTION_EXPLICIT_SYNC,
	OPTION_GAP,
	OPTION_ROWS,
	OPTION_NO_IMPLICIT,
	OPTION_MORE,
	OPTION_PREPARED,
	OPTION_VERIFY,
	OPTION_COLD,
	OPTION_ITERATIONS,
	OPTION_TIME,
	OPTION_CSV,
};

static const struct option options[] = {
	{ "device", required_argument, NULL, 'd' },
	{ "size", required_argument, NULL, 's' },
	{ "op", required_argument, NULL, OPTION_OP },
	{ "src", required_argument, NULL, OPTION_SRC },
	{ "dst", required_argument, NULL, OPTION_DST },
	{ "mode", required_argument, NULL, OPTION_MODE },
	{ "depth", required_argument, NULL, OPTION_DEPTH },
	{ "batch", required_argument, NULL, OPTION_BATCH },
	{ "threads", required_argument, NULL, OPTION_THREADS },
	{ "streams", required_argument, NULL, OPTION_STREAMS },
	{ "handles", required_argument, NULL, OPTION_HANDLES },
	{ "segments", required_argument, NULL, OPTION_SEGMENTS },
	{ "min-part", required_argument, NULL, OPTION_MIN_PART },
	{ "explicit-sync", no_argument, NULL, OPTION_EXPLICIT_SYNC },
	{ "gap", required_argument, NULL, OPTION_GAP },
	{ "rows", required_argument, NULL, OPTION_ROWS },
	{ "no-implicit", no_argument, NULL, OPTION_NO_IMPLICIT },
	{ "more", no_argument, NULL, OPTION_MORE },
	{ "prepared", no_argument, NULL, OPTION_PREPARED },
	{ "verify", no_argument, NULL, OPTION_VERIFY },
	{ "cold", no_argument, NULL, OPTION_COLD },
	{ "iterations", required_argument, NULL, OPTION_ITERATIONS },
	{ "time", required_argument, NULL, OPTION_TIME },
	{ "json", no_argument, NULL, 'j' },
	{ "csv", no_argument, NULL, OPTION_CSV },
	{ "help", no_argument, NULL, 'h' },
	{ },
};

static int parse_count(const char *name, uint64_t max, uint64_t *value)
{
	if (!parse_number(optarg, max, value) && *value)
		return 0;

	return usage_error("bench",
			   "--%s has to be a number from 1 to %" PRIu64
			   ", not '%s'", name, max, optarg);
}

int bench_parse_kind(const char *command, const char *name,
		     enum bench_kind *kind)
{
	unsigned int i;

	for (i = 0; i < BENCH_KINDS; i++)
		if (!strcmp(bench_kind_names[i], name)) {
			*kind = i;
			return 0;
		}

	return usage_error(command,
			   "memory has to be user, sram, udmabuf or heap, not '%s'",
			   name);
}

static int parse_op(struct bench *bench)
{
	if (!strcmp(optarg, "copy"))
		bench->opcode = DMACPY_OP_COPY;
	else if (!strcmp(optarg, "2d"))
		bench->opcode = DMACPY_OP_COPY_2D;
	else if (!strcmp(optarg, "fill"))
		bench->opcode = DMACPY_OP_FILL;
	else
		return usage_error("bench",
				   "--op has to be copy, 2d or fill, not '%s'",
				   optarg);

	return 0;
}

static int parse_mode(struct bench *bench)
{
	bench->mode = bench_mode_find(optarg);
	if (!bench->mode)
		return usage_error("bench",
				   "--mode has to be sync, event, fence, uring, iopoll, copier, cpu, copy or alloc, not '%s'",
				   optarg);
	if (!bench->mode->round)
		return usage_error("bench",
				   "this dmacpy was built without liburing: take another --mode");

	return 0;
}

static int parse_format(struct bench *bench, enum bench_format format)
{
	if (bench->format != BENCH_TABLE && bench->format != format)
		return usage_error("bench", "take --json or --csv, not both");

	bench->format = format;
	return 0;
}

static int parse_min_part(struct bench *bench)
{
	if (!parse_size(optarg, &bench->min_part) &&
	    bench->min_part >= BENCH_MIN_PART)
		return 0;

	return usage_error("bench", "--min-part has to be %u or more, not '%s'",
			   BENCH_MIN_PART, optarg);
}

static int parse_time(struct bench *bench)
{
	if (parse_count("time", 1000000, &bench->duration))
		return EXIT_USAGE;

	bench->duration *= BENCH_SECOND;
	return 0;
}

/* Returns the member that an option without an argument sets, or NULL. */
static bool *find_flag(struct bench *bench, int option)
{
	switch (option) {
	case OPTION_EXPLICIT_SYNC:
		return &bench->explicit_sync;
	case OPTION_NO_IMPLICIT:
		return &bench->no_implicit;
	case OPTION_MORE:
		return &bench->more;
	case OPTION_PREPARED:
		return &bench->prepared;
	case OPTION_VERIFY:
		return &bench->verify;
	case OPTION_COLD:
		return &bench->cold;
	default:
		return NULL;
	}
}

static int parse_option(struct bench *bench, int option)
{
	bool *flag = find_flag(bench, option);

	if (flag) {
		*flag = true;
		return 0;
	}

	switch (option) {
	case 'd':
		bench->device = optarg;
		return 0;
	case 's':
		if (!parse_size(optarg, &bench->size) && bench->size)
			return 0;
		return usage_error("bench", "bad size '%s'", optarg);
	case OPTION_OP:
		return parse_op(bench);
	case OPTION_SRC:
		return bench_parse_kind("bench", optarg, &bench->src);
	case OPTION_DST:
		return bench_parse_kind("bench", optarg, &bench->dst);
	case OPTION_MODE:
		return parse_mode(bench);
	case OPTION_DEPTH:
		return parse_count("depth", 4096, &bench->depth);
	case OPTION_BATCH:
		return parse_count("batch", 65536, &bench->batch);
	case OPTION_THREADS:
		return parse_count("threads", BENCH_MAX_THREADS,
				   &bench->threads);
	case OPTION_STREAMS:
		return parse_count("streams", 1024, &bench->streams);
	case OPTION_HANDLES:
		return parse_count("handles", 16000, &bench->handles);
	case OPTION_SEGMENTS:
		return parse_count("segments", 16384, &bench->segments);
	case OPTION_MIN_PART:
		return parse_min_part(bench);
	case OPTION_GAP:
		if (!parse_size(optarg, &bench->gap) &&
		    bench->gap <= BENCH_MAX_GAP)
			return 0;
		return usage_error("bench", "bad gap '%s'", optarg);
	case OPTION_ROWS:
		return parse_count("rows", 16384, &bench->rows);
	case OPTION_ITERATIONS:
		return parse_count("iterations", UINT32_MAX, &bench->rounds);
	case OPTION_TIME:
		return parse_time(bench);
	case 'j':
		return parse_format(bench, BENCH_JSON);
	case OPTION_CSV:
		return parse_format(bench, BENCH_CSV);
	default:
		return usage_error("bench", NULL);
	}
}

static void set_defaults(struct bench *bench)
{
	if (!bench->streams)
		bench->streams = bench->threads;
	if (!bench->rounds && !bench->duration)
		bench->rounds = DEFAULT_ROUNDS;
	if (bench->opcode != DMACPY_OP_FILL && bench->src == BENCH_KINDS)
		bench->src = BENCH_USER;
	if (bench->gap > BENCH_MAX_GAP)
		bench->gap = bench->opcode == DMACPY_OP_COPY_2D ?
			     bench->size / bench->rows : 0;
}

void bench_make_layout(struct bench *bench)
{
	const struct dmacpy_get_info *info = &bench->session.info;
	struct bench_layout *layout = &bench->layout;
	size_t align = MIN_ALIGN;

	if (align < info->copy_align)
		align = info->copy_align;
	if (align < info->user_align)
		align = info->user_align;

	layout->guard = bench->verify ? align : 0;
	layout->rows = bench->opcode == DMACPY_OP_COPY_2D ? bench->rows : 1;
	layout->row = bench->size / layout->rows;
	layout->stride = layout->row + bench->gap;
	layout->slot = layout->guard +
		       round_up(layout->rows * layout->stride, align);
}

static int new_worker(const struct bench *bench, struct bench_worker *worker)
{
	worker->capacity = bench->rounds && bench->rounds < MAX_SAMPLES ?
			   bench->rounds : MAX_SAMPLES;
	worker->samples = malloc(worker->capacity * sizeof(*worker->samples));
	if (!worker->samples)
		return -ENOMEM;

	/* Touch all pages: writing zeros need not. */
	memset(worker->samples, 0xff,
	       worker->capacity * sizeof(*worker->samples));
	return 0;
}

static int make_workers(const struct bench *bench, struct bench_stream *streams,
			struct bench_worker *workers)
{
	unsigned int i;
	int ret;

	for (i = 0; i < bench->threads; i++) {
		workers[i].bench = bench;
		workers[i].streams = streams;
		workers[i].first = i;
		workers[i].mine = (bench->streams - i + bench->threads - 1) /
				  bench->threads;
		ret = new_worker(bench, &workers[i]);
		if (ret) {
			device_error("cannot allocate samples", ret);
			return ret;
		}
	}

	return 0;
}

int bench_measure(const struct bench *bench,
		  int (*inspect)(const struct bench_worker *workers,
				 unsigned int count, void *arg),
		  void *arg)
{
	struct bench_worker workers[BENCH_MAX_THREADS] = { };
	struct bench_stream *streams;
	unsigned int i;
	int ret = 0;

	streams = calloc(bench->streams, sizeof(*streams));
	if (!streams) {
		device_error("cannot allocate streams", -ENOMEM);
		return -1;
	}

	for (i = 0; i < bench->streams && !ret; i++)
		ret = bench_stream_open(bench, &streams[i]);
	if (!ret)
		ret = make_workers(bench, streams, workers);
	if (!ret)
		ret = bench_run(workers, bench->threads);
	if (!ret)
		ret = inspect(workers, bench->threads, arg);

	for (i = 0; i < bench->threads; i++)
		free(workers[i].samples);
	for (i = 0; i < bench->streams; i++)
		bench_stream_close(&streams[i]);
	free(streams);

	return ret;
}

static int report(const struct bench_worker *workers, unsigned int count,
		  void *unused)
{
	(void)unused;

	return bench_report(workers, count);
}

static int run(struct bench *bench)
{
	int ret;

	if (session_open_device(&bench->session, bench->device))
		return EXIT_FAILURE;

	bench_make_layout(bench);
	ret = bench_check_device(bench);
	if (!ret && bench_measure(bench, report, NULL))
		ret = EXIT_FAILURE;
	session_close(&bench->session);

	return ret;
}

int cmd_bench(const char *device, int argc, char **argv)
{
	struct bench bench = {
		.device = device,
		.size = DEFAULT_SIZE,
		.depth = 1,
		.batch = 1,
		.threads = 1,
		.gap = UINT64_MAX,
		.rows = DEFAULT_ROWS,
		.mode = bench_mode_find("sync"),
		.src = BENCH_KINDS,
		.dst = BENCH_SRAM,
	};
	int option, ret;

	while ((option = getopt_long(argc, argv, "d:s:jh", options,
				     NULL)) != -1) {
		if (option == 'h') {
			fputs(help, stdout);
			return EXIT_SUCCESS;
		}
		ret = parse_option(&bench, option);
		if (ret)
			return ret;
	}
	if (optind < argc)
		return usage_error("bench", "unexpected argument '%s'",
				   argv[optind]);

	set_defaults(&bench);
	ret = bench_check_options(&bench);
	if (ret)
		return ret;

	catch_signals();

	return run(&bench);
}
