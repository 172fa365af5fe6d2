/* SPDX-License-Identifier: MIT */
/*
 * Allocates physical pages. A bitmap has one bit for each page from the first
 * to the last page of conventional memory; a search starts where the last one
 * ended. Memory of boot services is never allocated, since firmware's tables
 * may lie in it.
 */
#include "mm/internal.h"
#include "mm/table.h"
#include <caesura/uefi.h>
#include <kernel/boot_info.h>
#include <kernel/mm.h>
#include <kernel/print.h>
#include <kernel/string.h>
#include <kernel/sync.h>

#define BITS 64

static struct mutex pages_mutex;
/* Guarded by pages_mutex; a set bit is a free page. */
static uint64_t *free_bits;
static uint64_t first_page, page_total, next_search;

static const struct cz_efi_memory_descriptor *descriptor(uint64_t at)
{
	return phys_to_virt(boot_info.memory_map + at);
}

static bool is_free(const struct cz_efi_memory_descriptor *entry)
{
	return entry->type == CZ_EFI_CONVENTIONAL &&
	       (entry->attribute & CZ_EFI_MEMORY_WB) != 0 &&
	       linear_covers(entry->physical_start,
			     entry->number_of_pages << PAGE_SHIFT);
}

static void mark(uint64_t page, uint64_t count, bool is_free_now)
{
	for (uint64_t i = page - first_page; i < page - first_page + count;
	     i++) {
		if (is_free_now) {
			free_bits[i / BITS] |= 1ull << (i % BITS);
		} else {
			free_bits[i / BITS] &= ~(1ull << (i % BITS));
		}
	}
}

#define FOR_EACH_FREE(entry)                                      \
	for (uint64_t at_ = 0;                                    \
	     at_ + sizeof(*(entry)) <= boot_info.memory_map_size; \
	     at_ += boot_info.descriptor_size)                    \
		if (entry = descriptor(at_), is_free(entry))

void pages_init(void)
{
	const struct cz_efi_memory_descriptor *entry, *largest = NULL;
	uint64_t low = UINT64_MAX, high = 0, bitmap_bytes;

	mutex_init(&pages_mutex);
	FOR_EACH_FREE(entry)
	{
		uint64_t start = entry->physical_start >> PAGE_SHIFT;
		uint64_t end = start + entry->number_of_pages;

		low = start < low ? start : low;
		high = end > high ? end : high;
		if (largest == NULL ||
		    entry->number_of_pages > largest->number_of_pages) {
			largest = entry;
		}
	}
	if (largest == NULL) {
		panic("memory map: no conventional memory");
	}
	first_page = low;
	page_total = high - low;
	bitmap_bytes = (page_total + BITS - 1) / BITS * 8;
	if (bitmap_bytes > largest->number_of_pages << PAGE_SHIFT) {
		panic("memory map: conventional memory is spread too wide");
	}
	free_bits = phys_to_virt(largest->physical_start);
	memset(free_bits, 0, bitmap_bytes);
	FOR_EACH_FREE(entry)
	{
		mark(entry->physical_start >> PAGE_SHIFT,
		     entry->number_of_pages, true);
	}
	mark(largest->physical_start >> PAGE_SHIFT,
	     (bitmap_bytes + PAGE_SIZE - 1) >> PAGE_SHIFT, false);
	if (first_page == 0) {
		/* RAM may start at address 0, but pages_alloc() returns 0 for
		 * "out of memory". */
		mark(0, 1, false);
	}
}

static bool page_is_free(uint64_t index)
{
	return (free_bits[index / BITS] >> (index % BITS)) & 1;
}

/* Returns the first page of a run of `count` free pages in [from, to), or
 * `to`. */
static uint64_t find_run(uint64_t from, uint64_t to, uint64_t count)
{
	uint64_t run = 0;

	for (uint64_t i = from; i < to; i++) {
		if (i % BITS == 0 && free_bits[i / BITS] == 0) {
			run = 0;
			i += BITS - 1;
			continue;
		}
		run = page_is_free(i) ? run + 1 : 0;
		if (run == count) {
			return i + 1 - count;
		}
	}
	return to;
}

uint64_t pages_alloc(size_t count)
{
	uint64_t found;

	if (count == 0) {
		return 0;
	}
	mutex_lock(&pages_mutex);
	found = find_run(next_search, page_total, count);
	if (found == page_total) {
		found = find_run(0, page_total, count);
	}
	if (found == page_total) {
		mutex_unlock(&pages_mutex);
		return 0;
	}
	mark(first_page + found, count, false);
	next_search = found + count;
	mutex_unlock(&pages_mutex);
	found = (first_page + found) << PAGE_SHIFT;
	memset(phys_to_virt(found), 0, count << PAGE_SHIFT);
	return found;
}

void pages_free(uint64_t physical, size_t count)
{
	uint64_t page = physical >> PAGE_SHIFT;

	ASSERT(page >= first_page && page + count <= first_page + page_total);
	mutex_lock(&pages_mutex);
	ASSERT(!page_is_free(page - first_page));
	mark(page, count, true);
	mutex_unlock(&pages_mutex);
}

void *kalloc(size_t size)
{
	uint64_t page = pages_alloc((size + PAGE_SIZE - 1) >> PAGE_SHIFT);

	if (page == 0) {
		panic("out of memory: %zu bytes wanted", size);
	}
	return phys_to_virt(page);
}

void kfree(void *object, size_t size)
{
	pages_free(virt_to_phys(object), (size + PAGE_SIZE - 1) >> PAGE_SHIFT);
}
