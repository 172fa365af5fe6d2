/* SPDX-License-Identifier: MIT */
/* What the EFI stub tells the kernel in the node /chosen of the flattened
 * device tree. /sys/firmware/fdt shows that tree. */
#ifndef LINUX_FDT_CHOSEN_H
#define LINUX_FDT_CHOSEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads a property of /chosen that has 4 or 8 bytes, such as
 * "linux,uefi-system-table". Returns false if the tree has no such property, or
 * is malformed. */
bool fdt_chosen_number(const void *tree, size_t size_bytes, const char *name,
		       uint64_t *value);

/* Does the same in /sys/firmware/fdt. Returns 0, -ENODATA if the property is
 * not there, or the negative errno of open() or read(). */
int fdt_chosen_read(const char *name, uint64_t *value);

/* Returns whether /chosen has a property of this name, of any size: the
 * kernel's kexec code leaves an empty one. fdt_chosen_has() looks in
 * /sys/firmware/fdt. */
bool fdt_chosen_has_property(const void *tree, size_t size_bytes,
			     const char *name);
bool fdt_chosen_has(const char *name);

#endif
