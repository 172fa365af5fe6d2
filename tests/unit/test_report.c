/* SPDX-License-Identifier: MIT */
/* The names in reports, and finding the image that contains an address. */
#include "fixture.h"

#include "gate.h"

static void names_of_statuses(void **state)
{
	(void)state;
	assert_string_equal(cz_status_name(CZ_OK), "EFI_SUCCESS");
	assert_string_equal(cz_status_name(CZ_EFI_NOT_FOUND), "EFI_NOT_FOUND");
	assert_string_equal(cz_status_name(CZ_E_DEADLINE), "CZ_E_DEADLINE");
	assert_string_equal(cz_status_name(CZ_E_STOPPED), "CZ_E_STOPPED");
	assert_string_equal(cz_status_name(7), "EFI_WARN_RESET_REQUIRED");
	assert_string_equal(cz_status_name(8), "unknown status");
	assert_string_equal(cz_status_name(CZ_EFI_ERROR(35)), "EFI_HTTP_ERROR");
	assert_string_equal(cz_status_name(4711), "unknown status");
	for (uint64_t i = 1; i <= 7; i++) {
		assert_string_not_equal(cz_status_name(i), "unknown status");
	}
	for (uint64_t i = 1; i <= 15; i++) {
		assert_string_not_equal(cz_status_name(CZ_ERROR_BASE + i),
					"unknown status");
	}
}

static void names_of_services(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < CZ_SERVICE_COUNT; i++) {
		assert_non_null(cz_service_name((enum cz_service)i));
	}
	assert_string_equal(cz_service_name(CZ_GET_TIME), "GetTime");
	assert_string_equal(cz_service_name(CZ_QUERY_VARIABLE_INFO),
			    "QueryVariableInfo");
	assert_string_equal(cz_service_name(CZ_SERVICE_COUNT),
			    "unknown service");
	assert_string_equal(cz_service_name((enum cz_service) - 1),
			    "unknown service");
}

static void names_of_anomalies(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < CZ_ANOMALY_COUNT; i++) {
		assert_non_null(cz_anomaly_name((enum cz_anomaly)i));
	}
	assert_string_equal(cz_anomaly_name(CZ_ANOMALY_PAN), "PAN");
	assert_string_equal(cz_anomaly_name(CZ_ANOMALY_COUNT),
			    "unknown anomaly");
}

static void finds_images(void **state)
{
	struct fixture *fixture = *state;
	const struct cz_image *image;
	uint64_t offset = 0;

	image = cz_find_image(&fixture->cz, SIM_CODE + 0x1234, &offset);
	assert_non_null(image);
	assert_string_equal(image->name, "RuntimeDxe");
	assert_int_equal(offset, 0x1234);
	assert_null(cz_find_image(&fixture->cz, SIM_DATA, &offset));
	assert_null(cz_find_image(&fixture->cz, SIM_CODE - 1, &offset));
	assert_null(cz_find_image(&fixture->cz, SIM_CODE_2 + 5 * SIM_PAGE,
				  &offset));
}

int group_report(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_statuses),
		cmocka_unit_test(names_of_services),
		cmocka_unit_test(names_of_anomalies),
		STARTED(finds_images),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
