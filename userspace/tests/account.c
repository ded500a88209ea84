// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attacks on the limits of a user: an unprivileged user takes more than its
 * share, by many processes, by exec(), by files that other users have opened.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "common.h"
#include "engine.h"
#include "instance.h"

#define QUOTA		"/sys/module/dmacpy/parameters/sram_quota_kib"
#define USER		12345
#define MEMLOCK		(256 * KIB)
#define PROCESSES	8
#define LENGTH		(64 * KIB)
#define FLOOD		240	/* streams */
#define FLOOD_US	2000	/* time per descriptor */
#define CHAIN		8	/* jobs, each after the one before it */
#define TRIES		5	/* a host may keep one CPU of a guest waiting */
#define DEPTH		32	/* maximum of the engine's descriptors */
#define WIDE		"test-wide"
#define CHANNELS	8

/* Exit status of a child process. */
enum outcome { DONE, REFUSED, FAILED };

FIXTURE(account)
{
	struct instance instance;
	int stream;		/* opened by USER */
};

FIXTURE_SETUP(account)
{
	if (engine_find(&self->instance))
		SKIP(return, "no instance on the fake DMA engine");
	ASSERT_TRUE(engine_reset());
	/* Unprivileged users have to open it themselves. */
	ASSERT_EQ(0, chmod(self->instance.node, 0666));
	self->stream = open_as(self->instance.node, USER);
	ASSERT_LE(0, self->stream);
}

FIXTURE_TEARDOWN_PARENT(account)
{
	EXPECT_TRUE(engine_reset());
	EXPECT_EQ(0, chmod(self->instance.node, 0600));
	EXPECT_TRUE(set_number(QUOTA, 0));
	EXPECT_EQ(0, sram_leaked());
}

static enum outcome outcome(int ret)
{
	if (ret == -EDQUOT)
		return REFUSED;
	return ret < 0 ? FAILED : DONE;
}

/* Forks a child that has the user's id and no capabilities. */
static pid_t fork_as(uid_t user)
{
	struct rlimit limit = { MEMLOCK, MEMLOCK };
	pid_t child = fork();

	if (!child && (setrlimit(RLIMIT_MEMLOCK, &limit) ||
		       setresgid(user, user, user) ||
		       setresuid(user, user, user)))
		_exit(FAILED);
	return child;
}

static enum outcome outcome_of(pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return FAILED;
	return WEXITSTATUS(status);
}

static int pin(int stream, size_t length)
{
	return memory_register(stream, memory_map(length), length, ACCESS_BOTH);
}

/* Returns the outcome of REGISTER in a child process of the user. */
static enum outcome pin_as(uid_t user, int stream, size_t length)
{
	pid_t child = fork_as(user);

	if (!child)
		_exit(outcome(pin(stream, length)));
	return outcome_of(child);
}

/*
 * Catches: pins that are charged to a process and forgotten when it exits,
 * although the stream keeps them: many children pin all memory.
 */
TEST_F(account, pins_of_processes_that_exit)
{
	long before = pinned_pages();
	int i;

	for (i = 0; i < 4; i++)
		EXPECT_EQ(DONE, pin_as(USER, self->stream, MEMLOCK / 4));
	for (i = 0; i < PROCESSES; i++)
		EXPECT_EQ(REFUSED, pin_as(USER, self->stream, MEMLOCK / 4));
	EXPECT_GE(MEMLOCK / getpagesize(), pinned_pages() - before);

	/* Another stream is charged to the same user. */
	close(self->stream);
	self->stream = open_as(self->instance.node, USER);
	EXPECT_EQ(DONE, pin_as(USER, self->stream, MEMLOCK));
	EXPECT_EQ(REFUSED, pin_as(USER, self->stream, 1));
}

/* Passes the descriptor of a stream to a program started by exec(). */
#define EXEC_STREAM	"DMACPY_TEST_EXEC_STREAM"

static void __attribute__((constructor)) pin_after_exec(void)
{
	const char *stream = getenv(EXEC_STREAM);

	if (stream)
		_exit(outcome(pin(atoi(stream), MEMLOCK)));
}

/* Catches: pins that are charged to the mm, which exec() replaces. */
TEST_F(account, pins_of_process_that_execs)
{
	char number[16];
	pid_t child;

	snprintf(number, sizeof(number), "%d", self->stream);
	ASSERT_EQ(0, setenv(EXEC_STREAM, number, 1));
	ASSERT_EQ(0, fcntl(self->stream, F_SETFD, 0));
	child = fork_as(USER);
	if (!child) {
		if (pin(self->stream, MEMLOCK) < 0)
			_exit(FAILED);
		execl("/proc/self/exe", "account", NULL);
		_exit(FAILED);
	}
	EXPECT_EQ(REFUSED, outcome_of(child));
	unsetenv(EXEC_STREAM);
}

/* Catches: pins that are charged to the caller, if that is another user. */
TEST_F(account, pins_are_charged_to_opener)
{
	int other = open_as(self->instance.node, USER + 1);

	ASSERT_LE(0, other);
	EXPECT_EQ(DONE, pin_as(USER + 1, self->stream, MEMLOCK));
	EXPECT_EQ(REFUSED, pin_as(USER + 2, self->stream, 1));
	EXPECT_EQ(REFUSED, pin_as(USER, self->stream, 1));
	EXPECT_EQ(DONE, pin_as(USER + 1, other, MEMLOCK));
	EXPECT_EQ(REFUSED, pin_as(USER + 1, other, 1));
	/* CAP_IPC_LOCK overrides the limit. */
	EXPECT_LT(0, pin(other, MEMLOCK));
}

/* Calls REGISTER 1000 times: each call has to have the same outcome. */
static enum outcome pin_often(int stream, size_t length, enum outcome expected)
{
	void *memory = memory_map(length);
	int handle, i;

	for (i = 0; i < 300; i++) {
		handle = memory_register(stream, memory, length, ACCESS_BOTH);
		if (outcome(handle) != expected)
			return outcome(handle);
		if (handle > 0 && handle_release(stream, handle))
			return FAILED;
	}
	return expected;
}

/*
 * Catches: a charge that is made before it is checked, so that a refused
 * REGISTER makes a concurrent one fail; a charge that is not returned.
 */
TEST_F_TIMEOUT(account, refused_pins_take_nothing, SLOW)
{
	pid_t greedy, modest;

	greedy = fork_as(USER);
	if (!greedy)
		_exit(pin_often(self->stream, 2 * MEMLOCK, REFUSED));
	modest = fork_as(USER);
	if (!modest)
		_exit(pin_often(self->stream, MEMLOCK, DONE));
	EXPECT_EQ(REFUSED, outcome_of(greedy));
	EXPECT_EQ(DONE, outcome_of(modest));
	EXPECT_EQ(DONE, pin_as(USER, self->stream, MEMLOCK));
}

/* Starts a job that fills four bytes; no other job waits for it. */
static int start_fill(int stream, uint32_t handle, uint32_t flags,
		      int *in_fence)
{
	struct dmacpy_op op = {
		.opcode = DMACPY_OP_FILL,
		.dst = handle,
		.length = 4,
	};
	struct dmacpy_submit args = {
		.flags = flags | DMACPY_SUBMIT_NO_IMPLICIT |
			 (in_fence ? DMACPY_SUBMIT_IN_FENCE : 0),
		.in_fence = in_fence ? *in_fence : 0,
	};
	int ret = submit_with(stream, &op, 1, &args);

	return ret || !(flags & DMACPY_SUBMIT_OUT_FENCE) ? ret : args.out_fence;
}

/* Pins all memory for a job, again when that job has completed. */
static enum outcome pin_for_jobs(int stream)
{
	struct dmacpy_event event;
	void *memory = memory_map(MEMLOCK);
	int handle, i;

	for (i = 0; i < 100; i++) {
		handle = memory_register(stream, memory, MEMLOCK, ACCESS_BOTH);
		if (handle < 0)
			return outcome(handle);
		if (start_fill(stream, handle, DMACPY_SUBMIT_EVENT, NULL) ||
		    handle_release(stream, handle) ||
		    read_event(stream, &event) || event.result)
			return FAILED;
	}
	return DONE;
}

/*
 * Catches: memory whose handle is released, and that stays charged after the
 * job that used it has completed.
 */
TEST_F(account, pins_of_completed_jobs)
{
	pid_t child;

	ASSERT_TRUE(engine_set("delay_us", 2000));
	child = fork_as(USER);
	if (!child)
		_exit(pin_for_jobs(self->stream));
	EXPECT_EQ(DONE, outcome_of(child));
}

/* Allocates SRAM for a job, again when that job has completed. */
static enum outcome alloc_for_jobs(int stream, uint64_t length)
{
	struct dmacpy_event event;
	int fd, handle, i;

	for (i = 0; i < 100; i++) {
		fd = sram_alloc(stream, length);
		if (fd < 0)
			return outcome(fd);
		handle = dmabuf_import(stream, fd, ACCESS_BOTH);
		close(fd);
		if (start_fill(stream, handle, DMACPY_SUBMIT_EVENT, NULL) ||
		    handle_release(stream, handle) ||
		    read_event(stream, &event) || event.result)
			return FAILED;
	}
	return DONE;
}

static enum outcome alloc_for_jobs_as(uid_t user, int stream, uint64_t length)
{
	pid_t child = fork_as(user);

	if (!child)
		_exit(alloc_for_jobs(stream, length));
	return outcome_of(child);
}

/*
 * Catches: SRAM that is closed and released, and that stays taken, or charged,
 * after the job that used it has completed.
 */
TEST_F(account, sram_of_completed_jobs)
{
	uint64_t total = stream_info(self->stream).sram_total;

	ASSERT_TRUE(engine_set("delay_us", 2000));
	EXPECT_EQ(DONE, alloc_for_jobs_as(USER, self->stream, total));
	ASSERT_TRUE(set_number(QUOTA, 64));
	EXPECT_EQ(DONE, alloc_for_jobs_as(USER, self->stream, 64 * KIB));
}

/* Allocates the whole quota, with a stream whose opener has no SRAM yet. */
static enum outcome use_up_quota(int stream)
{
	int fd = sram_alloc(stream, 48 * KIB);

	if (fd < 0 || sram_alloc(stream, 20 * KIB) != -EDQUOT ||
	    sram_alloc(stream, 16 * KIB) < 0 ||
	    sram_alloc(stream, 1) != -EDQUOT)
		return FAILED;
	/* A freed buffer is no longer charged. */
	close(fd);
	return sram_alloc(stream, 48 * KIB) < 0 ? FAILED : DONE;
}

static enum outcome use_up_quota_as(uid_t user, int stream)
{
	pid_t child = fork_as(user);

	if (!child)
		_exit(use_up_quota(stream));
	return outcome_of(child);
}

/* Catches: a quota that is ignored, or not returned. */
TEST_F(account, sram)
{
	int other = open_as(self->instance.node, USER + 1), fd;

	ASSERT_TRUE(set_number(QUOTA, 64));
	EXPECT_EQ(DONE, use_up_quota_as(USER, self->stream));
	EXPECT_EQ(DONE, use_up_quota_as(USER, self->stream));
	EXPECT_EQ(DONE, use_up_quota_as(USER + 1, other));
	/* CAP_SYS_RESOURCE overrides the quota. */
	fd = sram_alloc(other, 128 * KIB);
	EXPECT_LE(0, fd);
	close(fd);
	ASSERT_TRUE(set_number(QUOTA, 0));
	EXPECT_EQ(FAILED, use_up_quota_as(USER, self->stream));
}

/* Catches: SRAM that is charged although there was no room for it. */
TEST_F(account, sram_without_room)
{
	uint64_t total = stream_info(self->stream).sram_total;
	int fd = sram_alloc(open_as(self->instance.node, USER + 1), 1);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-ENOSPC, sram_alloc(self->stream, total));
	ASSERT_TRUE(set_number(QUOTA, 64));
	EXPECT_EQ(DONE, use_up_quota_as(USER, self->stream));
}

/* Allocates as four users, one after the other. Returns the total. */
static size_t take_sram(int stream)
{
	size_t got = 0;
	uid_t user;

	for (user = USER; user < USER + 4; user++) {
		if (setresuid(user, user, 0))
			return SIZE_MAX;
		while (sram_alloc(stream, 16 * KIB) >= 0)
			got += 16 * KIB;
		if (setresuid(0, 0, 0))
			return SIZE_MAX;
	}
	return got;
}

/* Catches: a quota for each id of a user that has many, as with newuidmap. */
TEST_F(account, sram_is_charged_to_opener)
{
	int other = open_as(self->instance.node, USER + 1);

	ASSERT_TRUE(set_number(QUOTA, 64));
	EXPECT_EQ(64 * KIB, take_sram(self->stream));
	/* The caller of ALLOC was not charged. */
	EXPECT_EQ(DONE, use_up_quota_as(USER + 1, other));
}

/* Opens streams until that fails. Returns their number. */
static unsigned int open_streams(const char *node, int *streams,
				 unsigned int max)
{
	unsigned int n;

	for (n = 0; n < max; n++) {
		streams[n] = stream_open(node);
		if (streams[n] < 0)
			return streams[n] == -EDQUOT ? n : UINT_MAX;
	}
	return n;
}

static enum outcome use_up_streams(const char *node, unsigned int max)
{
	int *streams = calloc(max + 1, sizeof(*streams));

	if (!streams || open_streams(node, streams, max + 1) != max)
		return FAILED;
	/* A closed stream without jobs makes room at once. */
	close(streams[0]);
	return open_streams(node, streams, 2) == 1 ? DONE : FAILED;
}

/* Catches: a user with any number of streams. */
TEST_F_TIMEOUT(account, streams, SLOW)
{
	unsigned int max = stream_info(self->stream).max_user_streams;
	pid_t child;

	close(self->stream);
	child = fork_as(USER);
	if (!child)
		_exit(use_up_streams(self->instance.node, max));
	EXPECT_EQ(DONE, outcome_of(child));
	/* CAP_SYS_RESOURCE overrides the limit. */
	EXPECT_LE(0, open_as(self->instance.node, USER));
}

/* The engine stops, and the watchdog's timeout is too long to notice. */
static bool engine_hangs(void)
{
	return set_number(TIMEOUT, 600000) && engine_set("hang", 1);
}

/* All jobs time out or are cancelled, and the channel recovers. */
static bool engine_recovers(const struct instance *instance)
{
	if (!set_number(TIMEOUT, 10))
		return false;
	while (instance_in_flight(instance))
		usleep(1000);
	return engine_reset();
}

/* Submits until there is no room. Returns the number of jobs. */
static unsigned int fill_stream(int stream, unsigned int max)
{
	struct dmacpy_op op = { .opcode = DMACPY_OP_FILL, .length = 4 };
	struct dmacpy_submit args = { };
	int fd = sram_alloc(stream, 4);
	unsigned int jobs = 0;

	op.dst = dmabuf_import(stream, fd, ACCESS_BOTH);
	close(fd);
	if (fcntl(stream, F_SETFL, O_NONBLOCK))
		return 0;
	while (jobs < max && !submit_with(stream, &op, 1, &args))
		jobs++;
	return jobs;
}

/*
 * Repeatedly submits some jobs and closes their stream. Each stream has its own
 * buffer: the SRAM is sufficient for a few only.
 */
static enum outcome close_and_go_on(const char *node, unsigned int max)
{
	unsigned int jobs = 0, streams = 0, more;
	int stream;

	do {
		stream = stream_open(node);
		if (stream < 0)
			return FAILED;
		more = fill_stream(stream, 2 * max);
		jobs += more;
		streams++;
		close(stream);
	} while (more && jobs <= max);
	return jobs == max && streams > 1 ? DONE : FAILED;
}

/*
 * Catches: jobs that are no longer counted once their file is closed, although
 * they occupy memory: open, submit 64 jobs, close, repeat until no memory is
 * left.
 */
TEST_F_TIMEOUT(account, jobs_of_closed_streams, SLOW)
{
	unsigned int max = stream_info(self->stream).max_user_jobs;
	pid_t child;

	ASSERT_TRUE(engine_hangs());
	child = fork_as(USER);
	if (!child)
		_exit(close_and_go_on(self->instance.node, max));
	EXPECT_EQ(DONE, outcome_of(child));
	/* The limit is per user. */
	EXPECT_LT(0, fill_stream(open_as(self->instance.node, USER + 1), 1));
	/* poll() reports the limit, too, and when there is room again. */
	EXPECT_EQ(0, poll_for(self->stream, POLLOUT, 0));
	ASSERT_TRUE(engine_recovers(&self->instance));
	EXPECT_EQ(POLLOUT, poll_for(self->stream, POLLOUT, 60000));
	EXPECT_EQ(1, fill_stream(self->stream, 1));
}

/* Closes each stream after one job. */
static enum outcome close_all_streams(const char *node, unsigned int max)
{
	unsigned int n;
	int stream;

	for (n = 0; n <= max; n++) {
		stream = stream_open(node);
		if (stream == -EDQUOT)
			break;
		if (stream < 0 || fill_stream(stream, 1) != 1)
			return FAILED;
		close(stream);
	}
	return n == max ? DONE : FAILED;
}

/* Catches: closed streams that occupy memory without a limit. */
TEST_F_TIMEOUT(account, closed_streams, SLOW)
{
	struct dmacpy_get_info info = stream_info(self->stream);
	unsigned int max = info.max_user_streams - 1;
	pid_t child;

	if (max > info.max_user_jobs)
		SKIP(return, "the limit of jobs is lower");
	ASSERT_TRUE(engine_hangs());
	child = fork_as(USER);
	if (!child)
		_exit(close_all_streams(self->instance.node, max));
	EXPECT_EQ(DONE, outcome_of(child));
	ASSERT_TRUE(engine_recovers(&self->instance));
}

/* Submits jobs of the maximum number of bytes. Returns their number. */
static unsigned int fill_with_bytes(int stream,
				    const struct dmacpy_get_info *info)
{
	unsigned int count = info->max_bytes / (LENGTH / 2), jobs = 0, i;
	struct dmacpy_op *ops = calloc(count, sizeof(*ops));
	struct dmacpy_submit args = { };
	int fd = sram_alloc(stream, LENGTH);
	int handle = dmabuf_import(stream, fd, ACCESS_BOTH);

	close(fd);
	if (!ops || fcntl(stream, F_SETFL, O_NONBLOCK))
		return 0;
	for (i = 0; i < count; i++)
		ops[i] = (struct dmacpy_op){
			.opcode = DMACPY_OP_COPY,
			.dst = handle,
			.src = handle,
			.src_offset = LENGTH / 2,
			.length = LENGTH / 2,
		};
	while (!submit_with(stream, ops, count, &args))
		jobs++;
	free(ops);
	return jobs;
}

/* Catches: bytes that are not counted, or are counted twice. */
TEST_F_TIMEOUT(account, bytes, SLOW)
{
	struct dmacpy_get_info info = stream_info(self->stream);
	unsigned int jobs, sum = 0, max = info.max_user_bytes / info.max_bytes;
	int i;

	if (info.max_bytes % LENGTH ||
	    info.max_bytes / (LENGTH / 2) > info.max_ops ||
	    max >= info.max_user_jobs)
		SKIP(return, "other limits than by default");
	ASSERT_TRUE(engine_hangs());
	for (i = 0; i < 4; i++) {
		jobs = fill_with_bytes(open_as(self->instance.node, USER),
				       &info);
		sum += jobs;
		EXPECT_GE(info.max_jobs, jobs);
	}
	EXPECT_EQ(max, sum);
	EXPECT_EQ(0, fill_stream(self->stream, 1));
	EXPECT_EQ(1, fill_stream(open_as(self->instance.node, USER + 1), 1));
	ASSERT_TRUE(engine_recovers(&self->instance));
}

static void *end_hang_later(void *unused)
{
	usleep(SLOW_US);
	engine_set("hang", 0);
	return NULL;
}

/* Catches: a user's waiter that is not woken when fewer bytes are queued. */
TEST_F_TIMEOUT(account, bytes_make_room, SLOW)
{
	struct dmacpy_get_info info = stream_info(self->stream);
	unsigned int max = info.max_user_bytes / info.max_bytes;
	pthread_t thread;

	if (info.max_bytes % LENGTH ||
	    info.max_bytes / (LENGTH / 2) > info.max_ops ||
	    max > info.max_jobs)
		SKIP(return, "other limits than by default");
	ASSERT_TRUE(engine_hangs());
	ASSERT_EQ(max, fill_with_bytes(open_as(self->instance.node, USER),
				       &info));
	EXPECT_EQ(0, poll_for(self->stream, POLLOUT, 0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, end_hang_later, NULL));
	EXPECT_EQ(POLLOUT, poll_for(self->stream, POLLOUT, 60000));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	ASSERT_TRUE(engine_hangs());
	ASSERT_TRUE(engine_recovers(&self->instance));
}

/* A run of a prepared operation, and its result. */
struct prepared {
	int stream, ret;
	struct dmacpy_run_job job;
};

static void *run_prepared(void *arg)
{
	struct prepared *prepared = arg;
	struct dmacpy_run args = {
		.size = sizeof(args),
		.jobs = (uintptr_t)&prepared->job,
		.job_count = 1,
		.job_size = sizeof(prepared->job),
	};

	prepared->ret = ioctl(prepared->stream, DMACPY_RUN, &args);
	return NULL;
}

/* Catches: a place of the user that each refused job keeps. */
TEST_F(account, refused_jobs_take_no_room)
{
	unsigned int i, max = stream_info(self->stream).max_user_jobs;
	struct dmacpy_op op = { .opcode = DMACPY_OP_FILL, .length = 4 };

	for (i = 0; i <= max; i++)
		EXPECT_EQ(-ENOENT, submit(self->stream, &op, 1));
	EXPECT_EQ(1, fill_stream(self->stream, 1));
}

/*
 * Catches: a reference to prepared operations, and so to their memory, that a
 * wait for room leaks.
 */
TEST_F_TIMEOUT(account, prepared_job_waits_for_room, SLOW)
{
	unsigned int max = stream_info(self->stream).max_user_jobs;
	struct dmacpy_op op = { .opcode = DMACPY_OP_FILL, .length = 4 };
	unsigned int jobs = 0, more;
	struct dmacpy_prepare args = {
		.size = sizeof(args),
		.ops = (uintptr_t)&op,
		.op_count = 1,
		.op_size = sizeof(op),
	};
	struct prepared prepared = { .stream = self->stream };
	int fd = sram_alloc(self->stream, 4);
	pthread_t thread;

	op.dst = dmabuf_import(self->stream, fd, ACCESS_BOTH);
	close(fd);
	ASSERT_EQ(0, command(self->stream, DMACPY_PREPARE, &args));
	prepared.job.handle = args.handle;
	ASSERT_TRUE(engine_hangs());
	do {
		more = fill_stream(open_as(self->instance.node, USER),
				   max - jobs);
		jobs += more;
	} while (more && jobs < max);
	ASSERT_EQ(max, jobs);
	ASSERT_EQ(0, pthread_create(&thread, NULL, run_prepared, &prepared));
	usleep(SLOW_US);
	ASSERT_TRUE(engine_set("hang", 0));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(1, prepared.ret);
	/* The fixture checks that its SRAM is freed when this process exits. */
}

/* Keeps all of the user's streams busy, until the process is killed. */
static void flood(const char *node, int started)
{
	int streams[FLOOD], handles[FLOOD], fd = -1, i;

	for (i = 0; i < FLOOD; i++) {
		streams[i] = stream_open(node);
		if (!i)
			fd = sram_alloc(streams[i], 4);
		handles[i] = dmabuf_import(streams[i], fd, ACCESS_BOTH);
		if (handles[i] < 0 || fcntl(streams[i], F_SETFL, O_NONBLOCK))
			_exit(FAILED);
	}
	for (;;) {
		for (i = 0; i < FLOOD; i++)
			start_fill(streams[i], handles[i], 0, NULL);
		if (started >= 0 && write(started, "", 1) != 1)
			_exit(FAILED);
		started = -1;
	}
}

/*
 * Catches: turns that rotate among streams, so that a user with many of them
 * starves another user. The test counts the descriptors that the engine runs
 * before a job: those that it had already, and then every second one.
 */
TEST_F_TIMEOUT(account, flood_of_streams, SLOW)
{
	int stream = open_as(self->instance.node, USER + 1), started[2], i;
	unsigned int channels = stream_info(stream).channels, copied;
	unsigned int most = CHAIN * 2 * DEPTH * channels, tries = TRIES;
	int fd = sram_alloc(stream, 4);
	int handle = dmabuf_import(stream, fd, ACCESS_BOTH);
	pid_t child;
	char byte;

	close(fd);
	close(self->stream);
	ASSERT_LT(0, handle);
	ASSERT_TRUE(engine_set("delay_us", FLOOD_US));
	ASSERT_EQ(0, pipe(started));
	child = fork_as(USER);
	if (!child)
		flood(self->instance.node, started[1]);
	ASSERT_EQ(1, read(started[0], &byte, 1));
	do {
		copied = engine_get("copied");
		for (i = 0; i < CHAIN; i++)
			EXPECT_EQ(0, start_fill(stream, handle,
						DMACPY_SUBMIT_WAIT, NULL));
		copied = engine_get("copied") - copied;
		TH_LOG("%u descriptors for %u jobs", copied, CHAIN);
	} while (copied > most && --tries);
	EXPECT_LT(0, tries);
	ASSERT_EQ(0, kill(child, SIGKILL));
	ASSERT_EQ(child, waitpid(child, NULL, 0));
	ASSERT_TRUE(engine_set("delay_us", 0));
}

/* Catches: a queued job that is mistaken for one that never completes. */
TEST_F(account, queued_dependency_has_no_deadline)
{
	int other = open_as(self->instance.node, USER), i, fence = -1;
	int fd = sram_alloc(other, 4);
	int first = dmabuf_import(self->stream, fd, ACCESS_BOTH);
	int second = dmabuf_import(other, fd, ACCESS_BOTH);

	ASSERT_LT(0, second);
	ASSERT_TRUE(set_number(DEPENDENCY_TIMEOUT, 100));
	ASSERT_TRUE(engine_set("delay_us", SLOW_US));
	for (i = 0; i < 10; i++) {
		close(fence);
		fence = start_fill(self->stream, first,
				   DMACPY_SUBMIT_OUT_FENCE, NULL);
		ASSERT_LE(0, fence);
	}
	EXPECT_EQ(0, start_fill(other, second, DMACPY_SUBMIT_WAIT, &fence));
	EXPECT_EQ(1, fence_status(fence));
}

FIXTURE(wide)
{
	struct instance instance;
};

FIXTURE_SETUP(wide)
{
	if (instance_named(&self->instance, WIDE))
		SKIP(return, "this board has no such node");
	ASSERT_TRUE(engine_reset());
	ASSERT_EQ(0, instance_override(&self->instance, "dmacpy"));
	ASSERT_EQ(0, instance_bind(&self->instance));
}

FIXTURE_TEARDOWN_PARENT(wide)
{
	EXPECT_TRUE(engine_reset());
	EXPECT_EQ(0, instance_unbind(&self->instance));
	EXPECT_EQ(0, instance_override(&self->instance, NULL));
}

/* Catches: a stream placed on a channel with many jobs of one stream. */
TEST_F_TIMEOUT(wide, placed_by_backlog, SLOW)
{
	int streams[2 * CHANNELS], handles[2 * CHANNELS], fd, fence = -1, i;

	streams[0] = stream_open(self->instance.node);
	fd = sram_alloc(streams[0], 4);
	handles[0] = dmabuf_import(streams[0], fd, ACCESS_BOTH);
	ASSERT_LT(0, handles[0]);
	for (i = 1; i < CHANNELS; i++)
		streams[i] = stream_open(self->instance.node);

	/* There is a stream on each channel: keep one busy for long. */
	ASSERT_TRUE(engine_set("delay_us", 4 * SLOW_US));
	for (i = 0; i < 24; i++) {
		close(fence);
		fence = start_fill(streams[0], handles[0],
				   DMACPY_SUBMIT_OUT_FENCE, NULL);
		ASSERT_LE(0, fence);
	}
	for (i = CHANNELS; i < 2 * CHANNELS - 1; i++) {
		streams[i] = stream_open(self->instance.node);
		handles[i] = dmabuf_import(streams[i], fd, ACCESS_BOTH);
		ASSERT_LT(0, handles[i]);
	}
	for (i = CHANNELS; i < 2 * CHANNELS - 1; i++)
		EXPECT_EQ(0, start_fill(streams[i], handles[i],
					DMACPY_SUBMIT_WAIT, NULL));
	EXPECT_EQ(0, fence_status(fence));
	ASSERT_TRUE(engine_set("delay_us", 0));
	EXPECT_EQ(POLLIN, poll_for(fence, POLLIN, 60000));
}

/* Gets the line of fdinfo that names the channel of a stream. */
static void channel_of(int stream, char *name, size_t size)
{
	char path[64], line[128];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", stream);
	file = fopen(path, "re");
	*name = 0;
	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, "dmacpy-channel:", 15))
			snprintf(name, size, "%s", line);
	if (file)
		fclose(file);
}

/* Catches: a backlog that a failed job, or a closed stream, leaves behind. */
TEST_F(wide, placed_after_failure)
{
	char before[128], after[128];
	int stream, fd, handle, i;

	/* The last one is not on the first channel, which is the default. */
	for (i = 0; i < CHANNELS; i++)
		stream = stream_open(self->instance.node);
	ASSERT_LE(0, stream);
	fd = sram_alloc(stream, 4);
	handle = dmabuf_import(stream, fd, ACCESS_BOTH);
	ASSERT_LT(0, handle);
	ASSERT_TRUE(engine_set("next_failed", 1));
	EXPECT_EQ(-EIO, start_fill(stream, handle, DMACPY_SUBMIT_WAIT, NULL));
	channel_of(stream, before, sizeof(before));
	close(stream);
	/* Each of the other channels has a stream. */
	channel_of(stream_open(self->instance.node), after, sizeof(after));
	EXPECT_STREQ(before, after);
}

TEST_HARNESS_MAIN
