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
#include <linux/bits.h>
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

/* One job in dmacpy_account.queued; the bits below are bytes. */
#define ACCOUNT_JOB	BIT_ULL(48)

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

/*
 * The bytes of the next job do not count: poll() does not know them, and a job
 * that is longer than the limit has to be possible.
 */
static bool account_has_room(u64 queued)
{
	return queued / ACCOUNT_JOB < dmacpy_max_user_jobs.value &&
	       queued % ACCOUNT_JOB < dmacpy_max_user_bytes.value;
}

/**
 * dmacpy_account_has_room() - check if the user may submit a job
 * @account: the account; its @wait is woken when this changes to true
 *
 * Context: Any.
 * Return: true if dmacpy_account_begin_job() would succeed.
 */
bool dmacpy_account_has_room(struct dmacpy_account *account)
{
	return account_has_room(atomic64_read(&account->queued));
}

/**
 * dmacpy_account_begin_job() - charge a user for a job, if there is room
 * @account: the account
 * @bytes: of the job
 *
 * Nothing overrides these limits: the jobs of the user complete by themselves.
 *
 * Context: Any. Undone by dmacpy_account_end_job().
 * Return: false if the user has too many jobs, or bytes in them.
 */
bool dmacpy_account_begin_job(struct dmacpy_account *account, u64 bytes)
{
	s64 queued = atomic64_read(&account->queued);

	do {
		if (!account_has_room(queued))
			return false;
	} while (!atomic64_try_cmpxchg(&account->queued, &queued,
				       queued + ACCOUNT_JOB + bytes));
	return true;
}

/**
 * dmacpy_account_end_job() - undo dmacpy_account_begin_job()
 * @account: the account
 * @bytes: the same
 *
 * Context: Any.
 */
void dmacpy_account_end_job(struct dmacpy_account *account, u64 bytes)
{
	u64 queued = atomic64_sub_return(ACCOUNT_JOB + bytes, &account->queued);

	if (account_has_room(queued) &&
	    !account_has_room(queued + ACCOUNT_JOB + bytes))
		wake_up_all(&account->wait);
}
