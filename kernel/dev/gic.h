/* SPDX-License-Identifier: MIT */
/*
 * Between gic.c, which the kernel calls, and the two kinds of interrupt
 * controller: GICv2 (IHI0048) and GICv3 (IHI0069). What both have in the same
 * place is here.
 */
#ifndef KERNEL_DEV_GIC_H
#define KERNEL_DEV_GIC_H

#include "arch/cpu.h"
#include <kernel/machine.h>
#include <stddef.h>
#include <stdint.h>

/* The same in a distributor and in a redistributor's second frame. */
#define GIC_CTLR 0x0000
#define GIC_TYPER 0x0004
#define GIC_IGROUPR(n) (0x0080 + 4 * (size_t)(n))
#define GIC_ISENABLER(n) (0x0100 + 4 * (size_t)(n))
#define GIC_ICENABLER(n) (0x0180 + 4 * (size_t)(n))
#define GIC_ICPENDR(n) (0x0280 + 4 * (size_t)(n))
#define GIC_ICACTIVER(n) (0x0380 + 4 * (size_t)(n))
#define GIC_IPRIORITYR(n) (0x0400 + 4 * (size_t)(n))

#define GIC_FIRST_PPI 16
#define GIC_FIRST_SPI 32
#define GIC_FIRST_SPECIAL 1020

#define GIC_PRIORITY_MASK 0xf0 /* lets through what is more urgent */

#define MPIDR_AFFINITY UINT64_C(0xff00ffffff)

static inline uint32_t gic_read(volatile uint8_t *base, size_t offset)
{
	return *(volatile uint32_t *)(base + offset);
}

static inline void gic_write(volatile uint8_t *base, size_t offset,
			     uint32_t value)
{
	*(volatile uint32_t *)(base + offset) = value;
}

/* The present CPU's place in machine.mpidr. */
uint32_t gic_cpu_index(void);
/* How many registers with a bit an interrupt the distributor has. */
uint32_t gic_blocks(volatile uint8_t *distributor);
/* Switches 32 interrupts off, forgets them, and gives them the one priority.
 * In a distributor, or block 0 in a redistributor's second frame. */
void gic_quiet(volatile uint8_t *base, uint32_t block);

void gicv2_init(void);
void gicv2_cpu_init(void);
void gicv2_enable(uint32_t intid);
void gicv2_send_ipi(uint32_t cpu);
uint64_t gicv2_mask(uint64_t priority);
__attribute__((cold, noinline)) uint64_t gicv2_acknowledge(void);
__attribute__((cold, noinline)) void gicv2_end(uint64_t interrupt);

void gicv3_init(void);
void gicv3_cpu_init(void);
void gicv3_enable(uint32_t intid);
void gicv3_send_ipi(uint32_t cpu);
uint64_t gicv3_mask(uint64_t priority);

/*
 * Lets no interrupt reach this CPU, whatever PSTATE says, and lets them again, as
 * they were. Interrupts masked; any context otherwise.
 */
uint64_t gic_cpu_mask(void);
void gic_cpu_unmask(uint64_t before);

/*
 * The two functions of every interrupt, on the way of every wake-up, where
 * instructions are counted. Which controller it is comes with the interrupt
 * (struct cpu, gic_is_v2), and from the first to the second in what is handed
 * on: the INTID in the lower half, 1020 and above for a spurious one, and
 * whatever else version 2 wants back.
 */
#define GIC_IS_V2 (UINT64_C(1) << 63)

static inline uint64_t gic_acknowledge(uint64_t is_v2)
{
	if (__builtin_expect(is_v2 != 0, 0)) {
		return gicv2_acknowledge();
	}
	uint64_t intid = READ_SYSREG(icc_iar1_el1);
	/* What the read does to the interrupt's state is done by then. */
	__asm__ volatile("dsb sy" : : : "memory");
	return intid;
}

static inline void gic_end(uint64_t interrupt)
{
	if (__builtin_expect((interrupt & GIC_IS_V2) != 0, 0)) {
		gicv2_end(interrupt);
		return;
	}
	WRITE_SYSREG(icc_eoir1_el1, interrupt);
	isb();
}

#endif
