// SPDX-License-Identifier: GPL-2.0-only
/* Tests of dmacpy_stream.c, and of handles, events, submission and queue. */
#include <kunit/test.h>
#include <linux/capability.h>
#include <linux/completion.h>
#include <linux/cred.h>
#include <linux/delay.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/jiffies.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "dmacpy_account.h"
#include "dmacpy_buf.h"
#include "dmacpy_device.h"
#include "dmacpy_event.h"
#include "dmacpy_fence.h"
#include "dmacpy_handle.h"
#include "dmacpy_job.h"
#include "dmacpy_param.h"
#include "dmacpy_queue.h"
#include "dmacpy_stream.h"
#include "dmacpy_submit.h"
#include "dmacpy_test_buf.h"
#include "dmacpy_test_device.h"
#include "dmacpy_test_engine.h"

#include <linux/dmacpy.h>

#define STREAM_SIZE	16

/* Time in which an event must not happen, in jiffies */
#define A_WHILE		(HZ / 5)

/* Far longer than any operation takes */
#define PATIENCE	(60 * HZ)

/**
 * struct stream_test - a stream, and its buffers
 * @engine: engine of @dev, on hold
 * @dev: the instance
 * @stream: the stream
 * @dst: destination
 * @src: source
 * @dst_handle: handle of @dst
 * @src_handle: handle of @src
 * @max_user_jobs: previous value of the parameter
 * @max_user_streams: previous value of the parameter
 * @max_jobs: previous value of the parameter
 * @max_events: previous value of the parameter
 * @dependency_timeout: previous value of the parameter
 */
struct stream_test {
	struct test_engine *engine;
	struct dmacpy_device *dev;
	struct dmacpy_stream *stream;
	struct dma_buf *dst;
	struct dma_buf *src;
	u32 dst_handle;
	u32 src_handle;
	unsigned int max_user_jobs;
	unsigned int max_user_streams;
	unsigned int max_jobs;
	unsigned int max_events;
	unsigned int dependency_timeout;
};

static struct dmacpy_job *stream_job_without_fence(struct kunit *test)
{
	struct stream_test *st = test->priv;
	struct dmacpy_job *job = dmacpy_submit_new_job(st->stream, 1);

	KUNIT_ASSERT_NOT_NULL(test, job);
	job->plan->op[0] = (struct dmacpy_op){
		.dst = st->dst_handle,
		.src = st->src_handle,
		.length = STREAM_SIZE,
	};
	KUNIT_ASSERT_EQ(test, 0, dmacpy_plan_check(job->plan));
	return job;
}

static struct dmacpy_job *stream_job(struct kunit *test)
{
	struct dmacpy_job *job = stream_job_without_fence(test);

	KUNIT_ASSERT_EQ(test, 0, dmacpy_job_add_fence(job));
	return job;
}

static struct dmacpy_job *stream_event_job(struct kunit *test, u64 user_data)
{
	struct stream_test *st = test->priv;
	struct dmacpy_job *job = stream_job(test);

	job->user_data = user_data;
	KUNIT_ASSERT_EQ(test, 0, dmacpy_event_reserve(st->stream, job));
	return job;
}

/* Does not wait. */
static int stream_submit(struct kunit *test, struct dmacpy_job *job)
{
	struct stream_test *st = test->priv;

	return dmacpy_submit(st->stream, job, true);
}

static void stream_put_fence(void *fence)
{
	dma_fence_put(fence);
}

static void stream_end_fence(void *fence)
{
	dma_fence_signal(fence);
	dma_fence_put(fence);
}

static struct dma_fence *stream_start_on(struct kunit *test,
					 struct dmacpy_stream *stream,
					 struct dmacpy_job *job)
{
	struct dma_fence *fence = dma_fence_get(job->fence);

	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, stream_put_fence,
						  fence));
	KUNIT_ASSERT_EQ(test, 0, dmacpy_submit(stream, job, true));
	return fence;
}

static struct dma_fence *stream_start(struct kunit *test,
				      struct dmacpy_job *job)
{
	struct stream_test *st = test->priv;

	return stream_start_on(test, st->stream, job);
}

static void stream_run(struct kunit *test, enum test_outcome outcome)
{
	struct stream_test *st = test->priv;

	KUNIT_EXPECT_TRUE(test, test_engine_run(st->engine, outcome));
}

/* Returns the result of a job. */
static int stream_result(struct dma_fence *fence)
{
	int status;

	if (!dma_fence_wait_timeout(fence, false, PATIENCE))
		return -ETIME;
	status = dma_fence_get_status(fence);
	return status == 1 ? 0 : status;
}

static void stream_expect_event(struct kunit *test, u64 user_data, int result)
{
	struct stream_test *st = test->priv;
	struct dmacpy_event event;

	KUNIT_ASSERT_EQ(test, 1,
			dmacpy_event_take(st->stream, &event, 1, true));
	KUNIT_EXPECT_EQ(test, user_data, event.user_data);
	KUNIT_EXPECT_EQ(test, result, event.result);
	KUNIT_EXPECT_EQ(test, STREAM_SIZE, event.length);
	dmacpy_event_end_read(st->stream, &event, 1, 0);
}

static int stream_next_error(struct kunit *test)
{
	struct stream_test *st = test->priv;
	struct dmacpy_event event;

	return dmacpy_event_take(st->stream, &event, 1, true);
}

static unsigned int stream_poll(struct kunit *test)
{
	struct stream_test *st = test->priv;

	return (__force unsigned int)dmacpy_stream_poll(st->stream, NULL, NULL);
}

/**
 * struct stream_foreign_fence - a fence of another driver
 * @base: the fence
 * @lock: protects @base
 */
struct stream_foreign_fence {
	struct dma_fence base;
	spinlock_t lock;
};

static const char *stream_foreign_name(struct dma_fence *base)
{
	return "foreign";
}

static const struct dma_fence_ops stream_foreign_ops = {
	.get_driver_name = stream_foreign_name,
	.get_timeline_name = stream_foreign_name,
};

static struct dma_fence *stream_other_fence(struct kunit *test)
{
	struct stream_foreign_fence *fence;

	/*
	 * RCU frees it when the last reference is dropped, as @base comes
	 * first.
	 */
	fence = kzalloc(sizeof(*fence), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fence);
	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->base, &stream_foreign_ops, &fence->lock,
		       dma_fence_context_alloc(1), 1);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, stream_end_fence,
						  &fence->base));
	return &fence->base;
}

static struct dmacpy_job *stream_waiting_job(struct kunit *test,
					     struct dma_fence *fence)
{
	struct dmacpy_job *job = stream_job(test);

	KUNIT_ASSERT_EQ(test, 0, dmacpy_deps_add_in_fence(&job->deps, fence));
	return job;
}

/* Catches: a handle that is assigned twice, or valid after its release. */
static void stream_assigns_handles(struct kunit *test)
{
	struct stream_test *st = test->priv;
	u32 again;

	KUNIT_EXPECT_NE(test, 0, st->dst_handle);
	KUNIT_EXPECT_NE(test, 0, st->src_handle);
	KUNIT_EXPECT_NE(test, st->dst_handle, st->src_handle);
	again = test_stream_import(test, st->stream, st->dst);
	KUNIT_EXPECT_NE(test, again, st->dst_handle);
	KUNIT_EXPECT_NE(test, again, st->src_handle);
	KUNIT_EXPECT_EQ(test, 2, test_dmabuf_mappings(st->dst));

	KUNIT_EXPECT_EQ(test, -ENOENT, dmacpy_handle_release(st->stream, 0));
	KUNIT_EXPECT_EQ(test, 0, dmacpy_handle_release(st->stream, again));
	KUNIT_EXPECT_EQ(test, -ENOENT,
			dmacpy_handle_release(st->stream, again));
	KUNIT_EXPECT_EQ(test, 1, test_dmabuf_mappings(st->dst));
	KUNIT_EXPECT_EQ(test, 0,
			dmacpy_handle_release(st->stream, st->src_handle));
	KUNIT_EXPECT_EQ(test, -ENOENT, stream_submit(test, stream_job(test)));
}

/* Catches: memory that is unmapped while the engine writes to it. */
static void stream_keeps_buffers_of_jobs(struct kunit *test)
{
	struct stream_test *st = test->priv;
	struct dma_fence *fence = stream_start(test, stream_job(test));

	KUNIT_EXPECT_EQ(test, 0,
			dmacpy_handle_release(st->stream, st->dst_handle));
	KUNIT_EXPECT_EQ(test, 1, test_dmabuf_mappings(st->dst));
	stream_run(test, TEST_COPY);
	KUNIT_EXPECT_EQ(test, 0, stream_result(fence));
	dmacpy_buf_flush();
	KUNIT_EXPECT_EQ(test, 0, test_dmabuf_mappings(st->dst));
}

/* Catches: a record for which there is no room, or a limit that is one off. */
static void stream_reserves_events(struct kunit *test)
{
	unsigned int i;

	dmacpy_max_events.value = 2;
	for (i = 0; i < 2; i++)
		stream_start(test, stream_event_job(test, i));
	KUNIT_EXPECT_EQ(test, -EAGAIN,
			stream_submit(test, stream_event_job(test, 2)));
	stream_start(test, stream_job(test));
	for (i = 0; i < 3; i++)
		stream_run(test, TEST_COPY);
	/* The jobs have completed, but the records have not been read. */
	KUNIT_EXPECT_EQ(test, -EAGAIN,
			stream_submit(test, stream_event_job(test, 2)));
	stream_expect_event(test, 0, 0);
	stream_start(test, stream_event_job(test, 2));
	stream_run(test, TEST_COPY);
	stream_expect_event(test, 1, 0);
	stream_expect_event(test, 2, 0);
	KUNIT_EXPECT_EQ(test, -EAGAIN, stream_next_error(test));
}

static void stream_make_event(struct kunit *test, u64 user_data)
{
	stream_start(test, stream_event_job(test, user_data));
	stream_run(test, TEST_COPY);
}

/*
 * Catches: a record that is lost or out of order, if it cannot be copied, and
 * one that takes its place concurrently.
 */
static void stream_puts_records_back(struct kunit *test)
{
	struct stream_test *st = test->priv;
	struct dmacpy_event events[3];
	unsigned int i;

	dmacpy_max_events.value = 3;
	for (i = 0; i < 3; i++)
		stream_make_event(test, i);
	stream_expect_event(test, 0, 0);
	stream_make_event(test, 3);
	KUNIT_ASSERT_EQ(test, 3,
			dmacpy_event_take(st->stream, events, 3, true));
	KUNIT_EXPECT_EQ(test, -EAGAIN, stream_next_error(test));
	KUNIT_EXPECT_EQ(test, -EAGAIN,
			stream_submit(test, stream_event_job(test, 4)));
	dmacpy_event_end_read(st->stream, events, 3, 2);
	KUNIT_EXPECT_TRUE(test,
			  stream_poll(test) & (__force unsigned int)EPOLLIN);
	stream_make_event(test, 4);
	KUNIT_EXPECT_EQ(test, -EAGAIN,
			stream_submit(test, stream_event_job(test, 5)));
	for (i = 2; i < 5; i++)
		stream_expect_event(test, i, 0);
}

/* Catches: a job beyond the limit, or room that a refused one occupies. */
static void stream_limits_jobs(struct kunit *test)
{
	struct stream_test *st = test->priv;
	struct dmacpy_job *refused = stream_event_job(test, 0);

	dmacpy_max_jobs.value = 2;
	dmacpy_max_events.value = 1;
	refused->plan->op[0].dst = U32_MAX;
	KUNIT_EXPECT_TRUE(test, dmacpy_stream_is_idle(st->stream));
	KUNIT_EXPECT_EQ(test, -ENOENT, stream_submit(test, refused));
	KUNIT_EXPECT_TRUE(test, dmacpy_stream_is_idle(st->stream));

	stream_start(test, stream_event_job(test, 0));
	stream_start(test, stream_job(test));
	KUNIT_EXPECT_EQ(test, -EAGAIN, stream_submit(test, stream_job(test)));
	stream_run(test, TEST_COPY);
	KUNIT_EXPECT_FALSE(test, dmacpy_stream_is_idle(st->stream));
	stream_start(test, stream_job(test));
	stream_run(test, TEST_COPY);
	stream_run(test, TEST_COPY);
	KUNIT_EXPECT_TRUE(test, dmacpy_stream_is_idle(st->stream));
}

static bool stream_polls_out(struct kunit *test)
{
	return stream_poll(test) & (__force unsigned int)EPOLLOUT;
}

/*
 * Catches: jobs of the user's other streams that do not count; room that a
 * refused job occupies; a poll() that reports room which the user does not
 * have.
 */
static void stream_limits_jobs_of_user(struct kunit *test)
{
	struct stream_test *st = test->priv;
	struct dmacpy_stream *other = test_stream_open(test, st->dev,
						       st->engine);
	struct dmacpy_job *job = stream_job(test), *refused = stream_job(test);

	dmacpy_max_user_jobs.value = 2;
	job->plan->op[0].dst = test_stream_import(test, other, st->dst);
	job->plan->op[0].src = test_stream_import(test, other, st->src);
	refused->plan->op[0].dst = U32_MAX;
	KUNIT_EXPECT_EQ(test, -ENOENT, stream_submit(test, refused));
	stream_start_on(test, other, job);
	KUNIT_EXPECT_TRUE(test, stream_polls_out(test));
	stream_start(test, stream_job(test));
	KUNIT_EXPECT_FALSE(test, stream_polls_out(test));
	KUNIT_EXPECT_EQ(test, -EAGAIN, stream_submit(test, stream_job(test)));
	stream_run(test, TEST_COPY);
	KUNIT_EXPECT_TRUE(test, stream_polls_out(test));
	stream_start(test, stream_job(test));
	stream_run(test, TEST_COPY);
	stream_run(test, TEST_COPY);
	KUNIT_EXPECT_EQ(test, 0, atomic64_read(&st->stream->account->queued));
}

static struct dmacpy_stream *stream_open_unprivileged(struct kunit *test)
{
	struct stream_test *st = test->priv;
	struct cred *cred = prepare_creds();
	struct dmacpy_stream *stream;
	const struct cred *old;

	KUNIT_ASSERT_NOT_NULL(test, cred);
	cred->cap_effective = CAP_EMPTY_SET;
	old = override_creds(cred);
	stream = dmacpy_stream_open(st->dev);
	revert_creds(old);
	put_cred(cred);
	return stream;
}

/* Catches: a closed stream that does not count while its jobs are in flight. */
static void stream_limits_streams_of_user(struct kunit *test)
{
	struct stream_test *st = test->priv;
	struct dmacpy_job *job = stream_job(test);
	struct dmacpy_stream *stream;

	dmacpy_max_user_streams.value = 2;
	stream = stream_open_unprivileged(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, stream);
	job->plan->op[0].dst = test_stream_import(test, stream, st->dst);
	job->plan->op[0].src = test_stream_import(test, stream, st->src);
	stream_start_on(test, stream, job);
	dmacpy_stream_close(stream);
	KUNIT_EXPECT_EQ(test, -EDQUOT,
			PTR_ERR_OR_ZERO(stream_open_unprivileged(test)));
	stream_run(test, TEST_COPY);
	stream = stream_open_unprivileged(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, stream);
	dmacpy_stream_close(stream);
}

/**
 * struct stream_submitter - a task that waits for a stream
 * @work: the waiting task
 * @stream: the stream
 * @job: the job that it submits when there is room
 * @result: result of the submission
 */
struct stream_submitter {
	struct work_struct work;
	struct dmacpy_stream *stream;
	struct dmacpy_job *job;
	int result;
};

static void stream_submit_work(struct work_struct *work)
{
	struct stream_submitter *submitter =
		container_of(work, struct stream_submitter, work);

	submitter->result = dmacpy_submit(submitter->stream, submitter->job,
					  false);
}

/* A job is in flight, and a task waits until @go was called. */
static int stream_wait_while(struct kunit *test, struct dmacpy_job *job,
			     work_func_t wait, void (*go)(struct kunit *test))
{
	struct stream_test *st = test->priv;
	unsigned long deadline = jiffies + PATIENCE;
	struct stream_submitter submitter = {
		.stream = st->stream,
		.job = job,
		.result = 1,
	};

	stream_start(test, stream_job(test));
	INIT_WORK_ONSTACK(&submitter.work, wait);
	queue_work(system_unbound_wq, &submitter.work);
	while (!wq_has_sleeper(&st->stream->wait) &&
	       time_before(jiffies, deadline))
		schedule_timeout_uninterruptible(1);
	KUNIT_EXPECT_EQ(test, 1, submitter.result);
	go(test);
	flush_work(&submitter.work);
	destroy_work_on_stack(&submitter.work);
	return submitter.result;
}

static int stream_submit_to_full_stream(struct kunit *test,
					void (*go)(struct kunit *test))
{
	dmacpy_max_jobs.value = 1;
	return stream_wait_while(test, stream_job(test), stream_submit_work,
				 go);
}

static int stream_submit_to_full_user(struct kunit *test,
				      void (*go)(struct kunit *test))
{
	dmacpy_max_user_jobs.value = 1;
	return stream_wait_while(test, stream_job(test), stream_submit_work,
				 go);
}

static void stream_make_room(struct kunit *test)
{
	stream_run(test, TEST_COPY);
}

/* Catches: a task that is not woken when there is room. */
static void stream_waits_for_room(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, 0,
			stream_submit_to_full_stream(test, stream_make_room));
	stream_run(test, TEST_COPY);
}

/* Catches: a waiter that is not woken when the user may submit again. */
static void stream_waits_for_room_of_user(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, 0,
			stream_submit_to_full_user(test, stream_make_room));
	stream_run(test, TEST_COPY);
}

static void stream_unplug(struct kunit *test)
{
	struct stream_test *st = test->priv;

	dmacpy_device_unplug(st->dev);
	mutex_lock(&st->dev->lock);
	dmacpy_queue_stop(st->stream);
	mutex_unlock(&st->dev->lock);
}

/* Catches: an unbind that does not wake tasks that wait for room. */
static void stream_wakes_when_unplugged(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, -ENODEV,
			stream_submit_to_full_stream(test, stream_unplug));
}

/* Catches: an unbind that does not wake the waiters of the user. */
static void stream_wakes_user_when_unplugged(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, -ENODEV,
			stream_submit_to_full_user(test, stream_unplug));
}

/**
 * struct stream_slow_fence - a fence whose state takes a while to query
 * @base: the fence
 * @lock: protects @base
 * @queried: completed when a task queries the state
 * @reply: completed to report that the fence has signalled
 */
struct stream_slow_fence {
	struct dma_fence base;
	spinlock_t lock;
	struct completion queried;
	struct completion reply;
};

static const char *stream_slow_name(struct dma_fence *base)
{
	return "slow";
}

static bool stream_slow_signaled(struct dma_fence *base)
{
	struct stream_slow_fence *fence =
		container_of(base, struct stream_slow_fence, base);

	complete(&fence->queried);
	return wait_for_completion_timeout(&fence->reply, PATIENCE);
}

static const struct dma_fence_ops stream_slow_ops = {
	.get_driver_name = stream_slow_name,
	.get_timeline_name = stream_slow_name,
	.signaled = stream_slow_signaled,
};

static struct stream_slow_fence *stream_slow_fence(struct kunit *test)
{
	struct stream_slow_fence *fence;

	fence = kunit_kzalloc(test, sizeof(*fence), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fence);
	spin_lock_init(&fence->lock);
	init_completion(&fence->queried);
	init_completion(&fence->reply);
	dma_fence_init(&fence->base, &stream_slow_ops, &fence->lock,
		       dma_fence_context_alloc(1), 1);
	return fence;
}

/*
 * Catches: a job that overtakes an earlier one whose fence is published. It may
 * wait for other work that waits for this fence: a deadlock.
 */
static void stream_keeps_order_of_fences(struct kunit *test)
{
	struct stream_test *st = test->priv;
	struct stream_slow_fence *slow = stream_slow_fence(test);
	unsigned int prepared = st->engine->prepared, i;
	struct stream_submitter submitters[2];

	for (i = 0; i < 2; i++) {
		submitters[i].stream = st->stream;
		submitters[i].job = i ? stream_job(test) :
				    stream_waiting_job(test, &slow->base);
		INIT_WORK_ONSTACK(&submitters[i].work, stream_submit_work);
	}
	queue_work(system_unbound_wq, &submitters[0].work);
	KUNIT_EXPECT_NE(test, 0, wait_for_completion_timeout(&slow->queried,
							     PATIENCE));
	queue_work(system_unbound_wq, &submitters[1].work);
	schedule_timeout_uninterruptible(A_WHILE);
	KUNIT_EXPECT_EQ(test, prepared, st->engine->prepared);

	complete_all(&slow->reply);
	for (i = 0; i < 2; i++) {
		flush_work(&submitters[i].work);
		destroy_work_on_stack(&submitters[i].work);
		KUNIT_EXPECT_EQ(test, 0, submitters[i].result);
		stream_run(test, TEST_COPY);
	}
}

/*
 * Catches: a job that runs although an earlier one, its in-fence, has failed
 * during the submission.
 */
static void stream_is_cancelled_while_submitting(struct kunit *test)
{
	struct stream_test *st = test->priv;
	struct stream_slow_fence *slow = stream_slow_fence(test);
	struct dma_fence *first, *second;
	struct stream_submitter submitter = {
		.stream = st->stream,
	};

	first = stream_start(test, stream_job(test));
	submitter.job = stream_waiting_job(test, first);
	KUNIT_ASSERT_EQ(test, 0,
			dmacpy_deps_add_in_fence(&submitter.job->deps,
						 &slow->base));
	second = dma_fence_get(submitter.job->fence);
	INIT_WORK_ONSTACK(&submitter.work, stream_submit_work);
	queue_work(system_unbound_wq, &submitter.work);
	/* The submission has checked the first fence, and now the other. */
	KUNIT_EXPECT_NE(test, 0, wait_for_completion_timeout(&slow->queried,
							     PATIENCE));
	stream_run(test, TEST_FAIL);
	complete_all(&slow->reply);
	flush_work(&submitter.work);
	destroy_work_on_stack(&submitter.work);
	KUNIT_EXPECT_EQ(test, 0, submitter.result);
	KUNIT_EXPECT_EQ(test, -EIO, stream_result(first));
	KUNIT_EXPECT_EQ(test, -ECANCELED, stream_result(second));
	dma_fence_put(second);
}

/*
 * Catches: a failure that does not cancel earlier submissions, or cancels later
 * ones.
 */
static void stream_fails_in_order(struct kunit *test)
{
	static const int results[] = { 0, -EIO, -ECANCELED, -ECANCELED, 0 };
	struct dma_fence *fences[ARRAY_SIZE(results)];
	unsigned int i;

	for (i = 0; i < 4; i++)
		fences[i] = stream_start(test, stream_event_job(test, i));
	stream_run(test, TEST_COPY);
	stream_run(test, TEST_FAIL);
	KUNIT_EXPECT_EQ(test, -EIO, stream_result(fences[1]));
	fences[4] = stream_start(test, stream_event_job(test, 4));
	for (i = 2; i < 5; i++)
		stream_run(test, TEST_COPY);
	for (i = 0; i < 5; i++) {
		KUNIT_EXPECT_EQ(test, results[i], stream_result(fences[i]));
		stream_expect_event(test, i, results[i]);
	}
}

static void stream_flush_work(struct work_struct *work)
{
	struct stream_submitter *submitter =
		container_of(work, struct stream_submitter, work);

	submitter->result = dmacpy_stream_flush(submitter->stream);
}

/*
 * Catches: fsync() that does not wait, or with an error that is not reported,
 * or that is reported twice.
 */
static void stream_flushes(struct kunit *test)
{
	struct stream_test *st = test->priv;

	KUNIT_EXPECT_EQ(test, 0,
			stream_wait_while(test, NULL, stream_flush_work,
					  stream_make_room));
	KUNIT_EXPECT_EQ(test, 0, dmacpy_stream_flush(st->stream));
	stream_start(test, stream_job(test));
	stream_run(test, TEST_FAIL);
	stream_start(test, stream_job(test));
	stream_run(test, TEST_COPY);
	KUNIT_EXPECT_EQ(test, -EIO, dmacpy_stream_flush(st->stream));
	KUNIT_EXPECT_EQ(test, 0, dmacpy_stream_flush(st->stream));
}

static void stream_unbind(struct kunit *test)
{
	struct stream_test *st = test->priv;

	test_engine_release(st->engine);
	test_device_unbind(st->dev);
}

/* Catches: a task that sleeps in poll() for ever, or is woken in vain. */
static void stream_polls(struct kunit *test)
{
	const unsigned int in = (__force unsigned int)(EPOLLIN | EPOLLRDNORM);
	const unsigned int out = (__force unsigned int)(EPOLLOUT | EPOLLWRNORM);
	const unsigned int gone = (__force unsigned int)(EPOLLHUP | EPOLLERR);

	dmacpy_max_jobs.value = 2;
	KUNIT_EXPECT_EQ(test, out, stream_poll(test));
	stream_start(test, stream_event_job(test, 0));
	KUNIT_EXPECT_EQ(test, out, stream_poll(test));
	stream_start(test, stream_job(test));
	KUNIT_EXPECT_EQ(test, 0, stream_poll(test));
	stream_run(test, TEST_COPY);
	KUNIT_EXPECT_EQ(test, in | out, stream_poll(test));
	stream_unbind(test);
	KUNIT_EXPECT_EQ(test, in | gone, stream_poll(test));
	stream_expect_event(test, 0, 0);
	KUNIT_EXPECT_EQ(test, gone, stream_poll(test));
}

static bool stream_is_used(struct dma_buf *dmabuf, enum dma_resv_usage usage)
{
	return !dma_resv_test_signaled(dmabuf->resv, usage);
}

/* Catches: a fence for NO_IMPLICIT; others without one. */
static void stream_adds_implicit_fences(struct kunit *test)
{
	struct stream_test *st = test->priv;
	struct dmacpy_job *job = stream_job(test);

	stream_start(test, job);
	KUNIT_EXPECT_FALSE(test, stream_is_used(st->src,
						DMA_RESV_USAGE_BOOKKEEP));
	KUNIT_EXPECT_FALSE(test, stream_is_used(st->dst,
						DMA_RESV_USAGE_BOOKKEEP));
	job = stream_job(test);
	job->implicit = true;
	stream_start(test, job);
	KUNIT_EXPECT_FALSE(test, stream_is_used(st->src, DMA_RESV_USAGE_WRITE));
	KUNIT_EXPECT_TRUE(test, stream_is_used(st->src, DMA_RESV_USAGE_READ));
	KUNIT_EXPECT_TRUE(test, stream_is_used(st->dst, DMA_RESV_USAGE_WRITE));
	stream_run(test, TEST_COPY);
	stream_run(test, TEST_COPY);
	KUNIT_EXPECT_FALSE(test, stream_is_used(st->src, DMA_RESV_USAGE_READ));
	KUNIT_EXPECT_FALSE(test, stream_is_used(st->dst, DMA_RESV_USAGE_READ));
}

struct stream_waiter {
	struct dmacpy_waiter base;
	unsigned int woken;
};

static void stream_wake(struct dmacpy_waiter *base)
{
	container_of(base, struct stream_waiter, base)->woken++;
}

static void stream_start_waited(struct kunit *test,
				struct stream_waiter *waiter, bool lazy)
{
	struct dmacpy_job *job = stream_job_without_fence(test);

	*waiter = (struct stream_waiter){
		.base = { .job = job, .wake = stream_wake },
	};
	job->waiter = &waiter->base;
	job->implicit = lazy;
	job->lazy = lazy;
	KUNIT_ASSERT_EQ(test, 0, stream_submit(test, job));
}

static void stream_start_awaited(struct kunit *test,
				 struct stream_waiter *waiter)
{
	stream_start_waited(test, waiter, false);
}

/*
 * Catches: a waiter that is not woken, is woken in vain, or gets a wrong
 * result.
 */
static void stream_wakes_waiter(struct kunit *test)
{
	struct stream_test *st = test->priv;
	struct stream_waiter waiters[3];
	unsigned int i;

	for (i = 0; i < 3; i++)
		stream_start_awaited(test, &waiters[i]);
	KUNIT_EXPECT_TRUE(test,
			  dmacpy_queue_arm_waiter(st->stream,
						  &waiters[0].base));
	stream_run(test, TEST_COPY);
	KUNIT_EXPECT_EQ(test, 1, waiters[0].woken);
	KUNIT_EXPECT_EQ(test, 0, waiters[0].base.result);
	KUNIT_EXPECT_FALSE(test,
			   dmacpy_queue_cancel_waiter(st->stream,
						      &waiters[0].base));

	stream_run(test, TEST_FAIL);
	for (i = 1; i < 3; i++) {
		if (i == 2)
			stream_run(test, TEST_COPY);
		KUNIT_EXPECT_FALSE(test,
				   dmacpy_queue_arm_waiter(st->stream,
							   &waiters[i].base));
		KUNIT_EXPECT_EQ(test, 0, waiters[i].woken);
		KUNIT_EXPECT_EQ(test, i == 1 ? -EIO : -ECANCELED,
				waiters[i].base.result);
	}
}

/* Catches: a waiter that is notified of a job that it no longer waits for. */
static void stream_cancels_waiter(struct kunit *test)
{
	struct stream_test *st = test->priv;
	struct stream_waiter waiter;

	stream_start_awaited(test, &waiter);
	KUNIT_EXPECT_FALSE(test,
			   dmacpy_queue_cancel_waiter(st->stream,
						      &waiter.base));
	KUNIT_EXPECT_TRUE(test,
			  dmacpy_queue_arm_waiter(st->stream, &waiter.base));
	KUNIT_EXPECT_TRUE(test,
			  dmacpy_queue_cancel_waiter(st->stream,
						     &waiter.base));
	waiter.base.result = 1;
	stream_run(test, TEST_COPY);
	KUNIT_EXPECT_EQ(test, 0, waiter.woken);
	KUNIT_EXPECT_EQ(test, 1, waiter.base.result);
}

static bool stream_is_locked_or_used(struct dma_buf *dmabuf)
{
	return dma_resv_is_locked(dmabuf->resv) ||
	       stream_is_used(dmabuf, DMA_RESV_USAGE_READ);
}

/* Catches: a slow job that others do not wait for. */
static void stream_fences_slow_job(struct kunit *test)
{
	struct stream_test *st = test->priv;
	struct stream_waiter waiter;

	stream_start_waited(test, &waiter, true);
	KUNIT_EXPECT_NULL(test, st->stream->fence);
	KUNIT_EXPECT_FALSE(test, stream_is_used(st->src, DMA_RESV_USAGE_WRITE));
	KUNIT_EXPECT_TRUE(test, stream_is_used(st->src, DMA_RESV_USAGE_READ));
	KUNIT_EXPECT_TRUE(test, stream_is_used(st->dst, DMA_RESV_USAGE_WRITE));
	KUNIT_EXPECT_TRUE(test,
			  dmacpy_queue_arm_waiter(st->stream, &waiter.base));
	stream_run(test, TEST_COPY);
	KUNIT_EXPECT_EQ(test, 1, waiter.woken);
	KUNIT_EXPECT_EQ(test, 0, waiter.base.result);
	KUNIT_EXPECT_FALSE(test, stream_is_locked_or_used(st->src));
	KUNIT_EXPECT_FALSE(test, stream_is_locked_or_used(st->dst));
}

/* Catches: a fence that is not needed, or is used after it has signalled. */
static void stream_omits_fence_of_quick_job(struct kunit *test)
{
	struct stream_test *st = test->priv;
	struct stream_waiter waiter;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		/* The second submission fails. */
		st->engine->no_submit = i == 1;
		st->engine->hold = false;
		st->engine->at_once = true;
		stream_start_waited(test, &waiter, true);
		KUNIT_EXPECT_FALSE(test, dmacpy_queue_arm_waiter(st->stream,
								 &waiter.base));
		KUNIT_EXPECT_EQ(test, i == 1 ? -EIO : 0, waiter.base.result);
		KUNIT_ASSERT_NOT_NULL(test, st->stream->fence);
		KUNIT_EXPECT_FALSE(test,
				   dma_fence_is_signaled(st->stream->fence));
		KUNIT_EXPECT_FALSE(test, stream_is_locked_or_used(st->src));
		KUNIT_EXPECT_FALSE(test, stream_is_locked_or_used(st->dst));
	}
	st->engine->at_once = false;
	st->engine->hold = true;
	stream_fences_slow_job(test);
}

#define STREAM_MANY	40

/* Catches: memory of jobs that is kept without a limit, or is leaked. */
static void stream_recycles_jobs(struct kunit *test)
{
	struct stream_test *st = test->priv;
	struct dma_fence *fences[STREAM_MANY];
	struct llist_node *spare;
	struct dmacpy_job *job;
	unsigned int i, count = 0;

	for (i = 0; i < STREAM_MANY; i++)
		fences[i] = stream_start(test, stream_job(test));
	test_engine_release(st->engine);
	for (i = 0; i < STREAM_MANY; i++)
		KUNIT_EXPECT_EQ(test, 0, stream_result(fences[i]));
	/* A fence signals a moment before its job is released. */
	for (i = 0; atomic_read(&st->stream->nspares) < 32 && i < 1000; i++)
		usleep_range(1000, 2000);
	job = dmacpy_submit_new_job(st->stream, 1);
	KUNIT_ASSERT_NOT_NULL(test, job);
	llist_for_each(spare, st->stream->spares.first)
		count++;
	KUNIT_EXPECT_EQ(test, 31, count);
	KUNIT_EXPECT_EQ(test, 31, atomic_read(&st->stream->nspares));
	dmacpy_job_free(job);
}

/* Catches: a job that runs before its in-fence, or that passes another. */
static void stream_waits_for_fence(struct kunit *test)
{
	struct stream_test *st = test->priv;
	struct dma_fence *other = stream_other_fence(test);
	unsigned int prepared = st->engine->prepared;
	struct dma_fence *fences[2];

	fences[0] = stream_start(test, stream_waiting_job(test, other));
	fences[1] = stream_start(test, stream_job(test));
	flush_delayed_work(&st->stream->advance);
	KUNIT_EXPECT_EQ(test, prepared, st->engine->prepared);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(fences[1]));

	dma_fence_signal(other);
	flush_delayed_work(&st->stream->advance);
	KUNIT_EXPECT_EQ(test, prepared + 2, st->engine->prepared);
	stream_run(test, TEST_COPY);
	KUNIT_EXPECT_EQ(test, 0, stream_result(fences[0]));
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(fences[1]));
	stream_run(test, TEST_COPY);
	KUNIT_EXPECT_EQ(test, 0, stream_result(fences[1]));
}

/* Catches: a stream that is delayed by the dependency of another one. */
static void stream_does_not_block_others(struct kunit *test)
{
	struct stream_test *st = test->priv;
	struct dma_fence *other = stream_other_fence(test);
	struct dma_fence *waiting, *fence;
	struct dmacpy_stream *stream;
	struct dmacpy_job *job;

	waiting = stream_start(test, stream_waiting_job(test, other));
	stream = test_stream_open(test, st->dev, st->engine);
	job = stream_job(test);
	job->plan->op[0].dst = test_stream_import(test, stream, st->dst);
	job->plan->op[0].src = test_stream_import(test, stream, st->src);
	fence = stream_start_on(test, stream, job);
	stream_run(test, TEST_COPY);
	KUNIT_EXPECT_EQ(test, 0, stream_result(fence));
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(waiting));
	dma_fence_signal(other);
	flush_delayed_work(&st->stream->advance);
	stream_run(test, TEST_COPY);
	KUNIT_EXPECT_EQ(test, 0, stream_result(waiting));
}

/* Catches: a job that runs although its dependency has failed. */
static void stream_in_fence_fails(struct kunit *test)
{
	struct stream_test *st = test->priv;
	struct dma_fence *other = stream_other_fence(test), *fence;
	unsigned int prepared = st->engine->prepared;

	fence = stream_start(test, stream_waiting_job(test, other));
	dma_fence_set_error(other, -EIO);
	dma_fence_signal(other);
	KUNIT_EXPECT_EQ(test, -ECANCELED, stream_result(fence));
	fence = stream_start(test, stream_waiting_job(test, other));
	KUNIT_EXPECT_EQ(test, -ECANCELED, stream_result(fence));
	KUNIT_EXPECT_EQ(test, prepared, st->engine->prepared);
}

/*
 * Catches: a job that waits for an earlier one of its stream, or that runs
 * although that one has failed.
 */
static void stream_ignores_own_fences(struct kunit *test)
{
	static const enum test_outcome outcomes[] = { TEST_COPY, TEST_FAIL };
	static const int results[] = { 0, -EIO, -ECANCELED };
	struct stream_test *st = test->priv;
	struct dma_fence *first, *second;
	unsigned int prepared, i;

	for (i = 0; i < ARRAY_SIZE(outcomes); i++) {
		prepared = st->engine->prepared;
		first = stream_start(test, stream_job(test));
		second = stream_start(test, stream_waiting_job(test, first));
		KUNIT_EXPECT_EQ(test, prepared + 2, st->engine->prepared);
		stream_run(test, outcomes[i]);
		stream_run(test, TEST_COPY);
		KUNIT_EXPECT_EQ(test, results[i], stream_result(first));
		KUNIT_EXPECT_EQ(test, results[2 * i], stream_result(second));
	}
	second = stream_start(test, stream_waiting_job(test, first));
	KUNIT_EXPECT_EQ(test, -ECANCELED, stream_result(second));
	KUNIT_EXPECT_EQ(test, prepared + 2, st->engine->prepared);
}

/* Catches: the same if the earlier job was cancelled, but is not complete. */
static void stream_is_cancelled_before_completion(struct kunit *test)
{
	struct dma_fence *first, *second, *third;

	first = stream_start(test, stream_job(test));
	second = stream_start(test, stream_job(test));
	stream_run(test, TEST_FAIL);
	KUNIT_EXPECT_EQ(test, -EIO, stream_result(first));
	third = stream_start(test, stream_waiting_job(test, second));
	stream_run(test, TEST_COPY);
	KUNIT_EXPECT_EQ(test, -ECANCELED, stream_result(second));
	KUNIT_EXPECT_EQ(test, -ECANCELED, stream_result(third));
}

/* Catches: a job that waits for ever, or that runs after its deadline. */
static void stream_has_deadline(struct kunit *test)
{
	struct stream_test *st = test->priv;
	struct dma_fence *other = stream_other_fence(test), *fence;
	unsigned int prepared = st->engine->prepared;
	unsigned long start = jiffies;

	dmacpy_dependency_timeout.value = 200;
	fence = stream_start(test, stream_waiting_job(test, other));
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT, stream_result(fence));
	KUNIT_EXPECT_GE(test, jiffies - start, msecs_to_jiffies(200));
	dma_fence_signal(other);
	flush_delayed_work(&st->stream->advance);
	KUNIT_EXPECT_EQ(test, prepared, st->engine->prepared);
}

/* Catches: a job behind a long queue that is mistaken for a hung one. */
static void stream_has_no_deadline_for_own_jobs(struct kunit *test)
{
	struct stream_test *st = test->priv;
	struct dmacpy_stream *stream = test_stream_open(test, st->dev,
							st->engine);
	struct dmacpy_job *job = stream_job(test);
	struct dma_fence *other, *fence;

	dmacpy_dependency_timeout.value = 200;
	job->plan->op[0].dst = test_stream_import(test, stream, st->dst);
	job->plan->op[0].src = test_stream_import(test, stream, st->src);
	other = stream_start_on(test, stream, job);
	fence = stream_start(test, stream_waiting_job(test, other));
	schedule_timeout_uninterruptible(msecs_to_jiffies(500));
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(fence));
	stream_run(test, TEST_COPY);
	KUNIT_EXPECT_EQ(test, 0, stream_result(other));
	flush_delayed_work(&st->stream->advance);
	stream_run(test, TEST_COPY);
	KUNIT_EXPECT_EQ(test, 0, stream_result(fence));
}

/* Catches: a job, a record or a handle that an unbind leaves. */
static void stream_is_unbound(struct kunit *test)
{
	struct stream_test *st = test->priv;
	struct dma_fence *other = stream_other_fence(test), *fence;
	struct dmacpy_job *job = stream_event_job(test, 1);
	u32 handle;

	KUNIT_ASSERT_EQ(test, 0, dmacpy_deps_add_in_fence(&job->deps, other));
	stream_start(test, stream_event_job(test, 0));
	fence = stream_start(test, job);
	stream_unbind(test);
	KUNIT_EXPECT_EQ(test, -ENODEV, stream_result(fence));
	KUNIT_EXPECT_EQ(test, 0, test_dmabuf_mappings(st->dst));
	KUNIT_EXPECT_EQ(test, -ENODEV, stream_submit(test, stream_job(test)));
	KUNIT_EXPECT_EQ(test, -ENODEV,
			dmacpy_handle_import(st->stream, st->dst,
					     DMACPY_ACCESS_READ, &handle));
	KUNIT_EXPECT_EQ(test, -ENODEV,
			PTR_ERR_OR_ZERO(dmacpy_stream_open(st->dev)));
	KUNIT_EXPECT_EQ(test, 0,
			dmacpy_handle_release(st->stream, st->dst_handle));
	stream_expect_event(test, 0, 0);
	stream_expect_event(test, 1, -ENODEV);
	KUNIT_EXPECT_EQ(test, -ENODEV, stream_next_error(test));
	dma_fence_signal(other);
}

/*
 * Catches: a stream on the channel with the fewest streams, but the most queued
 * work.
 */
static void stream_takes_least_backlog(struct kunit *test)
{
	struct stream_test *st = test->priv;
	struct dmacpy_chan **chans = st->dev->chans, *own = chans[0];
	struct dmacpy_chan *others[2] = { own, test_buf_chan(test) };
	struct dmacpy_stream *stream;

	stream_start(test, stream_job(test));
	KUNIT_ASSERT_EQ(test, STREAM_SIZE, dmacpy_chan_backlog(own));
	others[1]->streams = 2;
	st->dev->chans = others;
	st->dev->nchans = 2;
	stream = dmacpy_stream_open(st->dev);
	KUNIT_EXPECT_PTR_EQ(test, others[1], stream->chan);
	KUNIT_EXPECT_PTR_NE(test, st->stream->lane.share, stream->lane.share);
	dmacpy_stream_close(stream);
	others[1]->backlog = STREAM_SIZE + 1;
	stream = dmacpy_stream_open(st->dev);
	KUNIT_EXPECT_PTR_EQ(test, own, stream->chan);
	KUNIT_EXPECT_PTR_EQ(test, st->stream->lane.share, stream->lane.share);
	dmacpy_stream_close(stream);
	st->dev->chans = chans;
	st->dev->nchans = 1;
	stream_run(test, TEST_COPY);
}

/* Catches: all streams on one channel, or a closed stream that still counts. */
static void stream_takes_least_loaded(struct kunit *test)
{
	struct stream_test *st = test->priv;
	struct dmacpy_chan **chans = st->dev->chans, *own = chans[0];
	struct dmacpy_chan *others[2] = { own, test_buf_chan(test) };
	struct dmacpy_stream *streams[3];
	unsigned int i;

	/* No stream submits a job on the other channel. */
	st->dev->chans = others;
	st->dev->nchans = 2;
	for (i = 0; i < 3; i++)
		streams[i] = dmacpy_stream_open(st->dev);
	KUNIT_EXPECT_EQ(test, 2, others[0]->streams);
	KUNIT_EXPECT_EQ(test, 2, others[1]->streams);
	for (i = 0; i < 2; i++)
		dmacpy_stream_close(streams[i]);
	KUNIT_EXPECT_EQ(test, 2, others[0]->streams + others[1]->streams);
	dmacpy_stream_close(streams[2]);
	KUNIT_EXPECT_EQ(test, 1, others[0]->streams);
	KUNIT_EXPECT_EQ(test, 0, others[1]->streams);
	st->dev->chans = chans;
	st->dev->nchans = 1;
}

static struct dma_buf *stream_memory(struct kunit *test,
				     struct test_engine *engine)
{
	u8 *memory = kunit_kzalloc(test, STREAM_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, memory);
	return test_dmabuf_of(test, engine, memory, STREAM_SIZE);
}

static int stream_init(struct kunit *test)
{
	struct stream_test *st;

	st = kunit_kzalloc(test, sizeof(*st), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, st);
	st->max_user_jobs = dmacpy_max_user_jobs.value;
	st->max_user_streams = dmacpy_max_user_streams.value;
	st->max_jobs = dmacpy_max_jobs.value;
	st->max_events = dmacpy_max_events.value;
	st->dependency_timeout = dmacpy_dependency_timeout.value;
	test->priv = st;

	st->engine = test_engine_new(test);
	test_engine_register(test, st->engine);
	st->dev = test_device_new(test, st->engine);
	st->dst = stream_memory(test, st->engine);
	st->src = stream_memory(test, st->engine);
	st->stream = test_stream_open(test, st->dev, st->engine);
	st->dst_handle = test_stream_import(test, st->stream, st->dst);
	st->src_handle = test_stream_import(test, st->stream, st->src);
	st->engine->hold = true;
	return 0;
}

static void stream_exit(struct kunit *test)
{
	struct stream_test *st = test->priv;

	if (!st)
		return;
	dmacpy_max_user_jobs.value = st->max_user_jobs;
	dmacpy_max_user_streams.value = st->max_user_streams;
	dmacpy_max_jobs.value = st->max_jobs;
	dmacpy_max_events.value = st->max_events;
	dmacpy_dependency_timeout.value = st->dependency_timeout;
}

static struct kunit_case stream_cases[] = {
	KUNIT_CASE(stream_assigns_handles),
	KUNIT_CASE(stream_keeps_buffers_of_jobs),
	KUNIT_CASE(stream_reserves_events),
	KUNIT_CASE(stream_puts_records_back),
	KUNIT_CASE(stream_limits_jobs),
	KUNIT_CASE(stream_limits_jobs_of_user),
	KUNIT_CASE(stream_limits_streams_of_user),
	KUNIT_CASE(stream_waits_for_room),
	KUNIT_CASE(stream_waits_for_room_of_user),
	KUNIT_CASE(stream_wakes_when_unplugged),
	KUNIT_CASE(stream_wakes_user_when_unplugged),
	KUNIT_CASE(stream_keeps_order_of_fences),
	KUNIT_CASE(stream_fails_in_order),
	KUNIT_CASE(stream_flushes),
	KUNIT_CASE(stream_adds_implicit_fences),
	KUNIT_CASE(stream_wakes_waiter),
	KUNIT_CASE(stream_cancels_waiter),
	KUNIT_CASE(stream_fences_slow_job),
	KUNIT_CASE(stream_omits_fence_of_quick_job),
	KUNIT_CASE(stream_recycles_jobs),
	KUNIT_CASE(stream_polls),
	KUNIT_CASE(stream_waits_for_fence),
	KUNIT_CASE(stream_does_not_block_others),
	KUNIT_CASE(stream_in_fence_fails),
	KUNIT_CASE(stream_ignores_own_fences),
	KUNIT_CASE(stream_is_cancelled_before_completion),
	KUNIT_CASE(stream_is_cancelled_while_submitting),
	KUNIT_CASE(stream_has_deadline),
	KUNIT_CASE(stream_has_no_deadline_for_own_jobs),
	KUNIT_CASE(stream_is_unbound),
	KUNIT_CASE(stream_takes_least_loaded),
	KUNIT_CASE(stream_takes_least_backlog),
	{ }
};

static struct kunit_suite stream_suite = {
	.name = "dmacpy_stream",
	.init = stream_init,
	.exit = stream_exit,
	.test_cases = stream_cases,
};

kunit_test_suites(&stream_suite);
