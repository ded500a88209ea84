/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Common declarations of the commands of the dmacpy tool.
 */
#ifndef _DMACPY_TOOL_H
#define _DMACPY_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <dmacpy.h>

#define EXIT_USAGE 2

/* Size of the buffers for files: they count against ulimit -l. */
#define CHUNK_SIZE (1U << 20)

/**
 * struct session - an open device, with a stream if the command needs one
 * @device: the device
 * @stream: the stream
 * @info: properties at the time when the session was opened
 */
struct session {
	struct dmacpy_device *device;
	struct dmacpy_stream *stream;
	struct dmacpy_get_info info;
};

/**
 * struct chunk - memory of the program that the engine can access
 * @data: address, page aligned, of CHUNK_SIZE bytes
 * @buffer: the same memory as a buffer of the library
 */
struct chunk {
	void *data;
	struct dmacpy_buffer *buffer;
};

/**
 * struct output - a file that appears at once, when it is complete
 * @path: final path
 * @temporary: path until then, or NULL if @path is a device, a pipe or standard
 *	output
 * @fd: open file descriptor, or -1
 */
struct output {
	char *path;
	char *temporary;
	int fd;
};

/* A name for standard output, like "-" */
#define STANDARD_OUTPUT "/dev/stdout"

/* Drivers of dma-bufs: the heap that is used, and that of programs' memory */
#define HEAP "/dev/dma_heap/system"
#define UDMABUF "/dev/udmabuf"

/* A device has few engines: one, or one for each of its channels. */
#define MAX_ENGINES 64

/**
 * struct engine - a DMA engine
 * @name: name of its device
 * @driver: driver that is bound to it, or empty
 * @iommu: the type of its IOMMU's domain, or empty if it has no IOMMU
 */
struct engine {
	char name[64];
	char driver[64];
	char iommu[64];
};

/* Whether the engines of a device are coherent with the CPU's caches */
enum coherence { COHERENT_NO, COHERENT_YES, COHERENT_UNKNOWN };

/* Each takes the device's name or NULL, and returns an exit status. */
int cmd_bench(const char *device, int argc, char **argv);
int cmd_copy(const char *device, int argc, char **argv);
int cmd_doctor(const char *device, int argc, char **argv);
int cmd_fill(const char *device, int argc, char **argv);
int cmd_info(const char *device, int argc, char **argv);
int cmd_list(const char *device, int argc, char **argv);
int cmd_test(const char *device, int argc, char **argv);
int cmd_top(const char *device, int argc, char **argv);
int cmd_tune(const char *device, int argc, char **argv);

/*
 * Print a message in place of the progress. Functions with @err, a negative
 * errno, add its text and a hint. Which limit EDQUOT is about depends on the
 * call: stream_error() is for opening a device or a stream, register_error()
 * for locking memory, device_error() for all else but SRAM.
 */
void print_error(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
int usage_error(const char *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void file_error(const char *path, int err);
void device_error(const char *what, int err);
void stream_error(const char *what, int err);
void register_error(const char *what, int err);
void refusal_error(const char *what, const struct dmacpy_job *job, int err);
void sram_error(const struct session *session, uint64_t length, int err);

/*
 * Return 0, or -1 after a message. @name is a path; or the part after "/dev/"
 * or "/dev/dmacpy"; or NULL for the first device. session_open_device() opens
 * no stream.
 */
int open_device(const char *name, struct dmacpy_device **device);
int session_open_device(struct session *session, const char *name);
int session_open(struct session *session, const char *name);
int session_alloc(struct session *session, struct dmacpy_buffer **sram);
void session_close(struct session *session);

/* Returns 0, or -1 after a message. A zeroed chunk can be freed. */
int chunk_new(struct chunk *chunk, struct session *session, uint32_t access);
void chunk_free(struct chunk *chunk);

/* Return 0, or -1 after a message. A discard after a commit has no effect. */
int output_open(struct output *output, const char *path);
int output_write(struct output *output, const void *data, size_t length);
int output_commit(struct output *output);
void output_discard(struct output *output);

/* Prints the state of an output after the user has interrupted the tool. */
void output_interrupted(const struct output *output);

/* Prints the properties of a device as a JSON object, without a newline. */
void print_info_json(const char *path, const struct dmacpy_get_info *info);

/*
 * Reads the DMA engines of a device from sysfs, sorted by name. Returns the
 * number of @engines, which is at most @max.
 */
int find_engines(const char *path, struct engine *engines, int max);

/* Concludes from the alignments; engines with a large one do not show it. */
enum coherence find_coherence(const struct dmacpy_get_info *info);

/* Prints a JSON string, in quotes. */
void print_json_text(const char *value);

/* Return a dma-buf's file descriptor or -errno. */
int heap_alloc(size_t length);
int udmabuf_alloc(size_t length);

/* Returns 0, or -1 without a message. */
int parse_number(const char *text, uint64_t max, uint64_t *value);
int parse_size(const char *text, uint64_t *value);

const char *format_size(char text[32], uint64_t bytes);

/* @total is 0 if it is unknown. Prints nothing unless stderr is a terminal. */
void progress_show(uint64_t done, uint64_t total);
void progress_end(void);

/* After the first call, signals that would end the program only set this. */
void catch_signals(void);
bool interrupted(void);

double seconds_now(void);

#endif /* _DMACPY_TOOL_H */
