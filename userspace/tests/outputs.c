// SPDX-License-Identifier: GPL-2.0-only
/*
 * Outputs of a command that fails: each stays unchanged, so that a program that
 * has set them can tell which objects it owns. Covers each kind of failure, up
 * to the last step before the job is started.
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "common.h"
#include "engine.h"

#define LENGTH		(16 * KIB)
#define FILE_MAX	"/proc/sys/fs/file-max"
#define USER		12345
/* An fd, and a handle, that no command returns */
#define UNTOUCHED	0x7a7a7a7a

union args {
	struct {
		uint32_t size, flags;
	} head;
	struct dmacpy_alloc alloc;
	struct dmacpy_import import;
	struct dmacpy_register reg;
	struct dmacpy_submit submit;
	struct dmacpy_prepare prepare;
	struct dmacpy_run run;
};

FIXTURE(outputs)
{
	struct instance instance;
	struct dmacpy_get_info info;
	int stream, fd, read_only, handle, reader;
	unsigned int files;
	uint8_t *user;
	size_t page;
	struct dmacpy_op op;
	struct dmacpy_run_job job;
};

static union args prepare_args(const FIXTURE_DATA(outputs) *self);

FIXTURE_SETUP(outputs)
{
	union args args;

	if (engine_find(&self->instance))
		SKIP(return, "no instance on the fake DMA engine");
	ASSERT_TRUE(engine_reset());
	self->page = getpagesize();
	self->user = memory_map(2 * self->page);
	ASSERT_NE(NULL, self->user);
	self->stream = stream_open(self->instance.node);
	ASSERT_LE(0, self->stream);
	self->info = stream_info(self->stream);
	self->fd = sram_alloc(self->stream, LENGTH);
	self->read_only = sram_alloc_flags(self->stream, LENGTH, O_RDONLY);
	self->handle = dmabuf_import(self->stream, self->fd, ACCESS_BOTH);
	self->reader = dmabuf_import(self->stream, self->read_only,
				     DMACPY_ACCESS_READ);
	ASSERT_LT(0, self->handle);
	ASSERT_LT(0, self->reader);
	self->op = (struct dmacpy_op){
		.opcode = DMACPY_OP_FILL,
		.dst = self->handle,
		.length = LENGTH,
	};
	args = prepare_args(self);
	ASSERT_EQ(0, command(self->stream, DMACPY_PREPARE, &args));
	self->job.handle = args.prepare.handle;
	self->files = open_files();
}

FIXTURE_TEARDOWN_PARENT(outputs)
{
	EXPECT_TRUE(engine_reset());
	EXPECT_EQ(0, sram_leaked());
}

/* Commands that succeed unless a test changes them */
static union args alloc_args(void)
{
	return (union args){ .alloc = {
		.size = sizeof(struct dmacpy_alloc),
		.length = 1,
		.fd_flags = O_RDWR | O_CLOEXEC,
		.fd = UNTOUCHED,
	} };
}

static union args import_args(const FIXTURE_DATA(outputs) *self)
{
	return (union args){ .import = {
		.size = sizeof(struct dmacpy_import),
		.fd = self->fd,
		.access = ACCESS_BOTH,
		.handle = UNTOUCHED,
		.length = UNTOUCHED,
	} };
}

static union args register_args(const FIXTURE_DATA(outputs) *self)
{
	return (union args){ .reg = {
		.size = sizeof(struct dmacpy_register),
		.addr = (uintptr_t)self->user,
		.length = self->page,
		.access = ACCESS_BOTH,
		.handle = UNTOUCHED,
	} };
}

static union args submit_args(const FIXTURE_DATA(outputs) *self)
{
	return (union args){ .submit = {
		.size = sizeof(struct dmacpy_submit),
		.flags = DMACPY_SUBMIT_OUT_FENCE,
		.ops = (uintptr_t)&self->op,
		.op_count = 1,
		.op_size = sizeof(self->op),
		.out_fence = UNTOUCHED,
	} };
}

static union args prepare_args(const FIXTURE_DATA(outputs) *self)
{
	return (union args){ .prepare = {
		.size = sizeof(struct dmacpy_prepare),
		.ops = (uintptr_t)&self->op,
		.op_count = 1,
		.op_size = sizeof(self->op),
		.handle = UNTOUCHED,
	} };
}

static union args run_args(const FIXTURE_DATA(outputs) *self)
{
	return (union args){ .run = {
		.size = sizeof(struct dmacpy_run),
		.flags = DMACPY_SUBMIT_OUT_FENCE,
		.jobs = (uintptr_t)&self->job,
		.job_count = 1,
		.job_size = sizeof(self->job),
		.out_fence = UNTOUCHED,
	} };
}

/* Returns the command's result, or -EBADMSG if it changed a wrong output. */
static int run(int stream, unsigned long request, const union args *args)
{
	union args after = *args;
	int ret = command(stream, request, &after);

	if (request == DMACPY_SUBMIT)
		after.submit.refused_op = args->submit.refused_op;
	if (request == DMACPY_PREPARE)
		after.prepare.refused_op = args->prepare.refused_op;
	return memcmp(args, &after, args->head.size) ? -EBADMSG : ret;
}

static int run_submit(const FIXTURE_DATA(outputs) *self)
{
	union args args = submit_args(self);

	return run(self->stream, DMACPY_SUBMIT, &args);
}

static int run_prepare(const FIXTURE_DATA(outputs) *self)
{
	union args args = prepare_args(self);

	return run(self->stream, DMACPY_PREPARE, &args);
}

static int run_prepared(const FIXTURE_DATA(outputs) *self)
{
	union args args = run_args(self);

	return run(self->stream, DMACPY_RUN, &args);
}

/* Catches: the length, or the fd, of a buffer that was not allocated. */
TEST_F(outputs, alloc_refused)
{
	union args args = alloc_args();

	args.alloc.length = 0;
	EXPECT_EQ(-EINVAL, run(self->stream, DMACPY_ALLOC, &args));
	args.alloc.length = self->info.sram_total + 1;
	EXPECT_EQ(-ENOSPC, run(self->stream, DMACPY_ALLOC, &args));
	args.alloc.fd_flags = O_NONBLOCK;
	EXPECT_EQ(-EOPNOTSUPP, run(self->stream, DMACPY_ALLOC, &args));
	EXPECT_EQ(self->files, open_files());
}

/* Catches: a handle of memory that was not imported or registered. */
TEST_F(outputs, handle_refused)
{
	union args args = import_args(self);

	args.import.access = DMACPY_ACCESS_READ | 4;
	EXPECT_EQ(-EOPNOTSUPP, run(self->stream, DMACPY_IMPORT, &args));
	args.import.access = ACCESS_BOTH;
	args.import.fd = self->read_only;
	EXPECT_EQ(-EACCES, run(self->stream, DMACPY_IMPORT, &args));
	args.import.fd = self->stream;
	EXPECT_EQ(-EBADF, run(self->stream, DMACPY_IMPORT, &args));

	args = register_args(self);
	args.reg.length = 0;
	EXPECT_EQ(-EINVAL, run(self->stream, DMACPY_REGISTER, &args));
	args = register_args(self);
	ASSERT_EQ(0, munmap(self->user, self->page));
	EXPECT_EQ(-EFAULT, run(self->stream, DMACPY_REGISTER, &args));
}

/* Catches: the fd of a fence of a job that was refused, in any step. */
TEST_F(outputs, submit_refused)
{
	const union args valid = submit_args(self);
	const struct dmacpy_op op = self->op;
	union args args = valid;

	args.submit.op_count = 0;
	EXPECT_EQ(-EINVAL, run(self->stream, DMACPY_SUBMIT, &args));
	args = valid;
	args.submit.ops = 8;
	EXPECT_EQ(-EFAULT, run(self->stream, DMACPY_SUBMIT, &args));
	args = valid;
	args.submit.in_fence = 1;
	EXPECT_EQ(-EINVAL, run(self->stream, DMACPY_SUBMIT, &args));
	args.submit.flags |= DMACPY_SUBMIT_IN_FENCE;
	args.submit.in_fence = self->fd;
	EXPECT_EQ(-EBADF, run(self->stream, DMACPY_SUBMIT, &args));

	/* The following errors are detected after a fence was created. */
	self->op.dst = INT_MAX;
	EXPECT_EQ(-ENOENT, run_submit(self));
	self->op.dst = self->reader;
	EXPECT_EQ(-EACCES, run_submit(self));
	self->op = op;
	self->op.dst_offset = LENGTH;
	EXPECT_EQ(-EINVAL, run_submit(self));
	EXPECT_EQ(self->files, open_files());
}

/* Catches: a handle of operations that were refused. */
TEST_F(outputs, prepare_refused)
{
	union args args = prepare_args(self);
	const struct dmacpy_op op = self->op;

	args.prepare.flags = 1;
	EXPECT_EQ(-EOPNOTSUPP, run(self->stream, DMACPY_PREPARE, &args));
	args = prepare_args(self);
	args.prepare.op_count = 0;
	EXPECT_EQ(-EINVAL, run(self->stream, DMACPY_PREPARE, &args));
	args = prepare_args(self);
	args.prepare.ops = 8;
	EXPECT_EQ(-EFAULT, run(self->stream, DMACPY_PREPARE, &args));
	self->op.dst = INT_MAX;
	EXPECT_EQ(-ENOENT, run_prepare(self));
	self->op.dst = self->reader;
	EXPECT_EQ(-EACCES, run_prepare(self));
	self->op = op;
	self->op.dst_offset = LENGTH;
	EXPECT_EQ(-EINVAL, run_prepare(self));
}

/* Catches: the fd of a fence of a RUN that was refused. */
TEST_F(outputs, run_refused)
{
	const union args valid = run_args(self);
	union args args = valid;

	args.run.job_count = 0;
	EXPECT_EQ(-EINVAL, run(self->stream, DMACPY_RUN, &args));
	args = valid;
	args.run.jobs = 8;
	EXPECT_EQ(-EFAULT, run(self->stream, DMACPY_RUN, &args));
	args = valid;
	args.run.in_fence = 1;
	EXPECT_EQ(-EINVAL, run(self->stream, DMACPY_RUN, &args));
	args.run.flags |= DMACPY_SUBMIT_IN_FENCE;
	args.run.in_fence = self->fd;
	EXPECT_EQ(-EBADF, run(self->stream, DMACPY_RUN, &args));
	self->job.__reserved = 1;
	EXPECT_EQ(-EINVAL, run_prepared(self));
	self->job = (struct dmacpy_run_job){ .handle = self->handle };
	EXPECT_EQ(-ENOENT, run_prepared(self));
	EXPECT_EQ(self->files, open_files());
}

/* Catches: the same, when the stream has no room for a job. */
TEST_F(outputs, no_room_for_a_job)
{
	struct dmacpy_submit job = { };
	unsigned int i;

	ASSERT_TRUE(engine_set("hang", 1));
	for (i = 0; i < self->info.max_jobs; i++)
		ASSERT_EQ(0, submit_with(self->stream, &self->op, 1, &job));
	ASSERT_EQ(0, fcntl(self->stream, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, run_submit(self));
	EXPECT_EQ(-EAGAIN, run_prepared(self));
	EXPECT_EQ(self->files, open_files());
}

static void on_alarm(int number)
{
}

/* Catches: the same, when a signal ends the wait for that room. */
TEST_F(outputs, interrupted)
{
	struct sigaction action = { .sa_handler = on_alarm };
	const struct itimerval often = { { 0, SLOW_US }, { 0, SLOW_US } };
	const struct itimerval never = { };
	struct dmacpy_submit job = { };
	unsigned int i;

	ASSERT_TRUE(engine_set("hang", 1));
	for (i = 0; i < self->info.max_jobs; i++)
		ASSERT_EQ(0, submit_with(self->stream, &self->op, 1, &job));
	ASSERT_EQ(0, sigaction(SIGALRM, &action, NULL));
	/* The first signal may come before the wait has begun. */
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &often, NULL));
	EXPECT_EQ(-EINTR, run_submit(self));
	EXPECT_EQ(-EINTR, run_prepared(self));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &never, NULL));
	EXPECT_EQ(self->files, open_files());
}

/* Catches: a descriptor number that is returned before there is one. */
TEST_F(outputs, no_descriptor)
{
	union args alloc = alloc_args();
	struct rlimit few, limit;

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &limit));
	few = limit;
	few.rlim_cur = 0;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &few));
	EXPECT_EQ(-EMFILE, run(self->stream, DMACPY_ALLOC, &alloc));
	EXPECT_EQ(-EMFILE, run_submit(self));
	EXPECT_EQ(-EMFILE, run_prepared(self));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	EXPECT_EQ(self->files, open_files());
}

/* Runs as an unprivileged user, at the system's limit of files. */
static bool fails_without_files(const FIXTURE_DATA(outputs) *self)
{
	union args alloc = alloc_args();

	return !setgid(USER) && !setuid(USER) &&
	       run(self->stream, DMACPY_ALLOC, &alloc) == -ENFILE &&
	       run_submit(self) == -ENFILE && run_prepared(self) == -ENFILE;
}

/* Catches: too many files in the system reported as too little memory. */
TEST_F(outputs, no_file)
{
	unsigned int max = get_number(FILE_MAX);
	int status = -1;
	pid_t child;

	/* The count of files is only exact when it is near the maximum. */
	ASSERT_TRUE(set_number(FILE_MAX, 0));
	child = fork();
	if (!child)
		_exit(!fails_without_files(self));
	waitpid(child, &status, 0);
	EXPECT_TRUE(set_number(FILE_MAX, max));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, run(self->stream, DMACPY_SUBMIT,
			 &(union args){ .submit = {
				 .size = sizeof(struct dmacpy_submit),
				 .ops = (uintptr_t)&self->op,
				 .op_count = 1,
				 .op_size = sizeof(self->op),
			 } }));
}

static bool fails_without_quota(const FIXTURE_DATA(outputs) *self)
{
	const struct rlimit none = { };
	union args args = register_args(self);

	return !setrlimit(RLIMIT_MEMLOCK, &none) && !setgid(USER) &&
	       !setuid(USER) &&
	       run(self->stream, DMACPY_REGISTER, &args) == -EDQUOT;
}

/* Catches: a handle of memory that exceeds the limit of pins. */
TEST_F(outputs, no_quota)
{
	int status = -1;
	pid_t child = fork();

	if (!child)
		_exit(!fails_without_quota(self));
	waitpid(child, &status, 0);
	EXPECT_EQ(0, status);
}

/* Catches: outputs of an unbound device. */
TEST_F(outputs, unbound)
{
	union args args;

	ASSERT_EQ(0, instance_unbind(&self->instance));
	args = alloc_args();
	EXPECT_EQ(-ENODEV, run(self->stream, DMACPY_ALLOC, &args));
	args = import_args(self);
	EXPECT_EQ(-ENODEV, run(self->stream, DMACPY_IMPORT, &args));
	args = register_args(self);
	EXPECT_EQ(-ENODEV, run(self->stream, DMACPY_REGISTER, &args));
	EXPECT_EQ(-ENODEV, run_submit(self));
	EXPECT_EQ(-ENODEV, run_prepare(self));
	EXPECT_EQ(-ENODEV, run_prepared(self));
	ASSERT_EQ(0, instance_bind(&self->instance));
}

/*
 * Puts the first @before bytes in writable memory, and the rest in read-only
 * memory. Returns true if the output at @name is unchanged.
 */
static bool name_is_untouched(const FIXTURE_DATA(outputs) *self,
			      unsigned long request, const union args *args,
			      size_t before, size_t name)
{
	uint8_t *at = self->user + self->page - before;
	uint32_t now;
	int ret;

	memcpy(at, args, args->head.size);
	mprotect(self->user + self->page, self->page, PROT_READ);
	ret = command(self->stream, request, at);
	mprotect(self->user + self->page, self->page, PROT_READ | PROT_WRITE);
	memcpy(&now, at + name, sizeof(now));
	return ret == -EFAULT && now == UNTOUCHED;
}

/* Catches: an output that stays although its neighbour cannot be written. */
TEST_F(outputs, cannot_be_written)
{
	const union args alloc = alloc_args(), import = import_args(self);
	const union args reg = register_args(self), job = submit_args(self);
	const union args prepare = prepare_args(self), again = run_args(self);
	size_t fd = offsetof(struct dmacpy_alloc, fd);
	size_t import_handle = offsetof(struct dmacpy_import, handle);
	size_t import_length = offsetof(struct dmacpy_import, length);
	size_t handle = offsetof(struct dmacpy_register, handle);
	size_t out_fence = offsetof(struct dmacpy_submit, out_fence);
	size_t prepared = offsetof(struct dmacpy_prepare, handle);
	size_t run_fence = offsetof(struct dmacpy_run, out_fence);
	size_t before;

	for (before = 0; before <= import_length; before += 8) {
		EXPECT_TRUE(name_is_untouched(self, DMACPY_IMPORT, &import,
					      before, import_handle))
			TH_LOG("IMPORT, %zu bytes", before);
	}
	for (before = 0; before <= fd; before += 4) {
		EXPECT_TRUE(name_is_untouched(self, DMACPY_ALLOC, &alloc,
					      before, fd))
			TH_LOG("ALLOC, %zu bytes", before);
	}
	for (before = 0; before <= handle; before += 4) {
		struct dmacpy_register copy = reg.reg;

		copy.addr = (uintptr_t)memory_map(self->page);
		EXPECT_TRUE(name_is_untouched(self, DMACPY_REGISTER,
					      &(union args){ .reg = copy },
					      before, handle))
			TH_LOG("REGISTER, %zu bytes", before);
		munmap((void *)(uintptr_t)copy.addr, self->page);
	}
	for (before = 0; before <= out_fence; before += 4) {
		EXPECT_TRUE(name_is_untouched(self, DMACPY_SUBMIT, &job,
					      before, out_fence))
			TH_LOG("SUBMIT, %zu bytes", before);
	}
	for (before = 0; before <= prepared; before += 4) {
		EXPECT_TRUE(name_is_untouched(self, DMACPY_PREPARE, &prepare,
					      before, prepared))
			TH_LOG("PREPARE, %zu bytes", before);
	}
	for (before = 0; before <= run_fence; before += 4) {
		EXPECT_TRUE(name_is_untouched(self, DMACPY_RUN, &again,
					      before, run_fence))
			TH_LOG("RUN, %zu bytes", before);
	}
	EXPECT_EQ(self->files, open_files());
}

/* Catches: a job that was started, and failed, reported as refused. */
TEST_F(outputs, failed_job_has_its_fence)
{
	union args args = submit_args(self);

	ASSERT_TRUE(engine_set("next_failed", 1));
	args.submit.flags |= DMACPY_SUBMIT_WAIT;
	EXPECT_EQ(-EIO, command(self->stream, DMACPY_SUBMIT, &args));
	ASSERT_NE(UNTOUCHED, args.submit.out_fence);
	EXPECT_EQ(-EIO, fence_status(args.submit.out_fence));
	args = run_args(self);
	ASSERT_TRUE(engine_set("next_failed", 1));
	args.run.flags |= DMACPY_SUBMIT_WAIT;
	EXPECT_EQ(-EIO, command(self->stream, DMACPY_RUN, &args));
	ASSERT_NE(UNTOUCHED, args.run.out_fence);
	EXPECT_EQ(-EIO, fence_status(args.run.out_fence));
}

/* An operation that is refused, for each of the steps that check it */
struct refusal {
	const char *name;
	int ret;
	struct dmacpy_op op;
};

#define OPS	5

/* @stale: value of refused_op before the call */
static int submit_ops(const FIXTURE_DATA(outputs) *self,
		      const struct dmacpy_op *ops, uint32_t size,
		      uint32_t op_size, struct dmacpy_submit *args,
		      uint32_t stale)
{
	*args = (struct dmacpy_submit){
		.size = size,
		.flags = DMACPY_SUBMIT_WAIT,
		.ops = (uintptr_t)ops,
		.op_count = OPS,
		.op_size = op_size,
		.refused_op = stale,
	};
	return command(self->stream, DMACPY_SUBMIT, args);
}

/* Catches: a refusal that names another operation, or none. */
TEST_F(outputs, refused_operation)
{
	const uint32_t half = LENGTH / 2, dst = self->handle;
	const uint64_t bytes = self->info.max_bytes;
	const struct refusal table[] = {
		{ "opcode", -EOPNOTSUPP, { .opcode = 99 } },
		{ "no bytes", -EINVAL, { .dst = dst, .src = dst } },
		{ "no dst", -ENOENT, { .src = dst, .length = 4 } },
		{ "no src", -ENOENT, { .dst = dst, .length = 4 } },
		{ "dst is read-only", -EACCES,
		  { .dst = self->reader, .src = dst, .length = 4 } },
		{ "past the end", -EINVAL,
		  { .dst = dst, .src = self->reader, .src_offset = LENGTH,
		    .length = 1 } },
		{ "overlap", -EINVAL,
		  { .dst = dst, .src = dst, .src_offset = half - 1,
		    .length = half } },
		{ "rows", -E2BIG,
		  { .opcode = DMACPY_OP_COPY_2D, .dst = dst,
		    .src = self->reader, .length = 1, .dst_stride = 1,
		    .rows = self->info.max_rows < LENGTH ?
			    self->info.max_rows : LENGTH } },
		{ "bytes", -EINVAL,
		  { .dst = dst, .src = self->reader, .length = bytes } },
	};
	struct dmacpy_submit args;
	struct dmacpy_op ops[OPS];
	uint32_t bad, i, j;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		for (bad = 0; bad < OPS; bad++) {
			for (j = 0; j < OPS; j++)
				ops[j] = self->op;
			ops[bad] = table[i].op;
			EXPECT_EQ(table[i].ret,
				  submit_ops(self, ops, sizeof(args),
					     sizeof(ops[0]), &args, 0))
				TH_LOG("%s", table[i].name);
			if (table[i].ret != -E2BIG) {
				EXPECT_EQ(bad + 1, args.refused_op)
					TH_LOG("%s", table[i].name);
			} else {
				/* The operation that exceeds the limit */
				EXPECT_EQ(bad ? bad + 1 : 2, args.refused_op);
			}
		}
	}
}

/* Catches: the same for operations that have unknown members. */
TEST_F(outputs, refused_longer_operation)
{
	struct {
		struct dmacpy_op op;
		uint64_t newer;
	} ops[OPS] = { };
	struct dmacpy_submit args;
	uint32_t bad, i;

	for (i = 0; i < OPS; i++)
		ops[i].op = self->op;
	EXPECT_EQ(0, submit_ops(self, &ops[0].op, sizeof(args), sizeof(ops[0]),
				&args, 0));
	for (bad = 0; bad < OPS; bad++) {
		ops[bad].newer = 1;
		EXPECT_EQ(-E2BIG, submit_ops(self, &ops[0].op, sizeof(args),
					     sizeof(ops[0]), &args, 0));
		EXPECT_EQ(bad + 1, args.refused_op);
		ops[bad].newer = 0;
	}
}

/*
 * Catches: an operation named without being the reason; a write to a short
 * struct.
 */
TEST_F(outputs, no_refused_operation)
{
	const uint32_t old = offsetof(struct dmacpy_submit, refused_op);
	struct dmacpy_submit args;
	struct dmacpy_op ops[OPS];
	uint32_t i;

	for (i = 0; i < OPS; i++)
		ops[i] = self->op;
	ops[2].opcode = 99;
	EXPECT_EQ(-EOPNOTSUPP, submit_ops(self, ops, old, sizeof(ops[0]), &args,
					  UNTOUCHED));
	EXPECT_EQ(UNTOUCHED, args.refused_op);
	EXPECT_EQ(-EFAULT, submit_ops(self, NULL, sizeof(args), sizeof(ops[0]),
				      &args, 0));
	EXPECT_EQ(0, args.refused_op);
	EXPECT_EQ(-EINVAL, submit_ops(self, ops, sizeof(args), 1, &args, 0));
	EXPECT_EQ(0, args.refused_op);
	ops[2] = self->op;
	EXPECT_EQ(0, submit_ops(self, ops, sizeof(args), sizeof(ops[0]), &args,
				UNTOUCHED));
	EXPECT_EQ(UNTOUCHED, args.refused_op);
	ASSERT_TRUE(engine_set("next_failed", 1));
	EXPECT_EQ(-EIO, submit_ops(self, ops, sizeof(args), sizeof(ops[0]),
				   &args, 0));
	EXPECT_EQ(0, args.refused_op);
}

/* Catches: a record that is lost, or returned twice, if it cannot be copied. */
TEST_F(outputs, read)
{
	struct dmacpy_submit job = { .flags = DMACPY_SUBMIT_EVENT };
	struct dmacpy_event *at, event;
	size_t before;

	ASSERT_EQ(0, fcntl(self->stream, F_SETFL, O_NONBLOCK));
	job.user_data = 7;
	ASSERT_EQ(0, submit_with(self->stream, &self->op, 1, &job));
	ASSERT_EQ(0, fsync(self->stream));
	ASSERT_EQ(0, mprotect(self->user + self->page, self->page, PROT_READ));
	for (before = 0; before < sizeof(event); before += 8) {
		at = (void *)(self->user + self->page - before);
		EXPECT_EQ(-EFAULT, read_event(self->stream, at));
	}
	ASSERT_EQ(0, read_event(self->stream, &event));
	EXPECT_EQ(7, event.user_data);
	EXPECT_EQ(-EAGAIN, read_event(self->stream, &event));
}

TEST_HARNESS_MAIN
