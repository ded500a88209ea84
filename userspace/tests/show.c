// SPDX-License-Identifier: GPL-2.0-only
/*
 * The information about streams and buffers, which identifies their programs:
 * fdinfo, names of dma-bufs, the list in debugfs.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "common.h"
#include "engine.h"

#define LENGTH		(16 * KIB)
#define USER		12345
#define IN_QUARANTINE	"transfers in quarantine "

FIXTURE(show)
{
	struct instance instance;
	int stream, fd, handle;
	char text[4096];
};

FIXTURE_SETUP(show)
{
	if (engine_find(&self->instance))
		SKIP(return, "no instance on the fake DMA engine");
	ASSERT_TRUE(engine_reset());
	self->stream = stream_open(self->instance.node);
	ASSERT_LE(0, self->stream);
	self->fd = sram_alloc(self->stream, LENGTH);
	self->handle = dmabuf_import(self->stream, self->fd, ACCESS_BOTH);
	ASSERT_LT(0, self->handle);
}

FIXTURE_TEARDOWN_PARENT(show)
{
	EXPECT_TRUE(engine_reset());
	EXPECT_EQ(0, sram_leaked());
}

static void read_text(FIXTURE_DATA(show) *self, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = read(fd, self->text, sizeof(self->text) - 1);

	self->text[length < 0 ? 0 : length] = 0;
	close(fd);
}

static void read_fdinfo(FIXTURE_DATA(show) *self, int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	read_text(self, path);
}

static void read_sram(FIXTURE_DATA(show) *self)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/debug/dmacpy/%s/sram",
		 self->instance.name);
	read_text(self, path);
}

/* Returns -1 if there is no such line. */
static long number_of(FIXTURE_DATA(show) *self, const char *key)
{
	const char *line;
	char start[64];
	long number;

	read_fdinfo(self, self->stream);
	snprintf(start, sizeof(start), "dmacpy-%s:\t", key);
	line = strstr(self->text, start);
	if (!line || sscanf(line + strlen(start), "%ld", &number) != 1)
		return -1;
	return number;
}

/* Catches: a number that is not counted, or never decreases. */
TEST_F(show, stream)
{
	struct dmacpy_submit event = { .flags = DMACPY_SUBMIT_EVENT };
	size_t page = getpagesize();
	void *memory = memory_map(3 * page);
	struct dmacpy_op op = {
		.opcode = DMACPY_OP_FILL,
		.dst = self->handle,
		.length = LENGTH,
	};
	int again, user;

	EXPECT_EQ(1, number_of(self, "handles"));
	EXPECT_EQ(LENGTH / KIB, number_of(self, "sram"));
	EXPECT_EQ(0, number_of(self, "pinned"));
	again = dmabuf_import(self->stream, self->fd, DMACPY_ACCESS_READ);
	user = memory_register(self->stream, (char *)memory + 8, 2 * page,
			       ACCESS_BOTH);
	ASSERT_LT(0, user);
	EXPECT_EQ(3, number_of(self, "handles"));
	EXPECT_EQ(2 * LENGTH / KIB, number_of(self, "sram"));
	EXPECT_EQ(3 * page / KIB, number_of(self, "pinned"));
	EXPECT_EQ(0, handle_release(self->stream, again));
	EXPECT_EQ(0, handle_release(self->stream, user));
	EXPECT_EQ(1, number_of(self, "handles"));
	EXPECT_EQ(LENGTH / KIB, number_of(self, "sram"));
	EXPECT_EQ(0, number_of(self, "pinned"));

	EXPECT_EQ(0, number_of(self, "jobs"));
	ASSERT_TRUE(engine_set("hang", 1));
	ASSERT_EQ(0, submit_with(self->stream, &op, 1, &event));
	ASSERT_EQ(0, submit_with(self->stream, &op, 1, &event));
	EXPECT_EQ(2, number_of(self, "jobs"));
	EXPECT_EQ(0, number_of(self, "ended"));
	EXPECT_EQ(0, number_of(self, "bytes"));
	EXPECT_EQ(0, number_of(self, "records"));
	ASSERT_TRUE(engine_set("next_failed", 1));
	ASSERT_TRUE(engine_set("hang", 0));
	EXPECT_NE(0, fsync(self->stream));
	EXPECT_EQ(0, number_of(self, "jobs"));
	EXPECT_EQ(2, number_of(self, "records"));
	/* The failure of the first job cancels the second one. */
	EXPECT_EQ(2, number_of(self, "failed"));
	EXPECT_EQ(2, number_of(self, "ended"));
	EXPECT_EQ(2 * LENGTH, number_of(self, "bytes"));
	op.length = 3 * 256;
	EXPECT_EQ(0, submit(self->stream, &op, 1));
	EXPECT_EQ(2, number_of(self, "failed"));
	EXPECT_EQ(3, number_of(self, "ended"));
	EXPECT_EQ(2 * LENGTH + 3 * 256, number_of(self, "bytes"));
}

/* Catches: a removed channel whose name is read. */
TEST_F(show, unbound)
{
	read_fdinfo(self, self->stream);
	EXPECT_NE(NULL, strstr(self->text, "dmacpy-channel:\tdma"));
	ASSERT_EQ(0, instance_unbind(&self->instance));
	read_fdinfo(self, self->stream);
	EXPECT_NE(NULL, strstr(self->text, "dmacpy-channel:\tnone\n"));
	EXPECT_EQ(1, number_of(self, "handles"));
	EXPECT_EQ(0, number_of(self, "sram"));
	EXPECT_EQ(0, instance_bind(&self->instance));
}

/* Waits until @wanted transfers are in quarantine. Returns their number. */
static unsigned int quarantined(FIXTURE_DATA(show) *self, unsigned int wanted)
{
	unsigned int number, sum, tries = 0;
	const char *line;
	char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/debug/dmacpy/%s/channels",
		 self->instance.name);
	do {
		usleep(1000);
		read_text(self, path);
		line = self->text;
		for (sum = 0; (line = strstr(line, IN_QUARANTINE)); line++)
			if (sscanf(line, IN_QUARANTINE "%u", &number) == 1)
				sum += number;
	} while (sum != wanted && ++tries < 1000);
	return sum;
}

/* Catches: a number of transfers in quarantine that is not updated. */
TEST_F_TIMEOUT(show, quarantine, SLOW)
{
	ASSERT_TRUE(set_number(TIMEOUT, 100));
	ASSERT_TRUE(engine_set("hang", 1));
	EXPECT_EQ(-ETIMEDOUT, fill(self->stream, self->handle, LENGTH, 0));
	EXPECT_EQ(1, quarantined(self, 1));
	ASSERT_TRUE(engine_reset());
	EXPECT_EQ(0, quarantined(self, 0));
}

/* Catches: SRAM without a known owner. */
TEST_F(show, owner)
{
	char line[128];
	pid_t child;
	int fd;

	read_fdinfo(self, self->fd);
	EXPECT_NE(NULL, strstr(self->text, "name:\tshow\n"))
		TH_LOG("%s", self->text);
	read_sram(self);
	snprintf(line, sizeof(line), "buffer %u user 0 name ", LENGTH);
	EXPECT_NE(NULL, strstr(self->text, line)) TH_LOG("%s", self->text);

	/* Another user's buffer, on a stream of that user */
	child = fork();
	if (!child) {
		if (setresuid(USER, 0, 0))
			_exit(1);
		fd = sram_alloc(stream_open(self->instance.node), 4 * KIB);
		ioctl(fd, DMA_BUF_SET_NAME_B, "tiles");
		pause();
	}
	snprintf(line, sizeof(line), "user %u name tiles\n", USER);
	do {
		usleep(1000);
		read_sram(self);
	} while (!strstr(self->text, line));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	do {
		usleep(1000);
		read_sram(self);
	} while (strstr(self->text, line));
}

TEST_HARNESS_MAIN
