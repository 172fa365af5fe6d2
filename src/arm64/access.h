/* SPDX-License-Identifier: MIT */
/*
 * A decoder of loads and stores of general registers. It tells what an
 * instruction would access, for code that makes the access in firmware's place;
 * it makes no access itself. It does not depend on the rest of the library.
 */
#ifndef CAESURA_ARM64_ACCESS_H
#define CAESURA_ARM64_ACCESS_H

#include <caesura/arm64.h>
#include <stdbool.h>
#include <stdint.h>

#define CZ_ACCESS_NONE 32u

/* One load or store (Arm ARM C4.1.94). */
struct cz_access {
	uint64_t address; /* of its first byte */
	uint32_t bytes; /* of one register: 1, 2, 4 or 8 */
	uint32_t first, second; /* registers; second may be CZ_ACCESS_NONE */
	uint32_t base; /* register that is written back, 31: sp; or NONE */
	uint64_t write_back; /* its new value */
	bool is_store, is_signed;
	bool is_word; /* a signed load extends to 32 bits, not to 64 */
};

/*
 * Decodes an instruction with the register values of the frame. Returns false
 * if it is not a load or store of general registers, or is one that is not
 * supported (exclusive, atomic, literal, prefetch).
 */
bool cz_access_decode(const struct cz_frame *frame, uint32_t instruction,
		      struct cz_access *access);

/* Returns the size of the whole access, of both registers. */
uint32_t cz_access_bytes(const struct cz_access *access);

/* Returns what a load writes into the register when memory contains `value`. */
uint64_t cz_access_extend(const struct cz_access *access, uint64_t value);

/* Sets the base register to its value after the access. */
void cz_access_write_back(const struct cz_access *access,
			  struct cz_frame *frame);

/* Read and write a general register by number; 31 is the zero register. */
static inline uint64_t cz_frame_register(const struct cz_frame *frame,
					 uint32_t number)
{
	return number == 31 ? 0 : frame->x[number];
}

static inline void cz_set_frame_register(struct cz_frame *frame,
					 uint32_t number, uint64_t value)
{
	if (number != 31) {
		frame->x[number] = value;
	}
}

#endif
