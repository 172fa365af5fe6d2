/* SPDX-License-Identifier: MIT */
/* Names of files and names of variables. */
#include "linux_fixture.h"

#include <errno.h>
#include <string.h>

static int parse(const char *file_name)
{
	struct efivars_name name;

	return efivars_parse_name(file_name, &name);
}

static void plain_name(void **state)
{
	struct efivars_name name = named("BootOrder-" GLOBAL);
	char text[EFIVARS_FILE_NAME_BYTES];

	(void)state;
	assert_memory_equal(name.units, u"BootOrder", 20);
	assert_memory_equal(&name.guid, &efivars_global_guid, 16);
	assert_int_equal(efivars_file_name(&name, text), 46);
	assert_string_equal(text, "BootOrder-" GLOBAL);
}

static void upper_case_is_accepted_and_lower_case_produced(void **state)
{
	struct efivars_name name =
		named("A-8BE4DF61-93CA-11d2-AA0D-00E098032B8C");
	char text[EFIVARS_FILE_NAME_BYTES];

	(void)state;
	assert_true(efivars_guid_equal(&name.guid, &efivars_global_guid));
	efivars_file_name(&name, text);
	assert_string_equal(text, "A-" GLOBAL);
}

static void names_with_dashes(void **state)
{
	struct efivars_name name = named("a-b--" GLOBAL);

	(void)state;
	assert_memory_equal(name.units, u"a-b-", 10);
}

static void malformed_names(void **state)
{
	static const char *const names[] = {
		"",
		"a",
		GLOBAL,
		"-" GLOBAL,
		"aa" GLOBAL,
		"a-8be4df61093ca-11d2-aa0d-00e098032b8c",
		"a-8be4df6g-93ca-11d2-aa0d-00e098032b8c",
		"a-8be4df61-93ca-11d2-aa0d-00e098032b8",
		"a-8be4df61-93ca-11d2-aa0d0-0e098032b8c",
		"a-{be4df61-93ca-11d2-aa0d-00e098032b8c",
		"a- be4df61-93ca-11d2-aa0d-00e098032b8c",
		"\x80-" GLOBAL,
		"\xc3-" GLOBAL,
		"\xe2\x82-" GLOBAL,
		"\xc1\xa1-" GLOBAL, /* overlong encodings */
		"\xe0\x81\xa1-" GLOBAL,
		"\xf0\x9f\x98\x80-" GLOBAL, /* not in one UTF-16 unit */
		"\xff-" GLOBAL,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (parse(names[i]) != EINVAL) {
			print_error("taken: %s\n", names[i]);
		}
		assert_int_equal(parse(names[i]), EINVAL);
	}
}

static void names_survive_a_round_trip(void **state)
{
	static const uint16_t units[] = {'a',	 0x7f,	 0x80,	 0x7ff, 0x800,
					 0x20ac, 0xd83d, 0xde00, 0xffff};
	struct efivars_name name = {efivars_global_guid, {0}};
	struct efivars_name back;
	char text[EFIVARS_FILE_NAME_BYTES];

	(void)state;
	memcpy(name.units, units, sizeof(units));
	efivars_file_name(&name, text);
	back = named(text);
	assert_memory_equal(back.units, name.units, sizeof(units) + 2);
}

static void slashes(void **state)
{
	struct efivars_name name = {efivars_global_guid, u"a/b!"};
	char text[EFIVARS_FILE_NAME_BYTES];

	(void)state;
	efivars_file_name(&name, text);
	assert_string_equal(text, "a!b!-" GLOBAL);
	name = named(text);
	assert_memory_equal(name.units, u"a!b!", 10);
}

/* A name of the greatest length, and one that is longer by one. */
static void long_names(void **state)
{
	struct efivars_name name = {efivars_global_guid, {0}};
	struct efivars_name back;
	char text[EFIVARS_FILE_NAME_BYTES + 8];
	char longer[EFIVARS_FILE_NAME_BYTES + 8];

	(void)state;
	for (size_t i = 0; i < EFIVARS_NAME_UNITS - 1; i++) {
		name.units[i] = 0x20ac;
	}
	assert_int_equal(efivars_file_name(&name, text),
			 EFIVARS_FILE_NAME_BYTES - 1);
	back = named(text);
	assert_memory_equal(&back, &name, sizeof(name));
	longer[0] = 'x';
	strcpy(longer + 1, text);
	assert_int_equal(parse(longer), ENAMETOOLONG);
	memset(longer, 'x', EFIVARS_NAME_UNITS);
	strcpy(longer + EFIVARS_NAME_UNITS, "-" GLOBAL);
	assert_int_equal(parse(longer), ENAMETOOLONG);
	assert_int_equal(parse(longer + 1), 0);
}

static void same_file(void **state)
{
	(void)state;
	assert_true(efivars_same_file("a-" GLOBAL, "a-" GLOBAL));
	assert_true(efivars_same_file("a-" GLOBAL, "a-8BE4DF61-93CA-11D2-AA0D-"
						   "00E098032B8C"));
	assert_false(efivars_same_file("a-" GLOBAL, "A-" GLOBAL));
	assert_false(efivars_same_file("a-" GLOBAL, "a-" OTHER));
	assert_false(efivars_same_file("a-" GLOBAL, "aa-" GLOBAL));
	assert_false(efivars_same_file("a", "a"));
}

int group_name(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_name),
		cmocka_unit_test(
			upper_case_is_accepted_and_lower_case_produced),
		cmocka_unit_test(names_with_dashes),
		cmocka_unit_test(malformed_names),
		cmocka_unit_test(names_survive_a_round_trip),
		cmocka_unit_test(slashes),
		cmocka_unit_test(long_names),
		cmocka_unit_test(same_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
