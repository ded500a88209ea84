// SPDX-License-Identifier: GPL-2.0-only
/*
 * A channel: lanes of transfers take turns on a DMA engine.
 *
 * The pump submits descriptors to the engine. A callback only counts, completes
 * finished transfers, and has the worker run the pump when half of the
 * descriptors have completed: many engines call back with the lock held that
 * they take to prepare or submit a descriptor.
 *
 * All descriptors are counted, instead of waiting for the last one only, as
 * engines may lose some.
 */
#include <linux/dma-fence.h>
#include <linux/jiffies.h>
#include <linux/lockdep.h>
#include <linux/preempt.h>
#include <linux/sched.h>

#include "dmacpy_chan.h"
#include "dmacpy_compat.h"
#include "dmacpy_param.h"
#include "dmacpy_trace.h"

/* Maximum number of steps in a context that must not run for long */
#define CHAN_BUDGET	64
/* Maximum time that a transfer stays plugged, in jiffies */
#define CHAN_PLUG_MAX	2
/* Maximum time between checks for progress: the timeout may be changed. */
#define CHAN_CHECK_INTERVAL	(1UL * HZ)

/**
 * dmacpy_chan_timeout() - get the time that an engine may make no progress
 *
 * Context: Any.
 * Return: the time in jiffies, plus one, as the current jiffy may end at once.
 */
unsigned long dmacpy_chan_timeout(void)
{
	return msecs_to_jiffies(READ_ONCE(dmacpy_timeout.value)) + 1;
}

static struct dmacpy_xfer *chan_xfer(struct dmacpy_link *link)
{
	return link ? container_of(link, struct dmacpy_xfer, link) : NULL;
}

/* Returns the transfer whose turn it is, or NULL. */
static struct dmacpy_xfer *chan_peek(struct dmacpy_chan *chan)
{
	lockdep_assert_held(&chan->lock);
	return chan_xfer(dmacpy_turns_first(&chan->queue));
}

/* Transfers whose descriptors have all completed do not keep it busy. */
static bool chan_is_busy(struct dmacpy_chan *chan)
{
	lockdep_assert_held(&chan->lock);
	return chan->in_flight || !dmacpy_turns_empty(&chan->queue);
}

static bool chan_is_late(struct dmacpy_chan *chan, unsigned long timeout)
{
	return chan_is_busy(chan) && !chan->waits_for_token &&
	       !time_before(jiffies, chan->progress + timeout);
}

/**
 * dmacpy_chan_is_stuck() - check whether the engine has stopped making progress
 * @chan: the channel
 *
 * Context: Any, under dmacpy_chan.lock.
 * Return: true if it is busy, but made no progress for dmacpy_chan_timeout().
 */
bool dmacpy_chan_is_stuck(struct dmacpy_chan *chan)
{
	return chan_is_late(chan, dmacpy_chan_timeout());
}

/* Have the watchdog run no later than @due. */
static void chan_arm_watchdog(struct dmacpy_chan *chan, unsigned long due)
{
	unsigned long now = jiffies;

	lockdep_assert_held(&chan->lock);
	if (chan->armed && !time_before(due, chan->due))
		return;
	chan->armed = true;
	chan->due = due;
	kthread_mod_delayed_work(chan->worker, &chan->watchdog,
				 time_after(due, now) ? due - now : 0);
}

/*
 * Returns the time of the next check: when the engine is late, or earlier, as
 * the timeout may be changed.
 */
static unsigned long chan_next_check(struct dmacpy_chan *chan)
{
	unsigned long timeout = dmacpy_chan_timeout();
	unsigned long late = chan->progress + timeout;
	unsigned long check = jiffies + min(CHAN_CHECK_INTERVAL, timeout / 2);

	return time_before(late, check) ? late : check;
}

static void chan_kick(struct dmacpy_chan *chan)
{
	kthread_queue_work(chan->worker, &chan->pump_work);
}

/*
 * Take the oldest transfer of a lane that has had its turn, if it is complete.
 * The caller then owns the lane, and has to complete the transfer. An atomic
 * caller gets NULL for a slow transfer, or when it has used up the budget: the
 * worker then owns the lane and completes the transfer.
 */
static inline struct dmacpy_xfer *
chan_take_complete(struct dmacpy_chan *chan, struct dmacpy_lane *lane,
		   bool atomic, unsigned int before)
{
	struct dmacpy_xfer *xfer = chan_xfer(lane->flight.first);

	lockdep_assert_held(&chan->lock);
	lane->completing = xfer && !xfer->in_flight && !xfer->parts;
	if (!lane->completing)
		return NULL;
	if (atomic && (xfer->slow || before >= CHAN_BUDGET)) {
		dmacpy_fifo_push(&chan->deferred, &lane->deferred);
		chan_kick(chan);
		return NULL;
	}
	dmacpy_fifo_pop(&lane->flight);
	chan->backlog -= xfer->length;
	return xfer;
}

static bool chan_report(const struct dmacpy_chan *chan,
			enum dmacpy_report_kind kind,
			const struct dmacpy_xfer *xfer)
{
	return dmacpy_report_failure(chan->report, kind, chan->engine.dma_name,
				     xfer->submitted);
}

/*
 * Complete a transfer that chan_take_complete() has returned, and then those
 * behind it in its lane. Its owner signals fences, so no lock is held. The
 * release of the last transfer of a lane may free the lane.
 */
static void chan_complete_from(struct dmacpy_chan *chan,
			       struct dmacpy_xfer *xfer, bool atomic)
{
	unsigned int count = 0;
	struct dmacpy_xfer *next;
	unsigned long flags;
	bool terminated;
	int result;

	for (; xfer; xfer = next) {
		result = xfer->result;
		if (unlikely(result == -EIO))
			chan_report(chan, DMACPY_ENGINE_ERROR, xfer);
		xfer->ops->done(xfer, result);
		spin_lock_irqsave(&chan->lock, flags);
		next = chan_take_complete(chan, xfer->lane, atomic, ++count);
		chan->stat.ended++;
		chan->stat.bytes += xfer->length;
		chan->stat.failed += !!result;
		/* The channel may have recovered while other parts ran. */
		terminated = xfer->terminated && !READ_ONCE(chan->quiesced);
		if (terminated) {
			dmacpy_fifo_push(&chan->quarantine, &xfer->link);
			chan->stat.quarantined++;
		}
		spin_unlock_irqrestore(&chan->lock, flags);
		if (!terminated)
			xfer->ops->release(xfer);
		if (!atomic)
			cond_resched();
	}
}

/* Complete finished transfers of a lane that no context owns, and unlock. */
static void chan_complete_and_unlock(struct dmacpy_chan *chan,
				     struct dmacpy_lane *lane, bool atomic,
				     unsigned long flags)
	__releases(&chan->lock)
{
	struct dmacpy_xfer *xfer = NULL;

	if (!lane->completing)
		xfer = chan_take_complete(chan, lane, atomic, 0);
	spin_unlock_irqrestore(&chan->lock, flags);
	chan_complete_from(chan, xfer, atomic);
}

/*
 * Like chan_complete_and_unlock(), in a process, and takes the lock again. It
 * drops the lock in any case: the caller may have a long queue of transfers.
 */
static void chan_complete(struct dmacpy_chan *chan, struct dmacpy_lane *lane,
			  bool atomic)
	__must_hold(&chan->lock)
{
	struct dmacpy_xfer *xfer = NULL;

	if (!lane->completing)
		xfer = chan_take_complete(chan, lane, atomic, 0);
	spin_unlock_irq(&chan->lock);
	chan_complete_from(chan, xfer, atomic);
	spin_lock_irq(&chan->lock);
}

static void chan_complete_deferred(struct dmacpy_chan *chan)
{
	struct dmacpy_xfer *xfer;
	struct dmacpy_lane *lane;

	spin_lock_irq(&chan->lock);
	while (chan->deferred.first) {
		lane = container_of(chan->deferred.first, struct dmacpy_lane,
				    deferred);
		dmacpy_fifo_pop(&chan->deferred);
		xfer = chan_take_complete(chan, lane, false, 0);
		spin_unlock_irq(&chan->lock);
		chan_complete_from(chan, xfer, false);
		spin_lock_irq(&chan->lock);
	}
	spin_unlock_irq(&chan->lock);
}

/*
 * After each callback the engine may be idle although descriptors are in
 * flight: it may have ignored their issue while it was busy.
 */
static bool chan_needs_issue(struct dmacpy_chan *chan)
{
	return chan->needs_reissue && chan->in_flight;
}

static bool chan_needs_pump(struct dmacpy_chan *chan,
			    const struct dmacpy_xfer *xfer)
{
	lockdep_assert_held(&chan->lock);
	return (!dmacpy_turns_empty(&chan->queue) &&
		(chan->in_flight <= chan->refill_at || xfer->result)) ||
	       chan_needs_issue(chan);
}

/* Called before the first descriptor of @xfer is submitted. */
static void chan_flight_add(struct dmacpy_chan *chan, struct dmacpy_xfer *xfer)
{
	lockdep_assert_held(&chan->lock);
	hlist_add_head(&xfer->flight, &chan->flight);
	if (!chan->oldest)
		chan->oldest = xfer;
}

/* Called when no descriptor of @xfer is in flight; there may have been none. */
static void chan_flight_del(struct dmacpy_chan *chan, struct dmacpy_xfer *xfer)
{
	struct hlist_node **link = xfer->flight.pprev;

	lockdep_assert_held(&chan->lock);
	if (xfer == chan->oldest)
		chan->oldest = link == &chan->flight.first ? NULL :
			       container_of(link, struct dmacpy_xfer,
					    flight.next);
	hlist_del_init(&xfer->flight);
}

static void chan_account_desc(struct dmacpy_chan *chan,
			      struct dmacpy_xfer *xfer, bool failed)
{
	lockdep_assert_held(&chan->lock);
	chan->in_flight--;
	xfer->in_flight--;
	if (failed && !xfer->result)
		WRITE_ONCE(xfer->result, -EIO);
	/* Engines run in order: the next callback is due for the oldest. */
	if (xfer == chan->oldest)
		chan->progress = jiffies;
	if (!xfer->in_flight && !xfer->bytes_left)
		chan_flight_del(chan, xfer);
	if (!chan->in_flight)
		dmacpy_token_release(&chan->bearer);
}

/*
 * A terminated descriptor may call back with success although nothing was
 * copied, and may do so after the termination.
 */
static void chan_desc_done(struct dmacpy_client *client, bool failed)
{
	struct dmacpy_xfer *xfer =
		container_of(client, struct dmacpy_xfer, client);
	struct dmacpy_chan *chan = xfer->chan;
	unsigned long flags;

	spin_lock_irqsave(&chan->lock, flags);
	if (!xfer->in_flight || chan->state == DMACPY_CHAN_TERMINATING) {
		chan->stale--;
		spin_unlock_irqrestore(&chan->lock, flags);
		return;
	}
	chan_account_desc(chan, xfer, failed);
	if (chan_needs_pump(chan, xfer))
		chan_kick(chan);
	if (xfer->in_flight)
		spin_unlock_irqrestore(&chan->lock, flags);
	else
		chan_complete_and_unlock(chan, xfer->lane, true, flags);
}

/* End the turn of @xfer: the engine gets no more descriptors of it. */
static inline void chan_dequeue(struct dmacpy_chan *chan,
				struct dmacpy_xfer *xfer)
{
	lockdep_assert_held(&chan->pump);
	xfer->bytes_left = 0;
	dmacpy_turns_pop(&chan->queue);
	dmacpy_fifo_push(&xfer->lane->flight, &xfer->link);
	if (!xfer->in_flight)
		chan_flight_del(chan, xfer);
}

/* Returns 0, or the error that the transfer completes with instead. */
static int chan_start_xfer(struct dmacpy_chan *chan, struct dmacpy_xfer *xfer)
{
	lockdep_assert_held(&chan->pump);
	if (chan->state == DMACPY_CHAN_DOWN && !xfer->result)
		xfer->result = -ECANCELED;
	if (!xfer->started && !xfer->result)
		xfer->result = xfer->ops->start(xfer);
	xfer->started = true;
	return xfer->result;
}

/* Submit the first row of a tile; the piece keeps the other rows. */
static noinline int chan_submit_row(struct dmacpy_chan *chan,
				    struct dmacpy_xfer *xfer)
{
	struct dmacpy_piece *tile = &xfer->piece, row = *tile;
	int ret;

	row.kind = DMACPY_PIECE_COPY;
	row.length = tile->row;
	ret = dmacpy_engine_submit(&chan->engine, &row, &xfer->client);
	if (ret)
		return ret;
	tile->dst += tile->dst_stride;
	tile->src += tile->src_stride;
	if (--tile->rows == 1)
		tile->kind = DMACPY_PIECE_COPY;
	return 0;
}

static int chan_submit_piece(struct dmacpy_chan *chan, struct dmacpy_xfer *xfer,
			     u64 *left)
{
	struct dmacpy_piece *piece = &xfer->piece;
	size_t length;
	int ret;

	if (!piece->length)
		xfer->ops->next(xfer, min_t(u64, chan->max_piece, *left),
				piece);
	length = piece->length;
	ret = dmacpy_engine_submit(&chan->engine, piece, &xfer->client);
	/* The engine's driver may refuse this tile, but not a row of it. */
	if (unlikely(ret == -EAGAIN && piece->kind == DMACPY_PIECE_TILE)) {
		length = piece->row;
		ret = chan_submit_row(chan, xfer);
	}
	if (ret)
		return ret;
	trace_dmacpy_chan_feed(chan->engine.dma_name, length);
	*left -= length;
	piece->length -= length;
	return 0;
}

/*
 * Submit as many descriptors of @xfer as the engine accepts. Callbacks may come
 * before the lock is held again: all free slots count as in flight until the
 * number of those used is known. Returns true if any descriptor was submitted.
 */
static bool chan_submit_descs(struct dmacpy_chan *chan,
			      struct dmacpy_xfer *xfer, bool *refused)
	__must_hold(&chan->lock)
{
	unsigned int room = chan->engine.depth - chan->in_flight, given = 0;
	u64 left = xfer->bytes_left;
	int ret = 0;

	if (hlist_unhashed(&xfer->flight))
		chan_flight_add(chan, xfer);
	chan->in_flight += room;
	xfer->in_flight += room;
	spin_unlock_irq(&chan->lock);

	while (left && given < room && !READ_ONCE(xfer->result)) {
		ret = chan_submit_piece(chan, xfer, &left);
		if (ret)
			break;
		given++;
	}

	spin_lock_irq(&chan->lock);
	chan->in_flight -= room - given;
	xfer->in_flight -= room - given;
	xfer->bytes_left = left;
	/* The engine was idle before. */
	if (given && chan->in_flight == given)
		chan->progress = jiffies;
	*refused = ret == -EAGAIN;
	if (ret && !*refused && !xfer->result)
		xfer->result = ret;
	if (!left || xfer->result)
		chan_dequeue(chan, xfer);
	return given;
}

/* May the pump submit descriptors? @issue: it already has in this run. */
static bool chan_has_room(struct dmacpy_chan *chan, bool issue)
{
	lockdep_assert_held(&chan->lock);
	if (chan->in_flight == chan->engine.depth)
		return false;
	if (!chan->bearer.token || issue)
		return true;
	chan->waits_for_token = !chan->in_flight &&
				!dmacpy_token_take(&chan->bearer);
	return !chan->in_flight && !chan->waits_for_token;
}

/*
 * Schedule the next run of the pump: now if there is @more to submit, otherwise
 * when half of the descriptors have completed, or in a jiffy if the engine has
 * @refused one and has no other.
 */
static void chan_plan(struct dmacpy_chan *chan, bool refused, bool more)
{
	lockdep_assert_held(&chan->lock);
	chan->refill_at = chan->bearer.token ? 0 : chan->in_flight / 2;
	if (!chan->in_flight && !chan->waits_for_token)
		dmacpy_token_release(&chan->bearer);
	if (more)
		chan_kick(chan);
	else if (chan->state != DMACPY_CHAN_RUNNING || chan->waits_for_token)
		return;
	else if (refused && !chan->in_flight)
		chan_arm_watchdog(chan, jiffies + 1);
	else if (!chan->armed && chan_is_busy(chan))
		chan_arm_watchdog(chan, chan_next_check(chan));
}

/**
 * dmacpy_chan_pump() - submit descriptors until the engine is full, and issue
 * @chan: the channel
 * @atomic: do not sleep, nor run for long
 *
 * Transfers that have failed complete in their turn, without the engine.
 *
 * Context: Process, under dmacpy_chan.pump and .lock, which is dropped. Not
 * @atomic, if the engine has DMACPY_QUIRK_SLEEPS.
 */
void dmacpy_chan_pump(struct dmacpy_chan *chan, bool atomic)
	__releases(&chan->lock)
{
	bool issue = chan_needs_issue(chan), refused = false;
	unsigned int budget = CHAN_BUDGET;
	struct dmacpy_xfer *xfer;

	lockdep_assert_held(&chan->pump);
	/* The channel could make no progress without the token. */
	if (chan->waits_for_token)
		chan->progress = jiffies;
	chan->waits_for_token = false;
	WRITE_ONCE(chan->plugged, 0);
	while (chan->state != DMACPY_CHAN_CLOSING && !refused && budget &&
	       (xfer = chan_peek(chan))) {
		budget--;
		if (chan_start_xfer(chan, xfer))
			chan_dequeue(chan, xfer);
		else if (chan_has_room(chan, issue))
			issue |= chan_submit_descs(chan, xfer, &refused);
		else
			break;
		if (!xfer->in_flight)
			chan_complete(chan, xfer->lane, atomic);
	}
	chan_plan(chan, refused, !budget);
	spin_unlock_irq(&chan->lock);
	if (issue)
		dmacpy_engine_issue(&chan->engine);
}

static void chan_retry(struct dmacpy_bearer *bearer)
{
	chan_kick(container_of(bearer, struct dmacpy_chan, bearer));
}

static void chan_pump_work(struct kthread_work *work)
{
	struct dmacpy_chan *chan =
		container_of(work, struct dmacpy_chan, pump_work);
	bool signalling = dma_fence_begin_signalling();

	mutex_lock(&chan->pump);
	spin_lock_irq(&chan->lock);
	dmacpy_chan_pump(chan, false);
	mutex_unlock(&chan->pump);
	chan_complete_deferred(chan);
	dma_fence_end_signalling(signalling);
}

static inline void chan_enqueue(struct dmacpy_chan *chan,
				struct dmacpy_xfer *xfer)
{
	lockdep_assert_held(&chan->lock);
	if (!chan_is_busy(chan))
		chan->progress = jiffies;
	chan->submitted++;
	chan->backlog += xfer->length;
	dmacpy_turns_push(&chan->queue, xfer->lane, &xfer->link);
}

/*
 * The watchdog runs the pump if the task is preempted before it calls
 * dmacpy_chan_unplug().
 */
static void chan_plug(struct dmacpy_chan *chan, struct dmacpy_xfer *xfer)
{
	spin_lock_irq(&chan->lock);
	chan_enqueue(chan, xfer);
	WRITE_ONCE(chan->plugged, chan->plugged + 1);
	chan_arm_watchdog(chan, jiffies + CHAN_PLUG_MAX);
	spin_unlock_irq(&chan->lock);
}

/*
 * Enqueue @xfer, if it is not NULL. The task then runs the pump itself, unless
 * another task does. Preemption is disabled, as other tasks would have to wait;
 * on PREEMPT_RT the task inherits the priority of the worker, which waits for
 * the mutex on their behalf.
 */
static inline void chan_pump_or_kick(struct dmacpy_chan *chan,
				     struct dmacpy_xfer *xfer)
{
	bool pump;

	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		preempt_disable();
	pump = !(chan->engine.quirks & DMACPY_QUIRK_SLEEPS) &&
	       mutex_trylock(&chan->pump);
	spin_lock_irq(&chan->lock);
	if (xfer)
		chan_enqueue(chan, xfer);
	if (pump) {
		dmacpy_chan_pump(chan, true);
		mutex_unlock(&chan->pump);
	} else {
		chan_kick(chan);
		spin_unlock_irq(&chan->lock);
	}
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		preempt_enable();
}

/**
 * dmacpy_chan_submit() - queue a transfer behind the others in its lane
 * @chan: the channel; while it is being recovered the transfer is cancelled
 * @lane: the lane, always with the same channel
 * @xfer: belongs to the channel until dmacpy_xfer_ops.release is called
 *
 * Context: Process; while the channel is open.
 */
void dmacpy_chan_submit(struct dmacpy_chan *chan, struct dmacpy_lane *lane,
			struct dmacpy_xfer *xfer)
{
	bool signalling = dma_fence_begin_signalling();

	xfer->client.called_back = chan_desc_done;
	xfer->chan = chan;
	xfer->lane = lane;
	xfer->length = xfer->bytes_left;
	xfer->submitted = jiffies;
	xfer->started = false;
	xfer->terminated = false;
	xfer->in_flight = 0;
	xfer->piece.length = 0;
	INIT_HLIST_NODE(&xfer->flight);
	/* The engine accepts no more than these at a time. */
	if (xfer->plugged && READ_ONCE(chan->plugged) + 1 < chan->engine.depth)
		chan_plug(chan, xfer);
	else
		chan_pump_or_kick(chan, xfer);
	dma_fence_end_signalling(signalling);
}

/**
 * dmacpy_chan_unplug() - submit the plugged transfers to the engine
 * @chan: the channel
 * @atomic: the task is about to sleep: the worker submits them
 *
 * Context: Process; while the channel is open.
 */
void dmacpy_chan_unplug(struct dmacpy_chan *chan, bool atomic)
{
	bool signalling = dma_fence_begin_signalling();

	if (atomic)
		chan_kick(chan);
	else
		chan_pump_or_kick(chan, NULL);
	dma_fence_end_signalling(signalling);
}

/**
 * dmacpy_chan_part_done() - note that one of the parts of a transfer completed
 * @xfer: the transfer, which was submitted; may be freed when this returns
 *
 * Context: Any.
 */
void dmacpy_chan_part_done(struct dmacpy_xfer *xfer)
{
	struct dmacpy_chan *chan = xfer->chan;
	unsigned long flags;

	spin_lock_irqsave(&chan->lock, flags);
	if (--xfer->parts)
		spin_unlock_irqrestore(&chan->lock, flags);
	else
		chan_complete_and_unlock(chan, xfer->lane, true, flags);
}

/* @xfer is the transfer that the engine failed on. */
static void chan_report_timeout(struct dmacpy_chan *chan,
				const struct dmacpy_xfer *xfer)
{
	chan->down_since = jiffies;
	chan->reason_reported = false;
	chan->reported = chan_report(chan, xfer->in_flight ?
				     DMACPY_NO_PROGRESS : DMACPY_NO_DESCRIPTOR,
				     xfer);
}

/* The descriptors of @xfer in flight count as called back. */
static void chan_cancel_xfer(struct dmacpy_chan *chan, struct dmacpy_xfer *xfer,
			     int result)
{
	lockdep_assert_held(&chan->lock);
	if (!xfer->result)
		xfer->result = result;
	xfer->terminated = xfer->in_flight;
	if (xfer->terminated)
		chan->quiesced = false;
	chan->stale += xfer->in_flight;
	chan->in_flight -= xfer->in_flight;
	xfer->in_flight = 0;
	if (xfer == chan_peek(chan))
		chan_dequeue(chan, xfer);
	else
		chan_flight_del(chan, xfer);
}

/**
 * dmacpy_chan_cancel() - complete all transfers with an error
 * @chan: the channel, DMACPY_CHAN_TERMINATING
 * @result: result of the oldest transfer, which the engine failed on
 * @others: result of the others
 *
 * Context: Process, under dmacpy_chan.pump.
 */
void dmacpy_chan_cancel(struct dmacpy_chan *chan, int result, int others)
{
	struct dmacpy_xfer *xfer;

	lockdep_assert_held(&chan->pump);
	spin_lock_irq(&chan->lock);
	while ((xfer = chan->oldest ?: chan_peek(chan))) {
		if (result == -ETIMEDOUT)
			chan_report_timeout(chan, xfer);
		chan_cancel_xfer(chan, xfer, result);
		result = others;
		chan_complete(chan, xfer->lane, false);
	}
	dmacpy_token_release(&chan->bearer);
	spin_unlock_irq(&chan->lock);
	chan_complete_deferred(chan);
}

/**
 * dmacpy_chan_check_progress() - detect an engine that ignores an issue
 * @chan: the channel
 *
 * Some engines are known to ignore it, or did so in the test of the channel.
 * Another one is detected when it makes no progress for half of the timeout:
 * from then on descriptors are issued again.
 *
 * Context: Any, under dmacpy_chan.lock, before dmacpy_chan_pump().
 */
void dmacpy_chan_check_progress(struct dmacpy_chan *chan)
{
	lockdep_assert_held(&chan->lock);
	if (chan->in_flight &&
	    !(chan->engine.quirks & DMACPY_QUIRK_WARN_ISSUE) &&
	    chan_is_late(chan, dmacpy_chan_timeout() / 2))
		chan->needs_reissue = true;
}

/**
 * dmacpy_chan_start() - make a channel ready for transfers
 * @chan: the channel, with an engine, otherwise zero
 * @watchdog: for dmacpy_chan.watchdog
 *
 * Context: Process. Undone by dmacpy_chan_stop().
 * Return: 0 or -ENOMEM.
 */
int dmacpy_chan_start(struct dmacpy_chan *chan, kthread_work_func_t watchdog)
{
	struct kthread_worker *worker;
	int ret = 0;

	spin_lock_init(&chan->lock);
	mutex_init(&chan->pump);
	chan->needs_reissue = chan->engine.quirks & DMACPY_QUIRK_REISSUE;
	kthread_init_work(&chan->pump_work, chan_pump_work);
	kthread_init_delayed_work(&chan->watchdog, watchdog);
	worker = kthread_run_worker(0, "dmacpy/%s",
				    chan->engine.dma_name);
	if (IS_ERR(worker))
		return PTR_ERR(worker);
	/* The priority of interrupt threads, which would do this otherwise */
	sched_set_fifo(worker->task);
	chan->worker = worker;
	chan->bearer.retry = chan_retry;
	if (chan->engine.quirks & DMACPY_QUIRK_EXCLUSIVE)
		ret = dmacpy_token_open(&chan->bearer, chan->engine.dev);
	return ret;
}

/**
 * dmacpy_chan_stop() - undo dmacpy_chan_start()
 * @chan: the channel; all transfers have completed
 *
 * Context: Process.
 */
void dmacpy_chan_stop(struct dmacpy_chan *chan)
{
	if (chan->worker)
		kthread_destroy_worker(chan->worker);
	chan->worker = NULL;
	/* Last, as the pump may release the token. */
	dmacpy_token_close(&chan->bearer);
}

/**
 * dmacpy_chan_backlog() - get the bytes queued before a new transfer
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
	backlog = dmacpy_chan_ready(chan) ? chan->backlog : U64_MAX;
	spin_unlock_irq(&chan->lock);
	return backlog;
}

/**
 * dmacpy_chan_stat() - get the state of a channel
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
	stat->ready = dmacpy_chan_ready(chan);
	spin_unlock_irq(&chan->lock);
	stat->dma_name = chan->engine.dma_name;
}
