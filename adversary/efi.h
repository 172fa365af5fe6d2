/* SPDX-License-Identifier: MIT */
/*
 * The few boot services and runtime services that the driver itself calls or
 * hooks (UEFI 2.11, sections 4.4, 7.1, 8.2 and 8.4), typed. `long` has 32 bits
 * here, as on Windows.
 */
#ifndef ADVERSARY_EFI_H
#define ADVERSARY_EFI_H

#include <caesura/uefi.h>
#include <stddef.h>
#include <stdint.h>

#define EFI_EVENT_VIRTUAL_ADDRESS_CHANGE 0x60000202u
#define EFI_TPL_NOTIFY 16

struct efi_boot_services {
	struct cz_efi_table_header header;
	void *before_create_event[7];
	uint64_t (*create_event)(uint32_t type, uint64_t tpl,
				 void (*notify)(void *event, void *context),
				 void *context, void **event);
	void *before_calculate_crc32[32];
	uint64_t (*calculate_crc32)(const void *data, uint64_t size,
				    uint32_t *crc);
};

_Static_assert(offsetof(struct efi_boot_services, create_event) == 80,
	       "boot services: create_event");
_Static_assert(offsetof(struct efi_boot_services, calculate_crc32) == 344,
	       "boot services: calculate_crc32");

typedef uint64_t efi_convert_pointer(uint64_t disposition, void *pointer);
typedef uint64_t efi_get_variable(const uint16_t *name,
				  const struct cz_efi_guid *guid,
				  uint32_t *attributes, uint64_t *size,
				  void *data);
typedef uint64_t efi_set_variable(const uint16_t *name,
				  const struct cz_efi_guid *guid,
				  uint32_t attributes, uint64_t size,
				  const void *data);

#endif
