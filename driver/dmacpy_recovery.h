/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_RECOVERY_H
#define DMACPY_RECOVERY_H

#include <linux/wait.h>

struct device;
struct dmacpy_chan;
struct dmacpy_report;
struct dmacpy_sram;

struct dmacpy_chan *dmacpy_chan_open(struct device *parent, const char *name,
				     wait_queue_head_t *ready,
				     struct dmacpy_report *report);
int dmacpy_chan_test_sram(struct dmacpy_chan *chan,
			  const struct dmacpy_sram *sram);
void dmacpy_chan_drain(struct dmacpy_chan *chan);
void dmacpy_chan_close(struct dmacpy_chan *chan);
void dmacpy_chan_suspend(struct dmacpy_chan *chan);
void dmacpy_chan_resume(struct dmacpy_chan *chan);
unsigned int dmacpy_chan_parked(void);

#endif /* DMACPY_RECOVERY_H */
