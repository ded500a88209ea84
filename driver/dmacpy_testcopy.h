/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_TESTCOPY_H
#define DMACPY_TESTCOPY_H

#include <linux/atomic.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "dmacpy_engine.h"
#include "dmacpy_token.h"

struct dmacpy_sram;

/**
 * struct dmacpy_testcopy - copies that test whether a channel works
 * @client: owner of the descriptors
 * @engine: the channel
 * @bearer: holds the token of an engine with DMACPY_QUIRK_EXCLUSIVE
 * @called_back: woken when a copy has called back
 * @in_flight: number of copies that have not called back
 * @failed: a copy has called back with an error
 * @stalls: number of times that the engine only continued after a second issue
 * @scratch: blocks, for copies from one to the next
 * @addr: DMA address of @scratch
 * @seed: makes the data of each copy different
 */
struct dmacpy_testcopy {
	struct dmacpy_client client;
	const struct dmacpy_engine *engine;
	struct dmacpy_bearer bearer;
	wait_queue_head_t called_back;
	atomic_t in_flight;
	bool failed;
	unsigned int stalls;
	u8 *scratch;
	dma_addr_t addr;
	u8 seed;
};

/**
 * struct dmacpy_testcopy_result - result of a test copy
 * @submitted: the engine has accepted it, and may write to the scratch memory
 * @called_back: it has called back
 * @failed: it has called back with an error
 * @arrived: the destination has the data
 */
struct dmacpy_testcopy_result {
	bool submitted;
	bool called_back;
	bool failed;
	bool arrived;
};

/* Returns true if the engine may ignore an issue; one stall may be chance. */
static inline bool
dmacpy_testcopy_needs_reissue(const struct dmacpy_testcopy *copy)
{
	return copy->engine->quirks & DMACPY_QUIRK_REISSUE || copy->stalls > 1;
}

int dmacpy_testcopy_init(struct dmacpy_testcopy *copy,
			 const struct dmacpy_engine *engine);
void dmacpy_testcopy_free(struct dmacpy_testcopy *copy);
void dmacpy_testcopy_run(struct dmacpy_testcopy *copy, unsigned long timeout,
			 struct dmacpy_testcopy_result *result);
const char *dmacpy_testcopy_chain(struct dmacpy_testcopy *copy,
				  unsigned long timeout);
bool dmacpy_testcopy_fill(struct dmacpy_testcopy *copy, unsigned long timeout,
			  bool *correct);
bool dmacpy_testcopy_tile(struct dmacpy_testcopy *copy, unsigned long timeout,
			  bool *correct);
int dmacpy_testcopy_test_sram(struct dmacpy_testcopy *copy,
			      unsigned long timeout,
			      const struct dmacpy_sram *sram);

#endif /* DMACPY_TESTCOPY_H */
