/* SPDX-License-Identifier: MIT */
/*
 * What this machine has, found in its ACPI tables or its device tree. One
 * struct, filled once at boot before the drivers start.
 */
#ifndef KERNEL_MACHINE_H
#define KERNEL_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#define MACHINE_MAX_CPUS 8

struct boot_info;

enum psci_conduit { PSCI_NONE, PSCI_HVC, PSCI_SMC };

struct machine {
	const char *tables; /* what the rest was read from */
	uint32_t cpu_count; /* enabled CPUs, at most MACHINE_MAX_CPUS */
	uint32_t gic_version; /* 2 or 3 */
	uint32_t timer_irq; /* EL1 virtual timer, INTID */
	enum psci_conduit psci;
	uint64_t mpidr[MACHINE_MAX_CPUS]; /* affinity; [0] is the boot CPU */
	uint64_t gic_distributor;
	uint64_t gic_redistributor; /* version 3: first frame of the region */
	uint64_t gic_redistributor_size;
	uint64_t gic_cpu_interface; /* version 2 */
	uint64_t uart; /* PL011 */
};

extern struct machine machine;

/* ---- dev/machine.c ---- */
/* Fills `machine` from the ACPI tables, or else from the device tree. Where
 * there is neither, or one is malformed, panics with a message that says what
 * is wrong with which part. Boot, MMU on. */
void machine_read(const struct boot_info *info);

/* ---- dev/pl011.c ---- */
void pl011_init(uint64_t physical);
void pl011_write(const char *text, uint32_t length); /* any context */
/* What fits without waiting; how much that was. Any context. */
uint32_t pl011_write_some(const char *text, uint32_t length);
/* Waits until the last character is on the line. Any context. */
void pl011_flush(void);

/* ---- dev/gic.c ---- */
#define GIC_IPI 0 /* the INTID that gic_send_ipi() raises */

void gic_init(void); /* distributor; once */
/* What belongs to the calling CPU, and its IPI. Each CPU, once. */
void gic_cpu_init(void);
void gic_enable(uint32_t intid);
/* Interrupts the CPU of machine.mpidr[cpu], which has been through
 * gic_cpu_init(); it sees what was written before. May be the caller's own. Any
 * context. */
void gic_send_ipi(uint32_t cpu);

/* ---- dev/psci.c ---- */
_Noreturn void psci_system_off(void);
_Noreturn void psci_system_reset(void);
/* A call with x0..x17 in registers, and their values after it; false, and no call,
 * where the machine has not that conduit. */
bool psci_pass_on(enum psci_conduit conduit, uint64_t registers[18]);
/* How many of them were more than PSCI_VERSION and PSCI_FEATURES. */
uint64_t psci_passed_on(void);
/* Whether something there serves firmware at run time, as far as one can ask. */
bool psci_has_services(void);
void secure_call_hvc(uint64_t registers[18]);
void secure_call_smc(uint64_t registers[18]);
/*
 * Starts the CPU of `mpidr` at a physical address: MMU off, everything masked,
 * `context` in x0, at EL2 where the boot CPU was entered at EL2. PSCI's status: 0,
 * or negative, where there is no PSCI too. That the CPU runs is for it to say.
 */
int64_t psci_cpu_on(uint64_t mpidr, uint64_t entry_physical, uint64_t context);
/* In PSCI's words; "UNKNOWN" for what it does not define. */
const char *psci_status_name(int64_t status);

#endif
