/* SPDX-License-Identifier: MIT */
/*
 * Unmounts the tree when the daemon ends. A separate process keeps the
 * privilege for that, so that the process in which firmware runs has none. It
 * waits for one byte, unmounts one directory and ends. If the daemon ends
 * without sending the byte, it just ends.
 */
#ifndef LINUX_UNMOUNT_H
#define LINUX_UNMOUNT_H

/*
 * Starts that process. Called while the daemon has one thread, and has nothing
 * of firmware mapped or open. `user` is as for confine_process(). Returns a
 * descriptor, which stays open, or -1 and sets errno.
 */
int unmount_prepare(const char *mount_point, const char *user);

/* Unmounts, and waits until it is done. Needs no privileges. Returns 0 or an
 * errno value; ECONNRESET: the process is gone. */
int unmount_now(int fd);

#endif
