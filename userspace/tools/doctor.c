// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmacpy doctor: finds out why there is no device, or why it does not work, and
 * suggests a remedy.
 */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "doctor.h"

static const char help[] =
	"usage: dmacpy doctor [OPTION...]\n\n"
	"Look for what keeps the devices from working, from the kernel to a\n"
	"copy, and show what to do about it. Root sees most.\n\n"
	"options:\n"
	"  -h, --help  show this\n\n"
	"The exit status is 1 if there is a problem.\n";

static const char sign_module[] =
	"Sign the module with a key that the firmware knows (for that of DKMS:\n"
	"mokutil --import /var/lib/dkms/mok.pub), or turn off secure boot.";

static unsigned int problems, unseen;

/* A remedy is printed on its own lines. */
static void print_remedy(const char *remedy)
{
	const char *before = "->";
	int length;

	for (; *remedy; remedy += length + !!remedy[length]) {
		length = strcspn(remedy, "\n");
		printf("%11s %.*s\n", before, length, remedy);
		before = "";
	}
}

static void print_finding(const char *kind, const char *remedy,
			  const char *format, va_list args)
{
	printf("%-8s ", kind);
	vprintf(format, args);
	printf("\n");
	if (remedy)
		print_remedy(remedy);
}

void doctor_ok(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_finding("ok", NULL, format, args);
	va_end(args);
}

void doctor_note(const char *remedy, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_finding("note", remedy, format, args);
	va_end(args);
}

void doctor_problem(const char *remedy, const char *format, ...)
{
	va_list args;

	problems++;
	va_start(args, format);
	print_finding("PROBLEM", remedy, format, args);
	va_end(args);
}

void doctor_unseen(const char *remedy, const char *format, ...)
{
	va_list args;

	unseen++;
	va_start(args, format);
	print_finding("unseen", remedy, format, args);
	va_end(args);
}

bool doctor_read(const char *path, char *text, size_t size)
{
	size_t length;
	FILE *file;

	file = fopen(path, "re");
	if (!file)
		return false;
	length = fread(text, 1, size - 1, file);
	text[length] = '\0';
	fclose(file);

	return true;
}

static void check_kernel(void)
{
	unsigned int version, level;
	struct utsname kernel;

	if (uname(&kernel) ||
	    sscanf(kernel.release, "%u.%u", &version, &level) != 2)
		return;
	if (version < 6 || (version == 6 && level < 1))
		doctor_problem("Use Linux 6.1 or later.",
			       "Linux %s is too old for the driver",
			       kernel.release);
	else
		doctor_ok("Linux %s", kernel.release);
}

/* Returns true if the module is where modprobe searches for it. */
static bool is_installed(const char *release)
{
	char path[512], line[1024];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", release);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file))
		found = strstr(line, "/dmacpy.ko");
	fclose(file);

	return found;
}

static bool is_locked_down(void)
{
	char text[128];

	return doctor_read("/sys/kernel/security/lockdown", text,
			   sizeof(text)) &&
	       !strstr(text, "[none]");
}

static bool check_module(void)
{
	struct utsname kernel = { };

	if (!access("/sys/module/dmacpy", F_OK)) {
		doctor_ok("the driver is there");
		return true;
	}

	uname(&kernel);
	if (is_installed(kernel.release))
		doctor_problem("modprobe dmacpy",
			       "the module is not loaded");
	else
		doctor_problem("make modules modules_install\nmodprobe dmacpy",
			       "there is no module for %s", kernel.release);
	if (is_locked_down())
		doctor_problem(sign_module,
			       "this kernel accepts signed modules only");

	return false;
}

static void check_extras(void)
{
	char text[16];

	if (access(UDMABUF, F_OK))
		doctor_note("CONFIG_UDMABUF=y, for dma-bufs of programs",
			    "this kernel has no " UDMABUF);
	if (access(HEAP, F_OK))
		doctor_note("CONFIG_DMABUF_HEAPS_SYSTEM=y, for dma-bufs",
			    "this kernel has no " HEAP);
	if (doctor_read("/proc/sys/kernel/io_uring_disabled", text,
			sizeof(text)) && *text != '0')
		doctor_note("sysctl kernel.io_uring_disabled=0",
			    "io_uring is turned off");
}

static int run_doctor(void)
{
	check_kernel();
	doctor_check_engines();
	if (check_module()) {
		doctor_check_nodes();
		doctor_check_devices();
	}
	check_extras();

	printf("%u problem%s, %u not seen\n", problems,
	       problems == 1 ? "" : "s", unseen);
	return problems ? EXIT_FAILURE : EXIT_SUCCESS;
}

int cmd_doctor(const char *device, int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ },
	};
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'h':
			fputs(help, stdout);
			return EXIT_SUCCESS;
		default:
			return usage_error("doctor", NULL);
		}
	}
	if (device)
		return usage_error("doctor",
				   "doctor looks at all devices: drop -d");
	if (optind < argc)
		return usage_error("doctor", "unexpected argument '%s'",
				   argv[optind]);

	return run_doctor();
}
