/* SPDX-License-Identifier: MIT */
/*
 * Driver for the GICv2 (IHI0048; the comments give the chapters). There is a
 * distributor, and each CPU has its own CPU interface at the same address. The
 * driver works the same with and without a secure world: it keeps interrupts in
 * the group that the lowest bit of CTLR enables, as the non-secure side sees
 * it.
 */
#include "dev/gic.h"
#include <kernel/mm.h>
#include <kernel/print.h>

/* Distributor, 4.3. */
#define GICD_BYTES 0x1000
#define GICD_ITARGETSR(intid) (0x0800 + (size_t)(intid))
#define GICD_SGIR 0x0f00
#define GICD_CPENDSGIR(n) (0x0f10 + 4 * (size_t)(n))
#define GICD_ENABLE 1u
#define SGIR_TARGET_SHIFT 16

/* CPU interface, 4.4. */
#define GICC_BYTES 0x1000
#define GICC_CTLR 0x0000
#define GICC_PMR 0x0004
#define GICC_BPR 0x0008
#define GICC_IAR 0x000c
#define GICC_EOIR 0x0010
#define GICC_ENABLE 1u
#define GICC_BYPASS 0x1e0u /* bypass of the legacy interrupt lines */
#define IAR_INTID 0x3ffu
#define IAR_MASK 0x1fffu /* INTID, and the CPU that sent an SGI */
#define IAR_SHIFT 32 /* place of IAR in the argument of gic_end() */

static volatile uint8_t *distributor;
static volatile uint8_t *cpu_interface;
/* For each CPU, the bit that selects it in the distributor's registers. */
static uint8_t cpu_bit[MACHINE_MAX_CPUS];

void gicv2_init(void)
{
	distributor = device_map(machine.gic_distributor, GICD_BYTES);
	cpu_interface = device_map(machine.gic_cpu_interface, GICC_BYTES);
	gic_write(distributor, GIC_CTLR, 0);

	uint32_t blocks = gic_blocks(distributor);
	for (uint32_t block = 1; block < blocks; block++) {
		gic_quiet(distributor, block);
		gic_write(distributor, GIC_IGROUPR(block), 0);
	}
	gic_write(distributor, GIC_CTLR, GICD_ENABLE);
}

/* Returns the calling CPU's bit in the distributor's registers. Chapter 4.3.12:
 * the target register of a private interrupt reads as the CPU that reads it. On
 * a machine with one CPU it reads as zero and ignores writes. */
static uint8_t own_bit(void)
{
	for (uint32_t intid = 0; intid < GIC_FIRST_SPI; intid++) {
		uint8_t bit = distributor[GICD_ITARGETSR(intid)];
		if (bit != 0) {
			return bit;
		}
	}
	return 1;
}

void gicv2_cpu_init(void)
{
	cpu_bit[gic_cpu_index()] = own_bit();
	gic_quiet(distributor, 0);
	gic_write(distributor, GIC_IGROUPR(0), 0);
	for (uint32_t i = 0; i < 4; i++) {
		gic_write(distributor, GICD_CPENDSGIR(i), UINT32_MAX);
	}
	gic_write(cpu_interface, GICC_PMR, GIC_PRIORITY_MASK);
	gic_write(cpu_interface, GICC_BPR, 0);
	gic_write(cpu_interface, GICC_CTLR,
		  (gic_read(cpu_interface, GICC_CTLR) & GICC_BYPASS) |
			  GICC_ENABLE);
}

void gicv2_enable(uint32_t intid)
{
	if (intid >= GIC_FIRST_SPI) {
		distributor[GICD_ITARGETSR(intid)] = cpu_bit[gic_cpu_index()];
	}
	gic_write(distributor, GIC_ISENABLER(intid / 32), 1u << (intid % 32));
}

void gicv2_send_ipi(uint32_t cpu)
{
	ASSERT(cpu_bit[cpu] != 0);
	gic_write(distributor, GICD_SGIR,
		  (uint32_t)cpu_bit[cpu] << SGIR_TARGET_SHIFT | GIC_IPI);
}

/* The end of an SGI needs the number of the CPU that sent it, so the whole
 * value of IAR is part of the result. */
uint64_t gicv2_acknowledge(void)
{
	uint32_t value = gic_read(cpu_interface, GICC_IAR);

	__asm__ volatile("dsb sy" : : : "memory");
	return GIC_IS_V2 | (uint64_t)value << IAR_SHIFT | (value & IAR_INTID);
}

void gicv2_end(uint64_t interrupt)
{
	gic_write(cpu_interface, GICC_EOIR,
		  (uint32_t)(interrupt >> IAR_SHIFT) & IAR_MASK);
	__asm__ volatile("dsb sy" : : : "memory");
}

/* Sets the priority mask and returns the previous one. The CPU gets the
 * interrupts whose priority value is lower than the mask; with 0 it gets
 * none. */
uint64_t gicv2_mask(uint64_t priority)
{
	uint32_t before = gic_read(cpu_interface, GICC_PMR);

	gic_write(cpu_interface, GICC_PMR, (uint32_t)priority);
	/* The write has taken effect when the register can be read. */
	(void)gic_read(cpu_interface, GICC_PMR);
	__asm__ volatile("dsb sy" : : : "memory");
	return before;
}
