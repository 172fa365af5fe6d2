/* SPDX-License-Identifier: MIT */
/*
 * Names of the kernel's own functions, for panic messages. The table is made by
 * tools/symbols.awk between the two links.
 */
#ifndef KERNEL_SYMBOLS_H
#define KERNEL_SYMBOLS_H

#include <stdint.h>

/*
 * The function that `address` lies in and, in *offset, how far; NULL outside
 * of the kernel's text. Any context.
 */
const char *symbol_find(uint64_t address, uint64_t *offset);

#endif
