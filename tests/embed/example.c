/* SPDX-License-Identifier: MIT */
/*
 * The smallest use of the library: an operating system that sets BootNext. The
 * tests compile it with include/ as its only include directory, and link it
 * with the template port.
 */
#include <caesura/caesura.h>

/* What the boot loader passed on, in the operating system's own form. */
struct boot_data {
	const void *memory_map;
	size_t memory_map_size_bytes;
	size_t descriptor_size_bytes;
	uint32_t descriptor_version;
	uint64_t system_table;
};

static struct cz firmware;

bool example_start(struct cz_host *host, const struct boot_data *boot);
bool example_boot_next(struct cz_host *host, uint16_t entry);
bool example_submit(cz_request_id *id, struct cz_call *call,
		    struct cz_efi_time *time);

bool example_start(struct cz_host *host, const struct boot_data *boot)
{
	const struct cz_config config = {
		.host = host,
		.gate = CZ_GATE_DIRECT,
		.map_mode = CZ_MAP_IDENTITY,
		.memory_map = boot->memory_map,
		.memory_map_size_bytes = boot->memory_map_size_bytes,
		.descriptor_size_bytes = boot->descriptor_size_bytes,
		.descriptor_version = boot->descriptor_version,
		.system_table = boot->system_table,
	};

	return cz_host_selftest(host, CZ_GATE_DIRECT) == CZ_OK &&
	       cz_host_selftest_now(host, CZ_GATE_DIRECT) == CZ_OK &&
	       cz_init(&firmware, &config) == CZ_OK;
}

/* Waits for firmware for one second at most. */
bool example_boot_next(struct cz_host *host, uint16_t entry)
{
	static const struct cz_efi_guid global = {
		0x8be4df61,
		0x93ca,
		0x11d2,
		{0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c},
	};
	static const uint16_t name[] = {'B', 'o', 'o', 't', 'N',
					'e', 'x', 't', 0};
	uint64_t deadline_ns = cz_host_now_ns(host) + 1000000000;

	return cz_set_variable(&firmware, name, &global,
			       CZ_EFI_VARIABLE_NON_VOLATILE |
				       CZ_EFI_VARIABLE_BOOTSERVICE_ACCESS |
				       CZ_EFI_VARIABLE_RUNTIME_ACCESS,
			       &entry, sizeof(entry), deadline_ns) == CZ_OK;
}

/* Submits a call without waiting. cz_wait() with the same call waits for the
 * result. */
bool example_submit(cz_request_id *id, struct cz_call *call,
		    struct cz_efi_time *time)
{
	return cz_prepare_get_time(call, time, NULL) == CZ_OK &&
	       cz_submit(&firmware, call, id) == CZ_OK;
}
