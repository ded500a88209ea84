// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmacpy list: prints one line per device, or a JSON array.
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "tool.h"

static const char help[] =
	"usage: dmacpy list [OPTION...]\n\n"
	"Show each device with its SRAM and its channels.\n\n"
	"options:\n"
	"  -j, --json  as a JSON array of the objects of \"dmacpy info --json\"\n"
	"  -h, --help  show this\n";

static void print_line(const char *path, const struct dmacpy_get_info *info)
{
	char total[32], free[32];

	printf("%s  %s  %s SRAM, %s free, %u channels\n", path, info->name,
	       format_size(total, info->sram_total),
	       format_size(free, info->sram_free), info->channels);
}

static int get_info(const char *path, struct dmacpy_get_info *info)
{
	struct dmacpy_device *device;
	int ret;

	if (open_device(path, &device))
		return -1;

	ret = dmacpy_device_info(device, info, sizeof(*info));
	if (ret)
		device_error(path, ret);
	dmacpy_device_close(device);

	return ret;
}

/* Returns the number of devices that could not be shown. */
static int print_devices(char **paths, bool json)
{
	const char *before = "[\n", *after = "[]\n";
	struct dmacpy_get_info info;
	int failed = 0;

	for (; *paths; paths++) {
		if (get_info(*paths, &info)) {
			failed++;
		} else if (json) {
			printf("%s", before);
			print_info_json(*paths, &info);
			before = ",\n";
			after = "\n]\n";
		} else {
			print_line(*paths, &info);
		}
	}
	if (json)
		printf("%s", after);

	return failed;
}

static int list_devices(bool json)
{
	char **paths;
	int count, failed;

	count = dmacpy_device_list(&paths);
	if (count < 0) {
		device_error("/dev", count);
		return EXIT_FAILURE;
	}

	failed = print_devices(paths, json);
	free(paths);
	if (!count)
		device_error("/dev/dmacpy*", -ENOENT);

	return failed || !count ? EXIT_FAILURE : EXIT_SUCCESS;
}

int cmd_list(const char *device, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ },
	};
	bool json = false;
	int option;

	while ((option = getopt_long(argc, argv, "jh", options, NULL)) != -1) {
		switch (option) {
		case 'j':
			json = true;
			break;
		case 'h':
			fputs(help, stdout);
			return EXIT_SUCCESS;
		default:
			return usage_error("list", NULL);
		}
	}
	if (device)
		return usage_error("list", "list shows all devices: drop -d");
	if (optind < argc)
		return usage_error("list", "unexpected argument '%s'",
				   argv[optind]);

	return list_devices(json);
}
