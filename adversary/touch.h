/* SPDX-License-Identifier: MIT */
/* Accesses and instructions that fault if a system protects itself. */
#ifndef ADVERSARY_TOUCH_H
#define ADVERSARY_TOUCH_H

#include "adversary.h"

/*
 * Fills the record and carries out the order. Returns true if there was no
 * fault, and false, without any access, for an invalid order. `argument` is the
 * address of the order in the caller's memory.
 */
_Bool touch_run(const struct adversary_touch_order *order, uint64_t argument,
		struct adversary_touch_record *record);

/* touch.S: the first instruction of each function may fault. The first three
 * functions take an address. */
void touch_read(uint64_t address);
void touch_write(uint64_t address);
void touch_execute(uint64_t address);
void touch_undefined(uint64_t unused);
void touch_brk(uint64_t unused);
void touch_svc(uint64_t unused);
void touch_fp(uint64_t unused);
void touch_sve(uint64_t unused);
/* Makes FP/SIMD instructions trap from now on. */
void touch_fp_off(void);
/* A word in the driver's code, and one in its data. Both are a RET instruction,
 * so executing them has no effect if the system allows it. */
extern const uint32_t touch_code;
extern uint32_t touch_data;

#endif
