// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks the device tree node for contradictions. A property that the driver
 * would ignore is refused, as the author of the node expects an effect.
 */
#include <linux/device.h>
#include <linux/ioport.h>
#include <linux/of.h>
#include <linux/platform_device.h>
#include <linux/property.h>
#include <linux/string.h>

#include "dmacpy_node.h"

static int node_check_sram(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	bool reg = device_property_present(dev, "reg");
	bool sram = device_property_present(dev, "sram");

	if (!reg && !sram)
		return dev_err_probe(dev, -EINVAL,
				     "needs \"sram\" or \"reg\"\n");
	if (reg && sram)
		return dev_err_probe(dev, -EINVAL,
				     "has both \"sram\" and \"reg\"\n");
	if (of_count_phandle_with_args(dev->of_node, "sram", NULL) > 1)
		return dev_err_probe(dev, -EINVAL,
				     "\"sram\" has more than one entry\n");
	if (platform_get_resource(pdev, IORESOURCE_MEM, 1))
		return dev_err_probe(dev, -EINVAL,
				     "\"reg\" has more than one entry\n");
	if (reg && !platform_get_resource(pdev, IORESOURCE_MEM, 0))
		return dev_err_probe(dev, -EINVAL,
				     "\"reg\" is no address of the CPU\n");
	if (sram && device_property_present(dev, "reserved"))
		return dev_err_probe(dev, -EINVAL,
				     "\"reserved\" is of no use without \"reg\"\n");
	if (of_count_phandle_with_args(dev->of_node, "clocks",
				       "#clock-cells") > 1)
		return dev_err_probe(dev, -EINVAL,
				     "\"clocks\" has more than one entry\n");
	return 0;
}

/* dmaengine would give the same channel for both, with a stack dump. */
static int node_check_name(struct device *dev, int index)
{
	const char *name, *other;
	int i;

	of_property_read_string_index(dev->of_node, "dma-names", index, &name);
	for (i = 0; i < index; i++) {
		of_property_read_string_index(dev->of_node, "dma-names", i,
					      &other);
		if (!strcmp(name, other))
			return dev_err_probe(dev, -EINVAL,
					     "\"dma-names\" has \"%s\" twice\n",
					     name);
	}
	return 0;
}

/* Without names, the driver would take channels of any engine. */
static int node_check_dmas(struct device *dev)
{
	int names = 0, dmas = 0, ret = 0, i;

	if (device_property_present(dev, "dma-names"))
		names = of_property_count_strings(dev->of_node, "dma-names");
	if (device_property_present(dev, "dmas"))
		dmas = of_count_phandle_with_args(dev->of_node, "dmas",
						  "#dma-cells");
	if (names < 0)
		return dev_err_probe(dev, -EINVAL,
				     "bad property \"dma-names\"\n");
	if (dmas < 0)
		return dev_err_probe(dev, -EINVAL, "bad property \"dmas\"\n");
	if (names != dmas)
		return dev_err_probe(dev, -EINVAL,
				     "\"dmas\" has %d entries, \"dma-names\" %d\n",
				     dmas, names);
	for (i = 0; i < names && !ret; i++)
		ret = node_check_name(dev, i);
	return ret;
}

/**
 * dmacpy_node_check() - check the node of a device, before anything is claimed
 * @pdev: the platform device that is being bound
 *
 * Context: Process.
 * Return: 0, also for a device without a node, or -EINVAL with the reason in
 * the log.
 */
int dmacpy_node_check(struct platform_device *pdev)
{
	if (!pdev->dev.of_node)
		return 0;
	return node_check_sram(pdev) ?: node_check_dmas(&pdev->dev);
}
