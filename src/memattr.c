/* SPDX-License-Identifier: MIT */
/*
 * The Memory Attributes Table (UEFI 2.11 section 4.6.4), versions 1 and 2. It
 * says which pages of runtime code and data are read-only and which may be
 * executed. A table that contradicts itself or the memory map is rejected; the
 * log names the entry.
 */
#include "core.h"

#define MAX_ENTRIES 4096u

static const char table_name[] = "memory attributes table";

static cz_status refuse(struct cz_boot *boot, uint32_t number,
			const struct cz_efi_memory_descriptor *entry,
			const char *why)
{
	cz_error(boot->cz->host, "%s entry %u [0x%llx, %llu pages] %s",
		 table_name, number, cz_ull(entry->physical_start),
		 cz_ull(entry->number_of_pages), why);
	return CZ_E_TABLE;
}

static uint32_t protection(struct cz_boot *boot, uint32_t number,
			   const struct cz_efi_memory_descriptor *entry)
{
	bool read_only = (entry->attribute & CZ_EFI_MEMORY_RO) != 0;
	bool no_execute = (entry->attribute & CZ_EFI_MEMORY_XP) != 0;
	uint32_t prot = CZ_PROT_READ;

	if (!read_only) {
		prot |= CZ_PROT_WRITE;
	}
	if (!no_execute && entry->type == CZ_EFI_RUNTIME_SERVICES_CODE) {
		prot |= CZ_PROT_EXEC;
	}
	if (!no_execute && entry->type == CZ_EFI_RUNTIME_SERVICES_DATA) {
		cz_warn(boot->cz->host,
			"%s entry %u [0x%llx-0x%llx] is data without XP: "
			"mapped not executable",
			table_name, number, cz_ull(entry->physical_start),
			cz_ull(cz_entry_end(entry)));
	} else if (!no_execute && !read_only) {
		cz_warn(boot->cz->host,
			"%s entry %u [0x%llx-0x%llx] has neither RO nor XP: "
			"mapped writable and executable",
			table_name, number, cz_ull(entry->physical_start),
			cz_ull(cz_entry_end(entry)));
	}
	return prot;
}

static cz_status add_entry(struct cz_boot *boot, uint32_t number,
			   const struct cz_efi_memory_descriptor *entry)
{
	struct cz_efi_memory_descriptor owner;
	struct cz_efi_memory_descriptor part;

	if (entry->type != CZ_EFI_RUNTIME_SERVICES_CODE &&
	    entry->type != CZ_EFI_RUNTIME_SERVICES_DATA) {
		return refuse(boot, number, entry,
			      "is neither runtime code nor runtime data");
	}
	if (entry->physical_start % CZ_EFI_PAGE_SIZE != 0 ||
	    entry->number_of_pages == 0) {
		return refuse(boot, number, entry, "is empty or unaligned");
	}
	if (!cz_memmap_find_runtime(&boot->map, entry->physical_start,
				    &owner) ||
	    (owner.type != CZ_EFI_RUNTIME_SERVICES_CODE &&
	     owner.type != CZ_EFI_RUNTIME_SERVICES_DATA)) {
		return refuse(boot, number, entry,
			      "is not in a region of runtime code or data");
	}
	if (entry->number_of_pages >
	    (cz_entry_end(&owner) - entry->physical_start) / CZ_EFI_PAGE_SIZE) {
		return refuse(boot, number, entry,
			      "spans two regions of the memory map");
	}
	part = owner;
	part.type = entry->type;
	return cz_regions_add(
		boot, &part, entry->physical_start, entry->number_of_pages,
		protection(boot, number, entry), table_name, number);
}

static cz_status check_header(struct cz_boot *boot,
			      const struct cz_efi_memory_attributes *header)
{
	struct cz_host *host = boot->cz->host;

	if (header->version != 1 && header->version != 2) {
		cz_error(host, "%s: version %u", table_name, header->version);
		return CZ_E_TABLE;
	}
	if (header->descriptor_size < sizeof(struct cz_efi_memory_descriptor) ||
	    header->descriptor_size % 8 != 0 ||
	    header->descriptor_size > CZ_PAGE) {
		cz_error(host, "%s: descriptors of %u bytes", table_name,
			 header->descriptor_size);
		return CZ_E_TABLE;
	}
	if (header->number_of_entries == 0 ||
	    header->number_of_entries > MAX_ENTRIES) {
		cz_error(host, "%s: %u entries", table_name,
			 header->number_of_entries);
		return CZ_E_TABLE;
	}
	return CZ_OK;
}

cz_status cz_memattr_regions(struct cz_boot *boot)
{
	struct cz_efi_memory_attributes header;
	struct cz_efi_memory_descriptor entry;
	const uint8_t *table;
	cz_status status;

	if (boot->attributes_table == 0) {
		cz_warn(boot->cz->host,
			"no memory attributes table: runtime code is mapped "
			"writable");
		return CZ_OK;
	}
	table = cz_tables_alias(boot, table_name, boot->attributes_table,
				sizeof(header));
	if (table == NULL) {
		return CZ_E_TABLE;
	}
	memcpy(&header, table, sizeof(header));
	status = check_header(boot, &header);
	if (status != CZ_OK) {
		return status;
	}
	table = cz_tables_alias(boot, table_name, boot->attributes_table,
				sizeof(header) +
					(uint64_t)header.number_of_entries *
						header.descriptor_size);
	if (table == NULL) {
		return CZ_E_TABLE;
	}
	for (uint32_t i = 0; i < header.number_of_entries; i++) {
		memcpy(&entry,
		       table + sizeof(header) +
			       (size_t)i * header.descriptor_size,
		       sizeof(entry));
		status = add_entry(boot, i, &entry);
		if (status != CZ_OK) {
			return status;
		}
	}
	return CZ_OK;
}
