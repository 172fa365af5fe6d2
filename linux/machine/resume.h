/* SPDX-License-Identifier: MIT */
/*
 * Finds out whether the machine has slept. After a hibernation, the chip and
 * the machine's RAM may be those of another boot, and no one tells a process
 * that was frozen. But the kernel's clock stands still during sleep, while the
 * CPU's counter goes on or starts anew. So the difference between the two
 * changes.
 *
 * The answer "yes" may be false if this thread was delayed in every one of many
 * looks. The answer "no" is false if a counter that started anew happens to be
 * within RESUME_TOLERANCE_NS of where the old one would be.
 */
#ifndef LINUX_RESUME_H
#define LINUX_RESUME_H

#include <stdbool.h>
#include <stdint.h>

#define RESUME_TOLERANCE_NS 5000000
/* Rates count as different if they differ by more than one part in this
 * many. */
#define RESUME_RATES_PARTS 1000

/* Both count from an arbitrary time, and stop only while the machine sleeps. */
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
 * Returns whether both clocks run at one rate. They do not if CNTFRQ_EL0, by
 * which the counter is converted, differs from the rate that the kernel uses; a
 * device tree's clock-frequency can override firmware's value. Then every
 * process would seem to have slept after a while. The function takes a tenth of
 * a second, or three tenths.
 */
bool resume_can_be_told(const struct resume_clocks *clocks);

/* Records that the machine is awake now. For a struct resume that is all zero,
 * and has not been passed to this function, the machine never seems to have
 * slept. */
void resume_begin(struct resume *resume, const struct resume_clocks *clocks);

/* Returns whether the machine has slept since resume_begin(). Signal-safe. */
bool resume_happened(const struct resume *resume);

/* Returns the same. If the machine has not slept, the next call measures from
 * now on, so that clocks may drift apart slowly. */
bool resume_happened_since(struct resume *resume);

#endif
