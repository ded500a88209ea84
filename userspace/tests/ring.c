// SPDX-License-Identifier: GPL-2.0-only
#include <stdint.h>
#include <unistd.h>

#include "ring.h"

/* The memory at @args must stay unchanged until the request has completed. */
struct io_uring_sqe *ring_queue(struct io_uring *ring, int stream,
				const struct dmacpy_submit *args)
{
	struct dmacpy_submit_pointer pointer = {
		.submit = (uintptr_t)args,
	};
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

	/* A kernel thread has not taken the last entries yet. */
	if (!sqe) {
		io_uring_sqring_wait(ring);
		sqe = io_uring_get_sqe(ring);
	}
	io_uring_prep_rw(IORING_OP_URING_CMD, sqe, stream, NULL, 0, 0);
	sqe->cmd_op = DMACPY_SUBMIT;
	if (ring->flags & IORING_SETUP_SQE128)
		*(struct dmacpy_submit *)sqe->cmd = *args;
	else
		*(struct dmacpy_submit_pointer *)sqe->cmd = pointer;
	return sqe;
}

/* Waits until a kernel thread, if the ring has one, has issued all. */
void ring_wait_until_issued(struct io_uring *ring)
{
	while (io_uring_sq_ready(ring))
		usleep(1000);
}
