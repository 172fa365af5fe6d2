/* SPDX-License-Identifier: MIT */
/*
 * Unaligned accesses to devices: EL1 firmware may have got away with them where
 * it mapped a device as normal memory, and Device memory faults. Done byte by
 * byte, with the rights of EL0, within one device region. General registers
 * only; an access by FP/SIMD registers ends the call.
 */
#include "../core.h"
#include "../gate.h"
#include "trap.h"

/* Whether one device region that allows it holds all of it. */
static bool is_device(const struct cz *cz, uint64_t address, uint64_t bytes,
		      bool is_store)
{
	const struct cz_region *region = cz_find_region(cz, address);

	return region != NULL && region->type == CZ_MEMORY_DEVICE &&
	       bytes <= region->physical + region->page_count * CZ_PAGE -
				cz_physical_of(region, address) &&
	       (!is_store || (region->prot & CZ_PROT_WRITE) != 0);
}

static void store(uint64_t address, uint64_t value, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++) {
		cz_machine_user_write(address + i, (uint8_t)(value >> (8 * i)));
	}
}

static uint64_t load(uint64_t address, const struct cz_access *access)
{
	uint64_t value = 0;

	for (uint32_t i = 0; i < access->bytes; i++) {
		value |= (uint64_t)cz_machine_user_read(address + i) << (8 * i);
	}
	return cz_access_extend(access, value);
}

static void move(struct cz_frame *frame, const struct cz_access *access,
		 uint32_t number, uint64_t address)
{
	if (access->is_store) {
		store(address, cz_frame_register(frame, number), access->bytes);
	} else {
		cz_set_frame_register(frame, number, load(address, access));
	}
}

bool cz_align_access(struct cz *cz, struct cz_frame *frame,
		     uint32_t instruction, uint64_t far)
{
	struct cz_access access;
	uint64_t bytes;

	if (!cz_access_decode(frame, instruction, &access)) {
		return false;
	}
	/* The address that faulted may be its second half. */
	bytes = cz_access_bytes(&access);
	if (far - access.address >= bytes ||
	    !is_device(cz, access.address, bytes, access.is_store)) {
		return false;
	}
	if (access.is_store) {
		/* Opened, if it is the first: not to fault on firmware's behalf. */
		(void)cz_note_device(cz, access.address);
	}
	move(frame, &access, access.first, access.address);
	if (access.second != CZ_ACCESS_NONE) {
		move(frame, &access, access.second,
		     access.address + access.bytes);
	}
	cz_access_write_back(&access, frame);
	return true;
}
