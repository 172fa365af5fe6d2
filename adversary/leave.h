/* SPDX-License-Identifier: MIT */
/*
 * What a call leaves changed. Damage to what a function keeps has to be done
 * last of all, in the outermost frame: whatever runs after it would mend it.
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

/* Done, and forgotten, on the way out of the entries. */
extern struct adversary_leave_order leave_order;

/* The services as the system calls them; the others do the work. */
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
