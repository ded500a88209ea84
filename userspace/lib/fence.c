// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Fences: sync_files, of dmacpy or of any other driver.
 */
#include <errno.h>
#include <poll.h>

#include <linux/sync_file.h>

#include "internal.h"

/* 1 when it has signalled, 0 when not yet, or the error it signalled. */
static int fence_status(int fence)
{
	struct sync_file_info info = { };
	int ret;

	ret = dmacpy_ioctl(fence, SYNC_IOC_FILE_INFO, &info);

	return ret ? ret : info.status;
}

DMACPY_API int dmacpy_fence_wait(int fence, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = fence, .events = POLLIN };
	int status;

	/* First, because poll() waits for what is no fence, too. */
	status = fence_status(fence);
	if (!status) {
		if (poll(&poll_fd, 1, timeout_ms) < 0)
			return -errno;
		status = fence_status(fence);
	}
	if (!status)
		return -ETIME;

	return status < 0 ? status : 0;
}
