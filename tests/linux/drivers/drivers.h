/* SPDX-License-Identifier: MIT */
/*
 * Runtime drivers that firmware loads before Linux. Each changes QEMU's machine
 * into another kind: it changes where variables are stored, or what memory is
 * shared. This header also declares the boot services that adversary/efi.h
 * lacks.
 */
#ifndef TESTS_LINUX_DRIVERS_H
#define TESTS_LINUX_DRIVERS_H

#include "efi.h"

/* DXE services (PI 1.8, volume II, 7.2), which can change the memory map. */
struct dxe_descriptor {
	uint64_t base, size_bytes, capabilities, attributes;
	uint64_t type;
	void *image, *device;
};

struct dxe_services {
	struct cz_efi_table_header header;
	void *before_get_memory_space_descriptor[4];
	uint64_t (*get_memory_space_descriptor)(uint64_t address,
						struct dxe_descriptor *found);
	uint64_t (*set_memory_space_attributes)(uint64_t base,
						uint64_t size_bytes,
						uint64_t attributes);
};

_Static_assert(offsetof(struct dxe_services, get_memory_space_descriptor) == 56,
	       "DXE services");

/* The entry point that each driver defines. */
uint64_t driver_entry(void *image, struct cz_efi_system_table *table);

/* ram.c: moves firmware's variable store to RAM, and takes the flash chip out
 * of the runtime devices. */
uint64_t keep_in_ram(struct cz_efi_system_table *table);

#endif
