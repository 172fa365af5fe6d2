/* SPDX-License-Identifier: MIT */
/* One pointer to be relocated: without any the linker writes no relocations, and
 * firmware loads no runtime driver that has none. */
#include "drivers.h"

__attribute__((used)) static uint64_t (*const entry)(
	void *image, struct cz_efi_system_table *table) = driver_entry;
