/* SPDX-License-Identifier: MIT */
/* Shared by the files that write seeds for the fuzzers. */
#ifndef FUZZ_SEEDS_H
#define FUZZ_SEEDS_H

#include <stddef.h>

/* Writes a file, or exits with an error. */
void write_seed(const char *directory, const char *name, const void *bytes,
		size_t size);

/* Write valid tables of small machines. */
void acpi_seeds(const char *directory);
void tree_seeds(const char *directory);

/* Makes the device tree of a machine with two CPUs in `room`, which is aligned
 * to 8 bytes and has `size` bytes. `controller` is the interrupt controller's
 * compatible string. */
void tree_make(void *room, int size, const char *controller);

#endif
