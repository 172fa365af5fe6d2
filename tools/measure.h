/* SPDX-License-Identifier: MIT */
/*
 * Measurements of the programs: the `cell`, `hist`, `cost` and `service` lines
 * of serial logs (docs/formats.md), added up over all boots of a run.
 */
#ifndef TOOLS_MEASURE_H
#define TOOLS_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define MAX_CELLS 256
#define MAX_COSTS 16
#define MAX_BINS 65536 /* of one histogram */
#define MAX_CALLS 4096 /* of one cost series */

#define NOT_MEASURED UINT64_MAX

enum mode {
	MODE_BLOCKING,
	MODE_DIRECT,
	MODE_SANDBOX,
	MODE_KERNEL,
	MODE_COUNT,
};

enum phase {
	PHASE_IDLE,
	PHASE_CONTROL,
	PHASE_GETTIME,
	PHASE_GETVARIABLE,
	PHASE_SETVARIABLE,
	PHASE_MASK,
	PHASE_COUNT,
};

/* How a call's cost was measured. */
enum way {
	WAY_RAW,
	WAY_DIRECT,
	WAY_SANDBOX,
	WAY_COUNT,
};

extern const char *const way_names[WAY_COUNT];
extern const char *const mode_names[MODE_COUNT];
extern const char *const phase_names[PHASE_COUNT];

struct bin {
	uint64_t ns;
	uint64_t count;
};

/* Bins ascend in ns; samples is the sum of their counts. */
struct histogram {
	struct bin *bins;
	size_t bin_count, room;
	uint64_t samples;
};

/* Adds `count` samples. Returns false if there is no room for another bin. */
bool histogram_add(struct histogram *histogram, uint64_t ns, uint64_t count);

/* Returns the percentile by the nearest-rank method: the least value that at
 * least per_mille thousandths of the samples do not exceed. Returns 0 if there
 * is no sample. */
uint64_t histogram_percentile(const struct histogram *histogram,
			      unsigned per_mille);

uint64_t histogram_max(const struct histogram *histogram);

/* The measurements of one kind, mode, phase, rate and value size. A sweep has
 * rate_hz 0. */
struct cell {
	bool sweep;
	enum mode mode;
	enum phase phase;
	uint64_t rate_hz, value_bytes;
	uint64_t missed, calls, call_total_ns, call_max_ns;
	/* The largest of all boots; NOT_MEASURED if no boot measured it. */
	uint64_t masked_max_ns, masked_mean_ns;
	struct histogram histogram;
};

/* The durations of calls 0, 1, …; 0 for a call that the logs do not have. */
struct cost {
	enum phase service;
	enum way way;
	uint64_t value_bytes;
	size_t calls;
	uint64_t *ns; /* MAX_CALLS of them */
};

/* What the sandbox has counted for a service. */
enum trap_figure {
	TRAP_CALLS,
	TRAP_MASK,
	TRAP_STATE,
	TRAP_IDENTIFICATION,
	TRAP_SYSTEM,
	TRAP_CACHE,
	TRAP_TRANSLATION,
	TRAP_WAIT,
	TRAP_TIMER,
	TRAP_SECURE_CALL,
	TRAP_ALIGNMENT,
	TRAP_MASKED_NS,
	TRAP_MASKED_MAX_NS, /* a maximum; the others are sums */
	TRAP_SECURE_CALLS, /* those that were passed on */
	TRAP_SECURE_NS,
	TRAP_FIGURE_COUNT,
};

extern const char *const trap_figure_names[TRAP_FIGURE_COUNT];

#define MAX_SERVICES 16
#define MAX_SERVICE_NAME 32

struct service {
	char name[MAX_SERVICE_NAME];
	uint64_t figures[TRAP_FIGURE_COUNT];
};

struct measurements {
	struct cell cells[MAX_CELLS];
	size_t cell_count;
	struct cost costs[MAX_COSTS];
	size_t cost_count;
	struct service services[MAX_SERVICES];
	size_t service_count;
};

/*
 * Adds the measurements in a serial log. On a malformed line, prints the name,
 * the line number and the error to stderr, and returns false. Skips lines of
 * other kinds.
 */
bool measurements_read(struct measurements *measurements, FILE *log,
		       const char *name);

void measurements_free(struct measurements *measurements);

/* Returns the cell, or NULL if it was not measured. A rate_hz of 0 means the
 * sweep. */
const struct cell *find_cell(const struct measurements *measurements,
			     enum mode mode, enum phase phase,
			     uint64_t rate_hz);

/* Returns the worst wake-up of a cell and of all sweeps of its mode and
 * phase. */
uint64_t worst_ns(const struct measurements *measurements,
		  const struct cell *cell);

/* Returns the series, or NULL if it was not measured. */
const struct cost *find_cost(const struct measurements *measurements,
			     enum phase service, enum way way);

/* Return the least and the mean duration of a series; NOT_MEASURED if it has no
 * calls. */
uint64_t cost_least(const struct cost *cost);
uint64_t cost_mean(const struct cost *cost);
uint64_t cost_most(const struct cost *cost);

#endif
