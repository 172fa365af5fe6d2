/* SPDX-License-Identifier: MIT */
/*
 * Whether the machine has slept. After a hibernation the chip and the machine's RAM
 * are those of another boot, and a process that was frozen is told nothing. But the
 * kernel's clock stands still in its sleep, while the CPU's counter goes on, or begins
 * anew with the machine: the distance between the two is another one afterwards.
 *
 * A yes may be false, where this thread was held up at each of many looks. A no is
 * false when the counter of the machine started anew happens to be where that of the
 * old one was, to RESUME_TOLERANCE_NS.
 */
#ifndef LINUX_RESUME_H
#define LINUX_RESUME_H

#include <stdbool.h>
#include <stdint.h>

#define RESUME_TOLERANCE_NS 5000000

/* Both run on from some time, and do not stop but in sleep. */
struct resume_clocks {
	uint64_t (*kernel_ns)(void);
	uint64_t (*counter_ns)(void);
};

/* CLOCK_MONOTONIC_RAW, and CNTVCT_EL0 in nanoseconds. */
extern const struct resume_clocks resume_clocks;

struct resume {
	const struct resume_clocks *clocks;
	int64_t distance_ns;
};

/* From now on. */
void resume_begin(struct resume *resume, const struct resume_clocks *clocks);

/* Whether the machine has slept since resume_begin(). Signal-safe. */
bool resume_happened(const struct resume *resume);

/* The same; a no counts from now on: clocks drift. */
bool resume_happened_since(struct resume *resume);

#endif
