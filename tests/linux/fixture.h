/* SPDX-License-Identifier: MIT */
/*
 * A machine that runs firmware.c: it executes arm64 code, and has RAM and a
 * flash chip. Firmware sees a copy of the chip, whose page rights the fixture
 * keeps as mprotect() would set them.
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
	uint8_t *ram; /* the caller may replace it */
	uint8_t *copy; /* the copy of the flash that firmware sees */
	uint8_t *rights; /* an enum flash_access for each page of `copy` */
	uint64_t confirm;
	uint64_t natives; /* instructions executed by the simulated processor */
	uint64_t protects;
	struct cz_frame frame;
	char error[NOR_ERROR_CHARS];
};

/* Starts the machine with the caller's chip. `with_reach` lets flash.c execute
 * further instructions of firmware after a fault. */
void fixture_start(struct fixture *fixture, struct chip *chip, bool with_reach);
void fixture_stop(struct fixture *fixture);

/* Executes firmware's entry(). Returns its result, or UINT64_MAX when firmware
 * faulted. */
uint64_t fixture_call(struct fixture *fixture, enum operation operation);

/* Sets a variable whose bytes are all `fill`, without a commit. */
uint64_t fixture_set(struct fixture *fixture, uint32_t name, uint8_t fill,
		     uint32_t size_bytes);

/* Commits the changes of flash: flash_finish(), flash_apply(), flash_keep(). */
bool fixture_commit(struct fixture *fixture);

/* Finds a variable in the bytes of a store. Returns its fill byte, -1 when the
 * store has no such variable, or -2 when its data are torn. */
int store_find(const uint8_t *flash, uint32_t name, uint32_t *size_bytes);

/* Executes one instruction of firmware, with no access to flash. */
bool fixture_step(struct fixture *fixture);

#endif
