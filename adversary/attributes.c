/* SPDX-License-Identifier: MIT */
/*
 * Publishes a Memory Attributes Table (UEFI 2.11, section 4.6.4) that tells
 * code from data in this driver; split.h explains how firmware's own table
 * describes it. Firmware rebuilds its table whenever runtime memory is
 * allocated, so this driver replaces it when boot services end. It reserves
 * memory for its table earlier, and at the end only changes the entry in the
 * configuration table, which is ordinary memory.
 */
#include "attributes.h"
#include "split.h"

/* Offsets in the driver's own PE32+ headers, which lld-link wrote. */
#define DOS_PE_OFFSET 0x3c
#define PE_SECTION_COUNT 6
#define PE_OPTIONAL_SIZE 20
#define PE_OPTIONAL 24
#define OPTIONAL_SECTION_ALIGNMENT 32
#define OPTIONAL_IMAGE_SIZE 56
#define SECTION_BYTES 40
#define SECTION_SIZE 8
#define SECTION_ADDRESS 12
#define SECTION_FLAGS 36
#define SECTION_EXECUTE 0x20000000u

/* One entry is split into at most five: the memory before the driver, its
 * header, code and data, and the memory after it. */
#define SPARE_ENTRIES 8

static struct {
	struct cz_efi_system_table *system;
	struct cz_efi_memory_attributes *table;
	uint64_t size; /* bytes reserved for `table` */
	struct image image;
} reserved;

extern const uint8_t image_base[] __asm__("__ImageBase");

static uint32_t read32(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

static uint32_t read16(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

static void find_image(struct image *image)
{
	const uint8_t *pe = image_base + read32(image_base + DOS_PE_OFFSET);
	const uint8_t *optional = pe + PE_OPTIONAL;
	const uint8_t *section = optional + read16(pe + PE_OPTIONAL_SIZE);
	uint32_t alignment = read32(optional + OPTIONAL_SECTION_ALIGNMENT);
	uint32_t count = read16(pe + PE_SECTION_COUNT);

	image->start = (uintptr_t)image_base;
	image->end = image->start + read32(optional + OPTIONAL_IMAGE_SIZE);
	for (uint32_t i = 0; i < count; i++, section += SECTION_BYTES) {
		uint64_t size = read32(section + SECTION_SIZE);

		if ((read32(section + SECTION_FLAGS) & SECTION_EXECUTE) == 0) {
			continue;
		}
		image->code_start =
			image->start + read32(section + SECTION_ADDRESS);
		image->code_end = image->code_start + (size + alignment - 1) /
							      alignment *
							      alignment;
	}
}

/* Returns the table's entry in the configuration table, or NULL. */
static struct cz_efi_configuration_table *
find_entry(const struct cz_efi_system_table *system)
{
	static const struct cz_efi_guid guid = CZ_EFI_MEMORY_ATTRIBUTES_GUID;
	struct cz_efi_configuration_table *entry =
		(struct cz_efi_configuration_table *)
			system->configuration_table;

	for (uint64_t i = 0; i < system->number_of_table_entries; i++) {
		if (same_guid(&entry[i].guid, &guid)) {
			return &entry[i];
		}
	}
	return NULL;
}

void attributes_reserve(struct cz_efi_system_table *system)
{
	const struct efi_boot_services *boot =
		(struct efi_boot_services *)system->boot_services;
	const struct cz_efi_configuration_table *entry = find_entry(system);
	uint64_t pages;
	uint64_t address = 0;

	if (entry == NULL) {
		return;
	}
	const struct cz_efi_memory_attributes *table =
		(struct cz_efi_memory_attributes *)entry->table;
	pages = (table_bytes(table) + SPARE_ENTRIES * table->descriptor_size) /
			CZ_EFI_PAGE_SIZE +
		1;
	if (boot->allocate_pages(EFI_ALLOCATE_ANY_PAGES,
				 CZ_EFI_BOOT_SERVICES_DATA, pages,
				 &address) != CZ_EFI_SUCCESS) {
		return;
	}
	reserved.system = system;
	reserved.size = pages * CZ_EFI_PAGE_SIZE;
	reserved.table = (struct cz_efi_memory_attributes *)address;
	find_image(&reserved.image);
}

void attributes_publish(void)
{
	struct cz_efi_configuration_table *at =
		reserved.table == NULL ? NULL : find_entry(reserved.system);
	const struct cz_efi_memory_attributes *old;

	if (at == NULL) {
		return;
	}
	old = (struct cz_efi_memory_attributes *)at->table;
	if (old->descriptor_size < sizeof(struct cz_efi_memory_descriptor)) {
		return;
	}
	copy(reserved.table, old, sizeof(*old));
	reserved.table->number_of_entries = 0;
	for (uint32_t i = 0; i < old->number_of_entries; i++) {
		const void *entry = (const uint8_t *)(old + 1) +
				    (uint64_t)i * old->descriptor_size;
		if (!append_split(reserved.table, reserved.size,
				  &reserved.image, entry)) {
			return; /* no memory left: firmware's table stays */
		}
	}
	at->table = (uintptr_t)reserved.table;
}
