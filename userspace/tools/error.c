// SPDX-License-Identifier: GPL-2.0-only
/*
 * Error messages, each with what to do about it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "tool.h"

static const struct {
	int err;
	const char *text;
} hints[] = {
	{ ENOENT,
	  "There is no such device. Load the module (modprobe dmacpy). If it is\n"
	  "loaded, see whether the device tree has an enabled node compatible with\n"
	  "\"linux,sram-dmacpy\", and what dmesg says about it." },
	{ EACCES,
	  "Run this as root, or install 70-dmacpy.rules for udev and join the group\n"
	  "(usermod -aG dmacpy USER, then log in again)." },
	{ ENODEV,
	  "The device is not bound to its driver any more. Bind it (write its name\n"
	  "to /sys/bus/platform/drivers/dmacpy/bind) and run this again." },
	{ ENOTTY, "This is not a dmacpy device. \"dmacpy list\" shows them." },
	{ EAGAIN,
	  "The engine is being recovered after a failure. Try again in a moment;\n"
	  "if it stays so, dmesg and a reload of the module help." },
	{ EIO, "The engine reported an error. See dmesg." },
	{ ETIMEDOUT,
	  "The engine made no progress. See dmesg; for a slow engine raise\n"
	  "/sys/module/dmacpy/parameters/timeout_ms." },
	{ ECANCELED,
	  "Another job on the same channel failed. Run this again." },
	{ EINTR, "A signal came. Run this again." },
	{ ENOMEM,
	  "The system is out of memory. Free some, then run this again." },
};

static void print_hint(int err)
{
	struct rlimit limit;
	size_t i;

	for (i = 0; i < sizeof(hints) / sizeof(*hints); i++)
		if (hints[i].err == err)
			fprintf(stderr, "%s\n", hints[i].text);

	if (err == EDQUOT && !getrlimit(RLIMIT_MEMLOCK, &limit))
		fprintf(stderr,
			"Memory for the engine is locked, at most %" PRIu64
			" KiB here. Raise the\nlimit (ulimit -l).\n",
			(uint64_t)limit.rlim_cur / 1024);
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
	print_hint(-err);
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

void sram_error(const struct session *session, uint64_t length, int err)
{
	struct dmacpy_get_info info;
	char wanted[32], free[32], largest[32], total[32];

	if (err == -EDQUOT) {
		print_error("cannot allocate SRAM: %s\n"
			    "A user has no more. End programs that hold buffers,\n"
			    "or raise /sys/module/dmacpy/parameters/sram_quota_kib.",
			    strerror(-err));
		return;
	}
	if (err != -ENOSPC ||
	    dmacpy_device_info(session->device, &info, sizeof(info))) {
		device_error("cannot allocate SRAM", err);
		return;
	}

	print_error("no %s of SRAM: %s of %s are free, %s in one piece.\n"
		    "End other programs that hold buffers of it.",
		    format_size(wanted, length),
		    format_size(free, info.sram_free),
		    format_size(total, info.sram_total),
		    format_size(largest, info.sram_largest));
}
