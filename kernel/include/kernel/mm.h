/* SPDX-License-Identifier: MIT */
/*
 * Pages, the kernel's own map (TTBR1) and address spaces (TTBR0). Device
 * registers and firmware's RAM have kernel addresses of their own.
 */
#ifndef KERNEL_MM_H
#define KERNEL_MM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SIZE 4096ull
#define PAGE_SHIFT 12

/* The linear map of RAM: kernel address = LINEAR_BASE + physical. */
#define LINEAR_BASE 0xffff000000000000ull

static inline void *phys_to_virt(uint64_t physical)
{
	return (void *)(LINEAR_BASE + physical);
}

static inline uint64_t virt_to_phys(const void *address)
{
	return (uint64_t)(uintptr_t)address - LINEAR_BASE;
}

/* `count` contiguous, zeroed pages: a physical address, or 0 when there are
 * none. Threads and boot. */
uint64_t pages_alloc(size_t count);
void pages_free(uint64_t physical, size_t count);

/* Zeroed memory in whole pages; panics when out of memory. */
void *kalloc(size_t size);
void kfree(void *object, size_t size);

/* A kernel stack of STACK_BYTES with as much unmapped under it: its top. */
void *stack_alloc(void);
void stack_free(void *top);

/* Maps device registers into the kernel: Device-nGnRE, never executable. */
volatile void *device_map(uint64_t physical, size_t size);

/* Whether [physical, physical + size) is RAM in the linear map. */
bool linear_covers(uint64_t physical, uint64_t size);

/* ---- Address spaces ---------------------------------------------------- */

enum memory_kind { MEMORY_WB, MEMORY_NC, MEMORY_DEVICE };

#define MAP_WRITE 1u
#define MAP_EXEC 2u /* at EL1, or at EL0 with MAP_USER */
#define MAP_USER 4u

struct space;

/* A space for EL1 or, with user, for EL0: all of its pages. NULL when out of
 * memory or ASIDs. */
struct space *space_create(bool user);
void space_destroy(struct space *space); /* no thread has adopted it */

/* Maps or changes pages. False when out of memory or out of range. */
bool space_map(struct space *space, uint64_t address, uint64_t physical,
	       size_t page_count, enum memory_kind kind, unsigned flags);
void space_unmap(struct space *space, uint64_t address, size_t page_count);

/*
 * The calling thread runs with the space in TTBR0 from now on, whenever it
 * runs; NULL gives it up. Outside, TTBR0 maps nothing.
 */
void space_adopt(struct space *space);

#endif
