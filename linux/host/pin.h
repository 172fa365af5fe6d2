/* SPDX-License-Identifier: MIT */
/*
 * On which CPUs the worker may continue while firmware executes a call. In a
 * process, firmware makes no secure call and takes no interrupt, so it never
 * waits for an event that arrives at one CPU. But it can see the CPU's model:
 * the kernel returns MIDR and REVIDR of the CPU that executes the read (MPIDR
 * reads the same on all CPUs). So a call may move between CPUs of one model.
 * Then a busy thread on one of them cannot delay it.
 */
#ifndef PIN_H
#define PIN_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#define PIN_CPUS "/sys/devices/system/cpu"

struct pin {
	/* MIDR in the upper half, REVIDR in the lower; 0: unknown. */
	uint64_t model[CPU_SETSIZE];
	bool one_model; /* all CPUs of the machine, offline ones too */
	bool one_cpu; /* a call stays on the CPU on which it began */
};

/* Reads each CPU's model from the directory. The caller sets one_cpu. */
void pin_read(struct pin *pin, const char *directory);

/* Returns whether a call may move to any CPU on which its thread may run. */
static inline bool pin_is_free(const struct pin *pin)
{
	return pin->one_model && !pin->one_cpu;
}

/* Sets `to` to the CPUs of `from` on which a call that begins on `cpu` may
 * continue. */
void pin_choose(const struct pin *pin, int cpu, const cpu_set_t *from,
		cpu_set_t *to);

#endif
