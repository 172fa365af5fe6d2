/* SPDX-License-Identifier: MIT */
/*
 * Firmware in simulated RAM: the memory map, the system table, configuration
 * tables and PE images. Its services receive their arguments only at the
 * addresses that the library gives them.
 */
#include "call.h"
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct cz_efi_guid test_guid = {
	0xca35e17c, 0x0de5, 0x4ab7, {0x9d, 0x3c, 1, 2, 3, 4, 5, 6}};

#define NOT_FOUND CZ_EFI_NOT_FOUND

/* Makes a pointer from an address that firmware was given. */
static void *at(uint64_t address)
{
	return (void *)(uintptr_t)address;
}

void *sim_ram(struct cz_host *sim, uint64_t physical)
{
	return sim->ram + (physical - SIM_RAM);
}

struct cz_efi_system_table *sim_system_table(struct cz_host *sim)
{
	return sim_ram(sim, SIM_SYSTEM_TABLE);
}

struct cz_efi_runtime_services *sim_runtime_table(struct cz_host *sim)
{
	return sim_ram(sim, SIM_RUNTIME_TABLE);
}

struct cz_efi_configuration_table *sim_configuration(struct cz_host *sim)
{
	return sim_ram(sim, SIM_CONFIGURATION);
}

/* ---- The map and the tables ---- */

struct cz_efi_memory_descriptor *sim_add_entry(struct cz_host *sim,
					       uint32_t type, uint64_t start,
					       uint64_t pages,
					       uint64_t attribute)
{
	struct cz_efi_memory_descriptor *entry =
		&sim->entries[sim->entry_count++];

	*entry = (struct cz_efi_memory_descriptor){
		.type = type,
		.physical_start = start,
		.number_of_pages = pages,
		.attribute = attribute,
	};
	if ((attribute & CZ_EFI_MEMORY_RUNTIME) != 0) {
		entry->virtual_start = start - SIM_VIRTUAL;
		if (start < SIM_RAM) {
			entry->virtual_start = 0x20000000;
		}
	}
	return entry;
}

void sim_write_map(struct cz_host *sim)
{
	memset(sim->map_bytes, 0xee, sizeof(sim->map_bytes));
	for (uint32_t i = 0; i < sim->entry_count; i++) {
		memcpy(sim->map_bytes + i * sim->stride, &sim->entries[i],
		       sizeof(sim->entries[i]));
	}
}

void sim_write_attributes(struct cz_host *sim, uint32_t version,
			  uint32_t descriptor_size)
{
	struct cz_efi_memory_attributes header = {
		.version = version,
		.number_of_entries = sim->attribute_count,
		.descriptor_size = descriptor_size,
	};
	uint8_t *table = sim_ram(sim, SIM_ATTRIBUTES);

	memset(table, 0xee, 0x4000);
	memcpy(table, &header, sizeof(header));
	for (uint32_t i = 0; i < sim->attribute_count; i++) {
		memcpy(table + sizeof(header) + (size_t)i * descriptor_size,
		       &sim->attributes[i], sizeof(sim->attributes[i]));
	}
}

static void add_attributes(struct cz_host *sim, uint32_t type, uint64_t start,
			   uint64_t pages, uint64_t attribute)
{
	sim->attributes[sim->attribute_count++] =
		(struct cz_efi_memory_descriptor){
			.type = type,
			.physical_start = start,
			.number_of_pages = pages,
			.attribute = attribute | CZ_EFI_MEMORY_RUNTIME,
		};
}

void sim_write_properties(struct cz_host *sim, uint32_t supported)
{
	const struct cz_efi_configuration_table entry = {
		CZ_EFI_RT_PROPERTIES_GUID, SIM_PROPERTIES};
	struct cz_efi_rt_properties *table = sim_ram(sim, SIM_PROPERTIES);

	table->version = 1;
	table->length = sizeof(*table);
	table->supported = supported;
	sim_configuration(sim)[1] = entry;
	sim_system_table(sim)->number_of_table_entries = 2;
}

static void put32(uint8_t *to, uint32_t value)
{
	memcpy(to, &value, sizeof(value));
}

static void put16(uint8_t *to, uint16_t value)
{
	memcpy(to, &value, sizeof(value));
}

void sim_write_image(struct cz_host *sim, uint64_t physical, uint32_t size,
		     const char *path)
{
	uint8_t *image = sim_ram(sim, physical);
	uint8_t *pe = image + 0x80;
	uint8_t *optional = pe + 24;

	put16(image, 0x5a4d);
	put32(image + 60, 0x80);
	put32(pe, 0x00004550);
	put16(pe + 4, 0xaa64);
	put16(pe + 20, 240);
	put16(optional, 0x20b);
	put32(optional + 56, size);
	put32(optional + 108, 16);
	if (path == NULL) {
		return;
	}
	put32(optional + 112 + 6 * 8, 0x300); /* debug directory */
	put32(optional + 112 + 6 * 8 + 4, 28);
	put32(image + 0x300 + 12, 2);
	put32(image + 0x300 + 16, 24 + (uint32_t)strlen(path) + 1);
	put32(image + 0x300 + 20, 0x380);
	memcpy(image + 0x380, "RSDS", 4);
	memcpy(image + 0x380 + 24, path, strlen(path) + 1);
}

static void write_runtime_table(struct cz_host *sim)
{
	static const uint8_t order[] = {
		CZ_GET_TIME,
		CZ_SET_TIME,
		CZ_GET_WAKEUP_TIME,
		CZ_SET_WAKEUP_TIME,
		SIM_SET_VIRTUAL,
		SIM_CONVERT_POINTER,
		CZ_GET_VARIABLE,
		CZ_GET_NEXT_VARIABLE_NAME,
		CZ_SET_VARIABLE,
		CZ_GET_NEXT_HIGH_MONOTONIC_COUNT,
		CZ_RESET_SYSTEM,
		CZ_UPDATE_CAPSULE,
		CZ_QUERY_CAPSULE_CAPABILITIES,
		CZ_QUERY_VARIABLE_INFO,
	};
	struct cz_efi_runtime_services *table = sim_runtime_table(sim);
	uint64_t *functions = &table->get_time;

	table->header = (struct cz_efi_table_header){
		.signature = CZ_EFI_RUNTIME_SERVICES_SIGNATURE,
		.revision = 2 << 16 | 70,
		.header_size = sizeof(*table),
	};
	for (uint32_t i = 0; i < sizeof(order); i++) {
		functions[i] = SIM_TEXT + order[i] * 64u;
	}
}

static void write_tables(struct cz_host *sim)
{
	const struct cz_efi_configuration_table entries[] = {
		{CZ_EFI_MEMORY_ATTRIBUTES_GUID, SIM_ATTRIBUTES},
	};

	*sim_system_table(sim) = (struct cz_efi_system_table){
		.header = {CZ_EFI_SYSTEM_TABLE_SIGNATURE, 2 << 16 | 70,
			   sizeof(struct cz_efi_system_table), 0, 0},
		.runtime_services = SIM_RUNTIME_TABLE,
		.number_of_table_entries = 1,
		.configuration_table = SIM_CONFIGURATION,
	};
	memcpy(sim_configuration(sim), entries, sizeof(entries));
	write_runtime_table(sim);
}

static void write_memory(struct cz_host *sim)
{
	const uint64_t ram = CZ_EFI_MEMORY_WB | CZ_EFI_MEMORY_WT |
			     CZ_EFI_MEMORY_WC | CZ_EFI_MEMORY_UC;
	const uint64_t runtime = ram | CZ_EFI_MEMORY_RUNTIME;

	sim->stride = 48;
	sim_add_entry(sim, CZ_EFI_CONVENTIONAL, SIM_RAM, 256, ram);
	sim_add_entry(sim, CZ_EFI_RUNTIME_SERVICES_DATA, SIM_DATA,
		      SIM_DATA_PAGES, runtime);
	sim_add_entry(sim, CZ_EFI_RUNTIME_SERVICES_CODE, SIM_CODE,
		      SIM_CODE_PAGES, runtime);
	sim_add_entry(sim, CZ_EFI_BOOT_SERVICES_DATA, SIM_BOOT, SIM_BOOT_PAGES,
		      ram);
	sim_add_entry(sim, CZ_EFI_RUNTIME_SERVICES_CODE, SIM_CODE_2, 8,
		      runtime);
	sim_add_entry(sim, CZ_EFI_MMIO, SIM_MMIO, 1,
		      CZ_EFI_MEMORY_UC | CZ_EFI_MEMORY_RUNTIME);
	sim_write_map(sim);

	add_attributes(sim, CZ_EFI_RUNTIME_SERVICES_DATA, SIM_DATA,
		       SIM_DATA_PAGES, CZ_EFI_MEMORY_XP);
	add_attributes(sim, CZ_EFI_RUNTIME_SERVICES_CODE, SIM_CODE, 8,
		       CZ_EFI_MEMORY_RO);
	add_attributes(sim, CZ_EFI_RUNTIME_SERVICES_DATA, SIM_CODE + 0x8000, 8,
		       CZ_EFI_MEMORY_XP);
	add_attributes(sim, CZ_EFI_RUNTIME_SERVICES_CODE, SIM_CODE_2, 4,
		       CZ_EFI_MEMORY_RO);
	add_attributes(sim, CZ_EFI_RUNTIME_SERVICES_CODE, SIM_CODE_2 + 0x4000,
		       1, CZ_EFI_MEMORY_RO | CZ_EFI_MEMORY_XP);
	sim_write_attributes(sim, 2, 48);
}

void sim_firmware_start(struct cz_host *sim)
{
	write_memory(sim);
	write_tables(sim);
	sim_write_image(sim, SIM_CODE, SIM_CODE_PAGES * SIM_PAGE,
			"/edk2/Build/RuntimeDxe/DEBUG/RuntimeDxe.dll");
	sim_write_image(sim, SIM_CODE_2, 5 * SIM_PAGE,
			"C:\\build\\RealTimeClock.pdb");
	sim->time = (struct cz_efi_time){.year = 2026,
					 .month = 1,
					 .day = 2,
					 .hour = 3,
					 .timezone = 2047};
	sim->high_count = 7;
}

struct cz_config sim_config(struct cz_host *sim)
{
	return (struct cz_config){
		.host = sim,
		.gate = CZ_GATE_DIRECT,
		.memory_map = sim->map_bytes,
		.memory_map_size_bytes = sim->entry_count * sim->stride,
		.descriptor_size_bytes = sim->stride,
		.descriptor_version = 1,
		.system_table = SIM_SYSTEM_TABLE,
		.max_requests = 4,
		.max_data_bytes = 8192,
		.window_address = SIM_WINDOW,
		.window_bytes = SIM_WINDOW_BYTES,
		.no_secure_services = true,
	};
}

/* ---- Holding a call ---- */

void sim_interrupt(struct cz *cz)
{
	uint64_t asked = __atomic_load_n(&cz->end_request, __ATOMIC_ACQUIRE);
	uint64_t number = cz->watch_state / CZ_WATCH_CALL;

	if (asked == cz_end_of(number, true) ||
	    (asked == cz_end_of(number, false) &&
	     (cz->touched & CZ_TOUCHED_DEVICE) == 0)) {
		cz->ended_by = (asked & 1) != 0 ? CZ_E_KILLED : CZ_E_ABORTED;
		siglongjmp(sim_self(cz->host)->firmware, 1);
	}
	cz->stats.service[cz->in_flight->service].interrupts++;
}

uint64_t sim_hold(struct cz_host *sim, struct cz *cz, const uint64_t *registers)
{
	__atomic_store_n(&sim->entered_hold, true, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&sim->held, __ATOMIC_SEQ_CST)) {
		sim_interrupt(cz);
		usleep(100);
	}
	(void)registers;
	return CZ_EFI_SUCCESS;
}

void sim_release_hold(struct cz_host *sim)
{
	__atomic_store_n(&sim->held, false, __ATOMIC_SEQ_CST);
}

/* ---- Time ---- */

static uint64_t get_time(struct cz_host *sim, const uint64_t *r)
{
	const struct cz_efi_time_caps caps = {1, 50000000, 0, {0}};

	memcpy(at(r[0]), &sim->time, sizeof(sim->time));
	if (r[1] != 0) {
		/* All fields, but not the padding after them. */
		memcpy(at(r[1]), &caps, 9);
	}
	return CZ_EFI_SUCCESS;
}

static uint64_t set_time(struct cz_host *sim, const uint64_t *r)
{
	memcpy(&sim->time, at(r[0]), sizeof(sim->time));
	return sim->time.month > 12 ? CZ_EFI_INVALID_PARAMETER : CZ_EFI_SUCCESS;
}

static uint64_t get_wakeup_time(struct cz_host *sim, const uint64_t *r)
{
	*(uint8_t *)at(r[0]) = sim->wakeup_enabled;
	*(uint8_t *)at(r[1]) = 1;
	memcpy(at(r[2]), &sim->wakeup, sizeof(sim->wakeup));
	return CZ_EFI_SUCCESS;
}

static uint64_t set_wakeup_time(struct cz_host *sim, const uint64_t *r)
{
	sim->wakeup_enabled = (uint8_t)r[0];
	if (r[1] != 0) {
		memcpy(&sim->wakeup, at(r[1]), sizeof(sim->wakeup));
	}
	return CZ_EFI_SUCCESS;
}

/* ---- Variables ---- */

static size_t name_units(const uint16_t *name)
{
	size_t units = 0;

	while (name[units] != 0) {
		units++;
	}
	return units + 1;
}

static struct sim_variable *find(struct cz_host *sim, const uint16_t *name,
				 const struct cz_efi_guid *guid)
{
	for (uint32_t i = 0; i < SIM_MAX_VARIABLES; i++) {
		struct sim_variable *variable = &sim->variables[i];

		if (variable->size != 0 &&
		    memcmp(&variable->guid, guid, sizeof(*guid)) == 0 &&
		    memcmp(variable->name, name, name_units(name) * 2) == 0) {
			return variable;
		}
	}
	return NULL;
}

static uint64_t get_variable(struct cz_host *sim, const uint64_t *r)
{
	const struct sim_variable *variable = find(sim, at(r[0]), at(r[1]));
	uint64_t *size = at(r[3]);
	uint64_t room = *size;

	if (variable == NULL) {
		return NOT_FOUND;
	}
	if (r[2] != 0) {
		*(uint32_t *)at(r[2]) = variable->attributes;
	}
	*size = variable->size;
	if (room < variable->size) {
		return CZ_EFI_BUFFER_TOO_SMALL;
	}
	memcpy(at(r[4]), variable->data, variable->size);
	return CZ_EFI_SUCCESS;
}

static uint64_t set_variable(struct cz_host *sim, const uint64_t *r)
{
	struct sim_variable *variable = find(sim, at(r[0]), at(r[1]));

	if (r[3] == 0) {
		if (variable == NULL) {
			return NOT_FOUND;
		}
		variable->size = 0;
		return CZ_EFI_SUCCESS;
	}
	for (uint32_t i = 0; variable == NULL && i < SIM_MAX_VARIABLES; i++) {
		if (sim->variables[i].size == 0) {
			variable = &sim->variables[i];
		}
	}
	if (variable == NULL || r[3] > sizeof(variable->data)) {
		return CZ_EFI_OUT_OF_RESOURCES;
	}
	memcpy(variable->name, at(r[0]), name_units(at(r[0])) * 2);
	memcpy(&variable->guid, at(r[1]), sizeof(variable->guid));
	variable->attributes = (uint32_t)r[2];
	variable->size = (uint32_t)r[3];
	memcpy(variable->data, at(r[4]), r[3]);
	return CZ_EFI_SUCCESS;
}

static uint64_t get_next_name(struct cz_host *sim, const uint64_t *r)
{
	uint64_t *size = at(r[0]);
	uint16_t *name = at(r[1]);
	uint32_t i = 0;

	if (name[0] != 0) {
		const struct sim_variable *last = find(sim, name, at(r[2]));

		if (last == NULL) {
			return CZ_EFI_INVALID_PARAMETER;
		}
		i = (uint32_t)(last - sim->variables) + 1;
	}
	for (; i < SIM_MAX_VARIABLES; i++) {
		const struct sim_variable *variable = &sim->variables[i];
		uint64_t room = *size;

		if (variable->size == 0) {
			continue;
		}
		*size = name_units(variable->name) * 2;
		if (room < *size) {
			return CZ_EFI_BUFFER_TOO_SMALL;
		}
		memcpy(name, variable->name, *size);
		memcpy(at(r[2]), &variable->guid, sizeof(variable->guid));
		return CZ_EFI_SUCCESS;
	}
	return NOT_FOUND;
}

static uint64_t query_variable_info(struct cz_host *sim, const uint64_t *r)
{
	(void)sim;
	if (r[0] == 0) {
		return CZ_EFI_INVALID_PARAMETER;
	}
	*(uint64_t *)at(r[1]) = 65536;
	*(uint64_t *)at(r[2]) = 32768;
	*(uint64_t *)at(r[3]) = 4096;
	return CZ_EFI_SUCCESS;
}

/* ---- The rest ---- */

static uint64_t reset_system(struct cz_host *sim, const uint64_t *r)
{
	sim->reset_type = r[0];
	sim->reset_status = r[1];
	if (r[3] != 0) {
		memcpy(sim->reset_data, at(r[3]),
		       r[2] < sizeof(sim->reset_data)
			       ? r[2]
			       : sizeof(sim->reset_data));
	}
	return CZ_EFI_UNSUPPORTED;
}

static void read_capsules(struct cz_host *sim, const uint64_t *r)
{
	const uint64_t *table = at(r[0]);

	sim->capsule_count = (uint32_t)r[1];
	for (uint32_t i = 0; i < sim->capsule_count; i++) {
		memcpy(&sim->capsules[i], at(table[i]),
		       sizeof(sim->capsules[i]));
	}
}

static uint64_t update_capsule(struct cz_host *sim, const uint64_t *r)
{
	read_capsules(sim, r);
	return r[2] == 0x1234000 ? CZ_EFI_SUCCESS : CZ_EFI_INVALID_PARAMETER;
}

static uint64_t query_capsule(struct cz_host *sim, const uint64_t *r)
{
	read_capsules(sim, r);
	*(uint64_t *)at(r[2]) = 1 << 20;
	*(uint32_t *)at(r[3]) = CZ_EFI_RESET_WARM;
	return CZ_EFI_SUCCESS;
}

static uint64_t get_high_count(struct cz_host *sim, const uint64_t *r)
{
	*(uint32_t *)at(r[0]) = ++sim->high_count;
	return CZ_EFI_SUCCESS;
}

/* ---- SetVirtualAddressMap ---- */

static uint64_t convert(const uint8_t *map, const uint64_t *r, uint64_t address)
{
	for (uint64_t i = 0; i < r[0]; i += r[1]) {
		struct cz_efi_memory_descriptor entry;

		memcpy(&entry, map + i, sizeof(entry));
		if (address - entry.physical_start <
		    entry.number_of_pages * SIM_PAGE) {
			return address - entry.physical_start +
			       entry.virtual_start;
		}
	}
	return address;
}

/* Does as EDK II does: it changes the tables at their physical addresses, and
 * writes relocations into code. */
static uint64_t set_virtual_map(struct cz_host *sim, const uint64_t *r)
{
	struct cz_efi_system_table *system = at(SIM_SYSTEM_TABLE);
	struct cz_efi_runtime_services *runtime = at(SIM_RUNTIME_TABLE);
	const uint8_t *map = at(r[3]);
	uint64_t *functions = &runtime->get_time;

	if (sim->virtual_set) {
		return CZ_EFI_UNSUPPORTED;
	}
	if (r[2] != 1 || r[1] < sizeof(struct cz_efi_memory_descriptor) ||
	    r[0] == 0 || r[0] % r[1] != 0) {
		return CZ_EFI_INVALID_PARAMETER;
	}
	for (uint32_t i = 0; i < 14; i++) {
		functions[i] = convert(map, r, functions[i]);
	}
	system->runtime_services = convert(map, r, system->runtime_services);
	system->configuration_table =
		convert(map, r, system->configuration_table);
	/* One relocation at code's physical address, and one at its virtual
	 * address. */
	*(uint64_t *)at(SIM_TEXT + 0x800) = 1;
	*(uint64_t *)at(convert(map, r, SIM_TEXT + 0x808)) = 2;
	sim->shift = convert(map, r, SIM_CODE) - SIM_CODE;
	sim->virtual_set = true;
	return CZ_EFI_SUCCESS;
}

static uint64_t do_service(struct cz_host *sim, uint32_t number,
			   const uint64_t *registers)
{
	switch (number) {
	case CZ_GET_TIME:
		return get_time(sim, registers);
	case CZ_SET_TIME:
		return set_time(sim, registers);
	case CZ_GET_WAKEUP_TIME:
		return get_wakeup_time(sim, registers);
	case CZ_SET_WAKEUP_TIME:
		return set_wakeup_time(sim, registers);
	case CZ_GET_VARIABLE:
		return get_variable(sim, registers);
	case CZ_GET_NEXT_VARIABLE_NAME:
		return get_next_name(sim, registers);
	case CZ_SET_VARIABLE:
		return set_variable(sim, registers);
	case CZ_QUERY_VARIABLE_INFO:
		return query_variable_info(sim, registers);
	case CZ_GET_NEXT_HIGH_MONOTONIC_COUNT:
		return get_high_count(sim, registers);
	case CZ_RESET_SYSTEM:
		return reset_system(sim, registers);
	case CZ_UPDATE_CAPSULE:
		return update_capsule(sim, registers);
	case CZ_QUERY_CAPSULE_CAPABILITIES:
		return query_capsule(sim, registers);
	case SIM_SET_VIRTUAL:
		return set_virtual_map(sim, registers);
	default:
		fprintf(stderr, "sim: no function %u\n", number);
		abort();
	}
}

uint64_t sim_service_call(struct cz_host *sim, struct cz *cz, uint32_t number,
			  const uint64_t *registers)
{
	memcpy(sim->last_registers, registers, sizeof(sim->last_registers));
	if (sim->order_count < 64) {
		sim->order[sim->order_count++] = number;
	}
	if (sim->hook[number] != NULL) {
		uint64_t status = sim->hook[number](sim, cz, registers);

		if (sim->hook[number] != sim_hold) {
			return status;
		}
	}
	return do_service(sim, number, registers);
}
