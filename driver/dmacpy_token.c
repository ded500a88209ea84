// SPDX-License-Identifier: GPL-2.0-only
/*
 * Some drivers of engines do not lock data that their channels share. Such an
 * engine has a token: the channel that holds it may submit descriptors, and
 * keeps the token until all of them have called back. Channels get the token in
 * the order of their requests.
 */
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "dmacpy_token.h"

/**
 * struct dmacpy_token - the token of one engine
 * @node: in token_list
 * @engine: identifies the engine of the channels
 * @users: number of bearers, under token_list_lock
 * @lock: protects the rest; may be taken in hard interrupts
 * @bearer: the bearer that holds the token, or NULL
 * @waiting: the bearers that wait for it
 * @passed: woken when the token is passed on
 */
struct dmacpy_token {
	struct list_head node;
	const void *engine;
	unsigned int users;
	spinlock_t lock;
	struct dmacpy_bearer *bearer;
	struct list_head waiting;
	wait_queue_head_t passed;
};

static LIST_HEAD(token_list);
static DEFINE_MUTEX(token_list_lock);

static struct dmacpy_token *token_find(const void *engine)
{
	struct dmacpy_token *token;

	lockdep_assert_held(&token_list_lock);
	list_for_each_entry(token, &token_list, node)
		if (token->engine == engine)
			return token;

	token = kzalloc(sizeof(*token), GFP_KERNEL);
	if (!token)
		return NULL;
	token->engine = engine;
	spin_lock_init(&token->lock);
	INIT_LIST_HEAD(&token->waiting);
	init_waitqueue_head(&token->passed);
	list_add(&token->node, &token_list);
	return token;
}

/**
 * dmacpy_token_open() - share the token of an engine
 * @bearer: zero
 * @engine: identifies the engine; the same for all of its channels
 *
 * Context: Process. Undone by dmacpy_token_close().
 * Return: 0 or -ENOMEM.
 */
int dmacpy_token_open(struct dmacpy_bearer *bearer, const void *engine)
{
	INIT_LIST_HEAD(&bearer->waiting);
	mutex_lock(&token_list_lock);
	bearer->token = token_find(engine);
	if (bearer->token)
		bearer->token->users++;
	mutex_unlock(&token_list_lock);
	return bearer->token ? 0 : -ENOMEM;
}

/**
 * dmacpy_token_close() - undo dmacpy_token_open()
 * @bearer: the bearer
 *
 * Context: Process.
 */
void dmacpy_token_close(struct dmacpy_bearer *bearer)
{
	struct dmacpy_token *token = bearer->token;

	if (!token)
		return;
	dmacpy_token_release(bearer);
	bearer->token = NULL;
	mutex_lock(&token_list_lock);
	if (!--token->users) {
		list_del(&token->node);
		kfree(token);
	}
	mutex_unlock(&token_list_lock);
}

static struct dmacpy_bearer *token_next(struct dmacpy_token *token)
{
	lockdep_assert_held(&token->lock);
	return list_first_entry_or_null(&token->waiting, struct dmacpy_bearer,
					waiting);
}

/**
 * dmacpy_token_take() - take the token, or wait for it
 * @bearer: the bearer, without descriptors in flight; may hold the token
 *	already
 *
 * Context: Any.
 * Return: true if @bearer holds the token, until dmacpy_token_release(). If
 * false, dmacpy_bearer.retry is called when its turn has come.
 */
bool dmacpy_token_take(struct dmacpy_bearer *bearer)
{
	struct dmacpy_token *token = bearer->token;
	struct dmacpy_bearer *next;
	unsigned long flags;
	bool taken;

	if (!token)
		return true;
	spin_lock_irqsave(&token->lock, flags);
	next = token_next(token);
	taken = token->bearer == bearer ||
		(!token->bearer && (!next || next == bearer));
	if (taken) {
		token->bearer = bearer;
		list_del_init(&bearer->waiting);
	} else if (list_empty(&bearer->waiting)) {
		list_add_tail(&bearer->waiting, &token->waiting);
	}
	spin_unlock_irqrestore(&token->lock, flags);
	return taken;
}

/**
 * dmacpy_token_wait() - sleep until the token is taken
 * @bearer: as for dmacpy_token_take()
 * @timeout: the longest wait, in jiffies
 *
 * Context: Process.
 * Return: true if @bearer holds the token, until dmacpy_token_release().
 */
bool dmacpy_token_wait(struct dmacpy_bearer *bearer, unsigned long timeout)
{
	if (!bearer->token ||
	    wait_event_timeout(bearer->token->passed, dmacpy_token_take(bearer),
			       timeout))
		return true;
	dmacpy_token_release(bearer);
	return false;
}

/**
 * dmacpy_token_pass() - dmacpy_token_release() for an engine with a token
 * @bearer: a bearer without descriptors in flight
 *
 * Context: Any. Calls dmacpy_bearer.retry of another bearer.
 */
void dmacpy_token_pass(struct dmacpy_bearer *bearer)
{
	struct dmacpy_token *token = bearer->token;
	struct dmacpy_bearer *next;
	unsigned long flags;

	spin_lock_irqsave(&token->lock, flags);
	list_del_init(&bearer->waiting);
	if (token->bearer == bearer)
		token->bearer = NULL;
	next = token->bearer ? NULL : token_next(token);
	if (next && next->retry)
		next->retry(next);
	else if (next)
		wake_up_all(&token->passed);
	spin_unlock_irqrestore(&token->lock, flags);
}
