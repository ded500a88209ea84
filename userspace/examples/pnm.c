// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading and writing of binary PNM pictures.
 */
#include <ctype.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pnm.h"

/* With this, no product of width, height and channels overflows. */
#define MAX_SIDE 32767

/* Skip white space and comments, then read a number from 1 to @max. */
static int read_number(FILE *file, unsigned int max, unsigned int *value)
{
	int c = getc(file);

	while (isspace(c) || c == '#') {
		if (c == '#')
			while (c != '\n' && c != EOF)
				c = getc(file);
		c = getc(file);
	}

	for (*value = 0; isdigit(c) && *value <= max; c = getc(file))
		*value = 10 * *value + (c - '0');

	/* One white space ends a number; after the last one samples follow. */
	return isspace(c) && *value >= 1 && *value <= max ? 0 : -1;
}

int pnm_read_header(FILE *file, struct pnm *pnm)
{
	if (getc(file) != 'P')
		return -1;

	switch (getc(file)) {
	case '5':
		pnm->channels = 1;
		break;
	case '6':
		pnm->channels = 3;
		break;
	default:
		return -1;
	}

	if (read_number(file, MAX_SIDE, &pnm->width) ||
	    read_number(file, MAX_SIDE, &pnm->height) ||
	    read_number(file, 255, &pnm->maximum))
		return -1;

	return 0;
}

static int write_samples(FILE *file, const struct pnm *pnm,
			 const uint8_t *data, size_t stride)
{
	size_t length = (size_t)pnm->width * pnm->channels;
	unsigned int y;

	fprintf(file, "P%c\n%u %u\n%u\n", pnm->channels == 1 ? '5' : '6',
		pnm->width, pnm->height, pnm->maximum);
	for (y = 0; y < pnm->height; y++)
		if (fwrite(data + y * stride, 1, length, file) != length)
			return -1;

	return 0;
}

/* The path can also name a device, or be a link such as /dev/stdout. */
static void remove_file(const char *path)
{
	struct stat status;

	if (!lstat(path, &status) && S_ISREG(status.st_mode))
		unlink(path);
}

int pnm_write(const char *path, const struct pnm *pnm, const uint8_t *data,
	      size_t stride)
{
	int ret, err;
	FILE *file;

	file = fopen(path, "we");
	if (!file)
		return -1;

	ret = write_samples(file, pnm, data, stride);
	err = errno;
	if (fclose(file)) {
		ret = -1;
		err = errno;
	}
	if (ret) {
		remove_file(path);
		errno = err;
	}

	return ret;
}
