// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reports of failures: a line in the log and a uevent for each, rate-limited,
 * and counters of all.
 *
 * A work item writes the log: a callback may hold a lock of the engine that the
 * driver of a console takes, too, if it uses that engine for its output.
 */
#include <linux/device.h>
#include <linux/jiffies.h>
#include <linux/kobject.h>
#include <linux/string.h>

#include "dmacpy_report.h"

/* The rate limit: failures, and their period in jiffies. */
#define REPORT_BURST	10
#define REPORT_INTERVAL	(5 * HZ)

/*
 * Variables of a uevent, and bytes of the longest with its value: see
 * guide.rst.
 */
#define REPORT_VARIABLES 4
#define REPORT_VARIABLE	48

static const struct {
	const char *event;
	const char *error;
	const char *text;
} report_kinds[] = {
	[DMACPY_ENGINE_ERROR] = { "failed", "engine-error",
		"the engine reported an error, a job failed" },
	[DMACPY_NO_PROGRESS] = { "failed", "no-progress",
		"the engine made no progress, a job was stopped" },
	[DMACPY_NO_DESCRIPTOR] = { "failed", "no-descriptor",
		"the engine took no descriptor, a job was stopped" },
	[DMACPY_NO_COPY] = { "down", "no-copy",
		"still down, as a test copy does not arrive," },
	[DMACPY_NO_INTERRUPT] = { "down", "no-interrupt",
		"still down, as a test copy arrives without an interrupt," },
	[DMACPY_BUSY] = { "down", "busy",
		"still down, as the channel cannot be had again," },
	[DMACPY_RECOVERED] = { "recovered", "none", "recovered" },
};

static void report_log(const struct dmacpy_report *report,
		       const struct dmacpy_report_event *event)
{
	bool bad = event->kind != DMACPY_RECOVERED;

	if (event->missed)
		dev_warn(report->parent,
			 "%u failures were too many to be logged\n",
			 event->missed);
	dev_printk(bad ? KERN_WARNING : KERN_INFO, report->parent,
		   "channel %s: %s after %u ms\n", event->channel,
		   report_kinds[event->kind].text, event->age_ms);
}

static void report_uevent(struct device *node,
			  const struct dmacpy_report_event *event)
{
	char variables[REPORT_VARIABLES][REPORT_VARIABLE];
	char *env[REPORT_VARIABLES + 1] = { };
	unsigned int i;

	for (i = 0; i < REPORT_VARIABLES; i++)
		env[i] = variables[i];
	snprintf(variables[0], REPORT_VARIABLE, "DMACPY_EVENT=%s",
		 report_kinds[event->kind].event);
	snprintf(variables[1], REPORT_VARIABLE, "DMACPY_ERROR=%s",
		 report_kinds[event->kind].error);
	snprintf(variables[2], REPORT_VARIABLE, "DMACPY_CHANNEL=%s",
		 event->channel);
	snprintf(variables[3], REPORT_VARIABLE, "DMACPY_AGE_MS=%u",
		 event->age_ms);
	kobject_uevent_env(&node->kobj, KOBJ_CHANGE, env);
}

static bool report_pop(struct dmacpy_report *report,
		       struct dmacpy_report_event *event)
{
	bool some;

	spin_lock_irq(&report->lock);
	some = report->count;
	if (some) {
		*event = report->pending[report->first];
		report->first = (report->first + 1) % DMACPY_REPORT_PENDING;
		report->count--;
	}
	spin_unlock_irq(&report->lock);
	return some;
}

/* The node is valid until dmacpy_report_detach() has waited for this work. */
static void report_work(struct work_struct *work)
{
	struct dmacpy_report *report =
		container_of(work, struct dmacpy_report, work);
	struct dmacpy_report_event event;

	while (report_pop(report, &event)) {
		report_log(report, &event);
		report_uevent(report->node, &event);
	}
}

/**
 * dmacpy_report_init() - set up the counters
 * @report: filled in
 * @parent: the platform device
 *
 * Context: Any.
 */
void dmacpy_report_init(struct dmacpy_report *report, struct device *parent)
{
	*report = (struct dmacpy_report){ .parent = parent };
	spin_lock_init(&report->lock);
	ratelimit_state_init(&report->limit, REPORT_INTERVAL, REPORT_BURST);
	/*
	 * Suppress the message of the rate limit, which would not wait for the
	 * work.
	 */
	ratelimit_set_flags(&report->limit, RATELIMIT_MSG_ON_RELEASE);
	INIT_WORK(&report->work, report_work);
}

/**
 * dmacpy_report_attach() - start to report failures
 * @report: the failures
 * @node: the device in /dev
 *
 * Context: Process. Undone by dmacpy_report_detach().
 */
void dmacpy_report_attach(struct dmacpy_report *report, struct device *node)
{
	spin_lock_irq(&report->lock);
	report->node = node;
	report->open = true;
	spin_unlock_irq(&report->lock);
}

/**
 * dmacpy_report_detach() - report the pending failures, and stop
 * @report: the failures; its node is not used after this
 *
 * Context: Process.
 */
void dmacpy_report_detach(struct dmacpy_report *report)
{
	spin_lock_irq(&report->lock);
	report->open = false;
	spin_unlock_irq(&report->lock);
	flush_work(&report->work);
	report->node = NULL;
}

static void report_count(struct dmacpy_report_stat *stat,
			 enum dmacpy_report_kind kind)
{
	switch (kind) {
	case DMACPY_ENGINE_ERROR:
		stat->errors++;
		break;
	case DMACPY_NO_PROGRESS:
	case DMACPY_NO_DESCRIPTOR:
		stat->timeouts++;
		break;
	case DMACPY_RECOVERED:
		stat->recoveries++;
		break;
	default:
		break;
	}
}

static void report_push(struct dmacpy_report *report,
			enum dmacpy_report_kind kind, const char *channel,
			unsigned long since)
{
	struct dmacpy_report_event *event;
	unsigned int last = report->first + report->count++;

	lockdep_assert_held(&report->lock);
	event = &report->pending[last % DMACPY_REPORT_PENDING];
	event->kind = kind;
	strscpy(event->channel, channel, sizeof(event->channel));
	event->age_ms = jiffies_to_msecs(jiffies - since);
	event->missed = report->missed;
	report->missed = 0;
	schedule_work(&report->work);
}

static bool report_has_room(const struct dmacpy_report *report)
{
	return report->open && report->count < DMACPY_REPORT_PENDING;
}

/**
 * dmacpy_report_failure() - count a failure, and report it within the rate
 * limit
 * @report: the failures
 * @kind: the kind of failure
 * @channel: name of the channel
 * @since: time when the job was submitted to the channel, in jiffies
 *
 * Context: Any.
 * Return: true if it will be reported.
 */
bool dmacpy_report_failure(struct dmacpy_report *report,
			   enum dmacpy_report_kind kind, const char *channel,
			   unsigned long since)
{
	unsigned long flags;
	bool reported;

	spin_lock_irqsave(&report->lock, flags);
	report_count(&report->stat, kind);
	reported = report_has_room(report) && __ratelimit(&report->limit);
	if (reported)
		report_push(report, kind, channel, since);
	else
		report->missed += report->open;
	spin_unlock_irqrestore(&report->lock, flags);
	return reported;
}

/**
 * dmacpy_report_state() - count and report a change of state after a failure
 * @report: the failures
 * @kind: the new state
 * @channel: name of the channel
 * @since: time when the channel went down, in jiffies
 * @report_it: the failure was reported
 *
 * Context: Any.
 */
void dmacpy_report_state(struct dmacpy_report *report,
			 enum dmacpy_report_kind kind, const char *channel,
			 unsigned long since, bool report_it)
{
	unsigned long flags;

	spin_lock_irqsave(&report->lock, flags);
	report_count(&report->stat, kind);
	if (report_it && report_has_room(report))
		report_push(report, kind, channel, since);
	spin_unlock_irqrestore(&report->lock, flags);
}

/**
 * dmacpy_report_stat() - get the counters
 * @report: the failures
 * @stat: filled in
 *
 * Context: Process.
 */
void dmacpy_report_stat(struct dmacpy_report *report,
			struct dmacpy_report_stat *stat)
{
	spin_lock_irq(&report->lock);
	*stat = report->stat;
	spin_unlock_irq(&report->lock);
}
