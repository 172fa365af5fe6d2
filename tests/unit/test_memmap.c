/* SPDX-License-Identifier: MIT */
/* The memory map: what is refused, by entry, and what is not. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#define RUNTIME_RAM (CZ_EFI_MEMORY_WB | CZ_EFI_MEMORY_RUNTIME)

static void sound_maps(void **state)
{
	static const size_t strides[] = {40, 48, 56, 128};
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof(strides) / sizeof(strides[0]); i++) {
		bench->sim.stride = strides[i];
		bench_refused(bench, CZ_OK, "12 of 12 services");
	}
}

static void shapes(void **state)
{
	struct bench *bench = *state;
	struct cz_config sound = bench->config;

	bench->config.descriptor_version = 2;
	assert_status(bench_start(bench), CZ_E_TABLE);
	assert_true(sim_logged(&bench->sim, "memory map: descriptor version "
					    "2"));
	bench->config = sound;
	bench->config.memory_map = NULL;
	assert_status(bench_start(bench), CZ_E_TABLE);
	bench->config = sound;
	bench->config.memory_map_size_bytes = 0;
	assert_status(bench_start(bench), CZ_E_TABLE);
	assert_true(sim_logged(&bench->sim,
			       "memory map: 0 bytes of 48-byte descriptors"));
	bench->config = sound;
	bench->config.memory_map_size_bytes -= 8;
	assert_status(bench_start(bench), CZ_E_TABLE);
	bench->config = sound;
	bench->config.memory_map_size_bytes = 5000 * 48;
	assert_status(bench_start(bench), CZ_E_TABLE);
	assert_true(sim_logged(&bench->sim, "memory map: 240000 bytes of "
					    "48-byte descriptors"));
}

static void strides(void **state)
{
	static const size_t wrong[] = {0, 8, 39, 44, 52, 8192, SIZE_MAX};
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		bench->config.descriptor_size_bytes = wrong[i];
		sim_forget_log(&bench->sim);
		assert_status(bench_start(bench), CZ_E_TABLE);
		assert_true(sim_logged(&bench->sim, "memory map: descriptors "
						    "of"));
	}
}

static void unaligned_map(void **state)
{
	struct bench *bench = *state;
	uint8_t *copy = malloc(bench->config.memory_map_size_bytes + 1);

	memcpy(copy + 1, bench->sim.map_bytes,
	       bench->config.memory_map_size_bytes);
	bench->config.memory_map = copy + 1;
	assert_status(bench_start(bench), CZ_OK);
	free(copy);
}

static void nothing_of_firmwares(void **state)
{
	struct bench *bench = *state;

	bench->sim.entry_count = 1;
	bench_refused(bench, CZ_E_TABLE,
		      "memory map: none of 1 entries is runtime memory");
}

static void broken_entries(void **state)
{
	static const struct {
		uint64_t start, pages;
	} wrong[] = {
		{0x41000800, 1}, /* unaligned */
		{0x41000000, 0}, /* empty */
		{0x41000000, 1ull << 52}, /* wraps around */
		{0x41000000, UINT64_MAX}, /* in the product */
		{0xfffffffffffff000, 1}, /* its end is 2^64 */
		{0xfffffffffffff000, UINT64_MAX >> 1}, /* both */
	};
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		sim_add_entry(&bench->sim, CZ_EFI_RUNTIME_SERVICES_DATA,
			      wrong[i].start, wrong[i].pages, RUNTIME_RAM);
		bench_refused(bench, CZ_E_TABLE, "memory map entry 6 [0x");
		assert_true(sim_logged(&bench->sim,
				       "is empty, unaligned or wraps around"));
		bench->sim.entry_count--;
	}
}

static void broken_entries_of_others(void **state)
{
	struct bench *bench = *state;

	sim_add_entry(&bench->sim, CZ_EFI_CONVENTIONAL, 0x41000800, 1,
		      CZ_EFI_MEMORY_WB);
	sim_add_entry(&bench->sim, CZ_EFI_CONVENTIONAL, 0x41000000, 0,
		      CZ_EFI_MEMORY_WB);
	sim_add_entry(&bench->sim, CZ_EFI_CONVENTIONAL, 0x41000000, UINT64_MAX,
		      CZ_EFI_MEMORY_WB);
	bench_refused(bench, CZ_OK, "12 of 12 services");
}

static void overlaps(void **state)
{
	struct bench *bench = *state;

	sim_add_entry(&bench->sim, CZ_EFI_CONVENTIONAL, SIM_DATA + SIM_PAGE, 1,
		      CZ_EFI_MEMORY_WB);
	bench_refused(bench, CZ_E_TABLE,
		      "memory map entry 1 [0x40100000-0x40140000] overlaps "
		      "entry 6 [0x40101000-0x40102000]");
	bench->sim.entries[6] = bench->sim.entries[1];
	bench_refused(bench, CZ_E_TABLE, "overlaps entry 6");
	/* Of two that are not firmware's, nobody asks. */
	bench->sim.entries[6] = bench->sim.entries[0];
	bench_refused(bench, CZ_OK, "12 of 12 services");
}

static void unsorted(void **state)
{
	struct bench *bench = *state;
	struct cz_efi_memory_descriptor first = bench->sim.entries[0];

	bench->sim.entries[0] = bench->sim.entries[5];
	bench->sim.entries[5] = bench->sim.entries[3];
	bench->sim.entries[3] = first;
	bench_refused(bench, CZ_OK, "12 of 12 services");
}

static void memory_of_the_system(void **state)
{
	struct bench *bench = *state;

	sim_add_entry(&bench->sim, CZ_EFI_CONVENTIONAL, 0x41000000, 4,
		      RUNTIME_RAM);
	bench_refused(bench, CZ_OK,
		      "memory map entry 6 [0x41000000, 4 pages] is runtime "
		      "memory of type 7: not mapped");
}

static void too_many(void **state)
{
	struct bench *bench = *state;
	struct cz_efi_memory_descriptor *map = calloc(300, sizeof(*map));

	for (uint32_t i = 0; i < 300; i++) {
		map[i] = (struct cz_efi_memory_descriptor){
			.type = CZ_EFI_RUNTIME_SERVICES_DATA,
			.physical_start = 0x80000000 + i * 0x2000ull,
			.number_of_pages = 1,
			.attribute = RUNTIME_RAM,
		};
	}
	bench->config.memory_map = map;
	bench->config.memory_map_size_bytes = 300 * sizeof(*map);
	bench->config.descriptor_size_bytes = sizeof(*map);
	assert_status(bench_start(bench), CZ_E_TABLE);
	assert_true(sim_logged(&bench->sim, "memory map entry 256"));
	assert_true(sim_logged(&bench->sim, "is one runtime entry too many"));
	free(map);
}

static void virtual_addresses(void **state)
{
	struct bench *bench = *state;
	struct cz_efi_memory_descriptor *data = &bench->sim.entries[1];
	uint64_t sound = data->virtual_start;

	bench->config.map_mode = CZ_MAP_SET;
	data->virtual_start = 0;
	bench_refused(bench, CZ_E_TABLE,
		      "memory map entry 1 [0x40100000, 64 "
		      "pages] has no virtual address");
	data->virtual_start = sound + 8;
	bench_refused(bench, CZ_E_TABLE, "has an unaligned virtual address");
	data->virtual_start = 0xfffffffffffff000;
	bench_refused(bench, CZ_E_TABLE, "wraps around in virtual addresses");
	/* The first of the two to be added, by the memory map, is the device. */
	data->virtual_start = bench->sim.entries[2].virtual_start;
	bench_refused(bench, CZ_E_TABLE, "overlaps another at");
	data->virtual_start = sound;
	bench_refused(bench, CZ_OK, "12 of 12 services");
}

int group_memmap(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(sound_maps),
		FRESH(shapes),
		FRESH(strides),
		FRESH(unaligned_map),
		FRESH(nothing_of_firmwares),
		FRESH(broken_entries),
		FRESH(overlaps),
		FRESH(broken_entries_of_others),
		FRESH(unsorted),
		FRESH(memory_of_the_system),
		FRESH(too_many),
		FRESH(virtual_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
