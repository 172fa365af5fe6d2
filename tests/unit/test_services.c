/* SPDX-License-Identifier: MIT */
/* Each service: the arguments that firmware gets, the results that the caller
 * gets. */
#include "fixture.h"

#include <string.h>

#define FILL 0xa5

static void time_services(void **state)
{
	struct fixture *fixture = *state;
	struct cz *cz = &fixture->cz;
	struct cz_efi_time_caps caps;
	struct cz_efi_time time;
	uint8_t enabled = FILL;
	uint8_t pending = FILL;

	memset(&caps, FILL, sizeof(caps));
	assert_status(cz_get_time(cz, &time, &caps, LATER), CZ_OK);
	assert_memory_equal(&time, &fixture->sim.time, sizeof(time));
	assert_int_equal(caps.accuracy, 50000000);
	/* Firmware did not write these bytes: they hold no other data. */
	assert_int_equal(caps.pad[2], 0);
	time.year = 2030;
	assert_status(cz_set_time(cz, &time, LATER), CZ_OK);
	assert_int_equal(fixture->sim.time.year, 2030);
	time.month = 13;
	assert_status(cz_set_time(cz, &time, LATER), CZ_EFI_INVALID_PARAMETER);
	assert_status(cz_set_wakeup_time(cz, 77, &time, LATER), CZ_OK);
	assert_int_equal(fixture->sim.wakeup_enabled, 1);
	assert_status(cz_set_wakeup_time(cz, 0, NULL, LATER), CZ_OK);
	assert_int_equal(fixture->sim.last_registers[1], 0);
	memset(&time, 0, sizeof(time));
	assert_status(cz_get_wakeup_time(cz, &enabled, &pending, &time, LATER),
		      CZ_OK);
	assert_int_equal(enabled, 0);
	assert_int_equal(pending, 1);
	assert_int_equal(time.month, 13);
}

static void get_time_without_caps(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_time time;

	assert_status(cz_get_time(&fixture->cz, &time, NULL, LATER), CZ_OK);
	assert_int_equal(fixture->sim.last_registers[1], 0);
}

static void variables(void **state)
{
	struct fixture *fixture = *state;
	struct cz *cz = &fixture->cz;
	uint32_t attributes = 0;
	uint8_t data[8];
	size_t size = sizeof(data);

	assert_status(
		cz_set_variable(cz, u"One", &test_guid, 7, "abcde", 5, LATER),
		CZ_OK);
	memset(data, FILL, sizeof(data));
	assert_status(cz_get_variable(cz, u"One", &test_guid, &attributes, data,
				      &size, LATER),
		      CZ_OK);
	assert_int_equal(size, 5);
	assert_int_equal(attributes, 7);
	assert_memory_equal(data, "abcde", 5);
	assert_int_equal(data[5], FILL);
	assert_status(cz_get_variable(cz, u"Two", &test_guid, &attributes, data,
				      &size, LATER),
		      CZ_EFI_NOT_FOUND);
	assert_status(
		cz_set_variable(cz, u"One", &test_guid, 7, NULL, 0, LATER),
		CZ_OK);
	assert_int_equal(fixture->sim.last_registers[4], 0);
	assert_status(
		cz_set_variable(cz, u"One", &test_guid, 7, NULL, 0, LATER),
		CZ_EFI_NOT_FOUND);
}

static void buffer_too_small(void **state)
{
	struct fixture *fixture = *state;
	struct cz *cz = &fixture->cz;
	uint32_t attributes = 0;
	uint8_t data[4] = {FILL, FILL, FILL, FILL};
	size_t size = 4;

	assert_status(
		cz_set_variable(cz, u"One", &test_guid, 7, "abcde", 5, LATER),
		CZ_OK);
	assert_status(cz_get_variable(cz, u"One", &test_guid, &attributes, data,
				      &size, LATER),
		      CZ_EFI_BUFFER_TOO_SMALL);
	assert_int_equal(size, 5);
	assert_int_equal(attributes, 7);
	assert_int_equal(data[0], FILL);
	size = 0;
	assert_status(cz_get_variable(cz, u"One", &test_guid, NULL, NULL, &size,
				      LATER),
		      CZ_EFI_BUFFER_TOO_SMALL);
	assert_int_equal(size, 5);
	assert_int_equal(fixture->sim.last_registers[2], 0);
	assert_int_equal(fixture->sim.last_registers[4], 0);
}

static uint64_t too_small_without_attributes(struct cz_host *sim, struct cz *cz,
					     const uint64_t *r)
{
	(void)sim;
	(void)cz;
	*(uint64_t *)r[3] = 100;
	return CZ_EFI_BUFFER_TOO_SMALL;
}

static void attributes_before_uefi_2_8(void **state)
{
	struct fixture *fixture = *state;
	uint32_t attributes = 0x55;
	size_t size = 0;

	fixture->sim.hook[CZ_GET_VARIABLE] = too_small_without_attributes;
	assert_status(cz_get_variable(&fixture->cz, u"One", &test_guid,
				      &attributes, NULL, &size, LATER),
		      CZ_EFI_BUFFER_TOO_SMALL);
	assert_int_equal(size, 100);
	assert_int_equal(attributes, 0x55);
}

static void variable_names(void **state)
{
	struct fixture *fixture = *state;
	struct cz *cz = &fixture->cz;
	struct cz_efi_guid guid = {0};
	uint16_t name[16];
	size_t size = sizeof(name);

	cz_set_variable(cz, u"One", &test_guid, 7, "1", 1, LATER);
	cz_set_variable(cz, u"Second", &test_guid, 7, "2", 1, LATER);
	memset(name, FILL, sizeof(name));
	name[0] = 0;
	assert_status(cz_get_next_variable_name(cz, &size, name, &guid, LATER),
		      CZ_OK);
	assert_int_equal(size, 8);
	assert_memory_equal(name, u"One", 8);
	assert_int_equal(name[4], 0xa5a5);
	assert_memory_equal(&guid, &test_guid, sizeof(guid));
	size = 8;
	assert_status(cz_get_next_variable_name(cz, &size, name, &guid, LATER),
		      CZ_EFI_BUFFER_TOO_SMALL);
	assert_int_equal(size, 14);
	assert_memory_equal(name, u"One", 8);
	size = sizeof(name);
	assert_status(cz_get_next_variable_name(cz, &size, name, &guid, LATER),
		      CZ_OK);
	assert_memory_equal(name, u"Second", 14);
	size = sizeof(name);
	assert_status(cz_get_next_variable_name(cz, &size, name, &guid, LATER),
		      CZ_EFI_NOT_FOUND);
	guid.a++;
	assert_status(cz_get_next_variable_name(cz, &size, name, &guid, LATER),
		      CZ_EFI_INVALID_PARAMETER);
}

static void query_services(void **state)
{
	struct fixture *fixture = *state;
	struct cz *cz = &fixture->cz;
	uint64_t maximum = 1;
	uint64_t remaining = 1;
	uint64_t largest = 1;
	uint32_t count = 0;

	assert_status(cz_query_variable_info(cz, 0, &maximum, &remaining,
					     &largest, LATER),
		      CZ_EFI_INVALID_PARAMETER);
	assert_int_equal(maximum, 1);
	assert_status(cz_query_variable_info(cz, 7, &maximum, &remaining,
					     &largest, LATER),
		      CZ_OK);
	assert_int_equal(maximum, 65536);
	assert_int_equal(remaining, 32768);
	assert_int_equal(largest, 4096);
	assert_status(cz_get_next_high_monotonic_count(cz, &count, LATER),
		      CZ_OK);
	assert_int_equal(count, 8);
}

static void reset_system(void **state)
{
	struct fixture *fixture = *state;
	struct cz *cz = &fixture->cz;
	static const uint16_t text[] = u"because";

	assert_status(cz_reset_system(cz, CZ_EFI_RESET_WARM, CZ_EFI_ABORTED,
				      text, sizeof(text), LATER),
		      CZ_EFI_UNSUPPORTED);
	assert_int_equal(fixture->sim.reset_type, CZ_EFI_RESET_WARM);
	assert_int_equal(fixture->sim.reset_status, CZ_EFI_ABORTED);
	assert_memory_equal(fixture->sim.reset_data, text, sizeof(text));
	assert_status(
		cz_reset_system(cz, CZ_EFI_RESET_COLD, CZ_OK, NULL, 0, LATER),
		CZ_EFI_UNSUPPORTED);
	assert_int_equal(fixture->sim.last_registers[3], 0);
	assert_status(cz_reset_system(cz, (enum cz_efi_reset_type)4, CZ_OK,
				      NULL, 0, LATER),
		      CZ_E_ARGUMENT);
}

static void null_service(void **state)
{
	struct fixture *fixture = *state;
	struct cz_stats stats;

	assert_status(cz_null_service(&fixture->cz, LATER), CZ_OK);
	cz_get_stats(&fixture->cz, &stats);
	assert_int_equal(stats.service[CZ_NULL_SERVICE].calls, 1);
	assert_int_equal(fixture->sim.order_count, 0);
}

/* ---- Capsules ---- */

struct capsule {
	struct cz_efi_capsule_header header;
	uint8_t body[100];
};

static struct capsule make_capsule(uint32_t flags)
{
	struct capsule capsule = {
		.header = {.guid = test_guid,
			   .header_size = sizeof(struct cz_efi_capsule_header),
			   .flags = flags,
			   .capsule_image_size = sizeof(struct capsule)},
	};

	memset(capsule.body, 0x77, sizeof(capsule.body));
	return capsule;
}

static void capsules(void **state)
{
	struct fixture *fixture = *state;
	struct capsule kept = make_capsule(CZ_EFI_CAPSULE_PERSIST_ACROSS_RESET);
	struct capsule now = make_capsule(0);
	const struct cz_efi_capsule_header *list[] = {&kept.header,
						      &now.header};
	enum cz_efi_reset_type type = CZ_EFI_RESET_COLD;
	uint64_t size = 0;

	now.header.guid.a = 0x1234;
	assert_status(
		cz_update_capsule(&fixture->cz, list, 2, 0x1234000, LATER),
		CZ_OK);
	assert_int_equal(fixture->sim.capsule_count, 2);
	assert_memory_equal(&fixture->sim.capsules[0], &kept.header,
			    sizeof(kept.header));
	assert_memory_equal(&fixture->sim.capsules[1], &now.header,
			    sizeof(now.header));
	assert_status(cz_query_capsule_capabilities(&fixture->cz, list, 1,
						    &size, &type, LATER),
		      CZ_OK);
	assert_int_equal(size, 1 << 20);
	assert_int_equal(type, CZ_EFI_RESET_WARM);
}

/* Of a capsule for processing now, firmware gets header and body. Of a capsule
 * that persists across a reset, it gets only the header. */
static uint64_t look_at_bodies(struct cz_host *sim, struct cz *cz,
			       const uint64_t *r)
{
	const uint64_t *table = (const uint64_t *)r[0];
	const struct capsule *now = (const struct capsule *)table[1];

	(void)sim;
	(void)cz;
	return table[0] % 8 == 0 && table[1] % 8 == 0 && now->body[99] == 0x77
		       ? CZ_OK
		       : CZ_EFI_DEVICE_ERROR;
}

static void capsule_bodies(void **state)
{
	struct fixture *fixture = *state;
	struct capsule kept = make_capsule(CZ_EFI_CAPSULE_PERSIST_ACROSS_RESET);
	struct capsule now = make_capsule(0);
	const struct cz_efi_capsule_header *list[] = {&kept.header,
						      &now.header};

	fixture->sim.hook[CZ_UPDATE_CAPSULE] = look_at_bodies;
	assert_status(cz_update_capsule(&fixture->cz, list, 2, 0, LATER),
		      CZ_OK);
}

static void bad_capsules(void **state)
{
	struct fixture *fixture = *state;
	struct cz *cz = &fixture->cz;
	struct capsule capsule = make_capsule(0);
	const struct cz_efi_capsule_header *list[9];

	for (int i = 0; i < 9; i++) {
		list[i] = &capsule.header;
	}
	assert_status(cz_update_capsule(cz, list, 9, 0, LATER), CZ_E_ARGUMENT);
	assert_status(cz_update_capsule(cz, list, 0, 0, LATER), CZ_E_ARGUMENT);
	assert_status(cz_update_capsule(cz, NULL, 1, 0, LATER), CZ_E_ARGUMENT);
	list[1] = NULL;
	assert_status(cz_update_capsule(cz, list, 2, 0, LATER), CZ_E_ARGUMENT);
	capsule.header.header_size = 27;
	assert_status(cz_update_capsule(cz, list, 1, 0, LATER), CZ_E_ARGUMENT);
	capsule.header.header_size = 28;
	capsule.header.capsule_image_size = 27;
	assert_status(cz_update_capsule(cz, list, 1, 0, LATER), CZ_E_ARGUMENT);
	capsule.header.capsule_image_size = 0xffffffff;
	assert_status(cz_update_capsule(cz, list, 1, 0, LATER), CZ_E_TOO_LARGE);
	assert_int_equal(fixture->sim.order_count, 0);
}

/* ---- Arguments that the library refuses ---- */

static void bad_arguments(void **state)
{
	static uint16_t endless[CZ_MAX_NAME_BYTES];
	struct fixture *fixture = *state;
	struct cz *cz = &fixture->cz;
	struct cz_efi_guid guid;
	uint64_t word = 0;
	size_t size = 0;
	uint8_t byte;

	memset(endless, 1, sizeof(endless));
	assert_status(cz_get_time(cz, NULL, NULL, LATER), CZ_E_ARGUMENT);
	assert_status(cz_set_time(cz, NULL, LATER), CZ_E_ARGUMENT);
	assert_status(cz_get_wakeup_time(cz, &byte, &byte, NULL, LATER),
		      CZ_E_ARGUMENT);
	assert_status(cz_set_wakeup_time(cz, 1, NULL, LATER), CZ_E_ARGUMENT);
	assert_status(
		cz_get_variable(cz, NULL, &test_guid, NULL, NULL, &size, LATER),
		CZ_E_ARGUMENT);
	assert_status(cz_get_variable(cz, u"A", NULL, NULL, NULL, &size, LATER),
		      CZ_E_ARGUMENT);
	assert_status(
		cz_get_variable(cz, u"A", &test_guid, NULL, NULL, NULL, LATER),
		CZ_E_ARGUMENT);
	size = 1;
	assert_status(
		cz_get_variable(cz, u"A", &test_guid, NULL, NULL, &size, LATER),
		CZ_E_ARGUMENT);
	assert_status(
		cz_set_variable(cz, endless, &test_guid, 7, "x", 1, LATER),
		CZ_E_ARGUMENT);
	assert_status(cz_set_variable(cz, u"A", &test_guid, 7, NULL, 1, LATER),
		      CZ_E_ARGUMENT);
	assert_status(cz_query_variable_info(cz, 7, &word, &word, NULL, LATER),
		      CZ_E_ARGUMENT);
	assert_status(cz_get_next_high_monotonic_count(cz, NULL, LATER),
		      CZ_E_ARGUMENT);
	assert_status(
		cz_reset_system(cz, CZ_EFI_RESET_COLD, CZ_OK, NULL, 1, LATER),
		CZ_E_ARGUMENT);
	size = 5;
	assert_status(
		cz_get_next_variable_name(cz, &size, endless, &guid, LATER),
		CZ_E_ARGUMENT);
	size = CZ_MAX_NAME_BYTES;
	assert_status(
		cz_get_next_variable_name(cz, &size, endless, &guid, LATER),
		CZ_E_ARGUMENT);
	size = CZ_MAX_NAME_BYTES + 2;
	endless[0] = 0;
	assert_status(
		cz_get_next_variable_name(cz, &size, endless, &guid, LATER),
		CZ_E_ARGUMENT);
	size = 0;
	assert_status(
		cz_get_next_variable_name(cz, &size, endless, &guid, LATER),
		CZ_E_ARGUMENT);
	assert_int_equal(fixture->sim.order_count, 0);
}

static void largest_arguments(void **state)
{
	static uint16_t name[CZ_MAX_NAME_BYTES / 2];
	static uint8_t data[8193];
	struct fixture *fixture = *state;
	struct cz *cz = &fixture->cz;
	size_t size = sizeof(data);

	for (size_t i = 0; i < CZ_MAX_NAME_BYTES / 2 - 1; i++) {
		name[i] = 'n';
	}
	/* This call reaches firmware, which has no room for the variable. */
	assert_status(
		cz_set_variable(cz, name, &test_guid, 7, data, 8192, LATER),
		CZ_EFI_OUT_OF_RESOURCES);
	assert_status(
		cz_set_variable(cz, name, &test_guid, 7, data, 8193, LATER),
		CZ_E_TOO_LARGE);
	assert_status(cz_set_variable(cz, name, &test_guid, 7, data, 1ull << 32,
				      LATER),
		      CZ_E_TOO_LARGE);
	assert_status(
		cz_get_variable(cz, name, &test_guid, NULL, data, &size, LATER),
		CZ_E_TOO_LARGE);
	size = 8192;
	assert_status(
		cz_get_variable(cz, name, &test_guid, NULL, data, &size, LATER),
		CZ_EFI_NOT_FOUND);
	assert_status(cz_reset_system(cz, CZ_EFI_RESET_COLD, CZ_OK, data, 8193,
				      LATER),
		      CZ_E_TOO_LARGE);
	assert_status(
		cz_set_variable(cz, name, &test_guid, 7, data, 4096, LATER),
		CZ_OK);
}

int group_services(void)
{
	const struct CMUnitTest tests[] = {
		STARTED(time_services),	 STARTED(get_time_without_caps),
		STARTED(variables),	 STARTED(buffer_too_small),
		STARTED(variable_names), STARTED(attributes_before_uefi_2_8),
		STARTED(query_services), STARTED(reset_system),
		STARTED(null_service),	 STARTED(capsules),
		STARTED(capsule_bodies), STARTED(bad_capsules),
		STARTED(bad_arguments),	 STARTED(largest_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
