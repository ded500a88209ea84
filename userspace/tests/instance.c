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

#include "common.h"
#include "instance.h"

#define BIND_MS	10000	/* allows for a busy host */

/* Finds the instance whose device tree node has @property. */
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

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/* Writes the platform device's name to a file of the driver. */
static int tell_driver(const struct instance *instance, const char *what)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/bus/platform/drivers/dmacpy/%s",
		 what);
	return write_text(path, instance->name);
}

int instance_unbind(const struct instance *instance)
{
	return tell_driver(instance, "unbind");
}

/* Finds the device file of the instance with this name. */
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

/* The device file may then have another number. */
int instance_bind(struct instance *instance)
{
	return tell_driver(instance, "bind") ?: instance_find_node(instance);
}

/*
 * The same after the engine has hung. A channel of an engine that cannot be
 * stopped is busy until its descriptors have called back: the driver defers.
 */
int instance_bind_again(struct instance *instance)
{
	unsigned int start = milliseconds();
	int ret;

	do
		ret = instance_bind(instance);
	while (ret == -EAGAIN && milliseconds() - start < BIND_MS);
	return ret;
}

/* Returns the number of descriptors that its channels have in flight. */
unsigned int instance_in_flight(const struct instance *instance)
{
	unsigned int sum = 0, number;
	char path[PATH_MAX], line[128];
	FILE *file;

	snprintf(path, sizeof(path), "/sys/kernel/debug/dmacpy/%s/channels",
		 instance->name);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, " descriptors in flight %u", &number) == 1)
			sum += number;
	if (file)
		fclose(file);
	return sum;
}

/* Waits until this many are in flight; the engine hangs. */
void instance_wait_in_flight(const struct instance *instance,
			     unsigned int count)
{
	while (instance_in_flight(instance) < count)
		usleep(1000);
}

/* Returns true if the platform device exists, bound or not. */
bool instance_exists(const struct instance *instance)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/bus/platform/devices/%s",
		 instance->name);
	return !access(path, F_OK);
}

/*
 * Finds the platform device of this node, bound or not. Its name begins with
 * its address, which differs between boards.
 */
int instance_named(struct instance *instance, const char *node)
{
	char pattern[PATH_MAX];
	glob_t found;

	snprintf(pattern, sizeof(pattern),
		 "/sys/bus/platform/devices/*.%s", node);
	if (glob(pattern, 0, NULL, &found))
		return -ENOENT;
	snprintf(instance->name, sizeof(instance->name), "%.63s",
		 basename(found.gl_pathv[0]));
	globfree(&found);
	return 0;
}

/* Restricts it to this driver, whatever its node says; NULL undoes it. */
int instance_override(const struct instance *instance, const char *driver)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path),
		 "/sys/bus/platform/devices/%s/driver_override",
		 instance->name);
	return write_text(path, driver ?: "\n");
}

/* Probes drivers again, as for a new device. */
int instance_probe(const struct instance *instance)
{
	return write_text("/sys/bus/platform/drivers_probe", instance->name);
}

/* Returns the number of 32-bit cells of a property, and reads up to @max. */
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
