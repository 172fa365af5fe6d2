/* SPDX-License-Identifier: MIT */
/*
 * Ends as on a machine whose tables name no PSCI, which nobody can switch off: the log
 * says so, and that this is why QEMU does not end.
 */
#include "lib/common.h"

#include <kernel/machine.h>

PROGRAM(stay, "ends without PSCI, to show what is said of that")
{
	machine.psci = PSCI_NONE;
	return EXIT_PASSED;
}
