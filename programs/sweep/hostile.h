/* SPDX-License-Identifier: MIT */
/*
 * The work of the other threads of a busy system while a call is interrupted.
 * One thread on each CPU overwrites every register; another thread calls
 * firmware too and checks the results. All are more urgent than the caller.
 */
#ifndef PROGRAMS_HOSTILE_H
#define PROGRAMS_HOSTILE_H

#include "lib/store.h"

enum hostile_write {
	HOSTILE_NO_WRITE,
	/* SetVariable with the value that is already stored. */
	HOSTILE_SAME_VALUE,
	HOSTILE_NEW_VALUE,
};

/* Starts the threads. They write to STORED_RIVAL of the store. */
void hostile_init(struct store *store, struct prng *prng);

/* Starts one round: the threads run as soon as the calling thread lets them.
 * Any thread. */
void hostile_release(enum hostile_write write);

/* Starts half a round: overwrites the registers once more, unless the previous
 * time is still going on. Any thread, after hostile_release(). */
void hostile_clobber(void);

/* Waits until a released round has ended; returns at once when there was none.
 * Returns false, after logging, when a result was wrong. */
bool hostile_wait(void);

#endif
