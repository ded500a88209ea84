/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * dmacpy: on-chip SRAM as dma-bufs, and copies by a DMA engine.
 */
#ifndef _UAPI_LINUX_DMACPY_H
#define _UAPI_LINUX_DMACPY_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define DMACPY_TYPE	0xB9

/**
 * DOC: General ioctl format
 *
 * One open file of /dev/dmacpyN is one stream: its jobs run on one channel of
 * the DMA engine, take effect and complete in the order of their submission.
 * A job that fails cancels those that are in its stream at that time
 * (ECANCELED); later ones run.
 *
 * open() fails with EDQUOT when the user has too many streams.
 *
 * poll() of the file: POLLIN when read() has a record, POLLOUT when there is
 * room for a job and the channel takes it, POLLHUP and POLLERR when the device
 * was unbound. read() returns whole records of struct dmacpy_event. fsync()
 * waits for the jobs that were submitted before it, and returns the first error
 * since the last fsync(). close() cancels nothing.
 *
 * Each command takes a pointer to a structure that starts with its own size
 * in bytes and a word of flags, and is the same for 32- and 64-bit programs.
 * Structures only ever grow at their end. Bytes that the kernel does not know
 * must be zero; bytes that the program does not know are not written.
 *
 * A command that fails does not change its outputs, except @refused_op of
 * SUBMIT and PREPARE. After EFAULT a length may have been written, but never a
 * file descriptor or a handle. So a program can set an output before the call
 * to find out whether it owns an object afterwards. When a SUBMIT that waits
 * has changed @out_fence, the error is the result of a job that was started.
 *
 * Commands name memory by dma-buf file descriptors and by handles, never by bus
 * address. Lengths, offsets and strides are in bytes.
 *
 * All commands use these values of errno:
 *
 *  - EINVAL: a bad length, an offset plus length past the end or wrapping,
 *    an overlap, an alignment that the engine cannot do, reserved bytes that
 *    are not zero, a structure that is too short
 *  - E2BIG: the structure has non-zero bytes that this kernel does not know,
 *    or is longer than a page; or the job has more operations, rows or bytes
 *    than the limits
 *  - EOPNOTSUPP: an unknown flag or opcode; REGISTER on a CPU whose data cache
 *    has aliases, as that of an ARM926
 *  - ENOTTY: an unknown command; EOPNOTSUPP from io_uring
 *  - ENOENT: no such handle
 *  - EBADF: a file descriptor that is not open, or is no dma-buf or sync_file
 *  - EACCES: the dma-buf's file descriptor, or the handle, lacks the read or
 *    write access that is needed
 *  - EFAULT: a bad pointer, or memory that cannot be pinned
 *  - EIO: memory that cannot be mapped for the engine
 *  - ENOMEM: out of kernel memory
 *  - ENOSPC: out of SRAM
 *  - EMFILE, ENFILE: out of file descriptors, of the process or of the system
 *  - EDQUOT: a limit of the stream, or one of the user that opened it: handles,
 *    the quota of SRAM, RLIMIT_MEMLOCK
 *  - EAGAIN: the channel is being recovered after a failure, there is no room
 *    for an event, or none for a job, in the stream or for the user, and the
 *    file is O_NONBLOCK
 *  - EINTR: a signal came before anything was started
 *  - ENODEV: the device was unbound from its driver
 *
 * IMPORT also returns errors of the dma-buf's exporter; ALLOC, IMPORT and
 * REGISTER those of power management, when the hardware cannot be powered on.
 *
 * The result of a job that was started:
 *
 *  - EIO: the engine reported an error, or copied less than requested
 *  - ETIMEDOUT: the engine made no progress with the job, or a fence that the
 *    job depends on did not signal in time
 *  - ECANCELED: an earlier job of the stream failed, or a job of any stream on
 *    the channel (with SPREAD, on a channel that runs the job) had ETIMEDOUT
 *    from the engine, or the in-fence failed
 *  - ENODEV: the device was unbound from its driver
 *
 * After each of these the engine may still write to the destinations of the
 * job. Registered memory should be unmapped then, rather than used again.
 */
enum {
	DMACPY_CMD_GET_INFO,
	DMACPY_CMD_ALLOC,
	DMACPY_CMD_IMPORT,
	DMACPY_CMD_REGISTER,
	DMACPY_CMD_RELEASE,
	DMACPY_CMD_SUBMIT,
	DMACPY_CMD_SYNC,
	DMACPY_CMD_PREPARE,
	DMACPY_CMD_RUN,
};

/* The access that a handle grants: the engine reads from it, writes to it. */
#define DMACPY_ACCESS_READ	0x1
#define DMACPY_ACCESS_WRITE	0x2

#define DMACPY_NAME_LEN		32

/**
 * struct dmacpy_get_info - ioctl(DMACPY_GET_INFO)
 * @size: sizeof(struct dmacpy_get_info)
 * @flags: must be 0
 * @sram_total: size of the SRAM that can be allocated
 * @sram_free: size of the SRAM that is free now
 * @sram_largest: the longest buffer that could be allocated now
 * @max_bytes: limit of the bytes that one job copies and fills
 * @max_ops: limit of the operations in one job
 * @max_rows: limit of the rows in one job, over all its operations; a COPY is
 *	one row; a FILL is one for each block of 4 KiB; in a job with more than
 *	16 FILLs a block has 64 KiB divided by their number, rounded down to a
 *	power of two
 * @granule: ALLOC rounds the length of a buffer up to a multiple of this
 * @channels: number of channels of the DMA engine
 * @copy_align: offsets, strides and lengths of all operations must be
 *	multiples of this
 * @user_align: start and end of a destination in registered memory must be
 *	multiples of this: if the engine writes a part of a cache line, the
 *	CPU's data in the rest of the line is lost
 * @opcodes: bit n is set when opcode n is supported
 * @submit_flags: the flags of SUBMIT that are supported
 * @name: the device's name, ends with a zero byte
 * @max_jobs: limit of the jobs of a stream that have not completed
 * @max_events: limit of the unread records of a stream, including those of jobs
 *	that have not completed
 * @max_user_bytes: no job is taken while the jobs of all streams of the user
 *	that have not completed have this many bytes or more
 * @max_user_jobs: limit of these jobs
 * @max_user_streams: limit of the streams of a user, including closed ones
 *	whose jobs have not completed
 * @max_user_handles: limit of the handles of all streams of a user, including
 *	released ones that jobs still use
 * @register_flags: the flags of REGISTER that are supported
 *
 * The user of a stream is the user that opened it. The limits of users apply
 * even if the program's structure is too short to report them.
 *
 * All members except @size and @flags are output, and are ignored on input.
 */
struct dmacpy_get_info {
	__u32 size;
	__u32 flags;
	__aligned_u64 sram_total;
	__aligned_u64 sram_free;
	__aligned_u64 sram_largest;
	__aligned_u64 max_bytes;
	__u32 max_ops;
	__u32 max_rows;
	__u32 granule;
	__u32 channels;
	__u32 copy_align;
	__u32 user_align;
	__u32 opcodes;
	__u32 submit_flags;
	__u8 name[DMACPY_NAME_LEN];
	__u32 max_jobs;
	__u32 max_events;
	__aligned_u64 max_user_bytes;
	__u32 max_user_jobs;
	__u32 max_user_streams;
	__u32 max_user_handles;
	__u32 register_flags;
};

#define DMACPY_GET_INFO _IO(DMACPY_TYPE, DMACPY_CMD_GET_INFO)

/**
 * struct dmacpy_alloc - ioctl(DMACPY_ALLOC)
 * @size: sizeof(struct dmacpy_alloc)
 * @flags: must be 0
 * @length: wanted length; on return the length of the buffer
 * @fd_flags: O_RDONLY or O_RDWR, and O_CLOEXEC
 * @fd: on return the dma-buf's file descriptor
 *
 * Allocate a buffer of SRAM, cleared to zero, and export it as a dma-buf. The
 * program can map it (MAP_SHARED; bracket CPU access with DMA_BUF_IOCTL_SYNC),
 * IMPORT it for copies, and pass it to other processes and other drivers. It is
 * freed when its last user has released it.
 */
struct dmacpy_alloc {
	__u32 size;
	__u32 flags;
	__aligned_u64 length;
	__u32 fd_flags;
	__s32 fd;
};

#define DMACPY_ALLOC _IO(DMACPY_TYPE, DMACPY_CMD_ALLOC)

/**
 * struct dmacpy_import - ioctl(DMACPY_IMPORT)
 * @size: sizeof(struct dmacpy_import)
 * @flags: must be 0
 * @fd: a dma-buf's file descriptor, from ALLOC or from any other driver
 * @access: DMACPY_ACCESS_*, at least one
 * @handle: on return the handle
 * @__reserved: must be 0
 * @length: on return the length of the dma-buf
 *
 * Map a dma-buf for the stream's engine. The handle keeps the dma-buf; @fd
 * can be closed. The file descriptor must be open for the access in @access.
 */
struct dmacpy_import {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 access;
	__u32 handle;
	__u32 __reserved;
	__aligned_u64 length;
};

#define DMACPY_IMPORT _IO(DMACPY_TYPE, DMACPY_CMD_IMPORT)

/**
 * DOC: Flags of REGISTER
 *
 *  - DMACPY_REGISTER_EXPLICIT_SYNC: the program syncs the memory, by SYNC, and
 *    copies do not. The engine sees the contents of the memory at REGISTER.
 *    RELEASE syncs nothing: sync the data that a job has written before it.
 */
#define DMACPY_REGISTER_EXPLICIT_SYNC	0x1

/**
 * struct dmacpy_register - ioctl(DMACPY_REGISTER)
 * @size: sizeof(struct dmacpy_register)
 * @flags: DMACPY_REGISTER_*
 * @addr: address of memory of the calling process, a multiple of the copy
 *	alignment in GET_INFO
 * @length: its length
 * @access: DMACPY_ACCESS_*, at least one
 * @handle: on return the handle
 *
 * Pin memory of the calling process and map it for the stream's engine. The
 * pages are charged to the user that opened the stream until they are unpinned,
 * and the caller's RLIMIT_MEMLOCK is the limit of all that is charged there. A
 * process that is passed the stream's file descriptor is passed this memory.
 *
 * The CPU must not touch the range of a copy while it runs. A process that
 * forks should mark the memory with MADV_DONTFORK. The handle stands for the
 * pages that are there now: release it before the memory is freed, unmapped or
 * given up with MADV_DONTNEED, as jobs would continue to use the old pages.
 */
struct dmacpy_register {
	__u32 size;
	__u32 flags;
	__aligned_u64 addr;
	__aligned_u64 length;
	__u32 access;
	__u32 handle;
};

#define DMACPY_REGISTER _IO(DMACPY_TYPE, DMACPY_CMD_REGISTER)

/**
 * struct dmacpy_release - ioctl(DMACPY_RELEASE)
 * @size: sizeof(struct dmacpy_release)
 * @flags: must be 0
 * @handle: from IMPORT, REGISTER or PREPARE
 * @__reserved: must be 0
 *
 * Release a handle. Jobs that use it keep its memory until they complete.
 */
struct dmacpy_release {
	__u32 size;
	__u32 flags;
	__u32 handle;
	__u32 __reserved;
};

#define DMACPY_RELEASE _IO(DMACPY_TYPE, DMACPY_CMD_RELEASE)

/**
 * DOC: Flags of SYNC
 *
 *  - DMACPY_SYNC_FOR_DEVICE: hand the ranges over to the engine: it sees the
 *    data that the CPU has written there
 *  - DMACPY_SYNC_FOR_CPU: take the ranges back: the CPU sees the data that the
 *    engine has written there. Data that the CPU itself has written there since
 *    they were handed over is lost.
 */
#define DMACPY_SYNC_FOR_DEVICE	0x1
#define DMACPY_SYNC_FOR_CPU	0x2

/**
 * struct dmacpy_sync_range - a part of registered memory
 * @handle: from REGISTER with DMACPY_REGISTER_EXPLICIT_SYNC
 * @__reserved: must be 0
 * @offset: start of the range in the memory
 * @length: bytes, at least 1; for SYNC_FOR_CPU start and end must be multiples
 *	of @user_align in GET_INFO, as for a copy that writes there
 */
struct dmacpy_sync_range {
	__u32 handle;
	__u32 __reserved;
	__aligned_u64 offset;
	__aligned_u64 length;
};

/**
 * struct dmacpy_sync - ioctl(DMACPY_SYNC)
 * @size: sizeof(struct dmacpy_sync)
 * @flags: DMACPY_SYNC_FOR_DEVICE or DMACPY_SYNC_FOR_CPU
 * @ranges: pointer to an array of struct dmacpy_sync_range
 * @range_count: number of ranges, 1 to the limit of operations in GET_INFO
 * @range_size: sizeof(struct dmacpy_sync_range)
 *
 * Sync parts of memory that copies do not sync. Call it FOR_DEVICE after the
 * CPU has written to a range, before SUBMIT of a job that reads it or writes to
 * it; and FOR_CPU after a job has written to a range, before the CPU reads it
 * or writes to it. Nothing outside of the ranges changes. If the engine is
 * coherent with the caches, SYNC only checks the ranges.
 *
 * SYNC does not wait for jobs: the bytes of a range that a job writes to
 * concurrently are undefined. SYNC returns EINVAL for memory that copies sync,
 * and for a dma-buf, which its exporter syncs; and EACCES for FOR_CPU without
 * DMACPY_ACCESS_WRITE, as the engine has written nothing there. The ranges
 * before a refused one have been synced.
 */
struct dmacpy_sync {
	__u32 size;
	__u32 flags;
	__aligned_u64 ranges;
	__u32 range_count;
	__u32 range_size;
};

#define DMACPY_SYNC _IO(DMACPY_TYPE, DMACPY_CMD_SYNC)

/**
 * enum dmacpy_opcode - what an operation does
 * @DMACPY_OP_COPY: copy @length bytes from the source to the destination
 * @DMACPY_OP_COPY_2D: copy @rows rows of @length bytes; each row starts one
 *	stride after the previous one, with separate strides for source and
 *	destination
 * @DMACPY_OP_FILL: repeat @pattern over @length bytes of the destination,
 *	aligned to its first byte; a last part that is shorter than the pattern
 *	gets the pattern's first bytes
 */
enum dmacpy_opcode {
	DMACPY_OP_COPY,
	DMACPY_OP_COPY_2D,
	DMACPY_OP_FILL,
};

/**
 * struct dmacpy_op - one operation of a job
 * @opcode: enum dmacpy_opcode
 * @flags: must be 0
 * @dst: handle of the destination, with DMACPY_ACCESS_WRITE
 * @src: handle of the source, with DMACPY_ACCESS_READ; 0 for FILL
 * @dst_offset: offset in the destination
 * @src_offset: offset in the source; 0 for FILL
 * @length: bytes to copy or to fill; for COPY_2D the length of a row
 * @dst_stride: COPY_2D: distance of rows, at least @length; otherwise 0
 * @src_stride: COPY_2D: distance of rows, 0 repeats one row; otherwise 0
 * @rows: COPY_2D: number of rows, at least 1; otherwise 0
 * @pattern: FILL: the pattern, in the CPU's byte order; otherwise 0
 *
 * Source and destination in the same buffer must not overlap: EINVAL. Two tiles
 * of one picture, that is COPY_2D with equal strides, overlap if they have a
 * byte in common; with different strides, if their bounds overlap. If two
 * buffers are the same memory, for example registered twice, and one operation
 * of a job reads bytes that another one writes, the result is undefined.
 */
struct dmacpy_op {
	__u32 opcode;
	__u32 flags;
	__u32 dst;
	__u32 src;
	__aligned_u64 dst_offset;
	__aligned_u64 src_offset;
	__aligned_u64 length;
	__aligned_u64 dst_stride;
	__aligned_u64 src_stride;
	__u32 rows;
	__u32 pattern;
};

/**
 * DOC: Flags of SUBMIT
 *
 *  - DMACPY_SUBMIT_WAIT: return when the job has completed, with its result.
 *    After the job was started only a fatal signal ends the wait, and the job
 *    continues. Without this flag SUBMIT returns when the job is queued. The
 *    array of operations can be reused when SUBMIT has returned.
 *  - DMACPY_SUBMIT_OUT_FENCE: return a sync_file, close-on-exec, that signals
 *    when the job has completed
 *  - DMACPY_SUBMIT_IN_FENCE: the job starts when a sync_file has signalled; if
 *    that signals an error, the job is cancelled. A job need not wait for a
 *    fence of its own stream, as its jobs are in order anyway: it may have
 *    written already when the earlier job fails.
 *  - DMACPY_SUBMIT_EVENT: queue a record for read() when the job has completed
 *  - DMACPY_SUBMIT_NO_IMPLICIT: do not wait for the fences in the dma-bufs, and
 *    do not add one for this job; without the flag the job waits for the
 *    writers of its sources, and for all users of its destinations, and others
 *    wait for it
 *  - DMACPY_SUBMIT_MORE: the program submits another job at once. The driver
 *    may issue both to the engine together, which is cheaper; if no other job
 *    follows, it issues this one some milliseconds later. WAIT overrides it.
 *  - DMACPY_SUBMIT_SPREAD: several channels run the job, each a share of its
 *    bytes; see @channels. A device whose channels cannot do that does not
 *    support this flag. The flag overrides MORE, and RUN does not support it.
 */
#define DMACPY_SUBMIT_WAIT		0x1
#define DMACPY_SUBMIT_OUT_FENCE		0x2
#define DMACPY_SUBMIT_IN_FENCE		0x4
#define DMACPY_SUBMIT_EVENT		0x8
#define DMACPY_SUBMIT_NO_IMPLICIT	0x10
#define DMACPY_SUBMIT_MORE		0x20
#define DMACPY_SUBMIT_SPREAD		0x40

/**
 * struct dmacpy_submit - ioctl(DMACPY_SUBMIT)
 * @size: sizeof(struct dmacpy_submit)
 * @flags: DMACPY_SUBMIT_*
 * @ops: pointer to an array of struct dmacpy_op
 * @op_count: number of operations, 1 to the limit in GET_INFO
 * @op_size: sizeof(struct dmacpy_op)
 * @user_data: for the record of EVENT
 * @in_fence: with IN_FENCE the sync_file's file descriptor, otherwise 0
 * @out_fence: with OUT_FENCE, on return the sync_file's file descriptor
 * @refused_op: set it to 0; if the call fails because of one of the operations,
 *	on return the number of that operation in @ops, counted from 1. A kernel
 *	that does not know this member requires 0, and does not change it.
 * @channels: with SPREAD the largest number of channels that may run the job,
 *	at least 1, otherwise 0
 *
 * Run the operations as one job, in the order of the array: each one sees the
 * data that those before it wrote. If one is refused, nothing is started. The
 * bytes of the destinations are undefined after a job that failed.
 *
 * A job with SPREAD is still one job, with one result, one fence and one
 * record. It completes when all its channels have completed their shares, and
 * fails if one of them fails. It begins when the jobs before it in its stream
 * have completed, and the jobs behind it begin when it has completed. It runs
 * on the channel of the stream and on others that are not being recovered.
 * There are fewer shares if they would have less than 256 bytes on average, and
 * only one if an operation may depend on another. Operations do not depend on
 * each other if all of them are a COPY from the same handle to the same other
 * handle, of another buffer, each to a place behind the previous one.
 *
 * Other users of the dma-bufs can wait for the job by their fences, as poll()
 * on the dma-buf does. Programs should poll() before DMA_BUF_IOCTL_SYNC, which
 * waits only after the exporter has invalidated the caches. A job that waits
 * delays its own stream only. Its wait for fences of other drivers is bounded:
 * then it fails with ETIMEDOUT.
 */
struct dmacpy_submit {
	__u32 size;
	__u32 flags;
	__aligned_u64 ops;
	__u32 op_count;
	__u32 op_size;
	__aligned_u64 user_data;
	__s32 in_fence;
	__s32 out_fence;
	__u32 refused_op;
	__u32 channels;
};

#define DMACPY_SUBMIT _IO(DMACPY_TYPE, DMACPY_CMD_SUBMIT)

/**
 * struct dmacpy_prepare - ioctl(DMACPY_PREPARE)
 * @size: sizeof(struct dmacpy_prepare)
 * @flags: must be 0
 * @ops: pointer to an array of struct dmacpy_op
 * @op_count: number of operations, 1 to the limit in GET_INFO
 * @op_size: sizeof(struct dmacpy_op)
 * @handle: on return a handle of the operations, for RUN and RELEASE
 * @refused_op: set it to 0; if the call fails because of one of the operations,
 *	on return the number of that operation in @ops, counted from 1
 *
 * Check operations as SUBMIT does, once for many jobs that run them. A stream
 * has at most 16384 of these handles. For the limit of the user a handle counts
 * as one per 8 KiB of kernel memory that it may take. It keeps the memory
 * behind the handles that the operations name, even after RELEASE of these.
 * That memory stays charged to the user until the prepared job is released and
 * its last run has completed.
 */
struct dmacpy_prepare {
	__u32 size;
	__u32 flags;
	__aligned_u64 ops;
	__u32 op_count;
	__u32 op_size;
	__u32 handle;
	__u32 refused_op;
};

#define DMACPY_PREPARE _IO(DMACPY_TYPE, DMACPY_CMD_PREPARE)

/**
 * struct dmacpy_run_job - one job of RUN
 * @handle: from PREPARE
 * @__reserved: must be 0
 * @user_data: for the record of EVENT
 */
struct dmacpy_run_job {
	__u32 handle;
	__u32 __reserved;
	__aligned_u64 user_data;
};

/**
 * struct dmacpy_run - ioctl(DMACPY_RUN)
 * @size: sizeof(struct dmacpy_run)
 * @flags: DMACPY_SUBMIT_*, but not SPREAD
 * @jobs: pointer to an array of struct dmacpy_run_job
 * @job_count: number of jobs, 1 to @max_jobs of GET_INFO; more than one only if
 *	@flags has neither WAIT nor a fence
 * @job_size: sizeof(struct dmacpy_run_job)
 * @in_fence: with IN_FENCE the sync_file's file descriptor, otherwise 0
 * @out_fence: with OUT_FENCE, on return the sync_file's file descriptor
 *
 * Start jobs of prepared operations, in the order of the array: each one is a
 * job by itself, as if SUBMIT had started it. The same operations may be in
 * flight several times.
 *
 * Returns the number of jobs that were started: fewer than @job_count if one
 * was refused. To get the reason, start the next call with that job. An error
 * means that no job was started, or is the result of the job that WAIT has
 * waited for.
 */
struct dmacpy_run {
	__u32 size;
	__u32 flags;
	__aligned_u64 jobs;
	__u32 job_count;
	__u32 job_size;
	__s32 in_fence;
	__s32 out_fence;
};

#define DMACPY_RUN _IO(DMACPY_TYPE, DMACPY_CMD_RUN)

/**
 * struct dmacpy_run_command - RUN by io_uring, in an SQE
 * @handle: from PREPARE
 * @flags: DMACPY_SUBMIT_IN_FENCE and _NO_IMPLICIT; EINVAL for other flags of
 *	RUN, EOPNOTSUPP for any other
 * @in_fence: with IN_FENCE the sync_file's file descriptor, otherwise 0
 * @__reserved: must be 0
 *
 * An IORING_OP_URING_CMD on the open file with the cmd_op DMACPY_RUN runs a job
 * and completes with its result, like one with DMACPY_SUBMIT. This structure is
 * in the SQE itself, of 64 or of 128 bytes; the rest of an SQE of 128 bytes is
 * not used.
 */
struct dmacpy_run_command {
	__u32 handle;
	__u32 flags;
	__s32 in_fence;
	__u32 __reserved;
};

/**
 * struct dmacpy_submit_pointer - SUBMIT by io_uring, in an SQE of 64 bytes
 * @submit: pointer to struct dmacpy_submit
 * @__reserved: must be 0
 *
 * An IORING_OP_URING_CMD on the open file with the cmd_op DMACPY_SUBMIT runs a
 * job and completes with its result. An SQE of 128 bytes holds struct
 * dmacpy_submit itself, one of 64 bytes holds this structure. The structure
 * that it points to, and the in-fence, must exist until the request completes.
 * @refused_op is returned in that structure, but never in an SQE of 128 bytes,
 * which the kernel only reads.
 *
 * Flags other than IN_FENCE, NO_IMPLICIT and SPREAD are refused: EINVAL.
 * Closing a ring cancels its requests, but the jobs continue; before Linux 6.7,
 * and with IORING_SETUP_IOPOLL, closing the ring or exiting the program waits
 * for them. With IORING_SETUP_IOPOLL, EBUSY is returned in place of EAGAIN.
 */
struct dmacpy_submit_pointer {
	__aligned_u64 submit;
	__aligned_u64 __reserved;
};

/**
 * struct dmacpy_event - a record of read(), for a job with EVENT
 * @user_data: from SUBMIT
 * @result: 0 or -errno
 * @__reserved: 0
 * @length: bytes that the job had to copy and fill
 * @timestamp: time of completion, in nanoseconds of CLOCK_MONOTONIC
 */
struct dmacpy_event {
	__aligned_u64 user_data;
	__s32 result;
	__u32 __reserved;
	__aligned_u64 length;
	__aligned_u64 timestamp;
};

#endif /* _UAPI_LINUX_DMACPY_H */
