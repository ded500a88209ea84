// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SRAM as a resource: allocation, mapping, sharing, freeing, and memory
 * that must never be allocated. On an instance of each kind of region.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <linux/futex.h>
#include <linux/io_uring.h>

#include "kselftest_harness.h"
#include "common.h"
#include "instance.h"

#define MAX_BUFFERS	1024

FIXTURE(sram)
{
	struct instance instance;
	struct dmacpy_get_info info;
	int stream;
	int fd[MAX_BUFFERS];
	uint32_t *mem[MAX_BUFFERS];
	size_t count;
};

FIXTURE_VARIANT(sram)
{
	const char *property;
};

FIXTURE_VARIANT_ADD(sram, shared_pool)
{
	.property = WITH_SHARED_POOL,
};

FIXTURE_VARIANT_ADD(sram, own_region)
{
	.property = WITH_OWN_REGION,
};

FIXTURE_SETUP(sram)
{
	if (instance_find(&self->instance, variant->property))
		SKIP(return, "this board has no such instance");
	self->stream = stream_open(self->instance.node);
	ASSERT_LE(0, self->stream);
	self->info = stream_info(self->stream);
	ASSERT_EQ(self->info.sram_total, self->info.sram_free);
}

FIXTURE_TEARDOWN_PARENT(sram)
{
	EXPECT_EQ(0, sram_leaked());
}

/* Allocates single granules until that fails; returns the last error. */
static int exhaust_sram(struct _test_data_sram *self)
{
	size_t granule = self->info.granule;
	int fd;

	while (self->count < MAX_BUFFERS) {
		fd = sram_alloc(self->stream, granule);
		if (fd < 0)
			return fd;
		self->mem[self->count] = dmabuf_map(fd, granule);
		self->fd[self->count++] = fd;
	}
	return 0;
}

static void give_back(struct _test_data_sram *self, size_t i)
{
	munmap(self->mem[i], self->info.granule);
	close(self->fd[i]);
}

/* A work item frees buffers: wait until all are free. */
static uint64_t free_at_last(const struct _test_data_sram *self)
{
	return sram_free_becomes(self->stream, self->info.sram_total);
}

/* Catches: memory that is leaked, or allocated twice; ENOMEM for ENOSPC. */
TEST_F_TIMEOUT(sram, exhaustion, SLOW)
{
	size_t i, granule = self->info.granule, words = granule / 4;
	int round;

	for (round = 0; round < 3; round++) {
		self->count = 0;
		EXPECT_EQ(-ENOSPC, exhaust_sram(self));
		EXPECT_EQ(self->info.sram_total, self->count * granule);
		EXPECT_EQ(0, stream_info(self->stream).sram_free);
		EXPECT_EQ(0, stream_info(self->stream).sram_largest);
		for (i = 0; i < self->count; i++) {
			ASSERT_NE(NULL, self->mem[i]);
			ASSERT_TRUE(all_bytes_are(self->mem[i], 0, granule))
				TH_LOG("buffer %zu is not cleared", i);
			self->mem[i][0] = ~i;
			self->mem[i][words - 1] = i;
		}
		for (i = 0; i < self->count; i++) {
			ASSERT_EQ((uint32_t)~i, self->mem[i][0]);
			ASSERT_EQ((uint32_t)i, self->mem[i][words - 1]);
			give_back(self, i);
		}
		EXPECT_EQ(self->info.sram_total, free_at_last(self));
		EXPECT_EQ(self->info.sram_largest,
			  stream_info(self->stream).sram_largest);
	}
}

/* Catches: a fragmented buffer, or free memory that is never merged. */
TEST_F_TIMEOUT(sram, fragmentation, SLOW)
{
	uint64_t granule = self->info.granule, half;
	size_t i;

	ASSERT_EQ(-ENOSPC, exhaust_sram(self));
	for (i = 1; i < self->count; i += 2)
		give_back(self, i);
	half = self->count / 2 * granule;
	EXPECT_EQ(half, sram_free_becomes(self->stream, half));
	EXPECT_LE(granule, stream_info(self->stream).sram_largest);
	EXPECT_EQ(-ENOSPC, sram_alloc(self->stream,
				      stream_info(self->stream).sram_largest +
				      granule));
	for (i = 0; i < self->count; i += 2)
		give_back(self, i);
	free_at_last(self);
	EXPECT_LE(0, sram_alloc(self->stream, self->info.sram_largest));
}

/* Catches: GET_INFO returning more, or less, than there is. */
TEST_F(sram, largest_is_exact)
{
	uint64_t largest = self->info.sram_largest;
	int fd;

	EXPECT_EQ(-ENOSPC, sram_alloc(self->stream, largest + 1));
	fd = sram_alloc(self->stream, largest);
	ASSERT_LE(0, fd);
	EXPECT_EQ(self->info.sram_total - largest,
		  stream_info(self->stream).sram_free);
	EXPECT_EQ(largest, lseek(fd, 0, SEEK_END));
}

/* Catches: a length that is not rounded, so that two buffers share a page. */
TEST_F(sram, odd_lengths)
{
	uint64_t granule = self->info.granule;
	const uint64_t lengths[] = { 1, granule - 1, granule, granule + 1 };
	struct dmacpy_alloc arg;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		arg = (struct dmacpy_alloc){
			.size = sizeof(arg),
			.length = lengths[i],
			.fd_flags = O_RDWR,
		};
		ASSERT_EQ(0, command(self->stream, DMACPY_ALLOC, &arg));
		EXPECT_EQ(i < 3 ? granule : 2 * granule, arg.length);
		EXPECT_EQ(arg.length, lseek(arg.fd, 0, SEEK_END));
	}
	EXPECT_EQ(self->info.sram_total - 5 * granule,
		  stream_info(self->stream).sram_free);
}

/* Catches: readable data of another process, written by CPU or engine. */
TEST_F_TIMEOUT(sram, fresh_buffers_are_zero, SLOW)
{
	size_t length = self->info.sram_largest;
	int round, fd, handle;
	void *mem;

	for (round = 0; round < 4; round++) {
		if (!fork()) {
			fd = sram_alloc(self->stream, length);
			mem = dmabuf_map(fd, length);
			ASSERT_NE(NULL, mem);
			handle = dmabuf_import(self->stream, fd, ACCESS_BOTH);
			if (round % 2)
				memset(mem, 0xff, length);
			else
				EXPECT_EQ(0, fill(self->stream, handle, length,
						  ~0));
			EXPECT_TRUE(all_bytes_are(mem, 0xff, length));
			EXPECT_EQ(0, handle_release(self->stream, handle));
			_exit(0);
		}
		wait(NULL);
		EXPECT_EQ(self->info.sram_total, free_at_last(self));
		fd = sram_alloc(self->stream, length);
		mem = dmabuf_map(fd, length);
		ASSERT_NE(NULL, mem);
		EXPECT_TRUE(all_bytes_are(mem, 0, length));
		munmap(mem, length);
		close(fd);
		free_at_last(self);
	}
}

/* Catches: the end of a last page that is mapped with data of others. */
TEST_F(sram, rest_of_last_page_is_zero)
{
	const size_t lengths[] = { 1, 100, 4095, 4097 };
	size_t length, i;
	uint8_t *mem;
	int fd;

	/* All of the SRAM, which may have several parts */
	EXPECT_EQ(-ENOSPC, exhaust_sram(self));
	for (i = 0; i < self->count; i++) {
		ASSERT_NE(NULL, self->mem[i]);
		memset(self->mem[i], 0xff, self->info.granule);
		give_back(self, i);
	}
	ASSERT_EQ(self->info.sram_total, free_at_last(self));
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		fd = sram_alloc(self->stream, lengths[i]);
		ASSERT_LE(0, fd);
		length = lseek(fd, 0, SEEK_END);
		EXPECT_LE(lengths[i], length);
		mem = dmabuf_map(fd, length);
		ASSERT_NE(NULL, mem);
		EXPECT_TRUE(all_bytes_are(mem, 0, length))
			TH_LOG("%zu bytes", lengths[i]);
	}
}

/* A message of one byte that carries a file descriptor */
union fd_message {
	char space[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

static struct msghdr fd_message(union fd_message *control, struct iovec *iov)
{
	memset(control, 0, sizeof(*control));
	return (struct msghdr){
		.msg_iov = iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(*control),
	};
}

static bool fd_send(int sock, int fd)
{
	union fd_message control;
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = fd_message(&control, &iov);
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return sendmsg(sock, &msg, 0) == 1;
}

static int fd_receive(int sock)
{
	union fd_message control;
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = fd_message(&control, &iov);
	int fd;

	if (recvmsg(sock, &msg, 0) != 1 || !CMSG_FIRSTHDR(&msg))
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

/* The other process: adds 1 to each word of the buffer it receives. */
static void increment_received(int sock, size_t length)
{
	int fd = fd_receive(sock);
	uint32_t *mem = dmabuf_map(fd, length);
	size_t i;

	if (!mem)
		return;
	dmabuf_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
	for (i = 0; i < length / sizeof(*mem); i++)
		mem[i]++;
	dmabuf_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);
}

/* Catches: a mapping of other memory, or a cached one, in another process. */
TEST_F(sram, two_processes_share)
{
	size_t length = 2 * self->info.granule, i;
	int sock[2], fd, status;
	uint32_t *mem;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sock));
	if (!fork()) {
		close(self->stream);
		increment_received(sock[1], length);
		_exit(0);
	}
	fd = sram_alloc(self->stream, length);
	mem = dmabuf_map(fd, length);
	ASSERT_NE(NULL, mem);
	for (i = 0; i < length / sizeof(*mem); i++)
		mem[i] = i;
	ASSERT_TRUE(fd_send(sock[0], fd));
	ASSERT_LT(0, wait(&status));
	EXPECT_EQ(0, status);
	for (i = 0; i < length / sizeof(*mem) && mem[i] == i + 1; i++)
		;
	EXPECT_EQ(length / sizeof(*mem), i);
}

/* Catches: a private, or a too long, mapping that reaches a neighbour. */
TEST_F(sram, refused_mappings)
{
	size_t length = 2 * self->info.granule, page = getpagesize();
	const struct {
		size_t length, offset;
		int flags;
	} table[] = {
		{ length, 0, MAP_PRIVATE },
		{ page, page, MAP_PRIVATE },
		{ length + 1, 0, MAP_SHARED },
		{ length, page, MAP_SHARED },
		{ page, length, MAP_SHARED },
		{ page, -page, MAP_SHARED },
		{ 2 * length, -page, MAP_SHARED },
	};
	int fd = sram_alloc(self->stream, length);
	size_t i;
	char *mem;

	ASSERT_LE(0, fd);
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		EXPECT_EQ(MAP_FAILED, mmap(NULL, table[i].length,
					   PROT_READ | PROT_WRITE,
					   table[i].flags, fd, table[i].offset))
			TH_LOG("row %zu", i);
	}
	EXPECT_EQ(MAP_FAILED, mmap(NULL, length, PROT_READ, MAP_PRIVATE, fd,
				   0));
	mem = dmabuf_map(fd, length);
	ASSERT_NE(NULL, mem);
	EXPECT_EQ(MAP_FAILED, mremap(mem, length, 2 * length, MREMAP_MAYMOVE));
}

/* Catches: the offset of a mapping ignored, or wrong in the fault handler. */
TEST_F(sram, part_mappings)
{
	size_t page = getpagesize(), length = 4 * page, i;
	int fd = sram_alloc(self->stream, length);
	uint32_t *all = dmabuf_map(fd, length), *part;

	ASSERT_NE(NULL, all);
	for (i = 0; i < 4; i++)
		all[i * page / sizeof(*all)] = i + 1;
	for (i = 0; i < 4; i++) {
		part = mmap(NULL, length - i * page, PROT_READ | PROT_WRITE,
			    MAP_SHARED, fd, i * page);
		ASSERT_NE(MAP_FAILED, part);
		EXPECT_EQ(i + 1, part[0]);
		EXPECT_EQ(0, munmap(part, length - i * page));
	}
	/* Dropped pages are mapped again; a mapping can be split. */
	EXPECT_EQ(0, munmap(all + page / sizeof(*all), page));
	madvise(all, page, MADV_DONTNEED);
	EXPECT_EQ(1, all[0]);
	EXPECT_EQ(3, all[2 * page / sizeof(*all)]);
}

/* Reads the line "VmFlags:" of the mapping that starts at @mem. */
static bool mapping_flags(const void *mem, char *flags, size_t size)
{
	FILE *maps = fopen("/proc/self/smaps", "re");
	unsigned long start, end;
	bool here = false, found = false;

	while (maps && !found && fgets(flags, size, maps)) {
		if (sscanf(flags, "%lx-%lx ", &start, &end) == 2)
			here = start == (unsigned long)mem;
		found = here && !strncmp(flags, "VmFlags:", 8);
	}
	if (maps)
		fclose(maps);
	return found;
}

/* Catches: SRAM in a core dump, expanded, or handled like pages. */
TEST_F(sram, mapping_is_of_device_memory)
{
	static const char * const wanted[] = {
		" io", " pf", " de", " dd", " sh"
	};
	int fd = sram_alloc(self->stream, 1);
	void *mem = dmabuf_map(fd, 4 * KIB);
	char flags[256];
	size_t i;

	ASSERT_NE(NULL, mem);
	ASSERT_TRUE(mapping_flags(mem, flags, sizeof(flags)));
	for (i = 0; i < ARRAY_SIZE(wanted); i++) {
		EXPECT_NE(NULL, strstr(flags, wanted[i]))
			TH_LOG("no%s in %s", wanted[i], flags);
	}
	EXPECT_EQ(-EFAULT, memory_register(self->stream, mem, 4 * KIB,
					   DMACPY_ACCESS_READ));
}

/* Returns the protection of a page as the driver mapped it, or 0. */
static uint64_t traced_protection(void)
{
	FILE *trace = fopen(TRACING "trace", "re");
	unsigned long long prot = 0;
	char line[512], *found;

	while (trace && !prot && fgets(line, sizeof(line), trace)) {
		found = strstr(line, "prot=");
		if (found)
			sscanf(found, "prot=%llx", &prot);
	}
	if (trace)
		fclose(trace);
	return prot;
}

/* On arm64: index of the memory type, and Linux's of Normal non-cacheable */
#define PROTECTION_TYPE(prot)	((prot) >> 2 & 7)
#define NORMAL_UNCACHED		2

/*
 * Catches: Device memory, in which an unaligned access is a SIGBUS, such as one
 * of memcpy(), and writes are not combined; or cached memory. QEMU allows any
 * access.
 */
TEST_F(sram, mapping_is_write_combined)
{
	int fd = sram_alloc(self->stream, 1);
	void *mem = dmabuf_map(fd, getpagesize());
	uint64_t prot;

#ifndef __aarch64__
	SKIP(return, "the bits are those of arm64");
#endif
	ASSERT_NE(NULL, mem);
	if (!append_text(TRACING "kprobe_events",
			 "p:dmacpy_map vmf_insert_pfn_prot prot=$arg4:x64\n"))
		SKIP(return, "this kernel cannot trace calls");
	EXPECT_TRUE(set_number(TRACING "events/kprobes/dmacpy_map/enable", 1));
	EXPECT_EQ(0, touch(mem, true));
	prot = traced_protection();
	EXPECT_TRUE(set_number(TRACING "events/kprobes/dmacpy_map/enable", 0));
	EXPECT_TRUE(append_text(TRACING "kprobe_events", "-:dmacpy_map\n"));
	EXPECT_NE(0, prot);
	EXPECT_EQ(NORMAL_UNCACHED, PROTECTION_TYPE(prot));
}

/* Catches: an executable mapping of device memory. */
TEST_F(sram, mapping_is_not_executable)
{
	size_t page = getpagesize();
	int fd = sram_alloc(self->stream, 1);
	char flags[256];
	void *mem;

	EXPECT_EQ(MAP_FAILED, mmap(NULL, page, PROT_READ | PROT_EXEC,
				   MAP_SHARED, fd, 0));
	EXPECT_EQ(EPERM, errno);
	mem = dmabuf_map(fd, page);
	ASSERT_NE(NULL, mem);
	EXPECT_EQ(-1, mprotect(mem, page, PROT_READ | PROT_EXEC));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(0, touch(mem, true));
	munmap(mem, page);

	/* The kernel runs all programs of ARMv5 with this personality. */
	ASSERT_LE(0, personality(READ_IMPLIES_EXEC));
	mem = dmabuf_map(fd, page);
	ASSERT_NE(NULL, mem);
	ASSERT_TRUE(mapping_flags(mem, flags, sizeof(flags)));
	EXPECT_EQ(NULL, strstr(flags, " ex"));
	EXPECT_EQ(NULL, strstr(flags, " me"));
	EXPECT_EQ(0, touch(mem, true));
	EXPECT_EQ(0, mprotect(mem, page, PROT_READ));
	EXPECT_EQ(0, touch(mem, false));
}

static long page_faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt;
}

/* Catches: a fault for each page, too many for a program with a deadline. */
TEST_F(sram, one_fault_maps_all)
{
	size_t page = getpagesize(), length = self->info.sram_largest, i;
	int fd = sram_alloc(self->stream, length);
	static const int flags[] = { MAP_SHARED, MAP_SHARED | MAP_POPULATE };
	volatile uint8_t *mem;
	long before;
	size_t round;

	ASSERT_LE(0, fd);
	for (round = 0; round < ARRAY_SIZE(flags); round++) {
		mem = mmap(NULL, length, PROT_READ | PROT_WRITE, flags[round],
			   fd, 0);
		ASSERT_NE(MAP_FAILED, mem);
		page_faults();
		before = page_faults();
		for (i = 0; i < length / page; i++)
			mem[(i * 7 % (length / page)) * page] = i;
		/* The mapping may cross the end of a page table. */
		EXPECT_GE(2, page_faults() - before);
		EXPECT_EQ(0, munmap((void *)mem, length));
	}
}

/* Reads /proc/PID/mem as a debugger does. Returns the bytes, or -1. */
static ssize_t peek(const void *addr, void *to, size_t length)
{
	int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	ssize_t got = pread(fd, to, length, (uintptr_t)addr);

	close(fd);
	return got;
}

static ssize_t poke(void *addr, const void *from, size_t length)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	ssize_t got = pwrite(fd, from, length, (uintptr_t)addr);

	close(fd);
	return got;
}

/* CONFIG_HAVE_IOREMAP_PROT, without which vm_ops.access is not called. */
#if defined(__arm__) || defined(__riscv)
#define KERNEL_ASKS_DRIVERS	false
#else
#define KERNEL_ASKS_DRIVERS	true
#endif

/* Catches: a debugger that cannot read SRAM, or reads beyond it. */
TEST_F(sram, debuggers_have_access)
{
	size_t page = getpagesize(), length = 3 * page, i;
	int fd = sram_alloc(self->stream, length);
	uint8_t *mem = dmabuf_map(fd, length), *part, copy[3 * 64 * KIB];

	if (!KERNEL_ASKS_DRIVERS)
		SKIP(return, "this architecture has no ioremap_prot()");
	ASSERT_NE(NULL, mem);
	for (i = 0; i < length; i++)
		mem[i] = i * 7 + i / page;
	EXPECT_EQ(length, peek(mem, copy, length));
	EXPECT_EQ(0, memcmp(mem, copy, length));
	EXPECT_EQ(length - 5, poke(mem + 5, copy, length - 5));
	EXPECT_EQ(0, memcmp(mem + 5, copy, length - 5));

	/* Another part of the buffer precedes it, an unmapped page follows. */
	part = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, page);
	ASSERT_NE(MAP_FAILED, part);
	munmap(mem, length);
	EXPECT_EQ(page, peek(part, copy + 1, 2 * page));
	EXPECT_EQ(0, memcmp(part, copy + 1, page));
}

/* Catches: SRAM of a stopped process that PTRACE_POKEDATA cannot write. */
TEST_F(sram, debuggers_of_others_have_access)
{
	int fd = sram_alloc(self->stream, 1), status;
	long *mem = dmabuf_map(fd, getpagesize());
	pid_t pid;

	if (!KERNEL_ASKS_DRIVERS)
		SKIP(return, "this architecture has no ioremap_prot()");
	ASSERT_NE(NULL, mem);
	mem[1] = 0x1234567;
	pid = fork();
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		_exit(mem[2] != 0x7654321);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFSTOPPED(status));
	errno = 0;
	EXPECT_EQ(0x1234567, ptrace(PTRACE_PEEKDATA, pid, &mem[1], 0));
	EXPECT_EQ(0, errno);
	EXPECT_EQ(0, ptrace(PTRACE_POKEDATA, pid, &mem[2], 0x7654321));
	EXPECT_EQ(0, ptrace(PTRACE_CONT, pid, 0, 0));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* Catches: access beyond the access mode, or to an unbound device. */
TEST_F(sram, debuggers_have_no_more_access)
{
	size_t page = getpagesize();
	int fd = sram_alloc_flags(self->stream, page, O_RDONLY);
	uint8_t *mem = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 0), byte = 1;

	if (!KERNEL_ASKS_DRIVERS)
		SKIP(return, "this architecture has no ioremap_prot()");
	ASSERT_NE(MAP_FAILED, mem);
	EXPECT_EQ(1, peek(mem, &byte, 1));
	EXPECT_EQ(0, byte);
	byte = 1;
	EXPECT_EQ(-1, poke(mem, &byte, 1));
	EXPECT_EQ(0, mem[0]);
	ASSERT_EQ(0, mprotect(mem, page, PROT_NONE));
	EXPECT_EQ(-1, peek(mem, &byte, 1));
	ASSERT_EQ(0, mprotect(mem, page, PROT_READ));
	ASSERT_EQ(0, instance_unbind(&self->instance));
	EXPECT_EQ(-1, peek(mem, &byte, 1));
	close(fd);
	munmap(mem, page);
	EXPECT_EQ(0, instance_bind(&self->instance));
}

/* Catches: outdated documentation of the uses that SRAM does not support. */
TEST_F(sram, has_no_pages)
{
	size_t page = getpagesize();
	void *mem = dmabuf_map(sram_alloc(self->stream, page), page);
	struct iovec iov = { mem, page };
	int pipes[2];

	ASSERT_NE(NULL, mem);
	EXPECT_EQ(-1, syscall(SYS_futex, mem, FUTEX_WAKE, 1, NULL, NULL, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(0, syscall(SYS_futex, mem, FUTEX_WAKE_PRIVATE, 1, NULL, NULL,
			     0));
	ASSERT_EQ(0, pipe(pipes));
	EXPECT_EQ(-1, vmsplice(pipes[1], &iov, 1, 0));
	EXPECT_EQ(EFAULT, errno);
}

/* Opens the disk of the guest, past the page cache. */
static int open_disk(void)
{
	FILE *file = fopen("/proc/cmdline", "re");
	char word[256], path[256];
	int disk = -1;

	while (file && fscanf(file, "%240s", word) == 1) {
		if (strncmp(word, "disk=", 5))
			continue;
		snprintf(path, sizeof(path), "/dev/%s", word + 5);
		disk = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	}
	if (file)
		fclose(file);
	return disk;
}

/* Catches: the same for disks. */
TEST_F(sram, is_not_for_direct_io)
{
	size_t page = getpagesize();
	void *mem = dmabuf_map(sram_alloc(self->stream, page), page);
	int disk = open_disk();

	if (disk < 0)
		SKIP(return, "there is no disk");
	ASSERT_NE(NULL, mem);
	EXPECT_EQ(page, pread(disk, memory_map(page), page, 0));
	EXPECT_EQ(-1, pread(disk, mem, page, 0));
	EXPECT_EQ(EFAULT, errno);
}

static int register_fixed(int ring, void *mem, size_t length)
{
	struct iovec iov = { mem, length };
	int ret = syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS,
			  &iov, 1);

	return ret < 0 ? -errno : ret;
}

/* Catches: the same for fixed buffers of io_uring. */
TEST_F(sram, is_no_fixed_buffer)
{
	size_t page = getpagesize();
	void *mem = dmabuf_map(sram_alloc(self->stream, page), page);
	struct io_uring_params params = { };
	int ring = syscall(SYS_io_uring_setup, 1, &params);

	if (ring < 0)
		SKIP(return, "this kernel has no io_uring");
	ASSERT_NE(NULL, mem);
	EXPECT_EQ(-EFAULT, register_fixed(ring, mem, page));
	EXPECT_EQ(0, register_fixed(ring, memory_map(page), page));
}

/* Catches: a read-only descriptor that allows writes to the buffer. */
TEST_F(sram, access_modes)
{
	size_t page = getpagesize();
	int fd = sram_alloc_flags(self->stream, 1, O_RDONLY);
	void *mem;

	ASSERT_LE(0, fd);
	EXPECT_EQ(O_RDONLY, fcntl(fd, F_GETFL) & O_ACCMODE);
	EXPECT_EQ(NULL, dmabuf_map(fd, page));
	EXPECT_EQ(EACCES, errno);
	mem = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, mem);
	EXPECT_TRUE(all_bytes_are(mem, 0, page));
	EXPECT_EQ(-1, mprotect(mem, page, PROT_READ | PROT_WRITE));

	fd = sram_alloc_flags(self->stream, 1, O_RDWR);
	EXPECT_EQ(O_RDWR, fcntl(fd, F_GETFL) & O_ACCMODE);
	EXPECT_NE(NULL, dmabuf_map(fd, page));
}

/* Catches: a descriptor that leaks into every program that is started. */
TEST_F(sram, close_on_exec)
{
	EXPECT_EQ(FD_CLOEXEC, fcntl(sram_alloc_flags(self->stream, 1, O_RDWR |
						     O_CLOEXEC), F_GETFD));
	EXPECT_EQ(0, fcntl(sram_alloc_flags(self->stream, 1, O_RDWR), F_GETFD));
}

/* Memory of the firmware in the same region */
FIXTURE(reserved)
{
	struct instance instance;
	uint64_t base, length;
	uint32_t ranges[32];
	int cells, mem;
};

FIXTURE_SETUP(reserved)
{
	uint32_t reg[4];
	int cells;

	if (instance_find(&self->instance, "reserved"))
		SKIP(return, "no instance of this board has reserved ranges");
	cells = instance_cells(&self->instance, "reg", reg, ARRAY_SIZE(reg));
	ASSERT_TRUE(cells == 2 || cells == 4);
	self->base = cells == 2 ? reg[0] : (uint64_t)reg[0] << 32 | reg[1];
	self->length = reg[cells - 1];
	self->cells = instance_cells(&self->instance, "reserved", self->ranges,
				     ARRAY_SIZE(self->ranges));
	ASSERT_LE(2, self->cells);
	self->mem = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
}

FIXTURE_TEARDOWN_PARENT(reserved)
{
	EXPECT_EQ(0, sram_leaked());
}

/*
 * Writes a reserved range without the driver, or checks that it is unchanged.
 * The driver must be unbound, as it claims the region. Access is byte by byte:
 * the range is mapped as device memory, where memcmp() may fault.
 */
static int reserved_range(struct _test_data_reserved *self, int i, bool write)
{
	size_t j, length = self->ranges[i + 1];
	volatile uint8_t *bytes;
	int ret = 0;
	void *mem;

	mem = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, self->mem,
		   self->base + self->ranges[i]);
	if (mem == MAP_FAILED)
		return -errno;
	bytes = mem;
	for (j = 0; j < length; j++) {
		if (write)
			bytes[j] = 0x5a;
		else if (bytes[j] != 0x5a)
			ret = -EIO;
	}
	munmap(mem, length);
	return ret;
}

/* Fills all SRAM that can be allocated. */
static void fill_all(struct __test_metadata *_metadata, int stream)
{
	struct dmacpy_get_info info = stream_info(stream);
	int fd, handle;

	while (info.sram_largest) {
		fd = sram_alloc(stream, info.sram_largest);
		ASSERT_LE(0, fd);
		handle = dmabuf_import(stream, fd, ACCESS_BOTH);
		ASSERT_LT(0, handle);
		ASSERT_EQ(0, fill(stream, handle, info.sram_largest, ~0));
		info = stream_info(stream);
	}
	EXPECT_EQ(0, info.sram_free);
}

/* Catches: GET_INFO counting memory that can never be allocated. */
TEST_F(reserved, is_not_counted)
{
	int i, stream = stream_open(self->instance.node);
	uint64_t total = self->length;

	ASSERT_LE(0, stream);
	for (i = 0; i < self->cells; i += 2)
		total -= self->ranges[i + 1];
	EXPECT_EQ(total, stream_info(stream).sram_total);
}

/* Catches: the firmware's memory cleared at probe, or allocated. */
TEST_F_TIMEOUT(reserved, is_not_touched, SLOW)
{
	int i, stream, ret = 0;

	if (self->mem < 0)
		SKIP(return, "this kernel has no /dev/mem");
	ASSERT_EQ(0, instance_unbind(&self->instance));
	for (i = 0; !ret && i < self->cells; i += 2)
		ret = reserved_range(self, i, true);
	ASSERT_EQ(0, instance_bind(&self->instance));
	if (ret)
		SKIP(return, "this kernel denies /dev/mem: %s", strerror(-ret));

	if (!fork()) {
		stream = stream_open(self->instance.node);
		ASSERT_LE(0, stream);
		fill_all(_metadata, stream);
		_exit(0);
	}
	wait(NULL);
	ASSERT_EQ(0, sram_leaked());

	ASSERT_EQ(0, instance_unbind(&self->instance));
	for (i = 0; i < self->cells; i += 2) {
		EXPECT_EQ(0, reserved_range(self, i, false))
			TH_LOG("range at %#x was written", self->ranges[i]);
	}
	ASSERT_EQ(0, instance_bind(&self->instance));
}

TEST_HARNESS_MAIN
