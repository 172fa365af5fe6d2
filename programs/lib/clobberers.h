/* SPDX-License-Identifier: MIT */
/*
 * Two threads that are more urgent than any caller. They wake up again and
 * again, overwrite every register, and hold FP registers across switches.
 */
#ifndef PROGRAMS_CLOBBERERS_H
#define PROGRAMS_CLOBBERERS_H

#include <stdint.h>

void clobberers_start(void);

/* Ends the threads. Returns the number of rounds in which either thread found
 * one of its own FP registers changed. */
uint64_t clobberers_stop(void);

#endif
