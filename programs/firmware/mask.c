/* SPDX-License-Identifier: MIT */
/*
 * Runs firmware that masks interrupts for five million instructions. In the
 * sandbox that has no effect, and its duration is known within one per cent. At
 * EL1 it stops all interrupts, which shows that the driver really masks them.
 */
#include "lib/adversary.h"
#include "lib/common.h"
#include "lib/probe.h"

#include <kernel/ktap.h>
#include <kernel/print.h>
#include <kernel/thread.h>
#include <kernel/time.h>

#define MASKED_INSTRUCTIONS 5000000ull
#define CALLS 4u
#define PERIOD_NS 100000u /* 10 kHz */
#define SOON_NS 1500u
#define LATE_NS 4900000u

static struct probe probe;
static struct cz_stats before, after;

static bool mask_calls(void)
{
	uint64_t instructions = MASKED_INSTRUCTIONS;
	bool well = true;

	for (unsigned i = 0; i < CALLS; i++) {
		well = cz_set_variable(firmware, ADVERSARY_MASK_IRQ,
				       &adversary_guid, ADVERSARY_ATTRIBUTES,
				       &instructions, sizeof(instructions),
				       CZ_FOREVER) == CZ_OK &&
		       well;
		progress(i + 1, CALLS);
	}
	return well;
}

static bool within_a_per_cent(uint64_t found, uint64_t due)
{
	return found >= due - due / 100 && found <= due + due / 100;
}

static void check_record(void)
{
	const struct cz_service_stats *was = &before.service[CZ_SET_VARIABLE];
	const struct cz_service_stats *is = &after.service[CZ_SET_VARIABLE];
	uint64_t ns = is->masked_ns - was->masked_ns;

	kprintf("# masked for %llu ns, at most %llu ns at a time\n",
		(unsigned long long)ns, (unsigned long long)is->masked_max_ns);
	ktap_result(within_a_per_cent(ns, CALLS * MASKED_INSTRUCTIONS) &&
			    within_a_per_cent(is->masked_max_ns,
					      MASKED_INSTRUCTIONS) &&
			    is->masked_windows - was->masked_windows == CALLS,
		    "mask: the time with a virtual mask is recorded");
}

static void check(uint64_t worst_ns)
{
	kprintf("# worst wake-up %llu ns\n", (unsigned long long)worst_ns);
	if (firmware->gate == CZ_GATE_SANDBOX) {
		ktap_result(worst_ns <= SOON_NS,
			    "mask: masking in the sandbox delays no wake-up");
		check_record();
	} else {
		ktap_result(worst_ns >= LATE_NS,
			    "mask: masking at EL1 delays wake-ups");
	}
}

PROGRAM(mask, "firmware that masks interrupts")
{
	const struct schedule schedule = {
		.first = tick_after_ns(PERIOD_NS),
		.period = ns_to_ticks(PERIOD_NS),
		.dither = ns_to_ticks(PERIOD_NS / 2),
		.count = UINT64_MAX,
	};
	struct adversary_registers_record record;
	bool well;

	if (!adversary_record(&record) || !time_is_counted()) {
		return could_not_run("needs the adversary's driver, and time "
				     "that is counted in instructions");
	}
	ktap_begin(0);
	probe_init(&probe, 4096);
	cz_get_stats(firmware, &before);
	probe_start(&probe, &schedule);
	well = mask_calls();
	probe_stop(&probe);
	cz_get_stats(firmware, &after);
	ktap_result(well, "mask: the calls that mask interrupts succeed");
	check(ticks_to_ns(samples_max(&probe.samples)));
	probe_end(&probe);
	return ktap_end() == 0 ? EXIT_PASSED : EXIT_FAILED;
}
