/* SPDX-License-Identifier: MIT */
/*
 * What the library's timer costs a wake-up that is due at nearly the same time: nothing,
 * as it makes way. At every distance between the two, whichever was set first, while a
 * thread spins that may be interrupted. And it fires in the end, also while somebody
 * wakes up all the time.
 */
#include "clobber.h"
#include "common.h"
#include "probe.h"

#include <kernel/print.h>
#include <kernel/thread.h>
#include <kernel/time.h>

#define REACH_TICKS 192 /* either way: more than the timer keeps away */
#define FAR_TICKS 4096
#define TRAIN_TICKS 100u /* between wake-ups, less than it keeps away */
#define MOST_NS 10010000 /* that it may be late */
#define MAX_SAMPLES (1u << 16)

static struct probe probe;
static cz_host_timer library_timer;
static struct timer hard_timer;
static bool is_hard;
static uint64_t fired; /* when; 0: not yet */

static void fire(void *unused)
{
	(void)unused;
	__atomic_store_n(&fired, ticks_now(), __ATOMIC_RELEASE);
}

static void fire_hard(struct timer *timer)
{
	fire(timer);
}

static void start_timer(uint64_t due)
{
	if (is_hard) {
		timer_start(&hard_timer, due, fire_hard);
	} else {
		cz_host_timer_start(firmware->host, &library_timer,
				    ticks_to_ns(due), fire, NULL);
	}
}

static bool has_fired(void)
{
	return __atomic_load_n(&fired, __ATOMIC_ACQUIRE) != 0;
}

static void spin(void *unused)
{
	(void)unused;
	while (!probe_done(&probe)) {
	}
}

/* How late the timer was. */
static uint64_t one_point(int distance, bool timer_first, uint64_t pad)
{
	const struct schedule one = {
		.first = ticks_now() + LEAD_TICKS,
		.count = 1,
	};
	uint64_t due = one.first + (uint64_t)(int64_t)distance;

	fired = 0;
	if (timer_first) {
		start_timer(due);
	}
	probe_start(&probe, &one);
	if (!timer_first) {
		start_timer(due);
	}
	padded_call(pad, spin, NULL);
	while (!has_fired()) {
	}
	return fired - due;
}

/* The same, while the thread wakes up again and again. */
static uint64_t late_by_train(void)
{
	const struct schedule train = {
		.first = ticks_now() + LEAD_TICKS,
		.period = TRAIN_TICKS,
		.count = 2 * ns_to_ticks(MOST_NS) / TRAIN_TICKS,
	};

	fired = 0;
	start_timer(train.first);
	probe_start(&probe, &train);
	spin(NULL);
	return has_fired() ? fired - train.first : UINT64_MAX;
}

/* While the timer is set, and far. */
static uint64_t worst_far(void)
{
	for (uint64_t pad = 0; pad < TICK_INSTRUCTIONS; pad++) {
		one_point(FAR_TICKS, true, pad);
	}
	return samples_max(&probe.samples);
}

static uint64_t worst_near(void)
{
	for (int d = -REACH_TICKS; d <= REACH_TICKS; d++) {
		for (uint64_t pad = 0; pad < TICK_INSTRUCTIONS; pad += 2) {
			one_point(d, true, pad);
			one_point(d, false, pad);
		}
	}
	return samples_max(&probe.samples);
}

PROGRAM(soft, "the library's timer close to a thread's")
{
	uint64_t far, near, late_ns;

	is_hard = option_string("kind", "soft")[0] == 'h';
	if (!time_is_counted()) {
		return could_not_run("time is not counted");
	}
	list_init(&hard_timer.node);
	probe_init(&probe, MAX_SAMPLES);
	far = worst_far();
	near = worst_near();
	late_ns = ticks_to_ns(late_by_train());
	probe_end(&probe);
	kprintf("soft kind=%s far_ns=%llu near_ns=%llu timer_late_ns=%llu\n",
		is_hard ? "hard" : "soft", (unsigned long long)ticks_to_ns(far),
		(unsigned long long)ticks_to_ns(near),
		(unsigned long long)late_ns);
	if (near > far + 1) {
		kprintf("error: the timer held up a wake-up\n");
		return EXIT_FAILED;
	}
	if (late_ns > MOST_NS) {
		kprintf("error: wake-ups held up the timer for too long\n");
		return EXIT_FAILED;
	}
	return EXIT_PASSED;
}
