// SPDX-License-Identifier: GPL-2.0-only
/*
 * Filter a picture through on-chip SRAM.
 *
 * The DMA engine copies a tile of the picture with its border in, the CPU
 * filters it there, and the engine copies the result out. Two buffers of SRAM
 * alternate: while the CPU filters in one, the engine copies the last result
 * out of the other and the next tile in. In the end the result is compared with
 * that of the same filter on plain memory.
 *
 * The copies of a step are prepared once, and run for each frame: all frames of
 * a camera have the same tiles.
 *
 * A tile is a rectangle of bytes, not of pixels, so that its rows can have the
 * alignment that the engine needs when it writes to the program's memory.
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <dmacpy.h>

#include "gauss.h"
#include "pnm.h"

#define DEFAULT_SRAM (64U << 10)

/* Each row costs the engine a descriptor: prefer few long ones to many. */
#define MAX_TILE_LENGTH 1024
#define MIN_TILE_ROWS 8

/**
 * struct plane - samples in memory that the engine can access
 * @data: page aligned
 * @stride: bytes from row to row
 * @size: in bytes
 * @buffer: the same for the library
 */
struct plane {
	uint8_t *data;
	size_t stride;
	size_t size;
	struct dmacpy_buffer *buffer;
};

/**
 * struct slot - a buffer of SRAM for one tile
 * @buffer: the SRAM
 * @data: its mapping
 */
struct slot {
	struct dmacpy_buffer *buffer;
	void *data;
};

/**
 * struct tile - a part of the picture, without its border
 * @x: first byte in each row
 * @y: first row
 * @length: bytes of each row
 * @rows: number of rows
 * @slot: SRAM in which it is filtered
 */
struct tile {
	size_t x;
	size_t y;
	size_t length;
	size_t rows;
	struct slot *slot;
};

/**
 * struct report - results and times
 * @bytes_in: bytes copied into SRAM for each frame
 * @bytes_out: bytes copied out of SRAM for each frame
 * @overlaps: tiles that the CPU began to filter while copies were in flight
 * @total: seconds for all frames
 * @copies: seconds of @total for starting copies and waiting for them
 * @filter: seconds of @total in the filter
 * @gained: seconds of @filter in which copies were in flight
 * @reference: seconds for the filter on plain memory
 */
struct report {
	uint64_t bytes_in;
	uint64_t bytes_out;
	size_t overlaps;
	double total;
	double copies;
	double filter;
	double gained;
	double reference;
};

/**
 * struct tilefilter - the whole program
 * @device: device with the engine and the SRAM
 * @stream: the only stream
 * @info: properties of @device
 * @job: the copies of one step, to prepare
 * @copies: prepared copies of each step
 * @frames: number of times that the picture is filtered
 * @filter_start: time when the CPU began to filter in this step, in seconds
 * @filter_end: time when the CPU had filtered
 * @gauss: filter for a tile
 * @pnm: size of the picture
 * @source: the picture with a border of copies of its outermost pixels
 * @target: the result
 * @slots: take turns
 * @sram: bytes of each slot
 * @sram_stride: bytes from row to row in a slot
 * @border: bytes in a row of a tile that only the filter needs
 * @tile_length: bytes of a row of most tiles
 * @tile_rows: rows of most tiles
 * @columns: number of tiles side by side
 * @tiles: all tiles
 * @report: what to print
 */
struct tilefilter {
	struct dmacpy_device *device;
	struct dmacpy_stream *stream;
	struct dmacpy_get_info info;
	struct dmacpy_job *job;
	struct dmacpy_prepared **copies;
	size_t frames;
	double filter_start;
	double filter_end;
	struct gauss *gauss;
	struct pnm pnm;
	struct plane source;
	struct plane target;
	struct slot slots[2];
	size_t sram;
	size_t sram_stride;
	size_t border;
	size_t tile_length;
	size_t tile_rows;
	size_t columns;
	size_t tiles;
	struct report report;
};

static int error(const char *what, int ret)
{
	fprintf(stderr, "tilefilter: %s: %s\n", what, strerror(-ret));
	if (ret == -EDQUOT)
		fputs("Raise the limit: ulimit -l for memory; of the module,\n"
		      "sram_quota_kib for SRAM, max_user_streams for streams,\n"
		      "max_user_handles for copies.\n", stderr);
	else if (ret == -ENOSPC)
		fputs("See \"dmacpy info\" for what is free, and --sram.\n",
		      stderr);
	else
		fputs("See \"dmacpy info\" and dmesg.\n", stderr);

	return ret;
}

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);

	return now.tv_sec + now.tv_nsec / 1e9;
}

static size_t round_up(size_t value, size_t multiple)
{
	return (value + multiple - 1) / multiple * multiple;
}

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

static struct tile tile_at(struct tilefilter *tf, size_t index)
{
	size_t x = index % tf->columns * tf->tile_length;
	size_t y = index / tf->columns * tf->tile_rows;

	return (struct tile){
		.x = x,
		.y = y,
		.length = min(tf->tile_length, tf->target.stride - x),
		.rows = min(tf->tile_rows, tf->pnm.height - y),
		.slot = &tf->slots[index % 2],
	};
}

static int add_fetch(struct tilefilter *tf, size_t index)
{
	struct tile tile = tile_at(tf, index);
	struct dmacpy_plane dst = {
		.buffer = tile.slot->buffer,
		.stride = tf->sram_stride,
	};
	struct dmacpy_plane src = {
		.buffer = tf->source.buffer,
		.offset = tile.y * tf->source.stride + tile.x,
		.stride = tf->source.stride,
	};
	size_t length = tile.length + tf->border;
	size_t rows = tile.rows + 2 * GAUSS_BORDER;

	tf->report.bytes_in += length * rows;

	return dmacpy_job_add_copy_2d(tf->job, &dst, &src, length, rows);
}

static int add_store(struct tilefilter *tf, size_t index)
{
	struct tile tile = tile_at(tf, index);
	struct dmacpy_plane dst = {
		.buffer = tf->target.buffer,
		.offset = tile.y * tf->target.stride + tile.x,
		.stride = tf->target.stride,
	};
	struct dmacpy_plane src = {
		.buffer = tile.slot->buffer,
		.stride = tf->sram_stride,
	};

	tf->report.bytes_out += tile.length * tile.rows;

	return dmacpy_job_add_copy_2d(tf->job, &dst, &src, tile.length,
				      tile.rows);
}

static int filter_tile(struct tilefilter *tf, size_t index)
{
	struct tile tile = tile_at(tf, index);
	struct gauss_source source = {
		.data = tile.slot->data,
		.stride = tf->sram_stride,
		.channels = tf->pnm.channels,
	};
	int ret;

	tf->filter_start = seconds_now();
	ret = dmacpy_buffer_begin_access(tile.slot->buffer,
					 DMACPY_ACCESS_READ |
					 DMACPY_ACCESS_WRITE);
	if (ret)
		return ret;

	gauss_filter(tf->gauss, tile.slot->data, tf->sram_stride, &source,
		     tile.length, tile.rows);

	ret = dmacpy_buffer_end_access(tile.slot->buffer,
				       DMACPY_ACCESS_READ |
				       DMACPY_ACCESS_WRITE);
	tf->filter_end = seconds_now();
	tf->report.filter += tf->filter_end - tf->filter_start;

	return ret;
}

static int prepare_copies(struct tilefilter *tf, size_t step)
{
	int ret = 0;

	dmacpy_job_reset(tf->job);
	if (step >= 2)
		ret = add_store(tf, step - 2);
	if (!ret && step < tf->tiles)
		ret = add_fetch(tf, step);

	return ret ? ret : dmacpy_job_prepare(tf->job, &tf->copies[step]);
}

/* @fence: set to the fence of the copies, or -1 if the step has none */
static int start_copies(struct tilefilter *tf, size_t step, int *fence)
{
	struct dmacpy_run how = {
		.size = sizeof(how),
		.flags = DMACPY_SUBMIT_OUT_FENCE | DMACPY_SUBMIT_EVENT,
	};
	double start = seconds_now();
	int ret = 0;

	*fence = -1;
	if (step < 2 && step >= tf->tiles)
		return 0;

	if (!tf->copies[step])
		ret = prepare_copies(tf, step);
	if (!ret)
		ret = dmacpy_prepared_submit(tf->copies[step], 0, &how);
	if (!ret)
		*fence = how.out_fence;
	tf->report.copies += seconds_now() - start;

	return ret;
}

static void count_gain(struct tilefilter *tf, const struct dmacpy_event *event)
{
	double end = event->timestamp / 1e9;

	if (end > tf->filter_end)
		end = tf->filter_end;
	if (end > tf->filter_start)
		tf->report.gained += end - tf->filter_start;
}

static int finish_copies(struct tilefilter *tf, int fence)
{
	double start = seconds_now();
	struct dmacpy_event event;
	int ret;

	if (fence < 0)
		return 0;

	close(fence);
	ret = dmacpy_stream_read_events(tf->stream, &event, 1);
	tf->report.copies += seconds_now() - start;
	if (ret < 0)
		return ret;

	count_gain(tf, &event);

	return event.result;
}

/*
 * The engine copies the result of tile @step - 2 out of its slot, and tile
 * @step into it, while the CPU filters tile @step - 1 in the other slot.
 */
static int do_step(struct tilefilter *tf, size_t step)
{
	int fence, finished, ret;

	ret = start_copies(tf, step, &fence);
	if (ret)
		return ret;

	tf->filter_start = 0;
	tf->filter_end = 0;
	if (step >= 1 && step <= tf->tiles) {
		if (dmacpy_fence_wait(fence, 0) == -ETIME)
			tf->report.overlaps++;
		ret = filter_tile(tf, step - 1);
	}
	finished = finish_copies(tf, fence);

	return ret ? ret : finished;
}

static int filter_by_tiles(struct tilefilter *tf)
{
	double start = seconds_now();
	size_t frame, step;
	int ret;

	for (frame = 0; frame < tf->frames; frame++)
		for (step = 0; step < tf->tiles + 2; step++) {
			ret = do_step(tf, step);
			if (ret)
				return error("cannot filter a tile", ret);
		}
	tf->report.total = seconds_now() - start;

	return 0;
}

/* Return 0 when the result is the same as that on plain memory. */
static int compare(struct tilefilter *tf)
{
	struct gauss_source source = {
		.data = tf->source.data,
		.stride = tf->source.stride,
		.channels = tf->pnm.channels,
	};
	size_t stride = tf->target.stride;
	size_t size = stride * tf->pnm.height;
	uint8_t *reference = malloc(size);
	struct gauss *gauss;
	int ret = -ENOMEM;
	double start;

	gauss = gauss_new(stride, tf->pnm.channels);
	if (!reference || !gauss) {
		error("cannot check the result", ret);
		goto out_free;
	}

	start = seconds_now();
	gauss_filter(gauss, reference, stride, &source, stride,
		     tf->pnm.height);
	tf->report.reference = seconds_now() - start;

	ret = memcmp(reference, tf->target.data, size) ? -EIO : 0;
out_free:
	gauss_free(gauss);
	free(reference);

	return ret;
}

static int plane_alloc(struct tilefilter *tf, struct plane *plane,
		       size_t stride, size_t rows, uint32_t access)
{
	void *data;
	int ret;

	plane->stride = stride;
	plane->size = stride * rows;
	data = mmap(NULL, plane->size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED)
		return error("cannot allocate memory", -errno);

	plane->data = data;
	ret = dmacpy_buffer_register(tf->stream, data, plane->size, access,
				     &plane->buffer);

	return ret ? error("cannot register memory", ret) : 0;
}

static void plane_free(struct plane *plane)
{
	dmacpy_buffer_free(plane->buffer);
	if (plane->data)
		munmap(plane->data, plane->size);
}

static int planes_alloc(struct tilefilter *tf)
{
	size_t length = round_up((size_t)tf->pnm.width * tf->pnm.channels,
				 tf->info.user_align);
	int ret;

	tf->border = round_up(2 * GAUSS_BORDER * tf->pnm.channels,
			      tf->info.copy_align);

	ret = plane_alloc(tf, &tf->source, length + tf->border,
			  tf->pnm.height + 2 * GAUSS_BORDER,
			  DMACPY_ACCESS_READ);
	if (ret)
		return ret;

	return plane_alloc(tf, &tf->target, length, tf->pnm.height,
			   DMACPY_ACCESS_WRITE);
}

/* Repeat the outermost pixels over the border of a row. */
static void extend_row(uint8_t *row, const struct pnm *pnm)
{
	size_t border = GAUSS_BORDER * pnm->channels;
	size_t length = (size_t)pnm->width * pnm->channels;
	size_t i;

	for (i = border; i-- > 0;)
		row[i] = row[i + pnm->channels];
	for (i = border + length; i < border + length + border; i++)
		row[i] = row[i - pnm->channels];
}

static int read_rows(struct tilefilter *tf, FILE *file)
{
	size_t length = (size_t)tf->pnm.width * tf->pnm.channels;
	size_t border = GAUSS_BORDER * tf->pnm.channels;
	size_t stride = tf->source.stride;
	uint8_t *first = tf->source.data + GAUSS_BORDER * stride;
	uint8_t *row = first;
	size_t y;

	for (y = 0; y < tf->pnm.height; y++, row += stride) {
		if (fread(row + border, 1, length, file) != length) {
			fputs("tilefilter: the picture is cut off\n", stderr);
			return -EINVAL;
		}
		extend_row(row, &tf->pnm);
	}

	for (y = 1; y <= GAUSS_BORDER; y++) {
		memcpy(first - y * stride, first, stride);
		memcpy(row + (y - 1) * stride, row - stride, stride);
	}

	return 0;
}

static int read_picture(struct tilefilter *tf, const char *path)
{
	FILE *file;
	int ret;

	file = fopen(path, "re");
	if (!file) {
		ret = -errno;
		fprintf(stderr, "tilefilter: %s: %s\n", path, strerror(-ret));
		return ret;
	}

	ret = pnm_read_header(file, &tf->pnm);
	if (ret)
		fprintf(stderr,
			"tilefilter: %s is no binary PGM or PPM of 8 bits\n",
			path);
	if (!ret)
		ret = planes_alloc(tf);
	if (!ret)
		ret = read_rows(tf, file);
	fclose(file);

	return ret;
}

static int choose_tiles(struct tilefilter *tf)
{
	size_t align = tf->info.user_align;
	size_t length = min(tf->target.stride,
			    round_up(MAX_TILE_LENGTH, align));
	size_t rows;

	while (length > align &&
	       tf->sram / (length + tf->border) <
	       MIN_TILE_ROWS + 2 * GAUSS_BORDER)
		length = round_up(length / 2, align);

	/* One step moves the rows of two tiles. */
	tf->sram_stride = length + tf->border;
	rows = min(tf->sram, tf->info.max_bytes / 2) / tf->sram_stride;
	rows = min(rows, tf->info.max_rows / 2);
	if (rows <= 2 * GAUSS_BORDER)
		return error("no tile fits into the SRAM", -ENOSPC);

	tf->tile_length = length;
	tf->tile_rows = rows - 2 * GAUSS_BORDER;
	tf->columns = (tf->target.stride + length - 1) / length;
	tf->tiles = tf->columns *
		    ((tf->pnm.height + tf->tile_rows - 1) / tf->tile_rows);

	return 0;
}

static int slot_alloc(struct tilefilter *tf, struct slot *slot)
{
	int ret;

	ret = dmacpy_buffer_alloc(tf->stream, tf->sram, &slot->buffer);
	if (ret)
		return error("cannot allocate SRAM", ret);

	ret = dmacpy_buffer_map(slot->buffer, &slot->data);

	return ret ? error("cannot map SRAM", ret) : 0;
}

static int prepare(struct tilefilter *tf)
{
	int ret;

	if (!tf->sram)
		tf->sram = min(tf->info.sram_largest / 2, DEFAULT_SRAM);
	tf->sram -= tf->sram % tf->info.granule;

	ret = choose_tiles(tf);
	if (!ret)
		ret = slot_alloc(tf, &tf->slots[0]);
	if (!ret)
		ret = slot_alloc(tf, &tf->slots[1]);
	if (ret)
		return ret;

	tf->gauss = gauss_new(tf->tile_length, tf->pnm.channels);
	tf->copies = calloc(tf->tiles + 2, sizeof(*tf->copies));
	if (!tf->gauss || !tf->copies || dmacpy_job_new(tf->stream, &tf->job))
		return error("no memory for the filter", -ENOMEM);

	return 0;
}

static int open_device(struct tilefilter *tf, const char *path)
{
	int ret;

	ret = dmacpy_device_open(path, &tf->device);
	if (!ret)
		ret = dmacpy_device_info(tf->device, &tf->info,
					 sizeof(tf->info));
	if (!ret)
		ret = dmacpy_stream_open(tf->device, &tf->stream);

	return ret ? error(path ? path : "/dev/dmacpy*", ret) : 0;
}

static void close_all(struct tilefilter *tf)
{
	size_t step;

	for (step = 0; tf->copies && step < tf->tiles + 2; step++)
		dmacpy_prepared_free(tf->copies[step]);
	free(tf->copies);
	dmacpy_job_free(tf->job);
	gauss_free(tf->gauss);
	dmacpy_buffer_free(tf->slots[0].buffer);
	dmacpy_buffer_free(tf->slots[1].buffer);
	plane_free(&tf->target);
	plane_free(&tf->source);
	dmacpy_stream_close(tf->stream);
	dmacpy_device_close(tf->device);
}

static void print_report(const struct tilefilter *tf, bool exact)
{
	const struct report *report = &tf->report;

	printf("picture: %ux%u\n", tf->pnm.width, tf->pnm.height);
	printf("channels: %u\n", tf->pnm.channels);
	printf("device: %s\n", tf->info.name);
	printf("sram-bytes: %zu\n", 2 * tf->sram);
	printf("tile-bytes: %zu\n", tf->tile_length * tf->tile_rows);
	printf("tiles: %zu\n", tf->tiles);
	printf("frames: %zu\n", tf->frames);
	printf("dma-bytes-in: %llu\n",
	       (unsigned long long)(tf->frames * report->bytes_in));
	printf("dma-bytes-out: %llu\n",
	       (unsigned long long)(tf->frames * report->bytes_out));
	printf("copies-in-flight-while-computing: %zu\n", report->overlaps);
	printf("time-total-ms: %.3f\n", 1e3 * report->total);
	printf("time-copies-ms: %.3f\n", 1e3 * report->copies);
	printf("time-filter-ms: %.3f\n", 1e3 * report->filter);
	printf("time-gained-ms: %.3f\n", 1e3 * report->gained);
	printf("time-reference-ms: %.3f\n", 1e3 * report->reference);
	printf("bit-exact: %s\n", exact ? "yes" : "no");
}

static int run(struct tilefilter *tf, const char *from, const char *to)
{
	int ret;

	ret = read_picture(tf, from);
	if (!ret)
		ret = prepare(tf);
	if (!ret)
		ret = filter_by_tiles(tf);
	if (ret)
		return ret;

	ret = compare(tf);
	print_report(tf, !ret);

	if (pnm_write(to, &tf->pnm, tf->target.data, tf->target.stride)) {
		ret = -errno;
		fprintf(stderr, "tilefilter: %s: %s\n", to, strerror(-ret));
	}

	return ret;
}

static int usage(FILE *file, int code)
{
	fputs("Usage: tilefilter [-d DEVICE] [-f N] [-s BYTES] FROM TO\n\n"
	      "Filter a picture (binary PGM or PPM) by tiles in on-chip SRAM.\n\n"
	      "  -d, --device DEVICE  instead of the first /dev/dmacpy*\n"
	      "  -f, --frames N       filter it so often, by the same copies\n"
	      "  -s, --sram BYTES     size of each of the two buffers of SRAM,\n"
	      "                       rounded down to whole pages\n"
	      "  -h, --help           show this\n",
	      file);

	return code;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "device", required_argument, NULL, 'd' },
		{ "frames", required_argument, NULL, 'f' },
		{ "sram", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ },
	};
	struct tilefilter tf = { .frames = 1 };
	const char *device = NULL;
	int option, ret;
	char *end;

	while ((option = getopt_long(argc, argv, "d:f:s:h", options,
				     NULL)) != -1) {
		switch (option) {
		case 'd':
			device = optarg;
			break;
		case 'f':
			tf.frames = strtoul(optarg, &end, 0);
			if (*end || !tf.frames)
				return usage(stderr, 2);
			break;
		case 's':
			tf.sram = strtoul(optarg, &end, 0);
			if (*end || !tf.sram)
				return usage(stderr, 2);
			break;
		case 'h':
			return usage(stdout, EXIT_SUCCESS);
		default:
			return usage(stderr, 2);
		}
	}
	if (argc - optind != 2)
		return usage(stderr, 2);

	ret = open_device(&tf, device);
	if (!ret)
		ret = run(&tf, argv[optind], argv[optind + 1]);
	close_all(&tf);

	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
