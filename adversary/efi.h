/* SPDX-License-Identifier: MIT */
/*
 * Types of the boot services and runtime services that the driver calls or
 * hooks (UEFI 2.11, sections 4.4, 7.1, 8.2 and 8.4). The driver is compiled for
 * a target where `long` has 32 bits, as on Windows.
 */
#ifndef ADVERSARY_EFI_H
#define ADVERSARY_EFI_H

#include <caesura/uefi.h>
#include <stddef.h>
#include <stdint.h>

#define EFI_EVENT_VIRTUAL_ADDRESS_CHANGE 0x60000202u
#define EFI_EVENT_EXIT_BOOT_SERVICES 0x00000201u
#define EFI_TPL_CALLBACK 8
#define EFI_TPL_NOTIFY 16
#define EFI_ALLOCATE_ANY_PAGES 0
#define EFI_BY_PROTOCOL 2

typedef void efi_event_notify(void *event, void *context);

struct efi_boot_services {
	struct cz_efi_table_header header;
	void *before_allocate_pages[2];
	uint64_t (*allocate_pages)(uint32_t how, uint32_t type, uint64_t pages,
				   uint64_t *address);
	void *free_pages;
	uint64_t (*get_memory_map)(uint64_t *size, void *map, uint64_t *key,
				   uint64_t *descriptor_size,
				   uint32_t *version);
	uint64_t (*allocate_pool)(uint32_t type, uint64_t size, void **pool);
	uint64_t (*free_pool)(void *pool);
	uint64_t (*create_event)(uint32_t type, uint64_t tpl,
				 efi_event_notify *notify, void *context,
				 void **event);
	void *before_handle_protocol[8];
	uint64_t (*handle_protocol)(void *handle,
				    const struct cz_efi_guid *protocol,
				    void **interface);
	void *before_locate_handle_buffer[19];
	uint64_t (*locate_handle_buffer)(uint32_t how,
					 const struct cz_efi_guid *protocol,
					 void *key, uint64_t *count,
					 void ***handles);
	void *before_calculate_crc32[3];
	uint64_t (*calculate_crc32)(const void *data, uint64_t size,
				    uint32_t *crc);
};

_Static_assert(
	offsetof(struct efi_boot_services, allocate_pages) == 40 &&
		offsetof(struct efi_boot_services, get_memory_map) == 56 &&
		offsetof(struct efi_boot_services, create_event) == 80 &&
		offsetof(struct efi_boot_services, handle_protocol) == 152 &&
		offsetof(struct efi_boot_services, locate_handle_buffer) ==
			312 &&
		offsetof(struct efi_boot_services, calculate_crc32) == 344,
	"boot services");

typedef uint64_t efi_convert_pointer(uint64_t disposition, void *pointer);
typedef uint64_t efi_get_time(struct cz_efi_time *time,
			      struct cz_efi_time_caps *capabilities);
typedef uint64_t efi_get_variable(const uint16_t *name,
				  const struct cz_efi_guid *guid,
				  uint32_t *attributes, uint64_t *size,
				  void *data);
typedef uint64_t efi_set_variable(const uint16_t *name,
				  const struct cz_efi_guid *guid,
				  uint32_t attributes, uint64_t size,
				  const void *data);

/* Copies memory, since the driver has no memcpy(). The barrier keeps the
 * compiler from turning the loop into a call of memcpy(). */
static inline void copy(void *to, const void *from, uint64_t size)
{
	uint8_t *t = to;
	const uint8_t *f = from;

	while (size-- > 0) {
		*t++ = *f++;
		__asm__ volatile("" : : : "memory");
	}
}

static inline _Bool same_guid(const struct cz_efi_guid *a,
			      const struct cz_efi_guid *b)
{
	const uint8_t *x = (const uint8_t *)a;
	const uint8_t *y = (const uint8_t *)b;
	_Bool same = 1;

	for (uint32_t i = 0; i < sizeof(*a); i++) {
		same = same && x[i] == y[i];
	}
	return same;
}

#endif
