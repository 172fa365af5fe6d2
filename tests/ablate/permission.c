/* SPDX-License-Identifier: MIT */
/*
 * Takes out the protection of memory: what the kernel writes through its map of
 * RAM, EL0 may read and write too. In place of kernel/mm/permission.c.
 */
#include "mm/internal.h"
#include "mm/table.h"
#include <kernel/mm.h>

#define LINEAR_ENTRY 0 /* the map of RAM starts with the half */

static void open_level(uint64_t table, unsigned level)
{
	volatile uint64_t *entry = phys_to_virt(table);

	for (unsigned i = 0; i < TABLE_ENTRIES; i++) {
		if ((entry[i] & PTE_VALID) == 0) {
			continue;
		}
		if (level < 3 && (entry[i] & PTE_TABLE) != 0) {
			open_level(entry[i] & PTE_ADDRESS, level + 1);
		} else if ((entry[i] & PTE_READ_ONLY) == 0) {
			entry[i] |= PTE_USER;
		}
	}
}

void permission_seal(uint64_t root)
{
	uint64_t *entry = phys_to_virt(root);

	open_level(entry[LINEAR_ENTRY] & PTE_ADDRESS, 1);
}
