// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random calls, from several processes with several threads: valid ones, and
 * ones with some bytes changed, while the driver is unbound and the fake engine
 * fails. One of the processes is of an unprivileged user, with low limits. The
 * test does not check the results of the calls, but each thread and each ring
 * has to terminate, all SRAM and pins have to be freed, and nothing may remain
 * charged to the user; the kernel's log and its checkers report other bugs.
 *
 * DMACPY_FUZZ_SECONDS, or else DMACPY_SECONDS, sets the duration; DMACPY_SEED
 * repeats the calls of each thread, though not their timing. stress checks
 * data, this test makes calls that no sane program would.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/sync_file.h>

#include "kselftest.h"
#include "common.h"
#include "engine.h"
#include "ring.h"

#define FAMILIES	3
#define THREADS		3
#define HANDLES		8	/* known handles per stream */
#define MAX_OPS		16
#define MAX_BATCH	6	/* requests per io_uring call */
#define PINNED		(64 * KIB)	/* maximum length to register */
#define SECONDS		60
#define DMA_API		"/sys/kernel/debug/dma-api"
#define GENERATION_MS	8000	/* approximate lifetime of a family */
#define END_MS		60000	/* limit after which a thread counts as hung */

#define USER		12345
/* The limits of the user; pinned memory and SRAM are in KiB. */
#define USER_PINNED	128
#define USER_SRAM	16
#define PARAMETER	"/sys/module/dmacpy/parameters/"

/* The usual kind of a file; any file may be used as any kind */
enum file_kind { STREAM, BUFFER, OTHER, KINDS };

#define EACH_KIND	6
#define SLOTS		(KINDS * EACH_KIND)

/* A handle, its DMACPY_ACCESS_* and the length of its buffer */
struct name {
	uint32_t handle, access;
	uint64_t length;
};

/*
 * Any thread closes any of the files, and replaces any of the names. Another
 * thread may then see a partial update, which is one more invalid argument.
 */
struct family {
	int files[SLOTS];	/* sorted by kind */
	struct name names[EACH_KIND][HANDLES];	/* names of the streams */
	int sockets[2];
	unsigned int end;	/* end time, from milliseconds() */
	bool has_heap;		/* see do_foreign() */
};

/* Number of jobs of all processes that were submitted, and that were started */
struct count {
	unsigned int jobs, started;
};

/* The last members are calls that a limit of the user has refused. */
struct statistics {
	struct count by_ioctl, by_ring;
	unsigned int streams, sram, pins;
};

struct fuzzer {
	struct family *family;
	struct statistics *statistics;
	uint32_t random;
	struct io_uring ring;
	bool has_ring;
	/* Memory that requests point to, separate for those of a batch */
	struct dmacpy_op ops[MAX_BATCH][MAX_OPS];
	struct dmacpy_submit submits[MAX_BATCH];
	unsigned int queued;
};

union args {
	uint8_t bytes[128];
	struct dmacpy_get_info info;
	struct dmacpy_alloc alloc;
	struct dmacpy_import import;
	struct dmacpy_register reg;
	struct dmacpy_release release;
	struct dmacpy_submit submit;
	struct dmacpy_sync sync;
	struct dmacpy_prepare prepare;
	struct dmacpy_run run;
};

static uint32_t draw(struct fuzzer *f, uint32_t below)
{
	f->random ^= f->random << 13;
	f->random ^= f->random >> 17;
	f->random ^= f->random << 5;
	return f->random % below;
}

static bool chance(struct fuzzer *f, uint32_t in)
{
	return !draw(f, in);
}

/* Returns a boundary value. */
static uint64_t odd_value(struct fuzzer *f)
{
	static const uint64_t values[] = {
		0, 1, 3, 4, 63, 64, 4095, 4096, 4097, 65536, 262144, 1 << 24,
		0x7fffffff, 0x80000000, 0xffffffff, 1ULL << 32, 1ULL << 63,
		-4096ULL, -1ULL,
	};

	return values[draw(f, sizeof(values) / sizeof(*values))] +
	       (chance(f, 4) ? draw(f, 9) - 4 : 0);
}

/* Changes some bytes: a bit, or a word to a boundary value. */
static void mutate(struct fuzzer *f, void *mem, size_t size)
{
	uint8_t *bytes = mem;
	uint64_t value;
	size_t at;

	do {
		at = draw(f, size);
		value = odd_value(f);
		if (chance(f, 2))
			bytes[at] ^= 1 << draw(f, 8);
		else if (at + sizeof(value) <= size)
			memcpy(bytes + at, &value, 1 << draw(f, 4));
	} while (chance(f, 2));
}

static int any_file(struct fuzzer *f)
{
	return f->family->files[draw(f, SLOTS)];
}

static int file(struct fuzzer *f, enum file_kind kind)
{
	unsigned int i = kind * EACH_KIND + draw(f, EACH_KIND);

	return chance(f, 16) ? any_file(f) : f->family->files[i];
}

/* Takes over the descriptor; another thread may have taken the slot as well. */
static void keep_at(struct fuzzer *f, unsigned int slot, int fd)
{
	int old;

	if (fd < 0)
		return;
	old = __atomic_exchange_n(&f->family->files[slot], fd,
				  __ATOMIC_RELAXED);
	if (old >= 0)
		close(old);
	if (slot / EACH_KIND == STREAM)
		memset(f->family->names[slot], 0, sizeof(f->family->names[0]));
}

static void store_file(struct fuzzer *f, enum file_kind kind, int fd)
{
	keep_at(f, kind * EACH_KIND + draw(f, EACH_KIND), fd);
}

static void count_refused(unsigned int *count, int ret)
{
	if (ret == -EDQUOT)
		__atomic_add_fetch(count, 1, __ATOMIC_RELAXED);
}

/* Returns the file that the names belong to, except in one of 16 cases. */
static int stream_file(struct fuzzer *f, unsigned int stream)
{
	return chance(f, 16) ? any_file(f) : f->family->files[stream];
}

/* Replaces another handle, which is released. */
static void replace_name(struct fuzzer *f, unsigned int stream, uint32_t handle,
			 uint32_t access, uint64_t length)
{
	struct name *name = &f->family->names[stream][draw(f, HANDLES)];

	if (name->handle)
		handle_release(f->family->files[stream], name->handle);
	*name = (struct name){ handle, access, length };
}

/* Returns a handle with this access, or 0. */
static uint32_t find_handle(struct fuzzer *f, unsigned int stream,
			    uint32_t access)
{
	const struct name *names = f->family->names[stream];
	unsigned int first = draw(f, HANDLES), i;
	struct name name;

	for (i = 0; i < HANDLES; i++) {
		name = names[(first + i) % HANDLES];
		if (name.access & access && name.length >= 4096)
			return name.handle;
	}
	return 0;
}

static uint64_t length(struct fuzzer *f)
{
	return chance(f, 8) ? odd_value(f) : 4096 * (1 + draw(f, 3));
}

static void open_at(struct fuzzer *f, unsigned int stream)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/dev/dmacpy%u", draw(f, 4));
	fd = open(path, O_RDWR | O_CLOEXEC | (chance(f, 2) ? O_NONBLOCK : 0));
	count_refused(&f->statistics->streams, fd < 0 ? -errno : 0);
	keep_at(f, stream, fd);
}

static void do_open(struct fuzzer *f)
{
	open_at(f, draw(f, EACH_KIND));
}

static void do_close(struct fuzzer *f)
{
	int fd = __atomic_exchange_n(&f->family->files[draw(f, SLOTS)], -1,
				     __ATOMIC_RELAXED);

	if (fd >= 0)
		close(fd);
}

static void do_dup(struct fuzzer *f)
{
	store_file(f, draw(f, KINDS), fcntl(any_file(f), F_DUPFD_CLOEXEC, 3));
}

/*
 * Imports memory of another driver, whose pages are anywhere. The system heap
 * syncs the mapping of each importer in the direction of the caller of
 * DMA_BUF_IOCTL_SYNC, which a checked DMA API reports as a fault.
 */
static void do_foreign(struct fuzzer *f)
{
	bool heap = chance(f, 2) && f->family->has_heap;
	int size = 4096 << draw(f, 4);

	store_file(f, BUFFER, heap ? system_heap_alloc(size) :
				     udmabuf_scattered(size));
}

static void do_alloc(struct fuzzer *f)
{
	union args args = { .alloc = {
		.size = sizeof(args.alloc),
		.length = length(f),
		.fd_flags = O_RDWR | O_CLOEXEC,
	} };
	int ret;

	if (chance(f, 8))
		mutate(f, &args, sizeof(args.alloc));
	ret = command(file(f, STREAM), DMACPY_ALLOC, &args);
	count_refused(&f->statistics->sram, ret);
	if (!ret)
		store_file(f, BUFFER, args.alloc.fd);
}

static int import_to(struct fuzzer *f, unsigned int stream)
{
	union args args = { .import = {
		.size = sizeof(args.import),
		.fd = file(f, BUFFER),
		.access = 3 - chance(f, 4) - chance(f, 4),
	} };
	int ret;

	if (chance(f, 8))
		mutate(f, &args, sizeof(args.import));
	ret = command(stream_file(f, stream), DMACPY_IMPORT, &args);
	if (!ret)
		replace_name(f, stream, args.import.handle, args.import.access,
			     args.import.length);
	return ret;
}

static void do_import(struct fuzzer *f)
{
	import_to(f, draw(f, EACH_KIND));
}

/*
 * Registers new memory each time: memory that is registered twice must not be
 * copied to or from, see memory_register(). The memory is unmapped, or
 * protected, while it is registered, usually at once.
 */
static int register_to(struct fuzzer *f, unsigned int stream)
{
	uint8_t *mem = memory_map(2 * PINNED);
	union args args = { .reg = {
		.size = sizeof(args.reg),
		.flags = chance(f, 4) ? DMACPY_REGISTER_EXPLICIT_SYNC : 0,
		.addr = (uintptr_t)mem + 64 * draw(f, 4096 / 64) +
			(chance(f, 16) ? draw(f, 64) : 0),
		.length = length(f) % PINNED,
		.access = 3 - chance(f, 4) - chance(f, 4),
	} };
	int ret;

	if (!mem)
		return -ENOMEM;
	if (chance(f, 8))
		mprotect(mem + 4096 * draw(f, 4), 4096, draw(f, 4));

	/* Keeps the address: the engine could overwrite the test's memory. */
	if (chance(f, 8))
		mutate(f, &args, offsetof(struct dmacpy_register, addr));
	ret = command(stream_file(f, stream), DMACPY_REGISTER, &args);
	count_refused(&f->statistics->pins, ret);
	if (!ret)
		replace_name(f, stream, args.reg.handle, args.reg.access,
			     args.reg.length);
	if (chance(f, 4))
		madvise(mem, 2 * PINNED, MADV_DONTNEED);
	munmap(mem, 2 * PINNED);
	return ret;
}

static void do_register(struct fuzzer *f)
{
	register_to(f, draw(f, EACH_KIND));
}

/* A file that is closed, unbound, or not a stream never accepts a job. */
static void replace(struct fuzzer *f, unsigned int stream, int ret)
{
	if (ret == -EBADF || ret == -ENODEV || ret == -ENOTTY)
		open_at(f, stream);
}

/* A new stream has no handles, and would refuse all jobs. */
static void add_handles(struct fuzzer *f, unsigned int stream)
{
	int tries;

	for (tries = 0; tries < 6; tries++) {
		if (find_handle(f, stream, DMACPY_ACCESS_READ) &&
		    find_handle(f, stream, DMACPY_ACCESS_WRITE))
			break;
		replace(f, stream, chance(f, 2) ? import_to(f, stream) :
						  register_to(f, stream));
	}
}

static void do_release(struct fuzzer *f)
{
	unsigned int stream = draw(f, EACH_KIND);

	handle_release(stream_file(f, stream), draw(f, 2 * HANDLES));
}

/* The range is within the first page, and does not overlap itself. */
static void make_op(struct fuzzer *f, unsigned int stream, struct dmacpy_op *op)
{
	*op = (struct dmacpy_op){
		.opcode = draw(f, 3),
		.dst = find_handle(f, stream, DMACPY_ACCESS_WRITE),
		.dst_offset = 64 * draw(f, 16),
		.length = 64 * (1 + draw(f, 16)),
	};
	if (op->opcode == DMACPY_OP_FILL) {
		op->pattern = f->random;
	} else {
		op->src = find_handle(f, stream, DMACPY_ACCESS_READ);
		op->src_offset = 2048 + 64 * draw(f, 8);
	}
	if (op->opcode == DMACPY_OP_COPY_2D) {
		op->rows = 1 + draw(f, 4);
		op->length = 64 * (1 + draw(f, 2));
		op->dst_stride = op->length + 64 * draw(f, 2);
		op->src_stride = 64 * draw(f, 4);
	}
}

/* Makes an operation invalid, too long, unaligned, or of any handle. */
static void spoil_op(struct fuzzer *f, struct dmacpy_op *op)
{
	switch (draw(f, 4)) {
	case 0:
		op->length = length(f);
		break;
	case 1:
		op->src_offset += draw(f, 64);
		break;
	case 2:
		op->dst = draw(f, 2 * HANDLES);
		break;
	default:
		mutate(f, op, sizeof(*op));
	}
}

/* Builds a job that the stream can run; one in some is invalid. */
static void make_submit(struct fuzzer *f, unsigned int stream,
			struct dmacpy_submit *submit, struct dmacpy_op *ops,
			uint32_t flags)
{
	uint32_t i;

	add_handles(f, stream);
	*submit = (struct dmacpy_submit){
		.size = chance(f, 4) ? offsetof(struct dmacpy_submit,
						refused_op) : sizeof(*submit),
		.flags = draw(f, 128) & flags,
		.ops = (uintptr_t)ops,
		.op_count = 1 + draw(f, chance(f, 4) ? MAX_OPS : 1),
		.op_size = sizeof(*ops),
		.user_data = f->random,
	};
	for (i = 0; i < submit->op_count; i++)
		make_op(f, stream, &ops[i]);
	if (chance(f, 8))
		spoil_op(f, &ops[draw(f, submit->op_count)]);
	if (!chance(f, 4))
		submit->flags &= ~DMACPY_SUBMIT_IN_FENCE;
	if (submit->flags & DMACPY_SUBMIT_IN_FENCE)
		submit->in_fence = file(f, OTHER);
	if (!chance(f, 4))
		submit->flags &= ~DMACPY_SUBMIT_SPREAD;
	if (submit->flags & DMACPY_SUBMIT_SPREAD)
		submit->channels = 1 + draw(f, 8);
	if (chance(f, 16))
		mutate(f, submit, sizeof(*submit));
}

/* Returns true for the result of a job, false for a refusal. */
static bool is_result(int ret)
{
	return !ret || ret == -EIO || ret == -ETIMEDOUT || ret == -ECANCELED;
}

static void count_job(struct count *count, bool started)
{
	__atomic_add_fetch(&count->jobs, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&count->started, started, __ATOMIC_RELAXED);
}

static void do_submit(struct fuzzer *f)
{
	unsigned int stream = draw(f, EACH_KIND);
	struct dmacpy_op ops[MAX_OPS];
	struct dmacpy_submit submit;
	int ret;

	make_submit(f, stream, &submit, ops, ~0U);
	submit.out_fence = -1;
	ret = command(stream_file(f, stream), DMACPY_SUBMIT, &submit);
	count_job(&f->statistics->by_ioctl, is_result(ret));
	/* A job that was started and has failed has a fence, too. */
	store_file(f, OTHER, submit.out_fence);
	replace(f, stream, ret);
}

/* Syncs registered memory, which may be in use, or be synced by jobs. */
static void do_sync_memory(struct fuzzer *f)
{
	unsigned int stream = draw(f, EACH_KIND);
	struct dmacpy_sync_range ranges[4];
	union args args = { .sync = {
		.size = sizeof(args.sync),
		.flags = 1 + draw(f, 2),
		.ranges = (uintptr_t)ranges,
		.range_count = 1 + draw(f, 4),
		.range_size = sizeof(*ranges),
	} };
	unsigned int i;

	for (i = 0; i < 4; i++)
		ranges[i] = (struct dmacpy_sync_range){
			.handle = find_handle(f, stream, 1 + draw(f, 3)),
			.offset = 64 * draw(f, 32),
			.length = 64 * (1 + draw(f, 32)),
		};
	if (chance(f, 4))
		mutate(f, ranges, sizeof(ranges));
	if (chance(f, 8))
		mutate(f, &args, sizeof(args.sync));
	command(stream_file(f, stream), DMACPY_SYNC, &args);
}

/* Returns one of the first handles, which are prepared and released often. */
static uint32_t any_prepared(struct fuzzer *f)
{
	return 16385 + draw(f, 8) - chance(f, 32);
}

static void do_prepare(struct fuzzer *f)
{
	unsigned int stream = draw(f, EACH_KIND);
	struct dmacpy_op ops[MAX_OPS];
	struct dmacpy_submit submit;
	union args args;

	make_submit(f, stream, &submit, ops, 0);
	args.prepare = (struct dmacpy_prepare){
		.size = sizeof(args.prepare),
		.ops = submit.ops,
		.op_count = submit.op_count,
		.op_size = submit.op_size,
	};
	if (chance(f, 16))
		mutate(f, &args, sizeof(args.prepare));
	replace(f, stream, command(stream_file(f, stream), DMACPY_PREPARE,
				   &args));
	if (chance(f, 2))
		handle_release(stream_file(f, stream), any_prepared(f));
}

static void do_run(struct fuzzer *f)
{
	unsigned int stream = draw(f, EACH_KIND), i;
	struct dmacpy_run_job jobs[MAX_BATCH];
	union args args = { .run = {
		.size = sizeof(args.run),
		.flags = draw(f, 64),
		.jobs = (uintptr_t)jobs,
		.job_count = 1 + draw(f, chance(f, 4) ? MAX_BATCH : 1),
		.job_size = sizeof(*jobs),
		.out_fence = -1,
	} };
	int ret;

	for (i = 0; i < MAX_BATCH; i++)
		jobs[i] = (struct dmacpy_run_job){
			.handle = any_prepared(f),
			.user_data = f->random,
		};
	if (!chance(f, 4))
		args.run.flags &= ~DMACPY_SUBMIT_IN_FENCE;
	if (args.run.flags & DMACPY_SUBMIT_IN_FENCE)
		args.run.in_fence = file(f, OTHER);
	if (chance(f, 16))
		mutate(f, &args, sizeof(args.run));
	ret = command(stream_file(f, stream), DMACPY_RUN, &args);
	count_job(&f->statistics->by_ioctl, ret > 0 || is_result(ret));
	store_file(f, OTHER, args.run.out_fence);
}

/* Issues any command with random bytes. */
static void do_random_ioctl(struct fuzzer *f)
{
	uint8_t *mem = memory_map(PINNED);
	union args args;
	size_t i;

	for (i = 0; i < sizeof(args); i++)
		args.bytes[i] = chance(f, 2) ? 0 : draw(f, 256);
	args.info.size = chance(f, 2) ? 8 * draw(f, 16) : odd_value(f);
	/* A random address could be that of the test's own memory. */
	args.reg.addr = (uintptr_t)mem;
	command(file(f, STREAM), _IO(DMACPY_TYPE, draw(f, 10)),
		chance(f, 16) ? (void *)(uintptr_t)odd_value(f) : &args);
	if (mem)
		munmap(mem, PINNED);
}

static void do_read(struct fuzzer *f)
{
	struct dmacpy_event events[16];
	int fd = file(f, STREAM);

	/* A read without a record would block for ever. */
	if (poll_for(fd, POLLIN, 0) & POLLIN)
		if (read(fd, events, draw(f, sizeof(events))) < 0)
			return;
}

static void do_fsync(struct fuzzer *f)
{
	fsync(file(f, STREAM));
}

static void do_poll(struct fuzzer *f)
{
	poll_for(any_file(f), POLLIN | POLLOUT, draw(f, 3));
}

/* Reads fdinfo of a file that another thread may be closing. */
static void do_show(struct fuzzer *f)
{
	char path[64], text[1024];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", any_file(f));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	/* Threads also close numbers that were theirs before. */
	if (read(fd, text, sizeof(text)) >= 0 || errno != EBADF)
		close(fd);
}

/* Accesses by the kernel: revoked memory is an error, and not a signal. */
static void do_map(struct fuzzer *f)
{
	size_t size = 4096 * (1 + draw(f, 3));
	int pipes[2];
	void *mem;

	mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
		   chance(f, 8) ? MAP_PRIVATE : MAP_SHARED, file(f, BUFFER),
		   4096 * draw(f, 2));
	if (mem == MAP_FAILED)
		return;
	if (!pipe2(pipes, O_CLOEXEC | O_NONBLOCK)) {
		if (write(pipes[1], mem, draw(f, size)) > 0 &&
		    read(pipes[0], mem, draw(f, size)) < 0)
			errno = 0;
		close(pipes[0]);
		close(pipes[1]);
	}
	munmap(mem, size);
}

static void do_sync(struct fuzzer *f)
{
	dmabuf_sync(file(f, BUFFER), draw(f, 8));
}

static void do_fence(struct fuzzer *f)
{
	struct dma_buf_export_sync_file export = { .flags = 1 + draw(f, 3) };
	struct dma_buf_import_sync_file import = {
		.flags = 1 + draw(f, 3),
		.fd = file(f, OTHER),
	};
	struct sync_merge_data merge = { .fd2 = file(f, OTHER) };
	int buffer = file(f, BUFFER);

	switch (draw(f, 3)) {
	case 0:
		if (!command(buffer, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &export))
			store_file(f, OTHER, export.fd);
		break;
	case 1:
		command(buffer, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &import);
		break;
	default:
		if (!command(file(f, OTHER), SYNC_IOC_MERGE, &merge))
			store_file(f, OTHER, merge.fence);
	}
}

union fd_message {
	char room[CMSG_SPACE(sizeof(int))];
	struct cmsghdr head;
};

/* Passes a file through a socket, which may be closed with files in it. */
static void do_pass(struct fuzzer *f)
{
	union fd_message control = { };
	char byte = 0;
	struct iovec data = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	int fd = any_file(f);

	if (chance(f, 2)) {
		control.head = (struct cmsghdr){
			.cmsg_len = CMSG_LEN(sizeof(int)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
		};
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
		sendmsg(f->family->sockets[0], &message, MSG_DONTWAIT);
	} else if (recvmsg(f->family->sockets[1], &message, MSG_DONTWAIT |
			   MSG_CMSG_CLOEXEC) > 0 && message.msg_controllen) {
		memcpy(&fd, CMSG_DATA(&control.head), sizeof(fd));
		store_file(f, draw(f, KINDS), fd);
	}
}

static void do_some(struct fuzzer *f, unsigned int count);

/* Forks a child with all files, which is killed or exits shortly after. */
static void do_fork(struct fuzzer *f)
{
	pid_t child = fork();

	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		f->has_ring = false;
		do_some(f, 20);
		_exit(0);
	}
	if (chance(f, 2))
		kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

/*
 * Returns false if the ring stays open: Linux 6.12 with lockdep warns of
 * cancellations in a ring of this kind, unless its task exits as well.
 */
static bool end_ring(struct fuzzer *f)
{
	if (!f->has_ring)
		return true;
	if (f->ring.flags & IORING_SETUP_DEFER_TASKRUN)
		return false;
	io_uring_queue_exit(&f->ring);
	f->has_ring = false;
	return true;
}

static void do_ring(struct fuzzer *f)
{
	static const unsigned int flags[] = {
		0, IORING_SETUP_SQE128,
		IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
		IORING_SETUP_SQPOLL,
		IORING_SETUP_IOPOLL,
		IORING_SETUP_IOPOLL | IORING_SETUP_SQPOLL,
	};
	unsigned int kind = draw(f, sizeof(flags) / sizeof(*flags));

	if (!end_ring(f))
		return;
	f->has_ring = !io_uring_queue_init(16, &f->ring, flags[kind]);
	if (f->has_ring && chance(f, 2))
		io_uring_register_files(&f->ring, f->family->files, SLOTS);
}

static void prepare_request(struct fuzzer *f, struct io_uring_sqe *sqe)
{
	unsigned int i = f->queued++ % MAX_BATCH;
	struct dmacpy_submit *submit = &f->submits[i];
	struct dmacpy_submit_pointer pointer = {
		.submit = (uintptr_t)submit,
	};
	bool inline_args = f->ring.flags & IORING_SETUP_SQE128;
	unsigned int stream = draw(f, EACH_KIND);

	make_submit(f, stream, submit, f->ops[i], DMACPY_SUBMIT_IN_FENCE |
		    DMACPY_SUBMIT_NO_IMPLICIT | DMACPY_SUBMIT_SPREAD);
	io_uring_prep_rw(IORING_OP_URING_CMD, sqe, stream_file(f, stream), NULL,
			 0, 0);
	sqe->cmd_op = DMACPY_SUBMIT;
	if (inline_args)
		memcpy(sqe->cmd, submit, sizeof(*submit));
	else
		memcpy(sqe->cmd, &pointer, sizeof(pointer));
}

static void prepare_run(struct fuzzer *f, struct io_uring_sqe *sqe)
{
	struct dmacpy_run_command run = {
		.handle = any_prepared(f),
		.flags = chance(f, 2) ? DMACPY_SUBMIT_NO_IMPLICIT : 0,
	};

	if (chance(f, 4)) {
		run.flags |= DMACPY_SUBMIT_IN_FENCE;
		run.in_fence = file(f, OTHER);
	}
	if (chance(f, 16))
		mutate(f, &run, sizeof(run));
	io_uring_prep_rw(IORING_OP_URING_CMD, sqe,
			 stream_file(f, draw(f, EACH_KIND)), NULL, 0, 0);
	sqe->cmd_op = DMACPY_RUN;
	memcpy(sqe->cmd, &run, sizeof(run));
}

/* Jobs have numbers from here on, other requests lower ones. */
#define REQUESTS	8

static void queue_request(struct fuzzer *f)
{
	static struct __kernel_timespec soon = { .tv_nsec = 1000000 };
	struct io_uring_sqe *sqe = io_uring_get_sqe(&f->ring);
	unsigned int number = draw(f, REQUESTS);

	if (!sqe)
		return;
	switch (draw(f, 8)) {
	case 0:
		io_uring_prep_cancel64(sqe, draw(f, 2 * REQUESTS), draw(f, 4));
		break;
	case 1:
		io_uring_prep_poll_add(sqe, any_file(f), POLLIN | POLLOUT);
		break;
	case 2:
		io_uring_prep_timeout(sqe, &soon, 0, 0);
		break;
	case 3:
		prepare_run(f, sqe);
		number += REQUESTS;
		break;
	default:
		prepare_request(f, sqe);
		number += REQUESTS;
	}
	sqe->user_data = number;
	if (chance(f, 4))
		sqe->flags |= 1 << draw(f, 6);
	if (sqe->flags & IOSQE_FIXED_FILE)
		sqe->fd = draw(f, EACH_KIND);
}

static void do_requests(struct fuzzer *f)
{
	struct io_uring_cqe *cqe;
	unsigned int count = 1 + draw(f, MAX_BATCH);
	bool started;

	if (!f->has_ring)
		do_ring(f);
	if (!f->has_ring)
		return;
	while (count--)
		queue_request(f);
	io_uring_submit(&f->ring);
	while (!io_uring_peek_cqe(&f->ring, &cqe)) {
		/* A cancelled request may not have been started. */
		started = is_result(cqe->res) && cqe->res != -ECANCELED;
		if (cqe->user_data >= REQUESTS)
			count_job(&f->statistics->by_ring, started);
		io_uring_cqe_seen(&f->ring, cqe);
	}
}

/* Relative frequencies of the calls */
static const struct {
	void (*run)(struct fuzzer *f);
	unsigned int weight;
} actions[] = {
	{ do_open, 3 }, { do_close, 1 }, { do_dup, 1 }, { do_foreign, 2 },
	{ do_alloc, 3 }, { do_import, 20 }, { do_register, 12 },
	{ do_release, 3 }, { do_submit, 60 }, { do_random_ioctl, 4 },
	{ do_prepare, 8 }, { do_run, 20 },
	{ do_read, 6 }, { do_fsync, 2 }, { do_poll, 2 }, { do_show, 2 },
	{ do_map, 3 }, { do_sync, 2 }, { do_fence, 4 }, { do_pass, 2 },
	{ do_fork, 1 }, { do_ring, 1 }, { do_requests, 12 },
	{ do_sync_memory, 12 },
};

#define ACTIONS	(sizeof(actions) / sizeof(*actions))

static void do_some(struct fuzzer *f, unsigned int count)
{
	unsigned int total = 0, at, i;

	for (i = 0; i < ACTIONS; i++)
		total += actions[i].weight;
	while (count-- && milliseconds() < f->family->end) {
		at = draw(f, total);
		for (i = 0; at >= actions[i].weight; i++)
			at -= actions[i].weight;
		actions[i].run(f);
	}
}

static void *run_thread(void *arg)
{
	struct fuzzer *f = arg;

	do_some(f, ~0U);
	end_ring(f);
	return NULL;
}

static void interrupt(int number)
{
}

/* A thread may wait for a record that never comes: only a signal ends that. */
static void end_thread(pthread_t thread)
{
	while (pthread_tryjoin_np(thread, NULL)) {
		pthread_kill(thread, SIGUSR1);
		usleep(10 * 1000);
	}
}

/* Keeps no capability except that to open any file, and lowers the limits. */
static bool become_user(void)
{
	const struct rlimit limit = { USER_PINNED * KIB, USER_PINNED * KIB };
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { };

	data[0].effective = 1 << CAP_DAC_OVERRIDE;
	data[0].permitted = data[0].effective;
	return !setrlimit(RLIMIT_MEMLOCK, &limit) &&
	       !prctl(PR_SET_KEEPCAPS, 1) && !setresgid(USER, USER, USER) &&
	       !setresuid(USER, USER, USER) &&
	       !syscall(SYS_capset, &header, data);
}

/* Runs a process with threads, which terminates by itself. */
static void run_family(uint32_t seed, bool privileged,
		       struct statistics *statistics)
{
	const struct sigaction action = { .sa_handler = interrupt };
	static struct fuzzer fuzzers[THREADS];
	struct family family = {
		.end = milliseconds() + GENERATION_MS,
		/* Before become_user(): that user cannot look into debugfs. */
		.has_heap = access(DMA_API, F_OK),
	};
	pthread_t threads[THREADS];
	unsigned int i;

	if (!privileged && !become_user())
		_exit(1);
	/* A change of the user clears this. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGUSR1, &action, NULL);
	memset(family.files, -1, sizeof(family.files));
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, family.sockets))
		_exit(1);
	for (i = 0; i < THREADS; i++) {
		fuzzers[i].family = &family;
		fuzzers[i].statistics = statistics;
		fuzzers[i].random = (seed + 1) * 0x9e3779b1 + i * 0x85ebca6b;
		fuzzers[i].random = fuzzers[i].random ?: 1;
		pthread_create(&threads[i], NULL, run_thread, &fuzzers[i]);
	}
	usleep(1000 * GENERATION_MS);
	for (i = 0; i < THREADS; i++)
		end_thread(threads[i]);
	_exit(0);
}

/* Shows where the threads of a process that does not terminate are. */
static void show_threads(pid_t pid)
{
	char line[256], command[96];
	FILE *stacks;

	snprintf(command, sizeof(command), "cat /proc/%d/task/*/stack", pid);
	stacks = popen(command, "r");
	while (stacks && fgets(line, sizeof(line), stacks))
		printf("# %s", line);
	if (stacks)
		pclose(stacks);
}

static bool wait_for_end(pid_t pid)
{
	unsigned int start = milliseconds();

	while (!waitpid(pid, NULL, WNOHANG)) {
		if (milliseconds() - start > END_MS) {
			show_threads(pid);
			return false;
		}
		usleep(10 * 1000);
	}
	return true;
}

/* Causes failures around the fuzzers. */
static void disturb(struct fuzzer *f, struct instance *instance)
{
	const char *knob = engine_knobs[draw(f, engine_knob_count)];

	usleep(1000 * (20 + draw(f, 200)));
	if (chance(f, 3)) {
		instance_unbind(instance);
		/* The driver refuses to bind an engine that does not copy. */
		engine_behave();
		instance_bind(instance);
	} else if (chance(f, 2)) {
		engine_behave();
	} else {
		engine_set(knob, 1 + draw(f, 3));
	}
}

static bool run_all(uint32_t seed, unsigned int seconds,
		    struct instance *instance, struct statistics *statistics)
{
	unsigned int end = milliseconds() + 1000 * seconds;
	struct fuzzer around = { .random = seed ?: 1 };
	unsigned int generation, i;
	pid_t pids[FAMILIES];
	bool ended = true;

	for (generation = 0; ended && milliseconds() < end; generation++) {
		unsigned int until = milliseconds() + GENERATION_MS;

		for (i = 0; i < FAMILIES; i++) {
			pids[i] = fork();
			if (!pids[i])
				run_family(seed + generation * FAMILIES + i, i,
					   statistics);
		}
		while (milliseconds() < until)
			disturb(&around, instance);
		/* Kill some of them, at any time. */
		if (generation % 2)
			kill(pids[draw(&around, FAMILIES)], SIGKILL);
		engine_behave();
		for (i = 0; i < FAMILIES; i++)
			ended &= wait_for_end(pids[i]);
	}
	ksft_print_msg("%u generations\n", generation);
	return ended;
}

/* Usually more than half start; on a busy host channels recover often. */
static bool many_started(const char *how, const struct count *count)
{
	ksft_print_msg("%u of %u jobs by %s were started\n", count->started,
		       count->jobs, how);
	return count->started > count->jobs / 10;
}

/* A channel may still be recovering: a busy host delays any engine. */
static bool works(const char *device)
{
	int stream = stream_open(device), fd = sram_alloc(stream, 4096);
	int handle = dmabuf_import(stream, fd, ACCESS_BOTH), tries, ret;

	for (tries = 0; (ret = fill(stream, handle, 4096, 1)) && tries < 1000;
	     tries++)
		usleep(10 * 1000);
	if (ret)
		ksft_print_msg("%s: %s\n", device, strerror(-ret));
	close(fd);
	close(stream);
	return !ret;
}

static bool wait_all_working(const struct instance *fake)
{
	struct instance found = *fake;
	bool all = true;
	glob_t devices;
	size_t i;

	/* The engine may have been too late, on a busy host, to be bound. */
	instance_bind(&found);
	if (instance_find_node(&found)) {
		ksft_print_msg("%s is not bound\n", fake->name);
		return false;
	}
	if (glob("/dev/dmacpy[0-9]*", 0, NULL, &devices))
		return false;
	for (i = 0; i < devices.gl_pathc; i++)
		all &= works(devices.gl_pathv[i]);
	globfree(&devices);
	return all;
}

static bool were_refused(const struct statistics *statistics)
{
	ksft_print_msg("limits refused %u streams, %u buffers, %u pins\n",
		       statistics->streams, statistics->sram, statistics->pins);
	return statistics->sram && statistics->pins;
}

/*
 * Returns true if the user gets exactly what the limits allow, except for
 * the stream that main() has opened for it.
 */
static bool user_has_limits(void)
{
	unsigned int limit = get_number(PARAMETER "max_user_streams"), count;
	int stream = stream_open(DEVICE), buffer, pinned;

	buffer = sram_alloc(stream, USER_SRAM * KIB);
	pinned = memory_register(stream, memory_map(USER_PINNED * KIB),
				 USER_PINNED * KIB, ACCESS_BOTH);
	if (buffer < 0 || pinned < 0)
		return false;
	if (sram_alloc(stream, 1) != -EDQUOT ||
	    memory_register(stream, memory_map(1), 1, ACCESS_BOTH) != -EDQUOT)
		return false;
	for (count = 2; stream_open(DEVICE) >= 0; count++)
		if (count > limit)
			return false;
	return count == limit;
}

/* The last jobs, and what they use, may be freed a moment later. */
static bool nothing_is_charged(void)
{
	int tries, status = -1;
	pid_t child;

	for (tries = 0; tries < 1000; tries++) {
		child = fork();
		if (!child)
			_exit(!become_user() || !user_has_limits());
		if (waitpid(child, &status, 0) == child && !status)
			return true;
		usleep(10 * 1000);
	}
	return false;
}

/* On a 64-bit kernel the 64-bit program makes the same calls for longer. */
static unsigned int default_seconds(void)
{
	return sizeof(long) < 8 && kernel_has_64_bits() ?
	       GENERATION_MS / 1000 : SECONDS;
}

int main(void)
{
	unsigned int seconds = environment("DMACPY_FUZZ_SECONDS",
					   environment("DMACPY_SECONDS",
						       default_seconds()));
	uint32_t seed = environment("DMACPY_SEED", 1);
	struct statistics *statistics;
	struct instance instance;
	long pinned, tries;

	ksft_print_header();
	ksft_set_plan(7);
	if (engine_find(&instance))
		ksft_exit_skip("no instance on the fake DMA engine\n");
	printf("# DMACPY_SEED=%u\n", seed);
	fflush(stdout);
	engine_reset();
	set_number(TIMEOUT, 50);
	set_number(DEPENDENCY_TIMEOUT, 100);
	/* An open stream keeps what is charged to its user. */
	if (open_as(DEVICE, USER) < 0 ||
	    !set_number(PARAMETER "sram_quota_kib", USER_SRAM))
		ksft_exit_fail_msg("cannot set the limits of the user\n");
	pinned = pinned_pages();
	statistics = mmap(NULL, sizeof(*statistics), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (statistics == MAP_FAILED)
		ksft_exit_fail_msg("no memory\n");

	ksft_test_result(run_all(seed, seconds, &instance, statistics),
			 "all threads end\n");
	/* Otherwise nearly all calls were refused, and tested little. */
	ksft_test_result(many_started("ioctl", &statistics->by_ioctl) &
			 many_started("io_uring", &statistics->by_ring),
			 "many jobs are started\n");
	ksft_test_result(were_refused(statistics), "limits are reached\n");
	ksft_test_result(engine_reset() && wait_all_working(&instance),
			 "all engines work\n");
	ksft_test_result(nothing_is_charged(), "nothing is charged\n");
	set_number(PARAMETER "sram_quota_kib", 0);
	ksft_test_result(!sram_leaked(), "all SRAM is free\n");
	/* Pages of tests before this one may have been pinned when it began. */
	for (tries = 0; pinned_pages() > pinned && tries < 1000; tries++)
		usleep(10 * 1000);
	ksft_test_result(pinned_pages() <= pinned, "no page is pinned\n");
	ksft_finished();
}
