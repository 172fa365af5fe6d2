/* SPDX-License-Identifier: MIT */
/*
 * What the kernel tells about firmware, and whether caesurad can serve this
 * machine. The memory map and the system table's address come from
 * /sys/firmware/fdt and /proc/kcore, or from the kernel module. This part also
 * finds out whether the kernel makes runtime calls itself.
 *
 * Functions that can fail return false and append one or more lines for people
 * to machine->why. They are called by one thread.
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
	/* The memory map as the EFI stub left it, with virtual_start filled
	 * in. */
	void *map;
	size_t map_bytes, descriptor_bytes;
	uint32_t descriptor_version;
	uint64_t system_table; /* its physical address */
	/* This kernel was started by kexec, according to /chosen. */
	bool was_kexeced;

	/* Memory is read and mapped by the module if there is one, else by
	 * /dev/mem and /proc/kcore. */
	struct provider *module; /* or NULL */
	int mem, kcore;

	char why[MACHINE_WHY_CHARS];
};

/* Opens the files that are needed and reads the memory map. `module` is open,
 * or NULL; without it the caller needs CAP_SYS_RAWIO. */
bool machine_open(struct machine *machine, struct provider *module);

/* Closes /dev/mem and /proc/kcore once everything is mapped. They would give
 * the process access to all memory, also after it has dropped its privileges.
 * Afterwards only the module can read or map memory. */
void machine_shut(struct machine *machine);

/*
 * Returns true if caesurad may use firmware. Returns false if the kernel uses
 * it: its runtime services are on, or it has a provider of EFI variables that
 * is not caesurad's.
 */
bool machine_is_ours(struct machine *machine);

/* Returns whether this is a virtual machine of Hyper-V, according to SMBIOS. */
bool machine_is_hyperv(void);

/* Copies entry `number` of the memory map. Returns false past its end. */
bool machine_entry(const struct machine *machine, uint32_t number,
		   struct cz_efi_memory_descriptor *entry);

/* Copies physical memory of firmware. The range lies in one descriptor of the
 * memory map. */
bool machine_read(struct machine *machine, uint64_t physical, void *into,
		  size_t size_bytes);

/* Maps whole pages of a device, or of firmware's RAM, for reading and writing.
 * `address` is an address at which nothing is mapped, or NULL for any. Returns
 * the mapping, or NULL. */
void *machine_map_device(struct machine *machine, uint64_t physical,
			 size_t size_bytes, void *address);

#endif
