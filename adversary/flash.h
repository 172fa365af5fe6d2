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

/* Whether there is a Write to go wrong. */
_Bool flash_is_hooked(void);

/* In the number-th Write from now, from 1, half of the bytes are written; then
 * null is read, or it loops for ever. 0: no more. */
void flash_arm(uint64_t number, _Bool hang);

#endif
