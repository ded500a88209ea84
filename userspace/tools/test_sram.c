// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmacpy test: checks that all of the SRAM exists, and only once.
 *
 * Each word gets a unique number. If a word has the number of another, both
 * addresses lead to the same cell, or an address has no memory.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "test.h"

#define PIECES 64

/* Every device allows a job of this length, and a granule is a multiple. */
#define COPY_LENGTH 4096U

/* No number is 0, or equal to a number of the other round. */
#define FIRST_MASK 0xa5a50000U
#define SECOND_MASK (~FIRST_MASK)

/**
 * struct sram - all of the free SRAM
 * @pieces: its buffers
 * @count: number of @pieces
 * @length: total length of @pieces
 */
struct sram {
	struct test_memory pieces[PIECES];
	unsigned int count;
	uint64_t length;
};

/* Returns 0 or a negative errno. */
static int take_piece(struct test *test, struct sram *sram, size_t length)
{
	struct test_memory *piece = &sram->pieces[sram->count];
	void *data;
	int ret;

	ret = dmacpy_buffer_alloc(test->channel->stream, length,
				  &piece->buffer);
	if (ret)
		return ret;
	sram->count++;

	ret = dmacpy_buffer_map(piece->buffer, &data);
	if (ret)
		return ret;

	piece->data = data;
	piece->length = length;
	sram->length += length;
	return 0;
}

/* The quota of the user, and other programs, may leave less than is free. */
static enum test_verdict take_all(struct test *test, struct sram *sram)
{
	struct dmacpy_get_info info = { };
	int ret = 0;

	while (!ret && sram->count < PIECES) {
		if (dmacpy_device_info(test->device, &info, sizeof(info)) ||
		    !info.sram_largest)
			break;
		ret = take_piece(test, sram, info.sram_largest);
	}
	if (ret && ret != -EDQUOT && ret != -ENOSPC)
		return test_error(test, "cannot allocate SRAM", ret);

	return sram->count ? TEST_PASS :
	       test_skip(test, "%s", ret == -EDQUOT ? test_quota :
						      test_no_sram);
}

static void give_back(struct sram *sram)
{
	while (sram->count)
		test_memory_free(&sram->pieces[--sram->count]);
}

/* @at is the offset of @data in all of the SRAM. */
static void write_numbers(uint32_t *data, size_t length, uint32_t at,
			  uint32_t mask)
{
	size_t i;

	for (i = 0; i < length / 4; i++)
		data[i] = (at + i * 4) ^ mask;
}

static enum test_verdict check_numbers(struct test *test, const char *reader,
				       const uint32_t *data, size_t length,
				       uint32_t at, uint32_t mask)
{
	uint32_t wanted, seen;
	size_t i;

	for (i = 0; i < length / 4; i++) {
		wanted = at + i * 4;
		seen = data[i] ^ mask;
		if (seen == wanted)
			continue;
		if (seen < test->info.sram_total && seen % 4 == 0)
			return test_fail(test, "%s finds at 0x%" PRIx32
					 " the data of 0x%" PRIx32
					 ". Is the SRAM as large as configured?",
					 reader, wanted, seen);
		return test_fail(test, "%s finds 0x%" PRIx32 " at 0x%" PRIx32
				 ". Is there SRAM, and no other user of it?",
				 reader, data[i], wanted);
	}

	return TEST_PASS;
}

static void cpu_writes(struct sram *sram, uint32_t mask)
{
	struct test_memory *piece = sram->pieces;
	uint32_t at = 0;

	for (; piece < sram->pieces + sram->count; piece++) {
		dmacpy_buffer_begin_access(piece->buffer, DMACPY_ACCESS_WRITE);
		write_numbers((uint32_t *)piece->data, piece->length, at, mask);
		dmacpy_buffer_end_access(piece->buffer, DMACPY_ACCESS_WRITE);
		at += piece->length;
	}
}

static enum test_verdict cpu_checks(struct test *test, struct sram *sram,
				    uint32_t mask)
{
	enum test_verdict verdict = TEST_PASS;
	struct test_memory *piece = sram->pieces;
	uint32_t at = 0;

	for (; piece < sram->pieces + sram->count && !verdict; piece++) {
		dmacpy_buffer_begin_access(piece->buffer, DMACPY_ACCESS_READ);
		verdict = check_numbers(test, "the CPU",
					(const uint32_t *)piece->data,
					piece->length, at, mask);
		dmacpy_buffer_end_access(piece->buffer, DMACPY_ACCESS_READ);
		at += piece->length;
	}

	return verdict;
}

/* Runs a job of short copies between a part of the SRAM and @src. */
static enum test_verdict copy_part(struct test *test,
				   struct test_memory *piece, size_t offset,
				   size_t length, bool from_sram)
{
	struct dmacpy_submit how = { .flags = DMACPY_SUBMIT_WAIT };
	struct dmacpy_buffer *user = test->src.buffer;
	struct dmacpy_job *job = test->channel->job;
	int ret = 0;
	size_t at;

	dmacpy_job_reset(job);
	for (at = 0; at < length && !ret; at += COPY_LENGTH)
		ret = from_sram ?
		      dmacpy_job_add_copy(job, user, at, piece->buffer,
					  offset + at, COPY_LENGTH) :
		      dmacpy_job_add_copy(job, piece->buffer, offset + at,
					  user, at, COPY_LENGTH);

	return ret ? test_error(test, "a copy is refused", ret) :
		     test_submit(test, test->channel, &how);
}

static enum test_verdict engine_part(struct test *test,
				     struct test_memory *piece, size_t offset,
				     size_t length, uint32_t at, bool reads)
{
	uint32_t *data = (uint32_t *)test->src.data;
	enum test_verdict verdict;

	if (!reads)
		write_numbers(data, length, at, SECOND_MASK);
	verdict = copy_part(test, piece, offset, length, reads);
	if (!verdict && reads)
		verdict = check_numbers(test, "the engine", data, length, at,
					FIRST_MASK);

	return verdict;
}

/* Returns the longest part that a job can copy. */
static size_t max_part(const struct test *test)
{
	size_t copies = least(TEST_AREA, test->info.max_bytes) / COPY_LENGTH;

	copies = least(copies, test->info.max_ops);
	copies = least(copies, test->info.max_rows);

	return copies * COPY_LENGTH;
}

static enum test_verdict engine_all(struct test *test, struct sram *sram,
				    bool reads)
{
	enum test_verdict verdict = TEST_PASS;
	struct test_memory *piece = sram->pieces;
	size_t offset, length, most = max_part(test);
	uint32_t at = 0;

	for (; piece < sram->pieces + sram->count && !verdict; piece++)
		for (offset = 0; offset < piece->length && !verdict;
		     offset += length) {
			length = least(piece->length - offset, most);
			verdict = engine_part(test, piece, offset, length, at,
					      reads);
			at += length;
		}

	return verdict;
}

static enum test_verdict check_all(struct test *test, struct sram *sram)
{
	enum test_verdict verdict;

	cpu_writes(sram, FIRST_MASK);
	verdict = cpu_checks(test, sram, FIRST_MASK);
	if (!verdict)
		verdict = engine_all(test, sram, true);
	if (!verdict)
		verdict = engine_all(test, sram, false);
	if (!verdict)
		verdict = cpu_checks(test, sram, SECOND_MASK);

	return verdict;
}

enum test_verdict test_row_aliases(struct test *test)
{
	struct sram sram = { };
	enum test_verdict verdict;
	char length[32], total[32];

	verdict = take_all(test, &sram);
	if (!verdict)
		verdict = check_all(test, &sram);
	if (!verdict && sram.length < test->info.sram_total)
		snprintf(test->detail, sizeof(test->detail),
			 "%s of %s, as no more was available",
			 format_size(length, sram.length),
			 format_size(total, test->info.sram_total));
	give_back(&sram);

	return verdict;
}
