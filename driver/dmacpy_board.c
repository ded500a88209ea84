// SPDX-License-Identifier: GPL-2.0-only
/*
 * An instance for boards whose device tree cannot be changed: with SRAM that
 * the user names, and whatever channel there is.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/ioport.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/overflow.h>
#include <linux/platform_device.h>

#include "dmacpy_board.h"
#include "dmacpy_pool.h"

static char *sram;
module_param(sram, charp, 0444);
MODULE_PARM_DESC(sram,
		 "SRAM that the device tree does not have, <size>@<address>");

static struct platform_device *board_device;

static int board_parse(struct resource *res)
{
	u64 size, start, end;
	char *at, *rest;

	size = memparse(sram, &at);
	if (at == sram || *at++ != '@')
		return -EINVAL;
	start = memparse(at, &rest);
	if (rest == at || *rest || !size ||
	    check_add_overflow(start, size - 1, &end) ||
	    end != (resource_size_t)end)
		return -EINVAL;
	*res = (struct resource){
		.start = start,
		.end = end,
		.flags = IORESOURCE_MEM,
	};
	return 0;
}

static int board_check(const struct resource *res)
{
	if (!PAGE_ALIGNED(res->start) || !PAGE_ALIGNED(resource_size(res))) {
		pr_err("sram=%s: not in whole pages of %lu bytes\n", sram,
		       PAGE_SIZE);
		return -EINVAL;
	}
	/* It belongs to the kernel, which may have anything there. */
	if (dmacpy_pool_is_main_memory(res)) {
		pr_err("sram=%s: is the system's main memory\n", sram);
		return -EBUSY;
	}
	/* Also when it is part of a device that nobody has claimed. */
	if (!request_mem_region(res->start, resource_size(res), "dmacpy")) {
		pr_err("sram=%s: is in use, see /proc/iomem\n", sram);
		return -EBUSY;
	}
	release_mem_region(res->start, resource_size(res));
	return 0;
}

/**
 * dmacpy_board_add() - make the device of the module parameter, if there is one
 *
 * Context: Process. Undone by dmacpy_board_del().
 * Return: 0, -EINVAL for a parameter that makes no sense, -EBUSY for memory
 * that is somebody else's, -ENOMEM. That a node of this driver has the same
 * memory is only seen when both are bound: they share it, or one of them fails.
 */
int dmacpy_board_add(void)
{
	struct platform_device_info info = {
		.name = "dmacpy",
		.id = PLATFORM_DEVID_AUTO,
		.num_res = 1,
	};
	struct resource res;
	int ret;

	if (!sram)
		return 0;
	ret = board_parse(&res);
	if (ret) {
		pr_err("sram=%s: not <size>@<address>\n", sram);
		return ret;
	}
	ret = board_check(&res);
	if (ret)
		return ret;

	info.res = &res;
	board_device = platform_device_register_full(&info);
	return PTR_ERR_OR_ZERO(board_device);
}

/**
 * dmacpy_board_del() - undo dmacpy_board_add()
 *
 * Context: Process.
 */
void dmacpy_board_del(void)
{
	platform_device_unregister(board_device);
}
