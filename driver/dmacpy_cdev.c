// SPDX-License-Identifier: GPL-2.0-only
/* /dev/dmacpyN: an open file is a stream. */
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>

#include "dmacpy_cdev.h"
#include "dmacpy_compat.h"
#include "dmacpy_device.h"
#include "dmacpy_event.h"
#include "dmacpy_ioctl.h"
#include "dmacpy_stream.h"
#include "dmacpy_sysfs.h"
#include "dmacpy_uring.h"

/* Number of records that are copied at a time. */
#define CDEV_READ_EVENTS	8

/* An unbind frees the number, even while files are open. */
static DEFINE_IDA(cdev_ids);

/* misc_open() and misc_deregister() exclude each other: the device exists. */
static int cdev_open(struct inode *inode, struct file *file)
{
	struct dmacpy_stream *stream;

	stream = dmacpy_stream_open(container_of(file->private_data,
						 struct dmacpy_device, misc));
	if (IS_ERR(stream))
		return PTR_ERR(stream);
	file->private_data = stream;
	return nonseekable_open(inode, file);
}

static int cdev_release(struct inode *inode, struct file *file)
{
	dmacpy_stream_close(file->private_data);
	return 0;
}

static long cdev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return dmacpy_ioctl(file->private_data, cmd, arg,
			    file->f_flags & O_NONBLOCK);
}

static int cdev_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	return dmacpy_uring_cmd(cmd->file->private_data, cmd, issue_flags);
}

static int cdev_uring_cmd_iopoll(struct io_uring_cmd *cmd,
				 struct io_comp_batch *batch,
				 unsigned int poll_flags)
{
	return dmacpy_uring_poll(cmd);
}

/*
 * Waits for the first record only. Records that cannot be copied are not lost.
 */
static ssize_t cdev_read(struct file *file, char __user *user, size_t count,
			 loff_t *pos)
{
	struct dmacpy_stream *stream = file->private_data;
	bool nonblock = file->f_flags & O_NONBLOCK;
	struct dmacpy_event events[CDEV_READ_EVENTS];
	unsigned int max, unread;
	size_t done = 0;
	int taken;

	if (count < sizeof(*events))
		return -EINVAL;
	do {
		max = min((count - done) / sizeof(*events), ARRAY_SIZE(events));
		taken = dmacpy_event_take(stream, events, max,
					  nonblock || done);
		if (taken < 0)
			return done ?: taken;
		unread = DIV_ROUND_UP(copy_to_user(user + done, events,
						   taken * sizeof(*events)),
				      sizeof(*events));
		dmacpy_event_end_read(stream, events, taken, unread);
		done += (taken - unread) * sizeof(*events);
	} while (!unread && taken == max && count - done >= sizeof(*events));
	return done ?: -EFAULT;
}

static __poll_t cdev_poll(struct file *file, poll_table *table)
{
	return dmacpy_stream_poll(file->private_data, file, table);
}

static int cdev_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	return dmacpy_stream_flush(file->private_data);
}

/* guide.rst describes these lines. */
static void cdev_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct dmacpy_stream_stat stat;

	if (dmacpy_stream_stat(file->private_data, &stat))
		return;
	seq_printf(m, "dmacpy-channel:\t%s\n", stat.channel);
	seq_printf(m, "dmacpy-jobs:\t%u\n", stat.jobs);
	seq_printf(m, "dmacpy-ended:\t%llu\n", stat.ended);
	seq_printf(m, "dmacpy-bytes:\t%llu\n", stat.bytes);
	seq_printf(m, "dmacpy-failed:\t%llu\n", stat.failed);
	seq_printf(m, "dmacpy-records:\t%u\n", stat.records);
	seq_printf(m, "dmacpy-handles:\t%u\n", stat.handles);
	seq_printf(m, "dmacpy-pinned:\t%llu KiB\n", stat.pinned / 1024);
	seq_printf(m, "dmacpy-sram:\t%llu KiB\n", stat.sram / 1024);
}

static const struct file_operations cdev_fops = {
	.owner = THIS_MODULE,
	.open = cdev_open,
	.release = cdev_release,
	.read = cdev_read,
	.poll = cdev_poll,
	.fsync = cdev_fsync,
	.show_fdinfo = cdev_show_fdinfo,
	.unlocked_ioctl = cdev_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.uring_cmd = cdev_uring_cmd,
	.uring_cmd_iopoll = cdev_uring_cmd_iopoll,
};

/**
 * dmacpy_cdev_add() - make the device appear in /dev
 * @dev: the instance, ready for use
 *
 * Context: Process. Undone by dmacpy_cdev_del().
 * Return: 0 or the -errno of ida_alloc() or misc_register().
 */
int dmacpy_cdev_add(struct dmacpy_device *dev)
{
	int ret;

	ret = ida_alloc(&cdev_ids, GFP_KERNEL);
	if (ret < 0)
		return ret;
	dev->id = ret;
	snprintf(dev->name, sizeof(dev->name), "dmacpy%d", dev->id);

	dev->misc.minor = MISC_DYNAMIC_MINOR;
	dev->misc.name = dev->name;
	dev->misc.fops = &cdev_fops;
	dev->misc.parent = dev->parent;
	dev->misc.mode = 0600;
	dev->misc.groups = dmacpy_sysfs_groups;
	ret = misc_register(&dev->misc);
	if (ret) {
		ida_free(&cdev_ids, dev->id);
		return ret;
	}
	dmacpy_report_attach(&dev->report, dev->misc.this_device);
	return 0;
}

/**
 * dmacpy_cdev_del() - make the device disappear; open files stay
 * @dev: the instance
 *
 * Context: Process.
 */
void dmacpy_cdev_del(struct dmacpy_device *dev)
{
	dmacpy_report_detach(&dev->report);
	misc_deregister(&dev->misc);
	ida_free(&cdev_ids, dev->id);
}
