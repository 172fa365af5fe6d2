/* SPDX-License-Identifier: MIT */
/*
 * The build includes this first in every file of the boot code. It makes the
 * compiler address symbols of other files relative to the PC, and not through a
 * table of absolute addresses, which nobody has relocated.
 */
#pragma GCC visibility push(hidden)
