// SPDX-License-Identifier: GPL-2.0-only
/*
 * Share SRAM with a DRM driver, and a picture of that driver with the engine.
 *
 * usage: drmshare [/dev/dri/cardN]
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xf86drm.h>
#include <xf86drmMode.h>

#include <dmacpy.h>

#define WIDTH		64
#define HEIGHT		64
#define BITS		32
#define DEPTH		24
#define PITCH		(WIDTH * BITS / 8)
#define SIZE		(PITCH * HEIGHT)
#define COLOUR		0x00336699

/* A picture that the DRM driver has allocated */
struct picture {
	uint32_t handle;
	struct dmacpy_buffer *buffer;
	uint32_t *pixels;
};

static void check(const char *what, int ret)
{
	if (!ret)
		return;

	fprintf(stderr, "drmshare: %s: %s\n", what, strerror(abs(ret)));
	exit(EXIT_FAILURE);
}

static int open_card(const char *path)
{
	int card = open(path, O_RDWR | O_CLOEXEC);

	check(path, card < 0 ? errno : 0);
	return card;
}

static void create_picture(int card, struct dmacpy_stream *stream,
			   struct picture *picture)
{
	uint64_t size, offset;
	uint32_t pitch;
	void *pixels;
	int fd;

	check("create a picture",
	      drmModeCreateDumbBuffer(card, WIDTH, HEIGHT, BITS, 0,
				      &picture->handle, &pitch, &size));
	check("lay out a picture", pitch == PITCH ? 0 : EINVAL);
	/* This returns -1 and sets errno, unlike the functions of modes. */
	check("export the picture",
	      drmPrimeHandleToFD(card, picture->handle, DRM_CLOEXEC | DRM_RDWR,
				 &fd) ? errno : 0);
	check("import the picture",
	      dmacpy_buffer_import(stream, fd, DMACPY_ACCESS_WRITE,
				   &picture->buffer));
	close(fd);
	check("find the picture",
	      drmModeMapDumbBuffer(card, picture->handle, &offset));
	pixels = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, card, offset);
	check("map the picture", pixels == MAP_FAILED ? errno : 0);
	picture->pixels = pixels;
}

static void fill_sram(struct dmacpy_stream *stream, struct dmacpy_buffer *sram)
{
	struct dmacpy_job *job;

	check("new job", dmacpy_job_new(stream, &job));
	check("fill", dmacpy_job_add_fill(job, sram, 0, SIZE, COLOUR));
	check("run the job", dmacpy_job_run(job));
	dmacpy_job_free(job);
}

/* Not all drivers have displays. */
static void show_sram(int card, struct dmacpy_buffer *sram)
{
	uint32_t handle, framebuffer;

	check("share SRAM", drmPrimeFDToHandle(card, dmacpy_buffer_fd(sram),
					       &handle) ? errno : 0);
	printf("SRAM is buffer %u of the driver\n", handle);
	if (!drmModeAddFB(card, WIDTH, HEIGHT, DEPTH, BITS, PITCH, handle,
			  &framebuffer)) {
		printf("and framebuffer %u\n", framebuffer);
		drmModeRmFB(card, framebuffer);
	}
	drmCloseBufferHandle(card, handle);
}

static void compare(const struct picture *picture)
{
	int i;

	check("begin access", dmacpy_buffer_begin_access(picture->buffer,
							 DMACPY_ACCESS_READ));
	for (i = 0; i < WIDTH * HEIGHT; i++)
		check("compare", picture->pixels[i] == COLOUR ? 0 : EBADMSG);
	check("end access", dmacpy_buffer_end_access(picture->buffer,
						     DMACPY_ACCESS_READ));
	printf("%d pixels copied from SRAM into a picture of the driver\n",
	       WIDTH * HEIGHT);
}

int main(int argc, char **argv)
{
	int card = open_card(argc > 1 ? argv[1] : "/dev/dri/card0");
	struct dmacpy_device *device;
	struct dmacpy_stream *stream;
	struct dmacpy_buffer *sram;
	struct picture picture;

	check("open device", dmacpy_device_open(NULL, &device));
	check("open stream", dmacpy_stream_open(device, &stream));
	check("allocate SRAM", dmacpy_buffer_alloc(stream, SIZE, &sram));
	fill_sram(stream, sram);
	show_sram(card, sram);

	create_picture(card, stream, &picture);
	check("copy", dmacpy_stream_copy(stream, picture.buffer, 0, sram, 0,
					 SIZE));
	compare(&picture);

	munmap(picture.pixels, SIZE);
	dmacpy_buffer_free(picture.buffer);
	drmModeDestroyDumbBuffer(card, picture.handle);
	dmacpy_buffer_free(sram);
	dmacpy_stream_close(stream);
	dmacpy_device_close(device);
	close(card);
	return EXIT_SUCCESS;
}
