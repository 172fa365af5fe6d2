/* SPDX-License-Identifier: MIT */
/*
 * A thread of the highest priority that sleeps until given ticks and records
 * how late it woke. The measuring instrument of the latency programs, and what
 * interrupts a call at a chosen instruction in the functional ones.
 */
#ifndef PROGRAMS_PROBE_H
#define PROGRAMS_PROBE_H

#include "lib/common.h"
#include "lib/samples.h"

#include <kernel/sync.h>

/* When to wake: wake-up i is due at first + i * period + [0, dither) ticks. */
struct schedule {
	uint64_t first, period, dither;
	uint64_t count;
};

struct probe {
	struct thread *thread;
	struct completion go, done;
	struct prng prng;
	struct schedule schedule;

	/* Called at every wake-up, after the clock was read; or NULL. */
	void (*woken)(void *argument);
	void *argument;

	struct samples samples;
	uint64_t missed; /* woke after the next expiry */
	bool stop, quit; /* set by others, read at each wake-up */
};

/* Starts the thread; room for `capacity` samples. */
void probe_init(struct probe *probe, uint32_t capacity);

/* Lets it run a schedule; returns when it sleeps for the first time. */
void probe_start(struct probe *probe, const struct schedule *schedule);

/* The schedule has run. Any context. */
bool probe_done(const struct probe *probe);

/* Waits until the schedule has run. */
void probe_wait(struct probe *probe);

/* Ends the schedule: what expires from now on is not recorded. Waits. */
void probe_stop(struct probe *probe);

/* Ends the thread. */
void probe_end(struct probe *probe);

/*
 * A start whose every instruction is known: sleeps until `tick`, to be woken by
 * the timer from an idle machine, then executes `pad` instructions, fewer than a
 * tick takes,
 * then call(argument). Runs with the same tick distances take the same path.
 */
void call_at_tick(uint64_t tick, uint64_t pad, void (*call)(void *),
		  void *argument);

/* Long enough to get from now to such a sleep. */
#define LEAD_NS 32768u

#endif
