/* SPDX-License-Identifier: MIT */
/*
 * One-shot timers on the EL1 virtual timer (Arm ARM D11): a sorted list a CPU,
 * the compare register always at its head.
 */
#include "sched/sched.h"
#include <kernel/machine.h>

#define CTL_ENABLE 1u
#define SOFT_TICKS 128 /* longer than any soft timer's interrupt */

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

/* Into a list. */
static inline void insert(struct list *list, struct timer *timer, uint64_t tick)
{
	struct list *at = list->next;

	while (at != list &&
	       container_of(at, struct timer, node)->tick <= tick) {
		at = at->next;
	}
	timer->tick = tick;
	list_insert_before(at, &timer->node);
}

static inline struct timer *first_of(const struct list *list)
{
	return container_of(list->next, struct timer, node);
}

/* A soft timer is at the head, and its interrupt would hold up the next one's. */
static inline bool in_the_way(const struct list *list)
{
	const struct list *first = list->next;

	return first != list && first->next != list && first_of(list)->soft &&
	       first_of(first)->tick < first_of(list)->tick + SOFT_TICKS;
}

/* It goes behind those that are near. */
static __attribute__((noinline, cold)) void make_way(struct list *list)
{
	while (in_the_way(list)) {
		struct timer *soft = first_of(list);
		uint64_t next = first_of(&soft->node)->tick;

		list_remove(&soft->node);
		insert(list, soft, next + SOFT_TICKS);
	}
}

/* A soft timer at the head waits until whom the interrupt at `now` has woken is on its
 * way. */
static __attribute__((noinline, cold)) void postpone(struct list *list,
						     uint64_t now)
{
	struct timer *soft = first_of(list);

	if (soft->tick < now + SOFT_TICKS) {
		soft->tick = now + SOFT_TICKS;
	}
	make_way(list);
}

/* True when the timer is the first of its CPU's, or made it another. */
static inline bool queue(struct timer *timer, uint64_t tick, uint32_t cpu)
{
	struct list *list = &timers[cpu];

	insert(list, timer, tick);
	if (in_the_way(list)) {
		make_way(list);
		return true;
	}
	return list->next == &timer->node;
}

void timer_queue(struct timer *timer, uint64_t tick)
{
	uint32_t cpu = this_cpu()->id;

	if (queue(timer, tick, cpu)) {
		program(&timers[cpu]);
	}
}

/* A CPU's compare register is its own to write. */
static void queue_on(struct timer *timer, uint64_t tick, uint32_t cpu)
{
	if (cpu == this_cpu()->id) {
		timer_queue(timer, tick);
	} else if (queue(timer, tick, cpu)) {
		__atomic_store_n(&cpus[cpu].timer_changed, true,
				 __ATOMIC_RELEASE);
		gic_send_ipi(cpu);
	}
}

void timer_changed(void)
{
	struct cpu *cpu = this_cpu();

	if (__atomic_exchange_n(&cpu->timer_changed, false, __ATOMIC_ACQUIRE)) {
		sched_lock_masked();
		program(&timers[cpu->id]);
		sched_unlock_masked();
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

void timer_start_on(struct timer *timer, uint64_t tick,
		    void (*fire)(struct timer *timer), uint32_t cpu)
{
	uint64_t daif = sched_lock();

	timer->fire = fire;
	queue_on(timer, tick, cpu);
	sched_unlock(daif);
}

void timer_move(struct timer *timer, uint32_t cpu)
{
	uint64_t daif = sched_lock();

	if (!list_empty(&timer->node)) {
		list_remove_init(&timer->node);
		queue_on(timer, timer->tick, cpu);
	}
	sched_unlock(daif);
}

void timer_cancel(struct timer *timer)
{
	uint64_t daif = sched_lock();

	timer_unqueue(timer);
	sched_unlock(daif);
}

static bool is_firing(const struct timer *timer)
{
	for (uint32_t cpu = 0; cpu < MACHINE_MAX_CPUS; cpu++) {
		if (cpus[cpu].firing == timer) {
			return true;
		}
	}
	return false;
}

void timer_end(struct timer *timer)
{
	bool firing;

	/* It may be starting itself again. */
	do {
		uint64_t daif = sched_lock();

		timer_unqueue(timer);
		firing = is_firing(timer);
		sched_unlock(daif);
	} while (firing);
}

/* Out of line: the way to a thread's own is short. */
static __attribute__((noinline)) void call(struct timer *timer)
{
	struct thread *self = current_thread();

	/* On the interrupt stack, where nothing may switch: to whom it wakes,
	 * irq_exit() does. */
	self->preempt_disabled++;
	this_cpu()->firing = timer;
	sched_unlock_masked();
	timer->fire(timer);
	sched_lock_masked();
	this_cpu()->firing = NULL;
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
	bool any = false;

	cpu->timer_late = 0;
	sched_lock_masked();
	while (!list_empty(list)) {
		struct timer *timer = first_of(list);

		if (timer->tick > now) {
			break;
		}
		if (timer->soft && any) {
			postpone(list, now);
			continue;
		}
		any = true;
		if (now - timer->tick > cpu->timer_late) {
			cpu->timer_late = now - timer->tick;
		}
		expire(timer);
	}
	if (!list_empty(list) && first_of(list)->soft &&
	    (first_of(list)->tick < now + SOFT_TICKS || in_the_way(list))) {
		postpone(list, now);
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
