/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dmacpy top: common declarations of its files.
 */
#ifndef _DMACPY_TOP_H
#define _DMACPY_TOP_H

#include <sys/types.h>

#include "tool.h"

/**
 * struct top_device - a device, from sysfs
 * @name: for example "dmacpy0"
 * @channels: number of channels
 * @channels_down: number of channels that are being recovered
 * @jobs: completed jobs
 * @bytes: bytes of these jobs
 * @errors: jobs that failed with an error of the engine
 * @timeouts: number of times that the engine stopped
 * @recoveries: number of times that a channel was recovered
 * @jobs_per_s: rate since the previous sample
 * @bytes_per_s: rate since the previous sample
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
 * struct top_stream - a stream of a process, from fdinfo
 * @pid: the process
 * @fd: its file descriptor
 * @command: name of the process
 * @device: for example "dmacpy0"
 * @channel: the engine's name of the channel
 * @jobs: jobs in flight
 * @ended: completed jobs
 * @bytes: bytes of these
 * @failed: number of these with an error
 * @pinned: KiB of registered memory
 * @sram: KiB of SRAM that its handles refer to
 * @jobs_per_s: rate since the previous sample
 * @bytes_per_s: rate since the previous sample
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
 * struct top_sample - all devices and streams at one time
 * @time: time in seconds
 * @devices: the devices
 * @device_count: number of @devices
 * @streams: the streams, sorted by rate, highest first
 * @stream_count: number of @streams
 * @hidden: number of processes that the caller may not inspect
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
 * Samples all devices, or the one at @path. Returns 0, or -1 after a message. A
 * zeroed sample can be freed.
 */
int top_take(struct top_sample *sample, const char *path);
void top_free(struct top_sample *sample);

/* Computes the rates, and sorts the streams. */
void top_compare(struct top_sample *sample, const struct top_sample *before);

#endif /* _DMACPY_TOP_H */
