/* SPDX-License-Identifier: MIT */
/*
 * Measures how long the n-th call takes, through the queue or raw. Both make
 * the same calls with the same data, so that two boots can be compared call by
 * call.
 */
#include "measure/load.h"

#include <kernel/mm.h>
#include <kernel/print.h>
#include <kernel/string.h>
#include <kernel/time.h>

#define WARM_UP_CALLS 2
#define FIGURES_PER_LINE 32
#define CALLS_PER_PROGRESS 10

static struct load load;
static uint64_t *durations; /* in ticks */

static bool read_options(void)
{
	const char *how = option_string("how", "queue");
	const char *service = option_string("service", "gettime");

	if (strcmp(how, "queue") == 0) {
		return load_init(&load, service, path_name(path_queue()));
	}
	if (strcmp(how, "raw") == 0) {
		return load_init(&load, service, path_name(PATH_BLOCKING));
	}
	kprintf("error: how is neither raw nor queue: %s\n", how);
	return false;
}

static void measure(uint64_t calls)
{
	for (uint64_t i = 0; i < WARM_UP_CALLS + calls; i++) {
		uint64_t ticks;

		load_prepare(&load);
		load_call_timed(&load, &ticks);
		if (i >= WARM_UP_CALLS) {
			durations[i - WARM_UP_CALLS] = ticks;
		}
		if (load.phase == PHASE_SETVARIABLE &&
		    i % CALLS_PER_PROGRESS == CALLS_PER_PROGRESS - 1) {
			progress(i + 1, WARM_UP_CALLS + calls);
		}
	}
}

static void print_durations(uint64_t calls)
{
	for (uint64_t i = 0; i < calls; i++) {
		bool last = i + 1 == calls || (i + 1) % FIGURES_PER_LINE == 0;

		if (i % FIGURES_PER_LINE == 0) {
			kprintf("cost service=%s how=%s value_bytes=%zu "
				"first=%llu ns=",
				phase_name(load.phase),
				load.path == PATH_BLOCKING
					? "raw"
					: path_name(load.path),
				load.value_bytes, (unsigned long long)i);
		}
		kprintf("%llu%s", (unsigned long long)ticks_to_ns(durations[i]),
			last ? "\n" : ",");
	}
}

PROGRAM(cost, "duration of the n-th call, through the queue or raw")
{
	uint64_t calls = option_number("calls", 20);
	uint64_t bytes = calls * sizeof(*durations);

	if (!read_options()) {
		return EXIT_COULD_NOT_RUN;
	}
	durations =
		phys_to_virt(pages_alloc((bytes + PAGE_SIZE - 1) / PAGE_SIZE));
	measure(calls);
	print_durations(calls);
	load_print_services();
	return load_result(&load);
}
