/* SPDX-License-Identifier: MIT */
/* Memory, for <caesura/host.h>: the library's own pages, aliases of firmware's
 * RAM, and firmware's address space, which is this process's. */
#include "host/chip_window.h"
#include "host/pages.h"
#include "host/process.h"
#include "host/sleep.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- Pages and aliases ---- */

bool cz_host_pages_alloc(struct cz_host *host, size_t count,
			 struct cz_host_pages *pages)
{
	uint64_t size = count * CZ_EFI_PAGE_SIZE;
	void *alias;

	if (ftruncate(host->pages_fd, (off_t)(host->pages_bytes + size)) != 0) {
		return false;
	}
	alias = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
		     host->pages_fd, (off_t)host->pages_bytes);
	if (alias == MAP_FAILED) {
		return false;
	}
	pages->alias = alias;
	pages->cookie = host->pages_bytes;
	pages->count = count;
	host->pages_bytes += size;
	return true;
}

void cz_host_pages_free(struct cz_host *host, struct cz_host_pages *pages)
{
	(void)host;
	(void)munmap(pages->alias, pages->count * CZ_EFI_PAGE_SIZE);
}

/* Returns an address in a region of RAM, or a copy of a table that lies
 * elsewhere. */
void *cz_host_firmware_alias(struct cz_host *host, uint64_t physical,
			     size_t size)
{
	void *table;

	for (unsigned i = 0; i < host->region_count; i++) {
		const struct host_region *region = &host->region[i];

		if (physical >= region->physical &&
		    physical - region->physical < region->size_bytes) {
			return region->kind == HOST_RAM
				       ? (uint8_t *)(uintptr_t)region->address +
						 (physical - region->physical)
				       : NULL;
		}
	}
	if (host->table_count == HOST_MAX_TABLES) {
		return NULL;
	}
	table = malloc(size);
	if (table == NULL ||
	    !machine_read(host->machine, physical, table, size)) {
		free(table);
		return NULL;
	}
	host->table[host->table_count++] = table;
	return table;
}

uint32_t cz_host_gates(struct cz_host *host)
{
	(void)host;
	return 1u << CZ_GATE_SANDBOX;
}

/* ---- The address space ---- */

/* There is only one address space: this process's. */
cz_host_space cz_host_space_create(struct cz_host *host, enum cz_gate gate)
{
	(void)gate;
	host->part_count = 0;
	return (cz_host_space)host;
}

void cz_host_space_destroy(struct cz_host *host, cz_host_space space)
{
	(void)host;
	(void)space;
}

/* A stray write by firmware must not outlast the call. So it must reach neither
 * the state file, which is mapped read-only, nor the chip. */
void cz_host_space_enter(struct cz_host *host, cz_host_space space)
{
	(void)space;
	if (host->state != NULL) {
		sleep_check_before_call(host);
	}
	chip_window_hide();
}

void cz_host_space_leave(struct cz_host *host, cz_host_space space)
{
	(void)host;
	(void)space;
}

/*
 * Maps RAM read-only: pages_wrote() makes a page writable at the first store to
 * it. Before that all of it is made writable once, so that the kernel accounts
 * for all of the memory now. If the kernel did so page by page later, adjacent
 * mappings would differ and could not be merged.
 */
static bool map_ram_part(struct cz_host *host, const struct host_region *region,
			 const struct cz_mapping *mapping)
{
	struct host_part part = {
		.address = mapping->address,
		.size_bytes = mapping->page_count * CZ_EFI_PAGE_SIZE,
		.prot = mapping->prot,
		.dirty =
			host->dirty[region->number] +
			(mapping->address - region->address) / CZ_EFI_PAGE_SIZE,
	};

	void *at = (void *)(uintptr_t)part.address;

	return mprotect(at, part.size_bytes, pages_prot(part.prot)) == 0 &&
	       mprotect(at, part.size_bytes,
			pages_prot(part.prot & ~CZ_PROT_WRITE)) == 0 &&
	       pages_add(host, &part);
}

static bool map_firmware(struct cz_host *host, const struct cz_mapping *mapping)
{
	uint64_t size = mapping->page_count * CZ_EFI_PAGE_SIZE;

	for (unsigned i = 0; i < host->region_count; i++) {
		const struct host_region *region = &host->region[i];

		if (mapping->cookie < region->physical ||
		    mapping->cookie - region->physical >= region->size_bytes) {
			continue;
		}
		if (region->kind == HOST_FLASH) {
			/* flash_copy.c sets the protection of the copy */
			return true;
		}
		return region->kind == HOST_RAM
			       ? map_ram_part(host, region, mapping)
			       : mprotect((void *)(uintptr_t)mapping->address,
					  size, pages_prot(mapping->prot)) == 0;
	}
	return false;
}

bool cz_host_space_map(struct cz_host *host, cz_host_space space,
		       const struct cz_mapping *mapping)
{
	void *at = (void *)(uintptr_t)mapping->address;
	uint64_t size = mapping->page_count * CZ_EFI_PAGE_SIZE;

	(void)space;
	if (mapping->backing == CZ_BACKING_FIRMWARE) {
		return map_firmware(host, mapping);
	}
	return mmap(at, size, pages_prot(mapping->prot), MAP_SHARED | MAP_FIXED,
		    host->pages_fd, (off_t)mapping->cookie) == at &&
	       pages_add(host, &(struct host_part){.address = mapping->address,
						   .size_bytes = size,
						   .prot = mapping->prot});
}

/* Reserves the range again, so that nothing else is mapped there. */
void cz_host_space_unmap(struct cz_host *host, cz_host_space space,
			 uint64_t address, size_t page_count)
{
	(void)space;
	if (mmap((void *)(uintptr_t)address, page_count * CZ_EFI_PAGE_SIZE,
		 PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
		 0) == MAP_FAILED) {
		abort();
	}
	pages_remove(host, address);
}

void cz_host_sync_code(struct cz_host *host, const void *alias, size_t size)
{
	(void)host;
	__builtin___clear_cache((char *)(uintptr_t)alias,
				(char *)(uintptr_t)alias + size);
}

/* A process cannot make secure calls. */
bool cz_host_secure_call(struct cz_host *host, enum cz_conduit conduit,
			 uint64_t registers[18])
{
	(void)host;
	(void)conduit;
	(void)registers;
	return false;
}
