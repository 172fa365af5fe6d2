/* SPDX-License-Identifier: MIT */
/*
 * Computes the address and makes the access. It fills the record before,
 * because an access that faults does not return.
 */
#include "touch.h"

#include <stdbool.h>
#include <stddef.h>

typedef void touch_function(uint64_t address);

uint32_t touch_data = 0xd65f03c0u;
static uint64_t previous_argument;

static uint64_t base_address(uint32_t base, uint64_t argument)
{
	switch (base) {
	case ADVERSARY_TOUCH_CODE:
		return (uintptr_t)&touch_code;
	case ADVERSARY_TOUCH_DATA:
		return (uintptr_t)&touch_data;
	case ADVERSARY_TOUCH_ARGUMENT:
		return argument;
	case ADVERSARY_TOUCH_PREVIOUS:
		return previous_argument;
	default:
		return 0;
	}
}

static touch_function *function_of(uint32_t kind)
{
	switch (kind) {
	case ADVERSARY_TOUCH_READ:
		return touch_read;
	case ADVERSARY_TOUCH_WRITE:
		return touch_write;
	case ADVERSARY_TOUCH_EXECUTE:
		return touch_execute;
	case ADVERSARY_TOUCH_UNDEFINED:
		return touch_undefined;
	case ADVERSARY_TOUCH_BRK:
		return touch_brk;
	case ADVERSARY_TOUCH_SVC:
		return touch_svc;
	case ADVERSARY_TOUCH_FP:
		return touch_fp;
	case ADVERSARY_TOUCH_SVE:
		return touch_sve;
	default:
		return NULL;
	}
}

bool touch_run(const struct adversary_touch_order *order, uint64_t argument,
	       struct adversary_touch_record *record)
{
	touch_function *function = function_of(order->kind);

	if (function == NULL || order->base > ADVERSARY_TOUCH_PREVIOUS) {
		return false;
	}
	record->address = base_address(order->base, argument) + order->offset;
	record->instruction = (uintptr_t)function;
	if (order->kind == ADVERSARY_TOUCH_EXECUTE) {
		record->instruction = record->address;
	}
	previous_argument = argument;
	if (order->kind == ADVERSARY_TOUCH_FP) {
		touch_fp_off();
	}
	function(record->address);
	return true;
}
