// SPDX-License-Identifier: GPL-2.0-only
/*
 * A display that shows SRAM: vkms, which computes a checksum of each frame on
 * the screen. The screen must show the data that the engine has copied, and not
 * before the copy has completed.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <drm/drm_fourcc.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "kselftest_harness.h"
#include "card.h"
#include "common.h"
#include "engine.h"

/* The SRAM has room for several screens of this size. */
#define WIDTH		64
#define HEIGHT		64
#define BITS		32
#define PITCH		(WIDTH * BITS / 8)
#define LENGTH		(HEIGHT * PITCH)
#define BOUND_MS	10000
#define FRAMES_MS	300	/* some frames, of 1/60 s */

/* A picture that can be shown, and copied from and to */
struct picture {
	int fd, handle;
	uint32_t gem, framebuffer;
};

FIXTURE(display)
{
	struct instance instance;
	int card, crc;
	uint32_t connector, crtc, plane;
	int stream, memory;
	uint8_t *mem;			/* mapping of @memory */
};

/* Returns the number of a property of an object, by its name. */
static uint32_t property(int card, uint32_t object, uint32_t type,
			 const char *name)
{
	drmModeObjectPropertiesPtr all;
	drmModePropertyPtr one;
	uint32_t found = 0, i;

	all = drmModeObjectGetProperties(card, object, type);
	for (i = 0; all && !found && i < all->count_props; i++) {
		one = drmModeGetProperty(card, all->props[i]);
		if (one && !strcmp(one->name, name))
			found = one->prop_id;
		drmModeFreeProperty(one);
	}
	drmModeFreeObjectProperties(all);
	return found;
}

static int add(drmModeAtomicReqPtr request, int card, uint32_t object,
	       uint32_t type, const char *name, uint64_t value)
{
	return drmModeAtomicAddProperty(request, object,
					property(card, object, type, name),
					value);
}

static uint32_t mode_blob(int card)
{
	drmModeModeInfo mode = {
		.clock = 60 * (WIDTH + 3) * (HEIGHT + 3) / 1000,
		.hdisplay = WIDTH,
		.hsync_start = WIDTH + 1,
		.hsync_end = WIDTH + 2,
		.htotal = WIDTH + 3,
		.vdisplay = HEIGHT,
		.vsync_start = HEIGHT + 1,
		.vsync_end = HEIGHT + 2,
		.vtotal = HEIGHT + 3,
		.vrefresh = 60,
		.name = "small",
	};
	uint32_t blob = 0;

	drmModeCreatePropertyBlob(card, &mode, sizeof(mode), &blob);
	return blob;
}

/* Has the plane show a picture, after the fence, if there is one. */
static void add_plane(drmModeAtomicReqPtr request,
		      const FIXTURE_DATA(display) *self,
		      const struct picture *picture, int fence)
{
	const struct {
		const char *name;
		uint64_t value;
	} values[] = {
		{ "FB_ID", picture->framebuffer },
		{ "CRTC_ID", self->crtc },
		{ "CRTC_W", WIDTH },
		{ "CRTC_H", HEIGHT },
		{ "SRC_W", WIDTH << 16 },
		{ "SRC_H", HEIGHT << 16 },
		{ "IN_FENCE_FD", fence },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(values); i++)
		add(request, self->card, self->plane, DRM_MODE_OBJECT_PLANE,
		    values[i].name, values[i].value);
}

/* Turns the screen on. */
static int show(const FIXTURE_DATA(display) *self,
		const struct picture *picture)
{
	drmModeAtomicReqPtr request = drmModeAtomicAlloc();
	int ret;

	add(request, self->card, self->crtc, DRM_MODE_OBJECT_CRTC, "MODE_ID",
	    mode_blob(self->card));
	add(request, self->card, self->crtc, DRM_MODE_OBJECT_CRTC, "ACTIVE", 1);
	add(request, self->card, self->connector, DRM_MODE_OBJECT_CONNECTOR,
	    "CRTC_ID", self->crtc);
	add_plane(request, self, picture, -1);
	ret = drmModeAtomicCommit(self->card, request,
				  DRM_MODE_ATOMIC_ALLOW_MODESET, NULL);
	drmModeAtomicFree(request);
	return ret;
}

/* Shows another picture when it is ready; an event reports the flip. */
static int flip(const FIXTURE_DATA(display) *self,
		const struct picture *picture, int fence)
{
	drmModeAtomicReqPtr request = drmModeAtomicAlloc();
	int ret;

	add_plane(request, self, picture, fence);
	ret = drmModeAtomicCommit(self->card, request,
				  DRM_MODE_ATOMIC_NONBLOCK |
				  DRM_MODE_PAGE_FLIP_EVENT, NULL);
	drmModeAtomicFree(request);
	return ret;
}

/* Returns true if the event has arrived. */
static bool flipped(int card, int timeout_ms)
{
	char event[1024];

	return poll_for(card, POLLIN, timeout_ms) == POLLIN &&
	       read(card, event, sizeof(event)) > 0;
}

/* Finds the only screen, without the plane of the cursor. */
static int find_screen(FIXTURE_DATA(display) *self)
{
	drmModeResPtr resources = drmModeGetResources(self->card);
	drmModePlaneResPtr planes = drmModeGetPlaneResources(self->card);

	if (!resources || !planes || !planes->count_planes ||
	    resources->count_crtcs != 1 || resources->count_connectors != 1)
		return -ENODEV;
	self->crtc = resources->crtcs[0];
	self->connector = resources->connectors[0];
	self->plane = planes->planes[0];
	drmModeFreePlaneResources(planes);
	drmModeFreeResources(resources);
	return 0;
}

/* Opens the file of checksums, which are computed while it is open. */
static int crc_open(int card)
{
	char path[80];
	struct stat status;

	if (fstat(card, &status))
		return -errno;
	snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%u/crtc-0/crc/data",
		 minor(status.st_rdev));
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Returns the checksum of a frame that began after the call. */
static unsigned int crc_of_screen(int crc)
{
	unsigned int frame, value = 0;
	char line[64];
	ssize_t size;
	int i;

	/* Skip queued ones, and the one of the current frame. */
	while (poll_for(crc, POLLIN, 0) == POLLIN)
		if (read(crc, line, sizeof(line)) <= 0)
			return 0;
	for (i = 0; i < 3; i++) {
		size = read(crc, line, sizeof(line) - 1);
		if (size <= 0)
			return 0;
		line[size] = 0;
		if (sscanf(line, "%x %x", &frame, &value) != 2)
			return 0;
	}
	return value;
}

FIXTURE_SETUP(display)
{
	ASSERT_EQ(0, engine_find(&self->instance));
	ASSERT_TRUE(engine_reset());
	self->card = card_open("vkms");
	if (self->card < 0)
		SKIP(return, "this kernel has no vkms");
	ASSERT_EQ(0, drmSetClientCap(self->card, DRM_CLIENT_CAP_ATOMIC, 1));
	ASSERT_EQ(0, find_screen(self));
	self->stream = stream_open(self->instance.node);
	self->mem = memory_map(LENGTH);
	self->memory = memory_register(self->stream, self->mem, LENGTH,
				       ACCESS_BOTH);
	ASSERT_LT(0, self->memory);
	random_start();
	random_fill(self->mem, LENGTH);
}

FIXTURE_TEARDOWN_PARENT(display)
{
	EXPECT_TRUE(engine_reset());
	EXPECT_EQ(0, sram_leaked());
}

static int picture_add(struct picture *picture,
		       const FIXTURE_DATA(display) *self)
{
	const uint32_t gems[4] = { picture->gem }, pitches[4] = { PITCH };
	const uint32_t offsets[4] = { };

	picture->handle = dmabuf_import(self->stream, picture->fd, ACCESS_BOTH);
	return picture->handle < 0 ? picture->handle :
	       drmModeAddFB2(self->card, WIDTH, HEIGHT, DRM_FORMAT_XRGB8888,
			     gems, pitches, offsets, &picture->framebuffer, 0);
}

static int picture_in_sram(struct picture *picture,
			   const FIXTURE_DATA(display) *self)
{
	picture->fd = sram_alloc(self->stream, LENGTH);
	if (drmPrimeFDToHandle(self->card, picture->fd, &picture->gem))
		return -errno;
	return picture_add(picture, self);
}

/* Creates a picture in memory of the display's driver. */
static int picture_in_memory(struct picture *picture,
			     const FIXTURE_DATA(display) *self)
{
	uint32_t pitch;
	uint64_t size;

	if (drmModeCreateDumbBuffer(self->card, WIDTH, HEIGHT, BITS, 0,
				    &picture->gem, &pitch, &size) ||
	    pitch != PITCH ||
	    drmPrimeHandleToFD(self->card, picture->gem, DRM_CLOEXEC | DRM_RDWR,
			       &picture->fd))
		return -EINVAL;
	return picture_add(picture, self);
}

/* Writes by the CPU. */
static int picture_write(const struct picture *picture, const uint8_t *from)
{
	uint8_t *mem = dmabuf_map(picture->fd, LENGTH);

	if (!mem)
		return -errno;
	dmabuf_sync(picture->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE);
	memcpy(mem, from, LENGTH);
	munmap(mem, LENGTH);
	return dmabuf_sync(picture->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE);
}

/* Catches: SRAM that is shown with data other than the copied data. */
TEST_F_TIMEOUT(display, shows_sram, SLOW)
{
	struct picture sram, other;
	unsigned int black, first, second;

	ASSERT_EQ(0, picture_in_sram(&sram, self));
	ASSERT_EQ(0, picture_in_memory(&other, self));
	ASSERT_EQ(0, show(self, &sram));
	self->crc = crc_open(self->card);
	ASSERT_LE(0, self->crc);
	black = crc_of_screen(self->crc);
	EXPECT_NE(0, black);

	ASSERT_EQ(0, copy(self->stream, sram.handle, self->memory, LENGTH));
	first = crc_of_screen(self->crc);
	EXPECT_NE(black, first);
	ASSERT_EQ(0, picture_write(&other, self->mem));
	ASSERT_EQ(0, flip(self, &other, -1));
	ASSERT_TRUE(flipped(self->card, BOUND_MS));
	EXPECT_EQ(first, crc_of_screen(self->crc));

	self->mem[LENGTH / 2] ^= 0x80;
	ASSERT_EQ(0, copy(self->stream, sram.handle, self->memory, LENGTH));
	ASSERT_EQ(0, flip(self, &sram, -1));
	ASSERT_TRUE(flipped(self->card, BOUND_MS));
	second = crc_of_screen(self->crc);
	EXPECT_NE(first, second);
	ASSERT_EQ(0, picture_write(&other, self->mem));
	ASSERT_EQ(0, flip(self, &other, -1));
	ASSERT_TRUE(flipped(self->card, BOUND_MS));
	EXPECT_EQ(second, crc_of_screen(self->crc));
}

/* Catches: wrong copies from or to a picture of the display's driver. */
TEST_F_TIMEOUT(display, picture_as_buffer, SLOW)
{
	struct picture sram, other;
	unsigned int first;

	ASSERT_EQ(0, picture_in_sram(&sram, self));
	ASSERT_EQ(0, picture_in_memory(&other, self));
	ASSERT_EQ(0, picture_write(&sram, self->mem));
	ASSERT_EQ(0, show(self, &sram));
	self->crc = crc_open(self->card);
	ASSERT_LE(0, self->crc);
	first = crc_of_screen(self->crc);

	ASSERT_EQ(0, copy(self->stream, other.handle, sram.handle, LENGTH));
	ASSERT_EQ(0, flip(self, &other, -1));
	ASSERT_TRUE(flipped(self->card, BOUND_MS));
	EXPECT_EQ(first, crc_of_screen(self->crc));

	ASSERT_EQ(0, fill(self->stream, sram.handle, LENGTH, 0));
	ASSERT_EQ(0, copy(self->stream, sram.handle, other.handle, LENGTH));
	ASSERT_EQ(0, flip(self, &sram, -1));
	ASSERT_TRUE(flipped(self->card, BOUND_MS));
	EXPECT_EQ(first, crc_of_screen(self->crc));
}

/* Starts a copy from our memory to a picture. Returns the job's fence. */
static int start_copy(const FIXTURE_DATA(display) *self,
		      const struct picture *to, uint32_t flags)
{
	const struct dmacpy_op op = {
		.opcode = DMACPY_OP_COPY,
		.dst = to->handle,
		.src = self->memory,
		.length = LENGTH,
	};
	struct dmacpy_submit args = {
		.flags = DMACPY_SUBMIT_OUT_FENCE | flags,
	};
	int ret = submit_with(self->stream, &op, 1, &args);

	return ret ?: args.out_fence;
}

/* Without implicit fences, the display gets the fence of the job. */
static void expect_held_back(struct __test_metadata *_metadata,
			     FIXTURE_DATA(display) *self, uint32_t flags)
{
	struct picture front, back, other;
	unsigned int before, after;
	int fence;

	ASSERT_EQ(0, picture_in_sram(&front, self));
	ASSERT_EQ(0, picture_in_sram(&back, self));
	ASSERT_EQ(0, picture_in_memory(&other, self));
	ASSERT_EQ(0, picture_write(&other, self->mem));
	ASSERT_EQ(0, show(self, &front));
	self->crc = crc_open(self->card);
	ASSERT_LE(0, self->crc);
	before = crc_of_screen(self->crc);

	ASSERT_TRUE(engine_set("hang", 1));
	fence = start_copy(self, &back, flags);
	ASSERT_LE(0, fence);
	ASSERT_EQ(0, flip(self, &back, flags ? fence : -1));
	EXPECT_FALSE(flipped(self->card, FRAMES_MS));
	EXPECT_EQ(before, crc_of_screen(self->crc));
	ASSERT_TRUE(engine_set("hang", 0));
	ASSERT_TRUE(flipped(self->card, BOUND_MS));
	EXPECT_EQ(1, fence_status(fence));
	after = crc_of_screen(self->crc);
	EXPECT_NE(before, after);
	ASSERT_EQ(0, flip(self, &other, -1));
	ASSERT_TRUE(flipped(self->card, BOUND_MS));
	EXPECT_EQ(after, crc_of_screen(self->crc));
}

/* Catches: an out-fence that another driver does not wait for. */
TEST_F_TIMEOUT(display, waits_for_in_fence, SLOW)
{
	expect_held_back(_metadata, self, DMACPY_SUBMIT_NO_IMPLICIT);
}

/* Catches: a copy without an implicit fence for the display. */
TEST_F_TIMEOUT(display, waits_for_implicit_fence, SLOW)
{
	expect_held_back(_metadata, self, 0);
}

TEST_HARNESS_MAIN
