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
/* Rates that differ by more than one part in so many are different. */
#define RESUME_RATES_PARTS 1000

/* Both run on from some time, and do not stop but in sleep. */
struct resume_clocks {
	uint64_t (*kernel_ns)(void);
	uint64_t (*counter_ns)(void);
	void (*pause_ns)(uint64_t ns);
};

/* CLOCK_MONOTONIC_RAW, and CNTVCT_EL0 in nanoseconds. */
extern const struct resume_clocks resume_clocks;

struct resume {
	const struct resume_clocks *clocks;
	int64_t distance_ns;
};

/*
 * Whether both clocks run at one rate. They do not where CNTFRQ_EL0, by which the counter
 * is converted, is not the rate that the kernel uses (a device tree's clock-frequency
 * corrects firmware's): then every thread seems to have slept after a while. Takes a
 * tenth of a second, or three.
 */
bool resume_can_be_told(const struct resume_clocks *clocks);

/* The machine is awake now. Of a struct resume that is all zero, with which this has not
 * been called, the machine never seems to have slept. */
void resume_begin(struct resume *resume, const struct resume_clocks *clocks);

/* Whether the machine has slept since resume_begin(). Signal-safe. */
bool resume_happened(const struct resume *resume);

/* Answers the same. If the machine has not slept, the next answer is of the time from now
 * on: so clocks may drift apart slowly. */
bool resume_happened_since(struct resume *resume);

#endif
