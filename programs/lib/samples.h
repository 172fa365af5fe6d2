/* SPDX-License-Identifier: MIT */
/*
 * Every sample of a measurement, kept as it was until the end: recording one
 * costs a store, and nothing is rounded or dropped. Printed as a histogram.
 */
#ifndef PROGRAMS_SAMPLES_H
#define PROGRAMS_SAMPLES_H

#include <stdint.h>

struct samples {
	uint32_t *ticks;
	uint32_t count, capacity;
};

/* Room for `capacity` samples; panics when out of memory. */
void samples_init(struct samples *samples, uint32_t capacity);

/* Panics when full. */
void samples_add(struct samples *samples, uint64_t ticks);

/* Sorts, then prints `hist` lines (docs/formats.md). */
void samples_print(struct samples *samples);

/* The largest, in ticks; 0 when there are none. */
uint64_t samples_max(const struct samples *samples);

#endif
