/* SPDX-License-Identifier: MIT */
/* Publishes a Memory Attributes Table that describes this driver correctly. */
#ifndef ADVERSARY_ATTRIBUTES_H
#define ADVERSARY_ATTRIBUTES_H

#include "efi.h"

/* Reserves memory for the table. Called when the driver is loaded. If firmware
 * has no table or no memory, attributes_publish() will do nothing. */
void attributes_reserve(struct cz_efi_system_table *system);

/* Replaces firmware's table. Called when boot services end; allocates
 * nothing. */
void attributes_publish(void);

#endif
