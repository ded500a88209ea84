// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmacpy info: prints the properties of a device, for people or for programs.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include "tool.h"

static const char help[] =
	"usage: dmacpy info [OPTION...]\n\n"
	"Show the SRAM, the DMA engine and the limits of a device.\n\n"
	"options:\n"
	"  -d, --device DEVICE  this device, not the first: /dev/dmacpy1 or 1\n"
	"  -j, --json           as one JSON object, sizes in bytes\n"
	"  -h, --help           show this\n";

static const char * const opcodes[] = {
	[DMACPY_OP_COPY] = "copy",
	[DMACPY_OP_COPY_2D] = "copy_2d",
	[DMACPY_OP_FILL] = "fill",
};

/* Indexed by the number of the bit. */
static const char * const submit_flags[] = {
	"wait", "out_fence", "in_fence", "event", "no_implicit", "more",
	"spread",
};

static const char * const register_flags[] = { "explicit_sync" };

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/**
 * struct bits - a set of named bits
 * @names: names of the bits
 * @count: number of @names
 * @mask: the bits in the set
 */
struct bits {
	const char * const *names;
	size_t count;
	uint32_t mask;
};

static struct bits opcode_bits(const struct dmacpy_get_info *info)
{
	return (struct bits){ opcodes, COUNT(opcodes), info->opcodes };
}

static struct bits submit_bits(const struct dmacpy_get_info *info)
{
	return (struct bits){
		submit_flags, COUNT(submit_flags), info->submit_flags
	};
}

static struct bits register_bits(const struct dmacpy_get_info *info)
{
	return (struct bits){
		register_flags, COUNT(register_flags), info->register_flags
	};
}

/* Puts @separator between two names, and @quote before and after each. */
static void print_bits(struct bits bits, const char *separator,
		       const char *quote)
{
	const char *before = "";
	size_t i;

	for (i = 0; i < bits.count; i++) {
		if (!(bits.mask & (1U << i)))
			continue;
		printf("%s%s%s%s", before, quote, bits.names[i], quote);
		before = separator;
	}
}

static void print_table_bits(const char *label, struct bits bits)
{
	printf("  %-10s  ", label);
	print_bits(bits, " ", "");
	printf("\n");
}

static const char * const coherence_texts[] = {
	[COHERENT_NO] = "no, the CPU's caches are synced for each copy",
	[COHERENT_YES] = "yes",
	[COHERENT_UNKNOWN] = "unknown, as the engine's alignment hides it",
};

static const char * const coherence_values[] = {
	[COHERENT_NO] = "false",
	[COHERENT_YES] = "true",
	[COHERENT_UNKNOWN] = "null",
};

static void print_table_engines(const char *path)
{
	struct engine engines[MAX_ENGINES];
	int count, i;

	count = find_engines(path, engines, MAX_ENGINES);
	for (i = 0; i < count; i++)
		printf("  engine      %s, driver %s, %s%s\n", engines[i].name,
		       *engines[i].driver ? engines[i].driver : "unknown",
		       *engines[i].iommu ? "IOMMU domain " : "no IOMMU",
		       engines[i].iommu);
}

static void print_table_kernel(void)
{
	struct utsname kernel;

	if (!uname(&kernel))
		printf("  kernel      %s %s %s\n", kernel.sysname,
		       kernel.release, kernel.machine);
}

static void print_table(const char *path, const struct dmacpy_get_info *info)
{
	char total[32], free[32], largest[32], bytes[32];

	printf("%s\n", path);
	printf("  name        %s\n", info->name);
	printf("  SRAM        %s, %s free, %s in one piece\n",
	       format_size(total, info->sram_total),
	       format_size(free, info->sram_free),
	       format_size(largest, info->sram_largest));
	printf("  granule     %u bytes\n", info->granule);
	printf("  channels    %u\n", info->channels);
	print_table_engines(path);
	printf("  coherent    %s\n", coherence_texts[find_coherence(info)]);
	printf("  alignment   %u for all copies, %u to the program's memory\n",
	       info->copy_align, info->user_align);
	printf("  job limits  %u operations, %s, %u rows\n", info->max_ops,
	       format_size(bytes, info->max_bytes), info->max_rows);
	printf("  in flight   %u jobs, %u events of a stream\n",
	       info->max_jobs, info->max_events);
	printf("  of a user   %u jobs, %s in them, %u streams, %u handles\n",
	       info->max_user_jobs, format_size(bytes, info->max_user_bytes),
	       info->max_user_streams, info->max_user_handles);
	print_table_bits("operations", opcode_bits(info));
	print_table_bits("submit", submit_bits(info));
	print_table_bits("register", register_bits(info));
	print_table_kernel();
}

static void print_json_string(const char *key, const char *value)
{
	printf("  \"%s\": ", key);
	print_json_text(value);
	printf(",\n");
}

static void print_json_number(const char *key, uint64_t value)
{
	printf("  \"%s\": %" PRIu64 ",\n", key, value);
}

static void print_json_bits(const char *key, struct bits bits)
{
	printf("  \"%s\": [", key);
	print_bits(bits, ", ", "\"");
	printf("]");
}

/* A member without a value is null. */
static void print_json_member(const char *before, const char *value)
{
	printf("%s", before);
	if (*value)
		print_json_text(value);
	else
		printf("null");
}

static void print_json_engines(const char *path)
{
	struct engine engines[MAX_ENGINES];
	int count, i;

	count = find_engines(path, engines, MAX_ENGINES);
	printf("  \"engines\": [");
	for (i = 0; i < count; i++) {
		print_json_member(i ? ", {\"name\": " : "{\"name\": ",
				  engines[i].name);
		print_json_member(", \"driver\": ", engines[i].driver);
		print_json_member(", \"iommu\": ", engines[i].iommu);
		putchar('}');
	}
	printf("],\n");
}

static void print_json_kernel(void)
{
	struct utsname kernel;

	if (uname(&kernel))
		return;
	print_json_string("kernel", kernel.release);
	print_json_string("machine", kernel.machine);
}

void print_info_json(const char *path, const struct dmacpy_get_info *info)
{
	printf("{\n");
	print_json_string("device", path);
	print_json_string("name", (const char *)info->name);
	print_json_number("sram_total", info->sram_total);
	print_json_number("sram_free", info->sram_free);
	print_json_number("sram_largest", info->sram_largest);
	print_json_number("granule", info->granule);
	print_json_number("channels", info->channels);
	print_json_engines(path);
	printf("  \"coherent\": %s,\n", coherence_values[find_coherence(info)]);
	print_json_kernel();
	print_json_number("copy_align", info->copy_align);
	print_json_number("user_align", info->user_align);
	print_json_number("max_ops", info->max_ops);
	print_json_number("max_bytes", info->max_bytes);
	print_json_number("max_rows", info->max_rows);
	print_json_number("max_jobs", info->max_jobs);
	print_json_number("max_events", info->max_events);
	print_json_number("max_user_bytes", info->max_user_bytes);
	print_json_number("max_user_jobs", info->max_user_jobs);
	print_json_number("max_user_streams", info->max_user_streams);
	print_json_number("max_user_handles", info->max_user_handles);
	print_json_bits("opcodes", opcode_bits(info));
	printf(",\n");
	print_json_bits("submit_flags", submit_bits(info));
	printf(",\n");
	print_json_bits("register_flags", register_bits(info));
	printf("\n}");
}

static int show_info(const char *name, bool json)
{
	struct dmacpy_device *device;
	struct dmacpy_get_info info;
	const char *path;
	int ret;

	if (open_device(name, &device))
		return EXIT_FAILURE;

	path = dmacpy_device_path(device);
	ret = dmacpy_device_info(device, &info, sizeof(info));
	if (ret) {
		device_error(path, ret);
	} else if (json) {
		print_info_json(path, &info);
		putchar('\n');
	} else {
		print_table(path, &info);
	}
	dmacpy_device_close(device);

	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}

int cmd_info(const char *device, int argc, char **argv)
{
	static const struct option options[] = {
		{ "device", required_argument, NULL, 'd' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ },
	};
	bool json = false;
	int option;

	while ((option = getopt_long(argc, argv, "d:jh", options,
				     NULL)) != -1) {
		switch (option) {
		case 'd':
			device = optarg;
			break;
		case 'j':
			json = true;
			break;
		case 'h':
			fputs(help, stdout);
			return EXIT_SUCCESS;
		default:
			return usage_error("info", NULL);
		}
	}
	if (optind < argc)
		return usage_error("info", "unexpected argument '%s'",
				   argv[optind]);

	return show_info(device, json);
}
