// SPDX-License-Identifier: GPL-2.0-only
/*
 * Output files: written under a temporary name, and renamed when complete.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool.h"

static mode_t default_mode(void)
{
	mode_t mask = umask(0);

	umask(mask);

	return 0666 & ~mask;
}

static int open_temporary(struct output *output, mode_t mode)
{
	if (asprintf(&output->temporary, "%s.XXXXXX", output->path) < 0) {
		output->temporary = NULL;
		return -ENOMEM;
	}

	output->fd = mkostemp(output->temporary, O_CLOEXEC);
	if (output->fd < 0)
		return -errno;

	/* mkostemp() creates files that only the owner can read. */
	return fchmod(output->fd, mode) < 0 ? -errno : 0;
}

/* A file without a real path, such as a pipe, is opened by the given name. */
static int open_existing(struct output *output, const char *path,
			 const struct stat *status)
{
	if (!S_ISREG(status->st_mode)) {
		output->path = strdup(path);
		output->fd = open(path, O_WRONLY | O_CLOEXEC);
		return output->fd < 0 ? -errno : 0;
	}

	/* The target of a symbolic link is replaced, not the link. */
	output->path = realpath(path, NULL);
	if (!output->path)
		return -errno;

	return open_temporary(output, status->st_mode & 0777);
}

static int open_output(struct output *output, const char *path)
{
	struct stat status;

	/*
	 * Do not open the path: this would truncate the output of other
	 * programs.
	 */
	if (!strcmp(path, "-") || !strcmp(path, STANDARD_OUTPUT)) {
		output->path = strdup("standard output");
		output->fd = STDOUT_FILENO;
		return 0;
	}
	if (!stat(path, &status))
		return open_existing(output, path, &status);

	output->path = strdup(path);
	if (!output->path)
		return -errno;

	return open_temporary(output, default_mode());
}

int output_open(struct output *output, const char *path)
{
	int ret;

	*output = (struct output){ .fd = -1 };

	ret = open_output(output, path);
	if (ret) {
		file_error(path, ret);
		output_discard(output);
		return -1;
	}

	return 0;
}

int output_write(struct output *output, const void *data, size_t length)
{
	ssize_t count;

	while (length) {
		count = write(output->fd, data, length);
		if (count < 0 && errno == EINTR && interrupted()) {
			output_interrupted(output);
			return -1;
		}
		if (count < 0) {
			file_error(output->path, -errno);
			return -1;
		}
		data = (const char *)data + count;
		length -= count;
	}

	return 0;
}

void output_interrupted(const struct output *output)
{
	print_error("interrupted: %s is %s", output->path,
		    output->temporary ? "as it was" : "not complete");
}

int output_commit(struct output *output)
{
	int ret = 0;

	/* main() closes standard output. */
	if (output->fd != STDOUT_FILENO)
		ret = close(output->fd);
	output->fd = -1;
	if (!ret && output->temporary)
		ret = rename(output->temporary, output->path);
	if (ret) {
		file_error(output->path, -errno);
		return -1;
	}

	free(output->temporary);
	output->temporary = NULL;
	return 0;
}

void output_discard(struct output *output)
{
	if (output->temporary)
		unlink(output->temporary);
	if (output->fd >= 0 && output->fd != STDOUT_FILENO)
		close(output->fd);
	free(output->temporary);
	free(output->path);
}
