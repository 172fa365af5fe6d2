/* SPDX-License-Identifier: MIT */
/*
 * Privileges that the daemon drops once everything is mapped: capabilities, the
 * user root, and all system calls that it does not need. Code of firmware
 * cannot make any system call.
 */
#ifndef LINUX_CONFINE_H
#define LINUX_CONFINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Locks the pages that are present, now and later, so that no call waits for a
 * disk. Returns false and sets errno on failure. */
bool confine_memory(void);

/*
 * Drops the capabilities of the calling thread: each thread has its own set. A
 * thread that starts before confine_process() calls this once it has its
 * priority. If it runs as root it keeps CAP_SETUID and CAP_SETGID, because the
 * C library changes the user in all threads; they go when root does. Returns
 * false and sets errno on failure.
 */
bool confine_thread(void);

/*
 * Changes to an unprivileged user in all threads, and drops the capabilities of
 * the calling thread and of those that it starts later. `user` is a name; NULL
 * means the number of nobody. keep_mounts: CAP_SYS_ADMIN is kept if the process
 * has it. Returns false and fills in `why` on failure.
 */
bool confine_process(const char *user, bool keep_mounts, char *why,
		     size_t why_chars);

/* Addresses [start, end). */
struct confine_range {
	uint64_t start, end;
};

/*
 * Restricts system calls, permanently and in all threads. `firmware` is where
 * firmware can execute code, besides the window: an SVC there raises SIGSYS.
 * `changing` covers all code that firmware may also write. It is empty if there
 * is no such code; then nothing can be made executable from now on. Otherwise
 * mprotect() with PROT_EXEC must begin in `changing` and be no longer than it.
 * That check does not cover memory behind the range, within that length.
 */
bool confine_calls(const struct confine_range *firmware,
		   const struct confine_range *changing, char *why,
		   size_t why_chars);

/* The same for the process that only waits, unmounts and ends. */
bool confine_to_unmount(char *why, size_t why_chars);

#endif
