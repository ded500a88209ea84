/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SUBMIT as a request of io_uring.
 */
#ifndef DMACPY_TESTS_RING_H
#define DMACPY_TESTS_RING_H

#include <liburing.h>

#include <linux/dmacpy.h>

struct io_uring_sqe *ring_queue(struct io_uring *ring, int stream,
				const struct dmacpy_submit *args);
void ring_wait_until_issued(struct io_uring *ring);

#endif
