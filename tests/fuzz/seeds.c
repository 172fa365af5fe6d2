/* SPDX-License-Identifier: MIT */
/*
 * Writes a fuzzer's seeds to a directory: small, valid inputs from which the
 * fuzzer derives others.
 */
#include "seeds.h"
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RAM_ATTRIBUTES (CZ_EFI_MEMORY_WB | CZ_EFI_MEMORY_RUNTIME)

void write_seed(const char *directory, const char *name, const void *bytes,
		size_t size)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "wb");
	if (file == NULL || fwrite(bytes, 1, size, file) != size ||
	    fclose(file) != 0) {
		perror(path);
		exit(2);
	}
}

/* Three entries: free RAM, firmware's runtime code, a device. */
static void memory_maps(const char *directory)
{
	static const struct cz_efi_memory_descriptor entries[] = {
		{CZ_EFI_CONVENTIONAL, 0, 0x80000000, 0, 0x1000,
		 CZ_EFI_MEMORY_WB},
		{CZ_EFI_RUNTIME_SERVICES_CODE, 0, FUZZ_RAM, 0x20000000, 16,
		 RAM_ATTRIBUTES},
		{CZ_EFI_MMIO, 0, 0x9010000, 0x21000000, 1,
		 CZ_EFI_MEMORY_UC | CZ_EFI_MEMORY_RUNTIME},
	};
	uint8_t seed[2 + 3 * 48] = {0};

	for (uint8_t stride = 40; stride <= 48; stride += 8) {
		for (uint8_t mode = 0; mode < 3; mode++) {
			char name[16];

			seed[0] = stride;
			seed[1] = mode;
			for (size_t i = 0; i < 3; i++) {
				memcpy(seed + 2 + i * stride, &entries[i],
				       sizeof(entries[i]));
			}
			snprintf(name, sizeof(name), "%u-%u", stride, mode);
			write_seed(directory, name, seed, 2u + 3u * stride);
		}
	}
}

/* A regular table of version 1, one of version 2 with an entry that has neither
 * RO nor XP, and the latter with an address near the end of RAM. */
static void attribute_tables(const char *directory)
{
	struct {
		struct cz_efi_memory_attributes header;
		struct cz_efi_memory_descriptor entries[3];
	} table = {
		{1, 3, 40, 0},
		{{CZ_EFI_RUNTIME_SERVICES_CODE, 0, FUZZ_RAM, 0, 4,
		  CZ_EFI_MEMORY_RO | CZ_EFI_MEMORY_RUNTIME},
		 {CZ_EFI_RUNTIME_SERVICES_DATA, 0, FUZZ_RAM + 0x4000, 0, 4,
		  CZ_EFI_MEMORY_XP | CZ_EFI_MEMORY_RUNTIME},
		 {CZ_EFI_RUNTIME_SERVICES_CODE, 0, FUZZ_RAM + 0x8000, 0, 1,
		  CZ_EFI_MEMORY_RO | CZ_EFI_MEMORY_XP | CZ_EFI_MEMORY_RUNTIME}},
	};
	uint8_t seed[1 + sizeof(table)] = {0};

	memcpy(seed + 1, &table, sizeof(table));
	write_seed(directory, "v1", seed, sizeof(seed));
	table.header.version = 2;
	table.entries[0].attribute = CZ_EFI_MEMORY_RUNTIME;
	seed[0] = 1;
	memcpy(seed + 1, &table, sizeof(table));
	write_seed(directory, "v2", seed, sizeof(seed));
	seed[0] = 255;
	write_seed(directory, "end", seed, sizeof(seed));
}

static void put32(uint8_t *to, uint32_t value)
{
	memcpy(to, &value, sizeof(value));
}

/* PE32+ with a debug record, and a second image on the next page. */
static void images(const char *directory)
{
	static uint8_t seed[0x1400];
	static const char path[] = "/b/RuntimeDxe.dll";
	uint8_t *optional = seed + 0x80 + 24;

	memcpy(seed, "MZ", 2);
	put32(seed + 60, 0x80);
	memcpy(seed + 0x80, "PE\0", 4);
	put32(seed + 0x80 + 20, 240);
	put32(optional, 0x20b);
	put32(optional + 56, 0x1000);
	put32(optional + 108, 16);
	put32(optional + 112 + 48, 0x200);
	put32(optional + 112 + 52, 28);
	put32(seed + 0x200 + 12, 2);
	put32(seed + 0x200 + 16, 24 + sizeof(path));
	put32(seed + 0x200 + 20, 0x240);
	memcpy(seed + 0x240, "RSDS", 4);
	memcpy(seed + 0x240 + 24, path, sizeof(path));
	write_seed(directory, "one", seed, 0x1000);
	memcpy(seed + 0x1000, seed, 0x400);
	write_seed(directory, "two", seed, sizeof(seed));
}

static void system_tables(const char *directory)
{
	struct {
		struct cz_efi_system_table system;
		struct cz_efi_configuration_table tables[2];
		struct cz_efi_rt_properties properties;
		struct cz_efi_runtime_services runtime;
		struct cz_efi_memory_attributes header;
		struct cz_efi_memory_descriptor entry;
	} ram = {
		.system = {.header = {CZ_EFI_SYSTEM_TABLE_SIGNATURE, 2 << 16,
				      sizeof(ram.system), 0, 0},
			   .number_of_table_entries = 2},
		.tables = {{CZ_EFI_RT_PROPERTIES_GUID, 0},
			   {CZ_EFI_MEMORY_ATTRIBUTES_GUID, 0}},
		.properties = {1, 8, 0x3fff},
		.runtime = {.header = {CZ_EFI_RUNTIME_SERVICES_SIGNATURE,
				       2 << 16, sizeof(ram.runtime), 0, 0}},
		.header = {2, 1, 40, 0},
		.entry = {CZ_EFI_RUNTIME_SERVICES_CODE, 0, FUZZ_RAM, 0, 4,
			  CZ_EFI_MEMORY_RO | CZ_EFI_MEMORY_RUNTIME},
	};
	uint64_t *functions = &ram.runtime.get_time;
	uint8_t seed[1 + sizeof(ram)] = {0};

	ram.system.runtime_services =
		FUZZ_RAM + (uint64_t)((char *)&ram.runtime - (char *)&ram);
	ram.system.configuration_table =
		FUZZ_RAM + (uint64_t)((char *)&ram.tables - (char *)&ram);
	ram.tables[0].table =
		FUZZ_RAM + (uint64_t)((char *)&ram.properties - (char *)&ram);
	ram.tables[1].table =
		FUZZ_RAM + (uint64_t)((char *)&ram.header - (char *)&ram);
	for (uint64_t i = 0; i < 14; i++) {
		functions[i] = FUZZ_RAM + 0x1000 + i * 64;
	}
	memcpy(seed + 1, &ram, sizeof(ram));
	write_seed(directory, "all", seed, sizeof(seed));
	ram.system.number_of_table_entries = 1;
	memcpy(seed + 1, &ram, sizeof(ram));
	write_seed(directory, "no-attributes", seed, sizeof(seed));
}

/* One seed for each kind of instruction, as struct input of trap.c:
 * instruction, class, fault status, service, flags, then 33 words. A word with
 * its lowest bit set becomes an address of firmware's memory. */
static void traps(const char *directory)
{
	static const struct {
		uint32_t instruction;
		uint8_t class, fault_status;
	} kinds[] = {
		{0xd53b4223, 0x18, 0}, /* mrs x3, daif */
		{0xd50342df, 0x18, 0}, /* msr daifset, #2 */
		{0xd5380403, 0x00, 0}, /* mrs x3, id_aa64pfr0_el1 */
		{0xd5087620, 0x00, 0}, /* dc ivac, x0 */
		{0xd4000002, 0x00, 0}, /* hvc #0 */
		{0xf8408c22, 0x24, 0x21}, /* ldr x2, [x1, #8]! */
		{0xa9000c22, 0x24, 0x21}, /* stp x2, x3, [x1] */
		{0xd503207f, 0x01, 0}, /* wfi */
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		uint64_t seed[34] = {kinds[i].instruction |
				     (uint64_t)kinds[i].class << 32 |
				     (uint64_t)kinds[i].fault_status << 40};
		char name[4] = {'t', (char)('0' + i), 0};

		for (size_t word = 1; word < 34; word++) {
			seed[word] = 1 | 3 << 1 | 9 << 3;
		}
		seed[2] = 0xc4000041ull << 1; /* x0 */
		write_seed(directory, name, seed, sizeof(seed));
	}
}

/* Sequences of struct operation of flash.c, eight bytes each. A command is
 * given by its index. */
static void flashes(const char *directory)
{
	static const uint8_t word[][8] = {
		{0, 4, 0, 7},
		{0, 4, 0, 16, 1, 2, 3, 4},
		{0, 0, 0, 0},
		{250},
	};
	static const uint8_t erase[][8] = {
		{0, 4, 0, 5},  {0, 4, 0, 6},	 {3, 4, 0, 0},
		{0, 0, 0, 2},  {0, 4, 0, 9},	 {3, 4, 0, 0},
		{0, 4, 0, 13}, {0, 4, 0, 16, 9}, {0, 4, 1, 16, 8},
		{0, 0, 0, 6},  {0, 0, 0, 0},	 {251, 0, 0, 0, 5},
	};
	static const uint8_t lock[][8] = {
		{0, 4, 2, 4}, {3, 4, 2, 0}, {0, 4, 0, 10}, {0, 4, 0, 6},
		{0, 4, 0, 0}, {0, 4, 0, 3}, {8, 4, 16, 0}, {255},
	};

	/* At the second access, the page is already accessible. */
	static const uint8_t open[][8] = {
		{0, 4, 0, 9},	  {0, 4, 0, 13},    {0, 4, 0, 16, 9},
		{0, 4, 1, 16, 8}, {0, 0, 0, 6},	    {0, 0, 0, 1},
		{3, 0, 0, 0},	  {0, 0, 0, 0},	    {0, 4, 2, 9},
		{0, 4, 2, 13},	  {0, 4, 2, 16, 9}, {0, 4, 3, 16, 8},
		{0, 0, 0, 6},	  {0, 0, 0, 0},	    {252, 0, 0, 0, 9},
	};

	write_seed(directory, "open", open, sizeof(open));
	write_seed(directory, "word", word, sizeof(word));
	write_seed(directory, "erase", erase, sizeof(erase));
	write_seed(directory, "lock", lock, sizeof(lock));
}

/* Sequences of struct input_store of state.c: the offset, and eight bytes. */
static void states(const char *directory)
{
	/* The journal's control is at 4096, its pages at 196608. Bit 24 has the
	 * header's checksum corrected, bit 25 the journal's. */
	static const uint32_t sound[3] = {0};
	static const uint32_t fewer[] = {0x2000000 + 4100, 1, 3};
	static const uint32_t page[] = {0x2000000 + 196608, 0x11001, 0};
	static const uint32_t change[] = {0x2000000 + 196608 + 2 * 4104 + 4,
					  0x10000, 0x10000};
	static const uint32_t body[] = {0x2000000 + 4112, 8216, 0};
	static const uint32_t regions[] = {0x1000000 + 12, 3, 0};
	static const uint32_t boot[] = {0x1000000 + 16, 1, 0};

	write_seed(directory, "sound", sound, 1);
	write_seed(directory, "fewer", fewer, sizeof(fewer));
	write_seed(directory, "page", page, sizeof(page));
	write_seed(directory, "change", change, sizeof(change));
	write_seed(directory, "body", body, sizeof(body));
	write_seed(directory, "regions", regions, sizeof(regions));
	write_seed(directory, "boot", boot, sizeof(boot));
}

static void stores(const char *directory)
{
	/* Sequences of struct input_store of store_check.c. The first word is
	 * twice the offset in the chip, or twice the offset in RAM plus 1. */
	static const uint32_t larger[] = {2 * 88, 0x10000000, 0};
	static const uint32_t header[] = {2 * 48, 0xfff0, 0};
	static const uint32_t copy[] = {1 + 2 * 200, 1, 2};
	static const uint32_t small[] = {2 * 88, 64, 0, 1 + 2 * 112, 64, 0};

	write_seed(directory, "larger", larger, sizeof(larger));
	write_seed(directory, "header", header, sizeof(header));
	write_seed(directory, "copy", copy, sizeof(copy));
	write_seed(directory, "small", small, sizeof(small));
}

/* Names of files and of a variable. One is followed by a load option. */
static void efivars_names(const char *directory)
{
	static const char guid[] = "-8be4df61-93ca-11d2-aa0d-00e098032b8c";
	static const char option[] =
		"\1\0\0\0\x0a\0d\0\0\0\4\1\6\0\0\0\x7f\xff\4\0";
	static const char units[] = "\1B\0o\0o\0t\0/\0\x3d\xd8";
	char seed[128];
	int length = snprintf(seed, sizeof(seed), "0Boot0001%s", guid) + 1;

	write_seed(directory, "ascii", seed, (size_t)length);
	memcpy(seed + length, option, sizeof(option) - 1);
	write_seed(directory, "option", seed,
		   (size_t)length + sizeof(option) - 1);
	length = snprintf(seed, sizeof(seed), "0\xe2\x82\xac\xc3\xa9%s", guid);
	write_seed(directory, "utf8", seed, (size_t)length);
	write_seed(directory, "units", units, sizeof(units) - 1);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *target;
		void (*write)(const char *directory);
	} seeds[] = {
		{"memory_map", memory_maps},
		{"attributes", attribute_tables},
		{"images", images},
		{"tables", system_tables},
		{"acpi", acpi_seeds},
		{"tree", tree_seeds},
		{"trap", traps},
		{"flash", flashes},
		{"state", states},
		{"store_check", stores},
		{"efivars_name", efivars_names},
	};

	for (size_t i = 0; argc == 3 && i < sizeof(seeds) / sizeof(*seeds);
	     i++) {
		if (strcmp(argv[1], seeds[i].target) == 0) {
			seeds[i].write(argv[2]);
			return 0;
		}
	}
	fprintf(stderr, "usage: seeds TARGET DIRECTORY\n");
	return 2;
}
