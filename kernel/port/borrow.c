/* SPDX-License-Identifier: MIT */
/*
 * Lends the CPU to firmware without involving the scheduler, from any context,
 * with interrupts masked. Afterwards it restores the state of the code that ran
 * here. It takes no lock.
 */
#include "dev/gic.h"
#include "mm/internal.h"
#include "port/port.h"
#include "sched/sched.h"
#include <kernel/machine.h>
#include <kernel/thread.h>

#define CPACR_FPEN (3ull << 20)

struct borrow {
	struct cz *firmware; /* the current thread's, before */
	uint64_t ttbr;
	uint64_t cpacr;
	uint64_t sp_el0;
	uint64_t gic_mask;
	struct fp_state fp; /* the registers of an interrupted FP section */
};

_Static_assert(sizeof(struct borrow) <= sizeof(cz_host_borrow), "borrow");

uint64_t cz_host_interrupts_off(struct cz_host *host)
{
	(void)host;
	return irq_save();
}

void cz_host_interrupts_restore(struct cz_host *host, uint64_t before)
{
	(void)host;
	irq_restore(before);
}

static void fp_lend(struct borrow *borrow)
{
	borrow->cpacr = READ_SYSREG(cpacr_el1);
	if (borrow->cpacr & CPACR_FPEN) {
		fp_save(&borrow->fp);
	} else {
		/* The owner's registers were saved when it was switched out.
		 * It must load them again, because firmware may change them
		 * now. */
		this_cpu()->fp_owner = NULL;
	}
	WRITE_SYSREG(cpacr_el1, CPACR_FPEN);
	isb();
	__asm__ volatile("msr fpcr, xzr");
}

static void fp_return(struct borrow *borrow)
{
	if (borrow->cpacr & CPACR_FPEN) {
		fp_load(&borrow->fp);
	}
	WRITE_SYSREG(cpacr_el1, borrow->cpacr);
	isb();
}

void cz_host_borrow_begin(struct cz_host *host, cz_host_space space,
			  cz_host_borrow *storage)
{
	struct borrow *borrow = (struct borrow *)storage;
	struct thread *self = current_thread();

	/* Mask interrupts at the interrupt controller, too, because firmware
	 * may unmask them in PSTATE. */
	borrow->gic_mask = gic_cpu_mask();
	/* The exception path uses this to recognise firmware's exceptions. */
	borrow->firmware = self->firmware;
	self->firmware = host->cz;
	borrow->sp_el0 = READ_SYSREG(sp_el0);
	fp_lend(borrow);
	borrow->ttbr = READ_SYSREG(ttbr0_el1);
	space_install((struct space *)space);
}

void cz_host_borrow_end(struct cz_host *host, cz_host_space space,
			cz_host_borrow *storage)
{
	struct borrow *borrow = (struct borrow *)storage;

	(void)host;
	(void)space;
	WRITE_SYSREG(ttbr0_el1, borrow->ttbr);
	isb();
	fp_return(borrow);
	WRITE_SYSREG(sp_el0, borrow->sp_el0);
	current_thread()->firmware = borrow->firmware;
	gic_cpu_unmask(borrow->gic_mask);
}

void cz_host_reset(struct cz_host *host, enum cz_efi_reset_type type)
{
	(void)host;
	if (machine.psci == PSCI_NONE) {
		return;
	}
	if (type == CZ_EFI_RESET_SHUTDOWN) {
		psci_system_off();
	}
	psci_system_reset();
}

/* Makes a secure call for sandboxed firmware, after the broker has allowed
 * it. */
bool cz_host_secure_call(struct cz_host *host, enum cz_conduit conduit,
			 uint64_t registers[18])
{
	(void)host;
	return psci_pass_on(conduit == CZ_CONDUIT_HVC ? PSCI_HVC : PSCI_SMC,
			    registers);
}

bool cz_host_worker_set_cpus(struct cz_host *host, const struct cz_cpu_set *set)
{
	(void)host;
	_Static_assert(MACHINE_MAX_CPUS <= 64, "one word has a bit for each");
	return thread_set_cpus(current_thread(), set->bits[0]);
}
