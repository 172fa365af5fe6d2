/* SPDX-License-Identifier: MIT */
/*
 * The machine's hardware, as its ACPI tables or its device tree describe it,
 * and the interface of the drivers. struct machine is filled once at boot,
 * before the drivers start.
 */
#ifndef KERNEL_MACHINE_H
#define KERNEL_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#define MACHINE_MAX_CPUS 8

struct boot_info;

enum psci_conduit { PSCI_NONE, PSCI_HVC, PSCI_SMC };

struct machine {
	const char *tables; /* the source: "ACPI" or "device tree" */
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
/* Fills `machine` from the ACPI tables, or from the device tree if there are
 * none. Panics, with a message that says which part is wrong and why, if there
 * is neither or one is malformed. Called at boot, with the MMU on. */
void machine_read(const struct boot_info *info);

/* ---- dev/pl011.c ---- */
void pl011_init(uint64_t physical);
/* Writes as much as fits without waiting. Returns how much that was. Any
 * context. */
uint32_t pl011_write_some(const char *text, uint32_t length);
/* Waits until the last character is on the line. Any context. */
void pl011_flush(void);

/* ---- dev/gic.c ---- */
#define GIC_IPI 0 /* the INTID that gic_send_ipi() raises */

void gic_init(void); /* sets up the distributor; once */
/* Sets up the calling CPU's part, and enables its IPI. Each CPU calls it
 * once. */
void gic_cpu_init(void);
void gic_enable(uint32_t intid);
/* Interrupts the CPU of machine.mpidr[cpu], which must have called
 * gic_cpu_init(); it may be the calling CPU. The handler sees everything that
 * the caller wrote before. Any context. */
void gic_send_ipi(uint32_t cpu);

/* ---- dev/psci.c ---- */
_Noreturn void psci_system_off(void);
_Noreturn void psci_system_reset(void);
/* Makes a secure call for firmware, with x0 to x17 from `registers`, and stores
 * their values after the call there. Returns false, and makes no call, if the
 * machine does not have that conduit. */
bool psci_pass_on(enum psci_conduit conduit, uint64_t registers[18]);
/* Returns how many of these calls were not PSCI_VERSION or PSCI_FEATURES. */
uint64_t psci_passed_on(void);
/* Returns whether the secure world has services that firmware may call at run
 * time, as far as its version calls tell. */
bool psci_has_services(void);
void secure_call_hvc(uint64_t registers[18]);
void secure_call_smc(uint64_t registers[18]);
/*
 * Starts the CPU of `mpidr` at a physical address, with the MMU off, all
 * exceptions masked and `context` in x0; at EL2 if the boot CPU was entered at
 * EL2. Returns PSCI's status: 0, or a negative number, also if there is no
 * PSCI. Success does not mean that the CPU runs yet: it must report that
 * itself.
 */
int64_t psci_cpu_on(uint64_t mpidr, uint64_t entry_physical, uint64_t context);
/* Returns PSCI's name of a status; "UNKNOWN" if PSCI does not define it. */
const char *psci_status_name(int64_t status);

#endif
