/* SPDX-License-Identifier: MIT */
/*
 * On which CPUs the worker may go on while a call of firmware's lasts. In a process
 * firmware makes no secure call and takes no interrupt, so it waits for nothing that
 * arrives at one CPU. What it can tell is the CPU's model: the kernel answers MIDR and
 * REVIDR for the CPU that asks (MPIDR has one answer on all CPUs). So a call may
 * move between CPUs of one model; then no thread that is busy on one of them can
 * hold it up.
 */
#ifndef PIN_H
#define PIN_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#define PIN_CPUS "/sys/devices/system/cpu"

struct pin {
	/* MIDR, and REVIDR below; 0: not known. */
	uint64_t model[CPU_SETSIZE];
	bool one_model; /* all CPUs that the machine has, also those offline */
	bool one_cpu; /* a call stays on the CPU on which it began */
};

/* Reads each CPU's model from the directory; one_cpu is the caller's. */
void pin_read(struct pin *pin, const char *directory);

/* Whether a call may move at all, wherever its thread may run. */
static inline bool pin_is_free(const struct pin *pin)
{
	return pin->one_model && !pin->one_cpu;
}

/* Of the CPUs in `from`, those on which a call that begins on `cpu` may go on. */
void pin_choose(const struct pin *pin, int cpu, const cpu_set_t *from,
		cpu_set_t *to);

#endif
