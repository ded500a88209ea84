// SPDX-License-Identifier: GPL-2.0-only
/* Tests of dmacpy_ioctl.c. */
#include <kunit/static_stub.h>
#include <kunit/test-bug.h>
#include <kunit/test.h>
#include <linux/dma-buf.h>
#include <linux/dma-direction.h>
#include <linux/fcntl.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/xarray.h>

#include "dmacpy_buf.h"
#include "dmacpy_device.h"
#include "dmacpy_handle.h"
#include "dmacpy_ioctl.h"
#include "dmacpy_stream.h"
#include "dmacpy_test_buf.h"
#include "dmacpy_test_device.h"
#include "dmacpy_test_engine.h"
#include "dmacpy_test_user.h"

#include <linux/dmacpy.h>

/* The sizes that programs were compiled with, which must work for ever. */
#define SIZE_GET_INFO	112
#define SIZE_ALLOC	24
#define SIZE_IMPORT	32
#define SIZE_REGISTER	32
#define SIZE_RELEASE	16
#define SIZE_SUBMIT	40
#define SIZE_SYNC	24
/* The current size */
#define SUBMIT_KNOWN	48
#define GET_INFO_KNOWN	136
#define SIZE_OP		64
#define SIZE_RANGE	24

/* A structure is at the start of the memory, followed by operations. */
#define USER_SIZE	(4 * PAGE_SIZE)
#define USER_OPS	(2 * PAGE_SIZE)

#define COPY_SIZE	16

#define MAX_SYNCS	8

/**
 * struct ioctl_sync - a call that syncs memory
 * @addr: first byte
 * @size: bytes
 * @for_cpu: sync for the CPU, after the engine
 */
struct ioctl_sync {
	dma_addr_t addr;
	size_t size;
	bool for_cpu;
};

/**
 * struct ioctl_test - a stream that gets commands from a user
 * @engine: engine of the instance
 * @dev: instance of the stream
 * @stream: the stream
 * @user: memory of the user, followed by an unmapped page
 * @syncs: the recorded syncs
 * @nsyncs: number of @syncs
 */
struct ioctl_test {
	struct test_engine *engine;
	struct dmacpy_device *dev;
	struct dmacpy_stream *stream;
	u8 __user *user;
	struct ioctl_sync syncs[MAX_SYNCS];
	unsigned int nsyncs;
};

union ioctl_any {
	struct dmacpy_get_info get_info;
	struct dmacpy_alloc alloc;
	struct dmacpy_import import;
	struct dmacpy_register register_;
	struct dmacpy_release release;
	struct dmacpy_submit submit;
	struct dmacpy_sync sync;
};

static int ioctl_at(struct kunit *test, unsigned int cmd, void __user *user)
{
	struct ioctl_test *it = test->priv;

	return dmacpy_ioctl(it->stream, cmd, (unsigned long)user, true);
}

static void ioctl_write(struct kunit *test, size_t offset, const void *data,
			size_t size)
{
	struct ioctl_test *it = test->priv;

	KUNIT_ASSERT_EQ(test, 0, copy_to_user(it->user + offset, data, size));
}

static int ioctl_run(struct kunit *test, unsigned int cmd,
		     const union ioctl_any *args)
{
	struct ioctl_test *it = test->priv;

	ioctl_write(test, 0, args, sizeof(*args));
	return ioctl_at(test, cmd, it->user);
}

/* Memory belongs to a thread, and a suite's exit runs in another one. */
static void ioctl_begin(struct kunit *test)
{
	struct ioctl_test *it = test->priv;

	it->user = test_user_map(test, NULL, USER_SIZE);
}

struct ioctl_size_case {
	const char *name;
	unsigned int cmd;
	u32 size;
	u32 known;
};

static const struct ioctl_size_case ioctl_size_cases[] = {
	{ "GET_INFO", DMACPY_GET_INFO, SIZE_GET_INFO, GET_INFO_KNOWN },
	{ "ALLOC", DMACPY_ALLOC, SIZE_ALLOC, SIZE_ALLOC },
	{ "IMPORT", DMACPY_IMPORT, SIZE_IMPORT, SIZE_IMPORT },
	{ "REGISTER", DMACPY_REGISTER, SIZE_REGISTER, SIZE_REGISTER },
	{ "RELEASE", DMACPY_RELEASE, SIZE_RELEASE, SIZE_RELEASE },
	{ "SUBMIT", DMACPY_SUBMIT, SIZE_SUBMIT, SUBMIT_KNOWN },
	{ "SYNC", DMACPY_SYNC, SIZE_SYNC, SIZE_SYNC },
};

KUNIT_ARRAY_PARAM_DESC(ioctl_size, ioctl_size_cases, name);

/* Sets an unknown flag: a command that reports it has accepted the size. */
static int ioctl_with_size(struct kunit *test, unsigned int cmd, u32 size)
{
	const u32 head[] = { size, BIT(31) };
	struct ioctl_test *it = test->priv;

	ioctl_write(test, 0, head, sizeof(head));
	return ioctl_at(test, cmd, it->user);
}

/* Catches: an old program that is refused, or of which too much is read. */
static void ioctl_checks_size(struct kunit *test)
{
	const struct ioctl_size_case *param = test->param_value;
	unsigned int cmd = param->cmd;
	u32 size = param->size;

	ioctl_begin(test);
	KUNIT_EXPECT_EQ(test, -EINVAL, ioctl_with_size(test, cmd, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, ioctl_with_size(test, cmd, size - 1));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, ioctl_with_size(test, cmd, size));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
			ioctl_with_size(test, cmd, size + 1));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
			ioctl_with_size(test, cmd, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, -E2BIG,
			ioctl_with_size(test, cmd, PAGE_SIZE + 1));
	KUNIT_EXPECT_EQ(test, -E2BIG, ioctl_with_size(test, cmd, U32_MAX));
	test_user_end();
}

/* Catches: a request of a newer program that is silently ignored. */
static void ioctl_checks_tail(struct kunit *test)
{
	const struct ioctl_size_case *param = test->param_value;
	const u8 zero = 0, one = 1;
	u32 offsets[] = { param->known, PAGE_SIZE - 1 };
	unsigned int i;

	ioctl_begin(test);
	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
				ioctl_with_size(test, param->cmd, PAGE_SIZE));
		ioctl_write(test, offsets[i], &one, 1);
		KUNIT_EXPECT_EQ(test, -E2BIG,
				ioctl_with_size(test, param->cmd, PAGE_SIZE));
		KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
				ioctl_with_size(test, param->cmd, offsets[i]));
		ioctl_write(test, offsets[i], &zero, 1);
	}
	test_user_end();
}

/* Catches: an access to memory that is not mapped. */
static void ioctl_checks_pointer(struct kunit *test)
{
	const struct ioctl_size_case *param = test->param_value;
	struct ioctl_test *it = test->priv;
	u32 size = param->size, at = USER_SIZE - size + 1;

	ioctl_begin(test);
	KUNIT_EXPECT_EQ(test, -EFAULT, ioctl_at(test, param->cmd, NULL));
	KUNIT_EXPECT_EQ(test, -EFAULT,
			ioctl_at(test, param->cmd, it->user + USER_SIZE));
	ioctl_write(test, at, &size, sizeof(size));
	KUNIT_EXPECT_EQ(test, -EFAULT,
			ioctl_at(test, param->cmd, it->user + at));
	test_user_end();
}

/* Catches: a command that is handled as another. */
static void ioctl_checks_commands(struct kunit *test)
{
	static const unsigned int cmds[] = {
		_IO(DMACPY_TYPE, DMACPY_CMD_RUN + 1),
		_IO(DMACPY_TYPE, 0xff),
		_IO(DMACPY_TYPE + 1, DMACPY_CMD_RELEASE),
		_IOWR(DMACPY_TYPE, DMACPY_CMD_RELEASE, struct dmacpy_release),
		0,
		UINT_MAX,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cmds); i++)
		KUNIT_EXPECT_EQ(test, -ENOTTY, ioctl_at(test, cmds[i], NULL));
}

struct ioctl_case {
	const char *name;
	unsigned int cmd;
	union ioctl_any args;
	int result;
};

#define ALLOC_CASE(desc, ret, ...)					\
	{ desc, DMACPY_ALLOC,						\
	  { .alloc = { .size = SIZE_ALLOC, __VA_ARGS__ } }, ret }
#define IMPORT_CASE(desc, ret, ...)					\
	{ desc, DMACPY_IMPORT,						\
	  { .import = { .size = SIZE_IMPORT, __VA_ARGS__ } }, ret }
#define REGISTER_CASE(desc, ret, ...)					\
	{ desc, DMACPY_REGISTER,					\
	  { .register_ = { .size = SIZE_REGISTER, __VA_ARGS__ } }, ret }
#define RELEASE_CASE(desc, ret, ...)					\
	{ desc, DMACPY_RELEASE,						\
	  { .release = { .size = SIZE_RELEASE, __VA_ARGS__ } }, ret }
#define SUBMIT_CASE(desc, ret, ...)					\
	{ desc, DMACPY_SUBMIT,						\
	  { .submit = { .size = SIZE_SUBMIT, __VA_ARGS__ } }, ret }

#define SYNC_CASE(desc, ret, ...)					\
	{ desc, DMACPY_SYNC,						\
	  { .sync = { .size = SIZE_SYNC, __VA_ARGS__ } }, ret }

static const struct ioctl_case ioctl_cases[] = {
	ALLOC_CASE("a mode that there is not", -EOPNOTSUPP,
		   .length = 1, .fd_flags = O_RDWR | O_NONBLOCK),
	ALLOC_CASE("memory to be written only", -EINVAL,
		   .length = 1, .fd_flags = O_WRONLY),
	IMPORT_CASE("no access", -EINVAL, .fd = -1),
	IMPORT_CASE("another access", -EOPNOTSUPP,
		    .fd = -1, .access = DMACPY_ACCESS_READ | 4),
	IMPORT_CASE("reserved before access", -EINVAL,
		    .fd = -1, .access = 4, .__reserved = 1),
	IMPORT_CASE("access before the file", -EBADF,
		    .fd = -1, .access = DMACPY_ACCESS_READ),
	REGISTER_CASE("no access to memory", -EINVAL, .length = 1),
	REGISTER_CASE("another access to memory", -EOPNOTSUPP,
		      .length = 1, .access = 4),
	REGISTER_CASE("no memory", -EINVAL, .access = DMACPY_ACCESS_READ),
	REGISTER_CASE("memory that wraps", -EINVAL,
		      .addr = U64_MAX, .length = 2,
		      .access = DMACPY_ACCESS_READ),
	REGISTER_CASE("memory that is not there", -EFAULT,
		      .length = 1, .access = DMACPY_ACCESS_READ),
	RELEASE_CASE("no such handle", -ENOENT, .handle = 1),
	RELEASE_CASE("reserved", -EINVAL, .handle = 1, .__reserved = 1),
	SUBMIT_CASE("no operations", -EINVAL, .op_size = SIZE_OP),
	SUBMIT_CASE("short operations", -EINVAL,
		    .op_count = 1, .op_size = SIZE_OP - 1),
	SUBMIT_CASE("short before many", -EINVAL,
		    .op_count = U32_MAX, .op_size = SIZE_OP - 1),
	SUBMIT_CASE("many operations", -E2BIG,
		    .op_count = 1025, .op_size = SIZE_OP),
	SUBMIT_CASE("long operations", -E2BIG,
		    .op_count = 1, .op_size = PAGE_SIZE + 1),
	SUBMIT_CASE("operations that are not there", -EFAULT,
		    .op_count = 1, .op_size = SIZE_OP),
	SUBMIT_CASE("operations at no address", -EFAULT,
		    .ops = U64_MAX, .op_count = 1, .op_size = SIZE_OP),
	SYNC_CASE("no direction", -EINVAL,
		  .range_count = 1, .range_size = SIZE_RANGE),
	SYNC_CASE("both directions", -EINVAL, .flags = 3,
		  .range_count = 1, .range_size = SIZE_RANGE),
	SYNC_CASE("no ranges", -EINVAL, .flags = DMACPY_SYNC_FOR_CPU,
		  .range_size = SIZE_RANGE),
	SYNC_CASE("short ranges", -EINVAL, .flags = DMACPY_SYNC_FOR_CPU,
		  .range_count = 1, .range_size = SIZE_RANGE - 1),
	SYNC_CASE("many ranges", -E2BIG, .flags = DMACPY_SYNC_FOR_CPU,
		  .range_count = 1025, .range_size = SIZE_RANGE),
	SYNC_CASE("long ranges", -E2BIG, .flags = DMACPY_SYNC_FOR_CPU,
		  .range_count = 1, .range_size = PAGE_SIZE + 1),
	SYNC_CASE("ranges that are not there", -EFAULT,
		  .flags = DMACPY_SYNC_FOR_CPU, .range_count = 1,
		  .range_size = SIZE_RANGE),
	SYNC_CASE("ranges at no address", -EFAULT,
		  .flags = DMACPY_SYNC_FOR_CPU, .ranges = U64_MAX,
		  .range_count = 1, .range_size = SIZE_RANGE),
};

KUNIT_ARRAY_PARAM_DESC(ioctl, ioctl_cases, name);

/*
 * Catches: invalid arguments that are accepted, or get another errno than
 * documented.
 */
static void ioctl_checks_arguments(struct kunit *test)
{
	const struct ioctl_case *param = test->param_value;

	ioctl_begin(test);
	KUNIT_EXPECT_EQ(test, param->result,
			ioctl_run(test, param->cmd, &param->args));
	test_user_end();
}

static int ioctl_submit(struct kunit *test, u32 flags, s32 in_fence,
			u32 op_size, u32 op_count)
{
	struct ioctl_test *it = test->priv;
	union ioctl_any args = { .submit = {
		.size = SIZE_SUBMIT,
		.flags = flags,
		.ops = (unsigned long)it->user + USER_OPS,
		.op_count = op_count,
		.op_size = op_size,
		.in_fence = in_fence,
	}};

	return ioctl_run(test, DMACPY_SUBMIT, &args);
}

/* Catches: an operation that differs from the program's, and is run. */
static void ioctl_checks_operations(struct kunit *test)
{
	struct dmacpy_op op = { .length = 1, .dst = 1, .src = 1 };
	const u8 one = 1;

	ioctl_begin(test);
	ioctl_write(test, USER_OPS, &op, sizeof(op));
	KUNIT_EXPECT_EQ(test, -ENOENT, ioctl_submit(test, 0, 0, SIZE_OP, 1));
	KUNIT_EXPECT_EQ(test, -ENOENT,
			ioctl_submit(test, 0, 0, SIZE_OP + 1, 1));
	KUNIT_EXPECT_EQ(test, -EINVAL, ioctl_submit(test, 0, 1, SIZE_OP, 1));
	KUNIT_EXPECT_EQ(test, -EBADF,
			ioctl_submit(test, DMACPY_SUBMIT_IN_FENCE, -1, SIZE_OP,
				     1));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
			ioctl_submit(test, DMACPY_SUBMIT_SPREAD << 1, 0,
				     SIZE_OP, 1));
	ioctl_write(test, USER_OPS + SIZE_OP, &one, 1);
	KUNIT_EXPECT_EQ(test, -E2BIG,
			ioctl_submit(test, 0, 0, SIZE_OP + 1, 1));
	op.opcode = DMACPY_OP_FILL + 1;
	ioctl_write(test, USER_OPS, &op, sizeof(op));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
			ioctl_submit(test, 0, 0, SIZE_OP, 1));
	test_user_end();
}

/*
 * Catches: longer operations of a newer program that are read at a wrong
 * offset.
 */
static void ioctl_skips_tails(struct kunit *test)
{
	const u32 op_size = SIZE_OP + 24;
	struct ioctl_test *it = test->priv;
	struct dma_buf *dmabuf;
	struct dmacpy_op op;
	unsigned int i;
	u8 *memory;

	memory = kunit_kzalloc(test, 4 * COPY_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, memory);
	memset(memory, 0xa5, COPY_SIZE);
	dmabuf = test_dmabuf_of(test, it->engine, memory, 4 * COPY_SIZE);
	ioctl_begin(test);
	op = (struct dmacpy_op){
		.dst = test_stream_import(test, it->stream, dmabuf),
		.length = COPY_SIZE,
	};
	op.src = op.dst;
	for (i = 0; i < 3; i++) {
		op.dst_offset = (i + 1) * COPY_SIZE;
		op.src_offset = i * COPY_SIZE;
		ioctl_write(test, USER_OPS + i * op_size, &op, sizeof(op));
	}
	KUNIT_EXPECT_EQ(test, 0,
			ioctl_submit(test, DMACPY_SUBMIT_WAIT, 0, op_size, 3));
	KUNIT_EXPECT_NULL(test, memchr_inv(memory, 0xa5, 4 * COPY_SIZE));
	KUNIT_EXPECT_EQ(test, 0, dmacpy_handle_release(it->stream, op.dst));
	test_user_end();
}

/* Replaces dmacpy_buf_sync_part(). */
static void ioctl_note_sync(struct device *dev, dma_addr_t addr, size_t size,
			    enum dma_data_direction dir, bool for_cpu)
{
	struct kunit *test = kunit_get_current_test();
	struct ioctl_test *it = test->priv;

	KUNIT_ASSERT_LT(test, it->nsyncs, MAX_SYNCS);
	KUNIT_EXPECT_EQ(test, DMA_BIDIRECTIONAL, dir);
	it->syncs[it->nsyncs++] = (struct ioctl_sync){ addr, size, for_cpu };
}

/* Expects the syncs since the last call, in this order. */
static void ioctl_expect_syncs(struct kunit *test, dma_addr_t base,
			       const struct ioctl_sync *wanted,
			       unsigned int count)
{
	struct ioctl_test *it = test->priv;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, count, it->nsyncs);
	for (i = 0; i < count; i++) {
		KUNIT_EXPECT_EQ(test, base + wanted[i].addr, it->syncs[i].addr);
		KUNIT_EXPECT_EQ(test, wanted[i].size, it->syncs[i].size);
		KUNIT_EXPECT_EQ(test, wanted[i].for_cpu, it->syncs[i].for_cpu);
	}
	it->nsyncs = 0;
}

static int ioctl_sync_two(struct kunit *test, u32 handle, u32 flags)
{
	const struct dmacpy_sync_range ranges[] = {
		{ .handle = handle, .offset = 3, .length = 5 },
		{ .handle = handle, .offset = COPY_SIZE, .length = COPY_SIZE },
	};
	struct ioctl_test *it = test->priv;
	union ioctl_any args = { .sync = {
		.size = SIZE_SYNC,
		.flags = flags,
		.ranges = (unsigned long)it->user + USER_OPS,
		.range_count = 2,
		.range_size = SIZE_RANGE,
	}};

	ioctl_write(test, USER_OPS, ranges, sizeof(ranges));
	return ioctl_run(test, DMACPY_SYNC, &args);
}

static int ioctl_copy(struct kunit *test, u32 handle)
{
	const struct dmacpy_op op = {
		.dst = handle,
		.dst_offset = COPY_SIZE,
		.src = handle,
		.length = COPY_SIZE,
	};

	ioctl_write(test, USER_OPS, &op, sizeof(op));
	return ioctl_submit(test, DMACPY_SUBMIT_WAIT, 0, SIZE_OP, 1);
}

/* Catches: a copy that does not sync, or syncs memory that only SYNC may. */
static void ioctl_syncs_memory(struct kunit *test)
{
	static const struct ioctl_sync by_copy[] = {
		{ COPY_SIZE, COPY_SIZE, false },
		{ 0, COPY_SIZE, false },
		{ COPY_SIZE, COPY_SIZE, true },
	};
	static const struct ioctl_sync for_device[] = {
		{ 3, 5, false },
		{ COPY_SIZE, COPY_SIZE, false },
	};
	static const struct ioctl_sync for_cpu[] = {
		{ 3, 5, true },
		{ COPY_SIZE, COPY_SIZE, true },
	};
	struct ioctl_test *it = test->priv;
	struct dmacpy_buf *buf;
	struct dma_buf *dmabuf;
	dma_addr_t base;
	u32 handle;
	u8 *memory;

	memory = kunit_kzalloc(test, 2 * COPY_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, memory);
	base = test_engine_addr(it->engine, memory);
	dmabuf = test_dmabuf_of(test, it->engine, memory, 2 * COPY_SIZE);
	handle = test_stream_import(test, it->stream, dmabuf);
	buf = xa_load(&it->stream->bufs, handle);
	kunit_activate_static_stub(test, dmacpy_buf_sync_part, ioctl_note_sync);
	ioctl_begin(test);
	/* The engine has to call back in this thread. */
	it->engine->at_once = true;

	/* Treat it as registered memory, for an engine that is not coherent. */
	buf->incoherent = true;
	buf->needs_sync = true;
	KUNIT_EXPECT_EQ(test, 0, ioctl_copy(test, handle));
	ioctl_expect_syncs(test, base, by_copy, ARRAY_SIZE(by_copy));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			ioctl_sync_two(test, handle, DMACPY_SYNC_FOR_DEVICE));
	ioctl_expect_syncs(test, base, NULL, 0);

	buf->explicit_sync = true;
	buf->needs_sync = false;
	KUNIT_EXPECT_EQ(test, 0, ioctl_copy(test, handle));
	ioctl_expect_syncs(test, base, NULL, 0);
	KUNIT_EXPECT_EQ(test, 0,
			ioctl_sync_two(test, handle, DMACPY_SYNC_FOR_DEVICE));
	ioctl_expect_syncs(test, base, for_device, ARRAY_SIZE(for_device));
	KUNIT_EXPECT_EQ(test, 0,
			ioctl_sync_two(test, handle, DMACPY_SYNC_FOR_CPU));
	ioctl_expect_syncs(test, base, for_cpu, ARRAY_SIZE(for_cpu));

	/* The engine snoops the caches. */
	buf->incoherent = false;
	KUNIT_EXPECT_EQ(test, 0,
			ioctl_sync_two(test, handle, DMACPY_SYNC_FOR_CPU));
	ioctl_expect_syncs(test, base, NULL, 0);
	test_user_end();
	/* Free the dma-buf before the stream. */
	KUNIT_EXPECT_EQ(test, 0, dmacpy_handle_release(it->stream, handle));
}

static const struct ioctl_case ioctl_unbound_cases[] = {
	{ "GET_INFO", DMACPY_GET_INFO,
	  { .get_info = { .size = SIZE_GET_INFO } }, -ENODEV },
	ALLOC_CASE("ALLOC", -ENODEV, .length = 1, .fd_flags = O_RDWR),
	IMPORT_CASE("IMPORT", -EBADF, .fd = -1, .access = DMACPY_ACCESS_READ),
	RELEASE_CASE("RELEASE", -ENOENT, .handle = 1),
};

KUNIT_ARRAY_PARAM_DESC(ioctl_unbound, ioctl_unbound_cases, name);

/* Catches: a command that accesses hardware after an unbind. */
static void ioctl_is_unbound(struct kunit *test)
{
	const struct ioctl_case *param = test->param_value;
	struct dmacpy_op op = { .length = 1, .dst = 1, .src = 1 };
	struct ioctl_test *it = test->priv;

	test_device_unbind(it->dev);
	ioctl_begin(test);
	KUNIT_EXPECT_EQ(test, param->result,
			ioctl_run(test, param->cmd, &param->args));
	ioctl_write(test, USER_OPS, &op, sizeof(op));
	KUNIT_EXPECT_EQ(test, -ENODEV, ioctl_submit(test, 0, 0, SIZE_OP, 1));
	test_user_end();
}

static int ioctl_init(struct kunit *test)
{
	struct ioctl_test *it;

	it = kunit_kzalloc(test, sizeof(*it), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, it);
	it->engine = test_engine_new(test);
	test_engine_register(test, it->engine);
	it->dev = test_device_new(test, it->engine);
	it->stream = test_stream_open(test, it->dev, it->engine);
	test->priv = it;
	return 0;
}

static struct kunit_case ioctl_test_cases[] = {
	KUNIT_CASE_PARAM(ioctl_checks_size, ioctl_size_gen_params),
	KUNIT_CASE_PARAM(ioctl_checks_tail, ioctl_size_gen_params),
	KUNIT_CASE_PARAM(ioctl_checks_pointer, ioctl_size_gen_params),
	KUNIT_CASE(ioctl_checks_commands),
	KUNIT_CASE_PARAM(ioctl_checks_arguments, ioctl_gen_params),
	KUNIT_CASE(ioctl_checks_operations),
	KUNIT_CASE(ioctl_skips_tails),
	KUNIT_CASE(ioctl_syncs_memory),
	KUNIT_CASE_PARAM(ioctl_is_unbound, ioctl_unbound_gen_params),
	{ }
};

static struct kunit_suite ioctl_suite = {
	.name = "dmacpy_ioctl",
	.init = ioctl_init,
	.test_cases = ioctl_test_cases,
};

kunit_test_suites(&ioctl_suite);
