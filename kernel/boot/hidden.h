/* SPDX-License-Identifier: MIT */
/*
 * Included by the build before anything else in the boot code: whatever another
 * file defines is reached relative to the PC, not through a table of absolute
 * addresses that nobody has relocated.
 */
#pragma GCC visibility push(hidden)
