/* SPDX-License-Identifier: MIT */
/* The Memory Attributes Table: versions, bounds, contradictions. */
#include "fixture.h"

#include "core.h"

#define CODE_ENTRY 1 /* the valid table's entry for code */

static void both_versions(void **state)
{
	struct fixture *fixture = *state;

	for (uint32_t version = 1; version <= 2; version++) {
		sim_write_attributes(&fixture->sim, version, 40);
		fixture_refused(fixture, CZ_OK, "6 regions");
		sim_write_attributes(&fixture->sim, version, 64);
		fixture_refused(fixture, CZ_OK, "6 regions");
	}
	assert_false(sim_logged(&fixture->sim, "mapped writable"));
}

static void bad_headers(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_memory_attributes *table =
		sim_ram(&fixture->sim, SIM_ATTRIBUTES);

	sim_write_attributes(&fixture->sim, 3, 48);
	fixture_refused(fixture, CZ_E_TABLE,
			"memory attributes table: version 3");
	sim_write_attributes(&fixture->sim, 2, 48);
	table->descriptor_size = 32;
	fixture_refused(fixture, CZ_E_TABLE,
			"memory attributes table: descriptors of 32 bytes");
	table->descriptor_size = 44;
	fixture_refused(fixture, CZ_E_TABLE, "descriptors of 44 bytes");
	table->descriptor_size = 0xfffffff8;
	fixture_refused(fixture, CZ_E_TABLE, "descriptors of 4294967288 bytes");
	table->descriptor_size = 48;
	table->number_of_entries = 0;
	fixture_refused(fixture, CZ_E_TABLE,
			"memory attributes table: 0 entries");
	table->number_of_entries = 0xffffffff;
	fixture_refused(fixture, CZ_E_TABLE,
			"memory attributes table: 4294967295 entries");
	/* The table is larger than the entry of the memory map that it is
	 * in. */
	table->number_of_entries = 4000;
	fixture_refused(fixture, CZ_E_TABLE,
			"memory attributes table [0x40300000, 192016 bytes] is "
			"not within one entry of the memory map");
}

static void table_elsewhere(void **state)
{
	struct fixture *fixture = *state;

	sim_configuration(&fixture->sim)[0].table = 0x1000;
	fixture_refused(fixture, CZ_E_TABLE,
			"memory attributes table [0x1000, 16 bytes] is not "
			"within one entry of the memory map");
	sim_configuration(&fixture->sim)[0].table = SIM_MMIO;
	fixture_refused(fixture, CZ_E_TABLE,
			"is not in memory that the host can");
	/* There is no table, as with U-Boot. */
	sim_configuration(&fixture->sim)[0].table = 0;
	fixture_refused(fixture, CZ_OK,
			"no memory attributes table: runtime code is mapped "
			"writable");
}

/* Requires that cz_init() refuses the table and logs these words when this
 * entry replaces that of code. */
static void refuse_entry(struct fixture *fixture,
			 const struct cz_efi_memory_descriptor *entry,
			 const char *words)
{
	struct cz_efi_memory_descriptor sound =
		fixture->sim.attributes[CODE_ENTRY];

	fixture->sim.attributes[CODE_ENTRY] = *entry;
	sim_write_attributes(&fixture->sim, 2, 48);
	fixture_refused(fixture, CZ_E_TABLE, words);
	fixture->sim.attributes[CODE_ENTRY] = sound;
}

static void contradictions(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_memory_descriptor sound =
		fixture->sim.attributes[CODE_ENTRY];
	struct cz_efi_memory_descriptor entry = sound;

	entry.type = CZ_EFI_CONVENTIONAL;
	refuse_entry(fixture, &entry,
		     "memory attributes table entry 1 [0x40200000, 8 pages] is "
		     "neither runtime code nor runtime data");
	entry = sound;
	entry.physical_start += 8;
	refuse_entry(fixture, &entry,
		     "entry 1 [0x40200008, 8 pages] is empty "
		     "or unaligned");
	entry = sound;
	entry.number_of_pages = 0;
	refuse_entry(fixture, &entry, "is empty or unaligned");
	entry = sound;
	entry.physical_start = SIM_BOOT;
	refuse_entry(fixture, &entry,
		     "entry 1 [0x40300000, 8 pages] is not in a "
		     "region of runtime code or data");
	entry.physical_start = SIM_MMIO;
	refuse_entry(fixture, &entry, "is not in a region of runtime code or");
	entry.physical_start = 0xfffffffffffff000;
	refuse_entry(fixture, &entry, "is not in a region of runtime code or");
	entry = sound;
	entry.number_of_pages = SIM_CODE_PAGES + 1;
	refuse_entry(fixture, &entry,
		     "memory attributes table entry 1 [0x40200000, 17 pages] "
		     "spans two regions of the memory map");
	entry.number_of_pages = UINT64_MAX;
	refuse_entry(fixture, &entry, "spans two regions of the memory map");
	entry.number_of_pages = 1ull << 52;
	refuse_entry(fixture, &entry, "spans two regions of the memory map");
}

static void overlapping(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_memory_descriptor entry =
		fixture->sim.attributes[CODE_ENTRY];

	/* The entry's last page is the first page of the next entry. */
	entry.number_of_pages = 9;
	refuse_entry(fixture, &entry,
		     "memory attributes table entry 2 [0x40208000-0x40210000] "
		     "overlaps another at 0x40208000");
	fixture->sim.attributes[fixture->sim.attribute_count++] =
		fixture->sim.attributes[0];
	sim_write_attributes(&fixture->sim, 2, 48);
	fixture_refused(fixture, CZ_E_TABLE,
			"table entry 5 [0x40100000-0x40140000]"
			" overlaps another at 0x40100000");
}

static uint32_t prot_of(struct fixture *fixture, uint64_t address)
{
	const struct cz_region *region = cz_find_region(&fixture->cz, address);

	return region == NULL ? 0 : region->prot;
}

static void protections(void **state)
{
	struct fixture *fixture = *state;

	assert_status(fixture_start(fixture), CZ_OK);
	assert_int_equal(prot_of(fixture, SIM_DATA),
			 CZ_PROT_READ | CZ_PROT_WRITE);
	assert_int_equal(prot_of(fixture, SIM_CODE),
			 CZ_PROT_READ | CZ_PROT_EXEC);
	assert_int_equal(prot_of(fixture, SIM_CODE + 0x8000),
			 CZ_PROT_READ | CZ_PROT_WRITE);
	assert_int_equal(prot_of(fixture, SIM_CODE_2 + 0x4000), CZ_PROT_READ);
	/* This range is not in the table, so it is not mapped. */
	assert_int_equal(prot_of(fixture, SIM_CODE_2 + 0x5000), 0);
	assert_null(sim_mapped(&fixture->sim, SIM_CODE_2 + 0x5000));
	assert_int_equal(prot_of(fixture, SIM_MMIO),
			 CZ_PROT_READ | CZ_PROT_WRITE);
}

static void neither_ro_nor_xp(void **state)
{
	struct fixture *fixture = *state;

	fixture->sim.attributes[CODE_ENTRY].attribute = CZ_EFI_MEMORY_RUNTIME;
	fixture->sim.attributes[0].attribute = CZ_EFI_MEMORY_RUNTIME;
	sim_write_attributes(&fixture->sim, 1, 40);
	assert_status(fixture_start(fixture), CZ_OK);
	assert_int_equal(prot_of(fixture, SIM_CODE),
			 CZ_PROT_READ | CZ_PROT_WRITE | CZ_PROT_EXEC);
	assert_true(sim_logged(&fixture->sim,
			       "1 memory attributes table entry 1 "
			       "[0x40200000-0x40208000] has neither RO nor XP: "
			       "mapped writable and executable"));
	assert_int_equal(prot_of(fixture, SIM_DATA),
			 CZ_PROT_READ | CZ_PROT_WRITE);
	assert_true(sim_logged(&fixture->sim,
			       "entry 0 [0x40100000-0x40140000] is data "
			       "without XP: mapped not executable"));
}

int group_memattr(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(both_versions),	  FRESH(bad_headers),
		FRESH(table_elsewhere),	  FRESH(contradictions),
		FRESH(overlapping),	  FRESH(protections),
		FRESH(neither_ro_nor_xp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
