/* SPDX-License-Identifier: MIT */
/*
 * Runs out of kernel stack on purpose: the report names that, and the function
 * that did it, from a stack that is left.
 */
#include "lib/common.h"

#include <kernel/print.h>
#include <kernel/thread.h>

#define DEPTH 1000000u

/* Not a loop: what follows the call needs the frame. */
static __attribute__((noinline)) unsigned descend(unsigned depth)
{
	volatile uint8_t room[256];

	room[0] = (uint8_t)depth;
	return depth == 0 ? 0 : descend(depth - 1) + room[0];
}

static void deep_entry(void *argument)
{
	kprintf("# %u\n", descend(*(const unsigned *)argument));
}

PROGRAM(overflow, "overflows a kernel stack, to show the report")
{
	unsigned depth = DEPTH;

	thread_join(
		thread_create("deep", PRIORITY_HIGHEST, deep_entry, &depth));
	kprintf("error: the stack took it\n");
	return EXIT_FAILED;
}
