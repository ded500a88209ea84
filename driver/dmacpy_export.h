/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_EXPORT_H
#define DMACPY_EXPORT_H

#include <linux/types.h>

struct dma_buf;
struct dmacpy_device;

struct dma_buf *dmacpy_export_alloc(struct dmacpy_device *dev, u64 length,
				    int flags);
void dmacpy_export_revoke(struct dmacpy_device *dev);

#endif /* DMACPY_EXPORT_H */
