/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dmacpy doctor: what its files share.
 */
#ifndef _DMACPY_DOCTOR_H
#define _DMACPY_DOCTOR_H

#include "tool.h"

/*
 * Print a finding: what is right; what some programs miss; what has to be done
 * something about; what could not be looked at. @remedy can be NULL.
 */
void doctor_ok(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
void doctor_note(const char *remedy, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void doctor_problem(const char *remedy, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void doctor_unseen(const char *remedy, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A file, with a zero byte at its end. Returns false without a message. */
bool doctor_read(const char *path, char *text, size_t size);

/* DMA engines, nodes of the device tree, devices up to their files in /dev */
void doctor_check_engines(void);
void doctor_check_nodes(void);
void doctor_check_devices(void);

/* Whether a program can work with the device, by doing so. */
void doctor_try_device(const char *path);

#endif /* _DMACPY_DOCTOR_H */
