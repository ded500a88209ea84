/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Binary PNM pictures of 8 bits per sample: P5 (grey) and P6 (RGB).
 */
#ifndef _PNM_H
#define _PNM_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/**
 * struct pnm - the header of a picture
 * @width: in pixels
 * @height: in pixels
 * @channels: bytes per pixel, 1 or 3
 * @maximum: the value of white, 1..255
 */
struct pnm {
	unsigned int width;
	unsigned int height;
	unsigned int channels;
	unsigned int maximum;
};

/**
 * pnm_read_header() - read up to the first sample
 * @file: to read
 * @pnm: set to the header
 *
 * Return: 0, or -1 when it is no such picture.
 */
int pnm_read_header(FILE *file, struct pnm *pnm);

/**
 * pnm_write() - write a picture
 * @path: of the file; a regular file is removed when it fails
 * @pnm: the header to write
 * @data: its samples
 * @stride: bytes from row to row in @data
 *
 * Return: 0, or -1 with errno.
 */
int pnm_write(const char *path, const struct pnm *pnm, const uint8_t *data,
	      size_t stride);

#endif /* _PNM_H */
