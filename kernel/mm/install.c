/* SPDX-License-Identifier: MIT */
/* Installs an address space in TTBR0, and installs it again at every switch. */
#include "arch/cpu.h"
#include "mm/internal.h"

void space_install(const struct space *space)
{
	WRITE_SYSREG(ttbr0_el1, space == NULL ? empty_table : space->ttbr);
	isb();
}

void space_switch(const struct space *previous, const struct space *next)
{
	if (previous != next) {
		space_install(next);
	}
}
