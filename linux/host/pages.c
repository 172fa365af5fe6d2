/* SPDX-License-Identifier: MIT */
#include "host/pages.h"
#include "host/process.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* ---- Parts ---- */

int pages_prot(uint32_t prot)
{
	return PROT_READ | ((prot & CZ_PROT_WRITE) != 0 ? PROT_WRITE : 0) |
	       ((prot & CZ_PROT_EXEC) != 0 ? PROT_EXEC : 0);
}

bool pages_add(struct cz_host *host, const struct host_part *part)
{
	for (unsigned i = 0; i < host->part_count; i++) {
		if (host->part[i].address == part->address) {
			host->part[i] = *part;
			return true;
		}
	}
	if (host->part_count == HOST_MAX_PARTS) {
		return false;
	}
	host->part[host->part_count++] = *part;
	return true;
}

void pages_remove(struct cz_host *host, uint64_t address)
{
	for (unsigned i = 0; i < host->part_count; i++) {
		if (host->part[i].address == address) {
			host->part[i] = host->part[--host->part_count];
			return;
		}
	}
}

static bool part_holds(const struct host_part *part, uint64_t address,
		       uint32_t bytes)
{
	return address - part->address < part->size_bytes &&
	       bytes <= part->size_bytes - (address - part->address);
}

static struct host_part *part_of(struct cz_host *host, uint64_t address,
				 uint32_t bytes)
{
	for (unsigned i = 0; i < host->part_count; i++) {
		if (part_holds(&host->part[i], address, bytes)) {
			return &host->part[i];
		}
	}
	return NULL;
}

/* ---- Pages that a call has written ---- */

/* Firmware mostly writes pages in ascending order. So once a page is dirty, the
 * next fault behind it opens up to eight pages at once. */
#define PAGES_AHEAD 8u

static void open_pages(struct host_part *part, uint64_t first, uint64_t count)
{
	if (mprotect((uint8_t *)(uintptr_t)part->address +
			     first * CZ_EFI_PAGE_SIZE,
		     count * CZ_EFI_PAGE_SIZE, pages_prot(part->prot)) != 0) {
		abort();
	}
	memset(part->dirty + first, 1, count);
}

bool pages_wrote(struct cz_host *host, uint64_t address)
{
	struct host_part *part = part_of(host, address, 1);
	uint64_t page, count = 1, rest;

	if (part == NULL || part->dirty == NULL ||
	    (part->prot & CZ_PROT_WRITE) == 0) {
		return false;
	}
	page = (address - part->address) / CZ_EFI_PAGE_SIZE;
	if (part->dirty[page] != 0) {
		return false;
	}
	if (page > 0 && part->dirty[page - 1] != 0) {
		rest = part->size_bytes / CZ_EFI_PAGE_SIZE - page;
		count = rest < PAGES_AHEAD ? rest : PAGES_AHEAD;
	}
	open_pages(part, page, count);
	return true;
}

/* Closes runs of adjacent pages by one call each. */
static void close_pages(struct host_part *part)
{
	uint64_t count = part->size_bytes / CZ_EFI_PAGE_SIZE, end;
	uint8_t *start = (uint8_t *)(uintptr_t)part->address;

	for (uint64_t i = 0; i < count; i = end) {
		end = i + 1;
		if (part->dirty[i] == 0) {
			continue;
		}
		while (end < count && part->dirty[end] != 0) {
			end++;
		}
		if (mprotect(start + i * CZ_EFI_PAGE_SIZE,
			     (end - i) * CZ_EFI_PAGE_SIZE,
			     pages_prot(part->prot & ~CZ_PROT_WRITE)) != 0) {
			abort();
		}
		memset(part->dirty + i, 0, end - i);
	}
}

void pages_close(struct cz_host *host)
{
	for (unsigned i = 0; i < host->part_count; i++) {
		if (host->part[i].dirty != NULL) {
			close_pages(&host->part[i]);
		}
	}
}

/* Called for each instruction that flash_fault() executes, and for each of its
 * accesses. Most of them are in the same part as the last of their kind. */
void *pages_reach(void *context, uint64_t address, uint32_t bytes,
		  enum flash_reach how)
{
	static const uint32_t needed[] = {
		[FLASH_REACH_READ] = CZ_PROT_READ,
		[FLASH_REACH_WRITE] = CZ_PROT_WRITE,
		[FLASH_REACH_EXECUTE] = CZ_PROT_EXEC,
	};
	struct cz_host *host = context;
	struct host_part *part = host->part_recent[how];

	if (part == NULL || part >= host->part + host->part_count ||
	    !part_holds(part, address, bytes)) {
		part = part_of(host, address, bytes);
		if (part == NULL) {
			return NULL;
		}
		host->part_recent[how] = part;
	}
	if ((part->prot & needed[how]) == 0) {
		return NULL;
	}
	if (how == FLASH_REACH_WRITE && part->dirty != NULL) {
		/* The daemon makes this store itself, so that no fault will
		 * open the page. */
		(void)pages_wrote(host, address);
		(void)pages_wrote(host, address + bytes - 1);
	}
	return (void *)(uintptr_t)address;
}
