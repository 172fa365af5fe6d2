/* SPDX-License-Identifier: MIT */
/* The worker's place, for programs that enter a gate themselves while it sleeps. */
#ifndef TESTS_GATE_PLACE_H
#define TESTS_GATE_PLACE_H

/* The calling thread stays on its CPU, with firmware's space, and its exceptions find
 * firmware. It still has to begin an FP section. */
void place_take(void);
void place_leave(void);

#endif
