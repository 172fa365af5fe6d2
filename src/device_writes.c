/* SPDX-License-Identifier: MIT */
/*
 * Notes what a call accesses besides firmware's RAM. If such a call is ended,
 * its accesses cannot be undone. Devices are mapped read-only; the first write
 * of a call to a device faults, is noted, and makes the region writable until
 * the call has returned.
 */
#include "call.h"
#include "gate.h"

static struct cz_mapping mapping_of(const struct cz_region *region,
				    uint32_t prot)
{
	return (struct cz_mapping){
		.address = region->address,
		.cookie = region->physical,
		.page_count = region->page_count,
		.backing = CZ_BACKING_FIRMWARE,
		.type = region->type,
		.prot = prot,
	};
}

CZ_COLD bool cz_note_device_write(struct cz *cz, uint64_t address)
{
	const struct cz_region *region = cz_find_region(cz, address);
	struct cz_mapping mapping;
	uint32_t number;
	uint64_t bit;

	/* While SetVirtualAddressMap runs, everything is writable. */
	if (region == NULL || !cz_is_watched_device(region) ||
	    cz->is_relocating) {
		return false;
	}
	number = (uint32_t)(region - cz->regions);
	bit = 1ull << number % 64;
	if ((cz->open_devices[number / 64] & bit) != 0) {
		return false; /* writable already: another fault */
	}
	cz->open_devices[number / 64] |= bit;
	cz->touched |= CZ_TOUCHED_DEVICE;
	mapping = mapping_of(region, region->prot);
	/* Mapped before, in cz_init(): cannot fail. */
	(void)cz_host_space_map(cz->host, cz->space, &mapping);
	return true;
}

CZ_COLD void cz_note_secure_call(struct cz *cz)
{
	cz->touched |= CZ_TOUCHED_SECURE;
}

CZ_COLD void cz_protect_devices(struct cz *cz)
{
	for (uint32_t i = 0; i < CZ_MAX_REGIONS / 64; i++) {
		uint64_t left = cz->open_devices[i];

		for (; left != 0; left &= left - 1) {
			const struct cz_region *region =
				&cz->regions[i * 64 +
					     (uint32_t)__builtin_ctzll(left)];
			struct cz_mapping mapping = mapping_of(
				region, region->prot & ~CZ_PROT_WRITE);

			(void)cz_host_space_map(cz->host, cz->space, &mapping);
		}
		cz->open_devices[i] = 0;
	}
}
