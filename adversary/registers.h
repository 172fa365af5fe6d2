/* SPDX-License-Identifier: MIT */
/*
 * The interface between registers.S, which fills and checks the registers, and
 * registers.c, which finds out afterwards which of them was wrong.
 */
#ifndef ADVERSARY_REGISTERS_H
#define ADVERSARY_REGISTERS_H

#define SNAPSHOT_NZCV 248
#define SNAPSHOT_FPCR 256
#define SNAPSHOT_FPSR 264
#define SNAPSHOT_V 272
#define SNAPSHOT_BYTES 784

/* The constants by which the pattern is computed from the counter. */
#define PATTERN_FACTOR_0 0x7c15
#define PATTERN_FACTOR_1 0x7f4a
#define PATTERN_FACTOR_2 0x79b9
#define PATTERN_FACTOR_3 0x9e37
#define PATTERN_SHIFT 29
#define PATTERN_ROTATE 5 /* from x<n> to x<n + 1> */
#define PATTERN_NZCV 0xf0000000
#define PATTERN_FPCR 0x03c00000 /* RMode, FZ, DN */
#define PATTERN_FPSR 0x0000001f /* the cumulative exception bits */

#ifndef __ASSEMBLER__

#include "adversary.h"
#include <stddef.h>
#include <stdint.h>

/* The values of the registers that the loop found. */
struct snapshot {
	uint64_t x[31];
	uint64_t nzcv;
	uint64_t fpcr;
	uint64_t fpsr;
	uint64_t v[32][2];
};

_Static_assert(offsetof(struct snapshot, nzcv) == SNAPSHOT_NZCV, "nzcv");
_Static_assert(offsetof(struct snapshot, fpcr) == SNAPSHOT_FPCR, "fpcr");
_Static_assert(offsetof(struct snapshot, fpsr) == SNAPSHOT_FPSR, "fpsr");
_Static_assert(offsetof(struct snapshot, v) == SNAPSHOT_V, "v");
_Static_assert(sizeof(struct snapshot) == SNAPSHOT_BYTES, "snapshot");

/*
 * Runs the loop, starting with `counter`. Returns 0, or the number of
 * iterations left, including the failed one, and then stores the registers in
 * *wrong.
 */
uint64_t registers_loop(uint64_t counter, uint64_t iterations,
			struct snapshot *wrong);

/* Count down; mask_loop() does so with interrupts masked. */
void spin_loop(uint64_t iterations);
void mask_loop(uint64_t iterations);

/* Runs the loop and fills the record, except for `calls`. */
void registers_run(const struct adversary_registers_order *order,
		   struct adversary_registers_record *record);

#endif
#endif
