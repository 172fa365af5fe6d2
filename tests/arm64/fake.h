/* SPDX-License-Identifier: MIT */
/*
 * A simulated processor and host, on which the sandbox's emulation is tested.
 * Registers are variables, devices are arrays of bytes, and operations on them
 * are counted.
 */
#ifndef TESTS_ARM64_FAKE_H
#define TESTS_ARM64_FAKE_H

#include "arm64/fixup.h"
#include "arm64/syndrome.h"
#include "arm64/trap.h"

#define FAKE_CODE 0x40000000ull /* virtual and physical address */
#define FAKE_DATA 0x40010000ull /* virtual */
#define FAKE_SHIFT 0x100000ull /* from FAKE_DATA to its physical address */
#define FAKE_DEVICE 0x50000000ull
#define FAKE_READ_ONLY 0x50001000ull /* another device */
#define FAKE_WINDOW 0x60000000ull
#define FAKE_LINES 64
#define FAKE_REGION_PAGES 2u
#define FAKE_REGION_BYTES (FAKE_REGION_PAGES * 4096u)

#define FAKE_PARTITION 0x8002u

/* The secure world: a partition (FF-A, DEN0077A), which normal interrupts
 * preempt, and a service that answers MM_COMMUNICATE (DEN0060), which they do
 * not preempt. */
struct fake_secure_world {
	bool is_there;
	unsigned interrupts; /* how many will preempt the partition */
	bool is_busy; /* a request has been interrupted and is not finished */
	unsigned answers, errors;
};

struct cz_host {
	uint64_t now_ns;
	struct fake_secure_world secure;
	uint8_t code[FAKE_REGION_BYTES];
	uint64_t code_at; /* physical */
	uint8_t data[FAKE_REGION_BYTES];
	uint8_t device[FAKE_REGION_BYTES];
	uint64_t refused; /* an access to this byte causes an abort */
	uint64_t registers[CZ_MACHINE_VIRTUAL_COUNT + 1];
	uint64_t identification[64];
	unsigned cleaned; /* cache lines */
	unsigned invalidated; /* how often the instruction cache was */
	uint64_t cleaned_physical;
	uint64_t daif;
	unsigned secure_calls;
	enum cz_conduit conduit;
	uint64_t secure_id;
	bool has_smc;
	unsigned lines;
	bool left_in_log; /* left_firmware when the latest line was logged */
	char first[256], log[FAKE_LINES][256];
	unsigned maps; /* calls of cz_host_space_map() */
	struct cz_mapping mapped; /* by the latest call */
};

extern struct cz_host fake_host;
extern struct cz fake_cz;
extern struct cz_frame fake_frame;

/* Resets the state to that of a call of GetTime: each register has a different
 * value, and the pc is in firmware's code. */
void fake_start(void);

/* Writes the instruction to firmware's code and emulates it after an exception
 * of that class. Returns whether it was emulated. */
bool fake_trap(uint32_t instruction, uint32_t class);

/* Returns whether a line of the log contains the words. */
bool fake_said(const char *words);

#endif
