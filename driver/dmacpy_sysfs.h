/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_SYSFS_H
#define DMACPY_SYSFS_H

struct attribute_group;

extern const struct attribute_group *dmacpy_sysfs_groups[];

#endif /* DMACPY_SYSFS_H */
