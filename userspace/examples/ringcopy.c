// SPDX-License-Identifier: GPL-2.0-only
/*
 * ringcopy FILE: load the start of a file into on-chip SRAM by one system call:
 * io_uring reads it block by block into a fixed buffer, and has the DMA engine
 * copy each block as soon as it was read. Then write the contents of the SRAM
 * to standard output.
 */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <dmacpy.h>

#define BLOCK	4096
#define BLOCKS	16

/*
 * In pages of its own: Linux 6.1 refuses a fixed buffer that begins in the page
 * where the program's initialized data ends.
 */
static uint8_t memory[BLOCKS * BLOCK]
	__attribute__((aligned(BLOCKS * BLOCK)));

static void check(const char *what, int ret)
{
	if (ret >= 0)
		return;

	fprintf(stderr, "ringcopy: %s: %s\n", what, strerror(-ret));
	exit(EXIT_FAILURE);
}

static size_t block_length(size_t length, unsigned int block)
{
	return length - block * BLOCK < BLOCK ? length - block * BLOCK : BLOCK;
}

/* The copy is started if the whole block was read, and cancelled otherwise. */
static void queue_block(struct io_uring *ring, int file, int stream,
			struct dmacpy_job *job, unsigned int block,
			size_t length)
{
	struct io_uring_sqe *read = io_uring_get_sqe(ring);
	struct io_uring_sqe *copy = io_uring_get_sqe(ring);
	struct dmacpy_submit submit = { .size = sizeof(submit) };

	io_uring_prep_read_fixed(read, file, memory + block * BLOCK, length,
				 block * BLOCK, 0);
	read->flags |= IOSQE_IO_LINK;

	dmacpy_job_describe(job, &submit);
	io_uring_prep_rw(IORING_OP_URING_CMD, copy, stream, NULL, 0, 0);
	copy->cmd_op = DMACPY_SUBMIT;
	*(struct dmacpy_submit *)copy->cmd = submit;
}

static void wait_for_all(struct io_uring *ring, unsigned int count)
{
	struct io_uring_cqe *cqe;

	check("submit", io_uring_submit_and_wait(ring, count));
	while (count--) {
		check("wait", io_uring_wait_cqe(ring, &cqe));
		check("read or copy", cqe->res);
		io_uring_cqe_seen(ring, cqe);
	}
}

static void copy_file(struct dmacpy_stream *stream, struct dmacpy_buffer *sram,
		      int file, size_t length)
{
	unsigned int block, blocks = (length + BLOCK - 1) / BLOCK;
	const struct iovec fixed = { memory, sizeof(memory) };
	struct dmacpy_job *jobs[BLOCKS];
	struct dmacpy_buffer *source;
	struct io_uring ring;
	size_t part;

	check("make ring", io_uring_queue_init(2 * BLOCKS, &ring,
					       IORING_SETUP_SQE128));
	check("register fixed buffer",
	      io_uring_register_buffers(&ring, &fixed, 1));
	check("register memory",
	      dmacpy_buffer_register(stream, memory, sizeof(memory),
				     DMACPY_ACCESS_READ, &source));
	for (block = 0; block < blocks; block++) {
		part = block_length(length, block);
		check("make job", dmacpy_job_new(stream, &jobs[block]));
		/* The whole block, as some engines copy only whole words. */
		check("add copy",
		      dmacpy_job_add_copy(jobs[block], sram, block * BLOCK,
					  source, block * BLOCK, BLOCK));
		queue_block(&ring, file, dmacpy_stream_fd(stream), jobs[block],
			    block, part);
	}
	wait_for_all(&ring, 2 * blocks);
	for (block = 0; block < blocks; block++)
		dmacpy_job_free(jobs[block]);
	dmacpy_buffer_free(source);
	io_uring_queue_exit(&ring);
}

static void show(struct dmacpy_buffer *sram, size_t length)
{
	void *data;

	check("map SRAM", dmacpy_buffer_map(sram, &data));
	check("begin access",
	      dmacpy_buffer_begin_access(sram, DMACPY_ACCESS_READ));
	if (fwrite(data, 1, length, stdout) != length || fflush(stdout))
		check("write", -errno);
	check("end access", dmacpy_buffer_end_access(sram, DMACPY_ACCESS_READ));
}

int main(int argc, char **argv)
{
	struct dmacpy_device *device;
	struct dmacpy_stream *stream;
	struct dmacpy_buffer *sram;
	struct stat status;
	size_t length;
	int file;

	file = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	if (file < 0 || fstat(file, &status) || !status.st_size) {
		fputs("usage: ringcopy FILE, which must not be empty\n",
		      stderr);
		return EXIT_FAILURE;
	}
	length = status.st_size < (off_t)sizeof(memory) ? (size_t)status.st_size
							: sizeof(memory);

	check("open device", dmacpy_device_open(NULL, &device));
	check("open stream", dmacpy_stream_open(device, &stream));
	/* The buffer has room for whole blocks, as SRAM comes in pages. */
	check("allocate SRAM", dmacpy_buffer_alloc(stream, length, &sram));
	copy_file(stream, sram, file, length);
	show(sram, length);

	dmacpy_buffer_free(sram);
	dmacpy_stream_close(stream);
	dmacpy_device_close(device);
	close(file);
	return EXIT_SUCCESS;
}
