// SPDX-License-Identifier: GPL-2.0-only
/*
 * A DMA engine in software that fails on command, unlike any board: slow, out
 * of order, hung, short of descriptors, with lost interrupts and wrong data.
 *
 * Its script is in debugfs, dmacpy_fake_dma/, and may be changed at any time. A
 * file there whose name begins with "next_" holds the number of times that the
 * event has yet to happen, and counts down.
 *
 * It binds to device tree nodes "linux,dmacpy-fake-dma", where one cell selects
 * a channel, and to the engine of dmacpy_sim.c. All have one script. A thread
 * per channel simulates the hardware.
 *
 * Some knobs simulate the drivers of certain engines in Linux 6.12. dmacpy
 * identifies such an engine by the name of its driver, which is a parameter of
 * the module.
 */
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/hrtimer.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_dma.h>
#include <linux/platform_device.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "dmacpy_compat.h"
#include "dmacpy_fake_dma.h"

/* The delay after which a change of the script takes effect */
#define FAKE_SLICE_NS	NSEC_PER_MSEC

/* Additional bytes of @next_long */
#define FAKE_EXCESS	8

/* The engine fills whole words of this size. */
#define FAKE_WORD	8

/**
 * struct fake_script - the behaviour of the engine
 * @delay_us: duration of a descriptor
 * @prompt: one in this many descriptors takes no @delay_us, 0 for none
 * @bytes_per_us: speed of a channel, 0 for no limit
 * @ring: number of descriptors of a channel
 * @hang: copy nothing; if this is more than 1, when so many descriptors have
 *	been copied. When this is 0 again, all descriptors that were issued
 *	since are copied, even if they were terminated.
 * @reverse: descriptors that were issued together call back in reverse order
 * @no_order: copy the descriptor that was issued last first; if this is 1 when
 *	a channel is requested, it reports that it has no order
 * @coalesce: callbacks wait for a descriptor with DMA_PREP_INTERRUPT
 * @no_result: callbacks have no result
 * @only_irq: descriptors without DMA_PREP_INTERRUPT never call back
 * @lossy: descriptors that complete while others wait do not call back
 * @leaks: completed descriptors stay in use until a channel is requested again
 * @dies: a channel that was terminated copies nothing until it is requested
 *	when this is 0
 * @forgetful: descriptors that are issued while the channel is busy stay
 *	submitted until the next time that any are issued when it is idle; if
 *	this is 2, as in tegra-gpcdma, all but one descriptor stay submitted
 *	even then
 * @cb_locked: like mv_xor, call back with the lock held that is taken to
 *	prepare and to submit
 * @cb_hardirq: like ptdma, call back in a hard interrupt
 * @cb_terminate: like hidma, call back for terminated descriptors, with success
 * @sleeps: like bcm2835, allocate with GFP_KERNEL to prepare a descriptor
 * @stalls: like edma, stop after a descriptor without DMA_PREP_INTERRUPT
 * @bad_residue: like xilinx_dma for a CDMA, report a residue for a complete
 *	copy
 * @sync_work: like imx-sdma, flush a work item to synchronize
 * @any_slave: like at_xdmac, answer each request with any free channel
 * @one_list: like pl330, require that no descriptor is prepared while another
 *	one, of any channel, may complete
 * @no_terminate: refuse to terminate
 * @no_memcpy: if this is set when a channel is requested, the engine reports
 *	that it does not copy memory
 * @memset: if this is set when a channel is requested, the engine also fills
 *	memory with a byte; if it is 2, with a wrong one
 * @tiles: if this is set when a channel is requested, the engine also copies
 *	rows, as at_xdmac; if it is 2, as imx-dma, with one gap for both ends;
 *	if it is 3, as at_hdmac, it refuses all tiles
 * @align: alignment that the engine reports when a channel is requested, as a
 *	power of 2
 * @no_sram_read: reads of memory that is not RAM return zeros
 * @no_sram_write: writes to memory that is not RAM are lost
 * @sram_ignored: bits of an address that the engine ignores if it is not RAM
 * @stale_src: reads of RAM by a copy return what was there when the channel's
 *	copy before it has read the same address, as from a cache that does not
 *	see what the CPU writes
 * @next_lost: descriptors that are copied, but do not call back
 * @next_failed: descriptors that are not copied, and report an error
 * @next_short: descriptors that are copied in part, and report a residue
 * @next_long: descriptors that copy a few bytes too many
 * @next_dropped: descriptors that vanish
 * @next_no_prep: preparations that return no descriptor
 * @next_no_tile: preparations of a tile that return no descriptor
 * @next_no_submit: submissions that fail
 * @next_late: terminated descriptors that continue and call back
 * @late_us: output, maximum delay of a channel's thread since this was set to
 *	0: the thread shares the CPU
 * @races: output, number of preparations that violate @one_list
 * @filled: output, number of descriptors that have filled memory
 * @tiled: output, number of tiles that were copied
 * @copied: output, number of copied descriptors
 * @interrupts: output, number of interrupts, for one or more descriptors
 */
struct fake_script {
	u32 delay_us;
	u32 prompt;
	u32 bytes_per_us;
	u32 ring;
	u32 hang;
	u32 reverse;
	u32 no_order;
	u32 coalesce;
	u32 no_result;
	u32 only_irq;
	u32 lossy;
	u32 leaks;
	u32 dies;
	u32 forgetful;
	u32 cb_locked;
	u32 cb_hardirq;
	u32 cb_terminate;
	u32 sleeps;
	u32 stalls;
	u32 bad_residue;
	u32 sync_work;
	u32 any_slave;
	u32 one_list;
	u32 no_terminate;
	u32 no_memcpy;
	u32 memset;
	u32 tiles;
	u32 align;
	u32 no_sram_read;
	u32 no_sram_write;
	u32 sram_ignored;
	u32 stale_src;
	u32 next_lost;
	u32 next_failed;
	u32 next_short;
	u32 next_long;
	u32 next_dropped;
	u32 next_no_prep;
	u32 next_no_tile;
	u32 next_no_submit;
	u32 next_late;
	u32 late_us;
	atomic_t races;
	atomic_t filled;
	atomic_t tiled;
	atomic_t copied;
	atomic_t interrupts;
};

/**
 * struct fake_desc - a descriptor
 * @tx: descriptor for the client
 * @node: entry in one of the channel's lists
 * @dst: destination
 * @src: source
 * @fill: fill @dst instead
 * @value: value to fill with
 * @length: bytes, of all rows
 * @rows: number of rows of a tile; otherwise 0
 * @row: bytes of a row
 * @dst_stride: bytes from row to row of the destination
 * @src_stride: bytes from row to row of the source
 * @issued: time when it was issued
 * @last: the last of those that were issued together
 * @terminated: the client has terminated it
 * @late: it calls back although @terminated
 * @lost: it does not call back
 * @result: result for the callback
 */
struct fake_desc {
	struct dma_async_tx_descriptor tx;
	struct list_head node;
	dma_addr_t dst;
	dma_addr_t src;
	bool fill;
	u8 value;
	size_t length;
	size_t rows;
	size_t row;
	size_t dst_stride;
	size_t src_stride;
	ktime_t issued;
	bool last;
	bool terminated;
	bool late;
	bool lost;
	struct dmaengine_result result;
};

/**
 * struct fake_chan - a channel
 * @base: channel of the dmaengine core
 * @thread: simulates the hardware
 * @wake: wait queue of @thread, and of tasks that wait for @thread
 * @prep_lock: taken to prepare and to submit; @lock nests inside
 * @called_back: the descriptor that @hardirq calls back for
 * @hardirq: calls back in a hard interrupt
 * @hardirq_done: @hardirq has called back
 * @lock: protects the following members
 * @prepared: descriptors to be submitted
 * @submitted: descriptors to be issued
 * @issued: descriptors to be copied
 * @copied: descriptors whose interrupt is pending
 * @used: number of descriptors in use
 * @current_desc: the first of @issued, being copied
 * @busy: @thread copies or calls back
 * @stalled: run no descriptor until tx_status is called
 * @dead: run no descriptor
 * @free_at: time when the hardware has finished all descriptors so far
 * @stale: what was at the address that @thread has read last, or NULL without
 *	@stale_src of the script
 * @stale_addr: that address
 * @stale_length: bytes of it
 */
struct fake_chan {
	struct dma_chan base;
	struct task_struct *thread;
	wait_queue_head_t wake;
	spinlock_t prep_lock;
	struct fake_desc *called_back;
	struct hrtimer hardirq;
	struct completion hardirq_done;
	spinlock_t lock;
	struct list_head prepared;
	struct list_head submitted;
	struct list_head issued;
	struct list_head copied;
	unsigned int used;
	struct fake_desc *current_desc;
	bool busy;
	bool stalled;
	bool dead;
	ktime_t free_at;
	void *stale;
	dma_addr_t stale_addr;
	size_t stale_length;
};

/**
 * struct fake_dma - the engine
 * @device: device of the dmaengine core
 * @sram: RAM in place of SRAM, empty if there is a device tree
 * @chans: the channels
 */
struct fake_dma {
	struct dma_device device;
	struct fake_sram sram;
	struct fake_chan chans[FAKE_CHANNELS];
};

static char *driver = "dmacpy-fake-dma";
module_param(driver, charp, 0444);
MODULE_PARM_DESC(driver, "name of the driver");

static struct fake_script fake_script = { .ring = 32 };
static struct dentry *fake_debugfs;

static struct fake_chan *to_fake_chan(struct dma_chan *base)
{
	return container_of(base, struct fake_chan, base);
}

static struct fake_desc *to_fake_desc(struct dma_async_tx_descriptor *tx)
{
	return container_of(tx, struct fake_desc, tx);
}

/* Returns true if the event happens this time. */
static bool fake_next(u32 *times)
{
	u32 left = READ_ONCE(*times);

	while (left && !try_cmpxchg(times, &left, left - 1))
		;
	return left;
}

static void fake_free_list(struct list_head *list)
{
	struct fake_desc *desc, *next;

	list_for_each_entry_safe(desc, next, list, node)
		kfree(desc);
}

static struct fake_desc *fake_first(struct list_head *list)
{
	return list_first_entry_or_null(list, struct fake_desc, node);
}

static bool fake_is_simulated(struct device *dev, phys_addr_t phys)
{
	struct fake_dma *fake = dev_get_drvdata(dev);
	struct fake_sram *sram = &fake->sram;

	return phys - sram->phys < sram->size;
}

/* A descriptor is contiguous, and either all of it is RAM or none. */
static bool fake_is_sram(struct device *dev, dma_addr_t addr)
{
	phys_addr_t phys = dma_to_phys(dev, addr);

	return fake_is_simulated(dev, phys) || !page_is_ram(PHYS_PFN(phys));
}

static void *fake_map(struct device *dev, dma_addr_t addr, size_t length)
{
	struct fake_dma *fake = dev_get_drvdata(dev);
	struct fake_sram *sram = &fake->sram;
	phys_addr_t ignored = READ_ONCE(fake_script.sram_ignored);
	phys_addr_t phys = dma_to_phys(dev, addr);

	/*
	 * Use the driver's mapping: it may be uncached, unlike that of other
	 * RAM.
	 */
	if (fake_is_simulated(dev, phys))
		return sram->vaddr + ((phys - sram->phys) & ~ignored);
	if (!fake_is_sram(dev, addr))
		return memremap(phys, length, MEMREMAP_WB);
	return memremap(phys & ~ignored, length, MEMREMAP_WC);
}

static void fake_unmap(struct device *dev, dma_addr_t addr, void *mem)
{
	if (mem && !fake_is_simulated(dev, dma_to_phys(dev, addr)))
		memunmap(mem);
}

static void fake_move(struct device *dev, const struct fake_desc *desc,
		      void *dst, const void *src, size_t length)
{
	if (READ_ONCE(fake_script.no_sram_write) &&
	    fake_is_sram(dev, desc->dst))
		return;
	if (READ_ONCE(fake_script.no_sram_read) && fake_is_sram(dev, desc->src))
		memset(dst, 0, length);
	else
		memcpy(dst, src, length);
}

/* Replaces what was read if the channel has read the same address before. */
static void fake_read_stale(struct fake_chan *chan,
			    const struct fake_desc *desc, void *dst,
			    const void *src, size_t length)
{
	struct device *dev = chan->base.device->dev;
	void *seen = NULL;

	if (READ_ONCE(fake_script.stale_src) && !fake_is_sram(dev, desc->src))
		seen = kvmalloc(length, GFP_KERNEL);
	if (seen) {
		memcpy(seen, src, length);
		if (chan->stale && chan->stale_addr == desc->src &&
		    chan->stale_length == length)
			memcpy(dst, chan->stale, length);
	}
	kvfree(chan->stale);
	chan->stale = seen;
	chan->stale_addr = desc->src;
	chan->stale_length = length;
}

static bool fake_copy(struct fake_chan *chan, const struct fake_desc *desc,
		      size_t length)
{
	struct device *dev = chan->base.device->dev;
	void *dst, *src;

	dst = fake_map(dev, desc->dst, length);
	src = fake_map(dev, desc->src, length);
	if (dst && src) {
		fake_move(dev, desc, dst, src, length);
		fake_read_stale(chan, desc, dst, src, length);
	}
	fake_unmap(dev, desc->dst, dst);
	fake_unmap(dev, desc->src, src);
	/* The data has to be visible before the completion. */
	wmb();
	return dst && src;
}

/* Copies the first @length bytes of the rows. */
static bool fake_copy_tile(struct fake_chan *chan, const struct fake_desc *desc,
			   size_t length)
{
	struct device *dev = chan->base.device->dev;
	size_t gaps = desc->rows - 1, row, at;
	void *dst, *src;

	dst = fake_map(dev, desc->dst, gaps * desc->dst_stride + desc->row);
	src = fake_map(dev, desc->src, gaps * desc->src_stride + desc->row);
	for (row = 0; dst && src && row < desc->rows; row++) {
		at = row * desc->row;
		if (at < length)
			fake_move(dev, desc, dst + row * desc->dst_stride,
				  src + row * desc->src_stride,
				  min(desc->row, length - at));
	}
	fake_unmap(dev, desc->dst, dst);
	fake_unmap(dev, desc->src, src);
	atomic_inc(&fake_script.tiled);
	/* The data has to be visible before the completion. */
	wmb();
	return dst && src;
}

static bool fake_fill(struct fake_chan *chan, const struct fake_desc *desc,
		      size_t length)
{
	void *dst = fake_map(chan->base.device->dev, desc->dst, length);

	if (!dst)
		return false;
	memset(dst, desc->value, length);
	fake_unmap(chan->base.device->dev, desc->dst, dst);
	atomic_inc(&fake_script.filled);
	/* The data has to be visible before the completion. */
	wmb();
	return true;
}

static bool fake_work(struct fake_chan *chan, const struct fake_desc *desc,
		      size_t length)
{
	if (desc->fill)
		return fake_fill(chan, desc, length);
	return desc->rows ? fake_copy_tile(chan, desc, length) :
	       fake_copy(chan, desc, length);
}

/* Returns false if the descriptor vanishes. */
static bool fake_execute(struct fake_chan *chan, struct fake_desc *desc)
{
	struct fake_script *script = &fake_script;
	size_t length = desc->length;

	if (!desc->terminated) {
		if (fake_next(&script->next_dropped))
			return false;
		if (fake_next(&script->next_failed))
			length = 0;
		else if (fake_next(&script->next_short))
			length /= 2;
		else if (fake_next(&script->next_lost))
			desc->lost = true;
	}
	desc->result.residue = READ_ONCE(script->bad_residue) ? desc->length :
			       desc->length - length;
	if (length && fake_next(&script->next_long))
		length += FAKE_EXCESS;
	if (!length || !fake_work(chan, desc, length))
		desc->result.result = DMA_TRANS_READ_FAILED;
	else
		atomic_inc(&script->copied);
	return true;
}

static void fake_call(struct fake_desc *desc)
{
	bool no_result = READ_ONCE(fake_script.no_result);
	struct dma_async_tx_descriptor *tx = &desc->tx;

	if (tx->callback_result && !no_result)
		tx->callback_result(tx->callback_param, &desc->result);
	else if (tx->callback)
		tx->callback(tx->callback_param);
}

static enum hrtimer_restart fake_hardirq(struct hrtimer *timer)
{
	struct fake_chan *chan = container_of(timer, struct fake_chan, hardirq);

	fake_call(chan->called_back);
	complete(&chan->hardirq_done);
	return HRTIMER_NORESTART;
}

static bool fake_lock_prep(struct fake_chan *chan)
	__acquires(&chan->prep_lock)
{
	bool locked = READ_ONCE(fake_script.cb_locked);

	if (locked)
		spin_lock_bh(&chan->prep_lock);
	else
		__acquire(&chan->prep_lock);
	return locked;
}

static void fake_unlock_prep(struct fake_chan *chan, bool locked)
	__releases(&chan->prep_lock)
{
	if (locked)
		spin_unlock_bh(&chan->prep_lock);
	else
		__release(&chan->prep_lock);
}

/* Calls back in softirq context, like a tasklet, or in an interrupt. */
static void fake_call_back(struct fake_chan *chan, struct fake_desc *desc)
{
	bool locked;

	/* With PREEMPT_RT an interrupt is handled in a thread, as this is. */
	if (READ_ONCE(fake_script.cb_hardirq) &&
	    !IS_ENABLED(CONFIG_PREEMPT_RT)) {
		chan->called_back = desc;
		reinit_completion(&chan->hardirq_done);
		hrtimer_start(&chan->hardirq, 0, HRTIMER_MODE_REL);
		wait_for_completion(&chan->hardirq_done);
		hrtimer_cancel(&chan->hardirq);
		return;
	}
	local_bh_disable();
	locked = fake_lock_prep(chan);
	fake_call(desc);
	fake_unlock_prep(chan, locked);
	local_bh_enable();
}

/* One that continues after the channel was released is not counted. */
static void fake_uncount(struct fake_chan *chan)
{
	lockdep_assert_held(&chan->lock);
	if (chan->used)
		chan->used--;
}

/* Takes the next descriptor that calls back. */
static struct fake_desc *fake_take_copied(struct fake_chan *chan)
{
	struct list_head *list = &chan->copied;
	struct fake_desc *desc = NULL;

	spin_lock_irq(&chan->lock);
	if (!list_empty(list)) {
		desc = READ_ONCE(fake_script.reverse) ?
		       list_last_entry(list, struct fake_desc, node) :
		       fake_first(list);
		list_del(&desc->node);
		if (!desc->terminated) {
			if (!READ_ONCE(fake_script.leaks))
				fake_uncount(chan);
			chan->base.completed_cookie =
				max(chan->base.completed_cookie,
				    desc->tx.cookie);
		}
	}
	spin_unlock_irq(&chan->lock);
	return desc;
}

static void fake_interrupt(struct fake_chan *chan)
{
	struct fake_script *script = &fake_script;
	struct fake_desc *desc;

	atomic_inc(&script->interrupts);
	while ((desc = fake_take_copied(chan))) {
		if (!desc->lost && (!desc->terminated || desc->late))
			fake_call_back(chan, desc);
		kfree(desc);
	}
}

/* Returns true if there is an interrupt after this descriptor. */
static bool fake_interrupts(const struct fake_desc *desc)
{
	struct fake_script *script = &fake_script;

	if (READ_ONCE(script->coalesce) &&
	    !(desc->tx.flags & DMA_PREP_INTERRUPT))
		return false;
	return !READ_ONCE(script->reverse) || desc->last;
}

/* Handles the completion of a descriptor, or its disappearance. */
static bool fake_retire(struct fake_chan *chan, struct fake_desc *desc,
			bool vanishes)
{
	struct fake_script *script = &fake_script;
	bool interrupts;

	if (READ_ONCE(script->only_irq) &&
	    !(desc->tx.flags & DMA_PREP_INTERRUPT))
		desc->lost = true;

	spin_lock_irq(&chan->lock);
	if (READ_ONCE(script->lossy) && !list_is_singular(&chan->issued))
		desc->lost = true;
	chan->stalled = READ_ONCE(script->stalls) &&
			!(desc->tx.flags & DMA_PREP_INTERRUPT);
	chan->current_desc = NULL;
	interrupts = fake_interrupts(desc);
	if (vanishes) {
		list_del(&desc->node);
		if (!desc->terminated)
			fake_uncount(chan);
		kfree(desc);
	} else {
		list_move_tail(&desc->node, &chan->copied);
	}
	spin_unlock_irq(&chan->lock);
	return interrupts;
}

static ktime_t fake_due(struct fake_chan *chan, const struct fake_desc *desc)
{
	struct fake_script *script = &fake_script;
	u32 bytes_per_us = READ_ONCE(script->bytes_per_us);
	u32 prompt = READ_ONCE(script->prompt);
	ktime_t start = max(chan->free_at, desc->issued);
	u64 ns = 0;

	if (!prompt || desc->tx.cookie % prompt)
		ns = (u64)READ_ONCE(script->delay_us) * NSEC_PER_USEC;
	if (bytes_per_us)
		ns += desc->length * NSEC_PER_USEC / bytes_per_us;
	return ktime_add_ns(start, ns);
}

static bool fake_hangs(void)
{
	u32 hang = READ_ONCE(fake_script.hang);

	return hang == 1 || (hang && atomic_read(&fake_script.copied) >= hang);
}

static struct fake_desc *fake_next_issued(struct fake_chan *chan)
{
	if (!list_empty(&chan->issued) &&
	    READ_ONCE(fake_script.no_order))
		return list_last_entry(&chan->issued, struct fake_desc, node);
	return fake_first(&chan->issued);
}

static void fake_note_late(struct fake_script *script, s64 late_us)
{
	if (late_us > READ_ONCE(script->late_us))
		WRITE_ONCE(script->late_us, min_t(s64, late_us, U32_MAX));
}

/* Takes the descriptor that is due; or returns NULL, and when to retry. */
static struct fake_desc *fake_take_due(struct fake_chan *chan, ktime_t *again)
{
	ktime_t now = ktime_get(), due;
	struct fake_desc *desc;

	*again = ktime_add_ns(now, FAKE_SLICE_NS);
	if (fake_hangs() || READ_ONCE(chan->stalled) || READ_ONCE(chan->dead))
		return NULL;

	spin_lock_irq(&chan->lock);
	desc = fake_next_issued(chan);
	due = desc ? fake_due(chan, desc) : now;
	if (ktime_after(due, now)) {
		*again = min(*again, due);
		desc = NULL;
	} else if (desc) {
		fake_note_late(&fake_script, ktime_us_delta(now, due));
		chan->free_at = due;
		chan->current_desc = desc;
		chan->busy = true;
	}
	spin_unlock_irq(&chan->lock);
	return desc;
}

static void fake_run_one(struct fake_chan *chan)
{
	struct fake_desc *desc;
	ktime_t again;
	bool vanishes;

	desc = fake_take_due(chan, &again);
	if (!desc) {
		set_current_state(TASK_IDLE);
		schedule_hrtimeout(&again, HRTIMER_MODE_ABS);
		return;
	}
	vanishes = !fake_execute(chan, desc);
	if (fake_retire(chan, desc, vanishes))
		fake_interrupt(chan);
	WRITE_ONCE(chan->busy, false);
	wake_up(&chan->wake);
}

static int fake_run(void *data)
{
	struct fake_chan *chan = data;

	/* Hardware does not compete for CPUs. */
	sched_set_fifo(current);
	while (!kthread_should_stop()) {
		wait_event_idle(chan->wake, kthread_should_stop() ||
				!list_empty_careful(&chan->issued));
		fake_run_one(chan);
	}
	return 0;
}

static dma_cookie_t fake_submit(struct dma_async_tx_descriptor *tx)
{
	struct fake_chan *chan = to_fake_chan(tx->chan);
	struct fake_desc *desc = to_fake_desc(tx);
	bool locked = fake_lock_prep(chan);
	dma_cookie_t cookie = -EIO;
	unsigned long flags;

	spin_lock_irqsave(&chan->lock, flags);
	if (fake_next(&fake_script.next_no_submit)) {
		chan->used--;
		list_del(&desc->node);
		kfree(desc);
	} else {
		cookie = chan->base.cookie == INT_MAX ? DMA_MIN_COOKIE :
			 chan->base.cookie + 1;
		chan->base.cookie = cookie;
		tx->cookie = cookie;
		list_move_tail(&desc->node, &chan->submitted);
	}
	spin_unlock_irqrestore(&chan->lock, flags);
	fake_unlock_prep(chan, locked);
	return cookie;
}

static bool fake_may_complete_any(struct dma_chan *base)
{
	struct fake_chan *chan;

	list_for_each_entry(chan, &base->device->channels, base.device_node)
		if (!list_empty_careful(&chan->issued) ||
		    !list_empty_careful(&chan->copied))
			return true;
	return false;
}

static struct dma_async_tx_descriptor *
fake_prep_memcpy(struct dma_chan *base, dma_addr_t dst, dma_addr_t src,
		 size_t length, unsigned long tx_flags)
{
	struct fake_chan *chan = to_fake_chan(base);
	struct fake_script *script = &fake_script;
	struct fake_desc *desc;
	unsigned long flags;
	bool locked;

	if (fake_next(&script->next_no_prep))
		return NULL;
	if (READ_ONCE(script->one_list) && fake_may_complete_any(base))
		atomic_inc(&script->races);
	desc = kzalloc(sizeof(*desc), READ_ONCE(script->sleeps) ?
		       GFP_KERNEL : GFP_NOWAIT);
	if (!desc)
		return NULL;
	if (READ_ONCE(script->sleeps))
		usleep_range(10, 100);
	locked = fake_lock_prep(chan);
	dma_async_tx_descriptor_init(&desc->tx, base);
	desc->tx.tx_submit = fake_submit;
	desc->tx.flags = tx_flags;
	desc->dst = dst;
	desc->src = src;
	desc->length = length;

	spin_lock_irqsave(&chan->lock, flags);
	if (chan->used < READ_ONCE(script->ring)) {
		chan->used++;
		list_add_tail(&desc->node, &chan->prepared);
	} else {
		kfree(desc);
		desc = NULL;
	}
	spin_unlock_irqrestore(&chan->lock, flags);
	fake_unlock_prep(chan, locked);
	return desc ? &desc->tx : NULL;
}

static struct dma_async_tx_descriptor *
fake_prep_memset(struct dma_chan *base, dma_addr_t dst, int value,
		 size_t length, unsigned long tx_flags)
{
	struct dma_async_tx_descriptor *tx;
	struct fake_desc *desc;

	/* Some engines do this, and their drivers do not check for it. */
	length = round_up(dst + length, FAKE_WORD) - round_down(dst, FAKE_WORD);
	dst = round_down(dst, FAKE_WORD);
	tx = fake_prep_memcpy(base, dst, dst, length, tx_flags);
	if (!tx)
		return NULL;
	desc = to_fake_desc(tx);
	desc->fill = true;
	desc->value = value;
	if (READ_ONCE(fake_script.memset) == 2)
		desc->value++;
	return tx;
}

/*
 * Like at_xdmac and its driver: 12 bits for the number of rows, and accesses as
 * wide as the addresses and the length of the first row are aligned.
 */
static void fake_set_rows(struct fake_desc *desc,
			  struct dma_interleaved_template *tile)
{
	size_t dst_gap = dmaengine_get_dst_icg(tile, tile->sgl);
	size_t src_gap = dmaengine_get_src_icg(tile, tile->sgl);
	unsigned long bits;

	desc->row = tile->sgl[0].size;
	desc->rows = (tile->numf - 1) % 4096 + 1;
	bits = lower_32_bits(desc->dst | desc->src) | desc->row | 8;
	desc->dst_stride = desc->row + round_down(dst_gap, 1 << __ffs(bits));
	desc->src_stride = desc->row + round_down(src_gap, 1 << __ffs(bits));
	if (READ_ONCE(fake_script.tiles) != 2)
		return;
	desc->dst_stride = desc->row + tile->sgl[0].icg * tile->dst_sgl;
	desc->src_stride = desc->row + tile->sgl[0].icg * tile->src_sgl;
}

static struct dma_async_tx_descriptor *
fake_prep_interleaved(struct dma_chan *base,
		      struct dma_interleaved_template *tile,
		      unsigned long tx_flags)
{
	struct dma_async_tx_descriptor *tx;

	if (!tile->numf || tile->frame_size != 1 ||
	    tile->dir != DMA_MEM_TO_MEM)
		return NULL;
	if (READ_ONCE(fake_script.tiles) == 3 ||
	    fake_next(&fake_script.next_no_tile))
		return NULL;
	tx = fake_prep_memcpy(base, tile->dst_start, tile->src_start,
			      tile->numf * tile->sgl[0].size, tx_flags);
	if (tx)
		fake_set_rows(to_fake_desc(tx), tile);
	return tx;
}

static void fake_issue(struct fake_chan *chan, bool one)
{
	ktime_t now = ktime_get();
	struct fake_desc *desc, *next;

	list_for_each_entry_safe(desc, next, &chan->submitted, node) {
		desc->issued = now;
		desc->last = one || list_is_last(&desc->node, &chan->submitted);
		list_move_tail(&desc->node, &chan->issued);
		if (one)
			break;
	}
}

static void fake_issue_pending(struct dma_chan *base)
{
	struct fake_chan *chan = to_fake_chan(base);
	u32 forgetful = READ_ONCE(fake_script.forgetful);
	unsigned long flags;

	spin_lock_irqsave(&chan->lock, flags);
	if (list_empty(&chan->issued) || !forgetful)
		fake_issue(chan, forgetful == 2);
	spin_unlock_irqrestore(&chan->lock, flags);
	wake_up(&chan->wake);
}

static enum dma_status fake_tx_status(struct dma_chan *base,
				      dma_cookie_t cookie,
				      struct dma_tx_state *state)
{
	dma_cookie_t completed = READ_ONCE(base->completed_cookie);
	dma_cookie_t used = READ_ONCE(base->cookie);

	WRITE_ONCE(to_fake_chan(base)->stalled, false);
	dma_set_tx_state(state, completed, used, 0);
	return dma_async_is_complete(cookie, completed, used);
}

/* Moves descriptors that the hardware no longer accesses to @gone. */
static void fake_terminate_list(struct fake_chan *chan, struct list_head *list,
				struct list_head *gone)
{
	struct fake_script *script = &fake_script;
	struct fake_desc *desc, *next;

	list_for_each_entry_safe(desc, next, list, node) {
		if (desc->terminated)
			continue;
		desc->terminated = true;
		desc->late = fake_next(&script->next_late);
		fake_uncount(chan);
		if (desc != chan->current_desc && !desc->late &&
		    !fake_hangs())
			list_move(&desc->node, gone);
	}
}

/* Moves descriptors that the hardware does not have yet to @gone. */
static void fake_drop_list(struct fake_chan *chan, struct list_head *list,
			   struct list_head *gone)
{
	struct list_head *node;

	list_for_each(node, list)
		chan->used--;
	list_splice_init(list, gone);
}

static int fake_terminate_all(struct dma_chan *base)
{
	struct fake_chan *chan = to_fake_chan(base);
	struct fake_desc *desc;
	unsigned long flags;
	LIST_HEAD(gone);

	if (READ_ONCE(fake_script.no_terminate))
		return -EBUSY;

	spin_lock_irqsave(&chan->lock, flags);
	fake_drop_list(chan, &chan->submitted, &gone);
	fake_terminate_list(chan, &chan->issued, &gone);
	fake_terminate_list(chan, &chan->copied, &gone);
	chan->stalled = false;
	if (READ_ONCE(fake_script.dies))
		WRITE_ONCE(chan->dead, true);
	spin_unlock_irqrestore(&chan->lock, flags);
	if (READ_ONCE(fake_script.cb_terminate))
		list_for_each_entry(desc, &gone, node)
			fake_call(desc);
	fake_free_list(&gone);
	return 0;
}

static void fake_sync(struct work_struct *work)
{
}

static DECLARE_WORK(fake_sync_work, fake_sync);

static void fake_synchronize(struct dma_chan *base)
{
	struct fake_chan *chan = to_fake_chan(base);

	wait_event(chan->wake, !READ_ONCE(chan->busy));
	if (READ_ONCE(fake_script.sync_work)) {
		schedule_work(&fake_sync_work);
		flush_work(&fake_sync_work);
	}
}

static int fake_alloc_chan_resources(struct dma_chan *base)
{
	struct fake_chan *chan = to_fake_chan(base);
	struct fake_script *script = &fake_script;
	dma_cap_mask_t *caps = &base->device->cap_mask;

	dma_cap_set(DMA_MEMCPY, *caps);
	if (READ_ONCE(script->no_memcpy))
		dma_cap_clear(DMA_MEMCPY, *caps);
	dma_cap_clear(DMA_COMPLETION_NO_ORDER, *caps);
	if (READ_ONCE(script->no_order) == 1)
		dma_cap_set(DMA_COMPLETION_NO_ORDER, *caps);
	dma_cap_clear(DMA_MEMSET, *caps);
	if (READ_ONCE(script->memset))
		dma_cap_set(DMA_MEMSET, *caps);
	dma_cap_clear(DMA_INTERLEAVE, *caps);
	if (READ_ONCE(script->tiles))
		dma_cap_set(DMA_INTERLEAVE, *caps);
	base->device->copy_align = READ_ONCE(script->align);
	if (!READ_ONCE(script->dies))
		WRITE_ONCE(chan->dead, false);
	/* Descriptors that continue do not count, see fake_uncount(). */
	spin_lock_irq(&chan->lock);
	chan->used = 0;
	spin_unlock_irq(&chan->lock);
	return 0;
}

static void fake_free_chan_resources(struct dma_chan *base)
{
	struct fake_chan *chan = to_fake_chan(base);
	LIST_HEAD(gone);

	fake_terminate_all(base);
	spin_lock_irq(&chan->lock);
	fake_drop_list(chan, &chan->prepared, &gone);
	spin_unlock_irq(&chan->lock);
	fake_free_list(&gone);
}

static void fake_stop_chan(void *data)
{
	struct fake_chan *chan = data;

	kthread_stop(chan->thread);
	kvfree(chan->stale);
	fake_free_list(&chan->issued);
	fake_free_list(&chan->copied);
}

static int fake_add_chan(struct fake_dma *fake, unsigned int index)
{
	struct fake_chan *chan = &fake->chans[index];

	init_waitqueue_head(&chan->wake);
	spin_lock_init(&chan->prep_lock);
	init_completion(&chan->hardirq_done);
	hrtimer_setup(&chan->hardirq, fake_hardirq, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL);
	spin_lock_init(&chan->lock);
	INIT_LIST_HEAD(&chan->prepared);
	INIT_LIST_HEAD(&chan->submitted);
	INIT_LIST_HEAD(&chan->issued);
	INIT_LIST_HEAD(&chan->copied);
	chan->base.device = &fake->device;
	chan->base.cookie = DMA_MIN_COOKIE;
	chan->base.completed_cookie = DMA_MIN_COOKIE;
	list_add_tail(&chan->base.device_node, &fake->device.channels);

	chan->thread = kthread_run(fake_run, chan, "fake-dma/%u", index);
	if (IS_ERR(chan->thread))
		return PTR_ERR(chan->thread);
	return devm_add_action_or_reset(fake->device.dev, fake_stop_chan, chan);
}

static bool fake_is_channel(struct dma_chan *base, void *param)
{
	return base->chan_id == (uintptr_t)param;
}

/* The device is private: only clients that name a channel may use it. */
static int fake_add_device(struct fake_dma *fake, struct device *dev)
{
	const struct fake_platform_data *data = dev_get_platdata(dev);
	struct dma_device *device = &fake->device;
	unsigned int i, channels = FAKE_CHANNELS;
	int ret;

	device->dev = dev;
	dma_cap_set(DMA_MEMCPY, device->cap_mask);
	dma_cap_set(DMA_PRIVATE, device->cap_mask);
	if (data) {
		/* A channel that the map names needs this capability. */
		dma_cap_set(DMA_SLAVE, device->cap_mask);
		device->filter.map = data->map;
		device->filter.mapcnt = data->channels;
		device->filter.fn = fake_is_channel;
		fake->sram = data->sram;
		channels = data->channels;
		fake_script.bytes_per_us = data->bytes_per_us;
	}
	device->device_alloc_chan_resources = fake_alloc_chan_resources;
	device->device_free_chan_resources = fake_free_chan_resources;
	device->device_prep_dma_memcpy = fake_prep_memcpy;
	device->device_prep_dma_memset = fake_prep_memset;
	device->device_prep_interleaved_dma = fake_prep_interleaved;
	device->device_issue_pending = fake_issue_pending;
	device->device_tx_status = fake_tx_status;
	device->device_terminate_all = fake_terminate_all;
	device->device_synchronize = fake_synchronize;
	INIT_LIST_HEAD(&device->channels);
	for (i = 0; i < channels; i++) {
		ret = fake_add_chan(fake, i);
		if (ret)
			return ret;
	}
	return dmaenginem_async_device_register(device);
}

#define FAKE_FILE(name)	{ #name, offsetof(struct fake_script, name) }

static const struct {
	const char *name;
	size_t offset;
} fake_files[] = {
	FAKE_FILE(delay_us),
	FAKE_FILE(prompt),
	FAKE_FILE(bytes_per_us),
	FAKE_FILE(ring),
	FAKE_FILE(hang),
	FAKE_FILE(reverse),
	FAKE_FILE(no_order),
	FAKE_FILE(coalesce),
	FAKE_FILE(no_result),
	FAKE_FILE(only_irq),
	FAKE_FILE(lossy),
	FAKE_FILE(leaks),
	FAKE_FILE(dies),
	FAKE_FILE(forgetful),
	FAKE_FILE(cb_locked),
	FAKE_FILE(cb_hardirq),
	FAKE_FILE(cb_terminate),
	FAKE_FILE(sleeps),
	FAKE_FILE(stalls),
	FAKE_FILE(bad_residue),
	FAKE_FILE(sync_work),
	FAKE_FILE(any_slave),
	FAKE_FILE(one_list),
	FAKE_FILE(no_terminate),
	FAKE_FILE(no_memcpy),
	FAKE_FILE(memset),
	FAKE_FILE(tiles),
	FAKE_FILE(align),
	FAKE_FILE(no_sram_read),
	FAKE_FILE(no_sram_write),
	FAKE_FILE(sram_ignored),
	FAKE_FILE(stale_src),
	FAKE_FILE(next_lost),
	FAKE_FILE(next_failed),
	FAKE_FILE(next_short),
	FAKE_FILE(next_long),
	FAKE_FILE(next_dropped),
	FAKE_FILE(next_no_prep),
	FAKE_FILE(next_no_tile),
	FAKE_FILE(next_no_submit),
	FAKE_FILE(next_late),
	FAKE_FILE(late_us),
};

static void fake_add_files(void)
{
	struct fake_script *script = &fake_script;
	struct dentry *dir;
	unsigned int i;

	dir = debugfs_create_dir("dmacpy_fake_dma", NULL);
	for (i = 0; i < ARRAY_SIZE(fake_files); i++)
		debugfs_create_u32(fake_files[i].name, 0600, dir,
				   (void *)script + fake_files[i].offset);
	debugfs_create_atomic_t("races", 0400, dir, &script->races);
	debugfs_create_atomic_t("filled", 0400, dir, &script->filled);
	debugfs_create_atomic_t("tiled", 0400, dir, &script->tiled);
	debugfs_create_atomic_t("copied", 0400, dir, &script->copied);
	debugfs_create_atomic_t("interrupts", 0400, dir, &script->interrupts);
	fake_debugfs = dir;
}

static struct dma_chan *fake_xlate(struct of_phandle_args *args,
				   struct of_dma *controller)
{
	/* NULL without CONFIG_DMA_OF */
	struct dma_chan *(*by_id)(struct of_phandle_args *, struct of_dma *) =
		of_dma_xlate_by_chan_id;
	dma_cap_mask_t mask;

	dma_cap_zero(mask);
	dma_cap_set(DMA_MEMCPY, mask);
	if (READ_ONCE(fake_script.any_slave))
		return __dma_request_channel(&mask, NULL, NULL, args->np);
	return by_id ? by_id(args, controller) : NULL;
}

static int fake_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct fake_dma *fake;
	int ret;

	fake = devm_kzalloc(dev, sizeof(*fake), GFP_KERNEL);
	if (!fake)
		return -ENOMEM;
	platform_set_drvdata(pdev, fake);
	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	ret = fake_add_device(fake, dev);
	if (ret)
		return ret;
	if (!dev->of_node)
		return 0;
	return of_dma_controller_register(dev->of_node, fake_xlate,
					  &fake->device);
}

static void fake_remove(struct platform_device *pdev)
{
	if (pdev->dev.of_node)
		of_dma_controller_free(pdev->dev.of_node);
}

static const struct of_device_id fake_of_match[] = {
	{ .compatible = "linux,dmacpy-fake-dma" },
	{ }
};
MODULE_DEVICE_TABLE(of, fake_of_match);

/* The id matches, whatever the name of the driver is. */
static const struct platform_device_id fake_ids[] = {
	{ FAKE_DEVICE },
	{ }
};
MODULE_DEVICE_TABLE(platform, fake_ids);

static struct platform_driver fake_driver = {
	.probe = fake_probe,
	.DMACPY_REMOVE = fake_remove,
	.id_table = fake_ids,
	.driver = {
		.name = "dmacpy-fake-dma",
		.of_match_table = fake_of_match,
	},
};

static int __init fake_init(void)
{
	int ret;

	fake_driver.driver.name = driver;
	fake_add_files();
	ret = platform_driver_register(&fake_driver);
	if (ret)
		debugfs_remove(fake_debugfs);
	return ret;
}
module_init(fake_init);

static void __exit fake_exit(void)
{
	platform_driver_unregister(&fake_driver);
	debugfs_remove(fake_debugfs);
}
module_exit(fake_exit);

MODULE_DESCRIPTION("A DMA engine in software that fails on command");
MODULE_LICENSE("GPL");
