/* SPDX-License-Identifier: MIT */
/* The instructions of the library that may fault at EL1, and where to
 * continue. */
#ifndef CAESURA_ARM64_FIXUP_H
#define CAESURA_ARM64_FIXUP_H

#include <caesura/arm64.h>

/* Both are distances from the word itself, so that the table needs no
 * relocation. An entry of zeroes ends the table. At `resume` x0 contains the
 * syndrome. */
struct cz_fixup {
	int32_t access; /* the instruction that may fault */
	int32_t resume; /* the return of its function */
};

/* machine.S */
extern const struct cz_fixup cz_machine_fixups[];

#endif
