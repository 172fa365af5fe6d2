/* SPDX-License-Identifier: MIT */
/*
 * Whether a machine can be as its tables say, whichever tables: a function of
 * `struct machine` alone.
 */
#ifndef KERNEL_DEV_MACHINE_CHECK_H
#define KERNEL_DEV_MACHINE_CHECK_H

#include <kernel/machine.h>

/*
 * NULL, or in words what cannot be; *value is then the number that is meant.
 * Addresses are aligned, do not wrap around, and no device lies in another; no
 * CPU comes twice.
 */
const char *machine_check(const struct machine *found, uint64_t *value);

#endif
