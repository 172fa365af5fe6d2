/* SPDX-License-Identifier: MIT */
#include "commit/ram.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define WORD sizeof(uint64_t)
#define WORDS (CZ_EFI_PAGE_SIZE / WORD)

static volatile uint64_t *show(const struct ram *ram, unsigned region,
			       uint64_t offset, int prot)
{
	uint8_t *page = ram->region[region].start + offset;

	if (mprotect(page, CZ_EFI_PAGE_SIZE, prot) != 0) {
		abort();
	}
	return (volatile uint64_t *)(void *)page;
}

static void hide(const struct ram *ram, unsigned region, uint64_t offset)
{
	(void)show(ram, region, offset, PROT_NONE);
}

/* /dev/mem maps this RAM as Device memory. A line that the caches still hold,
 * from the time when firmware ran alone, has to be written back and removed
 * first. */
static void clean_line(volatile uint64_t *word)
{
#ifdef __aarch64__
	__asm__ volatile("dc civac, %0\n\tdsb sy" ::"r"(word) : "memory");
#else
	(void)word;
#endif
}

static uint64_t word_of(const uint8_t *page, unsigned number)
{
	uint64_t word;

	memcpy(&word, page + number * WORD, WORD);
	return word;
}

static void put(void *context, unsigned region, uint64_t offset,
		const uint8_t *before, const uint8_t *after)
{
	const struct ram *ram = context;
	volatile uint64_t *page;

	if (memcmp(before, after, CZ_EFI_PAGE_SIZE) == 0) {
		return;
	}
	page = show(ram, region, offset, PROT_READ | PROT_WRITE);
	for (unsigned i = 0; i < WORDS; i++) {
		uint64_t word = word_of(after, i);

		if (word != word_of(before, i)) {
			clean_line(&page[i]);
			ram->before_put(ram->context);
			page[i] = word;
			clean_line(&page[i]);
		}
	}
	hide(ram, region, offset);
}

static bool holds(void *context, unsigned region, uint64_t offset,
		  const uint8_t *one, const uint8_t *other, bool changed_only)
{
	const struct ram *ram = context;
	volatile uint64_t *page = show(ram, region, offset, PROT_READ);
	bool is_held = true;

	for (unsigned i = 0; i < WORDS && is_held; i++) {
		uint64_t word = page[i];
		uint64_t first = word_of(one, i), second = word_of(other, i);

		is_held = word == first || word == second ||
			  (changed_only && first == second);
	}
	hide(ram, region, offset);
	return is_held;
}

static void unmap(struct ram *ram)
{
	while (ram->count > 0) {
		const struct ram_region *region = &ram->region[--ram->count];

		(void)munmap(region->start, region->size_bytes);
	}
}

bool ram_open(struct ram *ram, struct machine *machine,
	      const struct state_region *regions, unsigned count)
{
	ram->port = (struct state_ram){
		.context = ram,
		.put = put,
		.holds = holds,
	};
	for (ram->count = 0; ram->count < count; ram->count++) {
		const struct state_region *region = &regions[ram->count];
		void *at = machine_map_device(machine, region->address,
					      region->size_bytes, NULL);

		if (at == NULL) {
			unmap(ram);
			return false;
		}
		ram->region[ram->count] = (struct ram_region){
			.start = at,
			.size_bytes = region->size_bytes,
		};
		if (mprotect(at, region->size_bytes, PROT_NONE) != 0) {
			abort();
		}
	}
	return true;
}
