/* SPDX-License-Identifier: MIT */
/*
 * Parsers of the ACPI 6.5 tables that Caesura's kernel needs. They read bytes
 * and fill `struct machine`. They access no memory except their arguments, and
 * print nothing. Those that return a string return NULL on success, or the
 * description of the error.
 */
#ifndef KERNEL_DEV_ACPI_PARSE_H
#define KERNEL_DEV_ACPI_PARSE_H

#include <kernel/machine.h>
#include <stddef.h>
#include <stdint.h>

#define ACPI_RSDP_BYTES 36
#define ACPI_HEADER_BYTES 36
#define ACPI_MAX_BYTES 0x100000u /* longer tables are refused */

/* Returns the length that a table's header states. */
uint32_t acpi_table_length(const uint8_t *header);

/* rsdp points to ACPI_RSDP_BYTES bytes. Stores the address of the XSDT. */
const char *acpi_parse_rsdp(const uint8_t *rsdp, uint64_t *xsdt);
/* Checks length and checksum. Must be called before a parser below. */
const char *acpi_check_table(const uint8_t *table, size_t size);
/* Does this for the XSDT, and checks that it has whole entries and not too
 * many. */
const char *acpi_check_xsdt(const uint8_t *xsdt, size_t size);
/* Return the number of entries of the XSDT, and its entry i. */
uint32_t acpi_xsdt_count(size_t size);
uint64_t acpi_xsdt_entry(const uint8_t *xsdt, uint32_t i);

const char *acpi_parse_spcr(const uint8_t *table, size_t size,
			    struct machine *found);
const char *acpi_parse_madt(const uint8_t *table, size_t size,
			    struct machine *found);
const char *acpi_parse_gtdt(const uint8_t *table, size_t size,
			    struct machine *found);
const char *acpi_parse_fadt(const uint8_t *table, size_t size,
			    struct machine *found);

#endif
