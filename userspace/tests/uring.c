// SPDX-License-Identifier: GPL-2.0-only
/*
 * SUBMIT by io_uring: the same jobs, and requests that end before their jobs.
 * On the fake engine, whose speed is set.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "common.h"
#include "engine.h"
#include "ring.h"

#define LENGTH		(4 * KIB)
#define ENTRIES		64
#define MANY		32
#define BOUND_MS	5000
#define ROUNDS		200
#define RACERS		3

FIXTURE(uring)
{
	struct instance instance;
	struct io_uring ring;
	int stream;
	int fd[2], handle[2];
	uint8_t *mem[2];
};

FIXTURE_VARIANT(uring)
{
	unsigned int flags;
};

FIXTURE_VARIANT_ADD(uring, plain)
{
	.flags = 0,
};

FIXTURE_VARIANT_ADD(uring, sqe128)
{
	.flags = IORING_SETUP_SQE128,
};

FIXTURE_VARIANT_ADD(uring, defer_taskrun)
{
	.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
};

FIXTURE_VARIANT_ADD(uring, sqpoll)
{
	.flags = IORING_SETUP_SQPOLL | IORING_SETUP_SQE128,
};

/* io_uring does not cancel requests of such a ring. */
FIXTURE_VARIANT_ADD(uring, iopoll)
{
	.flags = IORING_SETUP_IOPOLL,
};

/* Fills buffer i with i + 1. */
FIXTURE_SETUP(uring)
{
	int i;

	ASSERT_EQ(0, engine_find(&self->instance));
	ASSERT_TRUE(engine_reset());
	self->stream = stream_open(self->instance.node);
	for (i = 0; i < 2; i++) {
		self->fd[i] = sram_alloc(self->stream, LENGTH);
		self->handle[i] = dmabuf_import(self->stream, self->fd[i],
						ACCESS_BOTH);
		ASSERT_LE(1, self->handle[i]);
		self->mem[i] = dmabuf_map(self->fd[i], LENGTH);
		ASSERT_NE(NULL, self->mem[i]);
		memset(self->mem[i], i + 1, LENGTH);
	}
	ASSERT_EQ(0, io_uring_queue_init(ENTRIES, &self->ring,
					 variant->flags));
}

FIXTURE_TEARDOWN_PARENT(uring)
{
	EXPECT_TRUE(engine_reset());
	EXPECT_EQ(0, sram_leaked());
}

/* Returns a copy of buffer 1 to buffer 0. */
static struct dmacpy_op copy_op(FIXTURE_DATA(uring) *self)
{
	return (struct dmacpy_op){
		.dst = self->handle[0],
		.src = self->handle[1],
		.length = LENGTH,
	};
}

static struct dmacpy_submit submit_args(const struct dmacpy_op *op)
{
	return (struct dmacpy_submit){
		.size = sizeof(struct dmacpy_submit),
		.ops = (uintptr_t)op,
		.op_count = 1,
		.op_size = sizeof(*op),
	};
}

/*
 * Returns the result of the next request, or -ETIME after a timeout. A ring
 * that polls stops early if another task is ready to run.
 */
static int next_result(struct io_uring *ring, uint64_t *user_data)
{
	struct __kernel_timespec time = { .tv_sec = BOUND_MS / 1000 };
	unsigned int start = milliseconds();
	struct io_uring_cqe *cqe;
	int ret;

	do {
		ret = io_uring_wait_cqe_timeout(ring, &cqe, &time);
	} while (ret == -ETIME && ring->flags & IORING_SETUP_IOPOLL &&
		 milliseconds() - start < BOUND_MS);
	if (ret)
		return ret;
	ret = cqe->res;
	if (user_data)
		*user_data = cqe->user_data;
	io_uring_cqe_seen(ring, cqe);
	return ret;
}

static int run(FIXTURE_DATA(uring) *self, const struct dmacpy_submit *args)
{
	ring_queue(&self->ring, self->stream, args);
	io_uring_submit(&self->ring);
	return next_result(&self->ring, NULL);
}

/* Catches: a request that completes before its data is visible, or never. */
TEST_F(uring, copies)
{
	struct dmacpy_op op = copy_op(self);
	struct dmacpy_submit args = submit_args(&op);
	struct io_uring_cqe *cqe;

	EXPECT_EQ(0, run(self, &args));
	EXPECT_TRUE(all_bytes_are(self->mem[0], 2, LENGTH));

	memset(self->mem[0], 0, LENGTH);
	ASSERT_TRUE(engine_set("hang", 1));
	ring_queue(&self->ring, self->stream, &args);
	ASSERT_EQ(1, io_uring_submit(&self->ring));
	usleep(100 * 1000);
	EXPECT_EQ(-EAGAIN, io_uring_peek_cqe(&self->ring, &cqe));
	ASSERT_TRUE(engine_set("hang", 0));
	EXPECT_EQ(0, next_result(&self->ring, NULL));
	EXPECT_TRUE(all_bytes_are(self->mem[0], 2, LENGTH));
}

/* Catches: jobs of one call that overtake each other, or are mixed up. */
TEST_F(uring, many_in_order)
{
	struct dmacpy_op ops[MANY];
	struct dmacpy_submit args[MANY];
	struct io_uring_sqe *sqe;
	uint64_t user_data, seen = 0;
	unsigned int i;

	ASSERT_TRUE(engine_set("delay_us", 1000));
	for (i = 0; i < MANY; i++) {
		ops[i] = (struct dmacpy_op){
			.opcode = DMACPY_OP_FILL,
			.dst = self->handle[0],
			.length = LENGTH,
			.pattern = 0x01010101 * i,
		};
		args[i] = submit_args(&ops[i]);
		sqe = ring_queue(&self->ring, self->stream, &args[i]);
		sqe->user_data = i;
	}
	ASSERT_EQ(MANY, io_uring_submit(&self->ring));
	for (i = 0; i < MANY; i++) {
		ASSERT_EQ(0, next_result(&self->ring, &user_data));
		seen |= 1ULL << user_data;
	}
	EXPECT_EQ((1ULL << MANY) - 1, seen);
	EXPECT_TRUE(all_bytes_are(self->mem[0], MANY - 1, LENGTH));
}

/*
 * Catches: a request that is not spread, or that completes with its first
 * share; jobs on several channels that overtake those that are plugged, or are
 * overtaken.
 */
TEST_F(uring, spread_among_plugged)
{
	struct dmacpy_get_info info = stream_info(self->stream);
	struct dmacpy_op op = copy_op(self), ops[MANY];
	struct dmacpy_submit args[MANY];
	unsigned int copied, i;

	if (!(info.submit_flags & DMACPY_SUBMIT_SPREAD))
		SKIP(return, "does not spread jobs");
	args[0] = submit_args(&op);
	args[0].flags = DMACPY_SUBMIT_SPREAD;
	args[0].channels = info.channels;
	copied = engine_get("copied");
	EXPECT_EQ(0, run(self, &args[0]));
	EXPECT_EQ(copied + info.channels, engine_get("copied"));
	EXPECT_TRUE(all_bytes_are(self->mem[0], 2, LENGTH));

	for (i = 0; i < MANY; i++) {
		ops[i] = op;
		ops[i].opcode = DMACPY_OP_FILL;
		ops[i].src = 0;
		ops[i].pattern = 0x01010101 * i;
		args[i] = submit_args(&ops[i]);
		if (i % 3 == 2) {
			args[i].flags = DMACPY_SUBMIT_SPREAD;
			args[i].channels = info.channels;
		}
		ring_queue(&self->ring, self->stream, &args[i]);
	}
	ASSERT_EQ(MANY, io_uring_submit(&self->ring));
	for (i = 0; i < MANY; i++)
		ASSERT_EQ(0, next_result(&self->ring, NULL));
	EXPECT_TRUE(all_bytes_are(self->mem[0], MANY - 1, LENGTH));
}

/* Returns a fill of a piece of buffer 0 with its own byte. */
static struct dmacpy_op piece_op(FIXTURE_DATA(uring) *self, unsigned int piece)
{
	return (struct dmacpy_op){
		.opcode = DMACPY_OP_FILL,
		.dst = self->handle[0],
		.dst_offset = piece * (LENGTH / MANY),
		.length = LENGTH / MANY,
		.pattern = 0x01010101 * (piece + 10),
	};
}

/*
 * Catches: jobs that are plugged, as others follow, and stay plugged if the
 * others are no jobs, wait for the previous one, or are issued by another task.
 */
TEST_F(uring, plugged_among_others)
{
	static const uint8_t flags[] = { 0, IOSQE_IO_LINK, 0, IOSQE_ASYNC };
	struct dmacpy_submit args[MANY];
	struct dmacpy_op ops[MANY];
	struct io_uring_sqe *sqe;
	unsigned int i;

	ASSERT_TRUE(engine_set("delay_us", 100));
	for (i = 0; i < MANY; i++) {
		ops[i] = piece_op(self, i);
		args[i] = submit_args(&ops[i]);
		sqe = ring_queue(&self->ring, self->stream, &args[i]);
		sqe->flags |= flags[i % 4];
		if (i % 8 == 5) {
			sqe = io_uring_get_sqe(&self->ring);
			io_uring_prep_nop(sqe);
		}
	}
	ASSERT_EQ(MANY + MANY / 8, io_uring_submit(&self->ring));
	for (i = 0; i < MANY + MANY / 8; i++)
		ASSERT_EQ(0, next_result(&self->ring, NULL));
	for (i = 0; i < MANY; i++)
		EXPECT_TRUE(all_bytes_are(self->mem[0] + i * (LENGTH / MANY),
					  i + 10, LENGTH / MANY));
}

/* Catches: a refused job that leaves earlier ones plugged. */
TEST_F(uring, plugged_before_refused)
{
	struct dmacpy_submit args[3];
	struct dmacpy_op ops[3];
	unsigned int i;
	int refused = 0;

	for (i = 0; i < 3; i++) {
		ops[i] = piece_op(self, i);
		args[i] = submit_args(&ops[i]);
	}
	ops[2].length = 2 * LENGTH;
	for (i = 0; i < 3; i++)
		ring_queue(&self->ring, self->stream, &args[i]);
	ASSERT_EQ(3, io_uring_submit(&self->ring));
	for (i = 0; i < 3; i++)
		refused += next_result(&self->ring, NULL) == -EINVAL;
	EXPECT_EQ(1, refused);
	for (i = 0; i < 2; i++)
		EXPECT_TRUE(all_bytes_are(self->mem[0] + i * (LENGTH / MANY),
					  i + 10, LENGTH / MANY));
}

static struct io_uring_sqe *queue_run(FIXTURE_DATA(uring) *self,
				      struct dmacpy_run_command command)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&self->ring);

	io_uring_prep_rw(IORING_OP_URING_CMD, sqe, self->stream, NULL, 0, 0);
	sqe->cmd_op = DMACPY_RUN;
	*(struct dmacpy_run_command *)sqe->cmd = command;
	return sqe;
}

static int run_prepared(FIXTURE_DATA(uring) *self,
			struct dmacpy_run_command command)
{
	queue_run(self, command);
	io_uring_submit(&self->ring);
	return next_result(&self->ring, NULL);
}

/*
 * Catches: prepared operations that run differently than by the ioctl, or a
 * request that completes before them; invalid requests accepted.
 */
TEST_F(uring, runs_prepared)
{
	struct dmacpy_op op = copy_op(self);
	struct dmacpy_prepare args = {
		.size = sizeof(args),
		.ops = (uintptr_t)&op,
		.op_count = 1,
		.op_size = sizeof(op),
	};
	struct dmacpy_run_command command_args = { };
	unsigned int i;

	ASSERT_EQ(0, command(self->stream, DMACPY_PREPARE, &args));
	command_args.handle = args.handle;
	EXPECT_EQ(0, run_prepared(self, command_args));
	EXPECT_TRUE(all_bytes_are(self->mem[0], 2, LENGTH));

	command_args.flags = DMACPY_SUBMIT_EVENT;
	EXPECT_EQ(-EINVAL, run_prepared(self, command_args));
	command_args.flags = 1U << 31;
	EXPECT_EQ(-EOPNOTSUPP, run_prepared(self, command_args));
	command_args.flags = DMACPY_SUBMIT_IN_FENCE;
	command_args.in_fence = self->fd[0];
	EXPECT_EQ(-EBADF, run_prepared(self, command_args));
	command_args.flags = 0;
	EXPECT_EQ(-EINVAL, run_prepared(self, command_args));
	command_args.in_fence = 0;
	command_args.__reserved = 1;
	EXPECT_EQ(-EINVAL, run_prepared(self, command_args));
	command_args.__reserved = 0;
	command_args.handle++;
	EXPECT_EQ(-ENOENT, run_prepared(self, command_args));
	command_args.handle = self->handle[0];
	EXPECT_EQ(-ENOENT, run_prepared(self, command_args));

	memset(self->mem[0], 0, LENGTH);
	command_args.handle = args.handle;
	ASSERT_TRUE(engine_set("delay_us", 1000));
	for (i = 0; i < MANY; i++)
		queue_run(self, command_args);
	ASSERT_EQ(MANY, io_uring_submit(&self->ring));
	for (i = 0; i < MANY; i++)
		ASSERT_EQ(0, next_result(&self->ring, NULL));
	EXPECT_TRUE(all_bytes_are(self->mem[0], 2, LENGTH));
}

/* Catches: a NO_IMPLICIT request that waits for fences of its buffers. */
TEST_F(uring, no_implicit)
{
	struct dmacpy_op op = copy_op(self), other;
	struct dmacpy_submit args = submit_args(&op);
	int stream = stream_open(self->instance.node);

	other = op;
	other.dst = dmabuf_import(stream, self->fd[0], ACCESS_BOTH);
	other.src = dmabuf_import(stream, self->fd[1], ACCESS_BOTH);
	ASSERT_TRUE(engine_set("hang", 1));
	args.ops = (uintptr_t)&other;
	ASSERT_EQ(0, command(stream, DMACPY_SUBMIT, &args));
	args = submit_args(&op);
	args.flags = DMACPY_SUBMIT_NO_IMPLICIT;
	ring_queue(&self->ring, self->stream, &args);
	ASSERT_EQ(1, io_uring_submit(&self->ring));
	instance_wait_in_flight(&self->instance, 2);
	ASSERT_TRUE(engine_set("hang", 0));
	EXPECT_EQ(0, next_result(&self->ring, NULL));
	EXPECT_EQ(0, fsync(stream));
	close(stream);
}

/* Catches: a file that has more wait queues than io_uring can poll. */
TEST_F(uring, polls)
{
	struct dmacpy_op op = copy_op(self);
	struct dmacpy_submit args = submit_args(&op);
	struct io_uring_sqe *sqe = io_uring_get_sqe(&self->ring);

	if (variant->flags & IORING_SETUP_IOPOLL)
		SKIP(return, "such a ring has no poll requests");
	io_uring_prep_poll_add(sqe, self->stream, POLLIN);
	ASSERT_EQ(1, io_uring_submit(&self->ring));
	ring_wait_until_issued(&self->ring);
	args.flags = DMACPY_SUBMIT_EVENT;
	ASSERT_EQ(0, command(self->stream, DMACPY_SUBMIT, &args));
	EXPECT_EQ(POLLIN, next_result(&self->ring, NULL));
}

/* Catches: a job that only the ioctl refuses. */
TEST_F(uring, refuses)
{
	struct dmacpy_op op = copy_op(self);
	struct dmacpy_submit args = submit_args(&op);

	args.flags = DMACPY_SUBMIT_WAIT;
	EXPECT_EQ(-EINVAL, run(self, &args));
	args.flags = DMACPY_SUBMIT_OUT_FENCE;
	EXPECT_EQ(-EINVAL, run(self, &args));
	args.flags = DMACPY_SUBMIT_EVENT;
	EXPECT_EQ(-EINVAL, run(self, &args));
	args.flags = 1U << 31;
	EXPECT_EQ(-EOPNOTSUPP, run(self, &args));
	args.flags = DMACPY_SUBMIT_IN_FENCE;
	args.in_fence = self->fd[0];
	EXPECT_EQ(-EBADF, run(self, &args));
	args = submit_args(&op);
	args.in_fence = 1;
	EXPECT_EQ(-EINVAL, run(self, &args));
	args = submit_args(&op);
	args.size = offsetof(struct dmacpy_submit, refused_op) - 1;
	EXPECT_EQ(-EINVAL, run(self, &args));
	args = submit_args(&op);
	args.channels = 1;
	EXPECT_EQ(-EINVAL, run(self, &args));
	args = submit_args(&op);
	args.size = 1 << 20;
	EXPECT_EQ(-E2BIG, run(self, &args));
	args = submit_args(&op);
	args.ops = 8;
	EXPECT_EQ(-EFAULT, run(self, &args));
	args = submit_args(&op);
	op.length++;
	EXPECT_EQ(-EINVAL, run(self, &args));
	op = copy_op(self);
	op.src = 999;
	EXPECT_EQ(-ENOENT, run(self, &args));
	op = copy_op(self);
	EXPECT_EQ(0, run(self, &args));
}

/* Catches: an old program that fails after SUBMIT has grown. */
TEST_F(uring, older_size)
{
	struct dmacpy_op op = copy_op(self);
	struct dmacpy_submit args = submit_args(&op);

	args.size = offsetof(struct dmacpy_submit, refused_op);
	EXPECT_EQ(0, run(self, &args));
	EXPECT_TRUE(all_bytes_are(self->mem[0], 2, LENGTH));
	/* The driver must ignore bytes after the structure. */
	args.channels = 1;
	EXPECT_EQ(0, run(self, &args));
}

/* Catches: a refusal that does not name the operation, if it can. */
TEST_F(uring, refused_operation)
{
	bool plain = !(variant->flags & IORING_SETUP_SQE128);
	struct dmacpy_op ops[3] = { copy_op(self), copy_op(self), { } };
	struct dmacpy_submit args = submit_args(ops);

	args.op_count = 3;
	ops[2] = copy_op(self);
	ops[2].src = 999;
	EXPECT_EQ(-ENOENT, run(self, &args));
	EXPECT_EQ(plain ? 3 : 0, args.refused_op);
	args.refused_op = 0;
	ops[1].opcode = 99;
	EXPECT_EQ(-EOPNOTSUPP, run(self, &args));
	EXPECT_EQ(plain ? 2 : 0, args.refused_op);
}

/* Catches: requests that are not dmacpy's, but are accepted. */
TEST_F(uring, refuses_requests)
{
	bool plain = !(variant->flags & IORING_SETUP_SQE128);
	struct dmacpy_op op = copy_op(self);
	struct dmacpy_submit args = submit_args(&op);
	struct io_uring_sqe *sqe;

	sqe = ring_queue(&self->ring, self->stream, &args);
	sqe->cmd_op = DMACPY_GET_INFO;
	io_uring_submit(&self->ring);
	EXPECT_EQ(-EOPNOTSUPP, next_result(&self->ring, NULL));

	sqe = ring_queue(&self->ring, self->stream, &args);
	if (plain)
		((struct dmacpy_submit_pointer *)sqe->cmd)->__reserved = 1;
	else
		((struct dmacpy_submit *)sqe->cmd)->size = 81;
	io_uring_submit(&self->ring);
	EXPECT_EQ(plain ? -EINVAL : -E2BIG, next_result(&self->ring, NULL));

	sqe = ring_queue(&self->ring, self->stream, &args);
	if (plain) {
		((struct dmacpy_submit_pointer *)sqe->cmd)->submit = 8;
	} else {
		((struct dmacpy_submit *)sqe->cmd)->size++;
		sqe->cmd[sizeof(args)] = 1;	/* unknown */
	}
	io_uring_submit(&self->ring);
	EXPECT_EQ(plain ? -EFAULT : -E2BIG, next_result(&self->ring, NULL));
}

/* Catches: a failure of the engine that the request does not return. */
TEST_F(uring, result_of_the_job)
{
	struct dmacpy_op op = copy_op(self);
	struct dmacpy_submit args = submit_args(&op);

	ASSERT_TRUE(engine_set("next_failed", 1));
	EXPECT_EQ(-EIO, run(self, &args));
	EXPECT_EQ(0, run(self, &args));
}

/* Catches: a job that does not wait for its in-fence, or for ever. */
TEST_F(uring, in_fence)
{
	struct dmacpy_op op = copy_op(self);
	struct dmacpy_submit first = { .flags = DMACPY_SUBMIT_OUT_FENCE };
	struct dmacpy_submit args = submit_args(&op);
	int other = stream_open(self->instance.node);
	struct io_uring_cqe *cqe;
	struct dmacpy_op fill = {
		.opcode = DMACPY_OP_FILL,
		.dst = dmabuf_import(other, self->fd[1], ACCESS_BOTH),
		.length = LENGTH,
		.pattern = 0x07070707,
	};

	ASSERT_TRUE(engine_set("hang", 1));
	ASSERT_EQ(0, submit_with(other, &fill, 1, &first));
	args.flags = DMACPY_SUBMIT_IN_FENCE | DMACPY_SUBMIT_NO_IMPLICIT;
	args.in_fence = first.out_fence;
	ring_queue(&self->ring, self->stream, &args);
	ASSERT_EQ(1, io_uring_submit(&self->ring));
	usleep(10 * 1000);
	EXPECT_EQ(-EAGAIN, io_uring_peek_cqe(&self->ring, &cqe));
	ASSERT_TRUE(engine_set("hang", 0));
	EXPECT_EQ(0, next_result(&self->ring, NULL));
	EXPECT_TRUE(all_bytes_are(self->mem[0], 7, LENGTH));
}

/* Catches: a full stream on which io_uring fails, or blocks others. */
TEST_F_TIMEOUT(uring, waits_for_room, SLOW)
{
	unsigned int i, max = stream_info(self->stream).max_jobs;
	struct dmacpy_op op = copy_op(self);
	struct dmacpy_submit args = submit_args(&op), event = { };

	ASSERT_TRUE(engine_set("hang", 1));
	for (i = 0; i < max; i++)
		ASSERT_EQ(0, submit_with(self->stream, &op, 1, &event));
	ring_queue(&self->ring, self->stream, &args)->user_data = 1;
	ASSERT_EQ(1, io_uring_submit(&self->ring));
	usleep(100 * 1000);
	io_uring_prep_nop(io_uring_get_sqe(&self->ring));
	ASSERT_EQ(1, io_uring_submit(&self->ring));
	EXPECT_EQ(0, next_result(&self->ring, NULL));
	ASSERT_TRUE(engine_set("hang", 0));
	EXPECT_EQ(0, next_result(&self->ring, NULL));

	ASSERT_EQ(0, fcntl(self->stream, F_SETFL, O_NONBLOCK));
	ASSERT_TRUE(engine_set("hang", 1));
	for (i = 0; i < max; i++)
		ASSERT_EQ(0, submit_with(self->stream, &op, 1, &event));
	EXPECT_EQ(variant->flags & IORING_SETUP_IOPOLL ? -EBUSY : -EAGAIN,
		  run(self, &args));
}

/*
 * Catches: a request that starts later, when its entry in the ring was reused.
 * A ring of two has two threads, which wait for room.
 */
TEST_F_TIMEOUT(uring, entry_is_reused, SLOW)
{
	unsigned int i, max = stream_info(self->stream).max_jobs;
	struct dmacpy_op op = copy_op(self);
	struct dmacpy_submit args = submit_args(&op), event = { };
	struct io_uring ring;

	ASSERT_EQ(0, io_uring_queue_init(2, &ring, variant->flags));
	ASSERT_TRUE(engine_set("hang", 1));
	for (i = 0; i < max; i++)
		ASSERT_EQ(0, submit_with(self->stream, &op, 1, &event));
	for (i = 0; i < 5; i++) {
		if (i < 3)
			ring_queue(&ring, self->stream, &args);
		else
			io_uring_prep_nop(io_uring_get_sqe(&ring));
		ASSERT_LE(0, io_uring_submit(&ring));
		usleep(100 * 1000);
	}
	ASSERT_TRUE(engine_set("hang", 0));
	for (i = 0; i < 5; i++)
		EXPECT_EQ(0, next_result(&ring, NULL));
}

/* Catches: a race after which a request completes twice, or not at all. */
TEST_F_TIMEOUT(uring, ends_while_it_is_issued, SLOW)
{
	struct dmacpy_op op = copy_op(self);
	struct dmacpy_submit args = submit_args(&op);
	struct io_uring_sqe *sqe;
	unsigned int start = milliseconds(), i, j;
	uint64_t user_data, seen;

	op.length = 64;
	/* Use each delay at least once, and more if there is time. */
	for (i = 0; i < ROUNDS && (i < 50 || milliseconds() - start < 30000);
	     i++) {
		ASSERT_TRUE(engine_set("delay_us", i % 50));
		/* A kernel thread issues the requests with odd numbers. */
		for (j = 0; j < MANY; j++) {
			sqe = ring_queue(&self->ring, self->stream, &args);
			sqe->user_data = j;
			if (j % 2)
				sqe->flags |= IOSQE_ASYNC;
		}
		ASSERT_LE(0, io_uring_submit(&self->ring));
		for (j = 0, seen = 0; j < MANY; j++) {
			ASSERT_EQ(0, next_result(&self->ring, &user_data));
			seen |= 1ULL << user_data;
		}
		ASSERT_EQ((1ULL << MANY) - 1, seen);
	}
	EXPECT_EQ(0, io_uring_cq_ready(&self->ring));
}

/* Catches: a ring that stays, with all its requests, while the engine hangs. */
TEST_F_TIMEOUT(uring, ring_is_closed, SLOW)
{
	struct dmacpy_op op = copy_op(self);
	struct dmacpy_submit args = submit_args(&op);
	struct dmacpy_event event;

	ASSERT_TRUE(engine_set("hang", 1));
	ring_queue(&self->ring, self->stream, &args);
	ASSERT_EQ(1, io_uring_submit(&self->ring));
	ring_wait_until_issued(&self->ring);
	io_uring_queue_exit(&self->ring);
	/* The job continues. */
	args.flags = DMACPY_SUBMIT_EVENT;
	ASSERT_EQ(0, submit_with(self->stream, &op, 1, &args));
	ASSERT_TRUE(set_number(TIMEOUT, 1000));
	ASSERT_EQ(0, read_event(self->stream, &event));
	EXPECT_EQ(-ECANCELED, event.result);
}

/* Before Linux 6.7, a task may have to exit with its requests in flight. */
static bool requests_are_cancelled(void)
{
	return kernel_is_at_least(6, 7);
}

/* Catches: a program that cannot be killed, or that leaks memory. */
TEST_F_TIMEOUT(uring, program_is_killed, SLOW)
{
	struct dmacpy_op op = copy_op(self);
	struct dmacpy_submit args = submit_args(&op);
	unsigned int start, took;
	int status, i;
	pid_t child;

	if (variant->flags & IORING_SETUP_IOPOLL)
		SKIP(return, "io_uring cannot cancel these requests");
	ASSERT_TRUE(set_number(TIMEOUT, 4 * BOUND_MS));
	ASSERT_TRUE(engine_set("hang", 1));
	child = fork();
	if (!child) {
		struct io_uring ring;

		io_uring_queue_init(ENTRIES, &ring, variant->flags);
		for (i = 0; i < MANY; i++)
			ring_queue(&ring, self->stream, &args);
		io_uring_submit(&ring);
		pause();
	}
	instance_wait_in_flight(&self->instance, MANY);
	start = milliseconds();
	ASSERT_EQ(0, kill(child, SIGKILL));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	took = milliseconds() - start;
	EXPECT_GT(requests_are_cancelled() ? BOUND_MS : 5 * BOUND_MS, took);
	ASSERT_TRUE(engine_set("hang", 0));
	EXPECT_EQ(took < BOUND_MS ? 0 : -1, fsync(self->stream));
}

/* Reads the total time of all CPUs, and their idle time. */
static bool read_cpu_time(long *all, long *idle)
{
	long user, nice, system, iowait, irq, softirq;
	FILE *file = fopen("/proc/stat", "r");
	bool done;

	if (!file)
		return false;
	done = fscanf(file, "cpu %ld %ld %ld %ld %ld %ld %ld", &user, &nice,
		      &system, idle, &iowait, &irq, &softirq) == 7;
	fclose(file);
	*idle += iowait;
	*all = user + nice + system + *idle + irq + softirq;
	return done;
}

/*
 * Returns true if there is a second in which the CPUs together are less busy
 * than one polling thread. On a busy host the little work of an idle kernel
 * takes long.
 */
static bool is_quiet(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	long all, idle, all_before, idle_before;
	int tries;

	for (tries = 0; tries < 5; tries++) {
		if (!read_cpu_time(&all_before, &idle_before))
			return false;
		sleep(1);
		if (!read_cpu_time(&all, &idle))
			return false;
		all -= all_before;
		idle -= idle_before;
		if (10 * cpus * (all - idle) < 9 * all)
			return true;
	}
	return false;
}

/* Stops with a request in flight; another process keeps its ring open. */
static void stop_with_request(int stream, unsigned int flags,
			      const struct dmacpy_submit *args, int holders)
{
	struct io_uring ring;
	pid_t holder;

	if (io_uring_queue_init(ENTRIES, &ring, flags))
		_exit(1);
	holder = fork();
	if (holder < 0)
		_exit(1);
	if (!holder) {
		close(holders);
		pause();
	}
	ring_queue(&ring, stream, args);
	if (io_uring_submit(&ring) != 1)
		_exit(1);
	ring_wait_until_issued(&ring);
	io_uring_queue_exit(&ring);
	if (write(holders, &holder, sizeof(holder)) != sizeof(holder))
		_exit(1);
	raise(SIGSTOP);
	_exit(0);
}

/*
 * Catches: a kernel thread that polls continuously for the request of a stopped
 * program, and so does not complete it.
 */
TEST_F_TIMEOUT(uring, program_is_stopped, SLOW)
{
	struct dmacpy_op op = copy_op(self);
	struct dmacpy_submit args = submit_args(&op);
	pid_t child, holder;
	int holders[2], status;

	if (variant->flags & IORING_SETUP_SQPOLL)
		SKIP(return, "the ring's own thread completes it");
	if (variant->flags & IORING_SETUP_IOPOLL)
		SKIP(return, "io_uring cannot cancel these requests");
	ASSERT_TRUE(engine_set("delay_us", 500 * 1000));
	ASSERT_EQ(0, pipe(holders));
	child = fork();
	if (!child)
		stop_with_request(self->stream, variant->flags, &args,
				  holders[1]);
	close(holders[1]);
	ASSERT_EQ(sizeof(holder), read(holders[0], &holder, sizeof(holder)));
	ASSERT_EQ(child, waitpid(child, &status, WUNTRACED));
	ASSERT_TRUE(WIFSTOPPED(status));
	EXPECT_EQ(0, fsync(self->stream));

	ASSERT_EQ(0, kill(holder, SIGKILL));
	usleep(300 * 1000);
	EXPECT_TRUE(is_quiet());
	ASSERT_EQ(0, kill(child, SIGCONT));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

/* Catches: a request that an unbind does not complete. */
TEST_F_TIMEOUT(uring, device_is_unbound, SLOW)
{
	struct dmacpy_op op = copy_op(self);
	struct dmacpy_submit args = submit_args(&op);
	int i;

	ASSERT_TRUE(set_number(TIMEOUT, 2000));
	ASSERT_TRUE(engine_set("hang", 1));
	for (i = 0; i < MANY; i++)
		ring_queue(&self->ring, self->stream, &args);
	ASSERT_EQ(MANY, io_uring_submit(&self->ring));
	ring_wait_until_issued(&self->ring);
	ASSERT_EQ(0, instance_unbind(&self->instance));
	for (i = 0; i < MANY; i++) {
		int ret = next_result(&self->ring, NULL);

		EXPECT_TRUE(ret == -ENODEV || ret == -ETIMEDOUT ||
			    ret == -ECANCELED);
	}
	EXPECT_EQ(-ENODEV, run(self, &args));
	ASSERT_TRUE(engine_set("hang", 0));
	EXPECT_EQ(0, instance_bind(&self->instance));
}

struct racer {
	pthread_t thread;
	int stream;
	struct dmacpy_op op;
	struct dmacpy_submit args;	/* may be read until the test ends */
	unsigned int flags;
	unsigned int wrong;
	int result;	/* the last wrong result */
};

/* Creates and closes rings while their requests are in flight. */
static void *race(void *data)
{
	struct racer *racer = data;
	struct io_uring_sqe *sqe;
	struct io_uring ring;
	unsigned int i, j;
	int ret;

	for (i = 0; i < ROUNDS / 10; i++) {
		if (io_uring_queue_init(ENTRIES, &ring, racer->flags)) {
			racer->wrong++;
			return NULL;
		}
		for (j = 0; j < MANY; j++) {
			sqe = ring_queue(&ring, racer->stream, &racer->args);
			if (j % 3 == 1)
				sqe->flags |= IOSQE_ASYNC;
		}
		racer->wrong += io_uring_submit(&ring) != MANY;
		for (j = 0; j < i % MANY; j++) {
			ret = next_result(&ring, NULL);
			racer->wrong += !!ret;
			racer->result = ret ?: racer->result;
		}
		io_uring_queue_exit(&ring);
	}
	return NULL;
}

/* Catches: a job that notifies a request that was freed. */
TEST_F_TIMEOUT(uring, rings_come_and_go, SLOW)
{
	struct racer racers[RACERS];
	unsigned int i;

	ASSERT_TRUE(engine_set("delay_us", 100));
	for (i = 0; i < RACERS; i++) {
		racers[i] = (struct racer){
			.stream = self->stream,
			.op = copy_op(self),
			.flags = variant->flags & IORING_SETUP_IOPOLL,
		};
		racers[i].op.length = 64;
		racers[i].args = submit_args(&racers[i].op);
		ASSERT_EQ(0, pthread_create(&racers[i].thread, NULL, race,
					    &racers[i]));
	}
	for (i = 0; i < RACERS; i++) {
		pthread_join(racers[i].thread, NULL);
		EXPECT_EQ(0, racers[i].wrong)
			TH_LOG("a result of %d, the engine was late by %u us",
			       racers[i].result, engine_get("late_us"));
	}
	EXPECT_EQ(0, fsync(self->stream))
		TH_LOG("%s", strerror(errno));
}

TEST_HARNESS_MAIN
