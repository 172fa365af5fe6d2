/* SPDX-License-Identifier: MIT */
/* Looks up addresses in the symbol table, which the image's second link
 * contains. */
#include <kernel/symbols.h>
#include <stddef.h>

struct symbol {
	uint32_t address; /* from the image's start */
	uint32_t name; /* offset in symbol_names */
};

extern const struct symbol symbol_table[];
extern const uint32_t symbol_count;
extern const char symbol_names[];
extern const char __image_start[], __text_start[], __text_end[];

const char *symbol_find(uint64_t address, uint64_t *offset)
{
	if (address < (uintptr_t)__text_start ||
	    address >= (uintptr_t)__text_end) {
		return NULL;
	}
	uint64_t wanted = address - (uintptr_t)__image_start;
	uint32_t low = 0;
	uint32_t high = symbol_count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (symbol_table[middle].address <= wanted) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	if (low == 0) {
		return NULL;
	}
	*offset = wanted - symbol_table[low - 1].address;
	return symbol_names + symbol_table[low - 1].name;
}
