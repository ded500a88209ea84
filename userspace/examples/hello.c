// SPDX-License-Identifier: GPL-2.0-only
/*
 * Allocate SRAM, have the DMA engine copy memory of this program into it, and
 * read it there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dmacpy.h>

static void check(const char *what, int ret)
{
	if (!ret)
		return;

	fprintf(stderr, "hello: %s: %s; see \"dmacpy info\"\n", what,
		strerror(-ret));
	exit(EXIT_FAILURE);
}

int main(void)
{
	char text[] = "Hello from on-chip SRAM";
	struct dmacpy_device *device;
	struct dmacpy_stream *stream;
	struct dmacpy_buffer *sram;
	struct dmacpy_buffer *memory;
	void *data;

	check("open device", dmacpy_device_open(NULL, &device));
	check("open stream", dmacpy_stream_open(device, &stream));
	check("allocate SRAM",
	      dmacpy_buffer_alloc(stream, sizeof(text), &sram));
	check("register memory",
	      dmacpy_buffer_register(stream, text, sizeof(text),
				     DMACPY_ACCESS_READ, &memory));

	check("copy", dmacpy_stream_copy(stream, sram, 0, memory, 0,
					 sizeof(text)));

	check("map SRAM", dmacpy_buffer_map(sram, &data));
	check("begin access",
	      dmacpy_buffer_begin_access(sram, DMACPY_ACCESS_READ));
	puts(data);
	check("end access", dmacpy_buffer_end_access(sram, DMACPY_ACCESS_READ));

	dmacpy_buffer_free(memory);
	dmacpy_buffer_free(sram);
	dmacpy_stream_close(stream);
	dmacpy_device_close(device);
	return EXIT_SUCCESS;
}
