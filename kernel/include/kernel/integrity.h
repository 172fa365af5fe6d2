/* SPDX-License-Identifier: MIT */
/*
 * Detects changes to state that the kernel itself does not change: its code and
 * constants, its page tables, all pages of memory without an owner, the
 * registers of the interrupt controller and of the CPU, and the number of
 * secure calls made for firmware. An owner of a page is any code that may
 * change it. Only with one CPU online, and from one thread at a time.
 */
#ifndef KERNEL_INTEGRITY_H
#define KERNEL_INTEGRITY_H

#include <stdbool.h>
#include <stdint.h>

/* Records the present state as the correct one. Allocates memory. Call it
 * once. */
void integrity_begin(void);

/* Gives these pages an owner, even if they have not been changed yet. */
void integrity_own(uint64_t physical, uint64_t count);

/*
 * Gives an owner to every page that has changed since integrity_begin(),
 * because ordinary work changes it: the scheduler, the log, statistics or
 * firmware. Call it after some time of ordinary work. Returns false, after a
 * log line, if code, constants or page tables have changed.
 */
bool integrity_learn(void);

/* Returns false, after log lines that say what has changed and where, if
 * something without an owner has changed. From then on, the new state counts as
 * correct. */
bool integrity_check(void);

/* Return the number of pages watched, and of those that have owners, for the
 * log. */
uint64_t integrity_pages(void);
uint64_t integrity_owned_pages(void);

/* What integrity_disturb() changes or, with `back`, restores, so that a test
 * can show that the change is detected. */
enum integrity_thing {
	INTEGRITY_MEMORY, /* a page that nobody uses */
	INTEGRITY_TABLE, /* an unused bit of a page table */
	INTEGRITY_REGISTER,
	INTEGRITY_THING_COUNT,
};
void integrity_disturb(enum integrity_thing thing, bool back);

#endif
