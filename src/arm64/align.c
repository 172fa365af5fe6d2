/* SPDX-License-Identifier: MIT */
/*
 * Unaligned accesses to devices. They work for firmware that maps a device as
 * normal memory at EL1, but fault in Device memory. The library makes them byte
 * by byte, with the rights of EL0, within one device region. It supports
 * general registers only; such an access by FP/SIMD registers ends the call.
 */
#include "../core.h"
#include "../gate.h"
#include "trap.h"

/* Returns whether one device region contains the whole access and allows it. */
static bool is_device(const struct cz *cz, uint64_t address, uint64_t bytes,
		      bool is_store)
{
	const struct cz_region *region = cz_find_region(cz, address);

	return region != NULL && region->type == CZ_MEMORY_DEVICE &&
	       bytes <= region->physical + region->page_count * CZ_PAGE -
				cz_physical_of(region, address) &&
	       (!is_store || (region->prot & CZ_PROT_WRITE) != 0);
}

/* Loads or stores one register's bytes. Returns false when one access
 * faults. */
static bool move(struct virtual_machine *virtual, uint64_t address,
		 const struct cz_access *access, uint64_t *value)
{
	uint64_t loaded = 0;

	for (uint32_t i = 0; i < access->bytes; i++) {
		uint8_t byte = (uint8_t)(*value >> (8 * i));
		uint64_t esr =
			access->is_store
				? cz_machine_user_write(address + i, byte)
				: cz_machine_user_read(address + i, &byte);

		if (esr != 0) {
			virtual->abort_esr = esr;
			virtual->abort_far = address + i;
			return false;
		}
		loaded |= (uint64_t)byte << (8 * i);
	}
	*value = loaded;
	return true;
}

/* Loads or stores all registers. If an access faults, no register changes. */
static bool move_all(struct cz *cz, struct cz_frame *frame,
		     const struct cz_access *access)
{
	struct virtual_machine *virtual = &gate_of(cz)->virtual;
	const uint32_t number[2] = {access->first, access->second};
	uint32_t count = access->second == CZ_ACCESS_NONE ? 1 : 2;
	uint64_t value[2];

	for (uint32_t i = 0; i < count; i++) {
		value[i] = cz_frame_register(frame, number[i]);
		if (!move(virtual, access->address + i * access->bytes, access,
			  &value[i])) {
			return false;
		}
	}
	for (uint32_t i = 0; i < count && !access->is_store; i++) {
		cz_set_frame_register(frame, number[i],
				      cz_access_extend(access, value[i]));
	}
	return true;
}

bool cz_align_access(struct cz *cz, struct cz_frame *frame,
		     uint32_t instruction, uint64_t far)
{
	struct cz_access access;
	uint64_t bytes;

	if (!cz_access_decode(frame, instruction, &access)) {
		return false;
	}
	/* The address that faulted may be in the second half of the access. */
	bytes = cz_access_bytes(&access);
	if (far - access.address >= bytes ||
	    !is_device(cz, access.address, bytes, access.is_store)) {
		return false;
	}
	if (access.is_store) {
		/* If this is the first write, make the device writable now: the
		 * library's own access must not fault for that reason. */
		(void)cz_note_device_write(cz, access.address);
	}
	if (!move_all(cz, frame, &access)) {
		return false;
	}
	cz_access_write_back(&access, frame);
	return true;
}
