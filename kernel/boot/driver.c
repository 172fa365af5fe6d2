/* SPDX-License-Identifier: MIT */
/*
 * Loads and starts the runtime driver that the image carries, in the way of any
 * UEFI application, and remembers which parts of it are code.
 */
#include "boot.h"

/* Offsets in a PE32+ file: "MZ" header, file header, optional header, section
 * headers. */
#define DOS_PE_OFFSET 0x3c
#define PE_SECTION_COUNT 6
#define PE_OPTIONAL_SIZE 20
#define PE_OPTIONAL 24
#define OPTIONAL_SECTION_ALIGNMENT 32
#define SECTION_BYTES 40
#define SECTION_SIZE 8
#define SECTION_ADDRESS 12
#define SECTION_FLAGS 36
#define SECTION_EXECUTE 0x20000000u

static uint32_t read32(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

static uint32_t read16(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

/* The file is our own: lld-link wrote it, so that it is believed. One section
 * of it is code. */
static void find_code(const uint8_t *file, struct boot_driver *driver)
{
	const uint8_t *pe = file + read32(file + DOS_PE_OFFSET);
	uint32_t count = read16(pe + PE_SECTION_COUNT);
	uint32_t alignment =
		read32(pe + PE_OPTIONAL + OPTIONAL_SECTION_ALIGNMENT);
	const uint8_t *section =
		pe + PE_OPTIONAL + read16(pe + PE_OPTIONAL_SIZE);

	for (uint32_t i = 0; i < count; i++, section += SECTION_BYTES) {
		if ((read32(section + SECTION_FLAGS) & SECTION_EXECUTE) == 0) {
			continue;
		}
		uint64_t size = read32(section + SECTION_SIZE);
		driver->code_start =
			driver->start + read32(section + SECTION_ADDRESS);
		driver->code_end = driver->code_start + (size + alignment - 1) /
								alignment *
								alignment;
	}
}

uint64_t boot_load_driver(const struct boot_context *context,
			  const uint8_t *file, uint64_t size,
			  struct boot_driver *driver)
{
	static const struct cz_efi_guid image_guid = EFI_LOADED_IMAGE_GUID;
	/* Without a device path the image cannot be authenticated. */
	static const uint8_t no_path[] = {0x7f, 0xff, 4, 0};
	struct efi_boot_services *services = context->services;
	struct efi_loaded_image *image = NULL;
	void *handle = NULL;

	uint64_t status = services->load_image(0, context->image_handle,
					       no_path, file, size, &handle);
	if (status != CZ_EFI_SUCCESS) {
		return status;
	}
	status = services->handle_protocol(handle, &image_guid, &image);
	if (status == CZ_EFI_SUCCESS) {
		driver->start = (uintptr_t)image->image_base;
		driver->end = driver->start + image->image_size;
		find_code(file, driver);
		status = services->start_image(handle, NULL, NULL);
	}
	return status;
}
