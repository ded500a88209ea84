/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_REPORT_H
#define DMACPY_REPORT_H

#include <linux/ratelimit.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

struct device;

/* Of a burst of failures, each with that the channel is down and recovers. */
#define DMACPY_REPORT_PENDING	32

/**
 * enum dmacpy_report_kind - what has happened to a channel
 * @DMACPY_ENGINE_ERROR: the engine has reported an error, or has copied a part
 * @DMACPY_NO_PROGRESS: the engine made none, and was terminated
 * @DMACPY_NO_DESCRIPTOR: the same, of an engine that had no descriptor
 * @DMACPY_NO_COPY: not recovered yet: a test copy does not arrive
 * @DMACPY_NO_INTERRUPT: not recovered yet: a test copy arrives, but does not
 *	call back
 * @DMACPY_BUSY: not recovered yet: it cannot be requested, or has not called
 *	back for all that it was given
 * @DMACPY_RECOVERED: it takes jobs again
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
 * struct dmacpy_report_event - something to be reported
 * @kind: what has happened
 * @channel: where
 * @age_ms: of the job that has failed; or for how long the channel is down
 * @missed: number of failures before this that were too many to be reported
 */
struct dmacpy_report_event {
	enum dmacpy_report_kind kind;
	char channel[24];
	unsigned int age_ms;
	unsigned int missed;
};

/**
 * struct dmacpy_report_stat - how often that has happened
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
 * @open: failures are reported
 * @stat: counts all of them
 * @limit: of failures that are reported
 * @missed: number of failures since the last one that was reported
 * @pending: a ring of what is to be reported
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
