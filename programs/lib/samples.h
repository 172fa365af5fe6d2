/* SPDX-License-Identifier: MIT */
/*
 * Keeps every sample of a measurement unchanged until the end. Recording one
 * costs a store; nothing is rounded or dropped. Prints them as a histogram.
 */
#ifndef PROGRAMS_SAMPLES_H
#define PROGRAMS_SAMPLES_H

#include <stdint.h>

struct samples {
	uint32_t *ticks;
	uint32_t count, capacity;
};

/* Allocates room for `capacity` samples; panics when memory is exhausted. */
void samples_init(struct samples *samples, uint32_t capacity);

/* Adds a sample; panics when there is no room. */
void samples_add(struct samples *samples, uint64_t ticks);

/* Sorts the samples and prints `hist` lines (docs/formats.md). */
void samples_print(struct samples *samples);

/* Returns the largest sample in ticks, or 0 when there are none. */
uint64_t samples_max(const struct samples *samples);

#endif
