/* SPDX-License-Identifier: MIT */
/*
 * Reads the final memory map and calls ExitBootServices. An allocation changes
 * the map, so the buffer is larger than the first answer requires. After
 * ExitBootServices has failed, parts of firmware may be shut down already, and
 * only GetMemoryMap and ExitBootServices may be called (section 7.4.6).
 */
#include "boot.h"

#define MAX_TRIES 8
#define SPARE_DESCRIPTORS 32
#define MIN_DESCRIPTOR_BYTES sizeof(struct cz_efi_memory_descriptor)

/* Reads the memory map into boot_info.memory_map, a buffer of `capacity`
 * bytes. */
static uint64_t get_map(const struct boot_context *context, uint64_t capacity,
			uint64_t *key)
{
	boot_info.memory_map_size = capacity;
	return context->services->get_memory_map(
		&boot_info.memory_map_size, (void *)boot_info.memory_map, key,
		&boot_info.descriptor_size, &boot_info.descriptor_version);
}

/* Allocates a buffer that is larger than the map. Returns its size, or 0. */
static uint64_t alloc_map(const struct boot_context *context)
{
	uint64_t key;
	uint64_t capacity = 0;

	for (unsigned i = 0; i < MAX_TRIES; i++) {
		uint64_t status = get_map(context, capacity, &key);
		if (status == CZ_EFI_SUCCESS && capacity != 0) {
			return capacity;
		}
		if (status != CZ_EFI_BUFFER_TOO_SMALL) {
			return 0;
		}
		uint64_t pages =
			(boot_info.memory_map_size +
			 SPARE_DESCRIPTORS * boot_info.descriptor_size) /
				CZ_EFI_PAGE_SIZE +
			1;
		boot_info.memory_map = boot_alloc(context, pages);
		if (boot_info.memory_map == 0) {
			return 0;
		}
		capacity = pages * CZ_EFI_PAGE_SIZE;
	}
	return 0;
}

uint64_t boot_exit_services(const struct boot_context *context)
{
	uint64_t capacity = alloc_map(context);
	uint64_t status = CZ_EFI_OUT_OF_RESOURCES;

	if (capacity == 0 || boot_info.descriptor_size < MIN_DESCRIPTOR_BYTES) {
		boot_say(context, u"caesura: no memory map\r\n");
		return status;
	}
	for (unsigned i = 0; i < MAX_TRIES; i++) {
		uint64_t key = 0;
		status = get_map(context, capacity, &key);
		if (status != CZ_EFI_SUCCESS) {
			return status;
		}
		status = context->services->exit_boot_services(
			context->image_handle, key);
		if (status != CZ_EFI_INVALID_PARAMETER) {
			return status;
		}
	}
	return status;
}
