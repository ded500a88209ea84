// SPDX-License-Identifier: GPL-2.0-only
/* Jobs that run on several channels: each one copies a share of the bytes. */
#include <linux/align.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "dmacpy_buf.h"
#include "dmacpy_chan.h"
#include "dmacpy_job.h"
#include "dmacpy_map.h"
#include "dmacpy_plan.h"
#include "dmacpy_spread.h"
#include "dmacpy_stream.h"

/* Alignment of the start of a share in the memory of the destination */
#define SPREAD_ALIGN	256U

static struct dmacpy_part *spread_part(struct dmacpy_xfer *xfer)
{
	return container_of(xfer, struct dmacpy_part, xfer);
}

/* If an earlier failure cancels the job, queue_run() submits no parts. */
static int spread_start(struct dmacpy_xfer *xfer)
{
	return 0;
}

static void spread_next(struct dmacpy_xfer *xfer, size_t max,
			struct dmacpy_piece *piece)
{
	struct dmacpy_part *part = spread_part(xfer);

	dmacpy_plan_cut(part->spread->job->plan, &part->cursor, max, piece);
}

static void spread_done(struct dmacpy_xfer *xfer, int result)
{
	struct dmacpy_spread *spread = spread_part(xfer)->spread;

	if (unlikely(result))
		cmpxchg(&spread->error, 0, result);
	if (unlikely(xfer->terminated))
		WRITE_ONCE(spread->job->part_terminated, true);
	dmacpy_chan_part_done(&spread->job->xfer);
}

static void spread_release(struct dmacpy_xfer *xfer)
{
	struct dmacpy_xfer *first = &spread_part(xfer)->spread->job->xfer;

	first->ops->release(first);
}

static const struct dmacpy_xfer_ops spread_xfer_ops = {
	.start = spread_start,
	.next = spread_next,
	.done = spread_done,
	.release = spread_release,
};

/**
 * dmacpy_spread_allowed() - check if two channels can run shares of one job
 * @a: the channel that the buffers are mapped for, and the plan is made for
 * @b: another channel
 *
 * Context: Process.
 * Return: true if @b can use these mappings and this plan, while @a runs.
 */
bool dmacpy_spread_allowed(const struct dmacpy_chan *a,
			   const struct dmacpy_chan *b)
{
	return !a->bearer.token && !b->bearer.token &&
	       a->copy_align == b->copy_align &&
	       a->copy_align <= SPREAD_ALIGN &&
	       a->user_align == b->user_align &&
	       a->engine.fills == b->engine.fills &&
	       a->engine.tiles == b->engine.tiles &&
	       dmacpy_map_is_common(a->dma_dev, b->dma_dev);
}

/* A channel that is being recovered gets no share. */
static void spread_pick_channels(struct dmacpy_spread *spread,
				 struct dmacpy_stream *stream,
				 unsigned int count)
{
	struct dmacpy_side *side = stream->sides;
	struct dmacpy_part *part;

	for (; side < stream->sides + stream->nsides && spread->nparts < count;
	     side++) {
		if (!dmacpy_chan_ready(side->chan))
			continue;
		part = &spread->parts[spread->nparts++];
		part->xfer.ops = &spread_xfer_ops;
		part->spread = spread;
		part->chan = side->chan;
		part->lane = &side->lane;
	}
}

/* Returns the start of a share, in bytes from the start of the job. */
static u64 spread_cut(const struct dmacpy_plan *plan, unsigned int index,
		      unsigned int count)
{
	u64 cut = div_u64(plan->length * index, count);
	u64 addr = plan->ends->dst->offset + plan->op->dst_offset + cut;

	return cut - (addr & (SPREAD_ALIGN - 1));
}

static void spread_cut_shares(struct dmacpy_spread *spread)
{
	struct dmacpy_job *job = spread->job;
	const struct dmacpy_plan *plan = job->plan;
	struct dmacpy_plan_cursor cursor = { };
	unsigned int i, count = spread->nparts + 1;
	u64 start, end = spread_cut(plan, 1, count);

	job->xfer.bytes_left = end;
	dmacpy_plan_seek(plan, &cursor, end);
	for (i = 0; i < spread->nparts; i++) {
		start = end;
		end = i + 2 < count ? spread_cut(plan, i + 2, count) :
				      plan->length;
		spread->parts[i].cursor = cursor;
		spread->parts[i].xfer.bytes_left = end - start;
		dmacpy_plan_seek(plan, &cursor, end - start);
	}
}

/**
 * dmacpy_spread_prepare() - cut a job into shares, if that is possible
 * @stream: the stream, after dmacpy_stream_widen()
 * @job: a job that was prepared, with the number of channels that may run it
 *
 * Context: Process, under dmacpy_stream.submit, while the device is bound.
 * Return: 0 or -ENOMEM.
 */
int dmacpy_spread_prepare(struct dmacpy_stream *stream, struct dmacpy_job *job)
{
	u64 count = min3(job->length / SPREAD_ALIGN, (u64)job->channels,
			 stream->nsides + 1ULL);
	struct dmacpy_spread *spread;

	if (count < 2 || !dmacpy_plan_is_parallel(job->plan))
		return 0;
	spread = kzalloc(struct_size(spread, parts, count - 1),
			 GFP_KERNEL_ACCOUNT);
	if (!spread)
		return -ENOMEM;
	spread->job = job;
	spread_pick_channels(spread, stream, count - 1);
	if (!spread->nparts) {
		kfree(spread);
		return 0;
	}
	spread_cut_shares(spread);
	job->spread = spread;
	return 0;
}

/**
 * dmacpy_spread_begin() - make a job wait for all its parts
 * @spread: the parts
 * @run: the parts will be submitted; otherwise the job does not wait for them
 *
 * Context: Any, before the job's transfer is submitted.
 */
void dmacpy_spread_begin(struct dmacpy_spread *spread, bool run)
{
	unsigned int nparts = run ? spread->nparts : 0;

	refcount_set(&spread->users, nparts + 1);
	spread->job->xfer.parts = nparts;
}

/**
 * dmacpy_spread_run() - submit the parts of a job to their channels
 * @spread: the parts of a job whose own transfer was submitted; may be freed
 *	when this returns
 *
 * Context: Any, while the channels are open.
 */
void dmacpy_spread_run(struct dmacpy_spread *spread)
{
	struct dmacpy_part *part = spread->parts;
	struct dmacpy_part *end = part + spread->nparts;

	for (; part < end; part++)
		dmacpy_chan_submit(part->chan, part->lane, &part->xfer);
}
