/* SPDX-License-Identifier: MIT */
#include "resume.h"

#include <time.h>

#define LOOKS 64u
#define NS_PER_S 1000000000ull

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
	return (uint64_t)((unsigned __int128)ticks * NS_PER_S / frequency);
#else
	return kernel_ns();
#endif
}

const struct resume_clocks resume_clocks = {
	.kernel_ns = kernel_ns,
	.counter_ns = counter_ns,
};

/* The counter last: what is about to be done follows it. */
static int64_t distance(const struct resume *resume)
{
	uint64_t kernel = resume->clocks->kernel_ns();

	return (int64_t)(resume->clocks->counter_ns() - kernel);
}

/* A thread that was held up in between has been so once, and not each time. */
static bool find(const struct resume *resume, int64_t *found_ns)
{
	for (unsigned i = 0; i < LOOKS; i++) {
		int64_t now_ns = distance(resume);
		int64_t moved_ns = now_ns - resume->distance_ns;

		if (moved_ns < RESUME_TOLERANCE_NS &&
		    moved_ns > -RESUME_TOLERANCE_NS) {
			*found_ns = now_ns;
			return true;
		}
	}
	return false;
}

void resume_begin(struct resume *resume, const struct resume_clocks *clocks)
{
	resume->clocks = clocks;
	resume->distance_ns = distance(resume);
	/* The least of some: with the shortest time in between. */
	for (unsigned i = 0; i < LOOKS; i++) {
		int64_t now_ns = distance(resume);

		if (now_ns < resume->distance_ns) {
			resume->distance_ns = now_ns;
		}
	}
}

bool resume_happened(const struct resume *resume)
{
	int64_t now_ns;

	return !find(resume, &now_ns);
}

bool resume_happened_since(struct resume *resume)
{
	return !find(resume, &resume->distance_ns);
}
