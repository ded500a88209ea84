// SPDX-License-Identifier: GPL-2.0-only
/*
 * directload FILE LENGTH: load the start of a file or a disk into on-chip SRAM
 * past the page cache, and write the contents of the SRAM to standard output.
 *
 * O_DIRECT, like fixed buffers of io_uring and V4L2_MEMORY_USERPTR, needs
 * memory with pages, which a mapping of SRAM does not have. So the disk writes
 * to two blocks of registered memory in turn, and the DMA engine copies one
 * into SRAM while the disk fills the other.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <dmacpy.h>

/* A multiple of the pages of any machine, and of the blocks of any disk. */
#define BLOCK	(64 * 1024)

struct loader {
	struct dmacpy_stream *stream;
	struct dmacpy_buffer *sram;
	struct dmacpy_buffer *memory;
	char *blocks;
	uint64_t align;
	int file;
};

static void check(const char *what, int ret)
{
	if (ret >= 0)
		return;

	fprintf(stderr, "directload: %s: %s\n", what, strerror(-ret));
	exit(EXIT_FAILURE);
}

static void start_copy(struct loader *loader, struct dmacpy_job *job,
		       uint64_t at, uint64_t length)
{
	struct dmacpy_submit how = {
		.size = sizeof(how),
		.flags = DMACPY_SUBMIT_EVENT,
	};

	dmacpy_job_reset(job);
	check("copy", dmacpy_job_add_copy(job, loader->sram, at,
					  loader->memory, at % (2 * BLOCK),
					  length));
	check("copy", dmacpy_job_submit(job, &how));
}

static void wait_for_copy(struct loader *loader)
{
	struct dmacpy_event event;

	check("wait", dmacpy_stream_read_events(loader->stream, &event, 1));
	check("copy", event.result);
}

/* Reads a whole block, as disks require; at the end of a file it is shorter. */
static void read_block(struct loader *loader, uint64_t at, uint64_t length)
{
	ssize_t got = pread(loader->file, loader->blocks + at % (2 * BLOCK),
			    BLOCK, at);

	check("read", got < 0 ? -errno : got < (ssize_t)length ? -ENODATA : 0);
}

static void load(struct loader *loader, uint64_t size)
{
	struct dmacpy_job *job;
	uint64_t at, length;

	check("make job", dmacpy_job_new(loader->stream, &job));
	for (at = 0; at < size; at += BLOCK) {
		/* Jobs complete in order: this was the block's last one. */
		if (at >= 2 * BLOCK)
			wait_for_copy(loader);
		length = size - at < BLOCK ? size - at : BLOCK;
		read_block(loader, at, length);
		/* There is room for that: SRAM is allocated in whole pages. */
		length = (length + loader->align - 1) / loader->align *
			 loader->align;
		start_copy(loader, job, at, length);
	}
	wait_for_copy(loader);
	if (size > BLOCK)
		wait_for_copy(loader);
	dmacpy_job_free(job);
}

/* Prints the data from SRAM; another program would process it there. */
static void print(struct loader *loader, uint64_t size)
{
	void *data;

	check("map SRAM", dmacpy_buffer_map(loader->sram, &data));
	check("begin access",
	      dmacpy_buffer_begin_access(loader->sram, DMACPY_ACCESS_READ));
	if (fwrite(data, 1, size, stdout) != size || fflush(stdout))
		check("write", -errno);
	check("end access",
	      dmacpy_buffer_end_access(loader->sram, DMACPY_ACCESS_READ));
}

int main(int argc, char **argv)
{
	struct dmacpy_get_info info;
	struct dmacpy_device *device;
	struct loader loader;
	uint64_t size;
	char *end;

	size = argc == 3 ? strtoull(argv[2], &end, 0) : 0;
	if (!size || *end) {
		fputs("usage: directload FILE LENGTH\n", stderr);
		return 2;
	}
	loader.file = open(argv[1], O_RDONLY | O_DIRECT | O_CLOEXEC);
	check(argv[1], loader.file < 0 ? -errno : 0);
	loader.blocks = mmap(NULL, 2 * BLOCK, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (loader.blocks == MAP_FAILED)
		check("allocate memory", -errno);

	check("open device", dmacpy_device_open(NULL, &device));
	check("ask device", dmacpy_device_info(device, &info,
					       sizeof(info)));
	loader.align = info.copy_align;
	check("open stream", dmacpy_stream_open(device, &loader.stream));
	check("allocate SRAM",
	      dmacpy_buffer_alloc(loader.stream, size, &loader.sram));
	check("register memory",
	      dmacpy_buffer_register(loader.stream, loader.blocks, 2 * BLOCK,
				     DMACPY_ACCESS_READ, &loader.memory));
	load(&loader, size);
	print(&loader, size);

	dmacpy_buffer_free(loader.memory);
	dmacpy_buffer_free(loader.sram);
	dmacpy_stream_close(loader.stream);
	dmacpy_device_close(device);
	return EXIT_SUCCESS;
}
