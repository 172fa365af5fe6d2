/* SPDX-License-Identifier: MIT */
/* Parts of the program `escape` that have files of their own. */
#ifndef PROGRAMS_ESCAPE_H
#define PROGRAMS_ESCAPE_H

/* Where the null service is: in the trampoline's page, behind the trampoline. */
#define ESCAPE_STUB_AT 0x100u

#ifndef __ASSEMBLER__
#include <stdint.h>

/*
 * Reports what firmware finds in its registers: zeroes, its arguments and a pattern,
 * and nothing of the kernel's or of another thread's. One CPU. Replaces the stub.
 */
void escape_check_registers(void);

/* Code for the stub: keeps all registers below the stack pointer, and returns. */
extern const uint32_t escape_snapshot[], escape_snapshot_end[];
#endif

#endif
