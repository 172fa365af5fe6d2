/* SPDX-License-Identifier: MIT */
/*
 * Loads and stores of general registers, decoded from the instruction: what is
 * done for firmware where an access of its own faults. Says what an instruction
 * would access; makes no access. Needs nothing of the library's.
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
	uint32_t first, second; /* registers; second: NONE when there is one */
	uint32_t base; /* register to be written back, 31: sp; or NONE */
	uint64_t write_back;
	bool is_store, is_signed, is_word; /* is_word: extended to 32 bits */
};

/*
 * Decodes; register values come from the frame. False: no load or store of
 * general registers, or one that is not done (exclusive, atomic, literal,
 * prefetch).
 */
bool cz_access_decode(const struct cz_frame *frame, uint32_t instruction,
		      struct cz_access *access);

/* All its bytes: those of both registers. */
uint32_t cz_access_bytes(const struct cz_access *access);

/* What a load puts into a register when memory has `value`. */
uint64_t cz_access_extend(const struct cz_access *access, uint64_t value);

/* Puts the base register as the access leaves it. */
void cz_access_write_back(const struct cz_access *access,
			  struct cz_frame *frame);

/* General registers by number; 31 is the zero register. */
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
