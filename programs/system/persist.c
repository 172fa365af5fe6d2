/* SPDX-License-Identifier: MIT */
/*
 * Checks variables across a reset. step=write creates one and deletes another;
 * then it resets by firmware or by the host (way=fallback), also from a context
 * that must not sleep (way=now). step=read, in the next boot, checks both.
 */
#include "lib/common.h"
#include "lib/raw.h"

#include <kernel/ktap.h>
#include <kernel/print.h>
#include <kernel/string.h>

#define KEPT_BYTES 300
#define RESET_MS 1000

static const uint16_t kept_name[] = u"CaesuraKept";
static const uint16_t deleted_name[] = u"CaesuraDeleted";

static void fill(uint8_t *data)
{
	for (unsigned i = 0; i < KEPT_BYTES; i++) {
		data[i] = (uint8_t)(i * 167 + 13);
	}
}

static bool set(const uint16_t *name, const void *data, size_t size_bytes)
{
	cz_status status =
		cz_set_variable(firmware, name, &test_guid, TEST_ATTRIBUTES,
				data, size_bytes, CZ_FOREVER);

	if (status != CZ_OK) {
		kprintf("# SetVariable: %s\n", cz_status_name(status));
	}
	return status == CZ_OK;
}

static cz_status reset(const char *way)
{
	if (strcmp(way, "fallback") == 0) {
		cz_withdraw(firmware, CZ_RESET_SYSTEM);
	}
	if (strcmp(way, "now") == 0) {
		(void)interrupts_mask();
		return cz_reset_now(firmware, CZ_EFI_RESET_COLD, CZ_EFI_SUCCESS,
				    NULL, 0);
	}
	return cz_reset_system(firmware, CZ_EFI_RESET_COLD, CZ_EFI_SUCCESS,
			       NULL, 0, deadline_in_ms(RESET_MS));
}

static int write_and_reset(void)
{
	uint8_t data[KEPT_BYTES];
	cz_status status;
	bool passed;

	fill(data);
	ktap_begin(2);
	passed = ktap_result(set(kept_name, data, sizeof(data)),
			     "persist: a variable is written");
	passed &= ktap_result(set(deleted_name, data, 64) &&
				      set(deleted_name, NULL, 0),
			      "persist: a second variable is deleted");
	ktap_end();
	if (!passed) {
		return EXIT_FAILED;
	}
	kprintf("exit: %d\n", EXIT_PASSED);
	status = reset(option_string("way", "firmware"));
	kprintf("error: there was no reset: %s\n", cz_status_name(status));
	return EXIT_FAILED;
}

static cz_status get(const uint16_t *name, uint32_t *attributes, uint8_t *data,
		     size_t *size_bytes)
{
	return cz_get_variable(firmware, name, &test_guid, attributes, data,
			       size_bytes, CZ_FOREVER);
}

static int read_back(void)
{
	uint8_t due[KEPT_BYTES], data[KEPT_BYTES + 1];
	size_t size_bytes = sizeof(data);
	uint32_t attributes = 0;
	cz_status status;

	fill(due);
	ktap_begin(2);
	status = get(kept_name, &attributes, data, &size_bytes);
	kprintf("# GetVariable: %s, %zu bytes\n", cz_status_name(status),
		size_bytes);
	ktap_result(status == CZ_OK && size_bytes == KEPT_BYTES &&
			    attributes == TEST_ATTRIBUTES &&
			    memcmp(data, due, KEPT_BYTES) == 0,
		    "persist: the variable has the value that was written");
	size_bytes = sizeof(data);
	ktap_result(get(deleted_name, NULL, data, &size_bytes) ==
			    CZ_EFI_NOT_FOUND,
		    "persist: the deleted variable is not found");
	return ktap_end() == 0 ? EXIT_PASSED : EXIT_FAILED;
}

static int skip_all(void)
{
	ktap_begin(1);
	skip_without(CZ_SET_VARIABLE, "persist");
	return ktap_end() == 0 ? EXIT_PASSED : EXIT_FAILED;
}

PROGRAM(persist, "variables across a reset")
{
	const char *step = option_string("step", "");

	if (!cz_service_available(firmware, CZ_SET_VARIABLE)) {
		return skip_all();
	}
	if (strcmp(step, "write") == 0) {
		return write_and_reset();
	}
	if (strcmp(step, "read") == 0) {
		return read_back();
	}
	return could_not_run("step is neither write nor read");
}
