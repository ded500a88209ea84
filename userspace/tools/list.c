// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmacpy list: one line for each device.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "tool.h"

static const char help[] =
	"usage: dmacpy list\n\n"
	"Show each device with its SRAM and its channels.\n\n"
	"options:\n"
	"  -h, --help  show this\n";

static int list_device(const char *path)
{
	struct dmacpy_device *device;
	struct dmacpy_get_info info;
	char total[32], free[32];
	int ret;

	ret = dmacpy_device_open(path, &device);
	if (ret) {
		device_error(path, ret);
		return -1;
	}

	ret = dmacpy_device_info(device, &info, sizeof(info));
	dmacpy_device_close(device);
	if (ret) {
		device_error(path, ret);
		return -1;
	}

	printf("%s  %s  %s SRAM, %s free, %u channels\n", path, info.name,
	       format_size(total, info.sram_total),
	       format_size(free, info.sram_free), info.channels);
	return 0;
}

static int list_devices(void)
{
	int result = EXIT_SUCCESS;
	char **paths;
	int count, i;

	count = dmacpy_device_list(&paths);
	if (count < 0) {
		device_error("/dev", count);
		return EXIT_FAILURE;
	}

	for (i = 0; i < count; i++)
		if (list_device(paths[i]))
			result = EXIT_FAILURE;
	free(paths);

	if (!count) {
		device_error("/dev/dmacpy*", -ENOENT);
		return EXIT_FAILURE;
	}

	return result;
}

int cmd_list(const char *device, int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ },
	};
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option != 'h')
			return usage_error("list", NULL);
		fputs(help, stdout);
		return EXIT_SUCCESS;
	}
	if (device)
		return usage_error("list", "list shows all devices: drop -d");
	if (optind < argc)
		return usage_error("list", "'%s' is too much", argv[optind]);

	return list_devices();
}
