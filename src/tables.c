/* SPDX-License-Identifier: MIT */
/*
 * Firmware's tables (UEFI 2.11 chapter 4): the system table, the table of
 * runtime services, and of the configuration tables those that the library
 * uses. Every pointer is checked against the memory map before it is followed.
 * Values are copied before they are checked, so that they cannot change in
 * between.
 */
#include "core.h"

#define MAX_TABLES 1024u
#define ALL_SUPPORTED 0x3fffu
#define SUPPORTS_SET_VIRTUAL_ADDRESS_MAP 0x0080u

const void *cz_tables_alias(struct cz_boot *boot, const char *what,
			    uint64_t physical, uint64_t size)
{
	struct cz_host *host = boot->cz->host;
	const void *alias;

	if (!cz_memmap_holds(&boot->map, physical, size)) {
		cz_error(host,
			 "%s [0x%llx, %llu bytes] is not within one entry of "
			 "the memory map",
			 what, cz_ull(physical), cz_ull(size));
		return NULL;
	}
	alias = cz_host_firmware_alias(host, physical, size);
	if (alias == NULL) {
		cz_error(host,
			 "%s [0x%llx, %llu bytes] is not in memory that the "
			 "host can read",
			 what, cz_ull(physical), cz_ull(size));
	}
	return alias;
}

static cz_status check_header(struct cz_boot *boot, const char *what,
			      const struct cz_efi_table_header *header,
			      uint64_t signature, uint32_t min_bytes)
{
	struct cz_host *host = boot->cz->host;

	if (header->signature != signature) {
		cz_error(host, "%s: signature 0x%llx", what,
			 cz_ull(header->signature));
		return CZ_E_TABLE;
	}
	if (header->revision >> 16 < 1 || header->revision >> 16 > 15) {
		cz_error(host, "%s: revision 0x%x", what, header->revision);
		return CZ_E_TABLE;
	}
	if (header->header_size < min_bytes || header->header_size > CZ_PAGE) {
		cz_error(host, "%s: header size %u", what, header->header_size);
		return CZ_E_TABLE;
	}
	return CZ_OK;
}

static bool same_guid(const struct cz_efi_guid *a, const struct cz_efi_guid *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static cz_status find_tables(struct cz_boot *boot,
			     const struct cz_efi_system_table *system)
{
	static const struct cz_efi_guid attributes =
		CZ_EFI_MEMORY_ATTRIBUTES_GUID;
	static const struct cz_efi_guid properties = CZ_EFI_RT_PROPERTIES_GUID;
	struct cz_efi_configuration_table table;
	const uint8_t *tables;

	if (system->number_of_table_entries == 0) {
		return CZ_OK;
	}
	if (system->number_of_table_entries > MAX_TABLES) {
		cz_error(boot->cz->host,
			 "system table: %llu configuration tables",
			 cz_ull(system->number_of_table_entries));
		return CZ_E_TABLE;
	}
	tables = cz_tables_alias(
		boot, "configuration tables",
		cz_memmap_physical(&boot->map, system->configuration_table),
		system->number_of_table_entries * sizeof(table));
	if (tables == NULL) {
		return CZ_E_TABLE;
	}
	for (uint64_t i = 0; i < system->number_of_table_entries; i++) {
		memcpy(&table, tables + i * sizeof(table), sizeof(table));
		/* SetVirtualAddressMap leaves these two pointers physical
		 * (sections 4.6.2 and 4.6.4). */
		if (boot->attributes_table == 0 &&
		    same_guid(&table.guid, &attributes)) {
			boot->attributes_table = table.table;
		} else if (boot->properties_table == 0 &&
			   same_guid(&table.guid, &properties)) {
			boot->properties_table = table.table;
		}
	}
	return CZ_OK;
}

static cz_status read_properties(struct cz_boot *boot)
{
	static const char name[] = "EFI_RT_PROPERTIES_TABLE";
	struct cz_efi_rt_properties properties;
	const void *table;

	boot->cz->rt_supported = ALL_SUPPORTED;
	if (boot->properties_table == 0) {
		return CZ_OK;
	}
	table = cz_tables_alias(boot, name, boot->properties_table,
				sizeof(properties));
	if (table == NULL) {
		return CZ_E_TABLE;
	}
	memcpy(&properties, table, sizeof(properties));
	if (properties.version == 0 || properties.length < sizeof(properties)) {
		cz_error(boot->cz->host, "%s: version %u, length %u", name,
			 properties.version, properties.length);
		return CZ_E_TABLE;
	}
	boot->cz->rt_supported = properties.supported & ALL_SUPPORTED;
	return CZ_OK;
}

cz_status cz_tables_open(struct cz_boot *boot)
{
	static const char name[] = "system table";
	struct cz_efi_system_table system;
	const void *table;
	cz_status status;

	table = cz_tables_alias(boot, name, boot->config->system_table,
				sizeof(system));
	if (table == NULL) {
		return CZ_E_TABLE;
	}
	memcpy(&system, table, sizeof(system));
	status = check_header(boot, name, &system.header,
			      CZ_EFI_SYSTEM_TABLE_SIGNATURE, sizeof(system));
	if (status != CZ_OK) {
		return status;
	}
	boot->runtime_table =
		cz_memmap_physical(&boot->map, system.runtime_services);
	status = find_tables(boot, &system);
	if (status != CZ_OK) {
		return status;
	}
	return read_properties(boot);
}

/* Reads the table of runtime services. If it is shorter than the
 * specification's, the missing services are 0. */
static cz_status read_services(struct cz_boot *boot,
			       struct cz_efi_runtime_services *services)
{
	static const char name[] = "table of runtime services";
	struct cz_efi_table_header header;
	const void *table;
	cz_status status;
	size_t size;

	table = cz_tables_alias(boot, name, boot->runtime_table,
				sizeof(header));
	if (table == NULL) {
		return CZ_E_TABLE;
	}
	memcpy(&header, table, sizeof(header));
	status =
		check_header(boot, name, &header,
			     CZ_EFI_RUNTIME_SERVICES_SIGNATURE, sizeof(header));
	if (status != CZ_OK) {
		return status;
	}
	size = sizeof(*services);
	if (header.header_size < size) {
		size = header.header_size & ~7u;
	}
	table = cz_tables_alias(boot, name, boot->runtime_table, size);
	if (table == NULL) {
		return CZ_E_TABLE;
	}
	memset(services, 0, sizeof(*services));
	memcpy(services, table, size);
	return CZ_OK;
}

cz_status cz_tables_find_virtual_map(struct cz_boot *boot)
{
	struct cz_efi_runtime_services services;
	struct cz *cz = boot->cz;
	cz_status status;

	if ((cz->rt_supported & SUPPORTS_SET_VIRTUAL_ADDRESS_MAP) == 0) {
		cz_error(cz->host, "SetVirtualAddressMap is not supported by "
				   "EFI_RT_PROPERTIES_TABLE");
		return CZ_EFI_UNSUPPORTED;
	}
	status = read_services(boot, &services);
	if (status != CZ_OK) {
		return status;
	}
	for (uint32_t i = 0; i < cz->region_count; i++) {
		const struct cz_region *region = &cz->regions[i];

		if (services.set_virtual_address_map - region->physical <
			    region->page_count * CZ_PAGE &&
		    (region->prot & CZ_PROT_EXEC) != 0) {
			boot->set_virtual_address_map =
				services.set_virtual_address_map;
			return CZ_OK;
		}
	}
	cz_error(cz->host,
		 "SetVirtualAddressMap at 0x%llx is not in an executable "
		 "region",
		 cz_ull(services.set_virtual_address_map));
	return CZ_E_TABLE;
}

/* The offset of each service's pointer in the table of runtime services, and
 * its bit in EFI_RT_PROPERTIES_TABLE. */
static const struct {
	uint16_t offset;
	uint16_t bit;
} service_table[CZ_NULL_SERVICE] = {
#define SERVICE(field, bit)                                          \
	{                                                            \
		offsetof(struct cz_efi_runtime_services, field), bit \
	}
	[CZ_GET_TIME] = SERVICE(get_time, 0x0001),
	[CZ_SET_TIME] = SERVICE(set_time, 0x0002),
	[CZ_GET_WAKEUP_TIME] = SERVICE(get_wakeup_time, 0x0004),
	[CZ_SET_WAKEUP_TIME] = SERVICE(set_wakeup_time, 0x0008),
	[CZ_GET_VARIABLE] = SERVICE(get_variable, 0x0010),
	[CZ_GET_NEXT_VARIABLE_NAME] = SERVICE(get_next_variable_name, 0x0020),
	[CZ_SET_VARIABLE] = SERVICE(set_variable, 0x0040),
	[CZ_GET_NEXT_HIGH_MONOTONIC_COUNT] =
		SERVICE(get_next_high_monotonic_count, 0x0200),
	[CZ_RESET_SYSTEM] = SERVICE(reset_system, 0x0400),
	[CZ_UPDATE_CAPSULE] = SERVICE(update_capsule, 0x0800),
	[CZ_QUERY_CAPSULE_CAPABILITIES] =
		SERVICE(query_capsule_capabilities, 0x1000),
	[CZ_QUERY_VARIABLE_INFO] = SERVICE(query_variable_info, 0x2000),
#undef SERVICE
};

cz_status cz_tables_services(struct cz_boot *boot)
{
	struct cz_efi_runtime_services services;
	struct cz *cz = boot->cz;
	cz_status status = read_services(boot, &services);

	if (status != CZ_OK) {
		return status;
	}
	for (uint32_t i = 0; i < CZ_NULL_SERVICE; i++) {
		const struct cz_region *region;
		uint64_t function;

		memcpy(&function,
		       (const uint8_t *)&services + service_table[i].offset,
		       sizeof(function));
		if (function == 0 ||
		    (cz->rt_supported & service_table[i].bit) == 0) {
			continue;
		}
		region = cz_find_region(cz, function);
		if (region == NULL || (region->prot & CZ_PROT_EXEC) == 0) {
			cz_error(cz->host,
				 "%s at 0x%llx is not in an executable region: "
				 "treated as absent",
				 cz_service_name((enum cz_service)i),
				 cz_ull(function));
			continue;
		}
		cz->function[i] = function;
	}
	return CZ_OK;
}
