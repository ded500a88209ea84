/* SPDX-License-Identifier: GPL-2.0-only */
/* Restricts descriptors in flight to one channel of an engine at a time. */
#ifndef DMACPY_TOKEN_H
#define DMACPY_TOKEN_H

#include <linux/list.h>
#include <linux/types.h>

struct dmacpy_token;

/**
 * struct dmacpy_bearer - a channel that may need the token of its engine
 * @token: the token of the engine, or NULL if it needs none
 * @waiting: entry in the queue of bearers that wait for the token
 * @retry: called when the turn of this bearer has come, to have it take the
 *	token or release it. Atomic. NULL for a bearer that uses
 *	dmacpy_token_wait().
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
 * Pass the token on, or stop waiting for it. The bearer has no descriptors in
 * flight. Inline, as each job calls it, and most engines have no token.
 */
static inline void dmacpy_token_release(struct dmacpy_bearer *bearer)
{
	if (bearer->token)
		dmacpy_token_pass(bearer);
}

#endif /* DMACPY_TOKEN_H */
