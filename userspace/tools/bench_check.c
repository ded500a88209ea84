// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmacpy bench: checks that its options fit together, and to the device.
 */
#include <inttypes.h>
#include <unistd.h>

#include "bench.h"

static int check_mode(const struct bench *bench)
{
	if (bench->mode->one_job && bench->depth > 1)
		return usage_error("bench",
				   "--mode %s has one job at a time: take another or leave --depth out",
				   bench->mode->name);
	if (bench->mode->no_jobs && (bench->no_implicit || bench->handles))
		return usage_error("bench",
				   "--mode %s has no jobs: leave --no-implicit and --handles out",
				   bench->mode->name);
	if (bench->more && !bench->mode->takes_more)
		return usage_error("bench",
				   "--more is for --mode event or fence");
	if (bench->prepared && (bench->more || bench->mode->no_jobs ||
				bench->mode->copier))
		return usage_error("bench",
				   "--prepared is for modes with jobs, without --more");
	if (bench->mode->no_copies && (bench->verify || bench->batch > 1))
		return usage_error("bench",
				   "--mode %s copies nothing: leave --verify and --batch out",
				   bench->mode->name);
	if (bench->mode->only_copies && bench->opcode != DMACPY_OP_COPY)
		return usage_error("bench",
				   "--mode %s only copies: leave --op out",
				   bench->mode->name);
	if (bench->mode->no_dmabufs && (bench_is_dmabuf(bench->src) ||
					bench_is_dmabuf(bench->dst)))
		return usage_error("bench",
				   "--mode %s is for user and sram: the library leaves dma-bufs to the engine",
				   bench->mode->name);
	if (bench->mode->no_explicit && bench->explicit_sync)
		return usage_error("bench",
				   "--mode %s does not use such memory: leave --explicit-sync out",
				   bench->mode->name);
	if (bench->mode->copier && bench->no_implicit)
		return usage_error("bench",
				   "--mode copier never uses implicit fences");
	if (bench->mode->copier && (bench->streams > bench->threads ||
				    bench->handles))
		return usage_error("bench",
				   "--mode copier has a copier for each thread: leave --streams and --handles out");
	if (bench->min_part && !bench->mode->copier)
		return usage_error("bench",
				   "--min-part is for --mode copier");
	if (bench->rounds && bench->duration)
		return usage_error("bench",
				   "take --iterations or --time, not both");

	return 0;
}

static int check_memory(const struct bench *bench)
{
	if (bench->streams < bench->threads)
		return usage_error("bench",
				   "each of %" PRIu64
				   " threads needs a stream: raise --streams",
				   bench->threads);
	if (bench->opcode == DMACPY_OP_FILL && bench->src != BENCH_KINDS)
		return usage_error("bench",
				   "a fill has no source: leave --src out");
	if (bench->opcode == DMACPY_OP_COPY_2D && bench->size % bench->rows)
		return usage_error("bench",
				   "--op 2d has %" PRIu64
				   " rows: --size has to be a multiple of that",
				   bench->rows);
	if (bench->opcode == DMACPY_OP_COPY_2D &&
	    bench->size / bench->rows + bench->gap >
	    BENCH_MAX_GAP / bench->rows)
		return usage_error("bench",
				   "--gap and --size are too large for %" PRIu64
				   " rows",
				   bench->rows);
	if (bench->segments && bench->dst != BENCH_USER &&
	    bench->src != BENCH_USER)
		return usage_error("bench",
				   "--segments is for user: take it for --src or --dst");
	if (bench->explicit_sync && bench->src != BENCH_USER &&
	    bench->dst != BENCH_USER)
		return usage_error("bench",
				   "--explicit-sync is for user: take it for --src or --dst");

	return 0;
}

int bench_check_options(const struct bench *bench)
{
	int ret = check_mode(bench);

	return ret ? ret : check_memory(bench);
}

static int check_alignment(const struct bench *bench)
{
	const struct dmacpy_get_info *info = &bench->session.info;
	uint32_t align = info->copy_align;

	if (bench->dst == BENCH_USER && align < info->user_align)
		align = info->user_align;
	if (align && bench->layout.row % align)
		return usage_error("bench",
				   "--size has to be a multiple of %u here",
				   align * bench->layout.rows);
	if (bench->layout.rows > 1 && align && bench->gap % align)
		return usage_error("bench",
				   "--gap has to be a multiple of %u here",
				   align);

	return 0;
}

int bench_check_device(const struct bench *bench)
{
	const struct dmacpy_get_info *info = &bench->session.info;
	const struct bench_layout *layout = &bench->layout;
	size_t page = getpagesize();
	size_t pages = round_up(layout->slot + layout->guard, page) / page;

	if (bench->size > info->max_bytes)
		return usage_error("bench", "--size is at most %" PRIu64,
				   (uint64_t)info->max_bytes);
	if (bench->mode->flags & DMACPY_SUBMIT_EVENT &&
	    bench->depth > info->max_events)
		return usage_error("bench",
				   "--depth is at most %u in --mode event",
				   info->max_events);
	if (bench->segments && bench->segments < pages)
		return usage_error("bench",
				   "a copy needs --segments to be %zu or more",
				   pages);

	return check_alignment(bench);
}
