/* SPDX-License-Identifier: MIT */
/* A caller of the gate that uses every register that a function has to keep. */
#ifndef TESTS_GATE_KEEP_H
#define TESTS_GATE_KEEP_H

#define KEEP_D 24 /* the bit of dN, less N */
#define KEEP_FPCR 40

#ifndef __ASSEMBLER__
#include <stdint.h>

struct gate;

/*
 * Fills x18 to x29, d8 to d15 and FPCR from seed, calls cz_gate_direct(), and
 * returns a mask of those that came back changed: 1 << n for xn, 1 << (KEEP_D + n)
 * for dn. With FP/SIMD on. Interrupts are afterwards as they were before.
 */
uint64_t gate_keep(struct gate *gate, uint64_t seed);
#endif

#endif
