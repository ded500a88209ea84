/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_PARAM_H
#define DMACPY_PARAM_H

/**
 * struct dmacpy_param - a parameter of the module, kept within bounds
 * @value: the current value; constant if it cannot be written at run time
 * @min: the minimum
 * @max: the maximum
 */
struct dmacpy_param {
	unsigned int value;
	unsigned int min;
	unsigned int max;
};

/* Times in ms; may be written at run time */
extern struct dmacpy_param dmacpy_timeout;
extern struct dmacpy_param dmacpy_dependency_timeout;

/* Time in us; may be written at run time */
extern struct dmacpy_param dmacpy_spin;

/* Limits of an instance */
extern struct dmacpy_param dmacpy_max_channels;
extern struct dmacpy_param dmacpy_spread;

/* Limits of a user. The quota, in KiB, may be written at run time. */
extern struct dmacpy_param dmacpy_sram_quota;
extern struct dmacpy_param dmacpy_max_user_streams;
extern struct dmacpy_param dmacpy_max_user_handles;
extern struct dmacpy_param dmacpy_max_user_jobs;
extern struct dmacpy_param dmacpy_max_user_bytes;

/* Limits of a stream */
extern struct dmacpy_param dmacpy_max_jobs;
extern struct dmacpy_param dmacpy_max_events;

/* Limits of a job, behind which other jobs wait */
extern struct dmacpy_param dmacpy_max_ops;
extern struct dmacpy_param dmacpy_max_rows;
extern struct dmacpy_param dmacpy_max_bytes;

#endif /* DMACPY_PARAM_H */
