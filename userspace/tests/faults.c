// SPDX-License-Identifier: GPL-2.0-only
/*
 * Allocations and accesses to user memory that fail: the first, the second, ...
 * of a command fails, until it succeeds without a failure. Each time the
 * command has to fail without an effect, and to succeed when it is called
 * again.
 *
 * Needs a kernel with CONFIG_FAULT_INJECTION.
 */
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <linux/sync_file.h>

#include "kselftest_harness.h"
#include "common.h"
#include "engine.h"
#include "inject.h"
#include "ring.h"

#define LENGTH		(4 * KIB)
#define MEMORY		(64 * KIB)
/* The allocator may use single pages for such a job. */
#define MAX_OPS		128
#define RUN_JOBS	8
/* A command makes far fewer requests than this. */
#define MAX_NTH		1000
#define SWEEPS		10
#define BACKGROUND	0x5a
/* A file descriptor that no command returns */
#define UNTOUCHED	0x7a7a7a7a
#define PATTERN		0xa5a5a5a5

/* A timeline that only the test advances, and a fence on it */
struct timeline {
	int fd, fence;
};

struct fault_bench {
	const char *node;
	int fail_nth;
	int stream;
	int sram_fd, sram;		/* its handle */
	uint8_t *mem;			/* mapping of the SRAM */
	int udmabuf;
	struct dmacpy_op ops[MAX_OPS];
	struct io_uring ring;
	struct dmacpy_submit request;	/* the request in the ring */
	struct timeline timelines[2];
	void *memory;
	int merged;			/* merged fence of both timelines */
	int result;			/* fd or handle from a command */
	int fence;			/* fd from RUN */
	int own;			/* a stream that has never had a job */
	uint32_t own_flags;		/* DMACPY_SUBMIT_* that it supports */
	void *mapping;
};

static int timeline_open(struct timeline *timeline)
{
	timeline->fd = timeline_create();
	if (timeline->fd < 0)
		return timeline->fd;
	timeline->fence = timeline_fence(timeline->fd, 1);
	return timeline->fence < 0 ? timeline->fence : 0;
}

static void timeline_close(struct timeline *timeline)
{
	close(timeline->fence);
	close(timeline->fd);
}

static int start(struct fault_bench *b, unsigned int count, uint32_t flags,
		 int in_fence)
{
	struct dmacpy_submit args = {
		.flags = flags,
		.in_fence = in_fence,
		.out_fence = UNTOUCHED,
	};
	int ret = submit_with(b->stream, b->ops, count, &args);

	b->result = args.out_fence;
	return ret && args.out_fence != UNTOUCHED ? -EBADMSG : ret;
}

static void fill_op(struct dmacpy_op *op, const struct fault_bench *b,
		    uint64_t offset, uint64_t length)
{
	*op = (struct dmacpy_op){
		.opcode = DMACPY_OP_FILL,
		.dst = b->sram,
		.dst_offset = offset,
		.length = length,
		.pattern = PATTERN,
	};
}

static void copy_op(struct dmacpy_op *op, const struct fault_bench *b)
{
	*op = (struct dmacpy_op){
		.opcode = DMACPY_OP_COPY,
		.dst = b->sram,
		.src = b->sram,
		.src_offset = LENGTH / 2,
		.length = LENGTH / 2,
	};
}

/* Rows with gaps between them */
static void tile_op(struct dmacpy_op *op, const struct fault_bench *b)
{
	*op = (struct dmacpy_op){
		.opcode = DMACPY_OP_COPY_2D,
		.dst = b->sram,
		.dst_stride = 128,
		.src = b->sram,
		.src_offset = LENGTH / 2,
		.src_stride = 128,
		.rows = LENGTH / 2 / 128,
		.length = 64,
	};
}

static int prepare_nothing(struct fault_bench *b)
{
	return 0;
}

static void undo_nothing(struct fault_bench *b)
{
}

static void close_result(struct fault_bench *b)
{
	close(b->result);
}

static void release_result(struct fault_bench *b)
{
	handle_release(b->stream, b->result);
}

static int try_open(struct fault_bench *b)
{
	b->result = stream_open(b->node);
	return b->result < 0 ? b->result : 0;
}

static int try_get_info(struct fault_bench *b)
{
	struct dmacpy_get_info info = { .size = sizeof(info) };

	return command(b->stream, DMACPY_GET_INFO, &info);
}

static int try_alloc(struct fault_bench *b)
{
	b->result = sram_alloc(b->stream, LENGTH);
	return b->result < 0 ? b->result : 0;
}

static int try_import_sram(struct fault_bench *b)
{
	b->result = dmabuf_import(b->stream, b->sram_fd, ACCESS_BOTH);
	return b->result < 0 ? b->result : 0;
}

static int try_import_udmabuf(struct fault_bench *b)
{
	b->result = dmabuf_import(b->stream, b->udmabuf, ACCESS_BOTH);
	return b->result < 0 ? b->result : 0;
}

/* The pages are not allocated yet. */
static int prepare_memory(struct fault_bench *b)
{
	b->memory = memory_map(MEMORY);
	return b->memory ? 0 : -ENOMEM;
}

static int try_register(struct fault_bench *b)
{
	b->result = memory_register(b->stream, b->memory, MEMORY, ACCESS_BOTH);
	return b->result < 0 ? b->result : 0;
}

static void undo_register(struct fault_bench *b)
{
	release_result(b);
	munmap(b->memory, MEMORY);
}

static int try_register_synced(struct fault_bench *b)
{
	b->result = memory_register_flags(b->stream, b->memory, MEMORY,
					  ACCESS_BOTH,
					  DMACPY_REGISTER_EXPLICIT_SYNC);
	return b->result < 0 ? b->result : 0;
}

static int prepare_sync(struct fault_bench *b)
{
	return prepare_memory(b) ?: try_register_synced(b);
}

static int try_sync(struct fault_bench *b)
{
	return memory_sync(b->stream, b->result, 0, MEMORY,
			   DMACPY_SYNC_FOR_DEVICE);
}

static int prepare_release(struct fault_bench *b)
{
	return try_import_sram(b);
}

static int try_release(struct fault_bench *b)
{
	return handle_release(b->stream, b->result);
}

static int prepare_copy(struct fault_bench *b)
{
	copy_op(&b->ops[0], b);
	return 0;
}

static int try_wait(struct fault_bench *b)
{
	return start(b, 1, DMACPY_SUBMIT_WAIT, 0);
}

static int prepare_batch(struct fault_bench *b)
{
	unsigned int i;

	for (i = 0; i < MAX_OPS; i++)
		fill_op(&b->ops[i], b, i * LENGTH / MAX_OPS, LENGTH / MAX_OPS);
	return 0;
}

static int try_batch(struct fault_bench *b)
{
	return start(b, MAX_OPS, DMACPY_SUBMIT_WAIT, 0);
}

static int prepare_tile(struct fault_bench *b)
{
	tile_op(&b->ops[0], b);
	return 0;
}

static int try_prepare(struct fault_bench *b)
{
	struct dmacpy_prepare args = {
		.size = sizeof(args),
		.ops = (uintptr_t)b->ops,
		.op_count = 1,
		.op_size = sizeof(b->ops[0]),
	};
	int ret = command(b->stream, DMACPY_PREPARE, &args);

	b->result = args.handle;
	return ret;
}

static int prepare_run(struct fault_bench *b)
{
	prepare_copy(b);
	return try_prepare(b);
}

static int run_prepared(struct fault_bench *b, uint32_t flags)
{
	struct dmacpy_run_job job = { .handle = b->result };
	struct dmacpy_run args = {
		.size = sizeof(args),
		.flags = flags,
		.jobs = (uintptr_t)&job,
		.job_count = 1,
		.job_size = sizeof(job),
		.out_fence = UNTOUCHED,
	};
	int ret = ioctl(b->stream, DMACPY_RUN, &args);

	b->fence = args.out_fence;
	if (ret == 1)
		return 0;
	return ret < 0 && args.out_fence == UNTOUCHED ? -errno : -EBADMSG;
}

static int try_run(struct fault_bench *b)
{
	return run_prepared(b, DMACPY_SUBMIT_WAIT);
}

static int try_run_out_fence(struct fault_bench *b)
{
	return run_prepared(b, DMACPY_SUBMIT_OUT_FENCE | DMACPY_SUBMIT_WAIT);
}

static void undo_run_out_fence(struct fault_bench *b)
{
	close(b->fence);
	release_result(b);
}

static int try_run_event(struct fault_bench *b)
{
	return run_prepared(b, DMACPY_SUBMIT_EVENT | DMACPY_SUBMIT_WAIT);
}

/*
 * Opens a stream, as only the first job of a stream has to allocate the memory
 * that later jobs use again. The stream imports the same buffer.
 */
static int prepare_own(struct fault_bench *b)
{
	int handle;

	b->own = stream_open(b->node);
	if (b->own < 0)
		return b->own;
	handle = dmabuf_import(b->own, b->sram_fd, ACCESS_BOTH);
	if (handle < 0)
		return handle;
	b->own_flags = stream_info(b->own).submit_flags;
	copy_op(&b->ops[0], b);
	b->ops[0].dst = handle;
	b->ops[0].src = handle;
	return 0;
}

static void undo_own(struct fault_bench *b)
{
	fsync(b->own);
	close(b->own);
}

/* If the channels cannot share a job, it runs on one of them. */
static int try_spread(struct fault_bench *b)
{
	struct dmacpy_submit args = { .flags = DMACPY_SUBMIT_WAIT };

	if (b->own_flags & DMACPY_SUBMIT_SPREAD) {
		args.flags |= DMACPY_SUBMIT_SPREAD;
		args.channels = UINT32_MAX;
	}
	return submit_with(b->own, b->ops, 1, &args);
}

static int prepare_run_array(struct fault_bench *b)
{
	struct dmacpy_prepare args = {
		.size = sizeof(args),
		.ops = (uintptr_t)b->ops,
		.op_count = 1,
		.op_size = sizeof(b->ops[0]),
	};
	int ret = prepare_own(b) ?: command(b->own, DMACPY_PREPARE, &args);

	b->result = args.handle;
	return ret;
}

/* The driver allocates the jobs together: all of them are started, or none. */
static int try_run_array(struct fault_bench *b)
{
	struct dmacpy_run_job jobs[RUN_JOBS] = { };
	struct dmacpy_run args = {
		.size = sizeof(args),
		.flags = DMACPY_SUBMIT_NO_IMPLICIT,
		.jobs = (uintptr_t)jobs,
		.job_count = RUN_JOBS,
		.job_size = sizeof(jobs[0]),
	};
	unsigned int i;
	int ret;

	for (i = 0; i < RUN_JOBS; i++)
		jobs[i].handle = b->result;
	ret = ioctl(b->own, DMACPY_RUN, &args);
	if (ret == RUN_JOBS)
		return 0;
	return ret < 0 ? -errno : -EBADMSG;
}

static int try_out_fence(struct fault_bench *b)
{
	return start(b, 1, DMACPY_SUBMIT_OUT_FENCE | DMACPY_SUBMIT_WAIT, 0);
}

static int try_event(struct fault_bench *b)
{
	return start(b, 1, DMACPY_SUBMIT_EVENT | DMACPY_SUBMIT_WAIT, 0);
}

static int try_read(struct fault_bench *b)
{
	struct dmacpy_event event;

	return read_event(b->stream, &event);
}

static void undo_event(struct fault_bench *b)
{
	try_read(b);
}

static void undo_run_event(struct fault_bench *b)
{
	try_read(b);
	release_result(b);
}

static int prepare_read(struct fault_bench *b)
{
	fill_op(&b->ops[0], b, 0, LENGTH);
	b->ops[0].pattern = BACKGROUND * 0x01010101;
	return try_event(b);
}

/* Merges the fences of two future jobs. */
static int merged_open(struct fault_bench *b)
{
	struct sync_merge_data merge = { .name = "merged" };
	int ret = timeline_open(&b->timelines[0]);

	ret = ret ? ret : timeline_open(&b->timelines[1]);
	if (ret)
		return ret;
	merge.fd2 = b->timelines[1].fence;
	if (ioctl(b->timelines[0].fence, SYNC_IOC_MERGE, &merge))
		return -errno;
	b->merged = merge.fence;
	return 0;
}

static void merged_signal(struct fault_bench *b)
{
	timeline_advance(b->timelines[0].fd);
	timeline_advance(b->timelines[1].fd);
}

static void merged_close(struct fault_bench *b)
{
	close(b->merged);
	timeline_close(&b->timelines[0]);
	timeline_close(&b->timelines[1]);
}

static int prepare_in_fence(struct fault_bench *b)
{
	prepare_copy(b);
	return merged_open(b);
}

static int try_in_fence(struct fault_bench *b)
{
	return start(b, 1, DMACPY_SUBMIT_IN_FENCE | DMACPY_SUBMIT_OUT_FENCE |
			   DMACPY_SUBMIT_EVENT, b->merged);
}

static void undo_in_fence(struct fault_bench *b)
{
	merged_signal(b);
	close(b->result);
	try_read(b);
	merged_close(b);
}

/* Adds a fence of another user to the buffer. */
static int prepare_implicit(struct fault_bench *b)
{
	struct dma_buf_import_sync_file import = {
		.flags = DMA_BUF_SYNC_WRITE,
	};
	int ret = timeline_open(&b->timelines[0]);

	prepare_copy(b);
	import.fd = b->timelines[0].fence;
	return ret ? ret : command(b->sram_fd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE,
				   &import);
}

static int try_implicit(struct fault_bench *b)
{
	return start(b, 1, DMACPY_SUBMIT_EVENT, 0);
}

static void undo_implicit(struct fault_bench *b)
{
	timeline_advance(b->timelines[0].fd);
	try_read(b);
	timeline_close(&b->timelines[0]);
}

static int result_of_request(struct fault_bench *b)
{
	struct io_uring_cqe *cqe;
	int ret = io_uring_wait_cqe(&b->ring, &cqe);

	if (ret)
		return ret;
	ret = cqe->res;
	io_uring_cqe_seen(&b->ring, cqe);
	return ret;
}

/*
 * io_uring allocates requests in batches, and keeps them: after the first one,
 * only allocations for our request can fail.
 */
static int prepare_request(struct fault_bench *b, unsigned int ring_flags)
{
	int ret;

	prepare_copy(b);
	b->request = (struct dmacpy_submit){
		.size = sizeof(b->request),
		.ops = (uintptr_t)b->ops,
		.op_count = 1,
		.op_size = sizeof(b->ops[0]),
	};
	ret = io_uring_queue_init(1, &b->ring, ring_flags);
	if (ret)
		return ret;
	io_uring_prep_nop(io_uring_get_sqe(&b->ring));
	ret = io_uring_submit(&b->ring);
	return ret < 0 ? ret : result_of_request(b);
}

static int prepare_uring(struct fault_bench *b)
{
	return prepare_request(b, IORING_SETUP_SINGLE_ISSUER |
				  IORING_SETUP_DEFER_TASKRUN);
}

static int prepare_uring_sqe128(struct fault_bench *b)
{
	return prepare_request(b, IORING_SETUP_SQE128);
}

static int submit_request(struct fault_bench *b)
{
	int ret;

	ring_queue(&b->ring, b->stream, &b->request);
	ret = io_uring_submit(&b->ring);
	return ret < 0 ? ret : 0;
}

static int try_uring(struct fault_bench *b)
{
	int ret = submit_request(b);

	return ret ? ret : result_of_request(b);
}

static void undo_uring(struct fault_bench *b)
{
	io_uring_queue_exit(&b->ring);
}

static int prepare_uring_in_fence(struct fault_bench *b)
{
	int ret = prepare_uring(b);

	ret = ret ? ret : merged_open(b);
	b->request.flags = DMACPY_SUBMIT_IN_FENCE;
	b->request.in_fence = b->merged;
	return ret;
}

/* A request that has failed has completed. */
static int try_uring_in_fence(struct fault_bench *b)
{
	int ret = submit_request(b);

	if (!ret && io_uring_cq_ready(&b->ring))
		ret = result_of_request(b);
	return ret;
}

static void undo_uring_in_fence(struct fault_bench *b)
{
	merged_signal(b);
	result_of_request(b);
	io_uring_queue_exit(&b->ring);
	merged_close(b);
}

static int try_poll(struct fault_bench *b)
{
	struct pollfd pfd = { .fd = b->stream, .events = POLLIN | POLLOUT };

	return poll(&pfd, 1, 0) < 0 ? -errno : 0;
}

static int prepare_fsync(struct fault_bench *b)
{
	fill_op(&b->ops[0], b, 0, LENGTH);
	b->ops[0].pattern = BACKGROUND * 0x01010101;
	return start(b, 1, 0, 0);
}

static int try_fsync(struct fault_bench *b)
{
	return fsync(b->stream) ? -errno : 0;
}

/* A page fault that fails for lack of memory is repeated. */
static int try_map(struct fault_bench *b)
{
	b->mapping = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED,
			  b->sram_fd, 0);
	if (b->mapping == MAP_FAILED)
		return -errno;
	return *(volatile uint8_t *)b->mapping == BACKGROUND ? 0 : -EBADMSG;
}

static void undo_map(struct fault_bench *b)
{
	munmap(b->mapping, LENGTH);
}

/* State that a failed command must not change */
struct state {
	uint64_t sram_free;
	long locked_kib, pinned_pages;
	int next_fd, next_handle;
	short ready, sram_ready;	/* from poll() */
	bool untouched;			/* the data is unchanged */
};

static struct state state_of(const struct fault_bench *b)
{
	struct state state = {
		.sram_free = stream_info(b->stream).sram_free,
		.next_fd = dup(b->stream),
		.locked_kib = locked_kib(),
		.pinned_pages = pinned_pages(),
		.next_handle = dmabuf_import(b->stream, b->sram_fd,
					     ACCESS_BOTH),
		.ready = poll_for(b->stream, POLLIN | POLLOUT, 0),
		.sram_ready = poll_for(b->sram_fd, POLLIN | POLLOUT, 0),
		.untouched = all_bytes_are(b->mem, BACKGROUND, LENGTH),
	};

	close(state.next_fd);
	handle_release(b->stream, state.next_handle);
	return state;
}

static void expect_state(struct __test_metadata *_metadata,
			 const struct fault_bench *b,
			 const struct state *before)
{
	struct state now = state_of(b);

	EXPECT_EQ(before->sram_free, now.sram_free);
	EXPECT_EQ(before->next_fd, now.next_fd);
	EXPECT_EQ(before->locked_kib, now.locked_kib);
	EXPECT_EQ(before->pinned_pages, now.pinned_pages);
	EXPECT_EQ(before->next_handle, now.next_handle);
	EXPECT_EQ(before->ready, now.ready);
	EXPECT_EQ(before->sram_ready, now.sram_ready);
	EXPECT_EQ(before->untouched, now.untouched);
}

/*
 * A command, its preparation, and its inverse. @failures: minimum number of
 * requests whose failure fails the command. Two kinds do not count: those for
 * the memory of a job, which the stream may recycle, and the first attempt to
 * read the arguments of a job, as a second one follows. @makes_records: the
 * command adds records for read(). @tiles: the engine has to copy tiles.
 */
struct trial {
	int (*prepare)(struct fault_bench *b);
	int (*run)(struct fault_bench *b);
	void (*undo)(struct fault_bench *b);
	unsigned int failures;
	bool makes_records;
	bool tiles;
};

FIXTURE(command)
{
	struct fault_bench bench;
	struct instance fake;
};

FIXTURE_VARIANT(command)
{
	struct trial trial;
};

FIXTURE_VARIANT_ADD(command, open)
{
	.trial = { prepare_nothing, try_open, close_result, 2, false },
};

FIXTURE_VARIANT_ADD(command, get_info)
{
	.trial = { prepare_nothing, try_get_info, undo_nothing, 2, false },
};

FIXTURE_VARIANT_ADD(command, alloc)
{
	.trial = { prepare_nothing, try_alloc, close_result, 4, false },
};

FIXTURE_VARIANT_ADD(command, import_sram)
{
	.trial = { prepare_nothing, try_import_sram, release_result, 5, false },
};

FIXTURE_VARIANT_ADD(command, import_udmabuf)
{
	.trial = { prepare_nothing, try_import_udmabuf, release_result, 5,
		   false },
};

FIXTURE_VARIANT_ADD(command, register)
{
	.trial = { prepare_memory, try_register, undo_register, 4, false },
};

FIXTURE_VARIANT_ADD(command, register_synced)
{
	.trial = { prepare_memory, try_register_synced, undo_register, 4,
		   false },
};

FIXTURE_VARIANT_ADD(command, sync)
{
	.trial = { prepare_sync, try_sync, undo_register, 2, false },
};

FIXTURE_VARIANT_ADD(command, release)
{
	.trial = { prepare_release, try_release, undo_nothing, 1, false },
};

FIXTURE_VARIANT_ADD(command, submit_wait)
{
	.trial = { prepare_copy, try_wait, undo_nothing, 1, false },
};

FIXTURE_VARIANT_ADD(command, submit_batch)
{
	.trial = { prepare_batch, try_batch, undo_nothing, 1, false },
};

FIXTURE_VARIANT_ADD(command, submit_tile)
{
	.trial = { prepare_tile, try_wait, undo_nothing, 1, false, true },
};

FIXTURE_VARIANT_ADD(command, prepare)
{
	.trial = { prepare_copy, try_prepare, release_result, 2, false },
};

FIXTURE_VARIANT_ADD(command, run)
{
	.trial = { prepare_run, try_run, release_result, 1, false },
};

FIXTURE_VARIANT_ADD(command, run_out_fence)
{
	.trial = { prepare_run, try_run_out_fence, undo_run_out_fence, 5,
		   false },
};

FIXTURE_VARIANT_ADD(command, run_event)
{
	.trial = { prepare_run, try_run_event, undo_run_event, 1, true },
};

FIXTURE_VARIANT_ADD(command, run_array)
{
	.trial = { prepare_run_array, try_run_array, undo_own, 5, false },
};

FIXTURE_VARIANT_ADD(command, submit_spread)
{
	.trial = { prepare_own, try_spread, undo_own, 4, false },
};

FIXTURE_VARIANT_ADD(command, submit_out_fence)
{
	.trial = { prepare_copy, try_out_fence, close_result, 5, false },
};

FIXTURE_VARIANT_ADD(command, submit_event)
{
	.trial = { prepare_copy, try_event, undo_event, 1, true },
};

FIXTURE_VARIANT_ADD(command, submit_in_fence)
{
	.trial = { prepare_in_fence, try_in_fence, undo_in_fence, 7, true },
};

FIXTURE_VARIANT_ADD(command, submit_implicit)
{
	.trial = { prepare_implicit, try_implicit, undo_implicit, 3, true },
};

FIXTURE_VARIANT_ADD(command, submit_uring)
{
	.trial = { prepare_uring, try_uring, undo_uring, 3, false },
};

FIXTURE_VARIANT_ADD(command, submit_uring_sqe128)
{
	.trial = { prepare_uring_sqe128, try_uring, undo_uring, 2, false },
};

FIXTURE_VARIANT_ADD(command, submit_uring_in_fence)
{
	.trial = { prepare_uring_in_fence, try_uring_in_fence,
		   undo_uring_in_fence, 4, false },
};

FIXTURE_VARIANT_ADD(command, read)
{
	.trial = { prepare_read, try_read, undo_nothing, 1, false },
};

FIXTURE_VARIANT_ADD(command, poll)
{
	.trial = { prepare_nothing, try_poll, undo_nothing, 1, false },
};

FIXTURE_VARIANT_ADD(command, fsync)
{
	.trial = { prepare_fsync, try_fsync, undo_nothing, 0, false },
};

FIXTURE_VARIANT_ADD(command, mmap)
{
	.trial = { prepare_nothing, try_map, undo_map, 1, false },
};

/* The driver checks this when it is bound. */
static int set_tiles(struct instance *fake, unsigned int tiles)
{
	int ret = instance_unbind(fake);

	if (ret)
		return ret;
	return engine_set("tiles", tiles) ? instance_bind(fake) : -EIO;
}

FIXTURE_SETUP(command)
{
	struct fault_bench *b = &self->bench;

	if (!inject_set_up())
		SKIP(return, "the kernel has no CONFIG_FAULT_INJECTION");
	/* The check of the DMA API disables itself when it has no memory. */
	ASSERT_TRUE(inject_spare("add_dma_entry"));
	b->fail_nth = inject_open();
	ASSERT_LE(0, b->fail_nth);
	ASSERT_EQ(0, engine_find(&self->fake));
	if (variant->trial.tiles)
		ASSERT_EQ(0, set_tiles(&self->fake, 1));
}

FIXTURE_TEARDOWN_PARENT(command)
{
	if (variant->trial.tiles && *self->fake.name)
		EXPECT_EQ(0, set_tiles(&self->fake, 0));
	EXPECT_EQ(0, sram_leaked());
}

static void bench_open(struct __test_metadata *_metadata, struct fault_bench *b,
		       const char *node)
{
	b->node = node;
	b->stream = stream_open(node);
	b->sram_fd = sram_alloc(b->stream, LENGTH);
	b->sram = dmabuf_import(b->stream, b->sram_fd, ACCESS_BOTH);
	ASSERT_LT(0, b->sram);
	b->mem = dmabuf_map(b->sram_fd, LENGTH);
	ASSERT_NE(NULL, b->mem);
	memset(b->mem, BACKGROUND, LENGTH);
	b->udmabuf = udmabuf_scattered(MEMORY);
	ASSERT_LE(0, b->udmabuf);
}

/* Returns true if a request has failed. */
static bool fail_nth(struct __test_metadata *_metadata, struct fault_bench *b,
		     const struct trial *trial, unsigned int nth,
		     unsigned int *failures)
{
	struct state before;
	bool injected;
	int ret;

	ASSERT_EQ(0, trial->prepare(b));
	before = state_of(b);
	ASSERT_TRUE(inject_arm(b->fail_nth, nth));
	ret = trial->run(b);
	injected = inject_disarm(b->fail_nth);
	if (ret) {
		++*failures;
		EXPECT_TRUE(injected);
		EXPECT_TRUE(ret == -ENOMEM || ret == -EFAULT)
			TH_LOG("%s", strerror(-ret));
		expect_state(_metadata, b, &before);
		EXPECT_EQ(0, trial->run(b));
	}
	trial->undo(b);
	memset(b->mem, BACKGROUND, LENGTH);
	return injected;
}

/* Has each request fail once. Returns the number of failures of the command. */
static unsigned int sweep(struct __test_metadata *_metadata,
			  struct fault_bench *b, const struct trial *trial)
{
	unsigned int nth = 0, failures = 0;
	struct state initial = state_of(b);
	bool injected;

	do {
		injected = fail_nth(_metadata, b, trial, ++nth, &failures);
		expect_state(_metadata, b, &initial);
		ASSERT_TRUE(__test_passed(_metadata))
			TH_LOG("when request %u failed", nth);
		ASSERT_GT(MAX_NTH, nth);
	} while (injected);
	TH_LOG("%u requests, %u failures", nth - 1, failures);
	return failures;
}

/*
 * kmemleak and other checkers of the kernel make requests of their own, a
 * varying number of them in each call, so that a sweep misses some requests of
 * the command.
 */
static void sweep_all(struct __test_metadata *_metadata, struct fault_bench *b,
		      const struct trial *trial)
{
	unsigned int i, failures = 0;

	for (i = 0; i < SWEEPS && failures < trial->failures; i++)
		failures = sweep(_metadata, b, trial);
	EXPECT_LE(trial->failures, failures);
}

/* A refused job must not be counted as a job, nor as a record to read. */
static void expect_room(struct __test_metadata *_metadata,
			struct fault_bench *b, bool makes_records)
{
	struct dmacpy_get_info info = stream_info(b->stream);
	unsigned int jobs = 0, events = 0;

	copy_op(&b->ops[0], b);
	ASSERT_EQ(0, timeline_open(&b->timelines[0]));
	ASSERT_EQ(0, fcntl(b->stream, F_SETFL, O_NONBLOCK));
	while (!start(b, 1, DMACPY_SUBMIT_IN_FENCE, b->timelines[0].fence))
		jobs++;
	EXPECT_EQ(info.max_jobs, jobs);
	timeline_advance(b->timelines[0].fd);
	EXPECT_EQ(0, fsync(b->stream));
	if (!makes_records)
		return;
	while (!try_event(b))
		events++;
	EXPECT_EQ(info.max_events, events);
}

static void test_on(struct __test_metadata *_metadata, struct fault_bench *b,
		    const struct trial *trial, const char *node)
{
	bench_open(_metadata, b, node);
	sweep_all(_metadata, b, trial);
	expect_room(_metadata, b, trial->makes_records);
}

/* Catches: an effect of a failed command that is not, or twice, undone. */
TEST_F_TIMEOUT(command, on_the_boards_engine, SLOW)
{
	test_on(_metadata, &self->bench, &variant->trial, DEVICE);
}

/* Catches: the same; a missing descriptor that is used. */
TEST_F_TIMEOUT(command, on_the_fake_engine, SLOW)
{
	unsigned int tiled = engine_get("tiled");

	test_on(_metadata, &self->bench, &variant->trial,
		self->fake.node);
	EXPECT_EQ(variant->trial.tiles, engine_get("tiled") > tiled);
}

TEST_HARNESS_MAIN
