// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmacpy copy: copies a file through the engine, chunk by chunk, and verifies
 * it.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/fs.h>

#include "tool.h"

static const char help[] =
	"usage: dmacpy copy [OPTION...] FILE1 FILE2\n\n"
	"Read FILE1 into memory, have the engine copy it to other memory, compare\n"
	"the two, and write FILE2. FILE2 appears or changes only when all went well.\n"
	"A file that is - is standard input or output.\n\n"
	"options:\n"
	"  -d, --device DEVICE  this device, not the first: /dev/dmacpy1 or 1\n"
	"  -o, --offset N       begin N bytes into FILE1\n"
	"  -s, --size N         copy N bytes, not all up to the end\n"
	"  -S, --via-sram       copy into the SRAM and out of it again\n"
	"  -h, --help           show this\n"
	"N can end with K, M or G.\n";

/**
 * struct file_copy - a copy of a file
 * @from: path of FILE1, or its name in messages
 * @to: path of FILE2
 * @device: its name, or NULL for the first device
 * @offset: start offset in @from
 * @size: bytes to copy, UINT64_MAX for all up to the end
 * @via_sram: copy through @sram
 * @fd: file descriptor of @from
 * @total: bytes that will be copied, as far as is known, or 0
 * @session: the engine
 * @source: data that was read from @from
 * @target: data that the engine has copied
 * @sram: buffer between the two copies, or NULL
 * @output: the open @to
 * @done: bytes copied so far
 * @seconds: time spent in copies
 */
struct file_copy {
	const char *from;
	const char *to;
	const char *device;
	uint64_t offset;
	uint64_t size;
	bool via_sram;

	int fd;
	uint64_t total;
	struct session session;
	struct chunk source;
	struct chunk target;
	struct dmacpy_buffer *sram;
	struct output output;
	uint64_t done;
	double seconds;
};

static ssize_t read_chunk(struct file_copy *copy)
{
	uint64_t left = copy->size - copy->done;
	size_t want = left < CHUNK_SIZE ? left : CHUNK_SIZE;
	size_t have = 0;
	ssize_t count;

	while (have < want) {
		count = read(copy->fd, (char *)copy->source.data + have,
			     want - have);
		if (count < 0 && errno == EINTR && interrupted()) {
			output_interrupted(&copy->output);
			return -1;
		}
		if (count < 0) {
			file_error(copy->from, -errno);
			return -1;
		}
		if (!count)
			break;
		have += count;
	}

	return have;
}

static int transfer_via_sram(struct file_copy *copy, size_t length)
{
	size_t max = dmacpy_buffer_size(copy->sram);
	size_t done, piece;
	int ret;

	for (done = 0; done < length; done += piece) {
		piece = length - done < max ? length - done : max;
		ret = dmacpy_stream_copy(copy->session.stream, copy->sram, 0,
					 copy->source.buffer, done, piece);
		if (ret)
			return ret;

		ret = dmacpy_stream_copy(copy->session.stream,
					 copy->target.buffer, done,
					 copy->sram, 0, piece);
		if (ret)
			return ret;
	}

	return 0;
}

/* Some engines copy only whole units, which the chunks have room for. */
static int transfer(struct file_copy *copy, size_t length)
{
	size_t unit = copy->session.info.user_align;
	double start = seconds_now();
	int ret;

	length = (length + unit - 1) / unit * unit;
	if (copy->sram)
		ret = transfer_via_sram(copy, length);
	else
		ret = dmacpy_stream_copy(copy->session.stream,
					 copy->target.buffer, 0,
					 copy->source.buffer, 0, length);
	copy->seconds += seconds_now() - start;
	if (ret)
		device_error("the copy failed", ret);

	return ret;
}

/* Inverts, so that a byte that the engine omits cannot be correct by chance. */
static void invert(uint8_t *to, const uint8_t *from, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++)
		to[i] = ~from[i];
}

static int verify(const struct file_copy *copy, size_t length)
{
	const uint8_t *source = copy->source.data;
	const uint8_t *target = copy->target.data;
	size_t i = 0;

	if (!memcmp(source, target, length))
		return 0;

	while (source[i] == target[i])
		i++;
	print_error("the copy is wrong: byte %" PRIu64
		    " should be 0x%02x, but is 0x%02x.\n"
		    "Report this, with the output of \"dmacpy info\" and dmesg.",
		    copy->done + i, source[i], target[i]);
	return -1;
}

static int copy_chunk(struct file_copy *copy, size_t length)
{
	invert(copy->target.data, copy->source.data, length);

	if (transfer(copy, length) || verify(copy, length) ||
	    output_write(&copy->output, copy->target.data, length))
		return -1;

	copy->done += length;
	progress_show(copy->done,
		      copy->done > copy->total ? 0 : copy->total);
	return 0;
}

static int offset_error(const struct file_copy *copy)
{
	print_error("%s ends before --offset: give a smaller one", copy->from);
	return -1;
}

static int copy_chunks(struct file_copy *copy)
{
	ssize_t length;

	while (copy->done < copy->size) {
		length = read_chunk(copy);
		if (length < 0)
			return -1;
		if (!length)
			break;
		if (copy_chunk(copy, length))
			return -1;
		if (interrupted()) {
			output_interrupted(&copy->output);
			return -1;
		}
	}

	if (!copy->done && copy->offset &&
	    !pread(copy->fd, copy->source.data, 1, copy->offset - 1))
		return offset_error(copy);
	if (copy->size != UINT64_MAX && copy->done < copy->size) {
		print_error("%s ends after %" PRIu64
			    " bytes: give a smaller --size",
			    copy->from, copy->done);
		return -1;
	}

	return 0;
}

/*
 * Only for the progress bar: a file of /proc or sysfs has another length than
 * it claims, and one that is written to grows.
 */
static uint64_t find_end(int fd)
{
	struct stat status;
	uint64_t end;

	if (fstat(fd, &status) < 0)
		return 0;
	if (S_ISBLK(status.st_mode) && !ioctl(fd, BLKGETSIZE64, &end))
		return end;

	return S_ISREG(status.st_mode) ? status.st_size : 0;
}

static void find_total(struct file_copy *copy)
{
	off_t position = lseek(copy->fd, 0, SEEK_CUR);
	uint64_t end = find_end(copy->fd);

	if (copy->size != UINT64_MAX)
		copy->total = copy->size;
	else if (position >= 0 && (uint64_t)position < end)
		copy->total = end - position;
}

static int open_source(struct file_copy *copy)
{
	if (!strcmp(copy->from, "-")) {
		copy->from = "standard input";
		copy->fd = STDIN_FILENO;
	} else {
		copy->fd = open(copy->from, O_RDONLY | O_CLOEXEC);
	}
	if (copy->fd < 0) {
		file_error(copy->from, -errno);
		return -1;
	}

	/* Without --offset, standard input stays where others have left it. */
	if (copy->offset && lseek(copy->fd, copy->offset, SEEK_SET) < 0) {
		/* A disk is shorter. */
		if (errno == EINVAL)
			return offset_error(copy);
		file_error(copy->from, -errno);
		return -1;
	}
	find_total(copy);

	return 0;
}

static int open_buffers(struct file_copy *copy)
{
	if (chunk_new(&copy->source, &copy->session, DMACPY_ACCESS_READ) ||
	    chunk_new(&copy->target, &copy->session, DMACPY_ACCESS_WRITE))
		return -1;

	return copy->via_sram ? session_alloc(&copy->session, &copy->sram) : 0;
}

/*
 * Without --size such a file grows as long as it is copied, if standard output
 * appends.
 */
static int check_destination(const struct file_copy *copy)
{
	struct stat from, to;

	if (copy->size != UINT64_MAX || fstat(copy->fd, &from) ||
	    fstat(copy->output.fd, &to) || !S_ISREG(from.st_mode) ||
	    from.st_dev != to.st_dev || from.st_ino != to.st_ino)
		return 0;

	print_error("%s is its own destination: give another file", copy->from);
	return -1;
}

static int copy_in_session(struct file_copy *copy)
{
	int ret;

	ret = output_open(&copy->output, copy->to);
	if (ret)
		return ret;

	ret = check_destination(copy);
	if (!ret)
		ret = open_buffers(copy);
	if (!ret)
		ret = copy_chunks(copy);
	progress_end();
	if (!ret)
		ret = output_commit(&copy->output);

	dmacpy_buffer_free(copy->sram);
	chunk_free(&copy->target);
	chunk_free(&copy->source);
	output_discard(&copy->output);
	return ret;
}

static int copy_file(struct file_copy *copy)
{
	int ret = -1;

	if (open_source(copy))
		goto out;
	if (session_open(&copy->session, copy->device))
		goto out;

	ret = copy_in_session(copy);
	session_close(&copy->session);
	if (!ret)
		fprintf(stderr,
			"%" PRIu64 " bytes copied by DMA%s, %.3f s, verified\n",
			copy->done, copy->via_sram ? " via SRAM" : "",
			copy->seconds);
out:
	if (copy->fd >= 0)
		close(copy->fd);

	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int parse_option(struct file_copy *copy, int option)
{
	switch (option) {
	case 'd':
		copy->device = optarg;
		return 0;
	case 'o':
		if (!parse_size(optarg, &copy->offset))
			return 0;
		return usage_error("copy", "bad offset '%s'", optarg);
	case 's':
		if (!parse_size(optarg, &copy->size))
			return 0;
		return usage_error("copy", "bad size '%s'", optarg);
	case 'S':
		copy->via_sram = true;
		return 0;
	default:
		return usage_error("copy", NULL);
	}
}

int cmd_copy(const char *device, int argc, char **argv)
{
	static const struct option options[] = {
		{ "device", required_argument, NULL, 'd' },
		{ "offset", required_argument, NULL, 'o' },
		{ "size", required_argument, NULL, 's' },
		{ "via-sram", no_argument, NULL, 'S' },
		{ "help", no_argument, NULL, 'h' },
		{ },
	};
	struct file_copy copy = {
		.device = device,
		.size = UINT64_MAX,
		.fd = -1,
	};
	int option, ret;

	while ((option = getopt_long(argc, argv, "d:o:s:Sh", options,
				     NULL)) != -1) {
		if (option == 'h') {
			fputs(help, stdout);
			return EXIT_SUCCESS;
		}
		ret = parse_option(&copy, option);
		if (ret)
			return ret;
	}
	if (argc - optind != 2)
		return usage_error("copy", "FILE1 and FILE2 are needed");

	copy.from = argv[optind];
	copy.to = argv[optind + 1];
	catch_signals();

	return copy_file(&copy);
}
