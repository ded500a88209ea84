// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers shared with a DRM driver, by libdrm, in both directions, and fences
 * between the drivers. The tests use vgem, which every kernel has.
 */
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <time.h>

#include <drm/vgem_drm.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "kselftest_harness.h"
#include "card.h"
#include "common.h"
#include "engine.h"
#include "instance.h"

#define LENGTH		(16 * KIB)
#define DEADLINE_MS	4000	/* a job waits for fences */
/* The size of a picture */
#define WIDTH		64
#define HEIGHT		64
#define BITS		32

FIXTURE(drm)
{
	struct instance fake;
	int card;
	int stream, fd, handle;		/* an SRAM buffer */
	uint8_t *mem;			/* our memory, with a handle below */
	int memory;
};

FIXTURE_VARIANT(drm)
{
	bool fake;
};

FIXTURE_VARIANT_ADD(drm, boards_engine)
{
	.fake = false,
};

FIXTURE_VARIANT_ADD(drm, fake_engine)
{
	.fake = true,
};

FIXTURE_SETUP(drm)
{
	ASSERT_EQ(0, engine_find(&self->fake));
	ASSERT_TRUE(engine_reset());
	self->card = card_open("vgem");
	if (self->card < 0)
		SKIP(return, "this kernel has no vgem");
	self->stream = stream_open(variant->fake ? self->fake.node : DEVICE);
	self->fd = sram_alloc(self->stream, LENGTH);
	self->handle = dmabuf_import(self->stream, self->fd, ACCESS_BOTH);
	ASSERT_LT(0, self->handle);
	self->mem = memory_map(LENGTH);
	self->memory = memory_register(self->stream, self->mem, LENGTH,
				       ACCESS_BOTH);
	ASSERT_LT(0, self->memory);
}

FIXTURE_TEARDOWN_PARENT(drm)
{
	EXPECT_TRUE(engine_reset());
	EXPECT_EQ(0, sram_leaked());
}

/* A buffer of the DRM driver, with its handles in both drivers */
struct picture {
	uint32_t gem;
	int fd, handle;
	uint8_t *mem;
};

static int picture_create(struct picture *picture, int card, int stream)
{
	uint32_t pitch;
	uint64_t size, offset;

	if (drmModeCreateDumbBuffer(card, WIDTH, HEIGHT, BITS, 0, &picture->gem,
				    &pitch, &size) ||
	    size != LENGTH ||
	    drmPrimeHandleToFD(card, picture->gem, DRM_CLOEXEC | DRM_RDWR,
			       &picture->fd) ||
	    drmModeMapDumbBuffer(card, picture->gem, &offset))
		return -EINVAL;
	picture->mem = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED,
			    card, offset);
	if (picture->mem == MAP_FAILED)
		return -ENOMEM;
	picture->handle = dmabuf_import(stream, picture->fd, ACCESS_BOTH);
	return picture->handle > 0 ? 0 : -EINVAL;
}

static int start_copy(int stream, uint32_t dst, uint32_t src)
{
	const struct dmacpy_op op = {
		.opcode = DMACPY_OP_COPY,
		.dst = dst,
		.src = src,
		.length = LENGTH,
	};
	struct dmacpy_submit args = { .flags = DMACPY_SUBMIT_EVENT };

	return submit_with(stream, &op, 1, &args);
}

/* Catches: a buffer that DRM refuses, or that comes back as another. */
TEST_F(drm, sram_there_and_back)
{
	struct dmacpy_op op = {
		.opcode = DMACPY_OP_COPY,
		.src = self->handle,
		.src_offset = LENGTH / 4,
		.length = LENGTH / 2,
	};
	uint8_t *mem;
	uint32_t gem;
	int fd;

	ASSERT_EQ(0, drmPrimeFDToHandle(self->card, self->fd, &gem));
	ASSERT_EQ(0, drmPrimeHandleToFD(self->card, gem, DRM_CLOEXEC | DRM_RDWR,
					&fd));
	op.dst = dmabuf_import(self->stream, fd, ACCESS_BOTH);
	/* The buffers are known to be the same: they overlap. */
	EXPECT_EQ(-EINVAL, submit(self->stream, &op, 1));

	random_start();
	random_fill(self->mem, LENGTH);
	EXPECT_EQ(0, copy(self->stream, self->handle, self->memory, LENGTH));
	mem = dmabuf_map(fd, LENGTH);
	ASSERT_NE(NULL, mem);
	dmabuf_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	EXPECT_EQ(0, memcmp(mem, self->mem, LENGTH));
	dmabuf_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	EXPECT_EQ(0, drmCloseBufferHandle(self->card, gem));
}

/* Catches: SRAM that is freed while only DRM has a reference. */
TEST_F(drm, sram_lives_in_drm)
{
	uint64_t before = stream_info(self->stream).sram_free;
	uint32_t gem;

	ASSERT_EQ(0, drmPrimeFDToHandle(self->card, self->fd, &gem));
	close(self->fd);
	handle_release(self->stream, self->handle);
	EXPECT_EQ(before, stream_info(self->stream).sram_free);
	EXPECT_EQ(0, drmCloseBufferHandle(self->card, gem));
	close(self->card);
	EXPECT_EQ(before + LENGTH, stream_info(self->stream).sram_free);
}

/* Catches: wrong copies from or to a picture of DRM. */
TEST_F(drm, picture_as_buffer)
{
	struct picture picture;

	ASSERT_EQ(0, picture_create(&picture, self->card, self->stream));
	random_start();
	random_fill(self->mem, LENGTH);
	EXPECT_EQ(0, copy(self->stream, self->handle, self->memory, LENGTH));
	EXPECT_EQ(0, copy(self->stream, picture.handle, self->handle, LENGTH));
	dmabuf_sync(picture.fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
	EXPECT_EQ(0, memcmp(picture.mem, self->mem, LENGTH));
	random_fill(picture.mem, LENGTH);
	dmabuf_sync(picture.fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);

	EXPECT_EQ(0, copy(self->stream, self->handle, picture.handle, LENGTH));
	EXPECT_EQ(0, copy(self->stream, self->memory, self->handle, LENGTH));
	EXPECT_EQ(0, memcmp(picture.mem, self->mem, LENGTH));
}

/* Simulates a GPU that writes to a picture, or that only reads from it. */
static int gpu_begin(int card, uint32_t gem, uint32_t flags, uint32_t *fence)
{
	struct drm_vgem_fence_attach attach = {
		.handle = gem,
		.flags = flags,
	};
	int ret = command(card, DRM_IOCTL_VGEM_FENCE_ATTACH, &attach);

	*fence = attach.out_fence;
	return ret;
}

static int gpu_end(int card, uint32_t fence)
{
	struct drm_vgem_fence_signal signal = { .fence = fence };

	return command(card, DRM_IOCTL_VGEM_FENCE_SIGNAL, &signal);
}

/* Catches: a copy that does not wait for the GPU. */
TEST_F(drm, their_fence_holds_our_job)
{
	struct dmacpy_event event;
	struct picture picture;
	uint32_t fence;

	ASSERT_EQ(0, picture_create(&picture, self->card, self->stream));
	ASSERT_EQ(0, gpu_begin(self->card, picture.gem, VGEM_FENCE_WRITE,
			       &fence));
	ASSERT_EQ(0, start_copy(self->stream, self->handle, picture.handle));
	EXPECT_EQ(0, poll_for(self->stream, POLLIN, 300));
	/* The GPU renders only now. */
	memset(picture.mem, 0x3c, LENGTH);
	ASSERT_EQ(0, gpu_end(self->card, fence));
	ASSERT_EQ(0, read_event(self->stream, &event));
	EXPECT_EQ(0, event.result);
	EXPECT_EQ(0, copy(self->stream, self->memory, self->handle, LENGTH));
	EXPECT_TRUE(all_bytes_are(self->mem, 0x3c, LENGTH));
}

/* Catches: an unbounded wait for the GPU, or a copy after the deadline. */
TEST_F(drm, their_fence_is_late)
{
	struct dmacpy_event event;
	struct picture picture;
	uint32_t fence;

	ASSERT_EQ(0, picture_create(&picture, self->card, self->stream));
	memset(self->mem, 0x3c, LENGTH);
	ASSERT_TRUE(set_number(DEPENDENCY_TIMEOUT, 200));
	ASSERT_EQ(0, gpu_begin(self->card, picture.gem, 0, &fence));
	ASSERT_EQ(0, start_copy(self->stream, picture.handle, self->memory));
	ASSERT_EQ(0, read_event(self->stream, &event));
	EXPECT_EQ(-ETIMEDOUT, event.result);
	ASSERT_EQ(0, gpu_end(self->card, fence));
	EXPECT_TRUE(all_bytes_are(picture.mem, 0, LENGTH));
	/* The channel has served others, and this stream again. */
	ASSERT_EQ(0, start_copy(self->stream, picture.handle, self->memory));
	ASSERT_EQ(0, read_event(self->stream, &event));
	EXPECT_EQ(0, event.result);
}

/* Catches: a deadline that restarts with each fence. */
TEST_F_TIMEOUT(drm, their_fences_have_one_deadline, SLOW)
{
	struct dmacpy_submit args = { .flags = DMACPY_SUBMIT_EVENT };
	struct picture pictures[2];
	struct dmacpy_event event;
	struct dmacpy_op ops[2];
	struct timespec now;
	uint32_t fences[2];
	uint64_t signalled;
	int i;

	ASSERT_TRUE(set_number(DEPENDENCY_TIMEOUT, DEADLINE_MS));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, picture_create(&pictures[i], self->card,
					    self->stream));
		ASSERT_EQ(0, gpu_begin(self->card, pictures[i].gem, 0,
				       &fences[i]));
		ops[i] = (struct dmacpy_op){
			.opcode = DMACPY_OP_FILL,
			.dst = pictures[i].handle,
			.length = LENGTH,
		};
	}
	ASSERT_EQ(0, submit_with(self->stream, ops, 2, &args));
	usleep(1000 * DEADLINE_MS * 3 / 4);
	clock_gettime(CLOCK_MONOTONIC, &now);
	signalled = now.tv_sec * 1000000000ULL + now.tv_nsec;
	ASSERT_EQ(0, gpu_end(self->card, fences[0]));
	ASSERT_EQ(0, read_event(self->stream, &event));
	EXPECT_EQ(-ETIMEDOUT, event.result);
	EXPECT_GT(signalled + DEADLINE_MS * 1000000ULL, event.timestamp);
	ASSERT_EQ(0, gpu_end(self->card, fences[1]));
}

/* Catches: a picture that is overwritten while the GPU reads from it. */
TEST_F(drm, their_reader_holds_our_write)
{
	struct dmacpy_event event;
	struct picture picture;
	uint32_t fence;

	ASSERT_EQ(0, picture_create(&picture, self->card, self->stream));
	memset(self->mem, 0x3c, LENGTH);
	ASSERT_EQ(0, gpu_begin(self->card, picture.gem, 0, &fence));
	ASSERT_EQ(0, start_copy(self->stream, picture.handle, self->memory));
	EXPECT_EQ(0, poll_for(self->stream, POLLIN, 300));
	EXPECT_TRUE(all_bytes_are(picture.mem, 0, LENGTH));
	ASSERT_EQ(0, gpu_end(self->card, fence));
	ASSERT_EQ(0, read_event(self->stream, &event));
	EXPECT_EQ(0, event.result);
	EXPECT_TRUE(all_bytes_are(picture.mem, 0x3c, LENGTH));
}

/* Catches: a GPU that does not wait for a copy in flight. */
TEST_F(drm, our_fence_holds_theirs)
{
	struct dmacpy_event event;
	uint32_t gem, fence;

	if (!variant->fake)
		SKIP(return, "this engine completes a job at once");
	ASSERT_EQ(0, drmPrimeFDToHandle(self->card, self->fd, &gem));
	ASSERT_TRUE(engine_set("hang", 1));
	ASSERT_EQ(0, start_copy(self->stream, self->handle, self->memory));
	EXPECT_EQ(-EBUSY, gpu_begin(self->card, gem, VGEM_FENCE_WRITE, &fence));
	ASSERT_TRUE(engine_set("hang", 0));
	ASSERT_EQ(0, read_event(self->stream, &event));
	EXPECT_EQ(0, event.result);
	/* The fence signals after the record. */
	ASSERT_EQ(POLLOUT, poll_for(self->fd, POLLOUT, 5000));
	EXPECT_EQ(0, gpu_begin(self->card, gem, VGEM_FENCE_WRITE, &fence));
}

/* Catches: an importer whose buffer is freed with the driver. */
TEST_F(drm, importer_survives_unbind)
{
	struct instance instance = self->fake;
	uint32_t gem;

	if (!variant->fake)
		SKIP(return, "the same as on the fake engine");
	ASSERT_EQ(0, drmPrimeFDToHandle(self->card, self->fd, &gem));
	ASSERT_EQ(0, instance_unbind(&instance));
	EXPECT_EQ(0, drmCloseBufferHandle(self->card, gem));
	EXPECT_NE(0, drmPrimeFDToHandle(self->card, self->fd, &gem));
	close(self->card);
	close(self->fd);
	close(self->stream);
	EXPECT_EQ(0, instance_bind(&instance));
}

TEST_HARNESS_MAIN
