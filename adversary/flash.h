/* SPDX-License-Identifier: MIT */
/*
 * Hooks the accesses of firmware's variable driver to the flash: the function
 * Write of every firmware volume block protocol (PI 1.8, volume III, 3.4.2).
 */
#ifndef ADVERSARY_FLASH_H
#define ADVERSARY_FLASH_H

#include "efi.h"

/* Installs the hooks, when the driver is loaded. */
void flash_hook(const struct efi_boot_services *boot);
/* Converts the hooks' pointers, during SetVirtualAddressMap. */
void flash_convert(efi_convert_pointer *convert);

#define FLASH_LAST 0

/*
 * Has firmware's own SetVariable write a new variable of 64 bytes. Of these
 * calls of Write, counted from 1, call `number` writes only half of its bytes,
 * and then reads address 0 or, if `hang` is true, loops for ever. The number of
 * calls differs between firmwares; FLASH_LAST counts them first and selects the
 * last one. If the system lets all that pass, returns what SetVariable
 * returned; CZ_EFI_INVALID_PARAMETER if there were fewer calls; or
 * CZ_EFI_UNSUPPORTED if there is no Write to hook.
 */
uint64_t flash_go_wrong(efi_set_variable *set, uint64_t number, _Bool hang);

#endif
