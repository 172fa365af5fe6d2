/* SPDX-License-Identifier: MIT */
/* Cuts an entry of the Memory Attributes Table where this driver lies in it. */
#ifndef ADVERSARY_SPLIT_H
#define ADVERSARY_SPLIT_H

#include "efi.h"

#include <stdbool.h>

/* The driver in memory: whole pages, one run of them code. */
struct image {
	uint64_t start, end, code_start, code_end;
};

/* The table's bytes, of its header and all its entries. */
uint64_t table_bytes(const struct cz_efi_memory_attributes *table);

/*
 * Appends the entry to the table, for which there is room of `size` bytes, as one
 * piece or in several: code becomes read-only, the rest of the driver not
 * executable. Cut is an entry that is neither of the two, as EDK II up to 2023
 * describes a driver that is loaded late, or both, as EDK II of 2025.02 does, by
 * which no code of the driver's could run. False: there is no room.
 */
bool append_split(struct cz_efi_memory_attributes *table, uint64_t size,
		  const struct image *driver,
		  const struct cz_efi_memory_descriptor *entry);

#endif
