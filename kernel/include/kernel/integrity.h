/* SPDX-License-Identifier: MIT */
/*
 * Whether anything of the kernel's has changed that nobody in the kernel changes:
 * its code and constants, its page tables, every page of memory without an owner,
 * the interrupt controller's and the CPU's own registers, and what was asked of
 * PSCI on firmware's behalf. One CPU; one thread at a time.
 */
#ifndef KERNEL_INTEGRITY_H
#define KERNEL_INTEGRITY_H

#include <stdbool.h>
#include <stdint.h>

/* Takes the present state for the right one. Allocates; once. */
void integrity_begin(void);

/* These pages are somebody's, who need not have changed them yet. */
void integrity_own(uint64_t physical, uint64_t count);

/*
 * What has changed since integrity_begin() is owned by somebody who changes it: the
 * scheduler, the log, statistics, firmware. Call after a while of ordinary work.
 * False, after a log line, when code, constants or tables are among it.
 */
bool integrity_learn(void);

/* False, after a log line that says what and where, when something has changed
 * that has no owner. The change is the right state from then on. */
bool integrity_check(void);

/* For the log: pages watched, and those of them with owners. */
uint64_t integrity_pages(void);
uint64_t integrity_owned_pages(void);

/* Changes a thing, and puts it back: to see that it would be noticed. */
enum integrity_thing {
	INTEGRITY_MEMORY, /* a page that nobody uses */
	INTEGRITY_TABLE, /* an unused bit of a page table */
	INTEGRITY_REGISTER,
	INTEGRITY_THING_COUNT,
};
void integrity_disturb(enum integrity_thing thing, bool back);

#endif
