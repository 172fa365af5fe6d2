/* SPDX-License-Identifier: MIT */
/*
 * The exhaustive latency sweep: one expiry at every counter tick of a whole
 * call (or every 16 instructions where a tick is shorter), and one at every
 * instruction of both ends of the call, from just before it is submitted until
 * after it has returned. The caller starts from an idle machine at a known
 * tick, so that tick d of one run is tick d of the next.
 *
 * A SetVariable that writes changes the store, is never the same twice, and is
 * too slow for a hundred thousand calls. The program therefore sweeps every
 * tick of a SetVariable that finds its value already written, whose entry and
 * exit are the same code. Then it makes as many real writes as a boot can take.
 * Each has expiries SPACING_NS apart over its whole length, at a different
 * phase each time.
 */
#include "lib/probe.h"
#include "measure/load.h"

#include <kernel/print.h>
#include <kernel/thread.h>
#include <kernel/time.h>

#define CALIBRATION_RUNS 8
#define EDGE_NS 4096u
#define STEP_NS 16u
#define TAIL_NS 512 /* after the longest observed run */
#define SPACING_NS 2048u /* enough for a wake-up and going back to sleep */
#define LARGE_WRITES 48u /* real writes in one boot, at most */
#define SMALL_WRITES 192u /* the same for values of 64 bytes and less */
#define MAX_WRITE_NS (1u << 24)
#define MAX_SAMPLES (1u << 19)

static struct run {
	struct load load;
	struct probe probe;
	/* The number of this boot's part, and of all parts. */
	uint64_t part, parts;
	uint64_t calls, total_ticks, max_ticks;
} run;

static void call(void *argument)
{
	(void)argument;
	load_call(&run.load);
}

/* Makes one call that begins at a future tick, under a schedule whose `first`
 * counts from that tick. */
static uint64_t call_under(const struct schedule *schedule, uint64_t pad)
{
	struct schedule absolute = *schedule;
	uint64_t start, ticks;

	load_prepare(&run.load);
	start = tick_after_ns(LEAD_NS);
	absolute.first += start;
	if (schedule->count != 0) {
		probe_start(&run.probe, &absolute);
	}
	call_at_tick(start, pad, call, NULL);
	ticks = ticks_now() - start;
	run.calls++;
	run.total_ticks += ticks;
	if (ticks > run.max_ticks) {
		run.max_ticks = ticks;
	}
	return ticks;
}

/* Returns the length of the longest of some undisturbed calls. */
static uint64_t calibrate(void)
{
	const struct schedule none = {.count = 0};
	uint64_t longest = 0;

	for (int i = 0; i < CALIBRATION_RUNS; i++) {
		uint64_t ticks = call_under(&none, 0);

		if (ticks > longest) {
			longest = ticks;
		}
	}
	return longest + ns_to_ticks(TAIL_NS);
}

/* Returns whether the kernel and the library run at this tick, at either end of
 * a call. There every instruction is swept: `pad` nops in front make everything
 * that much later. */
static bool is_edge(uint64_t d, uint64_t length)
{
	uint64_t edge = ns_to_ticks(EDGE_NS);

	return d < edge || d + edge >= length;
}

static uint64_t step_at(uint64_t d, uint64_t length)
{
	return is_edge(d, length) ? 1 : ns_to_ticks(STEP_NS);
}

static void sweep_every_tick(void)
{
	uint64_t length = calibrate();
	uint64_t point = 0;

	for (uint64_t d = 0; d < length; d += step_at(d, length)) {
		const struct schedule one = {.first = d, .count = 1};
		unsigned pads = is_edge(d, length) ? tick_instructions() : 1;

		for (uint64_t pad = 0; pad < pads; pad++) {
			if (point++ % run.parts == run.part) {
				call_under(&one, pad);
				probe_wait(&run.probe);
			}
		}
		if (d % 256 == 255) {
			progress(d + 1, length);
		}
	}
}

/* Returns how many writes to make: enough for every phase once over all parts,
 * if a boot can take that many. */
static uint64_t count_writes(void)
{
	uint64_t most = run.load.value_bytes > 64 ? LARGE_WRITES : SMALL_WRITES;
	uint64_t phases = SPACING_NS / STEP_NS;
	uint64_t needed = (phases + run.parts - 1) / run.parts;

	return needed < most ? needed : most;
}

static void sweep_writes(void)
{
	uint64_t spacing = ns_to_ticks(SPACING_NS);
	uint64_t writes = count_writes();

	for (uint64_t i = 0; i < writes; i++) {
		uint64_t step = i * run.parts + run.part;
		const struct schedule train = {
			.first = step * spacing / (writes * run.parts),
			.period = spacing,
			.count = MAX_WRITE_NS / SPACING_NS,
		};

		call_under(&train, 0);
		probe_stop(&run.probe);
		if (i % 8 == 7) {
			progress(i + 1, writes);
		}
	}
}

/* Reads part=I/N. */
static bool read_part(void)
{
	const char *text = option_string("part", "0/1");
	uint64_t *into = &run.part;

	run.part = 0;
	run.parts = 0;
	for (; *text != '\0'; text++) {
		if (*text == '/' && into == &run.part) {
			into = &run.parts;
		} else if (*text >= '0' && *text <= '9' && *into < 10000) {
			*into = *into * 10 + (uint64_t)(*text - '0');
		} else {
			return false;
		}
	}
	return run.part < run.parts;
}

static void print_cell(void)
{
	struct load *load = &run.load;

	kprintf("cell kind=sweep mode=%s phase=%s rate_hz=0 value_bytes=%zu "
		"samples=%u missed=%llu calls=%llu call_mean_ns=%llu "
		"call_max_ns=%llu masked_max_ns=%llu "
		"masked_mean_ns=%llu\n",
		path_name(load->path), phase_name(load->phase),
		load->value_bytes, run.probe.samples.count,
		(unsigned long long)run.probe.missed,
		(unsigned long long)run.calls,
		(unsigned long long)ticks_to_ns(run.total_ticks / run.calls),
		(unsigned long long)ticks_to_ns(run.max_ticks),
		(unsigned long long)load_masked_max_ns(load),
		(unsigned long long)load_masked_mean_ns());
	samples_print(&run.probe.samples);
	load_print_services();
}

PROGRAM(latsweep, "wake-up latency at every tick of a call")
{
	if (!load_init(&run.load, option_string("phase", "gettime"),
		       option_string("mode", path_name(path_queue())))) {
		return EXIT_COULD_NOT_RUN;
	}
	if (!read_part()) {
		return could_not_run("part is not I/N with I below N");
	}
	probe_init(&run.probe, MAX_SAMPLES);
	run.load.same_value = true;
	sweep_every_tick();
	if (run.load.phase == PHASE_SETVARIABLE) {
		run.load.same_value = false;
		sweep_writes();
	}
	probe_end(&run.probe);
	print_cell();
	return load_result(&run.load);
}
