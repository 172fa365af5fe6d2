/* SPDX-License-Identifier: MIT */
/* The decoder of loads and stores: see access.h. */
#include "access.h"

#define BITS(word, from, count) (((word) >> (from)) & ((1u << (count)) - 1))

#define NONE CZ_ACCESS_NONE

static uint64_t base_of(const struct cz_frame *frame, uint32_t number)
{
	return number == 31 ? frame->sp : frame->x[number];
}

static uint64_t signed_field(uint32_t value, uint32_t bits)
{
	return (uint64_t)((int64_t)((uint64_t)value << (64 - bits)) >>
			  (64 - bits));
}

/* Encoding: size in 31:30, 111 in 29:27, V in 26; then an unsigned 12-bit
 * offset if bit 24 is set, else a 9-bit offset or a register. */
static bool decode_single(const struct cz_frame *frame, uint32_t word,
			  struct cz_access *access)
{
	uint32_t size = word >> 30;
	uint32_t operation = BITS(word, 22, 2);
	uint32_t base = BITS(word, 5, 5);
	bool is_register = BITS(word, 24, 1) == 0 && BITS(word, 21, 1) == 1;
	uint32_t index = BITS(word, 10, 2);

	if (is_register && index != 2) {
		return false; /* atomic, or with an authenticated pointer */
	}
	if (operation > 1 && (size == 3 || (size == 2 && operation == 3))) {
		return false; /* a prefetch, or unallocated */
	}
	*access = (struct cz_access){
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

/* Encoding: opc in 31:30, 101 in 29:27, V in 26, 0 in 25, index in 24:23, L in
 * 22. */
static bool decode_pair(const struct cz_frame *frame, uint32_t word,
			struct cz_access *access)
{
	uint32_t width = word >> 30;
	uint32_t base = BITS(word, 5, 5);
	bool is_load = BITS(word, 22, 1) != 0;
	uint32_t index = BITS(word, 23, 2);

	if (width == 3 || (width == 1 && (!is_load || index == 0))) {
		return false;
	}
	*access = (struct cz_access){
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
		   struct cz_access *access)
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

/* Computes the address at which the access begins. The address that faulted may
 * be in its second half. */
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
	offset = cz_frame_register(frame, BITS(word, 16, 5));
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

bool cz_access_decode(const struct cz_frame *frame, uint32_t instruction,
		      struct cz_access *access)
{
	return decode(frame, instruction, access) &&
	       start_of(frame, instruction, &access->address);
}

uint32_t cz_access_bytes(const struct cz_access *access)
{
	return access->second == NONE ? access->bytes : 2 * access->bytes;
}

uint64_t cz_access_extend(const struct cz_access *access, uint64_t value)
{
	uint32_t spare = 64 - 8 * access->bytes;

	value = access->is_signed
			? (uint64_t)((int64_t)(value << spare) >> spare)
			: value << spare >> spare;
	return access->is_word ? (uint32_t)value : value;
}

void cz_access_write_back(const struct cz_access *access,
			  struct cz_frame *frame)
{
	if (access->base == 31) {
		frame->sp = access->write_back;
	} else if (access->base != NONE) {
		frame->x[access->base] = access->write_back;
	}
}
