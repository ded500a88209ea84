/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A queue that is added to at its end and taken from at its start, which is a
 * third of what a list costs. Zeroed memory is an empty one.
 */
#ifndef DMACPY_FIFO_H
#define DMACPY_FIFO_H

#include <linux/types.h>

/**
 * struct dmacpy_link - a place in a queue, embedded in what is queued
 * @next: the one behind it, or NULL
 */
struct dmacpy_link {
	struct dmacpy_link *next;
};

/**
 * struct dmacpy_fifo - a queue
 * @first: what was added first, or NULL
 * @last: what was added last, if there is a first
 */
struct dmacpy_fifo {
	struct dmacpy_link *first;
	struct dmacpy_link *last;
};

static inline void dmacpy_fifo_push(struct dmacpy_fifo *fifo,
				    struct dmacpy_link *link)
{
	link->next = NULL;
	if (fifo->first)
		fifo->last->next = link;
	else
		fifo->first = link;
	fifo->last = link;
}

/* Takes the first one, which there must be. */
static inline void dmacpy_fifo_pop(struct dmacpy_fifo *fifo)
{
	fifo->first = fifo->first->next;
}

#endif /* DMACPY_FIFO_H */
