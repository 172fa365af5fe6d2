/* SPDX-License-Identifier: MIT */
/*
 * The signs of life that systemd's watchdog wants. They are given while firmware's
 * queue makes progress, and while its worker wants to run and does not get a CPU: to
 * end a daemon for that would make nothing better.
 */
#ifndef LIFE_H
#define LIFE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct cz_host;

/* The worker, as it was at one moment. */
struct life_look {
	uint64_t completed; /* calls, since the start */
	uint64_t ran_ns; /* how long it has run, since the start */
	bool is_runnable; /* see life_is_runnable() */
};

/* The look at which a call had ended last. */
struct life {
	uint64_t completed, ran_ns;
};

/*
 * Whether a thread runs or waits for a CPU, by its line in /proc. The state is behind
 * the name, which is in parentheses and may hold any characters. A thread that waits
 * for a lock of a real-time kernel's is shown as D, and that lock's owner may be what
 * waits for a CPU.
 */
static inline bool life_is_runnable(const char *stat)
{
	const char *end = strrchr(stat, ')');

	return end != NULL &&
	       (strncmp(end, ") R ", 4) == 0 || strncmp(end, ") D ", 4) == 0);
}

/*
 * Whether the worker is well: a call has ended since the last look, or the worker
 * wants to run and has run for less than limit_ns since then.
 */
static inline bool life_is_well(struct life *life, const struct life_look *look,
				uint64_t limit_ns)
{
	if (look->completed != life->completed) {
		life->completed = look->completed;
		life->ran_ns = look->ran_ns;
		return true;
	}
	return look->is_runnable && look->ran_ns - life->ran_ns < limit_ns;
}

/*
 * Starts a thread that says WATCHDOG=1 several times in each period_ns, as long as
 * the worker is well. Before the process is confined. An errno value.
 */
int life_start(struct cz_host *host, uint64_t period_ns);

#endif
