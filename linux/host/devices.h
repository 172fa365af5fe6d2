/* SPDX-License-Identifier: MIT */
/* Firmware's devices: firmware gets a copy of the flash chip, and direct access
 * to other devices. */
#ifndef LINUX_DEVICES_H
#define LINUX_DEVICES_H

#include <stdbool.h>

struct cz_host;

/* Opens all devices among host->region. False: host->why. */
bool devices_open(struct cz_host *host);

#endif
