/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_FAKE_DMA_H
#define DMACPY_FAKE_DMA_H

#include <linux/types.h>

struct dma_slave_map;

#define FAKE_CHANNELS	16

/* The name of an engine without a node in the device tree */
#define FAKE_DEVICE	"dmacpy-fake-dma"

/**
 * struct fake_sram - RAM in place of SRAM
 * @vaddr: address for the driver
 * @phys: physical address
 * @size: in bytes
 */
struct fake_sram {
	void *vaddr;
	phys_addr_t phys;
	size_t size;
};

/**
 * struct fake_platform_data - an engine without a node in the device tree
 * @channels: number of channels, at most FAKE_CHANNELS
 * @map: for each channel the device that may request it, and the name of the
 *	channel; the parameter is the number of the channel
 * @sram: SRAM that the engine can access, which must outlive it
 * @bytes_per_us: initial speed of a channel, or 0 for no limit
 */
struct fake_platform_data {
	unsigned int channels;
	const struct dma_slave_map *map;
	struct fake_sram sram;
	u32 bytes_per_us;
};

#endif /* DMACPY_FAKE_DMA_H */
