/* SPDX-License-Identifier: MIT */
/*
 * VMSAv8-64 page tables, 4 KiB granule, 48-bit addresses, four levels
 * (Arm ARM D8.3). Used at boot, when tables are seen at their physical
 * addresses, and afterwards through the linear map.
 */
#ifndef KERNEL_MM_TABLE_H
#define KERNEL_MM_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TABLE_ENTRIES 512u

/* Where each memory kind stands in MAIR_EL1. */
#define MAIR_DEVICE_nGnRE 0
#define MAIR_NORMAL_NC 1
#define MAIR_NORMAL_WB 2
#define MAIR_VALUE                              \
	((0x04ull << (8 * MAIR_DEVICE_nGnRE)) | \
	 (0x44ull << (8 * MAIR_NORMAL_NC)) |    \
	 (0xffull << (8 * MAIR_NORMAL_WB)))

/* Descriptor bits (Arm ARM D8.3.1). */
#define PTE_VALID (1ull << 0)
#define PTE_TABLE (1ull << 1) /* and, at level 3, a page */
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

/* How table memory is reached: at boot 0, later LINEAR_BASE. */
extern uint64_t table_alias;
/* A zeroed page for a table, physical; 0 when there is none. */
extern uint64_t (*table_page)(void);

/*
 * Maps [address, address + 4096 * count) to physical with the attributes in
 * `bits` (all but address, valid and type), in blocks of 1 GiB and 2 MiB where
 * `blocks` and alignment allow. Replaces what was there; the caller
 * invalidates. False when out of memory, or when a block is in the way.
 */
bool table_map(uint64_t root, uint64_t address, uint64_t physical,
	       uint64_t count, uint64_t bits, bool blocks);

/* The level-3 table that holds the page descriptor of an address, made on the
 * way when `make`; NULL when it is absent, or memory is. */
uint64_t *table_leaf(uint64_t root, uint64_t address, bool make);

/* The level-2 descriptor of an address, for a block or a table; likewise. */
uint64_t *table_block(uint64_t root, uint64_t address, bool make);

/* The descriptor's place in it. */
static inline unsigned table_leaf_index(uint64_t address)
{
	return (address >> 12) & 511;
}

/* Clears page descriptors. Absent tables are passed over. */
void table_unmap(uint64_t root, uint64_t address, uint64_t count);

/* The page descriptor for an address, or 0. */
uint64_t table_lookup(uint64_t root, uint64_t address);

/* Frees the tables under root, and root, through pages_free(). */
void table_destroy(uint64_t root);

#endif
