// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reports of failures: for each there is a line in the kernel's log, a uevent,
 * and a count in sysfs.
 */
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#include "kselftest_harness.h"
#include "common.h"
#include "engine.h"

#define LENGTH		(4 * KIB)
#define TIMEOUT_MS	100	/* if a job has to time out */
#define NO_TIMEOUT_MS	20000	/* if no job may time out */
#define PATIENCE_MS	10000
/* Time in which pending messages arrive */
#define SILENCE_MS	300
/* Number of failures that are reported in 5 s */
#define BURST		10
#define FLOOD		200
#define UNBINDS		10

/* A uevent, and its properties */
struct event {
	char text[4096];	/* strings, each with its zero byte */
	ssize_t length;
};

/* A stream with SRAM, and all channels for reports of its failures */
struct watch {
	struct instance instance;
	int stream, handle, events, log;
	struct event event;
};

/* Opens the log at its end. */
static int open_log(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	lseek(fd, 0, SEEK_END);
	return fd;
}

static int open_events(void)
{
	struct sockaddr_nl address = {
		.nl_family = AF_NETLINK,
		.nl_groups = 1,
	};
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_KOBJECT_UEVENT);

	return bind(fd, (void *)&address, sizeof(address)) ? -1 : fd;
}

static int open_stream(struct watch *w)
{
	w->stream = stream_open(w->instance.node);
	w->handle = dmabuf_import(w->stream, sram_alloc(w->stream, LENGTH),
				  ACCESS_BOTH);
	return w->handle;
}

static int rebind(struct watch *w)
{
	instance_unbind(&w->instance);
	return instance_bind(&w->instance);
}

static void set_up(struct __test_metadata *_metadata, struct watch *w)
{
	if (engine_find(&w->instance))
		SKIP(return, "no instance on the fake DMA engine");
	ASSERT_TRUE(engine_reset());
	/* A rebind resets the counts to 0. */
	ASSERT_EQ(0, rebind(w));
	ASSERT_LT(0, open_stream(w));
	w->events = open_events();
	ASSERT_LE(0, w->events);
	w->log = open_log();
	ASSERT_LE(0, w->log);
	ASSERT_TRUE(set_number(TIMEOUT, NO_TIMEOUT_MS));
}

static void tear_down(struct __test_metadata *_metadata, struct watch *w)
{
	EXPECT_TRUE(engine_reset());
	EXPECT_EQ(0, rebind(w));
	EXPECT_EQ(0, sram_leaked());
}

static unsigned int count_of(struct watch *w, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/class/misc/%s/%s",
		 strrchr(w->instance.node, '/') + 1, name);
	return get_number(path);
}

/* Returns NULL if the event has no such variable. */
static const char *variable(const struct event *event, const char *name)
{
	const char *at = event->text, *end = at + event->length;

	for (; at < end; at += strlen(at) + 1)
		if (!strncmp(at, name, strlen(name)) &&
		    at[strlen(name)] == '=')
			return at + strlen(name) + 1;
	return "";
}

static bool is_ours(struct watch *w)
{
	const char *name = strrchr(w->instance.node, '/') + 1;

	return !strcmp(variable(&w->event, "DEVNAME"), name) &&
	       !strcmp(variable(&w->event, "SUBSYSTEM"), "misc");
}

/* Reads the next uevent of the device; returns false after the timeout. */
static bool next_event(struct watch *w, unsigned int timeout_ms)
{
	unsigned int start = milliseconds(), passed;

	while ((passed = milliseconds() - start) <= timeout_ms) {
		poll_for(w->events, POLLIN, timeout_ms - passed);
		w->event.length = recv(w->events, w->event.text,
				       sizeof(w->event.text) - 1, 0);
		if (w->event.length > 0 && is_ours(w))
			return true;
	}
	return false;
}

static bool event_is(struct watch *w, const char *what,
		     const char *error)
{
	if (!next_event(w, PATIENCE_MS))
		return false;
	printf("# %s %s %s %s ms\n", variable(&w->event, "DMACPY_CHANNEL"),
	       variable(&w->event, "DMACPY_EVENT"),
	       variable(&w->event, "DMACPY_ERROR"),
	       variable(&w->event, "DMACPY_AGE_MS"));
	return !strcmp(variable(&w->event, "ACTION"), "change") &&
	       !strcmp(variable(&w->event, "DMACPY_EVENT"), what) &&
	       !strcmp(variable(&w->event, "DMACPY_ERROR"), error) &&
	       !strncmp(variable(&w->event, "DMACPY_CHANNEL"), "dma", 3);
}

static unsigned int event_age(struct watch *w)
{
	return strtoul(variable(&w->event, "DMACPY_AGE_MS"), NULL, 10);
}

/* Returns the number of new lines of the device in the log with this text. */
static unsigned int lines(struct watch *w, const char *text)
{
	unsigned int count = 0;
	char line[1024];
	ssize_t length;

	while ((length = read(w->log, line, sizeof(line) - 1)) > 0) {
		line[length] = 0;
		count += strstr(line, w->instance.name) &&
			 strstr(line, text);
	}
	return count;
}

static int fill_once(struct watch *w)
{
	return fill(w->stream, w->handle, LENGTH, 0x11111111);
}

FIXTURE(failure)
{
	struct watch watch;
};

/* The failure, its number, the result of the job, and the reports of it */
FIXTURE_VARIANT(failure)
{
	const char *knob;
	unsigned int count;
	int result;
	const char *error, *line;
};

FIXTURE_VARIANT_ADD(failure, failed) {
	"next_failed", 1, -EIO, "engine-error", "engine reported an error",
};

FIXTURE_VARIANT_ADD(failure, short) {
	"next_short", 1, -EIO, "engine-error", "engine reported an error",
};

FIXTURE_VARIANT_ADD(failure, no_submit) {
	"next_no_submit", 1, -EIO, "engine-error", "engine reported an error",
};

FIXTURE_VARIANT_ADD(failure, dropped) {
	"next_dropped", 1, -ETIMEDOUT, "no-progress", "made no progress",
};

FIXTURE_VARIANT_ADD(failure, hang) {
	"hang", 1, -ETIMEDOUT, "no-progress", "made no progress",
};

FIXTURE_VARIANT_ADD(failure, no_descriptor) {
	"next_no_prep", FOR_EVER, -ETIMEDOUT, "no-descriptor",
	"took no descriptor",
};

FIXTURE_SETUP(failure)
{
	set_up(_metadata, &self->watch);
}

FIXTURE_TEARDOWN_PARENT(failure)
{
	tear_down(_metadata, &self->watch);
}

/* Waits for the channel; the reason why it is still down may come before. */
static bool recovers(struct watch *w)
{
	while (next_event(w, PATIENCE_MS))
		if (!strcmp(variable(&w->event, "DMACPY_EVENT"), "recovered"))
			return true;
	return false;
}

/*
 * Catches: a failure that is not reported, or reported twice; a recovery that
 * is not reported; a count that is wrong when the program sees the result.
 */
TEST_F_TIMEOUT(failure, is_reported_once, SLOW)
{
	bool timeout = variant->result == -ETIMEDOUT;
	struct watch *w = &self->watch;

	ASSERT_TRUE(engine_set(variant->knob, variant->count));
	if (timeout)
		ASSERT_TRUE(set_number(TIMEOUT, TIMEOUT_MS));
	EXPECT_EQ(variant->result, fill_once(w));
	EXPECT_EQ(!timeout, count_of(w, "errors"));
	EXPECT_EQ(timeout, count_of(w, "timeouts"));
	EXPECT_TRUE(event_is(w, "failed", variant->error));
	ASSERT_TRUE(engine_behave());
	if (timeout) {
		EXPECT_LE(TIMEOUT_MS - 20, event_age(w));
		EXPECT_TRUE(recovers(w));
		ASSERT_TRUE(set_number(TIMEOUT, NO_TIMEOUT_MS));
	}
	EXPECT_EQ(timeout, count_of(w, "recoveries"));
	EXPECT_EQ(0, count_of(w, "channels_down"));
	EXPECT_EQ(0, fill_once(w));
	EXPECT_FALSE(next_event(w, SILENCE_MS));
	EXPECT_EQ(1, lines(w, variant->line));
	EXPECT_EQ(1, count_of(w, "errors") + count_of(w, "timeouts"));
}

FIXTURE(report)
{
	struct watch watch;
};

FIXTURE_SETUP(report)
{
	set_up(_metadata, &self->watch);
}

FIXTURE_TEARDOWN_PARENT(report)
{
	tear_down(_metadata, &self->watch);
}

/* Catches: a channel that stays down for a reason that is not reported. */
TEST_F_TIMEOUT(report, reports_reason, SLOW)
{
	struct watch *w = &self->watch;

	ASSERT_TRUE(set_number(TIMEOUT, TIMEOUT_MS));
	ASSERT_TRUE(engine_set("hang", 1));
	EXPECT_EQ(-ETIMEDOUT, fill_once(w));
	EXPECT_TRUE(event_is(w, "failed", "no-progress"));
	EXPECT_TRUE(event_is(w, "down", "no-copy"));
	EXPECT_EQ(1, count_of(w, "channels_down"));
	/* The recovery is retried, but reported once. */
	EXPECT_FALSE(next_event(w, 5 * TIMEOUT_MS));
	ASSERT_TRUE(engine_set("hang", 0));
	EXPECT_TRUE(event_is(w, "recovered", "none"));
	EXPECT_EQ(0, count_of(w, "channels_down"));

	/* A copy arrives within that time on a busy host, too. */
	ASSERT_TRUE(set_number(TIMEOUT, 5 * TIMEOUT_MS));
	ASSERT_TRUE(engine_set("next_lost", FOR_EVER));
	EXPECT_EQ(-ETIMEDOUT, fill_once(w));
	EXPECT_TRUE(event_is(w, "failed", "no-progress"));
	EXPECT_TRUE(event_is(w, "down", "no-interrupt"));
	ASSERT_TRUE(engine_set("next_lost", 0));
	EXPECT_TRUE(event_is(w, "recovered", "none"));
	EXPECT_EQ(1, lines(w, "test copy arrives without an interrupt"));
}

/* Catches: a log full of one message; a count that stops, too. */
TEST_F_TIMEOUT(report, flood, SLOW)
{
	unsigned int start = milliseconds(), i, events = 0, most;
	struct watch *w = &self->watch;

	ASSERT_TRUE(engine_set("next_failed", FLOOD));
	for (i = 0; i < FLOOD; i++)
		EXPECT_EQ(-EIO, fill_once(w));
	while (next_event(w, SILENCE_MS))
		events++;
	most = BURST * (1 + (milliseconds() - start) / 5000);
	EXPECT_LE(BURST, events);
	EXPECT_GE(most, events);
	EXPECT_EQ(events, lines(w, "engine reported an error"));
	EXPECT_EQ(FLOOD, count_of(w, "errors"));

	/* After five seconds, the log gets a line again. */
	sleep(6);
	ASSERT_TRUE(engine_set("next_failed", 1));
	EXPECT_EQ(-EIO, fill_once(w));
	EXPECT_TRUE(event_is(w, "failed", "engine-error"));
	EXPECT_EQ(1, lines(w, "failures were too many to be logged"));
}

/* Catches: a log that any user can fill by jobs that are refused. */
TEST_F(report, invalid_arguments_are_not_reported)
{
	struct watch *w = &self->watch;
	struct dmacpy_op op = {
		.opcode = DMACPY_OP_FILL,
		.dst = w->handle,
		.length = LENGTH + 1,
	};
	struct dmacpy_submit in_fence = {
		.flags = DMACPY_SUBMIT_IN_FENCE,
		.in_fence = -1,
	};

	EXPECT_EQ(-EINVAL, submit(w->stream, &op, 1));
	op.length = 0;
	EXPECT_EQ(-EINVAL, submit(w->stream, &op, 1));
	op.opcode = 99;
	EXPECT_EQ(-EOPNOTSUPP, submit(w->stream, &op, 1));
	op = (struct dmacpy_op){
		.opcode = DMACPY_OP_FILL,
		.dst = w->handle,
		.length = LENGTH,
	};
	EXPECT_EQ(-EBADF, submit_with(w->stream, &op, 1, &in_fence));
	EXPECT_EQ(-ENOENT, fill(w->stream, 12345, LENGTH, 0));
	EXPECT_EQ(-ENOTTY, command(w->stream, 0x4242, NULL));
	EXPECT_EQ(-EBADF, dmabuf_import(w->stream, -1, ACCESS_BOTH));
	EXPECT_EQ(-EINVAL, memory_register(w->stream, w, 0, ACCESS_BOTH));
	EXPECT_FALSE(next_event(w, SILENCE_MS));
	EXPECT_EQ(0, lines(w, ""));
	EXPECT_EQ(0, count_of(w, "errors"));
}

/* Catches: a late fence that is reported as a failure of the engine. */
TEST_F(report, late_fences_are_not_reported)
{
	int timeline = timeline_create();
	struct dmacpy_submit args = {
		.flags = DMACPY_SUBMIT_IN_FENCE | DMACPY_SUBMIT_WAIT,
	};
	struct watch *w = &self->watch;
	struct dmacpy_op op = {
		.opcode = DMACPY_OP_FILL,
		.dst = w->handle,
		.length = LENGTH,
	};

	if (timeline < 0)
		SKIP(return, "this kernel has no sw_sync");
	ASSERT_TRUE(set_number(DEPENDENCY_TIMEOUT, TIMEOUT_MS));
	args.in_fence = timeline_fence(timeline, 1);
	EXPECT_EQ(-ETIMEDOUT, submit_with(w->stream, &op, 1, &args));
	EXPECT_FALSE(next_event(w, SILENCE_MS));
	EXPECT_EQ(0, lines(w, ""));
	EXPECT_EQ(0, count_of(w, "timeouts"));
}

/* Catches: jobs or bytes that are not counted, or counted twice. */
TEST_F(report, jobs_and_bytes)
{
	struct watch *w = &self->watch;
	unsigned int i;

	EXPECT_EQ(4, count_of(w, "channels"));
	for (i = 1; i <= 10; i++)
		EXPECT_EQ(0, fill(w->stream, w->handle, i * 256, 0));
	/* A job is counted after its completion is signalled. */
	for (i = 0; i < 1000 && count_of(w, "jobs") < 10; i++)
		usleep(10 * 1000);
	EXPECT_EQ(10, count_of(w, "jobs"));
	EXPECT_EQ(55 * 256, count_of(w, "bytes"));
}

/* Catches: a failed job that is not counted, or whose bytes are not. */
TEST_F(report, failed_job_and_its_bytes)
{
	struct watch *w = &self->watch;
	unsigned int i;

	ASSERT_TRUE(engine_set("next_failed", 1));
	EXPECT_EQ(-EIO, fill_once(w));
	for (i = 0; i < 100 && count_of(w, "jobs") < 1; i++)
		usleep(10 * 1000);
	EXPECT_EQ(1, count_of(w, "jobs"));
	EXPECT_EQ(LENGTH, count_of(w, "bytes"));
	EXPECT_EQ(1, count_of(w, "errors"));
}

static void *fail_thread(void *arg)
{
	struct watch *w = arg;

	while (fill_once(w) != -ENODEV)
		;
	return NULL;
}

/*
 * Catches: a uevent of a removed device, or one after the removal's uevent; an
 * unbind that waits for a failure.
 */
TEST_F_TIMEOUT(report, unbind_with_uevents_pending, SLOW)
{
	struct watch *w = &self->watch;
	pthread_t thread;
	int i;

	for (i = 0; i < UNBINDS; i++) {
		ASSERT_TRUE(engine_set("next_failed", FOR_EVER));
		ASSERT_EQ(0, pthread_create(&thread, NULL, fail_thread, w));
		usleep(random_below(3000));
		ASSERT_EQ(0, instance_unbind(&w->instance));
		pthread_join(thread, NULL);
		while (next_event(w, PATIENCE_MS) &&
		       strcmp(variable(&w->event, "ACTION"), "remove"))
			EXPECT_STREQ("change",
				     variable(&w->event, "ACTION"));
		EXPECT_STREQ("remove", variable(&w->event, "ACTION"));
		EXPECT_FALSE(next_event(w, 20));
		close(w->stream);
		ASSERT_TRUE(engine_set("next_failed", 0));
		ASSERT_EQ(0, instance_bind(&w->instance));
		ASSERT_LT(0, open_stream(w));
		EXPECT_TRUE(next_event(w, PATIENCE_MS));
		EXPECT_STREQ("add", variable(&w->event, "ACTION"));
	}
}

TEST_HARNESS_MAIN
