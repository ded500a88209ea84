/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_POWER_H
#define DMACPY_POWER_H

struct device;

void dmacpy_power_enable(struct device *parent);
void dmacpy_power_disable(struct device *parent);
int dmacpy_power_get(struct device *parent);
void dmacpy_power_put(struct device *parent);

#endif /* DMACPY_POWER_H */
