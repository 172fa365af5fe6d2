/* SPDX-License-Identifier: MIT */
/*
 * The scheduler's inside: threads, run queues, and who waits for whom. One
 * lock guards all of it, so that a chain of owners is walked under one hold;
 * it is held with interrupts off and for a short, bounded time.
 */
#ifndef KERNEL_SCHED_SCHED_H
#define KERNEL_SCHED_SCHED_H

#include "arch/cpu.h"
#include <kernel/sync.h>
#include <kernel/thread.h>
#include <kernel/time.h>

struct cz;
struct space;

/* fp.c and switch.S share this layout. */
struct fp_state {
	uint64_t fpcr, fpsr;
	uint64_t v[64];
};

enum thread_state {
	THREAD_READY, /* on its run queue */
	THREAD_RUNNING, /* the current thread of its CPU */
	THREAD_BLOCKED,
	THREAD_DEAD,
};

struct thread {
	uint64_t sp; /* THREAD_SP; valid while it does not run */

	/* Guarded by sched_lock. */
	enum thread_state state;
	uint32_t priority; /* the present one */
	uint32_t base_priority;
	struct cpu *cpu; /* where it is ready, runs or ran last */
	uint64_t cpus_allowed; /* where it may run, unless it is pinned */
	struct list run_node;
	struct list *waiters; /* the list it waits in, or NULL */
	struct list wait_node; /* in it */
	struct thread *boosts; /* who inherits from it while it waits */
	struct list boost_node; /* in boosts->boosters */
	struct list boosters; /* who it inherits from, most urgent first */
	struct timer timer; /* ends a wait or a sleep */
	bool timed_out;

	/* The thread's own; read by the switch. */
	struct space *space; /* adopted, or NULL */
	bool fp_section;
	struct cpu *fp_cpu; /* which CPU saw its registers last */
	uint32_t migrate_disabled;
	uint32_t preempt_disabled;
	uint32_t need_resched; /* set by anyone for the running thread */
	struct cz *firmware; /* whose space it is in, or NULL */

	struct completion ended;
	const char *name;
	void *stack;
	struct fp_state fp;
};

_Static_assert(offsetof(struct thread, sp) == THREAD_SP, "thread");

extern struct cpu cpus[];

/* The number of the highest bit; `bits` is not 0. */
static inline unsigned highest_bit(uint64_t bits)
{
	return 63u - (unsigned)__builtin_clzll(bits);
}

/* The priority of the most urgent ready thread; 0 without one. */
static inline unsigned run_queue_top(const struct run_queue *queue)
{
	return queue->ready == 0 ? 0 : highest_bit(queue->ready);
}

/* ---- the lock; interrupts are off from lock to unlock ---- */
extern uint32_t sched_lock_word;

/* Waits for another CPU. */
__attribute__((noinline, cold)) void sched_lock_contended(void);

/* For those who have interrupts off already. */
static inline void sched_lock_masked(void)
{
	if (__atomic_exchange_n(&sched_lock_word, 1, __ATOMIC_ACQUIRE) != 0) {
		sched_lock_contended();
	}
}

static inline void sched_unlock_masked(void)
{
	__atomic_store_n(&sched_lock_word, 0, __ATOMIC_RELEASE);
}

static inline uint64_t sched_lock(void)
{
	uint64_t daif = irq_save();

	sched_lock_masked();
	return daif;
}

static inline void sched_unlock(uint64_t daif)
{
	sched_unlock_masked();
	irq_restore(daif);
}

/* ---- run queues and waiting; all with the lock held ---- */

/* Makes a thread that is neither ready nor running ready. */
void sched_ready(struct thread *thread);

/* Into the run queue of its CPU, behind or before its equals; and out. */
static inline struct run_queue *queue_of(const struct thread *thread)
{
	return &thread->cpu->queue;
}

static inline void sched_enqueue(struct thread *thread, bool at_head)
{
	struct run_queue *queue = queue_of(thread);
	struct list *list = &queue->queue[thread->priority];

	list_insert_before(at_head ? list->next : list, &thread->run_node);
	queue->ready |= 1ull << thread->priority;
}

static inline void sched_dequeue(struct thread *thread)
{
	struct list *next = thread->run_node.next;
	struct list *previous = thread->run_node.previous;

	next->previous = previous;
	previous->next = next;
	if (next == previous) { /* the head alone */
		queue_of(thread)->ready &= ~(1ull << thread->priority);
	}
}

/*
 * Puts the current thread to sleep in `list` (or in none), lending its priority
 * to `owner` (or to nobody), until sched_wake() or the tick. Returns with the
 * lock held; false when the time ran out.
 */
bool sched_block(struct list *list, struct thread *owner, uint64_t tick);

/* Ends a thread's wait: out of its list, its loan taken back, ready. */
void sched_wake(struct thread *thread);

/* The most urgent thread waiting in a list, or NULL. */
struct thread *sched_first_waiter(const struct list *list);

/* Lends `thread`, which waits, to another owner instead. */
void sched_lend(struct thread *thread, struct thread *owner);

/* Switches to the most urgent ready thread unless it is the current one. */
void schedule(void);

/* Switches if that was asked for, and leaves the lock. */
void sched_unlock_and_preempt(uint64_t daif);

/* ---- timer.c ---- */
void timer_init(void);
void timer_interrupt(void); /* interrupts off, lock not held */
void timer_changed(void); /* another CPU may have; likewise */
void timer_queue(struct timer *timer, uint64_t tick); /* not soft; lock held */
void timer_unqueue(struct timer *timer); /* lock held */

/* ---- fp.c ---- */
/* On `cpu`, the caller's; previous may be moving to another. */
void fp_switch(struct cpu *cpu, struct thread *previous, struct thread *next);
void fp_save(struct fp_state *to);
void fp_load(const struct fp_state *from);

/* ---- switch.S ---- */
void cpu_switch(struct thread *previous, struct thread *next);
void thread_trampoline(void);
void thread_started(void);

/* ---- place.c ---- */
/* The current thread is no longer pinned; several CPUs are online. */
__attribute__((noinline, cold)) void sched_unpinned(void);

/* Makes the present context this CPU's idle thread. */
void sched_init(void);
/* From now on this CPU runs threads. */
void sched_online(void);
_Noreturn void sched_idle(void);

#endif
