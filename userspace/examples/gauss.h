/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A 5x5 Gaussian filter in exact integer arithmetic.
 */
#ifndef _GAUSS_H
#define _GAUSS_H

#include <stddef.h>
#include <stdint.h>

/* Pixels that the filter needs around those that it computes. */
#define GAUSS_BORDER 2

struct gauss;

/**
 * struct gauss_source - samples to filter
 * @data: the first sample of the border, GAUSS_BORDER rows and pixels before
 *	the first sample to compute
 * @stride: bytes from row to row
 * @channels: bytes per pixel
 */
struct gauss_source {
	const uint8_t *data;
	size_t stride;
	size_t channels;
};

/**
 * gauss_new() - get line buffers for a filter
 * @row_length: the longest row to compute, in bytes without border
 * @channels: bytes per pixel
 *
 * Return: the filter, which the caller owns and frees with gauss_free(), or
 * NULL without memory.
 */
struct gauss *gauss_new(size_t row_length, size_t channels);

/**
 * gauss_free() - free a filter
 * @gauss: to free, or NULL
 */
void gauss_free(struct gauss *gauss);

/**
 * gauss_filter() - filter a picture or a tile of one
 * @gauss: with long enough line buffers
 * @dst: for the result
 * @dst_stride: bytes from row to row of @dst
 * @source: what to filter. @dst can be its data with the same stride: each of
 *	its rows has been read when it is overwritten.
 * @row_length: bytes of a row of @dst
 * @rows: of @dst
 *
 * Reads each byte of the source once and writes each byte of @dst once, both
 * in order, because that is what slow, write-combined memory needs.
 */
void gauss_filter(struct gauss *gauss, uint8_t *dst, size_t dst_stride,
		  const struct gauss_source *source,
		  size_t row_length, size_t rows);

#endif /* _GAUSS_H */
