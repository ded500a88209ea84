/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_FENCE_H
#define DMACPY_FENCE_H

#include <linux/types.h>

struct dma_fence;

struct dma_fence *dmacpy_fence_new(void);
void dmacpy_fence_publish(struct dma_fence *fence, u64 context, u64 seqno);
bool dmacpy_fence_is_own(const struct dma_fence *fence);

#endif /* DMACPY_FENCE_H */
