/* SPDX-License-Identifier: MIT */
/* Shared by the sweep's exception vectors and its C code. */
#ifndef TESTS_GATE_INTERRUPTS_H
#define TESTS_GATE_INTERRUPTS_H

#include <stdint.h>

/* The table for VBAR_EL1: every interrupt, from EL1 or EL0, goes to
 * sweep_interrupted(); every other exception goes to the kernel. */
extern char sweep_vectors[];

/* Handles an interrupt, with interrupts off. pc and pstate say where it was
 * taken; x18 and tpidr_el1 are the values that a host's handler would have
 * found. */
void sweep_interrupted(uint64_t pc, uint64_t pstate, uint64_t x18,
		       uint64_t tpidr_el1);

#endif
