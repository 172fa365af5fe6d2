/* SPDX-License-Identifier: MIT */
/*
 * The memory map as GetMemoryMap returned it (UEFI 2.11 section 7.2.3). It is
 * untrusted input: it is checked once, and then read entry by entry. If an
 * entry that firmware uses at run time is malformed, the map is rejected. Other
 * malformed entries are skipped.
 */
#include "core.h"

#define MAX_ENTRIES 4096u
#define MAX_STRIDE 4096u

static bool well_formed(const struct cz_efi_memory_descriptor *entry)
{
	uint64_t first = entry->physical_start / CZ_EFI_PAGE_SIZE;

	return entry->physical_start % CZ_EFI_PAGE_SIZE == 0 &&
	       entry->number_of_pages != 0 &&
	       entry->number_of_pages <= UINT64_MAX / CZ_EFI_PAGE_SIZE - first;
}

static void read_entry(const struct cz_memmap *map, uint32_t number,
		       struct cz_efi_memory_descriptor *entry)
{
	memcpy(entry, map->bytes + (size_t)number * map->stride,
	       sizeof(*entry));
}

bool cz_memmap_entry(const struct cz_memmap *map, uint32_t number,
		     struct cz_efi_memory_descriptor *entry)
{
	read_entry(map, number, entry);
	return well_formed(entry);
}

/* Returns whether this type of memory belongs to the operating system after
 * ExitBootServices(). */
static bool is_os_memory(uint32_t type)
{
	return (type >= CZ_EFI_LOADER_CODE &&
		type <= CZ_EFI_BOOT_SERVICES_DATA) ||
	       type == CZ_EFI_CONVENTIONAL || type == CZ_EFI_UNUSABLE ||
	       type == CZ_EFI_PERSISTENT || type == CZ_EFI_UNACCEPTED;
}

bool cz_memmap_is_runtime(const struct cz_efi_memory_descriptor *entry)
{
	return (entry->attribute & CZ_EFI_MEMORY_RUNTIME) != 0 &&
	       !is_os_memory(entry->type);
}

uint64_t cz_memmap_address(const struct cz_memmap *map,
			   const struct cz_efi_memory_descriptor *entry)
{
	if (map->mode == CZ_MAP_IDENTITY) {
		return entry->physical_start;
	}
	return entry->virtual_start;
}

bool cz_memmap_find(const struct cz_memmap *map, uint64_t physical,
		    struct cz_efi_memory_descriptor *entry)
{
	for (uint32_t i = 0; i < map->count; i++) {
		if (cz_memmap_entry(map, i, entry) &&
		    physical >= entry->physical_start &&
		    physical < cz_entry_end(entry)) {
			return true;
		}
	}
	return false;
}

bool cz_memmap_find_runtime(const struct cz_memmap *map, uint64_t physical,
			    struct cz_efi_memory_descriptor *entry)
{
	return cz_memmap_find(map, physical, entry) &&
	       cz_memmap_is_runtime(entry);
}

bool cz_memmap_holds(const struct cz_memmap *map, uint64_t physical,
		     uint64_t size)
{
	struct cz_efi_memory_descriptor entry;

	return cz_memmap_find(map, physical, &entry) &&
	       size <= cz_entry_end(&entry) - physical;
}

uint64_t cz_memmap_physical(const struct cz_memmap *map, uint64_t address)
{
	struct cz_efi_memory_descriptor entry;

	if (map->mode != CZ_MAP_EXISTING) {
		return address;
	}
	for (uint32_t i = 0; i < map->count; i++) {
		if (cz_memmap_entry(map, i, &entry) &&
		    cz_memmap_is_runtime(&entry) &&
		    address - entry.virtual_start <
			    entry.number_of_pages * CZ_EFI_PAGE_SIZE) {
			return address - entry.virtual_start +
			       entry.physical_start;
		}
	}
	return address;
}

static cz_status refuse(struct cz_host *host, uint32_t number,
			const struct cz_efi_memory_descriptor *entry,
			const char *why)
{
	cz_error(host, "memory map entry %u [0x%llx, %llu pages] %s", number,
		 cz_ull(entry->physical_start), cz_ull(entry->number_of_pages),
		 why);
	return CZ_E_TABLE;
}

static cz_status check_virtual(struct cz_host *host,
			       const struct cz_memmap *map, uint32_t number,
			       const struct cz_efi_memory_descriptor *entry)
{
	uint64_t first = entry->virtual_start / CZ_EFI_PAGE_SIZE;

	if (map->mode == CZ_MAP_IDENTITY) {
		return CZ_OK;
	}
	if (entry->virtual_start == 0 && entry->physical_start != 0) {
		return refuse(host, number, entry, "has no virtual address");
	}
	if (entry->virtual_start % CZ_EFI_PAGE_SIZE != 0) {
		return refuse(host, number, entry,
			      "has an unaligned virtual address");
	}
	if (entry->number_of_pages > UINT64_MAX / CZ_EFI_PAGE_SIZE - first) {
		return refuse(host, number, entry,
			      "wraps around in virtual addresses");
	}
	return CZ_OK;
}

static cz_status check_overlap(struct cz_host *host,
			       const struct cz_memmap *map, uint32_t number,
			       const struct cz_efi_memory_descriptor *entry)
{
	struct cz_efi_memory_descriptor other;

	for (uint32_t i = 0; i < map->count; i++) {
		if (i != number && cz_memmap_entry(map, i, &other) &&
		    other.physical_start < cz_entry_end(entry) &&
		    entry->physical_start < cz_entry_end(&other)) {
			cz_error(host,
				 "memory map entry %u [0x%llx-0x%llx] overlaps "
				 "entry %u [0x%llx-0x%llx]",
				 number, cz_ull(entry->physical_start),
				 cz_ull(cz_entry_end(entry)), i,
				 cz_ull(other.physical_start),
				 cz_ull(cz_entry_end(&other)));
			return CZ_E_TABLE;
		}
	}
	return CZ_OK;
}

/* Checks one entry, and counts it if firmware uses it at run time. */
static cz_status check_entry(struct cz_host *host, const struct cz_memmap *map,
			     uint32_t number, uint32_t *runtime_count)
{
	struct cz_efi_memory_descriptor entry;
	cz_status status;

	read_entry(map, number, &entry);
	if ((entry.attribute & CZ_EFI_MEMORY_RUNTIME) == 0) {
		return CZ_OK;
	}
	if (!cz_memmap_is_runtime(&entry)) {
		cz_warn(host,
			"memory map entry %u [0x%llx, %llu pages] is runtime "
			"memory of type %u: not mapped",
			number, cz_ull(entry.physical_start),
			cz_ull(entry.number_of_pages), entry.type);
		return CZ_OK;
	}
	if (!well_formed(&entry)) {
		return refuse(host, number, &entry,
			      "is empty, unaligned or wraps around");
	}
	if (++*runtime_count > CZ_MAX_REGIONS) {
		return refuse(host, number, &entry,
			      "is one runtime entry too many");
	}
	status = check_virtual(host, map, number, &entry);
	if (status != CZ_OK) {
		return status;
	}
	return check_overlap(host, map, number, &entry);
}

/* Checks what GetMemoryMap returned besides the entries: sizes and version. */
static cz_status check_shape(const struct cz_config *config)
{
	size_t stride = config->descriptor_size_bytes;
	size_t size = config->memory_map_size_bytes;

	if (config->descriptor_version != 1) {
		cz_error(config->host, "memory map: descriptor version %u",
			 config->descriptor_version);
		return CZ_E_TABLE;
	}
	if (stride < sizeof(struct cz_efi_memory_descriptor) ||
	    stride % 8 != 0 || stride > MAX_STRIDE) {
		cz_error(config->host, "memory map: descriptors of %zu bytes",
			 stride);
		return CZ_E_TABLE;
	}
	if (config->memory_map == NULL || size == 0 || size % stride != 0 ||
	    size / stride > MAX_ENTRIES) {
		cz_error(config->host,
			 "memory map: %zu bytes of %zu-byte descriptors", size,
			 stride);
		return CZ_E_TABLE;
	}
	return CZ_OK;
}

cz_status cz_memmap_open(struct cz_memmap *map, const struct cz_config *config)
{
	cz_status status = check_shape(config);
	uint32_t runtime_count = 0;

	if (status != CZ_OK) {
		return status;
	}
	map->bytes = config->memory_map;
	map->stride = config->descriptor_size_bytes;
	map->count = (uint32_t)(config->memory_map_size_bytes / map->stride);
	map->mode = config->map_mode;
	for (uint32_t i = 0; i < map->count && status == CZ_OK; i++) {
		status = check_entry(config->host, map, i, &runtime_count);
	}
	if (status == CZ_OK && runtime_count == 0) {
		cz_error(config->host,
			 "memory map: none of %u entries is runtime memory",
			 map->count);
		status = CZ_E_TABLE;
	}
	return status;
}
