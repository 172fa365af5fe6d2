/* SPDX-License-Identifier: MIT */
/*
 * Decides when the daemon sends a sign of life to systemd's watchdog. It does
 * while firmware's queue makes progress, and while the worker is ready to run
 * but gets no CPU: restarting the daemon would not help then.
 */
#ifndef LIFE_H
#define LIFE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct cz_host;

/* The worker's state at one moment. */
struct life_look {
	uint64_t completed; /* calls completed since the start */
	uint64_t ran_ns; /* CPU time since the start */
	bool is_runnable; /* see life_is_runnable() */
};

/* The values at the look that last saw a completed call. */
struct life {
	uint64_t completed, ran_ns;
};

/*
 * Returns whether a thread runs or waits for a CPU, according to its line in
 * /proc. The state follows the name, which is in parentheses and may contain
 * any characters. State D counts as well: a thread that waits for a lock of a
 * real-time kernel shows it, and the lock's owner may be waiting for a CPU.
 */
static inline bool life_is_runnable(const char *stat)
{
	const char *end = strrchr(stat, ')');

	return end != NULL &&
	       (strncmp(end, ") R ", 4) == 0 || strncmp(end, ") D ", 4) == 0);
}

/*
 * Returns whether the worker is well: a call has completed since the last look,
 * or the worker is ready to run and has used less than limit_ns of CPU time
 * since a call completed.
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
 * Starts a thread that sends WATCHDOG=1 several times in each period_ns while
 * the worker is well. Called before the process is confined. Returns 0 or an
 * errno value.
 */
int life_start(struct cz_host *host, uint64_t period_ns);

#endif
