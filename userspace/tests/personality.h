/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fake engine behaves like other engines with their drivers, whose
 * peculiarities kunit/dmacpy_fake_dma.c simulates: each was found by reading
 * the driver, in Linux 6.12.
 */
#ifndef DMACPY_TESTS_PERSONALITY_H
#define DMACPY_TESTS_PERSONALITY_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "common.h"
#include "engine.h"

#define MODULES		"/lib/modules/"
#define FAKE_ENGINE	"dmacpy-fake-dma"
#define BOUND_MS	5000	/* allows for a busy host */
#define CHANNELS	4

/* All but @instance are for engines.c. */
FIXTURE(engines)
{
	struct instance instance;
	int stream, sram, in, out;
	unsigned int races;
	uint8_t *in_mem, *out_mem;
};

/*
 * The behaviour of the engine, and the name of its driver, if dmacpy treats
 * that specially: memory of a job on which such a driver hung is never freed.
 * @tiles: behaviour of its DMA_INTERLEAVE for rows with gaps, if it has that.
 */
FIXTURE_VARIANT(engines)
{
	const char *knob;
	const char *driver;
	unsigned int value;
	unsigned int tiles;
};

FIXTURE_VARIANT_ADD(engines, zdma) { NULL, NULL, 0, 0 };
FIXTURE_VARIANT_ADD(engines, mv_xor) { "cb_locked", NULL, 1, 0 };
FIXTURE_VARIANT_ADD(engines, ptdma) { "cb_hardirq", NULL, 1, 0 };
FIXTURE_VARIANT_ADD(engines, hidma) { "cb_terminate", NULL, 1, 0 };
FIXTURE_VARIANT_ADD(engines, edma) { "stalls", NULL, 1, 1 };
FIXTURE_VARIANT_ADD(engines, omap_dma) { "stalls", "omap-dma-engine", 1, 1 };
FIXTURE_VARIANT_ADD(engines, imx_dma) { NULL, NULL, 0, 2 };
FIXTURE_VARIANT_ADD(engines, imx_sdma) { "sync_work", NULL, 1, 0 };
FIXTURE_VARIANT_ADD(engines, at_xdmac) { "any_slave", NULL, 1, 1 };
FIXTURE_VARIANT_ADD(engines, forgetful) { "forgetful", NULL, 1, 0 };
FIXTURE_VARIANT_ADD(engines, at_hdmac) { "memset", NULL, 1, 3 };
FIXTURE_VARIANT_ADD(engines, wrong_memset) { "memset", NULL, 2, 0 };
FIXTURE_VARIANT_ADD(engines, one_descriptor) { "ring", NULL, 1, 0 };
FIXTURE_VARIANT_ADD(engines, no_order) { "no_order", NULL, 1, 0 };
FIXTURE_VARIANT_ADD(engines, nbpf) { "sleeps", "dma-nbpf", 1, 0 };
FIXTURE_VARIANT_ADD(engines, cdma) { "bad_residue", "xilinx-vdma", 1, 0 };
FIXTURE_VARIANT_ADD(engines, sf_pdma) { "forgetful", "sf-pdma", 1, 0 };
FIXTURE_VARIANT_ADD(engines, tegra) { "forgetful", "tegra-gpcdma", 2, 0 };
FIXTURE_VARIANT_ADD(engines, dw_axi)
{
	"forgetful", "dw_axi_dmac_platform", 2, 0
};

FIXTURE_VARIANT_ADD(engines, pl330) { "one_list", "dma-pl330", 1, 0 };

static int unload(const char *module)
{
	unsigned int start = milliseconds();
	int ret;

	do
		ret = syscall(SYS_delete_module, module, O_NONBLOCK);
	while (ret && errno == EAGAIN && milliseconds() - start < BOUND_MS);
	return ret ? -errno : 0;
}

static int load(const char *path, const char *arguments)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret = 0;

	if (fd < 0 || syscall(SYS_finit_module, fd, arguments, 0))
		ret = -errno;
	close(fd);
	return ret;
}

static bool driver_exists(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/bus/platform/drivers/%s", name);
	return !access(path, F_OK);
}

static bool engine_is_named(const char *driver)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path),
		 "/sys/module/dmacpy_fake_dma/drivers/platform:%s", driver);
	return !access(path, F_OK);
}

/*
 * Renames the engine, and rebinds all instances, unless it has the name: that
 * takes longer than most tests, so it keeps the name until another is needed.
 */
static int rename_engine(const char *driver)
{
	char arguments[64];

	if (engine_is_named(driver))
		return 0;
	snprintf(arguments, sizeof(arguments), "driver=%s", driver);
	return unload("dmacpy") ?: unload("dmacpy_fake_dma") ?:
	       load(MODULES "dmacpy_fake_dma.ko", arguments) ?:
	       load(MODULES "dmacpy.ko", "");
}

/* Returns the reason, or NULL. */
static const char *
is_impossible(const struct _fixture_variant_engines *variant,
	      struct instance *instance)
{
	const char *driver = variant->driver ?: FAKE_ENGINE;

	if (engine_find(instance))
		return NO_ENGINE;
	if (variant->driver && access(MODULES "dmacpy.ko", F_OK))
		return "the driver is not a module here";
	if (driver_exists(driver) && !engine_is_named(driver))
		return "this board has the engine itself";
	return NULL;
}

/* After a timeout, is the memory of the job kept for ever? */
static bool keeps_memory(const struct _fixture_variant_engines *variant)
{
	return (variant->driver && strcmp(variant->driver, "sf-pdma")) ||
	       (variant->knob && !strcmp(variant->knob, "no_order"));
}

/*
 * The driver checks the engine's properties when it is bound, and tests each of
 * its channels: if the engine has no peculiarity, for no more than a second.
 */
static int behave_like(const struct _fixture_variant_engines *variant,
		       struct instance *instance)
{
	unsigned int start;
	int ret;

	if (!engine_reset())
		return -EIO;
	ret = rename_engine(variant->driver ?: FAKE_ENGINE) ?:
	      engine_find(instance) ?: instance_unbind(instance);
	if (ret)
		return ret;
	if (!engine_set("tiles", variant->tiles) ||
	    (variant->knob && !engine_set(variant->knob, variant->value)))
		return -EIO;
	start = milliseconds();
	ret = instance_bind(instance);
	if (!ret && !variant->knob && milliseconds() - start > CHANNELS * 1000)
		return -ETIME;
	return ret;
}

/* The engine keeps the name of the driver. */
static int behave_again(struct instance *instance)
{
	if (!engine_reset())
		return -EIO;
	return instance_unbind(instance) ?: instance_bind(instance);
}

#endif
