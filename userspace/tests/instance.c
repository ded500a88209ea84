// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "instance.h"

/* The instance to whose node in the device tree @property belongs. */
int instance_find(struct instance *instance, const char *property)
{
	char pattern[PATH_MAX], *end, device[PATH_MAX];
	glob_t found;

	snprintf(pattern, sizeof(pattern),
		 "/sys/class/misc/dmacpy*/device/of_node/%s", property);
	if (glob(pattern, 0, NULL, &found))
		return -ENOENT;
	end = strstr(found.gl_pathv[0], "/of_node");
	*end = 0;
	if (!realpath(found.gl_pathv[0], device))
		return -errno;
	snprintf(instance->name, sizeof(instance->name), "%.63s",
		 basename(device));
	*strrchr(found.gl_pathv[0], '/') = 0;
	snprintf(instance->node, sizeof(instance->node), "/dev/%.50s",
		 basename(found.gl_pathv[0]));
	globfree(&found);
	return 0;
}

/* Write the platform device's name to a file of the driver. */
static int tell_driver(const struct instance *instance, const char *what)
{
	char path[PATH_MAX];
	int fd, ret = 0;

	snprintf(path, sizeof(path), "/sys/bus/platform/drivers/dmacpy/%s",
		 what);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, instance->name, strlen(instance->name)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

int instance_unbind(const struct instance *instance)
{
	return tell_driver(instance, "unbind");
}

/* The device file of an instance with that name. */
int instance_find_node(struct instance *instance)
{
	char pattern[PATH_MAX];
	glob_t found;

	snprintf(pattern, sizeof(pattern),
		 "/sys/bus/platform/devices/%s/misc/dmacpy*", instance->name);
	if (glob(pattern, 0, NULL, &found))
		return -ENOENT;
	snprintf(instance->node, sizeof(instance->node), "/dev/%.50s",
		 basename(found.gl_pathv[0]));
	globfree(&found);
	return 0;
}

/* The device file may have another number then. */
int instance_bind(struct instance *instance)
{
	return tell_driver(instance, "bind") ?: instance_find_node(instance);
}

/* The number of 32-bit cells of a property, of which at most @max are read. */
int instance_cells(const struct instance *instance, const char *property,
		   uint32_t *cells, size_t max)
{
	char path[PATH_MAX];
	ssize_t size;
	int fd, i;

	snprintf(path, sizeof(path), "/sys/bus/platform/devices/%s/of_node/%s",
		 instance->name, property);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	size = read(fd, cells, max * sizeof(*cells));
	close(fd);
	for (i = 0; i < size / (ssize_t)sizeof(*cells); i++)
		cells[i] = ntohl(cells[i]);
	return i;
}
