/* SPDX-License-Identifier: MIT */
/* What the EFI stub says to the kernel in the flattened device tree's /chosen,
 * which /sys/firmware/fdt shows. */
#ifndef LINUX_FDT_CHOSEN_H
#define LINUX_FDT_CHOSEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The value of /chosen's property of 4 or 8 bytes, "linux,uefi-system-table".
 * false: the tree has none, or it is malformed. */
bool fdt_chosen_number(const void *tree, size_t size_bytes, const char *name,
		       uint64_t *value);

/* fdt_chosen_number() in /sys/firmware/fdt. Returns 0, -ENODATA when it is not
 * there, or what open() and read() say, negative. */
int fdt_chosen_read(const char *name, uint64_t *value);

/* Whether /chosen in there has such a property, of any size: the kernel's code for
 * kexec leaves one that is empty. */
bool fdt_chosen_has_property(const void *tree, size_t size_bytes,
			     const char *name);
bool fdt_chosen_has(const char *name);

#endif
