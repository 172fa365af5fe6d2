/* SPDX-License-Identifier: MIT */
/*
 * Overflows the kernel stack on purpose. The report must name the overflow and
 * the function that caused it, and uses another stack.
 */
#include "lib/common.h"

#include <kernel/print.h>
#include <kernel/thread.h>

#define DEPTH 1000000u

/* The compiler cannot make this a loop: the code after the call needs the
 * frame. */
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
	kprintf("error: the stack did not overflow\n");
	return EXIT_FAILED;
}
