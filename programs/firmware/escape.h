/* SPDX-License-Identifier: MIT */
/* Parts of the program `escape` in other files. */
#ifndef PROGRAMS_ESCAPE_H
#define PROGRAMS_ESCAPE_H

/* The offset of the null service in the trampoline's page, after the
 * trampoline. */
#define ESCAPE_STUB_AT 0x100u

#ifndef __ASSEMBLER__
#include <stdint.h>

/*
 * Reports what firmware finds in its registers: it must be zeroes, its
 * arguments and a pattern, and nothing of the kernel or of another thread. Runs
 * on one CPU and overwrites the stub.
 */
void escape_check_registers(void);

/* Code for the stub: stores all registers below the stack pointer, and returns.
 *  */
extern const uint32_t escape_snapshot[], escape_snapshot_end[];
#endif

#endif
