// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel is the outer product of 1 4 6 4 1 with itself, over 256. So each
 * row is filtered horizontally, and then five such rows give one of the result.
 */
#include <stdlib.h>
#include <string.h>

#include "gauss.h"

#define TAPS (2 * GAUSS_BORDER + 1)

/**
 * struct gauss - line buffers in ordinary memory
 * @row: a row of the source with its border, then a row of the result
 * @sums: the last rows, filtered horizontally; row y is in y % TAPS
 */
struct gauss {
	uint8_t *row;
	uint16_t *sums[TAPS];
};

struct gauss *gauss_new(size_t row_length, size_t channels)
{
	struct gauss *gauss;
	int i;

	gauss = calloc(1, sizeof(*gauss));
	if (!gauss)
		return NULL;

	gauss->row = malloc(row_length + 2 * GAUSS_BORDER * channels);
	if (!gauss->row)
		goto err_free;

	for (i = 0; i < TAPS; i++) {
		gauss->sums[i] = calloc(row_length, sizeof(*gauss->sums[i]));
		if (!gauss->sums[i])
			goto err_free;
	}

	return gauss;

err_free:
	gauss_free(gauss);
	return NULL;
}

void gauss_free(struct gauss *gauss)
{
	int i;

	if (!gauss)
		return;

	for (i = 0; i < TAPS; i++)
		free(gauss->sums[i]);
	free(gauss->row);
	free(gauss);
}

static void filter_along(uint16_t *sums, const uint8_t *row, size_t length,
			 size_t channels)
{
	size_t i;

	for (i = 0; i < length; i++, row++)
		sums[i] = row[0] + 4 * row[channels] + 6 * row[2 * channels] +
			  4 * row[3 * channels] + row[4 * channels];
}

static void filter_across(uint8_t *row, uint16_t *const *sums, size_t first,
			  size_t length)
{
	const uint16_t *a = sums[first % TAPS];
	const uint16_t *b = sums[(first + 1) % TAPS];
	const uint16_t *c = sums[(first + 2) % TAPS];
	const uint16_t *d = sums[(first + 3) % TAPS];
	const uint16_t *e = sums[(first + 4) % TAPS];
	size_t i;

	/* 128 rounds to nearest. */
	for (i = 0; i < length; i++)
		row[i] = (a[i] + 4 * b[i] + 6 * c[i] + 4 * d[i] + e[i] + 128) /
			 256;
}

void gauss_filter(struct gauss *gauss, uint8_t *dst, size_t dst_stride,
		  const struct gauss_source *source,
		  size_t row_length, size_t rows)
{
	size_t border = 2 * GAUSS_BORDER * source->channels;
	const uint8_t *src = source->data;
	size_t y;

	for (y = 0; y < rows + TAPS - 1; y++, src += source->stride) {
		memcpy(gauss->row, src, row_length + border);
		filter_along(gauss->sums[y % TAPS], gauss->row, row_length,
			     source->channels);
		if (y < TAPS - 1)
			continue;

		filter_across(gauss->row, gauss->sums, y - (TAPS - 1),
			      row_length);
		memcpy(dst, gauss->row, row_length);
		dst += dst_stride;
	}
}
