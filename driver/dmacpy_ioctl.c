// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctl commands. User memory is read before a command enters the gate, and
 * written after it has left the gate.
 */
#include <linux/anon_inodes.h>
#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sync_file.h>
#include <linux/uaccess.h>

#include "dmacpy_buf.h"
#include "dmacpy_chan.h"
#include "dmacpy_device.h"
#include "dmacpy_event.h"
#include "dmacpy_handle.h"
#include "dmacpy_ioctl.h"
#include "dmacpy_job.h"
#include "dmacpy_param.h"
#include "dmacpy_plan.h"
#include "dmacpy_pool.h"
#include "dmacpy_queue.h"
#include "dmacpy_stream.h"
#include "dmacpy_submit.h"

#include <linux/dmacpy.h>

/* The first members of the structures of all commands */
struct ioctl_head {
	__u32 size;
	__u32 flags;
};

union ioctl_args {
	struct ioctl_head head;
	struct dmacpy_get_info get_info;
	struct dmacpy_alloc alloc;
	struct dmacpy_import import;
	struct dmacpy_register register_;
	struct dmacpy_release release;
	struct dmacpy_submit submit;
	struct dmacpy_sync sync;
	struct dmacpy_prepare prepare;
	struct dmacpy_run run;
};

/* Maximum number of jobs of RUN that are read and started together */
#define IOCTL_RUNS	16

struct ioctl_call {
	struct dmacpy_stream *stream;
	void __user *user;
	size_t size;
	bool nonblock;
	union ioctl_args *args;
};

static void ioctl_fill_info(struct dmacpy_get_info *info,
			    struct dmacpy_device *dev)
{
	struct dmacpy_pool_stat stat;
	unsigned int i;

	dmacpy_pool_stat(dev->pool, &stat);
	info->sram_total = stat.total;
	info->sram_free = stat.free;
	info->sram_largest = stat.largest;
	info->max_bytes = dmacpy_max_bytes.value;
	info->max_ops = dmacpy_max_ops.value;
	info->max_rows = dmacpy_max_rows.value;
	info->granule = PAGE_SIZE;
	info->channels = dev->nchans;
	for (i = 0; i < dev->nchans; i++) {
		info->copy_align = max(info->copy_align,
				       dev->chans[i]->copy_align);
		info->user_align = max(info->user_align,
				       dev->chans[i]->user_align);
	}
	info->opcodes = BIT(DMACPY_OP_COPY) | BIT(DMACPY_OP_COPY_2D) |
			BIT(DMACPY_OP_FILL);
	info->submit_flags = DMACPY_SUBMIT_FLAGS;
	if (!dev->spreads)
		info->submit_flags &= ~DMACPY_SUBMIT_SPREAD;
	info->max_jobs = dmacpy_max_jobs.value;
	info->max_events = dmacpy_max_events.value;
	info->max_user_bytes = dmacpy_max_user_bytes.value;
	info->max_user_jobs = dmacpy_max_user_jobs.value;
	info->max_user_streams = dmacpy_max_user_streams.value;
	info->max_user_handles = dmacpy_max_user_handles.value;
	info->register_flags = DMACPY_REGISTER_FLAGS;
	strscpy(info->name, dev_name(dev->parent), sizeof(info->name));
}

static int ioctl_get_info(const struct ioctl_call *call)
{
	struct dmacpy_get_info info = { .size = call->args->head.size };
	struct dmacpy_device *dev = call->stream->dev;
	int idx, ret = -ENODEV;

	if (dmacpy_device_enter(dev, &idx)) {
		ioctl_fill_info(&info, dev);
		ret = 0;
	}
	dmacpy_device_exit(dev, idx);
	if (ret)
		return ret;
	return copy_to_user(call->user, &info, call->size) ? -EFAULT : 0;
}

static int ioctl_alloc(const struct ioctl_call *call)
{
	struct dmacpy_alloc __user *user = call->user;
	const struct dmacpy_alloc *args = &call->args->alloc;
	u32 mode = args->fd_flags & O_ACCMODE;
	struct dma_buf *dmabuf;
	int fd, ret;

	if (args->fd_flags & ~(O_CLOEXEC | O_ACCMODE))
		return -EOPNOTSUPP;
	if (mode != O_RDONLY && mode != O_RDWR)
		return -EINVAL;

	fd = get_unused_fd_flags(args->fd_flags);
	if (fd < 0)
		return fd;
	dmabuf = dmacpy_buf_alloc(call->stream->dev, call->stream->account,
				  args->length, args->fd_flags);
	if (IS_ERR(dmabuf)) {
		ret = PTR_ERR(dmabuf);
		goto err_put_fd;
	}
	/* Write the fd last: no thread can use one that is withdrawn again. */
	if (put_user((u64)dmabuf->size, &user->length) ||
	    put_user(fd, &user->fd)) {
		ret = -EFAULT;
		goto err_put_dmabuf;
	}
	fd_install(fd, dmabuf->file);
	return 0;

err_put_dmabuf:
	dma_buf_put(dmabuf);
err_put_fd:
	put_unused_fd(fd);
	return ret;
}

static int ioctl_check_access(u32 access)
{
	if (access & ~(DMACPY_ACCESS_READ | DMACPY_ACCESS_WRITE))
		return -EOPNOTSUPP;
	return access ? 0 : -EINVAL;
}

static bool ioctl_fd_allows(const struct dma_buf *dmabuf, u32 access)
{
	fmode_t mode = dmabuf->file->f_mode;

	return (!(access & DMACPY_ACCESS_READ) || mode & FMODE_READ) &&
	       (!(access & DMACPY_ACCESS_WRITE) || mode & FMODE_WRITE);
}

/*
 * A handle that is not returned is released. A fatal signal can prevent that:
 * the handle then lives until the file is closed.
 */
static int ioctl_put_handle(struct dmacpy_stream *stream, u32 handle,
			    u32 __user *user)
{
	if (!put_user(handle, user))
		return 0;
	dmacpy_handle_release(stream, handle);
	return -EFAULT;
}

static int ioctl_import(const struct ioctl_call *call)
{
	struct dmacpy_import __user *user = call->user;
	const struct dmacpy_import *args = &call->args->import;
	struct dma_buf *dmabuf;
	u32 handle;
	u64 length;
	int ret;

	if (args->__reserved)
		return -EINVAL;
	ret = ioctl_check_access(args->access);
	if (ret)
		return ret;

	/* A file that is no dma-buf fails like a bad number. */
	dmabuf = dma_buf_get(args->fd);
	if (IS_ERR(dmabuf))
		return -EBADF;
	length = dmabuf->size;
	ret = -EACCES;
	if (ioctl_fd_allows(dmabuf, args->access))
		ret = dmacpy_handle_import(call->stream, dmabuf, args->access,
					   &handle);
	dma_buf_put(dmabuf);
	if (ret)
		return ret;
	/* The handle is written last, see ioctl_alloc(). */
	if (put_user(length, &user->length)) {
		dmacpy_handle_release(call->stream, handle);
		return -EFAULT;
	}
	return ioctl_put_handle(call->stream, handle, &user->handle);
}

static int ioctl_register(const struct ioctl_call *call)
{
	struct dmacpy_register __user *user = call->user;
	const struct dmacpy_register *args = &call->args->register_;
	u32 handle;
	u64 end;
	int ret;

	ret = ioctl_check_access(args->access);
	if (ret)
		return ret;
	if (!args->length || check_add_overflow(args->addr, args->length, &end))
		return -EINVAL;
	/* A 32-bit kernel has no such address. */
	if (end > ULONG_MAX)
		return -EFAULT;

	ret = dmacpy_handle_register(call->stream, args->addr, args->length,
				     args->access, args->flags &
				     DMACPY_REGISTER_EXPLICIT_SYNC, &handle);
	if (ret)
		return ret;
	return ioctl_put_handle(call->stream, handle, &user->handle);
}

static int ioctl_release(const struct ioctl_call *call)
{
	const struct dmacpy_release *args = &call->args->release;

	if (args->__reserved)
		return -EINVAL;
	return dmacpy_handle_release(call->stream, args->handle);
}

/*
 * Copies structures of which the driver knows the first @known bytes, usually
 * all. Returns the number of structures copied before an error.
 */
static __always_inline unsigned int
ioctl_copy_array(void *to, const size_t known, const void __user *user,
		 size_t size, unsigned int count, int *error)
{
	unsigned int i;

	*error = 0;
	/* A copy of constant size needs no hardened-usercopy check. */
	if (size == known && count == 1 && !copy_from_user(to, user, known))
		return count;
	if (size == known && count > 1 &&
	    !copy_from_user(to, user, count * known))
		return count;

	for (i = 0; i < count; i++) {
		*error = copy_struct_from_user(to + i * known, known,
					       user + i * size, size);
		if (*error)
			break;
	}
	return i;
}

static __always_inline int ioctl_copy_ops(struct dmacpy_plan *plan,
					  const void __user *user, size_t size)
{
	unsigned int copied;
	int ret;

	copied = ioctl_copy_array(plan->op, sizeof(*plan->op), user, size,
				  plan->nops, &ret);
	return ret == -E2BIG ? dmacpy_plan_refuse(plan, copied, ret) : ret;
}

/* Checks the description of an array of operations, before it is read. */
static int ioctl_check_array(u64 ops, u32 count, u32 size)
{
	if (!count || size < sizeof(struct dmacpy_op))
		return -EINVAL;
	if (count > dmacpy_max_ops.value || size > PAGE_SIZE)
		return -E2BIG;
	/* A 32-bit kernel has no such address. */
	return ops > ULONG_MAX ? -EFAULT : 0;
}

static __always_inline int ioctl_read_plan(struct dmacpy_plan *plan, u64 ops,
					   u32 size, u32 *refused_op)
{
	int ret;

	plan->refused_op = refused_op;
	ret = ioctl_copy_ops(plan, u64_to_user_ptr(ops), size);
	return ret ?: dmacpy_plan_check(plan);
}

static __always_inline struct dmacpy_job *
ioctl_read_job(struct dmacpy_stream *stream, struct dmacpy_submit *args)
{
	struct dmacpy_job *job;
	int ret;

	if (!!args->channels != !!(args->flags & DMACPY_SUBMIT_SPREAD))
		return ERR_PTR(-EINVAL);
	if (args->channels && !stream->dev->spreads)
		return ERR_PTR(-EOPNOTSUPP);
	ret = ioctl_check_array(args->ops, args->op_count, args->op_size);
	if (ret)
		return ERR_PTR(ret);
	job = dmacpy_submit_new_job(stream, args->op_count);
	if (!job)
		return ERR_PTR(-ENOMEM);
	job->channels = args->channels;
	ret = ioctl_read_plan(job->plan, args->ops, args->op_size,
			      &args->refused_op);
	if (ret) {
		dmacpy_job_free(job);
		return ERR_PTR(ret);
	}
	return job;
}

static int ioctl_take_in_fence(struct dmacpy_job *job, int fd)
{
	struct dma_fence *fence;
	int ret;

	fence = sync_file_get_fence(fd);
	if (!fence)
		return -EBADF;
	ret = dmacpy_deps_add_in_fence(&job->deps, fence);
	dma_fence_put(fence);
	return ret;
}

/* The file is freed after the system call, which may be the last user. */
static const struct file_operations ioctl_no_fops = {
	.owner = THIS_MODULE,
};

/* sync_file_create() does not return the reason of its failure: find it. */
static int ioctl_file_error(void)
{
	struct file *file;

	file = anon_inode_getfile("dmacpy", &ioctl_no_fops, NULL, O_RDONLY);
	if (IS_ERR(file))
		return PTR_ERR(file);
	fput(file);
	return -ENOMEM;
}

/* Arguments for running a job that SUBMIT and RUN have in common */
struct ioctl_run_args {
	u32 flags;
	s32 __user *out_fence;
	s32 old_out_fence;
	bool nonblock;
};

/* An out-fence; all steps that can fail are done before the job starts. */
struct ioctl_out_fence {
	struct sync_file *sync_file;
	int fd;
};

static int ioctl_make_out_fence(const struct ioctl_run_args *how,
				struct dmacpy_job *job,
				struct ioctl_out_fence *out)
{
	int ret;

	ret = dmacpy_job_add_fence(job);
	if (ret)
		return ret;
	out->fd = get_unused_fd_flags(O_CLOEXEC);
	if (out->fd < 0)
		return out->fd;
	out->sync_file = sync_file_create(job->fence);
	if (!out->sync_file) {
		ret = ioctl_file_error();
		goto err_put_fd;
	}
	if (put_user(out->fd, how->out_fence)) {
		ret = -EFAULT;
		goto err_put_file;
	}
	return 0;

err_put_file:
	fput(out->sync_file->file);
err_put_fd:
	put_unused_fd(out->fd);
	return ret;
}

/* The job was refused: the number refers to no file, so write the old one. */
static void ioctl_drop_out_fence(const struct ioctl_run_args *how,
				 const struct ioctl_out_fence *out)
{
	/* This fails only if the program has unmapped the memory since. */
	put_user(how->old_out_fence, how->out_fence);
	fput(out->sync_file->file);
	put_unused_fd(out->fd);
}

struct ioctl_waiter {
	struct dmacpy_waiter base;
	struct completion woken;
	u64 completed;
};

static void ioctl_wake(struct dmacpy_waiter *base)
{
	struct ioctl_waiter *waiter =
		container_of(base, struct ioctl_waiter, base);

	waiter->completed = ktime_get_ns();
	complete(&waiter->woken);
}

/* A fatal signal ends the wait, unless a waker has taken the waiter already. */
static int ioctl_sleep(struct dmacpy_stream *stream,
		       struct ioctl_waiter *waiter)
{
	init_completion(&waiter->woken);
	waiter->base.wake = ioctl_wake;
	if (!dmacpy_queue_arm_waiter(stream, &waiter->base)) {
		waiter->completed = ktime_get_ns();
		return 0;
	}
	if (wait_for_completion_state(&waiter->woken,
				      TASK_KILLABLE | TASK_FREEZABLE)) {
		if (dmacpy_queue_cancel_waiter(stream, &waiter->base))
			return -EINTR;
		wait_for_completion(&waiter->woken);
	}
	return 0;
}

static int ioctl_wait(struct dmacpy_stream *stream, struct ioctl_waiter *waiter)
{
	u64 start;
	int ret;

	if (dmacpy_queue_is_done(&waiter->base))
		return waiter->base.result;
	start = ktime_get_ns();
	if (dmacpy_queue_spin(stream, &waiter->base, start)) {
		waiter->completed = ktime_get_ns();
	} else {
		ret = ioctl_sleep(stream, waiter);
		if (ret)
			return ret;
	}
	dmacpy_queue_note_latency(stream, waiter->completed - start);
	return waiter->base.result;
}

static int ioctl_start_job(struct dmacpy_stream *stream, struct dmacpy_job *job,
			   const struct ioctl_run_args *how)
{
	struct ioctl_waiter waiter __uninitialized;	/* only used for WAIT */
	bool fenced = how->flags & DMACPY_SUBMIT_OUT_FENCE;
	struct ioctl_out_fence out;
	int ret;

	if (fenced) {
		ret = ioctl_make_out_fence(how, job, &out);
		if (ret) {
			dmacpy_job_free(job);
			return ret;
		}
	}
	if (how->flags & DMACPY_SUBMIT_WAIT) {
		waiter.base.job = job;
		waiter.base.armed = false;
		job->waiter = &waiter.base;
		job->lazy = !fenced;
	}
	ret = dmacpy_submit(stream, job, how->nonblock);
	if (fenced && ret)
		ioctl_drop_out_fence(how, &out);
	else if (fenced)
		fd_install(out.fd, out.sync_file->file);
	if (!ret && how->flags & DMACPY_SUBMIT_WAIT)
		ret = ioctl_wait(stream, &waiter);
	return ret;
}

static inline int ioctl_set_up_job(struct dmacpy_stream *stream,
				   struct dmacpy_job *job, u32 flags,
				   s32 in_fence, u64 user_data)
{
	int ret;

	job->user_data = user_data;
	job->implicit = !(flags & DMACPY_SUBMIT_NO_IMPLICIT);
	job->xfer.plugged = flags & DMACPY_SUBMIT_MORE &&
			    !(flags & (DMACPY_SUBMIT_WAIT |
				       DMACPY_SUBMIT_SPREAD));
	if (flags & DMACPY_SUBMIT_EVENT) {
		ret = dmacpy_event_reserve(stream, job);
		if (ret)
			return ret;
	}
	if (flags & DMACPY_SUBMIT_IN_FENCE)
		return ioctl_take_in_fence(job, in_fence);
	return in_fence ? -EINVAL : 0;
}

static __always_inline struct dmacpy_job *
ioctl_new_job(struct dmacpy_stream *stream, struct dmacpy_submit *args)
{
	struct dmacpy_job *job;
	int ret;

	args->refused_op = 0;
	job = ioctl_read_job(stream, args);
	if (IS_ERR(job))
		return job;
	ret = ioctl_set_up_job(stream, job, args->flags, args->in_fence,
			       args->user_data);
	if (ret) {
		dmacpy_job_free(job);
		return ERR_PTR(ret);
	}
	return job;
}

/**
 * dmacpy_ioctl_new_job() - make the job of SUBMIT
 * @stream: the open file
 * @args: its structure, with flags that are known; its @refused_op is set when
 *	this or dmacpy_submit() refuses the job
 *
 * Context: Process.
 * Return: the job, for dmacpy_submit(), or an ERR_PTR() as documented
 * in the user interface.
 */
struct dmacpy_job *dmacpy_ioctl_new_job(struct dmacpy_stream *stream,
					struct dmacpy_submit *args)
{
	return ioctl_new_job(stream, args);
}

/**
 * dmacpy_ioctl_new_run() - make a job that runs prepared operations
 * @stream: the open file
 * @handle: the handle of the operations
 * @flags: DMACPY_SUBMIT_*, only known ones
 * @in_fence: the in-fence, if @flags has DMACPY_SUBMIT_IN_FENCE
 * @user_data: value for its record
 *
 * Context: Process.
 * Return: the job, for dmacpy_submit(), or an ERR_PTR() as documented in the
 * user interface.
 */
struct dmacpy_job *dmacpy_ioctl_new_run(struct dmacpy_stream *stream,
					u32 handle, u32 flags, s32 in_fence,
					u64 user_data)
{
	struct dmacpy_job *job;
	int ret;

	if (!handle)
		return ERR_PTR(-ENOENT);
	job = dmacpy_submit_new_job(stream, 0);
	if (!job)
		return ERR_PTR(-ENOMEM);
	job->handle = handle;
	ret = ioctl_set_up_job(stream, job, flags, in_fence, user_data);
	if (ret) {
		dmacpy_job_free(job);
		return ERR_PTR(ret);
	}
	return job;
}

/**
 * dmacpy_ioctl_submit_failed() - return which operation was refused
 * @user: the structure of SUBMIT, as dmacpy_ioctl_read_submit() has read it
 * @args: the structure that was read, after dmacpy_ioctl_new_job()
 *
 * Context: Process.
 */
void dmacpy_ioctl_submit_failed(void __user *user,
				const struct dmacpy_submit *args)
{
	struct dmacpy_submit __user *submit = user;

	/* SUBMIT has failed already, whether or not this can be written. */
	if (args->refused_op &&
	    args->size >= offsetofend(struct dmacpy_submit, refused_op))
		put_user(args->refused_op, &submit->refused_op);
}

static int ioctl_submit(const struct ioctl_call *call)
{
	struct dmacpy_submit __user *user = call->user;
	struct dmacpy_submit *args = &call->args->submit;
	struct ioctl_run_args how = {
		.flags = args->flags,
		.out_fence = &user->out_fence,
		.old_out_fence = args->out_fence,
		.nonblock = call->nonblock,
	};
	struct dmacpy_job *job;
	int ret;

	job = ioctl_new_job(call->stream, args);
	ret = IS_ERR(job) ? PTR_ERR(job) :
			    ioctl_start_job(call->stream, job, &how);
	if (ret)
		dmacpy_ioctl_submit_failed(call->user, args);
	return ret;
}

static struct dmacpy_plan *ioctl_read_new_plan(struct dmacpy_stream *stream,
					       struct dmacpy_prepare *args)
{
	struct dmacpy_plan *plan;
	int ret;

	ret = ioctl_check_array(args->ops, args->op_count, args->op_size);
	if (ret)
		return ERR_PTR(ret);
	plan = dmacpy_plan_new(stream->account, args->op_count);
	if (IS_ERR(plan))
		return plan;
	ret = ioctl_read_plan(plan, args->ops, args->op_size,
			      &args->refused_op);
	if (ret) {
		dmacpy_plan_put(plan);
		return ERR_PTR(ret);
	}
	return plan;
}

static int ioctl_prepare(const struct ioctl_call *call)
{
	struct dmacpy_prepare __user *user = call->user;
	struct dmacpy_prepare *args = &call->args->prepare;
	struct dmacpy_plan *plan;
	u32 handle;
	int ret;

	args->refused_op = 0;
	plan = ioctl_read_new_plan(call->stream, args);
	ret = IS_ERR(plan) ? PTR_ERR(plan) :
	      dmacpy_submit_prepare(call->stream, plan, &handle);
	if (!ret)
		return ioctl_put_handle(call->stream, handle, &user->handle);
	/* PREPARE has failed already, whether or not this can be written. */
	if (args->refused_op)
		put_user(args->refused_op, &user->refused_op);
	return ret;
}

/* Returns the number of valid jobs, or the error of the first. */
static int ioctl_read_runs(struct dmacpy_run_job *runs, unsigned int count,
			   const void __user *user, size_t size)
{
	unsigned int i;
	int ret;

	count = ioctl_copy_array(runs, sizeof(*runs), user, size, count, &ret);
	for (i = 0; i < count; i++) {
		if (runs[i].__reserved)
			ret = -EINVAL;
		else if (!runs[i].handle)
			ret = -ENOENT;
		else
			continue;
		break;
	}
	return i ?: ret;
}

static int ioctl_run_one(const struct ioctl_call *call,
			 const struct dmacpy_run_job *run)
{
	const struct dmacpy_run *args = &call->args->run;
	struct dmacpy_run __user *user = call->user;
	const struct ioctl_run_args how = {
		.flags = args->flags,
		.out_fence = &user->out_fence,
		.old_out_fence = args->out_fence,
		.nonblock = call->nonblock,
	};
	struct dmacpy_job *job;

	job = dmacpy_ioctl_new_run(call->stream, run->handle, args->flags,
				   args->in_fence, run->user_data);
	if (IS_ERR(job))
		return PTR_ERR(job);
	return ioctl_start_job(call->stream, job, &how) ?: 1;
}

/* @more: further jobs follow at once after the last of these. */
static int ioctl_run_many(const struct ioctl_call *call,
			  const struct dmacpy_run_job *runs, unsigned int count,
			  bool more)
{
	const struct dmacpy_run *args = &call->args->run;
	struct dmacpy_job *first, *job;
	u32 flags = args->flags;
	int ret = 0;

	first = dmacpy_submit_new_jobs(call->stream, count, 0);
	if (!first)
		return -ENOMEM;
	for (job = first; job && !ret; job = job->next, runs++) {
		job->handle = runs->handle;
		if (job->next || more)
			flags |= DMACPY_SUBMIT_MORE;
		else
			flags = args->flags;
		ret = ioctl_set_up_job(call->stream, job, flags, args->in_fence,
				       runs->user_data);
	}
	if (ret) {
		dmacpy_submit_free_list(first);
		return ret;
	}
	return dmacpy_submit_list(call->stream, first, call->nonblock);
}

/* Returns the number of jobs that were started, or the error of the first. */
static int ioctl_run(const struct ioctl_call *call)
{
	const u32 single = DMACPY_SUBMIT_WAIT | DMACPY_SUBMIT_IN_FENCE |
			   DMACPY_SUBMIT_OUT_FENCE;
	const struct dmacpy_run *args = &call->args->run;
	const void __user *jobs = u64_to_user_ptr(args->jobs);
	struct dmacpy_run_job runs[IOCTL_RUNS] __uninitialized;
	u32 done = 0, count, size = args->job_size;
	int read, ret = 0;

	if (!args->job_count || size < sizeof(struct dmacpy_run_job) ||
	    (args->job_count > 1 && args->flags & single))
		return -EINVAL;
	if (args->job_count > dmacpy_max_jobs.value || size > PAGE_SIZE)
		return -E2BIG;
	/* A 32-bit kernel has no such address. */
	if (args->jobs > ULONG_MAX)
		return -EFAULT;
	do {
		count = min_t(u32, args->job_count - done, IOCTL_RUNS);
		read = ioctl_read_runs(runs, count, jobs + done * size, size);
		ret = read;
		if (read > 0 && args->job_count == 1)
			ret = ioctl_run_one(call, runs);
		else if (read > 0)
			ret = ioctl_run_many(call, runs, read, read == count &&
					     done + read < args->job_count);
		if (ret > 0)
			done += ret;
	} while (ret == (int)count && done < args->job_count);
	if (done && ret < 0)
		dmacpy_submit_unplug(call->stream, false);
	return done ?: ret;
}

static int ioctl_sync_range(const struct ioctl_call *call,
			    const void __user *user, size_t size)
{
	bool for_cpu = call->args->sync.flags & DMACPY_SYNC_FOR_CPU;
	struct dmacpy_sync_range range;
	int ret;

	ret = copy_struct_from_user(&range, sizeof(range), user, size);
	if (ret)
		return ret;
	if (range.__reserved)
		return -EINVAL;
	return dmacpy_handle_sync(call->stream, range.handle, range.offset,
				  range.length, for_cpu);
}

static int ioctl_sync(const struct ioctl_call *call)
{
	const struct dmacpy_sync *args = &call->args->sync;
	u32 i, size = args->range_size;
	int ret = 0;

	if (args->flags != DMACPY_SYNC_FOR_DEVICE &&
	    args->flags != DMACPY_SYNC_FOR_CPU)
		return -EINVAL;
	if (!args->range_count || size < sizeof(struct dmacpy_sync_range))
		return -EINVAL;
	if (args->range_count > dmacpy_max_ops.value || size > PAGE_SIZE)
		return -E2BIG;
	/* A 32-bit kernel has no such address. */
	if (args->ranges > ULONG_MAX)
		return -EFAULT;
	for (i = 0; i < args->range_count && !ret; i++)
		ret = fatal_signal_pending(current) ? -EINTR :
		      ioctl_sync_range(call, u64_to_user_ptr(args->ranges) +
				       i * size, size);
	return ret;
}

/* A command accepts at least min_size bytes; missing members are zero. */
struct ioctl_command {
	int (*run)(const struct ioctl_call *call);
	size_t size;
	size_t min_size;
	u32 flags;
};

static const struct ioctl_command ioctl_commands[] = {
	[DMACPY_CMD_GET_INFO] = {
		ioctl_get_info, sizeof(struct dmacpy_get_info),
		offsetofend(struct dmacpy_get_info, max_events),
	},
	[DMACPY_CMD_ALLOC] = {
		ioctl_alloc, sizeof(struct dmacpy_alloc),
		offsetofend(struct dmacpy_alloc, fd),
	},
	[DMACPY_CMD_IMPORT] = {
		ioctl_import, sizeof(struct dmacpy_import),
		offsetofend(struct dmacpy_import, length),
	},
	[DMACPY_CMD_REGISTER] = {
		ioctl_register, sizeof(struct dmacpy_register),
		offsetofend(struct dmacpy_register, handle),
		DMACPY_REGISTER_FLAGS,
	},
	[DMACPY_CMD_RELEASE] = {
		ioctl_release, sizeof(struct dmacpy_release),
		offsetofend(struct dmacpy_release, __reserved),
	},
	[DMACPY_CMD_SUBMIT] = {
		ioctl_submit, sizeof(struct dmacpy_submit),
		DMACPY_SUBMIT_MIN_SIZE,
		DMACPY_SUBMIT_FLAGS,
	},
	[DMACPY_CMD_SYNC] = {
		ioctl_sync, sizeof(struct dmacpy_sync),
		offsetofend(struct dmacpy_sync, range_size),
		DMACPY_SYNC_FOR_DEVICE | DMACPY_SYNC_FOR_CPU,
	},
	[DMACPY_CMD_PREPARE] = {
		ioctl_prepare, sizeof(struct dmacpy_prepare),
		offsetofend(struct dmacpy_prepare, refused_op),
	},
	[DMACPY_CMD_RUN] = {
		ioctl_run, sizeof(struct dmacpy_run),
		offsetofend(struct dmacpy_run, out_fence),
		DMACPY_RUN_FLAGS,
	},
};

static const struct ioctl_command *ioctl_find(unsigned int cmd)
{
	unsigned int nr = _IOC_NR(cmd);

	if (nr >= ARRAY_SIZE(ioctl_commands) || cmd != _IO(DMACPY_TYPE, nr))
		return NULL;
	nr = array_index_nospec(nr, ARRAY_SIZE(ioctl_commands));
	return &ioctl_commands[nr];
}

/* Reads the structure, with the program's size of it in the first member. */
static int ioctl_read(const struct ioctl_command *command,
		      const void __user *user, void *args)
{
	struct ioctl_head *head = args;
	u32 size;
	int ret;

	if (get_user(size, (const u32 __user *)user))
		return -EFAULT;
	if (size < command->min_size)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	ret = copy_struct_from_user(args, command->size, user, size);
	if (ret)
		return ret;
	head->size = size;
	return head->flags & ~command->flags ? -EOPNOTSUPP : 0;
}

/* Usually the program's structure has the known size: one constant copy. */
static __always_inline int ioctl_read_known(unsigned int nr,
					    const void __user *user, void *args,
					    const size_t known)
{
	const struct ioctl_command *command = &ioctl_commands[nr];
	const struct ioctl_head *head = args;

	if (copy_from_user(args, user, known) || head->size != known)
		return ioctl_read(command, user, args);
	return head->flags & ~command->flags ? -EOPNOTSUPP : 0;
}

/**
 * dmacpy_ioctl_read_submit() - read the structure of SUBMIT
 * @user: its address
 * @args: filled in; on success all of its flags are known
 *
 * Context: Process.
 * Return: 0, or as documented in the user interface.
 */
int dmacpy_ioctl_read_submit(const void __user *user,
			     struct dmacpy_submit *args)
{
	return ioctl_read_known(DMACPY_CMD_SUBMIT, user, args, sizeof(*args));
}

/**
 * dmacpy_ioctl() - run a command
 * @stream: the open file
 * @cmd: DMACPY_GET_INFO and so on
 * @arg: user pointer to the command's structure
 * @nonblock: do not wait until there is room for a job
 *
 * Context: Process.
 * Return: 0, or as documented in the user interface.
 */
long dmacpy_ioctl(struct dmacpy_stream *stream, unsigned int cmd,
		  unsigned long arg, bool nonblock)
{
	const struct ioctl_command *command = ioctl_find(cmd);
	void __user *user = (void __user *)arg;
	union ioctl_args args __uninitialized;	/* read in full before use */
	struct ioctl_call call;
	int ret;

	if (!command)
		return -ENOTTY;
	if (cmd == DMACPY_SUBMIT)
		ret = dmacpy_ioctl_read_submit(user, &args.submit);
	else if (cmd == DMACPY_RUN)
		ret = ioctl_read_known(DMACPY_CMD_RUN, user, &args.run,
				       sizeof(args.run));
	else if (cmd == DMACPY_ALLOC)
		ret = ioctl_read_known(DMACPY_CMD_ALLOC, user, &args.alloc,
				       sizeof(args.alloc));
	else
		ret = ioctl_read(command, user, &args);
	if (ret)
		return ret;

	call = (struct ioctl_call){
		.stream = stream,
		.user = user,
		.size = min_t(size_t, args.head.size, command->size),
		.nonblock = nonblock,
		.args = &args,
	};
	return command->run(&call);
}
