/* SPDX-License-Identifier: MIT */
/*
 * Simulates RAM that firmware shares with the secure world: the memory map gets
 * a buffer of type EfiReservedMemoryType with EFI_MEMORY_RUNTIME, as EDK II's
 * StandaloneMm driver makes it. Nothing answers in the buffer.
 */
#include "drivers.h"

#define BUFFER_PAGES 16

static uint64_t buffer;
static uint64_t (*next_get_memory_map)(uint64_t *size, void *map, uint64_t *key,
				       uint64_t *descriptor_size,
				       uint32_t *version);

static uint64_t get_memory_map(uint64_t *size, void *map, uint64_t *key,
			       uint64_t *stride, uint32_t *version)
{
	uint64_t status = next_get_memory_map(size, map, key, stride, version);

	if (status != CZ_EFI_SUCCESS) {
		return status;
	}
	for (uint64_t at = 0; at + *stride <= *size; at += *stride) {
		struct cz_efi_memory_descriptor *entry =
			(void *)((uint8_t *)map + at);

		if (entry->type == CZ_EFI_RESERVED &&
		    buffer - entry->physical_start <
			    entry->number_of_pages * CZ_EFI_PAGE_SIZE) {
			entry->attribute |= CZ_EFI_MEMORY_RUNTIME;
		}
	}
	return status;
}

uint64_t driver_entry(void *image, struct cz_efi_system_table *table)
{
	struct efi_boot_services *boot =
		(void *)(uintptr_t)table->boot_services;
	uint64_t status = boot->allocate_pages(
		EFI_ALLOCATE_ANY_PAGES, CZ_EFI_RESERVED, BUFFER_PAGES, &buffer);
	uint32_t crc;

	(void)image;
	if (status != CZ_EFI_SUCCESS) {
		return status;
	}
	next_get_memory_map = boot->get_memory_map;
	boot->get_memory_map = get_memory_map;
	boot->header.crc32 = 0;
	boot->calculate_crc32(boot, boot->header.header_size, &crc);
	boot->header.crc32 = crc;
	return CZ_EFI_SUCCESS;
}
