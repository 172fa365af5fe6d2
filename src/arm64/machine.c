/* SPDX-License-Identifier: MIT */
/* Accesses to the CPU's own registers and caches, for the emulation of
 * instructions: see trap.h. */
#include "trap.h"

#define READ(name)                                                \
	__extension__({                                           \
		uint64_t value_;                                  \
		__asm__ volatile("mrs %0, " name : "=r"(value_)); \
		value_;                                           \
	})

uint64_t cz_machine_read(enum cz_machine_register name)
{
	switch (name) {
	case CZ_MACHINE_SCTLR:
		return READ("sctlr_el1");
	case CZ_MACHINE_CPACR:
		return READ("cpacr_el1");
	case CZ_MACHINE_TCR:
		return READ("tcr_el1");
	case CZ_MACHINE_MAIR:
		return READ("mair_el1");
	case CZ_MACHINE_CTR:
		return READ("ctr_el0");
	case CZ_MACHINE_CLIDR:
		return READ("clidr_el1");
	case CZ_MACHINE_FREQUENCY:
		return READ("cntfrq_el0");
	case CZ_MACHINE_PHYSICAL_COUNT:
		__asm__ volatile("isb");
		return READ("cntpct_el0");
	case CZ_MACHINE_VIRTUAL_COUNT:
		__asm__ volatile("isb");
		return READ("cntvct_el0");
	default:
		return 0;
	}
}

uint64_t cz_machine_cache_size(uint64_t select, bool second)
{
	uint64_t daif = READ("daif");
	uint64_t before;
	uint64_t value;

	/* CSSELR_EL1 belongs to the CPU, so another thread could change it. */
	__asm__ volatile("msr daifset, #15" ::: "memory");
	before = READ("csselr_el1");
	__asm__ volatile("msr csselr_el1, %0\n\tisb" ::"r"(select));
	value = second ? READ("s3_1_c0_c0_2") : READ("ccsidr_el1");
	__asm__ volatile("msr csselr_el1, %0\n\tisb" ::"r"(before));
	cz_machine_set_daif(daif);
	return value;
}

void cz_machine_set_daif(uint64_t daif)
{
	__asm__ volatile("msr daif, %0" ::"r"(daif) : "memory");
}

void cz_machine_clean_line(const void *alias)
{
	__asm__ volatile("dc civac, %0\n\tdsb sy" ::"r"(alias) : "memory");
}

void cz_machine_invalidate_code(void)
{
	__asm__ volatile("dsb ish\n\tic ialluis\n\tdsb ish\n\tisb" ::
				 : "memory");
}
