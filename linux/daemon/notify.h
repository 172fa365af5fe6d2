/* SPDX-License-Identifier: MIT */
/* What systemd wants to hear (sd_notify(3)); nothing is said where it is not there. */
#ifndef LINUX_NOTIFY_H
#define LINUX_NOTIFY_H

#include <stdint.h>

/* Before root is given up: the socket is kept open. */
void notify_open(void);

/* "READY=1", "STATUS=…". Any thread. */
void notify_say(const char *text);

/* How often a sign of life is expected; 0: never. */
uint64_t notify_watchdog_ns(void);

/* Has a descriptor kept, by that name alone, for the service's next process. */
void notify_keep(const char *name, int fd);

/* The descriptor that an earlier process has had kept; 0: there is none. */
int notify_kept(const char *name);

#endif
