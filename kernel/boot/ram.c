/* SPDX-License-Identifier: MIT */
/* Which entries of the memory map are RAM, see ram.h. Position independent. */
#include "boot/ram.h"

bool ram_is_linear(const struct cz_efi_memory_descriptor *entry)
{
	if ((entry->attribute & CZ_EFI_MEMORY_WB) == 0) {
		return false;
	}
	switch (entry->type) {
	case CZ_EFI_LOADER_CODE:
	case CZ_EFI_LOADER_DATA:
	case CZ_EFI_BOOT_SERVICES_CODE:
	case CZ_EFI_BOOT_SERVICES_DATA:
	case CZ_EFI_RUNTIME_SERVICES_CODE:
	case CZ_EFI_RUNTIME_SERVICES_DATA:
	case CZ_EFI_CONVENTIONAL:
	case CZ_EFI_ACPI_RECLAIM:
	case CZ_EFI_ACPI_NVS:
		return true;
	case CZ_EFI_RESERVED:
		/* The buffer through which EDK II's MmCommunicationDxe talks to
		 * the secure world. Other reserved memory may not be touched. */
		return (entry->attribute & CZ_EFI_MEMORY_RUNTIME) != 0;
	default:
		return false;
	}
}
