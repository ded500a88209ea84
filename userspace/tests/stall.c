// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program that is stopped in a page fault inside of a command, by its own
 * userfaultfd, without a limit: no other program may have to wait for it.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <linux/userfaultfd.h>

#include "kselftest_harness.h"
#include "common.h"
#include "engine.h"

#define LENGTH		(4 * KIB)	/* a page */
#define BOUND_MS	5000	/* allows for a busy host */

/* Contents of the page that faults: one of these is used. */
struct content {
	struct dmacpy_op op;
	struct dmacpy_get_info info;
	struct dmacpy_alloc alloc;
	struct dmacpy_import import;
	struct dmacpy_submit submit;
	struct dmacpy_event event;
};

FIXTURE(stall)
{
	struct instance instance;
	int stream, other;	/* on the same device */
	int fd, handle, others;	/* a buffer, with handles in both */
	struct content *content;
	struct content *page;	/* the same memory, but an access faults */
	int uffd;
	int (*run)(struct _test_data_stall *self);
	int result, unbound;
};

/* A command that accesses the page */
FIXTURE_VARIANT(stall)
{
	int (*run)(struct _test_data_stall *self);
	bool write;	/* the write faults, not the read */
	int result;	/* if the device is unbound */
};

static int submit_args(struct _test_data_stall *self)
{
	return command(self->stream, DMACPY_SUBMIT, &self->page->submit);
}

static int submit_ops(struct _test_data_stall *self)
{
	return submit(self->stream, &self->page->op, 1);
}

static int register_memory(struct _test_data_stall *self)
{
	return memory_register(self->stream, self->page, LENGTH, ACCESS_BOTH);
}

static int read_an_event(struct _test_data_stall *self)
{
	struct dmacpy_submit args = { .flags = DMACPY_SUBMIT_EVENT };

	return submit_with(self->stream, &self->content->op, 1, &args) ?:
	       read_event(self->stream, &self->page->event);
}

static int get_info(struct _test_data_stall *self)
{
	return command(self->stream, DMACPY_GET_INFO, &self->page->info);
}

static int alloc(struct _test_data_stall *self)
{
	return command(self->stream, DMACPY_ALLOC, &self->page->alloc);
}

static int import(struct _test_data_stall *self)
{
	return command(self->stream, DMACPY_IMPORT, &self->page->import);
}

/* The stopped command has submitted its job, or has failed. */
FIXTURE_VARIANT_ADD(stall, submit_args) { submit_args, false, -ENODEV };
FIXTURE_VARIANT_ADD(stall, submit_ops) { submit_ops, false, -ENODEV };
FIXTURE_VARIANT_ADD(stall, register) { register_memory, false, -ENODEV };
FIXTURE_VARIANT_ADD(stall, read) { read_an_event, true, 0 };
FIXTURE_VARIANT_ADD(stall, get_info) { get_info, true, 0 };
FIXTURE_VARIANT_ADD(stall, alloc) { alloc, true, 0 };
FIXTURE_VARIANT_ADD(stall, import) { import, true, 0 };
FIXTURE_VARIANT_ADD(stall, out_fence) { submit_args, true, -ENODEV };

static void fill_content(struct _test_data_stall *self)
{
	*self->content = (struct content){
		.op = {
			.opcode = DMACPY_OP_FILL,
			.dst = self->handle,
			.length = LENGTH,
		},
		.info.size = sizeof(struct dmacpy_get_info),
		.alloc = {
			.size = sizeof(struct dmacpy_alloc),
			.length = LENGTH,
			.fd_flags = O_RDWR,
		},
		.import = {
			.size = sizeof(struct dmacpy_import),
			.fd = self->fd,
			.access = ACCESS_BOTH,
		},
		.submit = {
			.size = sizeof(struct dmacpy_submit),
			.flags = DMACPY_SUBMIT_OUT_FENCE,
			.ops = (uintptr_t)&self->content->op,
			.op_count = 1,
			.op_size = sizeof(struct dmacpy_op),
		},
	};
}

/* Returns NULL, or the reason why it is not possible. */
static const char *watch_page(struct _test_data_stall *self, bool write)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = write ? UFFD_FEATURE_PAGEFAULT_FLAG_WP : 0,
	};
	struct uffdio_register range = {
		.range = { .start = (uintptr_t)self->page, .len = LENGTH },
		.mode = write ? UFFDIO_REGISTER_MODE_WP :
			UFFDIO_REGISTER_MODE_MISSING,
	};
	struct uffdio_writeprotect protect = {
		.range = range.range,
		.mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};

	self->uffd = syscall(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (self->uffd < 0)
		return "this kernel has no userfaultfd";
	if (ioctl(self->uffd, UFFDIO_API, &api) ||
	    ioctl(self->uffd, UFFDIO_REGISTER, &range))
		return "userfaultfd knows no write protection here";
	if (write && ioctl(self->uffd, UFFDIO_WRITEPROTECT, &protect))
		return "the page cannot be protected";
	return NULL;
}

/* Before Linux 6.3, a page that faults in a userfaultfd cannot be pinned. */
static bool can_pin_faulting(void)
{
	return kernel_is_at_least(6, 3);
}

/* Returns NULL, or the reason why it is not possible. */
static const char *set_up(struct __test_metadata *_metadata,
			  struct _test_data_stall *self, bool write)
{
	ASSERT_EQ(0, engine_find(&self->instance));
	ASSERT_TRUE(engine_reset());
	self->stream = stream_open(self->instance.node);
	self->other = stream_open(self->instance.node);
	self->fd = sram_alloc(self->stream, LENGTH);
	self->handle = dmabuf_import(self->stream, self->fd, ACCESS_BOTH);
	ASSERT_LT(0, self->handle);
	self->others = dmabuf_import(self->other, self->fd, ACCESS_BOTH);
	ASSERT_LT(0, self->others);
	self->content = memory_map(LENGTH);
	/* The page before it never faults. */
	self->page = (void *)((char *)memory_map(2 * LENGTH) + LENGTH);
	fill_content(self);
	if (write)
		memcpy(self->page, self->content, LENGTH);
	return watch_page(self, write);
}

FIXTURE_SETUP(stall)
{
	const char *reason;

	if (variant->run == register_memory && !can_pin_faulting())
		SKIP(return, "this kernel does not wait for memory to pin");
	reason = set_up(_metadata, self, variant->write);
	if (reason)
		SKIP(return, "%s", reason);
}

FIXTURE_TEARDOWN_PARENT(stall)
{
	EXPECT_TRUE(engine_reset());
	EXPECT_EQ(0, sram_leaked());
}

static void *run_command(void *arg)
{
	struct _test_data_stall *self = arg;

	self->result = self->run(self);
	return NULL;
}

/* Returns true if a thread is stopped at the page. */
static bool is_stopped(const struct _test_data_stall *self)
{
	struct uffd_msg message;

	return poll_for(self->uffd, POLLIN, BOUND_MS) == POLLIN &&
	       read(self->uffd, &message, sizeof(message)) == sizeof(message) &&
	       message.event == UFFD_EVENT_PAGEFAULT;
}

static int go_on(const struct _test_data_stall *self, bool write)
{
	struct uffdio_writeprotect allow = {
		.range = { .start = (uintptr_t)self->page, .len = LENGTH },
	};
	struct uffdio_copy copy = {
		.dst = (uintptr_t)self->page,
		.src = (uintptr_t)self->content,
		.len = LENGTH,
	};

	return write ? ioctl(self->uffd, UFFDIO_WRITEPROTECT, &allow) :
	       ioctl(self->uffd, UFFDIO_COPY, &copy);
}

static void *unbind_and_bind(void *arg)
{
	struct _test_data_stall *self = arg;

	self->unbound = instance_unbind(&self->instance) ?:
			instance_bind(&self->instance);
	return NULL;
}

static int join_in_time(pthread_t thread)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += BOUND_MS / 1000;
	return pthread_timedjoin_np(thread, NULL, &end);
}

/* Catches: a lock, or the gate, that is held while accessing user memory. */
TEST_F_TIMEOUT(stall, blocks_no_other_task, SLOW)
{
	pthread_t thread, unbind;
	bool in_time;

	self->run = variant->run;
	ASSERT_EQ(0, pthread_create(&thread, NULL, run_command, self));
	ASSERT_TRUE(is_stopped(self));
	EXPECT_EQ(0, fill(self->stream, self->handle, LENGTH, 1));
	EXPECT_EQ(0, fill(self->other, self->others, LENGTH, 2));

	ASSERT_EQ(0, pthread_create(&unbind, NULL, unbind_and_bind, self));
	in_time = !join_in_time(unbind);
	EXPECT_TRUE(in_time);
	EXPECT_EQ(-ENODEV, fill(self->stream, self->handle, LENGTH, 3));

	ASSERT_EQ(0, go_on(self, variant->write));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(variant->result, self->result);
	if (!in_time)
		pthread_join(unbind, NULL);
	EXPECT_EQ(0, self->unbound);
}

/* Two tasks that read from one stream, the first of which is stopped. */
FIXTURE(readers)
{
	struct _test_data_stall stall;
};

FIXTURE_SETUP(readers)
{
	const char *reason = set_up(_metadata, &self->stall, true);

	if (reason)
		SKIP(return, "%s", reason);
}

FIXTURE_TEARDOWN_PARENT(readers)
{
	EXPECT_TRUE(engine_reset());
	EXPECT_EQ(0, sram_leaked());
}

/* Reads two records, the second of which goes to the page. */
static int read_two(struct _test_data_stall *self)
{
	size_t size = sizeof(struct dmacpy_event);

	return read(self->stream, (char *)self->page - size, 2 * size);
}

static void *read_next(void *arg)
{
	const struct _test_data_stall *self = arg;

	return (void *)(intptr_t)read_event(self->stream,
					    &self->content->event);
}

/* Catches: a reader that is not woken when another puts a record back. */
TEST_F_TIMEOUT(readers, put_back_wakes_reader, SLOW)
{
	struct dmacpy_submit args = { .flags = DMACPY_SUBMIT_EVENT };
	struct _test_data_stall *stall = &self->stall;
	pthread_t first, next;
	int i;

	for (i = 0; i < 2; i++) {
		args.user_data = i;
		ASSERT_EQ(0, submit_with(stall->stream, &stall->content->op, 1,
					 &args));
	}
	ASSERT_EQ(0, fsync(stall->stream));
	stall->run = read_two;
	ASSERT_EQ(0, pthread_create(&first, NULL, run_command, stall));
	ASSERT_TRUE(is_stopped(stall));
	ASSERT_EQ(0, pthread_create(&next, NULL, read_next, stall));
	EXPECT_EQ(0, poll_for(stall->stream, POLLIN, 300));

	/* The first reader then fails to write to the page. */
	ASSERT_EQ(0, mprotect(stall->page, LENGTH, PROT_READ));
	ASSERT_EQ(0, go_on(stall, true));
	ASSERT_EQ(0, pthread_join(first, NULL));
	ASSERT_EQ(0, join_in_time(next));
	/* A copy that faults may have copied more than it reports. */
	EXPECT_EQ(stall->result > 0, stall->content->event.user_data);
}

TEST_HARNESS_MAIN
