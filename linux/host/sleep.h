/* SPDX-License-Identifier: MIT */
/*
 * Whether the machine has slept while this process serves firmware: then the chip and
 * the machine's RAM may be another boot's.
 */
#ifndef LINUX_SLEEP_H
#define LINUX_SLEEP_H

struct cz_host;

/* The chip and RAM are from now on what the state is of. */
void sleep_watch(struct cz_host *host);

/* Ends the process if the machine has slept: before a store to the chip or to the
 * machine's RAM, in the middle of a call. `host` is a struct cz_host. Signal-safe. */
void sleep_check(void *host);

/* Before a call: if the machine has slept, compares the chip and RAM, and ends the
 * process if they are not as they were. */
void sleep_check_before_call(struct cz_host *host);

#endif
