/* SPDX-License-Identifier: MIT */
/*
 * Builds the first page tables, while the image still runs at its load address.
 * They map the kernel image at its link address with W^X, RAM in the linear
 * map, and the image's text at its physical address, for the code that switches
 * the MMU on. This code is position independent, like all of kernel/boot.
 */
#include "boot/early_map.h"
#include "boot/ram.h"
#include "mm/table.h"
#include <caesura/uefi.h>
#include <kernel/boot_info.h>
#include <kernel/mm.h>

extern char __image_start[], __text_start[], __text_end[], __rodata_start[],
	__rodata_end[], __data_start[], __image_end[];

static uint64_t early_next, early_end;

static uint64_t early_page(void)
{
	uint64_t page = early_next;

	if (page == early_end) {
		return 0;
	}
	early_next += PAGE_SIZE;
	return page;
}

static bool map_part(uint64_t root, const char *start, const char *end,
		     uint64_t bits)
{
	uint64_t physical = (uint64_t)start;
	uint64_t offset = physical - (uint64_t)__image_start;

	return table_map(root, IMAGE_BASE + offset, physical,
			 (uint64_t)(end - start) >> PAGE_SHIFT, bits, false);
}

static bool map_image(uint64_t root)
{
	uint64_t text = PTE_NORMAL | PTE_READ_ONLY | PTE_UXN;

	return map_part(root, __text_start, __text_end, text) &&
	       map_part(root, __rodata_start, __rodata_end, text | PTE_PXN) &&
	       map_part(root, __data_start, __image_end, PTE_KERNEL_DATA);
}

/* Maps [start, end) in the linear map. The image's text and constants are
 * mapped read-only. */
static bool map_linear(uint64_t root, uint64_t start, uint64_t end)
{
	uint64_t low = (uint64_t)__image_start, high = (uint64_t)__rodata_end;
	uint64_t cut[4] = {start, low, high, end};

	for (unsigned i = 0; i < 3; i++) {
		uint64_t from = cut[i] > start ? cut[i] : start;
		uint64_t to = cut[i + 1] < end ? cut[i + 1] : end;
		uint64_t bits = PTE_KERNEL_DATA;

		if (from >= to) {
			continue;
		}
		if (i == 1) {
			bits |= PTE_READ_ONLY;
		}
		if (!table_map(root, LINEAR_BASE + from, from,
			       (to - from) >> PAGE_SHIFT, bits, true)) {
			return false;
		}
	}
	return true;
}

static bool map_ram(uint64_t root, const struct boot_info *info)
{
	for (uint64_t at = 0; at + sizeof(struct cz_efi_memory_descriptor) <=
			      info->memory_map_size;
	     at += info->descriptor_size) {
		const struct cz_efi_memory_descriptor *entry =
			(const void *)(info->memory_map + at);
		uint64_t start = entry->physical_start;
		uint64_t pages = entry->number_of_pages;

		if (!ram_is_linear(entry)) {
			continue;
		}
		if ((start & (PAGE_SIZE - 1)) != 0 || start >= LINEAR_SIZE ||
		    pages > (LINEAR_SIZE - start) >> PAGE_SHIFT ||
		    !map_linear(root, start, start + (pages << PAGE_SHIFT))) {
			return false;
		}
	}
	return true;
}

bool early_map(struct boot_info *info, struct early_tables *tables)
{
	early_next = info->early_base;
	early_end = info->early_base + info->early_size;
	table_page = early_page;
	table_alias = 0;
	tables->identity = early_page();
	tables->kernel = early_page();
	if (!map_image(tables->kernel) || !map_ram(tables->kernel, info) ||
	    !table_map(tables->identity, (uint64_t)__text_start,
		       (uint64_t)__text_start,
		       (uint64_t)(__text_end - __text_start) >> PAGE_SHIFT,
		       PTE_NORMAL | PTE_READ_ONLY | PTE_UXN, false)) {
		return false;
	}
	tables->empty = early_page();
	tables->left = early_next;
	return tables->empty != 0;
}

/* Writes a range back from the caches to memory, because it will be read with
 * the MMU off. */
static void clean_range(uint64_t start, uint64_t size)
{
	uint64_t ctr, line;

	__asm__ volatile("mrs %0, ctr_el0" : "=r"(ctr));
	line = 4ull << ((ctr >> 16) & 15);
	for (uint64_t at = start & ~(line - 1); at < start + size; at += line) {
		__asm__ volatile("dc civac, %0" ::"r"(at) : "memory");
	}
	__asm__ volatile("dsb sy" ::: "memory");
}

void early_clean(const struct boot_info *info)
{
	clean_range((uint64_t)__image_start,
		    (uint64_t)(__image_end - __image_start));
	clean_range(info->early_base, info->early_size);
}
