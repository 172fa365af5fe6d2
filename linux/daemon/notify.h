/* SPDX-License-Identifier: MIT */
/* Messages to systemd (sd_notify(3)). Without systemd, nothing is sent. */
#ifndef LINUX_NOTIFY_H
#define LINUX_NOTIFY_H

#include <stdint.h>

/* Opens the socket, which stays open. Called before the process drops root. */
void notify_open(void);

/* Sends a text such as "READY=1" or "STATUS=…". Any thread may call this. */
void notify_say(const char *text);

/* Returns how often systemd expects a sign of life; 0: never. */
uint64_t notify_watchdog_ns(void);

/* Makes systemd keep a descriptor for the service's next process. It replaces
 * any descriptor kept by that name. */
void notify_keep(const char *name, int fd);

/* Returns the descriptor that an earlier process made systemd keep, or 0 if
 * there is none. */
int notify_kept(const char *name);

#endif
