/* SPDX-License-Identifier: MIT */
/*
 * State that a call leaves changed. The outermost function must change it as
 * its last action, because any function that returns after it would restore the
 * registers that functions preserve.
 */
#ifndef ADVERSARY_LEAVE_H
#define ADVERSARY_LEAVE_H

#define LEAVE_WHAT 0
#define LEAVE_TRANSLATION 8
#define LEAVE_ITERATIONS 24

#ifndef __ASSEMBLER__

#include "adversary.h"
#include <caesura/uefi.h>
#include <stddef.h>

_Static_assert(offsetof(struct adversary_leave_order, what) == LEAVE_WHAT &&
		       offsetof(struct adversary_leave_order, translation) ==
			       LEAVE_TRANSLATION &&
		       offsetof(struct adversary_leave_order, iterations) ==
			       LEAVE_ITERATIONS,
	       "leave.S knows the order");

/* The entries below carry this order out, and clear it, when they return. */
extern struct adversary_leave_order leave_order;

/* The system calls get_variable_entry() and set_variable_entry(), which call
 * get_variable() and set_variable(). */
uint64_t get_variable_entry(const uint16_t *name,
			    const struct cz_efi_guid *guid,
			    uint32_t *attributes, uint64_t *size, void *data);
uint64_t get_variable(const uint16_t *name, const struct cz_efi_guid *guid,
		      uint32_t *attributes, uint64_t *size, void *data);
uint64_t set_variable_entry(const uint16_t *name,
			    const struct cz_efi_guid *guid, uint32_t attributes,
			    uint64_t size, const void *data);
uint64_t set_variable(const uint16_t *name, const struct cz_efi_guid *guid,
		      uint32_t attributes, uint64_t size, const void *data);

#endif
#endif
