/* SPDX-License-Identifier: MIT */
/*
 * A processor and a host to test the sandbox's emulation on: registers are
 * numbers, devices are bytes, and what is done to them is counted.
 */
#ifndef TESTS_ARM64_FAKE_H
#define TESTS_ARM64_FAKE_H

#include "arm64/fixup.h"
#include "arm64/syndrome.h"
#include "arm64/trap.h"

#define FAKE_CODE 0x40000000ull /* firmware's address, and physical */
#define FAKE_DATA 0x40010000ull /* physical: that plus FAKE_SHIFT */
#define FAKE_SHIFT 0x100000ull
#define FAKE_DEVICE 0x50000000ull
#define FAKE_READ_ONLY 0x50001000ull /* a device, too */
#define FAKE_WINDOW 0x60000000ull
#define FAKE_LINES 64
#define FAKE_REGION_PAGES 2u
#define FAKE_REGION_BYTES (FAKE_REGION_PAGES * 4096u)

#define FAKE_PARTITION 0x8002u

/* A partition of the secure world, which normal interrupts preempt (FF-A, DEN0077A);
 * and what answers MM_COMMUNICATE (DEN0060), which they do not. */
struct fake_secure_world {
	bool is_there;
	unsigned interrupts; /* that will come while it works */
	bool is_busy; /* with a request that has been interrupted */
	unsigned answers, errors;
};

struct cz_host {
	uint64_t now_ns;
	struct fake_secure_world secure;
	uint8_t code[FAKE_REGION_BYTES];
	uint64_t code_at; /* physical */
	uint8_t data[FAKE_REGION_BYTES];
	uint8_t device[FAKE_REGION_BYTES];
	uint64_t refused; /* a byte that the device answers with an abort */
	uint64_t registers[CZ_MACHINE_VIRTUAL_COUNT + 1];
	uint64_t identification[64];
	unsigned cleaned, forgotten; /* cache lines; instruction caches */
	uint64_t cleaned_physical;
	uint64_t daif;
	unsigned secure_calls;
	enum cz_conduit conduit;
	uint64_t secure_id;
	bool has_smc;
	unsigned lines;
	bool left_in_log; /* left_firmware, at the latest line */
	char first[256], log[FAKE_LINES][256];
	unsigned maps; /* cz_host_space_map(), and the latest */
	struct cz_mapping mapped;
};

extern struct cz_host fake_host;
extern struct cz fake_cz;
extern struct cz_frame fake_frame;

/* Everything as a call of GetTime finds it: all registers differ, the pc is in
 * firmware's code. */
void fake_start(void);

/* Puts an instruction at the pc, and takes the exception of that class. */
bool fake_trap(uint32_t instruction, uint32_t class);

/* Words of the log. */
bool fake_said(const char *words);

#endif
