/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_QUOTA_H
#define DMACPY_QUOTA_H

#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/uidgid.h>
#include <linux/xarray.h>

/**
 * struct dmacpy_quota - who has how much of the SRAM of an instance
 * @lock: protects @pages
 * @pages: number of pages, by user, if there are any
 */
struct dmacpy_quota {
	struct mutex lock;
	struct xarray pages;
};

void dmacpy_quota_init(struct dmacpy_quota *quota);
void dmacpy_quota_destroy(struct dmacpy_quota *quota);
int dmacpy_quota_charge(struct dmacpy_quota *quota, kuid_t user, size_t size);
void dmacpy_quota_uncharge(struct dmacpy_quota *quota, kuid_t user,
			   size_t size);

#endif /* DMACPY_QUOTA_H */
