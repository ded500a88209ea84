/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The raw ABI of dmacpy, one function per command, and helpers of several
 * suites. Functions return 0 (or an fd, or a handle) or -errno.
 */
#ifndef DMACPY_TESTS_COMMON_H
#define DMACPY_TESTS_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/dma-buf.h>
#include <linux/dmacpy.h>

#define DEVICE		"/dev/dmacpy0"
/* The engine fails after this time without progress, in ms. */
#define TIMEOUT		"/sys/module/dmacpy/parameters/timeout_ms"
/* A job fails after waiting for its dependencies for this time, in ms. */
#define DEPENDENCY_TIMEOUT \
	"/sys/module/dmacpy/parameters/dependency_timeout_ms"
/* A waiter spins for this long, in us, before it sleeps. */
#define SPIN		"/sys/module/dmacpy/parameters/spin_us"
/* The directory for tracing calls of kernel functions */
#define TRACING		"/sys/kernel/debug/tracing/"
/* Transfers whose memory is kept, as the engine may still write to it */
#define LOST		"/sys/kernel/debug/dmacpy/lost"
#define KIB		1024
#define ACCESS_BOTH	(DMACPY_ACCESS_READ | DMACPY_ACCESS_WRITE)

/*
 * Seconds that a long test may take: about ten times the time on an emulated
 * machine, for a debug kernel, or for the slow board sifive-u on a busy host.
 */
#define SLOW		300

int command(int fd, unsigned long request, void *arg);
int stream_open(const char *device);
bool kernel_has_64_bits(void);
int open_as(const char *device, uid_t user);
struct dmacpy_get_info stream_info(int stream);
int sram_alloc(int stream, uint64_t length);
int sram_alloc_flags(int stream, uint64_t length, uint32_t fd_flags);
int dmabuf_import(int stream, int fd, uint32_t access);
/*
 * Do not copy to or from memory while it is registered twice: the check of
 * dma_sync_*() in debug kernels (CONFIG_DMA_API_DEBUG) reports that as an
 * error.
 */
int memory_register(int stream, const void *addr, uint64_t length,
		    uint32_t access);
int memory_register_flags(int stream, const void *addr, uint64_t length,
			  uint32_t access, uint32_t flags);
int memory_sync(int stream, uint32_t handle, uint64_t offset, uint64_t length,
		uint32_t flags);
int handle_release(int stream, uint32_t handle);
int submit_with(int stream, const struct dmacpy_op *ops, size_t count,
		struct dmacpy_submit *args);
int submit(int stream, const struct dmacpy_op *ops, size_t count);
int copy(int stream, uint32_t dst, uint32_t src, uint64_t length);
int fill(int stream, uint32_t dst, uint64_t length, uint32_t pattern);
int prepare_with(int stream, const struct dmacpy_op *ops, size_t count,
		 struct dmacpy_prepare *args);
int run_many(int stream, const struct dmacpy_run_job *jobs, size_t count,
	     struct dmacpy_run *args);

int read_event(int stream, struct dmacpy_event *event);
int fence_status(int fd);
short poll_for(int fd, short events, int timeout_ms);

/* Fences that a test signals; -ENOENT if the kernel has none. */
int timeline_create(void);
int timeline_fence(int timeline, uint32_t value);
int timeline_advance(int timeline);

int dmabuf_sync(int fd, uint64_t flags);
void *dmabuf_map(int fd, size_t length);
void *memory_map(size_t length);
int udmabuf_scattered(size_t length);
int system_heap_alloc(size_t length);

int sram_leaked(void);
uint64_t sram_free_becomes(int stream, uint64_t wanted);
unsigned int open_files(void);
long locked_kib(void);
long wait_locked(long kib);
long pinned_pages(void);
int touch(volatile uint8_t *byte, bool write);
bool all_bytes_are(const void *mem, uint8_t value, size_t length);

bool kernel_is_at_least(unsigned int version, unsigned int patchlevel);
unsigned int milliseconds(void);
bool set_number(const char *path, unsigned int number);
bool append_text(const char *path, const char *text);
unsigned int get_number(const char *path);

unsigned int environment(const char *name, unsigned int otherwise);
void random_start(void);
uint32_t random_next(void);
uint32_t random_below(uint32_t limit);
void random_fill(void *mem, size_t length);

#endif
