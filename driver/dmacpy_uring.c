// SPDX-License-Identifier: GPL-2.0-only
/*
 * SUBMIT and RUN by io_uring: a request completes with the result of its job.
 * Cancelling the request does not cancel the job.
 */
#include <linux/blkdev.h>
#include <linux/container_of.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/types.h>

#include "dmacpy_compat.h"
#include "dmacpy_ioctl.h"
#include "dmacpy_job.h"
#include "dmacpy_queue.h"
#include "dmacpy_stream.h"
#include "dmacpy_submit.h"
#include "dmacpy_uring.h"

#include <linux/dmacpy.h>

#define URING_SUBMIT_FLAGS	(DMACPY_SUBMIT_IN_FENCE | \
				 DMACPY_SUBMIT_NO_IMPLICIT |		\
				 DMACPY_SUBMIT_SPREAD)

/*
 * Returns the waiter, which is part of the request. Until the waiter is armed,
 * the issuing task completes the request.
 */
static struct dmacpy_waiter *uring_waiter(struct io_uring_cmd *cmd)
{
	BUILD_BUG_ON(sizeof(struct dmacpy_waiter) > sizeof(cmd->pdu));
	return (struct dmacpy_waiter *)cmd->pdu;
}

static void uring_complete(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	dmacpy_uring_done(cmd, uring_waiter(cmd)->result, issue_flags);
}

DMACPY_URING_TASK_WORK(uring_task_work, uring_complete)

/* May be called in interrupts. */
static void uring_wake(struct dmacpy_waiter *waiter)
{
	void *pdu = waiter;

	io_uring_cmd_complete_in_task(container_of(pdu, struct io_uring_cmd,
						   pdu), uring_task_work);
}

/*
 * When a ring exits, io_uring retries the cancellation at once, as long as the
 * task that has to complete a request is stopped. Each round of retries only
 * sleeps for one of the requests, as io_uring holds a mutex that the task also
 * needs.
 */
static void uring_wait_for_task(struct dmacpy_stream *stream)
{
	u64 since = ktime_get_ns() - READ_ONCE(stream->waited);

	if (since < 100 * NSEC_PER_USEC)
		return;
	usleep_range(1000, 2000);
	WRITE_ONCE(stream->waited, ktime_get_ns());
}

/*
 * If the waiter is not armed yet, or the task has to complete the request,
 * nothing is done: io_uring tries to cancel the request again.
 */
static int uring_cancel(struct dmacpy_stream *stream, struct io_uring_cmd *cmd,
			unsigned int issue_flags)
{
	struct dmacpy_waiter *waiter = uring_waiter(cmd);

	if (dmacpy_queue_cancel_waiter(stream, waiter)) {
		waiter->result = -ECANCELED;
		uring_complete(cmd, issue_flags);
	} else if (current->flags & PF_KTHREAD) {
		uring_wait_for_task(stream);
	}
	return 0;
}

/* Copies the structure from an SQE of 128 bytes. */
static int uring_copy_args(struct dmacpy_submit *args, const void *area)
{
	const size_t room = 2 * sizeof(struct io_uring_sqe) -
			    offsetof(struct io_uring_sqe, cmd);
	u32 size = READ_ONCE(*(const u32 *)area);
	size_t known;

	if (size < DMACPY_SUBMIT_MIN_SIZE)
		return -EINVAL;
	known = min_t(size_t, size, sizeof(*args));
	if (size > room || memchr_inv(area + known, 0, size - known))
		return -E2BIG;
	*args = (struct dmacpy_submit){ };
	memcpy(args, area, known);
	return args->flags & ~DMACPY_SUBMIT_FLAGS ? -EOPNOTSUPP : 0;
}

/* Reads the structure by its pointer in an SQE of 64 bytes. */
static int uring_read_args(struct dmacpy_submit *args, const void *area,
			   void __user **user)
{
	struct dmacpy_submit_pointer pointer;

	memcpy(&pointer, area, sizeof(pointer));
	if (pointer.__reserved)
		return -EINVAL;
	/* A 32-bit kernel has no such address. */
	if (pointer.submit > ULONG_MAX)
		return -EFAULT;
	*user = u64_to_user_ptr(pointer.submit);
	return dmacpy_ioctl_read_submit(*user, args);
}

#ifdef CONFIG_BLOCK
/**
 * struct uring_plug - jobs of one task for one stream, submitted together
 * @base: entry in the task's plug
 * @stream: a reference to the stream, NULL before the first job
 */
struct uring_plug {
	struct blk_plug_cb base;
	struct dmacpy_stream *stream;
};

/* Called after the last request was issued, or when the task is to sleep */
static void uring_unplug(struct blk_plug_cb *base, bool from_schedule)
{
	struct uring_plug *plug = container_of(base, struct uring_plug, base);

	WRITE_ONCE(plug->stream->plug, NULL);
	dmacpy_submit_unplug(plug->stream, from_schedule);
	dmacpy_stream_put(plug->stream);
	kfree(plug);
}

/* io_uring plugs block devices while it issues several requests. */
static bool uring_is_plugged(void)
{
	return current->plug;
}

/* Called after a plugged job was submitted, as the task may sleep before */
static void uring_plug(struct dmacpy_stream *stream)
{
	struct blk_plug_cb *base;
	struct uring_plug *plug;

	/* Usually the previous job was plugged here, too. */
	if (READ_ONCE(stream->plug) == current->plug)
		return;
	base = blk_check_plugged(uring_unplug, stream, sizeof(*plug));
	if (!base) {
		dmacpy_submit_unplug(stream, false);
		return;
	}
	plug = container_of(base, struct uring_plug, base);
	if (!plug->stream) {
		dmacpy_stream_get(stream);
		plug->stream = stream;
	}
	WRITE_ONCE(stream->plug, current->plug);
}
#else
static bool uring_is_plugged(void)
{
	return false;
}

static void uring_plug(struct dmacpy_stream *stream)
{
}
#endif

static struct dmacpy_job *uring_new_job(struct dmacpy_stream *stream,
					struct dmacpy_submit *args)
{
	if (args->flags & ~URING_SUBMIT_FLAGS)
		return ERR_PTR(-EINVAL);
	return dmacpy_ioctl_new_job(stream, args);
}

/* The arguments of RUN fit an SQE of any size. */
static struct dmacpy_job *uring_new_run(struct dmacpy_stream *stream,
					const void *area)
{
	struct dmacpy_run_command run;

	memcpy(&run, area, sizeof(run));
	if (run.flags & ~DMACPY_RUN_FLAGS)
		return ERR_PTR(-EOPNOTSUPP);
	if (run.flags & ~URING_SUBMIT_FLAGS || run.__reserved)
		return ERR_PTR(-EINVAL);
	return dmacpy_ioctl_new_run(stream, run.handle, run.flags,
				    run.in_fence, 0);
}

static int uring_start(struct dmacpy_stream *stream, struct io_uring_cmd *cmd,
		       struct dmacpy_job *job, bool nonblock)
{
	bool plugged = uring_is_plugged();
	int ret;

	if (IS_ERR(job))
		return PTR_ERR(job);
	job->waiter = uring_waiter(cmd);
	*job->waiter = (struct dmacpy_waiter){ .job = job, .wake = uring_wake };
	job->xfer.plugged = plugged && !job->channels;
	ret = dmacpy_submit(stream, job,
			    nonblock || cmd->file->f_flags & O_NONBLOCK);
	if (!ret && plugged)
		uring_plug(stream);
	return ret;
}

static int uring_submit(struct dmacpy_stream *stream, struct io_uring_cmd *cmd,
			unsigned int issue_flags)
{
	bool nonblock = issue_flags & IO_URING_F_NONBLOCK;
	const void *area = dmacpy_uring_area(cmd);
	struct dmacpy_submit args;
	void __user *user = NULL;
	int ret;

	if (issue_flags & IO_URING_F_SQE128)
		ret = uring_copy_args(&args, area);
	else
		ret = uring_read_args(&args, area, &user);
	if (ret)
		return ret;
	ret = uring_start(stream, cmd, uring_new_job(stream, &args), nonblock);
	if (ret && user)
		dmacpy_ioctl_submit_failed(user, &args);
	return ret;
}

/*
 * If the task must not wait, -EAGAIN has io_uring retry where it may. A signal
 * that interrupts the task may concern other requests only.
 */
static int uring_start_job(struct dmacpy_stream *stream,
			   struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	bool nonblock = issue_flags & IO_URING_F_NONBLOCK;
	int ret;

	if (cmd->cmd_op == DMACPY_RUN)
		ret = uring_start(stream, cmd,
				  uring_new_run(stream, dmacpy_uring_area(cmd)),
				  nonblock);
	else
		ret = uring_submit(stream, cmd, issue_flags);
	if (ret == -ERESTARTSYS || ret == -EINTR)
		ret = nonblock ? -EAGAIN : -EINTR;
	return ret;
}

/**
 * dmacpy_uring_cmd() - run a command that came by io_uring
 * @stream: the open file
 * @cmd: the command
 * @issue_flags: IO_URING_F_*
 *
 * Context: Process.
 * Return: -EIOCBQUEUED if the request completes with the result of the job, or
 * has completed; dmacpy_uring_poll() completes requests of a polled ring. Other
 * errors as documented for the user interface.
 */
int dmacpy_uring_cmd(struct dmacpy_stream *stream, struct io_uring_cmd *cmd,
		     unsigned int issue_flags)
{
	int ret;

	if (issue_flags & IO_URING_F_CANCEL)
		return uring_cancel(stream, cmd, issue_flags);
	if ((cmd->cmd_op != DMACPY_SUBMIT && cmd->cmd_op != DMACPY_RUN) ||
	    cmd->flags & IORING_URING_CMD_FIXED)
		return -EOPNOTSUPP;

	ret = uring_start_job(stream, cmd, issue_flags);
	/* On a polled ring io_uring would retry without pause or end. */
	if (ret == -EAGAIN && issue_flags & IO_URING_F_IOPOLL &&
	    !(issue_flags & IO_URING_F_NONBLOCK))
		ret = -EBUSY;
	if (ret == -EAGAIN)
		dmacpy_uring_keep_area(cmd, issue_flags);
	if (ret)
		return ret;
	if (issue_flags & IO_URING_F_IOPOLL)
		return -EIOCBQUEUED;
	io_uring_cmd_mark_cancelable(cmd, issue_flags);
	if (!dmacpy_queue_arm_waiter(stream, uring_waiter(cmd)))
		uring_complete(cmd, issue_flags);
	return -EIOCBQUEUED;
}

/**
 * dmacpy_uring_poll() - complete a request of a polled ring if its job has
 * @cmd: the request, which dmacpy_uring_cmd() has started
 *
 * io_uring calls this in a loop, so no wakeup of its task is needed.
 *
 * Context: Process; io_uring holds the lock of the ring.
 * Return: the number of requests that were completed.
 */
int dmacpy_uring_poll(struct io_uring_cmd *cmd)
{
	if (!dmacpy_queue_is_done(uring_waiter(cmd)))
		return 0;
	uring_complete(cmd, 0);
	return 1;
}
