/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_STUB_H
#define DMACPY_STUB_H

/* Lets a unit test replace the function that begins with it. */
#ifdef CONFIG_DMACPY_KUNIT_TEST
#include <kunit/static_stub.h>

#define DMACPY_STUB	KUNIT_STATIC_STUB_REDIRECT
#else
#define DMACPY_STUB(...)	do { } while (0)
#endif

#endif /* DMACPY_STUB_H */
