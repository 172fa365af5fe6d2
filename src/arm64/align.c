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

#define BITS(word, from, count) (((word) >> (from)) & ((1u << (count)) - 1))

/* One load or store, decoded (Arm ARM C4.1.94). */
struct access {
	uint32_t bytes; /* of one register */
	uint32_t first, second; /* registers; second: 32 when there is one */
	uint32_t base; /* to be written back, or 32 */
	uint64_t write_back;
	bool is_store, is_signed, is_word; /* is_word: extended to 32 bits */
};

#define NONE 32u

static uint64_t base_of(const struct cz_frame *frame, uint32_t number)
{
	return number == 31 ? frame->sp : frame->x[number];
}

static uint64_t signed_field(uint32_t value, uint32_t bits)
{
	return (uint64_t)((int64_t)((uint64_t)value << (64 - bits)) >>
			  (64 - bits));
}

/* size 31:30, 111 29:27, V 26, then unsigned offset (24 set), or 9 bits. */
static bool decode_single(const struct cz_frame *frame, uint32_t word,
			  struct access *access)
{
	uint32_t size = word >> 30;
	uint32_t operation = BITS(word, 22, 2);
	uint32_t base = BITS(word, 5, 5);
	bool is_register = BITS(word, 24, 1) == 0 && BITS(word, 21, 1) == 1;
	uint32_t index = BITS(word, 10, 2);

	if (is_register && index != 2) {
		return false; /* an atomic operation, or a signed pointer */
	}
	if (operation > 1 && (size == 3 || (size == 2 && operation == 3))) {
		return false; /* a prefetch, or unallocated */
	}
	*access = (struct access){
		.bytes = 1u << size,
		.first = BITS(word, 0, 5),
		.second = NONE,
		.base = NONE,
		.is_store = operation == 0,
		.is_signed = operation > 1,
		.is_word = operation == 3,
	};
	if (BITS(word, 24, 1) == 0 && !is_register && (index & 1) != 0) {
		access->base = base;
		access->write_back = base_of(frame, base) +
				     signed_field(BITS(word, 12, 9), 9);
	}
	return true;
}

/* opc 31:30, 101 29:27, V 26, 0 25, index 24:23, L 22. */
static bool decode_pair(const struct cz_frame *frame, uint32_t word,
			struct access *access)
{
	uint32_t width = word >> 30;
	uint32_t base = BITS(word, 5, 5);
	bool is_load = BITS(word, 22, 1) != 0;
	uint32_t index = BITS(word, 23, 2);

	if (width == 3 || (width == 1 && (!is_load || index == 0))) {
		return false;
	}
	*access = (struct access){
		.bytes = width == 2 ? 8 : 4,
		.first = BITS(word, 0, 5),
		.second = BITS(word, 10, 5),
		.base = NONE,
		.is_store = !is_load,
		.is_signed = width == 1,
	};
	if ((index & 1) != 0) {
		access->base = base;
		access->write_back =
			base_of(frame, base) +
			signed_field(BITS(word, 15, 7), 7) * access->bytes;
	}
	return true;
}

static bool decode(const struct cz_frame *frame, uint32_t word,
		   struct access *access)
{
	if (BITS(word, 26, 1) != 0) {
		return false; /* FP/SIMD */
	}
	if (BITS(word, 27, 3) == 7 && BITS(word, 25, 1) == 0) {
		return decode_single(frame, word, access);
	}
	if (BITS(word, 27, 3) == 5 && BITS(word, 25, 1) == 0) {
		return decode_pair(frame, word, access);
	}
	return false;
}

/* Where the access begins: the address that faulted may be its second half. */
static bool start_of(const struct cz_frame *frame, uint32_t word,
		     uint64_t *address)
{
	uint64_t base = base_of(frame, BITS(word, 5, 5));
	uint32_t index = BITS(word, 10, 2);
	uint32_t option = BITS(word, 13, 3);
	uint64_t offset;

	if (BITS(word, 27, 3) == 5) {
		uint32_t scale = word >> 30 == 2 ? 8 : 4;

		offset = signed_field(BITS(word, 15, 7), 7) * scale;
		*address = BITS(word, 23, 2) == 1 ? base : base + offset;
		return true;
	}
	if (BITS(word, 24, 1) != 0) {
		*address =
			base + ((uint64_t)BITS(word, 10, 12) << (word >> 30));
		return true;
	}
	if (BITS(word, 21, 1) == 0) {
		offset = signed_field(BITS(word, 12, 9), 9);
		*address = index == 1 ? base : base + offset;
		return true;
	}
	offset = frame_register(frame, BITS(word, 16, 5));
	if (option == 2) {
		offset = (uint32_t)offset;
	} else if (option == 6) {
		offset = signed_field((uint32_t)offset, 32);
	} else if (option != 3 && option != 7) {
		return false;
	}
	*address = base +
		   (BITS(word, 12, 1) != 0 ? offset << (word >> 30) : offset);
	return true;
}

/* Whether one device region that allows it holds all of it. */
static bool is_device(const struct cz *cz, uint64_t address, uint64_t bytes,
		      bool is_store)
{
	const struct cz_region *region = cz_find_region(cz, address);

	return region != NULL && region->type == CZ_MEMORY_DEVICE &&
	       bytes <= region->address + region->page_count * CZ_PAGE -
				address &&
	       (!is_store || (region->prot & CZ_PROT_WRITE) != 0);
}

static void store(uint64_t address, uint64_t value, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++) {
		cz_machine_user_write(address + i, (uint8_t)(value >> (8 * i)));
	}
}

static uint64_t load(uint64_t address, const struct access *access)
{
	uint64_t value = 0;

	for (uint32_t i = 0; i < access->bytes; i++) {
		value |= (uint64_t)cz_machine_user_read(address + i) << (8 * i);
	}
	if (access->is_signed) {
		uint32_t bits = 8 * access->bytes;

		value = (uint64_t)((int64_t)(value << (64 - bits)) >>
				   (64 - bits));
	}
	return access->is_word ? (uint32_t)value : value;
}

static void move(struct cz_frame *frame, const struct access *access,
		 uint32_t number, uint64_t address)
{
	if (access->is_store) {
		store(address, frame_register(frame, number), access->bytes);
	} else {
		set_frame_register(frame, number, load(address, access));
	}
}

bool cz_align_access(struct cz *cz, struct cz_frame *frame,
		     uint32_t instruction, uint64_t far)
{
	struct access access;
	uint64_t address;
	uint64_t bytes;

	if (!decode(frame, instruction, &access) ||
	    !start_of(frame, instruction, &address)) {
		return false;
	}
	bytes = access.second == NONE ? access.bytes : 2ull * access.bytes;
	if (far - address >= bytes ||
	    !is_device(cz, address, bytes, access.is_store)) {
		return false;
	}
	if (access.is_store) {
		/* Opened, if it is the first: not to fault on firmware's behalf. */
		(void)cz_note_device(cz, address);
	}
	move(frame, &access, access.first, address);
	if (access.second != NONE) {
		move(frame, &access, access.second, address + access.bytes);
	}
	if (access.base == 31) {
		frame->sp = access.write_back;
	} else if (access.base != NONE) {
		frame->x[access.base] = access.write_back;
	}
	return true;
}
