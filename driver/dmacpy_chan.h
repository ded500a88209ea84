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
 * struct dmacpy_xfer_ops - what a channel asks of the owner of a transfer
 * @start: it is its turn: 0, or the -errno it is to complete with instead.
 *	Atomic.
 * @next: cut the next piece off, at most max bytes. Atomic.
 * @done: the transfer has completed: 0, or -EIO, -ETIMEDOUT, -ECANCELED,
 *	-ENODEV. Called once, in the order of submission to the lane. Atomic,
 *	unless the transfer is slow to complete.
 * @release: the engine will not touch the memory after this, which is the last
 *	that the channel does with the transfer, after @done. Atomic.
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
 * @client: owns the descriptors
 * @ops: set by the owner
 * @bytes_left: bytes not yet submitted to the engine; the owner sets it to the
 *	length of the transfer
 * @result: the first error; set by the owner for a transfer that only completes
 *	after those before it in its lane
 * @slow: set by the owner if completing it takes long: a thread does that
 * @plugged: set by the owner if others follow soon, and dmacpy_chan_unplug()
 *	after them: the engine gets them together
 * @parts: number of other transfers that have to complete before this one; set
 *	by the owner, which calls dmacpy_chan_part_done() for each of them
 * @started: dmacpy_xfer_ops.start was called
 * @terminated: has completed without waiting for the engine
 * @in_flight: number of descriptors that have not called back
 * @chan: the channel it was submitted to; this and the rest is the channel's
 * @lane: the lane it was submitted to
 * @length: bytes of the whole transfer
 * @submitted: when it was submitted, in jiffies
 * @link: in its lane, first in the queue, then in flight; or in the quarantine
 * @flight: in dmacpy_chan.flight, while the engine has some of it
 * @piece: cut off and not yet given to the engine, if it has a length
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
 * @DMACPY_CHAN_RUNNING: gives them to the engine
 * @DMACPY_CHAN_TERMINATING: the engine is being terminated: all complete,
 *	and callbacks count for nothing
 * @DMACPY_CHAN_DOWN: all have completed, and what is submitted does so at once,
 *	with ECANCELED
 * @DMACPY_CHAN_CLOSING: keeps what is queued, and waits for the engine
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
 * @dma_name: the engine's name for it
 * @ended: number of transfers that have completed
 * @bytes: of these, whether they failed or not
 * @failed: number of these that completed with an error
 * @timeouts: how often the engine made no progress
 * @reset_count: how often it was revived after that
 * @in_flight: number of descriptors that have not called back
 * @quarantined: number of transfers whose memory the engine may still write to
 * @ready: it takes transfers
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
 * struct dmacpy_chan - a channel: lanes of transfers, and an engine
 * @dma_dev: the device to map memory for
 * @copy_align: addresses and lengths must be multiples of this
 * @user_align: ends of what is written to pinned memory must be multiples of
 *	this: after a write the caches that hold it are dropped, in whole lines,
 *	and a line that has other data as well would lose what the CPU wrote
 * @max_piece: longest piece
 * @streams: number of streams on it, under dmacpy_device.lock
 * @parent: the platform device it was requested for
 * @ready: woken when it has recovered
 * @report: where failures go
 * @engine: the engine
 * @test: test copies on @engine
 * @worker: thread that pumps, watches, and completes what others leave to it
 * @pump_work: runs the pump in @worker, and completes the @deferred lanes
 * @pump: held by the task that gives descriptors to the engine, or terminates
 *	it. Lends priority on PREEMPT_RT. No callback takes it.
 * @lock: protects the rest, and dmacpy_xfer; may be taken in hard interrupts.
 *	Not held over a call of the engine or of dmacpy_xfer_ops.done, .release.
 * @state: what it does with transfers; also changed under @pump only
 * @queue: transfers that wait for their turn, with all lanes and shares; taken
 *	from under @pump only
 * @flight: transfers that the engine has some of, the last one first; not a
 *	list_head, whose checks in distributions' kernels would be one per cent
 *	of a copy
 * @oldest: the last of @flight, which the engine was given first, or NULL
 * @deferred: lanes with completed transfers, for @pump_work
 * @quarantine: transfers that have completed, but whose memory the engine may
 *	still write to
 * @submitted: number of transfers that were submitted so far
 * @backlog: bytes of all transfers that have not completed
 * @in_flight: number of descriptors that have not called back; while the pump
 *	is at work, with all those that it may submit
 * @stale: number of descriptors of transfers that were terminated, which have
 *	not called back
 * @refill_at: when there are no more in flight the pump is run again
 * @bearer: of the token of an engine with DMACPY_QUIRK_EXCLUSIVE
 * @plugged: number of transfers that were plugged since the pump ran
 * @waits_for_token: another channel has the token: no progress is expected
 * @needs_reissue: the engine may ignore an issue while it is busy
 * @progress: time of the last sign of life of @oldest, in jiffies
 * @due: when @watchdog is due, in jiffies
 * @armed: @watchdog will run then
 * @quiesced: false while the engine may still write for terminated descriptors
 * @flushed: the engine reported, when the channel was released, that it has
 *	dropped its descriptors
 * @down_since: when it was terminated, in jiffies
 * @reported: the termination was reported
 * @reason_reported: the reason why the channel does not recover was reported
 * @failure: that reason, after an attempt to recover
 * @stat: counts
 * @watchdog: looks for progress, and terminates the engine if there is none
 * @recovery: recovers the channel after that, which waits for memory: not in
 *	@worker, which completes what others may wait for to free memory
 * @parked: in recovery_parked, when it was closed without being quiet
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
 * dmacpy_chan_ready() - can a transfer be submitted with hope of success
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
