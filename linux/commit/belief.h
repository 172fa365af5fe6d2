/* SPDX-License-Identifier: MIT */
/*
 * Decides whether the state that an earlier daemon has left is still valid: it
 * must match the flash chip and firmware's regions of the machine's RAM. It is
 * out of date if the machine was hibernated since then, or if anything else has
 * written to the chip or to these regions. Firmware that continued with a state
 * that is out of date would overwrite variables that it does not know about.
 */
#ifndef LINUX_BELIEF_H
#define LINUX_BELIEF_H

#include "commit/state.h"
#include "commit/store_check.h"

#define BELIEF_WHY_CHARS 256

enum belief {
	BELIEF_HOLDS,
	/* the store's form is unknown, so nothing could be compared */
	BELIEF_UNKNOWN,
	BELIEF_BROKEN, /* `why` is set; the state has to be made anew */
	/* `why` is set; the state is damaged, or memory is out */
	BELIEF_FAILED,
};

/*
 * Compares a state for which state_open() returned STATE_KEPT. The regions are
 * those of its config.
 *
 * The chip, which is in read-array mode, has to hold the same variable store as
 * the copy in the state's RAM. While a commit is pending, any part of that
 * commit may be in the chip already.
 *
 * If the config keeps the machine's RAM up to date, that RAM has to be the same
 * as the state's. While a commit is pending, only the words that it changes are
 * compared, and each may be as before the commit or as after it.
 */
enum belief belief_judge(struct state *state, const struct state_config *config,
			 const struct flash_port *port,
			 char why[BELIEF_WHY_CHARS]);

#endif
