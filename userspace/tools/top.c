// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmacpy top: shows periodically which processes use the devices, and how much.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "top.h"

#define MAX_DELAY 3600

static const char help[] =
	"usage: dmacpy top [OPTION...]\n\n"
	"Show what the devices do, and which processes have them do it, each second\n"
	"until it is interrupted. Root sees the processes of all users.\n\n"
	"options:\n"
	"  -d, --device DEVICE  only this device: /dev/dmacpy1 or 1\n"
	"  -n, --iterations N   show it N times\n"
	"      --once           the same as -n 1\n"
	"      --delay N        after N seconds each, 1\n"
	"  -j, --json           print a JSON object each time\n"
	"  -h, --help           show this\n";

enum {
	OPTION_ONCE = 256,
	OPTION_DELAY,
};

/**
 * struct top - parameters of the command
 * @path: the only device, or NULL
 * @iterations: number of samples to show, or 0 for no limit
 * @delay: seconds before each sample
 * @json: print JSON
 */
struct top {
	char *path;
	uint64_t iterations;
	uint64_t delay;
	bool json;
};

static void print_device(const struct top_device *device)
{
	printf("%s: %.1f MB/s, %.0f jobs/s on %" PRIu64 " channels",
	       device->name, device->bytes_per_s / 1e6, device->jobs_per_s,
	       device->channels);
	if (device->channels_down)
		printf(", %" PRIu64 " DOWN", device->channels_down);
	printf("; %" PRIu64 " errors, %" PRIu64 " timeouts, %" PRIu64
	       " recoveries\n",
	       device->errors, device->timeouts, device->recoveries);
}

static void print_stream(const struct top_stream *stream)
{
	printf("%7d %-15.15s %-8s %-12s %9.1f %9.0f %6" PRIu64 " %6" PRIu64
	       " %9" PRIu64 " %9" PRIu64 "\n",
	       stream->pid, stream->command, stream->device, stream->channel,
	       stream->bytes_per_s / 1e6, stream->jobs_per_s, stream->jobs,
	       stream->failed, stream->pinned, stream->sram);
}

/* Overwrites the last table on a terminal. */
static void print_table(const struct top_sample *sample)
{
	size_t i;

	if (isatty(STDOUT_FILENO))
		printf("\033[H\033[J");
	for (i = 0; i < sample->device_count; i++)
		print_device(&sample->devices[i]);
	printf("\n%7s %-15s %-8s %-12s %9s %9s %6s %6s %9s %9s\n", "PID",
	       "COMMAND", "DEVICE", "CHANNEL", "MB/s", "jobs/s", "queued",
	       "failed", "pinned K", "SRAM K");
	for (i = 0; i < sample->stream_count; i++)
		print_stream(&sample->streams[i]);
	if (sample->hidden)
		printf("%u processes of other users are not shown\n",
		       sample->hidden);
}

static void print_json_device(const struct top_device *device)
{
	printf("    {\"name\": \"%s\", \"channels\": %" PRIu64
	       ", \"channels_down\": %" PRIu64 ", \"jobs\": %" PRIu64
	       ", \"bytes\": %" PRIu64 ", \"errors\": %" PRIu64
	       ", \"timeouts\": %" PRIu64 ", \"recoveries\": %" PRIu64
	       ", \"jobs_per_s\": %.1f, \"bytes_per_s\": %.0f}",
	       device->name, device->channels, device->channels_down,
	       device->jobs, device->bytes, device->errors, device->timeouts,
	       device->recoveries, device->jobs_per_s, device->bytes_per_s);
}

static void print_json_stream(const struct top_stream *stream)
{
	printf("    {\"pid\": %d, \"fd\": %d, \"command\": ", stream->pid,
	       stream->fd);
	print_json_text(stream->command);
	printf(", \"device\": \"%s\", \"channel\": \"%s\", \"queued\": %" PRIu64
	       ", \"jobs\": %" PRIu64 ", \"bytes\": %" PRIu64
	       ", \"failed\": %" PRIu64 ", \"pinned_kib\": %" PRIu64
	       ", \"sram_kib\": %" PRIu64
	       ", \"jobs_per_s\": %.1f, \"bytes_per_s\": %.0f}",
	       stream->device, stream->channel, stream->jobs, stream->ended,
	       stream->bytes, stream->failed, stream->pinned, stream->sram,
	       stream->jobs_per_s, stream->bytes_per_s);
}

static void print_json(const struct top_sample *sample)
{
	size_t i;

	printf("{\n  \"devices\": [");
	for (i = 0; i < sample->device_count; i++) {
		printf("%s\n", i ? "," : "");
		print_json_device(&sample->devices[i]);
	}
	printf("\n  ],\n  \"streams\": [");
	for (i = 0; i < sample->stream_count; i++) {
		printf("%s\n", i ? "," : "");
		print_json_stream(&sample->streams[i]);
	}
	printf("%s],\n  \"hidden_processes\": %u\n}\n",
	       sample->stream_count ? "\n  " : "", sample->hidden);
}

/* Returns 1 if it was interrupted. */
static int show_next(const struct top *top, struct top_sample *before)
{
	struct top_sample sample;

	sleep(top->delay);
	if (interrupted())
		return 1;
	if (top_take(&sample, top->path))
		return -1;

	top_compare(&sample, before);
	if (top->json)
		print_json(&sample);
	else
		print_table(&sample);
	fflush(stdout);
	top_free(before);
	*before = sample;

	return ferror(stdout) ? 1 : 0;
}

static int show(const struct top *top)
{
	struct top_sample sample;
	uint64_t i;
	int ret;

	ret = top_take(&sample, top->path);
	for (i = 0; !ret && (!top->iterations || i < top->iterations); i++)
		ret = show_next(top, &sample);
	top_free(&sample);

	return ret < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Closes the device again, or this process would be one of its users. */
static char *find_path(const char *name)
{
	struct dmacpy_device *device;
	char *path;

	if (open_device(name, &device))
		return NULL;
	path = strdup(dmacpy_device_path(device));
	dmacpy_device_close(device);

	return path;
}

static int run(struct top *top, const char *name)
{
	int ret = EXIT_FAILURE;

	if (name)
		top->path = find_path(name);
	catch_signals();
	if (!name || top->path)
		ret = show(top);
	free(top->path);

	return ret;
}

static int parse_count(const char *name, uint64_t max, uint64_t *value)
{
	if (!parse_number(optarg, max, value) && *value)
		return 0;

	return usage_error("top",
			   "--%s has to be a number from 1 to %" PRIu64
			   ", not '%s'", name, max, optarg);
}

static int parse_option(struct top *top, const char **device, int option)
{
	switch (option) {
	case 'd':
		*device = optarg;
		return 0;
	case 'n':
		return parse_count("iterations", UINT32_MAX, &top->iterations);
	case OPTION_ONCE:
		top->iterations = 1;
		return 0;
	case OPTION_DELAY:
		return parse_count("delay", MAX_DELAY, &top->delay);
	case 'j':
		top->json = true;
		return 0;
	default:
		return usage_error("top", NULL);
	}
}

int cmd_top(const char *device, int argc, char **argv)
{
	static const struct option options[] = {
		{ "device", required_argument, NULL, 'd' },
		{ "iterations", required_argument, NULL, 'n' },
		{ "once", no_argument, NULL, OPTION_ONCE },
		{ "delay", required_argument, NULL, OPTION_DELAY },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ },
	};
	struct top top = { .delay = 1 };
	int option, ret;

	while ((option = getopt_long(argc, argv, "d:n:jh", options,
				     NULL)) != -1) {
		if (option == 'h') {
			fputs(help, stdout);
			return EXIT_SUCCESS;
		}
		ret = parse_option(&top, &device, option);
		if (ret)
			return ret;
	}
	if (optind < argc)
		return usage_error("top", "unexpected argument '%s'",
				   argv[optind]);

	return run(&top, device);
}
