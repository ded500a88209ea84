/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_CHAN_H
#define DMACPY_CHAN_H

#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "dmacpy_engine.h"
#include "dmacpy_report.h"
#include "dmacpy_testcopy.h"
#include "dmacpy_token.h"
#include "dmacpy_turns.h"

struct dmacpy_xfer;

/**
 * struct dmacpy_xfer_ops - callbacks from a channel to the owner of a transfer
 * @start: the turn of the transfer has come: returns 0, or the -errno that it
 *	completes with instead. Atomic.
 * @next: cut the next piece off, of at most max bytes. Atomic.
 * @done: the transfer has completed: 0, or -EIO, -ETIMEDOUT, -ECANCELED,
 *	-ENODEV. Called once, in the order of submission to the lane. Atomic,
 *	unless the transfer is slow to complete.
 * @release: the engine no longer accesses the memory. Called after @done; the
 *	channel does not use the transfer after this. Atomic.
 */
struct dmacpy_xfer_ops {
	int (*start)(struct dmacpy_xfer *xfer);
	void (*next)(struct dmacpy_xfer *xfer, size_t max,
		     struct dmacpy_piece *piece);
	void (*done)(struct dmacpy_xfer *xfer, int result);
	void (*release)(struct dmacpy_xfer *xfer);
};

/**
 * struct dmacpy_xfer - a transfer of many pieces, embedded in its owner
 * @client: owner of the descriptors
 * @ops: callbacks; set by the owner
 * @bytes_left: bytes not yet submitted to the engine; the owner sets it to the
 *	length of the transfer
 * @result: the first error; set by the owner for a transfer that bypasses the
 *	engine, and only completes after those before it in its lane
 * @slow: completing it takes long, so the worker does that; set by the owner
 * @plugged: other transfers follow soon, and then dmacpy_chan_unplug(): the
 *	engine gets them together; set by the owner
 * @parts: number of other transfers that have to complete before this one; set
 *	by the owner, which calls dmacpy_chan_part_done() for each of them
 * @started: dmacpy_xfer_ops.start was called; the channel sets this and all
 *	members below
 * @terminated: the transfer completed without waiting for the engine
 * @in_flight: number of descriptors that have not called back
 * @chan: the channel it was submitted to
 * @lane: the lane it was submitted to
 * @length: bytes of the whole transfer
 * @submitted: time of submission, in jiffies
 * @link: entry in its lane, first in the queue, then in flight; or in the
 *	quarantine
 * @flight: entry in dmacpy_chan.flight, while the engine has descriptors of it
 * @piece: cut off, but not yet submitted to the engine, if it has a length
 */
struct dmacpy_xfer {
	struct dmacpy_client client;
	const struct dmacpy_xfer_ops *ops;
	u64 bytes_left;
	int result;
	bool slow;
	bool plugged;
	unsigned int parts;

	bool started;
	bool terminated;
	unsigned int in_flight;
	struct dmacpy_chan *chan;
	struct dmacpy_lane *lane;
	u64 length;
	unsigned long submitted;
	struct dmacpy_link link;
	struct hlist_node flight;
	struct dmacpy_piece piece;
};

/**
 * enum dmacpy_chan_state - what a channel does with transfers
 * @DMACPY_CHAN_RUNNING: submits them to the engine
 * @DMACPY_CHAN_TERMINATING: the engine is being terminated: all transfers
 *	complete, and callbacks are ignored
 * @DMACPY_CHAN_DOWN: all transfers have completed, and new ones complete at
 *	once, with ECANCELED
 * @DMACPY_CHAN_CLOSING: keeps queued transfers, and waits for the engine
 *
 * ::
 *
 *           no progress               all have completed
 *   RUNNING ------------> TERMINATING ------------------> DOWN
 *    |  ^                        ^                        |  |
 *    |  +------------------------|------------------------+  |
 *    |     released, requested   | drained, or              |
 *    |     again, test copies    | no progress              |
 *    |     have arrived          |                          |
 *    +-----------------------> CLOSING <---------------------+
 *      dmacpy_chan_close()            dmacpy_chan_close()
 */
enum dmacpy_chan_state {
	DMACPY_CHAN_RUNNING,
	DMACPY_CHAN_TERMINATING,
	DMACPY_CHAN_DOWN,
	DMACPY_CHAN_CLOSING,
};

/**
 * struct dmacpy_chan_stat - the state of a channel
 * @dma_name: name of the channel in dmaengine
 * @ended: number of transfers that have completed
 * @bytes: bytes of these transfers, including those that failed
 * @failed: number of transfers that completed with an error
 * @timeouts: number of times that the engine made no progress
 * @reset_count: number of times that the channel has recovered
 * @in_flight: number of descriptors that have not called back
 * @quarantined: number of transfers whose memory the engine may still write to
 * @ready: the channel accepts transfers
 */
struct dmacpy_chan_stat {
	const char *dma_name;
	u64 ended;
	u64 bytes;
	u64 failed;
	unsigned int timeouts;
	unsigned int reset_count;
	unsigned int in_flight;
	unsigned int quarantined;
	bool ready;
};

/**
 * struct dmacpy_chan - a DMA channel, and the transfers in its lanes
 * @dma_dev: the device to map memory for
 * @copy_align: addresses and lengths must be multiples of this
 * @user_align: both ends of a write to pinned memory must be multiples of this:
 *	after the write whole cache lines are invalidated, and would lose other
 *	data that the CPU wrote to them
 * @max_piece: maximum length of a piece
 * @streams: number of streams on the channel, under dmacpy_device.lock
 * @parent: the platform device it was requested for
 * @ready: woken when the channel has recovered
 * @report: collects the reports of failures
 * @engine: the engine
 * @test: test copies on @engine
 * @worker: thread that runs the pump and the watchdog, and completes what
 *	atomic contexts defer
 * @pump_work: runs the pump in @worker, and completes the @deferred lanes
 * @pump: held by the task that submits descriptors to the engine, or terminates
 *	it. Inherits priority on PREEMPT_RT. No callback takes it.
 * @lock: protects all members below, and dmacpy_xfer; may be taken in hard
 *	interrupts. Not held over calls of the engine, dmacpy_xfer_ops.done, or
 *	.release.
 * @state: what the channel does with transfers; only changed under @pump, too
 * @queue: transfers that wait for their turn, with all lanes and shares; they
 *	are only removed under @pump
 * @flight: transfers of which the engine has descriptors, newest first; not a
 *	list_head, whose checks in distributions' kernels would cost one per
 *	cent of a copy
 * @oldest: the last of @flight, or NULL
 * @deferred: lanes with completed transfers, for @pump_work
 * @quarantine: transfers that have completed, but whose memory the engine may
 *	still write to
 * @submitted: number of transfers that were submitted so far
 * @backlog: bytes of all transfers that have not completed
 * @in_flight: number of descriptors that have not called back; while the pump
 *	submits, including all that it may submit
 * @stale: number of descriptors of terminated transfers that have not called
 *	back
 * @refill_at: the pump runs again when no more descriptors than this are in
 *	flight
 * @bearer: holds the token of an engine with DMACPY_QUIRK_EXCLUSIVE
 * @plugged: number of transfers that were plugged since the pump last ran
 * @waits_for_token: another channel has the token: no progress is expected
 * @needs_reissue: the engine may ignore an issue while it is busy
 * @progress: time of the last progress of @oldest, in jiffies
 * @due: expiry of @watchdog, in jiffies
 * @armed: @watchdog is scheduled
 * @quiesced: false while the engine may still write for terminated descriptors
 * @flushed: the engine reported, when the channel was released, that it has
 *	dropped its descriptors
 * @down_since: time of the termination, in jiffies
 * @reported: the termination was reported
 * @reason_reported: the reason why the channel does not recover was reported
 * @failure: that reason, after an attempt to recover
 * @stat: counters
 * @watchdog: checks for progress, and terminates the engine if there is none
 * @recovery: recovers the channel after a termination. It may wait for memory,
 *	so it does not run in @worker: reclaim may wait for transfers that
 *	@worker completes.
 * @parked: entry in recovery_parked, if the channel was closed before it could
 *	be quiesced or released
 */
struct dmacpy_chan {
	struct device *dma_dev;
	unsigned int copy_align;
	unsigned int user_align;
	size_t max_piece;
	unsigned int streams;

	struct device *parent;
	wait_queue_head_t *ready;
	struct dmacpy_report *report;
	struct dmacpy_engine engine;
	struct dmacpy_testcopy test;
	struct kthread_worker *worker;
	struct kthread_work pump_work;
	struct mutex pump;

	spinlock_t lock;
	enum dmacpy_chan_state state;
	struct dmacpy_turns queue;
	struct hlist_head flight;
	struct dmacpy_xfer *oldest;
	struct dmacpy_fifo deferred;
	struct dmacpy_fifo quarantine;
	u64 submitted;
	u64 backlog;
	unsigned int in_flight;
	int stale;
	unsigned int refill_at;
	unsigned int plugged;
	struct dmacpy_bearer bearer;
	unsigned long progress;
	unsigned long due;
	bool armed;
	bool waits_for_token;
	bool needs_reissue;
	bool quiesced;
	bool flushed;
	unsigned long down_since;
	bool reported;
	bool reason_reported;
	enum dmacpy_report_kind failure;
	struct dmacpy_chan_stat stat;
	struct kthread_delayed_work watchdog;
	struct delayed_work recovery;
	struct list_head parked;
};

int dmacpy_chan_start(struct dmacpy_chan *chan, kthread_work_func_t watchdog);
void dmacpy_chan_stop(struct dmacpy_chan *chan);
void dmacpy_chan_submit(struct dmacpy_chan *chan, struct dmacpy_lane *lane,
			struct dmacpy_xfer *xfer);
void dmacpy_chan_unplug(struct dmacpy_chan *chan, bool atomic);
void dmacpy_chan_part_done(struct dmacpy_xfer *xfer);
void dmacpy_chan_pump(struct dmacpy_chan *chan, bool atomic)
	__releases(&chan->lock);
void dmacpy_chan_cancel(struct dmacpy_chan *chan, int result, int others);
void dmacpy_chan_check_progress(struct dmacpy_chan *chan);
bool dmacpy_chan_is_stuck(struct dmacpy_chan *chan);
unsigned long dmacpy_chan_timeout(void);
u64 dmacpy_chan_backlog(struct dmacpy_chan *chan);
void dmacpy_chan_stat(struct dmacpy_chan *chan, struct dmacpy_chan_stat *stat);

/**
 * dmacpy_chan_ready() - check whether a channel accepts transfers
 * @chan: the channel
 *
 * Context: Any.
 * Return: false while the channel is being recovered after a failure.
 */
static inline bool dmacpy_chan_ready(const struct dmacpy_chan *chan)
{
	return READ_ONCE(chan->state) == DMACPY_CHAN_RUNNING;
}

#endif /* DMACPY_CHAN_H */
