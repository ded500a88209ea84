// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers, sizes, progress, signals, time.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tool.h"

#define BAR_WIDTH 40

static volatile sig_atomic_t caught_signal;

static int parse_prefix(const char *text, uint64_t max, uint64_t *value,
			char **end)
{
	/* strtoull() accepts a sign and leading space. */
	if (!isdigit((unsigned char)text[0]))
		return -1;

	errno = 0;
	*value = strtoull(text, end, 0);

	return errno || *value > max ? -1 : 0;
}

int parse_number(const char *text, uint64_t max, uint64_t *value)
{
	char *end;

	return parse_prefix(text, max, value, &end) || *end ? -1 : 0;
}

int parse_size(const char *text, uint64_t *value)
{
	static const char suffixes[] = "KMG";
	const char *suffix;
	unsigned int shift;
	char *end;

	/* off_t cannot hold more. */
	if (parse_prefix(text, INT64_MAX, value, &end))
		return -1;
	if (!*end)
		return 0;

	suffix = strchr(suffixes, toupper((unsigned char)*end));
	if (!suffix || end[1])
		return -1;

	shift = 10 * (suffix - suffixes + 1);
	if (*value > (uint64_t)INT64_MAX >> shift)
		return -1;

	*value <<= shift;
	return 0;
}

const char *format_size(char text[32], uint64_t bytes)
{
	static const char * const units[] = { "bytes", "KiB", "MiB", "GiB" };
	unsigned int unit = 0;

	while (unit < 3 && bytes && bytes % 1024 == 0) {
		bytes /= 1024;
		unit++;
	}
	snprintf(text, 32, "%" PRIu64 " %s", bytes, units[unit]);

	return text;
}

void print_json_text(const char *value)
{
	putchar('"');
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			printf("\\%c", *value);
		else if ((unsigned char)*value < ' ')
			printf("\\u%04x", *value);
		else
			putchar(*value);
	}
	putchar('"');
}

void progress_show(uint64_t done, uint64_t total)
{
	static const char full[] = "########################################";
	char size[32];
	int width;

	if (!isatty(STDERR_FILENO))
		return;

	if (total) {
		width = (double)done / total * BAR_WIDTH;
		fprintf(stderr, "\r[%-*.*s] %3d%%", BAR_WIDTH, width, full,
			(int)((double)done / total * 100));
	} else {
		fprintf(stderr, "\r%s\033[K", format_size(size, done));
	}
}

void progress_end(void)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}

static void on_signal(int number)
{
	caught_signal = number;
}

void catch_signals(void)
{
	static const int numbers[] = { SIGHUP, SIGINT, SIGTERM };
	/* Without SA_RESTART, so that a blocked read or write returns, too. */
	struct sigaction action = { .sa_handler = on_signal };
	struct sigaction old;
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		sigaction(numbers[i], NULL, &old);
		/* The signal stays ignored, for example under nohup. */
		if (old.sa_handler != SIG_IGN)
			sigaction(numbers[i], &action, NULL);
	}
}

bool interrupted(void)
{
	return caught_signal;
}

double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);

	return now.tv_sec + now.tv_nsec / 1e9;
}
