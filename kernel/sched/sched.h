/* SPDX-License-Identifier: MIT */
/*
 * The scheduler's internals: threads, run queues, and which thread waits for
 * which. One lock guards all of this, so that a chain of owners can be followed
 * without taking further locks. It is held with interrupts off, for a short,
 * bounded time.
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
	uint64_t sp; /* THREAD_SP; valid while the thread does not run */

	/* Guarded by sched_lock. */
	enum thread_state state;
	uint32_t priority; /* including what it inherits */
	uint32_t base_priority;
	struct cpu *cpu; /* on which it is ready, runs or ran last */
	uint64_t cpus_allowed; /* a bit for each CPU; ignored while pinned */
	struct list run_node;
	struct list *waiters; /* the list it waits in, or NULL */
	struct list wait_node; /* its node in that list */
	struct thread *boosts; /* this thread inherits its priority; or NULL */
	struct list boost_node; /* its node in boosts->boosters */
	struct list boosters; /* it inherits from these, most urgent first */
	struct timer timer; /* ends a wait or a sleep */
	bool timed_out;

	/* Only the thread itself changes these; the switch reads them. */
	struct space *space; /* the space that it has adopted, or NULL */
	bool fp_section;
	struct cpu *fp_cpu; /* the CPU that held its FP registers last */
	uint32_t migrate_disabled;
	uint32_t preempt_disabled;
	uint32_t need_resched; /* any CPU may set it while the thread runs */
	struct cz *firmware; /* the cz whose space the thread is in, or NULL */

	struct completion ended;
	const char *name;
	void *stack;
	struct fp_state fp;
};

_Static_assert(offsetof(struct thread, sp) == THREAD_SP, "thread");

extern struct cpu cpus[];

/* Returns the number of the highest bit set; `bits` must not be 0. */
static inline unsigned highest_bit(uint64_t bits)
{
	return 63u - (unsigned)__builtin_clzll(bits);
}

/* Returns the priority of the most urgent ready thread; 0 if none is ready. */
static inline unsigned run_queue_top(const struct run_queue *queue)
{
	return queue->ready == 0 ? 0 : highest_bit(queue->ready);
}

/* ---- the lock; interrupts are off from lock to unlock ---- */
extern uint32_t sched_lock_word;

/* Takes the lock after another CPU has released it. */
__attribute__((noinline, cold)) void sched_lock_contended(void);

/* Takes the lock; the caller has masked interrupts already. */
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

/* Makes a thread ready. The thread must be neither ready nor running. */
void sched_ready(struct thread *thread);

/* The run queue of the thread's CPU. sched_enqueue() inserts the thread there,
 * at the head or the tail of its priority, and sched_dequeue() removes it. */
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
	if (next == previous) { /* only the list's head is left */
		queue_of(thread)->ready &= ~(1ull << thread->priority);
	}
}

/*
 * Blocks the current thread until sched_wake() or until `tick`. The thread
 * waits in `list`, if that is not NULL, and lends its priority to `owner`, if
 * that is not NULL. Returns with the lock held; false if `tick` came first.
 */
bool sched_block(struct list *list, struct thread *owner, uint64_t tick);

/* Ends a thread's wait: removes the thread from its list, takes back the
 * priority that it lent, and makes it ready. */
void sched_wake(struct thread *thread);

/* Returns the most urgent thread that waits in the list, or NULL. */
struct thread *sched_first_waiter(const struct list *list);

/* Lends the priority of `thread`, which waits, to `owner` instead of the
 * present owner; to nobody if `owner` is NULL. */
void sched_lend(struct thread *thread, struct thread *owner);

/* Switches to the most urgent ready thread unless it is the current one. */
void schedule(void);

/* Switches if a reschedule was requested, and releases the lock. */
void sched_unlock_and_preempt(uint64_t daif);

/* ---- timer.c ---- */
void timer_init(void);
void timer_interrupt(void); /* interrupts off, lock not held */
void timer_changed(void); /* after an IPI; context as timer_interrupt() */
/* Queues a hard timer on this CPU; lock held. */
void timer_queue(struct timer *timer, uint64_t tick);
void timer_unqueue(struct timer *timer); /* lock held */

/* ---- fp.c ---- */
/* Switches the FP state on `cpu`, the caller's. place_switch() may already have
 * given `previous` to another CPU. */
void fp_switch(struct cpu *cpu, struct thread *previous, struct thread *next);
void fp_save(struct fp_state *to);
void fp_load(const struct fp_state *from);

/* ---- switch.S ---- */
void cpu_switch(struct thread *previous, struct thread *next);
void thread_trampoline(void);
void thread_started(void);

/* ---- place.c ---- */
/* Reconsiders the placement of the current thread, which is no longer pinned.
 * Only for when several CPUs are online. */
__attribute__((noinline, cold)) void sched_unpinned(void);

/* Turns the calling context into this CPU's idle thread. */
void sched_init(void);
/* Makes the calling CPU available for threads. */
void sched_online(void);
_Noreturn void sched_idle(void);

#endif
