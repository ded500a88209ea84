/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_TEST_DEVICE_H
#define DMACPY_TEST_DEVICE_H

#include <linux/types.h>

struct device;
struct dma_buf;
struct dmacpy_device;
struct dmacpy_stream;
struct kunit;
struct test_engine;

struct dmacpy_device *test_device_new(struct kunit *test,
				      struct test_engine *engine);
void test_device_unbind(struct dmacpy_device *dev);
int test_power_uses(struct device *dev);
struct dmacpy_stream *test_stream_open(struct kunit *test,
				       struct dmacpy_device *dev,
				       struct test_engine *engine);
u32 test_stream_import(struct kunit *test, struct dmacpy_stream *stream,
		       struct dma_buf *dmabuf);

#endif /* DMACPY_TEST_DEVICE_H */
