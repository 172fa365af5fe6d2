/* SPDX-License-Identifier: MIT */
/*
 * Tests how the adversary splits an entry of the Memory Attributes Table that
 * contains its driver. Firmwares differ in what they say of a driver that is
 * loaded late.
 */
#include "split.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define START 0x40010000ull
#define RO CZ_EFI_MEMORY_RO
#define XP CZ_EFI_MEMORY_XP

/* 64 KiB each of headers, code and data. */
static const struct image driver = {
	.start = START,
	.code_start = START + 0x10000,
	.code_end = START + 0x20000,
	.end = START + 0x30000,
};

#define MAX_ENTRIES 8

static struct {
	struct cz_efi_memory_attributes header;
	struct cz_efi_memory_descriptor entry[MAX_ENTRIES];
} table;

static bool split(uint64_t start, uint64_t end, uint64_t protection)
{
	const struct cz_efi_memory_descriptor entry = {
		.type = CZ_EFI_RUNTIME_SERVICES_CODE,
		.physical_start = start,
		.number_of_pages = (end - start) / CZ_EFI_PAGE_SIZE,
		.attribute = CZ_EFI_MEMORY_RUNTIME | protection,
	};

	memset(&table, 0, sizeof(table));
	table.header.descriptor_size = sizeof(entry);
	return append_split(&table.header, sizeof(table), &driver, &entry);
}

/* Checks the table's next entry. */
static void check_next(unsigned *at, uint64_t start, uint64_t end,
		       uint64_t protection)
{
	const struct cz_efi_memory_descriptor *entry = &table.entry[(*at)++];

	assert_true(*at <= table.header.number_of_entries);
	assert_int_equal(entry->type, CZ_EFI_RUNTIME_SERVICES_CODE);
	assert_int_equal(entry->physical_start, start);
	assert_int_equal(entry->number_of_pages,
			 (end - start) / CZ_EFI_PAGE_SIZE);
	assert_int_equal(entry->attribute, CZ_EFI_MEMORY_RUNTIME | protection);
}

static void check_driver(unsigned *at, uint64_t start, uint64_t end)
{
	check_next(at, start, driver.code_start, XP);
	check_next(at, driver.code_start, driver.code_end, RO);
	check_next(at, driver.code_end, end, XP);
}

/* EDK II up to 2023 sets neither attribute. The entry includes the padding that
 * aligns an image. */
static void an_entry_with_neither_attribute_is_split(void **state)
{
	unsigned at = 0;

	(void)state;
	assert_true(split(START - 0x8000, driver.end + 0x8000, 0));
	check_driver(&at, START - 0x8000, driver.end + 0x8000);
	assert_int_equal(table.header.number_of_entries, at);
}

/* EDK II 2025.02 sets both attributes, with which the driver could not run. */
static void an_entry_with_both_attributes_is_split(void **state)
{
	unsigned at = 0;

	(void)state;
	assert_true(split(START, driver.end, RO | XP));
	check_driver(&at, START, driver.end);
	assert_int_equal(table.header.number_of_entries, at);
}

/* Memory that is not the driver's keeps the attributes of the entry. */
static void memory_around_the_driver_keeps_its_attributes(void **state)
{
	unsigned at = 0;

	(void)state;
	assert_true(split(START - 0x80000, driver.end + 0x80000, RO | XP));
	check_next(&at, START - 0x80000, START, RO | XP);
	check_driver(&at, START, driver.end);
	check_next(&at, driver.end, driver.end + 0x80000, RO | XP);
	assert_int_equal(table.header.number_of_entries, at);
}

/* EDK II 2026.08 has already split the entry. */
static void an_entry_with_one_attribute_is_kept(void **state)
{
	static const uint64_t said[] = {RO, XP};

	(void)state;
	for (int i = 0; i < 2; i++) {
		unsigned at = 0;

		assert_true(split(START, driver.end, said[i]));
		check_next(&at, START, driver.end, said[i]);
		assert_int_equal(table.header.number_of_entries, at);
	}
}

static void a_full_table_is_reported(void **state)
{
	const struct cz_efi_memory_descriptor entry = {
		.physical_start = START,
		.number_of_pages = 0x30,
	};

	(void)state;
	memset(&table, 0, sizeof(table));
	table.header.descriptor_size = sizeof(entry);
	assert_false(append_split(&table.header,
				  sizeof(table.header) + 2 * sizeof(entry),
				  &driver, &entry));
	assert_int_equal(table.header.number_of_entries, 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_with_neither_attribute_is_split),
		cmocka_unit_test(an_entry_with_both_attributes_is_split),
		cmocka_unit_test(memory_around_the_driver_keeps_its_attributes),
		cmocka_unit_test(an_entry_with_one_attribute_is_kept),
		cmocka_unit_test(a_full_table_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
