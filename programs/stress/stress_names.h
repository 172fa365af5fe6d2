/* SPDX-License-Identifier: MIT */
/*
 * The names of the stress test's variables: first the shared ones, then one for
 * each thread. One more is firmware's own, in which it keeps its monotonic
 * count.
 */
#ifndef PROGRAMS_STRESS_NAMES_H
#define PROGRAMS_STRESS_NAMES_H

#include <caesura/uefi.h>

/* Makes the name of a variable, whose number is below name_count_variable(). */
void name_make(uint16_t *name, unsigned variable);

/* Returns the variable with this name, or NAME_FOREIGN for any other name. */
#define NAME_FOREIGN (~0u)
unsigned name_find(const uint16_t *name, const struct cz_efi_guid *guid);

/* Returns the variable that GetNextHighMonotonicCount writes. */
unsigned name_count_variable(void);

#endif
