/* SPDX-License-Identifier: MIT */
/* The memory map: which maps and entries the library refuses or accepts. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#define RUNTIME_RAM (CZ_EFI_MEMORY_WB | CZ_EFI_MEMORY_RUNTIME)

static void valid_maps(void **state)
{
	static const size_t strides[] = {40, 48, 56, 128};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(strides) / sizeof(strides[0]); i++) {
		fixture->sim.stride = strides[i];
		fixture_refused(fixture, CZ_OK, "12 of 12 services");
	}
}

static void bad_shapes(void **state)
{
	struct fixture *fixture = *state;
	struct cz_config sound = fixture->config;

	fixture->config.descriptor_version = 2;
	assert_status(fixture_start(fixture), CZ_E_TABLE);
	assert_true(sim_logged(&fixture->sim, "memory map: descriptor version "
					      "2"));
	fixture->config = sound;
	fixture->config.memory_map = NULL;
	assert_status(fixture_start(fixture), CZ_E_TABLE);
	fixture->config = sound;
	fixture->config.memory_map_size_bytes = 0;
	assert_status(fixture_start(fixture), CZ_E_TABLE);
	assert_true(sim_logged(&fixture->sim,
			       "memory map: 0 bytes of 48-byte descriptors"));
	fixture->config = sound;
	fixture->config.memory_map_size_bytes -= 8;
	assert_status(fixture_start(fixture), CZ_E_TABLE);
	fixture->config = sound;
	fixture->config.memory_map_size_bytes = 5000 * 48;
	assert_status(fixture_start(fixture), CZ_E_TABLE);
	assert_true(sim_logged(&fixture->sim, "memory map: 240000 bytes of "
					      "48-byte descriptors"));
}

static void bad_strides(void **state)
{
	static const size_t wrong[] = {0, 8, 39, 44, 52, 8192, SIZE_MAX};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		fixture->config.descriptor_size_bytes = wrong[i];
		sim_forget_log(&fixture->sim);
		assert_status(fixture_start(fixture), CZ_E_TABLE);
		assert_true(sim_logged(&fixture->sim, "memory map: descriptors "
						      "of"));
	}
}

static void unaligned_map(void **state)
{
	struct fixture *fixture = *state;
	uint8_t *copy = malloc(fixture->config.memory_map_size_bytes + 1);

	memcpy(copy + 1, fixture->sim.map_bytes,
	       fixture->config.memory_map_size_bytes);
	fixture->config.memory_map = copy + 1;
	assert_status(fixture_start(fixture), CZ_OK);
	free(copy);
}

static void no_runtime_memory(void **state)
{
	struct fixture *fixture = *state;

	fixture->sim.entry_count = 1;
	fixture_refused(fixture, CZ_E_TABLE,
			"memory map: none of 1 entries is runtime memory");
}

static void broken_entries(void **state)
{
	static const struct {
		uint64_t start, pages;
	} wrong[] = {
		{0x41000800, 1}, /* unaligned */
		{0x41000000, 0}, /* empty */
		{0x41000000, 1ull << 52}, /* its size is 2^64 bytes */
		{0x41000000, UINT64_MAX}, /* its size overflows */
		{0xfffffffffffff000, 1}, /* its end is 2^64 */
		{0xfffffffffffff000, UINT64_MAX >> 1}, /* both overflow */
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		sim_add_entry(&fixture->sim, CZ_EFI_RUNTIME_SERVICES_DATA,
			      wrong[i].start, wrong[i].pages, RUNTIME_RAM);
		fixture_refused(fixture, CZ_E_TABLE, "memory map entry 6 [0x");
		assert_true(sim_logged(&fixture->sim,
				       "is empty, unaligned or wraps around"));
		fixture->sim.entry_count--;
	}
}

static void broken_entries_not_runtime(void **state)
{
	struct fixture *fixture = *state;

	sim_add_entry(&fixture->sim, CZ_EFI_CONVENTIONAL, 0x41000800, 1,
		      CZ_EFI_MEMORY_WB);
	sim_add_entry(&fixture->sim, CZ_EFI_CONVENTIONAL, 0x41000000, 0,
		      CZ_EFI_MEMORY_WB);
	sim_add_entry(&fixture->sim, CZ_EFI_CONVENTIONAL, 0x41000000,
		      UINT64_MAX, CZ_EFI_MEMORY_WB);
	fixture_refused(fixture, CZ_OK, "12 of 12 services");
}

static void overlaps(void **state)
{
	struct fixture *fixture = *state;

	sim_add_entry(&fixture->sim, CZ_EFI_CONVENTIONAL, SIM_DATA + SIM_PAGE,
		      1, CZ_EFI_MEMORY_WB);
	fixture_refused(fixture, CZ_E_TABLE,
			"memory map entry 1 [0x40100000-0x40140000] overlaps "
			"entry 6 [0x40101000-0x40102000]");
	fixture->sim.entries[6] = fixture->sim.entries[1];
	fixture_refused(fixture, CZ_E_TABLE, "overlaps entry 6");
	/* An overlap of two entries that are not runtime memory is ignored. */
	fixture->sim.entries[6] = fixture->sim.entries[0];
	fixture_refused(fixture, CZ_OK, "12 of 12 services");
}

static void unsorted(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_memory_descriptor first = fixture->sim.entries[0];

	fixture->sim.entries[0] = fixture->sim.entries[5];
	fixture->sim.entries[5] = fixture->sim.entries[3];
	fixture->sim.entries[3] = first;
	fixture_refused(fixture, CZ_OK, "12 of 12 services");
}

static void runtime_conventional_memory(void **state)
{
	struct fixture *fixture = *state;

	sim_add_entry(&fixture->sim, CZ_EFI_CONVENTIONAL, 0x41000000, 4,
		      RUNTIME_RAM);
	fixture_refused(fixture, CZ_OK,
			"memory map entry 6 [0x41000000, 4 pages] is runtime "
			"memory of type 7: not mapped");
}

static void too_many_runtime_entries(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_memory_descriptor *map = calloc(300, sizeof(*map));

	for (uint32_t i = 0; i < 300; i++) {
		map[i] = (struct cz_efi_memory_descriptor){
			.type = CZ_EFI_RUNTIME_SERVICES_DATA,
			.physical_start = 0x80000000 + i * 0x2000ull,
			.number_of_pages = 1,
			.attribute = RUNTIME_RAM,
		};
	}
	fixture->config.memory_map = map;
	fixture->config.memory_map_size_bytes = 300 * sizeof(*map);
	fixture->config.descriptor_size_bytes = sizeof(*map);
	assert_status(fixture_start(fixture), CZ_E_TABLE);
	assert_true(sim_logged(&fixture->sim, "memory map entry 256"));
	assert_true(sim_logged(&fixture->sim, "is one runtime entry too many"));
	free(map);
}

static void virtual_addresses(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_memory_descriptor *data = &fixture->sim.entries[1];
	uint64_t sound = data->virtual_start;

	fixture->config.map_mode = CZ_MAP_SET;
	data->virtual_start = 0;
	fixture_refused(fixture, CZ_E_TABLE,
			"memory map entry 1 [0x40100000, 64 "
			"pages] has no virtual address");
	data->virtual_start = sound + 8;
	fixture_refused(fixture, CZ_E_TABLE,
			"has an unaligned virtual address");
	data->virtual_start = 0xfffffffffffff000;
	fixture_refused(fixture, CZ_E_TABLE,
			"wraps around in virtual addresses");
	/* Two regions have the same virtual address. */
	data->virtual_start = fixture->sim.entries[2].virtual_start;
	fixture_refused(fixture, CZ_E_TABLE, "overlaps another at");
	data->virtual_start = sound;
	fixture_refused(fixture, CZ_OK, "12 of 12 services");
}

int group_memmap(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(valid_maps),
		FRESH(bad_shapes),
		FRESH(bad_strides),
		FRESH(unaligned_map),
		FRESH(no_runtime_memory),
		FRESH(broken_entries),
		FRESH(overlaps),
		FRESH(broken_entries_not_runtime),
		FRESH(unsorted),
		FRESH(runtime_conventional_memory),
		FRESH(too_many_runtime_entries),
		FRESH(virtual_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
