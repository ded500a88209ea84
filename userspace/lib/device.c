// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Devices: finding, opening, querying.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

#define DEV_DIR "/dev/"
#define DEV_PREFIX "dmacpy"

static int is_device_name(const struct dirent *entry)
{
	const char *number = entry->d_name + strlen(DEV_PREFIX);

	return !strncmp(entry->d_name, DEV_PREFIX, strlen(DEV_PREFIX)) &&
	       isdigit((unsigned char)*number);
}

/*
 * Returns the array of pointers and the strings they point to, in one
 * allocation.
 */
static char **pack_paths(struct dirent **entries, int count)
{
	size_t size = (count + 1) * sizeof(char *);
	char **paths;
	char *end;
	int i;

	for (i = 0; i < count; i++)
		size += strlen(DEV_DIR) + strlen(entries[i]->d_name) + 1;

	paths = malloc(size);
	if (!paths)
		return NULL;

	end = (char *)&paths[count + 1];
	for (i = 0; i < count; i++) {
		paths[i] = end;
		end = stpcpy(stpcpy(end, DEV_DIR), entries[i]->d_name) + 1;
	}
	paths[count] = NULL;

	return paths;
}

DMACPY_API int dmacpy_device_list(char ***paths)
{
	struct dirent **entries;
	int count, i;

	count = scandir(DEV_DIR, &entries, is_device_name, versionsort);
	if (count < 0)
		return -errno;

	*paths = pack_paths(entries, count);
	for (i = 0; i < count; i++)
		free(entries[i]);
	free(entries);

	return *paths ? count : -ENOMEM;
}

static int open_path(const char *path, struct dmacpy_device **device)
{
	size_t path_size = strlen(path) + 1;
	struct dmacpy_get_info info;
	struct dmacpy_device *new;
	int ret;

	new = malloc(sizeof(*new) + path_size);
	if (!new)
		return -ENOMEM;

	memcpy(new->path, path, path_size);
	new->fd = open(path, O_RDWR | O_CLOEXEC);
	if (new->fd < 0) {
		ret = -errno;
		goto err_free;
	}

	ret = dmacpy_device_info(new, &info, sizeof(info));
	if (ret)
		goto err_close;

	*device = new;
	return 0;

err_close:
	close(new->fd);
err_free:
	free(new);
	return ret;
}

DMACPY_API int dmacpy_device_open(const char *path,
				  struct dmacpy_device **device)
{
	char **paths;
	int ret;

	if (path)
		return open_path(path, device);

	ret = dmacpy_device_list(&paths);
	if (ret < 0)
		return ret;

	ret = paths[0] ? open_path(paths[0], device) : -ENOENT;
	free(paths);

	return ret;
}

DMACPY_API void dmacpy_device_close(struct dmacpy_device *device)
{
	if (!device)
		return;

	close(device->fd);
	free(device);
}

DMACPY_API const char *dmacpy_device_path(const struct dmacpy_device *device)
{
	return device->path;
}

DMACPY_API int dmacpy_device_info(struct dmacpy_device *device,
				  struct dmacpy_get_info *info, size_t size)
{
	memset(info, 0, size);
	info->size = size;

	return dmacpy_ioctl(device->fd, DMACPY_GET_INFO, info);
}
