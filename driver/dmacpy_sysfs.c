// SPDX-License-Identifier: GPL-2.0-only
/*
 * The attributes of /sys/class/misc/dmacpyN, a stable interface:
 * Documentation/ABI/testing/sysfs-class-misc-dmacpy.
 */
#include <linux/device.h>
#include <linux/miscdevice.h>
#include <linux/sysfs.h>

#include "dmacpy_chan.h"
#include "dmacpy_device.h"
#include "dmacpy_sysfs.h"

/**
 * struct sysfs_sums - sums over the open channels of a device
 * @channels: number of channels
 * @down: number of channels that are being recovered
 * @jobs: number of completed jobs
 * @bytes: of these jobs
 */
struct sysfs_sums {
	unsigned int channels;
	unsigned int down;
	u64 jobs;
	u64 bytes;
};

static struct dmacpy_device *sysfs_device(struct device *node)
{
	return container_of(dev_get_drvdata(node), struct dmacpy_device, misc);
}

/* A shutdown closes the channels while the attributes still exist. */
static struct sysfs_sums sysfs_sum(struct device *node)
{
	struct dmacpy_device *dev = sysfs_device(node);
	struct sysfs_sums sums = { };
	struct dmacpy_chan_stat stat;
	unsigned int i;
	int idx;

	if (dmacpy_device_enter(dev, &idx)) {
		sums.channels = dev->nchans;
		for (i = 0; i < dev->nchans; i++) {
			dmacpy_chan_stat(dev->chans[i], &stat);
			sums.down += !stat.ready;
			sums.jobs += stat.ended;
			sums.bytes += stat.bytes;
		}
	}
	dmacpy_device_exit(dev, idx);
	return sums;
}

static struct dmacpy_report_stat sysfs_failures(struct device *node)
{
	struct dmacpy_report_stat stat;

	dmacpy_report_stat(&sysfs_device(node)->report, &stat);
	return stat;
}

static ssize_t channels_show(struct device *node, struct device_attribute *attr,
			     char *text)
{
	return sysfs_emit(text, "%u\n", sysfs_sum(node).channels);
}
static DEVICE_ATTR_RO(channels);

static ssize_t channels_down_show(struct device *node,
				  struct device_attribute *attr, char *text)
{
	return sysfs_emit(text, "%u\n", sysfs_sum(node).down);
}
static DEVICE_ATTR_RO(channels_down);

static ssize_t jobs_show(struct device *node, struct device_attribute *attr,
			 char *text)
{
	return sysfs_emit(text, "%llu\n", sysfs_sum(node).jobs);
}
static DEVICE_ATTR_RO(jobs);

static ssize_t bytes_show(struct device *node, struct device_attribute *attr,
			  char *text)
{
	return sysfs_emit(text, "%llu\n", sysfs_sum(node).bytes);
}
static DEVICE_ATTR_RO(bytes);

static ssize_t errors_show(struct device *node, struct device_attribute *attr,
			   char *text)
{
	return sysfs_emit(text, "%u\n", sysfs_failures(node).errors);
}
static DEVICE_ATTR_RO(errors);

static ssize_t timeouts_show(struct device *node, struct device_attribute *attr,
			     char *text)
{
	return sysfs_emit(text, "%u\n", sysfs_failures(node).timeouts);
}
static DEVICE_ATTR_RO(timeouts);

static ssize_t recoveries_show(struct device *node,
			       struct device_attribute *attr, char *text)
{
	return sysfs_emit(text, "%u\n", sysfs_failures(node).recoveries);
}
static DEVICE_ATTR_RO(recoveries);

static struct attribute *sysfs_attrs[] = {
	&dev_attr_channels.attr,
	&dev_attr_channels_down.attr,
	&dev_attr_jobs.attr,
	&dev_attr_bytes.attr,
	&dev_attr_errors.attr,
	&dev_attr_timeouts.attr,
	&dev_attr_recoveries.attr,
	NULL
};

static const struct attribute_group sysfs_group = { .attrs = sysfs_attrs };

const struct attribute_group *dmacpy_sysfs_groups[] = { &sysfs_group, NULL };
