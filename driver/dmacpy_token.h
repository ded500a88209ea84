/* SPDX-License-Identifier: GPL-2.0-only */
/* Channels of an engine of which only one at a time may be at work. */
#ifndef DMACPY_TOKEN_H
#define DMACPY_TOKEN_H

#include <linux/list.h>
#include <linux/types.h>

struct dmacpy_token;

/**
 * struct dmacpy_bearer - a channel that may need the token of its engine
 * @token: NULL if it needs none
 * @waiting: in the queue of those that wait for it
 * @retry: it is the turn of this bearer, which has to take the token, or to
 *	give it up. Atomic. NULL for a bearer that dmacpy_token_wait() is for.
 */
struct dmacpy_bearer {
	struct dmacpy_token *token;
	struct list_head waiting;
	void (*retry)(struct dmacpy_bearer *bearer);
};

int dmacpy_token_open(struct dmacpy_bearer *bearer, const void *engine);
void dmacpy_token_close(struct dmacpy_bearer *bearer);
bool dmacpy_token_take(struct dmacpy_bearer *bearer);
bool dmacpy_token_wait(struct dmacpy_bearer *bearer, unsigned long timeout);
void dmacpy_token_pass(struct dmacpy_bearer *bearer);

/*
 * Pass the token on, or do not wait for it any more: for a bearer that has
 * nothing in flight. Inline, as most engines have none and each job comes here.
 */
static inline void dmacpy_token_give_up(struct dmacpy_bearer *bearer)
{
	if (bearer->token)
		dmacpy_token_pass(bearer);
}

#endif /* DMACPY_TOKEN_H */
