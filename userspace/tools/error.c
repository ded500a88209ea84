// SPDX-License-Identifier: GPL-2.0-only
/*
 * Error messages, each with a hint.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tool.h"

/* Lists the devices whose probing is deferred, and the reasons */
#define DEFERRED "/sys/kernel/debug/devices_deferred"

/* The kernel logs a line per failure, up to a rate limit. */
#define DETAILS \
	"dmesg names the channel and the failure; \"dmacpy doctor\" counts failures."

static const struct {
	int err;
	const char *text;
} hints[] = {
	{ EACCES,
	  "Run this as root, or install 70-dmacpy.rules for udev and join the group\n"
	  "(usermod -aG dmacpy USER, then log in again)." },
	{ ENODEV,
	  "The device is not bound to its driver any more. Bind it (write its name\n"
	  "to /sys/bus/platform/drivers/dmacpy/bind) and run this again." },
	{ ENOTTY, "This is not a dmacpy device. \"dmacpy list\" shows them." },
	{ EAGAIN,
	  "The engine is being recovered after a failure. Try again in a moment;\n"
	  "if it stays so, reload the module.\n" DETAILS },
	{ EIO,
	  "The engine reported an error, or did not copy all. Run this again.\n"
	  DETAILS },
	{ ETIMEDOUT,
	  "The engine made no progress. For a slow one raise\n"
	  "/sys/module/dmacpy/parameters/timeout_ms.\n" DETAILS },
	{ ECANCELED,
	  "Another job on the same channel failed. Run this again." },
	{ EINTR, "Interrupted by a signal. Run this again." },
	{ ENOMEM,
	  "The system is out of memory. Free some, then run this again." },
};

/* Returns true if the file can be read and lists such a device. */
static bool print_deferred(void)
{
	bool found = false;
	char line[256];
	FILE *file;

	file = fopen(DEFERRED, "re");
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file)) {
		if (!strstr(line, "\tdmacpy: "))
			continue;
		fprintf(stderr, "A device waits: %s", line);
		found = true;
	}
	fclose(file);

	return found;
}

static void print_devices(char **paths)
{
	fputs("The devices are:", stderr);
	for (; *paths; paths++)
		fprintf(stderr, " %s", *paths);
	fputc('\n', stderr);
}

static const char unbound[] =
	"The module is loaded, and bound to no device. See whether the device tree\n"
	"has an enabled node compatible with \"linux,sram-dmacpy\"; and, as root, what\n"
	"dmesg and " DEFERRED " have about it.\n";

static void print_missing(void)
{
	char **paths;

	if (dmacpy_device_list(&paths) > 0) {
		print_devices(paths);
		free(paths);
	} else if (access("/sys/module/dmacpy", F_OK)) {
		fputs("The module is not loaded: modprobe dmacpy does that.\n",
		      stderr);
	} else if (!print_deferred()) {
		fputs(unbound, stderr);
	}
}

static const char too_many_handles[] =
	"There are too many handles: a stream has at most 16384, and a user as many\n"
	"as \"dmacpy info\" shows. Use fewer, end programs that use the engine, or load\n"
	"the module with a larger max_user_handles.";

static const char too_many_streams[] =
	"You have too many streams open; \"dmacpy info\" shows the limit. Use fewer,\n"
	"end programs that use the engine, or load the module with a larger\n"
	"max_user_streams.";

/*
 * Prints a hint only once, if several devices fail with the same error. Which
 * limit @quota, the hint for EDQUOT, is about depends on the call.
 */
static void print_hint(int err, const char *quota)
{
	static int last;
	size_t i;

	if (err == last)
		return;
	last = err;
	if (err == ENOENT)
		print_missing();
	for (i = 0; i < sizeof(hints) / sizeof(*hints); i++)
		if (hints[i].err == err)
			fprintf(stderr, "%s\n", hints[i].text);

	if (err == EDQUOT)
		fprintf(stderr, "%s\n", quota);
}

static void print_message(const char *format, va_list args)
{
	progress_end();
	fputs("dmacpy: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

void print_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_message(format, args);
	va_end(args);
}

int usage_error(const char *command, const char *format, ...)
{
	va_list args;

	if (format) {
		va_start(args, format);
		print_message(format, args);
		va_end(args);
	}
	fprintf(stderr, "Try \"dmacpy %s%s--help\".\n", command ? command : "",
		command ? " " : "");

	return EXIT_USAGE;
}

void file_error(const char *path, int err)
{
	print_error("%s: %s", path, strerror(-err));
}

void device_error(const char *what, int err)
{
	print_error("%s: %s", what, strerror(-err));
	print_hint(-err, too_many_handles);
}

void stream_error(const char *what, int err)
{
	print_error("%s: %s", what, strerror(-err));
	print_hint(-err, too_many_streams);
}

void register_error(const char *what, int err)
{
	struct rlimit limit = { };
	char quota[256];

	getrlimit(RLIMIT_MEMLOCK, &limit);
	snprintf(quota, sizeof(quota),
		 "Memory for the engine is locked, at most %" PRIu64
		 " KiB here. Raise the\n"
		 "limit (ulimit -l); or use fewer handles if that is not reached.",
		 (uint64_t)limit.rlim_cur / 1024);

	print_error("%s: %s", what, strerror(-err));
	print_hint(-err, limit.rlim_cur == RLIM_INFINITY ? too_many_handles :
							   quota);
}

void refusal_error(const char *what, const struct dmacpy_job *job, int err)
{
	uint32_t refused = dmacpy_job_refused_op(job);

	device_error(what, err);
	if (refused)
		fprintf(stderr,
			"Operation %" PRIu32 " of the job was refused.\n",
			refused);
}

static const char taken[] =
	"End programs that hold buffers, which root sees in\n"
	"/sys/kernel/debug/dmacpy/*/sram; or take a smaller size.";

void sram_error(const struct session *session, uint64_t length, int err)
{
	struct dmacpy_get_info info;
	char wanted[32], free[32], largest[32], total[32];
	const char *hint = "Take a smaller size.";

	if (err == -EDQUOT) {
		print_error("cannot allocate SRAM: %s\n"
			    "The quota is used up. End programs that hold buffers,\n"
			    "or raise /sys/module/dmacpy/parameters/sram_quota_kib.",
			    strerror(-err));
		return;
	}
	if (err != -ENOSPC ||
	    dmacpy_device_info(session->device, &info, sizeof(info))) {
		device_error("cannot allocate SRAM", err);
		return;
	}

	if (length <= info.sram_total && info.sram_free < info.sram_total)
		hint = taken;
	print_error("no %s of SRAM: %s of %s are free, %s in one piece.\n%s",
		    format_size(wanted, length),
		    format_size(free, info.sram_free),
		    format_size(total, info.sram_total),
		    format_size(largest, info.sram_largest), hint);
}
