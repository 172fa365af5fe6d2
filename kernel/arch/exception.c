/* SPDX-License-Identifier: MIT */
/*
 * Dispatches exceptions. Interrupts go to their handlers and firmware's faults
 * go to the library; everything else is a panic.
 */
#include "arch/cpu.h"
#include "dev/gic.h"
#include "mm/table.h"
#include "sched/sched.h"
#include <caesura/arm64.h>
#include <kernel/machine.h>
#include <kernel/port.h>
#include <kernel/print.h>

_Static_assert(MAIR_VALUE == 0xff4404, "enter.S has the same value");

#define SPURIOUS 1020
#define SCTLR_DZE (1ull << 14) /* EL0 may execute DC ZVA */
#define SCTLR_UCT (1ull << 15) /* EL0 may read CTR_EL0 */
#define SCTLR_NTWE (1ull << 18) /* EL0 may execute WFE */
#define SCTLR_SPAN (1ull << 23)
#define SCTLR_UCI (1ull << 26) /* EL0 may execute cache maintenance */
#define CNTKCTL_COUNTERS 3 /* EL0 may read both counters */
#define MDSCR_TDCC (1ull << 12) /* EL0's access to the debug channel traps */
#define CPACR_FPEN (3ull << 20)
#define EC(esr) ((esr) >> 26 & 0x3f)
#define EC_FP 0x07 /* FP/SIMD is switched off */
#define PAN_FIELD(mmfr1) (((mmfr1) >> 20) & 15)

#define SCTLR_ENIA (1ull << 31) /* firmware may sign return addresses */

extern char exception_vectors[];

#define AMU_FIELD(pfr0) (((pfr0) >> 44) & 15)
#define PMU_VERSION(dfr0) (((dfr0) >> 8) & 15)

/* Checks the fields APA and API of ID_AA64ISAR1_EL1. */
static bool has_signatures(void)
{
	return (READ_SYSREG(id_aa64isar1_el1) >> 4 & 0xff) != 0;
}

/* Lets sandboxed firmware at EL0 execute harmless instructions without a trap,
 * and makes EL0's access to the debug channel and the event counters trap. */
static void open_el0(void)
{
	uint64_t version = PMU_VERSION(READ_SYSREG(id_aa64dfr0_el1));

	WRITE_SYSREG(sctlr_el1, READ_SYSREG(sctlr_el1) | SCTLR_DZE | SCTLR_UCT |
					SCTLR_NTWE | SCTLR_UCI);
	if (has_signatures()) {
		/* This bit is for EL1 as well, but the kernel's own code does
		 * not sign its return addresses. */
		WRITE_SYSREG(sctlr_el1, READ_SYSREG(sctlr_el1) | SCTLR_ENIA);
	}
	WRITE_SYSREG(cntkctl_el1, CNTKCTL_COUNTERS);
	WRITE_SYSREG(mdscr_el1, MDSCR_TDCC);
	if (version != 0 && version != 15) {
		WRITE_SYSREG(pmuserenr_el0, 0);
	}
	if (AMU_FIELD(READ_SYSREG(id_aa64pfr0_el1)) != 0) {
		WRITE_SYSREG(s3_3_c13_c2_3, 0); /* AMUSERENR_EL0 */
	}
}

void exception_init(void)
{
	WRITE_SYSREG(vbar_el1, exception_vectors);
	WRITE_SYSREG(cpacr_el1, 0);
	WRITE_SYSREG(tpidr_el0, 0);
	open_el0();
	if (PAN_FIELD(READ_SYSREG(id_aa64mmfr1_el1)) != 0) {
		/* Have every exception set PAN, and set it now. */
		WRITE_SYSREG(sctlr_el1, READ_SYSREG(sctlr_el1) & ~SCTLR_SPAN);
		__asm__ volatile(".inst 0xd500419f"); /* msr pan, #1 */
	}
	isb();
}

struct cz *irq_handle(struct exception_frame *frame, uint64_t gic_is_v2)
{
	uint64_t interrupt = gic_acknowledge(gic_is_v2);
	uint32_t intid = (uint32_t)interrupt;
	struct cpu *cpu = this_cpu();
	struct cz *cz = port_firmware_of(frame);

	cpu->timer_late = 0;
	if (intid == machine.timer_irq) {
		timer_interrupt();
	} else if (intid >= SPURIOUS) {
		return cz;
	} else if (intid == GIC_IPI) {
		/* Another CPU sends the IPI when it has set need_resched here,
		 * when it panics, or when it has started a timer for this CPU.
		 * The way out of the interrupt handles need_resched. */
		panic_check();
		timer_changed();
	} else {
		kprintf("warning: unexpected interrupt %u\n", intid);
	}
	gic_end(interrupt);
	if (cz != NULL) {
		port_interrupted(cz, frame, cpu->timer_late);
	}
	return cz;
}

void irq_exit(struct cz *cz, struct exception_frame *frame)
{
	struct thread *self = current_thread();

	if (self->need_resched && self->preempt_disabled == 0) {
		sched_lock_masked();
		if (cz != NULL) {
			port_preempted(cz, frame);
		}
		schedule();
		sched_unlock_masked();
	}
	if (cz != NULL) {
		port_resume(cz, frame);
	}
}

/* Firmware may switch FP off although it runs in an FP section. The kernel's
 * own instructions that save the FP registers trap then; this function switches
 * FP on again. */
static bool reopen_fp(uint64_t esr)
{
	if (EC(esr) != EC_FP || !current_thread()->fp_section) {
		return false;
	}
	WRITE_SYSREG(cpacr_el1, CPACR_FPEN);
	isb();
	return true;
}

void sync_handle(struct exception_frame *frame, uint64_t esr, uint64_t far)
{
	struct cz *cz = port_firmware_of(frame);

	if (cz == NULL) {
		if (reopen_fp(esr) || cz_kernel_exception(&frame->regs, esr)) {
			return;
		}
		panic_exception(frame, esr, far, "exception in the kernel");
	}
	if (!port_exception(cz, frame, esr, far)) {
		panic_exception(frame, esr, far, "SError in firmware");
	}
}

void bad_exception(struct exception_frame *frame, uint64_t esr, uint64_t far,
		   uint64_t vector)
{
	char what[48];

	ksnprintf(what, sizeof(what), "exception at vector %u",
		  (unsigned)vector);
	panic_exception(frame, esr, far, what);
}

void stack_overflow(struct exception_frame *frame)
{
	panic_exception(frame, READ_SYSREG(esr_el1), READ_SYSREG(far_el1),
			"kernel stack overflow");
}
