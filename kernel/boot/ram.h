/* SPDX-License-Identifier: MIT */
/* What of the memory map the kernel reaches through its linear map. */
#ifndef KERNEL_BOOT_RAM_H
#define KERNEL_BOOT_RAM_H

#include <caesura/uefi.h>
#include <stdbool.h>

/* Whether the entry is memory that is cached as the linear map caches it. */
bool ram_is_linear(const struct cz_efi_memory_descriptor *entry);

#endif
