// SPDX-License-Identifier: GPL-2.0-only
/* Tests of dmacpy_export.c. */
#include <kunit/device.h>
#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/device/driver.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/io.h>
#include <linux/iosys-map.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include "dmacpy_account.h"
#include "dmacpy_device.h"
#include "dmacpy_export.h"
#include "dmacpy_fence.h"
#include "dmacpy_pool.h"
#include "dmacpy_power.h"
#include "dmacpy_test_buf.h"
#include "dmacpy_test_device.h"
#include "dmacpy_test_user.h"

static void export_put_device(void *dev)
{
	dmacpy_device_put(dev);
}

static void export_disable_power(void *dev)
{
	dmacpy_power_disable(dev);
}

static struct device *export_new_device(struct kunit *test, const char *name)
{
	struct device *dev = kunit_device_register(test, name);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	KUNIT_ASSERT_EQ(test, 0,
			dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64)));
	return dev;
}

/* Only a bound instance has SRAM. */
static struct dmacpy_pool *export_borrow_pool(struct kunit *test)
{
	struct device_driver *driver;
	struct dmacpy_device *owner;
	struct dmacpy_pool *pool;
	struct device *parent;

	driver = driver_find("dmacpy", &platform_bus_type);
	parent = driver ? driver_find_next_device(driver, NULL) : NULL;
	if (!parent)
		kunit_skip(test, "no SRAM");
	owner = dev_get_drvdata(parent);
	pool = owner->pool;
	dmacpy_pool_get(pool);
	put_device(parent);
	return pool;
}

/* A kernel thread frees a dma-buf by a delayed fput(): flush it. */
static void export_put(void *dmabuf)
{
	dma_buf_put(dmabuf);
	flush_delayed_fput();
}

static struct dma_buf *export_alloc(struct kunit *test)
{
	struct dma_buf *dmabuf;

	dmabuf = dmacpy_export_alloc(test->priv, test_account(test), PAGE_SIZE,
				     O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, export_put, dmabuf));
	return dmabuf;
}

static struct dma_buf_attachment *export_attach(struct kunit *test,
						struct dma_buf *dmabuf,
						const char *name)
{
	struct dma_buf_attachment *attach;

	attach = dma_buf_attach(dmabuf, export_new_device(test, name));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	return attach;
}

/* dma_buf_map_attachment() may modify the table, so it is not used. */
static struct sg_table *export_map(struct kunit *test,
				   struct dma_buf_attachment *attach)
{
	struct dma_buf *dmabuf = attach->dmabuf;
	struct sg_table *sgt;

	dma_resv_lock(dmabuf->resv, NULL);
	sgt = dmabuf->ops->map_dma_buf(attach, DMA_BIDIRECTIONAL);
	dma_resv_unlock(dmabuf->resv);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	return sgt;
}

static void export_unmap(struct dma_buf_attachment *attach,
			 struct sg_table *sgt)
{
	struct dma_buf *dmabuf = attach->dmabuf;

	dma_resv_lock(dmabuf->resv, NULL);
	dmabuf->ops->unmap_dma_buf(attach, sgt, DMA_BIDIRECTIONAL);
	dma_resv_unlock(dmabuf->resv);
	dma_buf_detach(dmabuf, attach);
}

/* Catches: importers that share a table. */
static void export_maps_for_each(struct kunit *test)
{
	struct dma_buf *dmabuf = export_alloc(test);
	struct dma_buf_attachment *attach[2];
	struct sg_table *sgt[2];
	unsigned int i;

	attach[0] = export_attach(test, dmabuf, "dmacpy-importer-0");
	attach[1] = export_attach(test, dmabuf, "dmacpy-importer-1");
	for (i = 0; i < 2; i++) {
		sgt[i] = export_map(test, attach[i]);
		KUNIT_EXPECT_EQ(test, 1, sgt[i]->nents);
		KUNIT_EXPECT_EQ(test, PAGE_SIZE, sg_dma_len(sgt[i]->sgl));
	}
	KUNIT_EXPECT_PTR_NE(test, sgt[0], sgt[1]);
	KUNIT_EXPECT_PTR_NE(test, sgt[0]->sgl, sgt[1]->sgl);
	KUNIT_EXPECT_EQ(test, sg_dma_address(sgt[0]->sgl),
			sg_dma_address(sgt[1]->sgl));
	for (i = 0; i < 2; i++)
		export_unmap(attach[i], sgt[i]);
}

/* Whether a table can refer to memory without a struct page */
#define EXPORT_HAS_PAGES	(IS_ENABLED(CONFIG_SPARSEMEM_VMEMMAP) || \
				 IS_ENABLED(CONFIG_FLATMEM))

/* Returns the address for an importer that maps the page for its own device. */
static dma_addr_t export_map_page(struct kunit *test, struct device *dev,
				  struct scatterlist *from)
{
	struct scatterlist sg;
	dma_addr_t addr;

	sg_init_table(&sg, 1);
	sg_set_page(&sg, sg_page(from), from->length, from->offset);
	KUNIT_ASSERT_EQ(test, 1, dma_map_sg_attrs(dev, &sg, 1,
						  DMA_BIDIRECTIONAL,
						  DMA_ATTR_SKIP_CPU_SYNC));
	addr = sg_dma_address(&sg);
	dma_unmap_sg_attrs(dev, &sg, 1, DMA_BIDIRECTIONAL,
			   DMA_ATTR_SKIP_CPU_SYNC);
	return addr;
}

static bool export_is_ram(phys_addr_t addr)
{
	return region_intersects(addr, PAGE_SIZE, IORESOURCE_SYSTEM_RAM,
				 IORES_DESC_NONE) != REGION_DISJOINT;
}

/*
 * Importers use the DMA address, the physical one, the page, or the kernel's
 * mapping. The device has no IOMMU, so all addresses are the same.
 *
 * Catches: one of these that refers to other memory.
 */
static void export_serves_importers(struct kunit *test)
{
	struct dma_buf *dmabuf = export_alloc(test);
	struct dma_buf_attachment *attach;
	struct iosys_map map = { };
	struct sg_table *sgt;
	dma_addr_t addr;
	u32 *memory;

	attach = export_attach(test, dmabuf, "dmacpy-importer");
	sgt = export_map(test, attach);
	addr = sg_dma_address(sgt->sgl);
	/* That of dmacpy_sim is RAM, which the CPU maps already. */
	memory = memremap(addr, PAGE_SIZE, export_is_ram(addr) ? MEMREMAP_WB :
								 MEMREMAP_WC);
	KUNIT_ASSERT_NOT_NULL(test, memory);
	KUNIT_ASSERT_EQ(test, 0, dma_buf_vmap_unlocked(dmabuf, &map));
	*(u32 *)map.vaddr = 0x1234567;
	/* Neither mapping is cached. */
	mb();
	KUNIT_EXPECT_EQ(test, 0x1234567, READ_ONCE(*memory));
	dma_buf_vunmap_unlocked(dmabuf, &map);
	memunmap(memory);

	KUNIT_EXPECT_EQ(test, EXPORT_HAS_PAGES, !!sg_page(sgt->sgl));
	if (sg_page(sgt->sgl))
		KUNIT_EXPECT_EQ(test, addr, sg_phys(sgt->sgl));
	/*
	 * With CONFIG_DMA_API_DEBUG, the DMA API maps pages that may be in high
	 * memory.
	 */
	if (sg_page(sgt->sgl) && !(IS_ENABLED(CONFIG_DMA_API_DEBUG) &&
				   IS_ENABLED(CONFIG_HIGHMEM)))
		KUNIT_EXPECT_EQ(test, addr,
				export_map_page(test, attach->dev, sgt->sgl));
	export_unmap(attach, sgt);
}

/* Catches: a length that is truncated to the 32 bits of an entry. */
static void export_cuts_large_tables(struct kunit *test)
{
	u64 size = 2 * (u64)SZ_4G + PAGE_SIZE, phys = SZ_4G, addr = SZ_8G, sum;
	struct scatterlist *sg;
	struct sg_table *sgt;
	unsigned int i;

	if (size > SIZE_MAX)
		kunit_skip(test, "no buffer is that large");
	sgt = dmacpy_export_new_table(phys, addr, size);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	sum = 0;
	for_each_sgtable_dma_sg(sgt, sg, i) {
		KUNIT_EXPECT_EQ(test, addr + sum, sg_dma_address(sg));
		sum += sg_dma_len(sg);
	}
	KUNIT_EXPECT_EQ(test, size, sum);
	sum = 0;
	for_each_sgtable_sg(sgt, sg, i) {
		if (EXPORT_HAS_PAGES)
			KUNIT_EXPECT_EQ(test, phys + sum, sg_phys(sg));
		sum += sg->length;
	}
	KUNIT_EXPECT_EQ(test, size, sum);
	sg_free_table(sgt);
	kfree(sgt);
}

/**
 * struct export_job - a job of an engine, which completes after a delay
 * @work: completes the job
 * @fence: fence of the job
 */
struct export_job {
	struct delayed_work work;
	struct dma_fence *fence;
};

static void export_job_end(struct work_struct *work)
{
	struct export_job *job = container_of(to_delayed_work(work),
					      struct export_job, work);

	dma_fence_signal(job->fence);
}

static void export_add_fence(struct kunit *test, struct dma_buf *dmabuf,
			     struct dma_fence *fence, enum dma_resv_usage usage)
{
	dma_resv_lock(dmabuf->resv, NULL);
	KUNIT_EXPECT_EQ(test, 0, dma_resv_reserve_fences(dmabuf->resv, 1));
	dma_resv_add_fence(dmabuf->resv, fence, usage);
	dma_resv_unlock(dmabuf->resv);
}

/* What was seen at the last barrier: the end of a job, cleared memory */
static struct dma_fence *export_fence;
static const void *export_memory;
static unsigned int export_barriers;
static bool export_ended, export_cleared;

static void export_note_barrier(void)
{
	export_barriers++;
	if (export_fence)
		export_ended = dma_fence_is_signaled(export_fence);
	if (export_memory)
		export_cleared = !memchr_inv(export_memory, 0, PAGE_SIZE);
}

/*
 * Catches: no CPU barrier, or one before the engine has written, as the core of
 * dma-buf waits after the exporter has returned; a reader that waits for
 * readers.
 */
static void export_begin_access_waits_for_jobs(struct kunit *test)
{
	static const struct {
		enum dma_resv_usage usage;
		enum dma_data_direction dir;
		bool waits;
	} cases[] = {
		{ DMA_RESV_USAGE_WRITE, DMA_FROM_DEVICE, true },
		{ DMA_RESV_USAGE_READ, DMA_TO_DEVICE, true },
		{ DMA_RESV_USAGE_READ, DMA_BIDIRECTIONAL, true },
		{ DMA_RESV_USAGE_READ, DMA_FROM_DEVICE, false },
	};
	struct export_job job;
	struct dma_buf *dmabuf;
	unsigned int i;

	kunit_activate_static_stub(test, dmacpy_pool_barrier,
				   export_note_barrier);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		dmabuf = export_alloc(test);
		job.fence = dmacpy_fence_new();
		KUNIT_ASSERT_NOT_NULL(test, job.fence);
		dmacpy_fence_publish(job.fence, dma_fence_context_alloc(1), 1);
		export_add_fence(test, dmabuf, job.fence, cases[i].usage);
		INIT_DELAYED_WORK_ONSTACK(&job.work, export_job_end);
		schedule_delayed_work(&job.work, HZ / 10);
		export_fence = job.fence;
		export_barriers = 0;
		KUNIT_EXPECT_EQ(test, 0,
				dmabuf->ops->begin_cpu_access(dmabuf,
							      cases[i].dir));
		KUNIT_EXPECT_EQ(test, 1, export_barriers);
		KUNIT_EXPECT_EQ(test, cases[i].waits, export_ended);
		export_fence = NULL;
		flush_delayed_work(&job.work);
		destroy_delayed_work_on_stack(&job.work);
		dma_fence_put(job.fence);
	}
}

static void *export_vmap(struct kunit *test, struct dma_buf *dmabuf)
{
	struct iosys_map map = { };

	KUNIT_ASSERT_EQ(test, 0, dma_buf_vmap_unlocked(dmabuf, &map));
	KUNIT_EXPECT_FALSE(test, map.is_iomem);
	dma_buf_vunmap_unlocked(dmabuf, &map);
	return map.vaddr;
}

/*
 * Catches: data of one user that the next user can read, through the kernel's
 * mapping or by an engine that overtakes the clearing.
 */
static void export_clears(struct kunit *test)
{
	struct dma_buf *dmabuf = export_alloc(test);
	void *vaddr = export_vmap(test, dmabuf);

	memset(vaddr, 0xa5, PAGE_SIZE);
	kunit_release_action(test, export_put, dmabuf);
	kunit_activate_static_stub(test, dmacpy_pool_barrier,
				   export_note_barrier);
	export_memory = vaddr;
	export_cleared = false;
	dmabuf = export_alloc(test);
	export_memory = NULL;
	KUNIT_ASSERT_PTR_EQ(test, vaddr, export_vmap(test, dmabuf));
	KUNIT_EXPECT_NULL(test, memchr_inv(vaddr, 0, PAGE_SIZE));
	KUNIT_EXPECT_TRUE(test, export_cleared);
}

/* Catches: writes of the CPU that reach the memory after the engine's read. */
static void export_end_access_is_a_barrier(struct kunit *test)
{
	struct dma_buf *dmabuf = export_alloc(test);

	kunit_activate_static_stub(test, dmacpy_pool_barrier,
				   export_note_barrier);
	export_barriers = 0;
	KUNIT_EXPECT_EQ(test, 0,
			dma_buf_end_cpu_access(dmabuf, DMA_TO_DEVICE));
	KUNIT_EXPECT_EQ(test, 1, export_barriers);
}

static void export_expect_charge(struct kunit *test,
				 struct dmacpy_account *account,
				 unsigned long pages)
{
	KUNIT_EXPECT_EQ(test, pages,
			atomic_long_read(&account->used[DMACPY_SRAM_PAGES]));
}

static void export_expect_nothing_kept(struct kunit *test, u64 free)
{
	struct dmacpy_device *dev = test->priv;
	struct dmacpy_pool_stat stat;

	dmacpy_pool_stat(dev->pool, &stat);
	KUNIT_EXPECT_EQ(test, free, stat.free);
	KUNIT_EXPECT_TRUE(test, list_empty(&dev->exports));
	export_expect_charge(test, test_account(test), 0);
	KUNIT_EXPECT_EQ(test, 0, test_power_uses(dev->parent));
	KUNIT_EXPECT_EQ(test, 1, kref_read(&dev->ref));
}

/* Catches: SRAM, quota, power or a reference that is not returned. */
static void export_frees_resources(struct kunit *test)
{
	struct dmacpy_account *account = test_account(test);
	struct dmacpy_device *dev = test->priv;
	struct dmacpy_pool_stat before, stat;
	struct dma_buf *dmabuf;

	dmacpy_pool_stat(dev->pool, &before);
	dmabuf = export_alloc(test);
	dmacpy_pool_stat(dev->pool, &stat);
	KUNIT_EXPECT_EQ(test, before.free - PAGE_SIZE, stat.free);
	export_expect_charge(test, account, 1);
	KUNIT_EXPECT_EQ(test, IS_ENABLED(CONFIG_PM),
			test_power_uses(dev->parent));
	kunit_release_action(test, export_put, dmabuf);
	export_expect_nothing_kept(test, before.free);

	dmabuf = dmacpy_export_alloc(dev, account, before.total + 1, O_RDWR);
	KUNIT_EXPECT_EQ(test, -ENOSPC, PTR_ERR_OR_ZERO(dmabuf));
	dmabuf = dmacpy_export_alloc(dev, account, 0, O_RDWR);
	KUNIT_EXPECT_EQ(test, -EINVAL, PTR_ERR_OR_ZERO(dmabuf));
	export_expect_nothing_kept(test, before.free);
}

/* Catches: access to the hardware after the device was unbound. */
static void export_is_revoked(struct kunit *test)
{
	struct dma_buf *dmabuf = export_alloc(test);
	struct iosys_map map = { };
	struct dma_buf_attachment *attach;
	u8 __user *user;
	u8 byte;

	user = test_user_map(test, dmabuf->file, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, 0, put_user(1, user));
	KUNIT_EXPECT_EQ(test, 0, get_user(byte, user));
	KUNIT_EXPECT_EQ(test, 1, byte);
	KUNIT_EXPECT_EQ(test, 0,
			dma_buf_begin_cpu_access(dmabuf, DMA_BIDIRECTIONAL));

	dmacpy_device_unplug(test->priv);
	dmacpy_export_revoke(test->priv);
	KUNIT_EXPECT_EQ(test, -EFAULT, get_user(byte, user));
	KUNIT_EXPECT_EQ(test, -EFAULT, put_user(1, user));
	test_user_end();
	KUNIT_EXPECT_EQ(test, -ENODEV,
			dma_buf_end_cpu_access(dmabuf, DMA_BIDIRECTIONAL));
	/* An importer may do so at any time, and a failure would be a WARN. */
	KUNIT_EXPECT_EQ(test, 0, dma_buf_vmap_unlocked(dmabuf, &map));
	dma_buf_vunmap_unlocked(dmabuf, &map);
	attach = dma_buf_attach(dmabuf,
				export_new_device(test, "dmacpy-late"));
	KUNIT_EXPECT_EQ(test, -ENODEV, PTR_ERR_OR_ZERO(attach));
}

static int export_init(struct kunit *test)
{
	struct device *parent = export_new_device(test, "dmacpy-export-test");
	struct dmacpy_device *dev;

	dmacpy_power_enable(parent);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, export_disable_power,
						  parent));
	dev = dmacpy_device_create(parent);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, export_put_device,
						  dev));
	dev->pool = export_borrow_pool(test);
	test->priv = dev;
	return 0;
}

static struct kunit_case export_cases[] = {
	KUNIT_CASE(export_maps_for_each),
	KUNIT_CASE(export_begin_access_waits_for_jobs),
	KUNIT_CASE(export_serves_importers),
	KUNIT_CASE(export_cuts_large_tables),
	KUNIT_CASE(export_clears),
	KUNIT_CASE(export_end_access_is_a_barrier),
	KUNIT_CASE(export_frees_resources),
	KUNIT_CASE(export_is_revoked),
	{ }
};

static struct kunit_suite export_suite = {
	.name = "dmacpy_export",
	.init = export_init,
	.test_cases = export_cases,
};

kunit_test_suites(&export_suite);
