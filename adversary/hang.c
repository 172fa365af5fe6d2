/* SPDX-License-Identifier: MIT */
/* The endless loop, for misbehave.c and flash.c. */
#include "hang.h"

uint64_t hang(uint64_t unused)
{
	(void)unused;
	for (;;) {
		__asm__ volatile("" : : : "memory");
	}
}
