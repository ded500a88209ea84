// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmacpy bench: prints the result, as a table with the lines of dmatest, JSON
 * or CSV.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define FIELDS 20

/* Ratio of median to minimum that an otherwise idle machine does not exceed */
#define MAX_SPREAD 2

static const char * const op_names[] = {
	[DMACPY_OP_COPY] = "copy",
	[DMACPY_OP_COPY_2D] = "2d",
	[DMACPY_OP_FILL] = "fill",
};

/**
 * struct field - a column of the CSV, or a member of the JSON
 * @name: name of the field
 * @text: its value, or NULL
 * @digits: decimal places of @number
 * @number: its value if @text is NULL
 */
struct field {
	const char *name;
	const char *text;
	int digits;
	double number;
};

static unsigned int copies_per_round(const struct bench_worker *worker)
{
	return worker->mine * bench_copies(worker->bench);
}

static uint64_t count_copies(const struct bench_worker *worker)
{
	return worker->done * copies_per_round(worker);
}

static double seconds(const struct bench_worker *worker)
{
	return (worker->total ? worker->total : 1) / 1e9;
}

static size_t count_samples(const struct bench_worker *worker)
{
	return worker->done < worker->capacity ? worker->done :
						 worker->capacity;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Returns the nanoseconds per copy, sorted, or NULL. */
static double *sort_samples(const struct bench_worker *workers,
			    unsigned int count, size_t *samples)
{
	double *all, *next;
	unsigned int i;
	size_t j;

	*samples = 0;
	for (i = 0; i < count; i++)
		*samples += count_samples(&workers[i]);

	all = calloc(*samples, sizeof(*all));
	if (!all)
		return NULL;

	next = all;
	for (i = 0; i < count; i++)
		for (j = 0; j < count_samples(&workers[i]); j++)
			*next++ = (double)workers[i].samples[j] /
				  copies_per_round(&workers[i]);
	qsort(all, *samples, sizeof(*all), compare);

	return all;
}

int bench_get_result(const struct bench_worker *workers, unsigned int count,
		     struct bench_result *result)
{
	uint64_t cpu_time = 0;
	size_t samples;
	double *sorted;
	unsigned int i;

	sorted = sort_samples(workers, count, &samples);
	if (!sorted) {
		device_error("cannot sort the result", -ENOMEM);
		return -1;
	}

	*result = (struct bench_result){
		.ns_median = sorted[samples / 2],
		.ns_min = sorted[0],
		.ns_p99 = sorted[samples * 99 / 100],
	};
	free(sorted);

	for (i = 0; i < count; i++) {
		result->copies += count_copies(&workers[i]);
		result->ns_mean += workers[i].total;
		result->bytes_per_s += count_copies(&workers[i]) *
				       (double)workers[i].bench->size /
				       seconds(&workers[i]);
		cpu_time += workers[i].cpu_time;
	}
	result->ns_cpu = (double)cpu_time / result->copies;
	result->ns_mean /= result->copies ? result->copies : 1;

	return 0;
}

static void get_fields(const struct bench *bench,
		       const struct bench_result *result,
		       struct field fields[FIELDS])
{
	const struct field all[FIELDS] = {
		{ "op", .text = op_names[bench->opcode] },
		{ "mode", .text = bench->mode->name },
		{ "src", .text = bench->opcode == DMACPY_OP_FILL ? "-" :
				 bench_kind_names[bench->src] },
		{ "dst", .text = bench_kind_names[bench->dst] },
		{ "size", .number = bench->size },
		{ "depth", .number = bench->depth },
		{ "batch", .number = bench->batch },
		{ "threads", .number = bench->threads },
		{ "streams", .number = bench->streams },
		{ "handles", .number = bench->handles },
		{ "segments", .number = bench->segments },
		{ "gap", .number = bench->gap },
		{ "rows", .number = bench->layout.rows },
		{ "copies", .number = result->copies },
		{ "ns_median", .number = result->ns_median, .digits = 2 },
		{ "ns_mean", .number = result->ns_mean, .digits = 2 },
		{ "ns_min", .number = result->ns_min, .digits = 2 },
		{ "ns_p99", .number = result->ns_p99, .digits = 2 },
		{ "ns_cpu", .number = result->ns_cpu, .digits = 2 },
		{ "bytes_per_s", .number = result->bytes_per_s },
	};

	memcpy(fields, all, sizeof(all));
}

static void print_value(const struct field *field, const char *quote)
{
	if (field->text)
		printf("%s%s%s", quote, field->text, quote);
	else
		printf("%.*f", field->digits, field->number);
}

static void print_csv(const struct field fields[FIELDS])
{
	unsigned int i;

	for (i = 0; i < FIELDS; i++)
		printf("%s%s", i ? "," : "", fields[i].name);
	for (i = 0; i < FIELDS; i++) {
		putchar(i ? ',' : '\n');
		print_value(&fields[i], "");
	}
	putchar('\n');
}

static void print_json(const struct field fields[FIELDS])
{
	unsigned int i;

	for (i = 0; i < FIELDS; i++) {
		printf("%s  \"%s\": ", i ? ",\n" : "{\n", fields[i].name);
		print_value(&fields[i], "\"");
	}
	puts("\n}");
}

static void print_title(const struct bench *bench)
{
	char size[32];

	format_size(size, bench->size);
	if (bench->mode->no_copies) {
		printf("%s of SRAM allocated and freed\n", size);
		return;
	}
	printf("%s of %s", op_names[bench->opcode], size);
	if (bench->opcode != DMACPY_OP_FILL)
		printf(" from %s", bench_kind_names[bench->src]);
	printf(" to %s, mode %s\n", bench_kind_names[bench->dst],
	       bench->mode->name);
}

static void print_table(const struct bench *bench,
			const struct bench_result *result)
{
	bool copies = !bench->mode->no_copies;

	print_title(bench);
	printf("%9s %12s %12s %10s %10s %10s %10s\n",
	       copies ? "copies" : "rounds", "bytes/s",
	       copies ? "ns per copy" : "ns per round", "mean", "min", "p99",
	       "on the CPU");
	printf("%9" PRIu64 " %12.0f %12.2f %10.2f %10.2f %10.2f %10.2f\n",
	       result->copies, result->bytes_per_s, result->ns_median,
	       result->ns_mean, result->ns_min, result->ns_p99,
	       result->ns_cpu);
}

/* Prints one line per thread, in the format of dmatest. */
static void print_summary(const struct bench_worker *worker,
			  unsigned int number)
{
	const struct bench *bench = worker->bench;
	const char *path = dmacpy_device_path(bench->session.device);
	uint64_t copies = count_copies(worker);

	printf("dmatest: %s-copy%u: summary %" PRIu64 " tests, %" PRIu64
	       " failures %.2f iops %.0f KB/s (%d)\n",
	       basename(path), number, copies, worker->failures,
	       copies / seconds(worker),
	       copies * (double)bench->size / 1024 / seconds(worker),
	       worker->ret);
}

static uint64_t count_failures(const struct bench_worker *workers,
			       unsigned int count)
{
	uint64_t failures = 0;
	unsigned int i;

	for (i = 0; i < count; i++)
		failures += workers[i].failures;

	return failures;
}

static void print_comparison(const struct bench_worker *workers,
			     unsigned int count,
			     const struct bench_result *result)
{
	const struct bench *bench = workers[0].bench;

	if (bench->mode->no_copies)
		return;
	if (bench->verify)
		printf("%" PRIu64 " copies compared, %" PRIu64 " wrong\n",
		       result->copies, count_failures(workers, count));
	else
		printf("not compared: --verify does that\n");
}

/*
 * If the machine is busy, or the engine changes its speed, a second run gives
 * other figures.
 */
bool bench_is_unsteady(const struct bench_result *result)
{
	return result->ns_median > MAX_SPREAD * result->ns_min;
}

static void warn_about_spread(const struct bench_result *result)
{
	if (!bench_is_unsteady(result))
		return;
	print_error("half of the copies took over %u times the minimum.\n"
		    "If other programs run, measure again without them.",
		    MAX_SPREAD);
}

static void report_table(const struct bench_worker *workers,
			 unsigned int count,
			 const struct bench_result *result)
{
	const struct bench *bench = workers[0].bench;
	unsigned int i;

	print_table(bench, result);
	print_comparison(workers, count, result);
	if (!bench->mode->no_jobs)
		for (i = 0; i < count; i++)
			print_summary(&workers[i], i);
}

static int report_failures(const struct bench_worker *workers,
			   unsigned int count)
{
	const struct bench_mismatch *mismatch = NULL;
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (workers[i].failures && !mismatch)
			mismatch = &workers[i].mismatch;
	}
	if (!mismatch)
		return 0;

	print_error("%" PRIu64
		    " copies are wrong: byte %zu of a %s should be 0x%02x, but is 0x%02x.\n"
		    "Report this, with the output of \"dmacpy info\" and dmesg.",
		    count_failures(workers, count), mismatch->offset,
		    mismatch->in_src ? "source" : "destination",
		    mismatch->wanted, mismatch->found);
	return -1;
}

int bench_report(const struct bench_worker *workers, unsigned int count)
{
	const struct bench *bench = workers[0].bench;
	struct field fields[FIELDS];
	struct bench_result result;

	if (bench_get_result(workers, count, &result))
		return -1;

	get_fields(bench, &result, fields);
	switch (bench->format) {
	case BENCH_CSV:
		print_csv(fields);
		break;
	case BENCH_JSON:
		print_json(fields);
		break;
	case BENCH_TABLE:
		report_table(workers, count, &result);
		break;
	}
	warn_about_spread(&result);

	return report_failures(workers, count);
}
