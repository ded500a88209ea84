// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmacpy bench: memory to copy from and to.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

/* The usual size; if the machine has another, huge pages are not used. */
#define HUGE_PAGE ((size_t)2 << 20)

const char * const bench_kind_names[BENCH_KINDS] = {
	[BENCH_SRAM] = "sram",
	[BENCH_USER] = "user",
	[BENCH_UDMABUF] = "udmabuf",
	[BENCH_HEAP] = "heap",
};

static void *map_anonymous(size_t length)
{
	return mmap(NULL, length, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/*
 * Pages that are touched one after the other are often adjacent in memory, and
 * then share an entry of the scatter list, so every other page is not used.
 * Huge pages are off: splitting one leaves its pages adjacent.
 */
static void *map_scattered(size_t length)
{
	size_t page = getpagesize(), at;
	uint8_t *pages, *data;

	pages = map_anonymous(2 * length);
	if (pages == MAP_FAILED)
		return MAP_FAILED;
	madvise(pages, 2 * length, MADV_NOHUGEPAGE);
	for (at = 0; at < 2 * length; at += page)
		pages[at] = 1;

	data = map_anonymous(length);
	for (at = 0; at < length && data != MAP_FAILED; at += page)
		if (mremap(pages + 2 * at, page, page,
			   MREMAP_MAYMOVE | MREMAP_FIXED,
			   data + at) == MAP_FAILED) {
			munmap(data, length);
			data = MAP_FAILED;
		}

	munmap(pages, 2 * length);
	return data;
}

/*
 * Maps memory as a program that needs speed does: a huge page, if one is
 * available, is one entry of the scatter list. The memory is written, because
 * pages that were never written all refer to the same zero page.
 */
static void *map_huge(struct bench_memory *mem)
{
	size_t length = round_up(mem->length, HUGE_PAGE);
	uint8_t *pages = map_anonymous(length + HUGE_PAGE), *data;

	mem->mapped = length;
	if (pages == MAP_FAILED)
		return MAP_FAILED;
	data = (uint8_t *)round_up((uintptr_t)pages, HUGE_PAGE);
	if (data > pages)
		munmap(pages, data - pages);
	munmap(data + length, pages + HUGE_PAGE - data);
	madvise(data, length, MADV_HUGEPAGE);
	memset(data, 1, mem->length);
	return data;
}

/* A single page is always contiguous. */
static void *map_user(const struct bench *bench, struct bench_memory *mem)
{
	mem->mapped = mem->length;
	if (bench->segments)
		return map_scattered(mem->length);
	if (mem->length > (size_t)getpagesize())
		return map_huge(mem);
	return map_anonymous(mem->length);
}

static int new_user(const struct bench *bench, struct dmacpy_stream *stream,
		    uint32_t access, struct bench_memory *mem)
{
	void *data;
	int ret;

	data = map_user(bench, mem);
	if (data == MAP_FAILED) {
		device_error("cannot allocate memory", -errno);
		return -1;
	}

	mem->data = data;
	ret = dmacpy_buffer_register_flags(stream, data, mem->length, access,
					   bench->explicit_sync ?
					   DMACPY_REGISTER_EXPLICIT_SYNC : 0,
					   &mem->buffer);
	if (ret)
		register_error("cannot lock memory for the engine", ret);

	return ret;
}

/*
 * Registers both directions, whichever the engine uses: a heap syncs the
 * engine's mapping in the direction of the CPU's access.
 */
static int new_foreign(struct dmacpy_stream *stream, struct bench_memory *mem)
{
	bool heap = mem->kind == BENCH_HEAP;
	int fd, ret;

	fd = heap ? heap_alloc(mem->length) : udmabuf_alloc(mem->length);
	if (fd < 0) {
		print_error("%s: %s\n"
			    "The kernel has to have %s, and you access to it.",
			    heap ? HEAP : UDMABUF, strerror(-fd),
			    heap ? "CONFIG_DMABUF_HEAPS_SYSTEM" :
				   "CONFIG_UDMABUF");
		return -1;
	}

	ret = dmacpy_buffer_import(stream, fd,
				   DMACPY_ACCESS_READ | DMACPY_ACCESS_WRITE,
				   &mem->buffer);
	close(fd);
	if (ret)
		device_error("cannot import a dma-buf", ret);

	return ret;
}

static int new_sram(const struct bench *bench, struct dmacpy_stream *stream,
		    struct bench_memory *mem)
{
	int ret;

	ret = dmacpy_buffer_alloc(stream, mem->length, &mem->buffer);
	if (ret)
		sram_error(&bench->session, mem->length, ret);

	return ret;
}

/* All streams share the SRAM. */
static size_t capacity(const struct bench *bench, enum bench_kind kind)
{
	const struct dmacpy_get_info *info = &bench->session.info;
	unsigned int ends = (bench->src == BENCH_SRAM) +
			    (bench->dst == BENCH_SRAM);
	size_t share;

	if (kind == BENCH_SRAM) {
		share = info->sram_free / ends / bench->streams;
		if (share > info->sram_largest)
			share = info->sram_largest;
		return share - share % info->granule;
	}
	if (kind == BENCH_USER && bench->segments)
		return bench->segments * getpagesize();

	return bench->verify ? SIZE_MAX : CHUNK_SIZE;
}

/*
 * The slots are at the end of the memory: with a long scatter list, copies are
 * most expensive there if the segment is searched from the start. A guard is
 * before each slot and after the last.
 */
static void place_slots(const struct bench *bench, struct bench_memory *mem)
{
	const struct bench_layout *layout = &bench->layout;
	size_t page = getpagesize(), room, length;

	room = capacity(bench, mem->kind);
	room = room > layout->guard ? (room - layout->guard) / layout->slot : 0;
	mem->slots = room < bench_copies(bench) ? room : bench_copies(bench);
	if (!mem->slots)
		mem->slots = 1;

	length = round_up(mem->slots * layout->slot + layout->guard, page);
	mem->length = length;
	if (mem->kind == BENCH_USER && bench->segments)
		mem->length = bench->segments * page;
	mem->base = mem->length - length;
}

int bench_memory_new(const struct bench *bench, enum bench_kind kind,
		     struct dmacpy_stream *stream, uint32_t access,
		     struct bench_memory *mem)
{
	void *data;
	int ret;

	mem->kind = kind;
	place_slots(bench, mem);
	if (kind == BENCH_SRAM)
		ret = new_sram(bench, stream, mem);
	else if (kind == BENCH_USER)
		ret = new_user(bench, stream, access, mem);
	else
		ret = new_foreign(stream, mem);
	if (ret)
		return -1;

	ret = dmacpy_buffer_map(mem->buffer, &data);
	if (ret) {
		device_error("cannot map a buffer", ret);
		return -1;
	}

	mem->data = data;
	return 0;
}

void bench_memory_free(struct bench_memory *mem)
{
	dmacpy_buffer_free(mem->buffer);
	if (mem->kind == BENCH_USER && mem->data)
		munmap(mem->data, mem->mapped);
}
