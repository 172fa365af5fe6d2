/* SPDX-License-Identifier: MIT */
/* Mutexes, events and timers, for <caesura/host.h>. */
#ifndef LINUX_WAITING_H
#define LINUX_WAITING_H

#include <stdbool.h>

struct cz_host;

/* Starts the thread that serves timers. False: host->why. */
bool waiting_start(struct cz_host *host);

#endif
