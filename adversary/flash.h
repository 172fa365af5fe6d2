/* SPDX-License-Identifier: MIT */
/*
 * Between firmware's variable driver and the flash: the Write of every firmware
 * volume block protocol (PI 1.8, volume III, 3.4.2).
 */
#ifndef ADVERSARY_FLASH_H
#define ADVERSARY_FLASH_H

#include "efi.h"

/* When the driver is loaded. */
void flash_hook(const struct efi_boot_services *boot);
void flash_convert(efi_convert_pointer *convert);

#define FLASH_LAST 0

/*
 * Has firmware's own SetVariable write a new variable of 64 bytes. In the number-th
 * Write on the way, from 1, half of the bytes are written; then null is read, or it
 * loops for ever. How many Writes there are differs between firmwares: FLASH_LAST
 * counts them first. Where the system has let all that pass, returns
 * CZ_EFI_INVALID_PARAMETER if there were fewer Writes; CZ_EFI_UNSUPPORTED if there is
 * no Write to go wrong; or what SetVariable has returned.
 */
uint64_t flash_go_wrong(efi_set_variable *set, uint64_t number, _Bool hang);

#endif
