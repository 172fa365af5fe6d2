/* SPDX-License-Identifier: MIT */
/*
 * The generic timer's counter, in ticks, and one-shot timers on it.
 */
#ifndef KERNEL_TIME_H
#define KERNEL_TIME_H

#include <kernel/list.h>
#include <stdbool.h>
#include <stdint.h>

/* The counter, ordered after what came before. Any context. */
uint64_t ticks_now(void);

/* Ticks a second. */
uint64_t ticks_hz(void);

uint64_t ticks_to_ns(uint64_t ticks);
uint64_t ns_to_ticks(uint64_t ns); /* rounded up, saturating */

/* The tick that comes so long after now. */
static inline uint64_t tick_after_ns(uint64_t ns)
{
	return ticks_now() + ns_to_ticks(ns);
}

/* Fires once, in the interrupt of the CPU that started it, interrupts off. One that
 * is soft makes way for the others: it fires up to ten milliseconds late rather than
 * within two microseconds of one. */
struct timer {
	struct list node;
	uint64_t tick;
	void (*fire)(struct timer *timer);
	bool soft;
};

/* A timer in the past fires at once. Any context. */
void timer_start(struct timer *timer, uint64_t tick,
		 void (*fire)(struct timer *timer));
/* The same on another CPU, by its number, which is online. */
void timer_start_on(struct timer *timer, uint64_t tick,
		    void (*fire)(struct timer *timer), uint32_t cpu);
/* To another CPU, if it has not fired yet. */
void timer_move(struct timer *timer, uint32_t cpu);
/* Of a timer that was started once: on return it will not fire, and is not
 * firing on this CPU. Any context. */
void timer_cancel(struct timer *timer);
/* And on no other. Threads. */
void timer_end(struct timer *timer);

#endif
