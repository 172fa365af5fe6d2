/* SPDX-License-Identifier: MIT */
/* Simulates variables that are in RAM at run time, and in a file that the
 * operating system has to write. Firmware names the file in a volatile
 * variable, as U-Boot does. */
#include "drivers.h"

uint64_t driver_entry(void *image, struct cz_efi_system_table *table)
{
	static const uint16_t name[] = u"RTStorageVolatile";
	static const struct cz_efi_guid guid = {
		0xb2ac5fc9,
		0x92b7,
		0x4acd,
		{0xae, 0xac, 0x11, 0xe8, 0x18, 0xc3, 0x13, 0x0c}};
	static const char file[] = "ubootefi.var";
	const struct cz_efi_runtime_services *runtime =
		(void *)(uintptr_t)table->runtime_services;
	efi_set_variable *set_variable =
		(efi_set_variable *)runtime->set_variable;
	uint64_t status = keep_in_ram(table);

	(void)image;
	return status != CZ_EFI_SUCCESS
		       ? status
		       : set_variable(name, &guid,
				      CZ_EFI_VARIABLE_BOOTSERVICE_ACCESS |
					      CZ_EFI_VARIABLE_RUNTIME_ACCESS,
				      sizeof(file), file);
}
