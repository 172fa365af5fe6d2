/* SPDX-License-Identifier: MIT */
/*
 * Firmware's devices: the flash chip, of which firmware gets a copy, and those that are
 * passed through, as they are.
 */
#ifndef LINUX_DEVICES_H
#define LINUX_DEVICES_H

#include <stdbool.h>

struct cz_host;

/* All devices among host->region. False: host->why. */
bool devices_open(struct cz_host *host);

#endif
