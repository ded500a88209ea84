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

/* Prepared operations are found quickly among so many that were used last. */
#define DMACPY_STREAM_PLANS	32

/**
 * struct dmacpy_handle_cache - a handle that was used before
 * @handle: the handle, 0 for none
 * @buf: its buffer; the reference is that of the handle
 * @plan: or its prepared operations, in the same way
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
 * @channel: the engine's name for its channel, "none" when it was unbound
 * @jobs: number of jobs that have not ended
 * @ended: number of jobs that have ended
 * @bytes: of these
 * @failed: of these, number of jobs with an error
 * @records: number of records to be read
 * @handles: number of handles
 * @pinned: bytes of memory that is pinned for them
 * @sram: bytes of SRAM behind them; once for each handle
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
 * struct dmacpy_stream - an open file, and its jobs after that
 * @ref: held by the file and by each job
 * @dev: a reference to the instance
 * @account: a reference to the account of the user that has opened it
 * @chan: the channel for its life; only inside the gate, or until @stopped
 * @node: in dmacpy_device.streams, under dmacpy_device.lock
 * @bufs: the handles of buffers: struct dmacpy_buf by number, each a reference;
 *	a value where the device was unbound; taken away under @submit
 * @plans: those of prepared operations: struct dmacpy_plan, in the same way
 * @dst: the last buffer that was used as a destination, under @submit
 * @src: the same for a source
 * @plan: the last prepared operations that were used, by handle, in the same
 *	way
 * @submit: makes the collection of dependencies, the publishing of fences and
 *	the place in the stream one step; never taken by what completes jobs
 * @context: the timeline of its fences
 * @visits: number of jobs that buffers were looked up for, under @submit
 * @spares: jobs that have ended, to use again; without a lock
 * @nspares: their number, or one more for each that is being added
 * @fence: for the next lazy job that needs one, or NULL; under @submit
 * @lane: its jobs that wait for the channel; has a reference to the share
 * @sides: all channels but @chan, from the one behind it on; NULL until the
 *	first job that is to be spread; written under dmacpy_device.lock
 * @nsides: number of @sides
 * @ended: the place of the last job that has ended; written one at a time
 * @awaited: the job that @advance waits for; queue_done() then queues it again
 * @waited: when a ring that dies has waited for its task, in ns
 * @plug: that of a task which will unplug the stream, as it was the last one to
 *	plug a job, or NULL; only that task stores it. Without a lock.
 * @latency: how long jobs have kept their waiters, in ns, a moving average;
 *	written by waiters without a lock
 * @free: work that ends its life
 * @seqno: of the last job, under @submit
 * @spread: of the last job that is spread, or 0, under @submit
 * @done: of the last job that takes no room any more; written one at a time
 * @events: number of places in @ring that were ever taken, by jobs that make a
 *	record, modulo 2^32; under @submit
 * @ring: room for dmacpy_max_events records, or NULL before the first
 * @end: index of the next record; that and @added are written one at a time
 * @added: number of records that were ever added, modulo 2^32
 * @bytes: of all jobs that have ended; written one at a time
 * @lock: a spinlock that protects all below
 * @cancelled: jobs up to this one were cancelled by a failure; may be read
 *	without the lock
 * @error: the first error since the last fsync()
 * @failed: number of jobs that have ended with an error
 * @first: index of the oldest record
 * @taken: number of records that were ever read, modulo 2^32
 * @freed: number of places in @ring that were ever freed, by readers that have
 *	returned their records, modulo 2^32
 * @waiting: jobs behind one with dependencies, it first
 * @holds: jobs are in @waiting, or on their way from there to @lane; set under
 *	@submit, too
 * @stopped: the device is being unbound: @advance has nothing to do
 * @advance: work that does that, and watches the deadline of the first
 * @dep: what the first of @waiting waits for, or NULL; @advance's
 * @dep_cb: our callback there
 * @wait: woken when a job ends, when the user has room for a job again, and
 *	when the device is unbound
 * @room: wakes @wait when the user has room for a job; in dmacpy_account.wait
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

int dmacpy_stream_init(void);
void dmacpy_stream_exit(void);
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
	/* In this order, so that it is not negative. */
	u64 done = atomic64_read_acquire(&stream->done);

	return atomic64_read(&stream->seqno) - done;
}

#endif /* DMACPY_STREAM_H */
