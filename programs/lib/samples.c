/* SPDX-License-Identifier: MIT */
/*
 * Keeps every sample of a measurement unchanged until the end. Recording one
 * costs a store; nothing is rounded or dropped. Prints them as a histogram.
 */
#include "lib/samples.h"

#include <kernel/mm.h>
#include <kernel/print.h>
#include <kernel/time.h>

#define PAIRS_PER_LINE 64

void samples_init(struct samples *samples, uint32_t capacity)
{
	uint64_t bytes = (uint64_t)capacity * sizeof(uint32_t);
	uint64_t pages = (bytes + PAGE_SIZE - 1) / PAGE_SIZE;
	uint64_t physical = pages_alloc(pages);

	if (physical == 0) {
		panic("no memory for %u samples", capacity);
	}
	samples->ticks = phys_to_virt(physical);
	samples->count = 0;
	samples->capacity = capacity;
}

void samples_add(struct samples *samples, uint64_t ticks)
{
	ASSERT(samples->count < samples->capacity);
	samples->ticks[samples->count++] =
		ticks < UINT32_MAX ? (uint32_t)ticks : UINT32_MAX;
}

uint64_t samples_max(const struct samples *samples)
{
	uint32_t max = 0;

	for (uint32_t i = 0; i < samples->count; i++) {
		if (samples->ticks[i] > max) {
			max = samples->ticks[i];
		}
	}
	return max;
}

static void sift_down(uint32_t *heap, uint32_t root, uint32_t count)
{
	for (;;) {
		uint32_t child = 2 * root + 1;
		uint32_t value = heap[root];

		if (child >= count) {
			return;
		}
		if (child + 1 < count && heap[child + 1] > heap[child]) {
			child++;
		}
		if (heap[child] <= value) {
			return;
		}
		heap[root] = heap[child];
		heap[child] = value;
		root = child;
	}
}

static void heap_sort(uint32_t *values, uint32_t count)
{
	for (uint32_t i = count / 2; i > 0; i--) {
		sift_down(values, i - 1, count);
	}
	for (uint32_t last = count; last > 1; last--) {
		uint32_t largest = values[0];

		values[0] = values[last - 1];
		values[last - 1] = largest;
		sift_down(values, 0, last - 1);
	}
}

void samples_print(struct samples *samples)
{
	uint32_t pairs = 0;
	uint32_t i = 0;

	heap_sort(samples->ticks, samples->count);
	while (i < samples->count) {
		uint32_t ticks = samples->ticks[i];
		uint32_t count = 0;

		while (i < samples->count && samples->ticks[i] == ticks) {
			count++;
			i++;
		}
		kprintf("%s %llu:%u", pairs == 0 ? "hist" : "",
			(unsigned long long)ticks_to_ns(ticks), count);
		if (++pairs == PAIRS_PER_LINE || i == samples->count) {
			kprintf("\n");
			pairs = 0;
		}
	}
}
