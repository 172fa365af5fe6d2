/* SPDX-License-Identifier: MIT */
/* linux/machine/fdt_chosen.c: reads numbers from /chosen of a device tree, and
 * recognises a kexec there. */
#include "machine/fdt_chosen.h"

#include <libfdt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define KEXEC "linux,booted-from-kexec"

static uint8_t tree[4096];

static void make_tree(const char *node, bool with_kexec)
{
	assert_int_equal(fdt_create(tree, sizeof(tree)), 0);
	assert_int_equal(fdt_finish_reservemap(tree), 0);
	assert_int_equal(fdt_begin_node(tree, ""), 0);
	assert_int_equal(fdt_begin_node(tree, node), 0);
	assert_int_equal(fdt_property_u64(tree, "a", 0x123456789abull), 0);
	if (with_kexec) {
		assert_int_equal(fdt_property(tree, KEXEC, NULL, 0), 0);
	}
	assert_int_equal(fdt_end_node(tree), 0);
	assert_int_equal(fdt_end_node(tree), 0);
	assert_int_equal(fdt_finish(tree), 0);
}

static bool has_kexec(void)
{
	return fdt_chosen_has_property(tree, sizeof(tree), KEXEC);
}

static void a_kexec_is_seen(void **state)
{
	(void)state;
	make_tree("chosen", true);
	assert_true(has_kexec());
	make_tree("chosen", false);
	assert_false(has_kexec());
	make_tree("other", true);
	assert_false(has_kexec());
	memset(tree, 0, sizeof(tree));
	assert_false(has_kexec());
}

static void a_number_is_read(void **state)
{
	uint64_t value = 0;

	(void)state;
	make_tree("chosen", true);
	assert_true(fdt_chosen_number(tree, sizeof(tree), "a", &value));
	assert_int_equal(value, 0x123456789abull);
	/* This property is empty. */
	assert_false(fdt_chosen_number(tree, sizeof(tree), KEXEC, &value));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kexec_is_seen),
		cmocka_unit_test(a_number_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
