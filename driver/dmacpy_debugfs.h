/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_DEBUGFS_H
#define DMACPY_DEBUGFS_H

struct dmacpy_device;

void dmacpy_debugfs_init(void);
void dmacpy_debugfs_exit(void);
void dmacpy_debugfs_add(struct dmacpy_device *dev);
void dmacpy_debugfs_del(struct dmacpy_device *dev);

#endif /* DMACPY_DEBUGFS_H */
