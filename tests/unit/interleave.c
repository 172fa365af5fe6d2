/* SPDX-License-Identifier: MIT */
/* The point in the library's code where a thread calls a test's function. */
#include "interleave.h"

#include <stddef.h>

static _Thread_local struct {
	const volatile void *address;
	unsigned skipped;
	void (*act)(void *);
	void *argument;
} point;

void interleave_at(const volatile void *address, unsigned skipped,
		   void (*act)(void *), void *argument)
{
	point.address = address;
	point.skipped = skipped;
	point.act = act;
	point.argument = argument;
}

void interleave_step(const volatile void *address)
{
	void (*act)(void *) = point.act;

	if (act == NULL || address != point.address || point.skipped-- != 0) {
		return;
	}
	point.act = NULL;
	act(point.argument);
}
