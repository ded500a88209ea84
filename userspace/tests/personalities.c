// SPDX-License-Identifier: GPL-2.0-only
/*
 * Other suites on each of the engines that personality.h describes, in place of
 * the first device. It takes too long to be run on each board: it runs on that
 * without hardware.
 */
#include <libgen.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "personality.h"

/* Each of the suites has a timeout for each of its tests. */
#define SUITE_TIMEOUT	600

FIXTURE_SETUP(engines)
{
	const char *reason = is_impossible(variant, &self->instance);

	if (reason)
		SKIP(return, "%s", reason);
	ASSERT_EQ(0, behave_like(variant, &self->instance));
}

FIXTURE_TEARDOWN_PARENT(engines)
{
	EXPECT_EQ(0, behave_again(&self->instance));
	EXPECT_EQ(0, sram_leaked());
}

static void set_normal(const struct _fixture_variant_engines *variant)
{
	char knobs[64];

	if (variant->knob)
		snprintf(knobs, sizeof(knobs), "tiles=%u %s=%u",
			 variant->tiles, variant->knob, variant->value);
	else
		snprintf(knobs, sizeof(knobs), "tiles=%u", variant->tiles);
	setenv(ENGINE_PERSONALITY, knobs, 1);
}

/* Returns the output of a suite, whose device this instance is. */
static FILE *start_suite(const char *name, const char *node)
{
	char path[PATH_MAX] = "", command[PATH_MAX + 32];

	if (readlink("/proc/self/exe", path, sizeof(path) - 1) < 0 ||
	    unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    (strcmp(node, DEVICE) && mount(node, DEVICE, NULL, MS_BIND, NULL)))
		return NULL;
	snprintf(command, sizeof(command), "exec %s/%s 2>&1", dirname(path),
		 name);
	return popen(command, "r");
}

static void run_suite(struct __test_metadata *_metadata,
		      const struct _test_data_engines *self,
		      const struct _fixture_variant_engines *variant,
		      const char *name)
{
	unsigned int passed = 0;
	char line[512];
	FILE *output;

	set_normal(variant);
	output = start_suite(name, self->instance.node);
	ASSERT_NE(NULL, output);
	while (fgets(line, sizeof(line), output)) {
		if (!strncmp(line, "ok ", 3) && !strstr(line, "# SKIP"))
			passed++;
		else if (!strncmp(line, "not ok", 6) ||
			 strstr(line, ":Expected "))
			TH_LOG("%s: %s", name, strtok(line, "\n"));
	}
	EXPECT_EQ(0, pclose(output));
	/* A suite that skips all of its tests has shown nothing. */
	EXPECT_LT(0, passed);
}

/* Catches: a command that one kind of engine breaks. */
TEST_F_TIMEOUT(engines, abi_suite, SUITE_TIMEOUT)
{
	run_suite(_metadata, self, variant, "abi");
}

/* Catches: jobs, records, polling or signals that one kind of engine breaks. */
TEST_F_TIMEOUT(engines, async_suite, SUITE_TIMEOUT)
{
	if (keeps_memory(variant))
		SKIP(return, "the memory of a job that times out stays kept");
	run_suite(_metadata, self, variant, "async");
}

/* Catches: what the library's users meet. */
TEST_F_TIMEOUT(engines, library_suite, SUITE_TIMEOUT)
{
	run_suite(_metadata, self, variant, "library");
}

/* Catches: jobs that overtake each other or their fences. */
TEST_F_TIMEOUT(engines, order_suite, SUITE_TIMEOUT)
{
	run_suite(_metadata, self, variant, "order");
}

/* Catches: prepared jobs that differ from submitted ones. */
TEST_F_TIMEOUT(engines, prepared_suite, SUITE_TIMEOUT)
{
	if (keeps_memory(variant))
		SKIP(return, "the memory of a job that times out stays kept");
	run_suite(_metadata, self, variant, "prepared");
}

FIXTURE(own_name)
{
};

FIXTURE_SETUP(own_name)
{
}

FIXTURE_TEARDOWN_PARENT(own_name)
{
}

/* The last test, for the suites that follow. */
TEST_F(own_name, is_restored)
{
	if (access(MODULES "dmacpy.ko", F_OK))
		SKIP(return, "the driver is not a module here");
	EXPECT_EQ(0, rename_engine(FAKE_ENGINE));
}

TEST_HARNESS_MAIN
