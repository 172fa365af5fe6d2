/* SPDX-License-Identifier: MIT */
/*
 * Removes the re-installation of address spaces: a thread that is switched out
 * leaves its space, and resumes without it. Replaces kernel/mm/install.c.
 */
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
		space_install(NULL);
	}
}
