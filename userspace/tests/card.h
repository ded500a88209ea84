/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_TESTS_CARD_H
#define DMACPY_TESTS_CARD_H

int card_open(const char *driver);

#endif
