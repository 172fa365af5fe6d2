/* SPDX-License-Identifier: MIT */
/*
 * Tests that the kernel refuses wrong ACPI tables, device trees and machines,
 * each with a message that names the error. Also tests which entries of the
 * memory map become part of the linear map.
 */
#include "boot/ram.h"
#include "dev/acpi_parse.h"
#include "dev/machine_check.h"
#include "dev/tree_parse.h"
#include "seeds.h"

#include <libfdt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* cmocka.h needs the headers above. */
#include <cmocka.h>

/* The seeds' code is linked for tree_make() only, and writes no seed here. */
void write_seed(const char *directory, const char *name, const void *bytes,
		size_t size)
{
	(void)directory;
	(void)name;
	(void)bytes;
	(void)size;
}

static void check_message(const char *said, const char *due)
{
	if (due == NULL) {
		assert_null(said);
	} else {
		assert_non_null(said);
		assert_non_null(strstr(said, due));
	}
}

/* ---- machines ---- */

static struct machine sound(uint32_t version)
{
	return (struct machine){
		.cpu_count = 2,
		.mpidr = {0, 1},
		.gic_version = version,
		.timer_irq = 27,
		.uart = 0x9000000,
		.gic_distributor = 0x8000000,
		.gic_cpu_interface = 0x8010000,
		.gic_redistributor = 0x80a0000,
		.gic_redistributor_size = 0xf60000,
	};
}

static void check_machine(const struct machine *given, const char *due)
{
	uint64_t value;

	check_message(machine_check(given, &value), due);
}

#define REFUSED(version, field, number, due)            \
	do {                                            \
		struct machine wrong_ = sound(version); \
		wrong_.field = (number);                \
		check_machine(&wrong_, due);            \
	} while (0)

static void wrong_machines_are_refused(void **state)
{
	struct machine given = sound(2);

	(void)state;
	check_machine(&given, NULL);
	given = sound(3);
	check_machine(&given, NULL);
	REFUSED(3, cpu_count, 0, "no CPU");
	REFUSED(3, cpu_count, MACHINE_MAX_CPUS + 1, "too many");
	REFUSED(3, mpidr[1], 0, "the same CPU twice");
	REFUSED(3, gic_version, 4, "neither version 2 nor 3");
	REFUSED(3, timer_irq, 32, "not a PPI");
	REFUSED(3, uart, 0x9000010, "console: not on a page");
	REFUSED(3, uart, 1ull << 48, "console: beyond 48 bits");
	REFUSED(3, uart, 0x8001000, "same address");
	REFUSED(2, uart, 0x8001000, NULL);
	REFUSED(3, gic_distributor, 0x8001000, "distributor: not aligned");
	REFUSED(2, gic_distributor, 0x8000800, "distributor: not aligned");
	REFUSED(2, gic_cpu_interface, 0x8000000, "same address");
	REFUSED(3, gic_redistributor, 0x80a1000, "redistributors: not aligned");
	REFUSED(3, gic_redistributor, ~0xffffull, "wrap around");
	REFUSED(3, gic_redistributor, 0xffffffff0000, "wrap around");
	REFUSED(3, gic_redistributor_size, 0x10000, "no sensible size");
	REFUSED(3, gic_redistributor_size, 0x20001, "no sensible size");
	REFUSED(3, gic_redistributor_size, ~0xffffull, "no sensible size");
	REFUSED(3, gic_redistributor, 0x7ff0000, "same address");
}

/* ---- ACPI ---- */

static void set32(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, sizeof(value));
}

static void mend(uint8_t *table, size_t size)
{
	uint8_t sum = 0;

	set32(table + 4, (uint32_t)size);
	table[9] = 0;
	for (size_t i = 0; i < size; i++) {
		sum = (uint8_t)(sum + table[i]);
	}
	table[9] = (uint8_t)-sum;
}

static void wrong_acpi_headers_are_refused(void **state)
{
	static uint8_t table[ACPI_MAX_BYTES + 8];

	(void)state;
	mend(table, 64);
	check_message(acpi_check_table(table, 64), NULL);
	check_message(acpi_check_table(table, 63), "shorter than its header");
	table[40]++;
	check_message(acpi_check_table(table, 64), "checksum");
	table[40]--;
	check_message(acpi_check_xsdt(table, 64), "ends within an entry");
	mend(table, ACPI_MAX_BYTES + 1);
	check_message(acpi_check_table(table, ACPI_MAX_BYTES + 1),
		      "longer than 1 MiB");
	mend(table, 36 + 1025 * 8);
	check_message(acpi_check_xsdt(table, 36 + 1025 * 8),
		      "more than 1024 entries");
}

static void wrong_madt_entries_are_refused(void **state)
{
	uint8_t madt[44 + 24] = {0};
	struct machine found = {0};

	(void)state;
	check_message(acpi_parse_madt(madt, 44, &found), "no enabled CPU");
	madt[44] = 12;
	madt[45] = 0;
	check_message(acpi_parse_madt(madt, sizeof(madt), &found),
		      "wrong length");
	madt[45] = 25;
	check_message(acpi_parse_madt(madt, sizeof(madt), &found),
		      "wrong length");
	madt[45] = 8;
	check_message(acpi_parse_madt(madt, 44 + 8, &found),
		      "GICD entry too short");
	madt[44] = 11;
	madt[45] = 24;
	check_message(acpi_parse_madt(madt, sizeof(madt), &found),
		      "GICC entry too short");
	madt[44] = 14;
	madt[45] = 8;
	check_message(acpi_parse_madt(madt, 44 + 8, &found),
		      "GICR entry too short");
}

static void other_wrong_acpi_tables_are_refused(void **state)
{
	uint8_t table[131] = {0};
	struct machine found = {0};

	(void)state;
	check_message(acpi_parse_spcr(table, 51, &found), "too short");
	check_message(acpi_parse_spcr(table, 52, &found), "not a PL011");
	table[36] = 3;
	check_message(acpi_parse_spcr(table, 52, &found), "no address");
	check_message(acpi_parse_gtdt(table, 71, &found), "too short");
	check_message(acpi_parse_gtdt(table, 72, &found), "not a PPI");
	check_message(acpi_parse_fadt(table, 130, &found), "too short");
	check_message(acpi_parse_fadt(table, 131, &found), NULL);
	assert_int_equal(found.psci, PSCI_NONE);
}

/* ---- device trees ---- */

static uint64_t room[4096 / 8];
static void *const tree = room;

static void make(const char *controller)
{
	uint64_t made[2048 / 8];

	tree_make(made, sizeof(made), controller);
	assert_int_equal(fdt_open_into(made, tree, sizeof(room)), 0);
}

/* Parses the tree, and checks the message and the node and property that it
 * names. If `due` is NULL, the tree must be accepted. */
static void check_tree(const char *due, const char *node, const char *property)
{
	struct machine found = {0};
	struct tree_place place = {{0}, ""};
	uint64_t value;

	check_message(tree_parse(tree, fdt_totalsize(tree), 0, &found, &place),
		      due);
	if (due == NULL) {
		check_message(machine_check(&found, &value), NULL);
		assert_int_equal(found.cpu_count, 2);
		assert_int_equal(found.uart, 0x9000000);
		return;
	}
	assert_string_equal(place.node, node);
	assert_string_equal(place.property, property);
}

static void cells(const char *path, const char *property, uint32_t cell)
{
	int node = fdt_path_offset(tree, path);

	assert_true(node >= 0);
	assert_int_equal(fdt_setprop_u32(tree, node, property, cell), 0);
}

static void wrong_trees_are_refused(void **state)
{
	(void)state;
	make("arm,gic-v3");
	check_tree(NULL, NULL, NULL);
	make("arm,cortex-a15-gic");
	check_tree(NULL, NULL, NULL);
	make("arm,gic-v5");
	check_tree("no interrupt controller", "/", "");
	make("arm,gic-v3");
	cells("/intc@8000000", "reg", 0);
	check_tree("missing or too short", "intc@8000000", "reg");
	make("arm,gic-v3");
	cells("/intc@8000000", "#interrupt-cells", 0x40000000);
	check_tree("not 3 or 4", "intc@8000000", "#interrupt-cells");
	make("arm,gic-v3");
	cells("/timer", "interrupts", 1);
	check_tree("lacks the virtual timer's interrupt", "timer",
		   "interrupts");
	make("arm,gic-v3");
	cells("/cpus", "#address-cells", 3);
	check_tree("not 1 or 2", "cpus", "#address-cells");
	make("arm,gic-v3");
	cells("/cpus/cpu@1", "reg", 0x01000000);
	check_tree("not a CPU's number", "cpu@1", "reg");
	make("arm,gic-v3");
	cells("/bus", "ranges", 0);
	check_tree("does not hold", "bus", "ranges");
	make("arm,gic-v3");
	cells("/psci", "method", 0);
	check_tree("neither hvc nor smc", "psci", "method");
}

static void wrong_tree_headers_are_refused(void **state)
{
	(void)state;
	make("arm,gic-v3");
	fdt_set_version(tree, 15);
	fdt_set_last_comp_version(tree, 15);
	check_tree("older than version 17", "/", "");
	make("arm,gic-v3");
	fdt_set_totalsize(tree, TREE_MAX_BYTES + 1);
	assert_int_equal(tree_size(tree), 0);
	fdt_set_totalsize(tree, TREE_HEADER_BYTES - 1);
	assert_int_equal(tree_size(tree), 0);
	make("arm,gic-v3");
	fdt_set_off_dt_struct(tree, 0x7ffffff0);
	check_tree("not within the tree", "/", "");
	make("arm,gic-v3");
	/* The length of the first property is negative as a signed number. */
	set32((uint8_t *)tree + fdt_off_dt_struct(tree) + 12,
	      cpu_to_fdt32(0xfffffff4));
	check_tree("longer than the tree", "/", "");
	make("arm,gic-v3");
	fdt_set_size_dt_struct(tree, 8);
	check_tree("no end", "/", "");
	make("arm,gic-v3");
	fdt_set_magic(tree, 0);
	assert_int_equal(tree_size(tree), 0);
}

/* ---- the memory map ---- */

static bool linear(uint32_t type, uint64_t attribute)
{
	const struct cz_efi_memory_descriptor entry = {
		.type = type,
		.number_of_pages = 1,
		.attribute = attribute,
	};

	return ram_is_linear(&entry);
}

static void only_usable_ram_is_linear(void **state)
{
	const uint64_t wb = CZ_EFI_MEMORY_WB, runtime = CZ_EFI_MEMORY_RUNTIME;

	(void)state;
	assert_true(linear(CZ_EFI_CONVENTIONAL, wb));
	assert_true(linear(CZ_EFI_RUNTIME_SERVICES_DATA, wb | runtime));
	assert_false(linear(CZ_EFI_CONVENTIONAL, CZ_EFI_MEMORY_WC));
	/* Reserved memory is shared with the secure world if it has the runtime
	 * attribute; otherwise it is the secure world's own. */
	assert_true(linear(CZ_EFI_RESERVED, wb | runtime));
	assert_false(linear(CZ_EFI_RESERVED, wb));
	assert_false(linear(CZ_EFI_RESERVED, runtime));
	assert_false(linear(CZ_EFI_MMIO, wb | runtime));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_machines_are_refused),
		cmocka_unit_test(wrong_acpi_headers_are_refused),
		cmocka_unit_test(wrong_madt_entries_are_refused),
		cmocka_unit_test(other_wrong_acpi_tables_are_refused),
		cmocka_unit_test(wrong_trees_are_refused),
		cmocka_unit_test(wrong_tree_headers_are_refused),
		cmocka_unit_test(only_usable_ram_is_linear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
