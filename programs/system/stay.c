/* SPDX-License-Identifier: MIT */
/*
 * Ends as on a machine whose tables describe no PSCI, which the kernel cannot
 * switch off. The log says so, and that QEMU does not end for this reason.
 */
#include "lib/common.h"

#include <kernel/machine.h>

PROGRAM(stay, "ends without PSCI, to show what is said of that")
{
	machine.psci = PSCI_NONE;
	return EXIT_PASSED;
}
