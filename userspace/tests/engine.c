// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "common.h"
#include "engine.h"

#define DIRECTORY	"/sys/kernel/debug/dmacpy_fake_dma/"

/* All that is 0 when the engine does what it should. */
const char *const engine_knobs[] = {
	"delay_us", "bytes_per_us", "hang", "reverse", "coalesce", "only_irq",
	"no_terminate", "next_lost", "next_failed", "next_short",
	"next_dropped", "next_no_prep", "next_no_submit", "next_late",
};

const size_t engine_knob_count = sizeof(engine_knobs) / sizeof(*engine_knobs);

int engine_find(struct instance *instance)
{
	*instance = (struct instance){ .name = "3fe00000.dmacpy-fake" };
	return instance_find_node(instance);
}

bool engine_set(const char *knob, unsigned int value)
{
	char path[128];

	snprintf(path, sizeof(path), DIRECTORY "%s", knob);
	return set_number(path, value);
}

/* Of a knob, or of what it counts. */
unsigned int engine_get(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), DIRECTORY "%s", name);
	return get_number(path);
}

/* It does what it should, and has the time that it has by default. */
bool engine_reset(void)
{
	bool done = engine_set("ring", 32) && set_number(TIMEOUT, 5000) &&
		    set_number(DEPENDENCY_TIMEOUT, 10000);
	size_t i;

	for (i = 0; i < engine_knob_count; i++)
		done &= engine_set(engine_knobs[i], 0);
	return done;
}
