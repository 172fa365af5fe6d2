/* SPDX-License-Identifier: MIT */
/*
 * The counter of the generic timer, in ticks, and one-shot timers that use it.
 */
#ifndef KERNEL_TIME_H
#define KERNEL_TIME_H

#include <kernel/list.h>
#include <stdbool.h>
#include <stdint.h>

/* Reads the counter, after all earlier instructions. Any context. */
uint64_t ticks_now(void);

/* Returns the number of ticks per second. */
uint64_t ticks_hz(void);

uint64_t ticks_to_ns(uint64_t ticks);
uint64_t ns_to_ticks(uint64_t ns); /* rounded up, saturating */

/* Returns the tick that is `ns` after now. */
static inline uint64_t tick_after_ns(uint64_t ns)
{
	return ticks_now() + ns_to_ticks(ns);
}

/* A timer that fires once, in an interrupt of the CPU on which it was started,
 * with interrupts off. A soft timer yields to hard ones: it fires up to ten
 * milliseconds late if that avoids firing within two microseconds of a hard
 * timer. */
struct timer {
	struct list node;
	uint64_t tick;
	void (*fire)(struct timer *timer);
	bool soft;
};

/* Starts a timer. If `tick` is in the past, it fires at once. Any context. */
void timer_start(struct timer *timer, uint64_t tick,
		 void (*fire)(struct timer *timer));
/* Starts a timer on the CPU of this number, which must be online. */
void timer_start_on(struct timer *timer, uint64_t tick,
		    void (*fire)(struct timer *timer), uint32_t cpu);
/* Moves a timer to another CPU if it has not fired yet. */
void timer_move(struct timer *timer, uint32_t cpu);
/* Stops a timer that was started at least once. On return it will not fire, and
 * its callback is not running on any CPU. Only threads may call this. */
void timer_end(struct timer *timer);

#endif
