// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers and fences passed from one program to another over a UNIX socket.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "common.h"
#include "engine.h"

#define LENGTH		(8 * KIB)
#define USER		12345

static int send_fd(int socket, int fd)
{
	char control[CMSG_SPACE(sizeof(fd))] = "", byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&message);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return sendmsg(socket, &message, 0) == 1 ? 0 : -errno;
}

static int receive_fd(int socket)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	int fd;

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1)
		return -errno;
	cmsg = CMSG_FIRSTHDR(&message);
	if (!cmsg || cmsg->cmsg_type != SCM_RIGHTS)
		return -EBADMSG;
	memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	return fd;
}

FIXTURE(share)
{
	struct instance fake;
	int sockets[2];
	int stream, fd, handle;
};

FIXTURE_SETUP(share)
{
	ASSERT_EQ(0, engine_find(&self->fake));
	ASSERT_TRUE(engine_reset());
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, self->sockets));
	self->stream = stream_open(self->fake.node);
	self->fd = sram_alloc(self->stream, LENGTH);
	self->handle = dmabuf_import(self->stream, self->fd, ACCESS_BOTH);
	ASSERT_LT(0, self->handle);
}

FIXTURE_TEARDOWN_PARENT(share)
{
	EXPECT_TRUE(engine_reset());
	EXPECT_EQ(0, sram_leaked());
}

static bool is_filled(const uint8_t *mem, int fd, uint8_t value)
{
	bool right;

	dmabuf_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	right = all_bytes_are(mem, value, LENGTH);
	dmabuf_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	return right;
}

/* Drops all rights and files, except for a socket. */
static int drop_privileges(int stream, int fd, const char *node)
{
	close(fd);
	close(stream);
	if (setgid(USER) || setuid(USER))
		return -errno;
	return access(node, R_OK | W_OK) ? 0 : -EPERM;
}

static int consume(int socket)
{
	int fd = receive_fd(socket), fence = receive_fd(socket);
	uint8_t *mem = fd < 0 ? NULL : dmabuf_map(fd, LENGTH);

	if (!mem || fence < 0)
		return 1;
	if (poll_for(fence, POLLIN, 10000) != POLLIN)
		return 2;
	if (!is_filled(mem, fd, 0x77))
		return 3;
	memset(mem, 0x78, LENGTH);
	return is_filled(mem, fd, 0x78) ? 0 : 4;
}

/* Catches: a buffer or a fence that needs rights on the device. */
TEST_F(share, consumer_without_rights)
{
	struct dmacpy_op op = {
		.opcode = DMACPY_OP_FILL,
		.dst = self->handle,
		.length = LENGTH,
		.pattern = 0x77777777,
	};
	struct dmacpy_submit args = { .flags = DMACPY_SUBMIT_OUT_FENCE };
	int status;
	pid_t child = fork();

	if (!child)
		_exit(drop_privileges(self->stream, self->fd,
				      self->fake.node) ||
		      consume(self->sockets[1]));
	ASSERT_TRUE(engine_set("delay_us", SLOW_US));
	ASSERT_EQ(0, submit_with(self->stream, &op, 1, &args));
	EXPECT_EQ(0, send_fd(self->sockets[0], self->fd));
	EXPECT_EQ(0, send_fd(self->sockets[0], args.out_fence));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, WEXITSTATUS(status));
	EXPECT_TRUE(WIFEXITED(status));
}

/* Passes on a buffer of its own stream, and waits to be killed. */
static void produce(const char *node, int socket)
{
	int stream = stream_open(node);
	int fd = sram_alloc(stream, LENGTH);
	struct dmacpy_op op = {
		.opcode = DMACPY_OP_FILL,
		.dst = dmabuf_import(stream, fd, ACCESS_BOTH),
		.length = LENGTH,
		.pattern = 0x55555555,
	};
	struct dmacpy_submit args = { .flags = DMACPY_SUBMIT_OUT_FENCE };

	if (!submit_with(stream, &op, 1, &args) && !send_fd(socket, fd))
		send_fd(socket, args.out_fence);
	pause();
}

/* Catches: a buffer, or a job, that is freed with its creator. */
TEST_F(share, consumer_survives_producer)
{
	int fd, fence, status, handle;
	uint8_t *mem;
	pid_t child;

	ASSERT_TRUE(engine_set("hang", 1));
	child = fork();
	if (!child) {
		produce(self->fake.node, self->sockets[1]);
		_exit(1);
	}
	fd = receive_fd(self->sockets[0]);
	fence = receive_fd(self->sockets[0]);
	ASSERT_LE(0, fence);
	kill(child, SIGKILL);
	ASSERT_EQ(child, waitpid(child, &status, 0));

	EXPECT_EQ(0, fence_status(fence));
	ASSERT_TRUE(engine_set("hang", 0));
	EXPECT_EQ(POLLIN, poll_for(fence, POLLIN, 10000));
	EXPECT_EQ(1, fence_status(fence));
	mem = dmabuf_map(fd, LENGTH);
	ASSERT_NE(NULL, mem);
	EXPECT_TRUE(is_filled(mem, fd, 0x55));
	/* It works like a buffer of the process. */
	handle = dmabuf_import(self->stream, fd, ACCESS_BOTH);
	EXPECT_EQ(0, fill(self->stream, handle, LENGTH, 0x66666666));
	EXPECT_TRUE(is_filled(mem, fd, 0x66));
}

/* Catches: a stream that works for one process only. */
TEST_F(share, stream_is_passed)
{
	int status;
	pid_t child = fork();

	if (!child) {
		int stream = receive_fd(self->sockets[1]);

		_exit(drop_privileges(self->stream, self->fd,
				      self->fake.node) ||
		      fill(stream, self->handle, LENGTH, 0x11111111));
	}
	EXPECT_EQ(0, send_fd(self->sockets[0], self->stream));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN
