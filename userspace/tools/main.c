// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmacpy: copies by a DMA engine, and on-chip SRAM, from the command line.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

static int cmd_help(const char *device, int argc, char **argv);

static const struct command {
	const char *name;
	const char *summary;
	int (*run)(const char *device, int argc, char **argv);
} commands[] = {
	{ "bench", "measure what copies cost", cmd_bench },
	{ "copy", "copy a file by the DMA engine", cmd_copy },
	{ "doctor", "find out why a device does not work", cmd_doctor },
	{ "fill", "fill a file with a pattern by the DMA engine", cmd_fill },
	{ "help", "show the help of a command", cmd_help },
	{ "info", "show the properties of a device", cmd_info },
	{ "list", "list the devices", cmd_list },
	{ "test", "test whether a board does all of it right", cmd_test },
	{ "top", "show which processes use the devices", cmd_top },
	{ "tune", "measure from what size on the engine pays", cmd_tune },
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

static void print_help(void)
{
	size_t i;

	printf("usage: dmacpy [-d DEVICE] COMMAND [ARGUMENT...]\n\n"
	       "commands:\n");
	for (i = 0; i < COMMANDS; i++)
		printf("  %-7s %s\n", commands[i].name, commands[i].summary);
	printf("\noptions:\n"
	       "  -d, --device DEVICE  this device, not the first: /dev/dmacpy1 or 1\n"
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

	command = find_command(argv[0]);
	if (!command)
		return usage_error(NULL, "unknown command '%s'", argv[0]);

	/* 0 restarts getopt for the command's own options. */
	optind = 0;
	argv[0] = program_invocation_short_name;
	return command->run(device, argc, argv);
}

static int cmd_help(const char *device, int argc, char **argv)
{
	char help_option[] = "--help";
	char *command[3] = { NULL, help_option, NULL };

	if (argc > 2)
		return usage_error(NULL, "unexpected argument '%s'", argv[2]);
	if (argc < 2) {
		print_help();
		return EXIT_SUCCESS;
	}
	if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help") ||
	    !strcmp(argv[1], "-h")) {
		puts("usage: dmacpy help [COMMAND]\n\n"
		     "Show the help of a command, or which commands there are.");
		return EXIT_SUCCESS;
	}

	command[0] = argv[1];
	return run_command(device, 2, command);
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "device", required_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ },
	};
	const char *device = NULL;
	int option;

	/* The + makes getopt stop at the command. */
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
			printf("dmacpy " VERSION " (libdmacpy %s)\n",
			       dmacpy_version());
			return EXIT_SUCCESS;
		default:
			return usage_error(NULL, NULL);
		}
	}

	if (optind == argc)
		return usage_error(NULL, "no command given");

	return run_command(device, argc - optind, argv + optind);
}

/*
 * If the program was started without standard input, output or error, a file
 * that it opens must not take their numbers. A descriptor that cannot be read
 * or written takes them instead.
 */
static void take_standard_files(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null",
			     fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/* Buffered output has not been written yet. */
static int close_output(int status)
{
	bool failed = ferror(stdout);

	errno = 0;
	if (fclose(stdout))
		failed = true;
	if (!failed)
		return status;

	file_error("standard output", errno ? -errno : -EIO);
	return status ? status : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	take_standard_files();

	return close_output(run(argc, argv));
}
