// SPDX-License-Identifier: GPL-2.0-only
/* How much SRAM each user has: a shared and small good. */
#include <linux/capability.h>
#include <linux/mm.h>
#include <linux/user_namespace.h>

#include "dmacpy_param.h"
#include "dmacpy_quota.h"

/**
 * dmacpy_quota_init() - nobody has anything
 * @quota: the quota of an instance
 *
 * Context: Process. Undone by dmacpy_quota_destroy().
 */
void dmacpy_quota_init(struct dmacpy_quota *quota)
{
	mutex_init(&quota->lock);
	xa_init_flags(&quota->pages, XA_FLAGS_ACCOUNT);
}

/**
 * dmacpy_quota_destroy() - undo dmacpy_quota_init()
 * @quota: the quota of an instance; all was given back
 *
 * Context: Process.
 */
void dmacpy_quota_destroy(struct dmacpy_quota *quota)
{
	xa_destroy(&quota->pages);
	mutex_destroy(&quota->lock);
}

static bool quota_exceeded(unsigned long pages)
{
	unsigned int limit = READ_ONCE(dmacpy_sram_quota.value);

	return limit && pages > limit / (PAGE_SIZE / 1024) &&
	       !ns_capable_noaudit(&init_user_ns, CAP_SYS_RESOURCE);
}

static unsigned long quota_pages(struct dmacpy_quota *quota, kuid_t user)
{
	void *entry = xa_load(&quota->pages, __kuid_val(user));

	return entry ? xa_to_value(entry) : 0;
}

/**
 * dmacpy_quota_charge() - let a user have SRAM
 * @quota: the quota of the instance
 * @user: who is to have it: the caller
 * @size: bytes, a multiple of the page size
 *
 * Context: Process. Undone by dmacpy_quota_uncharge().
 * Return: 0, -EDQUOT if it is more than the caller may have, -ENOMEM.
 */
int dmacpy_quota_charge(struct dmacpy_quota *quota, kuid_t user, size_t size)
{
	unsigned long pages;
	int ret = -EDQUOT;

	mutex_lock(&quota->lock);
	pages = quota_pages(quota, user) + (size >> PAGE_SHIFT);
	if (!quota_exceeded(pages))
		ret = xa_err(xa_store(&quota->pages, __kuid_val(user),
				      xa_mk_value(pages), GFP_KERNEL));
	mutex_unlock(&quota->lock);
	return ret;
}

/**
 * dmacpy_quota_uncharge() - a user has given SRAM back
 * @quota: the quota of the instance
 * @user: who had it
 * @size: bytes, as charged
 *
 * Context: Process.
 */
void dmacpy_quota_uncharge(struct dmacpy_quota *quota, kuid_t user, size_t size)
{
	unsigned long pages;

	mutex_lock(&quota->lock);
	pages = quota_pages(quota, user) - (size >> PAGE_SHIFT);
	/* Replaces what is there, which takes no memory. */
	if (pages)
		xa_store(&quota->pages, __kuid_val(user), xa_mk_value(pages),
			 GFP_KERNEL);
	else
		xa_erase(&quota->pages, __kuid_val(user));
	mutex_unlock(&quota->lock);
}
