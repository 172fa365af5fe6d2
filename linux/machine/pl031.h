/* SPDX-License-Identifier: MIT */
/*
 * Recognizes Arm's PL031, a real-time clock, by the identification registers
 * that every PrimeCell has. Firmware gets direct access to a PL031 without an
 * option; every other device has to be named by --direct.
 */
#ifndef LINUX_PL031_H
#define LINUX_PL031_H

#include "machine/device.h"

#include <stdbool.h>
#include <stdint.h>

#define PL031_BYTES 4096u

/* Returns whether this is a PL031, of any revision. `device` maps PL031_BYTES
 * of its registers. The function reads eight words at the end; where no
 * registers are, the bus may answer with an external abort. */
bool pl031_is_known(const struct device *device);

#endif
