/* SPDX-License-Identifier: MIT */
/* Regions: memory types, protection, merging; and the window's address. */
#include "fixture.h"

#include "core.h"

#define RUNTIME CZ_EFI_MEMORY_RUNTIME

static void no_attributes_table(struct fixture *fixture)
{
	sim_system_table(&fixture->sim)->number_of_table_entries = 0;
}

static const struct cz_region *region_at(struct fixture *fixture,
					 uint64_t address)
{
	const struct cz_region *region = cz_find_region(&fixture->cz, address);

	assert_non_null(region);
	return region;
}

static void memory_types(void **state)
{
	static const struct {
		uint32_t efi_type;
		uint64_t attribute;
		enum cz_memory_type type;
	} cases[] = {
		{CZ_EFI_RUNTIME_SERVICES_DATA, 15, CZ_MEMORY_WRITE_BACK},
		{CZ_EFI_RUNTIME_SERVICES_DATA, 7, CZ_MEMORY_NON_CACHEABLE},
		{CZ_EFI_RUNTIME_SERVICES_DATA, CZ_EFI_MEMORY_WC,
		 CZ_MEMORY_NON_CACHEABLE},
		{CZ_EFI_RUNTIME_SERVICES_DATA, CZ_EFI_MEMORY_WT,
		 CZ_MEMORY_NON_CACHEABLE},
		{CZ_EFI_RUNTIME_SERVICES_DATA, 1, CZ_MEMORY_DEVICE},
		{CZ_EFI_RUNTIME_SERVICES_DATA, 0, CZ_MEMORY_DEVICE},
		{CZ_EFI_RUNTIME_SERVICES_CODE, 1, CZ_MEMORY_DEVICE},
		{CZ_EFI_RESERVED, 8, CZ_MEMORY_WRITE_BACK},
		/* MMIO is device memory, whatever attributes the map has: the
		 * flash of AAVMF 2022.11 has WC. */
		{CZ_EFI_MMIO, 15, CZ_MEMORY_DEVICE},
		{CZ_EFI_MMIO, CZ_EFI_MEMORY_WC, CZ_MEMORY_DEVICE},
		{CZ_EFI_MMIO_PORT, 8, CZ_MEMORY_DEVICE},
	};
	struct fixture *fixture = *state;
	uint32_t count = sizeof(cases) / sizeof(cases[0]);

	no_attributes_table(fixture);
	for (uint32_t i = 0; i < count; i++) {
		sim_add_entry(&fixture->sim, cases[i].efi_type,
			      0x10000000 + i * 0x10000ull, 1,
			      cases[i].attribute | RUNTIME);
	}
	sim_write_map(&fixture->sim);
	fixture->config.memory_map_size_bytes += count * fixture->sim.stride;
	assert_status(fixture_start(fixture), CZ_OK);
	for (uint32_t i = 0; i < count; i++) {
		const struct cz_region *region =
			region_at(fixture, 0x10000000 + i * 0x10000ull);

		assert_int_equal(region->type, cases[i].type);
		assert_int_equal(region->prot, CZ_PROT_READ | CZ_PROT_WRITE);
	}
}

static void without_attributes_table(void **state)
{
	struct fixture *fixture = *state;

	no_attributes_table(fixture);
	assert_status(fixture_start(fixture), CZ_OK);
	assert_int_equal(region_at(fixture, SIM_CODE)->prot,
			 CZ_PROT_READ | CZ_PROT_WRITE | CZ_PROT_EXEC);
	assert_int_equal(region_at(fixture, SIM_DATA)->prot,
			 CZ_PROT_READ | CZ_PROT_WRITE);
	assert_int_equal(fixture->cz.region_count, 4);
	assert_int_equal(region_at(fixture, SIM_CODE)->efi_type,
			 CZ_EFI_RUNTIME_SERVICES_CODE);
}

static void sorted_and_mapped(void **state)
{
	struct fixture *fixture = *state;

	assert_status(fixture_start(fixture), CZ_OK);
	assert_int_equal(fixture->cz.region_count, 6);
	for (uint32_t i = 0; i < fixture->cz.region_count; i++) {
		const struct cz_region *region = &fixture->cz.regions[i];
		const struct sim_mapping *there =
			sim_mapped(&fixture->sim, region->address);

		assert_non_null(there);
		assert_int_equal(there->address, region->address);
		assert_int_equal(there->page_count, region->page_count);
		assert_int_equal(there->cookie, region->physical);
		/* A device is mapped read-only, so that the first write to it
		 * faults. */
		assert_int_equal(there->prot, region->type == CZ_MEMORY_DEVICE
						      ? CZ_PROT_READ
						      : region->prot);
		assert_int_equal(there->type, region->type);
		if (i > 0) {
			assert_true(region->address >
				    fixture->cz.regions[i - 1].address);
		}
	}
}

static void merged_regions(void **state)
{
	struct fixture *fixture = *state;

	no_attributes_table(fixture);
	for (uint32_t i = 0; i < 3; i++) {
		sim_add_entry(&fixture->sim, CZ_EFI_RUNTIME_SERVICES_DATA,
			      0x10000000 + i * 0x1000ull, 1,
			      CZ_EFI_MEMORY_WB | RUNTIME);
	}
	sim_write_map(&fixture->sim);
	fixture->config.memory_map_size_bytes += 3 * fixture->sim.stride;
	assert_status(fixture_start(fixture), CZ_OK);
	assert_int_equal(region_at(fixture, 0x10000000)->page_count, 3);
	assert_int_equal(fixture->cz.region_count, 5);
}

/* ---- The window ---- */

static void window_is_found(void **state)
{
	struct fixture *fixture = *state;

	fixture->config.window_address = 0;
	fixture->config.window_bytes = 0;
	assert_status(fixture_start(fixture), CZ_OK);
	/* The window has 64 MiB and is just above the highest region. */
	assert_int_equal(fixture->cz.window_address, 0x44000000);
	assert_int_equal(fixture->cz.window_pages, 16384);
}

static void window_below_regions(void **state)
{
	struct fixture *fixture = *state;

	fixture->config.window_address = 0;
	sim_add_entry(&fixture->sim, CZ_EFI_CONVENTIONAL, 0x100000000000,
		      0x700000000000 / SIM_PAGE, 15);
	fixture_refused(fixture, CZ_OK, "window 0x4000000-0x8000000");
}

static void block(struct fixture *fixture, uint64_t start, uint64_t end)
{
	sim_add_entry(&fixture->sim, CZ_EFI_CONVENTIONAL, start,
		      (end - start) / SIM_PAGE, CZ_EFI_MEMORY_WB);
}

static void no_free_window(void **state)
{
	struct fixture *fixture = *state;

	fixture->config.window_address = 0;
	block(fixture, 0, 0x9000000);
	block(fixture, 0x9020000, 0x10400000);
	block(fixture, 0x10800000, 0x40000000);
	block(fixture, 0x40600000, 0x800000000000);
	fixture_refused(fixture, CZ_OK, "window 0x10400000-0x10800000");
	block(fixture, 0x10401000, 0x10402000);
	fixture_refused(fixture, CZ_E_TABLE,
			"no free window below 0x800000000000");
}

static void bad_given_windows(void **state)
{
	static const struct {
		uint64_t address, bytes;
	} wrong[] = {
		{SIM_WINDOW + 8, SIM_WINDOW_BYTES},
		{SIM_WINDOW, SIM_WINDOW_BYTES + 8},
		{SIM_WINDOW, SIM_WINDOW_BYTES - SIM_PAGE},
		{0xfffffffffff00000, SIM_WINDOW_BYTES},
	};
	struct fixture *fixture = *state;

	for (uint32_t i = 0; i < 4; i++) {
		fixture->config.window_address = wrong[i].address;
		fixture->config.window_bytes = wrong[i].bytes;
		fixture_refused(fixture, CZ_E_ARGUMENT,
				"is not aligned, too small or wraps around");
	}
	fixture->config.window_address = SIM_CODE - 0x300000;
	fixture->config.window_bytes = SIM_WINDOW_BYTES;
	fixture_refused(fixture, CZ_E_ARGUMENT,
			"window [0x3ff00000-0x40300000] is not free in the "
			"memory map");
	fixture->config.window_address = SIM_WINDOW;
	fixture->config.max_data_bytes = 2 << 20;
	fixture_refused(fixture, CZ_E_ARGUMENT,
			"window of 1024 pages is too small for requests of 513 "
			"pages");
}

static void window_avoids_virtual(void **state)
{
	struct fixture *fixture = *state;

	fixture->config.window_address = 0;
	fixture->config.map_mode = CZ_MAP_SET;
	fixture->sim.entries[5].virtual_start = 0x44000000;
	sim_write_map(&fixture->sim);
	assert_status(fixture_start(fixture), CZ_OK);
	assert_int_equal(fixture->cz.window_address, 0x48000000);
}

int group_regions(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(memory_types),	      FRESH(without_attributes_table),
		FRESH(sorted_and_mapped),     FRESH(merged_regions),
		FRESH(window_is_found),	      FRESH(window_below_regions),
		FRESH(no_free_window),	      FRESH(bad_given_windows),
		FRESH(window_avoids_virtual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
