/* SPDX-License-Identifier: MIT */
/* Rules: which files are immutable, what a valid load option is, and the errno
 * of each status. */
#include "linux_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool removable(const char *file_name)
{
	struct efivars_name name = named(file_name);

	return efivars_is_removable(&name);
}

static void removable_names(void **state)
{
	static const char *const names[] = {
		"BootNext",    "BootOrder",	"Boot",		"Boot0001",
		"BootXYZ",     "DriverOrder",	"Driver0000",	"ConIn",
		"ConInDev",    "ConOut",	"ConOutDev",	"ErrOut",
		"ErrOutDev",   "Lang",		"PlatformLang", "Timeout",
		"BootCurrent", "OsIndications",
	};
	char file_name[128];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(file_name, sizeof(file_name), "%s-" GLOBAL, names[i]);
		assert_true(removable(file_name));
		snprintf(file_name, sizeof(file_name), "%s-" OTHER, names[i]);
		assert_false(removable(file_name));
	}
	assert_true(removable("dump-type0-1-1-C-cfc8fc79-be2e-4ddc-97f0-"
			      "9f98bfe298a0"));
}

static void protected_names(void **state)
{
	(void)state;
	assert_false(removable("SecureBoot-" GLOBAL));
	assert_false(removable("PK-" GLOBAL));
	assert_false(removable("boot0001-" GLOBAL));
	assert_false(removable("Boo-" GLOBAL));
	assert_false(removable("Timeouts-" GLOBAL));
	assert_false(removable("ConI-" GLOBAL));
	assert_false(removable("OsIndicationsSupported-" GLOBAL));
	assert_false(removable("LangCodes-" GLOBAL));
}

static void random_seed(void **state)
{
	struct efivars_name name =
		named("RandomSeed-1ce1e5bc-7ceb-42f2-81e5-8aadf180f57b");

	(void)state;
	assert_true(efivars_is_hidden(&name));
	name = named("RandomSeed-" GLOBAL);
	assert_false(efivars_is_hidden(&name));
}

/* ---- Load options ---- */

#define SOUND                                                      \
	"\1\0\0\0\x0a\0d\0\0\0" /* attributes, path's size, "d" */ \
	"\4\1\6\0\0\0\x7f\xff\4\0" /* a node, the end */
#define SOUND_BYTES 20

static bool valid(const char *name, const void *value, size_t size)
{
	char file_name[128];
	struct efivars_name parsed;

	snprintf(file_name, sizeof(file_name), "%s-" GLOBAL, name);
	parsed = named(file_name);
	return efivars_is_valid(&parsed, value, size);
}

static void sound_options(void **state)
{
	(void)state;
	assert_true(valid("Boot0001", SOUND, SOUND_BYTES));
	assert_true(valid("BootBEEF", SOUND, SOUND_BYTES));
	assert_true(valid("Bootbeef", SOUND "opti", SOUND_BYTES + 4));
	assert_true(valid("Driver0001", SOUND, SOUND_BYTES));
}

static void malformed_options(void **state)
{
	uint8_t option[SOUND_BYTES];

	(void)state;
	for (size_t size = 0; size < SOUND_BYTES; size++) {
		assert_false(valid("Boot0001", SOUND, size));
	}
	assert_false(valid("Boot00012", SOUND, SOUND_BYTES));
	assert_false(valid("Driver0001x", SOUND, SOUND_BYTES));
	memcpy(option, SOUND, sizeof(option));
	option[4] = 0xff; /* the size of the path */
	assert_false(valid("Boot0001", option, sizeof(option)));
	option[4] = 10;
	option[12] = 3; /* the size of a node */
	assert_false(valid("Boot0001", option, sizeof(option)));
	option[12] = 0xff;
	assert_false(valid("Boot0001", option, sizeof(option)));
	option[12] = 6;
	option[17] = 1; /* ends only one instance of the path */
	assert_false(valid("Boot0001", option, sizeof(option)));
}

/* Linux does not check these values either. */
static void other_values(void **state)
{
	struct efivars_name other = named("Boot0001-" OTHER);

	(void)state;
	assert_true(valid("BootNext", "x", 1));
	assert_true(valid("BootOrder", "x", 1));
	assert_true(valid("Boot", "x", 1));
	assert_true(valid("Boot001", "x", 1));
	assert_true(valid("Boot000g", "x", 1));
	assert_true(valid("Timeout", "xxx", 3));
	assert_true(efivars_is_valid(&other, "x", 1));
}

/* ---- Statuses ---- */

static void statuses(void **state)
{
	static const struct {
		cz_status status;
		int error;
	} due[] = {
		{CZ_OK, 0},
		{CZ_EFI_INVALID_PARAMETER, EINVAL},
		{CZ_EFI_UNSUPPORTED, EINVAL},
		{CZ_EFI_BAD_BUFFER_SIZE, EINVAL},
		{CZ_EFI_BUFFER_TOO_SMALL, EINVAL},
		{CZ_EFI_NOT_READY, EINVAL},
		{CZ_EFI_DEVICE_ERROR, EIO},
		{CZ_EFI_WRITE_PROTECTED, EROFS},
		{CZ_EFI_OUT_OF_RESOURCES, ENOSPC},
		{CZ_EFI_NOT_FOUND, ENOENT},
		{CZ_EFI_ACCESS_DENIED, EINVAL},
		{CZ_EFI_TIMEOUT, EINVAL},
		{CZ_EFI_ABORTED, EINTR},
		{CZ_EFI_SECURITY_VIOLATION, EACCES},
		{CZ_EFI_ERROR(77), EINVAL},
		{CZ_E_DEADLINE, ETIMEDOUT},
		{CZ_E_IN_FLIGHT, EINPROGRESS},
		{CZ_E_CANCELLED, EINTR},
		{CZ_E_WITHDRAWN, EOPNOTSUPP},
		{CZ_E_FAULT, EIO},
		{CZ_E_ABORTED, EIO},
		{CZ_E_BUSY, EBUSY},
		{CZ_E_BAD_STATUS, EIO},
		{CZ_E_BAD_SIZE, EIO},
		{CZ_E_ARGUMENT, EINVAL},
		{CZ_E_TOO_LARGE, EFBIG},
		{CZ_E_TABLE, EIO},
		{CZ_E_NO_MEMORY, ENOMEM},
		{CZ_E_HOST, EIO},
		{CZ_E_STOPPED, ESHUTDOWN},
		{CZ_E_KILLED, EIO},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(due) / sizeof(due[0]); i++) {
		assert_int_equal(efivars_errno(due[i].status), due[i].error);
	}
	/* Every status of the library's own is above CZ_ERROR_BASE. */
	assert_int_equal(CZ_E_KILLED, CZ_ERROR_BASE + 16);
}

int group_rules(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(removable_names),
		cmocka_unit_test(protected_names),
		cmocka_unit_test(random_seed),
		cmocka_unit_test(sound_options),
		cmocka_unit_test(malformed_options),
		cmocka_unit_test(other_values),
		cmocka_unit_test(statuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
