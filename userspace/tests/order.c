// SPDX-License-Identifier: GPL-2.0-only
/*
 * The required order of events, on the fake engine, whose channels copy
 * concurrently and slowly: the jobs of a stream, jobs of several streams by
 * fences, and tasks that wait for a job and check its data.
 */
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>

#include <linux/sync_file.h>

#include "kselftest_harness.h"
#include "common.h"
#include "engine.h"

#define STREAMS		4	/* one per channel */
#define HOPS		3
#define TOKENS		50
#define ROUNDS		200	/* rounds per reader */
#define LENGTH		256	/* length of a token */
#define PAGE		(4 * KIB)
#define PIECES		32
#define PIECE_US	(SLOW_US / 10)
#define DELAY_US	1000	/* delay of data, to detect early reports */
#define JOBS		16

/*
 * Jobs hand tokens on, from the memory of a stream through a chain of dma-bufs,
 * shared by all tokens, to the memory of a stream. All jobs are submitted
 * without waiting for any: only their order keeps a token from being
 * overwritten before it is handed on, or handed on before it has arrived.
 */
struct stage {
	int stream;
	int from, to;		/* handles of the following two */
	uint8_t *tokens, *results;
	int hop[HOPS];		/* handles of the dma-bufs */
};

FIXTURE(chain)
{
	struct instance instance;
	struct stage stages[STREAMS];
	int fence;		/* fence of the last job, or -1 */
};

FIXTURE_VARIANT(chain)
{
	bool udmabuf;
	bool implicit;
	bool in_fences;		/* wait for the previous job */
	bool one_stream;
	bool no_order;		/* the engine completes in any order */
	bool ordered;
};

FIXTURE_VARIANT_ADD(chain, sram_implicit) {
	.implicit = true, .ordered = true,
};

FIXTURE_VARIANT_ADD(chain, udmabuf_implicit) {
	.udmabuf = true, .implicit = true, .ordered = true,
};

FIXTURE_VARIANT_ADD(chain, sram_in_fences) {
	.in_fences = true, .ordered = true,
};

FIXTURE_VARIANT_ADD(chain, udmabuf_in_fences) {
	.udmabuf = true, .in_fences = true, .ordered = true,
};

FIXTURE_VARIANT_ADD(chain, one_stream) {
	.one_stream = true, .ordered = true,
};

FIXTURE_VARIANT_ADD(chain, one_stream_engine_without_order) {
	.one_stream = true, .no_order = true, .ordered = true,
};

/* Shows that the other variants can fail. */
FIXTURE_VARIANT_ADD(chain, nothing) { };

static int stage_open(struct stage *stage, const struct instance *instance)
{
	size_t size = TOKENS * LENGTH;
	int i;

	stage->stream = stream_open(instance->node);
	stage->tokens = memory_map(size);
	stage->results = memory_map(size);
	for (i = 0; i < TOKENS; i++)
		memset(stage->tokens + i * LENGTH, i + 1, LENGTH);
	stage->from = memory_register(stage->stream, stage->tokens, size,
				      DMACPY_ACCESS_READ);
	stage->to = memory_register(stage->stream, stage->results, size,
				    DMACPY_ACCESS_WRITE);
	return stage->to;
}

/* The driver queries the order of the engine when it is bound. */
static int rebind(struct instance *instance)
{
	return instance_unbind(instance) ?: instance_bind(instance);
}

FIXTURE_SETUP(chain)
{
	int i, hop, fd;

	random_start();
	ASSERT_EQ(0, engine_find(&self->instance));
	ASSERT_TRUE(engine_reset());
	/* On a slow machine the last job waits for all of them for long. */
	ASSERT_TRUE(set_number(DEPENDENCY_TIMEOUT, SLOW * 1000));
	ASSERT_TRUE(engine_set("no_order", variant->no_order));
	/*
	 * The probe needs time to see one half of a test copy without the
	 * other.
	 */
	ASSERT_TRUE(engine_set("delay_us", variant->no_order ? SLOW_US : 0));
	ASSERT_EQ(0, rebind(&self->instance));
	/* Unordered jobs have to collide, on a slow CPU, too. */
	ASSERT_TRUE(engine_set("delay_us", PIECE_US));
	for (i = 0; i < STREAMS; i++)
		ASSERT_LT(0, stage_open(&self->stages[i], &self->instance));
	for (hop = 0; hop < HOPS; hop++) {
		fd = variant->udmabuf ? udmabuf_scattered(PAGE) :
		     sram_alloc(self->stages[0].stream, PAGE);
		if (fd == -ENOENT)
			SKIP(return, "no /dev/udmabuf");
		ASSERT_LE(0, fd);
		for (i = 0; i < STREAMS; i++) {
			self->stages[i].hop[hop] =
				dmabuf_import(self->stages[i].stream, fd,
					      ACCESS_BOTH);
			ASSERT_LT(0, self->stages[i].hop[hop]);
		}
		close(fd);
	}
	self->fence = -1;
}

FIXTURE_TEARDOWN_PARENT(chain)
{
	EXPECT_TRUE(engine_reset());
	EXPECT_EQ(0, rebind(&self->instance));
	EXPECT_EQ(0, sram_leaked());
}

/* Starts a job of @pieces operations. Its fence replaces the last one. */
static int start(struct _test_data_chain *self, const struct stage *stage,
		 struct dmacpy_op op, unsigned int pieces, uint32_t flags)
{
	struct dmacpy_submit args = {
		.flags = flags | DMACPY_SUBMIT_OUT_FENCE,
		.in_fence = flags & DMACPY_SUBMIT_IN_FENCE ? self->fence : 0,
	};
	struct dmacpy_op ops[PIECES];
	unsigned int i;
	int ret;

	op.length /= pieces;
	for (i = 0; i < pieces; i++) {
		ops[i] = op;
		op.dst_offset += op.length;
		op.src_offset += op.length;
	}
	ret = submit_with(stage->stream, ops, pieces, &args);
	close(self->fence);
	self->fence = args.out_fence;
	return ret;
}

/* Starts the job that hands token @round on, from place @hop in the chain. */
static int pass_token_on(struct _test_data_chain *self,
			 const struct stage *stage, uint32_t flags, int round,
			 int hop)
{
	struct dmacpy_op op = { .length = LENGTH };

	if (hop == 0) {
		op.src = stage->from;
		op.src_offset = round * LENGTH;
	} else {
		op.src = stage->hop[hop - 1];
	}
	if (hop == HOPS) {
		op.dst = stage->to;
		op.dst_offset = round * LENGTH;
	} else {
		op.dst = stage->hop[hop];
	}
	return start(self, stage, op, 1 << random_below(4), flags);
}

/* Starts a job of another stream, which does not use the tokens. */
static int take_time(struct _test_data_chain *self)
{
	const struct stage *other = &self->stages[1];
	struct dmacpy_op op = {
		.dst = other->to,
		.src = other->from,
		.length = LENGTH,
	};

	return start(self, other, op, PIECES, DMACPY_SUBMIT_NO_IMPLICIT);
}

static int pass_token(struct _test_data_chain *self,
		      const struct _fixture_variant_chain *variant, int round,
		      const struct stage **last)
{
	uint32_t flags = variant->implicit ? 0 : DMACPY_SUBMIT_NO_IMPLICIT;
	int hop, ret = 0;

	for (hop = 0; hop <= HOPS && !ret; hop++) {
		*last = &self->stages[variant->one_stream ? 0 :
				      random_below(STREAMS)];
		flags &= ~DMACPY_SUBMIT_IN_FENCE;
		if (variant->in_fences && self->fence >= 0) {
			flags |= DMACPY_SUBMIT_IN_FENCE;
		} else if (variant->one_stream && !random_below(4)) {
			ret = take_time(self);
			flags |= DMACPY_SUBMIT_IN_FENCE;
		}
		ret = ret ?: pass_token_on(self, *last, flags, round, hop);
	}
	return ret;
}

/*
 * Catches: a job that does not wait for writers of its source, or users of its
 * destination; for its in-fence; for earlier jobs of its stream.
 */
TEST_F_TIMEOUT(chain, tokens_arrive, SLOW)
{
	const struct stage *last[TOKENS];
	unsigned int wrong = 0;
	int i;

	for (i = 0; i < TOKENS; i++)
		ASSERT_EQ(0, pass_token(self, variant, i, &last[i]));
	for (i = 0; i < STREAMS; i++)
		ASSERT_EQ(0, fsync(self->stages[i].stream));
	for (i = 0; i < TOKENS; i++)
		wrong += !all_bytes_are(last[i]->results + i * LENGTH, i + 1,
					LENGTH);
	EXPECT_EQ(variant->ordered, !wrong)
		TH_LOG("%u of %u tokens are wrong", wrong, TOKENS);
}

FIXTURE(order)
{
	struct instance instance;
};

FIXTURE_SETUP(order)
{
	ASSERT_EQ(0, engine_find(&self->instance));
	ASSERT_TRUE(engine_reset());
}

FIXTURE_TEARDOWN_PARENT(order)
{
	EXPECT_TRUE(engine_reset());
	EXPECT_EQ(0, sram_leaked());
}

/* Returns the time at which it signalled, in ns. */
static uint64_t fence_time(int fd)
{
	struct sync_fence_info fence = { };
	struct sync_file_info info = {
		.num_fences = 1,
		.sync_fence_info = (uintptr_t)&fence,
	};

	return ioctl(fd, SYNC_IOC_FILE_INFO, &info) ? 0 : fence.timestamp_ns;
}

/*
 * The engine gets all jobs at once, and calls back from the last to the first.
 * Catches: a job that completes before one that was submitted earlier.
 */
TEST_F(order, of_completion)
{
	struct dmacpy_submit args = {
		.flags = DMACPY_SUBMIT_EVENT | DMACPY_SUBMIT_OUT_FENCE,
	};
	struct dmacpy_op op = { .opcode = DMACPY_OP_FILL, .length = PAGE };
	int stream = stream_open(self->instance.node), fence[JOBS];
	struct dmacpy_event event;
	uint64_t time = 1, then;
	int i;

	op.dst = dmabuf_import(stream, sram_alloc(stream, PAGE), ACCESS_BOTH);
	ASSERT_TRUE(engine_set("reverse", 1));
	ASSERT_TRUE(engine_set("next_no_prep", FOR_EVER));
	for (i = 0; i < JOBS; i++) {
		args.user_data = i;
		ASSERT_EQ(0, submit_with(stream, &op, 1, &args));
		fence[i] = args.out_fence;
	}
	ASSERT_TRUE(engine_set("next_no_prep", 0));
	for (i = 0; i < JOBS; i++) {
		ASSERT_EQ(0, read_event(stream, &event));
		EXPECT_EQ(i, event.user_data);
		EXPECT_EQ(0, event.result);
		/* The fence signals after the record. */
		ASSERT_EQ(POLLIN, poll_for(fence[i], POLLIN, 5000));
		then = time;
		time = fence_time(fence[i]);
		EXPECT_LE(then, time);
	}
}

/* A thread that starts jobs, waits for them its way, and checks their data */
struct reader {
	pthread_t thread;
	const struct way *way;
	int stream, fd, sram, in, out;
	uint8_t *sram_mem, *in_mem, *out_mem;
	unsigned int early;	/* number of times that the data was missing */
	int failed;
};

struct way {
	uint32_t flags;
	/* Waits for the job with @fence. Returns 0 if the wait is over. */
	int (*wait)(const struct reader *reader, int fence);
};

static int wait_in_submit(const struct reader *reader, int fence)
{
	return 0;
}

static int wait_for_event(const struct reader *reader, int fence)
{
	struct dmacpy_event event;

	if (poll_for(reader->stream, POLLIN, 10000) != POLLIN)
		return -ETIME;
	return read_event(reader->stream, &event) ?: event.result;
}

static int wait_for_fence(const struct reader *reader, int fence)
{
	return poll_for(fence, POLLIN, 10000) == POLLIN ? 0 : -ETIME;
}

static int wait_for_dma_buf(const struct reader *reader, int fence)
{
	return poll_for(reader->fd, POLLIN, 10000) == POLLIN ? 0 : -ETIME;
}

static int wait_for_access(const struct reader *reader, int fence)
{
	return dmabuf_sync(reader->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
}

static int wait_for_fsync(const struct reader *reader, int fence)
{
	return fsync(reader->stream) ? -errno : 0;
}

static int wait_for_export(const struct reader *reader, int fence)
{
	struct dma_buf_export_sync_file export = { .flags = DMA_BUF_SYNC_READ };
	int ret;

	ret = command(reader->fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &export);
	if (ret)
		return ret;
	ret = wait_for_fence(reader, export.fd);
	close(export.fd);
	return ret;
}

static const struct way ways[] = {
	{ DMACPY_SUBMIT_WAIT, wait_in_submit },
	{ DMACPY_SUBMIT_EVENT, wait_for_event },
	{ DMACPY_SUBMIT_OUT_FENCE, wait_for_fence },
	{ 0, wait_for_dma_buf },
	{ 0, wait_for_access },
	{ 0, wait_for_fsync },
	{ 0, wait_for_export },
};

static int reader_open(struct reader *reader, const struct instance *instance)
{
	int stream = stream_open(instance->node);

	reader->stream = stream;
	reader->fd = sram_alloc(stream, PAGE);
	reader->sram = dmabuf_import(stream, reader->fd, ACCESS_BOTH);
	reader->sram_mem = dmabuf_map(reader->fd, PAGE);
	reader->in_mem = memory_map(PAGE);
	reader->out_mem = memory_map(PAGE);
	reader->in = memory_register(stream, reader->in_mem, PAGE,
				     DMACPY_ACCESS_READ);
	reader->out = memory_register(stream, reader->out_mem, PAGE,
				      DMACPY_ACCESS_WRITE);
	return reader->sram_mem && reader->sram > 0 ? reader->out : -ENOMEM;
}

static int read_once(struct reader *reader, uint8_t value)
{
	struct dmacpy_submit args = { .flags = reader->way->flags };
	const struct dmacpy_op ops[] = {
		{ .dst = reader->sram, .src = reader->in, .length = PAGE },
		{ .dst = reader->out, .src = reader->sram, .length = PAGE },
	};
	int ret;

	memset(reader->in_mem, value, PAGE);
	ret = submit_with(reader->stream, ops, ARRAY_SIZE(ops), &args);
	if (ret)
		return ret;
	ret = reader->way->wait(reader, args.out_fence);
	reader->early += !all_bytes_are(reader->out_mem, value, PAGE) ||
			 !all_bytes_are(reader->sram_mem, value, PAGE);
	if (reader->way->flags & DMACPY_SUBMIT_OUT_FENCE)
		close(args.out_fence);
	return ret;
}

static void *read_thread(void *arg)
{
	struct reader *reader = arg;
	int i;

	for (i = 0; i < ROUNDS && !reader->failed; i++)
		reader->failed = read_once(reader, i + 1);
	return NULL;
}

/* Catches: a job that is reported as complete before its data is visible. */
TEST_F_TIMEOUT(order, data_before_completion, SLOW)
{
	struct reader readers[ARRAY_SIZE(ways)] = { };
	size_t i;

	ASSERT_TRUE(engine_set("delay_us", DELAY_US));
	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		readers[i].way = &ways[i];
		ASSERT_LT(0, reader_open(&readers[i], &self->instance));
		ASSERT_EQ(0, pthread_create(&readers[i].thread, NULL,
					    read_thread, &readers[i]));
	}
	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		ASSERT_EQ(0, pthread_join(readers[i].thread, NULL));
		EXPECT_EQ(0, readers[i].failed)
			TH_LOG("way %zu", i);
		EXPECT_EQ(0, readers[i].early)
			TH_LOG("way %zu", i);
	}
}

TEST_HARNESS_MAIN
