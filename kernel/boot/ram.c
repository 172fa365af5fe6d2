/* SPDX-License-Identifier: MIT */
/* Tells which entries of the memory map are RAM; see ram.h. The boot code calls
 * this at the load address, so it is position independent. */
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
		/* Reserved memory with this attribute is the buffer through
		 * which EDK II's MmCommunicationDxe talks to the secure world.
		 * Other reserved memory must not be accessed. */
		return (entry->attribute & CZ_EFI_MEMORY_RUNTIME) != 0;
	default:
		return false;
	}
}
