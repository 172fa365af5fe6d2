/* SPDX-License-Identifier: MIT */
/*
 * Accesses to the CPU's registers and caches (trap.h), as far as a process can
 * make them. For registers that only a kernel can read, this returns the values
 * of a machine whose MMU and caches are on. It reports no caches by set and
 * way.
 */
#include "../trap.h"

#define READ(name)                                                \
	__extension__({                                           \
		uint64_t value_;                                  \
		__asm__ volatile("mrs %0, " name : "=r"(value_)); \
		value_;                                           \
	})

#define SCTLR 0x30d0199dull /* M, C, I, SA and the bits that are RES1 */
#define CPACR (3ull << 20) /* FPEN */

uint64_t cz_machine_read(enum cz_machine_register name)
{
	switch (name) {
	case CZ_MACHINE_SCTLR:
		return SCTLR;
	case CZ_MACHINE_CPACR:
		return CPACR;
	case CZ_MACHINE_CTR:
		return READ("ctr_el0");
	case CZ_MACHINE_FREQUENCY:
		return READ("cntfrq_el0");
	case CZ_MACHINE_PHYSICAL_COUNT:
	case CZ_MACHINE_VIRTUAL_COUNT:
		__asm__ volatile("isb");
		return READ("cntvct_el0");
	default:
		return 0;
	}
}

/* ID registers that a kernel lets a process read do not arrive here. The others
 * read as zero: the CPU seems to have none of their features. */
uint64_t cz_machine_identification(uint32_t number)
{
	(void)number;
	return 0;
}

uint64_t cz_machine_cache_size(uint64_t select, bool second)
{
	(void)select;
	(void)second;
	return 0;
}

void cz_machine_set_daif(uint64_t daif)
{
	(void)daif;
}

void cz_machine_clean_line(const void *alias)
{
	__asm__ volatile("dc civac, %0\n\tdsb sy" ::"r"(alias) : "memory");
}

/* Sandboxed firmware cannot write code, so no instruction cache is stale. */
void cz_machine_invalidate_code(void)
{
	__asm__ volatile("isb" ::: "memory");
}

/* Accesses to devices, by the two instructions that a hypervisor can emulate
 * from the syndrome alone. If the device answers with an abort, the process
 * gets a signal and the function does not return: see linux/host/signals.c. */
uint64_t cz_machine_user_read(uint64_t address, uint8_t *value)
{
	uint32_t byte;

	__asm__ volatile("ldrb %w0, [%1]"
			 : "=r"(byte)
			 : "r"(address)
			 : "memory");
	*value = (uint8_t)byte;
	return 0;
}

uint64_t cz_machine_user_write(uint64_t address, uint8_t value)
{
	__asm__ volatile("strb %w0, [%1]" ::"r"(value), "r"(address)
			 : "memory");
	return 0;
}
