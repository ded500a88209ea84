// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device without hardware, for any machine: RAM in place of SRAM, and the
 * engine of dmacpy_fake_dma.c, with a device for the driver dmacpy. The device
 * is created as by any other driver: the SRAM is a gen_pool of its parent, and
 * the channels are those of a struct dma_slave_map. It needs no device tree,
 * and works beside one.
 */
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/genalloc.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/property.h>
#include <linux/sizes.h>

#include "dmacpy_compat.h"
#include "dmacpy_fake_dma.h"

static unsigned int channels = 4;
module_param(channels, uint, 0444);
MODULE_PARM_DESC(channels, "Channels of the engine (1 to 16)");

static unsigned int bytes_per_us;
module_param(bytes_per_us, uint, 0444);
MODULE_PARM_DESC(bytes_per_us,
		 "Bytes that a channel copies in a microsecond; 0 for at once");

static unsigned int sram_kib = 1024;
module_param(sram_kib, uint, 0444);
MODULE_PARM_DESC(sram_kib, "SRAM, in KiB (1 to 1048576)");

static const char *const sim_names[FAKE_CHANNELS] = {
	"copy0", "copy1", "copy2", "copy3", "copy4", "copy5", "copy6", "copy7",
	"copy8", "copy9", "copy10", "copy11", "copy12", "copy13", "copy14",
	"copy15",
};

static struct dma_slave_map sim_map[FAKE_CHANNELS];
static struct platform_device *sim_device;
static struct platform_device *sim_engine;
static struct platform_device *sim_user;

static int sim_add_sram(struct device *dev, struct fake_sram *sram)
{
	struct gen_pool *pool;
	dma_addr_t addr;
	int ret;

	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	sram->size = PAGE_ALIGN((size_t)sram_kib * SZ_1K);
	sram->vaddr = dmam_alloc_coherent(dev, sram->size, &addr,
					  GFP_KERNEL | __GFP_NOWARN);
	if (!sram->vaddr) {
		/* dev_err_probe() is silent about -ENOMEM. */
		dev_err(dev, "no %zu bytes in one piece: try a smaller sram_kib\n",
			sram->size);
		return -ENOMEM;
	}
	sram->phys = dma_to_phys(dev, addr);
	pool = devm_gen_pool_create(dev, PAGE_SHIFT, NUMA_NO_NODE, NULL);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	return gen_pool_add_virt(pool, (unsigned long)sram->vaddr, sram->phys,
				 sram->size, NUMA_NO_NODE);
}

static int sim_add_engine(struct device *dev, const struct fake_sram *sram)
{
	const struct fake_platform_data data = {
		.channels = channels,
		.map = sim_map,
		.sram = *sram,
		.bytes_per_us = bytes_per_us,
	};
	const struct platform_device_info info = {
		.parent = dev,
		.name = FAKE_DEVICE,
		.id = PLATFORM_DEVID_NONE,
		.data = &data,
		.size_data = sizeof(data),
	};
	uintptr_t i;

	for (i = 0; i < channels; i++)
		sim_map[i] = (struct dma_slave_map){
			.devname = "dmacpy.0",
			.slave = sim_names[i],
			.param = (void *)i,
		};
	sim_engine = platform_device_register_full(&info);
	return PTR_ERR_OR_ZERO(sim_engine);
}

static int sim_add_user(struct device *dev)
{
	const struct property_entry properties[] = {
		PROPERTY_ENTRY_STRING_ARRAY_LEN("dma-names", sim_names,
						channels),
		{ }
	};
	const struct platform_device_info info = {
		.parent = dev,
		.name = "dmacpy",
		.id = 0,
		.properties = properties,
	};

	sim_user = platform_device_register_full(&info);
	return PTR_ERR_OR_ZERO(sim_user);
}

static int sim_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct fake_sram sram;
	int ret;

	if (!channels || channels > FAKE_CHANNELS || !sram_kib ||
	    sram_kib > SZ_1G / SZ_1K)
		return dev_err_probe(dev, -EINVAL,
				     "channels=%u or sram_kib=%u is out of bounds\n",
				     channels, sram_kib);
	ret = sim_add_sram(dev, &sram);
	if (ret)
		return ret;
	ret = sim_add_engine(dev, &sram);
	if (ret)
		return ret;
	ret = sim_add_user(dev);
	if (ret)
		platform_device_unregister(sim_engine);
	return ret;
}

static void sim_remove(struct platform_device *pdev)
{
	platform_device_unregister(sim_user);
	platform_device_unregister(sim_engine);
}

static struct platform_driver sim_driver = {
	.DMACPY_REMOVE = sim_remove,
	.driver = {
		.name = "dmacpy-sim",
	},
};

/* While a buffer exists, dmacpy holds this module, and so the SRAM. */
static int __init sim_init(void)
{
	sim_device = platform_create_bundle(&sim_driver, sim_probe, NULL, 0,
					    NULL, 0);
	return PTR_ERR_OR_ZERO(sim_device);
}
module_init(sim_init);

static void __exit sim_exit(void)
{
	platform_device_unregister(sim_device);
	platform_driver_unregister(&sim_driver);
}
module_exit(sim_exit);

MODULE_DESCRIPTION("A device for dmacpy without hardware");
MODULE_LICENSE("GPL");
MODULE_SOFTDEP("pre: dmacpy_fake_dma dmacpy");
