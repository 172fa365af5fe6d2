/* SPDX-License-Identifier: MIT */
/*
 * Where firmware's RAM in this process comes from: the state of an earlier daemon, if
 * that is still of what the chip and the machine's RAM hold, or the machine's RAM, if
 * that is as new as the chip.
 */
#ifndef LINUX_ORIGIN_H
#define LINUX_ORIGIN_H

#include "host/process.h"

/*
 * Opens host->state, of the host's `ram_count` regions of RAM; origin_recover() is the
 * caller's. chip: NULL where there is none. False: host->why, and nothing that was
 * there has been changed.
 */
bool origin_open(struct cz_host *host, unsigned ram_count,
		 const struct flash_port *chip);

/*
 * Ends the commit that a killed daemon has left, as state_recover() does, and then finds
 * the variable store in the chip: host->facts.chip_has_store, store_offset and
 * store_bytes. Before that the store's headers may be erased. False: host->why.
 */
bool origin_recover(struct cz_host *host, const struct flash_port *chip,
		    bool *was_pending);

/* After the machine has slept: whether the chip and the machine's RAM are as the state
 * has them. The worker's, between calls. False: host->why. */
bool origin_is_same(struct cz_host *host);

#endif
