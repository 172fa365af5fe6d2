/* SPDX-License-Identifier: MIT */
/* What the targets of the kernel's own parsers share. */
#ifndef FUZZ_MACHINE_H
#define FUZZ_MACHINE_H

#include <kernel/machine.h>
#include <stddef.h>
#include <stdint.h>

void fuzz_check_machine(const struct machine *found);

/* On the heap, of its own size: a read past its end is seen. */
uint8_t *fuzz_exact_copy(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
