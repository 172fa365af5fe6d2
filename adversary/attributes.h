/* SPDX-License-Identifier: MIT */
/* The Memory Attributes Table as it should describe this driver. */
#ifndef ADVERSARY_ATTRIBUTES_H
#define ADVERSARY_ATTRIBUTES_H

#include "efi.h"

/* When the driver is loaded; without a table, or room, there will be none. */
void attributes_reserve(struct cz_efi_system_table *system);

/* When boot services end: allocates nothing. */
void attributes_publish(void);

#endif
