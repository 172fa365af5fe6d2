/* SPDX-License-Identifier: MIT */
/* Selects the entries of the memory map that the linear map contains. */
#ifndef KERNEL_BOOT_RAM_H
#define KERNEL_BOOT_RAM_H

#include <caesura/uefi.h>
#include <stdbool.h>

/* Returns whether the entry is RAM that may be mapped write-back cacheable, as
 * the linear map does. */
bool ram_is_linear(const struct cz_efi_memory_descriptor *entry);

#endif
