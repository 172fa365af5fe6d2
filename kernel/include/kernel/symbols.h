/* SPDX-License-Identifier: MIT */
/*
 * Names of the kernel's functions, for panic messages. tools/symbols.awk makes
 * the table between the two links of the image.
 */
#ifndef KERNEL_SYMBOLS_H
#define KERNEL_SYMBOLS_H

#include <stdint.h>

/*
 * Returns the name of the function that contains `address`, and stores the
 * offset in it in *offset. Returns NULL for an address outside the kernel's
 * text. Any context.
 */
const char *symbol_find(uint64_t address, uint64_t *offset);

#endif
