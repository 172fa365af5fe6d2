/* SPDX-License-Identifier: MIT */
/* The life of a thread: made, joined, asleep. */
#include "mm/internal.h"
#include "sched/sched.h"
#include <kernel/mm.h>
#include <kernel/print.h>

/* What cpu_switch() pops for a thread that has not run yet. */
struct first_frame {
	uint64_t x29, x30;
	uint64_t x19, x20;
	uint64_t rest[8];
};

struct thread *thread_create(const char *name, unsigned priority,
			     void (*entry)(void *), void *argument)
{
	struct thread *thread = kalloc(sizeof(*thread));
	struct first_frame *frame;
	uint64_t daif;

	ASSERT(priority < PRIORITY_COUNT);
	thread->name = name;
	thread->priority = priority;
	thread->base_priority = priority;
	thread->stack = stack_alloc();
	list_init(&thread->run_node);
	list_init(&thread->wait_node);
	list_init(&thread->boost_node);
	list_init(&thread->boosters);
	list_init(&thread->timer.node);
	completion_init(&thread->ended);

	frame = (struct first_frame *)thread->stack - 1;
	frame->x30 = (uint64_t)thread_trampoline;
	frame->x19 = (uint64_t)entry;
	frame->x20 = (uint64_t)argument;
	thread->sp = (uint64_t)frame;

	daif = sched_lock();
	thread->cpu = this_cpu();
	thread->cpus_allowed = current_thread()->cpus_allowed;
	sched_ready(thread);
	sched_unlock_and_preempt(daif);
	return thread;
}

/* The switch came here with the lock held and interrupts off. */
void thread_started(void)
{
	sched_unlock(0);
}

void thread_exit(void)
{
	struct thread *self = current_thread();

	ASSERT(self->space == NULL && !self->fp_section);
	ASSERT(self->preempt_disabled == 0);
	/* The joiner needs the lock to go on, which the switch away holds. */
	preempt_disable();
	completion_set(&self->ended);
	(void)sched_lock();
	if (self->cpu->fp_owner == self) {
		self->cpu->fp_owner = NULL;
	}
	self->state = THREAD_DEAD;
	schedule();
	panic("a dead thread runs");
}

void thread_join(struct thread *thread)
{
	completion_wait(&thread->ended, thread, FOREVER);
	for (;;) {
		uint64_t daif = sched_lock();
		bool dead = thread->state == THREAD_DEAD;

		sched_unlock(daif);
		if (dead) {
			break;
		}
		thread_yield();
	}
	stack_free(thread->stack);
	kfree(thread, sizeof(*thread));
}

void thread_sleep_until(uint64_t tick)
{
	uint64_t daif;

	if (ticks_now() >= tick) {
		return;
	}
	daif = sched_lock();
	sched_block(NULL, NULL, tick);
	sched_unlock(daif);
}
