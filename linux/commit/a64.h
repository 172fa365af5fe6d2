/* SPDX-License-Identifier: MIT */
/* Executes firmware's code on a register frame, where it makes one access to
 * flash after another: the integer instructions of A64 that compilers use
 * there. The caller does loads and stores. Signal-safe, without state. */
#ifndef LINUX_A64_H
#define LINUX_A64_H

#include <caesura/arm64.h>
#include <stdbool.h>
#include <stdint.h>

/* Executes the instruction at the frame's pc, and advances pc. False: the
 * instruction is not known, and the frame has not changed. */
bool a64_step(struct cz_frame *frame, uint32_t instruction);

#endif
