/* SPDX-License-Identifier: MIT */
/*
 * Shared by the boot code, which runs at the load address: on firmware's map
 * and stack, before any pointer in the image's data is right. So it has no
 * initialised pointers and reaches everything relative to the PC (hidden.h). The
 * build checks that.
 */
#ifndef KERNEL_BOOT_BOOT_H
#define KERNEL_BOOT_BOOT_H

#include "efi_boot.h"
#include <kernel/boot_info.h>
#include <stdbool.h>
#include <stdint.h>

/* What boot_main() was called with, and what it found right away. */
struct boot_context {
	void *image_handle;
	struct cz_efi_system_table *table;
	struct efi_boot_services *services;
};

/* head.S calls it; returns to firmware, with a status, on failure only. */
uint64_t boot_main(void *image_handle, struct cz_efi_system_table *table,
		   uint64_t daif, uint64_t exception_level);

/* enter.S: the kernel takes over. */
_Noreturn void boot_enter(struct boot_info *info);

/* One line on the firmware's console. */
void boot_say(const struct boot_context *context, const uint16_t *text);

/* Zeroed LoaderData pages: an address, or 0. */
uint64_t boot_alloc(const struct boot_context *context, uint64_t page_count);

/* The configuration table's entry for `guid`, or NULL. */
struct cz_efi_configuration_table *
boot_find_table(const struct boot_context *context,
		const struct cz_efi_guid *guid);

/* Fills boot_info.command_line: from the image's LoadOptions, or from
 * caesura.txt beside the image where they are empty. */
void boot_read_command_line(const struct boot_context *context,
			    const struct efi_loaded_image *image);
/* Up to `room` bytes of that file; how many. 0 where there is none. */
uint64_t boot_read_line_file(const struct boot_context *context,
			     const struct efi_loaded_image *image,
			     uint8_t *bytes, uint64_t room);
/* Whether the word stands on it. */
bool boot_has_option(const char *word);

/* Loads and starts the driver in `file`. An EFI status. */
uint64_t boot_load_driver(const struct boot_context *context,
			  const uint8_t *file, uint64_t size);

/* payload.S */
extern const uint8_t boot_adversary[], boot_adversary_end[];

/* Takes the memory map and ends boot services. */
uint64_t boot_exit_services(const struct boot_context *context);

/* Keeps a warning for the kernel's log; the first one stays. */
void boot_note(const char *text);

extern const char __image_start[], __image_end[];

#endif
