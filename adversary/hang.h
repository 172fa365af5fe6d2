/* SPDX-License-Identifier: MIT */
#ifndef ADVERSARY_HANG_H
#define ADVERSARY_HANG_H

#include <stdint.h>

/* Loops for ever, with interrupts as they are. */
uint64_t hang(uint64_t unused);

#endif
