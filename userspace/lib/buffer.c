// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Buffers: SRAM, foreign dma-bufs and registered memory behind one handle.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/dma-buf.h>

#include "internal.h"

/* Consumes @fd, even on failure. */
static int import_fd(struct dmacpy_stream *stream, int fd, uint32_t access,
		     unsigned int kind, struct dmacpy_buffer **buffer)
{
	struct dmacpy_import import = {
		.size = sizeof(import),
		.fd = fd,
		.access = access,
	};
	struct dmacpy_buffer *new;
	int ret;

	new = calloc(1, sizeof(*new));
	if (!new) {
		ret = -ENOMEM;
		goto err_close;
	}

	ret = dmacpy_ioctl(stream->fd, DMACPY_IMPORT, &import);
	if (ret)
		goto err_free;

	new->stream = stream;
	new->handle = import.handle;
	new->access = access;
	new->size = import.length;
	new->fd = fd;
	new->kind = kind;
	new->no_cpu = kind == DMACPY_MEMORY_IMPORTED;
	*buffer = new;
	return 0;

err_free:
	free(new);
err_close:
	close(fd);
	return ret;
}

DMACPY_API int dmacpy_buffer_alloc(struct dmacpy_stream *stream,
				   uint64_t length,
				   struct dmacpy_buffer **buffer)
{
	struct dmacpy_alloc alloc = {
		.size = sizeof(alloc),
		.length = length,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	int ret;

	ret = dmacpy_ioctl(stream->fd, DMACPY_ALLOC, &alloc);
	if (ret)
		return ret;

	return import_fd(stream, alloc.fd,
			 DMACPY_ACCESS_READ | DMACPY_ACCESS_WRITE,
			 DMACPY_MEMORY_SRAM, buffer);
}

DMACPY_API int dmacpy_buffer_import(struct dmacpy_stream *stream, int fd,
				    uint32_t access,
				    struct dmacpy_buffer **buffer)
{
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return -errno;

	return import_fd(stream, fd, access, DMACPY_MEMORY_IMPORTED, buffer);
}

DMACPY_API int dmacpy_buffer_register(struct dmacpy_stream *stream, void *addr,
				      size_t length, uint32_t access,
				      struct dmacpy_buffer **buffer)
{
	return dmacpy_buffer_register_flags(stream, addr, length, access, 0,
					    buffer);
}

DMACPY_API int dmacpy_buffer_register_flags(struct dmacpy_stream *stream,
					    void *addr, size_t length,
					    uint32_t access, uint32_t flags,
					    struct dmacpy_buffer **buffer)
{
	struct dmacpy_register reg = {
		.size = sizeof(reg),
		.flags = flags,
		.addr = (uintptr_t)addr,
		.length = length,
		.access = access,
	};
	struct dmacpy_buffer *new;
	int ret;

	new = calloc(1, sizeof(*new));
	if (!new)
		return -ENOMEM;

	ret = dmacpy_ioctl(stream->fd, DMACPY_REGISTER, &reg);
	if (ret) {
		free(new);
		return ret;
	}

	new->stream = stream;
	new->handle = reg.handle;
	new->access = access;
	new->size = length;
	new->fd = -1;
	new->kind = DMACPY_MEMORY_USER;
	new->explicit_sync = !!(flags & DMACPY_REGISTER_EXPLICIT_SYNC);
	new->no_cpu = new->explicit_sync;
	new->pid = getpid();
	new->memory = addr;
	*buffer = new;
	return 0;
}

DMACPY_API void dmacpy_buffer_free(struct dmacpy_buffer *buffer)
{
	struct dmacpy_release release = { .size = sizeof(release) };

	if (!buffer)
		return;

	dmacpy_buffer_unmap(buffer);
	release.handle = buffer->handle;
	dmacpy_ioctl(buffer->stream->fd, DMACPY_RELEASE, &release);
	if (!dmacpy_buffer_is_user(buffer))
		close(buffer->fd);
	free(buffer);
}

DMACPY_API int dmacpy_buffer_map(struct dmacpy_buffer *buffer, void **addr)
{
	int prot = PROT_READ;
	int flags;
	void *map;

	if (!buffer->memory) {
		if (buffer->size > SIZE_MAX)
			return -EOVERFLOW;

		flags = fcntl(buffer->fd, F_GETFL);
		if (flags < 0)
			return -errno;
		if ((flags & O_ACCMODE) != O_RDONLY)
			prot |= PROT_WRITE;

		map = mmap(NULL, buffer->size, prot, MAP_SHARED, buffer->fd, 0);
		if (map == MAP_FAILED)
			return -errno;
		buffer->pid = getpid();
		buffer->memory = map;
	}

	*addr = buffer->memory;
	return 0;
}

DMACPY_API void dmacpy_buffer_unmap(struct dmacpy_buffer *buffer)
{
	if (dmacpy_buffer_is_user(buffer) || !buffer->memory)
		return;

	munmap(buffer->memory, buffer->size);
	buffer->memory = NULL;
}

DMACPY_API int dmacpy_buffer_sync(struct dmacpy_buffer *buffer, uint64_t offset,
				  uint64_t length, uint32_t flags)
{
	struct dmacpy_sync_range range = {
		.handle = buffer->handle,
		.offset = offset,
		.length = length,
	};
	struct dmacpy_sync sync = {
		.size = sizeof(sync),
		.flags = flags,
		.ranges = (uintptr_t)&range,
		.range_count = 1,
		.range_size = sizeof(range),
	};
	int ret;

	if (!length)
		return 0;

	do {
		ret = dmacpy_ioctl(buffer->stream->fd, DMACPY_SYNC, &sync);
	} while (ret == -EINTR);

	return ret;
}

/* The engine writes whole cache lines only. */
static int take_back(struct dmacpy_buffer *buffer)
{
	uint64_t line = buffer->stream->limits.user_align;
	uint64_t start = -(uintptr_t)buffer->memory % line;
	uint64_t length;

	if (!(buffer->access & DMACPY_ACCESS_WRITE) || start >= buffer->size)
		return 0;

	length = buffer->size - start;

	return dmacpy_buffer_sync(buffer, start, length - length % line,
				  DMACPY_SYNC_FOR_CPU);
}

static int sync_user(struct dmacpy_buffer *buffer, uint32_t access,
		     uint64_t flags)
{
	if (!buffer->explicit_sync)
		return 0;
	if (flags == DMA_BUF_SYNC_START)
		return take_back(buffer);
	if (!(access & DMACPY_ACCESS_WRITE))
		return 0;

	return dmacpy_buffer_sync(buffer, 0, buffer->size,
				  DMACPY_SYNC_FOR_DEVICE);
}

/*
 * Waits until no job uses the buffer in a way that conflicts with the access.
 * The ioctl waits, too, but only after the exporter has invalidated the caches:
 * lines that the CPU has prefetched since then would be stale.
 */
static int wait_for_jobs(const struct dmacpy_buffer *buffer, uint32_t access)
{
	struct pollfd pfd = {
		.fd = buffer->fd,
		.events = access & DMACPY_ACCESS_WRITE ? POLLOUT : POLLIN,
	};

	while (poll(&pfd, 1, -1) < 0)
		if (errno != EINTR && errno != EAGAIN)
			return -errno;

	return 0;
}

static int sync_access(struct dmacpy_buffer *buffer, uint32_t access,
		       uint64_t flags)
{
	int ret;

	if (!access || access & ~(DMACPY_ACCESS_READ | DMACPY_ACCESS_WRITE))
		return -EINVAL;
	if (dmacpy_buffer_is_user(buffer))
		return sync_user(buffer, access, flags);

	if (flags == DMA_BUF_SYNC_START) {
		ret = wait_for_jobs(buffer, access);
		if (ret)
			return ret;
	}

	if (access & DMACPY_ACCESS_READ)
		flags |= DMA_BUF_SYNC_READ;
	if (access & DMACPY_ACCESS_WRITE)
		flags |= DMA_BUF_SYNC_WRITE;

	return dmacpy_ioctl_sync(buffer->fd, flags);
}

DMACPY_API int dmacpy_buffer_begin_access(struct dmacpy_buffer *buffer,
					  uint32_t access)
{
	return sync_access(buffer, access, DMA_BUF_SYNC_START);
}

DMACPY_API int dmacpy_buffer_end_access(struct dmacpy_buffer *buffer,
					uint32_t access)
{
	return sync_access(buffer, access, DMA_BUF_SYNC_END);
}

DMACPY_API int dmacpy_buffer_fd(const struct dmacpy_buffer *buffer)
{
	return dmacpy_buffer_is_user(buffer) ? -EBADF : buffer->fd;
}

DMACPY_API uint64_t dmacpy_buffer_size(const struct dmacpy_buffer *buffer)
{
	return buffer->size;
}

DMACPY_API uint32_t dmacpy_buffer_handle(const struct dmacpy_buffer *buffer)
{
	return buffer->handle;
}
