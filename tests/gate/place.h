/* SPDX-License-Identifier: MIT */
/* Lets a program take the worker's place and enter a gate while the worker
 * sleeps. */
#ifndef TESTS_GATE_PLACE_H
#define TESTS_GATE_PLACE_H

/* Pins the calling thread to its CPU, installs firmware's address space, lets
 * the thread's exceptions find `firmware`, and clears firmware->ended_by. The
 * caller still has to begin an FP section. */
void place_take(void);
/* Undoes place_take(). */
void place_leave(void);

#endif
