/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libdmacpy: on-chip SRAM as dma-bufs, and copies by a DMA engine.
 */
#ifndef _DMACPY_H
#define _DMACPY_H

#include <stddef.h>
#include <stdint.h>

#include <linux/dmacpy.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the project. All other places take it from here. */
#define DMACPY_VERSION_MAJOR	0
#define DMACPY_VERSION_MINOR	2
#define DMACPY_VERSION_PATCH	0

/* True if this header has at least that version. Can be used in #if, too. */
#define DMACPY_VERSION_AT_LEAST(major, minor, patch)			\
	(DMACPY_VERSION_MAJOR > (major) ||				\
	 (DMACPY_VERSION_MAJOR == (major) &&				\
	  (DMACPY_VERSION_MINOR > (minor) ||				\
	   (DMACPY_VERSION_MINOR == (minor) &&				\
	    DMACPY_VERSION_PATCH >= (patch)))))

/**
 * DOC: libdmacpy
 *
 * Six objects. A device is /dev/dmacpyN. A stream is one open file of it:
 * its jobs run on one channel of the engine, one after the other. A buffer is
 * memory that a stream's engine can reach: SRAM, a dma-buf of another driver,
 * or memory of the program. A job is a list of copies and fills. A prepared job
 * is one that the kernel has checked, to be run many times. A copier copies on
 * all channels at once, with streams and buffers of its own.
 *
 * Functions return 0, or what their description says, or a negative value of
 * errno: one that <linux/dmacpy.h> lists, or one that the description adds. A
 * call that fails changes nothing except, perhaps, its outputs, unless its
 * description says otherwise. Lengths, offsets and strides are in bytes.
 *
 * The library has no global state. Different threads can use different streams
 * at the same time. Only one thread at a time can use a stream with its buffers
 * and jobs, or a copier with its buffers, except that another thread can wait,
 * in dmacpy_stream_read_events(), dmacpy_stream_flush() or dmacpy_fence_wait(),
 * while the first one submits.
 *
 * Free the buffers and jobs of a stream before the stream. An open stream no
 * longer needs its device.
 *
 * A child process shares the streams of its parent: what it frees, the parent
 * can no longer use. It should open a stream of its own.
 */

struct dmacpy_device;
struct dmacpy_stream;
struct dmacpy_buffer;
struct dmacpy_job;
struct dmacpy_prepared;
struct dmacpy_copier;
struct dmacpy_copier_buffer;

/**
 * dmacpy_version() - the version of the library that the program runs with
 *
 * DMACPY_VERSION_MAJOR, DMACPY_VERSION_MINOR and DMACPY_VERSION_PATCH are the
 * version of the header that the program was built with;
 * DMACPY_VERSION_AT_LEAST(major, minor, patch) compares it.
 *
 * Return: a string such as "0.2.0". It is constant.
 */
const char *dmacpy_version(void);

/**
 * dmacpy_device_list() - find the devices of this machine
 * @paths: on return an array of paths, in the order of their numbers; a null
 *	pointer follows the last. The caller owns it, and frees it together with
 *	the paths by one call of free().
 *
 * Return: the number of devices, which can be 0, or a negative errno.
 */
int dmacpy_device_list(char ***paths);

/**
 * dmacpy_device_open() - open a device
 * @path: of the device, or NULL for the first one of dmacpy_device_list()
 * @device: on return the device. The caller owns it and frees it with
 *	dmacpy_device_close().
 *
 * Return: 0, -ENOENT when there is no device, -ENOTTY when @path is not a
 * dmacpy device, or the error of open(2).
 */
int dmacpy_device_open(const char *path, struct dmacpy_device **device);

/**
 * dmacpy_device_close() - close a device
 * @device: to close, or NULL. Its streams stay open.
 */
void dmacpy_device_close(struct dmacpy_device *device);

/**
 * dmacpy_device_path() - the path with which a device was opened
 * @device: an open device
 *
 * Return: the path. The device owns it.
 */
const char *dmacpy_device_path(const struct dmacpy_device *device);

/**
 * dmacpy_device_info() - get the properties and the free SRAM of a device
 * @device: an open device
 * @info: on return its properties
 * @size: sizeof(*@info). A program that was built with an older or a newer
 *	<linux/dmacpy.h> gets the members that both the program and the kernel
 *	know, and zero in the rest.
 *
 * Return: 0 or a negative errno.
 */
int dmacpy_device_info(struct dmacpy_device *device,
		       struct dmacpy_get_info *info, size_t size);

/**
 * dmacpy_stream_open() - open a stream of a device
 * @device: an open device
 * @stream: on return the stream. The caller owns it and frees it with
 *	dmacpy_stream_close().
 *
 * The driver gives the stream the channel with the fewest bytes queued or, if
 * several are idle, the one with the fewest streams. Open several streams to
 * use several channels.
 *
 * Return: 0, or the error of open(2).
 */
int dmacpy_stream_open(struct dmacpy_device *device,
		       struct dmacpy_stream **stream);

/**
 * dmacpy_stream_close() - close a stream
 * @stream: to close, or NULL. Its buffers and jobs must have been freed.
 */
void dmacpy_stream_close(struct dmacpy_stream *stream);

/**
 * dmacpy_stream_fd() - the file descriptor of a stream
 * @stream: an open stream
 *
 * For poll(2), and to set O_NONBLOCK: <linux/dmacpy.h> describes both.
 *
 * Return: the file descriptor. The stream owns it.
 */
int dmacpy_stream_fd(const struct dmacpy_stream *stream);

/**
 * dmacpy_stream_copy() - copy a range of any length
 * @stream: that the buffers belong to
 * @dst: buffer to copy to
 * @dst_offset: where in @dst
 * @src: buffer to copy from
 * @src_offset: where in @src
 * @length: bytes to copy; with 0 nothing happens
 *
 * Returns when the copy has completed. A copy that is too long for one job is
 * split into several. The CPU can make short copies, see
 * dmacpy_stream_set_cpu_below(). If the engine cannot write single bytes to the
 * program's memory without losing other bytes of the cache line (user_align of
 * struct dmacpy_get_info), the CPU copies the first and last few bytes. So the
 * range only has to be aligned to @copy_align, which is 1 for most engines.
 *
 * After a failure the bytes of the destination range are undefined.
 *
 * Return: 0, -EINVAL when a range is not within its buffer, the ranges overlap
 * (see dmacpy_stream_move()), or a buffer belongs to another stream, or when
 * the CPU would have to write to a buffer with explicit sync
 * (dmacpy_buffer_register_flags()) or to one that the parent of the process has
 * registered, or to copy from a dma-buf or a buffer with explicit sync that is
 * shorter than @user_align, -EACCES when a buffer lacks the access, or
 * the errors of dmacpy_buffer_register(), for memory that those few bytes pass
 * through, or of dmacpy_job_run().
 */
int dmacpy_stream_copy(struct dmacpy_stream *stream,
		       struct dmacpy_buffer *dst, uint64_t dst_offset,
		       struct dmacpy_buffer *src, uint64_t src_offset,
		       uint64_t length);

/**
 * enum dmacpy_memory - kinds of memory, for dmacpy_stream_set_cpu_below()
 * @DMACPY_MEMORY_USER: memory of the program, from dmacpy_buffer_register()
 * @DMACPY_MEMORY_SRAM: SRAM from dmacpy_buffer_alloc()
 *
 * The engine makes all copies from and to imported dma-bufs.
 */
enum dmacpy_memory {
	DMACPY_MEMORY_USER,
	DMACPY_MEMORY_SRAM,
};

/**
 * dmacpy_stream_set_cpu_below() - have the CPU make short copies
 * @stream: an open stream
 * @dst: kind of memory that these copies write to
 * @src: kind of memory that these copies read
 * @length: the CPU makes copies of fewer bytes; 0, the default, leaves all
 *	copies to the engine
 *
 * A short copy by the CPU is complete before the engine would have started. The
 * length from which on the engine is faster depends on the board and on both
 * kinds of memory, as the CPU reads SRAM slowly: dmacpy_stream_tune() and the
 * command "dmacpy tune" measure it.
 *
 * This applies to dmacpy_stream_copy(), to dmacpy_stream_move() of ranges that
 * do not overlap, and to each piece that a move of overlapping ranges writes to
 * registered memory. The CPU makes a copy only if the engine could start at
 * once: the device is there, no job of the stream is in flight, and no other
 * stream or driver uses the buffers. Otherwise the engine makes the copy. The
 * engine always makes the first copy after jobs that failed, or that the
 * library has not waited for. Errors, results and their order are those of the
 * engine. But a copy by the CPU is no job: statistics do not count it, and jobs
 * that other streams submit during the copy do not wait for it.
 *
 * The library maps SRAM, as dmacpy_buffer_map() does, and ends the access of
 * the CPU. The engine makes all copies of imported dma-bufs, also of imported
 * SRAM; of SRAM that cannot be mapped; of memory that was registered with
 * DMACPY_REGISTER_EXPLICIT_SYNC; and, in a child process, of buffers that its
 * parent has registered or mapped.
 *
 * The program must keep its registered memory mapped, with the access that it
 * was registered for, until the buffer is freed. If the device is removed while
 * the CPU copies from or to SRAM, the program gets a SIGBUS, as on any access
 * to a mapping of SRAM. The library does not know of jobs that the program
 * starts by io_uring, by an ioctl or in another process: the program has to
 * wait for them before it copies from or to the buffers that they use.
 *
 * Return: 0, or -EINVAL for another kind of memory.
 */
int dmacpy_stream_set_cpu_below(struct dmacpy_stream *stream,
				enum dmacpy_memory dst, enum dmacpy_memory src,
				uint64_t length);

/**
 * dmacpy_stream_tune() - measure which copies the CPU should make
 * @stream: that the buffers belong to
 * @dst: buffer to copy to; up to its first 64 KiB are overwritten
 * @src: buffer to copy from, another one than @dst
 * @timeout_ms: time after which no copy starts; 50 is enough for most boards
 * @below: on return the length that was found, 0 if the engine is always
 *	faster; or NULL
 *
 * Times copies by the engine and by the CPU in turn, and doubles the length
 * until the engine is faster, the buffers are too short, or the time is over.
 * Then sets dmacpy_stream_set_cpu_below() for the kinds of memory of the two
 * buffers.
 *
 * Return: 0, or an error, after which only @dst has changed: -EINVAL if a
 * buffer belongs to another stream, if both are the same, or if they are too
 * short, -EACCES if a buffer lacks the access, -EOPNOTSUPP if a buffer is
 * imported, or if the CPU cannot make such copies for another reason (see
 * dmacpy_stream_set_cpu_below()), -EBUSY if others use the buffers, -ETIME if
 * the time was too short for the shortest copies, or the errors of
 * dmacpy_stream_copy().
 */
int dmacpy_stream_tune(struct dmacpy_stream *stream, struct dmacpy_buffer *dst,
		       struct dmacpy_buffer *src, unsigned int timeout_ms,
		       uint64_t *below);

/**
 * dmacpy_stream_move() - copy a range within a buffer; the ranges may overlap
 * @stream: that the buffer belongs to
 * @buffer: to read and to write
 * @dst_offset: of the destination in @buffer
 * @src_offset: of the source in @buffer
 * @length: bytes to copy; with 0 nothing happens
 *
 * As memmove(3): the destination gets the earlier contents of the source.
 * Ranges that do not overlap are copied as by dmacpy_stream_copy(). Others are
 * copied in pieces, in the direction that keeps the source until it has been
 * read. A piece is as long as the distance of the ranges. If that is less than
 * 8 KiB, a piece has 16 KiB and passes through SRAM. If no SRAM can be
 * allocated, the pieces stay short, and the move takes accordingly long.
 *
 * Returns when the move has completed. Other jobs of the stream, and other
 * users of the buffer, see it as several jobs. After a failure the bytes of
 * both ranges are undefined. No signal ends a move of ranges that overlap, as
 * it could not be repeated.
 *
 * Return: 0, -EINVAL when a range is not within the buffer or it belongs to
 * another stream, -EACCES when the buffer lacks an access, or the errors of
 * dmacpy_stream_copy() and, but for -ENOSPC and -EDQUOT, dmacpy_buffer_alloc().
 */
int dmacpy_stream_move(struct dmacpy_stream *stream,
		       struct dmacpy_buffer *buffer, uint64_t dst_offset,
		       uint64_t src_offset, uint64_t length);

/**
 * dmacpy_stream_read_events() - read the records of completed jobs
 * @stream: an open stream
 * @events: on return a record for each job, in the order they were submitted
 * @count: number of records that @events has room for, at least 1
 *
 * Only jobs submitted with DMACPY_SUBMIT_EVENT make a record, which is read
 * once. Waits until there is one record, unless the stream's file descriptor is
 * O_NONBLOCK, and returns the records that are there.
 *
 * Return: the number of records, at least 1; -EAGAIN when there is none and the
 * stream is O_NONBLOCK, -EINTR after a signal, -ENODEV when the device was
 * unbound and all have been read.
 */
int dmacpy_stream_read_events(struct dmacpy_stream *stream,
			      struct dmacpy_event *events, unsigned int count);

/**
 * dmacpy_stream_flush() - wait for all jobs submitted before
 * @stream: an open stream
 *
 * Return: 0, or the error of the first job that failed since the last flush:
 * -EIO, -ETIMEDOUT, -ECANCELED or -ENODEV.
 */
int dmacpy_stream_flush(struct dmacpy_stream *stream);

/**
 * dmacpy_fence_wait() - wait for a fence, of a job or of any other driver
 * @fence: file descriptor of a sync_file
 * @timeout_ms: longest wait in milliseconds; 0 does not wait, a negative value
 *	sets no limit
 *
 * A fence that is merged from several has signalled when all of them have, and
 * fails if one of them does, unless that was before they were merged.
 *
 * Return: 0 when it has signalled, -ETIME when it has not within @timeout_ms,
 * -EINTR after a signal, -EBADF or -ENOTTY when @fence is no sync_file,
 * -ENOMEM, or the error that it signalled: for a job -EIO, -ETIMEDOUT,
 * -ECANCELED or -ENODEV. If that is -ETIME, -ETIMEDOUT.
 */
int dmacpy_fence_wait(int fence, int timeout_ms);

/**
 * dmacpy_buffer_alloc() - allocate a buffer of SRAM, cleared to zero
 * @stream: that copies from and to it
 * @length: in bytes; the device rounds it up, see dmacpy_buffer_size()
 * @buffer: on return the buffer. The caller owns it and frees it with
 *	dmacpy_buffer_free().
 *
 * Return: 0, -ENOSPC when no stretch of free SRAM is that long, or another
 * negative errno.
 */
int dmacpy_buffer_alloc(struct dmacpy_stream *stream, uint64_t length,
			struct dmacpy_buffer **buffer);

/**
 * dmacpy_buffer_import() - make a dma-buf usable in a stream
 * @stream: that copies from or to it
 * @fd: of a dma-buf of any driver. The caller keeps it and can close it.
 * @access: what the engine does with it, DMACPY_ACCESS_READ and _WRITE
 * @buffer: on return the buffer. The caller owns it and frees it with
 *	dmacpy_buffer_free().
 *
 * Return: 0, -EACCES when @fd is not open for @access, or another negative
 * errno.
 */
int dmacpy_buffer_import(struct dmacpy_stream *stream, int fd, uint32_t access,
			 struct dmacpy_buffer **buffer);

/**
 * dmacpy_buffer_register() - make memory of the program usable in a stream
 * @stream: that copies from or to it
 * @addr: a multiple of @copy_align of struct dmacpy_get_info. The caller keeps
 *	the memory; it must stay mapped until the buffer is freed.
 * @length: in bytes
 * @access: what the engine does with it, DMACPY_ACCESS_READ and _WRITE
 * @buffer: on return the buffer. The caller owns it and frees it with
 *	dmacpy_buffer_free().
 *
 * The memory is pinned; all memory that streams of the user pin counts against
 * RLIMIT_MEMLOCK. After a copy to it that was started and has failed, the
 * engine may still write to the memory: unmap it with munmap(2) rather than use
 * it again.
 *
 * Return: 0, -EDQUOT at RLIMIT_MEMLOCK, -EFAULT when it cannot be pinned, like
 * a writable mapping of a file, or another negative errno.
 */
int dmacpy_buffer_register(struct dmacpy_stream *stream, void *addr,
			   size_t length, uint32_t access,
			   struct dmacpy_buffer **buffer);

/**
 * dmacpy_buffer_register_flags() - dmacpy_buffer_register() with flags
 * @stream: as for dmacpy_buffer_register()
 * @addr: as for dmacpy_buffer_register()
 * @length: as for dmacpy_buffer_register()
 * @access: as for dmacpy_buffer_register()
 * @flags: DMACPY_REGISTER_*, or 0; @register_flags of struct dmacpy_get_info
 *	has the flags that the driver supports
 * @buffer: on return the buffer. The caller owns it and frees it with
 *	dmacpy_buffer_free().
 *
 * With DMACPY_REGISTER_EXPLICIT_SYNC copies do not sync the memory; the program
 * calls dmacpy_buffer_sync(), or brackets its access by
 * dmacpy_buffer_begin_access(). dmacpy_stream_copy() and dmacpy_stream_move()
 * then only write to ranges that are aligned to @user_align: otherwise they
 * return -EINVAL.
 *
 * Return: as dmacpy_buffer_register(), or -EOPNOTSUPP for an unknown flag.
 */
int dmacpy_buffer_register_flags(struct dmacpy_stream *stream, void *addr,
				 size_t length, uint32_t access, uint32_t flags,
				 struct dmacpy_buffer **buffer);

/**
 * dmacpy_buffer_sync() - sync a range that copies do not sync
 * @buffer: with DMACPY_REGISTER_EXPLICIT_SYNC
 * @offset: where in @buffer
 * @length: in bytes; with 0 nothing happens
 * @flags: DMACPY_SYNC_FOR_DEVICE after the CPU has written to the range, before
 *	a job that uses it is submitted; DMACPY_SYNC_FOR_CPU after a job has
 *	written to it, before the CPU uses it. The latter is for ranges aligned
 *	to @user_align of struct dmacpy_get_info.
 *
 * Does not wait for jobs. Restarts after a signal.
 *
 * Return: 0, -EINVAL when it is another kind of buffer, the range is not within
 * it or not aligned, -EACCES for DMACPY_SYNC_FOR_CPU when the engine does not
 * write to @buffer, or another negative errno.
 */
int dmacpy_buffer_sync(struct dmacpy_buffer *buffer, uint64_t offset,
		       uint64_t length, uint32_t flags);

/**
 * dmacpy_buffer_free() - free a buffer with its mapping and file descriptor
 * @buffer: to free, or NULL. SRAM is freed when it has no other user.
 */
void dmacpy_buffer_free(struct dmacpy_buffer *buffer);

/**
 * dmacpy_buffer_map() - map a buffer into the program
 * @buffer: to map, for reading, and for writing when its file descriptor
 *	allows that
 * @addr: on return its address. The buffer owns the mapping; it lasts until
 *	dmacpy_buffer_unmap() or dmacpy_buffer_free(). A second call gives the
 *	same address; for registered memory it is the one registered.
 *
 * Bracket the access to it by dmacpy_buffer_begin_access() and
 * dmacpy_buffer_end_access(). SRAM is mapped write-combined: write it in
 * order, and read each byte only once, because reads are slow.
 *
 * Return: 0, -EOVERFLOW when it is larger than the program's address space,
 * or the error of mmap(2).
 */
int dmacpy_buffer_map(struct dmacpy_buffer *buffer, void **addr);

/**
 * dmacpy_buffer_unmap() - undo dmacpy_buffer_map()
 * @buffer: mapped or not
 */
void dmacpy_buffer_unmap(struct dmacpy_buffer *buffer);

/**
 * dmacpy_buffer_begin_access() - begin an access of the CPU to a mapped buffer
 * @buffer: to access
 * @access: the CPU's access, DMACPY_ACCESS_READ and _WRITE
 *
 * Waits for the jobs, and other users of the dma-buf, that write to it, and for
 * those that read from it when @access has DMACPY_ACCESS_WRITE, but not for
 * jobs with DMACPY_SUBMIT_NO_IMPLICIT. Then it calls DMA_BUF_IOCTL_SYNC. A
 * program that calls this ioctl itself has to poll(2) the dma-buf before, or it
 * may read stale data from cached memory. Both calls are restarted after a
 * signal.
 *
 * Does nothing for registered memory, which each copy syncs itself. For memory
 * with DMACPY_REGISTER_EXPLICIT_SYNC it syncs for the CPU all that the engine
 * may have written, and the end of an access with DMACPY_ACCESS_WRITE syncs all
 * of the memory for the engine; neither waits for jobs.
 *
 * Return: 0, -EINVAL when @access is neither, or the error of poll(2),
 * DMA_BUF_IOCTL_SYNC or DMACPY_SYNC.
 */
int dmacpy_buffer_begin_access(struct dmacpy_buffer *buffer, uint32_t access);

/**
 * dmacpy_buffer_end_access() - end an access of dmacpy_buffer_begin_access()
 * @buffer: the buffer
 * @access: as for dmacpy_buffer_begin_access()
 *
 * Return: as dmacpy_buffer_begin_access().
 */
int dmacpy_buffer_end_access(struct dmacpy_buffer *buffer, uint32_t access);

/**
 * dmacpy_buffer_fd() - the dma-buf's file descriptor, to pass to others
 * @buffer: a buffer
 *
 * Return: the file descriptor, or -EBADF for registered memory. The buffer
 * owns it.
 */
int dmacpy_buffer_fd(const struct dmacpy_buffer *buffer);

/**
 * dmacpy_buffer_size() - the length of a buffer
 * @buffer: a buffer
 *
 * Return: the length in bytes.
 */
uint64_t dmacpy_buffer_size(const struct dmacpy_buffer *buffer);

/**
 * dmacpy_buffer_handle() - the handle of a buffer in the stream's commands
 * @buffer: a buffer
 *
 * Return: the handle, for a program that calls DMACPY_SUBMIT itself. The
 * buffer owns it.
 */
uint32_t dmacpy_buffer_handle(const struct dmacpy_buffer *buffer);

/**
 * dmacpy_job_new() - make an empty job
 * @stream: that runs it
 * @job: on return the job. The caller owns it and frees it with
 *	dmacpy_job_free().
 *
 * Return: 0 or -ENOMEM.
 */
int dmacpy_job_new(struct dmacpy_stream *stream, struct dmacpy_job **job);

/**
 * dmacpy_job_free() - free a job
 * @job: to free, or NULL
 */
void dmacpy_job_free(struct dmacpy_job *job);

/**
 * dmacpy_job_reset() - take all operations out of a job
 * @job: to empty
 */
void dmacpy_job_reset(struct dmacpy_job *job);

/**
 * dmacpy_job_add_copy() - add a copy to a job
 * @job: to add to
 * @dst: buffer to copy to; it must live until the job is submitted
 * @dst_offset: where in @dst
 * @src: buffer to copy from; it must live until the job is submitted
 * @src_offset: where in @src
 * @length: bytes to copy
 *
 * When the job is full, run it, reset it and add the operation again. An
 * operation that an empty job cannot take must be split.
 *
 * Return: 0, -EINVAL when a buffer belongs to another stream, -E2BIG, -EFBIG
 * or -ERANGE when the job would exceed the limit of operations, bytes or rows,
 * or -ENOMEM. Submitting the job reports all other errors, including a fill
 * that takes too many rows.
 */
int dmacpy_job_add_copy(struct dmacpy_job *job,
			struct dmacpy_buffer *dst, uint64_t dst_offset,
			struct dmacpy_buffer *src, uint64_t src_offset,
			uint64_t length);

/**
 * struct dmacpy_plane - the position of the rows of a picture or matrix
 * @buffer: that they are in
 * @offset: of the first byte of the first row
 * @stride: from the start of one row to the start of the next
 */
struct dmacpy_plane {
	struct dmacpy_buffer *buffer;
	uint64_t offset;
	uint64_t stride;
};

/**
 * dmacpy_job_add_copy_2d() - add a copy of a rectangle to a job
 * @job: to add to
 * @dst: where to copy to; its buffer must live until the job is submitted
 * @src: where to copy from; its buffer must live until the job is submitted.
 *	With a stride of 0 each row of @dst is a copy of the one row.
 * @row_length: bytes in each row
 * @rows: number of rows
 *
 * Return: as dmacpy_job_add_copy().
 */
int dmacpy_job_add_copy_2d(struct dmacpy_job *job,
			   const struct dmacpy_plane *dst,
			   const struct dmacpy_plane *src,
			   uint64_t row_length, uint32_t rows);

/**
 * dmacpy_job_add_fill() - add a fill with a repeated pattern to a job
 * @job: to add to
 * @dst: buffer to fill; it must live until the job is submitted
 * @dst_offset: where in @dst
 * @length: bytes to fill
 * @pattern: stored at @dst_offset in the CPU's byte order and repeated; the
 *	last one is cut off
 *
 * Return: as dmacpy_job_add_copy().
 */
int dmacpy_job_add_fill(struct dmacpy_job *job, struct dmacpy_buffer *dst,
			uint64_t dst_offset, uint64_t length, uint32_t pattern);

/**
 * dmacpy_job_describe() - fill in the operations of a job
 * @job: the job
 * @submit: gets @ops, @op_count and @op_size, which are valid until @job is
 *	changed or freed
 *
 * For a program that submits the job itself, for example with io_uring.
 */
void dmacpy_job_describe(const struct dmacpy_job *job,
			 struct dmacpy_submit *submit);

/**
 * dmacpy_job_submit() - start a job
 * @job: to start, with at least one operation. It keeps its operations; it can
 *	be reset, submitted again or freed at once.
 * @submit: how to start it. Set @size to sizeof(*@submit), @flags to
 *	DMACPY_SUBMIT_*, @user_data and @in_fence as @flags require, and the
 *	rest to 0. The library fills in the operations. On return it has
 *	@out_fence, if @flags has DMACPY_SUBMIT_OUT_FENCE. The caller owns that
 *	and frees it with close(2).
 *
 * The operations take effect in the order they were added, and after all jobs
 * that were submitted to the stream before. @flags select how completion is
 * reported; the CPU must not touch the registered memory of the job until then.
 *
 * Return: 0; -EINVAL, -EACCES, -EBADF, -EOPNOTSUPP, -E2BIG, -EMFILE, -EAGAIN,
 * -EINTR, -ENOMEM or -ENODEV when nothing was started, -EAGAIN also when
 * records must be read first, or there is no room for a job and the stream is
 * O_NONBLOCK. With DMACPY_SUBMIT_WAIT also the result of the job, as
 * dmacpy_job_run().
 */
int dmacpy_job_submit(struct dmacpy_job *job, struct dmacpy_submit *submit);

/**
 * dmacpy_job_refused_op() - the operation because of which a job was refused
 * @job: the job, after dmacpy_job_submit() or dmacpy_job_run()
 *
 * Return: the number of the operation, in the order they were added: 1 is the
 * first. 0 when the last call succeeded, or failed for another reason, or when
 * the kernel does not report it.
 */
uint32_t dmacpy_job_refused_op(const struct dmacpy_job *job);

/**
 * dmacpy_job_run() - run a job and wait until it has completed
 * @job: to run, with at least one operation. It keeps its operations and can
 *	be run again.
 *
 * The operations take effect in the order they were added.
 *
 * Return: 0; -EINVAL, -EACCES, -E2BIG, -EAGAIN, -EINTR, -ENOMEM or -ENODEV when
 * nothing was started; -EIO, -ETIMEDOUT, -ECANCELED or -ENODEV when the job
 * failed, and its destinations are undefined.
 */
int dmacpy_job_run(struct dmacpy_job *job);

/**
 * dmacpy_job_prepare() - have a job checked once, to run it many times
 * @job: with at least one operation. It keeps its operations; it can be reset,
 *	changed or freed at once.
 * @prepared: on return the prepared job. The caller owns it and frees it with
 *	dmacpy_prepared_free().
 *
 * A prepared job keeps the memory of its buffers, which stays charged to the
 * user until the prepared job is freed, even if the buffers are freed before.
 *
 * Return: 0; -EINVAL, -EACCES, -E2BIG, -EDQUOT, -EINTR, -ENOMEM, -ENODEV, or
 * -ENOTTY when the kernel's driver is too old. dmacpy_job_refused_op() returns
 * the number of the refused operation.
 */
int dmacpy_job_prepare(struct dmacpy_job *job,
		       struct dmacpy_prepared **prepared);

/**
 * dmacpy_prepared_free() - free a prepared job
 * @prepared: to free, or NULL. Its jobs in flight continue.
 */
void dmacpy_prepared_free(struct dmacpy_prepared *prepared);

/**
 * dmacpy_prepared_handle() - the handle of a prepared job
 * @prepared: the prepared job
 *
 * Return: the handle, for struct dmacpy_run_job, and for struct
 * dmacpy_run_command of io_uring.
 */
uint32_t dmacpy_prepared_handle(const struct dmacpy_prepared *prepared);

/**
 * dmacpy_prepared_submit() - start a prepared job
 * @prepared: the prepared job, which may be in flight already
 * @user_data: for its record
 * @how: how to start it. Set @size to sizeof(*@how), @flags to DMACPY_SUBMIT_*,
 *	@in_fence as @flags require, and the rest to 0. On return it has
 *	@out_fence, when @flags has DMACPY_SUBMIT_OUT_FENCE. The caller owns
 *	that and frees it with close(2).
 *
 * It takes effect after all jobs that were submitted to the stream before, like
 * a job of dmacpy_job_submit().
 *
 * Return: as dmacpy_job_submit().
 */
int dmacpy_prepared_submit(struct dmacpy_prepared *prepared, uint64_t user_data,
			   struct dmacpy_run *how);

/**
 * dmacpy_prepared_run() - run a prepared job and wait until it has completed
 * @prepared: the prepared job
 *
 * Return: as dmacpy_job_run().
 */
int dmacpy_prepared_run(struct dmacpy_prepared *prepared);

/**
 * dmacpy_stream_run() - start many prepared jobs with one system call
 * @stream: that they were prepared for
 * @jobs: an array of them, by their handles, each with the @user_data of its
 *	record
 * @count: number of @jobs, 1 to @max_jobs of struct dmacpy_get_info
 * @flags: DMACPY_SUBMIT_EVENT and DMACPY_SUBMIT_NO_IMPLICIT, for all of them
 *
 * Each is a job by itself, in the order of the array.
 *
 * Return: the number of jobs that were started, which is less than @count when
 * one was refused: a second call that begins with that job returns the reason.
 * A negative errno, as dmacpy_job_submit(), when no job was started.
 */
int dmacpy_stream_run(struct dmacpy_stream *stream,
		      const struct dmacpy_run_job *jobs, uint32_t count,
		      uint32_t flags);

/**
 * dmacpy_copier_open() - open a copier, to copy on all channels of a device
 * @device: an open device
 * @copier: on return the copier, with as many streams as the device has
 *	channels: one on each, unless other programs load the channels unevenly.
 *	The caller owns it and frees it with dmacpy_copier_close(). It no longer
 *	needs @device.
 *
 * Return: 0, -ENOMEM, or the error of open(2).
 */
int dmacpy_copier_open(struct dmacpy_device *device,
		       struct dmacpy_copier **copier);

/**
 * dmacpy_copier_close() - close a copier
 * @copier: to close, or NULL. Its buffers must have been freed. Copies in
 *	flight continue, and their fences stay valid.
 */
void dmacpy_copier_close(struct dmacpy_copier *copier);

/**
 * dmacpy_copier_set_min_part() - set the least length of a part
 * @copier: an open copier
 * @length: in bytes, at least 256. A copy of at least twice that length is cut
 *	into parts of at least about that length, each for a channel; a shorter
 *	one is not, unless it is too long for one job.
 *
 * A part pays off when the engine takes longer to copy it than the CPU takes to
 * start it; "Several channels" in guide.rst describes how to measure it. The
 * default is 64 KiB.
 *
 * Return: 0 or -EINVAL.
 */
int dmacpy_copier_set_min_part(struct dmacpy_copier *copier, uint64_t length);

/**
 * dmacpy_copier_import() - make a dma-buf usable in a copier
 * @copier: that copies from or to it
 * @fd: of a dma-buf of any driver. The caller keeps it and can close it.
 * @access: what the engine does with it, DMACPY_ACCESS_READ and _WRITE
 * @buffer: on return the buffer. The caller owns it and frees it with
 *	dmacpy_copier_buffer_free().
 *
 * Uses one file descriptor for each channel.
 *
 * Return: as dmacpy_buffer_import().
 */
int dmacpy_copier_import(struct dmacpy_copier *copier, int fd, uint32_t access,
			 struct dmacpy_copier_buffer **buffer);

/**
 * dmacpy_copier_register() - make memory of the program usable in a copier
 * @copier: that copies from or to it
 * @addr: a multiple of @copy_align of struct dmacpy_get_info. The caller keeps
 *	the memory; it must stay mapped until the buffer is freed.
 * @length: in bytes
 * @access: what the engine does with it, DMACPY_ACCESS_READ and _WRITE
 * @buffer: on return the buffer. The caller owns it and frees it with
 *	dmacpy_copier_buffer_free().
 *
 * As dmacpy_buffer_register(), once for each channel; the memory counts against
 * RLIMIT_MEMLOCK once for each.
 *
 * Return: as dmacpy_buffer_register().
 */
int dmacpy_copier_register(struct dmacpy_copier *copier, void *addr,
			   size_t length, uint32_t access,
			   struct dmacpy_copier_buffer **buffer);

/**
 * dmacpy_copier_buffer_free() - free a buffer of a copier
 * @buffer: to free, or NULL. Copies in flight keep its memory.
 */
void dmacpy_copier_buffer_free(struct dmacpy_copier_buffer *buffer);

/**
 * dmacpy_copier_copy() - start a copy, on several channels if it is long
 * @copier: that the buffers belong to
 * @dst: buffer to copy to
 * @dst_offset: where in @dst
 * @src: buffer to copy from
 * @src_offset: where in @src
 * @length: bytes to copy, at least 1
 * @in_fence: file descriptor of a sync_file that the copy waits for, or a
 *	negative number. If the sync_file fails, so does the copy. The caller
 *	keeps it and can close it.
 * @out_fence: on return the file descriptor of a sync_file that signals when
 *	all of the copy has completed. The caller owns it and frees it with
 *	close(2).
 *
 * The copy is made with DMACPY_SUBMIT_NO_IMPLICIT. The parts of a copy, and
 * several copies, run in any order. Work that depends on a copy has to wait for
 * its fence; pass the fence to the next copy as @in_fence.
 *
 * Wait with dmacpy_fence_wait(), which fails if any part of the copy does;
 * poll() also waits for completion. The CPU must not touch the registered
 * memory of the copy until then. The copy has to respect the alignments of
 * struct dmacpy_get_info.
 *
 * A long copy is one job with DMACPY_SUBMIT_SPREAD. If the device does not
 * support that flag, or the copy is longer than a job may be, each part is a
 * job, on the copier's streams in turn.
 *
 * After a failure the bytes of the destination range are undefined, but no part
 * of the copy is in flight: if only some jobs could be started, or a job fails
 * before this function returns, it waits for the others, and signals do not
 * interrupt that wait.
 *
 * Return: 0, -EINVAL when a range is not within its buffer, the ranges
 * overlap, or a buffer belongs to another copier, -EACCES when a buffer lacks
 * the access, -EMFILE when there is no file descriptor for the job, or for each
 * of several jobs and two more, or the errors of dmacpy_job_submit().
 */
int dmacpy_copier_copy(struct dmacpy_copier *copier,
		       struct dmacpy_copier_buffer *dst, uint64_t dst_offset,
		       struct dmacpy_copier_buffer *src, uint64_t src_offset,
		       uint64_t length, int in_fence, int *out_fence);

#ifdef __cplusplus
}
#endif

#endif /* _DMACPY_H */
