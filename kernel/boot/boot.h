/* SPDX-License-Identifier: MIT */
/*
 * Shared by the boot code, which runs at the load address, on firmware's
 * address map and stack. The image is not relocated, so pointers in its
 * initialised data are wrong there. The boot code therefore has no initialised
 * pointers, and addresses everything relative to the PC (hidden.h). The build
 * checks that.
 */
#ifndef KERNEL_BOOT_BOOT_H
#define KERNEL_BOOT_BOOT_H

#include "efi_boot.h"
#include <kernel/boot_info.h>
#include <stdbool.h>
#include <stdint.h>

/* The arguments of boot_main(), and the boot services table. */
struct boot_context {
	void *image_handle;
	struct cz_efi_system_table *table;
	struct efi_boot_services *services;
};

/* head.S calls this. It returns to firmware, with a status, only on failure. */
uint64_t boot_main(void *image_handle, struct cz_efi_system_table *table,
		   uint64_t daif, uint64_t exception_level);

/* enter.S: leaves the boot code and starts the kernel. */
_Noreturn void boot_enter(struct boot_info *info);

/* ---- efi_services.c ---- */

/* Prints one line on firmware's console. */
void boot_say(const struct boot_context *context, const uint16_t *text);

/* Allocates zeroed LoaderData pages. Returns their address, or 0. */
uint64_t boot_alloc(const struct boot_context *context, uint64_t page_count);

/* Keeps a warning for the kernel's log. Later warnings are dropped. */
void boot_note(const char *text);

/* ---- The steps ---- */

/* Fills boot_info.command_line from the image's LoadOptions or, if those are
 * empty, from the file caesura.txt in the image's directory. */
void boot_read_command_line(const struct boot_context *context,
			    const struct efi_loaded_image *image);
/* Reads up to `room` bytes of that file. Returns how many were read; 0 if there
 * is no such file. */
uint64_t boot_read_line_file(const struct boot_context *context,
			     const struct efi_loaded_image *image,
			     uint8_t *bytes, uint64_t room);
/* Returns whether the command line contains the word. */
bool boot_has_option(const char *word);

/* Loads and starts the driver in `file`. Returns an EFI status. */
uint64_t boot_load_driver(const struct boot_context *context,
			  const uint8_t *file, uint64_t size);

/* payload.S */
extern const uint8_t boot_adversary[], boot_adversary_end[];

/* Reads the memory map into boot_info and ends boot services. */
uint64_t boot_exit_services(const struct boot_context *context);

extern const char __image_start[], __image_end[];

#endif
