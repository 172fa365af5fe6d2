/* SPDX-License-Identifier: MIT */
/* A caller of the gate that uses every callee-saved register. */
#ifndef TESTS_GATE_KEEP_H
#define TESTS_GATE_KEEP_H

#define KEEP_D 24 /* the bit of d0; dN has bit KEEP_D + N */
#define KEEP_FPCR 40

#ifndef __ASSEMBLER__
#include <stdint.h>

struct gate;

/*
 * Fills x18 to x29 and d8 to d15 from seed, sets FPCR, calls cz_gate_direct(),
 * and returns a mask of the registers that have changed: bit n for xn, bit
 * KEEP_D + n for dn, bit KEEP_FPCR for FPCR. FP/SIMD must be on. Restores the
 * interrupt mask that its caller had.
 */
uint64_t gate_keep(struct gate *gate, uint64_t seed);
#endif

#endif
