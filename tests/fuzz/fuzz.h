/* SPDX-License-Identifier: MIT */
/*
 * A host for fuzzing what cz_init() reads: no threads, no space, RAM that is
 * the fuzzer's input. Nothing else is ever called.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "core.h"

#include <stddef.h>
#include <stdint.h>

#define FUZZ_RAM 0x40000000ull /* where the input is in physical memory */
#define FUZZ_RAM_BYTES 0x10000ull

struct cz_host {
	uint8_t *ram; /* FUZZ_RAM_BYTES of it, exactly */
	char line[512]; /* the last that was logged */
};

/* A library that has read nothing yet, on RAM that begins with the input. */
struct fuzz {
	struct cz_host host;
	struct cz cz;
	struct cz_config config;
	struct cz_boot boot;
};

struct fuzz *fuzz_start(const uint8_t *ram, size_t size);

/* A sound map: RAM as runtime code, so that firmware is all of it. */
void fuzz_sound_map(struct fuzz *fuzz);

/* What must hold of regions, whatever they were read from. */
void fuzz_check_regions(const struct fuzz *fuzz);

/* Aborts, for the fuzzer to keep the input. */
void fuzz_demand(bool held);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
