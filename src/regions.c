/* SPDX-License-Identifier: MIT */
/*
 * The regions of firmware's address space, with their memory types and
 * protections, and the place of the window, which the library itself uses.
 */
#include "core.h"

#define LOWEST_WINDOW (1ull << 20)
#define ADDRESS_END (1ull << 47)

static uint64_t region_end(const struct cz_region *region)
{
	return region->address + region->page_count * CZ_PAGE;
}

static enum cz_memory_type
memory_type(const struct cz_efi_memory_descriptor *entry)
{
	if (entry->type == CZ_EFI_MMIO || entry->type == CZ_EFI_MMIO_PORT) {
		return CZ_MEMORY_DEVICE;
	}
	if ((entry->attribute & CZ_EFI_MEMORY_WB) != 0) {
		return CZ_MEMORY_WRITE_BACK;
	}
	if ((entry->attribute & (CZ_EFI_MEMORY_WC | CZ_EFI_MEMORY_WT)) != 0) {
		return CZ_MEMORY_NON_CACHEABLE;
	}
	return CZ_MEMORY_DEVICE;
}

/* Returns whether `next` begins where `region` ends, and has the same
 * attributes. */
static bool continues(const struct cz_region *region,
		      const struct cz_region *next)
{
	return region_end(region) == next->address &&
	       region->physical + region->page_count * CZ_PAGE ==
		       next->physical &&
	       region->type == next->type && region->prot == next->prot &&
	       region->efi_type == next->efi_type;
}

/* Inserts a region, sorted by address, or merges it with the one before.
 * Returns false when it overlaps another one. */
static bool insert(struct cz *cz, const struct cz_region *region)
{
	struct cz_region *regions = cz->regions;
	uint32_t at = cz->region_count;

	while (at > 0 && regions[at - 1].address > region->address) {
		at--;
	}
	if ((at > 0 && region_end(&regions[at - 1]) > region->address) ||
	    (at < cz->region_count &&
	     region_end(region) > regions[at].address)) {
		return false;
	}
	if (at > 0 && continues(&regions[at - 1], region)) {
		regions[at - 1].page_count += region->page_count;
		return true;
	}
	memmove(&regions[at + 1], &regions[at],
		(cz->region_count - at) * sizeof(*regions));
	regions[at] = *region;
	cz->region_count++;
	return true;
}

cz_status cz_regions_add(struct cz_boot *boot,
			 const struct cz_efi_memory_descriptor *entry,
			 uint64_t physical, uint64_t page_count, uint32_t prot,
			 const char *what, uint32_t number)
{
	struct cz *cz = boot->cz;
	struct cz_region region = {
		.physical = physical,
		.address = cz_memmap_address(&boot->map, entry) + physical -
			   entry->physical_start,
		.page_count = page_count,
		.type = memory_type(entry),
		.prot = prot,
		.efi_type = entry->type,
	};

	/* Instruction fetches from a device can have side effects. */
	if (region.type == CZ_MEMORY_DEVICE) {
		region.prot &= ~CZ_PROT_EXEC;
	}
	if (cz->region_count == CZ_MAX_REGIONS) {
		cz_error(cz->host, "%s entry %u: more than %u regions", what,
			 number, CZ_MAX_REGIONS);
		return CZ_E_TABLE;
	}
	if (!insert(cz, &region)) {
		cz_error(cz->host,
			 "%s entry %u [0x%llx-0x%llx] overlaps another at "
			 "0x%llx",
			 what, number, cz_ull(physical),
			 cz_ull(physical + page_count * CZ_PAGE),
			 cz_ull(region.address));
		return CZ_E_TABLE;
	}
	return CZ_OK;
}

/* Adds an entry of the memory map, unless the memory attributes table describes
 * its parts. */
static cz_status add_entry(struct cz_boot *boot, uint32_t number)
{
	struct cz_efi_memory_descriptor entry;
	uint32_t prot = CZ_PROT_READ | CZ_PROT_WRITE;

	if (!cz_memmap_entry(&boot->map, number, &entry) ||
	    !cz_memmap_is_runtime(&entry)) {
		return CZ_OK;
	}
	if (boot->attributes_table != 0 &&
	    (entry.type == CZ_EFI_RUNTIME_SERVICES_CODE ||
	     entry.type == CZ_EFI_RUNTIME_SERVICES_DATA)) {
		return CZ_OK;
	}
	if (entry.type == CZ_EFI_RUNTIME_SERVICES_CODE) {
		prot |= CZ_PROT_EXEC;
	}
	return cz_regions_add(boot, &entry, entry.physical_start,
			      entry.number_of_pages, prot, "memory map",
			      number);
}

cz_status cz_regions_build(struct cz_boot *boot)
{
	cz_status status = CZ_OK;

	for (uint32_t i = 0; i < boot->map.count && status == CZ_OK; i++) {
		status = add_entry(boot, i);
	}
	return status;
}

const struct cz_region *cz_find_region(const struct cz *cz, uint64_t address)
{
	for (uint32_t i = 0; i < cz->region_count; i++) {
		const struct cz_region *region = &cz->regions[i];
		uint64_t bytes = region->page_count * CZ_PAGE;

		if (address - region->address < bytes ||
		    (cz->is_relocating && address - region->physical < bytes)) {
			return region;
		}
	}
	return NULL;
}

/* ---- The window ---- */

static bool touches(uint64_t start, uint64_t end, uint64_t other,
		    uint64_t other_end)
{
	return start < other_end && other < end;
}

/* Returns the end of an entry of the memory map that overlaps [start, end), in
 * physical or in firmware's addresses; 0 if there is none. */
static uint64_t occupied(const struct cz_memmap *map, uint64_t start,
			 uint64_t end)
{
	struct cz_efi_memory_descriptor entry;

	for (uint32_t i = 0; i < map->count; i++) {
		uint64_t address;
		uint64_t size;

		if (!cz_memmap_entry(map, i, &entry)) {
			continue;
		}
		if (touches(start, end, entry.physical_start,
			    cz_entry_end(&entry))) {
			return cz_entry_end(&entry);
		}
		address = cz_memmap_address(map, &entry);
		size = entry.number_of_pages * CZ_EFI_PAGE_SIZE;
		if (cz_memmap_is_runtime(&entry) &&
		    touches(start, end, address, address + size)) {
			return address + size;
		}
	}
	return 0;
}

/* Returns the highest end, up to ADDRESS_END, of all entries of the memory
 * map. */
static uint64_t highest_end(const struct cz_memmap *map)
{
	struct cz_efi_memory_descriptor entry;
	uint64_t highest = LOWEST_WINDOW;

	for (uint32_t i = 0; i < map->count; i++) {
		uint64_t end;

		if (!cz_memmap_entry(map, i, &entry)) {
			continue;
		}
		end = cz_entry_end(&entry);
		if (end > highest && end <= ADDRESS_END) {
			highest = end;
		}
		end = cz_memmap_address(map, &entry) +
		      entry.number_of_pages * CZ_EFI_PAGE_SIZE;
		if (cz_memmap_is_runtime(&entry) && end > highest &&
		    end <= ADDRESS_END) {
			highest = end;
		}
	}
	return highest;
}

/* Returns the first free address from `start` on, aligned to the size; 0 if
 * there is none. */
static uint64_t search(const struct cz_memmap *map, uint64_t start,
		       uint64_t size)
{
	uint64_t at = cz_align_up(start, size);

	while (at <= ADDRESS_END - size) {
		uint64_t end = occupied(map, at, at + size);

		if (end == 0) {
			return at;
		}
		if (end > ADDRESS_END) {
			return 0;
		}
		at = cz_align_up(end, size);
	}
	return 0;
}

static cz_status check_window(struct cz_boot *boot)
{
	const struct cz_config *config = boot->config;
	uint64_t start = config->window_address;
	uint64_t size = config->window_bytes;

	if (start % CZ_PAGE != 0 || size % CZ_PAGE != 0 ||
	    size < CZ_WINDOW_MIN_BYTES || size > UINT64_MAX - start) {
		cz_error(config->host,
			 "window [0x%llx, 0x%llx bytes] is not "
			 "aligned, too small or wraps around",
			 cz_ull(start), cz_ull(size));
		return CZ_E_ARGUMENT;
	}
	if (occupied(&boot->map, start, start + size) != 0) {
		cz_error(config->host,
			 "window [0x%llx-0x%llx] is not free in the memory map",
			 cz_ull(start), cz_ull(start + size));
		return CZ_E_ARGUMENT;
	}
	boot->cz->window_address = start;
	boot->cz->window_pages = size / CZ_PAGE;
	return CZ_OK;
}

static cz_status find_window(struct cz_boot *boot)
{
	uint64_t highest = highest_end(&boot->map);
	uint64_t size = CZ_WINDOW_MAX_BYTES;

	for (; size >= CZ_WINDOW_MIN_BYTES; size /= 2) {
		uint64_t at = search(&boot->map, highest, size);

		if (at == 0) {
			at = search(&boot->map, LOWEST_WINDOW, size);
		}
		if (at != 0) {
			boot->cz->window_address = at;
			boot->cz->window_pages = size / CZ_PAGE;
			return CZ_OK;
		}
	}
	cz_error(boot->cz->host, "no free window below 0x%llx",
		 cz_ull(ADDRESS_END));
	return CZ_E_TABLE;
}

cz_status cz_window_place(struct cz_boot *boot)
{
	struct cz *cz = boot->cz;
	cz_status status;

	if (boot->config->window_address != 0) {
		status = check_window(boot);
	} else {
		status = find_window(boot);
	}
	/* The arguments' part must have room for two requests with their guard
	 * pages: one of the queue, and at the end that of cz_call_now(). */
	if (status == CZ_OK &&
	    (cz->request_pages + 1) * 2ull >
		    cz->window_pages - CZ_WINDOW_ARGUMENT_PAGE) {
		cz_error(cz->host,
			 "window of %llu pages is too small for requests of "
			 "%u pages",
			 cz_ull(cz->window_pages), cz->request_pages);
		status = CZ_E_ARGUMENT;
	}
	cz->next_window_page = CZ_WINDOW_ARGUMENT_PAGE;
	cz->direct_window_page = cz->window_pages - (cz->request_pages + 1);
	return status;
}
