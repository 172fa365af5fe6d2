/* SPDX-License-Identifier: MIT */
/*
 * A machine for firmware.c: a processor that executes its arm64 code, RAM, and a
 * flash chip whose copy it sees through page rights as mprotect() would set them.
 */
#ifndef TESTS_LINUX_FIXTURE_H
#define TESTS_LINUX_FIXTURE_H

#include "chip.h"
#include "commit/flash.h"
#include "firmware.h"

#define FIXTURE_RAM 0x40000000ull
#define FIXTURE_RAM_BYTES (1u << 19)
#define FIXTURE_CODE_BYTES 0x8000u
#define FIXTURE_SHADOW (FIXTURE_RAM + 0x40000)
#define FIXTURE_DATA (FIXTURE_RAM + 0x10000)
#define FIXTURE_REQUEST (FIXTURE_RAM + 0x30000)
#define FIXTURE_STACK (FIXTURE_RAM + 0x3f000)
#define FIXTURE_FLASH 0x04000000ull
#define FIXTURE_PAGE 4096u

struct fixture {
	struct chip *chip;
	struct flash *flash;
	uint8_t *ram; /* the caller's to replace */
	uint8_t *copy; /* of the flash */
	uint8_t *rights; /* enum flash_access of its pages */
	uint64_t confirm;
	uint64_t natives; /* instructions by the processor */
	uint64_t protects;
	struct cz_frame frame;
	char error[NOR_ERROR_CHARS];
};

/* With or without going on after a fault. The chip is the caller's. */
void fixture_start(struct fixture *fixture, struct chip *chip, bool with_reach);
void fixture_stop(struct fixture *fixture);

/* Executes firmware's entry(): its result, or UINT64_MAX when it faulted. */
uint64_t fixture_call(struct fixture *fixture, enum operation operation);

/* Sets a variable whose bytes are all `fill`, and keeps nothing, for flash_finish(). */
uint64_t fixture_set(struct fixture *fixture, uint32_t name, uint8_t fill,
		     uint32_t size_bytes);

/* Finish, apply, keep: what a commit does with flash. */
bool fixture_commit(struct fixture *fixture);

/* What the store in those bytes has of a variable: its fill; or -1 when it has none, -2
 * when it is torn. */
int store_find(const uint8_t *flash, uint32_t name, uint32_t *size_bytes);

/* One instruction of firmware's, without flash. */
bool fixture_step(struct fixture *fixture);

#endif
