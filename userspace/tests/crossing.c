// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two streams that copy between the same two buffers, in both directions, from
 * many threads: each job waits for one of the other stream. On the fake engine,
 * where they are on separate channels. DMACPY_SECONDS sets the duration.
 */
#include <pthread.h>

#include "kselftest_harness.h"
#include "common.h"
#include "engine.h"

#define LENGTH		(4 * KIB)
#define THREADS		8

/* A stream with handles of both buffers. */
struct side {
	int stream;
	int handle[2];
};

FIXTURE(crossing)
{
	struct side sides[2];
};

FIXTURE_SETUP(crossing)
{
	struct instance instance;
	int i, k, fd;

	ASSERT_EQ(0, engine_find(&instance));
	ASSERT_TRUE(engine_reset());
	for (i = 0; i < 2; i++)
		self->sides[i].stream = stream_open(instance.node);
	for (k = 0; k < 2; k++) {
		fd = sram_alloc(self->sides[0].stream, LENGTH);
		for (i = 0; i < 2; i++) {
			self->sides[i].handle[k] =
				dmabuf_import(self->sides[i].stream, fd,
					      ACCESS_BOTH);
			ASSERT_LT(0, self->sides[i].handle[k]);
		}
		close(fd);
	}
}

FIXTURE_TEARDOWN_PARENT(crossing)
{
	EXPECT_TRUE(engine_reset());
	EXPECT_EQ(0, sram_leaked());
}

struct submitter {
	pthread_t thread;
	const struct side *side;
	unsigned int until;	/* time in ms */
	unsigned int jobs;
	int failed;
};

static void *copy_back_and_forth(void *arg)
{
	struct submitter *s = arg;
	struct dmacpy_op op = { .length = LENGTH };
	struct dmacpy_submit args = { };

	while (!s->failed && milliseconds() < s->until) {
		op.dst = s->side->handle[s->jobs % 2];
		op.src = s->side->handle[!(s->jobs % 2)];
		s->failed = submit_with(s->side->stream, &op, 1, &args);
		s->jobs++;
	}
	return NULL;
}

/*
 * Catches: two streams that wait for each other. Then jobs only complete by the
 * deadline of dependencies, with an error.
 */
TEST_F_TIMEOUT(crossing, no_deadlock, 10 * SLOW)
{
	unsigned int seconds = environment("DMACPY_SECONDS", 5), jobs = 0;
	struct submitter submitters[THREADS];
	int i;

	for (i = 0; i < THREADS; i++) {
		submitters[i] = (struct submitter){
			.side = &self->sides[i % 2],
			.jobs = i / 2,
			.until = milliseconds() + 1000 * seconds,
		};
		ASSERT_EQ(0, pthread_create(&submitters[i].thread, NULL,
					    copy_back_and_forth,
					    &submitters[i]));
	}
	for (i = 0; i < THREADS; i++) {
		ASSERT_EQ(0, pthread_join(submitters[i].thread, NULL));
		EXPECT_EQ(0, submitters[i].failed);
		jobs += submitters[i].jobs - i / 2;
	}
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, fsync(self->sides[i].stream))
			TH_LOG("%s", strerror(errno));
	TH_LOG("%u jobs in %u s", jobs, seconds);
}

TEST_HARNESS_MAIN
