/* SPDX-License-Identifier: MIT */
/*
 * Threads with fixed priorities and full preemption. The most urgent ready
 * threads run, one on each CPU, as far as the CPUs that they may run on allow
 * it. A thread runs after another of the same priority only when that one
 * blocks or yields.
 */
#ifndef KERNEL_THREAD_H
#define KERNEL_THREAD_H

#include <kernel/list.h>
#include <stdbool.h>
#include <stdint.h>

#define PRIORITY_COUNT 64
#define PRIORITY_IDLE 0 /* only for idle threads */
#define PRIORITY_LOWEST 1
#define PRIORITY_NORMAL 20
#define PRIORITY_HIGHEST 63

struct thread;

/*
 * Creates a thread and makes it ready; it may run before this returns. Panics
 * if out of memory. Keeps the pointer to the name. May block.
 */
struct thread *thread_create(const char *name, unsigned priority,
			     void (*entry)(void *), void *argument);

/* Waits until the thread has ended, and frees it. Call it once per thread. */
void thread_join(struct thread *thread);

/* Ends the calling thread. A return from its entry function does the same. */
_Noreturn void thread_exit(void);

/* Lets a ready thread of the same priority run. */
void thread_yield(void);

/* Sleeps until the counter reaches `tick`; returns at once if it already
 * has. */
void thread_sleep_until(uint64_t tick);

/* Sets the thread's own priority. Inheritance may keep its present one
 * higher. */
void thread_set_priority(struct thread *thread, unsigned priority);

/* Returns the present priority, including inheritance. Any context. */
unsigned thread_priority(const struct thread *thread);

/* Between these calls the thread is not switched out. They nest. Any
 * context. */
void preempt_disable(void);
void preempt_enable(void);

/* Between these calls the thread stays on its CPU, but is preemptible. They
 * nest. */
void migrate_disable(void);
void migrate_enable(void);

/*
 * Sets the CPUs that a thread may run on; bit i stands for the CPU of
 * machine.mpidr[i]. A thread on another CPU moves at once or, if it is pinned,
 * as soon as it is not pinned any more. A new thread gets the set of its
 * creator. Returns false, and changes nothing, if none of the CPUs is online.
 */
bool thread_set_cpus(struct thread *thread, uint64_t allowed);

/* Return the CPUs that run threads, as a bit mask, and their number. */
uint64_t cpus_online(void);
uint32_t cpus_online_count(void);

/* Returns the number of the CPU that the thread is on, or was on last. */
uint32_t thread_cpu(const struct thread *thread);

/* Returns how often threads have moved to another CPU. */
uint64_t scheduler_migrations(void);

/*
 * Between these calls the thread may use FP/SIMD, and its registers survive
 * every switch. Elsewhere FP/SIMD instructions trap, and the kernel panics. The
 * calls do not nest.
 */
void fp_begin(void);
void fp_end(void);

#endif
