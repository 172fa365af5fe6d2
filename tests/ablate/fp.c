/* SPDX-License-Identifier: MIT */
/*
 * Removes FP preservation: a thread in an FP section may use the registers, but
 * a switch neither saves nor loads them. Replaces kernel/sched/fp.c.
 */
#include "sched/sched.h"

#define CPACR_FPEN (3ull << 20)

static void fp_access(bool open)
{
	WRITE_SYSREG(cpacr_el1, open ? CPACR_FPEN : 0);
	isb();
}

void fp_switch(struct cpu *cpu, struct thread *previous, struct thread *next)
{
	(void)cpu;
	(void)previous;
	fp_access(next->fp_section);
}

void fp_begin(void)
{
	uint64_t daif = irq_save();

	current_thread()->fp_section = true;
	fp_access(true);
	irq_restore(daif);
}

void fp_end(void)
{
	uint64_t daif = irq_save();

	current_thread()->fp_section = false;
	fp_access(false);
	irq_restore(daif);
}
