/* SPDX-License-Identifier: MIT */
/*
 * VMSAv8-64 page tables with a 4 KiB granule, 48-bit addresses and four levels
 * (Arm ARM D8.3). The boot code accesses tables at their physical addresses,
 * the kernel through the linear map.
 */
#ifndef KERNEL_MM_TABLE_H
#define KERNEL_MM_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TABLE_ENTRIES 512u

/* The index of each memory type in MAIR_EL1. */
#define MAIR_DEVICE_nGnRE 0
#define MAIR_NORMAL_NC 1
#define MAIR_NORMAL_WB 2
#define MAIR_VALUE                              \
	((0x04ull << (8 * MAIR_DEVICE_nGnRE)) | \
	 (0x44ull << (8 * MAIR_NORMAL_NC)) |    \
	 (0xffull << (8 * MAIR_NORMAL_WB)))

/* Descriptor bits (Arm ARM D8.3.1). */
#define PTE_VALID (1ull << 0)
#define PTE_TABLE (1ull << 1) /* at level 3: a page */
#define PTE_ATTR(index) ((uint64_t)(index) << 2)
#define PTE_USER (1ull << 6)
#define PTE_READ_ONLY (1ull << 7)
#define PTE_INNER_SHAREABLE (3ull << 8)
#define PTE_ACCESSED (1ull << 10)
#define PTE_NOT_GLOBAL (1ull << 11)
#define PTE_PXN (1ull << 53)
#define PTE_UXN (1ull << 54)
#define PTE_ADDRESS 0x0000fffffffff000ull

#define PTE_NORMAL \
	(PTE_ATTR(MAIR_NORMAL_WB) | PTE_INNER_SHAREABLE | PTE_ACCESSED)

/* Kernel data: read and write, never executed. */
#define PTE_KERNEL_DATA (PTE_NORMAL | PTE_PXN | PTE_UXN)

/* The offset from a table's physical address to the address at which it can be
 * accessed: 0 at boot, LINEAR_BASE later. */
extern uint64_t table_alias;
/* Allocates a zeroed page for a table. Returns its physical address, or 0. */
extern uint64_t (*table_page)(void);

/*
 * Maps [address, address + 4096 * count) to `physical`. `bits` are the
 * descriptor's bits except address, valid and type. Uses blocks of 1 GiB and 2
 * MiB if `blocks` is true and the alignment allows it. Replaces existing
 * mappings; the caller invalidates the TLB. Returns false if out of memory or
 * if an existing block is in the way.
 */
bool table_map(uint64_t root, uint64_t address, uint64_t physical,
	       uint64_t count, uint64_t bits, bool blocks);

/* Returns the level-3 table that holds the page descriptor of an address. Makes
 * missing tables if `make` is true. Returns NULL if a table is missing or
 * cannot be made, or if a block is in the way. */
uint64_t *table_leaf(uint64_t root, uint64_t address, bool make);

/* Returns the level-2 descriptor of an address, which may describe a block or a
 * table. `make` and NULL are as in table_leaf(). */
uint64_t *table_block(uint64_t root, uint64_t address, bool make);

/* Returns the index of an address's page descriptor in its level-3 table. */
static inline unsigned table_leaf_index(uint64_t address)
{
	return (address >> 12) & 511;
}

/* Clears page descriptors. Skips addresses that have no table. */
void table_unmap(uint64_t root, uint64_t address, uint64_t count);

/* Returns the page descriptor of an address, or 0. */
uint64_t table_lookup(uint64_t root, uint64_t address);

/* Frees all tables under `root`, and `root` itself, with pages_free(). */
void table_destroy(uint64_t root);

#endif
