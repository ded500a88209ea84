// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmacpy test: prints the results of the rows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

/* As in KTAP and kselftest, if nothing was tested */
#define EXIT_SKIPPED 4

static const char * const words[] = {
	[TEST_PASS] = "pass",
	[TEST_FAIL] = "FAIL",
	[TEST_SKIP] = "skipped",
};

static enum test_format format;
static unsigned int sums[3];

/* The next line of the table: channels of one device with the same result */
static struct {
	char channel[32];
	char row[32];
	char detail[320];
	enum test_verdict verdict;
	unsigned int channels;
} pending;

static unsigned int count_rows_reported(void)
{
	return sums[TEST_PASS] + sums[TEST_FAIL] + sums[TEST_SKIP];
}

void test_report_begin(enum test_format wanted)
{
	format = wanted;
	if (format == TEST_TAP)
		puts("TAP version 13");
	else if (format == TEST_JSON)
		printf("{\n  \"rows\": [");
}

static void print_pending(void)
{
	char channels[48];

	if (!pending.channels)
		return;

	snprintf(channels, sizeof(channels), "%s", pending.channel);
	if (pending.channels > 1)
		snprintf(channels, sizeof(channels), "%u channels",
			 pending.channels);
	printf("  %-20s %-8s %s%s%s\n", pending.row, words[pending.verdict],
	       channels, *pending.detail ? ": " : "", pending.detail);
	pending.channels = 0;
	/* Show each line at once. */
	fflush(stdout);
}

void test_report_device(const char *path, const struct dmacpy_get_info *info)
{
	char size[32];

	if (format != TEST_TABLE)
		return;

	print_pending();
	printf("%s  %s  %s SRAM, %u channel%s\n", path, info->name,
	       format_size(size, info->sram_total), info->channels,
	       info->channels == 1 ? "" : "s");
}

static void table_row(const char *channel, const char *row,
		      enum test_verdict verdict, const char *detail)
{
	if (pending.verdict != verdict || strcmp(pending.row, row) ||
	    strcmp(pending.detail, detail))
		print_pending();
	if (!pending.channels++)
		snprintf(pending.channel, sizeof(pending.channel), "%s",
			 channel ? channel : "device");
	pending.verdict = verdict;
	snprintf(pending.row, sizeof(pending.row), "%s", row);
	snprintf(pending.detail, sizeof(pending.detail), "%s", detail);
}

static void print_member(const char *name, const char *value, const char *end)
{
	printf("\"%s\": ", name);
	if (value)
		print_json_text(value);
	else
		printf("null");
	printf("%s", end);
}

static void json_row(const char *path, const char *channel, const char *row,
		     enum test_verdict verdict, const char *detail)
{
	printf("%s\n    {", count_rows_reported() > 1 ? "," : "");
	print_member("device", path, ", ");
	print_member("channel", channel, ", ");
	print_member("row", row, ", ");
	print_member("verdict", verdict == TEST_FAIL ? "fail" : words[verdict],
		     ", ");
	print_member("detail", *detail ? detail : NULL, "}");
}

static void tap_row(const char *path, const char *channel, const char *row,
		    enum test_verdict verdict, const char *detail)
{
	printf("%sok %u %s%s%s %s%s%s\n", verdict == TEST_FAIL ? "not " : "",
	       count_rows_reported(), path, channel ? " " : "",
	       channel ? channel : "", row,
	       verdict == TEST_SKIP ? " # SKIP " : "",
	       verdict == TEST_SKIP ? detail : "");
	if (verdict != TEST_SKIP && *detail)
		printf("# %s\n", detail);
	fflush(stdout);
}

void test_report_row(const char *path, const char *channel, const char *row,
		     enum test_verdict verdict, const char *detail)
{
	sums[verdict]++;
	if (format == TEST_JSON)
		json_row(path, channel, row, verdict, detail);
	else if (format == TEST_TAP)
		tap_row(path, channel, row, verdict, detail);
	else
		table_row(channel, row, verdict, detail);
}

static void print_sums(void)
{
	switch (format) {
	case TEST_JSON:
		printf("\n  ],\n  \"passed\": %u,\n", sums[TEST_PASS]);
		printf("  \"failed\": %u,\n", sums[TEST_FAIL]);
		printf("  \"skipped\": %u\n}\n", sums[TEST_SKIP]);
		break;
	case TEST_TAP:
		printf("1..%u%s\n", count_rows_reported(),
		       count_rows_reported() ? "" :
		       " # SKIP there is no device");
		break;
	default:
		print_pending();
		printf("%u passed, %u failed, %u skipped\n", sums[TEST_PASS],
		       sums[TEST_FAIL], sums[TEST_SKIP]);
	}
}

int test_report_end(void)
{
	print_sums();
	if (sums[TEST_FAIL])
		return EXIT_FAILURE;

	return sums[TEST_PASS] ? EXIT_SUCCESS : EXIT_SKIPPED;
}
