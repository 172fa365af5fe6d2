/* SPDX-License-Identifier: MIT */
/*
 * A Memory Attributes Table (UEFI 2.11, section 4.6.4) that tells code from data
 * in the driver that we loaded. EDK II up to 2023 describes such a latecomer by
 * one entry that is neither read-only nor non-executable. Firmware builds its
 * table anew whenever runtime memory is allocated, so that ours takes its place
 * after boot services: room is reserved before, the entry of the configuration
 * table, which is plain memory, is changed then.
 */
#include "boot.h"
#include <kernel/string.h>

/* One entry becomes at most five: before, header, code, data, behind. */
#define SPARE_ENTRIES 8
/* What firmware allocates around an image to align it belongs to nobody. */
#define MAX_PADDING 0x10000u
#define PROTECTION (CZ_EFI_MEMORY_RO | CZ_EFI_MEMORY_XP)

static const struct cz_efi_guid attributes_guid = CZ_EFI_MEMORY_ATTRIBUTES_GUID;

static uint64_t table_bytes(const struct cz_efi_memory_attributes *table)
{
	return sizeof(*table) +
	       (uint64_t)table->number_of_entries * table->descriptor_size;
}

static struct cz_efi_memory_attributes *
find_attributes(const struct boot_context *context)
{
	struct cz_efi_configuration_table *entry =
		boot_find_table(context, &attributes_guid);

	return entry != NULL ? (struct cz_efi_memory_attributes *)entry->table
			     : NULL;
}

void boot_attributes_reserve(const struct boot_context *context,
			     struct boot_attributes *room)
{
	const struct cz_efi_memory_attributes *table = find_attributes(context);

	room->table = NULL;
	if (table == NULL) {
		return;
	}
	uint64_t wanted =
		table_bytes(table) + SPARE_ENTRIES * table->descriptor_size;
	uint64_t pages = wanted / CZ_EFI_PAGE_SIZE + 1;
	room->size = pages * CZ_EFI_PAGE_SIZE;
	room->table =
		(struct cz_efi_memory_attributes *)boot_alloc(context, pages);
}

/* The driver with the padding around it, when the entry holds nothing else. */
static struct boot_driver
with_padding(const struct boot_driver *driver,
	     const struct cz_efi_memory_descriptor *entry)
{
	struct boot_driver padded = *driver;
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

/* The protection of the driver's memory at `address`, and up to where; outside
 * of the driver, what the entry said. */
static uint64_t protection_at(const struct boot_driver *driver,
			      uint64_t address, uint64_t *end)
{
	if (address < driver->start) {
		*end = driver->start;
		return 0;
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
	return 0;
}

/* Appends the entry, cut in pieces where the driver lies in it. */
static bool append(struct boot_attributes *room,
		   const struct cz_efi_memory_descriptor *entry,
		   const struct boot_driver *driver)
{
	struct cz_efi_memory_attributes *table = room->table;
	uint64_t address = entry->physical_start;
	uint64_t last = address + entry->number_of_pages * CZ_EFI_PAGE_SIZE;
	struct boot_driver padded = with_padding(driver, entry);

	do {
		uint64_t end = last;
		uint64_t protection = 0;
		if ((entry->attribute & PROTECTION) == 0) {
			protection = protection_at(&padded, address, &end);
			end = end < last ? end : last;
		}
		if (table_bytes(table) + table->descriptor_size > room->size) {
			return false;
		}
		struct cz_efi_memory_descriptor *piece =
			(void *)((uint8_t *)table + table_bytes(table));
		memcpy(piece, entry, table->descriptor_size);
		piece->physical_start = address;
		piece->number_of_pages = (end - address) / CZ_EFI_PAGE_SIZE;
		piece->attribute |= protection;
		table->number_of_entries++;
		address = end;
	} while (address < last);
	return true;
}

void boot_attributes_publish(const struct boot_context *context,
			     struct boot_attributes *room,
			     const struct boot_driver *driver)
{
	const struct cz_efi_memory_attributes *old = find_attributes(context);

	if (room->table == NULL || old == NULL ||
	    old->descriptor_size < sizeof(struct cz_efi_memory_descriptor)) {
		boot_note("no memory attributes for the driver");
		return;
	}
	memcpy(room->table, old, sizeof(*old));
	room->table->number_of_entries = 0;
	for (uint32_t i = 0; i < old->number_of_entries; i++) {
		const void *entry = (const uint8_t *)(old + 1) +
				    (uint64_t)i * old->descriptor_size;
		if (!append(room, entry, driver)) {
			boot_note("no room for the driver's attributes");
			return;
		}
	}
	boot_find_table(context, &attributes_guid)->table =
		(uintptr_t)room->table;
}
