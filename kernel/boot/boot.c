/* SPDX-License-Identifier: MIT */
/*
 * The kernel as an EFI application. It collects everything that the kernel
 * needs from firmware into boot_info, ends boot services, and enters the
 * kernel.
 */
#include "boot.h"
#include <kernel/string.h>

#define EARLY_BYTES 0x100000u

static struct cz_efi_configuration_table *
find_table(const struct boot_context *context, const struct cz_efi_guid *guid)
{
	struct cz_efi_configuration_table *entry =
		(struct cz_efi_configuration_table *)
			context->table->configuration_table;

	for (uint64_t i = 0; i < context->table->number_of_table_entries;
	     i++, entry++) {
		if (memcmp(&entry->guid, guid, sizeof(*guid)) == 0) {
			return entry;
		}
	}
	return NULL;
}

static uint64_t find_table_address(const struct boot_context *context,
				   const struct cz_efi_guid *guid)
{
	struct cz_efi_configuration_table *entry = find_table(context, guid);

	return entry != NULL ? entry->table : 0;
}

/* Fills boot_info, except for the memory map. */
static uint64_t collect(const struct boot_context *context)
{
	static const struct cz_efi_guid image_guid = EFI_LOADED_IMAGE_GUID;
	static const struct cz_efi_guid acpi_guid = EFI_ACPI_20_TABLE_GUID;
	static const struct cz_efi_guid tree_guid = EFI_DEVICE_TREE_GUID;
	struct efi_loaded_image *image = NULL;
	uint64_t status = context->services->handle_protocol(
		context->image_handle, &image_guid, &image);

	if (status != CZ_EFI_SUCCESS) {
		boot_say(context, u"caesura: no loaded-image protocol\r\n");
		return status;
	}
	boot_read_command_line(context, image);
	boot_info.system_table = (uintptr_t)context->table;
	boot_info.rsdp = find_table_address(context, &acpi_guid);
	boot_info.device_tree = find_table_address(context, &tree_guid);
	boot_info.image_base = (uintptr_t)__image_start;
	boot_info.image_size = (uint64_t)(__image_end - __image_start);
	boot_info.early_size = EARLY_BYTES;
	boot_info.early_base =
		boot_alloc(context, EARLY_BYTES / CZ_EFI_PAGE_SIZE);
	if (boot_info.early_base == 0) {
		boot_say(context, u"caesura: out of memory\r\n");
		return CZ_EFI_OUT_OF_RESOURCES;
	}
	return CZ_EFI_SUCCESS;
}

static uint64_t load_adversary(const struct boot_context *context)
{
	uint64_t status = boot_load_driver(
		context, boot_adversary,
		(uint64_t)(boot_adversary_end - boot_adversary));

	if (status != CZ_EFI_SUCCESS) {
		boot_say(context, u"caesura: the adversary does not load\r\n");
	}
	return status;
}

/* Does everything that needs boot services, and then ends them. */
static uint64_t run_efi_phase(const struct boot_context *context)
{
	uint64_t status = collect(context);

	if (status == CZ_EFI_SUCCESS && boot_has_option("adversary")) {
		status = load_adversary(context);
	}
	return status == CZ_EFI_SUCCESS ? boot_exit_services(context) : status;
}

uint64_t boot_main(void *image_handle, struct cz_efi_system_table *table,
		   uint64_t daif, uint64_t exception_level)
{
	struct boot_context context = {
		.image_handle = image_handle,
		.table = table,
		.services = (struct efi_boot_services *)table->boot_services,
	};

	boot_info.entry_daif = daif;
	boot_info.entry_el = (uint32_t)exception_level;
	uint64_t status = run_efi_phase(&context);
	if (status != CZ_EFI_SUCCESS) {
		return status;
	}
	__asm__ volatile("msr daifset, #15" : : : "memory");
	boot_enter(&boot_info);
}
