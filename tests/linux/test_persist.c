/* SPDX-License-Identifier: MIT */
/*
 * linux/commit/persist.c: where variables persist on each kind of machine, and
 * what the daemon finds out from memory maps, devices and RAM.
 */
#include "commit/persist.h"
#include "store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RAM_BYTES 65536u

static const char file_variable[] =
	"\xc9\x5f\xac\xb2\xb7\x92\xcd\x4a\xae\xac\x11\xe8\x18\xc3\x13\x0c"
	"R\0T\0S\0t\0o\0r\0a\0g\0e\0V\0o\0l\0a\0t\0i\0l\0e\0\0";

static void is_judged(const struct persist_facts *facts,
		      enum persist_place place, enum persist_service service,
		      const char *words)
{
	struct persist persist = persist_judge(facts);

	assert_int_equal(persist.place, place);
	assert_int_equal(persist.service, service);
	assert_non_null(strstr(persist.line, words));
	assert_null(strchr(persist.line, '\n'));
	assert_true(strlen(persist.line) < PERSIST_LINE_CHARS - 1);
}

static void flash_persists(void **state)
{
	struct persist_facts facts = {.has_set_variable = true,
				      .has_chip = true,
				      .chip_has_store = true};

	(void)state;
	is_judged(&facts, PERSIST_FLASH, PERSIST_SERVED, "in the flash chip");
	/* EDK II also keeps a copy of the store in RAM. */
	facts.ram_has_store = true;
	is_judged(&facts, PERSIST_FLASH, PERSIST_SERVED, "in the flash chip");
	/* A variable that names a file proves nothing: anybody may have made
	 * it. */
	facts.has_file = true;
	is_judged(&facts, PERSIST_FLASH, PERSIST_SERVED, "in the flash chip");
	facts.has_set_variable = false;
	is_judged(&facts, PERSIST_FLASH, PERSIST_READ_ONLY, "SetVariable");
}

static void an_unknown_store_may_persist(void **state)
{
	struct persist_facts facts = {.has_set_variable = true,
				      .has_chip = true};

	(void)state;
	is_judged(&facts, PERSIST_UNKNOWN, PERSIST_SERVED, "if anywhere");
	facts = (struct persist_facts){.has_set_variable = true,
				       .has_direct = true,
				       .ram_has_store = true};
	is_judged(&facts, PERSIST_UNKNOWN, PERSIST_SERVED, "--direct");
}

static void ram_does_not_persist(void **state)
{
	struct persist_facts facts = {.has_set_variable = true,
				      .ram_has_store = true};

	(void)state;
	is_judged(&facts, PERSIST_RAM, PERSIST_READ_ONLY, "RAM only");
	/* The machine has a chip, but without a variable store. */
	facts.has_chip = true;
	is_judged(&facts, PERSIST_RAM, PERSIST_READ_ONLY, "RAM only");
	facts = (struct persist_facts){.has_set_variable = true};
	is_judged(&facts, PERSIST_UNKNOWN, PERSIST_READ_ONLY, "No place");
	facts.has_set_variable = false;
	is_judged(&facts, PERSIST_UNKNOWN, PERSIST_READ_ONLY, "SetVariable");
}

static void a_file_is_not_written(void **state)
{
	struct persist_facts facts = {.has_set_variable = true,
				      .has_file = true,
				      .file = "ubootefi.var"};

	(void)state;
	is_judged(&facts, PERSIST_FILE, PERSIST_READ_ONLY,
		  "the file ubootefi.var of the EFI system partition");
	facts.has_direct = true;
	is_judged(&facts, PERSIST_FILE, PERSIST_READ_ONLY, "ubootefi.var");
	facts.ram_has_store = true;
	is_judged(&facts, PERSIST_FILE, PERSIST_READ_ONLY, "ubootefi.var");
	memset(facts.file, 'x', sizeof(facts.file) - 1);
	is_judged(&facts, PERSIST_FILE, PERSIST_READ_ONLY, "xxx of the EFI");
}

static void stores_outside_normal_firmware_are_refused(void **state)
{
	struct persist_facts facts = {.has_set_variable = true,
				      .has_chip = true,
				      .chip_has_store = true,
				      .has_shared_ram = true,
				      .shared_address = 0x7aee0000,
				      .shared_bytes = 0x10000};

	(void)state;
	is_judged(&facts, PERSIST_SECURE, PERSIST_REFUSED,
		  "64 KiB of RAM at 0x7aee0000");
	is_judged(&facts, PERSIST_SECURE, PERSIST_REFUSED, "efi=runtime");
	is_judged(&facts, PERSIST_SECURE, PERSIST_REFUSED, "efi_runtime");
	is_judged(&facts, PERSIST_SECURE, PERSIST_REFUSED,
		  "--direct does not help");
	facts = (struct persist_facts){.has_set_variable = true,
				       .has_direct = true,
				       .host_device = "QEMU's uefi-vars",
				       .host_address = 0xc000000};
	is_judged(&facts, PERSIST_HOST, PERSIST_REFUSED,
		  "0xc000000 is QEMU's uefi-vars");
	is_judged(&facts, PERSIST_HOST, PERSIST_REFUSED,
		  "--direct does not help");
}

static bool is_shared(uint32_t type, uint64_t attribute)
{
	struct cz_efi_memory_descriptor entry = {.type = type,
						 .attribute = attribute};

	return persist_is_shared(&entry);
}

static void shared_ram_is_distinguished_from_devices(void **state)
{
	const uint64_t cacheable =
		CZ_EFI_MEMORY_RUNTIME | CZ_EFI_MEMORY_WB | CZ_EFI_MEMORY_UC;
	const uint64_t device = CZ_EFI_MEMORY_RUNTIME | CZ_EFI_MEMORY_UC;

	(void)state;
	assert_true(is_shared(CZ_EFI_RESERVED, cacheable));
	assert_true(is_shared(CZ_EFI_ACPI_NVS, cacheable));
	assert_false(is_shared(CZ_EFI_RESERVED, CZ_EFI_MEMORY_WB));
	assert_false(is_shared(CZ_EFI_RESERVED, device));
	assert_false(is_shared(CZ_EFI_MMIO, cacheable));
	assert_false(is_shared(CZ_EFI_MMIO_PORT, cacheable));
	assert_false(is_shared(CZ_EFI_RUNTIME_SERVICES_CODE, cacheable));
	assert_false(is_shared(CZ_EFI_RUNTIME_SERVICES_DATA, cacheable));
}

static void uefi_vars_is_recognised(void **state)
{
	uint32_t registers[2] = {0x00010ef1, 0};
	const struct device *device = (const void *)registers;

	(void)state;
	assert_true(persist_is_uefi_vars(device));
	registers[0] = 0x0ef10000;
	assert_false(persist_is_uefi_vars(device));
}

/* Searches a copy of exactly that size, so that the sanitizer sees a read past
 * its end. */
static struct persist_facts look(const void *ram, size_t size_bytes)
{
	struct persist_facts facts = {0};
	uint8_t *copy = malloc(size_bytes);

	assert_non_null(copy);
	memcpy(copy, ram, size_bytes);
	persist_look(&facts, copy, size_bytes);
	free(copy);
	return facts;
}

static uint8_t ram[RAM_BYTES];

static int clear(void **state)
{
	(void)state;
	memset(ram, 0, sizeof(ram));
	return 0;
}

static void the_file_is_found(void **state)
{
	const size_t bytes =
		sizeof(file_variable); /* including its last zero */
	struct persist_facts facts;

	(void)state;
	assert_int_equal(bytes, 52);
	assert_false(look(ram, sizeof(ram)).has_file);
	memcpy(ram + 4097, file_variable, bytes);
	memcpy(ram + 4097 + bytes, "ubootefi.var", 13);
	facts = look(ram, sizeof(ram));
	assert_true(facts.has_file);
	assert_string_equal(facts.file, "ubootefi.var");
	/* The variable ends at the end of RAM, and then beyond it. */
	facts = look(ram, 4097 + bytes + 3);
	assert_string_equal(facts.file, "ubo");
	facts = look(ram, 4097 + bytes);
	assert_true(facts.has_file);
	assert_string_equal(facts.file, "");
	assert_false(look(ram, 4097 + bytes - 1).has_file);
	/* An invalid file name does not reach the log. */
	memset(ram + 4097 + bytes, 'x', 1000);
	assert_int_equal(strlen(look(ram, sizeof(ram)).file),
			 PERSIST_FILE_CHARS - 1);
	ram[4097 + bytes + 2] = '\n';
	assert_string_equal(look(ram, sizeof(ram)).file, "xx");
	ram[4097] ^= 1;
	assert_false(look(ram, sizeof(ram)).has_file);
}

static void a_store_in_ram_is_found(void **state)
{
	const uint32_t at = 12288 + 8;
	uint8_t *store = ram + at;

	(void)state;
	assert_false(look(ram, sizeof(ram)).ram_has_store);
	/* The GUID alone also occurs in EDK II's code. */
	store_put_header(ram + 100, 0);
	assert_false(look(ram, sizeof(ram)).ram_has_store);
	store_put_header(store, 0x4000);
	assert_true(look(ram, sizeof(ram)).ram_has_store);
	assert_true(look(ram, at + 0x4000).ram_has_store);
	assert_false(look(ram, at + 0x3fff).ram_has_store);
	assert_false(look(ram, at + 20).ram_has_store);
	store[20] = 0xff; /* not formatted */
	assert_false(look(ram, sizeof(ram)).ram_has_store);
	store_put_header(store, 0x4000);
	store[21] = 0xff; /* not healthy */
	assert_false(look(ram, sizeof(ram)).ram_has_store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flash_persists),
		cmocka_unit_test(an_unknown_store_may_persist),
		cmocka_unit_test(ram_does_not_persist),
		cmocka_unit_test(a_file_is_not_written),
		cmocka_unit_test(stores_outside_normal_firmware_are_refused),
		cmocka_unit_test(shared_ram_is_distinguished_from_devices),
		cmocka_unit_test(uefi_vars_is_recognised),
		cmocka_unit_test_setup(the_file_is_found, clear),
		cmocka_unit_test_setup(a_store_in_ram_is_found, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
