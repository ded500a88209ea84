// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resources that are limited for each user. An object is charged to the user
 * that opened its stream, for as long as the object exists: the exit of a
 * process, exec() and passing the file to another user do not change the
 * charge.
 *
 * user_struct.locked_vm serves for pinned memory only, and depends on the
 * configuration of the kernel.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <linux/xarray.h>

#include "dmacpy_account.h"
#include "dmacpy_param.h"

/* All accounts, by user. The last reference is put under the lock. */
static DEFINE_XARRAY_FLAGS(accounts, XA_FLAGS_ACCOUNT);
static DEFINE_MUTEX(accounts_lock);

static struct dmacpy_account *account_new(kuid_t user)
{
	struct dmacpy_account *account;

	account = kzalloc(sizeof(*account), GFP_KERNEL_ACCOUNT);
	if (!account)
		return NULL;
	refcount_set(&account->ref, 1);
	account->user = user;
	init_waitqueue_head(&account->wait);
	if (xa_err(xa_store(&accounts, __kuid_val(user), account,
			    GFP_KERNEL))) {
		kfree(account);
		return NULL;
	}
	return account;
}

/**
 * dmacpy_account_get_current() - get the account of the calling task's user
 *
 * Context: Process.
 * Return: the account with a reference (dmacpy_account_put()), or NULL for
 * -ENOMEM.
 */
struct dmacpy_account *dmacpy_account_get_current(void)
{
	kuid_t user = current_uid();
	struct dmacpy_account *account;

	mutex_lock(&accounts_lock);
	account = xa_load(&accounts, __kuid_val(user));
	if (account)
		dmacpy_account_get(account);
	else
		account = account_new(user);
	mutex_unlock(&accounts_lock);
	return account;
}

/**
 * dmacpy_account_put() - drop a reference
 * @account: the account; all charges are returned before the last reference
 *
 * Context: Process.
 */
void dmacpy_account_put(struct dmacpy_account *account)
{
	if (!refcount_dec_and_mutex_lock(&account->ref, &accounts_lock))
		return;
	xa_erase(&accounts, __kuid_val(account->user));
	mutex_unlock(&accounts_lock);
	kfree(account);
}

static unsigned long account_limit(enum dmacpy_resource resource)
{
	unsigned int quota;

	switch (resource) {
	case DMACPY_PINNED_PAGES:
		return rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	case DMACPY_SRAM_PAGES:
		quota = READ_ONCE(dmacpy_sram_quota.value);
		return quota ? quota / (PAGE_SIZE / 1024) : ULONG_MAX;
	case DMACPY_STREAMS:
		return dmacpy_max_user_streams.value;
	default:
		return dmacpy_max_user_handles.value;
	}
}

static bool account_may_exceed(enum dmacpy_resource resource)
{
	return ns_capable_noaudit(&init_user_ns,
				  resource == DMACPY_PINNED_PAGES ?
				  CAP_IPC_LOCK : CAP_SYS_RESOURCE);
}

/**
 * dmacpy_account_charge() - charge a user, unless that exceeds the limit
 * @account: the account of the user
 * @resource: the resource
 * @amount: to be added
 *
 * A charge that is refused is never visible to concurrent callers.
 *
 * Context: Process: RLIMIT_MEMLOCK and capabilities are those of the caller.
 * Undone by dmacpy_account_uncharge().
 * Return: 0 or -EDQUOT.
 */
int dmacpy_account_charge(struct dmacpy_account *account,
			  enum dmacpy_resource resource, unsigned long amount)
{
	unsigned long limit = account_limit(resource);
	long used = atomic_long_read(&account->used[resource]);

	do {
		if ((amount > limit || used > limit - amount) &&
		    !account_may_exceed(resource))
			return -EDQUOT;
	} while (!atomic_long_try_cmpxchg(&account->used[resource], &used,
					  used + amount));
	return 0;
}

/**
 * dmacpy_account_uncharge() - undo dmacpy_account_charge()
 * @account: the account
 * @resource: the resource
 * @amount: as charged
 *
 * Context: Any.
 */
void dmacpy_account_uncharge(struct dmacpy_account *account,
			     enum dmacpy_resource resource,
			     unsigned long amount)
{
	atomic_long_sub(amount, &account->used[resource]);
}
