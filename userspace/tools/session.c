// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opens devices, streams and buffers for the commands, with messages on
 * failure.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tool.h"

static const char *name_prefix(const char *name)
{
	if (strchr(name, '/'))
		return "";

	return isdigit((unsigned char)*name) ? "/dev/dmacpy" : "/dev/";
}

int open_device(const char *name, struct dmacpy_device **device)
{
	char *path = NULL;
	int ret;

	if (name && asprintf(&path, "%s%s", name_prefix(name), name) < 0) {
		print_error("out of memory");
		return -1;
	}

	ret = dmacpy_device_open(path, device);
	if (ret)
		stream_error(path ? path : "/dev/dmacpy*", ret);
	free(path);

	return ret ? -1 : 0;
}

int session_open_device(struct session *session, const char *name)
{
	int ret;

	memset(session, 0, sizeof(*session));

	if (open_device(name, &session->device))
		return -1;

	ret = dmacpy_device_info(session->device, &session->info,
				 sizeof(session->info));
	if (ret) {
		device_error(dmacpy_device_path(session->device), ret);
		session_close(session);
		return -1;
	}

	return 0;
}

int session_open(struct session *session, const char *name)
{
	int ret;

	if (session_open_device(session, name))
		return -1;

	ret = dmacpy_stream_open(session->device, &session->stream);
	if (ret) {
		stream_error(dmacpy_device_path(session->device), ret);
		session_close(session);
		return -1;
	}

	return 0;
}

/* The quota of the user, or another program, may leave less than was free. */
int session_alloc(struct session *session, struct dmacpy_buffer **sram)
{
	uint64_t granule = session->info.granule;
	uint64_t length = session->info.sram_largest;
	int ret;

	if (length > CHUNK_SIZE)
		length = CHUNK_SIZE;
	if (!length)
		length = granule;

	do {
		ret = dmacpy_buffer_alloc(session->stream, length, sram);
		length = length / 2 / granule * granule;
	} while ((ret == -EDQUOT || ret == -ENOSPC) && length);
	if (ret) {
		sram_error(session, granule, ret);
		return -1;
	}

	return 0;
}

void session_close(struct session *session)
{
	dmacpy_stream_close(session->stream);
	dmacpy_device_close(session->device);
}

int chunk_new(struct chunk *chunk, struct session *session, uint32_t access)
{
	int ret;

	chunk->data = mmap(NULL, CHUNK_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (chunk->data == MAP_FAILED) {
		chunk->data = NULL;
		device_error("cannot allocate memory", -errno);
		return -1;
	}

	ret = dmacpy_buffer_register(session->stream, chunk->data, CHUNK_SIZE,
				     access, &chunk->buffer);
	if (ret) {
		register_error("cannot lock memory for the engine", ret);
		return -1;
	}

	return 0;
}

void chunk_free(struct chunk *chunk)
{
	dmacpy_buffer_free(chunk->buffer);
	if (chunk->data)
		munmap(chunk->data, CHUNK_SIZE);
}
