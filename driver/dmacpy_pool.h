/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_POOL_H
#define DMACPY_POOL_H

#include <linux/types.h>

struct dmacpy_pool;
struct platform_device;
struct resource;

/**
 * struct dmacpy_sram - a part of a pool that was allocated
 * @vaddr: the kernel's mapping, write-combined
 * @virt: the allocator's address
 * @phys: the physical address
 * @size: in bytes, a multiple of the page size
 */
struct dmacpy_sram {
	void *vaddr;
	unsigned long virt;
	phys_addr_t phys;
	size_t size;
};

/**
 * struct dmacpy_pool_stat - the state of a pool, in bytes
 * @total: the size that can be allocated
 * @free: the size that is free
 * @largest: the longest free range of whole pages
 */
struct dmacpy_pool_stat {
	u64 total;
	u64 free;
	u64 largest;
};

bool dmacpy_pool_is_main_memory(const struct resource *res);
struct dmacpy_pool *dmacpy_pool_open(struct platform_device *pdev);
void dmacpy_pool_get(struct dmacpy_pool *pool);
void dmacpy_pool_put(struct dmacpy_pool *pool);
int dmacpy_pool_alloc(struct dmacpy_pool *pool, u64 length,
		      struct dmacpy_sram *sram);
void dmacpy_pool_free(struct dmacpy_pool *pool, const struct dmacpy_sram *sram);
void dmacpy_pool_barrier(void);
void dmacpy_pool_stat(struct dmacpy_pool *pool, struct dmacpy_pool_stat *stat);

#endif /* DMACPY_POOL_H */
