// SPDX-License-Identifier: GPL-2.0-only
/*
 * The features that libdmacpy adds to the ABI, and its handling of errors.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ptrace.h>
#include <linux/udmabuf.h>

#include <dmacpy.h>

#include "kselftest_harness.h"
#include "common.h"
#include "engine.h"

#define LENGTH		(32 * KIB)

/* Catches: a library of another version than the header. */
TEST(version)
{
	char header[32];

	snprintf(header, sizeof(header), "%d.%d.%d", DMACPY_VERSION_MAJOR,
		 DMACPY_VERSION_MINOR, DMACPY_VERSION_PATCH);
	EXPECT_STREQ(header, dmacpy_version());
}

#define V(major, minor, patch)	DMACPY_VERSION_AT_LEAST(major, minor, patch)

/* Catches: a comparison that checks one number only. */
TEST(version_at_least)
{
	const int major = DMACPY_VERSION_MAJOR, minor = DMACPY_VERSION_MINOR;
	const int patch = DMACPY_VERSION_PATCH;

	EXPECT_TRUE(V(major, minor, patch));
	EXPECT_TRUE(V(major, minor - 1, patch + 1));
	EXPECT_TRUE(V(major - 1, minor + 1, patch + 1));
	EXPECT_FALSE(V(major, minor, patch + 1));
	EXPECT_FALSE(V(major, minor + 1, patch - 1));
	EXPECT_FALSE(V(major + 1, minor - 1, patch - 1));
}

FIXTURE(library)
{
	struct dmacpy_device *device;
	struct dmacpy_stream *stream;
	struct dmacpy_get_info info;
	struct dmacpy_buffer *sram, *user;
	uint8_t *sram_mem, *user_mem;
};

FIXTURE_SETUP(library)
{
	void *mem;

	random_start();
	ASSERT_EQ(0, dmacpy_device_open(DEVICE, &self->device));
	ASSERT_EQ(0, dmacpy_device_info(self->device, &self->info,
					sizeof(self->info)));
	ASSERT_EQ(0, dmacpy_stream_open(self->device, &self->stream));
	ASSERT_EQ(0, dmacpy_buffer_alloc(self->stream, LENGTH, &self->sram));
	ASSERT_EQ(0, dmacpy_buffer_map(self->sram, &mem));
	self->sram_mem = mem;
	self->user_mem = memory_map(LENGTH);
	ASSERT_NE(NULL, self->user_mem);
	ASSERT_EQ(0, dmacpy_buffer_register(self->stream, self->user_mem,
					    LENGTH, ACCESS_BOTH, &self->user));
}

FIXTURE_TEARDOWN_PARENT(library)
{
	EXPECT_EQ(0, sram_leaked());
}

/* Some engines do not copy single bytes; the abi tests check the refusal. */
#define NO_BYTES	"this engine copies no single bytes"

/* Checks a copy from SRAM at @src to memory at @dst, and bytes around it. */
static void check_copy(struct __test_metadata *_metadata,
		       struct _test_data_library *self, size_t dst, size_t src,
		       size_t length)
{
	uint8_t *mem = self->user_mem;
	size_t end = dst + length;

	memset(mem, 0x5a, LENGTH);
	ASSERT_EQ(0, dmacpy_stream_copy(self->stream, self->user, dst,
					self->sram, src, length));
	ASSERT_TRUE(all_bytes_are(mem, 0x5a, dst) &&
		    !memcmp(mem + dst, self->sram_mem + src, length) &&
		    all_bytes_are(mem + end, 0x5a, LENGTH - end))
		TH_LOG("to %zu from %zu length %zu", dst, src, length);
}

/* Catches: bytes written beside the copy; first or last bytes missing. */
TEST_F_TIMEOUT(library, copies_of_any_alignment, SLOW)
{
	size_t align = self->info.user_align, length, i;
	const size_t starts[] = { 0, 1, align - 1, align, align + 1,
				  4 * KIB - 1, 4 * KIB };

	if (self->info.copy_align > 1)
		SKIP(return, NO_BYTES);
	random_fill(self->sram_mem, LENGTH);
	for (i = 0; i < ARRAY_SIZE(starts); i++) {
		for (length = 0; length <= 3 * align + 2; length++)
			check_copy(_metadata, self, starts[i], length % 16,
				   length);
		check_copy(_metadata, self, starts[i], 3, LENGTH / 2 + i);
	}
	for (i = 0; i < 500; i++) {
		length = random_below(LENGTH);
		check_copy(_metadata, self, random_below(LENGTH - length),
			   random_below(LENGTH - length), length);
	}
}

/* Catches: data of the CPU lost in cache lines at an edge. */
TEST_F_TIMEOUT(library, memory_at_an_odd_address, SLOW)
{
	uint8_t *around = memory_map(LENGTH), *mem = around + 13;
	struct dmacpy_buffer *odd;
	size_t i;

	if (self->info.copy_align > 1)
		SKIP(return, NO_BYTES);
	ASSERT_NE(NULL, around);
	random_fill(self->sram_mem, LENGTH);
	for (i = 1; i < 300; i++) {
		ASSERT_EQ(0, dmacpy_buffer_register(self->stream, mem, i,
						    DMACPY_ACCESS_WRITE, &odd));
		memset(around, i, 1024);
		ASSERT_EQ(0, dmacpy_stream_copy(self->stream, odd, 0,
						self->sram, 5, i));
		ASSERT_EQ(0, memcmp(mem, self->sram_mem + 5, i));
		ASSERT_TRUE(all_bytes_are(around, i, 13));
		ASSERT_TRUE(all_bytes_are(mem + i, i, 300));
		dmacpy_buffer_free(odd);
	}
}

/* Catches: a long copy that is split wrongly, or refused by the job's limit. */
TEST_F_TIMEOUT(library, longer_than_a_job, SLOW)
{
	size_t length = self->info.max_bytes + 12344;
	struct dmacpy_buffer *src, *dst;
	uint8_t *mem = memory_map(2 * length);

	ASSERT_NE(NULL, mem);
	random_fill(mem, length);
	ASSERT_EQ(0, dmacpy_buffer_register(self->stream, mem, length,
					    DMACPY_ACCESS_READ, &src));
	ASSERT_EQ(0, dmacpy_buffer_register(self->stream, mem + length, length,
					    DMACPY_ACCESS_WRITE, &dst));
	ASSERT_EQ(0, dmacpy_stream_copy(self->stream, dst, 0, src, 0, length));
	EXPECT_EQ(0, memcmp(mem, mem + length, length));
}

static int contiguous_udmabuf(size_t length)
{
	struct udmabuf_create create = { .size = length };
	int device = open("/dev/udmabuf", O_RDWR | O_CLOEXEC), fd = -1;

	if (device < 0)
		return -errno;
	create.memfd = memfd_create("one", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	if (!ftruncate(create.memfd, length) &&
	    !fcntl(create.memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		fd = ioctl(device, UDMABUF_CREATE, &create);
	close(create.memfd);
	close(device);
	return fd;
}

/*
 * Catches: a copy whose jobs do not overlap, but whose ranges do: the dma-buf
 * is imported twice.
 */
TEST_F_TIMEOUT(library, longer_than_a_job_overlaps, SLOW)
{
	size_t max = self->info.max_bytes, length = max + 4 * KIB;
	int fd = contiguous_udmabuf(max + length);
	struct dmacpy_buffer *src, *dst;

	if (fd == -ENOENT)
		SKIP(return, "this kernel has no udmabuf");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, dmacpy_buffer_import(self->stream, fd, DMACPY_ACCESS_READ,
					  &src));
	ASSERT_EQ(0, dmacpy_buffer_import(self->stream, fd,
					  DMACPY_ACCESS_WRITE, &dst));
	EXPECT_EQ(-EINVAL, dmacpy_stream_copy(self->stream, dst, max, src, 0,
					      length));
	close(fd);
}

/* Returns true if a copy of the child to an odd address has the right bytes. */
static bool child_copies(struct _test_data_library *self, const uint8_t *wanted)
{
	uint8_t *mem = memory_map(LENGTH);
	struct dmacpy_buffer *buffer;

	return mem &&
	       !dmacpy_buffer_register(self->stream, mem, LENGTH, ACCESS_BOTH,
				       &buffer) &&
	       !dmacpy_stream_copy(self->stream, buffer, 1, self->sram, 0,
				   100) &&
	       !memcmp(mem + 1, wanted, 100);
}

/* Catches: a child that uses, or releases, the bounce buffer of its parent. */
TEST_F(library, bounces_in_a_child)
{
	uint8_t wanted[100];
	int status;
	pid_t child;

	if (self->info.user_align == 1)
		SKIP(return, "this engine needs no bounce buffer");
	random_fill(self->sram_mem, LENGTH);
	memcpy(wanted, self->sram_mem, sizeof(wanted));
	if (self->info.copy_align > 1)
		SKIP(return, NO_BYTES);
	check_copy(_metadata, self, 1, 0, 100);
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		status = !child_copies(self, wanted);
		dmacpy_stream_close(self->stream);
		_exit(status);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	check_copy(_metadata, self, 1, 0, 100);
}

/* Checks a move in @buffer, mapped at @mem, against memmove() in @copy. */
static void check_move(struct __test_metadata *_metadata,
		       struct _test_data_library *self,
		       struct dmacpy_buffer *buffer, uint8_t *mem,
		       uint8_t *copy, size_t size, size_t dst, size_t src,
		       size_t length)
{
	memcpy(mem, copy, size);
	memmove(copy + dst, copy + src, length);
	ASSERT_EQ(0, dmacpy_stream_move(self->stream, buffer, dst, src,
					length));
	ASSERT_EQ(0, memcmp(mem, copy, size))
		TH_LOG("to %zu from %zu length %zu", dst, src, length);
}

static void check_moves(struct __test_metadata *_metadata,
			struct _test_data_library *self,
			struct dmacpy_buffer *buffer, uint8_t *mem, size_t size,
			unsigned int count)
{
	const size_t distances[] = { 1, 3, 63, 64, 65, 4096, 8191, 8192, 8193 };
	uint8_t *copy = memory_map(size);
	size_t length, dst, src, i;

	ASSERT_NE(NULL, copy);
	random_fill(copy, size);
	for (i = 0; i < ARRAY_SIZE(distances); i++) {
		length = size - distances[i];
		check_move(_metadata, self, buffer, mem, copy, size, 0,
			   distances[i], length);
		check_move(_metadata, self, buffer, mem, copy, size,
			   distances[i], 0, length);
	}
	check_move(_metadata, self, buffer, mem, copy, size, 5, 5, size - 5);
	for (i = 0; i < count; i++) {
		length = random_below(size);
		dst = random_below(size - length + 1);
		src = random_below(size - length + 1);
		if (i % 2 && dst + length < size)
			src = dst + 1 + random_below(size - length - dst) % 70;
		check_move(_metadata, self, buffer, mem, copy, size, dst, src,
			   length);
	}
	munmap(copy, size);
}

/* Catches: a piece that overwrites data still to be moved, or is missing. */
TEST_F_TIMEOUT(library, moves_in_sram, SLOW)
{
	if (self->info.copy_align > 1)
		SKIP(return, NO_BYTES);
	check_moves(_metadata, self, self->sram, self->sram_mem, LENGTH, 200);
}

/* Catches: the same for bytes that the CPU has to write. */
TEST_F_TIMEOUT(library, moves_in_memory, 5 * SLOW)
{
	uint8_t *mem = memory_map(LENGTH) + 13;
	struct dmacpy_buffer *odd;

	if (self->info.copy_align > 1)
		SKIP(return, NO_BYTES);
	check_moves(_metadata, self, self->user, self->user_mem, LENGTH, 100);
	ASSERT_EQ(0, dmacpy_buffer_register(self->stream, mem, LENGTH - 100,
					    ACCESS_BOTH, &odd));
	check_moves(_metadata, self, odd, mem, LENGTH - 100, 100);
	dmacpy_buffer_free(odd);
}

/* Catches: a move that needs SRAM, without free SRAM. */
TEST_F_TIMEOUT(library, moves_without_sram, 5 * SLOW)
{
	struct dmacpy_buffer *all;

	if (self->info.copy_align > 1)
		SKIP(return, NO_BYTES);
	while (!dmacpy_buffer_alloc(self->stream, self->info.granule, &all))
		;
	check_move(_metadata, self, self->sram, self->sram_mem,
		   self->user_mem, LENGTH, 1, 0, 5000);
	check_moves(_metadata, self, self->sram, self->sram_mem, 10000, 10);
}

/* Catches: a move beyond the end, or in a read-only buffer. */
TEST_F(library, moves_refused)
{
	struct dmacpy_buffer *r;

	EXPECT_EQ(-EINVAL, dmacpy_stream_move(self->stream, self->sram, 1, 0,
					      LENGTH));
	EXPECT_EQ(-EINVAL, dmacpy_stream_move(self->stream, self->sram, 0, 1,
					      LENGTH));
	EXPECT_EQ(-EINVAL, dmacpy_stream_move(self->stream, self->sram, 0,
					      -1ULL, 2));
	EXPECT_EQ(0, dmacpy_stream_move(self->stream, self->sram, 1, 0, 0));
	ASSERT_EQ(0, dmacpy_buffer_import(self->stream,
					  dmacpy_buffer_fd(self->sram),
					  DMACPY_ACCESS_READ, &r));
	EXPECT_EQ(-EACCES, dmacpy_stream_move(self->stream, r, 1, 0, 100));
	EXPECT_EQ(-EACCES, dmacpy_stream_move(self->stream, r, 1, 0, 1));
	dmacpy_buffer_free(r);
}

/* Catches: a failure that crashes, or is not reported. */
TEST_F(library, errors)
{
	struct dmacpy_stream *other, *stream = self->stream;
	struct dmacpy_buffer *sram = self->sram, *user = self->user, *buffer;
	struct dmacpy_device *device;

	EXPECT_EQ(-ENOENT, dmacpy_device_open("/dev/missing", &device));
	EXPECT_EQ(-ENOTTY, dmacpy_device_open("/dev/null", &device));
	EXPECT_EQ(-EINVAL, dmacpy_buffer_alloc(stream, 0, &buffer));
	EXPECT_EQ(-ENOSPC, dmacpy_buffer_alloc(stream, 1ULL << 40, &buffer));
	EXPECT_EQ(-EBADF, dmacpy_buffer_import(stream, -1, ACCESS_BOTH,
					       &buffer));
	EXPECT_EQ(-EFAULT, dmacpy_buffer_register(stream, NULL, 1, ACCESS_BOTH,
						  &buffer));
	EXPECT_EQ(-EBADF, dmacpy_buffer_fd(user));
	EXPECT_EQ(-EINVAL, dmacpy_buffer_begin_access(sram, 0));

	EXPECT_EQ(0, dmacpy_stream_copy(stream, sram, 0, user, 0, 0));
	EXPECT_EQ(-EINVAL, dmacpy_stream_copy(stream, sram, 1, user, 0,
					      LENGTH));
	EXPECT_EQ(-EINVAL, dmacpy_stream_copy(stream, sram, 0, user, -1ULL, 2));
	EXPECT_EQ(-EINVAL, dmacpy_stream_copy(stream, sram, 0, sram, 1, 2));

	ASSERT_EQ(0, dmacpy_stream_open(self->device, &other));
	EXPECT_EQ(-EINVAL, dmacpy_stream_copy(other, sram, 0, user, 0, 1));
	dmacpy_stream_close(other);
}

/* Catches: a buffer that is used without the access it needs. */
TEST_F(library, access_modes)
{
	struct dmacpy_buffer *r, *w;
	int fd = dmacpy_buffer_fd(self->sram);

	ASSERT_EQ(0, dmacpy_buffer_import(self->stream, fd, DMACPY_ACCESS_READ,
					  &r));
	ASSERT_EQ(0, dmacpy_buffer_import(self->stream, fd, DMACPY_ACCESS_WRITE,
					  &w));
	EXPECT_EQ(LENGTH, dmacpy_buffer_size(r));
	EXPECT_EQ(-EACCES, dmacpy_stream_copy(self->stream, r, 0, self->user, 0,
					      1));
	EXPECT_EQ(-EACCES, dmacpy_stream_copy(self->stream, self->user, 0, w, 0,
					      self->info.user_align));
	EXPECT_EQ(0, dmacpy_stream_copy(self->stream, w, 0, r, 100, 100));
	EXPECT_EQ(-EINVAL, dmacpy_stream_copy(self->stream, w, 0, r, 99, 100));
	dmacpy_buffer_free(r);
	dmacpy_buffer_free(w);
}

/* Catches: a crash of a program that cleans up after a partial start. */
TEST(free_of_null)
{
	dmacpy_buffer_free(NULL);
	dmacpy_job_free(NULL);
	dmacpy_stream_close(NULL);
	dmacpy_device_close(NULL);
	EXPECT_EQ(0, sram_leaked());
}

/* Catches: a list without its end, or without a device. */
TEST(device_list)
{
	struct dmacpy_device *device;
	char **paths;
	int count;

	count = dmacpy_device_list(&paths);
	ASSERT_LE(1, count);
	EXPECT_EQ(NULL, paths[count]);
	while (count--) {
		ASSERT_EQ(0, dmacpy_device_open(paths[count], &device));
		EXPECT_STREQ(paths[count], dmacpy_device_path(device));
		dmacpy_device_close(device);
	}
	free(paths);
	ASSERT_EQ(0, dmacpy_device_open(NULL, &device));
	dmacpy_device_close(device);
}

/* Catches: a mapping that the buffer loses, or leaks. */
TEST_F(library, map_and_sync)
{
	void *again, *mem;

	ASSERT_EQ(0, dmacpy_buffer_map(self->sram, &again));
	EXPECT_EQ(self->sram_mem, again);
	ASSERT_EQ(0, dmacpy_buffer_map(self->user, &mem));
	EXPECT_EQ(self->user_mem, mem);

	ASSERT_EQ(0, dmacpy_buffer_begin_access(self->sram, ACCESS_BOTH));
	memset(again, 0x11, LENGTH);
	ASSERT_EQ(0, dmacpy_buffer_end_access(self->sram, ACCESS_BOTH));
	EXPECT_EQ(0, dmacpy_buffer_begin_access(self->user, ACCESS_BOTH));
	EXPECT_EQ(0, dmacpy_buffer_end_access(self->user, ACCESS_BOTH));
	dmacpy_buffer_unmap(self->sram);
	dmacpy_buffer_unmap(self->sram);
	EXPECT_EQ(-1, madvise(again, LENGTH, MADV_NORMAL));

	ASSERT_EQ(0, dmacpy_buffer_map(self->sram, &mem));
	EXPECT_TRUE(all_bytes_are(mem, 0x11, LENGTH));
	dmacpy_buffer_free(self->sram);
	dmacpy_buffer_free(self->user);
	dmacpy_stream_close(self->stream);
	dmacpy_device_close(self->device);
	EXPECT_EQ(0, sram_leaked());
}

/* Catches: memory that is not synced, or whose access syncs it in part. */
TEST_F(library, explicit_sync)
{
	const size_t align = self->info.user_align, page = LENGTH / 4;
	uint8_t *mem = memory_map(2 * LENGTH) + align;
	struct dmacpy_buffer *buffer;

	EXPECT_EQ(-EOPNOTSUPP,
		  dmacpy_buffer_register_flags(self->stream, mem, LENGTH,
					       ACCESS_BOTH, 1U << 31, &buffer));
	ASSERT_EQ(0, dmacpy_buffer_register_flags(self->stream, mem, LENGTH,
						  ACCESS_BOTH,
						  DMACPY_REGISTER_EXPLICIT_SYNC,
						  &buffer));
	/* Explicit syncs */
	memset(mem, 0x11, LENGTH);
	EXPECT_EQ(0, dmacpy_buffer_sync(buffer, 1, 0, 0));
	EXPECT_EQ(0, dmacpy_buffer_sync(buffer, 0, LENGTH,
					DMACPY_SYNC_FOR_DEVICE));
	EXPECT_EQ(0, dmacpy_stream_copy(self->stream, self->sram, 0, buffer, 0,
					LENGTH));
	EXPECT_TRUE(all_bytes_are(self->sram_mem, 0x11, LENGTH));
	memset(self->sram_mem, 0x22, LENGTH);
	EXPECT_EQ(0, dmacpy_stream_copy(self->stream, buffer, page, self->sram,
					0, page));
	EXPECT_EQ(0, dmacpy_buffer_sync(buffer, page, page,
					DMACPY_SYNC_FOR_CPU));
	EXPECT_TRUE(all_bytes_are(mem, 0x11, page));
	EXPECT_TRUE(all_bytes_are(mem + page, 0x22, page));

	/* Syncs by CPU access */
	EXPECT_EQ(0, dmacpy_buffer_begin_access(buffer, ACCESS_BOTH));
	memset(mem, 0x33, LENGTH);
	EXPECT_EQ(0, dmacpy_buffer_end_access(buffer, ACCESS_BOTH));
	EXPECT_EQ(0, dmacpy_stream_copy(self->stream, buffer, 0, self->sram, 0,
					page));
	EXPECT_EQ(0, dmacpy_buffer_begin_access(buffer, DMACPY_ACCESS_READ));
	EXPECT_TRUE(all_bytes_are(mem, 0x22, page));
	EXPECT_TRUE(all_bytes_are(mem + page, 0x33, LENGTH - page));
	EXPECT_EQ(0, dmacpy_buffer_end_access(buffer, DMACPY_ACCESS_READ));

	EXPECT_EQ(-EINVAL, dmacpy_buffer_sync(self->user, 0, LENGTH,
					      DMACPY_SYNC_FOR_CPU));
	EXPECT_EQ(-EINVAL, dmacpy_buffer_sync(buffer, 0, LENGTH + 1,
					      DMACPY_SYNC_FOR_DEVICE));
	if (align > 1)
		EXPECT_EQ(-EINVAL, dmacpy_stream_copy(self->stream, buffer, 1,
						      self->sram, 0, page));
	dmacpy_buffer_free(buffer);
}

/* Catches: operations lost, or left over, between runs; a wrong limit. */
TEST_F(library, jobs)
{
	struct dmacpy_plane tile = { self->sram, 0, 256 };
	struct dmacpy_plane row = { self->user, 0, 0 };
	struct dmacpy_job *job;
	unsigned int i, unit = self->info.copy_align;

	memset(self->user_mem, 0x22, LENGTH);
	ASSERT_EQ(0, dmacpy_job_new(self->stream, &job));
	EXPECT_GT(0, dmacpy_job_run(job));
	ASSERT_EQ(0, dmacpy_job_add_fill(job, self->sram, 0, LENGTH,
					 0x11111111));
	ASSERT_EQ(0, dmacpy_job_add_copy_2d(job, &tile, &row, 16, 8));
	ASSERT_EQ(0, dmacpy_job_add_copy(job, self->sram, 4 * KIB, self->sram,
					 0, 20));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, dmacpy_job_run(job));
		EXPECT_TRUE(all_bytes_are(self->sram_mem, 0x22, 16));
		EXPECT_TRUE(all_bytes_are(self->sram_mem + 16, 0x11, 240));
		EXPECT_TRUE(all_bytes_are(self->sram_mem + 7 * 256, 0x22, 16));
		EXPECT_TRUE(all_bytes_are(self->sram_mem + 8 * 256, 0x11, 16));
		EXPECT_TRUE(all_bytes_are(self->sram_mem + 4 * KIB, 0x22, 16));
		EXPECT_EQ(0x11, self->sram_mem[4 * KIB + 16]);
		memset(self->sram_mem, 0, LENGTH);
	}
	dmacpy_job_reset(job);
	for (i = 0; i < self->info.max_ops; i++)
		ASSERT_EQ(0, dmacpy_job_add_fill(job, self->sram, i * unit,
						 unit, i));
	EXPECT_EQ(-E2BIG, dmacpy_job_add_fill(job, self->sram, 0, unit, 0));
	EXPECT_EQ(0, dmacpy_job_run(job));
	for (i = 0; i < self->info.max_ops; i++)
		ASSERT_EQ(i & 0xff, self->sram_mem[i * unit]);
	dmacpy_job_reset(job);
	EXPECT_EQ(-ERANGE, dmacpy_job_add_copy_2d(job, &tile, &row, 1,
						  self->info.max_rows + 1));
	EXPECT_EQ(-EFBIG, dmacpy_job_add_copy(job, self->sram, 0, self->user, 0,
					      self->info.max_bytes + 1));
	dmacpy_job_free(job);
}

/*
 * Catches: a prepared job that is confused with another, that depends on the
 * job it was made of, or whose refusal is reported for another operation.
 */
TEST_F(library, prepared)
{
	struct dmacpy_run how = {
		.size = sizeof(how),
		.flags = DMACPY_SUBMIT_EVENT,
	};
	struct dmacpy_prepared *fill, *copy, *none = NULL;
	struct dmacpy_run_job jobs[2];
	struct dmacpy_event events[3];
	struct dmacpy_job *job;

	ASSERT_EQ(0, dmacpy_job_new(self->stream, &job));
	EXPECT_EQ(-EINVAL, dmacpy_job_prepare(job, &none));
	ASSERT_EQ(0, dmacpy_job_add_fill(job, self->sram, 0, LENGTH,
					 0x11111111));
	ASSERT_EQ(0, dmacpy_job_prepare(job, &fill));
	ASSERT_EQ(0, dmacpy_job_add_fill(job, self->sram, LENGTH, LENGTH, 0));
	EXPECT_EQ(-EINVAL, dmacpy_job_prepare(job, &none));
	EXPECT_EQ(2, dmacpy_job_refused_op(job));
	EXPECT_EQ(NULL, none);
	dmacpy_job_reset(job);
	ASSERT_EQ(0, dmacpy_job_add_copy(job, self->user, 0, self->sram, 0,
					 LENGTH));
	ASSERT_EQ(0, dmacpy_job_prepare(job, &copy));
	EXPECT_EQ(0, dmacpy_job_refused_op(job));
	dmacpy_job_free(job);

	EXPECT_EQ(0, dmacpy_prepared_run(fill));
	EXPECT_TRUE(all_bytes_are(self->sram_mem, 0x11, LENGTH));
	EXPECT_EQ(0, dmacpy_prepared_submit(copy, 5, &how));
	jobs[0] = (struct dmacpy_run_job){
		.handle = dmacpy_prepared_handle(fill), .user_data = 6,
	};
	jobs[1] = (struct dmacpy_run_job){
		.handle = dmacpy_prepared_handle(copy), .user_data = 7,
	};
	EXPECT_EQ(2, dmacpy_stream_run(self->stream, jobs, 2,
				       DMACPY_SUBMIT_EVENT));
	ASSERT_EQ(0, dmacpy_stream_flush(self->stream));
	ASSERT_EQ(3, dmacpy_stream_read_events(self->stream, events, 3));
	EXPECT_EQ(5, events[0].user_data);
	EXPECT_EQ(6, events[1].user_data);
	EXPECT_EQ(7, events[2].user_data);
	EXPECT_TRUE(all_bytes_are(self->user_mem, 0x11, LENGTH));
	dmacpy_prepared_free(fill);
	EXPECT_EQ(-ENOENT, dmacpy_stream_run(self->stream, jobs, 2, 0));
	EXPECT_EQ(0, dmacpy_prepared_run(copy));
	dmacpy_prepared_free(copy);
	dmacpy_prepared_free(NULL);
}

/* A job in flight, on the fake engine: QEMU's would complete at once. */
FIXTURE(in_flight)
{
	struct dmacpy_stream *stream;
	struct dmacpy_buffer *sram;
	struct dmacpy_job *job;
	uint8_t *mem;
};

FIXTURE_SETUP(in_flight)
{
	struct dmacpy_device *device;
	struct instance instance;
	void *mem;

	if (engine_find(&instance))
		SKIP(return, NO_ENGINE);
	ASSERT_TRUE(engine_reset());
	ASSERT_TRUE(engine_set("delay_us", SLOW_US));
	ASSERT_EQ(0, dmacpy_device_open(instance.node, &device));
	ASSERT_EQ(0, dmacpy_stream_open(device, &self->stream));
	dmacpy_device_close(device);
	ASSERT_EQ(0, dmacpy_buffer_alloc(self->stream, LENGTH, &self->sram));
	ASSERT_EQ(0, dmacpy_buffer_map(self->sram, &mem));
	self->mem = mem;
	ASSERT_EQ(0, dmacpy_job_new(self->stream, &self->job));
}

FIXTURE_TEARDOWN_PARENT(in_flight)
{
	EXPECT_TRUE(engine_reset());
	EXPECT_EQ(0, sram_leaked());
}

/* Fills byte @number of the SRAM, by a temporary job. */
static int submit_fill(struct _test_data_in_flight *self, unsigned int number,
		       struct dmacpy_submit *submit)
{
	int ret;

	ret = dmacpy_job_add_fill(self->job, self->sram, number, 1, 0x11);
	if (!ret)
		ret = dmacpy_job_submit(self->job, submit);
	dmacpy_job_reset(self->job);
	return ret;
}

/* Catches: a job that is lost with its reset, an event of another job. */
TEST_F(in_flight, events)
{
	struct dmacpy_submit submit = {
		.size = sizeof(submit),
		.flags = DMACPY_SUBMIT_EVENT,
	};
	int fd = dmacpy_stream_fd(self->stream), count, i, seen = 0;
	struct dmacpy_event events[4];

	ASSERT_TRUE(engine_set("hang", 1));
	for (i = 0; i < 3; i++) {
		submit.user_data = i;
		ASSERT_EQ(0, submit_fill(self, i, &submit));
	}
	EXPECT_EQ(0, self->mem[0]);
	ASSERT_EQ(0, fcntl(fd, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, dmacpy_stream_read_events(self->stream, events, 4));
	ASSERT_EQ(0, fcntl(fd, F_SETFL, 0));
	ASSERT_TRUE(engine_set("hang", 0));
	while (seen < 3) {
		count = dmacpy_stream_read_events(self->stream, events, 4);
		ASSERT_LE(1, count);
		for (i = 0; i < count; i++, seen++) {
			EXPECT_EQ(seen, events[i].user_data);
			EXPECT_EQ(0, events[i].result);
			EXPECT_EQ(0x11, self->mem[seen]);
		}
	}
	EXPECT_EQ(3, seen);
}

/* Catches: a wait for further records although one is available. */
TEST_F(in_flight, read_many_events)
{
	struct dmacpy_submit submit = {
		.size = sizeof(submit),
		.flags = DMACPY_SUBMIT_EVENT,
	};
	struct dmacpy_event events[4];
	int i;

	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, submit_fill(self, i, &submit));
	ASSERT_EQ(0, dmacpy_stream_flush(self->stream));
	EXPECT_EQ(1, dmacpy_stream_read_events(self->stream, events, 1));
	EXPECT_EQ(2, dmacpy_stream_read_events(self->stream, events, 4));
}

static void ignore(int number)
{
}

/* Catches: a move that a signal ends: it waits until the stream has room. */
TEST_F_TIMEOUT(in_flight, move_is_not_interrupted, SLOW)
{
	struct dmacpy_submit submit = { .size = sizeof(submit) };
	struct sigaction action = { .sa_handler = ignore };
	int fd = dmacpy_stream_fd(self->stream), ret;
	uint8_t wanted[9000];
	pid_t child;

	random_fill(self->mem, LENGTH);
	memcpy(wanted, self->mem, sizeof(wanted));
	memmove(wanted + 64, wanted, sizeof(wanted) - 64);
	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	ASSERT_TRUE(engine_set("hang", 1));
	ASSERT_EQ(0, fcntl(fd, F_SETFL, O_NONBLOCK));
	do
		ret = submit_fill(self, LENGTH - 1, &submit);
	while (!ret);
	ASSERT_EQ(-EAGAIN, ret);
	ASSERT_EQ(0, fcntl(fd, F_SETFL, 0));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		usleep(300 * 1000);
		kill(getppid(), SIGUSR1);
		usleep(100 * 1000);
		_exit(!engine_set("hang", 0));
	}
	EXPECT_EQ(0, dmacpy_stream_move(self->stream, self->sram, 64, 0,
					sizeof(wanted) - 64));
	EXPECT_EQ(0, memcmp(wanted, self->mem, sizeof(wanted)));
	ASSERT_EQ(child, waitpid(child, &ret, 0));
	EXPECT_EQ(0, ret);
}

/*
 * Catches: a few bytes that the CPU copies before the jobs of the stream, where
 * the engine cannot write them.
 */
TEST_F(in_flight, copy_of_an_edge_is_in_order)
{
	struct dmacpy_submit slow = {
		.size = sizeof(slow),
		.flags = DMACPY_SUBMIT_OUT_FENCE,
	};
	struct dmacpy_submit submit = {
		.size = sizeof(submit),
		.flags = DMACPY_SUBMIT_IN_FENCE,
	};
	uint8_t *mem = memory_map(2 * LENGTH);
	struct dmacpy_device *device;
	struct dmacpy_stream *stream;
	struct dmacpy_buffer *a, *b;
	struct dmacpy_job *job;
	unsigned int failed;
	int ret;

	ASSERT_NE(NULL, mem);
	ASSERT_EQ(0, dmacpy_device_open(DEVICE, &device));
	ASSERT_EQ(0, dmacpy_stream_open(device, &stream));
	ASSERT_EQ(0, dmacpy_job_new(stream, &job));
	ASSERT_EQ(0, dmacpy_buffer_register(stream, mem, LENGTH, ACCESS_BOTH,
					    &a));
	ASSERT_EQ(0, dmacpy_buffer_register(stream, mem + LENGTH, LENGTH,
					    ACCESS_BOTH, &b));
	ASSERT_EQ(0, dmacpy_job_add_fill(job, a, 0, LENGTH, 0x11111111));
	for (failed = 0; failed < 2; failed++) {
		ASSERT_TRUE(engine_set("next_failed", failed));
		ASSERT_EQ(0, submit_fill(self, 0, &slow));
		submit.in_fence = slow.out_fence;
		ASSERT_EQ(0, dmacpy_job_submit(job, &submit));
		ret = dmacpy_stream_copy(stream, b, 0, a, 0, 32);
		EXPECT_EQ(failed ? -ECANCELED : 0, ret);
		EXPECT_TRUE(all_bytes_are(mem + LENGTH, 0x11, 32));
	}
}

/* Catches: a timeout that is not kept, a result that is lost. */
TEST_F(in_flight, fence_wait)
{
	struct dmacpy_submit submit = {
		.size = sizeof(submit),
		.flags = DMACPY_SUBMIT_OUT_FENCE,
	};
	unsigned int start = milliseconds();

	ASSERT_TRUE(engine_set("hang", 1));
	ASSERT_EQ(0, submit_fill(self, 0, &submit));
	EXPECT_EQ(-ETIME, dmacpy_fence_wait(submit.out_fence, 0));
	EXPECT_EQ(-ETIME, dmacpy_fence_wait(submit.out_fence, 10));
	EXPECT_LE(10, milliseconds() - start);
	ASSERT_TRUE(engine_set("hang", 0));
	EXPECT_EQ(0, dmacpy_fence_wait(submit.out_fence, -1));
	EXPECT_EQ(0x11, self->mem[0]);
	EXPECT_EQ(0, dmacpy_fence_wait(submit.out_fence, 0));

	ASSERT_TRUE(engine_set("next_failed", 1));
	ASSERT_EQ(0, submit_fill(self, 1, &submit));
	EXPECT_EQ(-EIO, dmacpy_fence_wait(submit.out_fence, -1));
}

/* Catches: an endless wait for a file that can never signal. */
TEST_F(in_flight, fence_wait_errors)
{
	int fd = dmacpy_stream_fd(self->stream);

	EXPECT_EQ(-EBADF, dmacpy_fence_wait(-1, -1));
	EXPECT_EQ(-ENOTTY, dmacpy_fence_wait(fd, -1));
}

/* Catches: an in-fence that is not passed to the kernel. */
TEST_F(in_flight, in_fence)
{
	struct dmacpy_submit first = {
		.size = sizeof(first),
		.flags = DMACPY_SUBMIT_OUT_FENCE,
	};
	struct dmacpy_submit second = {
		.size = sizeof(second),
		.flags = DMACPY_SUBMIT_IN_FENCE | DMACPY_SUBMIT_WAIT,
	};

	ASSERT_TRUE(engine_set("next_failed", 1));
	ASSERT_EQ(0, submit_fill(self, 0, &first));
	ASSERT_EQ(-EIO, dmacpy_fence_wait(first.out_fence, -1));
	second.in_fence = first.out_fence;
	EXPECT_EQ(-ECANCELED, submit_fill(self, 1, &second));
	EXPECT_EQ(0, self->mem[1]);
}

/* Catches: a refusal that does not name the operation. */
TEST_F(in_flight, refused_op)
{
	struct dmacpy_submit submit = {
		.size = sizeof(submit),
		.refused_op = 99,
	};
	struct dmacpy_job *job;
	int i;

	ASSERT_EQ(0, dmacpy_job_new(self->stream, &job));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, dmacpy_job_add_fill(job, self->sram, 0, 4, i));
	EXPECT_EQ(0, dmacpy_job_run(job));
	EXPECT_EQ(0, dmacpy_job_refused_op(job));
	ASSERT_EQ(0, dmacpy_job_add_fill(job, self->sram, 1 << 30, 4, 0));
	EXPECT_EQ(-EINVAL, dmacpy_job_run(job));
	EXPECT_EQ(4, dmacpy_job_refused_op(job));
	EXPECT_EQ(-EINVAL, dmacpy_job_submit(job, &submit));
	EXPECT_EQ(4, dmacpy_job_refused_op(job));
	EXPECT_EQ(4, submit.refused_op);

	/* Use the size of the structure before it had that member. */
	submit.size = offsetof(struct dmacpy_submit, refused_op);
	submit.refused_op = 99;
	EXPECT_EQ(-EINVAL, dmacpy_job_submit(job, &submit));
	EXPECT_EQ(99, submit.refused_op);
	EXPECT_EQ(0, dmacpy_job_refused_op(job));
	dmacpy_job_free(job);
}

/* Catches: a flush that does not wait, or reports a failure never, or twice. */
TEST_F(in_flight, flush)
{
	struct dmacpy_submit submit = { .size = sizeof(submit) };

	ASSERT_EQ(0, submit_fill(self, 0, &submit));
	EXPECT_EQ(0, dmacpy_stream_flush(self->stream));
	EXPECT_EQ(0x11, self->mem[0]);

	ASSERT_TRUE(engine_set("next_failed", 1));
	ASSERT_EQ(0, submit_fill(self, 1, &submit));
	EXPECT_EQ(-EIO, dmacpy_stream_flush(self->stream));
	EXPECT_EQ(0, dmacpy_stream_flush(self->stream));
}

static bool calls_sync(pid_t pid)
{
	struct ptrace_syscall_info info;

	return ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0 &&
	       info.op == PTRACE_SYSCALL_INFO_ENTRY &&
	       info.entry.nr == SYS_ioctl &&
	       (unsigned int)info.entry.args[1] == DMA_BUF_IOCTL_SYNC;
}

/*
 * Returns the state of a fence when another process calls DMA_BUF_IOCTL_SYNC to
 * begin an access, or -EIO if the access fails.
 */
static int fence_at_sync(struct dmacpy_buffer *buffer, uint32_t access,
			 int fence)
{
	int state = -ENOENT, status;
	pid_t pid = fork();

	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		_exit(-dmacpy_buffer_begin_access(buffer, access));
	}
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		if (state == -ENOENT && calls_sync(pid))
			state = fence_status(fence);
		ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD);
		ptrace(PTRACE_SYSCALL, pid, 0, 0);
	}
	return WIFEXITED(status) && !WEXITSTATUS(status) ? state : -EIO;
}

/*
 * Catches: caches that are invalidated while the engine still writes, as an
 * exporter of cached memory does at the start of the ioctl, which waits after
 * that; a wait of readers for readers.
 */
TEST_F(in_flight, begin_access_waits_before_the_sync)
{
	static const struct {
		bool writes;		/* the job, otherwise it reads */
		uint32_t access;
		int state;
	} table[] = {
		{ true, DMACPY_ACCESS_READ, 1 },
		{ true, ACCESS_BOTH, 1 },
		{ false, DMACPY_ACCESS_WRITE, 1 },
		{ false, DMACPY_ACCESS_READ, 0 },
	};
	struct dmacpy_buffer *other, *dst, *src;
	struct dmacpy_submit submit;
	size_t i;

	ASSERT_EQ(0, dmacpy_buffer_alloc(self->stream, LENGTH, &other));
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		dst = table[i].writes ? self->sram : other;
		src = table[i].writes ? other : self->sram;
		submit = (struct dmacpy_submit){
			.size = sizeof(submit),
			.flags = DMACPY_SUBMIT_OUT_FENCE,
		};
		ASSERT_EQ(0, dmacpy_job_add_copy(self->job, dst, 0, src, 0,
						 LENGTH));
		/*
		 * The engine must not complete a job that the access does not
		 * wait for.
		 */
		ASSERT_TRUE(engine_set("hang", !table[i].state));
		ASSERT_EQ(0, dmacpy_job_submit(self->job, &submit));
		dmacpy_job_reset(self->job);
		EXPECT_EQ(table[i].state,
			  fence_at_sync(self->sram, table[i].access,
					submit.out_fence))
			TH_LOG("row %zu", i);
		ASSERT_TRUE(engine_set("hang", 0));
		ASSERT_EQ(0, dmacpy_stream_flush(self->stream));
		close(submit.out_fence);
	}
}

TEST_HARNESS_MAIN
