/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The engine in kunit/dmacpy_fake_dma.c, which tests control, and the driver's
 * instance that uses it exclusively.
 */
#ifndef DMACPY_TESTS_ENGINE_H
#define DMACPY_TESTS_ENGINE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "instance.h"

/* A time for delay_us in which a program can do a lot */
#define SLOW_US		(50 * 1000)
/* Why a test is skipped where there is none */
#define NO_ENGINE	"no instance on the fake DMA engine"
/* The variable of the environment with the knobs that are always set */
#define ENGINE_PERSONALITY	"DMACPY_ENGINE"
/* A value for knobs that count down */
#define FOR_EVER	UINT_MAX

extern const char *const engine_knobs[];
extern const size_t engine_knob_count;

int engine_find(struct instance *instance);
bool engine_set(const char *knob, unsigned int value);
unsigned int engine_get(const char *name);
bool engine_behave(void);
bool engine_reset(void);

#endif
