/* SPDX-License-Identifier: MIT */
#include "machine/resume.h"

#include <errno.h>
#include <time.h>

#define LOOKS 64u
#define NS_PER_S 1000000000ull
#define MEASURE_NS 100000000ull
#define MEASURES 3u

static uint64_t kernel_ns(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static uint64_t counter_ns(void)
{
#ifdef __aarch64__
	uint64_t frequency, ticks;

	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(frequency));
	__asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(ticks)::"memory");
	return frequency == 0 ? 0
			      : (uint64_t)((unsigned __int128)ticks * NS_PER_S /
					   frequency);
#else
	return kernel_ns();
#endif
}

static void pause_ns(uint64_t ns)
{
	struct timespec rest = {
		.tv_sec = (time_t)(ns / NS_PER_S),
		.tv_nsec = (long)(ns % NS_PER_S),
	};

	while (nanosleep(&rest, &rest) != 0 && errno == EINTR) {
	}
}

const struct resume_clocks resume_clocks = {
	.kernel_ns = kernel_ns,
	.counter_ns = counter_ns,
	.pause_ns = pause_ns,
};

/* Reads the counter last: what the caller does next comes after this read. */
static int64_t distance(const struct resume_clocks *clocks)
{
	uint64_t kernel = clocks->kernel_ns();

	return (int64_t)(clocks->counter_ns() - kernel);
}

/* Returns the smallest of several distances: the one with the shortest delay
 * between reading the two clocks. */
static int64_t least_distance(const struct resume_clocks *clocks)
{
	int64_t least_ns = distance(clocks);

	for (unsigned i = 0; i < LOOKS; i++) {
		int64_t now_ns = distance(clocks);

		least_ns = now_ns < least_ns ? now_ns : least_ns;
	}
	return least_ns;
}

/* Returns true if one of several looks finds the distance unchanged. A delay of
 * this thread can spoil one look, but hardly all of them. */
static bool find(const struct resume *resume, int64_t *found_ns)
{
	for (unsigned i = 0; i < LOOKS; i++) {
		int64_t now_ns = distance(resume->clocks);
		int64_t moved_ns = now_ns - resume->distance_ns;

		if (moved_ns < RESUME_TOLERANCE_NS &&
		    moved_ns > -RESUME_TOLERANCE_NS) {
			*found_ns = now_ns;
			return true;
		}
	}
	return false;
}

/* Two clocks of different rates change their distance while time passes. */
static bool is_rate_same(const struct resume_clocks *clocks)
{
	int64_t before_ns = least_distance(clocks), moved_ns;
	uint64_t begin_ns = clocks->kernel_ns();
	uint64_t most_ns;

	clocks->pause_ns(MEASURE_NS);
	moved_ns = least_distance(clocks) - before_ns;
	most_ns = (clocks->kernel_ns() - begin_ns) / RESUME_RATES_PARTS;
	return moved_ns <= (int64_t)most_ns && moved_ns >= -(int64_t)most_ns;
}

/* Repeats the measurement, because a delay of this thread or a sleep can spoil
 * one of them, but hardly all. */
bool resume_can_be_told(const struct resume_clocks *clocks)
{
	for (unsigned i = 0; i < MEASURES; i++) {
		if (is_rate_same(clocks)) {
			return true;
		}
	}
	return false;
}

void resume_begin(struct resume *resume, const struct resume_clocks *clocks)
{
	resume->clocks = clocks;
	resume->distance_ns = least_distance(clocks);
}

bool resume_happened(const struct resume *resume)
{
	int64_t now_ns;

	return resume->clocks != NULL && !find(resume, &now_ns);
}

bool resume_happened_since(struct resume *resume)
{
	return resume->clocks != NULL && !find(resume, &resume->distance_ns);
}
