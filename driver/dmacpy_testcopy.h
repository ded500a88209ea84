/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMACPY_TESTCOPY_H
#define DMACPY_TESTCOPY_H

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/types.h>

#include "dmacpy_engine.h"
#include "dmacpy_token.h"

struct dmacpy_sram;

/**
 * struct dmacpy_testcopy - copies that show whether a channel works
 * @client: owns the descriptors
 * @engine: the channel
 * @bearer: of the token of an engine with DMACPY_QUIRK_ALONE
 * @called_back: a copy has called back
 * @in_flight: number of copies that have not called back
 * @scratch: two blocks, for a copy from the one to the other
 * @addr: their address for the engine
 * @seed: makes each copy another
 */
struct dmacpy_testcopy {
	struct dmacpy_client client;
	const struct dmacpy_engine *engine;
	struct dmacpy_bearer bearer;
	struct completion called_back;
	atomic_t in_flight;
	u8 *scratch;
	dma_addr_t addr;
	u8 seed;
};

/**
 * struct dmacpy_testcopy_result - what a copy has shown
 * @submitted: the engine has taken it, and may write to the scratch memory
 * @called_back: it has called back
 * @arrived: what was copied is there
 */
struct dmacpy_testcopy_result {
	bool submitted;
	bool called_back;
	bool arrived;
};

int dmacpy_testcopy_init(struct dmacpy_testcopy *copy,
			 const struct dmacpy_engine *engine);
void dmacpy_testcopy_free(struct dmacpy_testcopy *copy);
void dmacpy_testcopy_run(struct dmacpy_testcopy *copy, unsigned long timeout,
			 struct dmacpy_testcopy_result *result);
int dmacpy_testcopy_prove_sram(struct dmacpy_testcopy *copy,
			       unsigned long timeout,
			       const struct dmacpy_sram *sram);

#endif /* DMACPY_TESTCOPY_H */
