/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_ACCOUNT_H
#define DMACPY_ACCOUNT_H

#include <linux/atomic.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/uidgid.h>
#include <linux/wait.h>

/**
 * enum dmacpy_resource - resources that are limited for each user
 * @DMACPY_PINNED_PAGES: pages of registered memory, to RLIMIT_MEMLOCK of the
 *	caller; CAP_IPC_LOCK overrides that
 * @DMACPY_SRAM_PAGES: pages of SRAM, to the quota; CAP_SYS_RESOURCE overrides
 *	that
 * @DMACPY_STREAMS: open files, and closed ones whose jobs have not completed;
 *	CAP_SYS_RESOURCE overrides the limit
 * @DMACPY_HANDLES: handles, and buffers that jobs still use after RELEASE;
 *	CAP_SYS_RESOURCE overrides the limit
 * @DMACPY_RESOURCES: number of resources
 */
enum dmacpy_resource {
	DMACPY_PINNED_PAGES,
	DMACPY_SRAM_PAGES,
	DMACPY_STREAMS,
	DMACPY_HANDLES,
	DMACPY_RESOURCES,
};

/**
 * struct dmacpy_account - resources that one user holds, of all instances
 * @ref: held by each stream, and by each object that is charged
 * @user: the real user id of the task that opened the stream
 * @used: amount of each resource
 * @queued: jobs that have not completed and their bytes, in one word, so that
 *	both change together; see account_has_room()
 * @wait: woken when there is room for a job again; the user's streams wait here
 */
struct dmacpy_account {
	refcount_t ref;
	kuid_t user;
	atomic_long_t used[DMACPY_RESOURCES];
	atomic64_t queued;
	wait_queue_head_t wait;
};

struct dmacpy_account *dmacpy_account_get_current(void);
void dmacpy_account_put(struct dmacpy_account *account);
int dmacpy_account_charge(struct dmacpy_account *account,
			  enum dmacpy_resource resource, unsigned long amount);
void dmacpy_account_uncharge(struct dmacpy_account *account,
			     enum dmacpy_resource resource,
			     unsigned long amount);
bool dmacpy_account_has_room(struct dmacpy_account *account);
bool dmacpy_account_begin_job(struct dmacpy_account *account, u64 bytes);
void dmacpy_account_end_job(struct dmacpy_account *account, u64 bytes);

/* Undone by dmacpy_account_put(). */
static inline void dmacpy_account_get(struct dmacpy_account *account)
{
	refcount_inc(&account->ref);
}

#endif /* DMACPY_ACCOUNT_H */
