// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmacpy bench: a stream with its memory, and its jobs, built in advance.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "bench.h"

#define FILL_PATTERN (BENCH_FILL * 0x01010101U)

/* Adds handles that all refer to the same memory. */
static int add_handles(const struct bench *bench, struct bench_stream *stream)
{
	static uint8_t memory[64] __attribute__((aligned(64)));
	uint64_t i;
	int ret = 0;

	stream->more = calloc(bench->handles + 1, sizeof(*stream->more));
	if (!stream->more)
		return -ENOMEM;

	for (i = 0; i < bench->handles && !ret; i++)
		ret = dmacpy_buffer_register(stream->stream, memory,
					     sizeof(memory),
					     DMACPY_ACCESS_READ,
					     &stream->more[i]);

	return ret;
}

static int open_memory(const struct bench *bench, struct bench_stream *stream)
{
	if (bench_memory_new(bench, bench->dst, stream->stream,
			     DMACPY_ACCESS_WRITE, &stream->dst))
		return -1;
	if (bench->opcode != DMACPY_OP_FILL &&
	    bench_memory_new(bench, bench->src, stream->stream,
			     DMACPY_ACCESS_READ, &stream->src))
		return -1;

	if (bench->verify && stream->dst.slots < bench_copies(bench)) {
		print_error("%u of %u copies of a round fit in %s.\n"
			    "For --verify, all need one: lower --size, --depth, --batch or --streams, or\n"
			    "raise --segments.",
			    stream->dst.slots, bench_copies(bench),
			    bench_kind_names[bench->dst]);
		return -1;
	}

	return 0;
}

static struct dmacpy_op make_op(const struct bench *bench,
				const struct bench_stream *stream,
				unsigned int copy)
{
	const struct bench_layout *layout = &bench->layout;
	const struct bench_memory *dst = &stream->dst, *src = &stream->src;
	struct dmacpy_op op = {
		.opcode = bench->opcode,
		.dst = dmacpy_buffer_handle(dst->buffer),
		.dst_offset = dst->base + copy % dst->slots * layout->slot +
			      layout->guard,
		.length = layout->row,
	};

	if (bench->opcode == DMACPY_OP_FILL) {
		op.pattern = FILL_PATTERN;
		return op;
	}

	op.src = dmacpy_buffer_handle(src->buffer);
	op.src_offset = src->base + copy % src->slots * layout->slot +
			layout->guard;
	if (bench->opcode == DMACPY_OP_COPY_2D) {
		op.rows = layout->rows;
		op.dst_stride = layout->stride;
		op.src_stride = layout->stride;
	}

	return op;
}

static void make_job(const struct bench *bench, struct bench_stream *stream,
		     unsigned int job)
{
	struct dmacpy_op *ops = stream->ops + job * bench->batch;
	bool more = bench->more && job + 1 < bench->depth;
	unsigned int i;

	for (i = 0; i < bench->batch; i++)
		ops[i] = make_op(bench, stream, job * bench->batch + i);

	stream->submits[job] = (struct dmacpy_submit){
		.size = sizeof(struct dmacpy_submit),
		.flags = bench->mode->flags |
			 (bench->no_implicit ? DMACPY_SUBMIT_NO_IMPLICIT : 0) |
			 (more ? DMACPY_SUBMIT_MORE : 0),
		.ops = (uintptr_t)ops,
		.op_count = bench->batch,
		.op_size = sizeof(*ops),
	};
	stream->pointers[job].submit = (uintptr_t)&stream->submits[job];
}

/* Returns the maximum number of jobs that a call starts. */
static unsigned int jobs_per_call(const struct bench *bench)
{
	return bench->prepared && bench->mode->takes_many ?
	       bench->session.info.max_jobs : 1;
}

unsigned int bench_calls(const struct bench *bench)
{
	unsigned int most = jobs_per_call(bench);

	return (bench->depth + most - 1) / most;
}

/* Closing the stream drops the handles. */
static int prepare_job(struct bench_stream *stream, unsigned int job)
{
	struct dmacpy_prepare prepare = {
		.size = sizeof(prepare),
		.ops = stream->submits[job].ops,
		.op_count = stream->submits[job].op_count,
		.op_size = stream->submits[job].op_size,
	};

	if (ioctl(stream->fd, DMACPY_PREPARE, &prepare))
		return -errno;

	stream->runs[job].handle = prepare.handle;
	return 0;
}

static int prepare_jobs(const struct bench *bench, struct bench_stream *stream)
{
	unsigned int most = jobs_per_call(bench), calls = bench_calls(bench);
	unsigned int job, call, left;
	int ret = 0;

	stream->runs = calloc(bench->depth, sizeof(*stream->runs));
	stream->calls = calloc(calls, sizeof(*stream->calls));
	if (!stream->runs || !stream->calls)
		return -ENOMEM;

	for (job = 0; job < bench->depth && !ret; job++)
		ret = prepare_job(stream, job);
	for (call = 0, job = 0; call < calls; call++, job += most) {
		left = bench->depth - job;
		stream->calls[call] = (struct dmacpy_run){
			.size = sizeof(struct dmacpy_run),
			.flags = stream->submits[job].flags,
			.jobs = (uintptr_t)&stream->runs[job],
			.job_count = left < most ? left : most,
			.job_size = sizeof(*stream->runs),
		};
	}

	return ret;
}

static int make_jobs(const struct bench *bench, struct bench_stream *stream)
{
	unsigned int job;

	stream->ops = calloc(bench_copies(bench), sizeof(*stream->ops));
	stream->submits = calloc(bench->depth, sizeof(*stream->submits));
	stream->pointers = calloc(bench->depth, sizeof(*stream->pointers));
	if (!stream->ops || !stream->submits || !stream->pointers)
		return -ENOMEM;

	for (job = 0; job < bench->depth; job++)
		make_job(bench, stream, job);

	return bench->prepared ? prepare_jobs(bench, stream) : 0;
}

int bench_stream_open(const struct bench *bench, struct bench_stream *stream)
{
	int ret;

	ret = dmacpy_stream_open(bench->session.device, &stream->stream);
	if (ret) {
		stream_error("cannot open a stream", ret);
		return -1;
	}
	stream->fd = dmacpy_stream_fd(stream->stream);

	/* Add them first, so that the handles that jobs use come last. */
	ret = add_handles(bench, stream);
	if (ret) {
		register_error("cannot create --handles", ret);
		return -1;
	}
	if (open_memory(bench, stream))
		return -1;

	ret = make_jobs(bench, stream);
	if (!ret)
		ret = bench_data_reset(bench, stream);
	if (ret)
		device_error("cannot prepare the jobs", ret);

	return ret;
}

void bench_stream_close(struct bench_stream *stream)
{
	struct dmacpy_buffer **more;

	for (more = stream->more; more && *more; more++)
		dmacpy_buffer_free(*more);
	free(stream->more);
	free(stream->calls);
	free(stream->runs);
	free(stream->pointers);
	free(stream->submits);
	free(stream->ops);
	bench_memory_free(&stream->src);
	bench_memory_free(&stream->dst);
	dmacpy_stream_close(stream->stream);
}
