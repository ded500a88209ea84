// SPDX-License-Identifier: GPL-2.0-only
/* The only client of dmaengine, with the quirks of drivers of engines */
#include <linux/bottom_half.h>
#include <linux/device.h>
#include <linux/dmaengine.h>
#include <linux/of_dma.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/string.h>

#include "dmacpy_compat.h"
#include "dmacpy_engine.h"

/* Descriptors in flight: enough to keep an engine busy. */
#define ENGINE_DEPTH	32
/*
 * Each descriptor calls back. Operations of a job may read what earlier ones
 * have written: some engines (ioat, bcm-sba-raid) only wait for that with
 * DMA_PREP_FENCE.
 */
#define ENGINE_FLAGS	(DMA_CTRL_ACK | DMA_PREP_INTERRUPT | DMA_PREP_FENCE)
/* Maximum number of other channels held while the right one is requested */
#define ENGINE_HELD	32

/* Found by reading the drivers in Linux 6.12 */
static const struct {
	const char *driver;
	unsigned int quirks;
} engine_quirks[] = {
	/* Allocates with GFP_KERNEL for each descriptor. */
	{ "bcm2835-dma", DMACPY_QUIRK_SLEEPS },
	/* Allocates with GFP_KERNEL when it has no descriptor left. */
	{ "dma-nbpf", DMACPY_QUIRK_SLEEPS },
	/* Resumes the device, and enables interrupts, to submit. */
	{ "sh-dma-engine", DMACPY_QUIRK_SLEEPS },
	/* Waits for a free descriptor, or for a queue that is being reset. */
	{ "idxd", DMACPY_QUIRK_SLEEPS },
	/*
	 * CDMA: the residue comes from a status word that does not count bytes;
	 * in simple mode all pending descriptors complete with the first one.
	 */
	{ "xilinx-vdma", DMACPY_QUIRK_NO_RESIDUE | DMACPY_QUIRK_ONE },
	/*
	 * Kills the thread of a channel that it terminates. Adds completed
	 * descriptors to the free list of all channels without the lock under
	 * which they are taken from it.
	 */
	{ "dma-pl330", DMACPY_QUIRK_WARN_ISSUE | DMACPY_QUIRK_QUIESCES |
		       DMACPY_QUIRK_EXCLUSIVE },
	/* The channels of these are different pieces of hardware. */
	{ "xilinx-zynqmp-dma", DMACPY_QUIRK_QUIESCES },
	/* Starts one descriptor for each issue. */
	{ "dpaa2-qdma", DMACPY_QUIRK_REISSUE },
	/* The same; a release also frees descriptors that the hardware uses. */
	{ "fsl-qdma", DMACPY_QUIRK_REISSUE | DMACPY_QUIRK_UNSTOPPABLE },
	/*
	 * Does not start the next descriptor when one has completed. If a
	 * channel does not pause, its descriptor calls back after the release.
	 */
	{ "tegra-gpcdma", DMACPY_QUIRK_REISSUE | DMACPY_QUIRK_UNSTOPPABLE },
	/* Starts an issued descriptor while another one is active. */
	{ "rz-dmac", DMACPY_QUIRK_ONE },
	/* Reports an error for a descriptor that is issued while it is busy. */
	{ "dw_axi_dmac_platform", DMACPY_QUIRK_ONE },
	/*
	 * Resumes the device to submit and to issue, which the device link has
	 * done already, and suspends it for each descriptor. If the channel
	 * does not stop, active descriptors stay in a list on its stack.
	 */
	{ "hidma", DMACPY_QUIRK_ONE | DMACPY_QUIRK_WARN_ISSUE |
		   DMACPY_QUIRK_UNSTOPPABLE },
	/* Frees the active descriptor twice when it is terminated. */
	{ "sf-pdma", DMACPY_QUIRK_REISSUE | DMACPY_QUIRK_UNSTOPPABLE |
		     DMACPY_QUIRK_QUIESCES },
	/* Wait without a bound for issued descriptors when terminated. */
	{ "mtk_cqdma", DMACPY_QUIRK_UNSTOPPABLE },
	{ "mtk_hsdma", DMACPY_QUIRK_UNSTOPPABLE },
	/* Wait for the hardware without a bound, with interrupts disabled. */
	{ "at_hdmac", DMACPY_QUIRK_UNSTOPPABLE },
	{ "at_xdmac", DMACPY_QUIRK_UNSTOPPABLE },
	{ "dw_dmac", DMACPY_QUIRK_UNSTOPPABLE },
	{ "dw_dmac_pci", DMACPY_QUIRK_UNSTOPPABLE },
	/* The same, when they start the next descriptor after a termination. */
	{ "dma-owl", DMACPY_QUIRK_UNSTOPPABLE },
	{ "pl08xdmac", DMACPY_QUIRK_UNSTOPPABLE },
	/* Clear pointers that their interrupt handler uses on another CPU. */
	{ "k3-dma", DMACPY_QUIRK_UNSTOPPABLE | DMACPY_QUIRK_NO_BH },
	{ "mmp-pdma", DMACPY_QUIRK_UNSTOPPABLE },
	{ "sun4i-dma", DMACPY_QUIRK_UNSTOPPABLE },
	{ "sun6i-dma", DMACPY_QUIRK_UNSTOPPABLE | DMACPY_QUIRK_NO_BH },
	/* Use terminated descriptors, which are freed, when these complete. */
	{ "bcm-sba-raid", DMACPY_QUIRK_UNSTOPPABLE },
	{ "ptdma", DMACPY_QUIRK_UNSTOPPABLE },
	/* Treats the interrupt after the first row as that after the last. */
	{ "omap-dma-engine", DMACPY_QUIRK_NO_TILES },
	{ "dmacpy-fake-dma", DMACPY_QUIRK_QUIESCES },
	{ "dmacpy-test-engine", DMACPY_QUIRK_QUIESCES },
};

/* The reason follows "channel NAME" in the log. */
static const struct {
	const char *driver;
	const char *reason;
} engine_refused[] = {
	{ "mv_xor", "does not copy less than 128 bytes" },
	{ "ae4dma", "may wait for ever in its driver when it is busy" },
};

static const char *engine_refusal_reason(struct device *dev)
{
	const char *driver = dev_driver_string(dev);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(engine_refused); i++)
		if (!strcmp(engine_refused[i].driver, driver))
			return engine_refused[i].reason;
	return NULL;
}

static unsigned int engine_find_quirks(struct device *dev)
{
	const char *driver = dev_driver_string(dev);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(engine_quirks); i++)
		if (!strcmp(engine_quirks[i].driver, driver))
			return engine_quirks[i].quirks;
	return 0;
}

static void engine_callback(void *param)
{
	struct dmacpy_client *client = param;

	client->called_back(client, false);
}

static void engine_callback_result(void *param,
				   const struct dmaengine_result *result)
{
	struct dmacpy_client *client = param;

	client->called_back(client, result->result != DMA_TRANS_NOERROR ||
			    result->residue);
}

static void engine_callback_no_residue(void *param,
				       const struct dmaengine_result *result)
{
	struct dmacpy_client *client = param;

	client->called_back(client, result->result != DMA_TRANS_NOERROR);
}

/*
 * Each row is a frame of one chunk, including the gap after it. Some kernels
 * have no DEFINE_RAW_FLEX() yet. Not inlined, as the array would slow down
 * copies if it were in the frame of engine_prep().
 */
static noinline_for_stack struct dma_async_tx_descriptor *
engine_prep_tile(const struct dmacpy_engine *engine,
		 const struct dmacpy_piece *piece)
{
	u8 memory[sizeof(struct dma_interleaved_template) +
		  sizeof(struct data_chunk)]
		__aligned(__alignof__(struct dma_interleaved_template)) = { };
	struct dma_interleaved_template *tile = (void *)memory;

	/*
	 * The first rows may have been copied one by one. If the next one is
	 * more aligned, the engine would use accesses too wide for the strides.
	 */
	if (!dmacpy_tile_is_aligned(piece))
		return NULL;
	tile->src_start = piece->src;
	tile->dst_start = piece->dst;
	tile->dir = DMA_MEM_TO_MEM;
	tile->src_inc = true;
	tile->dst_inc = true;
	tile->src_sgl = piece->src_stride != piece->row;
	tile->dst_sgl = piece->dst_stride != piece->row;
	tile->numf = piece->rows;
	tile->frame_size = 1;
	tile->sgl[0].size = piece->row;
	tile->sgl[0].src_icg = piece->src_stride - piece->row;
	tile->sgl[0].dst_icg = piece->dst_stride - piece->row;
	return dmaengine_prep_interleaved_dma(engine->dma, tile, ENGINE_FLAGS);
}

static inline struct dma_async_tx_descriptor *
engine_prep(const struct dmacpy_engine *engine,
	    const struct dmacpy_piece *piece)
{
	if (likely(piece->kind == DMACPY_PIECE_COPY))
		return dmaengine_prep_dma_memcpy(engine->dma, piece->dst,
						 piece->src, piece->length,
						 ENGINE_FLAGS);
	if (piece->kind == DMACPY_PIECE_FILL)
		return dmaengine_prep_dma_memset(engine->dma, piece->dst,
						 piece->pattern, piece->length,
						 ENGINE_FLAGS);
	return engine_prep_tile(engine, piece);
}

static inline int engine_submit(const struct dmacpy_engine *engine,
				const struct dmacpy_piece *piece,
				struct dmacpy_client *client)
{
	struct dma_async_tx_descriptor *desc = engine_prep(engine, piece);

	if (!desc)
		return -EAGAIN;
	/* Set both: a recycled descriptor still has its old callbacks. */
	desc->callback = engine_callback;
	desc->callback_result = engine_callback_result;
	if (dmacpy_result_sticks(engine->dma->device->dev))
		desc->callback_result = NULL;
	else if (engine->quirks & DMACPY_QUIRK_NO_RESIDUE)
		desc->callback_result = engine_callback_no_residue;
	desc->callback_param = client;
	return dma_submit_error(dmaengine_submit(desc)) ? -EIO : 0;
}

/* Reclaim may wait for fences that depend on this descriptor. */
static noinline_for_stack int
engine_submit_sleeping(const struct dmacpy_engine *engine,
		       const struct dmacpy_piece *piece,
		       struct dmacpy_client *client)
{
	unsigned int flags = memalloc_noreclaim_save();
	int ret = engine_submit(engine, piece, client);

	memalloc_noreclaim_restore(flags);
	return ret;
}

/**
 * dmacpy_engine_submit() - submit a descriptor to the engine
 * @engine: the engine
 * @piece: the copy or fill
 * @client: its called_back() is called at most once; after a termination it may
 *	be called late, or never
 *
 * An interrupt is requested for each descriptor: the drivers of several engines
 * only start the next descriptor in the interrupt handler.
 *
 * Context: One caller at a time. Atomic, or process with DMACPY_QUIRK_SLEEPS.
 * Return: 0; -EAGAIN if the engine has no descriptor now, or cannot copy such a
 * tile; -EIO if it rejects the descriptor.
 */
int dmacpy_engine_submit(const struct dmacpy_engine *engine,
			 const struct dmacpy_piece *piece,
			 struct dmacpy_client *client)
{
	if (unlikely(engine->quirks & DMACPY_QUIRK_SLEEPS))
		return engine_submit_sleeping(engine, piece, client);
	return engine_submit(engine, piece, client);
}

/**
 * dmacpy_engine_issue() - have the engine start the submitted descriptors
 * @engine: the engine; some warn if there are none
 *
 * Context: As dmacpy_engine_submit(). Some call back before this returns.
 */
void dmacpy_engine_issue(const struct dmacpy_engine *engine)
{
	dma_async_issue_pending(engine->dma);
}

/**
 * dmacpy_engine_terminate() - have the engine drop its descriptors
 * @engine: the engine
 *
 * The engine may keep writing, and some engines call back for descriptors that
 * they drop, before this returns or later.
 *
 * Context: Process.
 * Return: false if the engine refuses.
 */
bool dmacpy_engine_terminate(const struct dmacpy_engine *engine)
{
	int ret;

	/* Not for all engines: the drivers of some sleep. */
	if (engine->quirks & DMACPY_QUIRK_NO_BH)
		local_bh_disable();
	ret = dmaengine_terminate_async(engine->dma);
	if (engine->quirks & DMACPY_QUIRK_NO_BH)
		local_bh_enable();
	return !ret;
}

static bool engine_is(struct dma_chan *dma, void *param)
{
	return dma == param;
}

/*
 * Requests the named channel, or one that copies memory: any channel the first
 * time, then the same one again.
 */
static struct dma_chan *engine_find(const struct dmacpy_engine *engine)
{
	struct dma_chan *dma;
	dma_cap_mask_t mask;

	if (engine->name)
		return dma_request_chan(engine->parent, engine->name);

	dma_cap_zero(mask);
	dma_cap_set(DMA_MEMCPY, mask);
	dma = __dma_request_channel(&mask, engine->dma ? engine_is : NULL,
				    engine->dma, NULL);
	return dma ?: ERR_PTR(-EPROBE_DEFER);
}

/*
 * Many engines translate any specifier to any of their free channels. Wrong
 * channels are held until the right one is found. dma_request_chan() would warn
 * about a second channel of the same name.
 */
static struct dma_chan *engine_find_again(const struct dmacpy_engine *engine)
{
	struct dma_chan *held[ENGINE_HELD], *dma = engine_find(engine);
	struct device_node *np = engine->parent->of_node;
	unsigned int count = 0;

	while (!IS_ERR_OR_NULL(dma) && dma != engine->dma) {
		held[count++] = dma;
		dma = np && engine->name && count < ENGINE_HELD ?
		      of_dma_request_slave_channel(np, engine->name) : NULL;
	}
	while (count)
		dma_release_channel(held[--count]);
	return dma ?: ERR_PTR(-EBUSY);
}

/**
 * dmacpy_engine_request() - request the channel again
 * @engine: the engine, after dmacpy_engine_release()
 *
 * Context: Process.
 * Return: 0, or -errno if the same channel is not available now.
 */
int dmacpy_engine_request(struct dmacpy_engine *engine)
{
	struct dma_chan *dma = engine_find_again(engine);

	if (IS_ERR(dma))
		return PTR_ERR(dma);
	engine->requested = true;
	return 0;
}

/**
 * dmacpy_engine_release() - release the channel
 * @engine: the engine
 *
 * Context: Process. The engine does not call back after this.
 * Return: false if the engine refused to drop its descriptors.
 */
bool dmacpy_engine_release(struct dmacpy_engine *engine)
{
	bool dropped;

	/*
	 * The tasklet that has called back last, which is an RCU reader, may
	 * still use what many drivers free without waiting for the tasklet.
	 */
	synchronize_rcu();
	/* Some engine drivers oops if the channel is released while busy. */
	dropped = dmacpy_engine_terminate(engine);
	dmaengine_synchronize(engine->dma);
	/* The same for a tasklet that has called back since. */
	synchronize_rcu();
	dma_release_channel(engine->dma);
	engine->requested = false;
	return dropped;
}

static int engine_check(struct dmacpy_engine *engine)
{
	struct dma_device *device = engine->dma->device;
	const char *reason = engine_refusal_reason(device->dev);

	engine->dma_name = dma_chan_name(engine->dma);
	if (!dma_has_cap(DMA_MEMCPY, device->cap_mask))
		reason = "cannot copy memory";
	if (reason)
		return dev_err_probe(engine->parent, -EINVAL,
				     "channel %s %s\n", engine->dma_name,
				     reason);
	if (!device_link_add(engine->parent, device->dev,
			     DL_FLAG_AUTOREMOVE_CONSUMER | DL_FLAG_PM_RUNTIME))
		return -EPROBE_DEFER;

	engine->dev = dmaengine_get_dma_device(engine->dma);
	engine->align = 1 << device->copy_align;
	engine->id = engine->dma->chan_id;
	engine->quirks = engine_find_quirks(device->dev);
	engine->fills = dma_has_cap(DMA_MEMSET, device->cap_mask);
	engine->tiles = dma_has_cap(DMA_INTERLEAVE, device->cap_mask) &&
			!(engine->quirks & DMACPY_QUIRK_NO_TILES);
	if (!device->device_terminate_all)
		engine->quirks |= DMACPY_QUIRK_UNSTOPPABLE;
	engine->depth = engine->quirks & DMACPY_QUIRK_ONE ? 1 : ENGINE_DEPTH;
	if (dma_has_cap(DMA_COMPLETION_NO_ORDER, device->cap_mask)) {
		/* Operations of a job may depend on each other. */
		engine->depth = 1;
		engine->quirks &= ~DMACPY_QUIRK_QUIESCES;
	}
	return 0;
}

/**
 * dmacpy_engine_open() - request a channel
 * @engine: with its parent and name, otherwise zero
 *
 * Context: Process. Undone by dmacpy_engine_release().
 * Return: 0, or with the reason in the log: -EPROBE_DEFER if there is none yet,
 * -EINVAL if it cannot copy memory, or as dma_request_chan().
 */
int dmacpy_engine_open(struct dmacpy_engine *engine)
{
	struct dma_chan *dma = engine_find(engine);
	int ret;

	if (IS_ERR(dma))
		return dev_err_probe(engine->parent, PTR_ERR(dma),
				     "no DMA channel %s\n",
				     engine->name ?: "that copies memory");
	engine->dma = dma;
	engine->requested = true;
	ret = engine_check(engine);
	if (ret)
		dmacpy_engine_release(engine);
	return ret;
}
