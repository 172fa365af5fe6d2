/* SPDX-License-Identifier: MIT */
/*
 * Goes on with firmware's code where it makes one access to flash after the other:
 * the integer instructions of A64 that compilers use for that, done on the frame.
 * Loads and stores are the caller's. Signal-safe, no state.
 */
#ifndef LINUX_A64_H
#define LINUX_A64_H

#include <caesura/arm64.h>
#include <stdbool.h>
#include <stdint.h>

/* Does the instruction at the frame's pc and moves the pc; false, and the frame is as it
 * was, for one that it does not know. */
bool a64_step(struct cz_frame *frame, uint32_t instruction);

#endif
