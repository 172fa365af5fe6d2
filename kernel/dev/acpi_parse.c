/* SPDX-License-Identifier: MIT */
/*
 * The layouts of the tables are in ACPI 6.5, chapter 5; SPCR has a
 * specification of Microsoft's. The contents are not trusted: every length is
 * checked before the bytes that it covers are read.
 */
#include "dev/acpi_parse.h"
#include <kernel/string.h>
#include <stdbool.h>

#define SDT_LENGTH 4
#define XSDT_MAX_ENTRIES 1024u

#define RSDP_REVISION 15
#define RSDP_LENGTH 20
#define RSDP_XSDT 24
#define RSDP_V1_BYTES 20

#define SPCR_INTERFACE 36
#define SPCR_ADDRESS_SPACE 40
#define SPCR_ADDRESS 44
#define SPCR_MIN_BYTES 52
#define SPCR_PL011 3
#define SPCR_SBSA_32BIT 0xd
#define SPCR_SBSA 0xe

#define MADT_ENTRIES 44
#define MADT_GICC 11
#define MADT_GICD 12
#define MADT_GICR 14
#define GICC_FLAGS 12
#define GICC_ENABLED 1u
#define GICC_CPU_INTERFACE 32
#define GICC_MPIDR 68
#define GICC_MIN_BYTES 76
#define MPIDR_AFFINITY UINT64_C(0xff00ffffff)
#define GICD_BASE 8
#define GICD_VERSION 20
#define GICD_MIN_BYTES 24
#define GICR_BASE 4
#define GICR_LENGTH 12
#define GICR_MIN_BYTES 16

#define GTDT_VIRTUAL_TIMER 64
#define GTDT_MIN_BYTES 72
#define FIRST_PPI 16
#define LAST_PPI 31

#define FADT_ARM_BOOT_FLAGS 129
#define FADT_MIN_BYTES 131
#define FADT_PSCI_COMPLIANT 1u
#define FADT_PSCI_USE_HVC 2u

static uint64_t read_bytes(const uint8_t *at, unsigned count)
{
	uint64_t value = 0;

	while (count-- > 0) {
		value = value << 8 | at[count];
	}
	return value;
}

static uint16_t read16(const uint8_t *at)
{
	return (uint16_t)read_bytes(at, 2);
}

static uint32_t read32(const uint8_t *at)
{
	return (uint32_t)read_bytes(at, 4);
}

static uint64_t read64(const uint8_t *at)
{
	return read_bytes(at, 8);
}

static bool sums_to_zero(const uint8_t *bytes, size_t size)
{
	uint8_t sum = 0;

	while (size-- > 0) {
		sum = (uint8_t)(sum + *bytes++);
	}
	return sum == 0;
}

uint32_t acpi_table_length(const uint8_t *header)
{
	return read32(header + SDT_LENGTH);
}

const char *acpi_parse_rsdp(const uint8_t *rsdp, uint64_t *xsdt)
{
	if (memcmp(rsdp, "RSD PTR ", 8) != 0) {
		return "wrong signature";
	}
	if (rsdp[RSDP_REVISION] < 2 ||
	    read32(rsdp + RSDP_LENGTH) < ACPI_RSDP_BYTES) {
		return "too old: no XSDT";
	}
	if (!sums_to_zero(rsdp, RSDP_V1_BYTES) ||
	    (read32(rsdp + RSDP_LENGTH) == ACPI_RSDP_BYTES &&
	     !sums_to_zero(rsdp, ACPI_RSDP_BYTES))) {
		return "wrong checksum";
	}
	*xsdt = read64(rsdp + RSDP_XSDT);
	return NULL;
}

const char *acpi_check_table(const uint8_t *table, size_t size)
{
	if (size < ACPI_HEADER_BYTES || acpi_table_length(table) != size) {
		return "shorter than its header";
	}
	if (size > ACPI_MAX_BYTES) {
		return "longer than 1 MiB";
	}
	return sums_to_zero(table, size) ? NULL : "wrong checksum";
}

const char *acpi_check_xsdt(const uint8_t *xsdt, size_t size)
{
	const char *wrong = acpi_check_table(xsdt, size);

	if (wrong == NULL && (size - ACPI_HEADER_BYTES) % 8 != 0) {
		wrong = "ends within an entry";
	}
	if (wrong == NULL && acpi_xsdt_count(size) > XSDT_MAX_ENTRIES) {
		wrong = "more than 1024 entries";
	}
	return wrong;
}

uint32_t acpi_xsdt_count(size_t size)
{
	return (uint32_t)((size - ACPI_HEADER_BYTES) / 8);
}

uint64_t acpi_xsdt_entry(const uint8_t *xsdt, uint32_t i)
{
	return read64(xsdt + ACPI_HEADER_BYTES + 8 * (size_t)i);
}

const char *acpi_parse_spcr(const uint8_t *table, size_t size,
			    struct machine *found)
{
	if (size < SPCR_MIN_BYTES) {
		return "too short";
	}
	uint8_t interface = table[SPCR_INTERFACE];
	if (interface != SPCR_PL011 && interface != SPCR_SBSA &&
	    interface != SPCR_SBSA_32BIT) {
		return "the console is not a PL011";
	}
	found->uart = read64(table + SPCR_ADDRESS);
	if (table[SPCR_ADDRESS_SPACE] != 0 || found->uart == 0) {
		return "the console has no address in memory";
	}
	return NULL;
}

static const char *parse_gicc(const uint8_t *entry, size_t length,
			      struct machine *found)
{
	if (length < GICC_MIN_BYTES) {
		return "GICC entry too short";
	}
	if ((read32(entry + GICC_FLAGS) & GICC_ENABLED) == 0) {
		return NULL;
	}
	uint64_t interface = read64(entry + GICC_CPU_INTERFACE);
	if (found->cpu_count == 0) {
		found->gic_cpu_interface = interface;
	} else if (found->gic_cpu_interface != interface) {
		return "CPU interfaces at different addresses";
	}
	if (found->cpu_count < MACHINE_MAX_CPUS) {
		found->mpidr[found->cpu_count++] =
			read64(entry + GICC_MPIDR) & MPIDR_AFFINITY;
	}
	return NULL;
}

static const char *parse_gicd(const uint8_t *entry, size_t length,
			      struct machine *found)
{
	if (length < GICD_MIN_BYTES) {
		return "GICD entry too short";
	}
	found->gic_distributor = read64(entry + GICD_BASE);
	found->gic_version = entry[GICD_VERSION];
	return NULL;
}

/* Uses only the first region, which has room enough for MACHINE_MAX_CPUS
 * CPUs. */
static const char *parse_gicr(const uint8_t *entry, size_t length,
			      struct machine *found)
{
	if (length < GICR_MIN_BYTES) {
		return "GICR entry too short";
	}
	if (found->gic_redistributor == 0) {
		found->gic_redistributor = read64(entry + GICR_BASE);
		found->gic_redistributor_size = read32(entry + GICR_LENGTH);
	}
	return NULL;
}

static const char *parse_madt_entry(const uint8_t *entry, size_t length,
				    struct machine *found)
{
	switch (entry[0]) {
	case MADT_GICC:
		return parse_gicc(entry, length, found);
	case MADT_GICD:
		return parse_gicd(entry, length, found);
	case MADT_GICR:
		return parse_gicr(entry, length, found);
	default:
		return NULL;
	}
}

/* Treats version 4 as version 3. Version 0 means that the table does not tell
 * the version; the presence of a redistributor region then decides. */
static const char *check_controller(struct machine *found)
{
	if (found->gic_distributor == 0) {
		return "no interrupt distributor";
	}
	if (found->gic_version == 4 ||
	    (found->gic_version == 0 && found->gic_redistributor != 0)) {
		found->gic_version = 3;
	} else if (found->gic_version == 0) {
		found->gic_version = 2;
	}
	switch (found->gic_version) {
	case 2:
		return found->gic_cpu_interface == 0 ? "no CPU interface"
						     : NULL;
	case 3:
		return found->gic_redistributor == 0 ? "no redistributor region"
						     : NULL;
	default:
		return "the interrupt controller is not a GICv2 or GICv3";
	}
}

const char *acpi_parse_madt(const uint8_t *table, size_t size,
			    struct machine *found)
{
	size_t at = MADT_ENTRIES;

	while (at < size) {
		size_t left = size - at;
		size_t length = left >= 2 ? table[at + 1] : 0;
		if (length < 2 || length > left) {
			return "an entry with a wrong length";
		}
		const char *wrong = parse_madt_entry(table + at, length, found);
		if (wrong != NULL) {
			return wrong;
		}
		at += length;
	}
	if (found->cpu_count == 0) {
		return "no enabled CPU";
	}
	return check_controller(found);
}

const char *acpi_parse_gtdt(const uint8_t *table, size_t size,
			    struct machine *found)
{
	if (size < GTDT_MIN_BYTES) {
		return "too short";
	}
	found->timer_irq = read32(table + GTDT_VIRTUAL_TIMER);
	if (found->timer_irq < FIRST_PPI || found->timer_irq > LAST_PPI) {
		return "the virtual timer's interrupt is not a PPI";
	}
	return NULL;
}

const char *acpi_parse_fadt(const uint8_t *table, size_t size,
			    struct machine *found)
{
	if (size < FADT_MIN_BYTES) {
		return "too short";
	}
	uint16_t flags = read16(table + FADT_ARM_BOOT_FLAGS);
	if ((flags & FADT_PSCI_COMPLIANT) == 0) {
		found->psci = PSCI_NONE;
	} else {
		found->psci =
			(flags & FADT_PSCI_USE_HVC) != 0 ? PSCI_HVC : PSCI_SMC;
	}
	return NULL;
}
