/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_EXPORT_H
#define DMACPY_EXPORT_H

#include <linux/types.h>

struct dma_buf;
struct dmacpy_account;
struct dmacpy_device;
struct seq_file;
struct sg_table;

struct sg_table *dmacpy_export_new_table(phys_addr_t phys, dma_addr_t addr,
					 size_t size);
struct dma_buf *dmacpy_export_alloc(struct dmacpy_device *dev,
				    struct dmacpy_account *account, u64 length,
				    int flags);
void dmacpy_export_revoke(struct dmacpy_device *dev);
bool dmacpy_export_is_sram(const struct dma_buf *dmabuf);
void dmacpy_export_show(struct dmacpy_device *dev, struct seq_file *m);

#endif /* DMACPY_EXPORT_H */
