/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_URING_H
#define DMACPY_URING_H

struct dmacpy_stream;
struct io_uring_cmd;

int dmacpy_uring_cmd(struct dmacpy_stream *stream, struct io_uring_cmd *cmd,
		     unsigned int issue_flags);
int dmacpy_uring_poll(struct io_uring_cmd *cmd);

#endif /* DMACPY_URING_H */
