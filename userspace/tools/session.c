// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices, streams and buffers for the commands, with messages when they fail.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "tool.h"

int session_open_device(struct session *session, const char *path)
{
	int ret;

	memset(session, 0, sizeof(*session));

	ret = dmacpy_device_open(path, &session->device);
	if (ret) {
		device_error(path ? path : "/dev/dmacpy*", ret);
		return -1;
	}

	ret = dmacpy_device_info(session->device, &session->info,
				 sizeof(session->info));
	if (ret) {
		device_error(dmacpy_device_path(session->device), ret);
		session_close(session);
		return -1;
	}

	return 0;
}

int session_open(struct session *session, const char *path)
{
	int ret;

	if (session_open_device(session, path))
		return -1;

	ret = dmacpy_stream_open(session->device, &session->stream);
	if (ret) {
		device_error(dmacpy_device_path(session->device), ret);
		session_close(session);
		return -1;
	}

	return 0;
}

int session_alloc(struct session *session, struct dmacpy_buffer **sram)
{
	uint64_t length = session->info.sram_largest;
	int ret;

	if (length > CHUNK_SIZE)
		length = CHUNK_SIZE;
	if (!length)
		length = session->info.granule;

	ret = dmacpy_buffer_alloc(session->stream, length, sram);
	if (ret) {
		sram_error(session, length, ret);
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
		device_error("cannot lock memory for the engine", ret);
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
