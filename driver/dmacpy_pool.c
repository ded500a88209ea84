// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SRAM: the pool of an mmio-sram node, the pool of the driver that created
 * the device, or a region of our own.
 *
 * A region of our own stays in dmacpy_regions, reserved, until its last buffer
 * is freed. A device that is bound to it before that adopts it, so that the
 * memory of a buffer is not allocated twice.
 *
 * The CPU may prefetch from all mapped memory. If the clock or the power of a
 * region of our own may be off, each buffer is mapped separately, which takes
 * as long as the rest of its allocation; otherwise the region is mapped once.
 * The driver of an mmio-sram keeps all of it mapped, with the clock on.
 */
#include <linux/bitmap.h>
#include <linux/clk.h>
#include <linux/device.h>
#include <linux/genalloc.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/of_platform.h>
#include <linux/platform_device.h>
#include <linux/pm_runtime.h>
#include <linux/property.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "dmacpy_pool.h"
#include "dmacpy_stub.h"

/**
 * struct dmacpy_pool - a gen_pool that may be our own
 * @ref: held by each device that uses the pool and by each buffer
 * @node: in dmacpy_regions, if it is our own
 * @clk: on while there is a buffer, and while the region is created; or NULL
 * @owner: a reference to the module of @gen while there is a buffer, or NULL
 * @gen: the allocator; its addresses are those of the kernel's mapping or, if
 *	@gated, of pool_virt()
 * @start: first byte of our own region
 * @size: its size, 0 if the pool belongs to another driver
 * @gated: our own region, whose clock or power may be off while there is no
 *	buffer
 */
struct dmacpy_pool {
	struct kref ref;
	struct list_head node;
	struct clk *clk;
	struct module *owner;
	struct gen_pool *gen;
	resource_size_t start;
	resource_size_t size;
	bool gated;
};

static LIST_HEAD(dmacpy_regions);
static DEFINE_MUTEX(dmacpy_regions_lock);

static struct dmacpy_pool *pool_new(struct device *dev)
{
	struct dmacpy_pool *pool;
	int ret;

	pool = kzalloc(sizeof(*pool), GFP_KERNEL);
	if (!pool)
		return ERR_PTR(-ENOMEM);
	kref_init(&pool->ref);

	/* Not devm: an importer of a buffer may use it after an unbind. */
	pool->clk = clk_get_optional(dev, NULL);
	if (IS_ERR(pool->clk)) {
		ret = dev_err_probe(dev, PTR_ERR(pool->clk), "no clock\n");
		kfree(pool);
		return ERR_PTR(ret);
	}
	return pool;
}

static void pool_free(struct dmacpy_pool *pool)
{
	clk_put(pool->clk);
	kfree(pool);
}

static void pool_free_region(struct dmacpy_pool *pool)
{
	struct gen_pool_chunk *chunk;

	/* Unmapping sleeps, which gen_pool_for_each_chunk() does not allow. */
	if (!pool->gated)
		list_for_each_entry(chunk, &pool->gen->chunks, next_chunk)
			memunmap((void *)chunk->start_addr);
	gen_pool_destroy(pool->gen);
	release_mem_region(pool->start, pool->size);
	pool_free(pool);
}

static void pool_release(struct kref *ref)
{
	struct dmacpy_pool *pool = container_of(ref, struct dmacpy_pool, ref);

	if (!pool->size) {
		pool_free(pool);
		return;
	}
	list_del(&pool->node);
	pool_free_region(pool);
}

/*
 * Returns true if the clock or power of the region, the device or one of its
 * buses may be off while there is no buffer.
 */
static bool pool_is_gated(const struct dmacpy_pool *pool, struct device *dev)
{
	if (pool->clk)
		return true;
	for (; dev; dev = dev->parent)
		if (dev->pm_domain || pm_runtime_enabled(dev))
			return true;
	return false;
}

/*
 * The allocator's value for an address: not 0, and with the alignment of a
 * page.
 */
static unsigned long pool_virt(const struct dmacpy_pool *pool, u64 addr)
{
	return addr - round_down(pool->start, PAGE_SIZE) + PAGE_SIZE;
}

/* Also checks that buffers can be mapped when they are allocated. */
static int pool_add_chunk(struct dmacpy_pool *pool, struct device *dev,
			  u64 start, u64 end)
{
	unsigned long virt;
	void *map;
	int ret;

	start = round_up(start, PAGE_SIZE);
	end = round_down(end, PAGE_SIZE);
	if (start >= end)
		return 0;
	map = memremap(start, end - start, MEMREMAP_WC);
	if (!map) {
		/* dev_err_probe() is silent about -ENOMEM. */
		dev_err(dev, "%#llx..%#llx cannot be mapped\n", start,
			end - 1);
		return -ENOMEM;
	}
	virt = pool->gated ? pool_virt(pool, start) : (unsigned long)map;
	ret = gen_pool_add_virt(pool->gen, virt, start, end - start,
				NUMA_NO_NODE);
	if (ret || pool->gated)
		memunmap(map);
	return ret;
}

/* Adds the ranges between the reserved ones. */
static int pool_add_chunks(struct dmacpy_pool *pool, struct device *dev,
			   unsigned int nreserved)
{
	u64 start = pool->start, end = start + pool->size, from = start;
	u32 offset, size;
	unsigned int i;
	int ret;

	for (i = 0; i < 2 * nreserved; i += 2) {
		of_property_read_u32_index(dev->of_node, "reserved", i,
					   &offset);
		of_property_read_u32_index(dev->of_node, "reserved", i + 1,
					   &size);
		if (offset > pool->size || size > pool->size - offset ||
		    start + offset < from)
			return dev_err_probe(dev, -EINVAL,
					     "\"reserved\" is out of bounds or order\n");
		ret = pool_add_chunk(pool, dev, from, start + offset);
		if (ret)
			return ret;
		from = start + offset + size;
	}
	ret = pool_add_chunk(pool, dev, from, end);
	if (!ret && !gen_pool_size(pool->gen))
		ret = dev_err_probe(dev, -EINVAL, "no page is free\n");
	return ret;
}

/* The property "reserved" has pairs of offset and size, in ascending order. */
static int pool_count_reserved(struct device *dev)
{
	int n;

	if (!device_property_present(dev, "reserved"))
		return 0;
	n = of_property_count_u32_elems(dev->of_node, "reserved");
	if (n < 0 || n % 2)
		return dev_err_probe(dev, -EINVAL,
				     "bad property \"reserved\"\n");
	return n / 2;
}

/**
 * dmacpy_pool_is_main_memory() - check if a region is System RAM
 * @res: the region
 *
 * Context: Process.
 * Return: true if it is System RAM, all or in part.
 */
bool dmacpy_pool_is_main_memory(const struct resource *res)
{
	return region_intersects(res->start, resource_size(res),
				 IORESOURCE_SYSTEM_RAM, IORES_DESC_NONE) !=
	       REGION_DISJOINT;
}

static struct dmacpy_pool *pool_new_region(struct device *dev,
					   const struct resource *res)
{
	struct dmacpy_pool *pool;
	int nreserved, ret;

	if (!resource_size(res))
		return ERR_PTR(dev_err_probe(dev, -EINVAL, "%pR is empty\n",
					     res));
	if (dmacpy_pool_is_main_memory(res))
		return ERR_PTR(dev_err_probe(dev, -EBUSY,
					     "%pR is the system's main memory\n",
					     res));
	nreserved = pool_count_reserved(dev);
	if (nreserved < 0)
		return ERR_PTR(nreserved);
	pool = pool_new(dev);
	if (IS_ERR(pool))
		return pool;
	pool->start = res->start;
	pool->size = resource_size(res);
	pool->gated = pool_is_gated(pool, dev);

	if (!request_mem_region(pool->start, pool->size, "dmacpy")) {
		ret = dev_err_probe(dev, -EBUSY, "%pR is in use\n", res);
		goto err_free_pool;
	}
	pool->gen = gen_pool_create(PAGE_SHIFT, NUMA_NO_NODE);
	if (!pool->gen) {
		ret = -ENOMEM;
		goto err_release_region;
	}
	/* The chunks are mapped, if only for a moment. */
	ret = clk_prepare_enable(pool->clk);
	if (ret) {
		dev_err_probe(dev, ret, "its clock does not start\n");
		goto err_free_region;
	}
	ret = pool_add_chunks(pool, dev, nreserved);
	if (pool->gated)
		vm_unmap_aliases();
	clk_disable_unprepare(pool->clk);
	if (ret)
		goto err_free_region;
	return pool;

err_free_region:
	pool_free_region(pool);
	return ERR_PTR(ret);
err_release_region:
	release_mem_region(pool->start, pool->size);
err_free_pool:
	pool_free(pool);
	return ERR_PTR(ret);
}

static struct dmacpy_pool *pool_open_region(struct device *dev,
					    const struct resource *res)
{
	struct dmacpy_pool *pool;

	mutex_lock(&dmacpy_regions_lock);
	list_for_each_entry(pool, &dmacpy_regions, node)
		if (pool->start == res->start &&
		    pool->size == resource_size(res)) {
			kref_get(&pool->ref);
			goto out_unlock;
		}
	pool = pool_new_region(dev, res);
	if (!IS_ERR(pool))
		list_add(&pool->node, &dmacpy_regions);
out_unlock:
	mutex_unlock(&dmacpy_regions_lock);
	return pool;
}

static bool pool_is_disabled(struct device_node *sram)
{
	struct device_node *np = of_node_get(sram);

	while (np && of_device_is_available(np))
		np = of_get_next_parent(np);
	of_node_put(np);
	return np;
}

/*
 * The device of an mmio-sram node, or of the node that has it as a partition.
 */
static struct platform_device *pool_find_supplier(struct device_node *sram)
{
	struct platform_device *supplier = of_find_device_by_node(sram);
	struct device_node *parent;

	if (!supplier) {
		parent = of_get_parent(sram);
		supplier = of_find_device_by_node(parent);
		of_node_put(parent);
	}
	return supplier;
}

/* The supplier's driver owns the pool: it stays bound as long as @dev. */
static int pool_link_supplier(struct device *dev, struct device *supplier)
{
	if (of_property_read_bool(supplier->of_node, "no-memory-wc"))
		return dev_err_probe(dev, -EINVAL,
				     "SRAM cannot be mapped write-combined\n");
	if (!device_link_add(dev, supplier, DL_FLAG_AUTOREMOVE_CONSUMER |
			     DL_FLAG_PM_RUNTIME))
		return dev_err_probe(dev, -EPROBE_DEFER,
				     "no device link to %s\n",
				     dev_name(supplier));
	return 0;
}

static void pool_find_page(struct gen_pool *gen, struct gen_pool_chunk *chunk,
			   void *found)
{
	if (PAGE_ALIGN(chunk->start_addr) <
	    ((chunk->end_addr + 1) & PAGE_MASK))
		*(bool *)found = true;
}

static void pool_check_chunk(struct gen_pool *gen,
			     struct gen_pool_chunk *chunk, void *data)
{
	struct resource *res = data;
	phys_addr_t last = chunk->phys_addr +
			   (chunk->end_addr - chunk->start_addr);

	if (chunk->phys_addr < res->start || last > res->end)
		res->flags = 0;
}

/* Linux 6.1 may return the pool of another partition with the same name. */
static bool pool_matches_node(struct gen_pool *gen, struct device_node *sram)
{
	struct resource res;

	if (of_address_to_resource(sram, 0, &res))
		return false;
	gen_pool_for_each_chunk(gen, pool_check_chunk, &res);
	return res.flags;
}

/* If the driver of the node is bound but there is no pool, none will follow. */
static int pool_get_supplied(struct dmacpy_pool *pool, struct device *dev,
			     struct device *supplier, struct device_node *sram)
{
	bool bound, page = false;

	/* With the lock held, no driver is just being bound to it. */
	device_lock(supplier);
	bound = supplier->driver;
	device_unlock(supplier);
	pool->gen = of_gen_pool_get(dev->of_node, "sram", 0);
	if (!pool->gen && !bound)
		return dev_err_probe(dev, -EPROBE_DEFER,
				     "%pOF has no driver yet\n", sram);
	if (!pool->gen || !pool_matches_node(pool->gen, sram))
		return dev_err_probe(dev, -EINVAL, "%pOF has no pool\n",
				     sram);
	gen_pool_for_each_chunk(pool->gen, pool_find_page, &page);
	if (!page)
		return dev_err_probe(dev, -EINVAL, "%pOF has no whole page\n",
				     sram);
	return 0;
}

static struct dmacpy_pool *pool_open_node(struct device *dev,
					  struct device_node *sram)
{
	struct platform_device *supplier;
	struct dmacpy_pool *pool;
	int ret;

	if (pool_is_disabled(sram))
		return ERR_PTR(dev_err_probe(dev, -ENODEV, "%pOF is disabled\n",
					     sram));
	supplier = pool_find_supplier(sram);
	if (!supplier)
		return ERR_PTR(dev_err_probe(dev, -EPROBE_DEFER,
					     "%pOF has no device yet\n",
					     sram));
	ret = pool_link_supplier(dev, &supplier->dev);
	if (ret)
		goto err_put_supplier;
	pool = pool_new(dev);
	ret = PTR_ERR_OR_ZERO(pool);
	if (ret)
		goto err_put_supplier;
	ret = pool_get_supplied(pool, dev, &supplier->dev, sram);
	if (ret)
		goto err_free_pool;
	put_device(&supplier->dev);
	return pool;

err_free_pool:
	pool_free(pool);
err_put_supplier:
	put_device(&supplier->dev);
	return ERR_PTR(ret);
}

static struct dmacpy_pool *pool_open_supplier(struct device *dev)
{
	struct device_node *sram;
	struct dmacpy_pool *pool;

	sram = of_parse_phandle(dev->of_node, "sram", 0);
	if (!sram)
		return ERR_PTR(dev_err_probe(dev, -EINVAL,
					     "\"sram\" names no node\n"));
	pool = pool_open_node(dev, sram);
	of_node_put(sram);
	return pool;
}

/*
 * A device that a driver has created as a child of its own device, which has
 * the pool, and which is unbound only after this one.
 */
static struct dmacpy_pool *pool_open_parent(struct device *dev)
{
	struct device *parent = dev->parent;
	struct gen_pool *gen = NULL;
	struct dmacpy_pool *pool;
	bool page = false;

	if (parent && parent->driver)
		gen = gen_pool_get(parent, NULL);
	if (gen)
		gen_pool_for_each_chunk(gen, pool_find_page, &page);
	if (!page)
		return ERR_PTR(dev_err_probe(dev, -EINVAL,
					     "its parent has no SRAM\n"));
	pool = pool_new(dev);
	if (IS_ERR(pool))
		return pool;
	pool->gen = gen;
	pool->owner = parent->driver->owner;
	return pool;
}

/**
 * dmacpy_pool_open() - open the SRAM of a device
 * @pdev: the platform device that is being bound: with a resource; with a node
 *	that has "sram"; or with a parent that has a pool
 *
 * Context: Process.
 * Return: the pool with a reference (dmacpy_pool_put()), or an ERR_PTR() with
 * the reason in the log: -EPROBE_DEFER, -ENODEV if the SRAM is disabled, -EBUSY
 * if another driver has the region, -EINVAL for an invalid node, -ENOMEM.
 */
struct dmacpy_pool *dmacpy_pool_open(struct platform_device *pdev)
{
	const struct resource *res;

	res = platform_get_resource(pdev, IORESOURCE_MEM, 0);
	if (res)
		return pool_open_region(&pdev->dev, res);
	if (!pdev->dev.of_node)
		return pool_open_parent(&pdev->dev);
	return pool_open_supplier(&pdev->dev);
}

/**
 * dmacpy_pool_get() - take a reference
 * @pool: the pool
 *
 * Context: Any. Undone by dmacpy_pool_put().
 */
void dmacpy_pool_get(struct dmacpy_pool *pool)
{
	kref_get(&pool->ref);
}

/**
 * dmacpy_pool_put() - drop a reference
 * @pool: the pool, or NULL
 *
 * Context: Process.
 */
void dmacpy_pool_put(struct dmacpy_pool *pool)
{
	if (pool && kref_put_mutex(&pool->ref, pool_release,
				   &dmacpy_regions_lock))
		mutex_unlock(&dmacpy_regions_lock);
}

/**
 * dmacpy_pool_barrier() - order the CPU's accesses to SRAM against an engine's
 *
 * The CPU may combine and delay its writes to write-combined memory. On an
 * ARMv5 mb() does nothing, although the write buffer of the CPU delays them.
 *
 * Unit tests replace this function: QEMU does not delay accesses.
 *
 * Context: Any.
 */
void dmacpy_pool_barrier(void)
{
	DMACPY_STUB(dmacpy_pool_barrier);
	/* The accesses that it orders are those of the caller. */
	mb();
#ifdef CONFIG_ARM
	if (!IS_ENABLED(CONFIG_ARM_DMA_MEM_BUFFERABLE) &&
	    !IS_ENABLED(CONFIG_SMP))
		dsb();
#endif
}

/**
 * dmacpy_pool_alloc() - allocate SRAM
 * @pool: the pool
 * @length: requested bytes, rounded up to whole pages: user space can map only
 *	whole pages, and must not see the data of another buffer
 * @sram: the allocated memory, cleared to zero
 *
 * Context: Process. Undone by dmacpy_pool_free().
 * Return: 0, -EINVAL for a length of 0, -ENOSPC, -ENOMEM, -ENODEV if the driver
 * that has the pool is being removed, or the -errno of the clock.
 */
int dmacpy_pool_alloc(struct dmacpy_pool *pool, u64 length,
		      struct dmacpy_sram *sram)
{
	struct genpool_data_align align = { .align = PAGE_SIZE };
	int ret;

	if (!length)
		return -EINVAL;
	if (length > gen_pool_size(pool->gen))
		return -ENOSPC;

	if (!try_module_get(pool->owner))
		return -ENODEV;
	ret = clk_prepare_enable(pool->clk);
	if (ret)
		goto err_put_module;
	sram->size = PAGE_ALIGN(length);
	sram->virt = gen_pool_alloc_algo(pool->gen, sram->size,
					 gen_pool_first_fit_align, &align);
	if (!sram->virt) {
		ret = -ENOSPC;
		goto err_disable_clock;
	}
	sram->phys = gen_pool_virt_to_phys(pool->gen, sram->virt);
	sram->vaddr = (void *)sram->virt;
	if (pool->gated)
		sram->vaddr = memremap(sram->phys, sram->size, MEMREMAP_WC);
	if (!sram->vaddr) {
		ret = -ENOMEM;
		goto err_free_sram;
	}
	memset(sram->vaddr, 0, sram->size);
	/* A relaxed write may start the engine, and does not order these. */
	dmacpy_pool_barrier();
	return 0;

err_free_sram:
	gen_pool_free(pool->gen, sram->virt, sram->size);
err_disable_clock:
	clk_disable_unprepare(pool->clk);
err_put_module:
	module_put(pool->owner);
	return ret;
}

/**
 * dmacpy_pool_free() - free SRAM
 * @pool: the pool of dmacpy_pool_alloc()
 * @sram: from dmacpy_pool_alloc()
 *
 * Context: Process. Neither a CPU nor an engine uses it after this.
 */
void dmacpy_pool_free(struct dmacpy_pool *pool, const struct dmacpy_sram *sram)
{
	if (pool->gated) {
		memunmap(sram->vaddr);
		/*
		 * CPUs may still have the mapping in their TLBs, and prefetch
		 * through it.
		 */
		vm_unmap_aliases();
	}
	gen_pool_free(pool->gen, sram->virt, sram->size);
	clk_disable_unprepare(pool->clk);
	module_put(pool->owner);
}

/* The bitmap may change concurrently: the result is for information only. */
static void pool_largest_in_chunk(struct gen_pool *gen,
				  struct gen_pool_chunk *chunk, void *data)
{
	unsigned int order = gen->min_alloc_order;
	unsigned long bits, from, to, start, end;
	u64 *largest = data;

	bits = (chunk->end_addr - chunk->start_addr + 1) >> order;
	for_each_clear_bitrange(from, to, chunk->bits, bits) {
		start = PAGE_ALIGN(chunk->start_addr + (from << order));
		end = (chunk->start_addr + (to << order)) & PAGE_MASK;
		if (start < end && end - start > *largest)
			*largest = end - start;
	}
}

/**
 * dmacpy_pool_stat() - get the total and the free size of a pool
 * @pool: the pool
 * @stat: filled in
 *
 * Context: Any.
 */
void dmacpy_pool_stat(struct dmacpy_pool *pool, struct dmacpy_pool_stat *stat)
{
	stat->total = gen_pool_size(pool->gen);
	stat->free = gen_pool_avail(pool->gen);
	stat->largest = 0;
	gen_pool_for_each_chunk(pool->gen, pool_largest_in_chunk,
				&stat->largest);
}
