/* SPDX-License-Identifier: MIT */
/*
 * The one device that firmware may have as it is without anybody saying so: Arm's
 * PL031, a clock, which every PrimeCell's identification registers tell from others.
 */
#ifndef LINUX_PL031_H
#define LINUX_PL031_H

#include "machine/device.h"

#include <stdbool.h>
#include <stdint.h>

#define PL031_BYTES 4096u

/* Whether the device whose registers are there, PL031_BYTES of them, is a PL031 of
 * any revision. Reads eight words at its end; of a device without registers there a
 * bus may make an abort. */
bool pl031_is_known(const struct device *device);

#endif
