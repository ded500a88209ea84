// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <linux/dma-heap.h>
#include <linux/sync_file.h>
#include <linux/udmabuf.h>

#include "common.h"

int command(int fd, unsigned long request, void *arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

/* Returns true for a 32-bit program on a 64-bit kernel, too. */
bool kernel_has_64_bits(void)
{
	struct utsname name;

	return !uname(&name) && strstr(name.machine, "64");
}

int stream_open(const char *device)
{
	int fd = open(device, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/*
 * Opens a stream as a user, and keeps the caller's credentials. The driver
 * charges the real user; the effective one may open the file.
 */
int open_as(const char *device, uid_t user)
{
	int stream;

	if (setresuid(user, 0, 0))
		return -errno;
	stream = stream_open(device);
	return setresuid(0, 0, 0) ? -errno : stream;
}

/* Returns all zeros if the command fails. */
struct dmacpy_get_info stream_info(int stream)
{
	struct dmacpy_get_info info = { .size = sizeof(info) };

	if (command(stream, DMACPY_GET_INFO, &info))
		memset(&info, 0, sizeof(info));
	return info;
}

int sram_alloc_flags(int stream, uint64_t length, uint32_t fd_flags)
{
	struct dmacpy_alloc arg = {
		.size = sizeof(arg),
		.length = length,
		.fd_flags = fd_flags,
	};
	int ret = command(stream, DMACPY_ALLOC, &arg);

	return ret ?: arg.fd;
}

int sram_alloc(int stream, uint64_t length)
{
	return sram_alloc_flags(stream, length, O_RDWR | O_CLOEXEC);
}

int dmabuf_import(int stream, int fd, uint32_t access)
{
	struct dmacpy_import arg = {
		.size = sizeof(arg),
		.fd = fd,
		.access = access,
	};
	int ret = command(stream, DMACPY_IMPORT, &arg);

	return ret ?: (int)arg.handle;
}

int memory_register(int stream, const void *addr, uint64_t length,
		    uint32_t access)
{
	return memory_register_flags(stream, addr, length, access, 0);
}

int memory_register_flags(int stream, const void *addr, uint64_t length,
			  uint32_t access, uint32_t flags)
{
	struct dmacpy_register arg = {
		.size = sizeof(arg),
		.flags = flags,
		.addr = (uintptr_t)addr,
		.length = length,
		.access = access,
	};
	int ret = command(stream, DMACPY_REGISTER, &arg);

	return ret ?: (int)arg.handle;
}

int memory_sync(int stream, uint32_t handle, uint64_t offset, uint64_t length,
		uint32_t flags)
{
	struct dmacpy_sync_range range = {
		.handle = handle,
		.offset = offset,
		.length = length,
	};
	struct dmacpy_sync arg = {
		.size = sizeof(arg),
		.flags = flags,
		.ranges = (uintptr_t)&range,
		.range_count = 1,
		.range_size = sizeof(range),
	};

	return command(stream, DMACPY_SYNC, &arg);
}

int handle_release(int stream, uint32_t handle)
{
	struct dmacpy_release arg = {
		.size = sizeof(arg),
		.handle = handle,
	};

	return command(stream, DMACPY_RELEASE, &arg);
}

/* Submits with the flags, the user data and the in-fence in @args. */
int submit_with(int stream, const struct dmacpy_op *ops, size_t count,
		struct dmacpy_submit *args)
{
	args->size = sizeof(*args);
	args->ops = (uintptr_t)ops;
	args->op_count = count;
	args->op_size = sizeof(*ops);
	return command(stream, DMACPY_SUBMIT, args);
}

int submit(int stream, const struct dmacpy_op *ops, size_t count)
{
	struct dmacpy_submit args = { .flags = DMACPY_SUBMIT_WAIT };

	return submit_with(stream, ops, count, &args);
}

int copy(int stream, uint32_t dst, uint32_t src, uint64_t length)
{
	struct dmacpy_op op = {
		.opcode = DMACPY_OP_COPY,
		.dst = dst,
		.src = src,
		.length = length,
	};

	return submit(stream, &op, 1);
}

int fill(int stream, uint32_t dst, uint64_t length, uint32_t pattern)
{
	struct dmacpy_op op = {
		.opcode = DMACPY_OP_FILL,
		.dst = dst,
		.length = length,
		.pattern = pattern,
	};

	return submit(stream, &op, 1);
}

/* Prepares with the flags in @args. Returns a handle. */
int prepare_with(int stream, const struct dmacpy_op *ops, size_t count,
		 struct dmacpy_prepare *args)
{
	int ret;

	args->size = sizeof(*args);
	args->ops = (uintptr_t)ops;
	args->op_count = count;
	args->op_size = sizeof(*ops);
	ret = command(stream, DMACPY_PREPARE, args);
	return ret ? ret : (int)args->handle;
}

/*
 * Runs with the flags and the in-fence in @args. Returns the number of jobs
 * that were started, or -errno.
 */
int run_many(int stream, const struct dmacpy_run_job *jobs, size_t count,
	     struct dmacpy_run *args)
{
	int ret;

	args->size = sizeof(*args);
	args->jobs = (uintptr_t)jobs;
	args->job_count = count;
	args->job_size = sizeof(*jobs);
	ret = ioctl(stream, DMACPY_RUN, args);
	return ret < 0 ? -errno : ret;
}

int read_event(int stream, struct dmacpy_event *event)
{
	ssize_t ret = read(stream, event, sizeof(*event));

	return ret == sizeof(*event) ? 0 : -errno;
}

/* Returns 1 if it has signalled, 0 if not, or its error. */
int fence_status(int fd)
{
	struct sync_file_info info = { };

	return ioctl(fd, SYNC_IOC_FILE_INFO, &info) ? -errno : info.status;
}

/* Returns the pending @events, and errors. */
short poll_for(int fd, short events, int timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	poll(&pfd, 1, timeout_ms);
	return pfd.revents;
}

/* Copied from drivers/dma-buf/sw_sync.c */
#define TIMELINES	"/sys/kernel/debug/sync/sw_sync"

struct sw_sync_create_fence_data {
	uint32_t value;
	char name[32];
	int32_t fence;
};

#define SW_SYNC_IOC_CREATE_FENCE \
	_IOWR('W', 0, struct sw_sync_create_fence_data)
#define SW_SYNC_IOC_INC	_IOW('W', 1, uint32_t)

int timeline_create(void)
{
	int fd = open(TIMELINES, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Creates a fence that signals after @value steps of the timeline. */
int timeline_fence(int timeline, uint32_t value)
{
	struct sw_sync_create_fence_data data = { .value = value };
	int ret = command(timeline, SW_SYNC_IOC_CREATE_FENCE, &data);

	return ret ?: data.fence;
}

int timeline_advance(int timeline)
{
	uint32_t steps = 1;

	return command(timeline, SW_SYNC_IOC_INC, &steps);
}

int dmabuf_sync(int fd, uint64_t flags)
{
	struct dma_buf_sync sync = { .flags = flags };

	return command(fd, DMA_BUF_IOCTL_SYNC, &sync);
}

/* Returns NULL, with errno, if it fails. */
void *dmabuf_map(int fd, size_t length)
{
	void *mem = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			 0);

	return mem == MAP_FAILED ? NULL : mem;
}

void *memory_map(size_t length)
{
	void *mem = mmap(NULL, length, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mem == MAP_FAILED ? NULL : mem;
}

/* Creates a dma-buf of every other page of a file, in shuffled order. */
static int udmabuf_create(int device, int memfd, size_t pages)
{
	size_t page = getpagesize(), i, j, size;
	struct udmabuf_create_list *list;
	int fd;

	size = sizeof(*list) + pages * sizeof(list->list[0]);
	list = calloc(1, size);
	if (!list)
		return -ENOMEM;
	list->flags = UDMABUF_FLAGS_CLOEXEC;
	list->count = pages;
	for (i = 0; i < pages; i++) {
		j = random_below(i + 1);
		list->list[i] = list->list[j];
		list->list[j].memfd = memfd;
		list->list[j].offset = 2 * i * page;
		list->list[j].size = page;
	}
	fd = ioctl(device, UDMABUF_CREATE_LIST, list);
	fd = fd < 0 ? -errno : fd;
	free(list);
	return fd;
}

int udmabuf_scattered(size_t length)
{
	int device, memfd, fd;

	device = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	if (device < 0)
		return -errno;
	memfd = memfd_create("scattered", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	if (memfd < 0 || ftruncate(memfd, 2 * length) ||
	    fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		fd = -errno;
	else
		fd = udmabuf_create(device, memfd, length / getpagesize());
	close(memfd);
	close(device);
	/* It keeps the direction of the first access: use both. */
	dmabuf_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
	dmabuf_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);
	return fd;
}

int system_heap_alloc(size_t length)
{
	int heap = open("/dev/dma_heap/system", O_RDWR | O_CLOEXEC), ret;
	struct dma_heap_allocation_data data = {
		.len = length,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};

	if (heap < 0)
		return -errno;
	ret = command(heap, DMA_HEAP_IOCTL_ALLOC, &data);
	close(heap);
	return ret ?: (int)data.fd;
}

static bool sram_is_free(const char *device)
{
	int stream = stream_open(device);
	struct dmacpy_get_info info;

	if (stream < 0)
		return false;
	info = stream_info(stream);
	close(stream);
	return info.sram_total && info.sram_free == info.sram_total;
}

/*
 * Returns the number of instances with SRAM in use, or -1 without an instance.
 * A work item frees buffers, so wait for some seconds.
 */
int sram_leaked(void)
{
	int leaked = -1, tries;
	glob_t devices;
	size_t i;

	if (glob("/dev/dmacpy[0-9]*", 0, NULL, &devices))
		return -1;
	for (tries = 0; leaked && tries < 1000; tries++) {
		if (tries)
			usleep(10 * 1000);
		leaked = 0;
		for (i = 0; i < devices.gl_pathc; i++)
			leaked += !sram_is_free(devices.gl_pathv[i]);
	}
	globfree(&devices);
	return leaked;
}

/* Waits, for at most 10 s, until that much SRAM is free. Returns the amount. */
uint64_t sram_free_becomes(int stream, uint64_t wanted)
{
	uint64_t now = stream_info(stream).sram_free;
	int tries;

	for (tries = 0; now != wanted && tries < 1000; tries++) {
		usleep(10 * 1000);
		now = stream_info(stream).sram_free;
	}
	return now;
}

unsigned int open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int count = 0;

	if (!dir)
		return 0;
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

/* Returns the KiB of locked and pinned memory of this process. */
long locked_kib(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	long kib, sum = 0;
	char line[128];

	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "VmLck: %ld", &kib) == 1 ||
		    sscanf(line, "VmPin: %ld", &kib) == 1)
			sum += kib;
	if (status)
		fclose(status);
	return sum;
}

/* Waits, for at most 10 s, until that much is locked. Returns the amount. */
long wait_locked(long kib)
{
	int tries;

	for (tries = 0; tries < 1000 && locked_kib() != kib; tries++)
		usleep(10 * 1000);
	return locked_kib();
}

/* Returns the number of pages that drivers have pinned, in the whole system. */
long pinned_pages(void)
{
	long acquired = 0, released = 0;
	char line[128];
	FILE *file;

	/* Adds up the counters of all CPUs. */
	set_number("/proc/sys/vm/stat_refresh", 1);
	file = fopen("/proc/vmstat", "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "nr_foll_pin_acquired %ld", &acquired) != 1)
			sscanf(line, "nr_foll_pin_released %ld", &released);
	if (file)
		fclose(file);
	return acquired - released;
}

static sigjmp_buf after_fault;

static void on_fault(int number)
{
	siglongjmp(after_fault, number);
}

/* Returns the signal that an access to a byte raises, SIGBUS, or 0. */
int touch(volatile uint8_t *byte, bool write)
{
	int number = sigsetjmp(after_fault, 1);

	if (number)
		return number;
	signal(SIGBUS, on_fault);
	if (write)
		*byte = 1;
	else
		(void)*byte;
	return 0;
}

bool all_bytes_are(const void *mem, uint8_t value, size_t length)
{
	const uint8_t *byte = mem;

	return !length || (byte[0] == value &&
			   !memcmp(byte, byte + 1, length - 1));
}

bool kernel_is_at_least(unsigned int version, unsigned int patchlevel)
{
	unsigned int found, level;
	struct utsname name;

	return !uname(&name) &&
	       sscanf(name.release, "%u.%u", &found, &level) == 2 &&
	       (found > version || (found == version && level >= patchlevel));
}

unsigned int milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool set_number(const char *path, unsigned int number)
{
	FILE *file = fopen(path, "we");
	bool done = file && fprintf(file, "%u", number) > 0;

	return file && !fclose(file) && done;
}

bool append_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_APPEND);
	bool done = fd >= 0 && write(fd, text, strlen(text)) > 0;

	close(fd);
	return done;
}

/* Returns UINT_MAX if there is no number. */
unsigned int get_number(const char *path)
{
	FILE *file = fopen(path, "re");
	unsigned int number;

	if (!file || fscanf(file, "%u", &number) != 1)
		number = UINT_MAX;
	if (file)
		fclose(file);
	return number;
}

/* Returns the value of an environment variable, or a default. */
unsigned int environment(const char *name, unsigned int otherwise)
{
	const char *value = getenv(name);

	return value ? strtoul(value, NULL, 0) : otherwise;
}

static uint32_t random_state;

/* Prints the seed, so that DMACPY_SEED=<seed> reproduces a failure. */
void random_start(void)
{
	const char *seed = getenv("DMACPY_SEED");

	random_state = seed ? strtoul(seed, NULL, 0) : 0x2545f491;
	printf("# DMACPY_SEED=%#x\n", random_state);
	fflush(stdout);
}

/* xorshift32; its state must not be 0. */
uint32_t random_next(void)
{
	random_state = random_state ?: 1;
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
}

uint32_t random_below(uint32_t limit)
{
	return random_next() % limit;
}

void random_fill(void *mem, size_t length)
{
	uint8_t *byte = mem;

	while (length--)
		*byte++ = random_next() >> 11;
}
