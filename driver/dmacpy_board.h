/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_BOARD_H
#define DMACPY_BOARD_H

int dmacpy_board_add(void);
void dmacpy_board_del(void);

#endif /* DMACPY_BOARD_H */
