/* SPDX-License-Identifier: MIT */
/*
 * Calls runtime services as ordinary kernels do: on the calling thread, with no
 * queue, no copies and no gate. Caesura is measured against this.
 */
#include "lib/raw.h"

#include <kernel/mm.h>
#include <kernel/options.h>
#include <kernel/port.h>
#include <kernel/thread.h>

typedef cz_status (*function)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

/* Opens all devices for writing. Without the library, nothing else would open a
 * device at its first write. */
static void open_devices(void)
{
	for (uint32_t i = 0; i < firmware->region_count; i++) {
		const struct cz_region *region = &firmware->regions[i];
		const struct cz_mapping mapping = {
			.address = region->address,
			.cookie = region->physical,
			.page_count = region->page_count,
			.backing = CZ_BACKING_FIRMWARE,
			.type = region->type,
			.prot = region->prot,
		};

		if (region->type == CZ_MEMORY_DEVICE) {
			(void)cz_host_space_map(firmware->host, firmware->space,
						&mapping);
		}
	}
}

void raw_begin(void)
{
	static bool open;

	if (!open) {
		open_devices();
		open = true;
	}
	preempt_disable();
	fp_begin();
	space_adopt(port_firmware_space());
}

void raw_end(void)
{
	space_adopt(NULL);
	fp_end();
	preempt_enable();
}

static function lookup(enum cz_service service)
{
	return (function)(uintptr_t)firmware->function[service];
}

static uint64_t word(const void *pointer)
{
	return (uint64_t)(uintptr_t)pointer;
}

cz_status raw_get_time(struct cz_efi_time *time)
{
	return lookup(CZ_GET_TIME)(word(time), 0, 0, 0, 0);
}

cz_status raw_get_variable(const uint16_t *name, const struct cz_efi_guid *guid,
			   uint32_t *attributes, void *data, size_t *size_bytes)
{
	return lookup(CZ_GET_VARIABLE)(word(name), word(guid), word(attributes),
				       word(size_bytes), word(data));
}

cz_status raw_set_variable(const uint16_t *name, const struct cz_efi_guid *guid,
			   uint32_t attributes, const void *data,
			   size_t size_bytes)
{
	return lookup(CZ_SET_VARIABLE)(word(name), word(guid), attributes,
				       size_bytes, word(data));
}

cz_status raw_null_service(void)
{
	return lookup(CZ_NULL_SERVICE)(0, 0, 0, 0, 0);
}

uint64_t interrupts_mask(void)
{
	uint64_t daif;

	__asm__ volatile("mrs %0, daif\n\tmsr daifset, #2"
			 : "=r"(daif)
			 :
			 : "memory");
	return daif;
}

void interrupts_restore(uint64_t daif)
{
	__asm__ volatile("msr daif, %0" : : "r"(daif) : "memory");
}
