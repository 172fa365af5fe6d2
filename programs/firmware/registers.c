/* SPDX-License-Identifier: MIT */
/*
 * Runs firmware that fills every register and checks in a long loop that they
 * do not change, while other threads of the same CPU preempt it and overwrite
 * every register. Stock firmware hardly uses FP/SIMD, so correct results of
 * stock firmware prove little.
 */
#include "lib/adversary.h"
#include "lib/clobberers.h"
#include "lib/probe.h"

#include <kernel/ktap.h>
#include <kernel/print.h>
#include <kernel/thread.h>
#include <kernel/time.h>

#define ITERATIONS 20000u /* each has some hundred instructions */
#define PERIOD_NS 32768u /* between interruptions; dithered */
#define MIN_PREEMPTIONS 5u /* in each call */

static bool has_number(uint32_t kind)
{
	return kind == ADVERSARY_X || kind == ADVERSARY_V;
}

static void explain(const struct adversary_registers_record *record)
{
	static const char *const kinds[] = {
		[ADVERSARY_NONE] = "none",
		[ADVERSARY_X] = "x",
		[ADVERSARY_V] = "v",
		[ADVERSARY_NZCV] = "NZCV",
		[ADVERSARY_FPCR] = "FPCR",
		[ADVERSARY_FPSR] = "FPSR",
		[ADVERSARY_GONE] = "(not known which)",
	};
	const char *kind =
		record->kind <= ADVERSARY_GONE ? kinds[record->kind] : "?";

	kprintf("# register %s", kind);
	if (has_number(record->kind)) {
		kprintf("%u", record->number);
	}
	kprintf(" changed in iteration %llu: %016llx%016llx is "
		"%016llx%016llx\n",
		(unsigned long long)record->iteration,
		(unsigned long long)record->expected[1],
		(unsigned long long)record->expected[0],
		(unsigned long long)record->found[1],
		(unsigned long long)record->found[0]);
}

static bool one_call(struct prng *prng)
{
	struct adversary_registers_order order = {
		.seed = prng_next(prng),
		.iterations = ITERATIONS,
	};
	struct adversary_registers_record record = {0};
	cz_status status = cz_set_variable(
		firmware, ADVERSARY_REGISTERS, &adversary_guid,
		ADVERSARY_ATTRIBUTES, &order, sizeof(order), CZ_FOREVER);

	if (status == CZ_OK) {
		return true;
	}
	kprintf("# SetVariable: %s\n", cz_status_name(status));
	if (status == CZ_EFI_ABORTED && adversary_record(&record)) {
		explain(&record);
	}
	return false;
}

static uint64_t preemptions(void)
{
	static struct cz_stats stats;

	cz_get_stats(firmware, &stats);
	return stats.service[CZ_SET_VARIABLE].preemptions;
}

/* Makes calls until one goes wrong. Returns how many went well. */
static uint64_t make_calls(uint64_t calls)
{
	struct prng prng;
	uint64_t done = 0;

	prng_init(&prng, 'r');
	while (done < calls && one_call(&prng)) {
		done++;
		progress(done, calls);
	}
	return done;
}

PROGRAM(registers, "firmware that checks every register while preempted")
{
	static struct probe probe;
	struct adversary_registers_record record;
	uint64_t calls = option_number("calls", 10);
	struct schedule schedule;
	uint64_t done, preempted;

	if (!adversary_record(&record)) {
		return without_adversary();
	}
	ktap_begin(3);
	probe_init(&probe, 1u << 20);
	schedule = (struct schedule){
		.first = tick_after_ns(LEAD_NS),
		.period = ns_to_ticks(PERIOD_NS),
		.dither = ns_to_ticks(PERIOD_NS / 2),
		.count = 1u << 20,
	};
	probe_start(&probe, &schedule);
	clobberers_start();
	done = make_calls(calls);
	preempted = preemptions();
	probe_stop(&probe);
	probe_end(&probe);
	ktap_result(clobberers_stop() == 0,
		    "registers: other threads' FP registers are preserved");
	ktap_result(done == calls,
		    "registers: firmware's registers are preserved");
	kprintf("# preempted %llu times in %llu calls\n",
		(unsigned long long)preempted, (unsigned long long)done);
	ktap_result(preempted >= MIN_PREEMPTIONS * done,
		    "registers: the calls were preempted often enough");
	return ktap_end() == 0 ? EXIT_PASSED : EXIT_FAILED;
}
