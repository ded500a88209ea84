// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Prepared jobs: operations that the kernel has checked, and runs many times.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "internal.h"

/**
 * struct dmacpy_prepared - operations that the kernel has checked
 * @stream: the stream that runs them
 * @handle: the kernel's handle
 */
struct dmacpy_prepared {
	struct dmacpy_stream *stream;
	uint32_t handle;
};

DMACPY_API int dmacpy_job_prepare(struct dmacpy_job *job,
				  struct dmacpy_prepared **prepared)
{
	struct dmacpy_prepare args = {
		.size = sizeof(args),
		.ops = (uintptr_t)job->ops,
		.op_count = job->count,
		.op_size = sizeof(*job->ops),
	};
	struct dmacpy_prepared *new;
	int ret;

	new = malloc(sizeof(*new));
	if (!new)
		return -ENOMEM;

	ret = dmacpy_ioctl(job->stream->fd, DMACPY_PREPARE, &args);
	job->refused_op = ret ? args.refused_op : 0;
	if (ret) {
		free(new);
		return ret;
	}

	new->stream = job->stream;
	new->handle = args.handle;
	*prepared = new;
	return 0;
}

DMACPY_API void dmacpy_prepared_free(struct dmacpy_prepared *prepared)
{
	struct dmacpy_release release = { .size = sizeof(release) };

	if (!prepared)
		return;

	release.handle = prepared->handle;
	dmacpy_ioctl(prepared->stream->fd, DMACPY_RELEASE, &release);
	free(prepared);
}

DMACPY_API uint32_t
dmacpy_prepared_handle(const struct dmacpy_prepared *prepared)
{
	return prepared->handle;
}

/*
 * Returns the number of jobs that were started, or the negative errno of the
 * first.
 */
static int prepared_ioctl(int fd, struct dmacpy_run *args)
{
	int ret = ioctl(fd, DMACPY_RUN, args);

	return ret < 0 ? -errno : ret;
}

DMACPY_API int dmacpy_prepared_submit(struct dmacpy_prepared *prepared,
				      uint64_t user_data,
				      struct dmacpy_run *how)
{
	struct dmacpy_run_job job = {
		.handle = prepared->handle,
		.user_data = user_data,
	};
	int ret;

	how->jobs = (uintptr_t)&job;
	how->job_count = 1;
	how->job_size = sizeof(job);
	ret = prepared_ioctl(prepared->stream->fd, how);
	dmacpy_stream_note_submit(prepared->stream, how->flags, ret < 0);
	how->jobs = 0;
	how->job_count = 0;

	return ret < 0 ? ret : 0;
}

DMACPY_API int dmacpy_prepared_run(struct dmacpy_prepared *prepared)
{
	struct dmacpy_run how = {
		.size = sizeof(how),
		.flags = DMACPY_SUBMIT_WAIT,
	};

	return dmacpy_prepared_submit(prepared, 0, &how);
}

DMACPY_API int dmacpy_stream_run(struct dmacpy_stream *stream,
				 const struct dmacpy_run_job *jobs,
				 uint32_t count, uint32_t flags)
{
	struct dmacpy_run args = {
		.size = sizeof(args),
		.flags = flags,
		.jobs = (uintptr_t)jobs,
		.job_count = count,
		.job_size = sizeof(*jobs),
	};
	int ret;

	ret = prepared_ioctl(stream->fd, &args);
	dmacpy_stream_note_submit(stream, flags, ret < 0);

	return ret;
}
