/* SPDX-License-Identifier: MIT */
/* Fuzzes the reading of the memory map. The input is a byte with the size of an
 * entry, one with the map mode, and the entries. A map that is accepted must
 * result in valid regions and a window that overlaps nothing. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

static void check_window(const struct fuzz *fuzz)
{
	uint64_t start = fuzz->cz.window_address;
	uint64_t end = start + fuzz->cz.window_pages * CZ_PAGE;
	struct cz_efi_memory_descriptor entry;

	fuzz_demand(start >= 1u << 20 && end > start && end <= 1ull << 47);
	for (uint32_t i = 0; i < fuzz->boot.map.count; i++) {
		uint64_t address;

		if (!cz_memmap_entry(&fuzz->boot.map, i, &entry)) {
			continue;
		}
		fuzz_demand(cz_entry_end(&entry) <= start ||
			    entry.physical_start >= end);
		address = cz_memmap_address(&fuzz->boot.map, &entry);
		fuzz_demand(!cz_memmap_is_runtime(&entry) ||
			    address + entry.number_of_pages * CZ_PAGE <=
				    start ||
			    address >= end);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz *fuzz;
	uint8_t *map;

	if (size < 2 || size > 8192) {
		return 0;
	}
	fuzz = fuzz_start(NULL, 0);
	/* The copy has exactly the map's size, so that the sanitizer reports a
	 * read past its end. */
	map = malloc(size - 2 + (size == 2));
	fuzz_demand(map != NULL);
	memcpy(map, data + 2, size - 2);
	fuzz->config.memory_map = map;
	fuzz->config.memory_map_size_bytes = size - 2;
	fuzz->config.descriptor_size_bytes = data[0];
	fuzz->config.map_mode = data[1] % 3;
	fuzz->cz.map_mode = fuzz->config.map_mode;
	if (cz_memmap_open(&fuzz->boot.map, &fuzz->config) == CZ_OK &&
	    cz_regions_build(&fuzz->boot) == CZ_OK &&
	    cz_memattr_regions(&fuzz->boot) == CZ_OK) {
		fuzz_check_regions(fuzz);
		cz_images_find(&fuzz->boot);
		if (cz_window_place(&fuzz->boot) == CZ_OK) {
			check_window(fuzz);
		}
	}
	free(map);
	return 0;
}
