// SPDX-License-Identifier: GPL-2.0-only
/* The parameters of the module: deadlines and limits, each within bounds. */
#include <linux/errno.h>
#include <linux/kconfig.h>
#include <linux/kstrtox.h>
#include <linux/limits.h>
#include <linux/moduleparam.h>
#include <linux/stddef.h>

#include "dmacpy_param.h"

static int param_set(const char *val, const struct kernel_param *kp)
{
	struct dmacpy_param *param = kp->arg;
	unsigned int value;
	int ret;

	/* param_get_uint() reads the value that kp->arg points to. */
	static_assert(!offsetof(struct dmacpy_param, value));
	ret = kstrtouint(val, 0, &value);
	if (ret)
		return ret;
	if (value < param->min || value > param->max)
		return -EINVAL;
	WRITE_ONCE(param->value, value);
	return 0;
}

static const struct kernel_param_ops param_ops = {
	.set = param_set,
	.get = param_get_uint,
};

struct dmacpy_param dmacpy_timeout = { 5000, 10, 600000 };
module_param_cb(timeout_ms, &param_ops, &dmacpy_timeout, 0644);
MODULE_PARM_DESC(timeout_ms,
		 "Time without progress after which an engine has failed, in ms (10 to 600000)");

struct dmacpy_param dmacpy_dependency_timeout = { 10000, 10, 600000 };
module_param_cb(dependency_timeout_ms, &param_ops, &dmacpy_dependency_timeout,
		0644);
MODULE_PARM_DESC(dependency_timeout_ms,
		 "Longest wait of a job for its fences, in ms (10 to 600000)");

/*
 * 8 us cover an engine that takes about 6 us including its interrupt: up to
 * that, spinning costs as much CPU time as sleeping. On PREEMPT_RT a spinning
 * waiter may keep the thread of the interrupt that it waits for from running.
 */
struct dmacpy_param dmacpy_spin = {
	IS_ENABLED(CONFIG_PREEMPT_RT) ? 0 : 8, 0, 1000
};
module_param_cb(spin_us, &param_ops, &dmacpy_spin, 0644);
MODULE_PARM_DESC(spin_us,
		 "Longest time that SUBMIT with WAIT spins before it sleeps, in us (0 to 1000); 0, the default on PREEMPT_RT, is never");

struct dmacpy_param dmacpy_max_channels = { 1, 1, 64 };
module_param_cb(max_channels, &param_ops, &dmacpy_max_channels, 0444);
MODULE_PARM_DESC(max_channels,
		 "Channels of an instance whose node names none; other clients cannot use them (1 to 64)");

struct dmacpy_param dmacpy_spread = { 1, 0, 1 };
module_param_cb(spread, &param_ops, &dmacpy_spread, 0644);
MODULE_PARM_DESC(spread,
		 "Several channels run one job, if its program asks for that (0 or 1); of what is bound from then on");

struct dmacpy_param dmacpy_sram_quota = { 0, 0, UINT_MAX };
module_param_cb(sram_quota_kib, &param_ops, &dmacpy_sram_quota, 0644);
MODULE_PARM_DESC(sram_quota_kib,
		 "SRAM that one user may have, in KiB; 0 is no limit");

struct dmacpy_param dmacpy_max_user_streams = { 256, 1, 65536 };
module_param_cb(max_user_streams, &param_ops, &dmacpy_max_user_streams, 0444);
MODULE_PARM_DESC(max_user_streams,
		 "Streams of a user, closed ones with jobs included (1 to 65536)");

struct dmacpy_param dmacpy_max_user_handles = { 65536, 1, 1 << 24 };
module_param_cb(max_user_handles, &param_ops, &dmacpy_max_user_handles, 0444);
MODULE_PARM_DESC(max_user_handles, "Handles of a user (1 to 16777216)");

struct dmacpy_param dmacpy_max_user_jobs = { 512, 1, 16384 };
module_param_cb(max_user_jobs, &param_ops, &dmacpy_max_user_jobs, 0444);
MODULE_PARM_DESC(max_user_jobs,
		 "Jobs of a user that have not completed (1 to 16384)");

struct dmacpy_param dmacpy_max_user_bytes = { 1 << 30, 1, UINT_MAX };
module_param_cb(max_user_bytes, &param_ops, &dmacpy_max_user_bytes, 0444);
MODULE_PARM_DESC(max_user_bytes,
		 "Bytes of these jobs at which no more jobs are taken (1 to 4294967295)");

struct dmacpy_param dmacpy_max_jobs = { 64, 1, 4096 };
module_param_cb(max_jobs, &param_ops, &dmacpy_max_jobs, 0444);
MODULE_PARM_DESC(max_jobs, "Jobs of a stream that have not completed (1 to 4096)");

struct dmacpy_param dmacpy_max_events = { 1024, 1, 65536 };
module_param_cb(max_events, &param_ops, &dmacpy_max_events, 0444);
MODULE_PARM_DESC(max_events,
		 "Unread events of a stream (1 to 65536)");

struct dmacpy_param dmacpy_max_ops = { 1024, 1, 1024 };
module_param_cb(max_ops, &param_ops, &dmacpy_max_ops, 0444);
MODULE_PARM_DESC(max_ops, "Operations of a job (1 to 1024)");

struct dmacpy_param dmacpy_max_rows = { 16384, 1, 1048576 };
module_param_cb(max_rows, &param_ops, &dmacpy_max_rows, 0444);
MODULE_PARM_DESC(max_rows, "Rows of a job (1 to 1048576)");

struct dmacpy_param dmacpy_max_bytes = { 16 << 20, 4096, 1 << 30 };
module_param_cb(max_bytes, &param_ops, &dmacpy_max_bytes, 0444);
MODULE_PARM_DESC(max_bytes, "Bytes of a job (4096 to 1073741824)");
