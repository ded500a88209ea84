/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_MAP_H
#define DMACPY_MAP_H

#include <linux/dma-direction.h>
#include <linux/types.h>

struct device;
struct dmacpy_sram;

dma_addr_t dmacpy_map_sram(struct device *dev, const struct dmacpy_sram *sram,
			   enum dma_data_direction dir);
void dmacpy_unmap_sram(struct device *dev, const struct dmacpy_sram *sram,
		       dma_addr_t addr, enum dma_data_direction dir);
bool dmacpy_map_is_common(struct device *a, struct device *b);

#endif /* DMACPY_MAP_H */
