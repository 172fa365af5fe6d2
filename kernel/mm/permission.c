/* SPDX-License-Identifier: MIT */
/*
 * Forbids EL0 to read, write or execute anything in the kernel's half of the
 * address space, whatever the page descriptors say. This keeps sandboxed
 * firmware out of the kernel.
 */
#include "mm/internal.h"
#include "mm/table.h"
#include <kernel/mm.h>

#define TABLE_NO_USER (1ull << 61) /* APTable, Arm ARM D8.4.5 */
#define TABLE_UXN (1ull << 60) /* UXNTable */

void permission_seal(uint64_t root)
{
	volatile uint64_t *entry = phys_to_virt(root);

	for (unsigned i = 0; i < TABLE_ENTRIES; i++) {
		if ((entry[i] & PTE_VALID) != 0) {
			entry[i] |= TABLE_NO_USER | TABLE_UXN;
		}
	}
}
