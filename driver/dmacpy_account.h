/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_ACCOUNT_H
#define DMACPY_ACCOUNT_H

#include <linux/atomic.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/uidgid.h>

/**
 * enum dmacpy_resource - resources that are limited for each user
 * @DMACPY_PINNED_PAGES: pages of registered memory, to RLIMIT_MEMLOCK of the
 *	caller; CAP_IPC_LOCK overrides that
 * @DMACPY_SRAM_PAGES: pages of SRAM, to the quota; CAP_SYS_RESOURCE overrides
 *	that
 * @DMACPY_RESOURCES: number of resources
 */
enum dmacpy_resource {
	DMACPY_PINNED_PAGES,
	DMACPY_SRAM_PAGES,
	DMACPY_RESOURCES,
};

/**
 * struct dmacpy_account - resources that one user holds, of all instances
 * @ref: held by each stream, and by each object that is charged
 * @user: the real user id of the task that opened the stream
 * @used: amount of each resource
 */
struct dmacpy_account {
	refcount_t ref;
	kuid_t user;
	atomic_long_t used[DMACPY_RESOURCES];
};

struct dmacpy_account *dmacpy_account_get_current(void);
void dmacpy_account_put(struct dmacpy_account *account);
int dmacpy_account_charge(struct dmacpy_account *account,
			  enum dmacpy_resource resource, unsigned long amount);
void dmacpy_account_uncharge(struct dmacpy_account *account,
			     enum dmacpy_resource resource,
			     unsigned long amount);

/* Undone by dmacpy_account_put(). */
static inline void dmacpy_account_get(struct dmacpy_account *account)
{
	refcount_inc(&account->ref);
}

#endif /* DMACPY_ACCOUNT_H */
