/* SPDX-License-Identifier: MIT */
/*
 * The misbehaviours that are picked by the name of a variable, "Hang" or
 * "Late:5000000", and what the driver lends them.
 */
#ifndef ADVERSARY_MISBEHAVE_H
#define ADVERSARY_MISBEHAVE_H

#include "adversary.h"
#include "efi.h"

/* A call of GetVariable or SetVariable for such a name. */
struct caller {
	_Bool reads; /* GetVariable */
	uint8_t *data;
	uint64_t size; /* of it, or the room there */
	uint64_t *size_out; /* GetVariable's */
};

/* driver.c: what the driver found when it was loaded. */
struct driver {
	efi_get_variable *next_get_variable;
	efi_set_variable *next_set_variable;
	struct cz_efi_runtime_services *runtime;
	uint64_t device; /* a device of firmware's; 0: it has none */
};
extern struct driver driver;

/* Its records, which CorruptFault destroys. */
extern struct adversary_registers_record registers_record;
extern struct adversary_affinity_record affinity_record;

/* Does what the name says; CZ_EFI_NOT_FOUND when it says nothing. */
uint64_t misbehave(const uint16_t *name, const struct caller *caller);

/* Every name with a line of help, as text: up to `room` bytes at `to`; how many
 * there are. */
uint64_t misbehave_list(uint8_t *to, uint64_t room);

/* What an earlier call left to be done in this one: from every call. */
void misbehave_later(void);

/* Does not return. */
uint64_t hang(uint64_t unused);

/* ---- misbehave.S ---- */

void hang_masked(void);
void wait_for_ever(void);
void wait_masked(void);
uint64_t call_hvc(uint64_t id); /* its x0 */
uint64_t call_smc(uint64_t id);
uint64_t sign_wrongly(void); /* 0: the CPU does not sign */
void branch_unmarked(void);
void misalign_stack(void);
void enter_illegal_state(void);
void overflow_stack(void);

#endif
