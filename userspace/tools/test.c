// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmacpy test: tests that a board fulfills all that programs rely on.
 */
#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* Streams to open per channel, since other users may cause repetitions */
#define TRIES 4

static const char help[] =
	"usage: dmacpy test [OPTION...] [ROW...]\n\n"
	"Test whether a board does all of it right, on each channel of each\n"
	"device, in seconds. ROW is the name of what to test, or a pattern as\n"
	"\"copy-*\".\n\n"
	"options:\n"
	"  -d, --device DEVICE  only this device: /dev/dmacpy1 or 1\n"
	"  -j, --json           print a JSON object\n"
	"  -t, --tap            print lines of the Test Anything Protocol\n"
	"  -h, --help           show this\n\n"
	"The exit status is 1 if a row has failed, 4 if nothing was tested.\n\n"
	"rows:\n";

static const struct test_row rows[] = {
	{ "copy-sram-sram", test_row_copy, TEST_SRAM, TEST_SRAM },
	{ "copy-sram-user", test_row_copy, TEST_SRAM, TEST_USER },
	{ "copy-sram-heap", test_row_copy, TEST_SRAM, TEST_HEAP },
	{ "copy-user-sram", test_row_copy, TEST_USER, TEST_SRAM },
	{ "copy-user-user", test_row_copy, TEST_USER, TEST_USER },
	{ "copy-user-heap", test_row_copy, TEST_USER, TEST_HEAP },
	{ "copy-heap-sram", test_row_copy, TEST_HEAP, TEST_SRAM },
	{ "copy-heap-user", test_row_copy, TEST_HEAP, TEST_USER },
	{ "copy-heap-heap", test_row_copy, TEST_HEAP, TEST_HEAP },
	{ "copy-longest", test_row_longest, TEST_LONG, TEST_LONG },
	{ "copy-2d", test_row_copy_2d, TEST_USER, TEST_SRAM },
	{ "batch", test_row_batch, TEST_USER, TEST_USER },
	{ "fill-sram", test_row_fill, TEST_USER, TEST_SRAM },
	{ "fill-user", test_row_fill, TEST_USER, TEST_USER },
	{ "edges-sram", test_row_edges, TEST_USER, TEST_SRAM },
	{ "edges-user", test_row_edges, TEST_SRAM, TEST_USER },
	{ "edges-heap", test_row_edges, TEST_SRAM, TEST_HEAP },
	{ "cpu-to-engine-user", test_row_cache, TEST_USER, TEST_SRAM },
	{ "cpu-to-engine-heap", test_row_cache, TEST_HEAP, TEST_SRAM },
	{ "engine-to-cpu-user", test_row_cache, TEST_SRAM, TEST_USER },
	{ "engine-to-cpu-heap", test_row_cache, TEST_SRAM, TEST_HEAP },
	{ "aliases", test_row_aliases, TEST_USER, TEST_USER },
	{ "at-once", test_row_at_once, TEST_SRAM, TEST_SRAM },
	{ "order", test_row_order, TEST_USER, TEST_USER },
	{ "latency", test_row_latency, TEST_USER, TEST_USER },
	{ "wait", test_row_wait, TEST_USER, TEST_USER },
	{ "event", test_row_event, TEST_USER, TEST_USER },
	{ "poll", test_row_poll, TEST_USER, TEST_USER },
	{ "fence", test_row_fence, TEST_USER, TEST_USER },
	{ "flush", test_row_flush, TEST_USER, TEST_USER },
	{ "poll-dma-buf", test_row_dmabuf, TEST_USER, TEST_SRAM },
	{ "uring", test_row_uring, TEST_USER, TEST_USER },
};

static void print_help(void)
{
	size_t i;

	fputs(help, stdout);
	for (i = 0; i < COUNT(rows); i++)
		printf("  %s\n", rows[i].name);
}

/* Without patterns, all rows are run. */
static bool is_wanted(const struct test_row *row, char **patterns)
{
	if (!*patterns)
		return true;
	for (; *patterns; patterns++)
		if (!fnmatch(*patterns, row->name, 0))
			return true;

	return false;
}

static bool matches_any(const char *pattern)
{
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		if (!fnmatch(pattern, rows[i].name, 0))
			return true;

	return false;
}

/* Reads the kernel's name of a stream's channel, or makes one of a number. */
static void name_channel(struct test_channel *channel, unsigned int number)
{
	char path[64], line[128];
	FILE *file;

	snprintf(channel->name, sizeof(channel->name), "channel %u", number);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d",
		 dmacpy_stream_fd(channel->stream));
	file = fopen(path, "re");
	if (!file)
		return;
	while (fgets(line, sizeof(line), file))
		sscanf(line, "dmacpy-channel: %31s", channel->name);
	fclose(file);
}

static void close_channel(struct test_channel *channel)
{
	dmacpy_job_free(channel->job);
	dmacpy_stream_close(channel->stream);
	*channel = (struct test_channel){ };
}

static int open_channel(struct test *test, struct test_channel *channel,
			unsigned int number)
{
	int ret;

	ret = dmacpy_stream_open(test->device, &channel->stream);
	if (!ret)
		ret = dmacpy_job_new(channel->stream, &channel->job);
	if (ret) {
		close_channel(channel);
		return ret;
	}

	name_channel(channel, number);
	return 0;
}

static bool is_known(const struct test *test, const char *name)
{
	unsigned int i;

	for (i = 0; i < test->channel_count; i++)
		if (!strcmp(test->channels[i].name, name))
			return true;

	return false;
}

/*
 * A new stream gets the channel with the fewest streams. Streams on a channel
 * that is known already stay open until all channels are found, at the end of
 * @channels.
 */
static int open_channels(struct test *test)
{
	unsigned int tries = TRIES * test->info.channels, spare = tries;
	struct test_channel new;
	int ret = 0;

	test->channels = calloc(tries, sizeof(*test->channels));
	if (!test->channels)
		return -ENOMEM;

	while (test->channel_count < spare &&
	       test->channel_count < test->info.channels) {
		new = (struct test_channel){ };
		ret = open_channel(test, &new, test->channel_count);
		if (ret)
			break;
		if (is_known(test, new.name))
			test->channels[--spare] = new;
		else
			test->channels[test->channel_count++] = new;
	}
	while (spare < tries)
		close_channel(&test->channels[spare++]);

	return test->channel_count ? 0 : ret;
}

static enum test_verdict run_row(struct test *test)
{
	struct dmacpy_stream *stream = test->channel->stream;
	enum test_verdict verdict;

	if (test->channel->stopped)
		return test_skip(test, "the channel has not recovered from %s",
				 test->channel->stopped);

	verdict = test_memory_new(test, stream, test->row->src, &test->src);
	if (!verdict)
		verdict = test_memory_new(test, stream, test->row->dst,
					  &test->dst);
	if (!verdict)
		verdict = test->row->run(test);
	if (!verdict && (test->src.udmabuf || test->dst.udmabuf))
		snprintf(test->detail, sizeof(test->detail),
			 "with a udmabuf, as there is no heap");

	return verdict;
}

static void drain_channel(struct test_channel *channel)
{
	struct pollfd poll_stream = {
		.fd = dmacpy_stream_fd(channel->stream),
		.events = POLLIN,
	};
	struct dmacpy_event event;

	dmacpy_stream_flush(channel->stream);
	while (poll(&poll_stream, 1, 0) == 1 && poll_stream.revents == POLLIN &&
	       dmacpy_stream_read_events(channel->stream, &event, 1) == 1)
		;
}

/* Jobs of a failed row may still be in flight, and leave events. */
static void drain_channels(struct test *test)
{
	unsigned int i;

	for (i = 0; i < test->channel_count; i++)
		drain_channel(&test->channels[i]);
}

static void run_on_channel(struct test *test, struct test_channel *channel)
{
	enum test_verdict verdict;

	test->channel = channel;
	test->detail[0] = '\0';
	verdict = run_row(test);
	if (verdict == TEST_FAIL)
		drain_channels(test);
	test_memory_free(&test->src);
	test_memory_free(&test->dst);
	test_report_row(dmacpy_device_path(test->device), channel->name,
			test->row->name, verdict, test->detail);
}

/* Returns 1 for a long job, whose length concerns the engine. */
static unsigned int count_channels(const struct test *test)
{
	return test->row->src == TEST_LONG && test->channel_count ? 1 :
	       test->channel_count;
}

static void run_rows(struct test *test, char **patterns)
{
	unsigned int channels, i;
	size_t row;

	for (row = 0; row < COUNT(rows) && !interrupted(); row++) {
		test->row = &rows[row];
		if (!is_wanted(test->row, patterns))
			continue;
		channels = count_channels(test);
		for (i = 0; i < channels && !interrupted(); i++)
			run_on_channel(test, &test->channels[i]);
	}
}

static void run_device(struct test *test, const char *path, char **patterns)
{
	unsigned int i;
	int ret;

	test_report_device(path, &test->info);
	ret = open_channels(test);
	if (ret) {
		stream_error(path, ret);
		test_report_row(path, NULL, "open", TEST_FAIL, strerror(-ret));
	} else if (test->channel_count < test->info.channels) {
		test_report_row(path, NULL, "channels", TEST_SKIP,
				"other programs use some of them");
	}

	run_rows(test, patterns);
	for (i = 0; i < test->channel_count; i++)
		close_channel(&test->channels[i]);
	free(test->channels);
}

/* @device is the name of @path, or @path itself. */
static void test_device(const char *device, char **patterns)
{
	static struct test test;
	struct session session;

	if (session_open_device(&session, device)) {
		test_report_row(device, NULL, "open", TEST_FAIL,
				"cannot be opened");
		return;
	}

	memset(&test, 0, sizeof(test));
	test.device = session.device;
	test.info = session.info;
	run_device(&test, dmacpy_device_path(session.device), patterns);
	session_close(&session);
}

static int test_devices(const char *device, char **patterns)
{
	char **paths, **path;
	int count;

	if (device) {
		test_device(device, patterns);
		return test_report_end();
	}

	count = dmacpy_device_list(&paths);
	if (count <= 0)
		device_error("/dev/dmacpy*", count ? count : -ENOENT);
	if (count >= 0) {
		for (path = paths; *path && !interrupted(); path++)
			test_device(*path, patterns);
		free(paths);
	}

	return test_report_end();
}

static int test_patterns(const char *device, enum test_format format,
			 char **patterns)
{
	char **pattern;
	int status;

	for (pattern = patterns; *pattern; pattern++)
		if (!matches_any(*pattern))
			return usage_error("test", "no row '%s'", *pattern);

	catch_signals();
	test_report_begin(format);
	status = test_devices(device, patterns);
	if (!interrupted())
		return status;

	print_error("interrupted: the test is incomplete");
	return EXIT_FAILURE;
}

int cmd_test(const char *device, int argc, char **argv)
{
	static const struct option options[] = {
		{ "device", required_argument, NULL, 'd' },
		{ "json", no_argument, NULL, 'j' },
		{ "tap", no_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },
		{ },
	};
	enum test_format format = TEST_TABLE;
	int option;

	while ((option = getopt_long(argc, argv, "d:jth", options,
				     NULL)) != -1) {
		switch (option) {
		case 'd':
			device = optarg;
			break;
		case 'j':
			format = TEST_JSON;
			break;
		case 't':
			format = TEST_TAP;
			break;
		case 'h':
			print_help();
			return EXIT_SUCCESS;
		default:
			return usage_error("test", NULL);
		}
	}

	return test_patterns(device, format, argv + optind);
}
