// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes with threads that do everything at random, on all engines, and are
 * killed, while the fake engine fails in all possible ways. Each thread's
 * memory has to have the data that its jobs have written.
 *
 * DMACPY_SECONDS sets the duration; DMACPY_SEED repeats the steps of each
 * thread.
 */
#include <errno.h>
#include <glob.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest.h"
#include "common.h"
#include "engine.h"
#include "worker.h"

#define FAMILIES	4
#define SECONDS		60
#define TIMEOUT_MS	500
#define PUBLIC_SIZE	(THREADS * MODEL_SIZE)
#define MAX_DEVICES	8

struct child {
	pid_t pid;
	unsigned int generation;
};

struct stress {
	uint32_t seed, random;
	struct statistics *statistics;
	char *devices[MAX_DEVICES];
	unsigned int device_count;
	int scratch;
	struct child children[FAMILIES];
	bool failed;
};

static uint32_t draw(struct stress *s, uint32_t below)
{
	s->random = mix(s->random, 0x5bd1e995);
	return s->random % below;
}

static void interrupt(int signal)
{
}

/* Interrupts waits in the kernel now and then. */
static void start_interrupts(void)
{
	struct sigaction action = { .sa_handler = interrupt };
	struct itimerval timer = { { 0, 50 * 1000 }, { 0, 50 * 1000 } };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

/* SRAM of killed processes is freed after a while. */
static int alloc_retry(const char *device)
{
	int stream = stream_open(device), fd = -ENOSPC, tries;

	for (tries = 0; fd == -ENOSPC && tries < 1000; tries++) {
		fd = sram_alloc(stream, PUBLIC_SIZE);
		if (fd == -ENOSPC)
			usleep(10 * 1000);
	}
	close(stream);
	return fd;
}

/* A kernel without udmabuf (-ENOENT) has one fewer. */
static int make_public_buffers(struct family *family)
{
	int i;

	family->buffers[0] = alloc_retry(family->devices[0]);
	family->buffers[1] = alloc_retry(family->devices[1]);
	family->buffers[2] = udmabuf_scattered(PUBLIC_SIZE);
	for (i = 0; i < PUBLIC_BUFFERS; i++) {
		if (family->buffers[i] == -ENOENT)
			continue;
		if (family->buffers[i] < 0)
			return family->buffers[i];
		family->maps[i] = dmabuf_map(family->buffers[i], PUBLIC_SIZE);
		if (!family->maps[i])
			return -errno;
	}
	return 0;
}

static int run_family(struct family *family)
{
	struct worker_start threads[THREADS];
	int i, ret = make_public_buffers(family);

	if (ret) {
		printf("# public buffers: %s\n", strerror(-ret));
		return 1;
	}
	start_interrupts();
	for (i = 0; i < THREADS; i++) {
		threads[i].family = family;
		threads[i].thread = i;
		if (pthread_create(&threads[i].id, NULL, worker_run,
				   &threads[i]))
			return 1;
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i].id, NULL);
	return 0;
}

static void start_family(struct stress *s, unsigned int number)
{
	struct child *child = &s->children[number];
	struct family family = {
		.statistics = s->statistics,
		.seed = s->seed,
		.number = number,
		.generation = child->generation++,
		.scratch = s->scratch,
		.lock = PTHREAD_MUTEX_INITIALIZER,
	};
	int i;

	for (i = 0; i < PUBLIC_FENCES; i++)
		family.fences[i] = -1;
	for (i = 0; i < THREADS; i++)
		family.devices[i] = s->devices[(number + i) % s->device_count];
	fflush(stdout);
	child->pid = fork();
	if (!child->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		i = run_family(&family);
		fflush(stdout);
		_exit(i);
	}
}

/* Processes have to exit on request, or be killed. */
static void reap_family(struct stress *s, struct child *child, int options,
			bool killed)
{
	int status;

	if (waitpid(child->pid, &status, options) != child->pid)
		return;
	child->pid = 0;
	if (killed && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return;
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return;
	printf("# process %td ended with status %#x\n", child - s->children,
	       status);
	s->failed = true;
}

static void kill_family(struct stress *s)
{
	unsigned int number = draw(s, FAMILIES);
	struct child *child = &s->children[number];

	kill(child->pid, SIGKILL);
	reap_family(s, child, 0, true);
	count(s->statistics, KILLS, 1);
	start_family(s, number);
}

/* All knobs, and their maximum values. A new value of "hang" ends a hang. */
static const struct {
	const char *name;
	unsigned int most;
} knobs[] = {
	{ "delay_us", 500 },
	{ "bytes_per_us", 100 },
	{ "hang", 1 },
	{ "reverse", 1 },
	{ "coalesce", 1 },
	{ "only_irq", 1 },
	{ "forgetful", 1 },
	{ "no_terminate", 1 },
	{ "next_lost", 5 },
	{ "next_failed", 20 },
	{ "next_short", 20 },
	{ "next_dropped", 5 },
	{ "next_no_prep", 100 },
	{ "next_no_submit", 20 },
	{ "next_late", 20 },
};

#define KNOBS	(sizeof(knobs) / sizeof(*knobs))

static void turn_knob(struct stress *s)
{
	unsigned int which = draw(s, KNOBS), value;

	value = draw(s, 4) ? 1 + draw(s, knobs[which].most) : 0;
	engine_set(knobs[which].name, value);
	engine_set("ring", draw(s, 4) ? 32 : 1 + draw(s, 32));
	if (!draw(s, 8))
		set_number(DEPENDENCY_TIMEOUT, 20 + draw(s, 10000));
}

/* Stops all failures now and then, so that there is data to compare. */
static void stop_failures(void)
{
	engine_reset();
	set_number(TIMEOUT, TIMEOUT_MS);
}

static void run_families(struct stress *s, unsigned int seconds)
{
	unsigned int start = milliseconds(), i;

	for (i = 0; i < FAMILIES; i++)
		start_family(s, i);
	while (!s->failed && milliseconds() - start < seconds * 1000) {
		usleep(1000 * (20 + draw(s, 200)));
		if (draw(s, 2))
			turn_knob(s);
		else if (!draw(s, 3))
			stop_failures();
		if (!draw(s, 8))
			kill_family(s);
		for (i = 0; i < FAMILIES; i++)
			reap_family(s, &s->children[i], WNOHANG, false);
	}
	stop_failures();
	s->statistics->stop = true;
	for (i = 0; i < FAMILIES; i++)
		if (s->children[i].pid)
			reap_family(s, &s->children[i], 0, false);
	engine_reset();
}

/* Checks that each kind of event has occurred. */
static bool print_counts(const struct stress *s)
{
	static const char *const names[COUNTS] = {
		[JOBS_DONE] = "jobs done",
		[JOBS_FAILED] = "jobs failed",
		[JOBS_TIMED_OUT] = "jobs timed out",
		[JOBS_CANCELLED] = "jobs cancelled",
		[JOBS_REFUSED] = "jobs refused",
		[RUNS] = "prepared jobs run",
		[IN_FENCES] = "in-fences",
		[REQUESTS_DONE] = "io_uring jobs done",
		[REQUESTS_CANCELLED] = "io_uring requests cancelled",
		[REQUESTS_FORGOTTEN] = "io_uring requests forgotten",
		[MISTAKES] = "mistakes refused",
		[BYTES_COMPARED] = "bytes compared",
		[REPLACEMENTS] = "buffers replaced",
		[REOPENINGS] = "streams reopened",
		[KILLS] = "processes killed",
	};
	bool all = true;
	int i;

	for (i = 0; i < COUNTS; i++) {
		printf("# %s: %llu\n", names[i],
		       (unsigned long long)s->statistics->counts[i]);
		all &= s->statistics->counts[i] > 0;
	}
	return all;
}

/* Copies once its channels have recovered, unless a failure cancels the job. */
static bool copies_right(const char *device)
{
	uint8_t *mem = memory_map(MODEL_SIZE);
	int stream = stream_open(device), fd, handle[2], tries, ret;

	fd = sram_alloc(stream, MODEL_SIZE);
	handle[0] = dmabuf_import(stream, fd, ACCESS_BOTH);
	handle[1] = memory_register(stream, mem, MODEL_SIZE, ACCESS_BOTH);
	ret = fill(stream, handle[0], MODEL_SIZE, 0x5a5a5a5a);
	for (tries = 0; (ret == -EAGAIN || ret == -ECANCELED) && tries < 500;
	     tries++) {
		usleep(10 * 1000);
		ret = fill(stream, handle[0], MODEL_SIZE, 0x5a5a5a5a);
	}
	ret = ret ? ret : copy(stream, handle[1], handle[0], MODEL_SIZE);
	close(fd);
	close(stream);
	return !ret && all_bytes_are(mem, 0x5a, MODEL_SIZE);
}

static bool all_copy_right(const struct stress *s)
{
	bool right = true;
	unsigned int i;

	for (i = 0; i < s->device_count; i++)
		right &= copies_right(s->devices[i]);
	return right;
}

/* A work item unpins them, as it frees SRAM. */
static bool has_pinned_pages(long before)
{
	long left = pinned_pages() - before;
	int tries;

	for (tries = 0; left && tries < 1000; tries++) {
		usleep(10 * 1000);
		left = pinned_pages() - before;
	}
	if (left)
		printf("# pages left pinned: %ld\n", left);
	return left;
}

static bool set_up(struct stress *s)
{
	const char *seed = getenv("DMACPY_SEED");
	struct instance fake;
	glob_t devices;
	int stream;

	if (engine_find(&fake) || glob("/dev/dmacpy[0-9]*", 0, NULL, &devices))
		return false;
	getrandom(&s->seed, sizeof(s->seed), GRND_INSECURE);
	if (seed && *seed)
		s->seed = strtoul(seed, NULL, 0);
	s->random = mix(s->seed, FAMILIES);
	s->device_count = devices.gl_pathc < MAX_DEVICES ? devices.gl_pathc :
							   MAX_DEVICES;
	memcpy(s->devices, devices.gl_pathv,
	       s->device_count * sizeof(s->devices[0]));
	s->statistics = mmap(NULL, sizeof(*s->statistics),
			     PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	stream = stream_open(fake.node);
	s->scratch = sram_alloc(stream, MODEL_SIZE);
	close(stream);
	return s->scratch >= 0 && s->statistics != MAP_FAILED;
}

int main(void)
{
	unsigned int seconds = environment("DMACPY_SECONDS", SECONDS);
	struct stress stress = { };
	long pinned = pinned_pages();

	ksft_print_header();
	ksft_set_plan(5);
	if (!set_up(&stress))
		ksft_exit_fail_msg("no fake DMA engine with an instance\n");
	printf("# DMACPY_SEED=%#x DMACPY_SECONDS=%u\n", stress.seed, seconds);
	stop_failures();
	run_families(&stress, seconds);

	/* Catches: wrong data, lost jobs, wrong errors, crashes. */
	ksft_test_result(!stress.failed, "nothing wrong\n");
	/* Catches: a stress test that no longer exercises something. */
	ksft_test_result(print_counts(&stress), "all has happened\n");
	/* Catches: SRAM that a killed process leaks. */
	close(stress.scratch);
	ksft_test_result(!sram_leaked(), "no SRAM left\n");
	/* Catches: pages that a killed process leaves pinned. */
	ksft_test_result(!has_pinned_pages(pinned), "no pages left pinned\n");
	/* Catches: a channel that does not recover. */
	ksft_test_result(all_copy_right(&stress), "all devices copy\n");
	ksft_finished();
}
