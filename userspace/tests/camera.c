// SPDX-License-Identifier: GPL-2.0-only
/*
 * A camera captures into SRAM, while the engine copies the last frame out:
 * vivid, with each of the two allocators that cameras use. QEMU's engine copies
 * a frame at once, the fake one takes longer than the camera per frame.
 */
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <linux/videodev2.h>

#include "kselftest_harness.h"
#include "common.h"
#include "engine.h"

#define WIDTH		320
#define HEIGHT		180
#define SIZE		(WIDTH * HEIGHT)
#define STRIPS		15	/* per frame */
#define STRIP_US	(20 * 1000)	/* time per strip on the fake engine */
#define BUFFERS		2	/* one is filled while the other is moved */
#define FRAMES		24
#define MAX_FRAMES	(8 * FRAMES)	/* limit on a busy host */
#define SWITCHES	4	/* between black and white */
#define MIXED		256

struct frame {
	int fd, handle;		/* the SRAM */
	uint8_t *mem;		/* mapping of the SRAM */
	uint8_t *copy;
	int copy_handle;
};

FIXTURE(camera)
{
	int video, stream;
	struct frame frames[BUFFERS];
	int last;		/* frame being moved, or -1 */
	int overlaps;		/* frames captured while another was moved */
};

FIXTURE_VARIANT(camera)
{
	const char *name;
	bool fake;
};

FIXTURE_VARIANT_ADD(camera, vmalloc)
{
	.name = "vivid-000-vid-cap",
};

FIXTURE_VARIANT_ADD(camera, dma_contig)
{
	.name = "vivid-001-vid-cap",
};

FIXTURE_VARIANT_ADD(camera, vmalloc_fake_engine)
{
	.name = "vivid-000-vid-cap",
	.fake = true,
};

FIXTURE_VARIANT_ADD(camera, dma_contig_fake_engine)
{
	.name = "vivid-001-vid-cap",
	.fake = true,
};

static bool has_line(const char *path, const char *line)
{
	FILE *file = fopen(path, "re");
	char found[64] = "";

	if (file && fgets(found, sizeof(found), file))
		found[strcspn(found, "\n")] = 0;
	if (file)
		fclose(file);
	return !strcmp(found, line);
}

static int open_camera(const char *name)
{
	char path[64];
	int number;

	for (number = 0; number < 8; number++) {
		snprintf(path, sizeof(path),
			 "/sys/class/video4linux/video%d/name", number);
		if (!has_line(path, name))
			continue;
		snprintf(path, sizeof(path), "/dev/video%d", number);
		return open(path, O_RDWR | O_CLOEXEC);
	}
	return -1;
}

/* Sets a control whose number is in no header for user space. */
static int set_control(int video, const char *name, int value)
{
	struct v4l2_queryctrl query = { .id = V4L2_CTRL_FLAG_NEXT_CTRL };
	struct v4l2_control control = { .value = value };

	while (!ioctl(video, VIDIOC_QUERYCTRL, &query)) {
		if (!strcmp((const char *)query.name, name)) {
			control.id = query.id;
			return command(video, VIDIOC_S_CTRL, &control);
		}
		query.id |= V4L2_CTRL_FLAG_NEXT_CTRL;
	}
	return -ENOENT;
}

/* Returns the number of an entry of the menu "Test Pattern". */
static int find_pattern(int video, const char *name)
{
	struct v4l2_querymenu menu = { };
	struct v4l2_queryctrl query = { .id = V4L2_CTRL_FLAG_NEXT_CTRL };

	while (!ioctl(video, VIDIOC_QUERYCTRL, &query)) {
		if (!strcmp((const char *)query.name, "Test Pattern"))
			break;
		query.id |= V4L2_CTRL_FLAG_NEXT_CTRL;
	}
	menu.id = query.id;
	while (!ioctl(video, VIDIOC_QUERYMENU, &menu)) {
		if (!strcmp((const char *)menu.name, name))
			return menu.index;
		menu.index++;
	}
	return -ENOENT;
}

static int set_format(int video)
{
	struct v4l2_format format = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.fmt.pix = {
			.width = WIDTH,
			.height = HEIGHT,
			.pixelformat = V4L2_PIX_FMT_GREY,
			.field = V4L2_FIELD_NONE,
		},
	};
	int input = 0, ret;

	ret = command(video, VIDIOC_S_INPUT, &input);
	if (!ret)
		ret = command(video, VIDIOC_S_FMT, &format);
	return ret ? ret : -(format.fmt.pix.sizeimage != SIZE);
}

static int frame_open(struct frame *frame, int stream)
{
	frame->fd = sram_alloc(stream, SIZE);
	frame->handle = dmabuf_import(stream, frame->fd, DMACPY_ACCESS_READ);
	frame->mem = dmabuf_map(frame->fd, SIZE);
	frame->copy = memory_map(SIZE);
	frame->copy_handle = memory_register(stream, frame->copy, SIZE,
					     DMACPY_ACCESS_WRITE);
	return frame->handle > 0 && frame->mem && frame->copy_handle > 0 ? 0 :
		-ENOMEM;
}

static int request_buffers(int video, unsigned int count, uint32_t memory)
{
	struct v4l2_requestbuffers request = {
		.count = count,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = memory,
	};
	int ret = command(video, VIDIOC_REQBUFS, &request);

	return ret ? ret : (int)request.count;
}

/* Gives a buffer to the camera, or takes the next one that it has filled. */
static int exchange(int video, unsigned long request,
		    struct v4l2_buffer *buffer)
{
	buffer->type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	buffer->memory = V4L2_MEMORY_DMABUF;
	return command(video, request, buffer);
}

static int queue(FIXTURE_DATA(camera) *self, unsigned int index)
{
	struct v4l2_buffer buffer = {
		.index = index,
		.m.fd = self->frames[index].fd,
	};

	return exchange(self->video, VIDIOC_QBUF, &buffer);
}

FIXTURE_SETUP(camera)
{
	int i, type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	struct instance fake;

	ASSERT_EQ(0, engine_find(&fake));
	ASSERT_TRUE(engine_reset());
	self->last = -1;
	self->video = open_camera(variant->name);
	if (self->video < 0)
		SKIP(return, "this kernel has no vivid");
	ASSERT_EQ(0, set_control(self->video, "OSD Text Mode", 2));
	ASSERT_EQ(0, set_format(self->video));
	self->stream = stream_open(variant->fake ? fake.node : DEVICE);
	if (stream_info(self->stream).sram_total < BUFFERS * SIZE)
		SKIP(return, "this SRAM is too small for a camera's buffers");
	ASSERT_EQ(BUFFERS, request_buffers(self->video, BUFFERS,
					   V4L2_MEMORY_DMABUF));
	for (i = 0; i < BUFFERS; i++) {
		ASSERT_EQ(0, frame_open(&self->frames[i], self->stream));
		ASSERT_EQ(0, queue(self, i));
	}
	ASSERT_TRUE(engine_set("delay_us", STRIP_US));
	ASSERT_EQ(0, command(self->video, VIDIOC_STREAMON, &type));
}

FIXTURE_TEARDOWN_PARENT(camera)
{
	EXPECT_TRUE(engine_reset());
	EXPECT_EQ(0, sram_leaked());
}

static int start_copy(int stream, const struct frame *frame)
{
	struct dmacpy_submit args = { .flags = DMACPY_SUBMIT_EVENT };
	struct dmacpy_op ops[STRIPS];
	int i;

	for (i = 0; i < STRIPS; i++)
		ops[i] = (struct dmacpy_op){
			.opcode = DMACPY_OP_COPY,
			.dst = frame->copy_handle,
			.dst_offset = i * SIZE / STRIPS,
			.src = frame->handle,
			.src_offset = i * SIZE / STRIPS,
			.length = SIZE / STRIPS,
		};
	return submit_with(stream, ops, STRIPS, &args);
}

static bool was_moved(const struct frame *frame)
{
	bool right;

	dmabuf_sync(frame->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	right = !memcmp(frame->copy, frame->mem, SIZE);
	dmabuf_sync(frame->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	return right;
}

/* Returns the brightness of a picture of one colour, or MIXED. */
static int brightness_of(const struct frame *frame)
{
	return all_bytes_are(frame->copy, frame->copy[0], SIZE) ?
	       frame->copy[0] : MIXED;
}

/*
 * Captures a frame while the previous one is moved, checks that one and returns
 * it to the camera. Returns its brightness, or -errno.
 */
static int next_frame(FIXTURE_DATA(camera) *self)
{
	struct v4l2_buffer buffer = { };
	struct dmacpy_event event = { };
	int ret, done = self->last;

	ret = exchange(self->video, VIDIOC_DQBUF, &buffer);
	if (ret)
		return ret;
	if (done >= 0) {
		self->overlaps += !poll_for(self->stream, POLLIN, 0);
		ret = read_event(self->stream, &event) ?: event.result;
	}
	if (!ret)
		ret = start_copy(self->stream, &self->frames[buffer.index]);
	self->last = buffer.index;
	if (ret || done < 0)
		return ret;
	if (!was_moved(&self->frames[done]))
		return -EBADMSG;
	ret = queue(self, done);
	return ret ? ret : brightness_of(&self->frames[done]);
}

/* More frames are needed if few were captured while another was moved. */
static bool wants_frame(const FIXTURE_DATA(camera) *self, bool fake, int number)
{
	bool few = fake && self->overlaps < FRAMES / 2;

	return number < FRAMES || (few && number < MAX_FRAMES);
}

/*
 * Catches: SRAM that a camera cannot capture into, a frame that is not moved,
 * or not concurrently with the next capture.
 */
TEST_F_TIMEOUT(camera, frames_through_sram, SLOW)
{
	int white = find_pattern(self->video, "100% White");
	int black = find_pattern(self->video, "100% Black");
	int i, brightness = 0, before = -1, changes = 0, mixed = 0;

	ASSERT_LE(0, white);
	ASSERT_LE(0, black);
	for (i = 0; wants_frame(self, variant->fake, i);
	     i++, before = brightness) {
		if (i % (FRAMES / SWITCHES) == 0)
			ASSERT_EQ(0, set_control(self->video, "Test Pattern",
						 i % (2 * FRAMES / SWITCHES) ?
						 black : white));
		brightness = next_frame(self);
		ASSERT_LE(0, brightness);
		changes += before >= 0 && before != brightness;
		mixed += brightness == MIXED;
	}
	TH_LOG("%d changes of brightness in %d frames, %d while one was moved",
	       changes, i, self->overlaps);
	EXPECT_LE(3, changes);
	/* The colour may change within a frame. */
	EXPECT_GE(SWITCHES * i / FRAMES, mixed);
	if (variant->fake)
		EXPECT_LE(FRAMES / 2, self->overlaps);
}

static int queue_pointer(int video, unsigned int index, void *mem)
{
	struct v4l2_buffer buffer = {
		.index = index,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_USERPTR,
		.m.userptr = (uintptr_t)mem,
		.length = SIZE,
	};

	return command(video, VIDIOC_QBUF, &buffer);
}

/* Catches: outdated documentation of V4L2_MEMORY_USERPTR. */
TEST(no_user_pointer)
{
	int video = open_camera("vivid-000-vid-cap");
	int stream = stream_open(DEVICE);
	void *mem;

	if (video < 0)
		SKIP(return, "this kernel has no vivid");
	if (stream_info(stream).sram_total < SIZE)
		SKIP(return, "this SRAM is too small for a camera's buffer");
	mem = dmabuf_map(sram_alloc(stream, SIZE), SIZE);
	ASSERT_NE(NULL, mem);
	ASSERT_EQ(0, set_format(video));
	ASSERT_EQ(BUFFERS, request_buffers(video, BUFFERS,
					   V4L2_MEMORY_USERPTR));
	EXPECT_EQ(0, queue_pointer(video, 0, memory_map(SIZE)));
	EXPECT_EQ(-EFAULT, queue_pointer(video, 1, mem));
}

TEST_HARNESS_MAIN
