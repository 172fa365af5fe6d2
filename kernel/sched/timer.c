/* SPDX-License-Identifier: MIT */
/*
 * One-shot timers on the EL1 virtual timer (Arm ARM D11): a sorted list a CPU,
 * the compare register always at its head.
 */
#include "sched/sched.h"
#include <kernel/machine.h>

#define CTL_ENABLE 1u

__extension__ typedef unsigned __int128 uint128;

/* Guarded by the scheduler's lock. */
static struct list timers[MACHINE_MAX_CPUS];
static uint64_t hz;
/* ns = ticks * ns_per_tick >> 32, and back. */
static uint64_t ns_per_tick, ticks_per_ns;

uint64_t ticks_now(void)
{
	uint64_t ticks;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(ticks)::"memory");
	return ticks;
}

uint64_t ticks_hz(void)
{
	return hz;
}

/* value * factor >> 32, saturating. */
static uint64_t scale(uint64_t value, uint64_t factor)
{
	uint128 product = (uint128)value * factor >> 32;

	return product > UINT64_MAX ? UINT64_MAX : (uint64_t)product;
}

uint64_t ticks_to_ns(uint64_t ticks)
{
	return scale(ticks, ns_per_tick);
}

uint64_t ns_to_ticks(uint64_t ns)
{
	uint64_t ticks = scale(ns, ticks_per_ns);

	return ticks_to_ns(ticks) < ns ? ticks + 1 : ticks;
}

static void program(const struct list *list)
{
	if (list_empty(list)) {
		WRITE_SYSREG(cntv_ctl_el0, 0);
		return;
	}
	WRITE_SYSREG(cntv_cval_el0,
		     container_of(list->next, struct timer, node)->tick);
	WRITE_SYSREG(cntv_ctl_el0, CTL_ENABLE);
}

void timer_queue(struct timer *timer, uint64_t tick)
{
	struct list *list = &timers[this_cpu()->id];
	struct list *at = list->next;

	while (at != list &&
	       container_of(at, struct timer, node)->tick <= tick) {
		at = at->next;
	}
	timer->tick = tick;
	list_insert_before(at, &timer->node);
	if (list->next == &timer->node) {
		program(list);
	}
}

void timer_unqueue(struct timer *timer)
{
	/* A timer that fires later than asked is harmless: the interrupt finds
	 * nothing expired and programs the next. */
	if (!list_empty(&timer->node)) {
		list_remove_init(&timer->node);
	}
}

void timer_start(struct timer *timer, uint64_t tick,
		 void (*fire)(struct timer *timer))
{
	uint64_t daif = sched_lock();

	timer->fire = fire;
	timer_queue(timer, tick);
	sched_unlock(daif);
}

void timer_cancel(struct timer *timer)
{
	uint64_t daif = sched_lock();

	timer_unqueue(timer);
	sched_unlock(daif);
}

/* Out of line: the way to a thread's own is short. */
static __attribute__((noinline)) void call(struct timer *timer)
{
	struct thread *self = current_thread();

	/* On the interrupt stack, where nothing may switch: to whom it wakes,
	 * irq_exit() does. */
	self->preempt_disabled++;
	sched_unlock_masked();
	timer->fire(timer);
	sched_lock_masked();
	self->preempt_disabled--;
}

static void expire(struct timer *timer)
{
	list_remove_init(&timer->node);
	if (timer->fire != NULL) {
		call(timer);
	} else {
		/* A thread's own: its sleep, or its patience, is over. */
		struct thread *thread =
			container_of(timer, struct thread, timer);

		thread->timed_out = true;
		sched_wake(thread);
	}
}

void timer_interrupt(void)
{
	struct cpu *cpu = this_cpu();
	struct list *list = &timers[cpu->id];
	uint64_t now = READ_SYSREG(cntvct_el0);

	cpu->timer_late = 0;
	sched_lock_masked();
	while (!list_empty(list)) {
		struct timer *timer =
			container_of(list->next, struct timer, node);

		if (timer->tick > now) {
			break;
		}
		if (now - timer->tick > cpu->timer_late) {
			cpu->timer_late = now - timer->tick;
		}
		expire(timer);
	}
	program(list);
	sched_unlock_masked();
}

void timer_init(void)
{
	hz = READ_SYSREG(cntfrq_el0);
	if (ns_per_tick == 0) {
		ns_per_tick = (1000000000ull << 32) / hz;
		ticks_per_ns = (hz << 32) / 1000000000ull;
	}
	list_init(&timers[this_cpu()->id]);
	program(&timers[this_cpu()->id]);
}
