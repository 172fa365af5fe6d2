/* SPDX-License-Identifier: MIT */
/* What <caesura/host.h> has to wait with: mutexes, events and timers. */
#ifndef LINUX_WAITING_H
#define LINUX_WAITING_H

#include <stdbool.h>

struct cz_host;

/* Starts the thread of all timers. False: host->why. */
bool waiting_start(struct cz_host *host);

#endif
