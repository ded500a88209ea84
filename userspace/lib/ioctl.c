// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The only calls of ioctl(2), some of which are restarted.
 */
#include <errno.h>
#include <sys/ioctl.h>

#include <linux/dma-buf.h>

#include "internal.h"

int dmacpy_ioctl(int fd, unsigned long command, void *arg)
{
	return ioctl(fd, command, arg) < 0 ? -errno : 0;
}

int dmacpy_ioctl_sync(int fd, uint64_t flags)
{
	struct dma_buf_sync sync = { .flags = flags };
	int ret;

	do {
		ret = dmacpy_ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync);
	} while (ret == -EINTR || ret == -EAGAIN);

	return ret;
}
