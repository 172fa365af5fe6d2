/* SPDX-License-Identifier: MIT */
/*
 * The part of UEFI 2.11 that runtime services need: types, status codes, and
 * layouts of tables, little-endian and LP64 as on arm64. All names have the
 * prefix cz_ or CZ_, so that an embedder can include EFI headers of its own.
 */
#ifndef CAESURA_UEFI_H
#define CAESURA_UEFI_H

#include <stddef.h>
#include <stdint.h>

/* EFI_GUID, appendix A. */
struct cz_efi_guid {
	uint32_t a;
	uint16_t b;
	uint16_t c;
	uint8_t d[8];
};

/* EFI_TIME, section 8.3. */
struct cz_efi_time {
	uint16_t year; /* 1900..9999 */
	uint8_t month; /* 1..12 */
	uint8_t day; /* 1..31 */
	uint8_t hour; /* 0..23 */
	uint8_t minute; /* 0..59 */
	uint8_t second; /* 0..59 */
	uint8_t pad1;
	uint32_t nanosecond; /* 0..999,999,999 */
	int16_t timezone; /* minutes, -1440..1440, or 2047: unspecified */
	uint8_t daylight;
	uint8_t pad2;
};

/* EFI_TIME_CAPABILITIES, section 8.3. */
struct cz_efi_time_caps {
	uint32_t resolution; /* hertz */
	uint32_t accuracy; /* in units of 1e-6 parts per million */
	uint8_t sets_to_zero;
	uint8_t pad[3];
};

/* EFI_CAPSULE_HEADER, section 8.5.3. */
struct cz_efi_capsule_header {
	struct cz_efi_guid guid;
	uint32_t header_size;
	uint32_t flags;
	uint32_t capsule_image_size;
};

#define CZ_EFI_CAPSULE_PERSIST_ACROSS_RESET 0x00010000u
#define CZ_EFI_CAPSULE_POPULATE_SYSTEM_TABLE 0x00020000u
#define CZ_EFI_CAPSULE_INITIATE_RESET 0x00040000u

/* EFI_RESET_TYPE, section 8.5.1. */
enum cz_efi_reset_type {
	CZ_EFI_RESET_COLD = 0,
	CZ_EFI_RESET_WARM = 1,
	CZ_EFI_RESET_SHUTDOWN = 2,
	CZ_EFI_RESET_PLATFORM_SPECIFIC = 3,
};

/* EFI_MEMORY_DESCRIPTOR, section 7.2.3. Descriptors in a memory map may be
 * further apart than sizeof. */
struct cz_efi_memory_descriptor {
	uint32_t type;
	uint32_t pad;
	uint64_t physical_start;
	uint64_t virtual_start;
	uint64_t number_of_pages;
	uint64_t attribute;
};

enum cz_efi_memory_type {
	CZ_EFI_RESERVED = 0,
	CZ_EFI_LOADER_CODE = 1,
	CZ_EFI_LOADER_DATA = 2,
	CZ_EFI_BOOT_SERVICES_CODE = 3,
	CZ_EFI_BOOT_SERVICES_DATA = 4,
	CZ_EFI_RUNTIME_SERVICES_CODE = 5,
	CZ_EFI_RUNTIME_SERVICES_DATA = 6,
	CZ_EFI_CONVENTIONAL = 7,
	CZ_EFI_UNUSABLE = 8,
	CZ_EFI_ACPI_RECLAIM = 9,
	CZ_EFI_ACPI_NVS = 10,
	CZ_EFI_MMIO = 11,
	CZ_EFI_MMIO_PORT = 12,
	CZ_EFI_PAL_CODE = 13,
	CZ_EFI_PERSISTENT = 14,
	CZ_EFI_UNACCEPTED = 15,
};

#define CZ_EFI_MEMORY_UC (1ull << 0)
#define CZ_EFI_MEMORY_WC (1ull << 1)
#define CZ_EFI_MEMORY_WT (1ull << 2)
#define CZ_EFI_MEMORY_WB (1ull << 3)
#define CZ_EFI_MEMORY_UCE (1ull << 4)
#define CZ_EFI_MEMORY_WP (1ull << 12)
#define CZ_EFI_MEMORY_RP (1ull << 13)
#define CZ_EFI_MEMORY_XP (1ull << 14)
#define CZ_EFI_MEMORY_RO (1ull << 17)
#define CZ_EFI_MEMORY_RUNTIME (1ull << 63)

#define CZ_EFI_PAGE_SIZE 4096u

/* EFI_TABLE_HEADER, section 4.2. */
struct cz_efi_table_header {
	uint64_t signature;
	uint32_t revision;
	uint32_t header_size;
	uint32_t crc32;
	uint32_t reserved;
};

/* EFI_SYSTEM_TABLE, section 4.3; it contains firmware's addresses. */
struct cz_efi_system_table {
	struct cz_efi_table_header header;
	uint64_t firmware_vendor;
	uint32_t firmware_revision;
	uint32_t pad;
	uint64_t console_in_handle;
	uint64_t con_in;
	uint64_t console_out_handle;
	uint64_t con_out;
	uint64_t standard_error_handle;
	uint64_t std_err;
	uint64_t runtime_services;
	uint64_t boot_services;
	uint64_t number_of_table_entries;
	uint64_t configuration_table;
};

#define CZ_EFI_SYSTEM_TABLE_SIGNATURE 0x5453595320494249ull
#define CZ_EFI_RUNTIME_SERVICES_SIGNATURE 0x56524553544e5552ull

/* EFI_RUNTIME_SERVICES, section 4.5; it contains firmware's addresses. */
struct cz_efi_runtime_services {
	struct cz_efi_table_header header;
	uint64_t get_time;
	uint64_t set_time;
	uint64_t get_wakeup_time;
	uint64_t set_wakeup_time;
	uint64_t set_virtual_address_map;
	uint64_t convert_pointer;
	uint64_t get_variable;
	uint64_t get_next_variable_name;
	uint64_t set_variable;
	uint64_t get_next_high_monotonic_count;
	uint64_t reset_system;
	uint64_t update_capsule;
	uint64_t query_capsule_capabilities;
	uint64_t query_variable_info;
};

/* EFI_CONFIGURATION_TABLE, section 4.6. */
struct cz_efi_configuration_table {
	struct cz_efi_guid guid;
	uint64_t table;
};

/* EFI_RT_PROPERTIES_TABLE, section 4.6.2. */
struct cz_efi_rt_properties {
	uint16_t version;
	uint16_t length;
	uint32_t supported;
};

/* EFI_MEMORY_ATTRIBUTES_TABLE, section 4.6.4; descriptors follow. */
struct cz_efi_memory_attributes {
	uint32_t version;
	uint32_t number_of_entries;
	uint32_t descriptor_size;
	uint32_t flags;
};

#define CZ_EFI_RT_PROPERTIES_GUID                                      \
	{                                                              \
		0xeb66918a, 0x7eef, 0x402a,                            \
		{                                                      \
			0x84, 0x2e, 0x93, 0x1d, 0x21, 0xc3, 0x8a, 0xe9 \
		}                                                      \
	}
#define CZ_EFI_MEMORY_ATTRIBUTES_GUID                                  \
	{                                                              \
		0xdcfa911d, 0x26eb, 0x469f,                            \
		{                                                      \
			0xa2, 0x20, 0x38, 0xb7, 0xdc, 0x46, 0x12, 0x20 \
		}                                                      \
	}

/* Variable attributes, section 8.2. */
#define CZ_EFI_VARIABLE_NON_VOLATILE 0x01u
#define CZ_EFI_VARIABLE_BOOTSERVICE_ACCESS 0x02u
#define CZ_EFI_VARIABLE_RUNTIME_ACCESS 0x04u
#define CZ_EFI_VARIABLE_HARDWARE_ERROR_RECORD 0x08u
#define CZ_EFI_VARIABLE_TIME_BASED_AUTHENTICATED 0x20u
#define CZ_EFI_VARIABLE_APPEND_WRITE 0x40u
#define CZ_EFI_VARIABLE_ENHANCED_AUTHENTICATED 0x80u

/* EFI_STATUS, appendix D. */
#define CZ_EFI_ERROR(n) (0x8000000000000000ull | (n))
#define CZ_EFI_SUCCESS 0ull
#define CZ_EFI_INVALID_PARAMETER CZ_EFI_ERROR(2)
#define CZ_EFI_UNSUPPORTED CZ_EFI_ERROR(3)
#define CZ_EFI_BAD_BUFFER_SIZE CZ_EFI_ERROR(4)
#define CZ_EFI_BUFFER_TOO_SMALL CZ_EFI_ERROR(5)
#define CZ_EFI_NOT_READY CZ_EFI_ERROR(6)
#define CZ_EFI_DEVICE_ERROR CZ_EFI_ERROR(7)
#define CZ_EFI_WRITE_PROTECTED CZ_EFI_ERROR(8)
#define CZ_EFI_OUT_OF_RESOURCES CZ_EFI_ERROR(9)
#define CZ_EFI_NOT_FOUND CZ_EFI_ERROR(14)
#define CZ_EFI_ACCESS_DENIED CZ_EFI_ERROR(15)
#define CZ_EFI_TIMEOUT CZ_EFI_ERROR(18)
#define CZ_EFI_ABORTED CZ_EFI_ERROR(21)
#define CZ_EFI_SECURITY_VIOLATION CZ_EFI_ERROR(26)

#endif
