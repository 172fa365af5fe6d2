/* SPDX-License-Identifier: MIT */
/*
 * The interrupt controller. Calls the driver for the version that the machine's
 * tables name.
 */
#include "dev/gic.h"
#include <kernel/print.h>
#include <stdbool.h>

#define ONE_PRIORITY 0xa0a0a0a0u

static bool is_v2(void)
{
	return machine.gic_version == 2;
}

uint32_t gic_cpu_index(void)
{
	uint64_t own = READ_SYSREG(mpidr_el1) & MPIDR_AFFINITY;

	for (uint32_t i = 0; i < machine.cpu_count; i++) {
		if ((machine.mpidr[i] & MPIDR_AFFINITY) == own) {
			return i;
		}
	}
	panic("gic: CPU %lx is not in the machine's tables", own);
}

uint32_t gic_blocks(volatile uint8_t *distributor)
{
	return (gic_read(distributor, GIC_TYPER) & 31) + 1;
}

void gic_quiet(volatile uint8_t *base, uint32_t block)
{
	gic_write(base, GIC_ICENABLER(block), UINT32_MAX);
	gic_write(base, GIC_ICPENDR(block), UINT32_MAX);
	gic_write(base, GIC_ICACTIVER(block), UINT32_MAX);
	for (uint32_t i = 0; i < 8; i++) {
		gic_write(base, GIC_IPRIORITYR(8 * block + i), ONE_PRIORITY);
	}
}

void gic_init(void)
{
	if (is_v2()) {
		gicv2_init();
	} else {
		gicv3_init();
	}
}

void gic_cpu_init(void)
{
	if (is_v2()) {
		gicv2_cpu_init();
	} else {
		gicv3_cpu_init();
	}
	this_cpu()->gic_is_v2 = is_v2();
	gic_enable(GIC_IPI);
}

void gic_enable(uint32_t intid)
{
	ASSERT(intid < GIC_FIRST_SPECIAL);
	if (is_v2()) {
		gicv2_enable(intid);
	} else {
		gicv3_enable(intid);
	}
}

void gic_send_ipi(uint32_t cpu)
{
	ASSERT(cpu < machine.cpu_count);
	/* The interrupted CPU must see what this CPU wrote before. */
	__asm__ volatile("dsb ishst" : : : "memory");
	if (is_v2()) {
		gicv2_send_ipi(cpu);
	} else {
		gicv3_send_ipi(cpu);
	}
}

static uint64_t set_mask(uint64_t priority)
{
	return is_v2() ? gicv2_mask(priority) : gicv3_mask(priority);
}

uint64_t gic_cpu_mask(void)
{
	return set_mask(0);
}

void gic_cpu_unmask(uint64_t before)
{
	(void)set_mask(before);
}
