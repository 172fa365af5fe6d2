/* SPDX-License-Identifier: MIT */
/* Shared by the files of mm/, and used by the scheduler. */
#ifndef KERNEL_MM_INTERNAL_H
#define KERNEL_MM_INTERNAL_H

#include <stdint.h>

/* Physical addresses of the kernel's own table (TTBR1) and of the empty table,
 * which maps nothing. */
extern uint64_t kernel_table;
extern uint64_t empty_table;

/* map.c: finds the next mapped stack page at *at or above. Returns its physical
 * address and sets *at to the address after it; returns 0 if there are no more.
 * Only one thread may call it. */
#define STACK_AREA_START 0xffffc00000000000ull
uint64_t map_next_stack_page(uint64_t *at);

/* Takes over the free memory that the memory map describes. Called once at
 * boot. */
void pages_init(void);
/* permission.c: forbids EL0 all access through the kernel's tables under
 * `root`. The caller invalidates the TLB. */
void permission_seal(uint64_t root);
/* Takes over the early tables and removes the identity map. Called at boot. */
void map_init(void);

struct space {
	uint64_t ttbr; /* table and ASID, in the format of TTBR0_EL1 */
	uint64_t table;
	uint32_t asid;
	unsigned flags; /* MAP_USER, if all mappings are for EL0; or 0 */
	/* The leaf table used last. Calls map and unmap their arguments at
	 * nearby addresses, so the next access probably needs it again. */
	uint64_t leaf_base; /* start of the 2 MiB that it maps; 1: no table */
	volatile uint64_t *leaf;
};

/*
 * install.c: puts a space into TTBR0 of this CPU; NULL means the empty table.
 * The thread switch and space_adopt() call this with interrupts off.
 */
void space_install(const struct space *space);
/* Does this at a thread switch. It makes sure that a preempted thread has its
 * space again when it continues. */
void space_switch(const struct space *previous, const struct space *next);

#endif
