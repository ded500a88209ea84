// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ABI's layout, as numbers. Compiled for 64 and for 32 bits, never run:
 * both kinds of programs must use the same layout as the kernel.
 */
#include <stddef.h>
#include <linux/dmacpy.h>

#define SIZE(type, bytes)						\
	_Static_assert(sizeof(struct type) == (bytes), #type)
#define AT(type, member, offset, bytes)					\
	_Static_assert(offsetof(struct type, member) == (offset) &&	\
		       sizeof(((struct type *)0)->member) == (bytes),	\
		       #type "." #member)

SIZE(dmacpy_get_info, 136);
AT(dmacpy_get_info, size, 0, 4);
AT(dmacpy_get_info, flags, 4, 4);
AT(dmacpy_get_info, sram_total, 8, 8);
AT(dmacpy_get_info, sram_free, 16, 8);
AT(dmacpy_get_info, sram_largest, 24, 8);
AT(dmacpy_get_info, max_bytes, 32, 8);
AT(dmacpy_get_info, max_ops, 40, 4);
AT(dmacpy_get_info, max_rows, 44, 4);
AT(dmacpy_get_info, granule, 48, 4);
AT(dmacpy_get_info, channels, 52, 4);
AT(dmacpy_get_info, copy_align, 56, 4);
AT(dmacpy_get_info, user_align, 60, 4);
AT(dmacpy_get_info, opcodes, 64, 4);
AT(dmacpy_get_info, submit_flags, 68, 4);
AT(dmacpy_get_info, name, 72, 32);
AT(dmacpy_get_info, max_jobs, 104, 4);
AT(dmacpy_get_info, max_events, 108, 4);
AT(dmacpy_get_info, max_user_bytes, 112, 8);
AT(dmacpy_get_info, max_user_jobs, 120, 4);
AT(dmacpy_get_info, max_user_streams, 124, 4);
AT(dmacpy_get_info, max_user_handles, 128, 4);
AT(dmacpy_get_info, register_flags, 132, 4);

SIZE(dmacpy_alloc, 24);
AT(dmacpy_alloc, size, 0, 4);
AT(dmacpy_alloc, flags, 4, 4);
AT(dmacpy_alloc, length, 8, 8);
AT(dmacpy_alloc, fd_flags, 16, 4);
AT(dmacpy_alloc, fd, 20, 4);

SIZE(dmacpy_import, 32);
AT(dmacpy_import, size, 0, 4);
AT(dmacpy_import, flags, 4, 4);
AT(dmacpy_import, fd, 8, 4);
AT(dmacpy_import, access, 12, 4);
AT(dmacpy_import, handle, 16, 4);
AT(dmacpy_import, __reserved, 20, 4);
AT(dmacpy_import, length, 24, 8);

SIZE(dmacpy_register, 32);
AT(dmacpy_register, size, 0, 4);
AT(dmacpy_register, flags, 4, 4);
AT(dmacpy_register, addr, 8, 8);
AT(dmacpy_register, length, 16, 8);
AT(dmacpy_register, access, 24, 4);
AT(dmacpy_register, handle, 28, 4);

SIZE(dmacpy_release, 16);
AT(dmacpy_release, size, 0, 4);
AT(dmacpy_release, flags, 4, 4);
AT(dmacpy_release, handle, 8, 4);
AT(dmacpy_release, __reserved, 12, 4);

SIZE(dmacpy_sync_range, 24);
AT(dmacpy_sync_range, handle, 0, 4);
AT(dmacpy_sync_range, __reserved, 4, 4);
AT(dmacpy_sync_range, offset, 8, 8);
AT(dmacpy_sync_range, length, 16, 8);

SIZE(dmacpy_sync, 24);
AT(dmacpy_sync, size, 0, 4);
AT(dmacpy_sync, flags, 4, 4);
AT(dmacpy_sync, ranges, 8, 8);
AT(dmacpy_sync, range_count, 16, 4);
AT(dmacpy_sync, range_size, 20, 4);

SIZE(dmacpy_op, 64);
AT(dmacpy_op, opcode, 0, 4);
AT(dmacpy_op, flags, 4, 4);
AT(dmacpy_op, dst, 8, 4);
AT(dmacpy_op, src, 12, 4);
AT(dmacpy_op, dst_offset, 16, 8);
AT(dmacpy_op, src_offset, 24, 8);
AT(dmacpy_op, length, 32, 8);
AT(dmacpy_op, dst_stride, 40, 8);
AT(dmacpy_op, src_stride, 48, 8);
AT(dmacpy_op, rows, 56, 4);
AT(dmacpy_op, pattern, 60, 4);

/* The first version had 40 bytes: the rest may be missing. */
SIZE(dmacpy_submit, 48);
AT(dmacpy_submit, size, 0, 4);
AT(dmacpy_submit, flags, 4, 4);
AT(dmacpy_submit, ops, 8, 8);
AT(dmacpy_submit, op_count, 16, 4);
AT(dmacpy_submit, op_size, 20, 4);
AT(dmacpy_submit, user_data, 24, 8);
AT(dmacpy_submit, in_fence, 32, 4);
AT(dmacpy_submit, out_fence, 36, 4);
AT(dmacpy_submit, refused_op, 40, 4);
AT(dmacpy_submit, channels, 44, 4);

SIZE(dmacpy_prepare, 32);
AT(dmacpy_prepare, size, 0, 4);
AT(dmacpy_prepare, flags, 4, 4);
AT(dmacpy_prepare, ops, 8, 8);
AT(dmacpy_prepare, op_count, 16, 4);
AT(dmacpy_prepare, op_size, 20, 4);
AT(dmacpy_prepare, handle, 24, 4);
AT(dmacpy_prepare, refused_op, 28, 4);

SIZE(dmacpy_run_job, 16);
AT(dmacpy_run_job, handle, 0, 4);
AT(dmacpy_run_job, __reserved, 4, 4);
AT(dmacpy_run_job, user_data, 8, 8);

SIZE(dmacpy_run, 32);
AT(dmacpy_run, size, 0, 4);
AT(dmacpy_run, flags, 4, 4);
AT(dmacpy_run, jobs, 8, 8);
AT(dmacpy_run, job_count, 16, 4);
AT(dmacpy_run, job_size, 20, 4);
AT(dmacpy_run, in_fence, 24, 4);
AT(dmacpy_run, out_fence, 28, 4);

SIZE(dmacpy_run_command, 16);
AT(dmacpy_run_command, handle, 0, 4);
AT(dmacpy_run_command, flags, 4, 4);
AT(dmacpy_run_command, in_fence, 8, 4);
AT(dmacpy_run_command, __reserved, 12, 4);

#define NUMBER(request, value)						\
	_Static_assert((request) == (value), #request)

NUMBER(DMACPY_GET_INFO, 0xb900);
NUMBER(DMACPY_ALLOC, 0xb901);
NUMBER(DMACPY_IMPORT, 0xb902);
NUMBER(DMACPY_REGISTER, 0xb903);
NUMBER(DMACPY_RELEASE, 0xb904);
NUMBER(DMACPY_SUBMIT, 0xb905);
NUMBER(DMACPY_SYNC, 0xb906);
NUMBER(DMACPY_REGISTER_EXPLICIT_SYNC, 1);
NUMBER(DMACPY_SYNC_FOR_DEVICE, 1);
NUMBER(DMACPY_SYNC_FOR_CPU, 2);
NUMBER(DMACPY_PREPARE, 0xb907);
NUMBER(DMACPY_RUN, 0xb908);
NUMBER(DMACPY_OP_COPY, 0);
NUMBER(DMACPY_OP_COPY_2D, 1);
NUMBER(DMACPY_OP_FILL, 2);
NUMBER(DMACPY_SUBMIT_WAIT, 1);
NUMBER(DMACPY_ACCESS_READ, 1);
NUMBER(DMACPY_ACCESS_WRITE, 2);

SIZE(dmacpy_submit_pointer, 16);
AT(dmacpy_submit_pointer, submit, 0, 8);
AT(dmacpy_submit_pointer, __reserved, 8, 8);

SIZE(dmacpy_event, 32);
AT(dmacpy_event, user_data, 0, 8);
AT(dmacpy_event, result, 8, 4);
AT(dmacpy_event, __reserved, 12, 4);
AT(dmacpy_event, length, 16, 8);
AT(dmacpy_event, timestamp, 24, 8);
