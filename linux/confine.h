/* SPDX-License-Identifier: MIT */
/*
 * What the daemon gives away once everything is mapped: capabilities, the user root,
 * system calls that it does not make; and every system call from where firmware's
 * code is.
 */
#ifndef LINUX_CONFINE_H
#define LINUX_CONFINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Locks memory, as far as it is there: no call waits for a page from a disk. False:
 * errno. */
bool confine_memory(void);

/*
 * For good, for all threads: call it while there is one, or before those that matter
 * are started. [firmware, firmware_end) is where firmware can execute, besides the
 * window: there an SVC is a SIGSYS. `user`: NULL or a name, else nobody's number.
 * keep_mounts: CAP_SYS_ADMIN stays, for unmounting at the end. False: `why`.
 */
bool confine_process(const char *user, bool keep_mounts, char *why,
		     size_t why_chars);
bool confine_calls(uint64_t firmware, uint64_t firmware_end, char *why,
		   size_t why_chars);

#endif
