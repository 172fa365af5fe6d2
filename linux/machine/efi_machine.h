/* SPDX-License-Identifier: MIT */
/*
 * What the kernel tells of firmware, and whether this machine can be served: the
 * memory map and the system table's address, from /sys/firmware/fdt and
 * /proc/kcore, or from the module; whether somebody else makes runtime calls.
 *
 * Functions that can fail return false, with one or more lines for people in
 * machine->why. One thread.
 */
#ifndef LINUX_EFI_MACHINE_H
#define LINUX_EFI_MACHINE_H

#include "machine/provider.h"

#include <caesura/uefi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MACHINE_WHY_CHARS 1024

struct machine {
	/* The stub's, with virtual_start filled in. */
	void *map;
	size_t map_bytes, descriptor_bytes;
	uint32_t descriptor_version;
	uint64_t system_table; /* its physical address */
	bool was_kexeced; /* another kernel has had firmware before, and says so */

	/* How memory is reached: the module, else /dev/mem and /proc/kcore. */
	struct provider *module; /* or NULL */
	int mem, kcore;

	char why[MACHINE_WHY_CHARS];
};

/* Opens what is needed and reads the memory map. `module` is open, or NULL.
 * CAP_SYS_RAWIO without one. */
bool machine_open(struct machine *machine, struct provider *module);

/* Gives up the machine's memory, once all is mapped: it would be within reach of a
 * process that has no privileges any more. Nothing more is read or mapped, but by the
 * module. */
void machine_shut(struct machine *machine);

/*
 * Whether the kernel has firmware: runtime services that are on, a provider of EFI
 * variables that is not ours. True: it is ours to use.
 */
bool machine_is_ours(struct machine *machine);

/* Whether this is a virtual machine of Hyper-V, by its SMBIOS. */
bool machine_is_hyperv(void);

/* Entry `number` of the memory map; false past its end. */
bool machine_entry(const struct machine *machine, uint32_t number,
		   struct cz_efi_memory_descriptor *entry);

/* Copies physical memory of firmware's, of one descriptor. */
bool machine_read(struct machine *machine, uint64_t physical, void *into,
		  size_t size_bytes);

/* Maps a device or RAM of firmware's, whole pages, to be read and written, at an
 * address that is free; NULL: at any. The mapping, or NULL. */
void *machine_map_device(struct machine *machine, uint64_t physical,
			 size_t size_bytes, void *address);

#endif
