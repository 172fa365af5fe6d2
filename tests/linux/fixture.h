/* SPDX-License-Identifier: MIT */
/*
 * A machine for firmware.c: a processor that executes its arm64 code, RAM, and a
 * flash chip whose copy it sees through page rights as mprotect() would set them.
 */
#ifndef TESTS_LINUX_BENCH_H
#define TESTS_LINUX_BENCH_H

#include "chip.h"
#include "commit/flash.h"
#include "firmware.h"

#define BENCH_RAM 0x40000000ull
#define BENCH_RAM_BYTES (1u << 19)
#define BENCH_CODE_BYTES 0x8000u
#define BENCH_SHADOW (BENCH_RAM + 0x40000)
#define BENCH_DATA (BENCH_RAM + 0x10000)
#define BENCH_REQUEST (BENCH_RAM + 0x30000)
#define BENCH_STACK (BENCH_RAM + 0x3f000)
#define BENCH_FLASH 0x04000000ull
#define BENCH_PAGE 4096u

struct bench {
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
void bench_start(struct bench *bench, struct chip *chip, bool with_reach);
void bench_stop(struct bench *bench);

/* Executes firmware's entry(): its result, or UINT64_MAX when it faulted. */
uint64_t bench_call(struct bench *bench, enum operation operation);

/* Sets a variable whose bytes are all `fill`, and keeps nothing, for flash_finish(). */
uint64_t bench_set(struct bench *bench, uint32_t name, uint8_t fill,
		   uint32_t size_bytes);

/* Finish, apply, keep: what a commit does with flash. */
bool bench_commit(struct bench *bench);

/* What the store in those bytes has of a variable: its fill; or -1 when it has none, -2
 * when it is torn. */
int store_find(const uint8_t *flash, uint32_t name, uint32_t *size_bytes);

/* One instruction of firmware's, without flash. */
bool bench_step(struct bench *bench);

#endif
