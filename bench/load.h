/* SPDX-License-Identifier: MIT */
/*
 * What keeps the CPU busy while the meter measures: one system call's worth of
 * work after the other, by an ordinary process.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_MAX_BYTES 65536

/* The caller sets the first five; path may be NULL where no file is used. */
struct load {
	const char *phase; /* docs/formats.md */
	const char *path;
	size_t value_bytes;
	uint64_t calls; /* the most to make; UINT64_MAX: until stopped */
	uint64_t limit_ns; /* and for how long at most; UINT64_MAX likewise */

	bool (*call)(struct load *load);
	uint64_t number; /* of the call being made */
	int file; /* that stays open; or -1 */
};

/* In memory that the meter and the load's process share. */
struct progress {
	bool stop, ended;
	uint64_t calls, total_ns, max_ns;
};

/* False where the phase is unknown, or needs a path. */
bool load_init(struct load *load);

/* Until the calls are made or progress_stop() is called. Returns 0, or 1 after
 * a call that failed; errors go to stderr. */
int load_run(struct load *load, struct progress *progress);

void progress_stop(struct progress *progress);
bool progress_ended(const struct progress *progress);

/* CLOCK_MONOTONIC. */
uint64_t load_now_ns(void);

#endif
