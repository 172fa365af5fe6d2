/* SPDX-License-Identifier: MIT */
/*
 * Driver for the GICv3 (IHI0069; the comments give the chapters). It uses
 * affinity routing. All interrupts are in non-secure group 1 at one priority,
 * and remain level or edge as firmware configured them. gicv3_enable() enables
 * a private interrupt for the calling CPU, and routes a shared one to it.
 */
#include "dev/gic.h"
#include <kernel/mm.h>
#include <kernel/print.h>

/* Distributor, 12.8 and 12.9. */
#define GICD_BYTES 0x10000
#define GICD_IROUTER(intid) (0x6000 + 8 * (size_t)(intid))
#define GICD_CTLR_RWP (1u << 31)
#define GICD_CTLR_ARE_NS (1u << 4)
/* The names of these bits depend on whether there is one security state or two;
 * the effect is the same. */
#define GICD_CTLR_GROUP1 ((1u << 1) | (1u << 0))

/* Redistributor, 12.10 and 12.11. It has two frames; four with virtual LPIs. */
#define GICR_FRAME 0x10000
#define GICR_CTLR 0x0000
#define GICR_TYPER 0x0008
#define GICR_WAKER 0x0014
#define GICR_SGI GICR_FRAME
#define GICR_CTLR_RWP (1u << 3)
#define GICR_TYPER_VLPIS (1u << 1)
#define GICR_TYPER_LAST (1u << 4)
#define GICR_WAKER_SLEEP (1u << 1)
#define GICR_WAKER_ASLEEP (1u << 2)

#define MAX_POLLS 1000000u

static volatile uint8_t *distributor;
static volatile uint8_t *redistributors;
static volatile uint8_t *redistributor[MACHINE_MAX_CPUS];

static void wait_clear(volatile uint8_t *base, size_t offset, uint32_t bits,
		       const char *what)
{
	for (uint32_t i = 0; (gic_read(base, offset) & bits) != 0; i++) {
		if (i == MAX_POLLS) {
			panic("gic: the %s does not become ready", what);
		}
	}
}

void gicv3_init(void)
{
	distributor = device_map(machine.gic_distributor, GICD_BYTES);
	redistributors = device_map(machine.gic_redistributor,
				    machine.gic_redistributor_size);
	gic_write(distributor, GIC_CTLR, 0);
	wait_clear(distributor, GIC_CTLR, GICD_CTLR_RWP, "distributor");

	/* Block 0 is private to each CPU: redistributor_init() sets it up. */
	uint32_t blocks = gic_blocks(distributor);
	for (uint32_t block = 1; block < blocks; block++) {
		gic_quiet(distributor, block);
		gic_write(distributor, GIC_IGROUPR(block), UINT32_MAX);
	}
	wait_clear(distributor, GIC_CTLR, GICD_CTLR_RWP, "distributor");
	gic_write(distributor, GIC_CTLR, GICD_CTLR_ARE_NS);
	wait_clear(distributor, GIC_CTLR, GICD_CTLR_RWP, "distributor");
	gic_write(distributor, GIC_CTLR, GICD_CTLR_ARE_NS | GICD_CTLR_GROUP1);
}

/* Returns the redistributor of the calling CPU. The region holds those of all
 * CPUs in any order. */
static volatile uint8_t *find_redistributor(void)
{
	uint64_t mpidr = READ_SYSREG(mpidr_el1);
	uint32_t affinity = (uint32_t)(mpidr & 0xffffff) |
			    (uint32_t)(mpidr >> 8 & 0xff000000);
	size_t offset = 0;

	while (offset + 2 * GICR_FRAME <= machine.gic_redistributor_size) {
		volatile uint8_t *frame = redistributors + offset;
		uint32_t type = gic_read(frame, GICR_TYPER);
		if (gic_read(frame, GICR_TYPER + 4) == affinity) {
			return frame;
		}
		if ((type & GICR_TYPER_LAST) != 0) {
			break;
		}
		offset += (type & GICR_TYPER_VLPIS) != 0 ? 4 * GICR_FRAME
							 : 2 * GICR_FRAME;
	}
	panic("gic: no redistributor for CPU %lx", mpidr & MPIDR_AFFINITY);
}

static void redistributor_init(volatile uint8_t *frame)
{
	volatile uint8_t *sgi = frame + GICR_SGI;

	/* Chapter 11: wake the redistributor and wait until it is awake. */
	gic_write(frame, GICR_WAKER,
		  gic_read(frame, GICR_WAKER) & ~GICR_WAKER_SLEEP);
	wait_clear(frame, GICR_WAKER, GICR_WAKER_ASLEEP, "redistributor");

	gic_quiet(sgi, 0);
	gic_write(sgi, GIC_IGROUPR(0), UINT32_MAX);
	wait_clear(frame, GICR_CTLR, GICR_CTLR_RWP, "redistributor");
}

/* Sets up the CPU interface (12.2): access by system registers, a single write
 * that both drops the priority and deactivates the interrupt, no
 * sub-priorities. */
static void cpu_interface_init(void)
{
	WRITE_SYSREG(icc_sre_el1, READ_SYSREG(icc_sre_el1) | 1);
	isb();
	if ((READ_SYSREG(icc_sre_el1) & 1) == 0) {
		panic("gic: no system register interface");
	}
	WRITE_SYSREG(icc_pmr_el1, GIC_PRIORITY_MASK);
	WRITE_SYSREG(icc_bpr1_el1, 0);
	WRITE_SYSREG(icc_ctlr_el1, 0);
	WRITE_SYSREG(icc_igrpen1_el1, 1);
	isb();
}

void gicv3_cpu_init(void)
{
	volatile uint8_t *frame = find_redistributor();

	redistributor[gic_cpu_index()] = frame;
	redistributor_init(frame);
	cpu_interface_init();
}

void gicv3_enable(uint32_t intid)
{
	uint32_t bit = 1u << (intid % 32);

	if (intid < GIC_FIRST_SPI) {
		gic_write(redistributor[gic_cpu_index()] + GICR_SGI,
			  GIC_ISENABLER(0), bit);
	} else {
		*(volatile uint64_t *)(distributor + GICD_IROUTER(intid)) =
			READ_SYSREG(mpidr_el1) & MPIDR_AFFINITY;
		gic_write(distributor, GIC_ISENABLER(intid / 32), bit);
	}
}

/* ICC_SGI1R_EL1 (12.2) takes a cluster, and a bit mask of up to 16 CPUs in
 * it. */
void gicv3_send_ipi(uint32_t cpu)
{
	uint64_t mpidr = machine.mpidr[cpu];
	uint64_t value = (mpidr >> 32 & 0xff) << 48 | /* affinity 3 */
			 (mpidr >> 16 & 0xff) << 32 | /* 2 */
			 (mpidr >> 8 & 0xff) << 16 | /* 1 */
			 (mpidr >> 4 & 0xf) << 44 | /* range of affinity 0 */
			 UINT64_C(1) << (mpidr & 0xf) | (uint64_t)GIC_IPI << 24;

	WRITE_SYSREG(icc_sgi1r_el1, value);
	isb();
}

/* Sets the priority mask and returns the previous one. The CPU gets the
 * interrupts whose priority value is lower than the mask; with 0 it gets
 * none. */
uint64_t gicv3_mask(uint64_t priority)
{
	uint64_t before = READ_SYSREG(icc_pmr_el1);

	WRITE_SYSREG(icc_pmr_el1, priority);
	__asm__ volatile("dsb sy" : : : "memory");
	isb();
	return before;
}
