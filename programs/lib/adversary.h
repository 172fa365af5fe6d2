/* SPDX-License-Identifier: MIT */
/*
 * Helpers for programs that need the misbehaving driver: they check that the
 * driver is loaded, and read what its register loop has recorded.
 */
#ifndef PROGRAMS_ADVERSARY_H
#define PROGRAMS_ADVERSARY_H

#include "../../adversary/adversary.h"

#include <caesura/caesura.h>
#include <stdbool.h>

extern const struct cz_efi_guid adversary_guid;

#define ADVERSARY_ATTRIBUTES \
	(CZ_EFI_VARIABLE_BOOTSERVICE_ACCESS | CZ_EFI_VARIABLE_RUNTIME_ACCESS)

/* Reads the latest record of the driver's register loop. Returns false when the
 * driver is not there. */
bool adversary_record(struct adversary_registers_record *record);

/* Logs why the driver does not answer. Returns EXIT_COULD_NOT_RUN. */
int without_adversary(void);

#endif
