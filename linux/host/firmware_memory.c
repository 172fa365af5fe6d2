/* SPDX-License-Identifier: MIT */
/* Firmware's memory in this process, all at firmware's own addresses: RAM as
 * private mappings of the state file, flash as a copy, other devices directly.
 * The library's pages are in a window elsewhere. */
#include "host/firmware_memory.h"
#include "host/chip_window.h"
#include "host/devices.h"
#include "host/origin.h"
#include "host/process.h"
#include "host/report.h"
#include "host/sleep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define WINDOW_BYTES (64ull << 20)
/* A larger device must be a flash chip, a smaller one a clock. */
#define MAX_CLOCK_BYTES (64ull << 10)

/* ---- Regions of the memory map ---- */

static bool is_direct(const struct cz_host *host, uint64_t physical)
{
	for (unsigned i = 0; i < host->options.direct_count; i++) {
		if (host->options.direct[i] == physical) {
			return true;
		}
	}
	return false;
}

static enum host_memory kind_of(const struct cz_host *host,
				const struct cz_efi_memory_descriptor *entry)
{
	uint64_t size = entry->number_of_pages * CZ_EFI_PAGE_SIZE;

	if (entry->type == CZ_EFI_RUNTIME_SERVICES_CODE ||
	    entry->type == CZ_EFI_RUNTIME_SERVICES_DATA) {
		return HOST_RAM;
	}
	if (is_direct(host, entry->physical_start)) {
		return HOST_DIRECT;
	}
	return size > MAX_CLOCK_BYTES ? HOST_FLASH : HOST_CLOCK;
}

/* The judgement says where this machine's variables persist, and so why it is
 * refused. */
static bool refuse(struct cz_host *host)
{
	return report_fail(host, "%s", persist_judge(&host->facts).line);
}

static bool refuse_shared(struct cz_host *host,
			  const struct cz_efi_memory_descriptor *entry)
{
	host->facts.has_shared_ram = true;
	host->facts.shared_address = entry->physical_start;
	host->facts.shared_bytes = entry->number_of_pages * CZ_EFI_PAGE_SIZE;
	return refuse(host);
}

static bool add_region(struct cz_host *host,
		       const struct cz_efi_memory_descriptor *entry,
		       unsigned *ram)
{
	enum host_memory kind = kind_of(host, entry);
	struct host_region *region = &host->region[host->region_count];

	if (host->region_count ==
		    sizeof(host->region) / sizeof(host->region[0]) ||
	    (kind == HOST_RAM && *ram == STATE_MAX_REGIONS)) {
		return report_fail(host,
				   "firmware has more than %u runtime regions",
				   host->region_count);
	}
	*region = (struct host_region){
		.kind = kind,
		.physical = entry->physical_start,
		/* 0: the EFI stub did not move firmware. */
		.address = entry->virtual_start != 0 ? entry->virtual_start
						     : entry->physical_start,
		.size_bytes = entry->number_of_pages * CZ_EFI_PAGE_SIZE,
		.number = kind == HOST_RAM ? (*ram)++ : 0,
	};
	host->region_count++;
	return true;
}

/* Whether each address of --direct is the start of a device. */
static bool are_all_there(struct cz_host *host)
{
	for (unsigned i = 0; i < host->options.direct_count; i++) {
		uint64_t address = host->options.direct[i];
		unsigned j = 0;

		while (j < host->region_count &&
		       (host->region[j].kind != HOST_DIRECT ||
			host->region[j].physical != address)) {
			j++;
		}
		if (j == host->region_count) {
			return report_fail(host,
					   "--direct 0x%llx: no runtime device "
					   "of firmware starts there",
					   ull(address));
		}
	}
	return true;
}

static bool find_regions(struct cz_host *host, unsigned *ram)
{
	struct cz_efi_memory_descriptor entry;

	*ram = 0;
	for (uint32_t i = 0; machine_entry(host->machine, i, &entry); i++) {
		if ((entry.attribute & CZ_EFI_MEMORY_RUNTIME) == 0 ||
		    entry.number_of_pages == 0) {
			continue;
		}
		if (entry.number_of_pages > (1ull << 20)) {
			return report_fail(
				host,
				"entry %u of the memory map [0x%llx, %llu "
				"pages] is too large",
				i, ull(entry.physical_start),
				ull(entry.number_of_pages));
		}
		if (persist_is_shared(&entry)) {
			return refuse_shared(host, &entry);
		}
		if (!add_region(host, &entry, ram)) {
			return false;
		}
	}
	if (*ram == 0) {
		return report_fail(
			host, "the memory map has no runtime regions of RAM");
	}
	return are_all_there(host);
}

/* ---- RAM, from the state file ---- */

static bool map_ram(struct cz_host *host)
{
	for (unsigned i = 0; i < host->region_count; i++) {
		const struct host_region *region = &host->region[i];
		void *at = (void *)(uintptr_t)region->address;

		if (region->kind != HOST_RAM) {
			continue;
		}
		if (mmap(at, region->size_bytes, PROT_READ,
			 MAP_PRIVATE | MAP_FIXED_NOREPLACE,
			 state_fd(host->state),
			 (off_t)state_region_offset(host->state,
						    region->number)) != at) {
			return report_fail(
				host,
				"firmware's RAM cannot be mapped at 0x%llx: %s",
				ull(region->address), strerror(errno));
		}
		host->mapping[region->number] = at;
		host->dirty[region->number] =
			calloc(region->size_bytes / CZ_EFI_PAGE_SIZE, 1);
		if (host->dirty[region->number] == NULL) {
			return report_fail(host, "no memory");
		}
	}
	return true;
}

/* Searches RAM for signs of where variables persist. */
static void look_for_places(struct cz_host *host)
{
	for (unsigned i = 0; i < host->region_count; i++) {
		const struct host_region *region = &host->region[i];

		if (region->kind == HOST_RAM) {
			persist_look(&host->facts,
				     (void *)(uintptr_t)region->address,
				     region->size_bytes);
		}
	}
}

/* ---- All regions ---- */

static bool open_window(struct cz_host *host)
{
	void *window = mmap(NULL, WINDOW_BYTES, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	host->pages_fd = memfd_create("pages", MFD_CLOEXEC);
	if (window == MAP_FAILED || host->pages_fd < 0) {
		return report_fail(host,
				   "no window for the library's pages: %s",
				   strerror(errno));
	}
	host->window_address = (uint64_t)(uintptr_t)window;
	host->window_bytes = WINDOW_BYTES;
	return true;
}

bool firmware_memory_open(struct cz_host *host)
{
	const struct flash_port *chip_found;
	struct flash_port port;
	bool was_pending = false;
	unsigned ram;

	host->pages_fd = -1;
	host->ram.before_put = sleep_check;
	host->ram.context = host;
	sleep_watch(host);
	if (!find_regions(host, &ram) || !open_window(host) ||
	    !devices_open(host)) {
		return false;
	}
	port = chip_window_port(host->flash_bytes);
	chip_found = host->flash == NULL ? NULL : &port;
	if (!origin_open(host, ram, chip_found)) {
		return false;
	}
	/* The chip's content decides whether RAM is up to date, so it comes
	 * first. */
	if (!origin_recover(host, chip_found, &was_pending)) {
		return false;
	}
	/* From here on flash_is_same() compares the store. Without this it
	 * would not before firmware's first access, and the machine may have
	 * slept by then. */
	if (host->flash != NULL) {
		flash_read_ahead(host->flash, host->store_offset,
				 host->store_bytes);
	}
	if (was_pending) {
		report_log(host, CZ_LOG_WARNING,
			   "completed the commit of a daemon that was killed");
	}
	if (!map_ram(host)) {
		return false;
	}
	look_for_places(host);
	return true;
}

void firmware_memory_range(const struct cz_host *host, uint64_t *low,
			   uint64_t *end)
{
	*low = UINT64_MAX;
	*end = 0;
	for (unsigned i = 0; i < host->region_count; i++) {
		const struct host_region *region = &host->region[i];

		if (region->address < *low) {
			*low = region->address;
		}
		if (region->address + region->size_bytes > *end) {
			*end = region->address + region->size_bytes;
		}
	}
}

void firmware_memory_changing_code(const struct cz_host *host, uint64_t *low,
				   uint64_t *end)
{
	const uint32_t both = CZ_PROT_WRITE | CZ_PROT_EXEC;

	*low = 0;
	*end = 0;
	for (unsigned i = 0; i < host->part_count; i++) {
		const struct host_part *part = &host->part[i];

		if ((part->prot & both) != both) {
			continue;
		}
		if (*end == 0 || part->address < *low) {
			*low = part->address;
		}
		if (part->address + part->size_bytes > *end) {
			*end = part->address + part->size_bytes;
		}
	}
}
