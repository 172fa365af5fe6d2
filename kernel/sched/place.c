/* SPDX-License-Identifier: MIT */
/*
 * Decides which CPU a thread runs on when several CPUs are online. The
 * scheduler's lock guards all of it. The invariant: no thread waits in a run
 * queue while a CPU that it may run on runs a less urgent thread. The hard case
 * is a thread that is bound to one CPU (it is pinned, or no other CPU is
 * allowed to it), while a more urgent thread, which could run elsewhere,
 * occupies that CPU. In this case the more urgent thread moves to another CPU.
 */
#include "sched/place.h"
#include <kernel/machine.h>

static uint64_t online; /* bit n: CPU n is online */
static uint64_t migrations;

/* Returns the first online CPU whose number is `id` or higher, or NULL. */
static struct cpu *online_from(uint32_t id)
{
	uint64_t left = online >> id;

	return left == 0 ? NULL : &cpus[id + (uint32_t)__builtin_ctzll(left)];
}

#define FOR_EACH_CPU(name)                                      \
	for (struct cpu *name = online_from(0); (name) != NULL; \
	     (name) = online_from((name)->id + 1))

static bool may_run_on(const struct thread *thread, const struct cpu *cpu)
{
	if (thread->migrate_disabled != 0) {
		return thread->cpu == cpu;
	}
	return (thread->cpus_allowed & online) >> cpu->id & 1;
}

/* Returns whether the thread can run only on its present CPU. */
static bool is_bound(const struct thread *thread)
{
	return thread->migrate_disabled != 0 ||
	       (thread->cpus_allowed & online) == 1ull << thread->cpu->id;
}

/* Returns the priority of the thread that the CPU runs or will run next. */
static unsigned cpu_priority(const struct cpu *cpu)
{
	const struct thread *current = cpu->current;
	unsigned ready = run_queue_top(&cpu->queue);

	if (current->state == THREAD_RUNNING && current->priority > ready) {
		return current->priority;
	}
	return ready;
}

/* Returns the CPU with the least urgent work that the thread may run on. Among
 * equals it prefers a CPU whose present thread is not pinned, and then the CPU
 * that the thread was on. */
static struct cpu *find_place(const struct thread *thread)
{
	struct cpu *best = thread->cpu;
	unsigned least = UINT32_MAX;

	FOR_EACH_CPU(cpu)
	{
		unsigned cost = cpu_priority(cpu) * 4 + (cpu != thread->cpu);

		if (cpu->current->migrate_disabled != 0) {
			cost += 2;
		}
		if (cost < least && may_run_on(thread, cpu)) {
			least = cost;
			best = cpu;
		}
	}
	return best;
}

/* Returns a CPU other than `but` that the thread may run on, and whose work is
 * less urgent than `priority`; NULL if there is none. */
static struct cpu *find_room(const struct thread *thread, unsigned priority,
			     const struct cpu *but)
{
	FOR_EACH_CPU(cpu)
	{
		if (cpu != but && cpu_priority(cpu) < priority &&
		    may_run_on(thread, cpu)) {
			return cpu;
		}
	}
	return NULL;
}

/* Searches the CPU's ready threads above `priority`, most urgent first. Returns
 * the first one for which `wanted` is true, or NULL. */
static struct thread *find_ready(struct cpu *cpu, unsigned priority,
				 bool (*wanted)(const struct thread *,
						const struct cpu *),
				 const struct cpu *argument)
{
	struct run_queue *queue = &cpu->queue;
	uint64_t left = queue->ready;

	for (unsigned top; left != 0 && (top = highest_bit(left)) > priority;
	     left &= ~(1ull << top)) {
		struct list *list = &queue->queue[top];

		for (struct list *at = list->next; at != list; at = at->next) {
			struct thread *thread =
				container_of(at, struct thread, run_node);

			if (wanted(thread, argument)) {
				return thread;
			}
		}
	}
	return NULL;
}

static bool bound_here(const struct thread *thread, const struct cpu *cpu)
{
	(void)cpu;
	return is_bound(thread);
}

/* Finds the most urgent ready thread that is bound to `cpu`. Returns it if
 * `running`, which occupies the CPU, could instead run on a CPU whose work is
 * less urgent than that bound thread; NULL otherwise. */
static struct thread *find_stranded(struct cpu *cpu,
				    const struct thread *running)
{
	struct thread *bound;

	if (cpu->queue.ready == 0 || running == cpu->idle ||
	    is_bound(running)) {
		return NULL;
	}
	bound = find_ready(cpu, PRIORITY_IDLE, bound_here, cpu);
	if (bound == NULL || bound == running ||
	    find_room(running, bound->priority, cpu) == NULL) {
		return NULL;
	}
	return bound;
}

static void ask_reschedule(struct cpu *cpu)
{
	cpu->current->need_resched = 1;
	if (cpu != this_cpu()) {
		gic_send_ipi(cpu->id);
	}
}

/* Requests a reschedule on the CPU if its current thread should not run on. */
static void settle(struct cpu *cpu)
{
	struct thread *current = cpu->current;

	if (current->state == THREAD_RUNNING &&
	    (run_queue_top(&cpu->queue) > current->priority ||
	     find_stranded(cpu, current) != NULL)) {
		ask_reschedule(cpu);
	}
}

static void move(struct thread *thread, struct cpu *cpu)
{
	if (thread->cpu != cpu) {
		thread->cpu = cpu;
		migrations++;
	}
}

static void enqueue_on(struct thread *thread, struct cpu *cpu, bool at_head)
{
	move(thread, cpu);
	sched_enqueue(thread, at_head);
	settle(cpu);
}

void place_ready(struct thread *thread, bool at_head)
{
	enqueue_on(thread, find_place(thread), at_head);
}

void place_reconsider(struct thread *thread)
{
	ask_reschedule(thread->cpu);
}

/* Returns `self` if it may continue here and nothing in the CPU's own run queue
 * is to run before it; otherwise the first thread of that queue, or the idle
 * thread. */
static struct thread *pick_own(struct cpu *cpu, struct thread *self,
			       bool yielding)
{
	unsigned top = run_queue_top(&cpu->queue);
	bool stays = self->state == THREAD_RUNNING && may_run_on(self, cpu) &&
		     self != cpu->idle;

	if (stays &&
	    (self->priority > top || (self->priority == top && !yielding))) {
		return self;
	}
	if (top == 0) {
		return cpu->idle;
	}
	return container_of(cpu->queue.queue[top].next, struct thread,
			    run_node);
}

/* Returns whether the thread may run on `here`, and its own CPU is not about to
 * run it anyway. */
static bool may_be_pulled(const struct thread *thread, const struct cpu *here)
{
	const struct cpu *cpu = thread->cpu;

	return may_run_on(thread, here) &&
	       (thread->priority <= cpu->current->priority ||
		cpu->queue.queue[thread->priority].next != &thread->run_node ||
		thread->priority < run_queue_top(&cpu->queue));
}

/* Returns the most urgent ready thread of the other CPUs that may run here and
 * is above `priority`; NULL if there is none. */
static struct thread *find_elsewhere(const struct cpu *here, unsigned priority)
{
	struct thread *best = NULL;

	FOR_EACH_CPU(cpu)
	{
		struct thread *thread = NULL;

		if (cpu != here) {
			thread = find_ready(cpu, priority, may_be_pulled, here);
		}
		if (thread != NULL) {
			best = thread;
			priority = thread->priority;
		}
	}
	return best;
}

/* This CPU is about to run a thread of `priority`. Another CPU may have a more
 * urgent thread that is bound there and is blocked by a running thread that
 * could move here. Asks such CPUs to reschedule. */
static void offer_room(struct cpu *here, unsigned priority)
{
	FOR_EACH_CPU(cpu)
	{
		const struct thread *bound;

		if (cpu == here || cpu->current->state != THREAD_RUNNING ||
		    !may_run_on(cpu->current, here)) {
			continue;
		}
		bound = find_stranded(cpu, cpu->current);
		if (bound != NULL && bound->priority > priority) {
			ask_reschedule(cpu);
		}
	}
}

struct thread *place_pick(struct cpu *cpu, struct thread *self, bool yielding)
{
	struct thread *next, *other;

	for (;;) {
		next = pick_own(cpu, self, yielding);
		other = find_stranded(cpu, next);
		if (other != NULL) {
			if (next == self) {
				/* place_switch() will move self away. */
				next = other;
				break;
			}
			sched_dequeue(next);
			place_ready(next, true);
			continue;
		}
		other = find_elsewhere(cpu, next->priority);
		if (other == NULL) {
			break;
		}
		sched_dequeue(other);
		move(other, cpu);
		sched_enqueue(other, true);
	}
	if (next == self) {
		/* The thread continues, but its priority may have dropped. */
		offer_room(cpu, self->priority);
	} else if (next != cpu->idle) {
		sched_dequeue(next);
	}
	return next;
}

void place_switch(struct cpu *cpu, struct thread *previous, struct thread *next,
		  bool at_head)
{
	cpu->current = next;
	next->state = THREAD_RUNNING;
	if (previous->state == THREAD_RUNNING) {
		previous->state = THREAD_READY;
		if (previous != cpu->idle) {
			place_ready(previous, at_head);
		}
	}
	offer_room(cpu, cpu_priority(cpu));
}

void place_online(struct cpu *cpu)
{
	online |= 1ull << cpu->id;
	FOR_EACH_CPU(each)
	{
		each->alone = (online & (online - 1)) == 0;
	}
	ask_reschedule(cpu);
}

/* ---- called by threads, without the lock ---- */

void sched_unpinned(void)
{
	uint64_t daif = sched_lock();
	struct thread *self = current_thread();

	if (!may_run_on(self, self->cpu)) {
		self->need_resched = 1;
	}
	settle(self->cpu);
	sched_unlock_and_preempt(daif);
}

bool thread_set_cpus(struct thread *thread, uint64_t allowed)
{
	uint64_t daif = sched_lock();
	bool possible = (allowed & online) != 0;

	if (possible) {
		thread->cpus_allowed = allowed;
	}
	if (possible && thread->state == THREAD_READY) {
		sched_dequeue(thread);
		place_ready(thread, false);
	} else if (possible && thread->state == THREAD_RUNNING) {
		ask_reschedule(thread->cpu);
	}
	sched_unlock_and_preempt(daif);
	return possible;
}

uint64_t cpus_online(void)
{
	return __atomic_load_n(&online, __ATOMIC_RELAXED);
}

uint32_t cpus_online_count(void)
{
	uint32_t count = 0;

	for (uint64_t left = cpus_online(); left != 0; left &= left - 1) {
		count++;
	}
	return count;
}

uint32_t thread_cpu(const struct thread *thread)
{
	return thread->cpu->id;
}

uint64_t scheduler_migrations(void)
{
	return __atomic_load_n(&migrations, __ATOMIC_RELAXED);
}
