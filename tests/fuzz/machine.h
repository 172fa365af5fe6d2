/* SPDX-License-Identifier: MIT */
/* Shared by the fuzz targets for the kernel's own parsers. */
#ifndef FUZZ_MACHINE_H
#define FUZZ_MACHINE_H

#include <kernel/machine.h>
#include <stddef.h>
#include <stdint.h>

/* Aborts if machine_check() accepts the machine but it is not valid. */
void fuzz_check_machine(const struct machine *found);

/* Returns a copy in an allocation of exactly its size, so that the sanitizer
 * reports a read past its end. */
uint8_t *fuzz_exact_copy(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
