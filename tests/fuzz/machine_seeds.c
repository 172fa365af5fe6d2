/* SPDX-License-Identifier: MIT */
/* Writes seeds for the targets that read ACPI tables and device trees: small
 * versions of QEMU's. */
#include "seeds.h"

#include <libfdt.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ---- ACPI, in the format that acpi.c describes ---- */

enum { RSDP, XSDT, SPCR, MADT, GTDT, FADT };

struct row {
	uint8_t bytes[1024];
	size_t size;
};

static void put(uint8_t *to, uint64_t value, unsigned count)
{
	while (count-- > 0) {
		*to++ = (uint8_t)value;
		value >>= 8;
	}
}

/* Appends a table of zeroes and returns it. */
static uint8_t *add_table(struct row *row, uint8_t kind, uint16_t size)
{
	uint8_t *record = row->bytes + row->size;

	record[0] = kind;
	put(record + 1, size, 2);
	row->size += 3u + size;
	return record + 3;
}

static void add_madt(struct row *row, uint8_t version)
{
	uint8_t *table = add_table(row, MADT, 44 + 2 * 80 + 24 + 16);
	uint8_t *entry = table + 44;

	for (uint64_t cpu = 0; cpu < 2; cpu++, entry += 80) {
		entry[0] = 11;
		entry[1] = 80;
		entry[12] = 1;
		put(entry + 32, 0x8010000, 8);
		put(entry + 68, cpu, 8);
	}
	entry[0] = 12;
	entry[1] = 24;
	put(entry + 8, 0x8000000, 8);
	entry[20] = version;
	entry += 24;
	entry[0] = 14;
	entry[1] = 16;
	put(entry + 4, 0x80a0000, 8);
	put(entry + 12, 0xf60000, 4);
}

void acpi_seeds(const char *directory)
{
	for (uint8_t version = 2; version <= 3; version++) {
		struct row row = {{0}, 0};
		uint8_t *table = add_table(&row, RSDP, 36);
		char name[] = {'v', (char)('0' + version), 0};

		table[15] = 2;
		put(table + 20, 36, 4);
		put(add_table(&row, XSDT, 36 + 16) + 36, 0x40000000, 8);
		table = add_table(&row, SPCR, 80);
		table[36] = 3;
		put(table + 44, 0x9000000, 8);
		add_madt(&row, version);
		put(add_table(&row, GTDT, 96) + 64, 27, 4);
		put(add_table(&row, FADT, 268) + 129, 3, 2);
		write_seed(directory, name, row.bytes, row.size);
	}
}

/* ---- device trees ---- */

static void begin(void *tree, const char *name, const char *compatible)
{
	fdt_begin_node(tree, name);
	if (compatible != NULL) {
		fdt_property_string(tree, "compatible", compatible);
	}
}

static void put_cells(void *tree, const char *name, const uint32_t *cells,
		      unsigned count)
{
	fdt32_t values[16];

	for (unsigned i = 0; i < count; i++) {
		values[i] = cpu_to_fdt32(cells[i]);
	}
	fdt_property(tree, name, values, (int)(count * sizeof(*values)));
}

static void put_cpus(void *tree)
{
	begin(tree, "cpus", NULL);
	fdt_property_u32(tree, "#address-cells", 1);
	fdt_property_u32(tree, "#size-cells", 0);
	for (uint32_t cpu = 0; cpu < 2; cpu++) {
		begin(tree, cpu == 0 ? "cpu@0" : "cpu@1", "arm,cortex-a57");
		fdt_property_string(tree, "device_type", "cpu");
		fdt_property_string(tree, "enable-method", "psci");
		fdt_property_u32(tree, "reg", cpu);
		fdt_end_node(tree);
	}
	fdt_end_node(tree);
}

/* Adds the console, on a bus of its own. */
static void put_console(void *tree)
{
	static const uint32_t ranges[] = {0, 0, 0x9000000, 0x10000};
	static const uint32_t reg[] = {0, 0x1000};

	begin(tree, "bus", "simple-bus");
	fdt_property_u32(tree, "#address-cells", 1);
	fdt_property_u32(tree, "#size-cells", 1);
	put_cells(tree, "ranges", ranges, 4);
	begin(tree, "serial@0", "arm,pl011");
	put_cells(tree, "reg", reg, 2);
	fdt_end_node(tree);
	fdt_end_node(tree);
	begin(tree, "aliases", NULL);
	fdt_property_string(tree, "serial0", "/bus/serial@0");
	fdt_end_node(tree);
	begin(tree, "chosen", NULL);
	fdt_property_string(tree, "stdout-path", "serial0:115200");
	fdt_end_node(tree);
}

static void put_interrupts(void *tree, const char *controller)
{
	static const uint32_t reg[] = {0, 0x8000000, 0, 0x10000,
				       0, 0x80a0000, 0, 0xf60000};
	static const uint32_t interrupts[] = {1, 13, 4, 1, 14, 4,
					      1, 11, 4, 1, 10, 4};

	begin(tree, "intc@8000000", controller);
	fdt_property_u32(tree, "#interrupt-cells", 3);
	fdt_property_u32(tree, "phandle", 1);
	put_cells(tree, "reg", reg, 8);
	fdt_end_node(tree);
	begin(tree, "timer", "arm,armv8-timer");
	put_cells(tree, "interrupts", interrupts, 12);
	fdt_end_node(tree);
	begin(tree, "psci", "arm,psci-0.2");
	fdt_property_string(tree, "method", "hvc");
	fdt_end_node(tree);
}

void tree_make(void *tree, int size, const char *controller)
{
	fdt_create(tree, size);
	fdt_finish_reservemap(tree);
	begin(tree, "", NULL);
	fdt_property_u32(tree, "#address-cells", 2);
	fdt_property_u32(tree, "#size-cells", 2);
	fdt_property_u32(tree, "interrupt-parent", 1);
	put_cpus(tree);
	put_console(tree);
	put_interrupts(tree, controller);
	fdt_end_node(tree);
	if (fdt_finish(tree) != 0) {
		abort();
	}
}

static void write_tree(const char *directory, const char *name,
		       const char *controller)
{
	static uint8_t seed[1 + 2048];
	static uint64_t tree[2048 / 8];

	tree_make(tree, sizeof(tree), controller);
	memcpy(seed + 1, tree, fdt_totalsize(tree));
	write_seed(directory, name, seed, 1u + fdt_totalsize(tree));
}

void tree_seeds(const char *directory)
{
	write_tree(directory, "v2", "arm,cortex-a15-gic");
	write_tree(directory, "v3", "arm,gic-v3");
}
