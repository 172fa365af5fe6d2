/* SPDX-License-Identifier: MIT */
/*
 * Programs that need the misbehaving driver: whether it is there, and its long
 * calls.
 */
#ifndef PROGRAMS_ADVERSARY_H
#define PROGRAMS_ADVERSARY_H

#include "../../adversary/adversary.h"

#include <caesura/caesura.h>
#include <stdbool.h>

extern const struct cz_efi_guid adversary_guid;

#define ADVERSARY_ATTRIBUTES \
	(CZ_EFI_VARIABLE_BOOTSERVICE_ACCESS | CZ_EFI_VARIABLE_RUNTIME_ACCESS)

/* What its register loop found last; false when the driver is not there. */
bool adversary_record(struct adversary_registers_record *record);

/* Logs why the driver does not answer. Returns EXIT_COULD_NOT_RUN. */
int without_adversary(void);

#endif
