/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dmacpy doctor: common declarations of its files.
 */
#ifndef _DMACPY_DOCTOR_H
#define _DMACPY_DOCTOR_H

#include "tool.h"

/*
 * Print a finding that is correct; that is a problem for some programs; that
 * needs a remedy; that could not be checked. @remedy can be NULL.
 */
void doctor_ok(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
void doctor_note(const char *remedy, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void doctor_problem(const char *remedy, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void doctor_unseen(const char *remedy, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Reads a file, and adds a zero byte. Returns false without a message. */
bool doctor_read(const char *path, char *text, size_t size);

/*
 * Check DMA engines, nodes of the device tree, devices up to their files in
 * /dev.
 */
void doctor_check_engines(void);
void doctor_check_nodes(void);
void doctor_check_devices(void);

/* Checks that a program can use the device, by using it. */
void doctor_try_device(const char *path);

#endif /* _DMACPY_DOCTOR_H */
