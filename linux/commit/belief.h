/* SPDX-License-Identifier: MIT */
/*
 * Whether a state that an earlier daemon has left is of what the chip and the
 * machine's RAM hold now. It is not when the machine has been hibernated in between,
 * or somebody else has written: firmware that went on with it would write over
 * variables that it does not know of.
 */
#ifndef LINUX_BELIEF_H
#define LINUX_BELIEF_H

#include "commit/state.h"
#include "commit/store_check.h"

#define BELIEF_WHY_CHARS 256

enum belief {
	BELIEF_HOLDS,
	BELIEF_UNKNOWN, /* no form of store that is known: nothing could be compared */
	BELIEF_BROKEN, /* to be made anew; and why */
	BELIEF_FAILED, /* damaged, state_error(), or no memory */
};

/*
 * The state is one that was kept; the regions are its config's. The chip, which is in
 * read-array mode, has to hold the store that the state's RAM has a copy of. While a
 * commit is pending, any part of that commit may be in the chip already.
 * The machine's RAM, where the config keeps it the same, has to be the same as the
 * state's; while a commit is pending only the words that it changes are compared, and
 * each may be as before the commit or as after it.
 */
enum belief belief_judge(struct state *state, const struct state_config *config,
			 const struct flash_port *port,
			 char why[BELIEF_WHY_CHARS]);

#endif
