/* SPDX-License-Identifier: MIT */
/* Between the writers of the fuzzers' seeds. */
#ifndef FUZZ_SEEDS_H
#define FUZZ_SEEDS_H

#include <stddef.h>

void write_seed(const char *directory, const char *name, const void *bytes,
		size_t size);

/* Sound tables of small machines. */
void acpi_seeds(const char *directory);
void tree_seeds(const char *directory);

/* A tree of a machine with two CPUs in `room`, which is 8-byte aligned. */
void tree_make(void *room, int size, const char *controller);

#endif
