// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmacpy doctor: uses a device as a program does, and reports failures.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor.h"

#define GROUP "dmacpy"

static const char no_group[] =
	"groupadd --system " GROUP "; install 70-dmacpy.rules for udev, and\n"
	"udevadm trigger --subsystem-match=misc";
static const char no_rule[] =
	"Install 70-dmacpy.rules for udev, and\n"
	"udevadm trigger --subsystem-match=misc";
static const char no_member[] =
	"usermod -aG " GROUP " USER, and log in again";
static const char no_free_sram[] =
	"End programs that hold it, which root sees in\n"
	"/sys/kernel/debug/dmacpy/*/sram.";
static const char little_memory[] =
	"ulimit -l; \"memlock\" in /etc/security/limits.conf; LimitMEMLOCK=\n"
	"of a service";
static const char recovering[] =
	"If it stays so, reload the module, or the engine's driver.";
static const char no_progress[] =
	"Does its interrupt arrive? See /proc/interrupts. For a slow engine\n"
	"raise /sys/module/dmacpy/parameters/timeout_ms.";

static void explain_access(const char *path)
{
	struct group *group = getgrnam(GROUP);
	struct stat status = { };

	stat(path, &status);
	if (!group)
		doctor_problem(no_group, "%s: Permission denied: %s", path,
			       "there is no group " GROUP);
	else if (status.st_gid != group->gr_gid)
		doctor_problem(no_rule, "%s: Permission denied: %s", path,
			       "it does not belong to the group " GROUP);
	else
		doctor_problem(no_member, "%s: Permission denied: %s", path,
			       "you are not in the group " GROUP);
}

static void explain_open(const char *path, int err)
{
	if (err == -EACCES)
		explain_access(path);
	else if (err == -EDQUOT)
		doctor_problem("End programs, or raise max_user_streams.",
			       "%s: you have too many streams open", path);
	else if (err == -ENOTTY)
		doctor_problem("Remove it, and run udevadm trigger.",
			       "%s is another device, or of another version",
			       path);
	else
		doctor_problem(NULL, "%s: %s", path, strerror(-err));
}

static void try_sram(const char *path, struct dmacpy_device *device,
		     struct dmacpy_stream *stream)
{
	struct dmacpy_buffer *sram = NULL;
	struct dmacpy_get_info info = { };
	int ret;

	dmacpy_device_info(device, &info, sizeof(info));
	ret = dmacpy_buffer_alloc(stream, 1, &sram);
	dmacpy_buffer_free(sram);
	if (!ret)
		doctor_ok("%s: %" PRIu64 " of %" PRIu64 " KiB of SRAM are free",
			  path, (uint64_t)info.sram_free / 1024,
			  (uint64_t)info.sram_total / 1024);
	else if (ret == -ENOSPC)
		doctor_problem(no_free_sram, "%s: no SRAM is free", path);
	else if (ret == -EDQUOT)
		doctor_problem("Raise the parameter sram_quota_kib.",
			       "%s: your quota of SRAM is used up", path);
	else
		doctor_problem(NULL, "%s: cannot allocate SRAM: %s", path,
			       strerror(-ret));
}

static void explain_register(const char *path, int err)
{
	struct rlimit limit = { };

	getrlimit(RLIMIT_MEMLOCK, &limit);
	if (err == -EDQUOT)
		doctor_problem(little_memory, "%s: only %" PRIu64
			       " KiB may be locked for the engine", path,
			       (uint64_t)limit.rlim_cur / 1024);
	else if (err == -EOPNOTSUPP)
		doctor_note("Copy between dma-bufs.",
			    "%s: this CPU's memory cannot be registered", path);
	else
		doctor_problem(NULL, "%s: cannot register memory: %s", path,
			       strerror(-err));
}

static void explain_copy(const char *path, int err)
{
	if (err == -EAGAIN)
		doctor_problem(recovering, "%s: a channel is being recovered",
			       path);
	else if (err == -ETIMEDOUT)
		doctor_problem(no_progress, "%s: the engine makes no progress",
			       path);
	else
		doctor_problem("Run \"dmacpy test\" for the details.",
			       "%s: a copy fails: %s", path, strerror(-err));
}

/* Copies as much memory as the tool's own commands use. */
static void try_copy(const char *path, struct dmacpy_stream *stream)
{
	size_t length = 2 * CHUNK_SIZE;
	struct dmacpy_buffer *buffer;
	void *data;
	int ret;

	data = mmap(NULL, length, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED) {
		doctor_problem(NULL, "no memory: %s", strerror(errno));
		return;
	}

	ret = dmacpy_buffer_register(stream, data, length,
				     DMACPY_ACCESS_READ | DMACPY_ACCESS_WRITE,
				     &buffer);
	if (ret) {
		explain_register(path, ret);
	} else {
		ret = dmacpy_stream_copy(stream, buffer, 0, buffer, CHUNK_SIZE,
					 CHUNK_SIZE);
		if (ret)
			explain_copy(path, ret);
		else
			doctor_ok("%s: the engine copies", path);
		dmacpy_buffer_free(buffer);
	}
	munmap(data, length);
}

/* Reports what explains wrong data, and refused addresses. */
static void report_engines(const char *path, struct dmacpy_device *device)
{
	static const char * const texts[] = {
		[COHERENT_NO] = "not coherent: caches are synced for each copy",
		[COHERENT_YES] = "coherent with the caches",
		[COHERENT_UNKNOWN] = "perhaps not coherent with the caches",
	};
	struct engine engines[MAX_ENGINES];
	struct dmacpy_get_info info;
	int count, i;

	if (dmacpy_device_info(device, &info, sizeof(info)))
		return;

	count = find_engines(path, engines, MAX_ENGINES);
	for (i = 0; i < count; i++)
		doctor_ok("%s: engine %s, driver %s, %s, %s%s", path,
			  engines[i].name,
			  *engines[i].driver ? engines[i].driver : "unknown",
			  texts[find_coherence(&info)],
			  *engines[i].iommu ? "IOMMU domain " : "no IOMMU",
			  engines[i].iommu);
}

void doctor_try_device(const char *path)
{
	struct dmacpy_device *device = NULL;
	struct dmacpy_stream *stream;
	int ret;

	ret = dmacpy_device_open(path, &device);
	if (!ret)
		ret = dmacpy_stream_open(device, &stream);
	if (ret) {
		explain_open(path, ret);
	} else {
		report_engines(path, device);
		try_sram(path, device, stream);
		try_copy(path, stream);
		dmacpy_stream_close(stream);
	}
	dmacpy_device_close(device);
}
