/* SPDX-License-Identifier: MIT */
/*
 * Between machine.c and the two descriptions of a machine that it can read:
 * acpi.c and tree.c fetch them from memory, acpi_parse.c and tree_parse.c, which
 * know of no kernel, make sense of them.
 */
#ifndef KERNEL_DEV_TABLES_H
#define KERNEL_DEV_TABLES_H

#include <stdbool.h>
#include <stdint.h>

/* Each fills `machine` or panics. */
void acpi_read_machine(uint64_t rsdp_physical);
void tree_read_machine(uint64_t tree_physical);

/* panic(), on the serial port if that has been found already. */
_Noreturn void tables_broken(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

#endif
