// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common.h"
#include "engine.h"

#define DIRECTORY	"/sys/kernel/debug/dmacpy_fake_dma/"

/* Knobs that tests may change while jobs are in flight; 0 is normal. */
const char *const engine_knobs[] = {
	"delay_us", "bytes_per_us", "hang", "reverse", "coalesce", "only_irq",
	"forgetful", "cb_locked", "cb_hardirq", "cb_terminate", "stalls",
	"sync_work", "no_terminate", "next_lost", "next_failed", "next_short",
	"next_dropped", "next_no_prep", "next_no_tile", "next_no_submit",
	"next_late",
};

const size_t engine_knob_count = sizeof(engine_knobs) / sizeof(*engine_knobs);

/* Without a device tree, finds the device of kunit/dmacpy_sim.c. */
int engine_find(struct instance *instance)
{
	if (instance_named(instance, "dmacpy-fake"))
		snprintf(instance->name, sizeof(instance->name), "dmacpy.0");
	return instance_find_node(instance);
}

bool engine_set(const char *knob, unsigned int value)
{
	char path[128];

	snprintf(path, sizeof(path), DIRECTORY "%s", knob);
	return set_number(path, value);
}

/* Returns the value of a knob, or of a counter. */
unsigned int engine_get(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), DIRECTORY "%s", name);
	return get_number(path);
}

/*
 * The suite personalities sets "knob=value ..." for the suites that it runs:
 * that is the normal behaviour there.
 */
static bool engine_be_personal(void)
{
	char knobs[128], *knob, *value;
	bool done = true;

	snprintf(knobs, sizeof(knobs), "%s", getenv(ENGINE_PERSONALITY) ?: "");
	for (knob = strtok(knobs, " "); knob; knob = strtok(NULL, " ")) {
		value = strchr(knob, '=');
		if (!value)
			return false;
		*value++ = '\0';
		done &= engine_set(knob, atoi(value));
	}
	return done;
}

/* Restores the normal behaviour. */
bool engine_behave(void)
{
	bool done = engine_set("ring", 32) && engine_set("no_order", 0) &&
		    engine_set("no_memcpy", 0) && engine_set("no_result", 0) &&
		    engine_set("no_sram_read", 0) &&
		    engine_set("no_sram_write", 0) &&
		    engine_set("sram_ignored", 0) &&
		    engine_set("stale_src", 0) && engine_set("align", 0) &&
		    engine_set("next_long", 0) &&
		    engine_set("sleeps", 0) && engine_set("bad_residue", 0) &&
		    engine_set("any_slave", 0) && engine_set("one_list", 0) &&
		    engine_set("lossy", 0) && engine_set("leaks", 0) &&
		    engine_set("dies", 0) && engine_set("memset", 0) &&
		    engine_set("tiles", 0) && engine_set("late_us", 0);
	size_t i;

	for (i = 0; i < engine_knob_count; i++)
		done &= engine_set(engine_knobs[i], 0);
	return engine_be_personal() && done;
}

static bool is_recovering(void)
{
	struct instance instance;
	bool recovering = false;
	char line[128];
	FILE *file;

	if (engine_find(&instance))
		return false;
	snprintf(line, sizeof(line), "/sys/kernel/debug/dmacpy/%s/channels",
		 instance.name);
	file = fopen(line, "r");
	while (file && fgets(line, sizeof(line), file))
		recovering |= !strcmp(line, "\tstate recovering\n");
	if (file)
		fclose(file);
	return recovering;
}

/*
 * Restores the default timeouts, too, after all channels have recovered: a
 * channel that is being recovered is retried after the timeout, and refuses
 * jobs.
 */
bool engine_reset(void)
{
	bool behaves = engine_behave();
	int tries;

	for (tries = 0; is_recovering() && tries < 2000; tries++)
		usleep(10 * 1000);
	return behaves && !is_recovering() && set_number(TIMEOUT, 5000) &&
	       set_number(DEPENDENCY_TIMEOUT, 10000);
}
