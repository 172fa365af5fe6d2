/* SPDX-License-Identifier: MIT */
/*
 * Firmware's address space: its regions, the window with stack, trampoline and
 * arguments, and the additional mappings while SetVirtualAddressMap runs.
 */
#include "call.h"
#include "gate.h"

static cz_status map(struct cz *cz, const struct cz_mapping *mapping)
{
	if (cz_host_space_map(cz->host, cz->space, mapping)) {
		return CZ_OK;
	}
	cz_error(cz->host, "the host could not map %zu pages at 0x%llx",
		 mapping->page_count, cz_ull(mapping->address));
	return CZ_E_HOST;
}

static cz_status map_region(struct cz *cz, const struct cz_region *region,
			    uint64_t address, uint32_t prot)
{
	struct cz_mapping mapping = {
		.address = address,
		.cookie = region->physical,
		.page_count = region->page_count,
		.backing = CZ_BACKING_FIRMWARE,
		.type = region->type,
		.prot = prot,
	};

	return map(cz, &mapping);
}

static cz_status map_pages(struct cz *cz, const struct cz_host_pages *pages,
			   uint64_t window_page, size_t count, uint32_t prot)
{
	struct cz_mapping mapping = {
		.address = cz->window_address + window_page * CZ_PAGE,
		.cookie = pages->cookie,
		.page_count = count,
		.backing = CZ_BACKING_PAGES,
		.type = CZ_MEMORY_WRITE_BACK,
		.prot = prot,
	};

	return map(cz, &mapping);
}

static void unmap_pages(struct cz *cz, uint64_t window_page, size_t count)
{
	cz_host_space_unmap(cz->host, cz->space,
			    cz->window_address + window_page * CZ_PAGE, count);
}

/* Maps and unmaps every page of the arguments' part of the window once, so that
 * the host allocates its page tables now and not during a call. */
static cz_status preallocate_window(struct cz *cz)
{
	const struct cz_host_pages *pages = &cz->requests[0].pages;
	uint64_t page = CZ_WINDOW_ARGUMENT_PAGE;

	while (page < cz->window_pages) {
		size_t count = cz->window_pages - page;
		cz_status status;

		if (count > pages->count) {
			count = pages->count;
		}
		status = map_pages(cz, pages, page, count,
				   CZ_PROT_READ | CZ_PROT_WRITE);
		if (status != CZ_OK) {
			return status;
		}
		unmap_pages(cz, page, count);
		page += count;
	}
	return CZ_OK;
}

/* ---- SetVirtualAddressMap ---- */

static bool overlaps(uint64_t a, uint64_t a_pages, uint64_t b, uint64_t b_pages)
{
	return a < b + b_pages * CZ_PAGE && b < a + a_pages * CZ_PAGE;
}

/* Checks that every region fits at its physical and at its virtual address:
 * while SetVirtualAddressMap runs, it is mapped at both. */
static cz_status check_both_fit(struct cz *cz)
{
	for (uint32_t i = 0; i < cz->region_count; i++) {
		for (uint32_t j = 0; j < cz->region_count; j++) {
			const struct cz_region *a = &cz->regions[i];
			const struct cz_region *b = &cz->regions[j];

			if (!overlaps(a->physical, a->page_count, b->address,
				      b->page_count) ||
			    (i == j && a->physical == a->address)) {
				continue;
			}
			cz_error(cz->host,
				 "virtual address 0x%llx overlaps the physical "
				 "addresses of the region at 0x%llx",
				 cz_ull(b->address), cz_ull(a->physical));
			return CZ_E_TABLE;
		}
	}
	return CZ_OK;
}

/* SetVirtualAddressMap relocates the drivers' images in place, so everything
 * must be writable. */
static cz_status map_for_relocation(struct cz *cz)
{
	cz_status status = check_both_fit(cz);

	for (uint32_t i = 0; i < cz->region_count && status == CZ_OK; i++) {
		const struct cz_region *region = &cz->regions[i];
		uint32_t prot = region->prot | CZ_PROT_WRITE;

		status = map_region(cz, region, region->address, prot);
		if (status == CZ_OK && region->physical != region->address) {
			status = map_region(cz, region, region->physical, prot);
		}
	}
	return status;
}

/* Devices are mapped read-only, so that the first write of each call faults:
 * see device_writes.c. */
static cz_status map_for_calls(struct cz *cz)
{
	cz_status status = CZ_OK;

	for (uint32_t i = 0; i < cz->region_count && status == CZ_OK; i++) {
		const struct cz_region *region = &cz->regions[i];
		uint32_t prot = region->prot;

		if (cz_is_watched_device(region)) {
			prot &= ~CZ_PROT_WRITE;
		}
		status = map_region(cz, region, region->address, prot);
	}
	return status;
}

static void unmap_physical(struct cz *cz)
{
	for (uint32_t i = 0; i < cz->region_count; i++) {
		const struct cz_region *region = &cz->regions[i];

		if (region->physical != region->address) {
			cz_host_space_unmap(cz->host, cz->space,
					    region->physical,
					    region->page_count);
		}
	}
}

/* Copies the runtime entries, at the distance at which the host's map has them.
 * Returns their size in bytes. Copies nothing if `to` is NULL. */
static size_t copy_map(const struct cz_memmap *from, uint8_t *to)
{
	struct cz_efi_memory_descriptor entry;
	size_t size = 0;

	for (uint32_t i = 0; i < from->count; i++) {
		if (!cz_memmap_entry(from, i, &entry) ||
		    !cz_memmap_is_runtime(&entry)) {
			continue;
		}
		if (to != NULL) {
			memcpy(to + size, from->bytes + i * from->stride,
			       from->stride);
		}
		size += from->stride;
	}
	return size;
}

static cz_status call_firmware(struct cz_boot *boot, size_t map_bytes)
{
	struct cz *cz = boot->cz;
	uint64_t registers[CZ_MAX_ARGUMENTS] = {
		map_bytes,
		boot->map.stride,
		boot->config->descriptor_version,
		cz->window_address + CZ_WINDOW_ARGUMENT_PAGE * CZ_PAGE,
	};
	uint32_t anomalies = 0;
	uint64_t enter_ns;
	uint64_t exit_ns;
	uint64_t value;
	bool kept;

	cz->ended_by = 0;
	cz_host_pin(cz->host);
	value = cz_worker_enter(cz, boot->set_virtual_address_map, registers,
				&anomalies, &enter_ns, &exit_ns);
	kept = cz_host_call_end(cz->host, CZ_SERVICE_COUNT, cz->ended_by == 0);
	cz_host_unpin(cz->host);
	for (uint32_t i = 0; i < CZ_ANOMALY_COUNT; i++) {
		if ((anomalies >> i & 1) != 0) {
			cz->stats.anomalies[i]++;
			cz_warn(cz->host,
				"SetVirtualAddressMap left %s changed: mended",
				cz_anomaly_name((enum cz_anomaly)i));
		}
	}
	if (cz->ended_by != 0) {
		cz_ending_fill(cz, CZ_SERVICE_COUNT, exit_ns - enter_ns);
		cz_ending_report(cz, "SetVirtualAddressMap");
		return cz->ended_by;
	}
	cz->touched = 0;
	return kept ? cz_worker_status(value) : CZ_E_HOST;
}

/* Calls SetVirtualAddressMap with a copy of the map. */
static cz_status set_virtual_map(struct cz_boot *boot)
{
	struct cz *cz = boot->cz;
	size_t map_bytes = copy_map(&boot->map, NULL);
	struct cz_host_pages pages;
	cz_status status;
	size_t count = (map_bytes + CZ_PAGE - 1) / CZ_PAGE;

	if (count > cz->window_pages - CZ_WINDOW_ARGUMENT_PAGE - 1 ||
	    !cz_host_pages_alloc(cz->host, count, &pages)) {
		cz_error(cz->host,
			 "the host could not allocate %zu pages for "
			 "SetVirtualAddressMap",
			 count);
		return CZ_E_NO_MEMORY;
	}
	copy_map(&boot->map, pages.alias);
	status = map_pages(cz, &pages, CZ_WINDOW_ARGUMENT_PAGE, count,
			   CZ_PROT_READ | CZ_PROT_WRITE);
	if (status == CZ_OK) {
		status = call_firmware(boot, map_bytes);
		unmap_pages(cz, CZ_WINDOW_ARGUMENT_PAGE, count);
		if (status != CZ_OK) {
			cz_error(cz->host, "SetVirtualAddressMap returned %s",
				 cz_status_name(status));
		}
	}
	cz_host_pages_free(cz->host, &pages);
	return status;
}

cz_status cz_space_relocate(struct cz_boot *boot)
{
	struct cz *cz = boot->cz;
	cz_status status;

	cz->is_relocating = true;
	status = set_virtual_map(boot);
	cz->is_relocating = false;
	if (status != CZ_OK) {
		return status;
	}
	unmap_physical(cz);
	return map_for_calls(cz);
}

/* ---- Building ---- */

static cz_status map_window(struct cz *cz)
{
	cz_status status;

	cz->stack_top = cz->window_address +
			(CZ_WINDOW_STACK_PAGE + CZ_STACK_PAGES) * CZ_PAGE;
	cz_gate_prepare(cz);
	cz_host_sync_code(cz->host, cz->trampoline.alias, CZ_PAGE);
	status = map_pages(cz, &cz->trampoline, 0, 1,
			   CZ_PROT_READ | CZ_PROT_EXEC);
	if (status != CZ_OK) {
		return status;
	}
	*(uint64_t *)cz->stack.alias = CZ_STACK_CANARY;
	status = map_pages(cz, &cz->stack, CZ_WINDOW_STACK_PAGE, CZ_STACK_PAGES,
			   CZ_PROT_READ | CZ_PROT_WRITE);
	if (status != CZ_OK) {
		return status;
	}
	return preallocate_window(cz);
}

cz_status cz_space_build(struct cz_boot *boot, bool relocating)
{
	struct cz *cz = boot->cz;
	cz_status status;

	cz->space = cz_host_space_create(cz->host, cz->gate);
	if (cz->space == NULL) {
		cz_error(cz->host,
			 "the host could not create an address space");
		return CZ_E_NO_MEMORY;
	}
	status = relocating ? map_for_relocation(cz) : map_for_calls(cz);
	if (status != CZ_OK) {
		return status;
	}
	return map_window(cz);
}
