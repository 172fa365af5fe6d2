/* SPDX-License-Identifier: MIT */
/* Brings CPUs up: the initialisation of the calling CPU, and the start of the
 * others. */
#ifndef KERNEL_ARCH_SMP_H
#define KERNEL_ARCH_SMP_H

#include "arch/cpu.h"

/* Sets up the calling CPU's struct cpu and its system registers. A CPU calls
 * this first after it has reached the link address. */
void cpu_init(struct cpu *cpu, uint32_t id);

/* Starts the calling CPU's interrupt controller and timer; from then on,
 * threads run on the CPU. */
void cpu_start_local(void);

/*
 * Starts the machine's other CPUs, as many as the option cpus=N allows. Logs a
 * warning for a CPU that does not come up; that CPU stays off. Call it from a
 * thread, since it sleeps.
 */
void smp_start(void);

/* The entry point in enter.S at which PSCI starts a CPU. CPU_ON's context
 * argument is the address of that CPU's struct cpu. */
extern char secondary_enter[];

#endif
