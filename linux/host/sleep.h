/* SPDX-License-Identifier: MIT */
/* Sleep of the machine while this process serves firmware. After a hibernation
 * the chip and the machine's RAM may be those of another boot. */
#ifndef LINUX_SLEEP_H
#define LINUX_SLEEP_H

struct cz_host;

/* Begins to watch for sleep. The chip and RAM must be those that the state
 * belongs to. */
void sleep_watch(struct cz_host *host);

/* Ends the process if the machine has slept in the middle of a call. Called
 * before each store to the chip or to the machine's RAM. `host` is a struct
 * cz_host. Signal-safe. */
void sleep_check(void *host);

/* If the machine has slept, compares the chip and RAM with what is known of
 * them, and ends the process if they differ. Called between calls. */
void sleep_check_before_call(struct cz_host *host);

#endif
