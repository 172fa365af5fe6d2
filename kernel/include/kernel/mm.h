/* SPDX-License-Identifier: MIT */
/*
 * Physical pages, the kernel's own map (TTBR1) and address spaces (TTBR0). The
 * kernel's map includes device registers and firmware's RAM.
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

/* Allocates `count` contiguous, zeroed pages. Returns their physical address,
 * or 0. Called by threads and at boot. */
uint64_t pages_alloc(size_t count);
void pages_free(uint64_t physical, size_t count);

/* Allocates zeroed memory in whole pages; panics if out of memory. */
void *kalloc(size_t size);
void kfree(void *object, size_t size);

/* Allocates a kernel stack of STACK_BYTES, with an unmapped guard of the same
 * size below it. Returns its top. */
void *stack_alloc(void);
void stack_free(void *top);

/* Maps device registers into the kernel as Device-nGnRE, never executable. */
volatile void *device_map(uint64_t physical, size_t size);

/* Returns whether the linear map contains all of [physical, physical +
 * size). */
bool linear_covers(uint64_t physical, uint64_t size);

/* ---- Address spaces ---------------------------------------------------- */

enum memory_kind { MEMORY_WB, MEMORY_NC, MEMORY_DEVICE };

#define MAP_WRITE 1u
#define MAP_EXEC 2u /* at EL1, or at EL0 with MAP_USER */
#define MAP_USER 4u

struct space;

/* Creates a space whose pages are all for EL1 or, if `user` is true, all for
 * EL0. Returns NULL if out of memory or ASIDs. */
struct space *space_create(bool user);
/* Destroys a space, which no thread may have adopted any more. */
void space_destroy(struct space *space);

/* Maps pages, or changes their mapping. Returns false if out of memory or if an
 * address is out of range. */
bool space_map(struct space *space, uint64_t address, uint64_t physical,
	       size_t page_count, enum memory_kind kind, unsigned flags);
void space_unmap(struct space *space, uint64_t address, size_t page_count);

/*
 * Makes the space the calling thread's: TTBR0 has it whenever the thread runs.
 * NULL ends that. TTBR0 maps nothing while a thread without a space runs.
 */
void space_adopt(struct space *space);

#endif
