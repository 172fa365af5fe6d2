/* SPDX-License-Identifier: MIT */
/*
 * Changes every register, as the worst possible other work would. In assembly,
 * because the kernel is compiled without FP/SIMD.
 */
#ifndef PROGRAMS_CLOBBER_H
#define PROGRAMS_CLOBBER_H

/* The most instructions that padded_call() can put in front. */
#define MAX_PAD 63

#ifndef __ASSEMBLER__

#include <stdint.h>

/* Fills x0 to x30 and NZCV with values made from the seed, then restores the
 * registers that a C function must preserve. */
void clobber_general(uint64_t seed);

/* Fills v0 to v31, FPCR and FPSR with a pattern made from the seed. Only inside
 * an FP section. */
void fp_fill(uint64_t seed);

/* Returns 0 when the registers hold the pattern of fp_fill(seed), otherwise 1 +
 * n for vn, 33 for FPCR, 34 for FPSR. Changes no FP register. Only inside an FP
 * section. */
uint64_t fp_check(uint64_t seed);

/* Executes `pad` nops (0 to MAX_PAD), then call(argument). */
void padded_call(uint64_t pad, void (*call)(void *), void *argument);

#endif
#endif
