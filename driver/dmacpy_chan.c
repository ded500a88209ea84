// SPDX-License-Identifier: GPL-2.0-only
/*
 * A channel of a DMA engine: the only client of dmaengine.
 *
 * Engines differ in how they fail, and most do not tell: descriptors are
 * counted, not just the last one awaited, and a watchdog looks for progress.
 * A channel without progress is terminated, its transfers end at once with an
 * error, and their memory stays in quarantine, as the engine may still write
 * to it. Then the channel is released and requested again, which is the only
 * way to revive some, and has to pass a test copy. When that has arrived, the
 * engine is through with the past, and the quarantine ends.
 */
#include <linux/bottom_half.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/property.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/wait.h>

#include "dmacpy_chan.h"
#include "dmacpy_compat.h"
#include "dmacpy_map.h"
#include "dmacpy_param.h"
#include "dmacpy_pool.h"
#include "dmacpy_trace.h"

/* Descriptors in flight: enough to keep an engine busy. */
#define CHAN_DEPTH	32
/* How often one caller does for all others what they have to leave to him. */
#define CHAN_ROUNDS	32
/* Looks for progress are not further apart: the timeout may be changed. */
#define CHAN_LOOK	(1UL * HZ)
/* How long a test copy may take, in jiffies. */
#define CHAN_TEST_TIME	(5UL * HZ)
/* Bytes of half of a test copy: what any engine can align to. */
#define CHAN_TEST_PART	256
#define CHAN_TEST_SIZE	(2 * CHAN_TEST_PART)

static struct workqueue_struct *chan_wq;

/* Closed channels whose engine may still write, until it is seen to be past. */
static LIST_HEAD(chan_lost);
static DEFINE_MUTEX(chan_lost_lock);

/* In jiffies, of which the first may be over at once. */
static unsigned long chan_timeout(void)
{
	return msecs_to_jiffies(READ_ONCE(dmacpy_timeout.value)) + 1;
}

static struct dmacpy_xfer *chan_xfer(struct dmacpy_link *link)
{
	return link ? container_of(link, struct dmacpy_xfer, link) : NULL;
}

/* What has ended, but was not reaped yet, is none of the engine's business. */
static bool chan_busy(struct dmacpy_chan *chan)
{
	return chan->in_flight || !dmacpy_turns_empty(&chan->queue);
}

/* The oldest transfer, if nothing of it is with the engine or yet to come. */
static struct dmacpy_xfer *chan_ended(struct dmacpy_chan *chan)
{
	struct dmacpy_xfer *xfer = chan_xfer(chan->flight.first);

	return xfer && !xfer->in_flight ? xfer : NULL;
}

/* Have the work look at the channel. Holds the lock. */
static void chan_arm(struct dmacpy_chan *chan, unsigned long due)
{
	unsigned long now = jiffies;

	if (delayed_work_pending(&chan->work) && !time_before(due, chan->due))
		return;
	chan->due = due;
	mod_delayed_work(chan_wq, &chan->work,
			 time_after(due, now) ? due - now : 0);
}

/*
 * End what has ended, in order: one at a time, whoever calls this. The owner
 * signals fences, which may lead back to dmacpy_chan_submit(), so no lock. If
 * others go on and on it is the work, which can be preempted, that goes on too.
 */
static void chan_reap(struct dmacpy_chan *chan, unsigned long *flags)
	__must_hold(&chan->lock)
{
	unsigned int rounds = CHAN_ROUNDS;
	struct dmacpy_xfer *xfer;
	bool terminated;
	int result;

	if (chan->reaping)
		return;

	chan->reaping = true;
	while ((xfer = chan_ended(chan)) && (chan->down || rounds--)) {
		dmacpy_fifo_pop(&chan->flight);
		chan->backlog -= xfer->length;
		spin_unlock_irqrestore(&chan->lock, *flags);
		terminated = xfer->terminated;
		result = xfer->result;
		xfer->ops->done(xfer, result);
		if (!terminated)
			xfer->ops->release(xfer);
		spin_lock_irqsave(&chan->lock, *flags);
		chan->stat.ended++;
		chan->stat.failed += !!result;
		if (terminated) {
			dmacpy_fifo_push(&chan->quarantine, &xfer->link);
			chan->stat.quarantined++;
		}
	}
	chan->reaping = false;
	if (xfer)
		chan_arm(chan, jiffies);
}

/* The transfer whose turn it is, or NULL. Holds the lock. */
static struct dmacpy_xfer *chan_turn(struct dmacpy_chan *chan)
{
	return chan_xfer(dmacpy_turns_first(&chan->queue));
}

/*
 * Nothing more of this one, whose turn it is, goes to the engine: it is the
 * next user's turn. Holds the lock.
 */
static void chan_end_turn(struct dmacpy_chan *chan, struct dmacpy_xfer *xfer)
{
	xfer->left = 0;
	dmacpy_turns_pop(&chan->queue);
	dmacpy_fifo_push(&chan->flight, &xfer->link);
}

static void chan_fail_xfer(struct dmacpy_chan *chan, struct dmacpy_xfer *xfer)
{
	xfer->result = -EIO;
	if (xfer->left)
		chan_end_turn(chan, xfer);
	/* The piece that was to have the interrupt may not follow. */
	chan->calls_back_silently = false;
}

static void chan_run(struct dmacpy_chan *chan);
static void chan_go_on(struct dmacpy_chan *chan, unsigned long *flags)
	__must_hold(&chan->lock);

/* Some engines call back twice. */
static void chan_returned(struct dmacpy_chan *chan)
{
	lockdep_assert_held(&chan->lock);
	if (chan->unreturned)
		chan->unreturned--;
}

/*
 * False if nobody has waited for that: some engines call back after they were
 * terminated, or twice. Holds the lock.
 */
static bool chan_count(struct dmacpy_xfer *xfer, bool failed)
{
	struct dmacpy_chan *chan = xfer->chan;

	chan_returned(chan);
	if (!xfer->in_flight)
		return false;
	chan->progress = jiffies;
	chan->in_flight--;
	xfer->in_flight--;
	if (failed)
		chan_fail_xfer(chan, xfer);
	return true;
}

static void chan_called_back(struct dmacpy_xfer *xfer, bool failed)
{
	struct dmacpy_chan *chan = xfer->chan;
	unsigned long flags;

	local_bh_disable();
	spin_lock_irqsave(&chan->lock, flags);
	if (chan_count(xfer, failed))
		chan_go_on(chan, &flags);
	spin_unlock_irqrestore(&chan->lock, flags);
	local_bh_enable();
}

/* One that has an interrupt follows, unless it has failed. */
static void chan_called_back_silently(struct dmacpy_xfer *xfer, bool failed)
{
	struct dmacpy_chan *chan = xfer->chan;
	unsigned long flags;
	bool last;

	spin_lock_irqsave(&chan->lock, flags);
	last = chan_count(xfer, failed) && (!xfer->in_flight || xfer->result);
	spin_unlock_irqrestore(&chan->lock, flags);
	if (last)
		chan_run(chan);
}

static bool chan_failed(const struct dmaengine_result *result)
{
	return result->result != DMA_TRANS_NOERROR || result->residue;
}

static void chan_callback(void *param)
{
	chan_called_back(param, false);
}

static void chan_callback_result(void *param,
				 const struct dmaengine_result *result)
{
	chan_called_back(param, chan_failed(result));
}

static void chan_silent_callback(void *param)
{
	chan_called_back_silently(param, false);
}

static void chan_silent_callback_result(void *param,
					const struct dmaengine_result *result)
{
	chan_called_back_silently(param, chan_failed(result));
}

/* Holds the lock. False if the engine takes no descriptor now. */
static bool chan_feed_piece(struct dmacpy_chan *chan, struct dmacpy_xfer *xfer)
{
	struct dmacpy_piece *piece = &xfer->piece;
	struct dma_async_tx_descriptor *desc;
	bool irq;

	if (!piece->length)
		xfer->ops->next(xfer, chan->max_piece, piece);

	/* The last of a batch too: chan_fill() may have to issue again then. */
	irq = piece->length == xfer->left || !chan->calls_back_silently ||
	      chan->since_irq + 1 >= chan->interval ||
	      chan->in_flight + 1 >= chan->depth;
	desc = dmaengine_prep_dma_memcpy(chan->dma, piece->dst, piece->src,
					 piece->length, DMA_CTRL_ACK |
					 (irq ? DMA_PREP_INTERRUPT : 0));
	if (!desc)
		return false;

	trace_dmacpy_chan_feed(dma_chan_name(chan->dma), piece->length, irq);
	/* Both: a recycled descriptor has those of its former life. */
	desc->callback = irq ? chan_callback : chan_silent_callback;
	desc->callback_result = irq ? chan_callback_result :
				      chan_silent_callback_result;
	if (dmacpy_result_sticks(chan->dma->device->dev))
		desc->callback_result = NULL;
	desc->callback_param = xfer;
	xfer->left -= piece->length;
	piece->length = 0;
	if (!xfer->left)
		chan_end_turn(chan, xfer);

	if (dma_submit_error(dmaengine_submit(desc))) {
		chan_fail_xfer(chan, xfer);
	} else {
		chan->since_irq = irq ? 0 : chan->since_irq + 1;
		chan->in_flight++;
		chan->unreturned++;
		xfer->in_flight++;
	}
	return true;
}

/* False if there is nothing to do but to end it. Holds the lock. */
static bool chan_start_xfer(struct dmacpy_xfer *xfer)
{
	if (!xfer->started && !xfer->result)
		xfer->result = xfer->ops->start(xfer);
	xfer->started = true;
	return !xfer->result;
}

/* When it is too late, or earlier: the timeout may be changed. */
static unsigned long chan_next_look(struct dmacpy_chan *chan)
{
	unsigned long late = chan->progress + chan_timeout();
	unsigned long look = jiffies + CHAN_LOOK;

	return time_before(late, look) ? late : look;
}

/*
 * Give the engine as much as it takes, if anything. Holds the lock. Returns
 * whether something is to be issued.
 *
 * Its ring is found out by filling it, or has room for what it had at a time:
 * an interrupt at each half of that is enough to refill it in time. One that
 * takes no descriptor may also be out of memory, and is asked again soon.
 *
 * Some drivers, such as sf-pdma, ignore issue_pending while the engine is busy:
 * what was submitted stays so until the next call. So each callback calls it
 * again; the last one comes when the engine may have run out of issued work.
 */
static bool chan_fill(struct dmacpy_chan *chan)
{
	bool busy = chan->in_flight, issue = busy && chan->behind;
	bool refused = false;
	struct dmacpy_xfer *xfer;

	if (chan->down)
		return false;
	while (!refused && chan->in_flight < chan->depth &&
	       (xfer = chan_turn(chan))) {
		if (!chan_start_xfer(xfer))
			chan_end_turn(chan, xfer);
		else if (chan_feed_piece(chan, xfer))
			issue = true;
		else
			refused = true;
	}
	chan->behind = busy && issue && !chan->remembers;
	if (dmacpy_turns_empty(&chan->queue))
		chan->interval = max(chan->in_flight / 2, chan->interval);
	else
		chan->interval = max(chan->in_flight / 2, 1U);
	if (refused)
		chan_arm(chan, jiffies + 1);
	else if (chan_busy(chan))
		chan_arm(chan, chan_next_look(chan));
	return issue;
}

/*
 * Keep the engine busy: one at a time, whoever calls this. Some engines call
 * back from within issue_pending, so no lock; or do not like to be told to
 * issue when there is nothing, so nobody else may issue meanwhile. As in
 * chan_reap() the work goes on if there is no end to it.
 */
static void chan_feed(struct dmacpy_chan *chan, unsigned long *flags)
	__must_hold(&chan->lock)
{
	unsigned int rounds = CHAN_ROUNDS;
	bool issue;

	chan->hungry = true;
	while (chan->hungry && !chan->feeding && rounds--) {
		chan->hungry = false;
		chan->feeding = true;
		issue = chan_fill(chan);
		spin_unlock_irqrestore(&chan->lock, *flags);
		if (issue)
			dma_async_issue_pending(chan->dma);
		spin_lock_irqsave(&chan->lock, *flags);
		chan->feeding = false;
	}
	if (chan->hungry && !chan->feeding && !chan->down)
		chan_arm(chan, jiffies);
}

static void chan_go_on(struct dmacpy_chan *chan, unsigned long *flags)
	__must_hold(&chan->lock)
{
	if (!dmacpy_turns_empty(&chan->queue) || chan->behind)
		chan_feed(chan, flags);
	chan_reap(chan, flags);
}

/*
 * All others leave their work to who feeds or reaps: he must not lose the CPU
 * to bottom halves.
 */
static void chan_run(struct dmacpy_chan *chan)
{
	unsigned long flags;

	local_bh_disable();
	spin_lock_irqsave(&chan->lock, flags);
	chan_go_on(chan, &flags);
	spin_unlock_irqrestore(&chan->lock, flags);
	local_bh_enable();
}

/* Holds the lock. */
static bool chan_stuck(struct dmacpy_chan *chan)
{
	return chan_busy(chan) &&
	       !time_before(jiffies, chan->progress + chan_timeout());
}

static bool chan_in_use(struct dmacpy_chan *chan)
{
	bool in_use;

	spin_lock_irq(&chan->lock);
	in_use = chan->feeding || chan->reaping;
	spin_unlock_irq(&chan->lock);
	return in_use;
}

static void chan_wait_unused(struct dmacpy_chan *chan)
{
	while (chan_in_use(chan))
		usleep_range(10, 100);
}

/* Wait until nobody feeds it, is in a callback or on his way out of one. */
static void chan_settle(struct dmacpy_chan *chan)
{
	chan_wait_unused(chan);
	if (chan->requested)
		dmaengine_synchronize(chan->dma);
	chan_wait_unused(chan);
}

static bool chan_moves(struct dmacpy_chan *chan)
{
	bool moves;

	spin_lock_irq(&chan->lock);
	moves = chan->in_flight &&
		time_before(jiffies, chan->progress + chan_timeout());
	spin_unlock_irq(&chan->lock);
	return moves;
}

/*
 * Wait until the engine is done with what it has, or has made no progress for
 * long: to terminate one that completes descriptors just then is beyond some.
 */
static void chan_drain(struct dmacpy_chan *chan)
{
	while (chan_moves(chan))
		usleep_range(100, 1000);
	chan_settle(chan);
}

static void chan_terminate_xfer(struct dmacpy_chan *chan,
				struct dmacpy_xfer *xfer, int result)
{
	if (!xfer->result)
		xfer->result = result;
	xfer->terminated = xfer->in_flight;
	xfer->in_flight = 0;
	if (xfer->terminated)
		chan->quiet = false;
}

static void chan_end_all_turns(struct dmacpy_chan *chan, int result, int others)
{
	struct dmacpy_xfer *xfer;

	while ((xfer = chan_turn(chan))) {
		chan_end_turn(chan, xfer);
		chan_terminate_xfer(chan, xfer, result);
		result = others;
	}
}

/*
 * sf-pdma frees the descriptor at work twice when it is terminated or released:
 * it has to keep its descriptors until all have called back.
 */
static bool chan_untouchable(struct dmacpy_chan *chan)
{
	bool untouchable;

	spin_lock_irq(&chan->lock);
	untouchable = !chan->stoppable && chan->unreturned;
	spin_unlock_irq(&chan->lock);
	return untouchable;
}

/*
 * End all transfers. The channel is down, and does not make progress. The
 * oldest is the one that the engine failed on.
 */
static void chan_terminate(struct dmacpy_chan *chan, int result, int others)
{
	bool signalling = dma_fence_begin_signalling();
	struct dmacpy_xfer *xfer;
	unsigned long flags;

	/* An engine that refuses is as good as one that goes on. */
	if (chan->in_flight && !chan_untouchable(chan))
		dmaengine_terminate_async(chan->dma);
	chan_settle(chan);

	spin_lock_irqsave(&chan->lock, flags);
	for (xfer = chan_xfer(chan->flight.first); xfer;
	     xfer = chan_xfer(xfer->link.next)) {
		if (!xfer->in_flight)
			continue;
		chan_terminate_xfer(chan, xfer, result);
		result = others;
	}
	chan_end_all_turns(chan, result, others);
	WRITE_ONCE(chan->refusing, true);
	chan->in_flight = 0;
	spin_unlock_irqrestore(&chan->lock, flags);
	chan_run(chan);
	chan_settle(chan);
	dma_fence_end_signalling(signalling);
}

static bool chan_is(struct dma_chan *dma, void *param)
{
	return dma == param;
}

/* The named channel, or one that copies memory: any, later that same one. */
static struct dma_chan *chan_request(struct dmacpy_chan *chan)
{
	struct dma_chan *dma;
	dma_cap_mask_t mask;

	if (chan->name)
		return dma_request_chan(chan->parent, chan->name);

	dma_cap_zero(mask);
	dma_cap_set(DMA_MEMCPY, mask);
	dma = __dma_request_channel(&mask, chan->dma ? chan_is : NULL,
				    chan->dma, NULL);
	return dma ?: ERR_PTR(-EPROBE_DEFER);
}

static void chan_end_quarantine(struct dmacpy_chan *chan)
{
	struct dmacpy_xfer *xfer, *next;

	spin_lock_irq(&chan->lock);
	xfer = chan_xfer(chan->quarantine.first);
	chan->quarantine.first = NULL;
	chan->stat.quarantined = 0;
	spin_unlock_irq(&chan->lock);
	for (; xfer; xfer = next) {
		next = chan_xfer(xfer->link.next);
		xfer->ops->release(xfer);
	}
}

static void chan_test_returned(struct dmacpy_chan *chan)
{
	unsigned long flags;

	spin_lock_irqsave(&chan->lock, flags);
	chan_returned(chan);
	spin_unlock_irqrestore(&chan->lock, flags);
}

static void chan_test_silent(void *param)
{
	struct dmacpy_chan *chan = param;

	WRITE_ONCE(chan->silent, true);
	chan_test_returned(chan);
}

static void chan_test_done(void *param)
{
	struct dmacpy_chan *chan = param;

	chan_test_returned(chan);
	complete(&chan->tested);
}

static bool chan_test_part(struct dmacpy_chan *chan, dma_addr_t dst,
			   dma_addr_t src, size_t length, bool irq)
{
	struct dma_async_tx_descriptor *desc;

	desc = dmaengine_prep_dma_memcpy(chan->dma, dst, src, length,
					 DMA_CTRL_ACK |
					 (irq ? DMA_PREP_INTERRUPT : 0));
	if (!desc)
		return false;
	desc->callback = irq ? chan_test_done : chan_test_silent;
	desc->callback_result = NULL;
	desc->callback_param = chan;
	spin_lock_irq(&chan->lock);
	chan->unreturned++;
	spin_unlock_irq(&chan->lock);
	if (dma_submit_error(dmaengine_submit(desc))) {
		chan_test_returned(chan);
		return false;
	}
	chan->quiet = false;
	return true;
}

static bool chan_test_called(struct dmacpy_chan *chan)
{
	dma_async_issue_pending(chan->dma);
	return wait_for_completion_timeout(&chan->tested,
					   min(chan_timeout(),
					       CHAN_TEST_TIME));
}

/*
 * A copy that has to arrive, as some engines call back too early, and has to
 * call back, as interrupts may be lost. If it arrives the engine is through
 * with what it was given before, unless it may change the order; and with
 * calling back for that, if it calls back, or has dropped what was before.
 *
 * In two parts, of which the first one asks for no interrupt; but in one if the
 * second one may pass the first.
 */
static bool chan_test(struct dmacpy_chan *chan)
{
	bool called, arrived, ordered = chan->quiet || chan->depth > 1;
	size_t silent = chan->depth > 1 ? CHAN_TEST_PART : 0;
	dma_addr_t src = chan->scratch_addr, dst = src + CHAN_TEST_SIZE;
	u8 seed = ++chan->scratch_seed;

	memset(chan->scratch, seed, CHAN_TEST_SIZE);
	memset(chan->scratch + CHAN_TEST_SIZE, ~seed, CHAN_TEST_SIZE);
	reinit_completion(&chan->tested);
	chan->silent = false;
	if (silent && !chan_test_part(chan, dst, src, silent, false))
		return false;
	if (!chan_test_part(chan, dst + silent, src + silent,
			    CHAN_TEST_SIZE - silent, true))
		return false;
	called = chan_test_called(chan);
	arrived = !memchr_inv(chan->scratch, seed, 2 * CHAN_TEST_SIZE);
	chan->calls_back_silently = READ_ONCE(chan->silent);
	if (arrived && ordered && (called || chan->dropped)) {
		chan_end_quarantine(chan);
		chan->quiet = true;
	}
	return called && arrived;
}

/* Engines oops when they are released with something to do. */
static void chan_release(struct dmacpy_chan *chan)
{
	chan->dropped = !dmaengine_terminate_async(chan->dma);
	dmaengine_synchronize(chan->dma);
	dma_release_channel(chan->dma);
	chan->requested = false;
}

/*
 * Release and request the channel: both allocate and take mutexes, so all
 * fences that depend on it were signalled. True if it works then.
 */
static bool chan_revive(struct dmacpy_chan *chan)
{
	struct dma_chan *dma;

	if (chan_untouchable(chan))
		return false;
	if (chan->requested)
		chan_release(chan);
	dma = chan_request(chan);
	if (IS_ERR(dma))
		return false;
	if (dma != chan->dma) {
		dma_release_channel(dma);
		return false;
	}
	chan->requested = true;
	/* Twice: the first one may take what is left of lost interrupts. */
	return chan_test(chan) && chan_test(chan);
}

static void chan_recovery(struct work_struct *work)
{
	struct dmacpy_chan *chan =
		container_of(work, struct dmacpy_chan, recovery.work);
	bool works = chan_revive(chan);

	spin_lock_irq(&chan->lock);
	if (works && !chan->closing) {
		chan->stat.revivals++;
		chan->down = false;
		WRITE_ONCE(chan->refusing, false);
	}
	spin_unlock_irq(&chan->lock);
	if (works) {
		trace_dmacpy_chan_revived(dma_chan_name(chan->dma));
		wake_up_all(chan->ready);
	} else {
		queue_delayed_work(system_long_wq, &chan->recovery,
				   chan_timeout());
	}
}

/*
 * Looks a second time when all late callbacks are through: also those that have
 * slept as long as this work, as when a debugger or a hypervisor has stopped
 * the machine.
 */
static void chan_work(struct work_struct *work)
{
	struct dmacpy_chan *chan =
		container_of(work, struct dmacpy_chan, work.work);
	unsigned long progress;
	bool stuck;

	spin_lock_irq(&chan->lock);
	progress = chan->progress;
	stuck = !chan->down && chan_stuck(chan);
	if (stuck) {
		chan->down = true;
		spin_unlock_irq(&chan->lock);
		usleep_range(1000, 2000);
		chan_settle(chan);
		spin_lock_irq(&chan->lock);
		stuck = chan_stuck(chan) && chan->progress == progress;
		chan->down = stuck || chan->closing;
		chan->stat.timeouts += stuck;
	}
	if (!chan->down && chan_busy(chan))
		chan_arm(chan, chan_next_look(chan));
	spin_unlock_irq(&chan->lock);

	chan_run(chan);
	if (stuck) {
		trace_dmacpy_chan_timeout(dma_chan_name(chan->dma));
		chan_terminate(chan, -ETIMEDOUT, -ECANCELED);
		queue_delayed_work(system_long_wq, &chan->recovery, 0);
	}
}

/**
 * dmacpy_chan_submit() - start a transfer, after those before it in its lane
 * @chan: the channel; while it is being recovered the transfer is cancelled
 * @lane: the lane, always with the same channel
 * @xfer: belongs to the channel until dmacpy_xfer_ops.release is called
 *
 * Context: Any; while the channel is open.
 */
void dmacpy_chan_submit(struct dmacpy_chan *chan, struct dmacpy_lane *lane,
			struct dmacpy_xfer *xfer)
{
	unsigned long flags;

	xfer->chan = chan;
	xfer->length = xfer->left;
	local_bh_disable();
	spin_lock_irqsave(&chan->lock, flags);
	if (!chan_busy(chan))
		chan->progress = jiffies;
	chan->backlog += xfer->length;
	dmacpy_turns_push(&chan->queue, lane, &xfer->link);
	if (chan->refusing)
		chan_end_all_turns(chan, -ECANCELED, -ECANCELED);
	chan_feed(chan, &flags);
	chan_reap(chan, &flags);
	spin_unlock_irqrestore(&chan->lock, flags);
	local_bh_enable();
}

/**
 * dmacpy_chan_ready() - can a transfer be submitted with hope of success
 * @chan: the channel
 *
 * Context: Any.
 * Return: false while the channel is being recovered after a failure.
 */
bool dmacpy_chan_ready(struct dmacpy_chan *chan)
{
	return !READ_ONCE(chan->refusing);
}

/**
 * dmacpy_chan_backlog() - how much a new transfer would find before it
 * @chan: the channel
 *
 * Context: Process.
 * Return: bytes of all transfers that have not completed, U64_MAX while the
 * channel is being recovered.
 */
u64 dmacpy_chan_backlog(struct dmacpy_chan *chan)
{
	u64 backlog;

	spin_lock_irq(&chan->lock);
	backlog = chan->refusing ? U64_MAX : chan->backlog;
	spin_unlock_irq(&chan->lock);
	return backlog;
}

/**
 * dmacpy_chan_suspend() - leave the engine alone
 * @chan: the channel; all transfers have ended, and nobody submits any
 *
 * Context: Process. Undone by dmacpy_chan_resume().
 */
void dmacpy_chan_suspend(struct dmacpy_chan *chan)
{
	cancel_delayed_work_sync(&chan->work);
	cancel_delayed_work_sync(&chan->recovery);
	chan_settle(chan);
}

/**
 * dmacpy_chan_resume() - undo dmacpy_chan_suspend()
 * @chan: the channel
 *
 * Context: Process.
 */
void dmacpy_chan_resume(struct dmacpy_chan *chan)
{
	if (chan->refusing)
		queue_delayed_work(system_long_wq, &chan->recovery, 0);
}

/**
 * dmacpy_chan_stat() - what a channel has done, and is doing
 * @chan: the channel
 * @stat: filled in
 *
 * Context: Process.
 */
void dmacpy_chan_stat(struct dmacpy_chan *chan, struct dmacpy_chan_stat *stat)
{
	spin_lock_irq(&chan->lock);
	*stat = chan->stat;
	stat->in_flight = chan->in_flight;
	stat->ready = !chan->refusing;
	spin_unlock_irq(&chan->lock);
	stat->dma_name = dma_chan_name(chan->dma);
}

/**
 * dmacpy_chan_lost() - what engines that do not stop have cost
 *
 * Context: Process.
 * Return: number of transfers whose memory is kept for ever, or until their
 * channel is seen to copy again.
 */
unsigned int dmacpy_chan_lost(void)
{
	struct dmacpy_chan *chan;
	unsigned int count = 0;

	mutex_lock(&chan_lost_lock);
	list_for_each_entry(chan, &chan_lost, lost)
		count += chan->stat.quarantined;
	mutex_unlock(&chan_lost_lock);
	return count;
}

static void chan_free(struct dmacpy_chan *chan)
{
	if (chan->scratch)
		dma_free_coherent(chan->dma_dev, 2 * CHAN_TEST_SIZE,
				  chan->scratch, chan->scratch_addr);
	kfree(chan);
}

/* A channel that is kept may still call back, into this module. */
static void chan_lose(struct dmacpy_chan *chan)
{
	dev_warn(chan->parent,
		 "the engine does not stop: memory it may write to is kept\n");
	if (chan->requested)
		__module_get(THIS_MODULE);
	get_device(chan->dma_dev);
	mutex_lock(&chan_lost_lock);
	list_add(&chan->lost, &chan_lost);
	mutex_unlock(&chan_lost_lock);
}

/* What copies again, in order, is through with what it had before. */
static void chan_find_lost(struct dmacpy_chan *chan)
{
	struct dmacpy_chan *lost, *next;

	if (chan->depth == 1)
		return;
	mutex_lock(&chan_lost_lock);
	list_for_each_entry_safe(lost, next, &chan_lost, lost) {
		/* An engine that was bound anew may have the same address. */
		if (lost->dma != chan->dma || lost->dma_dev != chan->dma_dev)
			continue;
		list_del(&lost->lost);
		chan_end_quarantine(lost);
		chan_free(lost);
		put_device(chan->dma_dev);
	}
	mutex_unlock(&chan_lost_lock);
}

/* What had to be kept and has called back is quiet, and can be given back. */
static void chan_release_lost(void)
{
	struct dmacpy_chan *lost, *next;
	struct device *dma_dev;

	mutex_lock(&chan_lost_lock);
	list_for_each_entry_safe(lost, next, &chan_lost, lost) {
		if (!lost->requested || chan_untouchable(lost))
			continue;
		list_del(&lost->lost);
		chan_release(lost);
		chan_end_quarantine(lost);
		dma_dev = lost->dma_dev;
		chan_free(lost);
		put_device(dma_dev);
		module_put(THIS_MODULE);
	}
	mutex_unlock(&chan_lost_lock);
}

/*
 * PL330's driver never ignores issue_pending, and warns when that finds nothing
 * submitted or at work. It may while some descriptors have not called back.
 */
static bool chan_remembers(struct device *engine)
{
	return !strcmp(dev_driver_string(engine), "dma-pl330");
}

static int chan_setup(struct dmacpy_chan *chan)
{
	struct dma_device *engine = chan->dma->device;

	if (!dma_has_cap(DMA_MEMCPY, engine->cap_mask))
		return dev_err_probe(chan->parent, -EINVAL,
				     "channel %s cannot copy memory\n",
				     dma_chan_name(chan->dma));
	if (!device_link_add(chan->parent, engine->dev,
			     DL_FLAG_AUTOREMOVE_CONSUMER | DL_FLAG_PM_RUNTIME))
		return -EPROBE_DEFER;

	chan->dma_dev = dmaengine_get_dma_device(chan->dma);
	chan->copy_align = 1 << engine->copy_align;
	chan->user_align = chan->copy_align;
	if (device_get_dma_attr(chan->dma_dev) != DEV_DMA_COHERENT)
		chan->user_align = max_t(unsigned int, chan->copy_align,
					 dma_get_cache_alignment());
	chan->max_piece = round_down(dma_get_max_seg_size(chan->dma_dev),
				     chan->copy_align);
	chan->remembers = chan_remembers(engine->dev);
	chan->stoppable = strcmp(dev_driver_string(engine->dev), "sf-pdma");
	/* Operations of a job may depend on each other. */
	chan->depth = dma_has_cap(DMA_COMPLETION_NO_ORDER, engine->cap_mask) ?
		      1 : CHAN_DEPTH;

	chan->scratch = dma_alloc_coherent(chan->dma_dev, 2 * CHAN_TEST_SIZE,
					   &chan->scratch_addr, GFP_KERNEL);
	if (!chan->scratch)
		return -ENOMEM;
	if (!chan_test(chan))
		return dev_err_probe(chan->parent, -EIO,
				     "channel %s does not copy\n",
				     dma_chan_name(chan->dma));
	chan_find_lost(chan);
	return 0;
}

/**
 * dmacpy_chan_open() - request a channel
 * @parent: the platform device that is being bound
 * @name: its name in "dma-names", must stay; NULL for any that copies memory
 * @ready: woken when dmacpy_chan_ready() changes to true
 *
 * Context: Process.
 * Return: the channel (dmacpy_chan_close()), or an ERR_PTR() with the reason in
 * the log: -EPROBE_DEFER if there is none yet, -EINVAL if it cannot copy
 * memory, -EIO if it should but does not, -ENOMEM.
 */
struct dmacpy_chan *dmacpy_chan_open(struct device *parent, const char *name,
				     wait_queue_head_t *ready)
{
	struct dmacpy_chan *chan;
	struct dma_chan *dma;
	int ret;

	chan = kzalloc(sizeof(*chan), GFP_KERNEL);
	if (!chan)
		return ERR_PTR(-ENOMEM);
	chan->parent = parent;
	chan->name = name;
	chan->ready = ready;
	chan->interval = 1;
	chan->stoppable = true;
	chan->quiet = true;
	chan->dropped = true;
	spin_lock_init(&chan->lock);
	INIT_DELAYED_WORK(&chan->work, chan_work);
	INIT_DELAYED_WORK(&chan->recovery, chan_recovery);
	init_completion(&chan->tested);

	chan_release_lost();
	dma = chan_request(chan);
	if (IS_ERR(dma)) {
		kfree(chan);
		return ERR_PTR(dev_err_probe(parent, PTR_ERR(dma),
					     "no DMA channel %s\n",
					     name ?: "that copies memory"));
	}
	chan->dma = dma;
	chan->requested = true;
	ret = chan_setup(chan);
	if (ret) {
		dmacpy_chan_close(chan);
		return ERR_PTR(ret);
	}
	return chan;
}

static bool chan_prove_copy(struct dmacpy_chan *chan, dma_addr_t dst,
			    dma_addr_t src)
{
	reinit_completion(&chan->tested);
	return chan_test_part(chan, dst, src, CHAN_TEST_SIZE, true) &&
	       chan_test_called(chan);
}

/*
 * A copy of what the CPU has written to SRAM, and only if it is right one to
 * SRAM: at a wrong address there may be anything, and reading does less harm.
 */
static int chan_prove_at(struct dmacpy_chan *chan,
			 const struct dmacpy_sram *sram, dma_addr_t addr)
{
	const char *name = dma_chan_name(chan->dma);
	u8 *copy = chan->scratch + CHAN_TEST_SIZE;

	get_random_bytes(chan->scratch, CHAN_TEST_SIZE);
	memset(copy, 0, CHAN_TEST_SIZE);
	memcpy(sram->vaddr, chan->scratch, CHAN_TEST_SIZE);
	/* Before the engine reads it. */
	wmb();
	if (memcmp(sram->vaddr, chan->scratch, CHAN_TEST_SIZE))
		return dev_err_probe(chan->parent, -EIO,
				     "no memory at %pa: the CPU does not read what it has written (clock?)\n",
				     &sram->phys);
	if (!chan_prove_copy(chan, chan->scratch_addr + CHAN_TEST_SIZE, addr) ||
	    memcmp(copy, chan->scratch, CHAN_TEST_SIZE))
		return dev_err_probe(chan->parent, -EIO,
				     "channel %s does not read at %pad what the CPU writes at %pa (CPU-private? firewall? dma-ranges?)\n",
				     name, &addr, &sram->phys);

	get_random_bytes(chan->scratch, CHAN_TEST_SIZE);
	if (!chan_prove_copy(chan, addr, chan->scratch_addr))
		return dev_err_probe(chan->parent, -ETIMEDOUT,
				     "channel %s does not end a copy to SRAM at %pa (firewall?)\n",
				     name, &sram->phys);
	if (memcmp(sram->vaddr, chan->scratch, CHAN_TEST_SIZE))
		return dev_err_probe(chan->parent, -EIO,
				     "channel %s reads SRAM at %pa, but does not write it (firewall?)\n",
				     name, &sram->phys);
	chan->quiet = true;
	return 0;
}

/**
 * dmacpy_chan_prove_sram() - see that a channel reads and writes SRAM
 * @chan: the channel, which nothing was submitted to
 * @sram: SRAM that nobody uses
 *
 * Context: Process. @sram has no clock and no power domain that is off.
 * Return: 0, or with the reason in the log: -EIO if it does not, -ETIMEDOUT if
 * it may still write to @sram.
 */
int dmacpy_chan_prove_sram(struct dmacpy_chan *chan,
			   const struct dmacpy_sram *sram)
{
	dma_addr_t addr;
	int ret;

	addr = dmacpy_map_sram(chan->dma_dev, sram, DMA_BIDIRECTIONAL);
	if (addr == DMA_MAPPING_ERROR)
		return dev_err_probe(chan->parent, -EIO,
				     "channel %s cannot address SRAM at %pa\n",
				     dma_chan_name(chan->dma), &sram->phys);
	ret = chan_prove_at(chan, sram, addr);
	dmacpy_unmap_sram(chan->dma_dev, sram, addr, DMA_BIDIRECTIONAL);
	return ret;
}

/**
 * dmacpy_chan_close() - give a channel back
 * @chan: the channel; nobody submits any more
 *
 * What the engine has by now ends as it does. All other transfers end with
 * -ENODEV, also those that it does not end in time. What it may still write to
 * if it cannot be shown to be quiet is kept until the channel is opened again,
 * and copies.
 *
 * Context: Process.
 */
void dmacpy_chan_close(struct dmacpy_chan *chan)
{
	spin_lock_irq(&chan->lock);
	chan->closing = true;
	chan->down = true;
	spin_unlock_irq(&chan->lock);
	cancel_delayed_work_sync(&chan->work);
	cancel_delayed_work_sync(&chan->recovery);

	chan_drain(chan);
	chan_terminate(chan, -ENODEV, -ENODEV);
	if (!chan->quiet)
		chan_revive(chan);
	if (chan->requested && !chan_untouchable(chan))
		chan_release(chan);
	if (chan->quiet && !chan->requested)
		chan_free(chan);
	else
		chan_lose(chan);
}

/**
 * dmacpy_chan_init() - what all channels need
 *
 * Context: Process.
 * Return: 0 or -ENOMEM.
 */
int dmacpy_chan_init(void)
{
	chan_wq = alloc_workqueue("dmacpy", WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	return chan_wq ? 0 : -ENOMEM;
}

/**
 * dmacpy_chan_exit() - undo dmacpy_chan_init()
 *
 * Context: Process.
 */
void dmacpy_chan_exit(void)
{
	destroy_workqueue(chan_wq);
}
