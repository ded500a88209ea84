/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A singly linked queue, which costs a third of a list. Zeroed memory is an
 * empty queue.
 */
#ifndef DMACPY_FIFO_H
#define DMACPY_FIFO_H

#include <linux/types.h>

/**
 * struct dmacpy_link - a place in a queue, embedded in the queued object
 * @next: the next place, or NULL
 */
struct dmacpy_link {
	struct dmacpy_link *next;
};

/**
 * struct dmacpy_fifo - a queue
 * @first: the oldest entry, or NULL
 * @last: the newest entry, if there is a first one
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

/* Removes the first entry; there must be one. */
static inline void dmacpy_fifo_pop(struct dmacpy_fifo *fifo)
{
	fifo->first = fifo->first->next;
}

#endif /* DMACPY_FIFO_H */
