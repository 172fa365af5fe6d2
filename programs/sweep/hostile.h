/* SPDX-License-Identifier: MIT */
/*
 * What the other threads of a busy system do while a call is interrupted: one on
 * each CPU leaves nothing in any register as it was, one calls firmware too and
 * checks what it gets. All are more urgent than the caller.
 */
#ifndef PROGRAMS_HOSTILE_H
#define PROGRAMS_HOSTILE_H

#include "lib/store.h"

enum hostile_write {
	HOSTILE_NO_WRITE,
	HOSTILE_SAME_VALUE, /* SetVariable of what is there already */
	HOSTILE_NEW_VALUE,
};

/* Starts the threads. Their variable is STORED_RIVAL of the store. */
void hostile_init(struct store *store, struct prng *prng);

/* One round: they run as soon as the calling thread lets them. Any thread. */
void hostile_release(enum hostile_write write);

/* Half a round: clobbers the registers once more, unless that still goes on from
 * the last time. Any thread, after hostile_release(). */
void hostile_clobber(void);

/* Waits until a released round has ended; at once when there was none. False,
 * after log lines, when something came out wrong. */
bool hostile_wait(void);

#endif
