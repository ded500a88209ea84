// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Fences: sync_files, of dmacpy or of any other driver.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include <linux/sync_file.h>

#include "internal.h"

/*
 * Returns the status of the first failed part of a merged fence, or 1. All
 * parts have signalled.
 */
static int merged_status(int fence, uint32_t count)
{
	struct sync_file_info info = { .num_fences = count };
	struct sync_fence_info *parts;
	int ret;

	parts = calloc(count, sizeof(*parts));
	if (!parts)
		return -ENOMEM;

	info.sync_fence_info = (uintptr_t)parts;
	ret = dmacpy_ioctl(fence, SYNC_IOC_FILE_INFO, &info);
	free(parts);

	return ret ? ret : info.status;
}

/*
 * A merged fence may have signalled without the error of its parts, if no task
 * has waited for it before: query the parts.
 */
int dmacpy_fence_status(int fence)
{
	struct sync_file_info info = { };
	int ret;

	ret = dmacpy_ioctl(fence, SYNC_IOC_FILE_INFO, &info);
	if (ret)
		return ret;
	if (info.status == 1 && info.num_fences > 1)
		return merged_status(fence, info.num_fences);

	return info.status;
}

int dmacpy_fence_merge(int first, int second, int *merged)
{
	struct sync_merge_data merge = {
		.name = "dmacpy",
		.fd2 = second,
	};
	int ret;

	ret = dmacpy_ioctl(first, SYNC_IOC_MERGE, &merge);
	if (!ret)
		*merged = merge.fence;

	return ret;
}

DMACPY_API int dmacpy_fence_wait(int fence, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = fence, .events = POLLIN };
	int status;

	/*
	 * Check first, because poll() also waits for a file that is not a
	 * fence.
	 */
	status = dmacpy_fence_status(fence);
	if (!status) {
		if (poll(&poll_fd, 1, timeout_ms) < 0)
			return -errno;
		status = dmacpy_fence_status(fence);
	}
	if (!status)
		return -ETIME;
	/* Some drivers signal this for a job that hangs. */
	if (status == -ETIME)
		return -ETIMEDOUT;

	return status < 0 ? status : 0;
}
