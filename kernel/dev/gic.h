/* SPDX-License-Identifier: MIT */
/*
 * The interface between gic.c, which the kernel calls, and the drivers for
 * GICv2 (IHI0048) and GICv3 (IHI0069), with the registers that both versions
 * have at the same offset.
 */
#ifndef KERNEL_DEV_GIC_H
#define KERNEL_DEV_GIC_H

#include "arch/cpu.h"
#include <kernel/machine.h>
#include <stddef.h>
#include <stdint.h>

/* These offsets are valid in a distributor and in a redistributor's second
 * frame. */
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

#define GIC_PRIORITY_MASK 0xf0 /* lets interrupts of a lower value through */

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

/* Returns the index of the calling CPU in machine.mpidr. */
uint32_t gic_cpu_index(void);
/* Returns how many blocks of 32 interrupts the distributor has. */
uint32_t gic_blocks(volatile uint8_t *distributor);
/* Disables the 32 interrupts of a block, clears their pending and active
 * states, and gives all of them the same priority. `base` is a distributor or,
 * for block 0, a redistributor's second frame. */
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
 * gic_cpu_mask() keeps all interrupts from this CPU, whatever its PSTATE is,
 * and returns the previous priority mask. gic_cpu_unmask() restores that mask.
 * The caller has masked interrupts; any context otherwise.
 */
uint64_t gic_cpu_mask(void);
void gic_cpu_unmask(uint64_t before);

/*
 * Every interrupt, and so every wake-up, runs these two functions, and the
 * number of instructions matters. Therefore the caller of gic_acknowledge()
 * passes the version of the controller (gic_is_v2 of struct cpu), and gic_end()
 * finds it in the value that gic_acknowledge() returned. The lower half of that
 * value is the INTID, which is 1020 or higher for a spurious interrupt. The
 * upper half has what GICv2 needs for the end of the interrupt.
 */
#define GIC_IS_V2 (UINT64_C(1) << 63)

static inline uint64_t gic_acknowledge(uint64_t is_v2)
{
	if (__builtin_expect(is_v2 != 0, 0)) {
		return gicv2_acknowledge();
	}
	uint64_t intid = READ_SYSREG(icc_iar1_el1);
	/* Wait until the read's effect on the interrupt's state is complete. */
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
