/* SPDX-License-Identifier: MIT */
/*
 * Checks the plausibility of a machine's description, whether it comes from
 * ACPI or from a device tree. It depends on nothing but `struct machine`.
 */
#ifndef KERNEL_DEV_MACHINE_CHECK_H
#define KERNEL_DEV_MACHINE_CHECK_H

#include <kernel/machine.h>

/*
 * Returns NULL if the description is plausible. Otherwise returns a description
 * of the error and stores the wrong number in *value. Checks that addresses are
 * aligned and do not wrap around, that devices do not overlap, and that no CPU
 * appears twice.
 */
const char *machine_check(const struct machine *found, uint64_t *value);

#endif
