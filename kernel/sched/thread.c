/* SPDX-License-Identifier: MIT */
/* Creates, ends and joins threads, and puts them to sleep. */
#include "mm/internal.h"
#include "sched/sched.h"
#include <kernel/mm.h>
#include <kernel/print.h>

/* The stack frame that cpu_switch() pops when a thread runs for the first
 * time. */
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

/* The first switch to a new thread arrives here with the lock held and
 * interrupts off. */
void thread_started(void)
{
	sched_unlock(0);
}

void thread_exit(void)
{
	struct thread *self = current_thread();

	ASSERT(self->space == NULL && !self->fp_section);
	ASSERT(self->preempt_disabled == 0);
	/* The joiner polls for THREAD_DEAD and then frees this stack. It may be
	 * more urgent, so it must not preempt this thread before that. It needs
	 * the lock to see THREAD_DEAD, and the lock is held until the switch
	 * has left this stack. */
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
