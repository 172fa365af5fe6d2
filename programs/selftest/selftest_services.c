/* SPDX-License-Identifier: MIT */
/*
 * Tests of the services without variables: the clock, the counter, capsules.
 * Optional services are called too, and must return a status that the
 * specification allows.
 */
#include "lib/common.h"
#include "lib/swept_service.h"
#include "selftest/selftest.h"

#include <kernel/ktap.h>
#include <kernel/print.h>
#include <kernel/string.h>
#include <kernel/thread.h>
#include <kernel/time.h>

static void sleep_seconds(uint64_t seconds)
{
	thread_sleep_until(ticks_now() + seconds * ticks_hz());
}

/* ---- The clock ----------------------------------------------------------- */

static void test_get_time(void)
{
	struct cz_efi_time first = {0}, second = {0};
	struct cz_efi_time_caps caps = {0};
	uint64_t passed;

	if (skip_without(CZ_GET_TIME, "GetTime")) {
		return;
	}
	test_status(cz_get_time(firmware, &first, &caps, CZ_FOREVER), CZ_OK,
		    "GetTime: succeeds");
	ktap_result(time_valid(&first),
		    "GetTime: the fields are within bounds");
	ktap_result(caps.resolution != 0,
		    "GetTime: the capabilities have a resolution");
	sleep_seconds(2);
	test_status(cz_get_time(firmware, &second, NULL, CZ_FOREVER), CZ_OK,
		    "GetTime: capabilities are optional");
	passed = time_seconds(&second) - time_seconds(&first);
	kprintf("# %llu s after two seconds\n", (unsigned long long)passed);
	ktap_result(passed >= 1 && passed <= 4, "GetTime: the clock advances");
	test_status(cz_get_time(firmware, NULL, NULL, CZ_FOREVER),
		    CZ_E_ARGUMENT,
		    "GetTime: a call without a buffer is refused");
}

static void test_set_time(void)
{
	struct cz_efi_time now = {0}, set, got = {0};
	cz_status status;
	uint64_t due;

	if (skip_without(CZ_SET_TIME, "SetTime")) {
		return;
	}
	cz_get_time(firmware, &now, NULL, CZ_FOREVER);
	set = now;
	set.year = 2028;
	set.month = 2;
	set.day = 29;
	set.hour = 23;
	set.minute = 59;
	set.second = 59;
	status = cz_set_time(firmware, &set, CZ_FOREVER);
	if (status == CZ_EFI_UNSUPPORTED) {
		ktap_skip("SetTime: succeeds", "EFI_UNSUPPORTED");
		return;
	}
	test_status(status, CZ_OK, "SetTime: succeeds");
	sleep_seconds(2);
	cz_get_time(firmware, &got, NULL, CZ_FOREVER);
	due = time_seconds(&set) + 2;
	ktap_result(time_seconds(&got) >= due - 1 &&
			    time_seconds(&got) <= due + 2,
		    "SetTime: the clock advances from the new time");
	cz_set_time(firmware, &now, CZ_FOREVER);
	set.month = 13;
	test_status(cz_set_time(firmware, &set, CZ_FOREVER),
		    CZ_EFI_INVALID_PARAMETER, "SetTime: month 13 is refused");
	test_status(cz_set_time(firmware, NULL, CZ_FOREVER), CZ_E_ARGUMENT,
		    "SetTime: a call without a time is refused");
}

/* Checks for the statuses of sections 8.3.3 and 8.3.4. */
static bool wakeup_status(const char *service, cz_status status)
{
	kprintf("# %s: %s\n", service, cz_status_name(status));
	return status == CZ_OK || status == CZ_EFI_UNSUPPORTED ||
	       status == CZ_EFI_DEVICE_ERROR ||
	       status == CZ_EFI_INVALID_PARAMETER;
}

static void test_wakeup(void)
{
	struct cz_efi_time time = {0};
	uint8_t enabled = 0, pending = 0;

	if (skip_without(CZ_GET_WAKEUP_TIME, "GetWakeupTime") ||
	    skip_without(CZ_SET_WAKEUP_TIME, "SetWakeupTime")) {
		return;
	}
	ktap_result(
		wakeup_status("GetWakeupTime",
			      cz_get_wakeup_time(firmware, &enabled, &pending,
						 &time, CZ_FOREVER)),
		"GetWakeupTime: the specification allows the status");
	ktap_result(wakeup_status(
			    "SetWakeupTime",
			    cz_set_wakeup_time(firmware, 0, NULL, CZ_FOREVER)),
		    "SetWakeupTime: the specification allows the status");
	test_status(
		cz_get_wakeup_time(firmware, NULL, &pending, &time, CZ_FOREVER),
		CZ_E_ARGUMENT,
		"GetWakeupTime: a call without a flag is refused");
}

/* ---- The counter --------------------------------------------------------- */

static void test_monotonic(void)
{
	uint32_t first = 0, second = 0;

	if (skip_without(CZ_GET_NEXT_HIGH_MONOTONIC_COUNT,
			 "GetNextHighMonotonicCount")) {
		return;
	}
	test_status(
		cz_get_next_high_monotonic_count(firmware, &first, CZ_FOREVER),
		CZ_OK, "GetNextHighMonotonicCount: succeeds");
	cz_get_next_high_monotonic_count(firmware, &second, CZ_FOREVER);
	ktap_result(second == first + 1,
		    "GetNextHighMonotonicCount: the count increases by one");
	test_status(
		cz_get_next_high_monotonic_count(firmware, NULL, CZ_FOREVER),
		CZ_E_ARGUMENT,
		"GetNextHighMonotonicCount: no buffer is refused");
}

/* ---- Capsules ------------------------------------------------------------ */

/* Checks for a status of section 8.5 for a capsule that firmware does not know.
 *  */
static bool capsule_refused(const char *service, cz_status status)
{
	kprintf("# %s: %s\n", service, cz_status_name(status));
	return status == CZ_EFI_UNSUPPORTED ||
	       status == CZ_EFI_INVALID_PARAMETER ||
	       status == CZ_EFI_DEVICE_ERROR ||
	       status == CZ_EFI_OUT_OF_RESOURCES;
}

static void test_capsules(void)
{
	static const struct cz_efi_capsule_header garbage = {
		.guid = {0x01020304, 0x0506, 0x0708, {9}},
		.header_size = sizeof(garbage),
		.capsule_image_size = sizeof(garbage),
	};
	const struct cz_efi_capsule_header *list[] = {&garbage};
	uint64_t maximum_size = 0;
	enum cz_efi_reset_type reset_type = CZ_EFI_RESET_COLD;

	if (skip_without(CZ_UPDATE_CAPSULE, "UpdateCapsule") ||
	    skip_without(CZ_QUERY_CAPSULE_CAPABILITIES,
			 "QueryCapsuleCapabilities")) {
		return;
	}
	ktap_result(capsule_refused("QueryCapsuleCapabilities",
				    cz_query_capsule_capabilities(
					    firmware, list, 1, &maximum_size,
					    &reset_type, CZ_FOREVER)),
		    "QueryCapsuleCapabilities: an unknown capsule is refused");
	ktap_result(capsule_refused("UpdateCapsule",
				    cz_update_capsule(firmware, list, 1, 0,
						      CZ_FOREVER)),
		    "UpdateCapsule: an unknown capsule is refused");
	test_status(cz_update_capsule(firmware, NULL, 1, 0, CZ_FOREVER),
		    CZ_E_ARGUMENT,
		    "UpdateCapsule: a call without capsules is refused");
	test_status(cz_update_capsule(firmware, list, 9, 0, CZ_FOREVER),
		    CZ_E_ARGUMENT,
		    "UpdateCapsule: too many capsules are refused");
}

void test_services(void)
{
	test_status(cz_null_service(firmware, CZ_FOREVER), CZ_OK,
		    "null service: succeeds");
	test_get_time();
	test_set_time();
	test_wakeup();
	test_monotonic();
	test_capsules();
}
