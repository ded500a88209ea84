// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmacpy fill: fills a file with a repeated pattern by the engine, and verifies
 * it.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "tool.h"

static const char help[] =
	"usage: dmacpy fill [OPTION...] --pattern P --size N FILE\n\n"
	"Have the engine fill memory with a 32-bit pattern, check it, and write it\n"
	"to FILE. FILE appears or changes only when all went well. A FILE that is -\n"
	"is standard output.\n\n"
	"options:\n"
	"  -d, --device DEVICE  this device, not the first: /dev/dmacpy1 or 1\n"
	"  -p, --pattern P      a number of up to 32 bits, e.g. 0x12345678; it is\n"
	"                       stored in the byte order of the CPU\n"
	"  -s, --size N         bytes to fill; N can end with K, M or G\n"
	"  -S, --via-sram       fill SRAM, and copy that to the memory\n"
	"  -h, --help           show this\n";

/**
 * struct file_fill - a file to fill
 * @path: path of the file
 * @device: its name, or NULL for the first device
 * @pattern: value to fill with
 * @size: size of the file
 * @have_pattern: @pattern was given
 * @have_size: @size was given
 * @via_sram: fill @sram first
 * @session: the engine
 * @job: job of the fill
 * @target: buffer that the engine fills, or copies @sram to
 * @sram: buffer that the engine fills first, or NULL
 * @output: the open file
 */
struct file_fill {
	const char *path;
	const char *device;
	uint32_t pattern;
	uint64_t size;
	bool have_pattern;
	bool have_size;
	bool via_sram;

	struct session session;
	struct dmacpy_job *job;
	struct chunk target;
	struct dmacpy_buffer *sram;
	struct output output;
};

static int run_fill(struct file_fill *fill, struct dmacpy_buffer *buffer,
		    uint64_t offset, uint64_t length)
{
	int ret;

	dmacpy_job_reset(fill->job);
	ret = dmacpy_job_add_fill(fill->job, buffer, offset, length,
				  fill->pattern);
	if (ret)
		return ret;

	return dmacpy_job_run(fill->job);
}

/* Fills all of the buffer: its size is a multiple of any alignment. */
static int fill_buffer(struct file_fill *fill, struct dmacpy_buffer *buffer)
{
	uint64_t max = fill->session.info.max_bytes;
	uint64_t size = dmacpy_buffer_size(buffer);
	uint64_t done, length;
	int ret;

	max -= max % fill->session.info.granule;
	for (done = 0; done < size; done += length) {
		length = size - done < max ? size - done : max;
		ret = run_fill(fill, buffer, done, length);
		if (ret)
			return ret;
	}

	return 0;
}

static int fill_target_via_sram(struct file_fill *fill)
{
	uint64_t max = dmacpy_buffer_size(fill->sram);
	uint64_t done, length;
	int ret;

	ret = fill_buffer(fill, fill->sram);
	if (ret)
		return ret;

	for (done = 0; done < CHUNK_SIZE; done += length) {
		length = CHUNK_SIZE - done < max ? CHUNK_SIZE - done : max;
		ret = dmacpy_stream_copy(fill->session.stream,
					 fill->target.buffer, done,
					 fill->sram, 0, length);
		if (ret)
			return ret;
	}

	return 0;
}

/* Inverts, so that a byte that the engine omits cannot be correct by chance. */
static void invert(struct file_fill *fill)
{
	uint32_t *words = fill->target.data;
	size_t i;

	for (i = 0; i < CHUNK_SIZE / sizeof(*words); i++)
		words[i] = ~fill->pattern;
}

static int verify(const struct file_fill *fill)
{
	const uint32_t *words = fill->target.data;
	size_t i;

	for (i = 0; i < CHUNK_SIZE / sizeof(*words); i++) {
		if (words[i] == fill->pattern)
			continue;

		print_error("the fill is wrong: 0x%08x at byte %zu.\n"
			    "Report this, with the output of \"dmacpy info\" and dmesg.",
			    words[i], i * sizeof(*words));
		return -1;
	}

	return 0;
}

static int write_chunks(struct file_fill *fill)
{
	uint64_t done, length;

	for (done = 0; done < fill->size; done += length) {
		length = fill->size - done;
		if (length > CHUNK_SIZE)
			length = CHUNK_SIZE;
		if (output_write(&fill->output, fill->target.data, length))
			return -1;
		if (interrupted()) {
			output_interrupted(&fill->output);
			return -1;
		}
		progress_show(done + length, fill->size);
	}

	return 0;
}

static int prepare(struct file_fill *fill)
{
	int ret;

	if (chunk_new(&fill->target, &fill->session, DMACPY_ACCESS_WRITE))
		return -1;
	if (fill->via_sram && session_alloc(&fill->session, &fill->sram))
		return -1;

	invert(fill);
	ret = dmacpy_job_new(fill->session.stream, &fill->job);
	if (ret) {
		device_error("cannot create a job", ret);
		return ret;
	}

	ret = fill->sram ? fill_target_via_sram(fill) :
			   fill_buffer(fill, fill->target.buffer);
	if (ret)
		refusal_error("the fill failed", fill->job, ret);

	return ret;
}

static int fill_file(struct file_fill *fill)
{
	int ret;

	if (session_open(&fill->session, fill->device))
		return EXIT_FAILURE;

	ret = output_open(&fill->output, fill->path);
	if (ret)
		goto err_session_close;

	ret = prepare(fill);
	if (!ret)
		ret = verify(fill);
	if (!ret)
		ret = write_chunks(fill);
	progress_end();
	if (!ret)
		ret = output_commit(&fill->output);
	if (!ret)
		fprintf(stderr, "%" PRIu64 " bytes filled by DMA%s, verified\n",
			fill->size, fill->via_sram ? " via SRAM" : "");

	dmacpy_job_free(fill->job);
	dmacpy_buffer_free(fill->sram);
	chunk_free(&fill->target);
	output_discard(&fill->output);
err_session_close:
	session_close(&fill->session);

	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int parse_option(struct file_fill *fill, int option)
{
	uint64_t pattern;

	switch (option) {
	case 'd':
		fill->device = optarg;
		return 0;
	case 'p':
		if (parse_number(optarg, UINT32_MAX, &pattern))
			return usage_error("fill", "bad pattern '%s'", optarg);
		fill->pattern = pattern;
		fill->have_pattern = true;
		return 0;
	case 's':
		if (parse_size(optarg, &fill->size))
			return usage_error("fill", "bad size '%s'", optarg);
		fill->have_size = true;
		return 0;
	case 'S':
		fill->via_sram = true;
		return 0;
	default:
		return usage_error("fill", NULL);
	}
}

int cmd_fill(const char *device, int argc, char **argv)
{
	static const struct option options[] = {
		{ "device", required_argument, NULL, 'd' },
		{ "pattern", required_argument, NULL, 'p' },
		{ "size", required_argument, NULL, 's' },
		{ "via-sram", no_argument, NULL, 'S' },
		{ "help", no_argument, NULL, 'h' },
		{ },
	};
	struct file_fill fill = { .device = device };
	int option, ret;

	while ((option = getopt_long(argc, argv, "d:p:s:Sh", options,
				     NULL)) != -1) {
		if (option == 'h') {
			fputs(help, stdout);
			return EXIT_SUCCESS;
		}
		ret = parse_option(&fill, option);
		if (ret)
			return ret;
	}
	if (argc - optind != 1 || !fill.have_pattern || !fill.have_size)
		return usage_error("fill",
				   "--pattern, --size and FILE are needed");

	fill.path = argv[optind];
	catch_signals();

	return fill_file(&fill);
}
