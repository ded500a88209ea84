// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a channel: it is opened, watched, recovered and closed.
 *
 * Engines differ in how they fail, and most do not report failures: a watchdog
 * checks for progress. A channel without progress is terminated, its transfers
 * complete at once with an error, and their memory stays in quarantine, as the
 * engine may still write to it. Then the channel is released and requested
 * again, which is the only way to reset some engines, and has to pass test
 * copies. The quarantine ends when a test copy that has arrived proves that the
 * engine no longer writes for the terminated descriptors.
 */
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/property.h>
#include <linux/slab.h>

#include "dmacpy_chan.h"
#include "dmacpy_recovery.h"
#include "dmacpy_trace.h"

/*
 * Timeouts of a test copy, in jiffies: in general, and on a channel that is
 * down and shares a token, as each attempt keeps the other channels waiting.
 */
#define RECOVERY_TEST_TIME	(5UL * HZ)
#define RECOVERY_LOCK_TIME	(HZ / 2UL)

/* Closed channels that are not quiesced, or could not be released */
static LIST_HEAD(recovery_parked);
static DEFINE_MUTEX(recovery_parked_lock);

static unsigned long recovery_test_timeout(const struct dmacpy_chan *chan)
{
	bool others_wait = chan->bearer.token &&
			   READ_ONCE(chan->state) == DMACPY_CHAN_DOWN;

	return min(dmacpy_chan_timeout(),
		   others_wait ? RECOVERY_LOCK_TIME : RECOVERY_TEST_TIME);
}

/* Must the channel be kept until all its descriptors have called back? */
static bool recovery_must_not_stop(struct dmacpy_chan *chan)
{
	bool has_some;

	spin_lock_irq(&chan->lock);
	has_some = chan->in_flight || chan->stale > 0 ||
		   atomic_read(&chan->test.in_flight);
	spin_unlock_irq(&chan->lock);
	return has_some && chan->engine.quirks & DMACPY_QUIRK_UNSTOPPABLE;
}

/* The caller has set DMACPY_CHAN_TERMINATING: callbacks are ignored. */
static void recovery_terminate(struct dmacpy_chan *chan, int result, int others)
{
	lockdep_assert_held(&chan->pump);
	/*
	 * The engine is terminated first: a program may react to the failure at
	 * once, so that interrupts arrive while the engine is being terminated,
	 * which corrupts lists of several drivers. Whether it succeeds or not,
	 * the engine may keep writing.
	 */
	if (chan->in_flight && !recovery_must_not_stop(chan))
		dmacpy_engine_terminate(&chan->engine);
	dmacpy_chan_cancel(chan, result, others);
}

static void recovery_set_state(struct dmacpy_chan *chan,
			       enum dmacpy_chan_state state)
{
	lockdep_assert_held(&chan->pump);
	spin_lock_irq(&chan->lock);
	WRITE_ONCE(chan->state, state);
	spin_unlock_irq(&chan->lock);
}

static bool recovery_is_stuck(struct dmacpy_chan *chan)
{
	bool stuck;

	spin_lock_irq(&chan->lock);
	stuck = chan->state == DMACPY_CHAN_RUNNING &&
		dmacpy_chan_is_stuck(chan);
	spin_unlock_irq(&chan->lock);
	return stuck;
}

/*
 * Retry descriptors that the engine has refused. If @late, return true if the
 * engine is still stuck; the channel is then in DMACPY_CHAN_TERMINATING.
 */
static bool recovery_pump(struct dmacpy_chan *chan, bool late)
{
	bool stuck;

	lockdep_assert_held(&chan->pump);
	spin_lock_irq(&chan->lock);
	chan->armed = false;
	dmacpy_chan_check_progress(chan);
	dmacpy_chan_pump(chan, false);
	spin_lock_irq(&chan->lock);
	stuck = late && chan->state == DMACPY_CHAN_RUNNING &&
		dmacpy_chan_is_stuck(chan);
	if (stuck) {
		chan->stat.timeouts++;
		WRITE_ONCE(chan->state, DMACPY_CHAN_TERMINATING);
	}
	spin_unlock_irq(&chan->lock);
	return stuck;
}

/*
 * Checks a second time, after late callbacks: these may be late because a
 * debugger or a hypervisor has stopped the whole machine, and this work, too.
 */
static void recovery_watchdog(struct kthread_work *work)
{
	struct dmacpy_chan *chan =
		container_of(work, struct dmacpy_chan, watchdog.work);
	bool signalling = dma_fence_begin_signalling();
	bool late = recovery_is_stuck(chan);

	if (late)
		usleep_range(1000, 2000);
	mutex_lock(&chan->pump);
	if (recovery_pump(chan, late)) {
		trace_dmacpy_chan_timeout(chan->engine.dma_name);
		recovery_terminate(chan, -ETIMEDOUT, -ECANCELED);
		recovery_set_state(chan, DMACPY_CHAN_DOWN);
		queue_delayed_work(system_long_wq, &chan->recovery, 0);
	}
	mutex_unlock(&chan->pump);
	dma_fence_end_signalling(signalling);
}

static void recovery_end_quarantine(struct dmacpy_chan *chan)
{
	struct dmacpy_link *link, *next;
	struct dmacpy_xfer *xfer;

	spin_lock_irq(&chan->lock);
	link = chan->quarantine.first;
	chan->quarantine.first = NULL;
	chan->stat.quarantined = 0;
	chan->quiesced = true;
	spin_unlock_irq(&chan->lock);
	for (; link; link = next) {
		next = link->next;
		xfer = container_of(link, struct dmacpy_xfer, link);
		xfer->ops->release(xfer);
	}
}

/*
 * A copy has to arrive and to call back: this proves that interrupts work, too.
 * If it arrives, the engine has finished with earlier descriptors, unless a
 * later copy may overtake them. If it calls back, or if the engine has dropped
 * the earlier descriptors, these no longer call back.
 */
static void recovery_copy(struct dmacpy_chan *chan,
			  struct dmacpy_testcopy_result *result)
{
	bool proves_quiesced = chan->quiesced ||
			       chan->engine.quirks & DMACPY_QUIRK_QUIESCES;

	dmacpy_testcopy_run(&chan->test, recovery_test_timeout(chan), result);
	if (result->submitted)
		WRITE_ONCE(chan->quiesced, false);
	if (proves_quiesced && result->arrived &&
	    (result->called_back || chan->flushed))
		recovery_end_quarantine(chan);
}

static bool recovery_test(struct dmacpy_chan *chan)
{
	struct dmacpy_testcopy_result result;

	recovery_copy(chan, &result);
	chan->failure = result.arrived ? DMACPY_NO_INTERRUPT : DMACPY_NO_COPY;
	return result.arrived && result.called_back;
}

/* Terminated descriptors whose issue was ignored call back only after this. */
static void recovery_issue(struct dmacpy_chan *chan)
{
	mutex_lock(&chan->pump);
	if (chan->needs_reissue)
		dmacpy_engine_issue(&chan->engine);
	mutex_unlock(&chan->pump);
}

static void recovery_release(struct dmacpy_chan *chan)
{
	chan->flushed = dmacpy_engine_release(&chan->engine);
	/* No descriptor calls back after the release. */
	chan->stale = 0;
	atomic_set(&chan->test.in_flight, 0);
}

/*
 * Release and request the channel. Both allocate and take mutexes: all fences
 * that depend on the channel must have signalled. Returns true if it works.
 */
static bool recovery_reset(struct dmacpy_chan *chan)
{
	chan->failure = DMACPY_BUSY;
	if (recovery_must_not_stop(chan)) {
		recovery_issue(chan);
		return false;
	}
	if (chan->engine.requested)
		recovery_release(chan);
	if (dmacpy_engine_request(&chan->engine))
		return false;
	/* Twice: the first copy may consume a leftover interrupt. */
	return recovery_test(chan) && recovery_test(chan);
}

static void recovery_report(struct dmacpy_chan *chan,
			    enum dmacpy_report_kind kind)
{
	dmacpy_report_state(chan->report, kind, chan->engine.dma_name,
			    chan->down_since, chan->reported);
}

/* Only the first of many attempts to recover reports its reason. */
static void recovery_report_reason(struct dmacpy_chan *chan)
{
	if (!chan->reason_reported)
		recovery_report(chan, chan->failure);
	chan->reason_reported = true;
}

static void recovery_work(struct work_struct *work)
{
	struct dmacpy_chan *chan =
		container_of(work, struct dmacpy_chan, recovery.work);

	if (!recovery_reset(chan)) {
		recovery_report_reason(chan);
		queue_delayed_work(system_long_wq, &chan->recovery,
				   dmacpy_chan_timeout());
		return;
	}
	mutex_lock(&chan->pump);
	/* Not if a task closes the channel, which waits for this work. */
	if (chan->state == DMACPY_CHAN_DOWN) {
		chan->stat.reset_count++;
		recovery_report(chan, DMACPY_RECOVERED);
		recovery_set_state(chan, DMACPY_CHAN_RUNNING);
	}
	mutex_unlock(&chan->pump);
	trace_dmacpy_chan_revived(chan->engine.dma_name);
	wake_up_all(chan->ready);
}

/**
 * dmacpy_chan_suspend() - stop using the engine
 * @chan: the channel; all transfers have completed, and none is submitted
 *
 * Context: Process. Undone by dmacpy_chan_resume().
 */
void dmacpy_chan_suspend(struct dmacpy_chan *chan)
{
	kthread_cancel_delayed_work_sync(&chan->watchdog);
	spin_lock_irq(&chan->lock);
	chan->armed = false;
	spin_unlock_irq(&chan->lock);
	cancel_delayed_work_sync(&chan->recovery);
	kthread_flush_worker(chan->worker);
}

/**
 * dmacpy_chan_resume() - undo dmacpy_chan_suspend()
 * @chan: the channel
 *
 * Context: Process.
 */
void dmacpy_chan_resume(struct dmacpy_chan *chan)
{
	if (chan->state == DMACPY_CHAN_DOWN)
		queue_delayed_work(system_long_wq, &chan->recovery, 0);
}

/**
 * dmacpy_chan_parked() - count the transfers in quarantine on closed channels
 *
 * Context: Process.
 * Return: number of transfers whose memory is kept for ever, or until their
 * channel is opened again, and copies.
 */
unsigned int dmacpy_chan_parked(void)
{
	struct dmacpy_chan *chan;
	unsigned int count = 0;

	mutex_lock(&recovery_parked_lock);
	list_for_each_entry(chan, &recovery_parked, parked)
		count += chan->stat.quarantined;
	mutex_unlock(&recovery_parked_lock);
	return count;
}

static void recovery_free(struct dmacpy_chan *chan)
{
	dmacpy_testcopy_free(&chan->test);
	kfree(chan);
}

/* A device resource of the engine, which is released when its driver unbinds */
struct recovery_guard {
	struct dmacpy_chan *chan;
};

/* The engine's driver is unbound: the engine must not be called after this. */
static void recovery_engine_unbound(struct device *dev, void *data)
{
	struct recovery_guard *guard = data;

	mutex_lock(&recovery_parked_lock);
	guard->chan->engine.requested = false;
	mutex_unlock(&recovery_parked_lock);
}

static int recovery_guard_match(struct device *dev, void *data, void *chan)
{
	struct recovery_guard *guard = data;

	return guard->chan == chan;
}

/* Have recovery_engine_unbound() run before the engine's driver frees @chan. */
static void recovery_guard(struct dmacpy_chan *chan)
{
	struct recovery_guard *guard;

	guard = devres_alloc(recovery_engine_unbound, sizeof(*guard),
			     GFP_KERNEL);
	if (!guard) {
		chan->engine.requested = false;
		return;
	}
	guard->chan = chan;
	devres_add(chan->dma_dev, guard);
}

/* A channel that stays requested may still call back into this module. */
static void recovery_park(struct dmacpy_chan *chan)
{
	dev_warn(chan->parent,
		 "the engine may still write: memory of failed jobs is kept\n");
	/* The engine has a link to the parent until the channel is released. */
	get_device(chan->parent);
	get_device(chan->dma_dev);
	mutex_lock(&recovery_parked_lock);
	if (chan->engine.requested) {
		__module_get(THIS_MODULE);
		recovery_guard(chan);
	}
	list_add(&chan->parked, &recovery_parked);
	mutex_unlock(&recovery_parked_lock);
}

static void recovery_unpark(struct dmacpy_chan *chan)
{
	struct device *parent = chan->parent, *dma_dev = chan->dma_dev;

	recovery_free(chan);
	put_device(dma_dev);
	put_device(parent);
}

/*
 * End the quarantine of parked channels with the same hardware as @chan, which
 * has passed its tests, and so no longer writes for earlier descriptors. The
 * address of a struct dma_chan does not identify the hardware: after the engine
 * was bound again, another channel may have it.
 */
static void recovery_reclaim_parked(struct dmacpy_chan *chan)
{
	struct dmacpy_chan *parked, *next;

	if (!(chan->engine.quirks & DMACPY_QUIRK_QUIESCES))
		return;
	mutex_lock(&recovery_parked_lock);
	list_for_each_entry_safe(parked, next, &recovery_parked, parked) {
		if (parked->engine.requested ||
		    parked->engine.id != chan->engine.id ||
		    parked->dma_dev != chan->dma_dev)
			continue;
		list_del(&parked->parked);
		recovery_end_quarantine(parked);
		recovery_unpark(parked);
	}
	mutex_unlock(&recovery_parked_lock);
}

/* Release parked channels whose descriptors have all called back since. */
static void recovery_release_parked(void)
{
	struct dmacpy_chan *parked, *next;

	mutex_lock(&recovery_parked_lock);
	list_for_each_entry_safe(parked, next, &recovery_parked, parked) {
		if (!parked->engine.requested)
			continue;
		if (recovery_must_not_stop(parked)) {
			recovery_issue(parked);
			continue;
		}
		/*
		 * Fails if the engine's driver is being unbound:
		 * recovery_engine_unbound() waits for the mutex.
		 */
		if (devres_destroy(parked->dma_dev, recovery_engine_unbound,
				   recovery_guard_match, parked))
			continue;
		list_del(&parked->parked);
		recovery_release(parked);
		recovery_end_quarantine(parked);
		recovery_unpark(parked);
		module_put(THIS_MODULE);
	}
	mutex_unlock(&recovery_parked_lock);
}

static const char *recovery_test_one(struct dmacpy_chan *chan)
{
	struct dmacpy_testcopy_result result;

	recovery_copy(chan, &result);
	if (!result.submitted)
		return "takes no descriptor";
	if (!result.arrived)
		return "does not copy";
	if (!result.called_back)
		return "copies, but does not call back (interrupt?)";
	return result.failed ? "copies, but reports errors" : NULL;
}

static const char *recovery_test_many(struct dmacpy_chan *chan)
{
	const char *reason;

	chan->quiesced = false;
	reason = dmacpy_testcopy_chain(&chan->test, RECOVERY_TEST_TIME);
	chan->needs_reissue |= dmacpy_testcopy_needs_reissue(&chan->test);
	/* The engine no longer writes for descriptors that have called back. */
	if (!atomic_read(&chan->test.in_flight))
		chan->quiesced = true;
	return reason;
}

/* If the engine fills wrongly, copies of a pattern fill instead. */
static const char *recovery_test_fill(struct dmacpy_chan *chan)
{
	bool correct = false;

	if (!chan->engine.fills)
		return NULL;
	chan->quiesced = dmacpy_testcopy_fill(&chan->test, RECOVERY_TEST_TIME,
					      &correct);
	chan->engine.fills = correct;
	return chan->quiesced ? NULL :
	       "does not call back when it fills memory";
}

/* If the engine copies tiles wrongly, their rows are copied one by one. */
static const char *recovery_test_tile(struct dmacpy_chan *chan)
{
	bool correct = false;

	if (!chan->engine.tiles)
		return NULL;
	chan->quiesced = dmacpy_testcopy_tile(&chan->test, RECOVERY_TEST_TIME,
					      &correct);
	chan->engine.tiles = correct;
	return chan->quiesced ? NULL : "does not call back when it copies rows";
}

/*
 * Terminates the engine after it has become idle: some fail if a descriptor
 * completes at the same time.
 */
static const char *recovery_test_termination(struct dmacpy_chan *chan)
{
	usleep_range(100, 1000);
	if (recovery_reset(chan))
		return NULL;
	return chan->engine.requested ?
	       "does not copy any more when it was terminated" :
	       "cannot be requested again when it was released";
}

/* Returns NULL if the engine works, or a description of its failure. */
static const char *recovery_test_all(struct dmacpy_chan *chan)
{
	return recovery_test_one(chan) ?: recovery_test_many(chan) ?:
	       recovery_test_fill(chan) ?: recovery_test_tile(chan) ?:
	       recovery_test_termination(chan);
}

static int recovery_setup(struct dmacpy_chan *chan)
{
	const char *reason;
	int ret;

	chan->dma_dev = chan->engine.dev;
	chan->copy_align = chan->engine.align;
	chan->user_align = chan->copy_align;
	if (device_get_dma_attr(chan->dma_dev) != DEV_DMA_COHERENT)
		chan->user_align = max_t(unsigned int, chan->copy_align,
					 dma_get_cache_alignment());
	chan->max_piece = round_down(dma_get_max_seg_size(chan->dma_dev),
				     chan->copy_align);
	ret = dmacpy_chan_start(chan, recovery_watchdog);
	if (ret)
		return ret;
	ret = dmacpy_testcopy_init(&chan->test, &chan->engine);
	if (ret)
		return ret;
	reason = recovery_test_all(chan);
	/* Another driver may have taken the channel when a test released it. */
	if (reason)
		return dev_err_probe(chan->parent, chan->engine.requested ?
				     -EIO : -EPROBE_DEFER, "channel %s %s\n",
				     chan->engine.dma_name, reason);
	recovery_reclaim_parked(chan);
	return 0;
}

/**
 * dmacpy_chan_open() - request a channel
 * @parent: the platform device that is being bound
 * @name: its name in "dma-names", which must stay valid; NULL for any channel
 *	that copies memory
 * @ready: woken when dmacpy_chan_ready() changes to true
 * @report: collects the reports of failures
 *
 * Context: Process.
 * Return: the channel (dmacpy_chan_close()), or an ERR_PTR() with the reason in
 * the log: -EPROBE_DEFER if there is none yet, -EINVAL if it cannot copy
 * memory, -EIO if it should but fails a test, -ENOMEM.
 */
struct dmacpy_chan *dmacpy_chan_open(struct device *parent, const char *name,
				     wait_queue_head_t *ready,
				     struct dmacpy_report *report)
{
	struct dmacpy_chan *chan;
	int ret;

	chan = kzalloc(sizeof(*chan), GFP_KERNEL);
	if (!chan)
		return ERR_PTR(-ENOMEM);
	chan->parent = parent;
	chan->ready = ready;
	chan->report = report;
	chan->engine.parent = parent;
	chan->engine.name = name;
	chan->quiesced = true;
	chan->flushed = true;
	INIT_DELAYED_WORK(&chan->recovery, recovery_work);

	recovery_release_parked();
	ret = dmacpy_engine_open(&chan->engine);
	if (ret) {
		kfree(chan);
		return ERR_PTR(ret);
	}
	ret = recovery_setup(chan);
	if (ret) {
		dmacpy_chan_close(chan);
		return ERR_PTR(ret);
	}
	return chan;
}

/**
 * dmacpy_chan_test_sram() - check that a channel reads and writes SRAM
 * @chan: the channel, which nothing was submitted to
 * @sram: SRAM that is not used
 *
 * Context: Process. @sram has no clock and no power domain that is off.
 * Return: 0, or with the reason in the log: -EIO if it does not, -ETIMEDOUT if
 * it may still write to @sram.
 */
int dmacpy_chan_test_sram(struct dmacpy_chan *chan,
			  const struct dmacpy_sram *sram)
{
	int ret;

	/* Regardless of timeout_ms: the page is leaked if a copy is late. */
	ret = dmacpy_testcopy_test_sram(&chan->test, RECOVERY_TEST_TIME, sram);
	/* A copy that has called back, if with wrong data, no longer writes. */
	if (atomic_read(&chan->test.in_flight))
		chan->quiesced = false;
	return ret;
}

/*
 * Wait until the engine is idle, or has made no progress for too long: some
 * engines fail if a descriptor completes while they are being terminated.
 */
static void recovery_drain(struct dmacpy_chan *chan)
{
	bool progressing;

	do {
		usleep_range(100, 1000);
		spin_lock_irq(&chan->lock);
		progressing = chan->in_flight && !dmacpy_chan_is_stuck(chan);
		spin_unlock_irq(&chan->lock);
	} while (progressing);
}

static void recovery_stop(struct dmacpy_chan *chan)
{
	bool signalling;

	mutex_lock(&chan->pump);
	recovery_set_state(chan, DMACPY_CHAN_CLOSING);
	mutex_unlock(&chan->pump);
	kthread_cancel_delayed_work_sync(&chan->watchdog);
	cancel_delayed_work_sync(&chan->recovery);

	recovery_drain(chan);
	signalling = dma_fence_begin_signalling();
	mutex_lock(&chan->pump);
	recovery_set_state(chan, DMACPY_CHAN_TERMINATING);
	recovery_terminate(chan, -ENODEV, -ENODEV);
	mutex_unlock(&chan->pump);
	dma_fence_end_signalling(signalling);
}

/* A callback that is running may still complete transfers. */
static bool recovery_has_completed(struct dmacpy_chan *chan)
{
	bool completed;

	spin_lock_irq(&chan->lock);
	completed = chan->stat.ended == chan->submitted;
	spin_unlock_irq(&chan->lock);
	return completed;
}

/**
 * dmacpy_chan_drain() - complete the transfers of a channel, but keep it open
 * @chan: the channel; no transfer is submitted after this
 *
 * Transfers complete as with dmacpy_chan_close(). A transfer that has parts on
 * other channels completes when these were drained, too.
 *
 * Context: Process.
 */
void dmacpy_chan_drain(struct dmacpy_chan *chan)
{
	recovery_stop(chan);
}

/**
 * dmacpy_chan_close() - release a channel
 * @chan: the channel; no transfer is submitted after this
 *
 * Transfers that the engine completes in time complete with their result. All
 * others complete with -ENODEV. If the engine may still write to their memory,
 * that is kept until the channel is opened again, and copies.
 *
 * Context: Process.
 */
void dmacpy_chan_close(struct dmacpy_chan *chan)
{
	if (chan->worker)
		recovery_stop(chan);
	/*
	 * This waits neither for the engine nor for other channels, which were
	 * all drained: a callback on another CPU, or the worker, is completing
	 * each transfer that is left, which does not sleep.
	 */
	while (!recovery_has_completed(chan))
		usleep_range(100, 1000);
	if (!chan->quiesced)
		recovery_reset(chan);
	if (chan->engine.requested && !recovery_must_not_stop(chan))
		recovery_release(chan);
	/* Callbacks of terminated descriptors queue no work. */
	dmacpy_chan_stop(chan);
	if (chan->quiesced && !chan->engine.requested)
		recovery_free(chan);
	else
		recovery_park(chan);
}
