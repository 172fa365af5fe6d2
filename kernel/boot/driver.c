/* SPDX-License-Identifier: MIT */
/*
 * Loads and starts the runtime driver that the image carries, with LoadImage
 * and StartImage like any UEFI application.
 */
#include "boot.h"

uint64_t boot_load_driver(const struct boot_context *context,
			  const uint8_t *file, uint64_t size)
{
	/* An empty device path. Secure boot refuses an image that has none. */
	static const uint8_t no_path[] = {0x7f, 0xff, 4, 0};
	struct efi_boot_services *services = context->services;
	void *handle = NULL;

	uint64_t status = services->load_image(0, context->image_handle,
					       no_path, file, size, &handle);
	if (status == CZ_EFI_SUCCESS) {
		status = services->start_image(handle, NULL, NULL);
	}
	return status;
}
