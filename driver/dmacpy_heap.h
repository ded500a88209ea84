/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_HEAP_H
#define DMACPY_HEAP_H

#include <linux/kconfig.h>

struct device;
struct dmacpy_device;
struct dmacpy_heap;

#if IS_ENABLED(CONFIG_DMACPY_HEAP)
struct dmacpy_heap *dmacpy_heap_get(const struct device *parent);
void dmacpy_heap_attach(struct dmacpy_heap *heap, struct dmacpy_device *dev);
#else
static inline struct dmacpy_heap *dmacpy_heap_get(const struct device *parent)
{
	return NULL;
}

static inline void dmacpy_heap_attach(struct dmacpy_heap *heap,
				      struct dmacpy_device *dev)
{
}
#endif

#endif /* DMACPY_HEAP_H */
