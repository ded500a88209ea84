// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers of a dma-buf heap.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/dma-heap.h>

#include "tool.h"

int heap_alloc(size_t length)
{
	struct dma_heap_allocation_data alloc = {
		.len = length,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	int device, ret;

	device = open(HEAP, O_RDONLY | O_CLOEXEC);
	if (device < 0)
		return -errno;

	ret = ioctl(device, DMA_HEAP_IOCTL_ALLOC, &alloc) ? -errno : 0;
	close(device);

	return ret ? ret : (int)alloc.fd;
}
