// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Streams: one open file of a device each.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "internal.h"

DMACPY_API int dmacpy_stream_open(struct dmacpy_device *device,
				  struct dmacpy_stream **stream)
{
	struct dmacpy_stream *new;
	int ret;

	new = calloc(1, sizeof(*new));
	if (!new)
		return -ENOMEM;

	new->fd = open(device->path, O_RDWR | O_CLOEXEC);
	if (new->fd < 0) {
		ret = -errno;
		goto err_free;
	}

	new->limits.size = sizeof(new->limits);
	ret = dmacpy_ioctl(new->fd, DMACPY_GET_INFO, &new->limits);
	if (ret)
		goto err_close;

	*stream = new;
	return 0;

err_close:
	close(new->fd);
err_free:
	free(new);
	return ret;
}

DMACPY_API void dmacpy_stream_close(struct dmacpy_stream *stream)
{
	if (!stream)
		return;

	dmacpy_stream_free_bounce(stream);
	close(stream->fd);
	free(stream);
}

DMACPY_API int dmacpy_stream_fd(const struct dmacpy_stream *stream)
{
	return stream->fd;
}

DMACPY_API int dmacpy_stream_read_events(struct dmacpy_stream *stream,
					 struct dmacpy_event *events,
					 unsigned int count)
{
	ssize_t size;

	size = read(stream->fd, events, count * sizeof(*events));

	return size < 0 ? -errno : (int)(size / sizeof(*events));
}

DMACPY_API int dmacpy_stream_flush(struct dmacpy_stream *stream)
{
	return fsync(stream->fd) ? -errno : 0;
}
