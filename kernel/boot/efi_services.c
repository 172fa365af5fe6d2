/* SPDX-License-Identifier: MIT */
/*
 * What all parts of the boot code use: boot_info, firmware's console and
 * firmware's memory.
 */
#include "boot.h"
#include <kernel/string.h>

struct boot_info boot_info;

void boot_say(const struct boot_context *context, const uint16_t *text)
{
	struct efi_text_output *console =
		(struct efi_text_output *)context->table->con_out;

	if (console != NULL) {
		console->output_string(console, text);
	}
}

void boot_note(const char *text)
{
	size_t length = strlen(text);

	if (boot_info.note[0] == '\0' && length < sizeof(boot_info.note)) {
		memcpy(boot_info.note, text, length + 1);
	}
}

uint64_t boot_alloc(const struct boot_context *context, uint64_t page_count)
{
	uint64_t address = 0;
	uint64_t status = context->services->allocate_pages(
		EFI_ALLOCATE_ANY_PAGES, CZ_EFI_LOADER_DATA, page_count,
		&address);

	if (status != CZ_EFI_SUCCESS) {
		return 0;
	}
	memset((void *)address, 0, page_count * CZ_EFI_PAGE_SIZE);
	return address;
}
