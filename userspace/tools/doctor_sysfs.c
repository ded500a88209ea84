// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmacpy doctor: checks sysfs, the device tree and debugfs.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"

#define COMPATIBLE "linux,sram-dmacpy"
#define DEVICES "/sys/bus/platform/devices"
#define DEVICE_TREE "/sys/firmware/devicetree/base"
#define DEBUGFS "/sys/kernel/debug"
#define CLASS "/sys/class/misc"
#define DEFERRED DEBUGFS "/devices_deferred"
#define DRIVER "/sys/bus/platform/drivers/dmacpy"

static const char no_engine[] =
	"Enable and load the driver of the board's engine, as\n"
	"CONFIG_XILINX_ZYNQMP_DMA or CONFIG_PL330_DMA.";
static const char no_node[] =
	"Add one, compatible with \"" COMPATIBLE "\",\n"
	"or load the module with sram=SIZE@ADDRESS; or, to have a device\n"
	"without hardware, load dmacpy-sim.";
static const char waits[] =
	"Load the driver of its engine or of its SRAM; end other users of the\n"
	"engine's channels.";
static const char unbound[] =
	"See \"dmesg | grep dmacpy\"; then write the name to\n" DRIVER "/bind.";
static const char refused[] =
	"Mend what the message names, unless that was done since; then write\n"
	"the name to " DRIVER "/bind.\n"
	"For a node of the device tree, see linux,sram-dmacpy.yaml.";
static const char unbound_for_some_reason[] =
	"See, as root, \"dmesg | grep dmacpy\" and\n" DEFERRED ".";
static const char no_file[] =
	"Mount devtmpfs on /dev, or run udev. A container needs access to it.";
static const char no_bus[] =
	"Put it below the root, or below a \"simple-bus\".";
static const char recovering[] =
	"See \"dmesg | grep dmacpy\" for the reason. If it stays\n"
	"so, reload the module, or the engine's driver.";
static const char fails[] =
	"See \"dmesg | grep dmacpy\" for the channel. Does the engine reach all\n"
	"memory, through IOMMU and firewall? \"dmacpy test\" tries.";
static const char which_channel[] =
	"Run this as root, with debugfs mounted, for the channel.";
static const char stopped[] =
	"Does its interrupt arrive? See /proc/interrupts. For a slow engine\n"
	"raise /sys/module/dmacpy/parameters/timeout_ms.";

/* Number of stops of a channel from which they are reported. */
#define STOPS 3

static unsigned int nodes, enabled_nodes;

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

void doctor_check_engines(void)
{
	struct dirent **entries;
	unsigned int free_count = 0;
	char path[512], text[16];
	int count, i;

	count = scandir("/sys/class/dma", &entries, is_visible, versionsort);
	if (count <= 0) {
		doctor_problem(no_engine, "no DMA engine has a driver");
		return;
	}

	for (i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "/sys/class/dma/%s/in_use",
			 entries[i]->d_name);
		if (doctor_read(path, text, sizeof(text)) && *text == '0')
			free_count++;
		free(entries[i]);
	}
	free(entries);
	doctor_ok("%d channels of DMA engines, of which %u are free", count,
		  free_count);
}

/* The property is a list of strings, each terminated by a zero byte. */
static bool has_string(const char *path, const char *wanted)
{
	char text[512] = "";
	const char *at;

	if (!doctor_read(path, text, sizeof(text)))
		return false;
	for (at = text; at < text + sizeof(text) && *at; at += strlen(at) + 1)
		if (!strcmp(at, wanted))
			return true;

	return false;
}

static int visit_property(const char *path, const struct stat *status,
			  int type, struct FTW *place)
{
	char sibling[4096];

	(void)status;
	if (type != FTW_F || strcmp(path + place->base, "compatible") ||
	    !has_string(path, COMPATIBLE))
		return 0;

	nodes++;
	snprintf(sibling, sizeof(sibling), "%.*sstatus", place->base, path);
	if (access(sibling, F_OK) || has_string(sibling, "okay") ||
	    has_string(sibling, "ok"))
		enabled_nodes++;
	else
		doctor_problem("Give it status = \"okay\".",
			       "the node %.*s is not enabled",
			       place->base - 1, path);

	return 0;
}

void doctor_check_nodes(void)
{
	char sram[256];

	nftw(DEVICE_TREE, visit_property, 16, FTW_PHYS);
	if (nodes) {
		doctor_ok("the device tree has %u node%s of the driver", nodes,
			  nodes == 1 ? "" : "s");
		return;
	}
	/* An unset parameter reads as "(null)". */
	if (doctor_read("/sys/module/dmacpy/parameters/sram", sram,
			sizeof(sram)) &&
	    strchr(sram, '@')) {
		doctor_ok("the parameter sram is %.*s",
			  (int)strcspn(sram, "\n"), sram);
		return;
	}

	/* The driver numbers its devices: this is the first. */
	if (!access(DEVICES "/dmacpy.0", F_OK)) {
		doctor_ok("another driver makes the device dmacpy.0");
		return;
	}

	doctor_problem(no_node, "the device tree has no node of the driver");
}

static bool is_ours(const char *name)
{
	char path[512], text[64];

	snprintf(path, sizeof(path), DEVICES "/%s/driver_override", name);
	if (doctor_read(path, text, sizeof(text)) && !strcmp(text, "dmacpy\n"))
		return true;
	snprintf(path, sizeof(path), DEVICES "/%s/of_node/compatible", name);
	return !strncmp(name, "dmacpy.", strlen("dmacpy.")) ||
	       has_string(path, COMPATIBLE);
}

/* Returns 1 with the reason, 0 if probing is not deferred, or -1 if unknown. */
static int read_deferred(const char *name, char *reason, size_t size)
{
	char line[256];
	FILE *file;
	int found = 0;

	file = fopen(DEFERRED, "re");
	if (!file)
		return -1;
	while (!found && fgets(line, sizeof(line), file)) {
		if (strcspn(line, "\t\n") != strlen(name) ||
		    strncmp(line, name, strlen(name)))
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(reason, size, "%s", line + strlen(name));
		found = 1;
	}
	fclose(file);

	return found;
}

/**
 * struct refusal - what the kernel has logged about binding a device
 * @device: its name
 * @last: the last message of the driver
 * @reason: that message when the driver has refused the device, or empty
 */
struct refusal {
	const char *device;
	char last[256];
	char reason[256];
};

/*
 * A record is "PRIORITY,NUMBER,TIME,FLAGS;TEXT\n". The driver gives the reason,
 * then the kernel reports, in words that depend on its version, that the probe
 * has failed. Each text begins with the driver's name, which may also be that
 * of the device.
 */
static void read_record(struct refusal *refusal, char *record)
{
	size_t length = strlen(refusal->device);
	char *text = strchr(record, ';'), *at;

	if (!text || strncmp(text, ";dmacpy", strlen(";dmacpy")))
		return;
	text += strlen(";dmacpy");
	text[strcspn(text, "\n")] = '\0';
	at = strstr(text, refusal->device);
	/* The name may be a part of that of another device. */
	if (!at || at == text || at[-1] != ' ' || !strchr(": ", at[length]))
		return;

	if (strstr(text, "probe with driver") || strstr(text, ": probe of ")) {
		if (*refusal->last)
			memcpy(refusal->reason, refusal->last,
			       sizeof(refusal->reason));
		*refusal->last = '\0';
	} else if (!strncmp(at + length, ": ", 2)) {
		snprintf(refusal->last, sizeof(refusal->last), "%s",
			 at + length + 2);
	}
}

/* The file gives one record per read, and an error if some were overwritten. */
static void read_refusal(struct refusal *refusal)
{
	char record[8192];
	ssize_t length;
	int fd;

	fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return;
	while ((length = read(fd, record, sizeof(record) - 1)) > 0 ||
	       (length < 0 && errno == EPIPE)) {
		record[length < 0 ? 0 : length] = '\0';
		read_record(refusal, record);
	}
	close(fd);
}

/* Returns true if the reason is known. */
static bool explain_refusal(const char *name)
{
	struct refusal refusal = { .device = name };

	read_refusal(&refusal);
	if (!*refusal.reason)
		return false;

	doctor_problem(refused, "%s is not bound to the driver: %s", name,
		       refusal.reason);
	return true;
}

static void explain_unbound(const char *name)
{
	char reason[256];

	switch (read_deferred(name, reason, sizeof(reason))) {
	case 1:
		doctor_problem(waits, "%s waits for another device%s%s", name,
			       *reason ? ": " : "",
			       reason + strspn(reason, "\t"));
		break;
	case 0:
		if (!explain_refusal(name))
			doctor_problem(unbound, "%s is not bound to the driver",
				       name);
		break;
	default:
		if (explain_refusal(name))
			break;
		doctor_problem(unbound_for_some_reason,
			       "%s is not bound to the driver", name);
		doctor_unseen("Run this as root.", DEFERRED ": %s",
			      strerror(errno));
	}
}

static void explain_stops(const char *name, const char *channel,
			  unsigned int stops)
{
	static const char text[] = "%s: %s has stopped, %u x";

	if (stops >= STOPS)
		doctor_problem(stopped, text, name, channel, stops);
	else if (stops)
		doctor_note(stopped, text, name, channel, stops);
}

static void explain_down(const char *name, const char *channel)
{
	doctor_problem(recovering, "%s: %s is being recovered", name, channel);
}

static unsigned int read_counter(const char *node, const char *name)
{
	char path[512], text[16];
	uint64_t value;

	snprintf(path, sizeof(path), CLASS "/%s/%s", node, name);
	if (!doctor_read(path, text, sizeof(text)))
		return 0;
	text[strcspn(text, "\n")] = '\0';

	return parse_number(text, UINT32_MAX, &value) ? 0 : value;
}

/* Explains why channels do not recover, or have stopped. */
static void explain_channels(const char *name, unsigned int down,
			     unsigned int stops)
{
	char path[512], line[128], channel[64] = "";
	unsigned int value;
	FILE *file;

	snprintf(path, sizeof(path), DEBUGFS "/dmacpy/%s/channels", name);
	file = fopen(path, "re");
	if (!file) {
		if (down)
			explain_down(name, "a channel");
		explain_stops(name, "a channel", stops);
		doctor_unseen(which_channel, "%s: %s", path, strerror(errno));
		return;
	}

	while (fgets(line, sizeof(line), file)) {
		if (*line != '\t')
			snprintf(channel, sizeof(channel), "the channel %.*s",
				 (int)strcspn(line, "\n"), line);
		if (!strcmp(line, "\tstate recovering\n"))
			explain_down(name, channel);
		if (sscanf(line, "\ttimeouts %u", &value) == 1)
			explain_stops(name, channel, value);
	}
	fclose(file);
}

static void check_failures(const char *name, const char *node)
{
	unsigned int errors = read_counter(node, "errors");
	unsigned int stops = read_counter(node, "timeouts");
	unsigned int down = read_counter(node, "channels_down");

	if (errors)
		doctor_note(fails, "%s: jobs failed by the engine: %u",
			    name, errors);
	if (stops || down)
		explain_channels(name, down, stops);
}

static int is_node(const struct dirent *entry)
{
	return !strncmp(entry->d_name, "dmacpy", strlen("dmacpy"));
}

static void check_bound(const char *name)
{
	struct dirent **entries;
	char path[512], node[64];
	int count;

	snprintf(path, sizeof(path), DEVICES "/%s/misc", name);
	count = scandir(path, &entries, is_node, versionsort);
	if (count <= 0) {
		doctor_problem("See \"dmesg | grep dmacpy\".",
			       "%s is bound, but has no device file", name);
		return;
	}

	snprintf(node, sizeof(node), "%.63s", entries[0]->d_name);
	snprintf(path, sizeof(path), "/dev/%s", node);
	while (count)
		free(entries[--count]);
	free(entries);
	if (access(path, F_OK))
		doctor_problem(no_file, "%s is bound, but there is no %s", name,
			       path);
	else
		doctor_try_device(path);
	check_failures(name, node);
}

void doctor_check_devices(void)
{
	struct dirent **entries;
	int count, ours = 0, i;
	char path[512];

	count = scandir(DEVICES, &entries, is_visible, versionsort);
	for (i = 0; i < count; i++) {
		if (is_ours(entries[i]->d_name)) {
			ours++;
			snprintf(path, sizeof(path), DEVICES "/%s/driver",
				 entries[i]->d_name);
			if (access(path, F_OK))
				explain_unbound(entries[i]->d_name);
			else
				check_bound(entries[i]->d_name);
		}
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	if (!ours && enabled_nodes)
		doctor_problem(no_bus, "the node has no device");
}
