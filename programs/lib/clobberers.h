/* SPDX-License-Identifier: MIT */
/*
 * Two threads, more urgent than any caller, that come again and again, fill every
 * register with something else and hold FP registers across switches.
 */
#ifndef PROGRAMS_CLOBBERERS_H
#define PROGRAMS_CLOBBERERS_H

#include <stdint.h>

void clobberers_start(void);

/* Ends them. Rounds of both in which an FP register of theirs had changed. */
uint64_t clobberers_stop(void);

#endif
