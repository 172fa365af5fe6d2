/* SPDX-License-Identifier: MIT */
/*
 * The load on the CPU while the meter measures: an ordinary process that
 * repeats one action.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_MAX_BYTES 65536

/* The caller sets the first five members. path may be NULL if the phase uses no
 * file. */
struct load {
	const char *phase; /* as in docs/formats.md */
	const char *path;
	size_t value_bytes;
	uint64_t calls; /* maximum number; UINT64_MAX: until stopped */
	uint64_t limit_ns; /* maximum time; UINT64_MAX: until stopped */

	bool (*call)(struct load *load);
	uint64_t number; /* number of the current call */
	int file; /* a file that stays open, or -1 */
};

/* This is in memory that the meter and the load's process share. */
struct progress {
	bool stop, ended;
	uint64_t calls, total_ns, max_ns;
};

/* Prepares the load. Returns false if the phase is unknown or needs a path. */
bool load_init(struct load *load);

/* Runs the load until its limits are reached or progress_stop() is called.
 * Returns 0, or 1 if a call failed; errors go to stderr. */
int load_run(struct load *load, struct progress *progress);

void progress_stop(struct progress *progress);
bool progress_ended(const struct progress *progress);

/* Returns CLOCK_MONOTONIC. */
uint64_t load_now_ns(void);

#endif
