/* SPDX-License-Identifier: MIT */
/*
 * Measures what the library's timer costs a wake-up that is due at nearly the
 * same time. It must cost nothing, because the timer makes way. The program
 * tries every distance between the two, and either order of setting them, while
 * an interruptible thread spins. The timer must still fire in the end, even
 * while a thread wakes up all the time.
 */
#include "lib/clobber.h"
#include "lib/common.h"
#include "lib/probe.h"

#include <kernel/print.h>
#include <kernel/thread.h>
#include <kernel/time.h>

#define REACH_NS 3072 /* in both directions; more than the timer keeps away */
#define FAR_NS 65536
#define TRAIN_NS 1600u /* between wake-ups; less than the timer keeps away */
#define STEP_NS 16 /* nops cover the instructions between two steps */
#define MOST_NS 10010000 /* how late the timer may be */
#define MAX_SAMPLES (1u << 16)

static struct probe probe;
static cz_host_timer library_timer;
static struct timer hard_timer;
static bool is_hard;
static uint64_t fired; /* when the timer fired; 0: not yet */

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

/* Returns how late the timer was. */
static uint64_t one_point(int distance, bool timer_first, uint64_t pad)
{
	const struct schedule one = {
		.first = tick_after_ns(LEAD_NS),
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

/* Returns how late the timer was while the thread woke up again and again. */
static uint64_t late_by_train(void)
{
	const struct schedule train = {
		.first = tick_after_ns(LEAD_NS),
		.period = ns_to_ticks(TRAIN_NS),
		.count = 2 * MOST_NS / TRAIN_NS,
	};

	fired = 0;
	start_timer(train.first);
	probe_start(&probe, &train);
	spin(NULL);
	return has_fired() ? fired - train.first : UINT64_MAX;
}

/* Returns the worst wake-up while the timer is set but far away. */
static uint64_t worst_far(void)
{
	for (uint64_t pad = 0; pad < STEP_NS; pad++) {
		one_point((int)ns_to_ticks(FAR_NS), true, pad);
	}
	return samples_max(&probe.samples);
}

static uint64_t worst_near(void)
{
	int reach = (int)ns_to_ticks(REACH_NS);
	int step = (int)ns_to_ticks(STEP_NS);

	for (int d = -reach; d <= reach; d += step) {
		for (uint64_t pad = 0; pad < STEP_NS; pad += 2) {
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
		return could_not_run(why_time_is_not_counted());
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
	if (near > far + ns_to_ticks(STEP_NS)) {
		kprintf("error: the timer held up a wake-up\n");
		return EXIT_FAILED;
	}
	if (late_ns > MOST_NS) {
		kprintf("error: wake-ups held up the timer for too long\n");
		return EXIT_FAILED;
	}
	return EXIT_PASSED;
}
