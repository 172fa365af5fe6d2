/* SPDX-License-Identifier: MIT */
/*
 * The misbehaviours that a variable's name selects, for example "Hang" or
 * "Late:5000000", and the driver's state that they use.
 */
#ifndef ADVERSARY_MISBEHAVE_H
#define ADVERSARY_MISBEHAVE_H

#include "adversary.h"
#include "efi.h"

/* The arguments of GetVariable or SetVariable for such a name. */
struct caller {
	_Bool reads; /* true for GetVariable */
	uint8_t *data;
	uint64_t size; /* of the data or, for GetVariable, of the buffer */
	uint64_t *size_out; /* GetVariable's argument, or NULL */
};

/* driver.c: what the driver found out when it was loaded. */
struct driver {
	efi_get_variable *next_get_variable;
	efi_set_variable *next_set_variable;
	struct cz_efi_runtime_services *runtime;
	uint64_t device; /* address of a device that firmware uses, or 0 */
};
extern struct driver driver;

/* The driver's records, which CorruptFault corrupts. */
extern struct adversary_registers_record registers_record;
extern struct adversary_affinity_record affinity_record;

/* Does what the name selects. Returns CZ_EFI_NOT_FOUND for an unknown name. */
uint64_t misbehave(const uint16_t *name, const struct caller *caller);

/* Writes up to `room` bytes of the list of all names, with a line of help for
 * each, to `to`. Returns the size of the whole list. */
uint64_t misbehave_list(uint8_t *to, uint64_t room);

/* Every call calls this first. It does what an earlier StaleWrite left to
 * do. */
void misbehave_later(void);

/* ---- misbehave.S ---- */

void hang_masked(void);
void wait_for_ever(void);
void wait_masked(void);
uint64_t call_hvc(uint64_t id); /* returns x0 */
uint64_t call_smc(uint64_t id);
uint64_t sign_wrongly(void); /* returns 0 if the CPU does not sign */
void branch_unmarked(void);
void misalign_stack(void);
void enter_illegal_state(void);
void overflow_stack(void);

#endif
