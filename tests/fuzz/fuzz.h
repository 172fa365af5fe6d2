/* SPDX-License-Identifier: MIT */
/*
 * A host for fuzzing the code that reads firmware's tables in cz_init(). RAM
 * begins with the fuzzer's input. There are no threads and no address space,
 * because that code uses none.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "core.h"

#include <stddef.h>
#include <stdint.h>

#define FUZZ_RAM 0x40000000ull /* the physical address of the input */
#define FUZZ_RAM_BYTES 0x10000ull

struct cz_host {
	uint8_t *ram; /* an allocation of exactly FUZZ_RAM_BYTES */
	char line[512]; /* the latest line logged */
};

/* The library's state before it reads anything, and its host. */
struct fuzz {
	struct cz_host host;
	struct cz cz;
	struct cz_config config;
	struct cz_boot boot;
};

/* Returns a new state whose RAM begins with these bytes, followed by zeroes. */
struct fuzz *fuzz_start(const uint8_t *ram, size_t size);

/* Sets a valid memory map: half of RAM is runtime code, half is runtime data,
 * and there is one device. */
void fuzz_sound_map(struct fuzz *fuzz);

/* Checks what must be true of the regions, whatever the input was. */
void fuzz_check_regions(const struct fuzz *fuzz);

/* Aborts if `held` is false; the fuzzer then keeps the input. */
void fuzz_demand(bool held);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
