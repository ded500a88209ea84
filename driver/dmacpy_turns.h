/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The order of transfers on a channel: round-robin between users, and for each
 * user between its streams, so a user with many streams gets no larger share
 * than a user with one. A turn is one transfer. An empty queue is zero.
 */
#ifndef DMACPY_TURNS_H
#define DMACPY_TURNS_H

#include <linux/refcount.h>
#include <linux/types.h>

#include "dmacpy_fifo.h"

/**
 * struct dmacpy_share - the lanes of one user on one channel
 * @link: entry in dmacpy_turns.shares, if the share has any transfers
 * @lanes: the lanes with transfers; the next turn is that of the first
 * @ref: held by each stream with a lane in this share
 */
struct dmacpy_share {
	struct dmacpy_link link;
	struct dmacpy_fifo lanes;
	refcount_t ref;
};

/**
 * struct dmacpy_lane - the transfers of one stream, which complete in order
 * @link: entry in dmacpy_share.lanes, if any transfers wait for their turn
 * @xfers: the transfers that wait for their turn, oldest first
 * @share: the share of the stream's user; set by the owner
 * @flight: the transfers that have had their turn, oldest first
 * @deferred: entry in dmacpy_chan.deferred, if the worker has to complete some
 * @completing: a context is completing transfers of @flight, or the worker will
 *
 * The lane and its share must exist as long as the lane has transfers.
 */
struct dmacpy_lane {
	struct dmacpy_link link;
	struct dmacpy_fifo xfers;
	struct dmacpy_share *share;
	struct dmacpy_fifo flight;
	struct dmacpy_link deferred;
	bool completing;
};

/**
 * struct dmacpy_turns - the transfers of all users that wait for a channel
 * @shares: the shares with transfers; the next turn is that of the first
 */
struct dmacpy_turns {
	struct dmacpy_fifo shares;
};

static inline bool dmacpy_turns_empty(const struct dmacpy_turns *turns)
{
	return !turns->shares.first;
}

/* Returns the link of the transfer whose turn it is, or NULL. */
static inline struct dmacpy_link *
dmacpy_turns_first(const struct dmacpy_turns *turns)
{
	struct dmacpy_share *share;
	struct dmacpy_lane *lane;

	if (dmacpy_turns_empty(turns))
		return NULL;
	share = container_of(turns->shares.first, struct dmacpy_share, link);
	lane = container_of(share->lanes.first, struct dmacpy_lane, link);
	return lane->xfers.first;
}

static inline void dmacpy_turns_push(struct dmacpy_turns *turns,
				     struct dmacpy_lane *lane,
				     struct dmacpy_link *xfer)
{
	struct dmacpy_share *share = lane->share;

	if (!share->lanes.first)
		dmacpy_fifo_push(&turns->shares, &share->link);
	if (!lane->xfers.first)
		dmacpy_fifo_push(&share->lanes, &lane->link);
	dmacpy_fifo_push(&lane->xfers, xfer);
}

/*
 * Removes the transfer whose turn it is; there must be one. The next user gets
 * the next turn, and the next lane of this user gets the user's next turn.
 */
static inline void dmacpy_turns_pop(struct dmacpy_turns *turns)
{
	struct dmacpy_share *share =
		container_of(turns->shares.first, struct dmacpy_share, link);
	struct dmacpy_lane *lane =
		container_of(share->lanes.first, struct dmacpy_lane, link);

	dmacpy_fifo_pop(&lane->xfers);
	/* Usually it is the only lane with transfers, and has more of them. */
	if (lane->xfers.first && !lane->link.next && !share->link.next)
		return;
	dmacpy_fifo_pop(&share->lanes);
	if (lane->xfers.first)
		dmacpy_fifo_push(&share->lanes, &lane->link);
	dmacpy_fifo_pop(&turns->shares);
	if (share->lanes.first)
		dmacpy_fifo_push(&turns->shares, &share->link);
}

#endif /* DMACPY_TURNS_H */
