/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_NODE_H
#define DMACPY_NODE_H

struct platform_device;

int dmacpy_node_check(struct platform_device *pdev);

#endif /* DMACPY_NODE_H */
