/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Failures of allocations and of accesses to user memory: the kernel's fault
 * injection, for one request of the calling thread.
 */
#ifndef DMACPY_TESTS_INJECT_H
#define DMACPY_TESTS_INJECT_H

#include <stdbool.h>

/* Returns false if the kernel has no CONFIG_FAULT_INJECTION. */
bool inject_set_up(void);
bool inject_spare(const char *function);
bool inject_only(const char *function);
int inject_open(void);
bool inject_arm(int fail_nth, unsigned int nth);
bool inject_disarm(int fail_nth);

#endif
