// SPDX-License-Identifier: GPL-2.0-only
/* Tests of dmacpy_buf.c. */
#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/file.h>
#include <linux/prandom.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "dmacpy_account.h"
#include "dmacpy_buf.h"
#include "dmacpy_chan.h"
#include "dmacpy_test_buf.h"
#include "dmacpy_test_random.h"

#include <linux/dmacpy.h>

#define BUF_LAYOUTS	32
#define BUF_WALKS	64
#define BUF_SEGS	24
#define BUF_SEG_MAX	200
#define BUF_MANY_SEGS	1000
#define BUF_READ_WRITE	(DMACPY_ACCESS_READ | DMACPY_ACCESS_WRITE)

/**
 * struct buf_reference - the address of each single byte of a buffer
 * @layout: layout of the buffer
 * @segs: segments of @layout
 * @addr: the address of each byte
 */
struct buf_reference {
	struct test_layout layout;
	struct test_seg segs[BUF_SEGS];
	dma_addr_t addr[BUF_SEGS * BUF_SEG_MAX];
};

/* Some of the segments are adjacent; the last may exceed the buffer's end. */
static struct buf_reference *buf_reference(struct kunit *test,
					   struct rnd_state *random)
{
	struct buf_reference *ref;
	struct test_seg *seg;
	dma_addr_t addr = 0;
	unsigned int i, at;

	ref = kunit_kzalloc(test, sizeof(*ref), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ref);
	ref->layout.segs = ref->segs;
	ref->layout.nsegs = 1 + test_random_below(random, BUF_SEGS);
	for (i = 0; i < ref->layout.nsegs; i++) {
		seg = &ref->segs[i];
		if (test_random_below(random, 3))
			addr = test_random_below(random, U32_MAX);
		seg->addr = addr;
		seg->length = 1 + test_random_below(random, BUF_SEG_MAX);
		for (at = 0; at < seg->length; at++)
			ref->addr[ref->layout.size++] = addr++;
	}
	ref->layout.size -= test_random_below(random, seg->length);
	return ref;
}

/* Expects all bytes of a range, in the minimum number of contiguous ranges. */
static void buf_expect_range(struct kunit *test, const struct dmacpy_buf *buf,
			     const dma_addr_t *addrs, unsigned int *hint,
			     u64 offset, u64 length)
{
	dma_addr_t addr;
	size_t part, i;

	for (; length; offset += part, length -= part) {
		part = length;
		addr = dmacpy_buf_addr(buf, offset, hint, &part);
		KUNIT_ASSERT_GE(test, part, 1);
		KUNIT_ASSERT_LE(test, part, length);
		for (i = 0; i < part; i++)
			KUNIT_ASSERT_EQ(test, addrs[offset + i], addr + i);
		if (part < length)
			KUNIT_ASSERT_NE(test, addrs[offset + part],
					addr + part);
	}
}

/*
 * Catches: a wrong address at the boundary of a segment, for some hint, which
 * may be that of a longer buffer: a job has one for all of its sources.
 */
static void buf_finds_each_byte(struct kunit *test)
{
	struct dmacpy_chan *chan = test_buf_chan(test);
	unsigned int i, walk, hint;
	struct buf_reference *ref;
	struct rnd_state random;
	struct dmacpy_buf *buf;
	u64 offset;

	test_random_start(test, &random);
	for (i = 0; i < BUF_LAYOUTS; i++) {
		ref = buf_reference(test, &random);
		buf = test_buf_import(test, chan,
				      test_dmabuf_new(test, &ref->layout),
				      DMACPY_ACCESS_READ);
		hint = 0;
		buf_expect_range(test, buf, ref->addr, &hint, 0,
				 ref->layout.size);
		for (walk = 0; walk < BUF_WALKS; walk++) {
			offset = test_random_below(&random, ref->layout.size);
			if (walk % 2)
				hint = test_random_below(&random, SZ_1M);
			buf_expect_range(test, buf, ref->addr, &hint, offset,
					 test_random_below(&random, 1 +
							   ref->layout.size -
							   offset));
		}
	}
}

struct buf_refused_case {
	const char *name;
	struct test_layout layout;
	int result;
};

static const struct test_seg buf_aligned[] = { { 0x1000, 16 }, { 0x5008, 8 } };
static const struct test_seg buf_odd_addr[] = { { 0x1000, 16 }, { 0x5004, 8 } };
static const struct test_seg buf_odd_size[] = { { 0x1000, 12 }, { 0x5000, 8 } };

#define BUF_LAYOUT(array, bytes, err) {					\
	.size = (bytes),						\
	.nsegs = 2,							\
	.segs = (array),						\
	.error = (err),							\
}

static const struct test_layout buf_layout = BUF_LAYOUT(buf_aligned, 24, 0);

static const struct buf_refused_case buf_refused_cases[] = {
	{ "aligned", BUF_LAYOUT(buf_aligned, 24, 0), 0 },
	{ "longer than the buffer", BUF_LAYOUT(buf_odd_addr, 16, 0), 0 },
	{ "shorter", BUF_LAYOUT(buf_aligned, 25, 0), -EINVAL },
	{ "odd address", BUF_LAYOUT(buf_odd_addr, 24, 0), -EINVAL },
	{ "odd size", BUF_LAYOUT(buf_odd_size, 20, 0), -EINVAL },
	{ "exporter fails", BUF_LAYOUT(buf_aligned, 24, -EDOM), -EDOM },
};

KUNIT_ARRAY_PARAM_DESC(buf_refused, buf_refused_cases, name);

/* Catches: a mapping that the engine cannot use, or that is not undone. */
static void buf_checks_mapping(struct kunit *test)
{
	const struct buf_refused_case *refused = test->param_value;
	struct dmacpy_chan *chan = test_buf_chan(test);
	struct dma_buf *dmabuf = test_dmabuf_new(test, &refused->layout);
	struct dmacpy_buf *buf;

	chan->copy_align = 8;
	buf = dmacpy_buf_import(test_account(test), chan, dmabuf,
				DMACPY_ACCESS_READ);
	KUNIT_EXPECT_EQ(test, refused->result, PTR_ERR_OR_ZERO(buf));
	if (!IS_ERR(buf)) {
		KUNIT_EXPECT_EQ(test, 1, test_dmabuf_mappings(dmabuf));
		dmacpy_buf_put(buf);
	}
	KUNIT_EXPECT_EQ(test, 0, test_dmabuf_mappings(dmabuf));
	KUNIT_EXPECT_EQ(test, 1, file_count(dmabuf->file));
}

/*
 * Catches: a mapping with DMA_FROM_DEVICE, for which an exporter may invalidate
 * the CPU's cached data of the rest of the buffer; an unmap with another
 * direction than the mapping.
 */
static void buf_maps_bidirectionally(struct kunit *test)
{
	static const enum dma_data_direction directions[] = {
		[DMACPY_ACCESS_READ] = DMA_TO_DEVICE,
		[DMACPY_ACCESS_WRITE] = DMA_BIDIRECTIONAL,
		[BUF_READ_WRITE] = DMA_BIDIRECTIONAL,
	};
	struct dmacpy_chan *chan = test_buf_chan(test);
	struct dma_buf *dmabuf = test_dmabuf_new(test, &buf_layout);
	struct dmacpy_buf *buf;
	u32 access;

	for (access = DMACPY_ACCESS_READ; access <= BUF_READ_WRITE; access++) {
		buf = dmacpy_buf_import(test_account(test), chan, dmabuf,
					access);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
		KUNIT_EXPECT_EQ(test, directions[access],
				test_dmabuf_direction(dmabuf));
		dmacpy_buf_put(buf);
		KUNIT_EXPECT_EQ(test, directions[access],
				test_dmabuf_direction(dmabuf));
	}
}

/* Catches: handles without a limit per user; a charge that is not returned. */
static void buf_is_charged(struct kunit *test)
{
	struct dmacpy_account *account = test_account(test);
	atomic_long_t *handles = &account->used[DMACPY_HANDLES];
	struct dmacpy_chan *chan = test_buf_chan(test);
	struct dma_buf *dmabuf = test_dmabuf_new(test, &buf_layout);
	long before = atomic_long_read(handles);
	struct dmacpy_buf *buf;

	buf = dmacpy_buf_import(account, chan, dmabuf, DMACPY_ACCESS_READ);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
	KUNIT_EXPECT_EQ(test, before + 1, atomic_long_read(handles));
	dmacpy_buf_put(buf);
	KUNIT_EXPECT_EQ(test, before, atomic_long_read(handles));
}

/*
 * Catches: kernel memory without a limit, as a dma-buf of any number of
 * segments is charged as one handle.
 */
static void buf_is_charged_by_size(struct kunit *test)
{
	struct dmacpy_account *account = test_account(test);
	atomic_long_t *handles = &account->used[DMACPY_HANDLES];
	struct dmacpy_chan *chan = test_buf_chan(test);
	struct test_layout layout = { .nsegs = BUF_MANY_SEGS };
	long before = atomic_long_read(handles), charged;
	struct test_seg *segs;
	struct dmacpy_buf *buf;
	unsigned int i;

	segs = kunit_kcalloc(test, BUF_MANY_SEGS, sizeof(*segs), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, segs);
	for (i = 0; i < BUF_MANY_SEGS; i++) {
		segs[i].addr = 2 * i * PAGE_SIZE;
		segs[i].length = PAGE_SIZE;
		layout.size += PAGE_SIZE;
	}
	layout.segs = segs;
	buf = test_buf_import(test, chan, test_dmabuf_new(test, &layout),
			      DMACPY_ACCESS_READ);
	charged = atomic_long_read(handles) - before;
	KUNIT_EXPECT_LE(test, buf->nsegs * sizeof(*buf->segs) +
			buf->sgt->orig_nents * sizeof(*buf->sgt->sgl),
			charged * DMACPY_HANDLE_MEMORY);
	KUNIT_EXPECT_LE(test, charged, BUF_MANY_SEGS / 100);
}

/* Catches: a buffer that is freed while a job uses it, or never. */
static void buf_counts_references(struct kunit *test)
{
	struct dmacpy_chan *chan = test_buf_chan(test);
	struct dma_buf *dmabuf = test_dmabuf_new(test, &buf_layout);
	struct dmacpy_buf *buf;

	buf = dmacpy_buf_import(test_account(test), chan, dmabuf,
				DMACPY_ACCESS_READ);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
	KUNIT_EXPECT_EQ(test, 2, file_count(dmabuf->file));
	dmacpy_buf_get(buf);
	dmacpy_buf_put(buf);
	dmacpy_buf_flush();
	KUNIT_EXPECT_EQ(test, 1, test_dmabuf_mappings(dmabuf));
	dmacpy_buf_put_atomic(buf);
	dmacpy_buf_flush();
	KUNIT_EXPECT_EQ(test, 0, test_dmabuf_mappings(dmabuf));
	KUNIT_EXPECT_EQ(test, 1, file_count(dmabuf->file));
}

/* Catches: a device that is freed before a mapping for it is removed. */
static void buf_holds_device(struct kunit *test)
{
	struct dmacpy_chan *chan = test_buf_chan(test);
	struct dma_buf *dmabuf = test_dmabuf_new(test, &buf_layout);
	struct dmacpy_buf *buf;
	unsigned int before;

	chan->dma_dev = kunit_device_register(test, "dmacpy-test-engine");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, chan->dma_dev);
	before = kref_read(&chan->dma_dev->kobj.kref);
	buf = dmacpy_buf_import(test_account(test), chan, dmabuf,
				DMACPY_ACCESS_READ);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
	KUNIT_EXPECT_EQ(test, before + 1,
			kref_read(&chan->dma_dev->kobj.kref));
	dmacpy_buf_put(buf);
	KUNIT_EXPECT_EQ(test, before, kref_read(&chan->dma_dev->kobj.kref));
}

/* Catches: an access that was not requested, or is confused with another. */
static void buf_allows_access(struct kunit *test)
{
	struct dmacpy_chan *chan = test_buf_chan(test);
	struct dma_buf *dmabuf = test_dmabuf_new(test, &buf_layout);
	struct dmacpy_buf *buf;
	u32 has, needs;

	for (has = DMACPY_ACCESS_READ; has <= BUF_READ_WRITE; has++) {
		buf = test_buf_import(test, chan, dmabuf, has);
		for (needs = 0; needs <= BUF_READ_WRITE; needs++)
			KUNIT_EXPECT_EQ(test, !(needs & ~has),
					dmacpy_buf_allows(buf, needs));
	}
}

/* Catches: two handles of the same memory that are treated as two memories. */
static void buf_detects_aliases(struct kunit *test)
{
	struct dmacpy_chan *chan = test_buf_chan(test);
	struct dma_buf *dmabufs[2] = {
		test_dmabuf_new(test, &buf_layout),
		test_dmabuf_new(test, &buf_layout),
	};
	struct dmacpy_buf *bufs[3];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bufs); i++)
		bufs[i] = test_buf_import(test, chan, dmabufs[i / 2],
					  DMACPY_ACCESS_READ);
	KUNIT_EXPECT_TRUE(test, dmacpy_buf_same(bufs[0], bufs[0]));
	KUNIT_EXPECT_TRUE(test, dmacpy_buf_same(bufs[0], bufs[1]));
	KUNIT_EXPECT_FALSE(test, dmacpy_buf_same(bufs[0], bufs[2]));
	KUNIT_EXPECT_PTR_EQ(test, dmabufs[0]->resv, dmacpy_buf_resv(bufs[1]));
	KUNIT_EXPECT_EQ(test, 24, bufs[0]->length);

	/* Its index in a job, then in the next one. */
	KUNIT_EXPECT_EQ(test, 5, dmacpy_buf_slot(bufs[0], 1, 5));
	KUNIT_EXPECT_EQ(test, 5, dmacpy_buf_slot(bufs[0], 1, 6));
	KUNIT_EXPECT_EQ(test, 7, dmacpy_buf_slot(bufs[0], 2, 7));
}

struct buf_sync_case {
	const char *name;
	u64 offset;
	u64 length;
	u32 access;
	bool others;
	int for_device;
	int for_cpu;
};

#define BUF_SYNC_LENGTH	1024
#define BUF_SYNC_OFFSET	100
#define BUF_SYNC_ALIGN	64
/* The offset of the first line in the buffer */
#define BUF_SYNC_LINE	28

static const struct buf_sync_case buf_sync_cases[] = {
	{ "a line", BUF_SYNC_LINE, 64, BUF_READ_WRITE, false, 0, 0 },
	{ "a byte of a line", BUF_SYNC_LINE + 1, 1, BUF_READ_WRITE, false, 0,
	  -EINVAL },
	{ "from the middle of a line", 0, 92, BUF_READ_WRITE, false, 0,
	  -EINVAL },
	{ "all", 0, BUF_SYNC_LENGTH, BUF_READ_WRITE, false, 0, -EINVAL },
	{ "nothing", BUF_SYNC_LINE, 0, BUF_READ_WRITE, false, -EINVAL,
	  -EINVAL },
	{ "more than all", 0, BUF_SYNC_LENGTH + 1, BUF_READ_WRITE, false,
	  -EINVAL, -EINVAL },
	{ "behind the end", BUF_SYNC_LENGTH, 64, BUF_READ_WRITE, false,
	  -EINVAL, -EINVAL },
	{ "wraps", BUF_SYNC_LINE, -64ULL, BUF_READ_WRITE, false, -EINVAL,
	  -EINVAL },
	{ "what the engine only reads", BUF_SYNC_LINE, 64, DMACPY_ACCESS_READ,
	  false, 0, -EACCES },
	{ "what the engine only writes", BUF_SYNC_LINE, 64,
	  DMACPY_ACCESS_WRITE, false, 0, 0 },
	{ "what jobs sync", BUF_SYNC_LINE, 64, BUF_READ_WRITE, true, -EINVAL,
	  -EINVAL },
};

KUNIT_ARRAY_PARAM_DESC(buf_sync, buf_sync_cases, name);

/* Catches: a sync outside of the buffer, or one that loses bytes beside it. */
static void buf_checks_sync(struct kunit *test)
{
	const struct buf_sync_case *param = test->param_value;
	const struct dmacpy_buf buf = {
		.access = param->access,
		.length = BUF_SYNC_LENGTH,
		.offset = BUF_SYNC_OFFSET,
		.explicit_sync = !param->others,
	};
	struct dmacpy_chan *chan = test_buf_chan(test);

	chan->user_align = BUF_SYNC_ALIGN;
	KUNIT_EXPECT_EQ(test, param->for_device,
			dmacpy_buf_check_sync(&buf, chan, param->offset,
					      param->length, false));
	KUNIT_EXPECT_EQ(test, param->for_cpu,
			dmacpy_buf_check_sync(&buf, chan, param->offset,
					      param->length, true));
}

static struct kunit_case buf_cases[] = {
	KUNIT_CASE(buf_finds_each_byte),
	KUNIT_CASE_PARAM(buf_checks_mapping, buf_refused_gen_params),
	KUNIT_CASE(buf_maps_bidirectionally),
	KUNIT_CASE(buf_counts_references),
	KUNIT_CASE(buf_holds_device),
	KUNIT_CASE(buf_is_charged),
	KUNIT_CASE(buf_is_charged_by_size),
	KUNIT_CASE(buf_allows_access),
	KUNIT_CASE(buf_detects_aliases),
	KUNIT_CASE_PARAM(buf_checks_sync, buf_sync_gen_params),
	{ }
};

static struct kunit_suite buf_suite = {
	.name = "dmacpy_buf",
	.test_cases = buf_cases,
};

kunit_test_suites(&buf_suite);
