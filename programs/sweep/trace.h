/* SPDX-License-Identifier: MIT */
/*
 * The proof that a sweep missed no instruction: the addresses at which firmware
 * was interrupted, in the order of the instructions, make an unbroken path
 * through the code from the service's entry to its return.
 */
#ifndef PROGRAMS_TRACE_H
#define PROGRAMS_TRACE_H

#include <caesura/caesura.h>
#include <stdbool.h>
#include <stdint.h>

struct trace {
	uint64_t *pc;
	uint32_t count, capacity;
};

/* Room for `capacity` addresses; panics when out of memory. */
void trace_init(struct trace *trace, uint32_t capacity);

/* The next instruction of the path; the same as the last one counts once. */
void trace_add(struct trace *trace, uint64_t pc);

/* Whether the instruction at pc can be followed by the one at next; false also
 * when pc is not firmware's. */
bool trace_follows(uint64_t pc, uint64_t next);

/* Whether the instruction at pc takes its target from a register. */
bool trace_leads_anywhere(uint64_t pc);

/*
 * Whether the path is unbroken, begins at `entry`, and ends with an instruction
 * that leaves for an address which is none of firmware's. Logs the first gap.
 */
bool trace_whole(const struct trace *trace, uint64_t entry);

#endif
