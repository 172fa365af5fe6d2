/* SPDX-License-Identifier: MIT */
/* Accesses and instructions that fault where a system protects itself. */
#ifndef ADVERSARY_TOUCH_H
#define ADVERSARY_TOUCH_H

#include "adversary.h"

/*
 * Does it, having filled the record; returns where it did not fault, true, or
 * false for an order that makes no sense. `argument` is where the order lay, in
 * the caller's own memory.
 */
_Bool touch_run(const struct adversary_touch_order *order, uint64_t argument,
		struct adversary_touch_record *record);

/* touch.S: the first instruction of each is the one that faults; the first
 * three take an address. */
void touch_read(uint64_t address);
void touch_write(uint64_t address);
void touch_execute(uint64_t address);
void touch_undefined(uint64_t unused);
void touch_brk(uint64_t unused);
void touch_svc(uint64_t unused);
void touch_fp(uint64_t unused);
void touch_sve(uint64_t unused);
/* FP/SIMD traps from now on. */
void touch_fp_off(void);
/* A word in the code; one in the data, a ret: where that can be executed, nothing
 * happens. */
extern const uint32_t touch_code;
extern uint32_t touch_data;

#endif
