// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every command with every kind of invalid argument: the error is the one that
 * the ABI promises, memory outside of the program's structure stays unchanged,
 * and nothing is leaked.
 */
#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "kselftest_harness.h"
#include "common.h"

#define LENGTH		(16 * KIB)	/* per buffer */
#define MAX_OPS		1024

/* Handles of the fixture; NONE and BOGUS are invalid. */
#define SUBMIT_FLAGS	(DMACPY_SUBMIT_WAIT | DMACPY_SUBMIT_OUT_FENCE |	\
			 DMACPY_SUBMIT_IN_FENCE | DMACPY_SUBMIT_EVENT |	\
			 DMACPY_SUBMIT_NO_IMPLICIT | DMACPY_SUBMIT_MORE | \
			 DMACPY_SUBMIT_SPREAD)

enum {
	NONE, A, A_AGAIN, B, B_READ, B_WRITE, USER, USER_READ, SYNCED,
	SYNCED_READ, BOGUS, HANDLES
};

FIXTURE(abi)
{
	int stream, buffer_a, buffer_b;
	struct dmacpy_get_info info;
	uint32_t handle[HANDLES];
	uint8_t *user, *arg;
	size_t page;
	struct dmacpy_op op;	/* operation of the valid SUBMIT and PREPARE */
	struct dmacpy_run_job job;	/* job of the valid RUN */
	struct dmacpy_sync_range range;	/* range of the valid SYNC */
	uint8_t *synced;	/* like @user, but explicitly synced */
};

static int register_synced(int stream, const uint8_t *mem, uint32_t access)
{
	return memory_register_flags(stream, mem, LENGTH, access,
				     DMACPY_REGISTER_EXPLICIT_SYNC);
}

FIXTURE_SETUP(abi)
{
	struct dmacpy_prepare prepare = {
		.size = sizeof(prepare),
		.op_count = 1,
		.op_size = sizeof(self->op),
	};
	int h, handle[HANDLES];

	self->page = getpagesize();
	self->arg = memory_map(4 * self->page);
	self->user = memory_map(2 * LENGTH);
	self->synced = memory_map(2 * LENGTH);
	self->stream = stream_open(DEVICE);
	ASSERT_LE(0, self->stream);
	self->info = stream_info(self->stream);
	self->buffer_a = sram_alloc(self->stream, LENGTH);
	ASSERT_LE(0, self->buffer_a);
	self->buffer_b = sram_alloc(self->stream, LENGTH);
	ASSERT_LE(0, self->buffer_b);

	handle[NONE] = 0;
	handle[BOGUS] = INT_MAX;
	handle[A] = dmabuf_import(self->stream, self->buffer_a, ACCESS_BOTH);
	handle[A_AGAIN] = dmabuf_import(self->stream, self->buffer_a,
					ACCESS_BOTH);
	handle[B] = dmabuf_import(self->stream, self->buffer_b, ACCESS_BOTH);
	handle[B_READ] = dmabuf_import(self->stream, self->buffer_b,
				       DMACPY_ACCESS_READ);
	handle[B_WRITE] = dmabuf_import(self->stream, self->buffer_b,
					DMACPY_ACCESS_WRITE);
	handle[USER] = memory_register(self->stream, self->user, LENGTH,
				       ACCESS_BOTH);
	handle[USER_READ] = memory_register(self->stream, self->user + LENGTH,
					    LENGTH, DMACPY_ACCESS_READ);
	handle[SYNCED] = register_synced(self->stream, self->synced,
					 ACCESS_BOTH);
	handle[SYNCED_READ] = register_synced(self->stream,
					      self->synced + LENGTH,
					      DMACPY_ACCESS_READ);
	for (h = NONE; h < HANDLES; h++) {
		ASSERT_LE(h == NONE ? 0 : 1, handle[h]);
		self->handle[h] = handle[h];
	}
	self->op = (struct dmacpy_op){
		.opcode = DMACPY_OP_FILL,
		.dst = handle[A],
		.length = LENGTH,
	};
	prepare.ops = (uintptr_t)&self->op;
	ASSERT_EQ(0, command(self->stream, DMACPY_PREPARE, &prepare));
	self->job.handle = prepare.handle;
	self->range = (struct dmacpy_sync_range){
		.handle = handle[SYNCED],
		.length = LENGTH,
	};
}

FIXTURE_TEARDOWN_PARENT(abi)
{
	EXPECT_EQ(0, sram_leaked());
}

/*
 * The sweep is table-driven: fill() builds a valid argument, undo() reverts the
 * command's effect.
 */
struct command {
	const char *name;
	unsigned long request;
	size_t size, reserved;
	size_t first_size;	/* size of the first version, or 0 */
	uint32_t known_flags;
	bool has_output;
	void (*fill)(struct _test_data_abi *self, void *arg);
	void (*undo)(struct _test_data_abi *self, void *arg, int ret);
};

static void fill_nothing(struct _test_data_abi *self, void *arg)
{
}

static void undo_nothing(struct _test_data_abi *self, void *arg, int ret)
{
}

static void fill_alloc(struct _test_data_abi *self, void *arg)
{
	struct dmacpy_alloc *alloc = arg;

	alloc->length = 1;
	alloc->fd_flags = O_RDWR | O_CLOEXEC;
}

static void undo_alloc(struct _test_data_abi *self, void *arg, int ret)
{
	struct dmacpy_alloc *alloc = arg;

	if (!ret)
		close(alloc->fd);
}

static void fill_import(struct _test_data_abi *self, void *arg)
{
	struct dmacpy_import *import = arg;

	import->fd = self->buffer_a;
	import->access = ACCESS_BOTH;
}

static void undo_import(struct _test_data_abi *self, void *arg, int ret)
{
	struct dmacpy_import *import = arg;

	if (!ret)
		handle_release(self->stream, import->handle);
}

static void fill_register(struct _test_data_abi *self, void *arg)
{
	struct dmacpy_register *reg = arg;

	reg->addr = (uintptr_t)self->user;
	reg->length = LENGTH;
	reg->access = ACCESS_BOTH;
}

static void undo_register(struct _test_data_abi *self, void *arg, int ret)
{
	struct dmacpy_register *reg = arg;

	if (!ret)
		handle_release(self->stream, reg->handle);
}

static void fill_release(struct _test_data_abi *self, void *arg)
{
	struct dmacpy_release *release = arg;

	release->handle = dmabuf_import(self->stream, self->buffer_a,
					ACCESS_BOTH);
}

static void undo_release(struct _test_data_abi *self, void *arg, int ret)
{
	struct dmacpy_release *release = arg;

	if (ret)
		handle_release(self->stream, release->handle);
}

static void fill_submit(struct _test_data_abi *self, void *arg)
{
	struct dmacpy_submit *submit = arg;

	submit->flags = DMACPY_SUBMIT_WAIT;
	submit->ops = (uintptr_t)&self->op;
	submit->op_count = 1;
	submit->op_size = sizeof(self->op);
}

static void fill_sync(struct _test_data_abi *self, void *arg)
{
	struct dmacpy_sync *sync = arg;

	sync->flags = DMACPY_SYNC_FOR_DEVICE;
	sync->ranges = (uintptr_t)&self->range;
	sync->range_count = 1;
	sync->range_size = sizeof(self->range);
}

static void fill_prepare(struct _test_data_abi *self, void *arg)
{
	struct dmacpy_prepare *prepare = arg;

	prepare->ops = (uintptr_t)&self->op;
	prepare->op_count = 1;
	prepare->op_size = sizeof(self->op);
}

static void undo_prepare(struct _test_data_abi *self, void *arg, int ret)
{
	struct dmacpy_prepare *prepare = arg;

	if (!ret)
		handle_release(self->stream, prepare->handle);
}

static void fill_run(struct _test_data_abi *self, void *arg)
{
	struct dmacpy_run *run = arg;

	run->flags = DMACPY_SUBMIT_WAIT;
	run->jobs = (uintptr_t)&self->job;
	run->job_count = 1;
	run->job_size = sizeof(self->job);
}

#define COMMAND(NAME, lower) .name = #NAME, .request = DMACPY_##NAME,	\
		.size = sizeof(struct dmacpy_##lower)

static const struct command commands[] = {
	{ COMMAND(GET_INFO, get_info), .has_output = true,
	  .first_size = offsetof(struct dmacpy_get_info, max_user_bytes),
	  .fill = fill_nothing, .undo = undo_nothing },
	{ COMMAND(ALLOC, alloc), .has_output = true,
	  .fill = fill_alloc, .undo = undo_alloc },
	{ COMMAND(IMPORT, import), .has_output = true,
	  .reserved = offsetof(struct dmacpy_import, __reserved),
	  .fill = fill_import, .undo = undo_import },
	{ COMMAND(REGISTER, register), .has_output = true,
	  .known_flags = DMACPY_REGISTER_EXPLICIT_SYNC,
	  .fill = fill_register, .undo = undo_register },
	{ COMMAND(RELEASE, release),
	  .reserved = offsetof(struct dmacpy_release, __reserved),
	  .fill = fill_release, .undo = undo_release },
	{ COMMAND(SUBMIT, submit), .known_flags = SUBMIT_FLAGS,
	  .first_size = offsetof(struct dmacpy_submit, refused_op),
	  .reserved = offsetof(struct dmacpy_submit, channels),
	  .fill = fill_submit, .undo = undo_nothing },
	{ COMMAND(SYNC, sync),
	  .known_flags = DMACPY_SYNC_FOR_DEVICE | DMACPY_SYNC_FOR_CPU,
	  .fill = fill_sync, .undo = undo_nothing },
	{ COMMAND(PREPARE, prepare), .has_output = true,
	  .fill = fill_prepare, .undo = undo_prepare },
	{ COMMAND(RUN, run),
	  .known_flags = SUBMIT_FLAGS & ~DMACPY_SUBMIT_SPREAD,
	  .fill = fill_run, .undo = undo_nothing },
};

#define for_each_command(cmd)						\
	for (cmd = commands; cmd < commands + ARRAY_SIZE(commands); cmd++)

/* Every argument starts with these two words. */
struct header {
	uint32_t size, flags;
};

static void make_valid(struct _test_data_abi *self, const struct command *cmd)
{
	struct header *header = (void *)self->arg;

	memset(self->arg, 0, 4 * self->page);
	cmd->fill(self, self->arg);
	header->size = cmd->size;
}

static int call(struct _test_data_abi *self, const struct command *cmd,
		void *arg)
{
	int ret = command(self->stream, cmd->request, arg);

	/* RUN returns the number of jobs that it has started. */
	return ret - (cmd->request == DMACPY_RUN && ret == 1);
}

static int issue(struct _test_data_abi *self, const struct command *cmd)
{
	int ret = call(self, cmd, self->arg);

	cmd->undo(self, self->arg, ret);
	return ret;
}

static size_t first_size(const struct command *cmd)
{
	return cmd->first_size ? cmd->first_size : cmd->size;
}

/*
 * Issues a command with an argument that is valid but for its size and one
 * byte.
 */
static int issue_mutated(struct _test_data_abi *self, const struct command *cmd,
			 uint32_t size, size_t at, uint8_t value)
{
	struct header *header = (void *)self->arg;

	make_valid(self, cmd);
	header->size = size;
	self->arg[at] |= value;
	return issue(self, cmd);
}

/* Catches: an access to members beyond the end of the program's struct. */
TEST_F(abi, too_short)
{
	const struct command *cmd;
	uint32_t size;

	for_each_command(cmd) {
		for (size = 0; size < first_size(cmd); size++) {
			EXPECT_EQ(-EINVAL, issue_mutated(self, cmd, size, 8, 0))
				TH_LOG("%s of %u bytes", cmd->name, size);
		}
	}
}

/* Catches: old programs that fail after a structure has grown. */
TEST_F(abi, older_sizes)
{
	uint8_t *end = self->arg + self->page;
	const struct command *cmd;
	uint32_t size;

	for_each_command(cmd) {
		for (size = first_size(cmd); size < cmd->size; size++) {
			/* The structure may be followed by anything. */
			make_valid(self, cmd);
			memset(self->arg + size, 0xa5, self->page - size);
			*(uint32_t *)self->arg = size;
			EXPECT_EQ(0, issue(self, cmd))
				TH_LOG("%s of %u bytes", cmd->name, size);
			EXPECT_TRUE(all_bytes_are(self->arg + size, 0xa5,
						  self->page - size));

			/* It may be followed by an unmapped page. */
			make_valid(self, cmd);
			*(uint32_t *)self->arg = size;
			memmove(end - size, self->arg, size);
			ASSERT_EQ(0, mprotect(end, self->page, PROT_NONE));
			EXPECT_EQ(0, call(self, cmd, end - size))
				TH_LOG("%s, last %u bytes", cmd->name, size);
			ASSERT_EQ(0, mprotect(end, self->page,
					      PROT_READ | PROT_WRITE));
		}
	}
}

/* Catches: a newer program that is refused although it uses no new feature. */
TEST_F(abi, too_long_with_zeros)
{
	const struct command *cmd;
	uint32_t size, sizes[] = { 0, 1, 8, 100, self->page };
	size_t i;

	for_each_command(cmd) {
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			size = sizes[i] == self->page ? self->page :
							cmd->size + sizes[i];
			EXPECT_EQ(0, issue_mutated(self, cmd, size, 8, 0))
				TH_LOG("%s of %u bytes", cmd->name, size);
		}
	}
}

/* Catches: a newer program's request that is silently ignored. */
TEST_F(abi, too_long_with_rubbish)
{
	const struct command *cmd;
	uint32_t size;

	for_each_command(cmd) {
		for (size = cmd->size + 1; size <= self->page; size += 131) {
			EXPECT_EQ(-E2BIG, issue_mutated(self, cmd, size,
							size - 1, 0x80))
				TH_LOG("%s of %u bytes", cmd->name, size);
		}
	}
}

/* Catches: a scan of gigabytes of user memory for non-zero bytes. */
TEST_F(abi, larger_than_a_page)
{
	uint32_t sizes[] = { self->page + 1, INT_MAX, INT_MIN, UINT_MAX };
	const struct command *cmd;
	size_t i;

	for_each_command(cmd) {
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			EXPECT_EQ(-E2BIG,
				  issue_mutated(self, cmd, sizes[i], 8, 0))
				TH_LOG("%s of %u bytes", cmd->name, sizes[i]);
		}
	}
}

/* Catches: unknown flags that are accepted, and so can never be defined. */
TEST_F(abi, unknown_flags)
{
	struct header *header = (void *)self->arg;
	const struct command *cmd;
	uint32_t flag;

	for_each_command(cmd) {
		for (flag = 1; flag; flag <<= 1) {
			if (flag & cmd->known_flags)
				continue;
			make_valid(self, cmd);
			header->flags |= flag;
			EXPECT_EQ(-EOPNOTSUPP, issue(self, cmd))
				TH_LOG("%s with flag %#x", cmd->name, flag);
		}
	}
}

/* Catches: reserved bytes that are accepted, and so can never be used. */
TEST_F(abi, reserved_bytes)
{
	const struct command *cmd;
	size_t i;

	for_each_command(cmd) {
		for (i = 0; cmd->reserved && i < sizeof(uint32_t); i++) {
			EXPECT_EQ(-EINVAL, issue_mutated(self, cmd, cmd->size,
							 cmd->reserved + i, 1))
				TH_LOG("%s byte %zu", cmd->name, i);
		}
	}
}

/* Catches: an output that exceeds the program's struct, or is not cleared. */
TEST_F(abi, output_ends_with_the_struct)
{
	const struct command *cmd;

	for_each_command(cmd) {
		make_valid(self, cmd);
		memset(self->arg + cmd->size, 0xa5, self->page);
		EXPECT_EQ(0, issue(self, cmd));
		EXPECT_TRUE(all_bytes_are(self->arg + cmd->size, 0xa5,
					  self->page))
			TH_LOG("%s writes beyond its struct", cmd->name);
		EXPECT_EQ(0, issue_mutated(self, cmd, self->page, 8, 0));
		EXPECT_TRUE(all_bytes_are(self->arg + cmd->size, 0,
					  self->page - cmd->size))
			TH_LOG("%s does not clear unknown bytes", cmd->name);
	}
}

/* Catches: an oops, or a wrong errno, for pointers to unmapped memory. */
TEST_F(abi, bad_pointers)
{
	uint8_t *end = self->arg + 2 * self->page;
	const struct command *cmd;
	void *bad[] = { NULL, (void *)-4096L, (void *)LONG_MIN, end };
	size_t i, inside;

	ASSERT_EQ(0, munmap(end, self->page));
	for_each_command(cmd) {
		for (i = 0; i < ARRAY_SIZE(bad); i++) {
			EXPECT_EQ(-EFAULT, command(self->stream, cmd->request,
						   bad[i]))
				TH_LOG("%s at %p", cmd->name, bad[i]);
		}
		for (inside = 1; inside < first_size(cmd); inside++) {
			memset(self->arg, 0, 2 * self->page);
			*(uint32_t *)self->arg = cmd->size;
			memmove(end - inside, self->arg, inside);
			EXPECT_EQ(-EFAULT, command(self->stream, cmd->request,
						   end - inside))
				TH_LOG("%s ends after %zu", cmd->name, inside);
		}
	}
}

/* Catches: a descriptor or a handle that leaks if it cannot be returned. */
TEST_F(abi, output_cannot_be_written)
{
	uint64_t sram_free = stream_info(self->stream).sram_free;
	unsigned int files = open_files();
	const struct command *cmd;

	for_each_command(cmd) {
		if (!cmd->has_output)
			continue;
		make_valid(self, cmd);
		ASSERT_EQ(0, mprotect(self->arg, self->page, PROT_READ));
		EXPECT_EQ(-EFAULT, command(self->stream, cmd->request,
					   self->arg))
			TH_LOG("%s", cmd->name);
		ASSERT_EQ(0, mprotect(self->arg, self->page,
				      PROT_READ | PROT_WRITE));
	}
	EXPECT_EQ(files, open_files());
	EXPECT_EQ(sram_free, sram_free_becomes(self->stream, sram_free));
}

/* Catches: an index beyond the command table, also for a wrong direction. */
TEST_F(abi, unknown_command)
{
	unsigned int nr;

	for (nr = ARRAY_SIZE(commands); nr < 256; nr++) {
		EXPECT_EQ(-ENOTTY, command(self->stream, _IO(DMACPY_TYPE, nr),
					   self->arg));
	}
	EXPECT_EQ(-ENOTTY, command(self->stream, _IO('!', 0), self->arg));
	make_valid(self, commands);
	EXPECT_EQ(-ENOTTY, command(self->stream,
				   _IOWR(DMACPY_TYPE, 0, struct header),
				   self->arg));
}

/* Catches: a property of GET_INFO that does not hold for other commands. */
TEST_F(abi, info_is_plausible)
{
	struct dmacpy_get_info *info = &self->info;

	EXPECT_EQ(sizeof(*info), info->size);
	EXPECT_LT(0, info->sram_total);
	EXPECT_LE(info->sram_free, info->sram_total);
	EXPECT_LE(info->sram_largest, info->sram_free);
	EXPECT_EQ(0, info->sram_total % info->granule);
	EXPECT_EQ(0, info->granule % self->page);
	EXPECT_EQ(MAX_OPS, info->max_ops);
	EXPECT_LE(info->max_ops, info->max_rows);
	EXPECT_LE(info->sram_total, info->max_bytes);
	EXPECT_LE(1, info->channels);
	EXPECT_LE(1, info->copy_align);
	EXPECT_EQ(0, info->copy_align & (info->copy_align - 1));
	EXPECT_LE(1, info->user_align);
	EXPECT_EQ(0, info->user_align & (info->user_align - 1));
	EXPECT_EQ(1 << DMACPY_OP_COPY | 1 << DMACPY_OP_COPY_2D |
		  1 << DMACPY_OP_FILL, info->opcodes);
	/* Not all engines have several channels, or can spread a job. */
	EXPECT_EQ(SUBMIT_FLAGS, info->submit_flags | DMACPY_SUBMIT_SPREAD);
	EXPECT_LE(1, info->max_jobs);
	EXPECT_LE(info->max_jobs, info->max_events);
	EXPECT_LE(info->max_bytes, info->max_user_bytes);
	EXPECT_LE(info->max_jobs, info->max_user_jobs);
	EXPECT_LE(1, info->max_user_streams);
	EXPECT_LE(1, info->max_user_handles);
	EXPECT_EQ(DMACPY_REGISTER_EXPLICIT_SYNC, info->register_flags);
	EXPECT_NE(0, info->name[0]);
	EXPECT_NE(NULL, memchr(info->name, 0, sizeof(info->name)));
}

/* Catches: read() or mmap() of a device file that causes an oops. */
TEST_F(abi, device_file)
{
	char byte;

	EXPECT_EQ(MAP_FAILED, mmap(NULL, self->page, PROT_READ, MAP_SHARED,
				   self->stream, 0));
	EXPECT_EQ(ENODEV, errno);
	EXPECT_EQ(-1, read(self->stream, &byte, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, write(self->stream, &byte, 1));
}

/* Catches: a zero length, one that overflows, an invalid mode of the fd. */
TEST_F(abi, alloc_arguments)
{
	uint32_t flag, known = O_ACCMODE | O_CLOEXEC;
	uint64_t length;

	EXPECT_EQ(-EINVAL, sram_alloc(self->stream, 0));
	EXPECT_EQ(-EINVAL, sram_alloc_flags(self->stream, 1, O_WRONLY));
	EXPECT_EQ(-EINVAL, sram_alloc_flags(self->stream, 1, O_ACCMODE));
	for (flag = 1; flag; flag <<= 1) {
		if (!(flag & known)) {
			EXPECT_EQ(-EOPNOTSUPP, sram_alloc_flags(self->stream, 1,
								flag))
				TH_LOG("flag %#o", flag);
		}
	}
	EXPECT_EQ(-ENOSPC, sram_alloc(self->stream, self->info.sram_total + 1));
	for (length = 1ULL << 31; length; length <<= 1) {
		EXPECT_EQ(-ENOSPC, sram_alloc(self->stream, length))
			TH_LOG("length %#llx", (unsigned long long)length);
	}
	EXPECT_GT(0, sram_alloc(self->stream, UINT64_MAX));
}

/* Catches: another file treated as a dma-buf, or access beyond its mode. */
TEST_F(abi, import_arguments)
{
	int fds[] = { -1, open_files() + 100, self->stream,
		      open("/dev/null", O_RDWR), memfd_create("file", 0) };
	uint32_t access;
	int read_only;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		EXPECT_EQ(-EBADF, dmabuf_import(self->stream, fds[i],
						ACCESS_BOTH))
			TH_LOG("file %zu", i);
	}
	EXPECT_EQ(-EINVAL, dmabuf_import(self->stream, self->buffer_a, 0));
	for (access = 4; access; access <<= 1) {
		EXPECT_EQ(-EOPNOTSUPP, dmabuf_import(self->stream,
						     self->buffer_a, access |
						     DMACPY_ACCESS_READ));
	}

	read_only = sram_alloc_flags(self->stream, 1, O_RDONLY);
	ASSERT_LE(0, read_only);
	EXPECT_EQ(-EACCES, dmabuf_import(self->stream, read_only,
					 DMACPY_ACCESS_WRITE));
	EXPECT_EQ(-EACCES, dmabuf_import(self->stream, read_only,
					 ACCESS_BOTH));
	EXPECT_LE(1, dmabuf_import(self->stream, read_only,
				   DMACPY_ACCESS_READ));
}

/* Catches: a handle whose length is not the dma-buf's. */
TEST_F(abi, import_says_the_length)
{
	struct dmacpy_import *import = (void *)self->arg;

	make_valid(self, &commands[DMACPY_CMD_IMPORT]);
	ASSERT_EQ(0, command(self->stream, DMACPY_IMPORT, import));
	EXPECT_EQ(LENGTH, import->length);
}

/* Catches: pinned memory that the process itself must not read or write. */
TEST_F(abi, register_arguments)
{
	uint8_t *user = self->user, *hole = memory_map(self->page);
	int stream = self->stream;
	uint32_t access;

	munmap(hole, self->page);
	EXPECT_EQ(-EINVAL, memory_register(stream, user, 0, ACCESS_BOTH));
	EXPECT_EQ(-EINVAL, memory_register(stream, user, LENGTH, 0));
	EXPECT_EQ(-EINVAL, memory_register(stream, user,
					   -(uint64_t)(uintptr_t)user,
					   ACCESS_BOTH));
	EXPECT_EQ(-EINVAL, memory_register(stream, user, UINT64_MAX,
					   ACCESS_BOTH));
	/*
	 * Rounded up to pages this overflows to 0; a 32-bit kernel has no such
	 * address.
	 */
	EXPECT_EQ(kernel_has_64_bits() ? -ENOMEM : -EFAULT,
		  memory_register(stream, NULL, UINT64_MAX, ACCESS_BOTH));
	EXPECT_EQ(-EFAULT, memory_register(stream, NULL, 1, ACCESS_BOTH));
	EXPECT_EQ(-EFAULT, memory_register(stream, hole, 1, ACCESS_BOTH));
	EXPECT_EQ(-EFAULT, memory_register(stream, (void *)LONG_MIN, 1,
					   DMACPY_ACCESS_READ));
	for (access = 4; access; access <<= 1) {
		EXPECT_EQ(-EOPNOTSUPP, memory_register(stream, user, LENGTH,
						       access | ACCESS_BOTH));
	}

	ASSERT_EQ(0, mprotect(user, self->page, PROT_READ));
	EXPECT_EQ(-EFAULT, memory_register(stream, user, LENGTH, ACCESS_BOTH));
	EXPECT_EQ(-EFAULT, memory_register(stream, user, 1,
					   DMACPY_ACCESS_WRITE));
	EXPECT_LE(1, memory_register(stream, user, LENGTH,
				     DMACPY_ACCESS_READ));
	ASSERT_EQ(0, munmap(user + self->page, self->page));
	EXPECT_EQ(-EFAULT, memory_register(stream, user, LENGTH,
					   DMACPY_ACCESS_READ));
}

/* Changes one member of the valid SYNC. */
static int mutate_sync(struct _test_data_abi *self, size_t at, uint32_t value)
{
	make_valid(self, &commands[DMACPY_CMD_SYNC]);
	*(uint32_t *)(self->arg + at) = value;
	return command(self->stream, DMACPY_SYNC, self->arg);
}

#define BEND_SYNC(member, value)					\
	mutate_sync(self, offsetof(struct dmacpy_sync, member), value)

/* Catches: invalid arguments that are accepted; a long range read wrongly. */
TEST_F(abi, sync_arguments)
{
	struct dmacpy_sync *sync = (void *)self->arg;
	struct dmacpy_sync_range *range;
	uint32_t size = sizeof(*range) + 8;
	uint8_t *ranges = memory_map(self->page);

	EXPECT_EQ(-EINVAL, BEND_SYNC(flags, 0));
	EXPECT_EQ(-EINVAL, BEND_SYNC(flags, DMACPY_SYNC_FOR_DEVICE |
					    DMACPY_SYNC_FOR_CPU));
	EXPECT_EQ(-EINVAL, BEND_SYNC(range_count, 0));
	EXPECT_EQ(-E2BIG, BEND_SYNC(range_count, self->info.max_ops + 1));
	EXPECT_EQ(-E2BIG, BEND_SYNC(range_count, UINT_MAX));
	EXPECT_EQ(-EINVAL, BEND_SYNC(range_size, sizeof(*range) - 1));
	EXPECT_EQ(-E2BIG, BEND_SYNC(range_size, self->page + 1));
	make_valid(self, &commands[DMACPY_CMD_SYNC]);
	sync->ranges = 0;
	EXPECT_EQ(-EFAULT, command(self->stream, DMACPY_SYNC, sync));
	sync->ranges = UINT64_MAX;
	EXPECT_EQ(-EFAULT, command(self->stream, DMACPY_SYNC, sync));

	make_valid(self, &commands[DMACPY_CMD_SYNC]);
	sync->ranges = (uintptr_t)ranges;
	sync->range_count = 2;
	sync->range_size = size;
	*(struct dmacpy_sync_range *)ranges = self->range;
	range = (void *)(ranges + size);
	*range = self->range;
	EXPECT_EQ(0, command(self->stream, DMACPY_SYNC, sync));
	range->handle = self->handle[BOGUS];
	EXPECT_EQ(-ENOENT, command(self->stream, DMACPY_SYNC, sync));
	*range = self->range;
	range->__reserved = 1;
	EXPECT_EQ(-EINVAL, command(self->stream, DMACPY_SYNC, sync));
	*range = self->range;
	ranges[2 * size - 1] = 1;
	EXPECT_EQ(-E2BIG, command(self->stream, DMACPY_SYNC, sync));
}

static int sync_handle(struct _test_data_abi *self, unsigned int handle,
		       uint64_t offset, uint64_t length, uint32_t flags)
{
	return memory_sync(self->stream, self->handle[handle], offset, length,
			   flags);
}

/* Catches: a sync outside of a buffer, or one that the program must not do. */
TEST_F(abi, sync_ranges)
{
	uint32_t flags, align = self->info.user_align;

	for (flags = DMACPY_SYNC_FOR_DEVICE; flags <= DMACPY_SYNC_FOR_CPU;
	     flags++) {
		EXPECT_EQ(0, sync_handle(self, SYNCED, 0, LENGTH, flags));
		EXPECT_EQ(0, sync_handle(self, SYNCED, LENGTH - align, align,
					 flags));
		EXPECT_EQ(-EINVAL, sync_handle(self, SYNCED, 0, 0, flags));
		EXPECT_EQ(-EINVAL, sync_handle(self, SYNCED, 0, LENGTH + align,
					       flags));
		EXPECT_EQ(-EINVAL, sync_handle(self, SYNCED, LENGTH, align,
					       flags));
		EXPECT_EQ(-EINVAL, sync_handle(self, SYNCED, -(uint64_t)align,
					       2 * align, flags));
		EXPECT_EQ(-EINVAL, sync_handle(self, SYNCED, align,
					       -(uint64_t)align, flags));
		EXPECT_EQ(-ENOENT, sync_handle(self, NONE, 0, LENGTH, flags));
		EXPECT_EQ(-ENOENT, sync_handle(self, BOGUS, 0, LENGTH, flags));
		EXPECT_EQ(-EINVAL, sync_handle(self, USER, 0, LENGTH, flags));
		EXPECT_EQ(-EINVAL, sync_handle(self, A, 0, LENGTH, flags));
	}
	EXPECT_EQ(0, sync_handle(self, SYNCED_READ, 0, LENGTH,
				 DMACPY_SYNC_FOR_DEVICE));
	EXPECT_EQ(-EACCES, sync_handle(self, SYNCED_READ, 0, LENGTH,
				       DMACPY_SYNC_FOR_CPU));
	EXPECT_EQ(0, sync_handle(self, SYNCED, 1, 1, DMACPY_SYNC_FOR_DEVICE));
	EXPECT_EQ(align > 1 ? -EINVAL : 0,
		  sync_handle(self, SYNCED, 1, align, DMACPY_SYNC_FOR_CPU));
	EXPECT_EQ(align > 1 ? -EINVAL : 0,
		  sync_handle(self, SYNCED, 0, align + 1,
			      DMACPY_SYNC_FOR_CPU));
}

/* Catches: wrong data in memory that the program syncs itself. */
TEST_F(abi, synced_memory)
{
	unsigned int round;

	for (round = 1; round < 4; round++) {
		memset(self->synced, round, LENGTH);
		EXPECT_EQ(0, sync_handle(self, SYNCED, 0, LENGTH,
					 DMACPY_SYNC_FOR_DEVICE));
		EXPECT_EQ(0, copy(self->stream, self->handle[A],
				  self->handle[SYNCED], LENGTH));
		memset(self->synced, 0, LENGTH);
		EXPECT_EQ(0, sync_handle(self, SYNCED, 0, LENGTH,
					 DMACPY_SYNC_FOR_DEVICE));
		EXPECT_EQ(0, copy(self->stream, self->handle[SYNCED],
				  self->handle[A], LENGTH));
		EXPECT_EQ(0, sync_handle(self, SYNCED, 0, LENGTH,
					 DMACPY_SYNC_FOR_CPU));
		EXPECT_TRUE(all_bytes_are(self->synced, round, LENGTH));
	}
}

/* Catches: a reference dropped twice, or another stream's handle accepted. */
TEST_F(abi, release_arguments)
{
	int other = stream_open(DEVICE);

	EXPECT_EQ(-ENOENT, handle_release(self->stream, 0));
	EXPECT_EQ(-ENOENT, handle_release(self->stream, INT_MAX));
	EXPECT_EQ(-ENOENT, handle_release(self->stream, UINT_MAX));
	EXPECT_EQ(-ENOENT, handle_release(other, self->handle[A]));
	EXPECT_EQ(0, handle_release(self->stream, self->handle[A]));
	EXPECT_EQ(-ENOENT, handle_release(self->stream, self->handle[A]));
	EXPECT_EQ(-ENOENT, copy(self->stream, self->handle[B],
				self->handle[A], 1));
	EXPECT_EQ(0, copy(self->stream, self->handle[B],
			  self->handle[A_AGAIN], self->info.copy_align));
}

/* Invalid members of SUBMIT itself */
struct bad_submit {
	uint32_t flags, op_count, op_size;
	int ret;
};

/* Catches: an array of operations with a wrong size, or read wrongly. */
TEST_F(abi, submit_arguments)
{
	uint32_t op_size = sizeof(struct dmacpy_op), wait = DMACPY_SUBMIT_WAIT;
	const struct bad_submit table[] = {
		{ 0, 1, op_size, 0 },
		{ DMACPY_SUBMIT_IN_FENCE, 1, op_size, -EBADF },
		{ wait, 0, op_size, -EINVAL },
		{ wait, MAX_OPS + 1, op_size, -E2BIG },
		{ wait, UINT_MAX, op_size, -E2BIG },
		{ wait, 1, self->page + 1, -E2BIG },
		{ wait, 1, UINT_MAX, -E2BIG },
		{ wait, 1, op_size + 8, 0 },
		{ wait, 1, op_size, 0 },
	};
	struct dmacpy_submit *submit = (void *)self->arg;
	size_t i;

	memcpy(self->user, &self->op, sizeof(self->op));
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		make_valid(self, &commands[DMACPY_CMD_SUBMIT]);
		submit->ops = (uintptr_t)self->user;
		submit->flags = table[i].flags;
		submit->op_count = table[i].op_count;
		submit->op_size = table[i].op_size;
		EXPECT_EQ(table[i].ret, command(self->stream, DMACPY_SUBMIT,
						submit))
			TH_LOG("row %zu", i);
	}
}

/* Catches: operations of a newer program that are read at wrong offsets. */
TEST_F(abi, op_size)
{
	struct dmacpy_submit *submit = (void *)self->arg;
	uint32_t size, min = sizeof(self->op);
	uint8_t *ops = self->arg + self->page;

	for (size = 0; size <= min + 16; size++) {
		make_valid(self, &commands[DMACPY_CMD_SUBMIT]);
		submit->ops = (uintptr_t)ops;
		submit->op_count = 2;
		submit->op_size = size;
		memcpy(ops, &self->op, min);
		memcpy(ops + size, &self->op, min);
		EXPECT_EQ(size < min ? -EINVAL : 0,
			  command(self->stream, DMACPY_SUBMIT, submit))
			TH_LOG("op_size %u", size);
		if (size <= min)
			continue;
		ops[2 * size - 1] = 1;
		EXPECT_EQ(-E2BIG, command(self->stream, DMACPY_SUBMIT, submit))
			TH_LOG("op_size %u with unknown bytes", size);
	}
}

/* Catches: an oops, or a partially started job, for an unreadable array. */
TEST_F(abi, bad_op_pointers)
{
	uint8_t *end = self->arg + 2 * self->page;
	uint64_t bad[] = { 0, (uintptr_t)LONG_MIN, (uintptr_t)end,
			   (uintptr_t)end - 1, (uintptr_t)end - 64, -64ULL };
	struct dmacpy_submit *submit = (void *)self->arg;
	size_t i;

	make_valid(self, &commands[DMACPY_CMD_SUBMIT]);
	memcpy(end - sizeof(self->op), &self->op, sizeof(self->op));
	ASSERT_EQ(0, munmap(end, self->page));
	submit->op_count = 2;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		submit->ops = bad[i];
		EXPECT_EQ(-EFAULT, command(self->stream, DMACPY_SUBMIT, submit))
			TH_LOG("pointer %#llx", (unsigned long long)bad[i]);
	}
}

/* An operation that refers to the fixture's handles by name */
struct op_case {
	const char *name;
	int ret;
	struct dmacpy_op op;
};

#define ENDS(dst_, dst_offset_, src_, src_offset_, length_)		\
	.length = (length_),						\
	.dst = (dst_), .dst_offset = (dst_offset_),			\
	.src = (src_), .src_offset = (src_offset_)
#define COPY(...)							\
	.opcode = DMACPY_OP_COPY, ENDS(__VA_ARGS__)
#define TILE(dst_, dst_offset_, dst_stride_, src_, src_offset_,		\
	     src_stride_, length_, rows_)				\
	.opcode = DMACPY_OP_COPY_2D, .rows = (rows_),			\
	ENDS(dst_, dst_offset_, src_, src_offset_, length_),		\
	.dst_stride = (dst_stride_), .src_stride = (src_stride_)
#define FILL(dst_, dst_offset_, length_)				\
	.opcode = DMACPY_OP_FILL, .length = (length_),			\
	.dst = (dst_), .dst_offset = (dst_offset_)
#define WRAP	(1ULL << 63)

/* B_READ and B_WRITE refer to the same buffer, as do A and A_AGAIN. */
static const struct op_case overlaps[] = {
	{ "copy onto itself", -EINVAL, { COPY(A, 0, A, 0, 1) } },
	{ "copy adjacent up", 0, { COPY(A, 100, A, 0, 100) } },
	{ "copy adjacent down", 0, { COPY(A, 0, A, 100, 100) } },
	{ "copy overlaps up", -EINVAL, { COPY(A, 99, A, 0, 100) } },
	{ "copy overlaps down", -EINVAL, { COPY(A, 0, A, 99, 100) } },
	{ "copy overlaps by two handles", -EINVAL,
	  { COPY(A_AGAIN, 99, A, 0, 100) } },
	{ "copy adjacent by two handles", 0,
	  { COPY(A_AGAIN, 100, A, 0, 100) } },
	{ "copy overlaps by other access", -EINVAL,
	  { COPY(B_WRITE, 0, B_READ, 99, 100) } },
	{ "copy in memory overlaps", -EINVAL,
	  { COPY(USER, 1024, USER, 0, 2048) } },
	{ "copy in memory adjacent", 0, { COPY(USER, 2048, USER, 0, 2048) } },

	{ "tile onto itself", -EINVAL, { TILE(A, 0, 256, A, 0, 256, 16, 8) } },
	{ "tile beside, right", 0, { TILE(A, 16, 256, A, 0, 256, 16, 8) } },
	{ "tile beside, left", 0, { TILE(A, 0, 256, A, 16, 256, 16, 8) } },
	{ "tile one byte into it, right", -EINVAL,
	  { TILE(A, 15, 256, A, 0, 256, 16, 8) } },
	{ "tile one byte into it, left", -EINVAL,
	  { TILE(A, 0, 256, A, 15, 256, 16, 8) } },
	{ "tile below", 0, { TILE(A, 8 * 256, 256, A, 0, 256, 256, 8) } },
	{ "tile above", 0, { TILE(A, 0, 256, A, 8 * 256, 256, 256, 8) } },
	{ "tile into the last row", -EINVAL,
	  { TILE(A, 7 * 256, 256, A, 0, 256, 16, 8) } },
	{ "tile beside, rows lower", 0,
	  { TILE(A, 3 * 256 + 16, 256, A, 0, 256, 16, 8) } },
	{ "tile diagonal into the last row", -EINVAL,
	  { TILE(A, 7 * 256 + 15, 256, A, 0, 256, 16, 8) } },
	{ "tile from the last row into the next, below", 0,
	  { TILE(A, 7 * 256 + 252, 256, A, 0, 256, 16, 8) } },
	{ "tile from the last row into the next, above", 0,
	  { TILE(A, 0, 256, A, 7 * 256 + 252, 256, 16, 8) } },
	{ "tile from the last row but one into the last", -EINVAL,
	  { TILE(A, 6 * 256 + 252, 256, A, 0, 256, 16, 8) } },
	{ "tile into the next row's start", -EINVAL,
	  { TILE(A, 200, 256, A, 0, 256, 57, 2) } },
	{ "tile just before the next row's start", 0,
	  { TILE(A, 200, 256, A, 0, 256, 56, 2) } },
	{ "tile after the last row's end", 0,
	  { TILE(A, 200, 256, A, 0, 256, 200, 1) } },
	{ "tile overlaps by two handles", -EINVAL,
	  { TILE(A_AGAIN, 15, 256, A, 0, 256, 16, 8) } },
	{ "tiles of other strides, apart", 0,
	  { TILE(A, 8192, 128, A, 0, 256, 16, 8) } },
	{ "tiles of other strides, bounds touch", 0,
	  { TILE(A, 7 * 256 + 16, 128, A, 0, 256, 16, 8) } },
	{ "tiles of other strides, bounds overlap", -EINVAL,
	  { TILE(A, 7 * 256 + 15, 128, A, 0, 256, 16, 8) } },
	{ "repeated row inside dst", -EINVAL,
	  { TILE(A, 0, 256, A, 100, 0, 16, 8) } },
	{ "repeated row before dst", 0, { TILE(A, 16, 256, A, 0, 0, 16, 8) } },
};

static int submit_case(struct _test_data_abi *self, const struct op_case *c)
{
	struct dmacpy_op op = c->op;

	op.dst = self->handle[op.dst];
	op.src = self->handle[op.src];
	return submit(self->stream, &op, 1);
}

#define EXPECT_CASES(table)						\
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {		\
		EXPECT_EQ((table)[i].ret, submit_case(self, &(table)[i])) \
			TH_LOG("%s", (table)[i].name);			\
	}

/* Catches: an engine that reads or writes outside of the buffers. */
TEST_F(abi, op_bounds)
{
	const uint64_t u = self->info.copy_align;
	const struct op_case table[] = {
		{ "copy of all", 0, { COPY(A, 0, B, 0, LENGTH) } },
		{ "copy of the last bytes", 0,
		  { COPY(A, LENGTH - u, B, LENGTH - u, u) } },
		{ "copy of nothing", -EINVAL, { COPY(A, 0, B, 0, 0) } },
		{ "copy past dst", -EINVAL, { COPY(A, u, B, 0, LENGTH) } },
		{ "copy past src", -EINVAL, { COPY(A, 0, B, u, LENGTH) } },
		{ "copy behind dst", -EINVAL, { COPY(A, LENGTH, B, 0, u) } },
		{ "copy wraps dst", -EINVAL, { COPY(A, -u, B, 0, 2 * u) } },
		{ "copy wraps src", -EINVAL, { COPY(A, 0, B, -u, 2 * u) } },
		{ "copy length wraps", -EINVAL, { COPY(A, u, B, u, -u) } },
		{ "copy length 32 bit", -EINVAL,
		  { COPY(A, 0, B, 0, (1ULL << 32) + u) } },
		{ "copy offset 32 bit", -EINVAL,
		  { COPY(A, 1ULL << 32, B, 0, u) } },

		{ "tile of all", 0, { TILE(A, 0, 256, B, 0, 256, 256, 64) } },
		{ "tile repeats a row", 0,
		  { TILE(A, 0, 256, B, 0, 0, 256, 64) } },
		{ "tile of overlapping rows", 0,
		  { TILE(A, 0, 256, B, 0, u, 256, 64) } },
		{ "tile of no rows", -EINVAL,
		  { TILE(A, 0, 256, B, 0, 256, 256, 0) } },
		{ "tile of empty rows", -EINVAL,
		  { TILE(A, 0, 256, B, 0, 256, 0, 1) } },
		{ "tile past dst", -EINVAL,
		  { TILE(A, u, 256, B, 0, 256, 256, 64) } },
		{ "tile past src", -EINVAL,
		  { TILE(A, 0, 256, B, u, 256, 256, 64) } },
		{ "tile past dst by its stride", -EINVAL,
		  { TILE(A, 0, 256 + u, B, 0, 256, 256, 64) } },
		{ "tile's last row without the rest of its stride", 0,
		  { TILE(A, 0, 256 + u, B, 0, 256, u, 64) } },
		{ "tile dst stride short", -EINVAL,
		  { TILE(A, 0, 256 - u, B, 0, 256, 256, 2) } },
		{ "tile dst stride 0", -EINVAL,
		  { TILE(A, 0, 0, B, 0, 256, u, 2) } },
		{ "tile dst stride wraps", -EINVAL,
		  { TILE(A, 0, WRAP, B, 0, 256, u, 3) } },
		{ "tile src stride wraps", -EINVAL,
		  { TILE(A, 0, 256, B, 0, WRAP, u, 3) } },
		{ "tile end wraps", -EINVAL,
		  { TILE(A, 256, -256ULL, B, 0, 256, u, 2) } },
		{ "tile backwards", -EINVAL,
		  { TILE(A, 0, 256, B, 256, -256ULL, u, 2) } },

		{ "fill of all", 0, { FILL(A, 0, LENGTH) } },
		{ "fill of nothing", -EINVAL, { FILL(A, 0, 0) } },
		{ "fill past dst", -EINVAL, { FILL(A, u, LENGTH) } },
		{ "fill wraps", -EINVAL, { FILL(A, -u, 2 * u) } },
		{ "fill length wraps", -EINVAL, { FILL(A, 2 * u, -u) } },
	};

	EXPECT_CASES(table)
}

/*
 * Catches: an invalid copy that is accepted because it follows a valid one with
 * the same handles.
 */
TEST_F(abi, op_bounds_in_a_batch)
{
	const uint32_t a = self->handle[A], b = self->handle[B];
	const uint32_t user = self->handle[USER];
	const uint64_t u = self->info.copy_align;
	const uint64_t align = self->info.user_align;
	const struct dmacpy_op table[] = {
		{ COPY(a, u, b, 0, LENGTH) },
		{ COPY(a, 0, b, u, LENGTH) },
		{ COPY(a, LENGTH, b, u, u) },
		{ COPY(a, u, b, LENGTH, u) },
		{ COPY(a, LENGTH + u, b, 0, u) },
		{ COPY(a, 0, b, LENGTH + u, u) },
		{ COPY(a, -u, b, u, 2 * u) },
		{ COPY(a, u, b, -u, 2 * u) },
		{ COPY(a, u, b, u, -u) },
		/* Invalid only if the caches are not coherent: */
		{ COPY(user, u, b, 0, align) },
		{ COPY(user, 0, b, 0, align + u) },
	};
	size_t i, count = ARRAY_SIZE(table) - (align == u ? 2 : 0);

	for (i = 0; i < count; i++) {
		struct dmacpy_submit args = { };
		struct dmacpy_op ops[2] = {
			{ COPY(table[i].dst, 0, b, 0, align) }, table[i],
		};

		EXPECT_EQ(-EINVAL, submit_with(self->stream, ops, 2, &args))
			TH_LOG("copy %zu", i);
		EXPECT_EQ(2, args.refused_op);
	}
}

/* Catches: unused members that are not checked; missing access checks. */
TEST_F(abi, op_members)
{
	const uint64_t u = self->info.copy_align;
	const struct op_case table[] = {
		{ "unknown opcode", -EOPNOTSUPP,
		  { ENDS(A, 0, B, 0, u), .opcode = DMACPY_OP_FILL + 1 } },
		{ "unknown opcode", -EOPNOTSUPP,
		  { ENDS(A, 0, B, 0, u), .opcode = UINT_MAX } },
		{ "copy with flag", -EOPNOTSUPP,
		  { COPY(A, 0, B, 0, u), .flags = 1 } },
		{ "tile with flag", -EOPNOTSUPP,
		  { TILE(A, 0, u, B, 0, u, u, 1), .flags = 1U << 31 } },
		{ "fill with flag", -EOPNOTSUPP,
		  { FILL(A, 0, u), .flags = 2 } },
		{ "copy with dst_stride", -EINVAL,
		  { COPY(A, 0, B, 0, u), .dst_stride = u } },
		{ "copy with src_stride", -EINVAL,
		  { COPY(A, 0, B, 0, u), .src_stride = u } },
		{ "copy with rows", -EINVAL,
		  { COPY(A, 0, B, 0, u), .rows = 1 } },
		{ "copy with pattern", -EINVAL,
		  { COPY(A, 0, B, 0, u), .pattern = 1 } },
		{ "tile with pattern", -EINVAL,
		  { TILE(A, 0, u, B, 0, u, u, 1), .pattern = 1 } },
		{ "fill with src", -EINVAL, { FILL(A, 0, u), .src = B } },
		{ "fill with src_offset", -EINVAL,
		  { FILL(A, 0, u), .src_offset = u } },
		{ "fill with dst_stride", -EINVAL,
		  { FILL(A, 0, u), .dst_stride = u } },
		{ "fill with src_stride", -EINVAL,
		  { FILL(A, 0, u), .src_stride = u } },
		{ "fill with rows", -EINVAL, { FILL(A, 0, u), .rows = 1 } },

		{ "no dst", -ENOENT, { COPY(NONE, 0, B, 0, u) } },
		{ "no src", -ENOENT, { COPY(A, 0, NONE, 0, u) } },
		{ "bogus dst", -ENOENT, { COPY(BOGUS, 0, B, 0, u) } },
		{ "bogus src", -ENOENT, { COPY(A, 0, BOGUS, 0, u) } },
		{ "bogus dst of fill", -ENOENT, { FILL(BOGUS, 0, u) } },
		{ "src may be read", 0, { COPY(A, 0, B_READ, 0, u) } },
		{ "src is write-only", -EACCES, { COPY(A, 0, B_WRITE, 0, u) } },
		{ "dst may be written", 0, { COPY(B_WRITE, 0, A, 0, u) } },
		{ "dst is read-only", -EACCES, { COPY(B_READ, 0, A, 0, u) } },
		{ "dst of fill is read-only", -EACCES, { FILL(B_READ, 0, u) } },
		{ "dst of tile is read-only memory", -EACCES,
		  { TILE(USER_READ, 0, 256, A, 0, 256, 256, 1) } },
	};

	EXPECT_CASES(table)
}

/* Catches: an undefined copy accepted, or valid tiles refused. */
TEST_F(abi, op_overlaps)
{
	EXPECT_CASES(overlaps)
}

/* Catches: data of the CPU lost in cache lines next to the user's range. */
TEST_F(abi, user_alignment)
{
	uint32_t align = self->info.user_align, u = self->info.copy_align;
	const struct op_case table[] = {
		{ "aligned copy", 0, { COPY(USER, align, B, u, align) } },
		{ "copy start", -EINVAL, { COPY(USER, u, B, 0, align - u) } },
		{ "copy end", -EINVAL, { COPY(USER, 0, B, 0, align - u) } },
		{ "copy both", -EINVAL, { COPY(USER, u, B, 0, align) } },
		{ "any source", 0, { COPY(B, 3 * u, USER, u, u) } },
		{ "aligned fill", 0, { FILL(USER, align, align) } },
		{ "fill start", -EINVAL, { FILL(USER, u, align - u) } },
		{ "fill end", -EINVAL, { FILL(USER, 0, align + u) } },
		{ "aligned tile", 0,
		  { TILE(USER, 0, 2 * align, B, 0, u, align, 3) } },
		{ "tile stride", -EINVAL,
		  { TILE(USER, 0, align + u, B, 0, u, align, 3) } },
		{ "tile row", -EINVAL,
		  { TILE(USER, 0, align, B, 0, u, align - u, 3) } },
	};

	if (align == u)
		SKIP(return, "the engine is cache-coherent: any alignment");
	EXPECT_CASES(table)
	ASSERT_EQ(0, handle_release(self->stream, self->handle[USER]));
	self->handle[USER] = memory_register(self->stream, self->user + 8, 1024,
					     ACCESS_BOTH);
	EXPECT_EQ(-EINVAL, submit_case(self, &table[0]))
		TH_LOG("the handle's own start is not aligned");
}

/* Catches: a job that may occupy the channel without a limit. */
TEST_F_TIMEOUT(abi, limits, SLOW)
{
	static struct dmacpy_op ops[MAX_OPS];
	uint64_t length = self->info.max_bytes / MAX_OPS;
	uint32_t rows = self->info.max_rows / MAX_OPS;
	uint32_t unit = self->info.copy_align;
	int handle;
	size_t i;

	for (i = 0; i < MAX_OPS; i++)
		ops[i] = (struct dmacpy_op){
			TILE(self->handle[A], 0, unit, self->handle[B], 0, 0,
			     unit, rows),
		};
	EXPECT_EQ(0, submit(self->stream, ops, MAX_OPS));
	ops[MAX_OPS - 1].rows++;
	EXPECT_EQ(-E2BIG, submit(self->stream, ops, MAX_OPS));

	handle = memory_register(self->stream, memory_map(2 * length),
				 2 * length, ACCESS_BOTH);
	ASSERT_LE(1, handle);
	for (i = 0; i < MAX_OPS; i++)
		ops[i] = (struct dmacpy_op){
			COPY(handle, 0, handle, length, length),
		};
	EXPECT_EQ(0, submit(self->stream, ops, MAX_OPS));
	ops[0] = (struct dmacpy_op){ FILL(handle, 0, 2 * length) };
	EXPECT_EQ(-E2BIG, submit(self->stream, ops, MAX_OPS));
}

/* Catches: a job that ran in part before its error was detected. */
TEST_F(abi, all_or_nothing)
{
	uint8_t *mem = dmabuf_map(self->buffer_a, LENGTH);
	static struct dmacpy_op ops[MAX_OPS];
	size_t i;

	ASSERT_NE(NULL, mem);
	ASSERT_EQ(0, fill(self->stream, self->handle[A], LENGTH, 0xa5a5a5a5));
	for (i = 0; i < MAX_OPS; i++)
		ops[i] = (struct dmacpy_op){
			FILL(self->handle[A], 16 * i, 16),
		};
	ops[MAX_OPS - 1].dst_offset = LENGTH;
	EXPECT_EQ(-EINVAL, submit(self->stream, ops, MAX_OPS));
	ops[MAX_OPS - 1].dst = self->handle[BOGUS];
	EXPECT_EQ(-ENOENT, submit(self->stream, ops, MAX_OPS));
	ASSERT_EQ(0, dmabuf_sync(self->buffer_a,
				 DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ));
	EXPECT_TRUE(all_bytes_are(mem, 0xa5, LENGTH));
}

/* Catches: errors that leak a descriptor, a handle or a buffer. */
TEST_F_TIMEOUT(abi, errors_leave_nothing, SLOW)
{
	uint64_t sram_free = stream_info(self->stream).sram_free;
	unsigned int files = open_files();
	const struct command *cmd;
	int round;

	for (round = 0; round < 100; round++)
		for_each_command(cmd) {
			issue_mutated(self, cmd, cmd->size, 4, 0x80);
			issue_mutated(self, cmd, cmd->size, 8, 0x80);
			issue_mutated(self, cmd, self->page, self->page - 1, 1);
		}
	EXPECT_EQ(files, open_files());
	EXPECT_EQ(sram_free, sram_free_becomes(self->stream, sram_free));
}

TEST_HARNESS_MAIN
