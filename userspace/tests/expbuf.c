// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preloaded into v4l2-ctl, which accepts dma-bufs only from another V4L2 queue:
 * its request to export a buffer returns SRAM instead. Prints on stderr which
 * frames were captured there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/dmacpy.h>
#include <linux/videodev2.h>

#define DEVICE		"/dev/dmacpy0"
#define MAX_BUFFERS	2	/* as many as fit the smallest SRAM */

static int buffers[MAX_BUFFERS];
static unsigned int buffer_count;

static int kernel_ioctl(int fd, unsigned long request, void *arg)
{
	return syscall(SYS_ioctl, fd, request, arg);
}

/* Returns its fd, or -1 with errno. */
static int alloc_sram(size_t length)
{
	struct dmacpy_alloc alloc = {
		.size = sizeof(alloc),
		.length = length,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	int stream = open(DEVICE, O_RDWR | O_CLOEXEC), ret;

	if (stream < 0)
		return -1;
	ret = kernel_ioctl(stream, DMACPY_ALLOC, &alloc);
	close(stream);
	return ret ? -1 : alloc.fd;
}

/* A driver may give fewer buffers than were requested. */
static int request_buffers(int video, struct v4l2_requestbuffers *request)
{
	if (request->count > MAX_BUFFERS)
		request->count = MAX_BUFFERS;
	return kernel_ioctl(video, VIDIOC_REQBUFS, request);
}

/* Exports SRAM of the size of the requested buffer. */
static int export_sram(int video, struct v4l2_exportbuffer *export)
{
	struct v4l2_buffer meant = {
		.index = export->index,
		.type = export->type,
	};

	if (buffer_count == MAX_BUFFERS) {
		errno = ENOMEM;
		return -1;
	}
	if (kernel_ioctl(video, VIDIOC_QUERYBUF, &meant))
		return -1;
	export->fd = alloc_sram(meant.length);
	if (export->fd < 0)
		return -1;
	buffers[buffer_count++] = export->fd;
	return 0;
}

static bool is_sram(const struct v4l2_buffer *buffer)
{
	unsigned int i;

	for (i = 0; i < buffer_count; i++)
		if (buffer->m.fd == buffers[i])
			return buffer->memory == V4L2_MEMORY_DMABUF;
	return false;
}

/* Replaces the C library's function. */
int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;
	int ret;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (request == VIDIOC_REQBUFS)
		return request_buffers(fd, arg);
	if (request == VIDIOC_EXPBUF)
		return export_sram(fd, arg);
	ret = kernel_ioctl(fd, request, arg);
	if (!ret && request == VIDIOC_DQBUF && is_sram(arg))
		fputs("a frame in SRAM\n", stderr);
	return ret;
}
