/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_CHAN_H
#define DMACPY_CHAN_H

#include <linux/completion.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "dmacpy_fifo.h"
#include "dmacpy_turns.h"

struct device;
struct dma_chan;
struct dmacpy_sram;
struct dmacpy_xfer;

/**
 * struct dmacpy_piece - what one descriptor copies
 * @dst: where to, as the engine sees it
 * @src: where from
 * @length: bytes
 */
struct dmacpy_piece {
	dma_addr_t dst;
	dma_addr_t src;
	size_t length;
};

/**
 * struct dmacpy_xfer_ops - what a channel asks of the owner of a transfer
 * @start: it is its turn: 0, or the -errno it is to end with instead. Atomic.
 * @next: cut the next piece off, at most max bytes. Atomic.
 * @done: the transfer ended: 0, or -EIO, -ETIMEDOUT, -ECANCELED, -ENODEV.
 *	Called once, in the order of submission. Atomic.
 * @release: the engine will not touch the memory any more; the last that the
 *	channel does with the transfer, after @done. Atomic.
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
 * @ops: set by the owner
 * @left: bytes not yet given to the engine, set by the owner to all of them
 * @result: the first error; set by the owner for one that is only to end, when
 *	all those before it in its lane have
 * @chan: the channel it was submitted to; this and the rest is the channel's
 * @length: bytes of the whole transfer
 * @link: in its lane, or in one of the channel's queues
 * @piece: cut off and not yet given to the engine, if it has a length
 * @in_flight: number of descriptors that have not called back
 * @started: dmacpy_xfer_ops.start was called
 * @terminated: has ended without waiting for the engine
 */
struct dmacpy_xfer {
	const struct dmacpy_xfer_ops *ops;
	u64 left;
	int result;

	struct dmacpy_chan *chan;
	u64 length;
	struct dmacpy_link link;
	struct dmacpy_piece piece;
	unsigned int in_flight;
	bool started;
	bool terminated;
};

/**
 * struct dmacpy_chan_stat - the state of a channel
 * @dma_name: the engine's name for it
 * @ended: number of transfers that have ended
 * @failed: number of these that ended with an error
 * @timeouts: how often the engine made no progress
 * @revivals: how often it was revived after that
 * @in_flight: number of descriptors that have not called back
 * @quarantined: number of transfers whose memory the engine may still write to
 * @ready: it takes transfers
 */
struct dmacpy_chan_stat {
	const char *dma_name;
	u64 ended;
	u64 failed;
	unsigned int timeouts;
	unsigned int revivals;
	unsigned int in_flight;
	unsigned int quarantined;
	bool ready;
};

/**
 * struct dmacpy_chan - a channel of a DMA engine
 * @dma_dev: the device to map memory for
 * @copy_align: addresses and lengths must be multiples of this
 * @user_align: ends of what is written to pinned memory must be multiples of
 *	this: after a write the caches that hold it are dropped, in whole lines,
 *	and a line that has other data as well would lose what the CPU wrote
 * @max_piece: longest piece
 * @streams: number of streams on it, under dmacpy_device.lock
 * @parent: the platform device it was requested for
 * @name: its name among the parent's, NULL if it was found by capability
 * @ready: woken when it has recovered
 * @dma: the channel; stays the same one through its recovery
 * @requested: @dma is ours; changed by @recovery, and in the end
 * @depth: limit of descriptors in flight, 1 if they may pass each other
 * @remembers: what is issued while the engine is busy need not be issued again
 * @stoppable: it may be terminated and released while it has descriptors
 * @lock: protects what follows, and dmacpy_xfer; may be taken in interrupts
 * @queue: transfers that wait for their turn, with all lanes and shares
 * @flight: transfers of which nothing is left to give to the engine
 * @quarantine: transfers that have ended, but whose memory the engine may
 *	still write to
 * @backlog: bytes of all transfers that have not completed
 * @in_flight: number of descriptors that have not called back
 * @unreturned: number of descriptors that have not called back, with those of
 *	terminated transfers and of test copies
 * @interval: ask for an interrupt with each descriptor of this number
 * @since_irq: number of descriptors since the last one with an interrupt
 * @progress: time of the last sign of life, in jiffies
 * @due: when @work is due, in jiffies
 * @quiet: false while the engine may still write for what was terminated
 * @dropped: when it was released it has dropped what it had, so it says
 * @down: being recovered: nothing is given to the engine
 * @refusing: all was terminated, and what is submitted ends at once
 * @closing: nothing will be any more, and the works have nothing to do
 * @behind: something was issued while the engine had other descriptors, and may
 *	have to be issued again
 * @hungry: somebody has asked for @dma to be fed
 * @feeding: somebody does so
 * @reaping: somebody ends transfers, one after the other
 * @stat: counts
 * @work: looks for progress, ends transfers without; what signals fences must
 *	not wait for memory, and be on a queue that does not
 * @recovery: recovers the channel after that
 * @scratch: two blocks, for a test copy from the one to the other
 * @scratch_addr: their address for the engine
 * @scratch_seed: makes each test copy another
 * @calls_back_silently: it calls back for descriptors without an interrupt too
 * @silent: one without an interrupt has called back
 * @tested: the one with an interrupt has called back
 * @lost: in chan_lost, when it was closed without being quiet
 */
struct dmacpy_chan {
	struct device *dma_dev;
	unsigned int copy_align;
	unsigned int user_align;
	size_t max_piece;
	unsigned int streams;

	struct device *parent;
	const char *name;
	wait_queue_head_t *ready;
	struct dma_chan *dma;
	bool requested;
	unsigned int depth;
	bool remembers;
	bool stoppable;

	spinlock_t lock;
	struct dmacpy_turns queue;
	struct dmacpy_fifo flight;
	struct dmacpy_fifo quarantine;
	u64 backlog;
	unsigned int in_flight;
	unsigned int unreturned;
	unsigned int interval;
	unsigned int since_irq;
	unsigned long progress;
	unsigned long due;
	bool quiet;
	bool dropped;
	bool down;
	bool refusing;
	bool closing;
	bool behind;
	bool hungry;
	bool feeding;
	bool reaping;
	struct dmacpy_chan_stat stat;
	struct delayed_work work;
	struct delayed_work recovery;

	u8 *scratch;
	dma_addr_t scratch_addr;
	u8 scratch_seed;
	bool calls_back_silently;
	bool silent;
	struct completion tested;
	struct list_head lost;
};

int dmacpy_chan_init(void);
void dmacpy_chan_exit(void);
struct dmacpy_chan *dmacpy_chan_open(struct device *parent, const char *name,
				     wait_queue_head_t *ready);
int dmacpy_chan_prove_sram(struct dmacpy_chan *chan,
			   const struct dmacpy_sram *sram);
void dmacpy_chan_close(struct dmacpy_chan *chan);
void dmacpy_chan_suspend(struct dmacpy_chan *chan);
void dmacpy_chan_resume(struct dmacpy_chan *chan);
bool dmacpy_chan_ready(struct dmacpy_chan *chan);
u64 dmacpy_chan_backlog(struct dmacpy_chan *chan);
void dmacpy_chan_stat(struct dmacpy_chan *chan, struct dmacpy_chan_stat *stat);
unsigned int dmacpy_chan_lost(void);
void dmacpy_chan_submit(struct dmacpy_chan *chan, struct dmacpy_lane *lane,
			struct dmacpy_xfer *xfer);

#endif /* DMACPY_CHAN_H */
