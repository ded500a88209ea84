/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_STREAM_H
#define DMACPY_STREAM_H

#include <linux/atomic.h>
#include <linux/dma-fence.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include <linux/dmacpy.h>

#include "dmacpy_chan.h"

struct dma_buf;
struct dma_fence;
struct dmacpy_account;
struct dmacpy_buf;
struct dmacpy_device;
struct dmacpy_job;
struct dmacpy_plan;

/* Size of the cache of handles of prepared operations */
#define DMACPY_STREAM_PLANS	32

/**
 * struct dmacpy_handle_cache - a handle that was used recently
 * @handle: the handle, 0 for none
 * @buf: its buffer; the handle has the reference
 * @plan: or its prepared operations, likewise
 */
struct dmacpy_handle_cache {
	u32 handle;
	union {
		struct dmacpy_buf *buf;
		struct dmacpy_plan *plan;
	};
};

/**
 * struct dmacpy_side - another channel of a stream, for parts of its jobs
 * @chan: the channel; valid as long as dmacpy_stream.chan
 * @lane: the parts that wait for @chan; has a reference to the share
 */
struct dmacpy_side {
	struct dmacpy_chan *chan;
	struct dmacpy_lane lane;
};

/**
 * struct dmacpy_stream_stat - the state of a stream
 * @channel: name of its channel in dmaengine, "none" after an unbind
 * @jobs: number of jobs that have not completed
 * @ended: number of jobs that have completed
 * @bytes: bytes of these jobs
 * @failed: number of jobs that completed with an error
 * @records: number of records to be read
 * @handles: number of handles
 * @pinned: bytes of memory that is pinned for the handles
 * @sram: bytes of SRAM of the handles, counted once for each handle
 */
struct dmacpy_stream_stat {
	char channel[32];
	unsigned int jobs;
	u64 ended;
	u64 bytes;
	u64 failed;
	unsigned int records;
	unsigned int handles;
	u64 pinned;
	u64 sram;
};

/**
 * struct dmacpy_stream - an open file, and the jobs that outlive it
 * @ref: held by the file and by each job
 * @dev: a reference to the instance
 * @account: a reference to the account of the user that has opened it
 * @chan: its channel, for its lifetime; only valid inside the gate, or until
 *	@stopped
 * @node: entry in dmacpy_device.streams, under dmacpy_device.lock
 * @bufs: the handles of buffers: struct dmacpy_buf by number, each a reference;
 *	a value entry after an unbind; removed under @submit
 * @plans: the handles of prepared operations: struct dmacpy_plan, likewise
 * @dst: the last buffer that was used as a destination, under @submit
 * @src: the last buffer that was used as a source, under @submit
 * @plan: prepared operations that were used recently, by handle, under @submit
 * @submit: makes the collection of dependencies, the publishing of fences, and
 *	the number of the job one step; never taken on the path of completion
 * @context: the timeline of its fences
 * @visits: number of jobs that buffers were looked up for, under @submit
 * @spares: released jobs, to use again; without a lock
 * @nspares: their number, plus one for each job that is being added
 * @fence: for the next lazy job that needs one, or NULL; under @submit
 * @lane: its jobs that wait for the channel; has a reference to the share
 * @sides: all channels but @chan, in order, from the next one on; NULL until
 *	the first job that may be spread; written under dmacpy_device.lock
 * @nsides: number of @sides
 * @ended: number of the last job that has completed; written by one context at
 *	a time, after its fence has signalled
 * @awaited: number of the job that @advance waits for; queue_done() then queues
 *	@advance again
 * @waited: time of the last uring_wait_for_task(), in ns
 * @plug: the plug of a task that has plugged a job and will unplug the stream,
 *	or NULL; a task stores only its own plug, or NULL. Without a lock.
 * @latency: moving average of the time that waiters wait for jobs, in ns;
 *	written by waiters without a lock
 * @free: work that frees the stream
 * @seqno: number of the last job that was submitted, under @submit
 * @spread: number of the last job that is spread, or 0, under @submit
 * @done: number of the last job that no longer takes room; written by one
 *	context at a time
 * @events: number of places in @ring that were ever reserved, by jobs that make
 *	a record, modulo 2^32; under @submit
 * @ring: room for dmacpy_max_events records, or NULL before the first
 * @end: index of the next record; this and @added are written by one context at
 *	a time
 * @added: number of records that were ever added, modulo 2^32
 * @bytes: bytes of all completed jobs; written by one context at a time
 * @lock: protects all members below
 * @cancelled: jobs up to this number were cancelled by a failure; may be read
 *	without the lock
 * @error: the first error since the last fsync()
 * @failed: number of jobs that completed with an error
 * @first: index of the oldest record
 * @taken: number of records that were ever read, modulo 2^32
 * @freed: number of places in @ring that were ever freed, by readers that have
 *	returned their records, modulo 2^32
 * @waiting: a job that waits for others, and all jobs submitted after it
 * @holds: jobs are in @waiting, or were dispatched from there and are not yet
 *	in @lane; only set under @submit
 * @stopped: the device is being unbound: @advance does nothing
 * @advance: work that dispatches jobs from @waiting, and checks the deadline of
 *	the first
 * @dep: the fence that the first of @waiting waits for, or NULL; only used by
 *	@advance
 * @dep_cb: callback on @dep
 * @wait: woken when a job completes, when the user has room for a job again,
 *	and when the device is unbound
 * @room: entry in dmacpy_account.wait; wakes @wait when the user has room for a
 *	job
 */
struct dmacpy_stream {
	struct kref ref;
	struct dmacpy_device *dev;
	struct dmacpy_account *account;
	struct dmacpy_chan *chan;
	struct list_head node;
	struct xarray bufs;
	struct xarray plans;
	struct dmacpy_handle_cache dst;
	struct dmacpy_handle_cache src;
	struct dmacpy_handle_cache plan[DMACPY_STREAM_PLANS];
	struct mutex submit;
	u64 context;
	u64 visits;
	struct llist_head spares;
	atomic_t nspares;
	struct dma_fence *fence;
	struct dmacpy_lane lane;
	struct dmacpy_side *sides;
	unsigned int nsides;
	atomic64_t ended;
	atomic64_t awaited;
	u64 waited;
	const void *plug;
	unsigned int latency;
	struct work_struct free;
	atomic64_t seqno;
	u64 spread;
	atomic64_t done;
	unsigned int events;
	struct dmacpy_event *ring;
	unsigned int end;
	unsigned int added;
	atomic64_t bytes;

	spinlock_t lock;
	atomic64_t cancelled;
	int error;
	u64 failed;
	unsigned int first;
	unsigned int taken;
	unsigned int freed;
	struct list_head waiting;
	bool holds;
	bool stopped;
	struct delayed_work advance;
	struct dma_fence *dep;
	struct dma_fence_cb dep_cb;
	wait_queue_head_t wait;
	wait_queue_entry_t room;
};

extern struct workqueue_struct *dmacpy_stream_wq;
extern struct workqueue_struct *dmacpy_free_wq;

struct dmacpy_stream *dmacpy_stream_open(struct dmacpy_device *dev);
int dmacpy_stream_widen(struct dmacpy_stream *stream);
void dmacpy_stream_close(struct dmacpy_stream *stream);
void dmacpy_stream_release(struct kref *ref);
__poll_t dmacpy_stream_poll(struct dmacpy_stream *stream, struct file *file,
			    poll_table *table);
bool dmacpy_stream_is_idle(struct dmacpy_stream *stream);
int dmacpy_stream_flush(struct dmacpy_stream *stream);
int dmacpy_stream_stat(struct dmacpy_stream *stream,
		       struct dmacpy_stream_stat *stat);

static inline void dmacpy_stream_get(struct dmacpy_stream *stream)
{
	kref_get(&stream->ref);
}

static inline void dmacpy_stream_put(struct dmacpy_stream *stream)
{
	kref_put(&stream->ref, dmacpy_stream_release);
}

/* Returns the number of jobs that take room in the stream. */
static inline u64 dmacpy_stream_jobs(const struct dmacpy_stream *stream)
{
	/* Read @done before @seqno: the difference must not be negative. */
	u64 done = atomic64_read_acquire(&stream->done);

	return atomic64_read(&stream->seqno) - done;
}

#endif /* DMACPY_STREAM_H */
