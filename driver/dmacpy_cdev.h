/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_CDEV_H
#define DMACPY_CDEV_H

struct dmacpy_device;

int dmacpy_cdev_add(struct dmacpy_device *dev);
void dmacpy_cdev_del(struct dmacpy_device *dev);

#endif /* DMACPY_CDEV_H */
