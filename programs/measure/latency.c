/* SPDX-License-Identifier: MIT */
/*
 * Measures wake-ups of a thread of the highest priority while a caller on the
 * same CPU keeps firmware busy. A seeded PRNG dithers the expiries, because a
 * fixed period would alias with deterministic work. The program measures in
 * windows, and prints its progress between them.
 */
#include "lib/probe.h"
#include "measure/load.h"

#include <kernel/print.h>
#include <kernel/thread.h>
#include <kernel/time.h>

#define WINDOWS 10
#define BLOCKING_PAUSE_INSTRUCTIONS 1300

static struct run {
	struct load load;
	struct probe probe;
	uint64_t rate_hz, period_ticks;
	uint64_t samples, max_calls; /* the run ends at either number */
	uint64_t calls, total_ticks, max_ticks;
} run;

static bool read_options(void)
{
	run.rate_hz = option_number("rate", 10000);
	run.samples = option_number("samples", 10000);
	run.max_calls = option_number("calls", UINT64_MAX);
	run.period_ticks = ticks_hz() / run.rate_hz;
	return load_init(&run.load, option_string("phase", "gettime"),
			 option_string("mode", path_name(path_queue())));
}

/*
 * Does other work for as long as the queue would take. Short calls without a
 * queue would otherwise be made ten times as often as with it, and each makes
 * QEMU discard its translations.
 */
static void pause_between_calls(void)
{
	uint64_t left = BLOCKING_PAUSE_INSTRUCTIONS / 2;

	if (run.load.path == PATH_BLOCKING) {
		__asm__ volatile("1: subs %0, %0, #1\n\tb.ne 1b"
				 : "+r"(left)
				 :
				 : "cc");
	}
}

/* Makes calls until the probe is done or `calls` more have been made. */
static void keep_calling(uint64_t calls)
{
	for (uint64_t i = 0; i < calls && !probe_done(&run.probe); i++) {
		uint64_t start, ticks;

		load_prepare(&run.load);
		pause_between_calls();
		start = ticks_now();
		load_call(&run.load);
		ticks = ticks_now() - start;
		run.calls++;
		run.total_ticks += ticks;
		if (ticks > run.max_ticks) {
			run.max_ticks = ticks;
		}
	}
}

static void window(uint64_t samples, uint64_t calls)
{
	const struct schedule schedule = {
		.first = ticks_now() + run.period_ticks,
		.period = run.period_ticks,
		.dither = run.period_ticks / 2,
		.count = samples,
	};

	probe_start(&run.probe, &schedule);
	if (run.load.phase == PHASE_IDLE) {
		probe_wait(&run.probe);
	} else {
		keep_calling(calls);
		probe_stop(&run.probe);
	}
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void measure(void)
{
	const struct samples *samples = &run.probe.samples;
	uint64_t samples_a_window = (run.samples + WINDOWS - 1) / WINDOWS;
	uint64_t calls_a_window = run.max_calls / WINDOWS + 1;

	while (samples->count < run.samples && run.calls < run.max_calls) {
		window(least(samples_a_window, run.samples - samples->count),
		       least(calls_a_window, run.max_calls - run.calls));
		if (run.max_calls != UINT64_MAX && run.calls != 0) {
			progress(run.calls, run.max_calls);
		} else {
			progress(samples->count, run.samples);
		}
	}
}

static void print_cell(void)
{
	struct load *load = &run.load;
	uint64_t mean = run.calls == 0 ? 0 : run.total_ticks / run.calls;

	kprintf("cell kind=dither mode=%s phase=%s rate_hz=%llu "
		"value_bytes=%zu samples=%u missed=%llu calls=%llu "
		"call_mean_ns=%llu call_max_ns=%llu masked_max_ns=%llu "
		"masked_mean_ns=%llu\n",
		path_name(load->path), phase_name(load->phase),
		(unsigned long long)run.rate_hz, load->value_bytes,
		run.probe.samples.count, (unsigned long long)run.probe.missed,
		(unsigned long long)run.calls,
		(unsigned long long)ticks_to_ns(mean),
		(unsigned long long)ticks_to_ns(run.max_ticks),
		(unsigned long long)load_masked_max_ns(load),
		(unsigned long long)load_masked_mean_ns());
	samples_print(&run.probe.samples);
	load_print_services();
}

PROGRAM(latency, "wake-up latency while firmware is called")
{
	if (!read_options()) {
		return EXIT_COULD_NOT_RUN;
	}
	probe_init(&run.probe, (uint32_t)run.samples);
	load_prepare(&run.load);
	load_call(&run.load);
	measure();
	probe_end(&run.probe);
	print_cell();
	return load_result(&run.load);
}
