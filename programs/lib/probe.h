/* SPDX-License-Identifier: MIT */
/*
 * A thread of the highest priority that sleeps until given ticks and records
 * how late it woke. It is the measuring instrument of the latency programs;
 * functional programs use it to interrupt a call at a chosen instruction.
 */
#ifndef PROGRAMS_PROBE_H
#define PROGRAMS_PROBE_H

#include "lib/common.h"
#include "lib/samples.h"

#include <kernel/sync.h>

/* Wake-up i is due at first + i * period + [0, dither) ticks. */
struct schedule {
	uint64_t first, period, dither;
	uint64_t count;
};

struct probe {
	struct thread *thread;
	struct completion go, done;
	struct prng prng;
	struct schedule schedule;

	/* Called at every wake-up, after the clock was read. May be NULL. */
	void (*woken)(void *argument);
	void *argument;

	struct samples samples;
	uint64_t missed; /* woke after the next expiry */
	bool stop, quit; /* set by others, read at each wake-up */
};

/* Starts the thread, with room for `capacity` samples. */
void probe_init(struct probe *probe, uint32_t capacity);

/* Starts a schedule. Returns when the thread sleeps for the first time. */
void probe_start(struct probe *probe, const struct schedule *schedule);

/* Returns whether the schedule has ended. Any context. */
bool probe_done(const struct probe *probe);

/* Waits until the schedule has ended. */
void probe_wait(struct probe *probe);

/* Ends the schedule and waits for that. Later expiries are not recorded. */
void probe_stop(struct probe *probe);

/* Ends the thread. */
void probe_end(struct probe *probe);

/*
 * Calls a function after a start that executes the same instructions every
 * time: sleeps until `tick`, when the timer wakes it on an idle machine,
 * executes `pad` nops, fewer than a tick takes, and then call(argument). Runs
 * with the same distances in ticks take the same path.
 */
void call_at_tick(uint64_t tick, uint64_t pad, void (*call)(void *),
		  void *argument);

/* Enough time to reach such a sleep from now. */
#define LEAD_NS 32768u

#endif
