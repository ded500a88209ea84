// SPDX-License-Identifier: GPL-2.0-only
/*
 * The DMA engines of a device. The driver adds a device link to each, which
 * makes the engine a supplier of the device.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "tool.h"

#define SIZE 64

/* No cache line of a CPU whose caches need syncs is shorter, in bytes. */
#define SHORTEST_LINE 16

static int is_supplier(const struct dirent *entry)
{
	return !strncmp(entry->d_name, "supplier:", strlen("supplier:"));
}

/* Reads the last component of a link's target, or an empty string. */
static void read_link(int directory, const char *name, char text[SIZE])
{
	char target[PATH_MAX], *last;
	ssize_t length;

	length = readlinkat(directory, name, target, sizeof(target) - 1);
	target[length < 0 ? 0 : length] = '\0';
	last = strrchr(target, '/');
	snprintf(text, SIZE, "%.*s", SIZE - 1, last ? last + 1 : target);
}

static void read_line(int directory, const char *name, char text[SIZE])
{
	ssize_t length = -1;
	int fd;

	fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		length = read(fd, text, SIZE - 1);
		close(fd);
	}
	text[length < 0 ? 0 : length] = '\0';
	text[strcspn(text, "\n")] = '\0';
}

/* A supplier with channels is an engine. The SRAM is a supplier without any. */
static bool read_engine(const char *directory, const char *link,
			struct engine *engine)
{
	char path[PATH_MAX];
	int supplier;

	snprintf(path, sizeof(path), "%s/%s/supplier", directory, link);
	supplier = open(path, O_PATH | O_CLOEXEC);
	if (supplier < 0)
		return false;
	if (faccessat(supplier, "dma", F_OK, 0)) {
		close(supplier);
		return false;
	}

	read_link(AT_FDCWD, path, engine->name);
	read_link(supplier, "driver", engine->driver);
	read_line(supplier, "iommu_group/type", engine->iommu);
	close(supplier);
	return true;
}

int find_engines(const char *path, struct engine *engines, int max)
{
	struct dirent **entries;
	int count, found = 0, i;
	char directory[64];
	struct stat status;

	if (stat(path, &status))
		return 0;
	snprintf(directory, sizeof(directory), "/sys/dev/char/%u:%u/device",
		 major(status.st_rdev), minor(status.st_rdev));
	count = scandir(directory, &entries, is_supplier, versionsort);
	if (count < 0)
		return 0;

	for (i = 0; i < count; i++) {
		if (found < max &&
		    read_engine(directory, entries[i]->d_name, &engines[found]))
			found++;
		free(entries[i]);
	}
	free(entries);

	return found;
}

/*
 * If the CPU's caches need syncs, the driver requires at least the alignment of
 * a cache line of the memory of programs.
 */
enum coherence find_coherence(const struct dmacpy_get_info *info)
{
	if (info->user_align > info->copy_align)
		return COHERENT_NO;

	return info->copy_align < SHORTEST_LINE ? COHERENT_YES :
						  COHERENT_UNKNOWN;
}
