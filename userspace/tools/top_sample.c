// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmacpy top: reads devices from sysfs, and streams from /proc/PID/fdinfo.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "top.h"

#define CLASS "/sys/class/misc"
#define DEVICE "/dev/dmacpy"

static uint64_t read_counter(const char *device, const char *name)
{
	unsigned long long value = 0;
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), CLASS "/%s/%s", device, name);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%llu", &value) != 1)
		value = 0;
	fclose(file);

	return value;
}

static void read_device(struct top_device *device, const char *path)
{
	char *name = device->name;

	snprintf(name, sizeof(device->name), "%s", basename(path));
	device->channels = read_counter(name, "channels");
	device->channels_down = read_counter(name, "channels_down");
	device->jobs = read_counter(name, "jobs");
	device->bytes = read_counter(name, "bytes");
	device->errors = read_counter(name, "errors");
	device->timeouts = read_counter(name, "timeouts");
	device->recoveries = read_counter(name, "recoveries");
}

static int take_devices(struct top_sample *sample, const char *path)
{
	char **paths = NULL;
	int count, i;

	count = dmacpy_device_list(&paths);
	if (count <= 0) {
		device_error(DEVICE "*", count ? count : -ENOENT);
		return -1;
	}

	sample->devices = calloc(count, sizeof(*sample->devices));
	for (i = 0; i < count && sample->devices; i++)
		if (!path || !strcmp(path, paths[i]))
			read_device(&sample->devices[sample->device_count++],
				    paths[i]);
	free(paths);
	if (!sample->devices)
		return -1;
	if (path && !sample->device_count) {
		device_error(path, -ENODEV);
		return -1;
	}

	return 0;
}

/* The length of a character in UTF-8 by its first byte, or 0 */
static size_t utf8_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc0)
		return 0;
	if (first < 0xe0)
		return 2;
	if (first < 0xf0)
		return 3;

	return first < 0xf8 ? 4 : 0;
}

/*
 * Returns the length of the character at the start of the text, or 0 if there
 * is none that can be printed: a control character, an overlong or cut one, a
 * surrogate, or one beyond Unicode.
 */
static size_t printable_length(const char *text)
{
	/* Of each length; below the one of two bytes are controls. */
	static const uint32_t smallest[] = { 0, ' ', 0xa0, 0x800, 0x10000 };
	size_t length = utf8_length(*text), i;
	uint32_t code = (unsigned char)*text;

	if (length > 1)
		code &= 0x7f >> length;
	for (i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	if (code < smallest[length] || code == 0x7f || code > 0x10ffff ||
	    (code >= 0xd800 && code <= 0xdfff))
		return 0;

	return length;
}

/*
 * Any user can choose the name of a process: it must not control the terminal
 * of root, or make JSON invalid.
 */
static void clean_command(char *name)
{
	size_t length;

	for (; *name; name += length) {
		length = printable_length(name);
		if (!length) {
			*name = '?';
			length = 1;
		}
	}
}

static void read_command(struct top_stream *stream)
{
	char path[64];
	size_t length;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", stream->pid);
	file = fopen(path, "re");
	if (!file)
		return;
	length = fread(stream->command, 1, sizeof(stream->command) - 1, file);
	fclose(file);
	/* A newline follows the name, and others may be part of it. */
	stream->command[length ? length - 1 : 0] = '\0';
	clean_command(stream->command);
}

static void read_line(struct top_stream *stream, const char *line)
{
	const struct {
		const char *name;
		uint64_t *value;
	} numbers[] = {
		{ "jobs", &stream->jobs },
		{ "ended", &stream->ended },
		{ "bytes", &stream->bytes },
		{ "failed", &stream->failed },
		{ "pinned", &stream->pinned },
		{ "sram", &stream->sram },
	};
	unsigned long long value;
	char name[16];
	size_t i;

	if (sscanf(line, "dmacpy-channel: %31s", stream->channel) == 1 ||
	    sscanf(line, "dmacpy-%15[a-z]: %llu", name, &value) != 2)
		return;
	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		if (!strcmp(numbers[i].name, name))
			*numbers[i].value = value;
}

static bool read_stream(struct top_stream *stream)
{
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", stream->pid,
		 stream->fd);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file))
		read_line(stream, line);
	fclose(file);
	read_command(stream);

	return *stream->channel;
}

static int add_stream(struct top_sample *sample,
		      const struct top_stream *stream)
{
	size_t count = sample->stream_count;
	struct top_stream *streams;

	/* The array is full if the count is 0 or a power of two. */
	if (!(count & (count - 1))) {
		streams = realloc(sample->streams, (2 * count + 1) *
				  sizeof(*streams));
		if (!streams) {
			print_error("out of memory");
			return -1;
		}
		sample->streams = streams;
	}
	sample->streams[sample->stream_count++] = *stream;

	return 0;
}

/* Skips other files of the process without reading their fdinfo. */
static int take_file(struct top_sample *sample, const char *process,
		     const char *fd, const char *only)
{
	struct top_stream stream = { .pid = atoi(process), .fd = atoi(fd) };
	char path[300], target[PATH_MAX];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/%.20s/fd/%.20s", process, fd);
	length = readlink(path, target, sizeof(target) - 1);
	target[length < 0 ? 0 : length] = '\0';
	if (strncmp(target, DEVICE, strlen(DEVICE)) ||
	    (only && strcmp(only, target)))
		return 0;

	snprintf(stream.device, sizeof(stream.device), "%.31s",
		 basename(target));
	return read_stream(&stream) ? add_stream(sample, &stream) : 0;
}

static int take_process(struct top_sample *sample, const char *process,
			const char *only)
{
	const struct dirent *entry;
	char path[64];
	int ret = 0;
	DIR *files;

	snprintf(path, sizeof(path), "/proc/%.20s/fd", process);
	files = opendir(path);
	if (!files) {
		sample->hidden += errno == EACCES;
		return 0;
	}
	while (!ret && (entry = readdir(files)))
		if (isdigit((unsigned char)*entry->d_name))
			ret = take_file(sample, process, entry->d_name, only);
	closedir(files);

	return ret;
}

static int take_processes(struct top_sample *sample, const char *only)
{
	const struct dirent *entry;
	int ret = 0;
	DIR *proc;

	proc = opendir("/proc");
	if (!proc) {
		file_error("/proc", -errno);
		return -1;
	}
	while (!ret && (entry = readdir(proc)))
		if (isdigit((unsigned char)*entry->d_name))
			ret = take_process(sample, entry->d_name, only);
	closedir(proc);

	return ret;
}

int top_take(struct top_sample *sample, const char *path)
{
	int ret;

	memset(sample, 0, sizeof(*sample));
	sample->time = seconds_now();
	ret = take_devices(sample, path);
	if (!ret)
		ret = take_processes(sample, path);
	if (ret)
		top_free(sample);

	return ret;
}

void top_free(struct top_sample *sample)
{
	free(sample->devices);
	free(sample->streams);
	memset(sample, 0, sizeof(*sample));
}

/* A counter of another device or file with the same name may be smaller. */
static double rate(uint64_t now, uint64_t before, double seconds)
{
	return now > before ? (now - before) / seconds : 0;
}

static void compare_device(struct top_device *device,
			   const struct top_sample *before, double seconds)
{
	const struct top_device *old = before->devices;
	size_t i;

	for (i = 0; i < before->device_count; i++, old++) {
		if (strcmp(old->name, device->name))
			continue;
		device->jobs_per_s = rate(device->jobs, old->jobs, seconds);
		device->bytes_per_s = rate(device->bytes, old->bytes, seconds);
	}
}

static void compare_stream(struct top_stream *stream,
			   const struct top_sample *before, double seconds)
{
	const struct top_stream *old = before->streams;
	uint64_t ended = 0, bytes = 0;
	size_t i;

	for (i = 0; i < before->stream_count; i++, old++) {
		if (old->pid != stream->pid || old->fd != stream->fd ||
		    strcmp(old->device, stream->device))
			continue;
		ended = old->ended;
		bytes = old->bytes;
	}
	stream->jobs_per_s = rate(stream->ended, ended, seconds);
	stream->bytes_per_s = rate(stream->bytes, bytes, seconds);
}

/* Sorts by rate, highest first; otherwise in the order of /proc. */
static int by_rate(const void *a, const void *b)
{
	const struct top_stream *x = a, *y = b;

	if (x->bytes_per_s != y->bytes_per_s)
		return x->bytes_per_s < y->bytes_per_s ? 1 : -1;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;

	return x->fd - y->fd;
}

void top_compare(struct top_sample *sample, const struct top_sample *before)
{
	double seconds = sample->time - before->time;
	size_t i;

	for (i = 0; i < sample->device_count; i++)
		compare_device(&sample->devices[i], before, seconds);
	for (i = 0; i < sample->stream_count; i++)
		compare_stream(&sample->streams[i], before, seconds);
	qsort(sample->streams, sample->stream_count, sizeof(*sample->streams),
	      by_rate);
}
