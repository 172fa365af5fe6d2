/* SPDX-License-Identifier: MIT */
/*
 * Threads: fixed priorities, fully preemptive. Of the ready threads the most
 * urgent run, one on each CPU, as far as their choice of CPUs allows; equals
 * run in turn only when one blocks or yields.
 */
#ifndef KERNEL_THREAD_H
#define KERNEL_THREAD_H

#include <kernel/list.h>
#include <stdbool.h>
#include <stdint.h>

#define PRIORITY_COUNT 64
#define PRIORITY_IDLE 0 /* the idle thread's own */
#define PRIORITY_LOWEST 1
#define PRIORITY_NORMAL 20
#define PRIORITY_HIGHEST 63

struct thread;

/*
 * Makes a thread and readies it; it may run before this returns. Never fails
 * (panics when out of memory). The name is kept by reference. May block.
 */
struct thread *thread_create(const char *name, unsigned priority,
			     void (*entry)(void *), void *argument);

/* Waits until the thread has ended, and frees it. Once per thread. */
void thread_join(struct thread *thread);

/* Ends the calling thread; returning from its entry does too. */
_Noreturn void thread_exit(void);

/* Lets an equal run. */
void thread_yield(void);

/* Sleeps until the counter reaches `tick`; returns at once if it has. */
void thread_sleep_until(uint64_t tick);

/* Own priority; inheritance may keep it running above. */
void thread_set_priority(struct thread *thread, unsigned priority);

/* The present priority, inheritance included. Any context. */
unsigned thread_priority(const struct thread *thread);

const char *thread_name(const struct thread *thread);

/* Between them the thread is not switched away from. Nest. Any context. */
void preempt_disable(void);
void preempt_enable(void);

/* Between them the thread stays on its CPU, preemptible. Nest. */
void migrate_disable(void);
void migrate_enable(void);

/*
 * Where a thread may run: bit i is the CPU of machine.mpidr[i]. A thread that
 * is elsewhere moves at once; one that is pinned, when it no longer is. A new
 * thread has its creator's. False, and nothing changes, when none of the CPUs
 * is online.
 */
bool thread_set_cpus(struct thread *thread, uint64_t allowed);

/* A bit for each CPU that runs threads; and how many those are. */
uint64_t cpus_online(void);
uint32_t cpus_online_count(void);

/* The number of the CPU that the thread is on, or was on last. */
uint32_t thread_cpu(const struct thread *thread);

/* How often a thread went to another CPU than it was on last. */
uint64_t scheduler_migrations(void);

/*
 * Between them the thread may use FP/SIMD; its registers survive every switch.
 * Outside, FP/SIMD traps and panics. Do not nest.
 */
void fp_begin(void);
void fp_end(void);

#endif
