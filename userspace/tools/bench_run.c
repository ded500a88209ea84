// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmacpy bench: runs rounds in threads, and measures the time of each. All
 * memory and other resources are allocated before.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define PROGRESS_PERIOD (BENCH_SECOND / 10)

/* Held until all threads exist, or one could not be created. */
static pthread_mutex_t start = PTHREAD_MUTEX_INITIALIZER;
static int start_error;

static uint64_t read_clock(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);

	return time.tv_sec * BENCH_SECOND + time.tv_nsec;
}

static uint64_t now(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

static int reset_all(struct bench_worker *worker)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < worker->mine && !ret; i++)
		ret = bench_data_reset(worker->bench, bench_stream(worker, i));

	return ret;
}

static int check_all(struct bench_worker *worker)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < worker->mine && !ret; i++)
		ret = bench_data_check(worker, bench_stream(worker, i));

	return ret;
}

/* Some modes do not check the result of each job. */
static int flush_all(struct bench_worker *worker)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < worker->mine && !ret; i++)
		ret = dmacpy_stream_flush(bench_stream(worker, i)->stream);

	return ret;
}

static void fill_caches(struct bench_worker *worker)
{
	uint64_t on_cpu = read_clock(CLOCK_THREAD_CPUTIME_ID);

	bench_cold_fill(worker);
	worker->cpu_time -= read_clock(CLOCK_THREAD_CPUTIME_ID) - on_cpu;
}

static int run_round(struct bench_worker *worker)
{
	const struct bench *bench = worker->bench;
	uint64_t started, time;
	int ret;

	if (bench->verify) {
		ret = reset_all(worker);
		if (ret)
			return ret;
	}

	if (bench->cold)
		fill_caches(worker);
	started = now();
	ret = bench->mode->round(worker);
	time = now() - started;
	if (ret)
		return ret;

	worker->samples[worker->done++ % worker->capacity] = time;
	worker->total += time;

	return bench->verify ? check_all(worker) : 0;
}

/* A thread runs at least one round, however short the time is. */
static bool is_over(const struct bench_worker *worker, uint64_t begun)
{
	const struct bench *bench = worker->bench;

	return worker->done &&
	       ((bench->rounds && worker->done >= bench->rounds) ||
		(bench->duration && now() - begun >= bench->duration));
}

/* Shows the progress in rounds, or in time. */
static void show_progress(const struct bench_worker *worker, uint64_t begun)
{
	const struct bench *bench = worker->bench;

	if (bench->rounds)
		progress_show(worker->done, bench->rounds);
	else
		progress_show(now() - begun, bench->duration);
}

/* The first worker shows the progress. */
static int run_rounds(struct bench_worker *worker)
{
	const struct bench *bench = worker->bench;
	bool show = !worker->first && !bench->quiet && isatty(STDERR_FILENO);
	uint64_t on_cpu = read_clock(CLOCK_THREAD_CPUTIME_ID);
	uint64_t begun = now(), shown = begun;
	int ret = 0;

	while (!ret && !interrupted() && !is_over(worker, begun)) {
		ret = run_round(worker);
		if (show && now() - shown > PROGRESS_PERIOD) {
			shown = now();
			show_progress(worker, begun);
		}
	}
	worker->cpu_time += read_clock(CLOCK_THREAD_CPUTIME_ID) - on_cpu;

	return ret;
}

static void run_worker(struct bench_worker *worker)
{
	const struct bench_mode *mode = worker->bench->mode;

	if (mode->begin)
		worker->ret = mode->begin(worker);
	if (!worker->ret && worker->bench->cold)
		worker->ret = bench_cold_begin(worker);
	if (!worker->ret)
		worker->ret = run_rounds(worker);
	if (!worker->ret)
		worker->ret = flush_all(worker);
	bench_cold_end(worker);
	if (mode->end)
		mode->end(worker);
}

static void *run_thread(void *worker)
{
	pthread_mutex_lock(&start);
	pthread_mutex_unlock(&start);
	if (!start_error)
		run_worker(worker);

	return NULL;
}

/*
 * Both calls need privileges. They make the figures steadier, but do not change
 * them otherwise.
 */
static void begin_realtime(void)
{
	struct sched_param param = { .sched_priority = 1 };

	mlockall(MCL_CURRENT);
	sched_setscheduler(0, SCHED_FIFO, &param);
}

static void end_realtime(void)
{
	struct sched_param param = { };

	sched_setscheduler(0, SCHED_OTHER, &param);
	munlockall();
}

static void job_error(int err)
{
	if (err == -E2BIG)
		print_error("a job is more than \"dmacpy info\" allows:\n"
			    "lower --batch or --size.");
	else
		device_error("a job failed", err);
}

static int report_errors(const struct bench_worker *workers, unsigned int count)
{
	unsigned int i;

	if (start_error) {
		print_error("cannot start a thread: %s\n"
			    "Lower --threads, or raise the limits of processes (ulimit -u) and of memory.",
			    strerror(-start_error));
		return -1;
	}
	if (interrupted()) {
		print_error("interrupted");
		return -1;
	}
	for (i = 0; i < count; i++) {
		if (!workers[i].ret)
			continue;
		job_error(workers[i].ret);
		return -1;
	}

	return 0;
}

/*
 * The first worker runs in the calling thread: system calls of a
 * single-threaded process are cheaper.
 */
int bench_run(struct bench_worker *workers, unsigned int count)
{
	pthread_t threads[BENCH_MAX_THREADS];
	unsigned int started = 1;

	begin_realtime();
	pthread_mutex_lock(&start);
	while (started < count && !start_error) {
		start_error = -pthread_create(&threads[started], NULL,
					      run_thread, &workers[started]);
		if (!start_error)
			started++;
	}
	pthread_mutex_unlock(&start);

	if (!start_error)
		run_worker(&workers[0]);
	while (--started)
		pthread_join(threads[started], NULL);
	end_realtime();
	progress_end();

	return report_errors(workers, count);
}
