/* SPDX-License-Identifier: MIT */
/* What enter.S asks of early_map.c, and leaves for the kernel. */
#ifndef KERNEL_BOOT_EARLY_MAP_H
#define KERNEL_BOOT_EARLY_MAP_H

#include <stdbool.h>
#include <stdint.h>

struct boot_info;

#define IMAGE_BASE 0xffff800000000000ull /* where kernel.lds links it */
#define LINEAR_SIZE (1ull << 46)

/* Physical addresses of tables; `left` is the first early page not used. */
struct early_tables {
	uint64_t identity; /* EARLY_IDENTITY: TTBR0 during the switch */
	uint64_t kernel; /* EARLY_KERNEL: TTBR1 for good */
	uint64_t empty; /* TTBR0 when no space is installed */
	uint64_t left;
};

extern struct early_tables early_tables;

/* False when 1 MiB of tables does not do, or the memory map is malformed. */
bool early_map(struct boot_info *info, struct early_tables *tables);
void early_clean(const struct boot_info *info);

#endif
