/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the parsers of ACPI tables. The input is a sequence of tables. One
 * byte before each says which table it is, and two more give its length.
 * Lengths and checksums are corrected, unless the highest bit of the first byte
 * is set.
 */
#include "dev/acpi_parse.h"
#include "machine.h"

#include <stdlib.h>
#include <string.h>

#define RECORD_BYTES 3
#define UNCORRECTED 0x80u
#define CHECKSUM 9
#define LENGTH 4
#define RSDP_CHECKSUM 8
#define RSDP_CHECKED 20
#define RSDP_CHECKSUM_ALL 32

typedef const char *parser(const uint8_t *table, size_t size,
			   struct machine *found);

static void mend_sum(uint8_t *bytes, size_t size, size_t at)
{
	uint8_t sum = 0;

	if (at < size) {
		bytes[at] = 0;
		for (size_t i = 0; i < size; i++) {
			sum = (uint8_t)(sum + bytes[i]);
		}
		bytes[at] = (uint8_t)-sum;
	}
}

static void read_rsdp(uint8_t *rsdp, size_t size, bool mend)
{
	uint64_t xsdt;

	if (size < ACPI_RSDP_BYTES) {
		return;
	}
	if (mend) {
		memcpy(rsdp, "RSD PTR ", 8);
		mend_sum(rsdp, RSDP_CHECKED, RSDP_CHECKSUM);
		mend_sum(rsdp, ACPI_RSDP_BYTES, RSDP_CHECKSUM_ALL);
	}
	(void)acpi_parse_rsdp(rsdp, &xsdt);
}

static void read_xsdt(const uint8_t *xsdt, size_t size)
{
	volatile uint64_t entry;

	if (acpi_check_xsdt(xsdt, size) != NULL) {
		return;
	}
	for (uint32_t i = 0; i < acpi_xsdt_count(size); i++) {
		entry = acpi_xsdt_entry(xsdt, i);
		(void)entry;
	}
}

/* Parses one table. Returns false if the kernel would stop here. */
static bool read_table(unsigned kind, uint8_t *table, size_t size, bool mend,
		       struct machine *found)
{
	static parser *const parsers[] = {acpi_parse_spcr, acpi_parse_madt,
					  acpi_parse_gtdt, acpi_parse_fadt};
	const char *wrong;

	if (kind == 0) {
		read_rsdp(table, size, mend);
		return true;
	}
	/* The kernel reads no table that is shorter than its header. */
	if (size < ACPI_HEADER_BYTES) {
		return false;
	}
	if (mend) {
		uint32_t length = (uint32_t)size;

		memcpy(table + LENGTH, &length, sizeof(length));
		mend_sum(table, size, CHECKSUM);
	}
	if (kind == 1) {
		read_xsdt(table, size);
		return true;
	}
	wrong = acpi_check_table(table, size);
	if (wrong == NULL) {
		wrong = parsers[kind - 2](table, size, found);
	}
	return wrong == NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct machine found = {0};
	bool go_on = true;

	while (go_on && size >= RECORD_BYTES) {
		size_t length = data[1] | (size_t)data[2] << 8;
		uint8_t *table;

		if (length > size - RECORD_BYTES) {
			length = size - RECORD_BYTES;
		}
		table = fuzz_exact_copy(data + RECORD_BYTES, length);
		go_on = read_table((data[0] & ~UNCORRECTED) % 6, table, length,
				   (data[0] & UNCORRECTED) == 0, &found);
		free(table);
		data += RECORD_BYTES + length;
		size -= RECORD_BYTES + length;
	}
	if (go_on) {
		fuzz_check_machine(&found);
	}
	return 0;
}
