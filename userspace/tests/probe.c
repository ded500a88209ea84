// SPDX-License-Identifier: GPL-2.0-only
/*
 * Binding the driver to a device, and loading it, when it has to fail: with
 * invalid nodes of the device tree, with an engine that does not copy, and
 * without memory.
 */
#include <fcntl.h>
#include <sys/syscall.h>
#include <syslog.h>

#include "kselftest_harness.h"
#include "common.h"
#include "engine.h"
#include "inject.h"

#define LENGTH		(4 * KIB)
#define MODULE		"/lib/modules/dmacpy.ko"
#define AUTOPROBE	"/sys/bus/platform/drivers_autoprobe"
/* A probe makes far fewer requests than this. */
#define MAX_NTH		5000
#define BOUND_MS	5000
#define ALL_IN_USE \
	"no page is free: not tested whether the engine reaches the SRAM"

/* Opens the kernel's log at its end. */
static int log_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	lseek(fd, 0, SEEK_END);
	return fd;
}

/*
 * Returns true if the driver has logged exactly one warning, with this text.
 * Messages of the kernel itself, about the node or the failure, are ignored, as
 * is the reason that a hung engine cannot be stopped.
 */
static bool check_log(int fd, const char *device, const char *text)
{
	unsigned int lines = 0, level;
	char record[8192], line[512];
	bool right = false;
	ssize_t size;

	while ((size = read(fd, record, sizeof(record) - 1)) > 0) {
		record[size] = 0;
		if (sscanf(record, "%u,%*[^;];%511[^\n]", &level, line) != 2 ||
		    (level & 7) > LOG_WARNING || !strncmp(line, "OF: ", 4) ||
		    strstr(line, "memory of failed jobs is kept") ||
		    !strncmp(line, "hrtimer: interrupt took ", 24) ||
		    strstr(line, "probe with driver") ||
		    strstr(line, "probe of"))
			continue;
		lines++;
		right = strstr(line, device) && strlen(line) > strlen(text) &&
			!strcmp(line + strlen(line) - strlen(text), text);
		if (!right || lines > 1)
			printf("# logged: %s\n", line);
	}
	close(fd);
	return right && lines == 1;
}

/* Checks the reason for which the probing of a device is deferred. */
static bool check_deferred(const char *device, const char *text)
{
	char line[512], expected[512];
	bool found = false;
	FILE *file;

	snprintf(expected, sizeof(expected), "%s\tdmacpy: %s\n", device,
		 text);
	file = fopen("/sys/kernel/debug/devices_deferred", "r");
	while (file && fgets(line, sizeof(line), file))
		found |= !strcmp(line, expected);
	if (file)
		fclose(file);
	return found;
}

/* Runs a job that fills SRAM with a pattern, on the instance's device file. */
static int try_fill(const struct instance *instance)
{
	int stream = stream_open(instance->node);
	int fd = sram_alloc(stream, LENGTH);
	int handle = dmabuf_import(stream, fd, ACCESS_BOTH);
	int ret = fill(stream, handle, LENGTH, 0x5a5a5a5a);
	void *mem = dmabuf_map(fd, LENGTH);

	if (!ret && !(mem && all_bytes_are(mem, 0x5a, LENGTH)))
		ret = -EBADMSG;
	munmap(mem, LENGTH);
	close(fd);
	close(stream);
	return ret;
}

/* Maps physical memory, or returns NULL if this kernel denies it. */
static void *physical_map(off_t start, size_t size)
{
	int fd = open("/dev/mem", O_RDONLY | O_SYNC | O_CLOEXEC);
	void *mem = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, start);

	close(fd);
	return mem == MAP_FAILED ? NULL : mem;
}

/*
 * The mapping is device memory on arm64, from which memcmp() may not read: it
 * has unaligned accesses.
 */
static bool physical_bytes_are(const void *mem, uint8_t value, size_t size)
{
	const volatile uint32_t *word = mem, *end = word + size / sizeof(*word);

	while (word < end && *word == value * 0x01010101U)
		word++;
	return word == end;
}

FIXTURE(node)
{
	struct instance instance;
};

FIXTURE_VARIANT(node)
{
	const char *name;
	int error;
	const char *reason;
};

FIXTURE_VARIANT_ADD(node, without_sram)
{
	.name = "test-none",
	.error = -EINVAL,
	.reason = "needs \"sram\" or \"reg\"",
};

FIXTURE_VARIANT_ADD(node, sram_and_region)
{
	.name = "3fdd0000.test-both",
	.error = -EINVAL,
	.reason = "has both \"sram\" and \"reg\"",
};

FIXTURE_VARIANT_ADD(node, two_srams)
{
	.name = "test-two-srams",
	.error = -EINVAL,
	.reason = "\"sram\" has more than one entry",
};

FIXTURE_VARIANT_ADD(node, two_regions)
{
	.name = "3fdd1000.test-two-regs",
	.error = -EINVAL,
	.reason = "\"reg\" has more than one entry",
};

FIXTURE_VARIANT_ADD(node, two_clocks)
{
	.name = "3fdd2000.test-two-clocks",
	.error = -EINVAL,
	.reason = "\"clocks\" has more than one entry",
};

FIXTURE_VARIANT_ADD(node, reserved_in_the_pool_of_another)
{
	.name = "test-reserved",
	.error = -EINVAL,
	.reason = "\"reserved\" is of no use without \"reg\"",
};

FIXTURE_VARIANT_ADD(node, reserved_is_no_pairs)
{
	.name = "3fde0000.test-odd",
	.error = -EINVAL,
	.reason = "bad property \"reserved\"",
};

FIXTURE_VARIANT_ADD(node, reserved_is_outside)
{
	.name = "3fde1000.test-outside",
	.error = -EINVAL,
	.reason = "\"reserved\" is out of bounds or order",
};

FIXTURE_VARIANT_ADD(node, reserved_is_not_in_order)
{
	.name = "3fde2000.test-order",
	.error = -EINVAL,
	.reason = "\"reserved\" is out of bounds or order",
};

FIXTURE_VARIANT_ADD(node, reserved_is_all)
{
	.name = "3fde5000.test-full",
	.error = -EINVAL,
	.reason = "no page is free",
};

FIXTURE_VARIANT_ADD(node, region_of_another)
{
	.name = "3fe01000.test-taken",
	.error = -EBUSY,
	.reason = "[mem 0x3fe01000-0x3fe01fff] is in use",
};

FIXTURE_VARIANT_ADD(node, region_of_the_kernel)
{
	.name = "10000000.test-main-memory",
	.error = -EBUSY,
	.reason = "[mem 0x10000000-0x10000fff] is the system's main memory",
};

FIXTURE_VARIANT_ADD(node, region_without_a_byte)
{
	.name = "3fdd3000.test-empty",
	.error = -EINVAL,
	.reason = "[mem 0x3fdd3000-0x3fdd2fff] is empty",
};

FIXTURE_VARIANT_ADD(node, region_beyond_all_addresses)
{
	.name = "1000000000000.test-too-far",
	.error = -ENOMEM,
	.reason = "0x1000000000000..0x1000000000fff cannot be mapped",
};

FIXTURE_VARIANT_ADD(node, region_that_no_cpu_sees)
{
	.name = "bus-elsewhere:test-elsewhere@0",
	.error = -EINVAL,
	.reason = "\"reg\" is no address of the CPU",
};

FIXTURE_VARIANT_ADD(node, sram_without_node)
{
	.name = "test-no-phandle",
	.error = -EINVAL,
	.reason = "\"sram\" names no node",
};

FIXTURE_VARIANT_ADD(node, sram_without_device)
{
	.name = "test-no-device",
	.error = -EAGAIN,
	.reason = "/reserved-memory/memory@3fde0000 has no device yet",
};

FIXTURE_VARIANT_ADD(node, sram_without_driver)
{
	.name = "test-no-driver",
	.error = -EAGAIN,
	.reason = "/test-odd@3fde0000 has no driver yet",
};

FIXTURE_VARIANT_ADD(node, sram_without_pool)
{
	.name = "test-no-pool",
	.error = -EINVAL,
	.reason = "/dma-fake has no pool",
};

FIXTURE_VARIANT_ADD(node, partition_without_pool)
{
	.name = "test-bare",
	.error = -EINVAL,
	.reason = "/sram@3fde8000/partition@3000 has no pool",
};

FIXTURE_VARIANT_ADD(node, sram_without_whole_page)
{
	.name = "test-tiny",
	.error = -EINVAL,
	.reason = "/sram@3fde7000 has no whole page",
};

FIXTURE_VARIANT_ADD(node, sram_that_is_disabled)
{
	.name = "test-disabled",
	.error = -ENODEV,
	.reason = "/sram@3fde7800 is disabled",
};

FIXTURE_VARIANT_ADD(node, sram_that_must_be_strongly_ordered)
{
	.name = "test-no-wc",
	.error = -EINVAL,
	.reason = "SRAM cannot be mapped write-combined",
};

FIXTURE_VARIANT_ADD(node, channels_without_names)
{
	.name = "3fdd4000.test-no-names",
	.error = -EINVAL,
	.reason = "\"dmas\" has 1 entries, \"dma-names\" 0",
};

FIXTURE_VARIANT_ADD(node, names_without_channels)
{
	.name = "3fdd5000.test-no-dmas",
	.error = -EINVAL,
	.reason = "\"dmas\" has 0 entries, \"dma-names\" 1",
};

FIXTURE_VARIANT_ADD(node, more_channels_than_names)
{
	.name = "3fdd6000.test-more-dmas",
	.error = -EINVAL,
	.reason = "\"dmas\" has 2 entries, \"dma-names\" 1",
};

FIXTURE_VARIANT_ADD(node, more_names_than_channels)
{
	.name = "3fdd7000.test-more-names",
	.error = -EINVAL,
	.reason = "\"dmas\" has 1 entries, \"dma-names\" 2",
};

FIXTURE_VARIANT_ADD(node, channels_of_no_engine)
{
	.name = "3fdd8000.test-bad-dmas",
	.error = -EINVAL,
	.reason = "bad property \"dmas\"",
};

FIXTURE_VARIANT_ADD(node, names_without_text)
{
	.name = "3fdd9000.test-bad-names",
	.error = -EINVAL,
	.reason = "bad property \"dma-names\"",
};

FIXTURE_VARIANT_ADD(node, names_that_are_the_same)
{
	.name = "3fdda000.test-same-names",
	.error = -EINVAL,
	.reason = "\"dma-names\" has \"copy0\" twice",
};

FIXTURE_SETUP(node)
{
	snprintf(self->instance.name, sizeof(self->instance.name), "%s",
		 variant->name);
	if (!instance_exists(&self->instance))
		SKIP(return, "this board has no such node");
	ASSERT_EQ(0, instance_override(&self->instance, "dmacpy"));
}

FIXTURE_TEARDOWN_PARENT(node)
{
	EXPECT_EQ(0, instance_override(&self->instance, NULL));
}

/*
 * Catches: an invalid node that is accepted, or that keeps resources; a device
 * that is refused, or deferred for ever, without a reason.
 */
TEST_F(node, is_refused)
{
	const char *name = variant->name;
	int round, log;

	for (round = 0; round < 2; round++) {
		log = log_open();
		EXPECT_EQ(variant->error, instance_bind(&self->instance));
		EXPECT_TRUE(variant->error == -EAGAIN ||
			    check_log(log, name, variant->reason));
		EXPECT_GT(0, instance_find_node(&self->instance));
		if (variant->error != -EAGAIN)
			continue;
		EXPECT_EQ(0, instance_probe(&self->instance));
		EXPECT_TRUE(check_deferred(name, variant->reason));
	}
}

/* Catches: a partition of an mmio-sram that is looked up like the whole. */
TEST(partition_of_sram)
{
	struct instance instance = { .name = "test-partition" };
	int stream;

	if (!instance_exists(&instance))
		SKIP(return, "this board has no such node");
	ASSERT_EQ(0, instance_override(&instance, "dmacpy"));
	EXPECT_EQ(0, instance_bind(&instance));
	stream = stream_open(instance.node);
	EXPECT_EQ(16 * KIB, stream_info(stream).sram_total);
	close(stream);
	EXPECT_EQ(0, try_fill(&instance));
	EXPECT_EQ(0, instance_unbind(&instance));
	EXPECT_EQ(0, instance_override(&instance, NULL));
}

FIXTURE(engine)
{
	struct instance instance;
};

FIXTURE_VARIANT(engine)
{
	const char *knob;
	unsigned int value;
	int error;
	bool names_sram;	/* the reason follows the address of the SRAM */
	const char *reason;
};

FIXTURE_VARIANT_ADD(engine, hangs)
{
	.knob = "hang",
	.value = 1,
	.error = -EIO,
	.reason = " does not copy",
};

FIXTURE_VARIANT_ADD(engine, does_not_copy)
{
	.knob = "next_failed",
	.value = 2,
	.error = -EIO,
	.reason = " does not copy",
};

FIXTURE_VARIANT_ADD(engine, does_not_call_back)
{
	.knob = "next_lost",
	.value = 1,
	.error = -EIO,
	.reason = " copies, but does not call back (interrupt?)",
};

FIXTURE_VARIANT_ADD(engine, has_no_descriptor)
{
	.knob = "next_no_prep",
	.value = 1,
	.error = -EIO,
	.reason = " takes no descriptor",
};

FIXTURE_VARIANT_ADD(engine, takes_no_descriptor)
{
	.knob = "next_no_submit",
	.value = 1,
	.error = -EIO,
	.reason = " takes no descriptor",
};

FIXTURE_VARIANT_ADD(engine, reports_errors)
{
	.knob = "bad_residue",
	.value = 1,
	.error = -EIO,
	.reason = " copies, but reports errors",
};

FIXTURE_VARIANT_ADD(engine, loses_callbacks_under_load)
{
	.knob = "lossy",
	.value = 1,
	.error = -EIO,
	.reason = " does not call back for several descriptors",
};

FIXTURE_VARIANT_ADD(engine, runs_out_of_descriptors)
{
	.knob = "leaks",
	.value = 1,
	.error = -EIO,
	.reason = " takes no more descriptors",
};

FIXTURE_VARIANT_ADD(engine, is_out_of_order)
{
	.knob = "no_order",
	.value = 2,
	.error = -EIO,
	.reason = " does not copy in order",
};

FIXTURE_VARIANT_ADD(engine, dies_of_termination)
{
	.knob = "dies",
	.value = 1,
	.error = -EIO,
	.reason = " does not copy any more when it was terminated",
};

FIXTURE_VARIANT_ADD(engine, is_for_something_else)
{
	.knob = "no_memcpy",
	.value = 1,
	.error = -EINVAL,
	.reason = " cannot copy memory",
};

FIXTURE_VARIANT_ADD(engine, does_not_read_sram)
{
	.knob = "no_sram_read",
	.value = 1,
	.error = -EIO,
	.names_sram = true,
	.reason = " (CPU-private? firewall? dma-ranges?)",
};

FIXTURE_VARIANT_ADD(engine, does_not_write_sram)
{
	.knob = "no_sram_write",
	.value = 1,
	.error = -EIO,
	.names_sram = true,
	.reason = ", but does not write it (firewall?)",
};

FIXTURE_SETUP(engine)
{
	if (engine_find(&self->instance))
		SKIP(return, "no instance on the fake DMA engine");
	ASSERT_TRUE(engine_reset());
	ASSERT_TRUE(set_number(TIMEOUT, 500));
	ASSERT_EQ(0, instance_unbind(&self->instance));
}

FIXTURE_TEARDOWN_PARENT(engine)
{
	EXPECT_TRUE(engine_reset());
	if (instance_find_node(&self->instance))
		EXPECT_EQ(0, instance_bind(&self->instance));
	EXPECT_EQ(0, sram_leaked());
}

/* Catches: an engine that is accepted although it never copies. */
TEST_F_TIMEOUT(engine, is_refused, SLOW)
{
	const char *name = self->instance.name;
	int log = log_open(), digits;
	char reason[128];

	/* The name of the device begins with the address of its SRAM. */
	digits = variant->names_sram ? strcspn(name, ".") : 0;
	snprintf(reason, sizeof(reason), "%.*s%s", digits, name,
		 variant->reason);
	ASSERT_TRUE(engine_set(variant->knob, variant->value));
	EXPECT_EQ(variant->error, instance_bind(&self->instance));
	EXPECT_TRUE(check_log(log, name, reason));
	EXPECT_GT(0, instance_find_node(&self->instance));
	ASSERT_TRUE(engine_behave());
	ASSERT_TRUE(set_number(TIMEOUT, 5000));
	ASSERT_EQ(0, instance_bind(&self->instance));
	EXPECT_EQ(0, try_fill(&self->instance));
	EXPECT_EQ(0, get_number(LOST));
}

/* Catches: an engine's test that writes to buffers of an earlier binding. */
TEST(all_sram_is_in_use)
{
	struct instance instance;
	unsigned int size;
	int stream, fd, log;
	uint8_t *mem;
	off_t start;

	if (engine_find(&instance))
		SKIP(return, "no instance on the fake DMA engine");
	start = strtoul(instance.name, NULL, 16);
	stream = stream_open(instance.node);
	size = stream_info(stream).sram_total;
	fd = sram_alloc(stream, size);
	ASSERT_LE(0, fd);
	mem = dmabuf_map(fd, size);
	memset(mem, 0x5a, size);
	munmap(mem, size);
	ASSERT_EQ(0, instance_unbind(&instance));
	log = log_open();
	EXPECT_EQ(0, instance_bind(&instance));
	EXPECT_TRUE(check_log(log, instance.name, ALL_IN_USE));
	mem = physical_map(start, size);
	if (mem)
		EXPECT_TRUE(physical_bytes_are(mem, 0x5a, size));
	munmap(mem, size);
	close(fd);
	close(stream);
	EXPECT_EQ(0, try_fill(&instance));
	EXPECT_EQ(0, sram_leaked());
}

/* Catches: an engine that gets CPU addresses instead of bus addresses. */
TEST(engine_behind_an_offset)
{
	struct instance instance = { .name = "3fddb000.test-offset" };

	if (!instance_exists(&instance))
		SKIP(return, "this board has no such node");
	ASSERT_EQ(0, instance_override(&instance, "dmacpy"));
	EXPECT_EQ(0, instance_bind(&instance));
	EXPECT_EQ(0, try_fill(&instance));
	EXPECT_EQ(0, instance_unbind(&instance));
	EXPECT_EQ(0, instance_override(&instance, NULL));
}

FIXTURE(nth)
{
	int fail_nth;
	struct instance instance;
};

FIXTURE_VARIANT(nth)
{
	const char *property;
};

FIXTURE_VARIANT_ADD(nth, shared_pool)
{
	.property = WITH_SHARED_POOL,
};

FIXTURE_VARIANT_ADD(nth, reserved_ranges)
{
	.property = "reserved",
};

FIXTURE_VARIANT_ADD(nth, fake_engine)
{
	.property = "clocks",
};

FIXTURE_SETUP(nth)
{
	if (!inject_set_up())
		SKIP(return, "the kernel has no CONFIG_FAULT_INJECTION");
	if (instance_find(&self->instance, variant->property))
		SKIP(return, "this board has no such instance");
	/* The check of the DMA API disables itself when it has no memory. */
	ASSERT_TRUE(inject_spare("add_dma_entry"));
	ASSERT_TRUE(set_number(TIMEOUT, 2000));
	self->fail_nth = inject_open();
	ASSERT_LE(0, self->fail_nth);
}

FIXTURE_TEARDOWN_PARENT(nth)
{
	EXPECT_TRUE(set_number(TIMEOUT, 5000));
	EXPECT_EQ(0, sram_leaked());
}

/* A deferred probe may bind it concurrently. */
static bool wait_bound(struct instance *instance)
{
	unsigned int start = milliseconds();

	while (instance_bind(instance) && instance_find_node(instance)) {
		if (milliseconds() - start > BOUND_MS)
			return false;
		usleep(1000);
	}
	return true;
}

/* Catches: a failed probe with an effect that is not, or twice, undone. */
TEST_F_TIMEOUT(nth, bind, 5 * SLOW)
{
	unsigned int nth = 0, failures = 0;
	bool injected;
	int ret;

	do {
		ASSERT_EQ(0, instance_unbind(&self->instance));
		ASSERT_TRUE(inject_arm(self->fail_nth, ++nth));
		ret = instance_bind(&self->instance);
		injected = inject_disarm(self->fail_nth);
		EXPECT_TRUE(!ret || injected);
		failures += !!ret;
		ASSERT_TRUE(wait_bound(&self->instance))
			TH_LOG("when request %u failed: %s", nth,
			       strerror(-ret));
		EXPECT_EQ(0, try_fill(&self->instance));
		ASSERT_GT(MAX_NTH, nth);
	} while (injected);
	TH_LOG("%u requests, %u failures", nth - 1, failures);
	EXPECT_LE(10, failures);
	EXPECT_EQ(0, get_number(LOST));
}

static int module_load(void)
{
	int fd = open(MODULE, O_RDONLY | O_CLOEXEC), ret = 0;

	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		ret = -errno;
	close(fd);
	return ret;
}

/* Fences of completed jobs hold the module for a moment. */
static int module_unload(void)
{
	unsigned int start = milliseconds();
	int ret;

	do
		ret = syscall(SYS_delete_module, "dmacpy", O_NONBLOCK);
	while (ret && errno == EAGAIN && milliseconds() - start < BOUND_MS);
	return ret ? -errno : 0;
}

FIXTURE(module)
{
	int fail_nth;
};

FIXTURE_SETUP(module)
{
	if (!inject_set_up())
		SKIP(return, "the kernel has no CONFIG_FAULT_INJECTION");
	/* Loading the module itself is not tested. */
	ASSERT_TRUE(inject_only("do_one_initcall"));
	self->fail_nth = inject_open();
	ASSERT_LE(0, self->fail_nth);
	ASSERT_EQ(0, module_unload());
	/* Another test covers binding. */
	ASSERT_TRUE(set_number(AUTOPROBE, 0));
}

FIXTURE_TEARDOWN_PARENT(module)
{
	EXPECT_TRUE(inject_set_up());
	EXPECT_TRUE(set_number(AUTOPROBE, 1));
	EXPECT_EQ(0, module_load());
	EXPECT_EQ(0, access(DEVICE, F_OK));
}

/* Catches: resources that a failed init leaves behind. */
TEST_F_TIMEOUT(module, loads_without_memory, 5 * SLOW)
{
	unsigned int nth = 0, failures = 0;
	bool injected;
	int ret;

	do {
		ASSERT_TRUE(inject_arm(self->fail_nth, ++nth));
		ret = module_load();
		injected = inject_disarm(self->fail_nth);
		EXPECT_TRUE(!ret || injected);
		failures += !!ret;
		ASSERT_EQ(0, ret ? 0 : module_unload())
			TH_LOG("when request %u failed", nth);
		ASSERT_GT(MAX_NTH, nth);
	} while (injected);
	TH_LOG("%u requests, %u failures", nth - 1, failures);
	EXPECT_LE(10, failures);
}

TEST_HARNESS_MAIN
