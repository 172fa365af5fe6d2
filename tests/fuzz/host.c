/* SPDX-License-Identifier: MIT */
/* Implements the host of the fuzz targets; see fuzz.h. */
#include "fuzz.h"
#include "gate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fuzz_demand(bool held)
{
	if (!held) {
		abort();
	}
}

/* All runs share one state, of which only the used part is cleared. Allocating
 * a new one would take longer than most runs. */
struct fuzz *fuzz_start(const uint8_t *ram, size_t size)
{
	static struct fuzz fuzz;
	static size_t used;

	if (fuzz.host.ram == NULL) {
		fuzz.host.ram = calloc(1, FUZZ_RAM_BYTES);
		fuzz_demand(fuzz.host.ram != NULL);
	}
	fuzz_demand(size <= FUZZ_RAM_BYTES);
	memset(fuzz.host.ram, 0, used);
	used = size;
	if (size != 0) {
		memcpy(fuzz.host.ram, ram, size);
	}
	memset(&fuzz.cz, 0, offsetof(struct cz, regions));
	memset(&fuzz.config, 0, sizeof(fuzz.config));
	memset(&fuzz.boot, 0, sizeof(fuzz.boot));
	fuzz.cz.host = &fuzz.host;
	fuzz.cz.request_pages = 9;
	fuzz.config.host = &fuzz.host;
	fuzz.config.descriptor_version = 1;
	fuzz.config.system_table = FUZZ_RAM;
	fuzz.boot.cz = &fuzz.cz;
	fuzz.boot.config = &fuzz.config;
	return &fuzz;
}

void fuzz_sound_map(struct fuzz *fuzz)
{
	static const struct cz_efi_memory_descriptor map[] = {
		{.type = CZ_EFI_RUNTIME_SERVICES_CODE,
		 .physical_start = FUZZ_RAM,
		 .virtual_start = FUZZ_RAM + 0x10000000,
		 .number_of_pages = FUZZ_RAM_BYTES / CZ_PAGE / 2,
		 .attribute = CZ_EFI_MEMORY_WB | CZ_EFI_MEMORY_RUNTIME},
		{.type = CZ_EFI_RUNTIME_SERVICES_DATA,
		 .physical_start = FUZZ_RAM + FUZZ_RAM_BYTES / 2,
		 .virtual_start = FUZZ_RAM + 0x20000000,
		 .number_of_pages = FUZZ_RAM_BYTES / CZ_PAGE / 2,
		 .attribute = CZ_EFI_MEMORY_WB | CZ_EFI_MEMORY_RUNTIME},
		{.type = CZ_EFI_MMIO,
		 .physical_start = 0x9000000,
		 .virtual_start = 0x9000000,
		 .number_of_pages = 4,
		 .attribute = CZ_EFI_MEMORY_UC | CZ_EFI_MEMORY_RUNTIME},
	};

	fuzz->config.memory_map = map;
	fuzz->config.memory_map_size_bytes = sizeof(map);
	fuzz->config.descriptor_size_bytes = sizeof(map[0]);
	fuzz_demand(cz_memmap_open(&fuzz->boot.map, &fuzz->config) == CZ_OK);
}

void fuzz_check_regions(const struct fuzz *fuzz)
{
	const struct cz *cz = &fuzz->cz;

	fuzz_demand(cz->region_count <= CZ_MAX_REGIONS);
	for (uint32_t i = 0; i < cz->region_count; i++) {
		const struct cz_region *region = &cz->regions[i];
		uint64_t bytes = region->page_count * CZ_PAGE;
		struct cz_efi_memory_descriptor entry;

		fuzz_demand(region->page_count != 0);
		fuzz_demand(region->address % CZ_PAGE == 0);
		fuzz_demand(region->physical % CZ_PAGE == 0);
		fuzz_demand(region->address + bytes > region->address);
		fuzz_demand((region->prot & CZ_PROT_READ) != 0);
		fuzz_demand(cz_memmap_find_runtime(&fuzz->boot.map,
						   region->physical, &entry));
		fuzz_demand(region->type != CZ_MEMORY_DEVICE ||
			    (region->prot & CZ_PROT_EXEC) == 0);
		fuzz_demand(i == 0 ||
			    region[-1].address +
					    region[-1].page_count * CZ_PAGE <=
				    region->address);
	}
}

/* ---- Functions of the host that the tested code calls ---- */

void cz_host_log(struct cz_host *host, enum cz_log_level level,
		 const char *format, va_list arguments)
{
	(void)level;
	fuzz_demand(vsnprintf(host->line, sizeof(host->line), format,
			      arguments) < 256);
}

void *cz_host_firmware_alias(struct cz_host *host, uint64_t physical,
			     size_t size)
{
	if (physical < FUZZ_RAM || physical - FUZZ_RAM >= FUZZ_RAM_BYTES ||
	    size > FUZZ_RAM_BYTES - (physical - FUZZ_RAM)) {
		return NULL;
	}
	return host->ram + (physical - FUZZ_RAM);
}
