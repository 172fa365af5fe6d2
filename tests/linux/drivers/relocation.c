/* SPDX-License-Identifier: MIT */
/* One pointer that needs a relocation. Without any the linker writes no
 * relocation table, and firmware does not load a runtime driver that lacks
 * one. */
#include "drivers.h"

__attribute__((used)) static uint64_t (*const entry)(
	void *image, struct cz_efi_system_table *table) = driver_entry;
