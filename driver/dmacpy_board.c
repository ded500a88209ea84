// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instances for boards whose device tree cannot be changed, or that have none:
 * with SRAM that the user names, and any free channel.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/completion.h>
#include <linux/err.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/overflow.h>
#include <linux/platform_device.h>
#include <linux/sched/task.h>
#include <linux/uaccess.h>

#include "dmacpy_board.h"
#include "dmacpy_pool.h"

/* More than any board has. */
#define BOARD_REGIONS	8

static char *sram;
/* The parameter makes any address readable: a locked-down kernel refuses it. */
module_param_hw(sram, charp, iomem, 0444);
MODULE_PARM_DESC(sram,
		 "SRAM that the device tree does not have, <size>@<address>[,...]");

static struct platform_device *board_devices[BOARD_REGIONS];
static unsigned int board_count;

/**
 * struct board_reader - a thread that reads a region which may not respond
 * @region: its mapping
 * @size: its size
 * @started: completed when the thread runs
 */
struct board_reader {
	void *region;
	size_t size;
	struct completion started;
};

/* Returns the text after the region, or NULL. */
static char *board_parse(const char *text, struct resource *res)
{
	u64 size, start, end;
	char *rest;

	size = memparse(text, &rest);
	if (rest == text || *rest != '@')
		return NULL;
	text = rest + 1;
	start = memparse(text, &rest);
	if (rest == text || (*rest && *rest != ',') || !size ||
	    check_add_overflow(start, size - 1, &end) ||
	    end != (resource_size_t)end)
		return NULL;
	*res = (struct resource){
		.start = start,
		.end = end,
		.flags = IORESOURCE_MEM,
	};
	return rest;
}

static int board_check(struct resource *res)
{
	unsigned int i;

	if (!PAGE_ALIGNED(res->start) || !PAGE_ALIGNED(resource_size(res))) {
		pr_err("sram=%s: not in whole pages of %lu bytes\n", sram,
		       PAGE_SIZE);
		return -EINVAL;
	}
	for (i = 0; i < board_count; i++)
		if (resource_overlaps(res, board_devices[i]->resource)) {
			pr_err("sram=%s: the regions overlap\n", sram);
			return -EINVAL;
		}
	/* The kernel owns the region. */
	if (dmacpy_pool_is_main_memory(res)) {
		pr_err("sram=%s: %pR is the system's main memory\n", sram, res);
		return -EBUSY;
	}
	/* Fails also for a part of a device that no driver has claimed. */
	if (!request_mem_region(res->start, resource_size(res), "dmacpy")) {
		pr_err("sram=%s: %pR is in use, see /proc/iomem\n", sram, res);
		return -EBUSY;
	}
	release_mem_region(res->start, resource_size(res));
	return 0;
}

/* Returns the number of pages that could be read, or does not return. */
static int board_read_pages(void *data)
{
	struct board_reader *reader = data;
	size_t at;
	u32 word;

	complete(&reader->started);
	for (at = 0; at < reader->size; at += PAGE_SIZE) {
		if (copy_from_kernel_nofault(&word, reader->region + at,
					     sizeof(word)))
			break;
		/*
		 * Some aborts are delayed: wait, so that this thread takes
		 * them.
		 */
		mb();
	}
	return at >> PAGE_SHIFT;
}

/*
 * Reads each page in a thread. If nothing responds, the read is an external
 * abort on Arm. The kernel does not recover from it, and kills the task that
 * reads. That must be neither a user of the SRAM nor the program that loads the
 * module: then the module could be neither loaded nor removed.
 */
static int board_read(const struct resource *res)
{
	struct board_reader reader = { .size = resource_size(res) };
	struct task_struct *thread;
	int pages = 0;

	reader.region = memremap(res->start, reader.size, MEMREMAP_WC);
	if (!reader.region) {
		pr_err("sram=%s: %pR cannot be mapped\n", sram, res);
		return -ENOMEM;
	}
	init_completion(&reader.started);
	thread = kthread_create(board_read_pages, &reader, "dmacpy-sram");
	if (!IS_ERR(thread)) {
		get_task_struct(thread);
		wake_up_process(thread);
		wait_for_completion(&reader.started);
		pages = kthread_stop(thread);
		put_task_struct(thread);
	}
	memunmap(reader.region);
	if (IS_ERR(thread))
		return PTR_ERR(thread);
	if (pages != reader.size >> PAGE_SHIFT) {
		pr_err("sram=%s: nothing answers at %pR\n", sram, res);
		return -ENXIO;
	}
	return 0;
}

static int board_add_region(struct resource *res)
{
	struct platform_device_info info = {
		.name = "dmacpy",
		.id = PLATFORM_DEVID_AUTO,
		.res = res,
		.num_res = 1,
	};
	struct platform_device *pdev;
	int ret;

	ret = board_check(res) ?: board_read(res);
	if (ret)
		return ret;
	pdev = platform_device_register_full(&info);
	if (!IS_ERR(pdev))
		board_devices[board_count++] = pdev;
	return PTR_ERR_OR_ZERO(pdev);
}

/**
 * dmacpy_board_add() - create the devices of the module parameter, if it is set
 *
 * Context: Process.
 * Return: 0; or, with the reason in the log, -EINVAL for an invalid parameter,
 * -EBUSY for memory that is in use, -ENXIO if nothing responds, -ENOMEM. If a
 * node of this driver has the same memory, this is detected only when both are
 * bound: they share it, or one of them fails.
 */
int dmacpy_board_add(void)
{
	char *rest = sram;
	struct resource res;
	int ret = 0;

	while (rest && !ret) {
		if (board_count == BOARD_REGIONS) {
			pr_err("sram=%s: more than %d regions\n", sram,
			       BOARD_REGIONS);
			ret = -E2BIG;
			break;
		}
		rest = board_parse(rest, &res);
		if (!rest) {
			pr_err("sram=%s: not <size>@<address>[,...]\n", sram);
			ret = -EINVAL;
			break;
		}
		ret = board_add_region(&res);
		rest = *rest ? rest + 1 : NULL;
	}
	if (ret)
		dmacpy_board_del();
	return ret;
}

/**
 * dmacpy_board_del() - undo dmacpy_board_add()
 *
 * Context: Process.
 */
void dmacpy_board_del(void)
{
	while (board_count)
		platform_device_unregister(board_devices[--board_count]);
}
