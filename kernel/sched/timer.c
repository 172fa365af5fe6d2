/* SPDX-License-Identifier: MIT */
/*
 * One-shot timers on the EL1 virtual timer (Arm ARM D11): two sorted lists a CPU,
 * and the compare register always at what is next. Soft timers are next only while no
 * other's wake-up is near.
 */
#include "sched/sched.h"
#include <kernel/machine.h>

#define CTL_ENABLE 1u
#define SOFT_NS 2048 /* longer than any soft timer's interrupt */
#define SOFT_MOST_NS 10000000 /* that one is held up by others */
#define NEVER UINT64_MAX

__extension__ typedef unsigned __int128 uint128;

struct queue {
	struct list hard, soft;
};

/* Guarded by the scheduler's lock. */
static struct queue queues[MACHINE_MAX_CPUS];
static uint64_t hz;
/* ns = ticks * ns_per_tick >> 32, and back. */
static uint64_t ns_per_tick, ticks_per_ns;
static uint64_t soft_ticks, soft_most_ticks;

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

static inline struct timer *first_of(const struct list *list)
{
	return container_of(list->next, struct timer, node);
}

static inline uint64_t next_hard(const struct queue *queue)
{
	return list_empty(&queue->hard) ? NEVER : first_of(&queue->hard)->tick;
}

/* Whether a soft timer may fire at a tick: it would hold up no wake-up, or has waited
 * for long. */
static inline bool may_fire(const struct timer *soft, uint64_t at,
			    uint64_t hard)
{
	return at + soft_ticks <= hard ||
	       (at < hard && at - soft->tick >= soft_most_ticks);
}

/* No soft timer before `from`. */
static inline void program(const struct queue *queue, uint64_t from)
{
	uint64_t next = next_hard(queue);

	if (!list_empty(&queue->soft)) {
		const struct timer *soft = first_of(&queue->soft);
		uint64_t at = soft->tick > from ? soft->tick : from;

		next = may_fire(soft, at, next) ? at : next;
	}
	if (next == NEVER) {
		WRITE_SYSREG(cntv_ctl_el0, 0);
		return;
	}
	WRITE_SYSREG(cntv_cval_el0, next);
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

/* True when the timer is the first of its kind on that CPU. */
static inline bool queue_up(struct timer *timer, uint64_t tick, uint32_t cpu)
{
	struct queue *queue = &queues[cpu];
	struct list *list = timer->soft ? &queue->soft : &queue->hard;

	insert(list, timer, tick);
	return list->next == &timer->node;
}

void timer_queue(struct timer *timer, uint64_t tick)
{
	uint32_t cpu = this_cpu()->id;

	if (queue_up(timer, tick, cpu)) {
		program(&queues[cpu], 0);
	}
}

/* A CPU's compare register is its own to write. */
static void queue_on(struct timer *timer, uint64_t tick, uint32_t cpu)
{
	if (cpu == this_cpu()->id) {
		timer_queue(timer, tick);
	} else if (queue_up(timer, tick, cpu)) {
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
		program(&queues[cpu->id], 0);
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

/* With nobody to be held up. */
static __attribute__((noinline)) void expire_soft(struct queue *queue,
						  uint64_t now)
{
	while (!list_empty(&queue->soft)) {
		struct timer *soft = first_of(&queue->soft);

		if (soft->tick > now ||
		    !may_fire(soft, now, next_hard(queue))) {
			break;
		}
		expire(soft);
	}
}

void timer_interrupt(void)
{
	struct cpu *cpu = this_cpu();
	struct queue *queue = &queues[cpu->id];
	uint64_t now = READ_SYSREG(cntvct_el0);
	uint64_t from = now;

	cpu->timer_late = 0;
	sched_lock_masked();
	while (!list_empty(&queue->hard)) {
		struct timer *timer = first_of(&queue->hard);

		if (timer->tick > now) {
			break;
		}
		/* Not while whom this wakes is on its way. */
		from = now + soft_ticks;
		if (now - timer->tick > cpu->timer_late) {
			cpu->timer_late = now - timer->tick;
		}
		expire(timer);
	}
	if (from == now) {
		expire_soft(queue, now);
	}
	program(queue, from);
	sched_unlock_masked();
}

void timer_init(void)
{
	struct queue *queue = &queues[this_cpu()->id];

	hz = READ_SYSREG(cntfrq_el0);
	if (ns_per_tick == 0) {
		ns_per_tick = (1000000000ull << 32) / hz;
		ticks_per_ns = (hz << 32) / 1000000000ull;
		soft_ticks = ns_to_ticks(SOFT_NS);
		soft_most_ticks = ns_to_ticks(SOFT_MOST_NS);
	}
	list_init(&queue->hard);
	list_init(&queue->soft);
	program(queue, 0);
}
