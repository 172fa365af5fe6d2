/* SPDX-License-Identifier: MIT */
/*
 * What a timer of the library's costs a wake-up that is due at nearly the same time:
 * nothing, as it makes way. At every distance between the two, whichever was set first,
 * while a thread spins that may be interrupted.
 */
#include "clobber.h"
#include "common.h"
#include "probe.h"

#include <kernel/print.h>
#include <kernel/thread.h>
#include <kernel/time.h>

#define REACH_TICKS 192 /* either way: more than a soft timer moves by */
#define FAR_TICKS 4096
#define LATEST_TICKS 512u /* that it may be pushed to */
#define PHASES 8u /* of each distance, two instructions apart */

static struct probe probe;
static struct timer timer;
static uint64_t fired; /* when; 0: not yet */

static void fire(struct timer *which)
{
	(void)which;
	__atomic_store_n(&fired, ticks_now(), __ATOMIC_RELEASE);
}

static bool has_fired(void)
{
	return __atomic_load_n(&fired, __ATOMIC_ACQUIRE) != 0;
}

static void spin(void *argument)
{
	while (!probe_done(argument)) {
	}
}

/* The thread's wake-up. */
static uint64_t start_probe(uint64_t from)
{
	const struct schedule one = {.first = from + LEAD_TICKS, .count = 1};

	probe_start(&probe, &one);
	return one.first;
}

/* How late the timer was. */
static uint64_t one_point(int distance, bool timer_first, uint64_t pad)
{
	uint64_t from = ticks_now();
	uint64_t due = from + LEAD_TICKS + (uint64_t)(int64_t)distance;

	fired = 0;
	if (timer_first) {
		timer_start(&timer, due, fire);
		start_probe(from);
	} else {
		start_probe(from);
		timer_start(&timer, due, fire);
	}
	padded_call(pad, spin, &probe);
	while (!has_fired()) {
	}
	return fired - due;
}

/* The worst wake-up while the timer is set, and far. */
static uint64_t worst_far(void)
{
	for (uint64_t pad = 0; pad < TICK_INSTRUCTIONS; pad++) {
		one_point(FAR_TICKS, true, pad);
	}
	return samples_max(&probe.samples);
}

PROGRAM(soft, "a timer of the library's close to a thread's")
{
	bool is_soft = option_string("kind", "soft")[0] == 's';
	uint64_t latest = 0;
	uint64_t far, worst;

	if (!time_is_counted()) {
		return could_not_run("time is not counted");
	}
	timer.soft = is_soft;
	list_init(&timer.node);
	probe_init(&probe, 1u << 16);
	far = worst_far();
	for (int d = -REACH_TICKS; d <= REACH_TICKS; d++) {
		for (uint64_t i = 0; i < 2 * PHASES; i++) {
			uint64_t late = one_point(d, i % 2 == 0, i / 2 * 2);

			latest = late > latest ? late : latest;
		}
	}
	worst = samples_max(&probe.samples);
	probe_end(&probe);
	kprintf("soft kind=%s far_ns=%llu worst_ns=%llu timer_late_ns=%llu\n",
		is_soft ? "soft" : "hard", (unsigned long long)ticks_to_ns(far),
		(unsigned long long)ticks_to_ns(worst),
		(unsigned long long)ticks_to_ns(latest));
	if (worst > far + far / 20 + 1) {
		kprintf("error: the timer held up a wake-up\n");
		return EXIT_FAILED;
	}
	if (latest > LATEST_TICKS) {
		kprintf("error: the timer was held up for long\n");
		return EXIT_FAILED;
	}
	return EXIT_PASSED;
}
