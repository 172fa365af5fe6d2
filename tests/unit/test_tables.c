/* SPDX-License-Identifier: MIT */
/* The system table, the configuration tables, the table of runtime services and
 * EFI_RT_PROPERTIES_TABLE. */
#include "fixture.h"

static void system_table(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_system_table *table = sim_system_table(&fixture->sim);
	struct cz_efi_system_table sound = *table;

	table->header.signature ^= 1;
	fixture_refused(fixture, CZ_E_TABLE, "system table: signature 0x");
	*table = sound;
	table->header.revision = 0;
	fixture_refused(fixture, CZ_E_TABLE, "system table: revision 0x0");
	*table = sound;
	table->header.revision = 99 << 16;
	fixture_refused(fixture, CZ_E_TABLE, "system table: revision 0x630000");
	*table = sound;
	table->header.header_size = 119;
	fixture_refused(fixture, CZ_E_TABLE, "system table: header size 119");
	table->header.header_size = 0xffffffff;
	fixture_refused(fixture, CZ_E_TABLE,
			"system table: header size 4294967295");
}

static void system_table_elsewhere(void **state)
{
	static const uint64_t wrong[] = {
		0,
		0x77777777000,
		SIM_DATA + SIM_DATA_PAGES * SIM_PAGE - 8,
		UINT64_MAX - 7,
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		fixture->config.system_table = wrong[i];
		fixture_refused(fixture, CZ_E_TABLE,
				"is not within one entry of the memory map");
	}
	fixture->config.system_table = SIM_MMIO;
	fixture_refused(fixture, CZ_E_TABLE,
			"system table [0x9010000, 120 bytes] is not in memory "
			"that the host can read");
}

static void configuration_tables(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_system_table *table = sim_system_table(&fixture->sim);

	table->number_of_table_entries = 0xffffffffffff;
	fixture_refused(fixture, CZ_E_TABLE,
			"system table: 281474976710655 "
			"configuration tables");
	table->number_of_table_entries = 1024;
	table->configuration_table = SIM_DATA + 0x3e000;
	fixture_refused(fixture, CZ_E_TABLE,
			"configuration tables [0x4013e000, 24576 bytes] is not "
			"within one entry");
	table->number_of_table_entries = 2;
	table->configuration_table = 0;
	fixture_refused(fixture, CZ_E_TABLE,
			"configuration tables [0x0, 48 bytes] "
			"is not within one entry");
	table->number_of_table_entries = 0;
	fixture_refused(fixture, CZ_OK, "no memory attributes table");
}

static void runtime_table(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_system_table *system = sim_system_table(&fixture->sim);
	struct cz_efi_runtime_services *table =
		sim_runtime_table(&fixture->sim);

	table->header.signature = 0;
	fixture_refused(fixture, CZ_E_TABLE,
			"table of runtime services: signature 0x0");
	table->header.signature = CZ_EFI_RUNTIME_SERVICES_SIGNATURE;
	table->header.header_size = 16;
	fixture_refused(fixture, CZ_E_TABLE,
			"table of runtime services: header size 16");
	table->header.header_size = sizeof(*table);
	system->runtime_services = 0x1000;
	fixture_refused(fixture, CZ_E_TABLE,
			"table of runtime services [0x1000, 24 bytes] is not "
			"within one entry");
}

static void old_runtime_table(void **state)
{
	struct fixture *fixture = *state;

	/* The table of EFI 1.10 has neither the capsule services nor
	 * QueryVariableInfo. */
	sim_runtime_table(&fixture->sim)->header.header_size =
		offsetof(struct cz_efi_runtime_services, update_capsule);
	assert_status(fixture_start(fixture), CZ_OK);
	assert_true(sim_logged(&fixture->sim, "9 of 12 services"));
	assert_false(cz_service_available(&fixture->cz, CZ_UPDATE_CAPSULE));
	assert_false(
		cz_service_available(&fixture->cz, CZ_QUERY_VARIABLE_INFO));
	assert_true(cz_service_available(&fixture->cz, CZ_RESET_SYSTEM));
}

static void functions_elsewhere(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_runtime_services *table =
		sim_runtime_table(&fixture->sim);

	table->get_time = 0;
	table->set_time = SIM_DATA + 0x100;
	table->get_wakeup_time = 0x1000;
	table->set_wakeup_time = UINT64_MAX;
	assert_status(fixture_start(fixture), CZ_OK);
	assert_true(sim_logged(&fixture->sim, "8 of 12 services"));
	assert_false(sim_logged(&fixture->sim, "GetTime"));
	assert_true(sim_logged(&fixture->sim,
			       "SetTime at 0x40100100 is not in an executable "
			       "region: treated as absent"));
	assert_true(sim_logged(&fixture->sim, "GetWakeupTime at 0x1000"));
	assert_status(cz_set_time(&fixture->cz, &fixture->sim.time, LATER),
		      CZ_EFI_UNSUPPORTED);
	assert_int_equal(fixture->sim.order_count, 0);
}

/* Each service has its bit in the mask: UEFI specification, section 4.6.2. */
static void supported_services(void **state)
{
	static const uint16_t bits[CZ_NULL_SERVICE] = {
		[CZ_GET_TIME] = 0x1,
		[CZ_SET_TIME] = 0x2,
		[CZ_GET_WAKEUP_TIME] = 0x4,
		[CZ_SET_WAKEUP_TIME] = 0x8,
		[CZ_GET_VARIABLE] = 0x10,
		[CZ_GET_NEXT_VARIABLE_NAME] = 0x20,
		[CZ_SET_VARIABLE] = 0x40,
		[CZ_GET_NEXT_HIGH_MONOTONIC_COUNT] = 0x200,
		[CZ_RESET_SYSTEM] = 0x400,
		[CZ_UPDATE_CAPSULE] = 0x800,
		[CZ_QUERY_CAPSULE_CAPABILITIES] = 0x1000,
		[CZ_QUERY_VARIABLE_INFO] = 0x2000,
	};
	struct fixture *fixture = *state;

	for (uint32_t i = 0; i < CZ_NULL_SERVICE; i++) {
		sim_write_properties(&fixture->sim, bits[i] | 0xffff0000u);
		assert_status(fixture_start(fixture), CZ_OK);
		for (uint32_t j = 0; j < CZ_NULL_SERVICE; j++) {
			assert_int_equal(
				cz_service_available(&fixture->cz,
						     (enum cz_service)j),
				i == j);
		}
		assert_true(
			cz_service_available(&fixture->cz, CZ_NULL_SERVICE));
		fixture_stop(fixture);
	}
}

static void unsupported_services(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_time time;

	/* U-Boot's mask. */
	sim_write_properties(&fixture->sim, 0x25b0);
	assert_status(fixture_start(fixture), CZ_OK);
	assert_int_equal(fixture->cz.rt_supported, 0x25b0);
	assert_true(sim_logged(&fixture->sim, "4 of 12 services"));
	assert_status(cz_get_time(&fixture->cz, &time, NULL, LATER),
		      CZ_EFI_UNSUPPORTED);
	assert_status(cz_set_variable(&fixture->cz, u"A", &test_guid, 7, "x", 1,
				      LATER),
		      CZ_EFI_UNSUPPORTED);
	assert_int_equal(fixture->sim.order_count, 0);
	assert_false(cz_service_available(&fixture->cz, CZ_GET_TIME));
	assert_false(cz_service_available(&fixture->cz, CZ_SERVICE_COUNT));
}

static void broken_properties(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_rt_properties *table =
		sim_ram(&fixture->sim, SIM_PROPERTIES);

	sim_write_properties(&fixture->sim, 0x3fff);
	table->length = 4;
	fixture_refused(fixture, CZ_E_TABLE,
			"EFI_RT_PROPERTIES_TABLE: version 1, length 4");
	table->length = 8;
	table->version = 0;
	fixture_refused(fixture, CZ_E_TABLE,
			"EFI_RT_PROPERTIES_TABLE: version 0, length 8");
	table->version = 1;
	sim_configuration(&fixture->sim)[1].table = 0x123;
	fixture_refused(
		fixture, CZ_E_TABLE,
		"EFI_RT_PROPERTIES_TABLE [0x123, 8 bytes] is not within");
}

int group_tables(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(system_table),	     FRESH(system_table_elsewhere),
		FRESH(configuration_tables), FRESH(runtime_table),
		FRESH(old_runtime_table),    FRESH(functions_elsewhere),
		FRESH(supported_services),   FRESH(unsupported_services),
		FRESH(broken_properties),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
