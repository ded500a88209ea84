// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/sync_file.h>

#include "common.h"
#include "ring.h"
#include "worker.h"

/* More than fits a stream, so that tasks wait for room. */
#define QUEUE		100
#define MAX_OPS		256
#define CHAIN		8
/* Entries are not reused before the requests of a chain have completed. */
#define RING_ENTRIES	(2 * CHAIN)
#define PATIENCE_MS	60000	/* far longer than any job takes */

/* The first regions are parts of the public buffers. */
enum {
	OWN_SRAM = PUBLIC_BUFFERS,
	MEMORY,
	SOURCE,			/* memory that the engine may only read */
	REGIONS,
};

/*
 * Memory that no other thread writes. Its handle is 0 if there is none. @life
 * changes each time that the memory is replaced.
 */
struct region {
	struct model model;
	uint32_t handle;
	int fd;			/* the dma-buf, or -1 */
	uint8_t *mem;
	unsigned int life;
};

/* An operation, and the regions of its handles: NULL if others write there */
struct named_op {
	struct dmacpy_op op;
	struct region *dst, *src;
	unsigned int dst_life, src_life;
};

/* Memory that the kernel may read until the request has completed */
struct request {
	struct dmacpy_submit args;
	struct dmacpy_op ops[];
};

/* A job whose result the model has not applied yet */
struct pending {
	uint64_t number;
	uint32_t flags;
	bool by_ring;
	struct request *request; /* NULL if none, or completed */
	int result;		/* result of WAIT, or of the request */
	int fence;		/* the fence, if OUT_FENCE is set */
	size_t op_count;
	struct named_op *ops;
};

struct worker {
	struct family *family;
	unsigned int thread;
	uint64_t step;
	uint32_t random;
	const char *device;
	int stream;
	struct io_uring ring;
	unsigned int requests;	/* number of requests in flight */
	uint32_t align;
	uint32_t channels;	/* channels that a job may use, or 1 */
	uint32_t scratch;	/* handle of the scratch buffer */
	struct region regions[REGIONS];
	struct pending queue[QUEUE];
	unsigned int first, pending;
	uint64_t number;	/* number of the last job */
	bool late;		/* a failed job may still write */
};

uint32_t mix(uint32_t hash, uint32_t value)
{
	hash = (hash ^ value) * 0x9e3779b1;
	return hash ^ hash >> 15;
}

void count(struct statistics *statistics, enum count what, uint64_t number)
{
	__atomic_add_fetch(&statistics->counts[what], number,
			   __ATOMIC_RELAXED);
}

static void count_event(struct worker *w, enum count what)
{
	count(w->family->statistics, what, 1);
}

static __attribute__((noreturn, format(printf, 2, 3)))
void fail(const struct worker *w, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	printf("# process %u.%u, thread %u, step %llu, %s: %s\n",
	       w->family->number, w->family->generation, w->thread,
	       (unsigned long long)w->step, w->device, text);
	fflush(stdout);
	_exit(1);
}

/* Depends on the seed and the number of the step, not on earlier results. */
static void start_step(struct worker *w)
{
	uint32_t hash = mix(w->family->seed, w->family->number);

	hash = mix(mix(hash, w->family->generation), w->thread);
	w->random = mix(hash, ++w->step) ?: 1;
}

static uint32_t draw(struct worker *w, uint32_t below)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 17;
	w->random ^= w->random << 5;
	return mix(w->random, 0) % below;
}

static bool one_in(struct worker *w, uint32_t many)
{
	return !draw(w, many);
}

/* Returns a multiple of the alignment, from @least to at most @most. */
static uint32_t draw_aligned(struct worker *w, uint32_t least, uint32_t most)
{
	return least + draw(w, (most - least) / w->align + 1) * w->align;
}

static bool is_result(int ret)
{
	return ret == -EIO || ret == -ETIMEDOUT || ret == -ECANCELED;
}

static bool is_public(const struct worker *w, const struct region *region)
{
	return region < &w->regions[PUBLIC_BUFFERS];
}

/* Returns false if the region has been replaced since. */
static bool is_alive(const struct region *region, unsigned int life)
{
	return region && region->life == life;
}

/* The completion of a job, in order */

static void doubt_job(const struct pending *job, enum doubt doubt)
{
	const struct named_op *named;

	for (named = job->ops; named < job->ops + job->op_count; named++)
		if (is_alive(named->dst, named->dst_life))
			model_doubt(&named->dst->model, &named->op, doubt);
}

static void apply_job(const struct pending *job)
{
	const struct named_op *named;

	for (named = job->ops; named < job->ops + job->op_count; named++) {
		if (!is_alive(named->dst, named->dst_life))
			continue;
		if (named->op.opcode == DMACPY_OP_FILL)
			model_apply(&named->dst->model, NULL, &named->op);
		else if (is_alive(named->src, named->src_life))
			model_apply(&named->dst->model, &named->src->model,
				    &named->op);
		else
			model_doubt(&named->dst->model, &named->op, IN_DOUBT);
	}
}

/* Once a channel copies again, earlier jobs no longer write. */
static void end_job(struct worker *w, const struct pending *job, int result)
{
	if (!result) {
		count_event(w, JOBS_DONE);
		w->late = false;
		apply_job(job);
	} else if (is_result(result)) {
		count_event(w, result == -EIO ? JOBS_FAILED :
			result == -ETIMEDOUT ? JOBS_TIMED_OUT : JOBS_CANCELLED);
		w->late = true;
		doubt_job(job, IN_DOUBT);
	} else {
		fail(w, "job %llu: %s", (unsigned long long)job->number,
		     strerror(-result));
	}
}

/* Unlike a system call, a request reports a refusal when it completes. */
static void end_request(struct worker *w, const struct pending *job)
{
	if (job->result == -EAGAIN || job->result == -EINTR) {
		count_event(w, JOBS_REFUSED);
		return;
	}
	if (!job->result)
		count_event(w, REQUESTS_DONE);
	end_job(w, job, job->result);
}

static void wait_for(struct worker *w, int fd, const char *what)
{
	unsigned int start = milliseconds();

	while (!(poll_for(fd, POLLIN, PATIENCE_MS) & POLLIN))
		if (milliseconds() - start > PATIENCE_MS)
			fail(w, "no %s for so long", what);
}

static void complete_job(struct worker *w, uint64_t number, int result)
{
	struct pending *job = NULL;
	unsigned int i;

	for (i = 0; i < w->pending; i++) {
		job = &w->queue[(w->first + i) % QUEUE];
		if (job->number == number)
			break;
	}
	if (i == w->pending || !job->request)
		fail(w, "request %llu completed, which there is not",
		     (unsigned long long)number);
	if (job->request->args.flags & DMACPY_SUBMIT_IN_FENCE)
		close(job->request->args.in_fence);
	free(job->request);
	job->request = NULL;
	job->result = result;
}

/* A request that cancels another one has number 0. */
static void complete_request(struct worker *w, uint64_t number, int result)
{
	w->requests--;
	if (number)
		complete_job(w, number, result);
	else if (!result)
		count_event(w, REQUESTS_CANCELLED);
	else if (result != -ENOENT && result != -EALREADY)
		fail(w, "cancel: %s", strerror(-result));
}

/* Its file also becomes readable for work that completes no request. */
static void wait_for_request(struct worker *w)
{
	struct __kernel_timespec patience = { .tv_sec = PATIENCE_MS / 1000 };
	struct io_uring_cqe *cqe;
	int ret;

	do
		ret = io_uring_wait_cqe_timeout(&w->ring, &cqe, &patience);
	while (ret == -EINTR);
	if (ret)
		fail(w, "wait for a request: %s", strerror(-ret));
	complete_request(w, cqe->user_data, cqe->res);
	io_uring_cqe_seen(&w->ring, cqe);
}

/*
 * A request may be started at any time until it completes. Its job has to be
 * queued before later ones, and before its handles are replaced.
 */
static void wait_for_requests(struct worker *w)
{
	while (w->requests)
		wait_for_request(w);
}

static int result_by_event(struct worker *w, const struct pending *job)
{
	struct dmacpy_event event;
	int ret;

	wait_for(w, w->stream, "event");
	do
		ret = read_event(w->stream, &event);
	while (ret == -EINTR);
	if (ret)
		fail(w, "read: %s", strerror(-ret));
	if (event.user_data != job->number)
		fail(w, "event of job %llu, not of %llu",
		     (unsigned long long)event.user_data,
		     (unsigned long long)job->number);
	return event.result;
}

static int result_by_fence(struct worker *w, const struct pending *job)
{
	int status;

	wait_for(w, job->fence, "fence");
	status = fence_status(job->fence);
	close(job->fence);
	return status == 1 ? 0 : status;
}

/* All ways to get the result have to report the same. */
static void end_first(struct worker *w)
{
	struct pending *job = &w->queue[w->first];
	int results[3] = { }, i, found = 0;

	while (job->request)
		wait_for_request(w);
	if (job->by_ring || job->flags & DMACPY_SUBMIT_WAIT)
		results[found++] = job->result;
	if (job->flags & DMACPY_SUBMIT_EVENT)
		results[found++] = result_by_event(w, job);
	if (job->flags & DMACPY_SUBMIT_OUT_FENCE)
		results[found++] = result_by_fence(w, job);
	for (i = 1; i < found; i++)
		if (results[i] != results[0])
			fail(w, "job %llu: results %d and %d",
			     (unsigned long long)job->number, results[0],
			     results[i]);
	if (job->by_ring)
		end_request(w, job);
	else
		end_job(w, job, results[0]);
	free(job->ops);
	w->first = (w->first + 1) % QUEUE;
	w->pending--;
}

static void end_all(struct worker *w)
{
	while (w->pending)
		end_first(w);
}

/* Memory that is imported and released */

static void import_region(struct worker *w, struct region *region)
{
	int ret = dmabuf_import(w->stream, region->fd, ACCESS_BOTH);

	if (ret < 0)
		fail(w, "import: %s", strerror(-ret));
	region->handle = ret;
}

static void new_sram(struct worker *w)
{
	struct region *region = &w->regions[OWN_SRAM];
	int fd = sram_alloc(w->stream, MODEL_SIZE);

	/* Lost jobs, too, may occupy all of it. */
	if (fd == -ENOSPC)
		return;
	if (fd < 0)
		fail(w, "alloc: %s", strerror(-fd));
	region->fd = fd;
	region->mem = dmabuf_map(fd, MODEL_SIZE);
	if (!region->mem)
		fail(w, "map: %s", strerror(errno));
	import_region(w, region);
	model_start(&region->model, 0);
}

static void new_memory(struct worker *w, struct region *region)
{
	uint32_t access = region == &w->regions[SOURCE] ?
			  DMACPY_ACCESS_READ : ACCESS_BOTH;
	int ret;

	region->fd = -1;
	region->mem = memory_map(MODEL_SIZE);
	ret = memory_register(w->stream, region->mem, MODEL_SIZE, access);
	if (ret < 0)
		fail(w, "register: %s", strerror(-ret));
	region->handle = ret;
	model_start(&region->model, 0);
}

static void release_handle(struct worker *w, uint32_t handle)
{
	int ret = handle ? handle_release(w->stream, handle) : 0;

	if (ret)
		fail(w, "release: %s", strerror(-ret));
}

static void forget(struct region *region)
{
	if (region->mem)
		munmap(region->mem, MODEL_SIZE);
	if (region->fd >= 0)
		close(region->fd);
	region->handle = 0;
	region->fd = -1;
	region->mem = NULL;
	region->life++;
}

/* Jobs may be using the region. */
static void replace(struct worker *w)
{
	struct region *region = &w->regions[OWN_SRAM + draw(w, 3)];
	uint32_t handle = region->handle;
	bool later = one_in(w, 2);

	wait_for_requests(w);
	if (!later)
		release_handle(w, handle);
	forget(region);
	if (region == &w->regions[OWN_SRAM])
		new_sram(w);
	else
		new_memory(w, region);
	if (later)
		release_handle(w, handle);
	count_event(w, REPLACEMENTS);
}

static void open_ring(struct worker *w)
{
	static const unsigned int flags[] = {
		0, IORING_SETUP_SQE128,
		IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
	};
	int ret = io_uring_queue_init(RING_ENTRIES, &w->ring,
				      flags[draw(w, 3)]);

	if (ret)
		fail(w, "open a ring: %s", strerror(-ret));
	w->requests = 0;
}

static void open_stream(struct worker *w)
{
	struct dmacpy_get_info info;
	struct region *region;
	int ret;

	open_ring(w);
	w->stream = stream_open(w->device);
	if (w->stream < 0)
		fail(w, "open: %s", strerror(-w->stream));
	info = stream_info(w->stream);
	w->align = info.copy_align > info.user_align ? info.copy_align :
						       info.user_align;
	w->channels = info.submit_flags & DMACPY_SUBMIT_SPREAD ?
		      info.channels : 1;
	ret = dmabuf_import(w->stream, w->family->scratch, ACCESS_BOTH);
	if (ret < 0)
		fail(w, "import scratch: %s", strerror(-ret));
	w->scratch = ret;
	for (region = w->regions; is_public(w, region); region++)
		if (region->fd >= 0)
			import_region(w, region);
	new_sram(w);
	new_memory(w, &w->regions[MEMORY]);
	new_memory(w, &w->regions[SOURCE]);
}

/* Jobs */

static struct region *draw_region(struct worker *w, unsigned int regions)
{
	struct region *region;

	do
		region = &w->regions[draw(w, regions)];
	while (!region->handle);
	return region;
}

/* The @size bytes from @start on, in which the operation has to stay */
struct window {
	uint64_t start;
	uint32_t size;
};

static void name_dst(struct worker *w, struct named_op *named,
		     struct window *window)
{
	struct region *region = NULL;

	window->start = 0;
	window->size = MODEL_SIZE;
	named->op.dst = w->scratch;
	if (!one_in(w, 16)) {
		region = draw_region(w, SOURCE);
		named->op.dst = region->handle;
		named->dst_life = region->life;
		window->start = region->model.base;
	}
	named->dst = region;
}

/* Returns the offset of a neighbour's part of the same buffer. */
static uint64_t draw_neighbour(struct worker *w)
{
	unsigned int thread = w->thread + 1 + draw(w, THREADS - 1);

	return thread % THREADS * MODEL_SIZE;
}

static void name_src(struct worker *w, struct named_op *named,
		     struct window *window)
{
	struct region *region = draw_region(w, REGIONS);

	window->start = region->model.base;
	window->size = MODEL_SIZE;
	named->op.src = region->handle;
	named->src_life = region->life;
	named->src = region;
	if (is_public(w, region) && one_in(w, 4)) {
		window->start = draw_neighbour(w);
		named->src = NULL;
	} else if (named->dst && one_in(w, 16)) {
		window->start = 0;
		named->op.src = w->scratch;
		named->src = NULL;
	}
}

/* Source and destination must not overlap: each gets a half. */
static void split_window(struct worker *w, struct window *dst,
			 struct window *src)
{
	bool upper = one_in(w, 2);

	dst->size /= 2;
	src->size /= 2;
	if (upper)
		dst->start += dst->size;
	else
		src->start += src->size;
}

static uint64_t draw_offset(struct worker *w, const struct window *window,
			    uint32_t length)
{
	return window->start + draw_aligned(w, 0, window->size - length);
}

static uint32_t draw_length(struct worker *w, uint32_t most)
{
	uint32_t length = draw_aligned(w, w->align, most);

	return one_in(w, 2) ? length : draw_aligned(w, w->align, length);
}

static void draw_rectangle(struct worker *w, struct dmacpy_op *op,
			   const struct window *dst, const struct window *src)
{
	uint32_t pitch;

	op->opcode = DMACPY_OP_COPY_2D;
	op->rows = 1 + draw(w, 8);
	pitch = dst->size / op->rows / w->align * w->align;
	op->length = draw_length(w, pitch);
	op->dst_stride = draw_aligned(w, op->length, pitch);
	op->src_stride = draw_aligned(w, 0, pitch);
	op->dst_offset = draw_offset(w, dst, (op->rows - 1) * op->dst_stride +
					     op->length);
	op->src_offset = draw_offset(w, src, (op->rows - 1) * op->src_stride +
					     op->length);
}

/* Draws two tiles of one picture, side by side: their rows alternate. */
static void draw_tiles(struct worker *w, struct dmacpy_op *op,
		       const struct window *window)
{
	op->opcode = DMACPY_OP_COPY_2D;
	op->rows = 1 + draw(w, 8);
	op->length = draw_length(w, window->size / (2 * op->rows));
	op->dst_stride = 2 * op->length;
	op->src_stride = 2 * op->length;
	op->dst_offset = window->start;
	op->src_offset = window->start + op->length;
}

static void draw_op(struct worker *w, struct named_op *named, uint32_t most)
{
	struct dmacpy_op *op = &named->op;
	struct window dst, src;

	name_dst(w, named, &dst);
	if (one_in(w, 4)) {
		op->opcode = DMACPY_OP_FILL;
		op->pattern = draw(w, UINT32_MAX);
		op->length = draw_length(w, most);
		op->dst_offset = draw_offset(w, &dst, op->length);
		return;
	}
	name_src(w, named, &src);
	if (op->dst == op->src && dst.start == src.start) {
		if (one_in(w, 4)) {
			draw_tiles(w, op, &dst);
			return;
		}
		split_window(w, &dst, &src);
	}
	if (one_in(w, 2)) {
		draw_rectangle(w, op, &dst, &src);
		return;
	}
	op->opcode = DMACPY_OP_COPY;
	op->length = draw_length(w, most < dst.size ? most : dst.size);
	op->dst_offset = draw_offset(w, &dst, op->length);
	op->src_offset = draw_offset(w, &src, op->length);
}

static void draw_job(struct worker *w, struct pending *job)
{
	bool large = one_in(w, 16);
	size_t i;

	job->op_count = 1 + draw(w, large ? MAX_OPS : 6);
	job->ops = calloc(job->op_count, sizeof(*job->ops));
	if (!job->ops)
		fail(w, "out of memory");
	for (i = 0; i < job->op_count; i++)
		draw_op(w, &job->ops[i], large ? 256 : MODEL_SIZE);
}

static void give_fence(struct worker *w, int fence)
{
	unsigned int place = draw(w, PUBLIC_FENCES);
	struct family *family = w->family;

	pthread_mutex_lock(&family->lock);
	if (family->fences[place] >= 0)
		close(family->fences[place]);
	family->fences[place] = dup(fence);
	pthread_mutex_unlock(&family->lock);
}

/* Returns -1 if there is none yet. */
static int take_fence(struct worker *w)
{
	unsigned int place = draw(w, PUBLIC_FENCES);
	struct family *family = w->family;
	int fence = -1;

	pthread_mutex_lock(&family->lock);
	if (family->fences[place] >= 0)
		fence = dup(family->fences[place]);
	pthread_mutex_unlock(&family->lock);
	return fence;
}

/* Merges fences of two jobs, usually of different streams, or returns -1. */
static int merge_fences(struct worker *w, int first)
{
	struct sync_merge_data merge = { .name = "stress" };

	merge.fd2 = take_fence(w);
	if (merge.fd2 < 0 || ioctl(first, SYNC_IOC_MERGE, &merge))
		merge.fence = -1;
	close(merge.fd2);
	return merge.fence;
}

static void draw_in_fence(struct worker *w, struct dmacpy_submit *args)
{
	int fence = take_fence(w), merged = -1;

	if (fence < 0)
		return;
	if (one_in(w, 4))
		merged = merge_fences(w, fence);
	if (merged >= 0) {
		close(fence);
		fence = merged;
	}
	args->flags |= DMACPY_SUBMIT_IN_FENCE;
	args->in_fence = fence;
	count_event(w, IN_FENCES);
}

/* Prepares the operations, and releases them while their run is in flight. */
static int run_ops(struct worker *w, const struct dmacpy_op *ops,
		   size_t op_count, struct dmacpy_submit *args)
{
	struct dmacpy_run_job job = { .user_data = args->user_data };
	struct dmacpy_prepare prepared = { };
	struct dmacpy_run run = {
		.flags = args->flags,
		.in_fence = args->in_fence,
	};
	int ret = prepare_with(w->stream, ops, op_count, &prepared);

	if (ret < 0)
		return ret;
	job.handle = ret;
	ret = run_many(w->stream, &job, 1, &run);
	release_handle(w, job.handle);
	args->out_fence = run.out_fence;
	if (ret != 1)
		return ret;
	count_event(w, RUNS);
	return 0;
}

static int submit_ops(struct worker *w, const struct named_op *named,
		      size_t op_count, struct dmacpy_submit *args)
{
	struct dmacpy_op ops[MAX_OPS];
	size_t i;

	for (i = 0; i < op_count; i++)
		ops[i] = named[i].op;
	if (!(args->flags & DMACPY_SUBMIT_SPREAD) && one_in(w, 4))
		return run_ops(w, ops, op_count, args);
	return submit_with(w->stream, ops, op_count, args);
}

static void keep(struct worker *w, struct pending *job, int ret,
		 const struct dmacpy_submit *args)
{
	job->number = args->user_data;
	job->flags = args->flags;
	job->by_ring = false;
	job->request = NULL;
	job->result = ret;
	job->fence = args->out_fence;
	if (args->flags & DMACPY_SUBMIT_OUT_FENCE && one_in(w, 2))
		give_fence(w, job->fence);
	w->pending++;
}

/* Draws one or more ways to wait for the job. */
static uint32_t draw_flags(struct worker *w)
{
	uint32_t ways = 1 + draw(w, 7), flags = 0;

	if (ways & 1)
		flags |= DMACPY_SUBMIT_EVENT;
	if (ways & 2)
		flags |= DMACPY_SUBMIT_OUT_FENCE;
	if (ways & 4 && one_in(w, 2))
		flags |= DMACPY_SUBMIT_WAIT;
	if (!flags)
		flags |= DMACPY_SUBMIT_WAIT;
	if (one_in(w, 4))
		flags |= DMACPY_SUBMIT_NO_IMPLICIT;
	if (one_in(w, 4))
		flags |= DMACPY_SUBMIT_MORE;
	return flags;
}

static void run_job(struct worker *w)
{
	struct dmacpy_submit args = { .user_data = ++w->number };
	struct pending *job;
	int ret;

	wait_for_requests(w);
	if (w->pending == QUEUE)
		end_first(w);
	job = &w->queue[(w->first + w->pending) % QUEUE];
	draw_job(w, job);
	args.flags = draw_flags(w);
	if (w->channels > 1 && one_in(w, 3)) {
		args.flags |= DMACPY_SUBMIT_SPREAD;
		args.channels = 1 + draw(w, w->channels);
	}
	if (one_in(w, 4))
		draw_in_fence(w, &args);
	ret = submit_ops(w, job->ops, job->op_count, &args);
	if (args.flags & DMACPY_SUBMIT_IN_FENCE)
		close(args.in_fence);
	if (!ret || (args.flags & DMACPY_SUBMIT_WAIT && is_result(ret))) {
		keep(w, job, ret, &args);
		return;
	}
	free(job->ops);
	if (ret != -EAGAIN && ret != -EINTR)
		fail(w, "submit: %s", strerror(-ret));
	count_event(w, JOBS_REFUSED);
}

static struct request *new_request(struct worker *w, const struct pending *job)
{
	struct request *request;
	size_t i;

	request = calloc(1, sizeof(*request) +
			    job->op_count * sizeof(request->ops[0]));
	if (!request)
		fail(w, "out of memory");
	for (i = 0; i < job->op_count; i++)
		request->ops[i] = job->ops[i].op;
	request->args = (struct dmacpy_submit){
		.size = sizeof(request->args),
		.flags = one_in(w, 4) ? DMACPY_SUBMIT_NO_IMPLICIT : 0,
		.ops = (uintptr_t)request->ops,
		.op_count = job->op_count,
		.op_size = sizeof(request->ops[0]),
	};
	if (one_in(w, 4))
		draw_in_fence(w, &request->args);
	return request;
}

static void queue_request(struct worker *w, unsigned int sqe_flags)
{
	struct io_uring_sqe *sqe;
	struct pending *job;

	if (w->pending == QUEUE)
		end_first(w);
	job = &w->queue[(w->first + w->pending++) % QUEUE];
	draw_job(w, job);
	job->number = ++w->number;
	job->flags = 0;
	job->by_ring = true;
	job->request = new_request(w, job);
	sqe = ring_queue(&w->ring, w->stream, &job->request->args);
	sqe->user_data = job->number;
	sqe->flags = sqe_flags | (one_in(w, 4) ? IOSQE_ASYNC : 0);
	w->requests++;
}

/*
 * Linux cancels requests that it has not started, such as early IOSQE_ASYNC
 * ones.
 */
static void queue_cancel(struct worker *w, uint64_t number)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&w->ring);

	io_uring_prep_cancel64(sqe, number, 0);
	sqe->user_data = 0;
	w->requests++;
}

/* In a chain, each request starts when the previous one has completed. */
static void run_chain(struct worker *w)
{
	unsigned int count = draw(w, CHAIN);
	uint64_t first = w->number + 1;
	int ret;

	wait_for_requests(w);
	while (count--)
		queue_request(w, IOSQE_IO_LINK);
	queue_request(w, 0);
	if (one_in(w, 2))
		queue_cancel(w, first);
	ret = io_uring_submit(&w->ring);
	if (ret != (int)w->requests)
		fail(w, "%d of %u requests were submitted", ret, w->requests);
}

/* The kernel may still read the memory of the request, so it is leaked. */
static void forget_request(struct worker *w, struct pending *job)
{
	if (job->request->args.flags & DMACPY_SUBMIT_IN_FENCE)
		close(job->request->args.in_fence);
	job->request = NULL;
	count_event(w, REQUESTS_FORGOTTEN);
}

/* The results of jobs in flight will be unknown. */
static void reopen(struct worker *w)
{
	struct region *region;
	struct pending *job;

	if (one_in(w, 2))
		end_all(w);
	else
		run_chain(w);
	for (; w->pending; w->pending--) {
		job = &w->queue[w->first];
		doubt_job(job, FOR_EVER_IN_DOUBT);
		if (job->flags & DMACPY_SUBMIT_OUT_FENCE)
			close(job->fence);
		if (job->request)
			forget_request(w, job);
		free(job->ops);
		w->first = (w->first + 1) % QUEUE;
	}
	if (one_in(w, 2)) {
		io_uring_queue_exit(&w->ring);
		close(w->stream);
	} else {
		close(w->stream);
		io_uring_queue_exit(&w->ring);
	}
	for (region = w->regions; region < w->regions + REGIONS; region++)
		if (!is_public(w, region))
			forget(region);
		else if (w->late)
			model_doubt_for_ever(&region->model);
	w->late = false;
	open_stream(w);
	count_event(w, REOPENINGS);
}

/* Makes a job invalid. Returns the error that it has to be refused with. */
static int draw_invalid(struct worker *w, struct dmacpy_submit *args,
			struct dmacpy_op *op)
{
	switch (draw(w, 12)) {
	case 0:
		op->dst = ~0;
		return -ENOENT;
	case 1:
		op->length = 0;
		return -EINVAL;
	case 2:
		op->opcode = 77;
		return -EOPNOTSUPP;
	case 3:
		op->flags = 1;
		return -EOPNOTSUPP;
	case 4:
		op->dst_offset = UINT64_MAX - draw(w, MODEL_SIZE);
		return -EINVAL;
	case 5:
		op->dst_offset += 1ULL << (17 + draw(w, 40));
		return -EINVAL;
	case 6:
		op->dst = w->regions[SOURCE].handle;
		return -EACCES;
	case 7:
		args->op_count = 0;
		return -EINVAL;
	case 8:
		args->op_count = 1 << 20;
		return -E2BIG;
	case 9:
		args->ops = 0;
		return -EFAULT;
	case 10:
		args->flags |= 1U << 31;
		return -EOPNOTSUPP;
	default:
		args->flags |= DMACPY_SUBMIT_IN_FENCE;
		args->in_fence = w->stream;
		return -EBADF;
	}
}

/* It may also be refused before the mistake is detected. */
static void submit_mistake(struct worker *w)
{
	struct dmacpy_op ops[MAX_OPS];
	struct dmacpy_submit args = {
		.size = sizeof(args),
		.flags = draw_flags(w),
		.ops = (uintptr_t)ops,
		.op_size = sizeof(*ops),
	};
	struct pending job = { };
	int ret, wanted;
	size_t i;

	draw_job(w, &job);
	for (i = 0; i < job.op_count; i++)
		ops[i] = job.ops[i].op;
	args.op_count = job.op_count;
	wanted = draw_invalid(w, &args, &ops[draw(w, job.op_count)]);
	ret = command(w->stream, DMACPY_SUBMIT, &args);
	if (ret != wanted && ret != -EAGAIN && ret != -EINTR)
		fail(w, "an invalid job: %d, not %d", ret, wanted);
	free(job.ops);
	count_event(w, MISTAKES);
}

/* Issues a command with invalid arguments. */
static void issue_invalid(struct worker *w)
{
	static const struct {
		unsigned long request;
		uint32_t size;
	} commands[] = {
		{ DMACPY_ALLOC, sizeof(struct dmacpy_alloc) },
		{ DMACPY_IMPORT, sizeof(struct dmacpy_import) },
		{ DMACPY_REGISTER, sizeof(struct dmacpy_register) },
		{ DMACPY_RELEASE, sizeof(struct dmacpy_release) },
		{ DMACPY_SUBMIT, sizeof(struct dmacpy_submit) },
	};
	unsigned int which = draw(w, 5), i;
	uint32_t words[64];

	for (i = 0; i < 64; i++)
		words[i] = 0x10000 + draw(w, UINT32_MAX - 0x10000);
	words[0] = commands[which].size;
	if (one_in(w, 2))
		words[1] = 0;
	if (one_in(w, 4))
		words[0] = draw(w, 200);
	if (!command(w->stream, commands[which].request, words))
		fail(w, "invalid command %u was accepted", which);
	count_event(w, MISTAKES);
}

/* Other steps */

/* Checks the bytes that no job in flight is going to write. */
static void check_region(struct worker *w, struct region *region)
{
	bool except[MODEL_SIZE] = { };
	const struct named_op *named;
	const struct pending *job;
	size_t where, compared = 0;
	unsigned int i;

	for (i = 0; i < w->pending; i++) {
		job = &w->queue[(w->first + i) % QUEUE];
		for (named = job->ops; named < job->ops + job->op_count;
		     named++)
			if (named->dst == region &&
			    named->dst_life == region->life)
				model_mark(&region->model, &named->op, except);
	}
	where = model_compare(&region->model, region->mem, except, &compared);
	if (where < MODEL_SIZE)
		fail(w, "region %td, byte %#zx is %#x, not %#x",
		     region - w->regions, where, region->mem[where],
		     region->model.bytes[where]);
	count(w->family->statistics, BYTES_COMPARED, compared);
}

static void sync_region(struct worker *w, struct region *region,
			uint64_t flags)
{
	int ret;

	if (region->fd < 0)
		return;
	do
		ret = dmabuf_sync(region->fd, flags);
	while (ret == -EINTR);
	if (ret)
		fail(w, "sync: %s", strerror(-ret));
}

static void check(struct worker *w)
{
	struct region *region = draw_region(w, REGIONS);

	if (one_in(w, 4))
		end_all(w);
	sync_region(w, region, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	check_region(w, region);
	sync_region(w, region, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
}

static void write_by_cpu(struct worker *w)
{
	struct region *region = draw_region(w, REGIONS);
	uint32_t offset = draw(w, MODEL_SIZE);
	uint32_t length = 1 + draw(w, MODEL_SIZE - offset);
	uint8_t value = draw(w, 256);

	end_all(w);
	sync_region(w, region, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
	memset(region->mem + offset, value, length);
	sync_region(w, region, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);
	model_write(&region->model, offset, length, value, w->late);
}

/* A child gets copies of memory that the engine may be using. */
static void fork_child(struct worker *w)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		memset(w->regions[MEMORY].mem, 0xee, MODEL_SIZE);
		memset(w->regions[SOURCE].mem, 0xee, MODEL_SIZE);
		_exit(0);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
}

static void flush(struct worker *w)
{
	const struct pending *job;
	unsigned int i;

	if (fsync(w->stream) && !is_result(-errno))
		fail(w, "fsync: %s", strerror(errno));
	for (i = 0; i < w->pending; i++) {
		job = &w->queue[(w->first + i) % QUEUE];
		if (job->flags & DMACPY_SUBMIT_OUT_FENCE &&
		    !fence_status(job->fence))
			fail(w, "fsync before job %llu completed",
			     (unsigned long long)job->number);
	}
}

static void check_regions(struct worker *w)
{
	struct dmacpy_get_info info = stream_info(w->stream);

	if (!info.sram_total || info.sram_free > info.sram_total)
		fail(w, "%llu of %llu bytes are free",
		     (unsigned long long)info.sram_free,
		     (unsigned long long)info.sram_total);
	if (poll_for(w->stream, POLLIN | POLLOUT, draw(w, 3)) &
	    (POLLERR | POLLHUP | POLLNVAL))
		fail(w, "poll reports an error");
}

static void scribble(struct worker *w)
{
	uint8_t *mem = dmabuf_map(w->family->scratch, MODEL_SIZE);

	if (!mem)
		fail(w, "map scratch: %s", strerror(errno));
	mem[draw(w, MODEL_SIZE)] = draw(w, 256);
	munmap(mem, MODEL_SIZE);
}

static const struct {
	void (*run)(struct worker *w);
	unsigned int weight;
} steps[] = {
	{ run_job, 60 },
	{ run_chain, 4 },
	{ submit_mistake, 6 },
	{ issue_invalid, 4 },
	{ end_all, 3 },
	{ check, 10 },
	{ write_by_cpu, 4 },
	{ replace, 5 },
	{ reopen, 1 },
	{ fork_child, 1 },
	{ flush, 2 },
	{ check_regions, 2 },
	{ scribble, 2 },
};

#define STEPS	(sizeof(steps) / sizeof(*steps))

static void run_step(struct worker *w)
{
	unsigned int sum = 0, i;
	uint32_t drawn;

	for (i = 0; i < STEPS; i++)
		sum += steps[i].weight;
	start_step(w);
	drawn = draw(w, sum);
	for (i = 0; drawn >= steps[i].weight; i++)
		drawn -= steps[i].weight;
	steps[i].run(w);
}

static void start(struct worker *w)
{
	struct region *region;
	unsigned int i;

	for (i = 0; i < REGIONS; i++)
		w->regions[i].fd = -1;
	for (i = 0; i < PUBLIC_BUFFERS; i++) {
		region = &w->regions[i];
		region->fd = w->family->buffers[i];
		model_start(&region->model, w->thread * MODEL_SIZE);
		if (region->fd >= 0)
			region->mem = w->family->maps[i] + region->model.base;
	}
	open_stream(w);
}

static void finish(struct worker *w)
{
	struct region *region;

	end_all(w);
	for (region = w->regions; region < w->regions + REGIONS; region++)
		if (region->mem)
			check_region(w, region);
	io_uring_queue_exit(&w->ring);
	close(w->stream);
}

void *worker_run(void *arg)
{
	const struct worker_start *from = arg;
	struct worker *w = calloc(1, sizeof(*w));

	if (!w)
		abort();
	w->family = from->family;
	w->thread = from->thread;
	w->device = w->family->devices[w->thread];
	start(w);
	while (!__atomic_load_n(&w->family->statistics->stop,
				__ATOMIC_RELAXED))
		run_step(w);
	finish(w);
	free(w);
	return NULL;
}
