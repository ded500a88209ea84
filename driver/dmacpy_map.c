// SPDX-License-Identifier: GPL-2.0-only
/*
 * The address of SRAM for a device. dma_map_resource() maps it by an IOMMU.
 * Without an IOMMU it returns the CPU's address and ignores "dma-ranges", as it
 * is meant for registers of devices. So this file translates the address, as
 * for main memory.
 */
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/minmax.h>
#include <linux/property.h>

#include "dmacpy_compat.h"
#include "dmacpy_map.h"
#include "dmacpy_pool.h"

static bool map_has_iommu(struct device *dev)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	return domain && domain->type != IOMMU_DOMAIN_IDENTITY;
}

/*
 * Returns DMA_MAPPING_ERROR if there is nothing to translate, or if the address
 * is in no range: then dma_map_resource() maps it, and the test of the channel
 * shows whether the address is right.
 */
static dma_addr_t map_translate(struct device *dev, phys_addr_t phys)
{
	if (!dev->dma_range_map || map_has_iommu(dev))
		return DMA_MAPPING_ERROR;
	return phys_to_dma_unencrypted(dev, phys);
}

/**
 * dmacpy_map_sram() - map SRAM for a device
 * @dev: the device
 * @sram: the SRAM
 * @dir: the direction
 *
 * Context: Process. Undone by dmacpy_unmap_sram().
 * Return: the address for @dev, contiguous, or DMA_MAPPING_ERROR.
 */
dma_addr_t dmacpy_map_sram(struct device *dev, const struct dmacpy_sram *sram,
			   enum dma_data_direction dir)
{
	dma_addr_t addr = map_translate(dev, sram->phys);
	dma_addr_t last;

	if (addr != DMA_MAPPING_ERROR) {
		last = map_translate(dev, sram->phys + sram->size - 1);
		return last - addr == sram->size - 1 &&
		       last <= min_not_zero(dma_get_mask(dev),
					    dev->bus_dma_limit) ?
		       addr : DMA_MAPPING_ERROR;
	}
	addr = dma_map_resource(dev, sram->phys, sram->size, dir,
				DMA_ATTR_SKIP_CPU_SYNC);
	return dma_mapping_error(dev, addr) ? DMA_MAPPING_ERROR : addr;
}

/**
 * dmacpy_unmap_sram() - undo dmacpy_map_sram()
 * @dev: the device
 * @sram: the SRAM
 * @addr: from dmacpy_map_sram()
 * @dir: the same as for dmacpy_map_sram()
 *
 * Context: Process.
 */
void dmacpy_unmap_sram(struct device *dev, const struct dmacpy_sram *sram,
		       dma_addr_t addr, enum dma_data_direction dir)
{
	if (map_translate(dev, sram->phys) == DMA_MAPPING_ERROR)
		dma_unmap_resource(dev, addr, sram->size, dir,
				   DMA_ATTR_SKIP_CPU_SYNC);
}

/* Do both use the same IOMMU domain, or none? */
static bool map_is_common_iommu(struct device *a, struct device *b)
{
	return map_has_iommu(a) || map_has_iommu(b) ?
	       iommu_get_domain_for_dev(a) == iommu_get_domain_for_dev(b) :
	       true;
}

/**
 * dmacpy_map_is_common() - check if a mapping is valid for another device, too
 * @a: the device that memory is mapped for
 * @b: another device
 *
 * For many engines, all channels are one device. Where each channel is a device
 * of its own, memory has the same address for both, and its caches need the
 * same maintenance, if the properties that a mapping depends on are equal.
 *
 * Context: Process.
 * Return: true if @b can use the addresses of a mapping for @a.
 */
bool dmacpy_map_is_common(struct device *a, struct device *b)
{
	return a == b ||
	       (map_is_common_iommu(a, b) &&
		a->dma_range_map == b->dma_range_map &&
		a->bus_dma_limit == b->bus_dma_limit &&
		dma_get_mask(a) == dma_get_mask(b) &&
		device_get_dma_attr(a) == device_get_dma_attr(b) &&
		dmacpy_bounce_pool(a) == dmacpy_bounce_pool(b));
}
