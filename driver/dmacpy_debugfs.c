// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of a running system, for developers. The files and their format are
 * not an interface.
 */
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/seq_file.h>

#include "dmacpy_chan.h"
#include "dmacpy_debugfs.h"
#include "dmacpy_device.h"
#include "dmacpy_export.h"
#include "dmacpy_pool.h"
#include "dmacpy_recovery.h"

static struct dentry *debugfs_root;

static void debugfs_show_channel(struct seq_file *m, struct dmacpy_chan *chan)
{
	struct dmacpy_chan_stat stat;

	dmacpy_chan_stat(chan, &stat);
	seq_printf(m, "%s\n", stat.dma_name);
	seq_printf(m, "\tstate %s\n", stat.ready ? "ready" : "recovering");
	seq_printf(m, "\tended %llu\n", stat.ended);
	seq_printf(m, "\tfailed %llu\n", stat.failed);
	seq_printf(m, "\ttimeouts %u\n", stat.timeouts);
	seq_printf(m, "\trevivals %u\n", stat.reset_count);
	seq_printf(m, "\tdescriptors in flight %u\n", stat.in_flight);
	seq_printf(m, "\ttransfers in quarantine %u\n", stat.quarantined);
}

static int channels_show(struct seq_file *m, void *unused)
{
	struct dmacpy_device *dev = m->private;
	unsigned int i;

	for (i = 0; i < dev->nchans; i++)
		debugfs_show_channel(m, dev->chans[i]);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(channels);

static int sram_show(struct seq_file *m, void *unused)
{
	struct dmacpy_device *dev = m->private;
	struct dmacpy_pool_stat stat;

	dmacpy_pool_stat(dev->pool, &stat);
	seq_printf(m, "total %llu\nfree %llu\nlargest %llu\n", stat.total,
		   stat.free, stat.largest);
	dmacpy_export_show(dev, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(sram);

static int lost_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "%u\n", dmacpy_chan_parked());
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(lost);

/**
 * dmacpy_debugfs_add() - create the files of an instance
 * @dev: the instance
 *
 * Context: Process. Undone by dmacpy_debugfs_del().
 */
void dmacpy_debugfs_add(struct dmacpy_device *dev)
{
	dev->debugfs = debugfs_create_dir(dev_name(dev->parent), debugfs_root);
	debugfs_create_file("channels", 0400, dev->debugfs, dev,
			    &channels_fops);
	debugfs_create_file("sram", 0400, dev->debugfs, dev, &sram_fops);
}

/**
 * dmacpy_debugfs_del() - undo dmacpy_debugfs_add()
 * @dev: the instance, which no reader of the files uses after this; may be
 *	called twice
 *
 * Context: Process.
 */
void dmacpy_debugfs_del(struct dmacpy_device *dev)
{
	debugfs_remove_recursive(dev->debugfs);
	dev->debugfs = NULL;
}

/**
 * dmacpy_debugfs_init() - create the files that belong to no instance
 *
 * Context: Process. Undone by dmacpy_debugfs_exit().
 */
void dmacpy_debugfs_init(void)
{
	debugfs_root = debugfs_create_dir("dmacpy", NULL);
	debugfs_create_file("lost", 0400, debugfs_root, NULL, &lost_fops);
}

/**
 * dmacpy_debugfs_exit() - undo dmacpy_debugfs_init()
 *
 * Context: Process.
 */
void dmacpy_debugfs_exit(void)
{
	debugfs_remove_recursive(debugfs_root);
}
