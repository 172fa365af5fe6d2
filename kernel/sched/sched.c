/* SPDX-License-Identifier: MIT */
/*
 * The core of the scheduler: the lock, the run queues, switching, and priority
 * inheritance along chains of owners.
 */
#include "sched/sched.h"
#include "mm/internal.h"
#include "sched/place.h"
#include <kernel/machine.h>
#include <kernel/print.h>

/* A chain of owners that is longer than this must be a cycle. */
#define MAX_CHAIN 64

struct cpu cpus[MACHINE_MAX_CPUS];

uint32_t sched_lock_word;
/* Guarded by the lock. */
static struct thread idle_threads[MACHINE_MAX_CPUS];

void sched_lock_contended(void)
{
	do {
		while (__atomic_load_n(&sched_lock_word, __ATOMIC_RELAXED) !=
		       0) {
			__asm__ volatile("yield");
		}
	} while (__atomic_exchange_n(&sched_lock_word, 1, __ATOMIC_ACQUIRE) !=
		 0);
}

/* Enqueues a thread, and requests a reschedule if it should run at once. */
static void make_ready(struct thread *thread)
{
	struct thread *self = current_thread();

	if (!thread->cpu->alone) {
		place_ready(thread, false);
		return;
	}
	sched_enqueue(thread, false);
	if (thread->priority > self->priority) {
		self->need_resched = 1;
	}
}

void sched_ready(struct thread *thread)
{
	thread->state = THREAD_READY;
	make_ready(thread);
}

/* Keeps the list sorted by priority, in order of arrival among equals. */
static void insert_waiter(struct list *list, struct thread *thread)
{
	struct list *at = list->next;

	while (at != list &&
	       container_of(at, struct thread, wait_node)->priority >=
		       thread->priority) {
		at = at->next;
	}
	list_insert_before(at, &thread->wait_node);
}

static void insert_booster(struct thread *owner, struct thread *thread)
{
	struct list *at = owner->boosters.next;

	while (at != &owner->boosters &&
	       container_of(at, struct thread, boost_node)->priority >=
		       thread->priority) {
		at = at->next;
	}
	list_insert_before(at, &thread->boost_node);
}

static uint32_t inherited_priority(const struct thread *thread)
{
	uint32_t priority = thread->base_priority;

	if (!list_empty(&thread->boosters)) {
		const struct thread *first = container_of(
			thread->boosters.next, struct thread, boost_node);

		if (first->priority > priority) {
			priority = first->priority;
		}
	}
	return priority;
}

/* Requests a reschedule if the running thread, whose priority has changed,
 * should no longer run. */
static void check_running(struct thread *thread)
{
	if (!thread->cpu->alone) {
		place_reconsider(thread);
	} else if (run_queue_top(queue_of(thread)) > thread->priority) {
		thread->need_resched = 1;
	}
}

static void move_to_priority(struct thread *thread, uint32_t priority)
{
	switch (thread->state) {
	case THREAD_READY:
		sched_dequeue(thread);
		thread->priority = priority;
		make_ready(thread);
		break;
	case THREAD_RUNNING:
		thread->priority = priority;
		check_running(thread);
		break;
	default:
		thread->priority = priority;
		if (thread->waiters != NULL) {
			list_remove(&thread->wait_node);
			insert_waiter(thread->waiters, thread);
		}
		break;
	}
}

/* Gives the thread its new priority, and updates all threads that inherit from
 * it, directly or through others. */
static void propagate_from(struct thread *thread, uint32_t priority)
{
	for (unsigned i = 0; priority != thread->priority; i++) {
		if (i == MAX_CHAIN) {
			panic("deadlock: thread %s waits for itself",
			      thread->name);
		}
		move_to_priority(thread, priority);
		if (thread->boosts == NULL) {
			return;
		}
		list_remove(&thread->boost_node);
		insert_booster(thread->boosts, thread);
		thread = thread->boosts;
		priority = inherited_priority(thread);
	}
}

/* Recomputes the priority of a thread and of all threads that inherit from
 * it. */
static inline void propagate(struct thread *thread)
{
	uint32_t priority = inherited_priority(thread);

	if (priority != thread->priority) {
		propagate_from(thread, priority);
	}
}

static void take_loan_back(struct thread *thread)
{
	struct thread *owner = thread->boosts;

	if (owner != NULL) {
		thread->boosts = NULL;
		list_remove(&thread->boost_node);
		propagate(owner);
	}
}

void sched_lend(struct thread *thread, struct thread *owner)
{
	take_loan_back(thread);
	if (owner != NULL) {
		thread->boosts = owner;
		insert_booster(owner, thread);
		propagate(owner);
	}
}

bool sched_block(struct list *list, struct thread *owner, uint64_t tick)
{
	struct thread *self = current_thread();

	self->state = THREAD_BLOCKED;
	self->timed_out = false;
	self->waiters = list;
	if (list != NULL) {
		insert_waiter(list, self);
	}
	if (tick != FOREVER) {
		timer_queue(&self->timer, tick);
	}
	if (owner != NULL) {
		self->boosts = owner;
		insert_booster(owner, self);
		propagate(owner);
	}
	schedule();
	return !self->timed_out;
}

void sched_wake(struct thread *thread)
{
	if (thread->waiters != NULL) {
		list_remove(&thread->wait_node);
		thread->waiters = NULL;
	}
	timer_unqueue(&thread->timer);
	sched_ready(thread);
	take_loan_back(thread);
}

struct thread *sched_first_waiter(const struct list *list)
{
	if (list_empty(list)) {
		return NULL;
	}
	return container_of(list->next, struct thread, wait_node);
}

/* Removes and returns the first thread of priority `top`, which must exist. */
static inline struct thread *take_first(struct run_queue *queue, unsigned top)
{
	struct list *head = &queue->queue[top];
	struct list *first = head->next, *next = first->next;

	head->next = next;
	next->previous = head;
	if (next == head) {
		queue->ready &= ~(1ull << top);
	}
	return container_of(first, struct thread, run_node);
}

/* Returns the most urgent among the ready threads and, if it is still running,
 * `self`. A ready thread is removed from its queue. */
static inline struct thread *pick(struct cpu *cpu, struct thread *self,
				  bool yielding)
{
	struct run_queue *queue = &cpu->queue;
	unsigned top;

	if (queue->ready == 0) {
		return self->state == THREAD_RUNNING ? self : cpu->idle;
	}
	top = highest_bit(queue->ready);
	if (self->state == THREAD_RUNNING &&
	    (self->priority > top || (self->priority == top && !yielding))) {
		return self;
	}
	return take_first(queue, top);
}

static inline void switch_to(struct cpu *cpu, struct thread *self,
			     struct thread *next)
{
	cpu->current = next;
	next->state = THREAD_RUNNING;
	fp_switch(cpu, self, next);
	space_switch(self->space, next->space);
	cpu_switch(self, next);
}

/* The part of schedule() and thread_yield() for when other CPUs are online. */
static __attribute__((noinline, cold)) void
schedule_several(struct cpu *cpu, struct thread *self, bool yielding)
{
	struct thread *next = place_pick(cpu, self, yielding);

	self->need_resched = 0;
	if (next != self) {
		place_switch(cpu, self, next, !yielding);
		switch_to(cpu, self, next);
	}
}

static inline void schedule_here(bool yielding)
{
	struct thread *self = current_thread();
	struct cpu *cpu = self->cpu;
	struct thread *next;

	if (!cpu->alone) {
		schedule_several(cpu, self, yielding);
		return;
	}
	self->need_resched = 0;
	next = pick(cpu, self, yielding);
	if (next == self) {
		return;
	}
	if (self->state == THREAD_RUNNING) {
		self->state = THREAD_READY;
		if (self != cpu->idle) {
			sched_enqueue(self, !yielding);
		}
	}
	switch_to(cpu, self, next);
}

void schedule(void)
{
	schedule_here(false);
}

void sched_unlock_and_preempt(uint64_t daif)
{
	struct thread *self = current_thread();

	if (self->need_resched && self->preempt_disabled == 0) {
		schedule();
	}
	sched_unlock(daif);
}

void thread_yield(void)
{
	uint64_t daif = sched_lock();

	schedule_here(true);
	sched_unlock(daif);
}

void preempt_disable(void)
{
	current_thread()->preempt_disabled++;
	__asm__ volatile("" ::: "memory");
}

void preempt_enable(void)
{
	struct thread *self = current_thread();

	__asm__ volatile("" ::: "memory");
	if (--self->preempt_disabled == 0 &&
	    *(volatile uint32_t *)&self->need_resched) {
		sched_unlock_and_preempt(sched_lock());
	}
}

void thread_set_priority(struct thread *thread, unsigned priority)
{
	uint64_t daif = sched_lock();

	ASSERT(priority < PRIORITY_COUNT);
	thread->base_priority = priority;
	propagate(thread);
	sched_unlock_and_preempt(daif);
}

unsigned thread_priority(const struct thread *thread)
{
	return thread->priority;
}

void sched_init(void)
{
	struct cpu *cpu = this_cpu();
	struct thread *idle = &idle_threads[cpu->id];

	for (unsigned i = 0; i < PRIORITY_COUNT; i++) {
		list_init(&cpu->queue.queue[i]);
	}
	idle->state = THREAD_RUNNING;
	idle->name = "idle";
	idle->cpu = cpu;
	idle->cpus_allowed = ~0ull;
	list_init(&idle->boosters);
	list_init(&idle->timer.node);
	cpu->idle = idle;
	cpu->current = idle;
	WRITE_SYSREG(tpidrro_el0, idle);
}

void sched_online(void)
{
	uint64_t daif = sched_lock();

	place_online(this_cpu());
	sched_unlock_and_preempt(daif);
}

void sched_idle(void)
{
	irq_enable();
	for (;;) {
		__asm__ volatile("wfi" ::: "memory");
	}
}
