/* SPDX-License-Identifier: MIT */
/* The instructions of the library's that may fault at EL1, and what follows them. */
#ifndef CAESURA_ARM64_FIXUP_H
#define CAESURA_ARM64_FIXUP_H

#include <caesura/arm64.h>

/* Each a distance from the word that has it, so that nothing is relocated. After the
 * last one comes an entry of zeroes. x0 then has the syndrome. */
struct cz_fixup {
	int32_t access; /* the instruction */
	int32_t resume; /* where its function returns */
};

/* machine.S */
extern const struct cz_fixup cz_machine_fixups[];

#endif
