/* SPDX-License-Identifier: MIT */
/*
 * FP/SIMD sections. Only a thread inside a section may use the FP unit. The
 * scheduler saves the thread's FP registers when it switches the thread out. It
 * loads them when it switches back, unless this CPU still holds them. Outside a
 * section FP instructions trap (Arm ARM D17.2.33, CPACR_EL1.FPEN), so nothing
 * can change the registers unnoticed.
 */
#include "sched/sched.h"
#include <kernel/print.h>

#define CPACR_FPEN (3ull << 20)

static void fp_open(void)
{
	WRITE_SYSREG(cpacr_el1, CPACR_FPEN);
	isb();
}

static void fp_close(void)
{
	WRITE_SYSREG(cpacr_el1, 0);
	isb();
}

void fp_switch(struct cpu *cpu, struct thread *previous, struct thread *next)
{
	if (previous->fp_section) {
		fp_save(&previous->fp);
		cpu->fp_owner = previous;
		previous->fp_cpu = cpu;
	}
	if (next->fp_section) {
		fp_open();
		if (cpu->fp_owner != next || next->fp_cpu != cpu) {
			fp_load(&next->fp);
		}
		cpu->fp_owner = NULL;
	} else if (previous->fp_section) {
		fp_close();
	}
}

void fp_begin(void)
{
	struct thread *self = current_thread();
	uint64_t daif = irq_save();

	ASSERT(!self->fp_section);
	self->fp_section = true;
	/* The registers of the previous owner have been saved already. */
	self->cpu->fp_owner = NULL;
	fp_open();
	/* Do not inherit the previous owner's rounding mode and trap bits. */
	__asm__ volatile("msr fpcr, xzr");
	irq_restore(daif);
}

void fp_end(void)
{
	struct thread *self = current_thread();
	uint64_t daif = irq_save();

	ASSERT(self->fp_section);
	self->fp_section = false;
	fp_close();
	irq_restore(daif);
}
