/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the blocks of C in documents take for granted, see snippets.py.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <dmacpy.h>

extern struct dmacpy_device *device;
extern struct dmacpy_stream *stream;
extern struct dmacpy_buffer *buffer;
extern struct dmacpy_buffer *memory;
extern struct dmacpy_buffer *sram;
extern struct dmacpy_job *job;
extern struct dmacpy_copier *copier;
extern struct dmacpy_copier_buffer *src;
extern struct dmacpy_copier_buffer *dst;
extern size_t length;
extern size_t size;
extern char text[32];
extern void *mem;
extern int dmabuf;
extern int fence;
extern int ret;

void compute(void);
void use_result(uint64_t user_data);
