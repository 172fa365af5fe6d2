/* SPDX-License-Identifier: MIT */
/* linux/machine/resume.c: it detects sleeps of every kind, and does not mistake
 * a thread that was held up for one. */
#include "machine/resume.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MS 1000000ull
#define DAY_NS (86400ull * 1000 * MS)

/* The kernel's clock is behind the counter by the time that the machine
 * slept. */
static uint64_t now_ns, behind_ns;
/* A delay of this length comes between reading one clock and the other. It
 * affects the next `times` readings. */
static uint64_t held_up_ns;
static unsigned times;

static uint64_t kernel_ns(void)
{
	now_ns += 100;
	return now_ns - behind_ns;
}

static uint64_t counter_ns(void)
{
	now_ns += 100;
	if (times > 0) {
		times--;
		now_ns += held_up_ns;
	}
	return now_ns;
}

/* By how much the counter runs faster than the kernel's clock, in parts of
 * 100,000. */
static int64_t faster;

static void pause_ns(uint64_t ns)
{
	now_ns += ns;
	behind_ns += (uint64_t)((int64_t)ns * faster / 100000);
}

static const struct resume_clocks clocks = {
	.kernel_ns = kernel_ns,
	.counter_ns = counter_ns,
	.pause_ns = pause_ns,
};

static int start(void **state)
{
	(void)state;
	now_ns = 50 * DAY_NS;
	behind_ns = DAY_NS;
	times = 0;
	faster = 0;
	return 0;
}

static void no_sleep_is_not_detected(void **state)
{
	struct resume resume;

	(void)state;
	resume_begin(&resume, &clocks);
	for (unsigned i = 0; i < 100; i++) {
		now_ns += DAY_NS;
		assert_false(resume_happened(&resume));
	}
}

/* The counter continues during sleep, or restarts with the machine, at a value
 * before or after its old one. */
static void every_kind_of_sleep_is_detected(void **state)
{
	static const uint64_t slept_ns[] = {20 * MS, DAY_NS, -20 * MS,
					    -49 * DAY_NS};

	(void)state;
	for (size_t i = 0; i < sizeof(slept_ns) / sizeof(slept_ns[0]); i++) {
		struct resume resume;

		(void)start(state);
		resume_begin(&resume, &clocks);
		now_ns += 7 * MS;
		behind_ns += slept_ns[i];
		now_ns += slept_ns[i];
		assert_true(resume_happened(&resume));
		assert_true(resume_happened_since(&resume));
		resume_begin(&resume, &clocks);
		assert_false(resume_happened(&resume));
	}
}

static void a_delay_is_not_a_sleep(void **state)
{
	struct resume resume;

	(void)state;
	held_up_ns = 500 * MS;
	times = 3;
	resume_begin(&resume, &clocks);
	assert_false(resume_happened(&resume));
	times = 9;
	assert_false(resume_happened(&resume));
	times = 9;
	assert_false(resume_happened_since(&resume));
	/* A delay in resume_begin() does not hide a sleep that is shorter than
	 * the delay. */
	times = 3;
	resume_begin(&resume, &clocks);
	behind_ns += 400 * MS;
	now_ns += 400 * MS;
	assert_true(resume_happened(&resume));
}

static void slow_drift_is_not_a_sleep(void **state)
{
	struct resume resume;

	(void)state;
	resume_begin(&resume, &clocks);
	for (unsigned i = 0; i < 100; i++) {
		now_ns += DAY_NS;
		behind_ns += 2 * MS;
		assert_false(resume_happened_since(&resume));
	}
}

static void different_clock_rates_are_rejected(void **state)
{
	static const int64_t same[] = {0, 90, -90};
	static const int64_t different[] = {110, -110, 2000, -2000, 90000};

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		(void)start(state);
		faster = same[i];
		assert_true(resume_can_be_told(&clocks));
	}
	for (size_t i = 0; i < sizeof(different) / sizeof(different[0]); i++) {
		(void)start(state);
		faster = different[i];
		assert_false(resume_can_be_told(&clocks));
	}
	/* The thread is held up at most readings, and at every reading of one
	 * measurement. */
	(void)start(state);
	held_up_ns = 500 * MS;
	times = 70;
	assert_true(resume_can_be_told(&clocks));
}

static void without_clocks_no_sleep_is_detected(void **state)
{
	struct resume resume = {0};

	(void)state;
	assert_false(resume_happened(&resume));
	assert_false(resume_happened_since(&resume));
}

static void the_real_clocks_show_no_sleep(void **state)
{
	struct resume resume;

	(void)state;
	resume_begin(&resume, &resume_clocks);
	assert_false(resume_happened(&resume));
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup(function, start)
	const struct CMUnitTest tests[] = {
		TEST(no_sleep_is_not_detected),
		TEST(every_kind_of_sleep_is_detected),
		TEST(a_delay_is_not_a_sleep),
		TEST(slow_drift_is_not_a_sleep),
		TEST(different_clock_rates_are_rejected),
		TEST(without_clocks_no_sleep_is_detected),
		TEST(the_real_clocks_show_no_sleep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
