/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Declarations that the files of libdmacpy share, hidden from programs.
 */
#ifndef _DMACPY_INTERNAL_H
#define _DMACPY_INTERNAL_H

#include <stdbool.h>
#include <sys/types.h>

#include <dmacpy.h>

/* All other symbols are hidden (-fvisibility=hidden). */
#define DMACPY_API __attribute__((visibility("default")))

/*
 * Imported dma-bufs, beside the kinds of enum dmacpy_memory. Programs cannot
 * name this kind, so its lengths in struct dmacpy_stream stay 0.
 */
#define DMACPY_MEMORY_IMPORTED (DMACPY_MEMORY_SRAM + 1)
#define DMACPY_MEMORIES (DMACPY_MEMORY_IMPORTED + 1)

/**
 * struct dmacpy_device - one /dev/dmacpyN
 * @fd: open file, for DMACPY_GET_INFO only
 * @path: path to open streams with
 */
struct dmacpy_device {
	int fd;
	char path[];
};

/**
 * struct dmacpy_stream - one open file, on one channel
 * @fd: the open file
 * @limits: limits of jobs, and alignments; its free counts are out of date
 * @bounce: two registered lines of limits.user_align, or NULL before the first
 *	copy that needs them
 * @cpu_below: the CPU makes copies of fewer bytes; indexed by the kinds of the
 *	destination and of the source
 * @busy: jobs that the library has not waited for may be in flight
 */
struct dmacpy_stream {
	int fd;
	struct dmacpy_get_info limits;
	struct dmacpy_buffer *bounce;
	uint64_t cpu_below[DMACPY_MEMORIES][DMACPY_MEMORIES];
	int busy;
};

/**
 * struct dmacpy_buffer - a buffer of copies
 * @stream: the stream in which @handle is valid
 * @handle: the kernel's handle
 * @access: DMACPY_ACCESS_* of the engine
 * @size: in bytes
 * @fd: the dma-buf, -1 for registered memory
 * @kind: enum dmacpy_memory, or DMACPY_MEMORY_IMPORTED
 * @no_cpu: the CPU must not copy: imported, no mapping, or only the program
 *	syncs
 * @explicit_sync: registered with DMACPY_REGISTER_EXPLICIT_SYNC
 * @pid: the process that registered the memory, or made the mapping
 * @memory: registered memory, or a mapping of the dma-buf, or NULL
 */
struct dmacpy_buffer {
	struct dmacpy_stream *stream;
	uint32_t handle;
	uint32_t access;
	uint64_t size;
	int fd;
	unsigned int kind;
	int no_cpu;
	int explicit_sync;
	pid_t pid;
	void *memory;
};

/**
 * struct dmacpy_job - operations to submit
 * @stream: the stream that runs them
 * @ops: the operations, an array with room for @capacity
 * @count: number of operations
 * @capacity: allocated length of @ops
 * @bytes: total of the bytes that they write
 * @rows: total of their rows; a COPY or FILL has one
 * @refused_op: number of the operation that was refused last, or 0
 */
struct dmacpy_job {
	struct dmacpy_stream *stream;
	struct dmacpy_op *ops;
	uint32_t count;
	uint32_t capacity;
	uint64_t bytes;
	uint32_t rows;
	uint32_t refused_op;
};

/**
 * dmacpy_buffer_is_user() - check if a buffer is registered memory
 * @buffer: a buffer
 *
 * Return: true for registered memory, false for a dma-buf.
 */
static inline int dmacpy_buffer_is_user(const struct dmacpy_buffer *buffer)
{
	return buffer->fd < 0;
}

/**
 * dmacpy_stream_note_submit() - note whether jobs may be in flight
 * @stream: the stream of a job that was submitted
 * @flags: DMACPY_SUBMIT_*, of the job
 * @ret: 0 if the kernel returned success
 *
 * Jobs complete in order: after a wait for the last one, none is in flight. A
 * job that failed may still be in flight, until a later one succeeds.
 */
static inline void dmacpy_stream_note_submit(struct dmacpy_stream *stream,
					     uint32_t flags, int ret)
{
	stream->busy = ret || !(flags & DMACPY_SUBMIT_WAIT);
}

/**
 * dmacpy_cpu_copy() - copy by the CPU if the engine would start at once
 * @dst: buffer to copy to
 * @dst_offset: offset in @dst
 * @src: buffer to copy from, of the same stream
 * @src_offset: offset in @src
 * @length: in bytes; dmacpy_buffer_check_copy() has accepted the copy
 *
 * Return: true if the copy is complete. Otherwise the caller has to copy by the
 * engine, which may refuse the copy.
 */
bool dmacpy_cpu_copy(struct dmacpy_buffer *dst, uint64_t dst_offset,
		     struct dmacpy_buffer *src, uint64_t src_offset,
		     uint64_t length);

/**
 * dmacpy_engine_copy() - copy by the engine
 * @dst: as for dmacpy_cpu_copy()
 * @dst_offset: as for dmacpy_cpu_copy()
 * @src: as for dmacpy_cpu_copy()
 * @src_offset: as for dmacpy_cpu_copy()
 * @length: as for dmacpy_cpu_copy()
 *
 * Return: as dmacpy_stream_copy().
 */
int dmacpy_engine_copy(struct dmacpy_buffer *dst, uint64_t dst_offset,
		       struct dmacpy_buffer *src, uint64_t src_offset,
		       uint64_t length);

/**
 * dmacpy_buffer_overlaps() - check if two ranges of the same memory overlap
 * @dst: the destination
 * @dst_offset: offset in @dst
 * @src: the source; both may be the same dma-buf, imported twice
 * @src_offset: offset in @src
 * @length: in bytes; both ranges are within the buffers
 *
 * Return: not 0 if they do.
 */
int dmacpy_buffer_overlaps(const struct dmacpy_buffer *dst, uint64_t dst_offset,
			   const struct dmacpy_buffer *src, uint64_t src_offset,
			   uint64_t length);

/**
 * dmacpy_buffer_check_copy() - check if the kernel would accept an operation
 * @dst: buffer to copy to
 * @dst_offset: offset in @dst
 * @src: buffer to copy from
 * @src_offset: offset in @src
 * @length: in bytes
 *
 * For copies that are split before the kernel checks them. Ignores alignment.
 *
 * Return: 0, -EINVAL if a range is not within its buffer or if they overlap,
 * -EACCES if a buffer lacks the access.
 */
int dmacpy_buffer_check_copy(const struct dmacpy_buffer *dst,
			     uint64_t dst_offset,
			     const struct dmacpy_buffer *src,
			     uint64_t src_offset, uint64_t length);

/**
 * dmacpy_fence_status() - get the state of a fence
 * @fence: file descriptor of a sync_file
 *
 * Return: 1 if it has signalled, 0 if not yet, its error, or the error of the
 * query.
 */
int dmacpy_fence_status(int fence);

/**
 * dmacpy_fence_merge() - create a fence that signals after two others
 * @first: file descriptor of a sync_file; stays the caller's
 * @second: another one; stays the caller's
 * @merged: on return the new fence. The caller owns it and closes it with
 *	close(2). It lacks the error of a fence that has signalled before.
 *
 * Return: 0 or a negative errno.
 */
int dmacpy_fence_merge(int first, int second, int *merged);

/**
 * dmacpy_ioctl() - call a command of the driver
 * @fd: file descriptor of a stream or device
 * @command: DMACPY_*
 * @arg: struct of the command
 *
 * Restarts nothing: after -EINTR or -EAGAIN the command had no effect.
 *
 * Return: 0 or a negative errno.
 */
int dmacpy_ioctl(int fd, unsigned long command, void *arg);

/**
 * dmacpy_ioctl_sync() - begin or end CPU access to a dma-buf
 * @fd: the dma-buf
 * @flags: DMA_BUF_SYNC_*
 *
 * Restarts on EINTR and EAGAIN, as <linux/dma-buf.h> requires: a missing end of
 * an access leaves the caches stale.
 *
 * Return: 0 or a negative errno.
 */
int dmacpy_ioctl_sync(int fd, uint64_t flags);

/**
 * dmacpy_stream_free_bounce() - free the bounce buffer of dmacpy_stream_copy()
 * @stream: the stream; the next copy that needs it makes another one
 */
void dmacpy_stream_free_bounce(struct dmacpy_stream *stream);

#endif /* _DMACPY_INTERNAL_H */
