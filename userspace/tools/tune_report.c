// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmacpy tune: prints the conclusions from the measurements, as a table or
 * JSON.
 */
#include <inttypes.h>
#include <stdio.h>

#include "tune.h"

/* One in this many measurements may be unsteady without a warning. */
#define MAX_UNSTEADY 10

static double engine_ns(const struct tune_row *row, bool batch)
{
	return batch ? row->batch.ns_median : row->one.ns_median;
}

/* Interpolates linearly after the last size for which the CPU is faster. */
double tune_break_even(const struct tune_pair *pair, bool batch)
{
	const struct tune_row *row;
	unsigned int i = pair->count;
	double loss, gain;

	while (i && engine_ns(&pair->rows[i - 1], batch) <=
			    pair->rows[i - 1].cpu.ns_median)
		i--;
	if (i == pair->count)
		return TUNE_NEVER;
	if (!i)
		return 0;

	row = &pair->rows[i - 1];
	loss = engine_ns(row, batch) - row->cpu.ns_median;
	gain = row[1].cpu.ns_median - engine_ns(&row[1], batch);

	return row->size + (row[1].size - row->size) * loss / (loss + gain);
}

/* Compares the longest copies with copies of a quarter of their size. */
double tune_ns_per_byte(const struct tune_pair *pair, bool cpu)
{
	const struct tune_row *last = &pair->rows[pair->count - 1];
	const struct tune_row *first = pair->count > 2 ? last - 2 : pair->rows;
	double ns = cpu ? last->cpu.ns_median - first->cpu.ns_median :
			  last->one.ns_median - first->one.ns_median;

	if (last == first || ns < 0)
		return 0;

	return ns / (last->size - first->size);
}

static double bytes_per_s(const struct tune_pair *pair, bool cpu)
{
	const struct tune_row *last = &pair->rows[pair->count - 1];

	return last->size * 1e9 /
	       (cpu ? last->cpu.ns_median : last->one.ns_median);
}

static void print_break_even(const struct tune_pair *pair, bool batch)
{
	double from = tune_break_even(pair, batch);

	if (from == TUNE_NEVER)
		printf(" %7s", "never");
	else if (!from)
		printf(" %7s", "always");
	else
		printf(" %7.0f", from);
}

static void print_pair(const struct tune_pair *pair)
{
	const struct tune_row *first = pair->rows;

	printf("%-7s %-7s", bench_kind_names[pair->src],
	       bench_kind_names[pair->dst]);
	print_break_even(pair, false);
	print_break_even(pair, true);
	printf(" %9.1f %9.1f %9.1f %9.1f\n", bytes_per_s(pair, false) / 1e6,
	       bytes_per_s(pair, true) / 1e6, first->one.ns_median / 1e3,
	       first->one.ns_cpu / 1e3);
}

static const char by_cpu[] =
	"\nTo have the CPU make copies that are too short for the engine:\n";

static const char *memory_name(enum bench_kind kind)
{
	static const char * const names[] = {
		[DMACPY_MEMORY_USER] = "DMACPY_MEMORY_USER",
		[DMACPY_MEMORY_SRAM] = "DMACPY_MEMORY_SRAM",
	};

	return names[bench_memory_of(kind)];
}

static void print_cpu_below(const struct tune *tune)
{
	const struct tune_pair *pair;
	bool any = false;
	unsigned int i;

	for (i = 0; i < tune->count; i++) {
		pair = &tune->pairs[i];
		if (!pair->cpu_below)
			continue;
		if (!any)
			printf(by_cpu);
		any = true;
		printf("  dmacpy_stream_set_cpu_below(stream, %s,\n"
		       "                              %s, %" PRIu64 ");\n",
		       memory_name(pair->dst), memory_name(pair->src),
		       pair->cpu_below);
	}
}

static const char busy[] =
	"in %u of %u measurements half of the copies took over twice the minimum.\n"
	"If other programs run, end them, or measure for more --seconds.";
static const char one_channel[] =
	"One channel: no part of a copy can be given to another.\n";
static const char unsteady[] =
	"The cost of a part could not be measured:\n"
	"other programs run, or hold SRAM.\n";
static const char too_fast[] =
	"A part of a copy costs %.1f us, more than the longest copy takes:\n"
	"copies by several channels do not pay.\n";
static const char parts[] =
	"A part of a copy by several channels costs %.1f us. To have it pay:\n"
	"  dmacpy_copier_set_min_part(copier, %" PRIu64 ");\n";

static void print_parts(const struct tune *tune)
{
	printf("\n");
	if (tune->bench.session.info.channels < 2)
		printf(one_channel);
	else if (!tune->ns_part)
		printf(unsteady);
	else if (!tune->min_part)
		printf(too_fast, tune->ns_part / 1e3);
	else
		printf(parts, tune->ns_part / 1e3, tune->min_part);
}

static void print_table(const struct tune *tune)
{
	unsigned int i;

	printf("%s: sizes from which on the engine is faster than the CPU\n\n"
	       "%-15s %7s %7s %9s %9s %9s %9s\n"
	       "%-7s %-7s %7s %7s %9s %9s %9s %9s\n",
	       dmacpy_device_path(tune->bench.session.device), "", "one in",
	       "32 in", "engine", "CPU", "a job", "of it on", "from", "to",
	       "a job", "a job", "MB/s", "MB/s", "takes us", "the CPU");
	for (i = 0; i < tune->count; i++)
		print_pair(&tune->pairs[i]);
	print_cpu_below(tune);
	print_parts(tune);
}

static void print_json_break_even(const char *name,
				  const struct tune_pair *pair, bool batch)
{
	double from = tune_break_even(pair, batch);

	if (from == TUNE_NEVER)
		printf("      \"%s\": null,\n", name);
	else
		printf("      \"%s\": %.0f,\n", name, from);
}

static void print_json_pair(const struct tune_pair *pair)
{
	const struct tune_row *row;
	unsigned int i;

	printf("    {\n      \"src\": \"%s\",\n      \"dst\": \"%s\",\n",
	       bench_kind_names[pair->src], bench_kind_names[pair->dst]);
	print_json_break_even("break_even", pair, false);
	print_json_break_even("break_even_32", pair, true);
	if (tune_has_dmabuf(pair))
		printf("      \"cpu_below\": null,\n");
	else
		printf("      \"cpu_below\": %" PRIu64 ",\n", pair->cpu_below);
	printf("      \"engine_bytes_per_s\": %.0f,\n"
	       "      \"cpu_bytes_per_s\": %.0f,\n      \"sizes\": [",
	       bytes_per_s(pair, false), bytes_per_s(pair, true));
	for (i = 0; i < pair->count; i++) {
		row = &pair->rows[i];
		printf("%s\n        {\"size\": %" PRIu64 ", \"cpu_ns\": %.2f",
		       i ? "," : "", row->size, row->cpu.ns_median);
		printf(", \"engine_ns\": %.2f, \"engine_32_ns\": %.2f",
		       row->one.ns_median, row->batch.ns_median);
		printf(", \"on_cpu_ns\": %.2f}", row->one.ns_cpu);
	}
	printf("\n      ]\n    }");
}

static void print_json(const struct tune *tune)
{
	unsigned int i;

	printf("{\n  \"device\": ");
	print_json_text(dmacpy_device_path(tune->bench.session.device));
	printf(",\n  \"channels\": %u,\n  \"pairs\": [",
	       tune->bench.session.info.channels);
	for (i = 0; i < tune->count; i++) {
		printf("%s\n", i ? "," : "");
		print_json_pair(&tune->pairs[i]);
	}
	printf("\n  ],\n");
	if (tune->ns_part)
		printf("  \"part_ns\": %.2f,\n", tune->ns_part);
	else
		printf("  \"part_ns\": null,\n");
	if (tune->min_part)
		printf("  \"min_part\": %" PRIu64 ",\n", tune->min_part);
	else
		printf("  \"min_part\": null,\n");
	printf("  \"measured\": %u,\n  \"unsteady\": %u\n}\n", tune->measured,
	       tune->unsteady);
}

void tune_report(const struct tune *tune)
{
	if (tune->json)
		print_json(tune);
	else
		print_table(tune);
	if (tune->unsteady * MAX_UNSTEADY > tune->measured)
		print_error(busy, tune->unsteady, tune->measured);
}
