/* SPDX-License-Identifier: MIT */
/*
 * Address spaces. Each has a TTBR0 table and an ASID. Only one thread at a time
 * may change a space, but any number of CPUs may have it installed at that
 * time.
 */
#include "arch/cpu.h"
#include "mm/internal.h"
#include "mm/table.h"
#include "sched/sched.h"
#include <kernel/mm.h>
#include <kernel/print.h>
#include <kernel/sync.h>

#define USER_LIMIT (1ull << 48)
#define BLOCK_PAGES 512ull
#define LEAF_BYTES (BLOCK_PAGES * PAGE_SIZE)
#define FLUSH_PAGES 64 /* for more pages, flush the whole ASID */
#define PTE_RIGHTS (PTE_READ_ONLY | PTE_USER | PTE_PXN | PTE_UXN)
#define MAX_ASID 255 /* every CPU has at least 8 bits */

static struct mutex asid_mutex = {0,
				  {&asid_mutex.waiters, &asid_mutex.waiters}};
/* Guarded by asid_mutex. ASID 0 belongs to the empty table. */
static uint64_t asid_used[4] = {1};

static uint32_t asid_take(void)
{
	uint32_t asid = 0;

	mutex_lock(&asid_mutex);
	for (uint32_t i = 1; i <= MAX_ASID && asid == 0; i++) {
		if (!((asid_used[i / 64] >> (i % 64)) & 1)) {
			asid_used[i / 64] |= 1ull << (i % 64);
			asid = i;
		}
	}
	mutex_unlock(&asid_mutex);
	return asid;
}

static void asid_give(uint32_t asid)
{
	/* Flush the TLB entries of this space before the ASID is reused. */
	__asm__ volatile(
		"dsb ishst\n\ttlbi aside1is, %0\n\tdsb ish\n\tisb" ::"r"(
			(uint64_t)asid << 48)
		: "memory");
	mutex_lock(&asid_mutex);
	asid_used[asid / 64] &= ~(1ull << (asid % 64));
	mutex_unlock(&asid_mutex);
}

struct space *space_create(bool user)
{
	uint64_t table = pages_alloc(1);
	uint32_t asid = table == 0 ? 0 : asid_take();
	struct space *space;

	if (asid == 0) {
		if (table != 0) {
			pages_free(table, 1);
		}
		return NULL;
	}
	space = kalloc(sizeof(*space));
	space->table = table;
	space->asid = asid;
	space->leaf_base = 1;
	space->flags = user ? MAP_USER : 0;
	space->ttbr = table | (uint64_t)asid << 48;
	return space;
}

void space_destroy(struct space *space)
{
	asid_give(space->asid);
	table_destroy(space->table);
	kfree(space, sizeof(*space));
}

static uint64_t page_bits(enum memory_kind kind, unsigned flags)
{
	static const uint64_t kinds[] = {
		[MEMORY_WB] = PTE_NORMAL,
		[MEMORY_NC] = PTE_ATTR(MAIR_NORMAL_NC) | PTE_INNER_SHAREABLE |
			      PTE_ACCESSED,
		[MEMORY_DEVICE] = PTE_ATTR(MAIR_DEVICE_nGnRE) | PTE_ACCESSED,
	};
	uint64_t bits = kinds[kind] | PTE_NOT_GLOBAL;

	if (!(flags & MAP_WRITE)) {
		bits |= PTE_READ_ONLY;
	}
	if (flags & MAP_USER) {
		bits |= PTE_USER | PTE_PXN;
	} else {
		bits |= PTE_UXN;
	}
	if (!(flags & MAP_EXEC)) {
		bits |= PTE_PXN | PTE_UXN;
	}
	return bits;
}

static void flush(const struct space *space, uint64_t address, uint64_t count)
{
	uint64_t operand = (uint64_t)space->asid << 48 | address >> PAGE_SHIFT;

	__asm__ volatile("dsb ishst" ::: "memory");
	if (count > FLUSH_PAGES) {
		__asm__ volatile(
			"tlbi aside1is, %0" ::"r"((uint64_t)space->asid << 48));
		count = 0;
	}
	for (uint64_t i = 0; i < count; i++) {
		__asm__ volatile("tlbi vae1is, %0" ::"r"(operand + i));
	}
	__asm__ volatile("dsb ish\n\tisb" ::: "memory");
}

static bool in_range(uint64_t address, uint64_t page_count)
{
	return (address & (PAGE_SIZE - 1)) == 0 && address < USER_LIMIT &&
	       page_count <= (USER_LIMIT - address) >> PAGE_SHIFT;
}

static volatile uint64_t *find_leaf(struct space *space, uint64_t address,
				    bool make)
{
	uint64_t base = address & ~(LEAF_BYTES - 1);
	volatile uint64_t *leaf;

	if (base == space->leaf_base) {
		return space->leaf;
	}
	leaf = table_leaf(space->table, address, make);
	if (leaf != NULL) {
		space->leaf_base = base;
		space->leaf = leaf;
	}
	return leaf;
}

/* Returns whether a block of 2 MiB can be mapped here. Devices are mapped in
 * blocks where possible, because the permissions of a device change twice in
 * every call that writes to it. */
static bool is_block(uint64_t address, uint64_t physical, size_t page_count)
{
	return page_count >= BLOCK_PAGES &&
	       ((address | physical) & (LEAF_BYTES - 1)) == 0;
}

/* Replaces a descriptor, with break-before-make (Arm ARM D8.14.1) where that is
 * required. A change of permissions alone does not require it: a CPU may use
 * the old descriptor until the caller flushes. Returns whether an old
 * descriptor was replaced. */
static bool replace(const struct space *space, uint64_t address,
		    volatile uint64_t *entry, uint64_t next)
{
	uint64_t old = *entry;

	if (old != 0 && ((old ^ next) & ~PTE_RIGHTS) != 0) {
		*entry = 0;
		flush(space, address, 1);
	}
	*entry = next;
	return old != 0;
}

/* Maps as many whole blocks as the range contains and one table can hold.
 * Returns the number of pages mapped, or 0 if no table could be made or a page
 * table is in the way. */
static size_t map_blocks(struct space *space, uint64_t address,
			 uint64_t physical, size_t page_count, uint64_t bits,
			 bool *replaced)
{
	volatile uint64_t *entry = table_block(space->table, address, true);
	size_t count = page_count / BLOCK_PAGES;
	size_t room = TABLE_ENTRIES - (address / LEAF_BYTES) % TABLE_ENTRIES;

	if (entry == NULL) {
		return 0;
	}
	if (count > room) {
		count = room;
	}
	for (size_t i = 0; i < count; i++) {
		uint64_t offset = i * LEAF_BYTES;

		if ((entry[i] & PTE_TABLE) != 0) {
			return 0;
		}
		*replaced |= replace(space, address + offset, &entry[i],
				     (physical + offset) | (bits & ~PTE_TABLE));
	}
	return count * BLOCK_PAGES;
}

static inline size_t map_page(struct space *space, uint64_t address,
			      uint64_t physical, uint64_t bits, bool *replaced)
{
	volatile uint64_t *leaf = find_leaf(space, address, true);

	if (leaf == NULL) {
		return 0;
	}
	*replaced |= replace(space, address, &leaf[table_leaf_index(address)],
			     physical | bits);
	return 1;
}

/* Maps device memory, in blocks where possible. */
static __attribute__((noinline, cold)) bool
map_device(struct space *space, uint64_t address, uint64_t physical,
	   size_t page_count, uint64_t bits)
{
	uint64_t first = address;
	size_t count = page_count;
	bool replaced = false;
	size_t step;

	for (; page_count > 0; page_count -= step) {
		step = is_block(address, physical, page_count)
			       ? map_blocks(space, address, physical,
					    page_count, bits, &replaced)
			       : map_page(space, address, physical, bits,
					  &replaced);
		if (step == 0) {
			return false;
		}
		address += step * PAGE_SIZE;
		physical += step * PAGE_SIZE;
	}
	if (replaced) {
		flush(space, first, count);
	}
	__asm__ volatile("dsb ishst\n\tisb" ::: "memory");
	return true;
}

bool space_map(struct space *space, uint64_t address, uint64_t physical,
	       size_t page_count, enum memory_kind kind, unsigned flags)
{
	uint64_t bits =
		page_bits(kind, flags | space->flags) | PTE_VALID | PTE_TABLE;
	bool replaced = false;

	if (!in_range(address, page_count) || !in_range(physical, page_count)) {
		return false;
	}
	if (kind == MEMORY_DEVICE) {
		return map_device(space, address, physical, page_count, bits);
	}
	for (size_t i = 0; i < page_count; i++) {
		if (map_page(space, address + i * PAGE_SIZE,
			     physical + i * PAGE_SIZE, bits, &replaced) == 0) {
			return false;
		}
	}
	if (replaced) {
		flush(space, address, page_count);
	}
	__asm__ volatile("dsb ishst\n\tisb" ::: "memory");
	return true;
}

static bool unmap_block(struct space *space, uint64_t address)
{
	volatile uint64_t *entry = table_block(space->table, address, false);

	if (entry == NULL || (*entry & (PTE_VALID | PTE_TABLE)) != PTE_VALID) {
		return false;
	}
	*entry = 0;
	return true;
}

void space_unmap(struct space *space, uint64_t address, size_t page_count)
{
	size_t i = 0;

	while (i < page_count) {
		uint64_t at = address + i * PAGE_SIZE;
		volatile uint64_t *leaf;

		if ((at & (LEAF_BYTES - 1)) == 0 &&
		    page_count - i >= BLOCK_PAGES && unmap_block(space, at)) {
			i += BLOCK_PAGES;
			continue;
		}
		leaf = find_leaf(space, at, false);
		if (leaf != NULL) {
			leaf[table_leaf_index(at)] = 0;
		}
		i++;
	}
	flush(space, address, page_count);
}

void space_adopt(struct space *space)
{
	struct thread *self = current_thread();
	uint64_t daif = irq_save();

	self->space = space;
	space_install(space);
	irq_restore(daif);
}
