/* SPDX-License-Identifier: MIT */
/*
 * The interface between machine.c and the code for the two kinds of machine
 * descriptions. acpi.c and tree.c locate them in memory. acpi_parse.c and
 * tree_parse.c interpret them, and do not depend on the kernel.
 */
#ifndef KERNEL_DEV_TABLES_H
#define KERNEL_DEV_TABLES_H

#include <stdbool.h>
#include <stdint.h>

/* Fill `machine`, or panic. */
void acpi_read_machine(uint64_t rsdp_physical);
void tree_read_machine(uint64_t tree_physical);

/* tables.c: panics, and prints the message on the serial port if that has been
 * found. */
_Noreturn void tables_broken(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

#endif
