// SPDX-License-Identifier: GPL-2.0-only
/*
 * The power of an instance and, through device links, of the SRAM's device and
 * the engine. It is on while there is a buffer: SRAM that was allocated, or a
 * handle. So it is on for each job, which has at least one buffer.
 */
#include <linux/device.h>
#include <linux/pm_runtime.h>

#include "dmacpy_power.h"

/* Longer than the usual time between two buffers of a program, in ms. */
#define POWER_DELAY	100

/**
 * dmacpy_power_enable() - enable runtime power management
 * @parent: the platform device that is being bound
 *
 * Context: Process. Undone by dmacpy_power_disable().
 */
void dmacpy_power_enable(struct device *parent)
{
	pm_runtime_set_autosuspend_delay(parent, POWER_DELAY);
	pm_runtime_use_autosuspend(parent);
	pm_runtime_enable(parent);
}

/**
 * dmacpy_power_disable() - undo dmacpy_power_enable()
 * @parent: the platform device
 *
 * Context: Process.
 */
void dmacpy_power_disable(struct device *parent)
{
	pm_runtime_disable(parent);
	pm_runtime_dont_use_autosuspend(parent);
}

/**
 * dmacpy_power_get() - keep the power on
 * @parent: the platform device, bound
 *
 * Context: Process. Undone by dmacpy_power_put(), even after an unbind.
 * Return: 0 or the -errno of a device that cannot be resumed.
 */
int dmacpy_power_get(struct device *parent)
{
	int ret = pm_runtime_resume_and_get(parent);

	if (!ret)
		get_device(parent);
	return ret;
}

/**
 * dmacpy_power_put() - undo dmacpy_power_get()
 * @parent: the platform device
 *
 * Context: Process.
 */
void dmacpy_power_put(struct device *parent)
{
	pm_runtime_mark_last_busy(parent);
	pm_runtime_put_autosuspend(parent);
	put_device(parent);
}
