/* SPDX-License-Identifier: MIT */
/*
 * Locates the ACPI tables in memory and passes them to acpi_parse.c. The serial
 * port's table comes first, so that an error in a later table can be reported
 * on the serial line.
 */
#include "dev/acpi_parse.h"
#include "dev/tables.h"
#include <kernel/mm.h>
#include <kernel/string.h>

struct table {
	const uint8_t *bytes;
	size_t size;
};

_Noreturn static void broken(const char *name, const char *why)
{
	tables_broken("ACPI table %s: %s", name, why);
}

/* Returns the address of a table in the linear map. Panics, and names the
 * table, if its memory is not mapped there. */
static const uint8_t *memory_at(uint64_t physical, uint64_t size,
				const char *name)
{
	if (!linear_covers(physical, size)) {
		broken(name, "not in memory");
	}
	return phys_to_virt(physical);
}

static struct table open_table(uint64_t physical, const char *name,
			       const char *(*check)(const uint8_t *, size_t))
{
	struct table table;

	table.bytes = memory_at(physical, ACPI_HEADER_BYTES, name);
	table.size = acpi_table_length(table.bytes);
	memory_at(physical, table.size, name);
	const char *wrong = check(table.bytes, table.size);
	if (wrong != NULL) {
		broken(name, wrong);
	}
	return table;
}

static struct table find_table(struct table xsdt, const char *signature)
{
	for (uint32_t i = 0; i < acpi_xsdt_count(xsdt.size); i++) {
		uint64_t physical = acpi_xsdt_entry(xsdt.bytes, i);
		const uint8_t *header =
			memory_at(physical, ACPI_HEADER_BYTES, "of XSDT");
		if (memcmp(header, signature, 4) == 0) {
			return open_table(physical, signature,
					  acpi_check_table);
		}
	}
	broken(signature, "missing");
}

static void read_table(struct table xsdt, const char *signature,
		       const char *(*parse)(const uint8_t *, size_t,
					    struct machine *))
{
	struct table table = find_table(xsdt, signature);
	const char *wrong = parse(table.bytes, table.size, &machine);

	if (wrong != NULL) {
		broken(signature, wrong);
	}
}

void acpi_read_machine(uint64_t rsdp_physical)
{
	uint64_t xsdt_physical = 0;
	const char *wrong = acpi_parse_rsdp(
		memory_at(rsdp_physical, ACPI_RSDP_BYTES, "RSDP"),
		&xsdt_physical);

	if (wrong != NULL) {
		broken("RSDP", wrong);
	}
	struct table xsdt = open_table(xsdt_physical, "XSDT", acpi_check_xsdt);
	read_table(xsdt, "SPCR", acpi_parse_spcr);
	read_table(xsdt, "APIC", acpi_parse_madt);
	read_table(xsdt, "GTDT", acpi_parse_gtdt);
	read_table(xsdt, "FACP", acpi_parse_fadt);
}
