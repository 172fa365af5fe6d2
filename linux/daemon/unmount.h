/* SPDX-License-Identifier: MIT */
/*
 * The end of the mount: a process of its own has the privilege for that, so that the
 * one in which firmware runs has none. It waits for one word, unmounts one directory
 * and ends; without the word, when the daemon has gone, it just ends.
 */
#ifndef LINUX_UNMOUNT_H
#define LINUX_UNMOUNT_H

/*
 * Starts it: while there is one thread, and nothing of firmware's is mapped or open.
 * `user` as confine_process() has it. A descriptor, to be kept, or -1 and errno.
 */
int unmount_prepare(const char *mount_point, const char *user);

/* Unmounts, and waits for it. 0, or an errno value: ECONNRESET when the process is
 * gone. Without privileges. */
int unmount_now(int fd);

#endif
