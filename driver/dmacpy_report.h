/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_REPORT_H
#define DMACPY_REPORT_H

#include <linux/ratelimit.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

struct device;

/* Room for a burst of failures, each followed by "down" and "recovered". */
#define DMACPY_REPORT_PENDING	32

/**
 * enum dmacpy_report_kind - an event of a channel
 * @DMACPY_ENGINE_ERROR: the engine has reported an error, or copied only a part
 * @DMACPY_NO_PROGRESS: the engine made no progress, and was terminated
 * @DMACPY_NO_DESCRIPTOR: the same, as the engine had no free descriptor
 * @DMACPY_NO_COPY: not recovered yet: a test copy does not arrive
 * @DMACPY_NO_INTERRUPT: not recovered yet: a test copy arrives, but does not
 *	call back
 * @DMACPY_BUSY: not recovered yet: it cannot be requested, or has not called
 *	back for all descriptors
 * @DMACPY_RECOVERED: the channel takes jobs again
 */
enum dmacpy_report_kind {
	DMACPY_ENGINE_ERROR,
	DMACPY_NO_PROGRESS,
	DMACPY_NO_DESCRIPTOR,
	DMACPY_NO_COPY,
	DMACPY_NO_INTERRUPT,
	DMACPY_BUSY,
	DMACPY_RECOVERED,
};

/**
 * struct dmacpy_report_event - an event to be reported
 * @kind: the event
 * @channel: its channel
 * @age_ms: age of the failed job, or the time for which the channel has been
 *	down
 * @missed: number of failures before this one that were not reported
 */
struct dmacpy_report_event {
	enum dmacpy_report_kind kind;
	char channel[24];
	unsigned int age_ms;
	unsigned int missed;
};

/**
 * struct dmacpy_report_stat - counters of events
 * @errors: DMACPY_ENGINE_ERROR
 * @timeouts: DMACPY_NO_PROGRESS and DMACPY_NO_DESCRIPTOR
 * @recoveries: DMACPY_RECOVERED
 */
struct dmacpy_report_stat {
	unsigned int errors;
	unsigned int timeouts;
	unsigned int recoveries;
};

/**
 * struct dmacpy_report - failures of a device, for the log and for user space
 * @parent: the platform device, for the log
 * @node: the device in /dev, for uevents
 * @lock: protects the rest; may be taken in hard interrupts
 * @open: true while failures are reported
 * @stat: counts all of them
 * @limit: the rate limit of reports
 * @missed: number of failures since the last report
 * @pending: a ring of events to be reported
 * @first: index in @pending
 * @count: number of events in @pending
 * @work: reports them
 */
struct dmacpy_report {
	struct device *parent;
	struct device *node;
	spinlock_t lock;
	bool open;
	struct dmacpy_report_stat stat;
	struct ratelimit_state limit;
	unsigned int missed;
	struct dmacpy_report_event pending[DMACPY_REPORT_PENDING];
	unsigned int first;
	unsigned int count;
	struct work_struct work;
};

void dmacpy_report_init(struct dmacpy_report *report, struct device *parent);
void dmacpy_report_attach(struct dmacpy_report *report, struct device *node);
void dmacpy_report_detach(struct dmacpy_report *report);
bool dmacpy_report_failure(struct dmacpy_report *report,
			   enum dmacpy_report_kind kind, const char *channel,
			   unsigned long since);
void dmacpy_report_state(struct dmacpy_report *report,
			 enum dmacpy_report_kind kind, const char *channel,
			 unsigned long since, bool report_it);
void dmacpy_report_stat(struct dmacpy_report *report,
			struct dmacpy_report_stat *stat);

#endif /* DMACPY_REPORT_H */
