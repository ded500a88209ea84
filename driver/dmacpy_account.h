/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_ACCOUNT_H
#define DMACPY_ACCOUNT_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/uidgid.h>
#include <linux/wait.h>

#include "dmacpy_param.h"

/* One job in dmacpy_account.queued; the bits below are bytes. */
#define DMACPY_ACCOUNT_JOB	BIT_ULL(48)

/* What takes more kernel memory than this counts as several handles. */
#define DMACPY_HANDLE_MEMORY	8192U

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
 *	both change together; see dmacpy_account_is_room()
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

/* Undone by dmacpy_account_put(). */
static inline void dmacpy_account_get(struct dmacpy_account *account)
{
	refcount_inc(&account->ref);
}

/*
 * The bytes of the next job do not count: poll() does not know them, and a job
 * that is longer than the limit has to be possible.
 */
static inline bool dmacpy_account_is_room(u64 queued)
{
	return queued / DMACPY_ACCOUNT_JOB < dmacpy_max_user_jobs.value &&
	       queued % DMACPY_ACCOUNT_JOB < dmacpy_max_user_bytes.value;
}

/**
 * dmacpy_account_has_room() - check if the user may submit a job
 * @account: the account; its @wait is woken when this changes to true
 *
 * Context: Any.
 * Return: true if dmacpy_account_begin_job() would succeed.
 */
static inline bool dmacpy_account_has_room(struct dmacpy_account *account)
{
	return dmacpy_account_is_room(atomic64_read(&account->queued));
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
static inline bool dmacpy_account_begin_job(struct dmacpy_account *account,
					    u64 bytes)
{
	s64 queued = atomic64_read(&account->queued);

	do {
		if (!dmacpy_account_is_room(queued))
			return false;
	} while (!atomic64_try_cmpxchg(&account->queued, &queued,
				       queued + DMACPY_ACCOUNT_JOB + bytes));
	return true;
}

/**
 * dmacpy_account_end_job() - undo dmacpy_account_begin_job()
 * @account: the account
 * @bytes: the same
 *
 * Context: Any.
 */
static inline void dmacpy_account_end_job(struct dmacpy_account *account,
					  u64 bytes)
{
	u64 job = DMACPY_ACCOUNT_JOB + bytes;
	u64 queued = atomic64_sub_return(job, &account->queued);

	if (unlikely(!dmacpy_account_is_room(queued + job)) &&
	    dmacpy_account_is_room(queued))
		wake_up_all(&account->wait);
}

#endif /* DMACPY_ACCOUNT_H */
