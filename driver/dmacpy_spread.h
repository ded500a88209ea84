/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A job that runs on several channels. The job's own transfer copies the first
 * share of the bytes on the channel of the stream. Each part is a transfer that
 * copies another share on another channel. The job's transfer completes last.
 */
#ifndef DMACPY_SPREAD_H
#define DMACPY_SPREAD_H

#include <linux/refcount.h>
#include <linux/types.h>

#include "dmacpy_chan.h"
#include "dmacpy_plan.h"

struct dmacpy_job;
struct dmacpy_spread;
struct dmacpy_stream;

/**
 * struct dmacpy_part - a share of a job, on another channel than the stream's
 * @xfer: the transfer
 * @spread: the structure that contains this part
 * @chan: the channel
 * @lane: the lane of the stream on @chan
 * @cursor: the place in the plan of the job
 */
struct dmacpy_part {
	struct dmacpy_xfer xfer;
	struct dmacpy_spread *spread;
	struct dmacpy_chan *chan;
	struct dmacpy_lane *lane;
	struct dmacpy_plan_cursor cursor;
};

/**
 * struct dmacpy_spread - the parts of a job
 * @job: the job, which is freed together with this
 * @users: number of transfers that were not released, the job's own included
 * @error: result of the first of @parts that failed, or 0
 * @nparts: number of @parts
 * @parts: all shares but the first
 */
struct dmacpy_spread {
	struct dmacpy_job *job;
	refcount_t users;
	int error;
	unsigned int nparts;
	struct dmacpy_part parts[];
};

bool dmacpy_spread_allowed(const struct dmacpy_chan *a,
			   const struct dmacpy_chan *b);
int dmacpy_spread_prepare(struct dmacpy_stream *stream, struct dmacpy_job *job);
void dmacpy_spread_begin(struct dmacpy_spread *spread, bool run);
void dmacpy_spread_run(struct dmacpy_spread *spread);

/* Returns true when the last transfer is released: the job can be freed. */
static inline bool dmacpy_spread_release(struct dmacpy_spread *spread)
{
	return refcount_dec_and_test(&spread->users);
}

#endif /* DMACPY_SPREAD_H */
