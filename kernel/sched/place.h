/* SPDX-License-Identifier: MIT */
/*
 * Between the scheduler and place.c, which it asks where several CPUs are
 * online (cpu->alone is false). All with the scheduler's lock held.
 */
#ifndef KERNEL_SCHED_PLACE_H
#define KERNEL_SCHED_PLACE_H

#include "sched/sched.h"

/* Out of the way of a CPU that is alone. */
#define PLACE __attribute__((noinline, cold))

/* Enqueues a thread that is ready on the CPU that suits it best, and asks for
 * what follows from that. */
PLACE void place_ready(struct thread *thread, bool at_head);

/* A running thread has become less urgent. */
PLACE void place_reconsider(struct thread *thread);

/* What `cpu`, the caller's, is to run: the current thread, its idle thread, or
 * one that was taken out of its queue. If the current thread goes on, has other
 * CPUs send what may go on here. */
PLACE struct thread *place_pick(struct cpu *cpu, struct thread *self,
				bool yielding);

/* `cpu`, the caller's, is about to switch: places `previous` where it can go
 * on, and has other CPUs send what may go on here. */
PLACE void place_switch(struct cpu *cpu, struct thread *previous,
			struct thread *next, bool at_head);

/* From now on threads are placed on this CPU too. */
void place_online(struct cpu *cpu);

#endif
