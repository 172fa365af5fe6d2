/* SPDX-License-Identifier: MIT */
/* Builds and changes page tables; see table.h. */
#include "mm/table.h"
#include <kernel/mm.h>

#define LEVEL_PAGES(level) (1ull << (9 * (3 - (level))))
#define LEVEL_SHIFT(level) (39 - 9 * (level))

uint64_t table_alias;
uint64_t (*table_page)(void);

static uint64_t *table_at(uint64_t physical)
{
	return (uint64_t *)(physical + table_alias);
}

static unsigned index_of(uint64_t address, unsigned level)
{
	return (address >> LEVEL_SHIFT(level)) & (TABLE_ENTRIES - 1);
}

/* Returns the table of level `to` for an address. Makes missing tables if
 * `make` is true; otherwise returns NULL if one is missing. */
static uint64_t *walk(uint64_t root, uint64_t address, unsigned to, bool make)
{
	uint64_t *table = table_at(root);

	for (unsigned level = 0; level < to; level++) {
		uint64_t *entry = &table[index_of(address, level)];

		if (!(*entry & PTE_VALID)) {
			uint64_t page = make ? table_page() : 0;

			if (page == 0) {
				return NULL;
			}
			/* Another CPU's walk must see the zeroed table if it
			 * sees the link to it. */
			__asm__ volatile("dmb ishst" ::: "memory");
			*(volatile uint64_t *)entry =
				page | PTE_VALID | PTE_TABLE;
		} else if (!(*entry & PTE_TABLE)) {
			return NULL;
		}
		table = table_at(*entry & PTE_ADDRESS);
	}
	return table;
}

uint64_t *table_leaf(uint64_t root, uint64_t address, bool make)
{
	return walk(root, address, 3, make);
}

uint64_t *table_block(uint64_t root, uint64_t address, bool make)
{
	uint64_t *table = walk(root, address, 2, make);

	return table == NULL ? NULL : &table[index_of(address, 2)];
}

/* Returns the level of the next descriptor: the highest level, that is the
 * largest block, that size and alignment allow. */
static unsigned level_for(uint64_t alignment, uint64_t count, bool blocks)
{
	unsigned level = 3;

	while (blocks && level > 1 && count >= LEVEL_PAGES(level - 1) &&
	       (alignment & (LEVEL_PAGES(level - 1) * PAGE_SIZE - 1)) == 0) {
		level--;
	}
	return level;
}

bool table_map(uint64_t root, uint64_t address, uint64_t physical,
	       uint64_t count, uint64_t bits, bool blocks)
{
	while (count > 0) {
		unsigned level = level_for(address | physical, count, blocks);
		uint64_t pages = LEVEL_PAGES(level);
		uint64_t *table = walk(root, address, level, true);

		if (table == NULL) {
			return false;
		}
		*(volatile uint64_t *)&table[index_of(address, level)] =
			physical | bits | PTE_VALID |
			(level == 3 ? PTE_TABLE : 0);
		address += pages * PAGE_SIZE;
		physical += pages * PAGE_SIZE;
		count -= pages;
	}
	return true;
}

void table_unmap(uint64_t root, uint64_t address, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++, address += PAGE_SIZE) {
		uint64_t *table = table_leaf(root, address, false);

		if (table != NULL) {
			*(volatile uint64_t *)&table[index_of(address, 3)] = 0;
		}
	}
}

uint64_t table_lookup(uint64_t root, uint64_t address)
{
	uint64_t *table = table_leaf(root, address, false);

	return table == NULL ? 0 : table[index_of(address, 3)];
}

void table_destroy(uint64_t root)
{
	uint64_t *top = table_at(root);

	for (unsigned i = 0; i < TABLE_ENTRIES; i++) {
		if (!(top[i] & PTE_VALID)) {
			continue;
		}
		uint64_t *upper = table_at(top[i] & PTE_ADDRESS);

		for (unsigned j = 0; j < TABLE_ENTRIES; j++) {
			if (!(upper[j] & PTE_VALID)) {
				continue;
			}
			uint64_t *middle = table_at(upper[j] & PTE_ADDRESS);

			for (unsigned k = 0; k < TABLE_ENTRIES; k++) {
				if (middle[k] & PTE_TABLE) {
					pages_free(middle[k] & PTE_ADDRESS, 1);
				}
			}
			pages_free(upper[j] & PTE_ADDRESS, 1);
		}
		pages_free(top[i] & PTE_ADDRESS, 1);
	}
	pages_free(root, 1);
}
