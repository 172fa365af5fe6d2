/* SPDX-License-Identifier: MIT */
/* The functions of early_map.c that enter.S calls, and the early page tables,
 * which the kernel takes over. */
#ifndef KERNEL_BOOT_EARLY_MAP_H
#define KERNEL_BOOT_EARLY_MAP_H

#include <stdbool.h>
#include <stdint.h>

struct boot_info;

#define IMAGE_BASE 0xffff800000000000ull /* where kernel.lds links it */
#define LINEAR_SIZE (1ull << 46)

/* Physical addresses of tables; `left` is the first unused early page. */
struct early_tables {
	uint64_t identity; /* TTBR0 while the MMU is being switched on */
	uint64_t kernel; /* TTBR1, from then on */
	uint64_t empty; /* TTBR0 when no space is installed */
	uint64_t left;
};

extern struct early_tables early_tables;

/* Builds the tables. Returns false if they need more than 1 MiB, or if the
 * memory map is malformed. */
bool early_map(struct boot_info *info, struct early_tables *tables);
void early_clean(const struct boot_info *info);

#endif
