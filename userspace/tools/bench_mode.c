// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmacpy bench: a round in each mode. Each function does as little as possible
 * besides the system calls, because all of it is measured.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"

/*
 * RUN starts fewer jobs than it should if one is refused, or a signal comes.
 * The call for the others then starts them, or returns the error.
 */
static int run_jobs(int fd, struct dmacpy_run *call)
{
	int count = ioctl(fd, DMACPY_RUN, call);
	struct dmacpy_run rest;

	if (count == (int)call->job_count)
		return 0;

	rest = *call;
	while (count >= 0 && count < (int)rest.job_count) {
		rest.jobs += count * rest.job_size;
		rest.job_count -= count;
		count = ioctl(fd, DMACPY_RUN, &rest);
	}

	return count < 0 ? -errno : 0;
}

static int submit(struct bench_stream *stream, unsigned int job)
{
	if (stream->runs)
		return run_jobs(stream->fd, &stream->calls[job]);

	return ioctl(stream->fd, DMACPY_SUBMIT, &stream->submits[job]) ?
	       -errno : 0;
}

/* Submits round robin, so that all channels are busy. */
static int submit_all(struct bench_worker *worker)
{
	unsigned int i, job, calls = bench_calls(worker->bench);
	int ret;

	for (job = 0; job < calls; job++)
		for (i = 0; i < worker->mine; i++) {
			ret = submit(bench_stream(worker, i), job);
			if (ret)
				return ret;
		}

	return 0;
}

static int event_begin(struct bench_worker *worker)
{
	worker->private = calloc(worker->bench->depth,
				 sizeof(struct dmacpy_event));

	return worker->private ? 0 : -ENOMEM;
}

static int read_events(struct bench_worker *worker, struct bench_stream *stream)
{
	struct dmacpy_event *events = worker->private;
	unsigned int left = worker->bench->depth;
	ssize_t size, i;

	while (left) {
		size = read(stream->fd, events, left * sizeof(*events));
		if (size < 0)
			return -errno;
		size /= sizeof(*events);
		for (i = 0; i < size; i++)
			if (events[i].result)
				return events[i].result;
		left -= size;
	}

	return 0;
}

static int event_round(struct bench_worker *worker)
{
	unsigned int i;
	int ret;

	ret = submit_all(worker);
	for (i = 0; i < worker->mine && !ret; i++)
		ret = read_events(worker, bench_stream(worker, i));

	return ret;
}

static void event_end(struct bench_worker *worker)
{
	free(worker->private);
}

static int wait_for_fence(struct bench_stream *stream, unsigned int job)
{
	struct pollfd fence = {
		.fd = stream->runs ? stream->calls[job].out_fence :
				     stream->submits[job].out_fence,
		.events = POLLIN,
	};

	if (poll(&fence, 1, -1) < 0)
		return -errno;

	return close(fence.fd) ? -errno : 0;
}

static int fence_round(struct bench_worker *worker)
{
	unsigned int i, job;
	int ret;

	ret = submit_all(worker);
	for (job = 0; job < worker->bench->depth; job++)
		for (i = 0; i < worker->mine && !ret; i++)
			ret = wait_for_fence(bench_stream(worker, i), job);

	return ret;
}

static void cpu_copy(const struct bench_stream *stream,
		     const struct dmacpy_op *op)
{
	uint8_t *dst = stream->dst.data + op->dst_offset;
	const uint8_t *src = stream->src.data + op->src_offset;
	unsigned int row;

	switch (op->opcode) {
	case DMACPY_OP_COPY:
		memcpy(dst, src, op->length);
		break;
	case DMACPY_OP_COPY_2D:
		for (row = 0; row < op->rows; row++)
			memcpy(dst + row * op->dst_stride,
			       src + row * op->src_stride, op->length);
		break;
	case DMACPY_OP_FILL:
		memset(dst, BENCH_FILL, op->length);
		break;
	}
}

/* SRAM is not cached: it needs no DMA_BUF_IOCTL_SYNC. */
static bool needs_brackets(const struct bench_memory *mem)
{
	return mem->buffer && mem->kind != BENCH_SRAM;
}

static int cpu_begin_access(struct bench_stream *stream)
{
	int ret = 0;

	if (needs_brackets(&stream->src))
		ret = dmacpy_buffer_begin_access(stream->src.buffer,
						 DMACPY_ACCESS_READ);
	if (!ret && needs_brackets(&stream->dst))
		ret = dmacpy_buffer_begin_access(stream->dst.buffer,
						 DMACPY_ACCESS_WRITE);

	return ret;
}

static int cpu_end_access(struct bench_stream *stream)
{
	int ret = 0;

	if (needs_brackets(&stream->dst))
		ret = dmacpy_buffer_end_access(stream->dst.buffer,
					       DMACPY_ACCESS_WRITE);
	if (!ret && needs_brackets(&stream->src))
		ret = dmacpy_buffer_end_access(stream->src.buffer,
					       DMACPY_ACCESS_READ);

	return ret;
}

static int cpu_round(struct bench_worker *worker)
{
	struct bench_stream *stream;
	unsigned int i, op;
	int ret = 0;

	for (i = 0; i < worker->mine && !ret; i++) {
		stream = bench_stream(worker, i);
		ret = cpu_begin_access(stream);
		if (ret)
			break;
		for (op = 0; op < worker->bench->batch; op++)
			cpu_copy(stream, &stream->ops[op]);
		ret = cpu_end_access(stream);
	}

	return ret;
}

/* The CPU makes all copies of the library. */
static int copy_begin(struct bench_worker *worker)
{
	const struct bench *bench = worker->bench;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < worker->mine && !ret; i++)
		ret = dmacpy_stream_set_cpu_below(bench_stream(worker,
							       i)->stream,
						  bench_memory_of(bench->dst),
						  bench_memory_of(bench->src),
						  UINT64_MAX);

	return ret;
}

static int copy_round(struct bench_worker *worker)
{
	const struct bench_stream *stream;
	const struct dmacpy_op *op;
	unsigned int i, j;
	int ret;

	for (i = 0; i < worker->mine; i++) {
		stream = bench_stream(worker, i);
		for (j = 0; j < worker->bench->batch; j++) {
			op = &stream->ops[j];
			ret = dmacpy_stream_copy(stream->stream,
						 stream->dst.buffer,
						 op->dst_offset,
						 stream->src.buffer,
						 op->src_offset, op->length);
			if (ret)
				return ret;
		}
	}

	return 0;
}

static int alloc_round(struct bench_worker *worker)
{
	struct dmacpy_alloc alloc;
	unsigned int i;

	for (i = 0; i < worker->mine; i++) {
		alloc = (struct dmacpy_alloc){
			.size = sizeof(alloc),
			.length = worker->bench->size,
			.fd_flags = O_RDWR | O_CLOEXEC,
		};
		if (ioctl(bench_stream(worker, i)->fd, DMACPY_ALLOC, &alloc) ||
		    close(alloc.fd))
			return -errno;
	}

	return 0;
}

static const struct bench_mode modes[] = {
	{
		.name = "sync",
		.flags = DMACPY_SUBMIT_WAIT,
		.one_job = true,
		.round = submit_all,
	},
	{
		.name = "event",
		.flags = DMACPY_SUBMIT_EVENT,
		.takes_more = true,
		.takes_many = true,
		.begin = event_begin,
		.round = event_round,
		.end = event_end,
	},
	{
		.name = "fence",
		.flags = DMACPY_SUBMIT_OUT_FENCE,
		.takes_more = true,
		.round = fence_round,
	},
	{
		.name = "uring",
#ifdef HAVE_LIBURING
		.begin = bench_uring_begin,
		.round = bench_uring_round,
		.end = bench_uring_end,
#endif
	},
	{
		.name = "iopoll",
		.polls = true,
#ifdef HAVE_LIBURING
		.begin = bench_uring_begin,
		.round = bench_uring_round,
		.end = bench_uring_end,
#endif
	},
	{
		.name = "copier",
		.one_job = true,
		.only_copies = true,
		.no_explicit = true,
		.copier = true,
		.begin = bench_copier_begin,
		.round = bench_copier_round,
		.end = bench_copier_end,
	},
	{
		.name = "cpu",
		.one_job = true,
		.no_jobs = true,
		.round = cpu_round,
	},
	{
		.name = "copy",
		.one_job = true,
		.no_jobs = true,
		.only_copies = true,
		.no_dmabufs = true,
		.no_explicit = true,
		.begin = copy_begin,
		.round = copy_round,
	},
	{
		.name = "alloc",
		.one_job = true,
		.no_jobs = true,
		.no_copies = true,
		.no_explicit = true,
		.round = alloc_round,
	},
};

const struct bench_mode *bench_mode_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (!strcmp(modes[i].name, name))
			return &modes[i];

	return NULL;
}
