/* SPDX-License-Identifier: MIT */
/*
 * The interface between the scheduler and place.c, which the scheduler calls
 * while several CPUs are online (cpu->alone is false). Callers hold the
 * scheduler's lock.
 */
#ifndef KERNEL_SCHED_PLACE_H
#define KERNEL_SCHED_PLACE_H

#include "sched/sched.h"

/* Keeps this code off the fast path of a CPU that is alone. */
#define PLACE __attribute__((noinline, cold))

/* Enqueues a ready thread on the CPU that suits it best, and requests a
 * reschedule there if one is needed. */
PLACE void place_ready(struct thread *thread, bool at_head);

/* Has the thread's CPU reschedule, because the running thread's priority
 * changed. */
PLACE void place_reconsider(struct thread *thread);

/* Returns the thread that `cpu`, the caller's, is to run: the current thread,
 * the idle thread, or a thread that the function has removed from a run queue.
 * If the current thread continues, the function also asks other CPUs to move
 * threads here that block a bound thread there. */
PLACE struct thread *place_pick(struct cpu *cpu, struct thread *self,
				bool yielding);

/* Prepares a switch on `cpu`, the caller's: enqueues `previous` on a CPU where
 * it can continue, and asks other CPUs to move threads here that block a bound
 * thread there. */
PLACE void place_switch(struct cpu *cpu, struct thread *previous,
			struct thread *next, bool at_head);

/* Makes the CPU available for threads. */
void place_online(struct cpu *cpu);

#endif
