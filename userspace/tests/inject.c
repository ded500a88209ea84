// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common.h"
#include "inject.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof(*(array)))
#define DEBUGFS		"/sys/kernel/debug/"

static const char *const attributes[] = {
	"failslab", "fail_page_alloc", "fail_usercopy",
};

/* Limits all kinds of failures to requests from within these addresses. */
static bool set_range(const char *which, unsigned long start, unsigned long end)
{
	char path[128];
	bool done = true;
	FILE *file;
	size_t i;

	for (i = 0; i < 2 * ARRAY_SIZE(attributes); i++) {
		snprintf(path, sizeof(path), DEBUGFS "%s/%s-%s",
			 attributes[i / 2], which, i % 2 ? "end" : "start");
		file = fopen(path, "we");
		done &= file && fprintf(file, "%#lx", i % 2 ? end : start) > 0;
		done &= file && !fclose(file);
	}
	return done;
}

/* Finds the addresses of a kernel function. Both are 0 if there is none. */
static void find_function(const char *function, unsigned long *start,
			  unsigned long *end)
{
	FILE *symbols = fopen("/proc/kallsyms", "re");
	char line[256], name[128];
	unsigned long address;

	*start = 0;
	*end = 0;
	while (symbols && !*end && fgets(line, sizeof(line), symbols)) {
		if (sscanf(line, "%lx %*c %127s", &address, name) != 2)
			continue;
		if (!strcmp(name, function))
			*start = address;
		else if (*start && address > *start)
			*end = address;
	}
	if (symbols)
		fclose(symbols);
}

/* Excludes requests of this kernel function from failures. */
bool inject_spare(const char *function)
{
	unsigned long start, end;

	find_function(function, &start, &end);
	return set_range("reject", start, end);
}

/* Limits failures to requests of this kernel function. */
bool inject_only(const char *function)
{
	unsigned long start, end;

	find_function(function, &start, &end);
	return start && set_range("require", start, end);
}

bool inject_set_up(void)
{
	static const char *const zero[] = {
		"failslab/verbose", "failslab/ignore-gfp-wait",
		"fail_page_alloc/verbose", "fail_page_alloc/min-order",
		"fail_page_alloc/ignore-gfp-wait",
		"fail_page_alloc/ignore-gfp-highmem", "fail_usercopy/verbose",
	};
	bool done = set_range("require", 0, ULONG_MAX);
	char path[128];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(zero); i++) {
		snprintf(path, sizeof(path), DEBUGFS "%s", zero[i]);
		done &= set_number(path, 0);
	}
	return done;
}

/* Returns a file for the calling thread, or -errno. */
int inject_open(void)
{
	int fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Has the nth request of this thread fail. */
bool inject_arm(int fail_nth, unsigned int nth)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", nth);

	return pwrite(fail_nth, text, length, 0) == length;
}

/*
 * Returns true if a request has failed. The copy of the result to user space
 * may fail, too, as may disabling the failure, once.
 */
bool inject_disarm(int fail_nth)
{
	char left[16] = "";
	bool failed = pread(fail_nth, left, sizeof(left), 0) > 0 &&
		      left[0] == '0';

	if (!inject_arm(fail_nth, 0))
		inject_arm(fail_nth, 0);
	return failed;
}
