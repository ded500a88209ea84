// SPDX-License-Identifier: GPL-2.0-only
/*
 * The limits that GET_INFO returns: the limit itself is accepted, one more is
 * refused. They are parameters of the module. For limits of users see
 * account.c.
 */
#include <fcntl.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "common.h"
#include "engine.h"
#include "instance.h"

#define LENGTH		(64 * KIB)

FIXTURE(limits)
{
	struct instance instance;
	struct dmacpy_get_info info;
	struct dmacpy_op *ops;
	int stream, handle;
};

FIXTURE_SETUP(limits)
{
	int fd;

	if (engine_find(&self->instance))
		SKIP(return, "no instance on the fake DMA engine");
	ASSERT_TRUE(engine_reset());
	self->stream = stream_open(self->instance.node);
	ASSERT_LE(0, self->stream);
	self->info = stream_info(self->stream);
	fd = sram_alloc(self->stream, LENGTH);
	self->handle = dmabuf_import(self->stream, fd, ACCESS_BOTH);
	ASSERT_LT(0, self->handle);
	close(fd);
	self->ops = calloc(self->info.max_ops + 1, sizeof(*self->ops));
	ASSERT_NE(NULL, self->ops);
}

FIXTURE_TEARDOWN_PARENT(limits)
{
	EXPECT_TRUE(engine_reset());
	EXPECT_EQ(0, sram_leaked());
}

static void fill_bytes(struct dmacpy_op *op, uint32_t handle, uint64_t length)
{
	*op = (struct dmacpy_op){
		.opcode = DMACPY_OP_FILL,
		.dst = handle,
		.length = length,
	};
}

/* Catches: a parameter that GET_INFO does not return. */
TEST_F(limits, are_told)
{
	const char *directory = "/sys/module/dmacpy/parameters/";
	const struct {
		const char *name;
		uint64_t told;
	} limits[] = {
		{ "max_jobs", self->info.max_jobs },
		{ "max_events", self->info.max_events },
		{ "max_ops", self->info.max_ops },
		{ "max_rows", self->info.max_rows },
		{ "max_bytes", self->info.max_bytes },
		{ "max_user_bytes", self->info.max_user_bytes },
		{ "max_user_jobs", self->info.max_user_jobs },
		{ "max_user_streams", self->info.max_user_streams },
		{ "max_user_handles", self->info.max_user_handles },
	};
	char path[128];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(limits); i++) {
		snprintf(path, sizeof(path), "%s%s", directory, limits[i].name);
		EXPECT_EQ(limits[i].told, get_number(path))
			TH_LOG("%s", limits[i].name);
	}
}

/* Catches: a limit that is off by one, or not checked. */
TEST_F_TIMEOUT(limits, operations, SLOW)
{
	unsigned int i;

	if (self->info.max_ops > self->info.max_rows)
		SKIP(return, "the limit of rows is lower");
	for (i = 0; i <= self->info.max_ops; i++)
		fill_bytes(&self->ops[i], self->handle, 4);
	EXPECT_EQ(0, submit(self->stream, self->ops, self->info.max_ops));
	EXPECT_EQ(-E2BIG,
		  submit(self->stream, self->ops, self->info.max_ops + 1));
}

/* Catches: rows, which take a descriptor each, without a limit. */
TEST_F_TIMEOUT(limits, rows, 5 * SLOW)
{
	struct dmacpy_op op = {
		.opcode = DMACPY_OP_COPY_2D,
		.length = 1,
		.dst_stride = 1,
		.rows = self->info.max_rows + 1,
	};
	uint8_t *from = memory_map(op.rows), *to = memory_map(op.rows);

	op.src = memory_register(self->stream, from, op.rows,
				 DMACPY_ACCESS_READ);
	op.dst = memory_register(self->stream, to, op.rows,
				 DMACPY_ACCESS_WRITE);
	EXPECT_EQ(-E2BIG, submit(self->stream, &op, 1));
	op.rows--;
	EXPECT_EQ(0, submit(self->stream, &op, 1));
}

/* Catches: a FILL of short patterns, each with a descriptor, as one row. */
TEST_F_TIMEOUT(limits, rows_of_fills, 5 * SLOW)
{
	unsigned int count = self->info.max_ops, block = 64 * KIB / count, i;

	if (self->info.max_ops != 1024 || self->info.max_rows != 16384)
		SKIP(return, "other limits than by default");
	for (i = 0; i < count; i++)
		fill_bytes(&self->ops[i], self->handle, 16 * block);
	EXPECT_EQ(0, submit(self->stream, self->ops, count));
	self->ops[0].length++;
	EXPECT_EQ(-E2BIG, submit(self->stream, self->ops, count));
}

/* Catches: a job of many bytes that delays all others. */
TEST_F_TIMEOUT(limits, bytes, SLOW)
{
	uint64_t left = self->info.max_bytes;
	unsigned int n;

	for (n = 0; left && n < self->info.max_ops; n++) {
		self->ops[n] = (struct dmacpy_op){
			.opcode = DMACPY_OP_COPY,
			.dst = self->handle,
			.src = self->handle,
			.src_offset = LENGTH / 2,
			.length = left < LENGTH / 2 ? left : LENGTH / 2,
		};
		left -= self->ops[n].length;
	}
	if (left || n == self->info.max_ops)
		SKIP(return, "the limit of operations is lower");
	EXPECT_EQ(0, submit(self->stream, self->ops, n));
	fill_bytes(&self->ops[n], self->handle, 1);
	EXPECT_EQ(-E2BIG, submit(self->stream, self->ops, n + 1));
}

/* Catches: jobs, or unread events, without a limit. */
TEST_F_TIMEOUT(limits, jobs_and_events, SLOW)
{
	struct dmacpy_submit args = { };
	unsigned int i;

	ASSERT_EQ(0, fcntl(self->stream, F_SETFL, O_NONBLOCK));
	ASSERT_TRUE(engine_set("hang", 1));
	fill_bytes(&self->ops[0], self->handle, 4);
	for (i = 0; i < self->info.max_jobs; i++) {
		args.flags = i < self->info.max_events ? DMACPY_SUBMIT_EVENT :
							 0;
		EXPECT_EQ(0, submit_with(self->stream, self->ops, 1, &args));
	}
	EXPECT_EQ(-EAGAIN, submit_with(self->stream, self->ops, 1, &args));
	ASSERT_TRUE(engine_reset());
	EXPECT_EQ(0, fsync(self->stream));

	for (; i < self->info.max_events; i++) {
		args.flags = DMACPY_SUBMIT_EVENT | DMACPY_SUBMIT_WAIT;
		EXPECT_EQ(0, submit_with(self->stream, self->ops, 1, &args));
	}
	args.flags = DMACPY_SUBMIT_EVENT;
	EXPECT_EQ(-EAGAIN, submit_with(self->stream, self->ops, 1, &args));
}

TEST_HARNESS_MAIN
