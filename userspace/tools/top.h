/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dmacpy top: what its files share.
 */
#ifndef _DMACPY_TOP_H
#define _DMACPY_TOP_H

#include <sys/types.h>

#include "tool.h"

/**
 * struct top_device - a device, as sysfs has it
 * @name: as "dmacpy0"
 * @channels: number of channels
 * @channels_down: number of channels that are being recovered
 * @jobs: that have ended
 * @bytes: of these
 * @errors: jobs that the engine has failed
 * @timeouts: how often the engine has stopped
 * @recoveries: how often a channel has recovered
 * @jobs_per_s: since the sample before
 * @bytes_per_s: since the sample before
 */
struct top_device {
	char name[32];
	uint64_t channels;
	uint64_t channels_down;
	uint64_t jobs;
	uint64_t bytes;
	uint64_t errors;
	uint64_t timeouts;
	uint64_t recoveries;
	double jobs_per_s;
	double bytes_per_s;
};

/**
 * struct top_stream - a stream of a process, as fdinfo has it
 * @pid: the process
 * @fd: its file descriptor
 * @command: name of the process
 * @device: as "dmacpy0"
 * @channel: the engine's name for it
 * @jobs: that have not ended
 * @ended: jobs that have
 * @bytes: of these
 * @failed: of these, jobs with an error
 * @pinned: KiB of registered memory
 * @sram: KiB of SRAM behind its handles
 * @jobs_per_s: since the sample before
 * @bytes_per_s: since the sample before
 */
struct top_stream {
	pid_t pid;
	int fd;
	char command[32];
	char device[32];
	char channel[32];
	uint64_t jobs;
	uint64_t ended;
	uint64_t bytes;
	uint64_t failed;
	uint64_t pinned;
	uint64_t sram;
	double jobs_per_s;
	double bytes_per_s;
};

/**
 * struct top_sample - all there is at a time
 * @time: in seconds
 * @devices: the devices
 * @device_count: number of @devices
 * @streams: the streams, those that move most first
 * @stream_count: number of @streams
 * @hidden: number of processes that this one may not look at
 */
struct top_sample {
	double time;
	struct top_device *devices;
	size_t device_count;
	struct top_stream *streams;
	size_t stream_count;
	unsigned int hidden;
};

/*
 * All that there is, or what there is of one device, by its path. Returns 0, or
 * -1 after a message. A zeroed sample can be freed.
 */
int top_take(struct top_sample *sample, const char *path);
void top_free(struct top_sample *sample);

/* What has changed per second, and the order */
void top_compare(struct top_sample *sample, const struct top_sample *before);

#endif /* _DMACPY_TOP_H */
