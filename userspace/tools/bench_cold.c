// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmacpy bench --cold: fills the CPU's caches with other memory.
 */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

#define SIZES "/sys/devices/system/cpu/cpu0/cache/index*/size"

/* For a CPU whose kernel does not know its caches */
#define DEFAULT_SIZE (4U << 20)

/* At most a cache line of any CPU, so that none is left out */
#define LINE 32

static size_t read_kib(const char *path)
{
	FILE *file = fopen(path, "r");
	size_t kib = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%zuK", &kib) != 1)
		kib = 0;
	fclose(file);

	return kib << 10;
}

static size_t largest_cache(void)
{
	size_t largest = 0, size;
	glob_t found;
	size_t i;

	if (glob(SIZES, 0, NULL, &found))
		return DEFAULT_SIZE;
	for (i = 0; i < found.gl_pathc; i++) {
		size = read_kib(found.gl_pathv[i]);
		if (size > largest)
			largest = size;
	}
	globfree(&found);

	return largest ? largest : DEFAULT_SIZE;
}

int bench_cold_begin(struct bench_worker *worker)
{
	/* Twice the size, as caches do not replace their oldest line first. */
	worker->other_size = 2 * largest_cache();
	worker->other = malloc(worker->other_size);

	return worker->other ? 0 : -ENOMEM;
}

void bench_cold_fill(struct bench_worker *worker)
{
	volatile uint8_t *other = worker->other;
	size_t i;

	for (i = 0; i < worker->other_size; i += LINE)
		other[i]++;
}

void bench_cold_end(struct bench_worker *worker)
{
	free(worker->other);
}
