/* SPDX-License-Identifier: MIT */
/*
 * Records what the library logs, and the system registers at that moment. The
 * library logs on the worker right after firmware has returned, when all
 * registers must be restored.
 */
#ifndef PROGRAMS_WATCH_H
#define PROGRAMS_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#define WATCH_LINE_BYTES 256

/* The system registers that firmware could have changed. */
struct system_state {
	uint64_t daif, spsel, state, tpidr_el0, tpidr_el1, ttbr0, vbar, sctlr,
		cpacr;
};

struct watched {
	unsigned lines; /* since watch_begin() */
	char first[WATCH_LINE_BYTES], last[WATCH_LINE_BYTES];
	struct system_state state; /* at the first line */
};

extern struct watched watched;

/* Discards the recorded lines, and records from now on. */
void watch_begin(void);
void watch_end(void);

/* Returns the present state of the calling thread's CPU. */
struct system_state system_state_now(void);

/* Returns whether both are equal. Logs each register that differs. */
bool system_state_same(const struct system_state *found,
		       const struct system_state *due);

/* Bits of PSTATE, as SPSR_EL1 has them, that a CPU may lack. */
#define STATE_SSBS (1ull << 12)
#define STATE_ALLINT (1ull << 13)
#define STATE_PAN (1ull << 22)
#define STATE_UAO (1ull << 23)
#define STATE_DIT (1ull << 24)
#define STATE_TCO (1ull << 25)

/* Returns which of these bits this CPU has. */
uint64_t cpu_state_bits(void);
bool cpu_has_sve(void);

/* Makes every withdrawn service available again. */
void restore_services(void);

#endif
