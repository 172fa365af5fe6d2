/* SPDX-License-Identifier: MIT */
/* Bringing CPUs up: what each does for itself, and the others' start. */
#ifndef KERNEL_ARCH_SMP_H
#define KERNEL_ARCH_SMP_H

#include "arch/cpu.h"

/* A CPU's own block and registers: first thing at the link address. */
void cpu_init(struct cpu *cpu, uint32_t id);

/* Its interrupts and its clock; then threads run on it. */
void cpu_start_local(void);

/*
 * Starts the machine's other CPUs, as many as the option cpus=N allows. One that
 * does not come up is reported, and stays off. From a thread.
 */
void smp_start(void);

/* enter.S: where PSCI starts a CPU; the context is its struct cpu's address. */
extern char secondary_enter[];

#endif
