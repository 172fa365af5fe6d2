/* SPDX-License-Identifier: MIT */
/* linux/machine/pl031.c: the recognition of a PL031, and of similar devices. */
#include "machine/pl031.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static uint32_t registers[PL031_BYTES / 4];
static const struct device *const device = (const void *)registers;

/* The identification bytes are those of QEMU's PL031. The upper bytes of the
 * registers are not defined. */
static int make_clock(void **state)
{
	static const uint8_t bytes[] = {0x31, 0x10, 0x04, 0x00,
					0x0d, 0xf0, 0x05, 0xb1};

	(void)state;
	memset(registers, 0, sizeof(registers));
	for (size_t i = 0; i < sizeof(bytes); i++) {
		registers[0xfe0 / 4 + i] = bytes[i];
	}
	return 0;
}

static void a_pl031_is_known(void **state)
{
	(void)state;
	assert_true(pl031_is_known(device));
}

static void any_revision_is_known(void **state)
{
	(void)state;
	registers[0xfe8 / 4] = 0x34;
	registers[0xfec / 4] = 0x01;
	assert_true(pl031_is_known(device));
}

static void undefined_upper_bytes_are_ignored(void **state)
{
	(void)state;
	registers[0xff0 / 4] = 0xabcd0000 | 0x0d;
	assert_true(pl031_is_known(device));
}

/* The cases are PL011, PL061, two that are not Arm's, and two that are not
 * PrimeCells. */
static void other_devices_are_not_known(void **state)
{
	static const struct {
		uint32_t offset, word;
	} others[] = {{0xfe0, 0x11}, {0xfe0, 0x61}, {0xfe4, 0x00},
		      {0xfe8, 0x05}, {0xff0, 0x00}, {0xffc, 0xb0}};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		(void)make_clock(state);
		registers[others[i].offset / 4] = others[i].word;
		assert_false(pl031_is_known(device));
	}
}

static void no_device_is_not_known(void **state)
{
	(void)state;
	memset(registers, 0, sizeof(registers));
	assert_false(pl031_is_known(device));
	memset(registers, 0xff, sizeof(registers));
	assert_false(pl031_is_known(device));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_pl031_is_known, make_clock),
		cmocka_unit_test_setup(any_revision_is_known, make_clock),
		cmocka_unit_test_setup(undefined_upper_bytes_are_ignored,
				       make_clock),
		cmocka_unit_test_setup(other_devices_are_not_known, make_clock),
		cmocka_unit_test_setup(no_device_is_not_known, make_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
