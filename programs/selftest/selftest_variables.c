/* SPDX-License-Identifier: MIT */
/*
 * Tests of variables: writing, reading, appending, deleting and listing, as in
 * section 8.2; and malformed arguments, which Caesura must reject itself.
 */
#include "lib/common.h"
#include "selftest/selftest.h"

#include <kernel/ktap.h>
#include <kernel/print.h>
#include <kernel/string.h>

#define FILLED 0xa5
#define MAX_LISTED 1000

static const uint16_t name[] = u"CaesuraTest";
static const uint16_t absent_name[] = u"CaesuraAbsent";

static uint8_t value[1024]; /* what was written */
static uint8_t buffer[2048]; /* what was read */
static size_t size_bytes;
static uint32_t attributes;

static cz_status set(uint32_t with_attributes, size_t length)
{
	return cz_set_variable(firmware, name, &test_guid, with_attributes,
			       value, length, CZ_FOREVER);
}

static cz_status get(const uint16_t *of, size_t room)
{
	memset(buffer, FILLED, sizeof(buffer));
	size_bytes = room;
	attributes = 0;
	return cz_get_variable(firmware, of, &test_guid, &attributes, buffer,
			       &size_bytes, CZ_FOREVER);
}

/* Returns whether the buffer is unchanged from this offset on. */
static bool untouched_from(size_t offset)
{
	for (size_t i = offset; i < sizeof(buffer); i++) {
		if (buffer[i] != FILLED) {
			return false;
		}
	}
	return true;
}

/* Returns whether the variable holds the first `length` bytes of `value`. */
static bool holds(size_t length)
{
	cz_status status = get(name, sizeof(buffer));

	if (status != CZ_OK) {
		kprintf("# GetVariable: %s\n", cz_status_name(status));
		return false;
	}
	return size_bytes == length && attributes == TEST_ATTRIBUTES &&
	       memcmp(buffer, value, length) == 0 && untouched_from(length);
}

static void test_write(void)
{
	test_status(set(TEST_ATTRIBUTES, 100), CZ_OK,
		    "SetVariable: creates a variable");
	ktap_result(holds(100), "GetVariable: reads what was written");
	value[50] ^= 0xff;
	test_status(set(TEST_ATTRIBUTES, 600), CZ_OK,
		    "SetVariable: replaces a value");
	ktap_result(holds(600), "GetVariable: reads the new value");
	test_status(
		cz_set_variable(firmware, name, &test_guid,
				TEST_ATTRIBUTES | CZ_EFI_VARIABLE_APPEND_WRITE,
				value + 600, 50, CZ_FOREVER),
		CZ_OK, "SetVariable: appends to a value");
	ktap_result(holds(650),
		    "GetVariable: reads the old and the appended data");
}

static void test_read(void)
{
	test_status(get(name, 649), CZ_EFI_BUFFER_TOO_SMALL,
		    "GetVariable: a buffer one byte too small is refused");
	ktap_result(size_bytes == 650 && untouched_from(0),
		    "GetVariable: reports the size, and writes no data");
	size_bytes = 0;
	test_status(cz_get_variable(firmware, name, &test_guid, NULL, NULL,
				    &size_bytes, CZ_FOREVER),
		    CZ_EFI_BUFFER_TOO_SMALL,
		    "GetVariable: a call without a buffer is refused");
	ktap_result(size_bytes == 650,
		    "GetVariable: reports the size without a buffer");
	test_status(get(name, 650), CZ_OK,
		    "GetVariable: a buffer of exactly the size is enough");
	ktap_result(size_bytes == 650 && untouched_from(650),
		    "GetVariable: writes the value and no more");
	size_bytes = sizeof(buffer);
	test_status(cz_get_variable(firmware, name, &test_guid, NULL, buffer,
				    &size_bytes, CZ_FOREVER),
		    CZ_OK, "GetVariable: attributes are optional");
}

/* Returns how often the variable is listed, or -1 when listing fails. */
static int times_listed(void)
{
	static uint16_t next[CZ_MAX_NAME_BYTES / 2];
	struct cz_efi_guid guid = {0};
	int found = 0;

	next[0] = 0;
	for (int i = 0; i < MAX_LISTED; i++) {
		size_t room = sizeof(next);
		cz_status status = cz_get_next_variable_name(
			firmware, &room, next, &guid, CZ_FOREVER);

		if (status == CZ_EFI_NOT_FOUND) {
			return found;
		}
		if (status != CZ_OK || room != 2 * name_length(next) + 2) {
			kprintf("# GetNextVariableName: %s\n",
				cz_status_name(status));
			return -1;
		}
		found += name_equal(next, name) &&
			 memcmp(&guid, &test_guid, sizeof(guid)) == 0;
	}
	return -1;
}

/* Reads every variable that is listed, including those of others. */
static void test_walk(void)
{
	static uint16_t next[CZ_MAX_NAME_BYTES / 2];
	struct cz_efi_guid guid = {0};
	unsigned count = 0, wrong = 0;
	cz_status status;

	next[0] = 0;
	for (;;) {
		size_t room = sizeof(next);
		size_t length = 0;

		status = cz_get_next_variable_name(firmware, &room, next, &guid,
						   CZ_FOREVER);
		if (status != CZ_OK || count == MAX_LISTED) {
			break;
		}
		count++;
		wrong += cz_get_variable(firmware, next, &guid, NULL, NULL,
					 &length, CZ_FOREVER) !=
				 CZ_EFI_BUFFER_TOO_SMALL ||
			 length == 0;
	}
	kprintf("# %u variables\n", count);
	ktap_result(status == CZ_EFI_NOT_FOUND && count != 0 && wrong == 0,
		    "variables: every listed variable exists");
}

static void test_absent(void)
{
	test_status(get(absent_name, sizeof(buffer)), CZ_EFI_NOT_FOUND,
		    "GetVariable: an absent variable is not found");
	ktap_result(untouched_from(0),
		    "GetVariable: an absent variable writes no data");
}

static void test_list(void)
{
	uint16_t next[64] = {0};
	struct cz_efi_guid guid = {0};
	size_t room = 4;

	ktap_result(times_listed() == 1,
		    "GetNextVariableName: lists the variable once");
	test_status(
		cz_get_next_variable_name(firmware, &room, next, &guid,
					  CZ_FOREVER),
		CZ_EFI_BUFFER_TOO_SMALL,
		"GetNextVariableName: a buffer that is too small is refused");
	ktap_result(
		room > 4 && next[0] == 0,
		"GetNextVariableName: reports the size, and writes no name");
	memcpy(next, absent_name, sizeof(absent_name));
	room = sizeof(next);
	guid = test_guid;
	ktap_result(cz_get_next_variable_name(firmware, &room, next, &guid,
					      CZ_FOREVER) != CZ_OK,
		    "GetNextVariableName: an absent starting name is refused");
}

static void test_delete(void)
{
	test_status(set(TEST_ATTRIBUTES, 0), CZ_OK,
		    "SetVariable: deletes a variable");
	test_status(get(name, sizeof(buffer)), CZ_EFI_NOT_FOUND,
		    "GetVariable: a deleted variable is not found");
	ktap_result(times_listed() == 0,
		    "GetNextVariableName: a deleted variable is not listed");
	test_status(set(TEST_ATTRIBUTES, 0), CZ_EFI_NOT_FOUND,
		    "SetVariable: deleting an absent variable is refused");
	ktap_result(
		set(CZ_EFI_VARIABLE_RUNTIME_ACCESS, 10) != CZ_OK,
		"SetVariable: run-time without boot-time access is refused");
}

static void test_info(void)
{
	uint64_t maximum = 0, remaining = 0, size = 0;

	if (skip_without(CZ_QUERY_VARIABLE_INFO, "QueryVariableInfo")) {
		return;
	}
	test_status(cz_query_variable_info(firmware, TEST_ATTRIBUTES, &maximum,
					   &remaining, &size, CZ_FOREVER),
		    CZ_OK, "QueryVariableInfo: succeeds");
	ktap_result(maximum > 0 && remaining <= maximum && size <= maximum,
		    "QueryVariableInfo: the sizes are consistent");
	test_status(cz_query_variable_info(firmware, 0, &maximum, &remaining,
					   &size, CZ_FOREVER),
		    CZ_EFI_INVALID_PARAMETER,
		    "QueryVariableInfo: a call without attributes is refused");
	test_status(cz_query_variable_info(firmware, TEST_ATTRIBUTES, NULL,
					   &remaining, &size, CZ_FOREVER),
		    CZ_E_ARGUMENT,
		    "QueryVariableInfo: a call without a buffer is refused");
}

static void test_bad_names(void)
{
	static uint16_t long_name[CZ_MAX_NAME_BYTES];

	for (unsigned i = 0; i < CZ_MAX_NAME_BYTES - 1; i++) {
		long_name[i] = 'x';
	}
	test_status(cz_set_variable(firmware, NULL, &test_guid, TEST_ATTRIBUTES,
				    value, 10, CZ_FOREVER),
		    CZ_E_ARGUMENT,
		    "arguments: SetVariable without a name is refused");
	test_status(cz_set_variable(firmware, name, NULL, TEST_ATTRIBUTES,
				    value, 10, CZ_FOREVER),
		    CZ_E_ARGUMENT,
		    "arguments: SetVariable without a GUID is refused");
	test_status(cz_set_variable(firmware, long_name, &test_guid,
				    TEST_ATTRIBUTES, value, 10, CZ_FOREVER),
		    CZ_E_ARGUMENT,
		    "arguments: an unterminated name is refused");
	long_name[CZ_MAX_NAME_BYTES / 2 - 1] = 0;
	size_bytes = sizeof(buffer);
	test_status(cz_get_variable(firmware, long_name, &test_guid, NULL,
				    buffer, &size_bytes, CZ_FOREVER),
		    CZ_EFI_NOT_FOUND,
		    "arguments: a name of the maximum length is accepted");
}

static void test_bad_data(void)
{
	uint16_t next[64] = {0};
	struct cz_efi_guid guid = {0};
	size_t room = 63;

	test_status(set(TEST_ATTRIBUTES, firmware->max_data_bytes + 1),
		    CZ_E_TOO_LARGE,
		    "arguments: a value that is too large is refused");
	test_status(cz_set_variable(firmware, name, &test_guid, TEST_ATTRIBUTES,
				    NULL, 10, CZ_FOREVER),
		    CZ_E_ARGUMENT, "arguments: a size without data is refused");
	size_bytes = 10;
	test_status(cz_get_variable(firmware, name, &test_guid, NULL, NULL,
				    &size_bytes, CZ_FOREVER),
		    CZ_E_ARGUMENT,
		    "arguments: a buffer size without a buffer is refused");
	test_status(cz_get_variable(firmware, name, &test_guid, NULL, buffer,
				    NULL, CZ_FOREVER),
		    CZ_E_ARGUMENT,
		    "arguments: GetVariable without a size is refused");
	test_status(cz_get_next_variable_name(firmware, &room, next, &guid,
					      CZ_FOREVER),
		    CZ_E_ARGUMENT,
		    "arguments: an odd size of a name's buffer is refused");
}

void test_variables(void)
{
	struct prng prng;

	prng_init(&prng, 'v');
	prng_fill(&prng, value, sizeof(value));
	test_walk();
	test_absent();
	test_info();
	if (skip_without(CZ_SET_VARIABLE, "variables: writing")) {
		return;
	}
	test_write();
	test_read();
	test_list();
	test_delete();
	test_bad_names();
	test_bad_data();
}
