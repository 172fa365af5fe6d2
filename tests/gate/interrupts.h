/* SPDX-License-Identifier: MIT */
/* What the sweep's vectors and its C share. */
#ifndef TESTS_GATE_INTERRUPTS_H
#define TESTS_GATE_INTERRUPTS_H

#include <stdint.h>

/* The table for VBAR_EL1: an interrupt goes to sweep_interrupted(), from wherever
 * it is taken; everything else goes to the kernel. */
extern char sweep_vectors[];

/* An interrupt: where it was taken, and what a host would have found in its
 * registers. Interrupts off. */
void sweep_interrupted(uint64_t pc, uint64_t pstate, uint64_t x18,
		       uint64_t tpidr_el1);

#endif
