// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmacpy: copies by a DMA engine, and on-chip SRAM, from the command line.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

static const struct command {
	const char *name;
	const char *summary;
	int (*run)(const char *device, int argc, char **argv);
} commands[] = {
	{ "bench", "measure what copies cost", cmd_bench },
	{ "copy", "copy a file by the DMA engine", cmd_copy },
	{ "fill", "fill a file with a pattern by the DMA engine", cmd_fill },
	{ "info", "show the properties of a device", cmd_info },
	{ "list", "list the devices", cmd_list },
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

static void print_help(void)
{
	size_t i;

	printf("usage: dmacpy [-d DEVICE] COMMAND [ARGUMENT...]\n\n"
	       "commands:\n");
	for (i = 0; i < COMMANDS; i++)
		printf("  %-6s %s\n", commands[i].name, commands[i].summary);
	printf("\noptions:\n"
	       "  -d, --device DEVICE  instead of the first /dev/dmacpy*\n"
	       "  -h, --help           show this; after a command, its help\n"
	       "  -V, --version        show the version\n");
}

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];

	return NULL;
}

static int run_command(const char *device, int argc, char **argv)
{
	const struct command *command;

	if (argc == 0)
		return usage_error(NULL, "no command given");

	command = find_command(argv[0]);
	if (!command)
		return usage_error(NULL, "unknown command '%s'", argv[0]);

	/* 0 restarts getopt for the command's own options. */
	optind = 0;
	argv[0] = program_invocation_short_name;
	return command->run(device, argc, argv);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "device", required_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ },
	};
	const char *device = NULL;
	int option;

	/* The + stops at the command. */
	while ((option = getopt_long(argc, argv, "+d:hV", options,
				     NULL)) != -1) {
		switch (option) {
		case 'd':
			device = optarg;
			break;
		case 'h':
			print_help();
			return EXIT_SUCCESS;
		case 'V':
			puts("dmacpy " VERSION);
			return EXIT_SUCCESS;
		default:
			return usage_error(NULL, NULL);
		}
	}

	return run_command(device, argc - optind, argv + optind);
}
