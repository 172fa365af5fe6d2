/* SPDX-License-Identifier: MIT */
/*
 * One-shot timers on the EL1 virtual timer (Arm ARM D11). Each CPU has two
 * sorted lists, of hard and of soft timers, and its compare register holds the
 * tick of the next interrupt. A soft timer waits while a hard timer is due
 * soon, so that it does not delay the thread that the hard timer wakes.
 */
#include "sched/sched.h"
#include <kernel/machine.h>

#define CTL_ENABLE 1u
#define SOFT_NS 2048 /* longer than the interrupt of any soft timer */
#define SOFT_MAX_DELAY_NS 10000000 /* hard timers delay a soft one no longer */
#define NEVER (UINT64_MAX / 2)

__extension__ typedef unsigned __int128 uint128;

static uint64_t hz;
/* Fixed-point factors: ns = ticks * ns_per_tick >> 32, and the reverse. */
static uint64_t ns_per_tick, ticks_per_ns;
static uint64_t soft_max_delay;

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

/* Returns value * factor >> 32, saturated. */
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

static inline uint64_t next_hard(const struct timer_queue *queue)
{
	return list_empty(&queue->hard) ? NEVER : first_of(&queue->hard)->tick;
}

/* Programs the next interrupt. The next hard timer is due at tick `hard`. A
 * soft timer gets its interrupt at `from` or later, and only if that is at
 * least queue->distance before `hard`. */
static inline void program(const struct timer_queue *queue, uint64_t hard,
			   uint64_t from)
{
	uint64_t soft = queue->soft_due > from ? queue->soft_due : from;

	WRITE_SYSREG(cntv_cval_el0,
		     soft + queue->distance <= hard ? soft : hard);
	WRITE_SYSREG(cntv_ctl_el0, CTL_ENABLE);
}

static void update_soft(struct timer_queue *queue)
{
	queue->soft_due = NEVER;
	queue->soft_latest = NEVER;
	if (!list_empty(&queue->soft)) {
		queue->soft_due = first_of(&queue->soft)->tick;
		queue->soft_latest = queue->soft_due + soft_max_delay;
	}
}

/* Inserts the timer into a list that is sorted by tick. */
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

void timer_queue(struct timer *timer, uint64_t tick)
{
	struct timer_queue *queue = &this_cpu()->timers;

	insert(&queue->hard, timer, tick);
	if (queue->hard.next == &timer->node) {
		program(queue, tick, 0);
	}
}

/* Inserts a hard or soft timer. Returns whether it is now the first of its
 * list. */
static bool insert_any(struct timer_queue *queue, struct timer *timer,
		       uint64_t tick)
{
	struct list *list = timer->soft ? &queue->soft : &queue->hard;

	insert(list, timer, tick);
	if (timer->soft) {
		update_soft(queue);
	}
	return list->next == &timer->node;
}

/* Queues the timer on a CPU. Only that CPU can write its compare register, so
 * another CPU gets an IPI. */
static void queue_on(struct timer *timer, uint64_t tick, uint32_t cpu)
{
	struct timer_queue *queue = &cpus[cpu].timers;

	if (!insert_any(queue, timer, tick)) {
		return;
	}
	if (cpu == this_cpu()->id) {
		program(queue, next_hard(queue), 0);
	} else {
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
		program(&cpu->timers, next_hard(&cpu->timers), 0);
		sched_unlock_masked();
	}
}

void timer_unqueue(struct timer *timer)
{
	/* The compare register may still hold this timer's tick. That is
	 * harmless: the interrupt finds no expired timer and programs the next
	 * one. */
	if (!list_empty(&timer->node)) {
		list_remove_init(&timer->node);
	}
}

void timer_start(struct timer *timer, uint64_t tick,
		 void (*fire)(struct timer *timer))
{
	uint64_t daif = sched_lock();

	timer->fire = fire;
	queue_on(timer, tick, this_cpu()->id);
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

	/* Its callback, on another CPU, may be starting it again. */
	do {
		uint64_t daif = sched_lock();

		timer_unqueue(timer);
		firing = is_firing(timer);
		sched_unlock(daif);
	} while (firing);
}

/* Out of line, to keep the path to a thread's own timer short. */
static __attribute__((noinline)) void run_callback(struct timer *timer)
{
	struct thread *self = current_thread();

	/* This runs on the interrupt stack, so the callback must not switch
	 * threads. irq_exit() switches to a thread that the callback wakes. */
	self->preempt_disabled++;
	this_cpu()->firing = timer;
	sched_unlock_masked();
	timer->fire(timer);
	sched_lock_masked();
	this_cpu()->firing = NULL;
	self->preempt_disabled--;
}

static inline void expire(struct timer *timer)
{
	list_remove_init(&timer->node);
	if (timer->fire != NULL) {
		run_callback(timer);
	} else {
		/* The timer is a thread's own: its sleep or its wait ends. */
		struct thread *thread =
			container_of(timer, struct thread, timer);

		thread->timed_out = true;
		sched_wake(thread);
	}
}

/* Runs the soft timers that have expired. Stops at one that a hard timer will
 * soon follow, unless it has been delayed for too long. */
static __attribute__((noinline)) void expire_soft(struct timer_queue *queue,
						  uint64_t now)
{
	while (!list_empty(&queue->soft)) {
		struct timer *soft = first_of(&queue->soft);

		if (soft->tick > now ||
		    (now + queue->distance > next_hard(queue) &&
		     now - soft->tick < soft_max_delay)) {
			break;
		}
		list_remove_init(&soft->node);
		run_callback(soft);
	}
	update_soft(queue);
}

void timer_interrupt(void)
{
	struct cpu *cpu = this_cpu();
	struct timer_queue *queue = &cpu->timers;
	uint64_t now = READ_SYSREG(cntvct_el0);
	uint64_t from = now;
	uint64_t hard;

	sched_lock_masked();
	hard = next_hard(queue);
	if (hard <= now) {
		cpu->timer_late = now - hard;
		/* Defer soft timers until the thread that this interrupt woke
		 * is running. */
		from += queue->distance;
		do {
			expire(first_of(&queue->hard));
			hard = next_hard(queue);
		} while (hard <= now);
	}
	if (from == now || now >= queue->soft_latest) {
		expire_soft(queue, now);
		hard = next_hard(queue);
	}
	program(queue, hard, from);
	sched_unlock_masked();
}

void timer_init(void)
{
	struct timer_queue *queue = &this_cpu()->timers;

	hz = READ_SYSREG(cntfrq_el0);
	if (ns_per_tick == 0) {
		ns_per_tick = (1000000000ull << 32) / hz;
		ticks_per_ns = (hz << 32) / 1000000000ull;
		soft_max_delay = ns_to_ticks(SOFT_MAX_DELAY_NS);
	}
	list_init(&queue->hard);
	list_init(&queue->soft);
	queue->distance = ns_to_ticks(SOFT_NS);
	update_soft(queue);
	program(queue, NEVER, 0);
}
