/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_FAKE_DMA_H
#define DMACPY_FAKE_DMA_H

#include <linux/types.h>

struct dma_slave_map;

#define FAKE_CHANNELS	16

/* The name of an engine that is in no device tree */
#define FAKE_DEVICE	"dmacpy-fake-dma"

/**
 * struct fake_sram - RAM that stands for SRAM
 * @vaddr: where the driver sees it
 * @phys: where it is
 * @size: in bytes
 */
struct fake_sram {
	void *vaddr;
	phys_addr_t phys;
	size_t size;
};

/**
 * struct fake_platform_data - an engine that is in no device tree
 * @channels: how many it has, at most FAKE_CHANNELS
 * @map: for each channel the device that may request it, by which name; the
 *	parameter is the number of the channel
 * @sram: the SRAM that it reaches, which exists longer than the engine
 * @bytes_per_us: how fast a channel copies at first, 0 for at once
 */
struct fake_platform_data {
	unsigned int channels;
	const struct dma_slave_map *map;
	struct fake_sram sram;
	u32 bytes_per_us;
};

#endif /* DMACPY_FAKE_DMA_H */
