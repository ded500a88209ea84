// SPDX-License-Identifier: GPL-2.0-only
/*
 * The same as hello.c, without the library: by the ioctls of <linux/dmacpy.h>.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/dma-buf.h>
#include <linux/dmacpy.h>

/* Address and length are aligned, as some engines copy only whole words. */
static char text[64] __attribute__((aligned(64))) = "Hello from on-chip SRAM";

static void fail(const char *what)
{
	fprintf(stderr, "ioctls: %s: %s; see \"dmacpy info\"\n", what,
		strerror(errno));
	exit(EXIT_FAILURE);
}

/* Returns the file descriptor of a dma-buf. */
static int alloc_sram(int stream, uint64_t length)
{
	struct dmacpy_alloc alloc = {
		.size = sizeof(alloc),
		.length = length,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};

	if (ioctl(stream, DMACPY_ALLOC, &alloc))
		fail("ALLOC");

	return alloc.fd;
}

/* Returns a handle, which is valid in this stream only. */
static uint32_t import_buffer(int stream, int buffer)
{
	struct dmacpy_import import = {
		.size = sizeof(import),
		.fd = buffer,
		.access = DMACPY_ACCESS_WRITE,
	};

	if (ioctl(stream, DMACPY_IMPORT, &import))
		fail("IMPORT");

	return import.handle;
}

static uint32_t register_memory(int stream, void *addr, size_t length)
{
	struct dmacpy_register memory = {
		.size = sizeof(memory),
		.addr = (uintptr_t)addr,
		.length = length,
		.access = DMACPY_ACCESS_READ,
	};

	if (ioctl(stream, DMACPY_REGISTER, &memory))
		fail("REGISTER");

	return memory.handle;
}

static void release(int stream, uint32_t handle)
{
	struct dmacpy_release release = {
		.size = sizeof(release),
		.handle = handle,
	};

	if (ioctl(stream, DMACPY_RELEASE, &release))
		fail("RELEASE");
}

/* Runs a job of one operation; SUBMIT waits until it has completed. */
static void copy(int stream, uint32_t dst, uint32_t src, uint64_t length)
{
	struct dmacpy_op op = {
		.opcode = DMACPY_OP_COPY,
		.dst = dst,
		.src = src,
		.length = length,
	};
	struct dmacpy_submit submit = {
		.size = sizeof(submit),
		.flags = DMACPY_SUBMIT_WAIT,
		.ops = (uintptr_t)&op,
		.op_count = 1,
		.op_size = sizeof(op),
	};

	if (ioctl(stream, DMACPY_SUBMIT, &submit))
		fail("SUBMIT");
}

static void sync_buffer(int buffer, uint64_t flags)
{
	struct dma_buf_sync sync = { .flags = flags };

	if (ioctl(buffer, DMA_BUF_IOCTL_SYNC, &sync))
		fail("DMA_BUF_IOCTL_SYNC");
}

/* poll() waits for jobs that write to the buffer; here none is left. */
static void print_buffer(int buffer, size_t length)
{
	struct pollfd writers = { .fd = buffer, .events = POLLIN };
	void *data;

	data = mmap(NULL, length, PROT_READ, MAP_SHARED, buffer, 0);
	if (data == MAP_FAILED)
		fail("mmap");

	if (poll(&writers, 1, -1) < 0)
		fail("poll");
	sync_buffer(buffer, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	puts(data);
	sync_buffer(buffer, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	munmap(data, length);
}

int main(void)
{
	uint32_t dst, src;
	int stream, sram;

	stream = open("/dev/dmacpy0", O_RDWR | O_CLOEXEC);
	if (stream < 0)
		fail("/dev/dmacpy0");

	sram = alloc_sram(stream, sizeof(text));
	dst = import_buffer(stream, sram);
	src = register_memory(stream, text, sizeof(text));

	copy(stream, dst, src, sizeof(text));
	print_buffer(sram, sizeof(text));

	/* The kernel would do all of this when the program exits. */
	release(stream, src);
	release(stream, dst);
	close(sram);
	close(stream);
	return EXIT_SUCCESS;
}
