/* SPDX-License-Identifier: MIT */
/*
 * Removes the protection of memory: EL0 may read and write all RAM that the
 * kernel may write through its linear map. Replaces kernel/mm/permission.c.
 */
#include "mm/internal.h"
#include "mm/table.h"
#include <kernel/mm.h>

/* The linear map is at the start of the kernel's half of the address space. */
#define LINEAR_ENTRY 0

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
