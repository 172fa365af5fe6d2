/* SPDX-License-Identifier: MIT */
/*
 * The kernel's half of the address space. It contains the linear map and the
 * image, which the boot code has mapped, and an area for stacks and device
 * registers. A stack's slot in this area is reused only for stacks.
 */
#include "arch/cpu.h"
#include "boot/early_map.h"
#include "mm/internal.h"
#include "mm/table.h"
#include <kernel/boot_info.h>
#include <kernel/mm.h>
#include <kernel/print.h>
#include <kernel/sync.h>

#define STACK_SLOT (2ull * STACK_BYTES)
#define FREE_SLOTS 64

uint64_t kernel_table;
uint64_t empty_table;

static struct mutex map_mutex;
/* Guarded by map_mutex. */
static uint64_t area_next = STACK_AREA_START;
static uint64_t free_slot[FREE_SLOTS];
static unsigned free_slot_count;

static uint64_t one_page(void)
{
	return pages_alloc(1);
}

void map_init(void)
{
	mutex_init(&map_mutex);
	kernel_table = early_tables.kernel;
	empty_table = early_tables.empty;
	table_page = one_page;
	/* Make the area's table first: permission_seal() is called only once
	 * and covers the top-level entries that exist by then. */
	if (table_leaf(kernel_table, STACK_AREA_START, true) == NULL) {
		panic("out of memory: no table for stacks");
	}
	permission_seal(kernel_table);
	space_install(NULL);
	__asm__ volatile("tlbi vmalle1\n\tdsb nsh\n\tisb" ::: "memory");
}

bool linear_covers(uint64_t physical, uint64_t size)
{
	uint64_t end = physical + size;

	if (size == 0 || end < physical || end > LINEAR_SIZE) {
		return false;
	}
	/* Ask the MMU to translate each page. */
	for (uint64_t at = physical & ~(PAGE_SIZE - 1); at < end;
	     at += PAGE_SIZE) {
		uint64_t daif = irq_save();
		uint64_t par;

		__asm__ volatile("at s1e1r, %1\n\tisb\n\tmrs %0, par_el1"
				 : "=r"(par)
				 : "r"(LINEAR_BASE + at)
				 : "memory");
		irq_restore(daif);
		if (par & 1) {
			return false;
		}
	}
	return true;
}

static void flush_kernel(uint64_t address, uint64_t count)
{
	/* The operand is VA[55:12]. The bits above it must be 0, since they are
	 * a level hint (FEAT_TTL). */
	uint64_t operand = address << 8 >> (8 + PAGE_SHIFT);

	__asm__ volatile("dsb ishst" ::: "memory");
	for (uint64_t i = 0; i < count; i++) {
		__asm__ volatile("tlbi vaae1is, %0" ::"r"(operand + i));
	}
	__asm__ volatile("dsb ish\n\tisb" ::: "memory");
}

static uint64_t take_slot(void)
{
	if (free_slot_count > 0) {
		return free_slot[--free_slot_count];
	}
	area_next = (area_next + STACK_SLOT - 1) & ~(STACK_SLOT - 1);
	area_next += STACK_SLOT;
	return area_next - STACK_SLOT;
}

void *stack_alloc(void)
{
	uint64_t pages = STACK_BYTES >> PAGE_SHIFT;
	uint64_t physical = pages_alloc(pages);
	uint64_t slot;
	bool mapped;

	if (physical == 0) {
		panic("out of memory: no stack");
	}
	mutex_lock(&map_mutex);
	slot = take_slot();
	mapped = table_map(kernel_table, slot + STACK_BYTES, physical, pages,
			   PTE_KERNEL_DATA, false);
	flush_kernel(slot + STACK_BYTES, pages);
	mutex_unlock(&map_mutex);
	if (!mapped) {
		panic("out of memory: no table for a stack");
	}
	return (void *)(slot + STACK_SLOT);
}

void stack_free(void *top)
{
	uint64_t slot = (uint64_t)top - STACK_SLOT;
	uint64_t pages = STACK_BYTES >> PAGE_SHIFT;
	uint64_t physical;

	mutex_lock(&map_mutex);
	physical = table_lookup(kernel_table, slot + STACK_BYTES) & PTE_ADDRESS;
	table_unmap(kernel_table, slot + STACK_BYTES, pages);
	flush_kernel(slot + STACK_BYTES, pages);
	if (free_slot_count < FREE_SLOTS) {
		free_slot[free_slot_count++] = slot;
	}
	mutex_unlock(&map_mutex);
	pages_free(physical, pages);
}

uint64_t map_next_stack_page(uint64_t *at)
{
	while (*at < area_next) {
		uint64_t entry = table_lookup(kernel_table, *at);

		*at += PAGE_SIZE;
		if ((entry & PTE_VALID) != 0 &&
		    (entry & PTE_ATTR(7)) == PTE_ATTR(MAIR_NORMAL_WB)) {
			return entry & PTE_ADDRESS;
		}
	}
	return 0;
}

volatile void *device_map(uint64_t physical, size_t size)
{
	uint64_t offset = physical & (PAGE_SIZE - 1);
	uint64_t pages = (offset + size + PAGE_SIZE - 1) >> PAGE_SHIFT;
	uint64_t address;
	bool mapped;

	mutex_lock(&map_mutex);
	address = area_next;
	area_next += pages << PAGE_SHIFT;
	mapped = table_map(kernel_table, address, physical - offset, pages,
			   PTE_ATTR(MAIR_DEVICE_nGnRE) | PTE_ACCESSED |
				   PTE_PXN | PTE_UXN,
			   false);
	flush_kernel(address, pages);
	mutex_unlock(&map_mutex);
	if (!mapped) {
		panic("out of memory: no table for a device");
	}
	return (volatile void *)(address + offset);
}
