/* SPDX-License-Identifier: MIT */
/*
 * What Caesura's kernel reads in ACPI 6.5 tables, as functions from bytes to
 * `struct machine`: no memory but their arguments', nothing printed. Each
 * returns NULL, or in words what is wrong with the table.
 */
#ifndef KERNEL_DEV_ACPI_PARSE_H
#define KERNEL_DEV_ACPI_PARSE_H

#include <kernel/machine.h>
#include <stddef.h>
#include <stdint.h>

#define ACPI_RSDP_BYTES 36
#define ACPI_HEADER_BYTES 36
#define ACPI_MAX_BYTES 0x100000u /* of a table that is read here */

/* Of a table whose header is in memory. */
uint32_t acpi_table_length(const uint8_t *header);

/* rsdp: ACPI_RSDP_BYTES of it. */
const char *acpi_parse_rsdp(const uint8_t *rsdp, uint64_t *xsdt);
/* Length and checksum. Comes before any of the following. */
const char *acpi_check_table(const uint8_t *table, size_t size);
/* The same, for the XSDT: whole entries, and not too many. */
const char *acpi_check_xsdt(const uint8_t *xsdt, size_t size);
/* Its number of entries, and entry i. */
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
