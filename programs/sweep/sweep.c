/* SPDX-License-Identifier: MIT */
/*
 * Interrupts a service after k instructions, for every k over its whole length.
 * While the call waits, other threads disturb it as much as they can. Then the
 * program checks the call, the other threads' calls and the variable store.
 *
 * The caller starts from an idle machine at a known tick, and the probe
 * interrupts it d ticks later. The instructions in between are the same every
 * time, so d identifies one instruction; nops in front, fewer than a tick
 * takes, select the instructions within a tick. With several CPUs, d is only a
 * moment somewhere in the call: one probe on each CPU wakes at that moment, so
 * that no CPU is free for the call.
 */
#include "lib/probe.h"
#include "lib/swept_service.h"
#include "sweep/hostile.h"
#include "sweep/trace.h"

#include <kernel/ktap.h>
#include <kernel/machine.h>
#include <kernel/port.h>
#include <kernel/print.h>
#include <kernel/thread.h>
#include <kernel/time.h>

#define DEFAULT_VALUE_BYTES 64
#define POINTS 200
#define LIMIT_MS 1000
#define CALIBRATION_RUNS 3
/* In instructions; calls up to this length are swept at each of them. */
#define SHORT_CALL 5000u
#define MAX_WRONG 10 /* the program gives up after so many errors */
#define STORE_INTERVAL 8 /* points between checks of the other variables */
#define WRITE_INTERVAL 16 /* points between the other threads' writes */
#define MAX_TRACE 16384
#define MAX_TRIES 4
/* The search for the entry begins so long before the gate,. */
#define EARLY_NS 256
#define LATE_NS 4096 /* and ends so long after the call */
#define TAKEN_NS 4096 /* for how long the CPUs without the call are kept busy */

/* One for each CPU. */
struct interrupter {
	struct probe probe;
	unsigned cpu;
	unsigned interruptions; /* this point's */
};

static struct sweep {
	const struct swept_service *swept;
	struct arguments given;
	struct store store;
	struct interrupter interrupters[MACHINE_MAX_CPUS];
	unsigned cpus;
	struct prng prng;
	struct trace trace;
	/* A point identifies an instruction, or a moment of a long call. */
	bool counted;
	bool every;
	cz_status status, reference;
	/* Of undisturbed calls: the time from the start to the entry into
	 * firmware, and the shortest and longest time in firmware. */
	uint64_t enter_ns, length_ns, longest_ns;

	/* This point's. */
	enum hostile_write write;
	uint64_t preemptions_before, interrupts_before;
	bool released; /* the hostile threads have been released */
	bool preempted;
	bool handled; /* the library was working on behalf of firmware */
	uint64_t pc;

	uint64_t points, preempted_points, handled_points;
	uint64_t wrong_calls, wrong_others, wrong_store;
	bool hopeless;
} sweep;

static void read_service(struct cz_service_stats *service)
{
	static struct cz_stats stats;

	cz_get_stats(firmware, &stats);
	*service = stats.service[sweep.swept->service];
}

static void call(void *argument)
{
	(void)argument;
	sweep.status =
		sweep.swept->call(&sweep.given, deadline_in_ms(LIMIT_MS));
}

/* ---- What an undisturbed call is like ------------------------------------ */

static bool undisturbed_call(void)
{
	uint64_t start, start_ns;
	struct cz_service_stats service;

	swept_prepare(sweep.swept, &sweep.given);
	start = tick_after_ns(LEAD_NS);
	start_ns = ticks_to_ns(start);
	call_at_tick(start, 0, call, NULL);
	if (sweep.reference == CZ_OK && sweep.status != CZ_OK) {
		sweep.reference = sweep.status;
	}
	read_service(&service);
	sweep.enter_ns = service.last_enter_ns - start_ns;
	sweep.length_ns = service.last_exit_ns - service.last_enter_ns;
	return swept_check(sweep.swept, &sweep.given, sweep.status,
			   sweep.reference);
}

/* Returns how long the gate takes, without firmware. */
static uint64_t gate_ns(void)
{
	static struct cz_stats stats;
	const struct cz_service_stats *null = &stats.service[CZ_NULL_SERVICE];

	cz_null_service(firmware, CZ_FOREVER);
	cz_get_stats(firmware, &stats);
	return null->last_exit_ns - null->last_enter_ns;
}

/* Measures undisturbed calls. A point must fall into the call, not into the
 * gate before or after it. */
static bool calibrate(void)
{
	uint64_t gate = gate_ns();
	uint64_t shortest = UINT64_MAX, longest = 0;

	for (int i = 0; i < CALIBRATION_RUNS; i++) {
		if (!undisturbed_call()) {
			return false;
		}
		if (sweep.length_ns < shortest) {
			shortest = sweep.length_ns;
		}
		if (sweep.length_ns > longest) {
			longest = sweep.length_ns;
		}
	}
	if (shortest < 2 * gate) {
		gate = 0; /* time is not counted, so this cannot be measured */
	}
	sweep.enter_ns += gate / 2;
	sweep.length_ns = shortest - gate;
	sweep.longest_ns = longest - gate;
	return true;
}

/* ---- One point ----------------------------------------------------------- */

static bool is_on(unsigned cpu)
{
	return sweep.cpus == 1 ||
	       thread_cpu((struct thread *)firmware->worker) == cpu;
}

static void take_cpu(void)
{
	uint64_t end = tick_after_ns(TAKEN_NS);

	while (ticks_now() < end) {
	}
}

/* Runs on a probe's thread. The one on the call's CPU has just interrupted the
 * call, which stays on that CPU because firmware is pinned. */
static void interrupt(void *argument)
{
	struct interrupter *self = argument;
	struct cz_service_stats service;

	if (!is_on(self->cpu)) {
		take_cpu();
		return;
	}
	if (self->interruptions++ != 0 ||
	    __atomic_exchange_n(&sweep.released, true, __ATOMIC_ACQ_REL)) {
		hostile_clobber();
		return;
	}
	sweep.pc = port_last_firmware_pc();
	read_service(&service);
	sweep.preempted = service.preemptions > sweep.preemptions_before;
	/* The call is running, but outside firmware: an instruction of
	 * firmware's has trapped. */
	sweep.handled =
		!sweep.preempted &&
		service.interrupts == sweep.interrupts_before &&
		__atomic_load_n(&firmware->in_flight, __ATOMIC_RELAXED) != NULL;
	if (sweep.preempted) {
		swept_scribble(&sweep.given);
	}
	hostile_release(sweep.write);
}

static void check_store(void)
{
	for (int i = 0; i < STORED_COUNT; i++) {
		if (!store_check(&sweep.store, (enum stored)i)) {
			sweep.wrong_store++;
		}
	}
}

static void check_point(uint64_t ticks, uint64_t pad)
{
	if (!swept_check(sweep.swept, &sweep.given, sweep.status,
			 sweep.reference)) {
		sweep.wrong_calls++;
		kprintf("# interrupted %llu ticks after the start, pad %llu, "
			"at %llx\n",
			(unsigned long long)ticks, (unsigned long long)pad,
			(unsigned long long)sweep.pc);
	}
	/* firmware has gone wrong: later results would mean nothing */
	if (sweep.status == CZ_E_DEADLINE || sweep.status == CZ_E_FAULT) {
		cz_abort_in_flight(firmware);
		sweep.hopeless = true;
		return;
	}
	if (sweep.points % STORE_INTERVAL == 0) {
		check_store();
	}
}

/*
 * Returns how many ticks after the first point the call is interrupted again. A
 * call that writes takes half as long again when firmware reclaims space, and
 * this cannot be predicted. The second point is therefore in the part that only
 * long calls have; a short call has ended by then.
 */
static uint64_t second_after(uint64_t ticks)
{
	uint64_t tail_ns = sweep.longest_ns - sweep.length_ns;
	uint64_t at_ns = sweep.enter_ns + sweep.length_ns +
			 prng_below(&sweep.prng, tail_ns);

	return ns_to_ticks(at_ns + 1) - ticks;
}

static void start_interrupters(const struct schedule *schedule)
{
	sweep.released = false;
	for (unsigned i = 0; i < sweep.cpus; i++) {
		sweep.interrupters[i].interruptions = 0;
		sweep.interrupters[i].probe.samples.count = 0;
		probe_start(&sweep.interrupters[i].probe, schedule);
	}
}

static void wait_for_interrupters(void)
{
	for (unsigned i = 0; i < sweep.cpus; i++) {
		probe_wait(&sweep.interrupters[i].probe);
	}
}

static void run_point(uint64_t ticks, uint64_t pad)
{
	struct schedule schedule = {
		.period = second_after(ticks),
		.count = sweep.every ? 1 : 2,
	};
	struct cz_service_stats service;
	uint64_t start;

	swept_prepare(sweep.swept, &sweep.given);
	sweep.write = HOSTILE_NO_WRITE;
	if (sweep.points % WRITE_INTERVAL == 0) {
		sweep.write =
			sweep.every ? HOSTILE_SAME_VALUE : HOSTILE_NEW_VALUE;
	}
	read_service(&service);
	sweep.preemptions_before = service.preemptions;
	sweep.interrupts_before = service.interrupts;
	sweep.preempted = false;
	sweep.handled = false;
	start = tick_after_ns(LEAD_NS);
	schedule.first = start + ticks;
	start_interrupters(&schedule);
	call_at_tick(start, pad, call, NULL);
	wait_for_interrupters();
	if (!hostile_wait()) {
		sweep.wrong_others++;
	}
	check_point(ticks, pad);
	if (sweep.wrong_calls + sweep.wrong_others + sweep.wrong_store >=
	    MAX_WRONG) {
		sweep.hopeless = true;
	}
}

/* ---- Sweeps -------------------------------------------------------------- */

/* The point at which `ns` instructions of the thread have run since the
 * start: the tick after them, and as many nops as reach it. */
static void run_point_at(uint64_t ns)
{
	uint64_t ticks = ns_to_ticks(ns);

	run_point(ticks, sweep.counted ? ticks_to_ns(ticks) - ns : 0);
}

static void sweep_points(uint64_t points, uint64_t first, uint64_t count)
{
	for (uint64_t i = first; i < first + count && !sweep.hopeless; i++) {
		uint64_t at_ns = sweep.enter_ns +
				 sweep.length_ns * (2 * i + 1) / (2 * points);

		/* Some writes are much shorter than most, and with several CPUs
		 * time differs between them. */
		unsigned tries = sweep.cpus == 1 ? 2 : MAX_TRIES;

		do {
			run_point_at(at_ns);
		} while (!sweep.preempted && !sweep.hopeless && --tries != 0);
		sweep.points++;
		sweep.preempted_points += sweep.preempted;
		if ((i - first) % 10 == 9) {
			progress(i + 1 - first, count);
		}
	}
}

/* Returns the last address of the path, or 0 before the service's entry. */
static uint64_t path_end(void)
{
	const struct trace *trace = &sweep.trace;

	return trace->count == 0 ? 0 : trace->pc[trace->count - 1];
}

/* Returns whether this point's address can be the next one of the path. */
static bool continues_path(void)
{
	uint64_t last = path_end();

	if (last == 0) {
		return sweep.pc == firmware->function[sweep.swept->service];
	}
	return sweep.pc == last || trace_follows(last, sweep.pc);
}

/*
 * Runs a point until it falls where it should. About once in a hundred calls
 * the way to firmware is a few instructions longer than usual, because the
 * arguments lie in another page table. Such a point is checked like any other.
 * Where the path could go anywhere, two consecutive runs must agree.
 */
static void run_point_on_path(uint64_t ticks, uint64_t pad)
{
	uint64_t last = path_end();
	uint64_t before = 0;

	for (int i = 0; i < MAX_TRIES && !sweep.hopeless; i++) {
		run_point(ticks, pad);
		if (last == 0 ||
		    (continues_path() &&
		     (sweep.pc == before || !trace_leads_anywhere(last)))) {
			return;
		}
		before = sweep.pc;
	}
}

/*
 * Sweeps every instruction from the service's first one to the gate's return
 * trampoline. With `pad` nops in front, tick d comes `pad` instructions earlier
 * in the call.
 */
static void sweep_every(void)
{
	uint64_t ticks = (sweep.enter_ns - EARLY_NS) / tick_instructions();
	uint64_t end =
		ticks + (sweep.length_ns + LATE_NS) / tick_instructions();
	bool outside = false;

	for (; !outside && !sweep.hopeless && ticks < end; ticks++) {
		for (uint64_t pad = tick_instructions();
		     pad-- > 0 && !outside && !sweep.hopeless;) {
			run_point_on_path(ticks, pad);
			if (path_end() == 0 && !continues_path()) {
				continue;
			}
			trace_add(&sweep.trace, sweep.pc);
			outside = sweep.pc - firmware->window_address <
				  CZ_EFI_PAGE_SIZE;
			sweep.points += !outside;
			sweep.preempted_points += sweep.preempted && !outside;
			sweep.handled_points += sweep.handled && !outside;
		}
		if (ticks % 16 == 0) {
			progress(sweep.points, sweep.length_ns);
		}
	}
}

static void run_sweep(void)
{
	uint64_t points = option_number("points", POINTS);
	uint64_t first = option_number("first", 0);
	uint64_t count = option_number("count", points);

	if (sweep.every) {
		trace_init(&sweep.trace, MAX_TRACE);
		sweep_every();
		return;
	}
	if (first < points) {
		count = count < points - first ? count : points - first;
		sweep_points(points, first, count);
	}
}

/* ---- The program --------------------------------------------------------- */

/* Returns why the service cannot be swept, or NULL. */
static const char *reason_to_skip(enum cz_service service)
{
	if (service == CZ_RESET_SYSTEM) {
		return "it ends the boot";
	}
	if (!cz_service_available(firmware, service)) {
		return "firmware does not have it";
	}
	if (!cz_service_available(firmware, CZ_SET_VARIABLE)) {
		return "firmware has no SetVariable to fill the store with";
	}
	undisturbed_call();
	return sweep.reference == CZ_EFI_UNSUPPORTED
		       ? "firmware returns EFI_UNSUPPORTED"
		       : NULL;
}

static bool skip(enum cz_service service)
{
	const char *reason = reason_to_skip(service);
	char title[64];

	if (reason != NULL) {
		ksnprintf(title, sizeof(title), "sweep %s",
			  cz_service_name(service));
		ktap_skip(title, reason);
		ktap_end();
	}
	return reason != NULL;
}

static uint64_t wrong(void)
{
	return sweep.wrong_calls + sweep.wrong_others + sweep.wrong_store;
}

/* Returns 0 for services that have no value. */
static uint64_t value_bytes(void)
{
	enum cz_service service = sweep.swept->service;

	if (service != CZ_GET_VARIABLE && service != CZ_SET_VARIABLE) {
		return 0;
	}
	return option_number("value", DEFAULT_VALUE_BYTES);
}

static void report_preempted(void)
{
	static const char title[] = "sweep: preempted inside firmware";
	uint64_t least =
		sweep.every ? sweep.points : (sweep.points * 95 + 99) / 100;

	if (!sweep.counted) {
		ktap_skip(title, why_time_is_not_counted());
	} else if (sweep.cpus > 1 && sweep.length_ns < SHORT_CALL) {
		ktap_skip(title, "a short call, several CPUs");
	} else {
		ktap_result(sweep.preempted_points + sweep.handled_points >=
				    least,
			    title);
	}
}

static bool report(bool everything_else_same)
{
	ktap_result(sweep.wrong_calls == 0,
		    "sweep: status and results are right");
	ktap_result(sweep.wrong_others == 0,
		    "sweep: other threads' calls are right");
	ktap_result(sweep.wrong_store == 0,
		    "sweep: the written variables are right");
	if (sweep.hopeless) {
		ktap_skip("sweep: the other variables are unchanged",
			  "the sweep was given up");
	} else {
		ktap_result(everything_else_same,
			    "sweep: the other variables are unchanged");
	}
	report_preempted();
	if (sweep.every) {
		sweep.every = ktap_result(
			trace_whole(&sweep.trace,
				    firmware->function[sweep.swept->service]),
			"sweep: no instruction was missed");
	}
	kprintf("sweep service=%s value_bytes=%llu cpus=%u points=%llu "
		"preempted=%llu handled=%llu wrong=%llu every=%s\n",
		cz_service_name(sweep.swept->service),
		(unsigned long long)value_bytes(), sweep.cpus,
		(unsigned long long)sweep.points,
		(unsigned long long)sweep.preempted_points,
		(unsigned long long)sweep.handled_points,
		(unsigned long long)wrong(), sweep.every ? "yes" : "no");
	return ktap_end() == 0;
}

static void init_interrupters(void)
{
	uint64_t left = cpus_online();

	for (; left != 0; left &= left - 1) {
		struct interrupter *one = &sweep.interrupters[sweep.cpus++];

		one->cpu = (unsigned)__builtin_ctzll(left);
		probe_init(&one->probe, 16);
		one->probe.woken = interrupt;
		one->probe.argument = one;
		(void)thread_set_cpus(one->probe.thread, 1ull << one->cpu);
	}
}

static bool run_and_report(void)
{
	struct store_digest before, after;
	bool same;

	if (!calibrate() || !store_read_digest(&before, 0)) {
		ktap_result(false, "sweep: setup: undisturbed calls succeed");
		ktap_end();
		return false;
	}
	sweep.counted = time_is_counted();
	init_interrupters();
	sweep.every = sweep.counted && sweep.cpus == 1 &&
		      sweep.length_ns < SHORT_CALL;
	hostile_init(&sweep.store, &sweep.prng);
	run_sweep();
	if (!sweep.hopeless) {
		check_store();
	}
	same = !sweep.hopeless && store_read_digest(&after, 0) &&
	       store_same(&before, &after);
	return report(same);
}

PROGRAM(sweep, "interrupts a service at every point of it")
{
	uint64_t value = option_number("value", DEFAULT_VALUE_BYTES);
	enum cz_service service =
		service_find(option_string("service", "SetVariable"));

	sweep.swept = swept_find(service);
	if (sweep.swept == NULL && service != CZ_RESET_SYSTEM) {
		return could_not_run("no such service");
	}
	if (option_number("first", 0) >= option_number("points", POINTS)) {
		return could_not_run("first is not below points");
	}
	prng_init(&sweep.prng, 's');
	if (cz_service_available(firmware, CZ_SET_VARIABLE) &&
	    !swept_init(&sweep.store, &sweep.prng, value)) {
		return EXIT_FAILED;
	}
	ktap_begin(0);
	if (skip(service)) {
		return EXIT_PASSED;
	}
	return run_and_report() ? EXIT_PASSED : EXIT_FAILED;
}
