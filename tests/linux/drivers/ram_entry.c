/* SPDX-License-Identifier: MIT */
/* Simulates a machine that keeps its variables in RAM only. */
#include "drivers.h"

uint64_t driver_entry(void *image, struct cz_efi_system_table *table)
{
	(void)image;
	return keep_in_ram(table);
}
