// SPDX-License-Identifier: GPL-2.0-only
/*
 * Binding the driver to a device, and loading it, when it has to fail: on nodes
 * of the device tree that make no sense, with an engine that does not copy, and
 * without memory.
 */
#include <fcntl.h>
#include <sys/syscall.h>

#include "kselftest_harness.h"
#include "common.h"
#include "engine.h"
#include "inject.h"

#define LENGTH		(4 * KIB)
#define MODULE		"/lib/modules/dmacpy.ko"
#define AUTOPROBE	"/sys/bus/platform/drivers_autoprobe"
/* What is asked for meanwhile is far less often than this. */
#define MAX_NTH		5000
#define BOUND_MS	5000

/* What the kernel says from now on. */
static int log_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	lseek(fd, 0, SEEK_END);
	return fd;
}

/* Has it said this about a device? */
static bool log_has(int fd, const char *device, const char *text)
{
	char record[8192];
	bool found = false;
	ssize_t size;

	while (!found && (size = read(fd, record, sizeof(record) - 1)) > 0) {
		record[size] = 0;
		found = strstr(record, device) && strstr(record, text);
	}
	close(fd);
	return found;
}

/* A job that brings a pattern into SRAM, on the device file of an instance. */
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
	.reason = "out of bounds or order",
};

FIXTURE_VARIANT_ADD(node, reserved_is_not_in_order)
{
	.name = "3fde2000.test-order",
	.error = -EINVAL,
	.reason = "out of bounds or order",
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
	.reason = "is in use",
};

FIXTURE_VARIANT_ADD(node, sram_without_device)
{
	.name = "test-no-device",
	.error = -EAGAIN,
};

FIXTURE_VARIANT_ADD(node, sram_without_pool)
{
	.name = "test-no-pool",
	.error = -EAGAIN,
};

FIXTURE_VARIANT_ADD(node, sram_that_must_be_strongly_ordered)
{
	.name = "test-no-wc",
	.error = -EINVAL,
	.reason = "cannot be mapped write-combined",
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

/* Catches: a node that is half understood, or that keeps what it was given. */
TEST_F(node, is_refused)
{
	int round, log;

	for (round = 0; round < 2; round++) {
		log = log_open();
		EXPECT_EQ(variant->error, instance_bind(&self->instance));
		EXPECT_TRUE(!variant->reason ||
			    log_has(log, variant->name, variant->reason));
		EXPECT_GT(0, instance_find_node(&self->instance));
	}
}

/* Catches: a partition of an mmio-sram that is looked for like the whole. */
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
};

FIXTURE_VARIANT_ADD(engine, hangs)
{
	.knob = "hang",
	.value = 1,
	.error = -EIO,
};

FIXTURE_VARIANT_ADD(engine, does_not_copy)
{
	.knob = "next_failed",
	.value = 2,
	.error = -EIO,
};

FIXTURE_VARIANT_ADD(engine, does_not_call_back)
{
	.knob = "next_lost",
	.value = 2,
	.error = -EIO,
};

FIXTURE_VARIANT_ADD(engine, has_no_descriptor)
{
	.knob = "next_no_prep",
	.value = 1,
	.error = -EIO,
};

FIXTURE_VARIANT_ADD(engine, has_one_descriptor)
{
	.knob = "ring",
	.value = 1,
	.error = -EIO,
};

FIXTURE_VARIANT_ADD(engine, takes_no_descriptor)
{
	.knob = "next_no_submit",
	.value = 1,
	.error = -EIO,
};

FIXTURE_VARIANT_ADD(engine, is_for_something_else)
{
	.knob = "no_memcpy",
	.value = 1,
	.error = -EINVAL,
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

/* Catches: an engine that is taken although nothing will ever be copied. */
TEST_F_TIMEOUT(engine, is_refused, SLOW)
{
	ASSERT_TRUE(engine_set(variant->knob, variant->value));
	EXPECT_EQ(variant->error, instance_bind(&self->instance));
	EXPECT_GT(0, instance_find_node(&self->instance));
	ASSERT_TRUE(engine_behave());
	ASSERT_EQ(0, instance_bind(&self->instance));
	EXPECT_EQ(0, try_fill(&self->instance));
	EXPECT_EQ(0, get_number(LOST));
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
	/* The check of the DMA API turns itself off when it has no memory. */
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

/* It may be bound meanwhile, if it was deferred. */
static bool becomes_bound(struct instance *instance)
{
	unsigned int start = milliseconds();

	while (instance_bind(instance) && instance_find_node(instance)) {
		if (milliseconds() - start > BOUND_MS)
			return false;
		usleep(1000);
	}
	return true;
}

/* Catches: what is not undone, or undone twice, when probing fails. */
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
		ASSERT_TRUE(becomes_bound(&self->instance))
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

/* Fences of jobs that have ended hold it for a moment. */
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
	/* What loads a module is not our business. */
	ASSERT_TRUE(inject_only("do_one_initcall"));
	self->fail_nth = inject_open();
	ASSERT_LE(0, self->fail_nth);
	ASSERT_EQ(0, module_unload());
	/* Binding is another test. */
	ASSERT_TRUE(set_number(AUTOPROBE, 0));
}

FIXTURE_TEARDOWN_PARENT(module)
{
	EXPECT_TRUE(inject_set_up());
	EXPECT_TRUE(set_number(AUTOPROBE, 1));
	EXPECT_EQ(0, module_load());
	EXPECT_EQ(0, access(DEVICE, F_OK));
}

/* Catches: what init leaves behind when it fails half way. */
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
