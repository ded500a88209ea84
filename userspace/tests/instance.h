/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An instance of the driver: its platform device, which always exists, and its
 * device file, which exists while the driver is bound to it.
 */
#ifndef DMACPY_TESTS_INSTANCE_H
#define DMACPY_TESTS_INSTANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The property of the device tree node that identifies its kind */
#define WITH_SHARED_POOL	"sram"
#define WITH_OWN_REGION		"reg"

struct instance {
	char name[64];		/* name of the platform device */
	char node[64];		/* path of the device file */
};

int instance_find(struct instance *instance, const char *property);
unsigned int instance_in_flight(const struct instance *instance);
void instance_wait_in_flight(const struct instance *instance,
			     unsigned int count);
bool instance_exists(const struct instance *instance);
int instance_named(struct instance *instance, const char *node);
int instance_override(const struct instance *instance, const char *driver);
int instance_probe(const struct instance *instance);
int instance_find_node(struct instance *instance);
int instance_unbind(const struct instance *instance);
int instance_bind(struct instance *instance);
int instance_bind_again(struct instance *instance);
int instance_cells(const struct instance *instance, const char *property,
		   uint32_t *cells, size_t max);

#endif
