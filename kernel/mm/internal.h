/* SPDX-License-Identifier: MIT */
/* Between the files of mm/, and to the scheduler. */
#ifndef KERNEL_MM_INTERNAL_H
#define KERNEL_MM_INTERNAL_H

#include <stdint.h>

/* The kernel's own table, TTBR1; and the one that maps nothing. */
extern uint64_t kernel_table;
extern uint64_t empty_table;

/* map.c: the physical page of the next stack page from *at on, which becomes the
 * address behind it; 0: there is no more. One thread. */
#define STACK_AREA_START 0xffffc00000000000ull
uint64_t map_next_stack_page(uint64_t *at);

/* Takes the free memory of the boot map over. Boot, one thread. */
void pages_init(void);
/* permission.c: no EL0 in the tables under root, the kernel's; the caller
 * invalidates. */
void permission_seal(uint64_t root);
/* Takes over from the early tables; drops the identity map. Boot. */
void map_init(void);

struct space {
	uint64_t ttbr; /* table and ASID, as TTBR0_EL1 takes them */
	uint64_t table;
	uint32_t asid;
	unsigned flags; /* of every mapping: MAP_USER or none */
	/* The leaf used last: calls map and unmap their arguments close by. */
	uint64_t leaf_base; /* of 2 MiB; 1: none */
	volatile uint64_t *leaf;
};

/*
 * install.c: puts a space (NULL: the empty table) into TTBR0 of this CPU. From
 * the switch and from space_adopt(), interrupts off.
 */
void space_install(const struct space *space);
/* The same, at a switch: the hook through which preempted threads find their
 * space again. */
void space_switch(const struct space *previous, const struct space *next);

#endif
