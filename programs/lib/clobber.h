/* SPDX-License-Identifier: MIT */
/*
 * Other work at its worst: it leaves nothing in the registers as it was. In
 * assembly, since the kernel is compiled without FP/SIMD.
 */
#ifndef PROGRAMS_CLOBBER_H
#define PROGRAMS_CLOBBER_H

/* Instructions that padded_call() can put in front. */
#define MAX_PAD 63

#ifndef __ASSEMBLER__

#include <stdint.h>

/* Fills x0..x30 and NZCV with values made from seed; those that a C function
 * must keep are put back at the end. */
void clobber_general(uint64_t seed);

/* Fills v0..v31, FPCR and FPSR with a pattern made from seed. Inside an FP
 * section only. */
void fp_fill(uint64_t seed);

/* 0 when the registers hold fp_fill(seed)'s pattern; else 1 + n for vn, 33 for
 * FPCR, 34 for FPSR. Inside an FP section only; changes nothing. */
uint64_t fp_check(uint64_t seed);

/* Executes `pad` (0..MAX_PAD) instructions that do nothing, then call(argument). */
void padded_call(uint64_t pad, void (*call)(void *), void *argument);

#endif
#endif
