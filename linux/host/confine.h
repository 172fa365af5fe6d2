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
 * Capabilities are each thread's own. One that is started before confine_process()
 * calls this, once it has its priority; what it needs to give up root too goes with
 * that. False: errno.
 */
bool confine_thread(void);

/*
 * Gives up root, in all threads, and the calling thread's capabilities, which those
 * that it starts later do not get either. `user`: NULL or a name, else nobody's number.
 * keep_mounts: CAP_SYS_ADMIN stays, if there is one. False: `why`.
 */
bool confine_process(const char *user, bool keep_mounts, char *why,
		     size_t why_chars);

/* Addresses [start, end). */
struct confine_range {
	uint64_t start, end;
};

/*
 * System calls, for good and for all threads. Firmware can execute in `firmware`,
 * besides the window: there an SVC is a SIGSYS. `changing` holds all of firmware's code
 * that firmware may also write, and is empty where there is none: then nothing can be
 * made executable from here on. Where it is not empty, mprotect() must begin in it and be
 * no longer than it, so that what lies behind it within that length is not covered.
 */
bool confine_calls(const struct confine_range *firmware,
		   const struct confine_range *changing, char *why,
		   size_t why_chars);

/* The same of a process that waits, unmounts and ends. */
bool confine_to_unmount(char *why, size_t why_chars);

#endif
