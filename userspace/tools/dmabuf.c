// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dma-bufs of other drivers: of a heap, and of /dev/udmabuf.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/dma-heap.h>
#include <linux/udmabuf.h>

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

int udmabuf_alloc(size_t length)
{
	struct udmabuf_create create = {
		.flags = UDMABUF_FLAGS_CLOEXEC,
		.size = length,
	};
	int device, memfd, fd;

	device = open(UDMABUF, O_RDWR | O_CLOEXEC);
	if (device < 0)
		return -errno;

	memfd = memfd_create("dmacpy", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	create.memfd = memfd;
	if (memfd < 0 || ftruncate(memfd, length) ||
	    fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		fd = -1;
	else
		fd = ioctl(device, UDMABUF_CREATE, &create);
	if (fd < 0)
		fd = -errno;

	close(memfd);
	close(device);
	return fd;
}
