/* SPDX-License-Identifier: MIT */
/* Splits the entry of the Memory Attributes Table that contains this driver. */
#ifndef ADVERSARY_SPLIT_H
#define ADVERSARY_SPLIT_H

#include "efi.h"

#include <stdbool.h>

/* The driver's range in memory, in whole pages; its code is one range of
 * them. */
struct image {
	uint64_t start, end, code_start, code_end;
};

/* Returns the size of the table's header and all its entries in bytes. */
uint64_t table_bytes(const struct cz_efi_memory_attributes *table);

/*
 * Appends the entry to the table, which may grow to `size` bytes, in one piece
 * or in several. The driver's code becomes read-only and the rest of it not
 * executable. The function splits an entry that has neither attribute, as EDK
 * II up to 2023 describes a driver that is loaded late, and an entry that has
 * both, as EDK II 2025.02 does; with both, the driver's code could not run.
 * Returns false if there is no room.
 */
bool append_split(struct cz_efi_memory_attributes *table, uint64_t size,
		  const struct image *driver,
		  const struct cz_efi_memory_descriptor *entry);

#endif
