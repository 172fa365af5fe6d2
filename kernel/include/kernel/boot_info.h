/* SPDX-License-Identifier: MIT */
/*
 * Information that the boot code collects before ExitBootServices and passes to
 * the kernel. All addresses are physical. The memory that the boot code
 * allocated for it is LoaderData, and is never freed.
 */
#ifndef KERNEL_BOOT_INFO_H
#define KERNEL_BOOT_INFO_H

#include <stdint.h>

#define BOOT_COMMAND_LINE_BYTES 1024

struct boot_info {
	uint64_t system_table;
	uint64_t memory_map; /* the result of the last GetMemoryMap */
	uint64_t memory_map_size;
	uint64_t descriptor_size;
	uint32_t descriptor_version;
	uint32_t entry_el; /* 1 or 2 */
	uint64_t rsdp; /* ACPI 2.0, or 0 */
	uint64_t device_tree; /* or 0 */
	uint64_t image_base; /* the kernel image's physical address */
	uint64_t image_size;
	uint64_t entry_daif;
	uint64_t early_base; /* zeroed pages for the first page tables */
	uint64_t early_size; /* 1 MiB */
	char command_line[BOOT_COMMAND_LINE_BYTES]; /* ASCII, terminated */
	char note[256]; /* one warning for the log, or "" */
};

extern struct boot_info boot_info;

#endif
