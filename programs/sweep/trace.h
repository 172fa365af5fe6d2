/* SPDX-License-Identifier: MIT */
/*
 * Proves that a sweep missed no instruction: the addresses at which firmware
 * was interrupted, in the order of the instructions, form an unbroken path
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

/* Allocates room for `capacity` addresses; panics when memory is exhausted. */
void trace_init(struct trace *trace, uint32_t capacity);

/* Adds the next instruction of the path. The address of the last one again is
 * ignored. */
void trace_add(struct trace *trace, uint64_t pc);

/* Returns whether the instruction at pc can be followed by the one at next.
 * Returns false also when pc is not in firmware. */
bool trace_follows(uint64_t pc, uint64_t next);

/* Returns whether the instruction at pc takes its target from a register. */
bool trace_leads_anywhere(uint64_t pc);

/*
 * Returns whether the path is unbroken, begins at `entry`, and ends with an
 * instruction that leaves firmware's code. Logs the first gap.
 */
bool trace_whole(const struct trace *trace, uint64_t entry);

#endif
