/* SPDX-License-Identifier: MIT */
/*
 * Where firmware's RAM in this process comes from. It is either the state that
 * an earlier daemon left, if that still matches the chip and the machine's RAM;
 * or the machine's RAM, if that matches the chip.
 */
#ifndef LINUX_ORIGIN_H
#define LINUX_ORIGIN_H

#include "host/process.h"

/*
 * Opens host->state for the host's `ram_count` regions of RAM. The caller then
 * calls origin_recover(). `chip` is NULL if there is none. Returns false and
 * sets host->why on failure; then it has changed nothing.
 */
bool origin_open(struct cz_host *host, unsigned ram_count,
		 const struct flash_port *chip);

/*
 * Completes a commit that a killed daemon left, as state_recover() does, and
 * then finds the variable store in the chip: sets host->facts.chip_has_store,
 * store_offset and store_bytes. Before the commit is complete, the headers of
 * the store may be erased. Returns false and sets host->why on failure.
 */
bool origin_recover(struct cz_host *host, const struct flash_port *chip,
		    bool *was_pending);

/* After the machine has slept: returns whether the chip and the machine's RAM
 * still match the state. Called by the worker between calls. Otherwise sets
 * host->why. */
bool origin_is_same(struct cz_host *host);

#endif
