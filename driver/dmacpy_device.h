/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An instance: a pool of SRAM, the channels of an engine, a character device.
 *
 * Order of locks, outer first: mmap_lock (in a fault) -> gate (SRCU) ->
 * dmacpy_stream.submit -> dma_resv; gate -> dmacpy_device.lock ->
 * dmacpy_stream.submit, and the locks of pool, dma-buf and dmaengine.
 * Inside all of these are dmacpy_chan.pump, with the engine's own locks inside,
 * and the spinlocks: dmacpy_chan.lock, which is inside the engine's, with
 * dmacpy_report.lock inside, and dmacpy_stream.lock. heaps_lock has only the
 * locks of dma-heap inside, recovery_parked_lock only those of a channel and of
 * dmaengine, accounts_lock none. misc_mtx, with which a file is opened, has
 * dmacpy_device.lock and that of the regions inside: an open may wait for
 * streams that are being freed.
 */
#ifndef DMACPY_DEVICE_H
#define DMACPY_DEVICE_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/srcu.h>
#include <linux/wait.h>

#include "dmacpy_report.h"

struct dentry;
struct dmacpy_chan;
struct dmacpy_heap;
struct dmacpy_pool;

/**
 * struct dmacpy_device - one instance
 * @ref: held by the driver while bound, by each stream and each SRAM buffer
 * @parent: a reference to the platform device; its hardware must only be used
 *	inside the gate
 * @misc: /dev/dmacpyN
 * @id: N
 * @name: N with its prefix, for @misc
 * @gate: read-locked by code that needs the hardware; SUBMIT and RUN hold
 *	dmacpy_stream.submit instead
 * @unplugged: the gate is closed; written before synchronize_srcu(@gate)
 * @lock: protects @streams, @exports and the streams' places on @chans
 * @streams: all streams, dmacpy_stream.node
 * @exports: all SRAM buffers, dmacpy_export.node
 * @pool: the SRAM
 * @heap: allocates from @pool, too, or NULL
 * @chans: the channels
 * @nchans: number of @chans
 * @spreads: all of @chans can run shares of one job
 * @ready: woken when a channel has recovered
 * @report: failures of the channels
 * @debugfs: its directory in debugfs
 */
struct dmacpy_device {
	struct kref ref;
	struct device *parent;
	struct miscdevice misc;
	int id;
	char name[24];

	struct srcu_struct gate;
	bool unplugged;

	struct mutex lock;
	struct list_head streams;
	struct list_head exports;

	struct dmacpy_pool *pool;
	struct dmacpy_heap *heap;
	struct dmacpy_chan **chans;
	unsigned int nchans;
	bool spreads;
	wait_queue_head_t ready;
	struct dmacpy_report report;
	struct dentry *debugfs;
};

struct dmacpy_device *dmacpy_device_create(struct device *parent);
void dmacpy_device_get(struct dmacpy_device *dev);
void dmacpy_device_put(struct dmacpy_device *dev);
void dmacpy_device_unplug(struct dmacpy_device *dev);

/**
 * dmacpy_device_enter() - enter the gate
 * @dev: the instance
 * @idx: for dmacpy_device_exit()
 *
 * While a task is inside, the device stays bound. Code inside must not wait for
 * a job or access user memory, so that an unbind never waits for a user.
 *
 * Context: Process. dmacpy_device_exit() must follow, for either result.
 * Return: false if the device was unbound and its hardware must not be used.
 */
static inline bool dmacpy_device_enter(struct dmacpy_device *dev, int *idx)
	__acquires(&dev->gate)
{
	*idx = srcu_read_lock(&dev->gate);
	return !READ_ONCE(dev->unplugged);
}

/**
 * dmacpy_device_exit() - leave the gate
 * @dev: the instance
 * @idx: from dmacpy_device_enter()
 *
 * Context: Process.
 */
static inline void dmacpy_device_exit(struct dmacpy_device *dev, int idx)
	__releases(&dev->gate)
{
	srcu_read_unlock(&dev->gate, idx);
}

#endif /* DMACPY_DEVICE_H */
