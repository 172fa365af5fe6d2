/* SPDX-License-Identifier: MIT */
/*
 * No EL0 in the kernel's half, whatever a page's own descriptor says: it can
 * neither read, write nor execute there. What keeps firmware in its sandbox.
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
