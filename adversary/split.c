/* SPDX-License-Identifier: MIT */
/* See split.h. This code only transforms bytes, so that the tests can run it on
 * the build machine. */
#include "split.h"

/* Firmware allocates up to this much around an image to align it. Nothing else
 * uses that memory. */
#define MAX_PADDING 0x10000u
#define PROTECTION ((uint64_t)(CZ_EFI_MEMORY_RO | CZ_EFI_MEMORY_XP))

uint64_t table_bytes(const struct cz_efi_memory_attributes *table)
{
	return sizeof(*table) +
	       (uint64_t)table->number_of_entries * table->descriptor_size;
}

/* Returns the driver's range, extended to the whole entry if the entry contains
 * only the driver and padding. */
static struct image with_padding(const struct image *driver,
				 const struct cz_efi_memory_descriptor *entry)
{
	struct image padded = *driver;
	uint64_t first = entry->physical_start;
	uint64_t last = first + entry->number_of_pages * CZ_EFI_PAGE_SIZE;

	if (first <= driver->start && last >= driver->end &&
	    driver->start - first <= MAX_PADDING &&
	    last - driver->end <= MAX_PADDING) {
		padded.start = first;
		padded.end = last;
	}
	return padded;
}

/* Returns the protection of the memory at `address`, and stores the end of the
 * range that has it in *end. Outside the driver, that is the protection that
 * the entry states, `said`. */
static uint64_t protection_at(const struct image *driver, uint64_t said,
			      uint64_t address, uint64_t *end)
{
	if (address < driver->start) {
		*end = driver->start;
		return said;
	}
	if (address < driver->code_start) {
		*end = driver->code_start;
		return CZ_EFI_MEMORY_XP;
	}
	if (address < driver->code_end) {
		*end = driver->code_end;
		return CZ_EFI_MEMORY_RO;
	}
	if (address < driver->end) {
		*end = driver->end;
		return CZ_EFI_MEMORY_XP;
	}
	*end = UINT64_MAX;
	return said;
}

bool append_split(struct cz_efi_memory_attributes *table, uint64_t size,
		  const struct image *driver,
		  const struct cz_efi_memory_descriptor *entry)
{
	uint64_t said = entry->attribute & PROTECTION;
	bool is_cut = said == 0 || said == PROTECTION;
	uint64_t address = entry->physical_start;
	uint64_t last = address + entry->number_of_pages * CZ_EFI_PAGE_SIZE;
	struct image padded = with_padding(driver, entry);

	do {
		uint64_t end = last;
		uint64_t protection = said;

		if (is_cut) {
			protection =
				protection_at(&padded, said, address, &end);
			end = end < last ? end : last;
		}
		if (table_bytes(table) + table->descriptor_size > size) {
			return false;
		}
		struct cz_efi_memory_descriptor *piece =
			(void *)((uint8_t *)table + table_bytes(table));
		copy(piece, entry, table->descriptor_size);
		piece->physical_start = address;
		piece->number_of_pages = (end - address) / CZ_EFI_PAGE_SIZE;
		piece->attribute =
			(entry->attribute & ~PROTECTION) | protection;
		table->number_of_entries++;
		address = end;
	} while (address < last);
	return true;
}
