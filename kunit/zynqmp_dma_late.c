// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver of ZynqMP's engine, with late interrupts. QEMU's engine has copied
 * everything when the driver's write to its register returns: with the original
 * driver no benchmark sleeps, and at most one job is in flight.
 *
 * The driver is the kernel's, unchanged. Its interrupt is masked in the engine
 * until a timer expires, which then calls the driver's handler. The memory may
 * be written before, but this cannot be observed. The delay may depend on the
 * number of bytes: each channel then has a bandwidth that does not depend on
 * the load of the CPU.
 */
#include <linux/device.h>
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/module.h>

#include "dmacpy_compat.h"

/* Number of channels of a board with this engine */
#define LATE_CHANNELS	16

static int late_request_irq(struct device *dev, unsigned int irq,
			    irq_handler_t handler, unsigned long flags,
			    const char *name, void *chan);
static void late_free_irq(struct device *dev, unsigned int irq, void *chan);

#define devm_request_irq	late_request_irq
#define devm_free_irq		late_free_irq
#include "zynqmp_dma.c"
#undef devm_request_irq
#undef devm_free_irq

static unsigned int late_ns;
module_param(late_ns, uint, 0644);
MODULE_PARM_DESC(late_ns, "ns from the engine's interrupt to its handler");

static unsigned int late_bytes_per_us;
module_param_named(bytes_per_us, late_bytes_per_us, uint, 0644);
MODULE_PARM_DESC(bytes_per_us, "how fast a channel copies, 0 for at once");

/**
 * struct late_irq - the interrupt of a channel
 * @timer: calls @handler
 * @handler: the driver's handler
 * @irq: number of the interrupt
 * @chan: the driver's channel, or NULL if the entry is free
 */
struct late_irq {
	struct hrtimer timer;
	irq_handler_t handler;
	unsigned int irq;
	struct zynqmp_dma_chan *chan;
};

static struct late_irq late_irqs[LATE_CHANNELS];
static DEFINE_MUTEX(late_mutex);

/* Returns the bytes that the engine has just copied: all active descriptors. */
static u64 late_bytes(struct zynqmp_dma_chan *chan)
{
	struct zynqmp_dma_desc_sw *desc;
	u64 bytes = 0;

	spin_lock(&chan->lock);
	list_for_each_entry(desc, &chan->active_list, node)
		bytes += desc->src_v->size;
	spin_unlock(&chan->lock);
	return bytes;
}

static u64 late_time(struct zynqmp_dma_chan *chan)
{
	unsigned int bytes_per_us = READ_ONCE(late_bytes_per_us);
	u64 ns = READ_ONCE(late_ns);

	if (bytes_per_us)
		ns += div_u64(late_bytes(chan) * NSEC_PER_USEC, bytes_per_us);
	return ns;
}

static irqreturn_t late_raised(int irq, void *data)
{
	struct late_irq *late = data;
	struct zynqmp_dma_chan *chan = late->chan;
	u64 ns = late_time(chan);

	if (!ns)
		return late->handler(irq, chan);
	writel(ZYNQMP_DMA_IDS_DEFAULT_MASK, chan->regs + ZYNQMP_DMA_IDS);
	hrtimer_start(&late->timer, ns_to_ktime(ns), HRTIMER_MODE_REL_HARD);
	return IRQ_HANDLED;
}

static enum hrtimer_restart late_expired(struct hrtimer *timer)
{
	struct late_irq *late = container_of(timer, struct late_irq, timer);
	struct zynqmp_dma_chan *chan = late->chan;

	writel(ZYNQMP_DMA_INT_EN_DEFAULT_MASK, chan->regs + ZYNQMP_DMA_IER);
	late->handler(late->irq, chan);
	return HRTIMER_NORESTART;
}

/* Returns the entry of the channel, or a free one if @chan is NULL. */
static struct late_irq *late_find(const void *chan)
{
	unsigned int i;

	for (i = 0; i < LATE_CHANNELS; i++)
		if (late_irqs[i].chan == chan)
			return &late_irqs[i];
	return NULL;
}

static int late_request_irq(struct device *dev, unsigned int irq,
			    irq_handler_t handler, unsigned long flags,
			    const char *name, void *chan)
{
	struct late_irq *late;

	mutex_lock(&late_mutex);
	late = late_find(NULL);
	if (late) {
		hrtimer_setup(&late->timer, late_expired, CLOCK_MONOTONIC,
			      HRTIMER_MODE_REL_HARD);
		late->handler = handler;
		late->irq = irq;
		late->chan = chan;
	}
	mutex_unlock(&late_mutex);
	if (!late)
		return -ENOSPC;
	return devm_request_irq(dev, irq, late_raised, flags, name, late);
}

static void late_free_irq(struct device *dev, unsigned int irq, void *chan)
{
	struct late_irq *late;

	mutex_lock(&late_mutex);
	late = late_find(chan);
	devm_free_irq(dev, irq, late);
	hrtimer_cancel(&late->timer);
	late->chan = NULL;
	mutex_unlock(&late_mutex);
}
